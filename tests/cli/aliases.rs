//! `readdress aliases`, and the forms in which a map is given.

use std::fs;

use serde_json::json;

use super::{Trial, event, run, text};

#[test]
fn aliases_are_checked_and_resolved() {
    let trial =
        Trial::new(&json!({"shop@example.com": ["a@example.net"], "@example.com": "all@example.net"}));
    let map = trial.path("aliases.json");
    let map = map.to_str().unwrap();
    let check = run(&["aliases", "check", map], b"");
    assert_eq!(check.status.code(), Some(0), "{}", text(&check.stdout));
    let bad = run(
        &["aliases", "check", "-"],
        b"{\"shop@example.com\": [\"nobody\"]}",
    );
    assert_eq!(bad.status.code(), Some(1));
    assert!(text(&bad.stdout).contains("shop@example.com"));

    let resolve = |address: &str| {
        run(
            &[
                "aliases",
                "resolve",
                "--alias-map",
                &format!("file:{map}"),
                address,
            ],
            b"",
        )
    };
    let tagged = text(&resolve("Shop+x@Example.com").stdout);
    assert!(tagged.contains("-> a@example.net"), "{tagged}");
    assert!(text(&resolve("other@example.com").stdout).contains("-> all@example.net"));
    let nothing = resolve("other@example.org");
    assert_eq!(nothing.status.code(), Some(1));
    assert!(text(&nothing.stdout).contains("no_alias"));
}

/// Catches a form of a map that one of the two commands does not take.
#[test]
fn a_map_is_given_in_the_same_forms_to_both() {
    let trial = Trial::new(&json!({"shop@example.com": ["a@example.net"]}));
    let path = trial.path("aliases.json").display().to_string();
    let with_scheme = format!("file:{path}");
    let json = fs::read(&path).unwrap();
    for (map, input) in [(&*path, &b""[..]), (&with_scheme, b""), ("-", &json)] {
        let check = run(&["aliases", "check", map], input);
        assert_eq!(check.status.code(), Some(0), "{map}: {}", text(&check.stderr));
        let resolve = run(
            &["aliases", "resolve", "--alias-map", map, "shop@example.com"],
            input,
        );
        assert_eq!(resolve.status.code(), Some(0), "{map}: {}", text(&resolve.stderr));
        assert!(text(&resolve.stdout).contains("-> a@example.net"));
    }
    // `forward` takes a path too.
    fs::write(
        trial.path("event.json"),
        event("m1", &["shop@example.com"]).to_string(),
    )
    .unwrap();
    let forward = trial
        .command(&["--alias-map", &path])
        .arg(trial.path("event.json"))
        .output()
        .unwrap();
    assert!(forward.status.success(), "{}", text(&forward.stderr));
    let tilde = run(&["aliases", "check", "file:~/aliases.json"], b"");
    assert_eq!(tilde.status.code(), Some(2));
    assert!(text(&tilde.stderr).contains("$HOME"), "{}", text(&tilde.stderr));
}

#[test]
fn mistakes_are_counted_in_plain_english() {
    let check = |map: &str| {
        let output = run(&["aliases", "check", "-"], map.as_bytes());
        (output.status.code(), text(&output.stdout))
    };
    let (code, said) = check(r#"{"shop@example.com": {"to": "a@example.net", "enable": false}}"#);
    assert_eq!(code, Some(1));
    assert!(said.contains("is \"enabled\" meant?"), "{said}");
    assert!(
        said.ends_with("standard input: 1 alias, 1 error, 0 warnings\n"),
        "{said}"
    );
    let (code, said) = check(r#"{"x.test": "a@example.net", "b": "b@example.net"}"#);
    assert_eq!(code, Some(0));
    assert!(said.contains("\"@x.test\""), "{said}");
    assert!(
        said.ends_with("standard input: 2 aliases, 0 errors, 1 warning\n"),
        "{said}"
    );
    let (code, said) = check(r#"{"shop@example.com": "Jane <jane@example.net>"}"#);
    assert_eq!(code, Some(1));
    assert!(said.contains("address alone"), "{said}");
}
