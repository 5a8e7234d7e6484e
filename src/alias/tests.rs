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

const EVERY_FORM: [(&str, KeyForm); 11] = [
    ("Jane+News@Example.com", KeyForm::Exact),
    ("jane@example.com", KeyForm::WithoutTag),
    ("ja*E@example.com", KeyForm::Pattern),
    ("j*e@example.com", KeyForm::Pattern),
    ("@example.com", KeyForm::Domain),
    ("jane@*.com", KeyForm::DomainPattern),
    ("@*.com", KeyForm::DomainPattern),
    ("jane+news", KeyForm::User),
    (" JANE ", KeyForm::UserWithoutTag),
    ("jan*", KeyForm::UserPattern),
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
        let found: Vec<_> = explained.iter().filter(|(.., found)| *found).cloned().collect();
        let expected = EVERY_FORM[first..]
            .iter()
            .map(|(key, form)| (*form, fold(key), true));
        assert_eq!(found, expected.collect::<Vec<_>>());
        assert!(explained.is_sorted_by_key(|(form, ..)| *form));
        let exact = explained.iter().filter(|(_, key, _)| !key.contains('*'));
        assert_eq!(exact.count(), 6, "what might have matched is told, too");
    }
}

#[test]
fn patterns_match() {
    let map = map(
        r#"{"shop-*@example.com": "1@example.org", "*-NEWS@example.com": "2@example.org", "**@*.sub.example": "3@example.org",
        "shop@*.sub.example": "4@example.org", "a*b": "5@example.org", "*@example.net": "6@example.org", "x*@*": "7@example.org",
        "shop-+*@example.com": "8@example.org"}"#,
    );
    assert_eq!(map.problems(), []);
    for (recipient, expected) in [
        ("shop-@example.com", "1@example.org"),
        ("Shop-A-B@Example.com", "1@example.org"),
        ("shop-a+tag@example.com", "1@example.org"),
        ("shop-+tag@example.com", "8@example.org"),
        ("jane-news@example.com", "2@example.org"),
        ("jane-news+x@example.com", "2@example.org"),
        ("jane+x-news@example.com", "2@example.org"),
        ("jane@a.b.sub.example", "3@example.org"),
        ("shop@a.sub.example", "4@example.org"),
        ("shop@sub.example", ""),
        ("ab@other.example", "5@example.org"),
        ("aXb+tag@other.example", "5@example.org"),
        ("ba@other.example", ""),
        ("any@example.net", "6@example.org"),
        ("xy@other.example", "7@example.org"),
        ("shop@example.com", ""),
        ("\"shop-@\"@example.com", "1@example.org"),
    ] {
        assert_eq!(targets(&map, recipient), expected, "{recipient}");
    }
    let written = map.resolve(&addr("any@example.net")).unwrap();
    assert_eq!((written.key, written.form), ("*@example.net", KeyForm::Domain));
}

/// The star of an address is a character, and must not make it a pattern's own.
#[test]
fn a_recipient_is_no_pattern() {
    let map = map(r#"{"shop-*@example.com": "1@example.org", "*x@example.com": "2@example.org"}"#);
    let resolved = map.resolve(&addr("shop-*@example.com")).unwrap();
    assert_eq!(resolved.form, KeyForm::Pattern);
    assert!(map.resolve(&addr("*@example.com")).is_none());
}

#[test]
fn a_domain_leads_to_a_domain() {
    let map = map(
        r#"{"@old.example": "@New.example", "jane@old.example": ["@new.example", "JANE@new.example", "@new.example"],
        "@*.old.example": {"to": ["x@new.example", "@new.example"]}}"#,
    );
    assert_eq!(map.problems(), []);
    let targets = |recipient: &str| {
        let recipient = addr(recipient);
        let targets = entry_of(&map, &recipient).targets_of(&recipient);
        targets
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(targets("Shop+x@old.example"), "Shop+x@new.example");
    assert_eq!(targets("jane@old.example"), "JANE@new.example");
    assert_eq!(targets("a@b.old.example"), "x@new.example a@new.example");
    assert_eq!(targets("X@b.old.example"), "x@new.example");
    assert_eq!(targets("\"a b\"@old.example"), "\"a b\"@new.example");
}

fn entry_of<'a>(map: &'a AliasMap, recipient: &Address) -> &'a Entry {
    map.resolve(recipient).unwrap().entry.unwrap()
}

