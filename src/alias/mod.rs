//! The alias map: which addresses receive, and where their mail goes.
//!
//! The map is a JSON object. Its keys name aliases, from the most specific form to the least:
//!
//! | key | the recipients that it matches |
//! |---|---|
//! | `user+tag@domain` | exactly this address |
//! | `user@domain` | this address, whatever `+tag` the recipient carries |
//! | `@domain` | every address of the domain |
//! | `user`, `user+tag` | this local part on any domain |
//! | `@` | everything else |
//!
//! Case does not matter, nor do spaces around a key. A value is a list of targets, one target, or an object:
//!
//! ```
//! use readdress::alias::AliasMap;
//! use readdress::header::mailbox::Address;
//!
//! let map = AliasMap::parse(br#"{
//!     "sales@example.com": ["jane@example.org", "john@example.org"],
//!     "@example.com": "office@example.org",
//!     "news": {"to": "jane@example.org", "subject_prefix": "[news] ", "to_header": "alias"},
//!     "old@example.com": {"enabled": false}
//! }"#)?;
//! let resolved = map.resolve(&Address::parse("Sales+spring@example.com")?).unwrap();
//! assert_eq!(resolved.key, "sales@example.com");
//! assert_eq!(resolved.form.to_string(), "address without +tag");
//! assert_eq!(resolved.entry.unwrap().targets.len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A mistake in one entry breaks that alias and no other: its mail must neither be lost nor fall to a catch-all, so it
//! resolves to an error. [`AliasMap::problems`] lists all mistakes, also those that break nothing.

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::header::mailbox::Address;

mod entry;
mod key;

pub use entry::{Entry, Options};
use entry::{EntryReader, Pairs, Written, last_of_each};
pub use key::KeyForm;
use key::{fold, looks_like_a_domain, lookups, never_matches};

/// What an SSM parameter of the standard tier holds, in octets.
pub const SSM_STANDARD: usize = 4096;

/// What an SSM parameter of the advanced tier holds, in octets.
pub const SSM_ADVANCED: usize = 8192;

/// What a recipient resolves to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resolved<'a> {
    /// The key as written in the map.
    pub key: &'a str,
    /// How it matched.
    pub form: KeyForm,
    /// The entry, or why the alias is broken.
    pub entry: Result<&'a Entry, &'a str>,
}

/// How much a [`Problem`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Probably not what was meant; mail is forwarded all the same.
    Warning,
    /// The alias is broken, or its key matches nothing: no mail is forwarded for it until this is mended.
    Error,
}

/// A mistake in the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key as written; empty for a problem of the whole map.
    pub key: String,
    /// Whether it breaks the alias.
    pub severity: Severity,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.severity {
            Severity::Warning => "warning: ",
            Severity::Error => "error: ",
        })?;
        if !self.key.is_empty() {
            // Quoted with escapes: a key may hold a line break.
            write!(f, "{:?}: ", self.key)?;
        }
        f.write_str(&self.reason)
    }
}

/// Why a text is no alias map at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// The text breaks the rules of JSON.
    #[error("the alias map is not JSON: {0}")]
    NotJson(String),
    /// It is a JSON text of another type.
    #[error(
        "the alias map is not a JSON object of aliases, such as {{\"sales@example.com\": [\"jane@example.org\"]}}"
    )]
    NotAnObject,
}

/// As Windows editors leave it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

const GIVEN_AGAIN: &str = "given again further down, perhaps in another case: only the last counts";

/// All aliases, ready to be looked up.
#[derive(Clone, Debug, Default)]
pub struct AliasMap {
    /// By the trimmed key in lower case.
    aliases: HashMap<String, Alias>,
    problems: Vec<Problem>,
}

#[derive(Clone, Debug)]
struct Alias {
    written: String,
    entry: Result<Entry, String>,
}

impl Alias {
    fn entry(&self) -> Result<&Entry, &str> {
        self.entry.as_ref().map_err(String::as_str)
    }
}

impl AliasMap {
    /// Reads a map. A byte order mark before it, as Windows editors leave it, is passed over.
    ///
    /// # Errors
    /// When the text is not JSON or not an object. Whatever is wrong inside is a [`Problem`] instead, so that one slip
    /// does not stop all mail.
    pub fn parse(json: &[u8]) -> Result<Self, MapError> {
        let mut map = Self::parse_all([json])?;
        map.check_size(json);
        Ok(map)
    }

