//! `readdress explain` as its users meet it.
#![cfg(feature = "cli")]

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const MESSAGE: &[u8] = b"Return-Path: <jane@example.org>\r\nFrom: Jane Example <jane@example.org>\r\n\
    To: shop@example.com\r\nSubject: \x1b[2J now\r\nMIME-Version: 1.0\r\nMIME-Version: 1.0\r\n\
    Message-ID: <1@example.org>\r\n\r\nHello.\r\n";

/// A bucket with a message and an alias map, in a directory of their own.
struct Trial(TempDir);

impl Trial {
    fn new(message: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let map = json!({
            "shop@example.com": ["owner@example.net", "omar@example.net"],
            "off@example.com": {"enabled": false},
            "broken@example.com": {"to": 7},
        });
        fs::create_dir(directory.path().join("mail")).unwrap();
        fs::write(directory.path().join("map.json"), map.to_string()).unwrap();
        fs::write(directory.path().join("mail/m1"), message).unwrap();
        Trial(directory)
    }

    fn explain(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_readdress"))
            .env_clear()
            .current_dir(self.0.path())
            .args(["explain", "--alias-map", "file:map.json"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that ends early closes its input.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let output = self.explain(&[arguments, &["--json"]].concat(), b"");
        let line = serde_json::from_slice(&output.stdout);
        (
            output.status.code(),
            line.unwrap_or_else(|_| panic!("{output:?}")),
        )
    }
}

#[test]
fn all_is_said_and_nothing_is_done() {
    let trial = Trial::new(MESSAGE);
    let output = trial.explain(&["shop+tag@example.com", "mail/m1"], b"");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    for line in [
        "message   m1",
        "key       \"shop@example.com\" (address without +tag)",
        "target    omar@example.net",
        "decision  it would be sent",
        "repaired  duplicate-field",
        "-From: Jane Example <jane@example.org>",
        "+From: \"Jane Example (jane at example.org)\" <shop+tag@example.com>",
        " To: shop@example.com",
        " MIME-Version: 1.0",
        "-MIME-Version: 1.0",
        "-Message-ID: <1@example.org>",
        "+X-Original-Message-ID: <1@example.org>",
    ] {
        assert_eq!(text.lines().filter(|it| *it == line).count(), 1, "{line}: {text}");
    }
    assert!(
        text.contains("found     duplicate-field in part 0, mime-version, at octet "),
        "{text}"
    );
    assert!(!text.contains("\nleft "), "{text}");
    // Neither colours of ours, since this is no terminal, nor orders of a stranger.
    assert!(!text.contains('\x1b') && text.contains("\\u{1b}"), "{text}");
    let mut files: Vec<_> = fs::read_dir(trial.0.path())
        .unwrap()
        .map(|it| it.unwrap().file_name())
        .collect();
    files.sort();
    assert_eq!(files, ["mail", "map.json"]);
}

#[test]
fn the_message_comes_from_a_file_from_standard_input_or_by_its_event() {
    let trial = Trial::new(MESSAGE);
    let event = json!({"Records": [{"eventSource": "aws:ses", "ses": {
        "mail": {"messageId": "m1", "source": "jane@example.org"}, "receipt": {"recipients": ["shop@example.com"]}}}]});
    fs::write(trial.0.path().join("event.json"), event.to_string()).unwrap();
    let by_event = [
        "--event",
        "event.json",
        "--email-bucket",
        "file:mail",
        "shop@example.com",
    ];
    let (code, explained) = trial.json(&by_event);
    assert_eq!((code, &explained["goes_out"]), (Some(0), &json!(true)));
    let from_file = trial.json(&["shop@example.com", "mail/m1"]).1;
    for name in [
        "bytes_in",
        "bytes_out",
        "edits",
        "header",
        "found",
        "left",
        "targets",
        "outcome",
    ] {
        assert_eq!(explained[name], from_file[name], "{name}");
        assert_ne!(explained[name], Value::Null, "{name}");
    }
    let output = trial.explain(&["shop@example.com", "-"], MESSAGE);
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .starts_with("message   message\n")
    );
    let both = trial.explain(&[&by_event[..], &["mail/m1"]].concat(), b"");
    assert_eq!(both.status.code(), Some(2));
}

/// Catches a plan of explain that is another than that of forward.
#[test]
fn what_is_explained_is_what_is_forwarded() {
    let long = "x".repeat(2_000);
    let message = [MESSAGE, long.as_bytes(), b"\r\n"].concat();
    let trial = Trial::new(&message);
    let explained = trial.json(&["shop@example.com", "mail/m1"]).1;
    assert_eq!(explained["edits"].as_array().unwrap().len(), 2, "{explained}");
    let event = json!({"Records": [{"eventSource": "aws:ses", "ses": {
        "mail": {"messageId": "m1"}, "receipt": {"recipients": ["shop@example.com"]}}}]});
    fs::write(trial.0.path().join("event.json"), event.to_string()).unwrap();
    let forwarded = Command::new(env!("CARGO_BIN_EXE_readdress"))
        .env_clear()
        .current_dir(trial.0.path())
        .args([
            "forward",
            "--alias-map",
            "file:map.json",
            "--email-bucket",
            "file:mail",
        ])
        .args(["--outbox", "file:out", "event.json"])
        .output()
        .unwrap();
    let outcome: Value = serde_json::from_slice(&forwarded.stdout).unwrap();
    for name in ["bytes_in", "bytes_out", "repairs", "targets", "outcome"] {
        assert_eq!(explained[name], outcome[name], "{name}");
    }
    let sent = fs::read(trial.0.path().join("out/m1.0.eml")).unwrap();
    assert_eq!(explained["bytes_out"], json!(sent.len()));
    let header = explained["header"].as_array().unwrap();
    let goes_out = header.iter().filter(|field| field["is"] != "removed");
    for field in goes_out {
        let text = field.get("after").unwrap_or(&field["before"]).as_str().unwrap();
        assert!(
            sent.windows(text.len()).any(|octets| octets == text.as_bytes()),
            "{text}"
        );
    }
}

#[test]
fn the_reason_is_said_where_it_would_not_go_out() {
    let trial = Trial::new(MESSAGE);
    let script = b"From: jane@example.org\r\nContent-Type: text/javascript; name=a.js\r\n\r\nalert(1)\r\n";
    fs::write(trial.0.path().join("script"), script).unwrap();
    let script_path = "script";
    for (arguments, outcome, says) in [
        (
            &["nobody@example.com", "mail/m1"][..],
            "no_alias",
            "none of the alias map matches",
        ),
        (&["off@example.com", "mail/m1"], "disabled", "\"off@example.com\""),
        (&["broken@example.com", "mail/m1"], "failed", "mistake   "),
        (
            &["--max-send-bytes", "100", "shop@example.com", "mail/m1"],
            "too_large",
            "MAX_SEND_BYTES",
        ),
        (
            &["shop@example.com", script_path],
            "failed",
            "left      blocked-attachment",
        ),
    ] {
        let (code, explained) = trial.json(arguments);
        assert_eq!(
            (
                code,
                explained["goes_out"].as_bool(),
                explained["outcome"].as_str()
            ),
            (Some(1), Some(false), Some(outcome)),
            "{explained}"
        );
        let text = trial.explain(arguments, b"").stdout;
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.contains(says) && text.contains("it would not be sent"),
            "{says}: {text}"
        );
    }
}