/// How mail to a recipient ends: its targets, or why it goes nowhere.
#[test]
fn an_alias_is_open_or_closed() {
    let map = map(
        r#"{"@example.com": {"to": "1@example.org", "signed": true}, "@": "2@example.org",
        "@*.example.com": {"to": "@example.net", "until": "2027-01-31"}, "off@example.com": {"enabled": false},
        "bad@example.com": 7, "shop-*@example.com": {"to": "3@example.org", "signed": 4, "until": "2026-01-01"}}"#,
    );
    let key = AliasKey::new(std::array::from_fn(|at| u8::try_from(at).unwrap()));
    let other = AliasKey::new(std::array::from_fn(|at| u8::try_from(at + 1).unwrap()));
    let signed = |name, length| key.signed_alias(name, "example.com", length).unwrap().to_string();
    let today = |text: &str| text.parse::<Date>().unwrap();
    let last = today("2027-01-31");
    let end = |recipient: &str, day: &str, key: Option<&AliasKey>| {
        let recipient = addr(recipient);
        let resolved = map.resolve(&recipient).expect("an alias");
        let open = resolved.open(&recipient, today(day), key);
        open.map(|open| open.targets[0].to_string())
            .map_err(|closed| match closed {
                Closed::Broken(_) => Closed::Broken(""),
                other => other,
            })
    };
    for (recipient, key, expected) in [
        (&*signed("shop", 5), Some(&key), Ok("1@example.org".to_owned())),
        (&signed("shop", 5), Some(&other), Err(Closed::NotSigned)),
        (&signed("shop", 5), None, Err(Closed::NoKey)),
        (&signed("shop", 4), Some(&key), Err(Closed::NotSigned)),
        ("shop@example.com", Some(&key), Err(Closed::NotSigned)),
        ("shop@example.org", None, Ok("2@example.org".to_owned())),
        ("off@example.com", None, Err(Closed::Disabled)),
        ("bad@example.com", Some(&key), Err(Closed::Broken(""))),
        ("a@b.example.com", None, Ok("a@example.net".to_owned())),
        (
            &signed("shop-a", 4),
            Some(&key),
            Err(Closed::Expired(today("2026-01-01"))),
        ),
        // Nobody can find out by its outcome that a name is right.
        ("shop-a.aaaa@example.com", Some(&key), Err(Closed::NotSigned)),
    ] {
        assert_eq!(end(recipient, "2027-01-31", key), expected, "{recipient}");
    }
    assert_eq!(
        end("a@b.example.com", "2027-02-01", None),
        Err(Closed::Expired(last))
    );
}

