//! The alias map: which addresses receive, and where their mail goes.
//!
//! The map is a JSON object. Its keys name aliases, from the most specific form to the least:
//!
//! | key | the recipients that it matches |
//! |---|---|
//! | `user+tag@domain` | exactly this address |
//! | `user@domain` | this address, whatever `+tag` the recipient carries |
//! | `shop-*@domain` | a pattern: `*` is any text, also none |
//! | `@domain` | every address of the domain |
//! | `shop-*@*.domain`, `@*.domain` | the same on every domain below this one |
//! | `user`, `user+tag` | this local part on any domain |
//! | `shop-*` | such local parts on any domain |
//! | `@` | everything else |
//!
//! If two patterns match, the pattern with more literal characters wins. Case does not matter, nor do spaces around a key. A
//! value is a list of targets, one target, or an object. A target `@other.example` is the recipient's own local part at that
//! domain.
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

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::header::mailbox::Address;
use crate::signed::AliasKey;

mod date;
mod entry;
mod key;
mod options;
mod owners;
mod pattern;
mod recipients;
mod review;
mod senders;
mod spelling;

use crate::rewrite::Owners;
pub use crate::rewrite::Replies;
pub use date::{Date, DateError};
pub use entry::Entry;
use entry::{EntryReader, Pairs, Written, last_of_each};
pub use key::KeyForm;
use key::{Recipient, fold, form_of, looks_like_a_domain, lookups, never_matches};
pub use options::{MAX_NAME, Notify, OnDmarc, OnVerdict, Options};
use pattern::KeyPattern;
pub use senders::Senders;

/// The most that an SSM parameter of the standard tier holds, in octets.
pub const SSM_STANDARD: usize = 4096;

/// The most that an SSM parameter of the advanced tier holds, in octets.
pub const SSM_ADVANCED: usize = 8192;

/// The entry of the map that a recipient resolves to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resolved<'a> {
    /// The key as written in the map.
    pub key: &'a str,
    /// How it matched.
    pub form: KeyForm,
    /// The entry, or why the alias is broken.
    pub entry: Result<&'a Entry, &'a str>,
}

impl<'a> Resolved<'a> {
    /// Where mail to `recipient` goes that arrives on this day. Whether the sender is admitted is a separate question: see
    /// [`Options::admits`].
    ///
    /// # Errors
    /// Why mail to this recipient goes nowhere, see [`Closed`].
    pub fn open(
        &self,
        recipient: &Address,
        today: Date,
        key: Option<&AliasKey>,
    ) -> Result<Open<'a>, Closed<'a>> {
        let entry = self.entry.map_err(Closed::Broken)?;
        let options = &entry.options;
        if let Some(length) = options.signed {
            let key = key.ok_or(Closed::NoKey)?;
            if !key.has_signed(recipient, length) {
                return Err(Closed::NotSigned);
            }
        }
        if !options.enabled {
            return Err(Closed::Disabled);
        }
        if let Some(last) = options.until.filter(|&last| today > last) {
            return Err(Closed::Expired(last));
        }
        let targets = entry.targets_of(recipient);
        if targets.is_empty() {
            return Err(Closed::Broken(
                "with the domain that it leads to the address is too long",
            ));
        }
        Ok(Open { targets, options })
    }
}

/// Where the mail of an alias goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Open<'a> {
    /// Not empty, no duplicates.
    pub targets: Vec<Address>,
    /// The options by which this alias differs from the settings.
    pub options: &'a Options,
}

/// Why mail to a recipient that a key matches goes nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed<'a> {
    /// The entry has this mistake. Keep the mail until the map is mended.
    Broken(&'a str),
    /// The entry asks for signatures, and there is no key to check them by. Keep the mail until there is.
    NoKey,
    /// The entry asks for signatures, and the recipient's local part has no valid one: somebody has made it up. Act as if there
    /// were no alias.
    NotSigned,
    /// The alias is switched off.
    Disabled,
    /// The alias expired; this was its last day.
    Expired(Date),
}

/// How much a [`Problem`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Probably a mistake; mail is forwarded all the same.
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
    /// The fault, in words.
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

const SIGNED_KEY: &str =
    "\"signed\" needs a key for many addresses, such as \"@example.com\": what is signed is made up";