/// An answer is explained from a file: nobody can prove anything there, and its writer wants to know what would be seen.
#[test]
fn an_answer_shows_what_its_body_tells() {
    let answer = b"From: Zoe <owner@example.net>\r\nTo: x\r\nSubject: Re: now\r\n\
        Content-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\nContent-ID: <1@host.example.net>\r\n\r\n\
        On Monday owner@example.net wrote:\r\n--b1--\r\n";
    let trial = Trial::new(answer);
    fs::write(
        trial.0.path().join("key"),
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
    )
    .unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_readdress"))
            .env_clear()
            .env("ALIAS_KEY_PARAM", "file:key")
            .env("ALIAS_MAP_PARAM", "file:map.json")
            .current_dir(trial.0.path())
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let address = run(&["reply-address", "shop@example.com", "jane@example.org"]);
    let text = run(&["explain", address.trim(), "mail/m1"]);
    let at = |octets: &[u8]| answer.windows(octets.len()).position(|it| it == octets).unwrap();
    for line in [
        "target    jane@example.org",
        "assumed   DMARC has passed: without an event there is no verdict of SES",
        "decision  it would be sent",
        &format!(
            "tells     boundary in part 0, at octet {}: b1",
            at(b"Content-Type")
        ),
        &format!(
            "tells     content-id in part 1, at octet {}: <1@host.example.net>",
            at(b"Content-ID")
        ),
        &format!(
            "tells     text in part 1, at octet {}: owner@example.net",
            at(b"owner@example.net wrote")
        ),
    ] {
        assert_eq!(text.lines().filter(|it| *it == line).count(), 1, "{line}: {text}");
    }
    let explained: Value =
        serde_json::from_str(&run(&["explain", "--json", address.trim(), "mail/m1"])).unwrap();
    assert_eq!(explained["assumes_dmarc"], json!(true));
    assert_eq!(explained["tells"]["found"].as_array().map(Vec::len), Some(3));
}