#[test]
fn only_what_is_made_up_is_signed() {
    for (key, fits) in [
        ("shop@example.com", false),
        ("shop+x@example.com", false),
        ("shop", false),
        ("@example.com", true),
        ("shop-*@example.com", true),
        ("@*.example.com", true),
        ("@", true),
    ] {
        let map = map(&json!({key: {"to": "b@example.org", "signed": true}}).to_string());
        assert_eq!(map.problems().is_empty(), fits, "{key}");
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
        (r#""@""#, "is no domain"),
        (r#"["@exa mple.org"]"#, "is no domain"),
        (r#"["@example.org, @example.net"]"#, "is no domain"),
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
        "shop-*@c d",
        "a*b@@c.de",
        "*@c..de",
        "a b*",
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
        (r#"{"a@x.org": "A@X.org"}"#, &["a loop: a@x.org -> a@x.org:"][..]),
        (
            r#"{"a@x.org": "b+x@x.org", "b@x.org": "c@y.org"}"#,
            &["b+x@x.org is itself an alias"],
        ),
        (
            r#"{"a@x.org": ["b@x.org", "t@y.org"], "b@x.org": "c+t@z.org", "c@z.org": ["t@y.org", "a@x.org"]}"#,
            &[
                "a loop: a@x.org -> b@x.org -> c@z.org -> a@x.org:",
                "a loop: b@x.org -> c@z.org",
                "a loop: c@z.org -> a@x.org",
            ],
        ),
        (r#"{"a@x.org": "b@x.org", "b": "c@y.org"}"#, &["itself an alias"]),
        (r#"{"@x.org": "b@x.org"}"#, &["a loop: @x.org -> @x.org"]),
        (
            r#"{"@x.org": "@y.org", "@y.org": "@x.org"}"#,
            &["a loop: @x.org -> @y.org -> @x.org", "a loop"],
        ),
        (r#"{"@x.org": "@y.org", "jane@y.org": "j@z.org"}"#, &[]),
        (
            r#"{"a-*@x.org": "a-b@x.org"}"#,
            &["a loop: a-*@x.org -> a-*@x.org"],
        ),
        (r#"{"@*.x.org": "b@c.x.org"}"#, &["a loop: @*.x.org -> @*.x.org"]),
        (r#"{"a@x.org": "b@x.org"}"#, &[]),
        (r#"{"a@x.org": "b@y.org", "b": "d@y.org", "@": "e@y.org"}"#, &[]),
        (r#"{"a@x.org": {"to": "a@x.org", "enabled": false}}"#, &[]),
        (
            r#"{"a@x.org": "b@x.org", "b@x.org": {"enabled": false}}"#,
            &["itself an alias"],
        ),
    ];
    for (json, expected) in cases {
        let map = map(json);
        assert_eq!(map.problems(), [], "{json}");
        reviewed(&map, expected);
    }
}

/// Each reason of the review holds the text that stands in its place.
fn reviewed(map: &AliasMap, expected: &[&str]) {
    let reviewed = map.review();
    let shown: Vec<String> = reviewed.iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), expected.len(), "{shown:#?}");
    for (shown, expected) in shown.iter().zip(expected) {
        assert!(
            shown.starts_with("warning: ") && shown.contains(expected),
            "{shown}: {expected}"
        );
    }
}

#[test]
fn keys_that_no_mail_reaches_and_patterns_that_overlap() {
    for (json, expected) in [
        (
            r#"{"shop+*@x.org": "a@y.org", "shop@x.org": "b@y.org"}"#,
            &["\"shop+*@x.org\": mail to such an address, as shop+x0@x.org, goes to \"shop@x.org\""][..],
        ),
        (
            r#"{"shop-*@x.org": "a@y.org", "*-news@x.org": "b@y.org", "shop-a*@x.org": "c@y.org", "shop-x0@x.org": "d@y.org"}"#,
            &[
                "\"shop-a*@x.org\": \"*-news@x.org\" fits \"shop-a-news@x.org\", too: this pattern counts",
                "\"*-news@x.org\": \"shop-*@x.org\" fits \"shop--news@x.org\", too: this pattern counts",
            ],
        ),
        (
            r#"{"a*@x.org": "a@y.org", "*b@z.org": "a@y.org", "a*": "a@y.org"}"#,
            &[],
        ),
        (
            r#"{"a*@*.x.org": "a@y.org", "*b@*.x.org": "a@y.org"}"#,
            &["fits \"ab@.x.org\""],
        ),
        (
            r#"{"@*.x.org": "a@y.org", "@a.x.org": "a@y.org", "b@*.x.org": "a@y.org"}"#,
            &[],
        ),
    ] {
        reviewed(&map(json), expected);
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