/// All aliases, ready to be looked up.
#[derive(Clone, Debug, Default)]
pub struct AliasMap {
    /// By the trimmed key in lower case.
    aliases: HashMap<String, Alias>,
    /// The keys that are patterns, in the order of precedence.
    patterns: Vec<KeyPattern>,
    problems: Vec<Problem>,
    /// Gathered when they are first asked for.
    owners: OnceLock<Arc<Owners>>,
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
    /// Reads a map. A byte order mark before it, as Windows editors leave it, is skipped.
    ///
    /// # Errors
    /// When the text is not JSON or not an object. A mistake inside is a [`Problem`] instead, so that one slip does not stop
    /// all mail.
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
        let patterns = map.aliases.keys().filter(|key| key.contains('*'));
        map.patterns = patterns.map(|key| KeyPattern::new(key)).collect();
        map.patterns.sort_by_cached_key(KeyPattern::precedence);
        Ok(map)
    }

    fn add(&mut self, json: &[u8]) -> Result<(), MapError> {
        let json = json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(json);
        let pairs: Pairs<Written> = serde_json::from_slice(json).map_err(|error| {
            // Every value inside the object fits `Written`, so only the whole can have a wrong type.
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
            let is_signed = entry
                .as_ref()
                .is_ok_and(|entry: &Entry| entry.options.signed.is_some());
            if is_signed && matches!(form_of(&key), KeyForm::Exact | KeyForm::User) {
                reader.errors.push(SIGNED_KEY.to_owned());
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

    /// The alias that receives for `recipient`: that of the most specific key that matches. Of the patterns of one
    /// [`KeyForm`] the pattern with more literal characters wins. `None`: no key matches.
    pub fn resolve(&self, recipient: &Address) -> Option<Resolved<'_>> {
        let mut candidates = self.candidates(&Recipient::new(recipient)).into_iter();
        candidates.find_map(|(form, key)| self.resolved(form, &key))
    }

    fn resolved(&self, form: KeyForm, key: &str) -> Option<Resolved<'_>> {
        let alias = self.aliases.get(key)?;
        let (key, entry) = (alias.written.as_str(), alias.entry());
        Some(Resolved { key, form, entry })
    }

    /// The exact keys that a recipient can match and the patterns that it does match, in the order of precedence.
    fn candidates(&self, recipient: &Recipient) -> Vec<(KeyForm, String)> {
        let mut candidates = lookups(recipient);
        // A `*` in the address of a recipient is a character like any other.
        candidates.retain(|(_, key)| !key.contains('*'));
        let patterns = self.patterns.iter().filter(|pattern| pattern.matches(recipient));
        candidates.extend(patterns.map(|pattern| (pattern.form, pattern.key.clone())));
        candidates.sort_by_key(|(form, _)| *form);
        candidates
    }

    /// Whether a catch-all, `@domain` or `@`, takes every local part at this domain.
    pub fn catches_all(&self, domain: &str) -> bool {
        let domain = format!("@{}", domain.to_ascii_lowercase());
        self.aliases.contains_key(&domain) || self.aliases.contains_key("@")
    }

    /// The keys that `recipient` can match, in the order in which [`resolve`](Self::resolve) looks them up, and
    /// whether the map has them. The first that it has is the one that counts. Patterns are those of the map that match.
    pub fn explain(&self, recipient: &Address) -> Vec<(KeyForm, String, bool)> {
        let found = |(form, key): (KeyForm, String)| {
            let found = self.aliases.contains_key(&key);
            (form, key, found)
        };
        let candidates = self.candidates(&Recipient::new(recipient)).into_iter();
        candidates.map(found).collect()
    }

    /// The problems of the map, in its order; then those that concern more than one alias.
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
        let sorted = self.sorted().into_iter().map(|(_, alias)| alias);
        sorted.map(|alias| (alias.written.as_str(), alias.entry()))
    }

    fn sorted(&self) -> Vec<(&String, &Alias)> {
        let mut sorted: Vec<_> = self.aliases.iter().collect();
        sorted.sort_unstable_by_key(|(key, _)| key.as_str());
        sorted
    }

    fn report(&mut self, key: &str, severity: Severity, reason: impl Into<String>) {
        let (key, reason) = (key.to_owned(), reason.into());
        self.problems.push(Problem {
            key,
            severity,
            reason,
        });
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
mod tests;