    /// Reads a map that is written in several texts. Where two have the same alias, the later one counts.
    ///
    /// # Errors
    /// When one of them is no map: without it, its aliases would fall to a catch-all or to nobody.
    pub fn parse_all<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, MapError> {
        let mut map = Self::default();
        for json in texts {
            map.add(json)?;
        }
        for (key, reason) in map.returning_targets() {
            map.report(&key, Severity::Warning, reason);
        }
        Ok(map)
    }

    fn add(&mut self, json: &[u8]) -> Result<(), MapError> {
        let json = json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(json);
        let pairs: Pairs<Written> = serde_json::from_slice(json).map_err(|error| {
            // Every value inside the object fits `Written`, so a wrong type can only be that of the whole.
            let syntax = (!error.is_data()).then(|| MapError::NotJson(error.to_string()));
            syntax.unwrap_or(MapError::NotAnObject)
        })?;
        let (pairs, replaced) = last_of_each(pairs, fold);
        for written in replaced {
            self.report(&written, Severity::Warning, GIVEN_AGAIN);
        }
        for (written, value) in pairs {
            let key = fold(&written);
            let mut reader = EntryReader::default();
            let mut entry = Ok(reader.entry(value));
            if let Some(reason) = never_matches(&key) {
                reader.errors.push(reason);
            } else if looks_like_a_domain(&key) {
                let reason = format!("a user of any domain; all of a domain is \"@{key}\"");
                reader.warnings.push(reason);
            }
            if !reader.errors.is_empty() {
                entry = Err(reader.errors.join("; "));
            }
            for reason in reader.warnings {
                self.report(&written, Severity::Warning, reason);
            }
            for reason in reader.errors {
                self.report(&written, Severity::Error, reason);
            }
            if let Some(earlier) = self.aliases.insert(key, Alias { written, entry }) {
                self.report(&earlier.written, Severity::Warning, GIVEN_AGAIN);
            }
        }
        Ok(())
    }

    /// The alias that receives for `recipient`, if any does: the most specific key that matches.
    pub fn resolve(&self, recipient: &Address) -> Option<Resolved<'_>> {
        lookups(recipient).into_iter().find_map(|(form, key)| {
            let alias = self.aliases.get(&key)?;
            let (key, entry) = (alias.written.as_str(), alias.entry());
            Some(Resolved { key, form, entry })
        })
    }

    /// Would a catch-all take whatever is written before this domain, `@domain` or `@`?
    pub fn catches_all(&self, domain: &str) -> bool {
        let domain = format!("@{}", domain.to_ascii_lowercase());
        self.aliases.contains_key(&domain) || self.aliases.contains_key("@")
    }

    /// The keys that `recipient` can match, in the order in which [`resolve`](Self::resolve) looks them up, and
    /// whether the map has them. The first that it has is the one that counts.
    pub fn explain(&self, recipient: &Address) -> Vec<(KeyForm, String, bool)> {
        let found = |(form, key): (KeyForm, String)| {
            let found = self.aliases.contains_key(&key);
            (form, key, found)
        };
        lookups(recipient).into_iter().map(found).collect()
    }

    /// What is wrong with the map, in its order; then what concerns more than one alias.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many aliases there are, broken ones included.
    pub fn len(&self) -> usize {
        self.aliases.len()
    }

    /// Whether the map has no alias at all.
    pub fn is_empty(&self) -> bool {
        self.aliases.is_empty()
    }

    /// All aliases by key: the key as written, and the entry or why it is broken. Sorted without regard to case.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Result<&Entry, &str>)> {
        let mut sorted: Vec<_> = self.aliases.iter().collect();
        sorted.sort_unstable_by_key(|(key, _)| key.as_str());
        let sorted = sorted.into_iter().map(|(_, alias)| alias);
        sorted.map(|alias| (alias.written.as_str(), alias.entry()))
    }

    fn report(&mut self, key: &str, severity: Severity, reason: impl Into<String>) {
        let (key, reason) = (key.to_owned(), reason.into());
        self.problems.push(Problem {
            key,
            severity,
            reason,
        });
    }

    /// Targets that are aliases themselves: what is sent there comes back, and in the worst case goes round for ever.
    /// Only domains that a key names are surely ours; a bare `user` or `@` matches every address there is.
    fn returning_targets(&self) -> Vec<(String, String)> {
        let domain_of = |key: &str| key.rsplit_once('@').map(|(_, domain)| domain.to_owned());
        let ours: HashSet<String> = self.aliases.keys().filter_map(|key| domain_of(key)).collect();
        let mut returning = Vec::new();
        for (key, entry) in self.entries() {
            let Some(entry) = entry.ok().filter(|entry| entry.options.enabled) else {
                continue;
            };
            for target in &entry.targets {
                let is_ours = domain_of(&target.key()).is_some_and(|domain| ours.contains(&domain));
                if let Some(other) = self.resolve(target).filter(|_| is_ours) {
                    let reason = format!(
                        "the target {target} is itself an alias of this map, through {:?} ({}): what is sent there \
                         comes back here and may loop",
                        other.key, other.form
                    );
                    returning.push((key.to_owned(), reason));
                }
            }
        }
        returning
    }

    fn check_size(&mut self, json: &[u8]) {
        let size = compact_len(json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(json));
        if size > SSM_STANDARD {
            let (limit, way_out) = if size > SSM_ADVANCED {
                (SSM_ADVANCED, "keep the map in S3")
            } else {
                (SSM_STANDARD, "take one of the advanced tier")
            };
            let reason =
                format!("{size} octets without white space, but the SSM parameter holds {limit}: {way_out}");
            self.report("", Severity::Warning, reason);
        }
    }
}

