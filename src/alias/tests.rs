//! Maps, read and asked.

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
    let python = r#"{"alias1@foo.com": ["target1@bar.com"], "alias2@foo.com": ["a@bar.com", "b@bar.com"]}"#;
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
        ..Options::default()
    };
    assert_eq!(entry(&map, A).unwrap().options, options);
    for value in [json!({"enabled": false}), json!({"enabled": false, "to": []})] {
        let map = one(&value);
        assert_eq!(map.problems(), []);
        let entry = entry(&map, A).unwrap();
        assert!(entry.targets.is_empty() && !entry.options.enabled);
    }
}

/// Catches an alias that its owner has switched off with a typo, and whose mail goes out; and a note that breaks an alias.
#[test]
fn an_option_that_is_written_wrong_is_an_error_and_a_note_is_not() {
    for (name, severity) in [
        ("enable", Severity::Error),
        ("Enabled", Severity::Error),
        ("disabled", Severity::Error),
        ("subject-prefix", Severity::Error),
        ("fromFormat", Severity::Error),
        ("targets", Severity::Error),
        ("comment", Severity::Warning),
        ("note", Severity::Warning),
        ("owner", Severity::Warning),
        ("", Severity::Warning),
    ] {
        let map = one(&json!({"to": "b@example.org", name: "x"}));
        let found: Vec<_> = map.problems().iter().map(|problem| problem.severity).collect();
        assert_eq!(found, [severity], "{name}");
    }
}

#[test]
fn a_domain_without_its_at_sign_is_doubted() {
    for (key, is_doubted) in [
        ("x.test", true),
        ("shop.email", true),
        ("example.com", true),
        ("xn--exmple-cua.xn--p1ai", true),
        ("jane.doe", false),
        ("test", false),
    ] {
        let map = map(&json!({key: "b@example.org"}).to_string());
        assert_eq!(!map.problems().is_empty(), is_doubted, "{key}");
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
        ("7", "list of strings"),
        (r#"{"to": {"x": 1}}"#, "list of strings"),
        (r#"[["b@example.org"]]"#, "must be a string"),
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

/// Catches an option that is parsed and forgotten, and one that `choices` does not show.
#[test]
fn every_option_is_read_and_shown() {
    let value = json!({"to": "b@example.org", "spam": "hold", "virus": "mark", "dmarc": "forward", "notify": "me@example.org",
        "fallback": ["c@example.org", "C@example.org"], "allow": ["example.org", "omar@example.net"], "block": "@*.example.net",
        "until": "2027-01-31", "signed": true, "replies": "all", "repliers": "zoe@example.net", "name": " Shop Ä "});
    let map = map(&json!({"@example.com": value}).to_string());
    assert_eq!(map.problems(), []);
    let options = &entry(&map, A).unwrap().options;
    let shown: Vec<String> = options
        .choices()
        .map(|(name, text)| format!("{name}={text}"))
        .collect();
    assert_eq!(
        shown,
        [
            "spam=hold",
            "virus=mark",
            "dmarc=forward",
            "notify=me@example.org",
            "fallback=c@example.org",
            "allow=@example.org, omar@example.net",
            "block=@*.example.net",
            "until=2027-01-31",
            "signed=5",
            "replies=all",
            "repliers=zoe@example.net",
            "name=Shop Ä",
        ]
    );
    let named: Vec<&str> = options.choices().map(|(name, _)| name).collect();
    assert_eq!(named, Options::NAMES[1..]);
}

#[test]
fn each_option_has_its_values() {
    let choices = |name: &str, value: Value| {
        let map = map(&json!({"@example.com": {"to": "b@example.org", name: value}}).to_string());
        assert_eq!(map.problems(), [], "{name}: {value}");
        let shown: Vec<String> = entry(&map, A)
            .unwrap()
            .options
            .choices()
            .map(|(_, text)| text)
            .collect();
        shown.join("; ")
    };
    for (name, values) in [
        ("spam", &["forward", "mark", "hold"][..]),
        ("virus", &["forward", "mark", "hold"]),
        ("dmarc", &["obey", "forward", "mark", "hold"]),
        ("notify", &["targets", "off"]),
        ("replies", &["sender", "all", "off"]),
    ] {
        for value in values {
            assert_eq!(choices(name, json!(value)), *value, "{name}");
        }
    }
    for (length, shown) in [(json!(4), "4"), (json!(10), "10"), (json!(false), "")] {
        assert_eq!(choices("signed", length), shown);
    }
    for name in Options::NAMES {
        assert_eq!(choices(name, Value::Null), "", "{name}");
    }
    for name in ["block", "fallback", "repliers"] {
        assert_eq!(choices(name, json!([])), "", "{name}");
    }
    assert_eq!(choices("name", json!(" ")), "");
}

/// Catches a wrong option that is passed over: mail that should be held or blocked would be forwarded.
#[test]
fn options_that_break_their_alias() {
    let long = "é".repeat(MAX_NAME / 2 + 1);
    for (name, value, reason) in [
        ("spam", json!("obey"), "\"obey\" is none of forward, mark, hold"),
        ("virus", json!(true), "\"virus\" must be a string"),
        ("dmarc", json!("reject"), "none of obey, forward, mark, hold"),
        ("notify", json!("owner"), "none of targets, off, an address"),
        ("notify", json!("Me <me@example.org>"), "the address alone"),
        (
            "fallback",
            json!(["nobody"]),
            "fallback: \"nobody\" is no address",
        ),
        (
            "fallback",
            json!({"to": 1}),
            "\"fallback\" must be a list of strings or one string",
        ),
        ("allow", json!([]), "\"allow\" names nobody"),
        ("allow", json!([1]), "each element of \"allow\" must be a string"),
        ("block", json!("*@example.org"), "not in place of a subdomain"),
        ("until", json!("2027-02-30"), "until: write a day that exists"),
        ("until", json!(2027), "\"until\" must be a string"),
        ("signed", json!(3), "a number from 4 to 10"),
        ("signed", json!(11), "a number from 4 to 10"),
        ("signed", json!(4.5), "a number from 4 to 10"),
        ("signed", json!("yes"), "a number from 4 to 10"),
        ("replies", json!("on"), "none of sender, all, off"),
        ("repliers", json!("@example.org"), "is no address"),
        ("name", json!("a\r\nBcc: b@c.de"), "a control character"),
        ("name", json!("shop@example.com"), "an @"),
        ("name", json!(long), "longer than 100 octets"),
    ] {
        let map = map(&json!({"@example.com": {"to": "b@example.org", name: value}}).to_string());
        assert_eq!(problems(&map), ["Error @example.com"], "{name}: {value}");
        let broken = entry(&map, A).unwrap_err();
        assert!(broken.contains(reason), "{name}: {value}: {broken}");
    }
    assert!(display_name_fits(&"é".repeat(MAX_NAME / 2)));
}

fn display_name_fits(name: &str) -> bool {
    one(&json!({"to": "b@example.org", "name": name}))
        .problems()
        .is_empty()
}

#[test]
fn a_fallback_is_another_address() {
    let map = one(&json!({"to": ["b@example.org", "c@example.org"], "fallback": "B@example.org"}));
    assert_eq!(problems(&map), ["Warning a@example.com"]);
}

#[test]
fn all_mistakes_of_an_entry_are_told() {
    let map = map(r#"{"a": {"to": ["x", "y"], "enabled": 1, "also": 1}, "b": {"to": "b@c.de", "also": 1}}"#);
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
