//! The commands that need the key of reply addresses and signed aliases, and the one that makes it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::{Trial, run, text};

fn lines(arguments: &[&str]) -> Vec<String> {
    let output = run(arguments, b"");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn a_key_is_made_and_replaced() {
    let trial = Trial::new(&json!({}));
    let (first, second) = (trial.path("key"), trial.path("second"));
    let [first, second] = [&first, &second].map(|path| path.to_str().unwrap());
    assert!(lines(&["key", "new", "--output", first]).is_empty());
    assert_eq!(fs::metadata(first).unwrap().permissions().mode() & 0o777, 0o600);
    let written = fs::read_to_string(first).unwrap();
    assert_eq!((written.lines().count(), written.len()), (1, 45));
    // Another key in its place would make all addresses of the first worthless.
    let again = run(&["key", "new", "--output", first], b"");
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(fs::read_to_string(first).unwrap(), written);

    let both = lines(&["key", "new", "--in-place-of", first]);
    assert_eq!(both.len(), 2);
    assert!(both[0] != written.trim() && both[1] == written.trim());
    let of = |key: &str| {
        lines(&[
            "reply-address",
            "--alias-key",
            &format!("file:{key}"),
            "shop@example.com",
            "jane@example.org",
        ])
    };
    fs::write(second, both.join("\n")).unwrap();
    assert_ne!(of(first), of(second));
    assert!(
        of(first)[0].starts_with("shop+jane=example.org."),
        "{:?}",
        of(first)
    );
}

#[test]
fn signed_aliases_are_made_and_resolved() {
    let trial =
        Trial::new(&json!({"@example.com": {"to": "a@example.net", "signed": 6, "until": "2999-12-31"}}));
    let (key, map) = (trial.path("key"), trial.path("aliases.json"));
    lines(&["key", "new", "--output", key.to_str().unwrap()]);
    let (key, map) = (format!("file:{}", key.display()), map.display().to_string());
    let new = |name: &str| {
        run(
            &[
                "aliases",
                "new",
                "--alias-key",
                &key,
                "--letters",
                "6",
                "example.com",
                name,
            ],
            b"",
        )
    };
    let alias = text(&new("shop").stdout).trim().to_owned();
    assert!(
        alias.starts_with("shop.") && alias.ends_with("@example.com"),
        "{alias}"
    );
    assert_eq!(new("shop+x").status.code(), Some(2));

    let resolve = |address: &str, more: &[&str]| {
        run(
            &[&["aliases", "resolve", "--alias-map", &map, address], more].concat(),
            b"",
        )
    };
    let resolved = resolve(&alias, &["--alias-key", &key]);
    assert_eq!(resolved.status.code(), Some(0));
    let shown = text(&resolved.stdout);
    for expected in ["-> a@example.net", "signed: 6", "until: 2999-12-31"] {
        assert!(shown.contains(expected), "{shown}");
    }
    for (address, more, expected) in [
        ("shop@example.com", &["--alias-key", &*key][..], "no_alias"),
        (&alias, &[], "--alias-key"),
    ] {
        let output = resolve(address, more);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            text(&output.stdout).contains(expected),
            "{}",
            text(&output.stdout)
        );
    }
}

#[test]
fn a_key_that_is_missing_or_wrong_is_named() {
    let trial = Trial::new(&json!({}));
    let path = trial.path("key");
    fs::write(&path, "secret").unwrap();
    let key = format!("file:{}", path.display());
    for (more, code, expected) in [
        (&[][..], 2, "ALIAS_KEY_PARAM"),
        (&["--alias-key", &*key], 1, "line 1 is not base64"),
        (&["--alias-key", "file:/nowhere/key"], 1, "/nowhere/key"),
        (&["--alias-key", "s3://a/b"], 2, "SSM parameter"),
    ] {
        let output = run(
            &[&["reply-address", "shop@example.com", "jane@example.org"], more].concat(),
            b"",
        );
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{error}");
        assert!(error.contains(expected) && !error.contains("secret"), "{error}");
    }
}

#[test]
fn recipients_are_printed_for_a_receipt_rule() {
    let trial = Trial::new(
        &json!({"shop@example.com": "a@example.net", "x-*@example.org": "a@example.net", "jane": "b@example.net"}),
    );
    let map = trial.path("aliases.json").display().to_string();
    let without = run(&["aliases", "recipients", &map], b"");
    assert_eq!(without.status.code(), Some(2));
    assert!(text(&without.stderr).contains("\"jane\""));
    assert_eq!(
        lines(&["aliases", "recipients", &map, "--domain", "example.com"]),
        ["example.org", "jane@example.com", "shop@example.com"]
    );
}