/// The length of a JSON text without the white space between its tokens.
fn compact_len(json: &[u8]) -> usize {
    let (mut quoted, mut escaped, mut length) = (false, false, 0);
    for &octet in json {
        if quoted || !octet.is_ascii_whitespace() {
            length += 1;
        }
        if octet == b'"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && octet == b'\\' && !escaped;
    }
    length
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::rewrite::{FromFormat, MAX_SUBJECT_PREFIX, Style, ToHeader, subject_prefix};

    const A: &str = "a@example.com";

    fn addr(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn map(json: &str) -> AliasMap {
        AliasMap::parse(json.as_bytes()).unwrap()
    }

    fn one(value: &Value) -> AliasMap {
        map(&json!({ A: value }).to_string())
    }

    fn entry<'a>(map: &'a AliasMap, recipient: &str) -> Result<&'a Entry, &'a str> {
        map.resolve(&addr(recipient)).expect(recipient).entry
    }

    /// The targets; nothing where nothing matches.
    fn targets(map: &AliasMap, recipient: &str) -> String {
        let resolved = map.resolve(&addr(recipient));
        let targets = resolved.map(|it| it.entry.unwrap().targets.as_slice());
        let shown = targets.unwrap_or_default().iter().map(ToString::to_string);
        shown.collect::<Vec<_>>().join(" ")
    }

    /// Severity and key of each problem.
    fn problems(map: &AliasMap) -> Vec<String> {
        let shown = |problem: &Problem| format!("{:?} {}", problem.severity, problem.key);
        map.problems().iter().map(shown).collect()
    }

    const EVERY_FORM: [(&str, KeyForm); 6] = [
        ("Jane+News@Example.com", KeyForm::Exact),
        ("jane@example.com", KeyForm::WithoutTag),
        ("@example.com", KeyForm::Domain),
        ("jane+news", KeyForm::User),
        (" JANE ", KeyForm::UserWithoutTag),
        ("@", KeyForm::Everything),
    ];

    /// Takes the keys away one by one, the most specific first: each time the next one must match.
    #[test]
    fn precedence() {
        let recipient = addr("jANE+neWS@EXAMPLE.com");
        for first in 0..=EVERY_FORM.len() {
            let mut json = json!({"other@example.com": "t@example.org"});
            for (key, _) in &EVERY_FORM[first..] {
                json[*key] = json!("t@example.org");
            }
            let map = map(&json.to_string());
            assert_eq!(map.problems(), []);
            let resolved = map.resolve(&recipient).map(|it| (it.key, it.form));
            assert_eq!(resolved, EVERY_FORM.get(first).copied());

            let explained = map.explain(&recipient);
            assert_eq!(explained.len(), EVERY_FORM.len());
            for (at, (form, key, found)) in explained.into_iter().enumerate() {
                let expected = (EVERY_FORM[at].1, fold(EVERY_FORM[at].0), at >= first);
                assert_eq!((form, key, found), expected);
            }
        }
    }

    #[test]
    fn tags() {
        let map = map(
            r#"{"jane+a@example.com": "1@example.org", "jane@example.com": "2@example.org",
            "bob+x": "3@example.org", "@example.com": "4@example.org", "bob": "5@example.org"}"#,
        );
        let cases = [
            ("jane+a@example.com", "1@example.org"),
            ("jane+a+b@example.com", "2@example.org"),
            ("jane+@example.com", "2@example.org"),
            ("+a@example.com", "4@example.org"),
            ("bob@example.com", "4@example.org"),
            ("bob+x@example.net", "3@example.org"),
            ("bob+y@example.net", "5@example.org"),
            ("jane@sub.example.com", ""),
            ("\"jane@example.com\"@example.net", ""),
            ("\"jane@example.com+x\"@example.net", ""),
            ("\"@example.com\"@example.net", ""),
        ];
        for (recipient, expected) in cases {
            assert_eq!(targets(&map, recipient), expected, "{recipient}");
        }
        // The tag taken off `+a` must not leave the key of the catch-all.
        let resolved = map.resolve(&addr("+a@example.com")).unwrap();
        assert_eq!(resolved.form, KeyForm::Domain);
    }

    #[test]
    fn maps_of_the_predecessors() {
        let python =
            r#"{"alias1@foo.com": ["target1@bar.com"], "alias2@foo.com": ["a@bar.com", "b@bar.com"]}"#;
        let python = map(python);
        assert_eq!(python.problems(), []);
        assert_eq!(targets(&python, "alias2@foo.com"), "a@bar.com b@bar.com");
        assert_eq!(targets(&python, "alias3@foo.com"), "");

        let forwarder = map(r#"{"info@example.com": ["john@example.org", "jen@example.org"],
            "abuse@example.com": ["jim@example.org"], "@example.com": ["john@example.org"],
            "info": ["info@example.org"], "@": ["rest@example.org"]}"#);
        assert_eq!(forwarder.problems(), []);
        let info = targets(&forwarder, "info+x@example.com");
        assert_eq!(info, "john@example.org jen@example.org");
        assert_eq!(targets(&forwarder, "any@example.com"), "john@example.org");
        assert_eq!(targets(&forwarder, "info@example.net"), "info@example.org");
        assert_eq!(targets(&forwarder, "any@example.net"), "rest@example.org");
        assert_eq!(forwarder.len(), 5);
        let keys: Vec<_> = forwarder.entries().map(|(key, _)| key).collect();
        assert_eq!(
            keys.join(" "),
            "@ @example.com abuse@example.com info info@example.com"
        );
    }

    #[test]
    fn values_that_work() {
        for value in [
            json!([
                "b@example.org",
                " C@example.org",
                "B@EXAMPLE.ORG",
                "c@example.org"
            ]),
            json!({"to": ["b@example.org", "C@example.org"]}),
            json!({"to": ["b@example.org", "C@example.org"], "enabled": null, "from_email": null}),
        ] {
            let map = one(&value);
            assert_eq!(map.problems(), [], "{value}");
            assert_eq!(targets(&map, A), "b@example.org C@example.org");
            assert_eq!(entry(&map, A).unwrap().options, Options::default());
        }
        let map = map(
            r#"{"a@example.com": {"to": "b@example.org", "from_format": "via", "to_header": "keep",
            "from_email": "post@example.com", "subject_prefix": "[é] ", "enabled": true}}"#,
        );
        assert_eq!(map.problems(), []);
        let options = Options {
            style: Style {
                from_format: Some(FromFormat::Via),
                from_email: Some(addr("post@example.com")),
                to_header: Some(ToHeader::Keep),
                subject_prefix: Some("[é] ".into()),
            },
            enabled: true,
        };
        assert_eq!(entry(&map, A).unwrap().options, options);
        for value in [json!({"enabled": false}), json!({"enabled": false, "to": []})] {
            let map = one(&value);
            assert_eq!(map.problems(), []);
            let entry = entry(&map, A).unwrap();
            assert!(entry.targets.is_empty() && !entry.options.enabled);
        }
    }

    /// Catches a typo that stops all mail, and one that sends the mail of the alias to the catch-all.
    #[test]
    fn values_that_break_their_alias_alone() {
        let cases = [
            ("null", "no target"),
            ("[]", "no target"),
            ("{}", "no target"),
            (r#"{"to": null, "enabled": true}"#, "no target"),
            ("7", "list of addresses"),
            (r#"{"to": {"x": 1}}"#, "list of addresses"),
            (r#"[["b@example.org"]]"#, "a target must be a string"),
            (r#""""#, "is no address"),
            (r#"["b@example.org", "nobody"]"#, "\"nobody\" is no address"),
            (r#""Jane <jane@example.org>""#, "the address alone"),
            (r#""b@example.org, c@example.org""#, "as a list"),
            (r#"{"enabled": false, "to": "nobody"}"#, "is no address"),
            (r#"{"to": "b@c.de", "enabled": "false"}"#, "true or false"),
            (r#"{"to": "b@c.de", "from_format": "loud"}"#, "from_format: "),
            (r#"{"to": "b@c.de", "from_format": 1}"#, "must be a string"),
            (r#"{"to": "b@c.de", "from_email": "J <j@c.de>"}"#, "from_email: "),
            (r#"{"to": "b@c.de", "to_header": ["keep"]}"#, "must be a string"),
            (
                r#"{"to": "b@c.de", "subject_prefix": "a\r\nBcc: b@c.de"}"#,
                "control",
            ),
        ];
        assert!(subject_prefix(&"é".repeat(MAX_SUBJECT_PREFIX / 2)).is_ok());
        let long = json!({"to": "b@c.de", "subject_prefix": "é".repeat(101)}).to_string();
        for (value, reason) in cases.into_iter().chain([(&*long, "longer than 200")]) {
            let map = map(&format!(
                r#"{{"a@example.com": {value}, "@example.com": "c@example.org"}}"#
            ));
            assert_eq!(problems(&map), ["Error a@example.com"], "{value}");
            let broken = entry(&map, A).unwrap_err();
            assert!(broken.contains(reason), "{value}: {broken}");
            assert_eq!(targets(&map, "other@example.com"), "c@example.org");
        }
    }

    #[test]
    fn all_mistakes_of_an_entry_are_told() {
        let map =
            map(r#"{"a": {"to": ["x", "y"], "enabled": 1, "also": 1}, "b": {"to": "b@c.de", "also": 1}}"#);
        assert_eq!(
            problems(&map),
            ["Warning a", "Error a", "Error a", "Error a", "Warning b"]
        );
        assert_eq!(targets(&map, "b@example.com"), "b@c.de");
        let shown = map.problems()[0].to_string();
        assert!(
            shown.starts_with(r#"warning: "a": unknown option "also""#),
            "{shown}"
        );
    }

    #[test]
    fn repeated_keys() {
        let map = map(
            r#"{"A@example.com": "nobody", "b": "1@c.de", " a@EXAMPLE.com": "2@c.de",
            "b": {"to": "3@c.de", "to": "4@c.de"}}"#,
        );
        assert_eq!(
            problems(&map),
            ["Warning A@example.com", "Warning b", "Warning b"]
        );
        assert_eq!(targets(&map, A), "2@c.de");
        assert_eq!(targets(&map, "b@example.net"), "4@c.de");
        assert_eq!(map.len(), 2);
    }

    #[test]
    fn keys_that_never_match() {
        for key in [
            "",
            "a@",
            "a b@c.de",
            "a b",
            "a@b@c.de",
            "@a b",
            "é@c.de",
            "*@c.de",
            "*",
            "a@c.de.",
            "\"a\"@c.de",
        ] {
            let map = map(&json!({key: "b@example.org", A: "d@example.org"}).to_string());
            assert_eq!(problems(&map), [format!("Error {key}")]);
            assert_eq!(targets(&map, A), "d@example.org");
        }
    }

    #[test]
    fn a_domain_without_its_at_sign() {
        for (key, warned) in [
            ("example.com", true),
            ("C.de", true),
            ("jane.doe", false),
            ("@c.de", false),
        ] {
            let map = map(&json!({key: "b@example.org"}).to_string());
            assert_eq!(!map.problems().is_empty(), warned, "{key}");
            assert!(
                map.problems()
                    .iter()
                    .all(|problem| problem.severity == Severity::Warning)
            );
        }
    }

    /// Catches loops that nobody is warned of, and false alarms for domains that are not ours.
    #[test]
    fn targets_that_come_back() {
        let cases = [
            (r#"{"a@x.org": "A@X.org"}"#, Some("a@x.org")),
            (
                r#"{"a@x.org": "b+x@x.org", "b@x.org": "c@y.org"}"#,
                Some("a@x.org"),
            ),
            (r#"{"a@x.org": "b@x.org", "b": "c@y.org"}"#, Some("a@x.org")),
            (r#"{"@x.org": "b@x.org"}"#, Some("@x.org")),
            (r#"{"a@x.org": "b@x.org"}"#, None),
            (r#"{"a@x.org": "b@y.org", "b": "d@y.org", "@": "e@y.org"}"#, None),
            (r#"{"a@x.org": {"to": "a@x.org", "enabled": false}}"#, None),
        ];
        for (json, key) in cases {
            let expected: Vec<_> = key.iter().map(|key| format!("Warning {key}")).collect();
            assert_eq!(problems(&map(json)), expected, "{json}");
        }
    }

    #[test]
    fn size_without_white_space() {
        for json in [
            "{ }",
            r#"{"a b" : "\" \\" , "c":[ 1 , "\\" ] }"#,
            "[\n\t\" \\\" \" ]",
        ] {
            let compact = serde_json::from_str::<Value>(json).unwrap().to_string();
            assert_eq!(compact_len(json.as_bytes()), compact.len(), "{json}");
        }
        for (size, limit) in [
            (4096, None),
            (4097, Some("4096")),
            (8192, Some("4096")),
            (8193, Some("8192")),
        ] {
            let (key, space) = ("a".repeat(size - 15), " ".repeat(9000));
            let map = map(&format!("{{\"{key}\" :{space}[\"t@c.de\"]}}"));
            let whole = map.problems().iter().find(|problem| problem.key.is_empty());
            let told = whole.map(|problem| &problem.reason);
            assert_eq!(told.is_some(), limit.is_some(), "{size}");
            assert!(told.is_none_or(|told| told.contains(&format!("holds {}", limit.unwrap()))));
        }
    }

    #[test]
    fn no_map_at_all() {
        let error = |json: &str| AliasMap::parse(json.as_bytes()).unwrap_err();
        for json in ["[]", "null", "7", "\"a\"", "[{}]"] {
            assert_eq!(error(json), MapError::NotAnObject);
        }
        let deep = format!("{{\"a\": {}", "[".repeat(100_000));
        for json in ["", " ", "{", r#"{"a": }"#, "{} x", r#"{"a": "b@c.de",}"#, &deep] {
            assert!(matches!(error(json), MapError::NotJson(_)));
        }
        let after_mark = map("\u{feff}{\"a\": \"b@c.de\"}");
        assert!(after_mark.len() == 1 && after_mark.problems().is_empty());
        assert!(map("{}").is_empty() && !after_mark.is_empty());
    }

    #[test]
    fn a_catch_all_takes_its_domain_or_all() {
        let of_a_domain = map(r#"{"@Example.com": "b@c.de", "c.de": "b@c.de"}"#);
        let taken = ["example.COM", "c.de", ""].map(|domain| of_a_domain.catches_all(domain));
        assert_eq!(taken, [true, false, false]);
        assert!(map(r#"{"@": "b@c.de"}"#).catches_all("c.de"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_no_crash(json in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = AliasMap::parse(&json);
        }

        /// Whatever an entry holds, either its alias works or a problem of severity Error says why not.
        #[test]
        fn any_entry_works_or_is_reported(key in "[a+@. \\PC]{0,8}", to in "[a@.<> ]{0,8}", prefix in ".{0,5}") {
            let value = json!({"to": [to], "subject_prefix": prefix});
            let map = map(&json!({key: value}).to_string());
            let reported = map.problems().iter().any(|problem| problem.severity == Severity::Error);
            prop_assert_eq!(map.entries().next().unwrap().1.is_err(), reported);
        }
    }
}
