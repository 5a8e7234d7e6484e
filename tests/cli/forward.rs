//! `readdress forward` between directories.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use super::{BODY_SHA256, MESSAGE, Trial, body, event, outcomes_of, readdress, record, text};

#[test]
fn a_mail_is_forwarded_with_every_byte_of_its_body() {
    let trial = Trial::new(&json!({"shop@example.com": ["a@example.net", "A@example.net", "b@example.net"]}));
    let (code, outcomes) = trial.forward(&event("m1", &["shop@example.com"]), &[]);
    assert_eq!(code, 0);
    let message = trial.sent("m1.0.eml");
    assert_eq!(body(&message), body(MESSAGE));
    assert_eq!(
        outcomes,
        [json!({
            "message_id": "m1", "alias": "shop@example.com", "targets": ["a@example.net", "b@example.net"],
            "outcome": "sent", "bytes_in": MESSAGE.len(), "bytes_out": message.len(),
            "body_sha256": BODY_SHA256, "sent_id": "m1.0",
        })]
    );
    let envelope: Value = serde_json::from_slice(&trial.sent("m1.0.json")).unwrap();
    assert_eq!(
        envelope,
        json!({"from": "shop@example.com", "to": ["a@example.net", "b@example.net"]})
    );
    assert_eq!(trial.outbox(), ["m1.0.eml", "m1.0.json"]);
}

#[test]
fn each_recipient_has_an_outcome_and_each_target_the_message_once() {
    let trial = Trial::new(&json!({
        "shop@example.com": "owner@example.net",
        "sales@example.com": ["OWNER@example.net"],
        "team@example.com": ["owner@example.net", "helper@example.net"],
        "off@example.com": {"to": "owner@example.net", "enabled": false},
        "broken@example.com": ["no address"],
    }));
    let recipients = [
        "shop@example.com",
        "sales@example.com",
        "team@example.com",
        "nobody@example.com",
        "off@example.com",
        "broken@example.com",
    ];
    let (code, outcomes) = trial.forward(&event("m1", &recipients), &[]);
    assert_eq!(
        outcomes_of(&outcomes),
        ["sent", "sent", "sent", "no_alias", "disabled", "failed"]
    );
    assert_eq!(code, 1);
    assert_eq!(
        outcomes[1]["sent_id"], "m1.0",
        "the first message has reached it already"
    );
    let envelope = |name| serde_json::from_slice::<Value>(&trial.sent(name)).unwrap()["to"].clone();
    assert_eq!(envelope("m1.0.json"), json!(["owner@example.net"]));
    assert_eq!(envelope("m1.1.json"), json!(["helper@example.net"]));
    assert_eq!(trial.outbox().len(), 4);
    assert!(outcomes[5]["error"].as_str().unwrap().contains("alias map"));

    let (code, outcomes) = trial.forward(&event("m1", &["nobody@example.com", "off@example.com"]), &[]);
    assert_eq!(
        (code, outcomes_of(&outcomes)),
        (0, vec!["no_alias", "disabled"]),
        "neither is a failure"
    );
}

#[test]
fn one_bad_record_does_not_stop_the_others() {
    let trial = Trial::new(&json!({"@": "owner@example.net"}));
    let event = json!({"Records": [
        record("../../etc/passwd", &["shop@example.com"]),
        record("missing", &["shop@example.com"]),
        {"ses": {"mail": {"messageId": "m1"}, "receipt": {}}},
        record("m1", &["shop@example.com"]),
    ]});
    let (code, outcomes) = trial.forward(&event, &[]);
    assert_eq!(code, 1);
    assert_eq!(outcomes_of(&outcomes), ["failed", "failed", "failed", "sent"]);
    assert_eq!(outcomes[0]["message_id"], Value::Null);
    assert_eq!(outcomes[1]["message_id"], "missing");
    assert!(outcomes[1]["error"].as_str().unwrap().contains("EMAIL_PREFIX"));
    assert_eq!(outcomes[2]["message_id"], "m1");
}

/// Catches mail that two systems send to each other for ever.
#[test]
fn what_would_go_in_a_circle_stays_in_the_bucket() {
    let trial =
        Trial::new(&json!({"shop@example.com": "jane@example.net", "other@example.com": "jane@example.net"}));
    trial.forward(&event("m1", &["shop@example.com"]), &[]);
    trial.store("m2", &trial.sent("m1.0.eml"));
    let (code, outcomes) = trial.forward(&event("m2", &["shop@example.com"]), &[]);
    assert_eq!(code, 1);
    assert_eq!(outcomes_of(&outcomes), ["failed"]);
    assert_eq!(outcomes[0]["cause"], "loop");
    assert!(!outcomes[0]["error"].as_str().unwrap().contains('@'));
    // One alias may lead to another.
    let (code, _) = trial.forward(&event("m2", &["other@example.com"]), &[]);
    assert_eq!(code, 0);
    assert_eq!(trial.outbox(), ["m1.0.eml", "m1.0.json", "m2.0.eml", "m2.0.json"]);
}

#[test]
fn a_message_over_the_limit_is_decided_on_its_header_section() {
    let trial = Trial::new(&json!({"@": "owner@example.net"}));
    // 8 GiB of nothing: whoever reads the body, or the end of it, is not done in time.
    let file = fs::File::create(trial.path("bucket/inbound/huge")).unwrap();
    let mut head = MESSAGE.to_vec();
    head.truncate(MESSAGE.len() - body(MESSAGE).len());
    (&file).write_all(&head).unwrap();
    file.set_len(8 << 30).unwrap();
    let untold = ["--notify", "off"];
    let (code, outcomes) = trial.forward(&event("huge", &["shop@example.com"]), &untold);
    assert_eq!((code, outcomes_of(&outcomes)), (1, vec!["too_large"]));
    assert_eq!(outcomes[0]["bytes_in"], 8_u64 << 30);
    assert_eq!(outcomes[0]["body_sha256"], Value::Null);
    assert!(trial.outbox().is_empty());

    // The limit is on what goes out, to the octet.
    let sent = trial.forward(&event("m1", &["shop@example.com"]), &[]).1[0]["bytes_out"]
        .as_u64()
        .unwrap();
    for (limit, want) in [(sent, "sent"), (sent - 1, "too_large")] {
        let limit = limit.to_string();
        let more = ["--max-send-bytes", &limit, "--ledger", "off"];
        let (_, outcomes) = trial.forward(&event("m1", &["shop@example.com"]), &more);
        assert_eq!(outcomes_of(&outcomes), [want]);
    }
}

#[test]
fn settings_come_from_flags_the_environment_and_the_alias() {
    let trial = Trial::new(&json!({
        "shop@example.com": "owner@example.net",
        "via@example.com": {"to": "other@example.net", "from_format": "via", "subject_prefix": "[via] "},
    }));
    fs::write(
        trial.path("event.json"),
        event("m1", &["shop@example.com", "via@example.com"]).to_string(),
    )
    .unwrap();
    let mut command = trial.command(&["--from-format", "name"]);
    command
        .env("SUBJECT_PREFIX", "[all] ")
        .env("TO_HEADER", "alias")
        .arg(trial.path("event.json"));
    assert!(command.output().unwrap().status.success());
    let (shop, via) = (
        text(&trial.sent("m1.0.eml")[..200]),
        text(&trial.sent("m1.1.eml")[..200]),
    );
    assert!(
        shop.contains("From: Jane Example <shop@example.com>\r\n"),
        "{shop}"
    );
    assert!(shop.contains("To: shop@example.com\r\n"), "{shop}");
    assert!(shop.contains("Subject: [all] Hello\r\n"), "{shop}");
    assert!(
        via.contains("From: \"Jane Example via example.com\" <via@example.com>\r\n"),
        "{via}"
    );
    assert!(via.contains("Subject: [via] Hello\r\n"), "{via}");

    let mut command = readdress(&["forward", "-"]);
    for (name, value) in [
        ("EMAIL_BUCKET", "bucket"),
        ("ALIAS_MAP_PARAM", "aliases.json"),
        ("OUTBOX", "other"),
    ] {
        command.env(name, format!("file:{}", trial.path(value).display()));
    }
    command
        .env("EMAIL_PREFIX", "inbound/")
        .stdin(fs::File::open(trial.path("event.json")).unwrap());
    assert!(command.output().unwrap().status.success());
    assert!(trial.path("other/m1.1.eml").exists());
}

/// Catches a trial whose second run fills the outbox with copies.
#[test]
fn what_was_sent_is_not_sent_again_by_the_next_run() {
    let trial =
        Trial::new(&json!({"shop@example.com": "a@example.net", "team@example.com": "b@example.net"}));
    let first = trial.forward(&event("m1", &["shop@example.com"]), &[]);
    assert_eq!((first.0, outcomes_of(&first.1)), (0, vec!["sent"]));
    let mut again = trial.forward(&event("m1", &["shop@example.com"]), &[]);
    let repeated = again.1[0].as_object_mut().unwrap().remove("repeated");
    assert_eq!((repeated, again), (Some(true.into()), first));
    // Another target is another matter.
    let both = trial.forward(&event("m1", &["shop@example.com", "team@example.com"]), &[]);
    assert_eq!(outcomes_of(&both.1), ["sent", "sent"]);
    assert_eq!(trial.outbox(), ["m1.0.eml", "m1.0.json", "m1.1.eml", "m1.1.json"]);

    let page = fs::read_to_string(trial.path("outbox/ledger/m1.json")).unwrap();
    assert!(!page.contains("@example.net"), "a target: {page}");
    let page: Value = serde_json::from_str(&page).unwrap();
    assert_eq!(
        page["arrival"]["recipients"],
        json!(["shop@example.com", "team@example.com"])
    );
    assert_eq!(page["sent"][1]["id"], "m1.1");
    assert_eq!(page["claim"], Value::Null);
    assert_eq!(page["outcomes"]["team@example.com"]["outcome"], "sent");

    let off = trial.forward(&event("m1", &["shop@example.com"]), &["--ledger", "off"]);
    assert_eq!(off.1[0]["sent_id"], "m1.2");
}

/// Catches mail that is kept back for want of a record of it.
#[test]
fn mail_goes_out_where_the_ledger_cannot_be_written() {
    let trial = Trial::new(&json!({"shop@example.com": "a@example.net"}));
    fs::create_dir(trial.path("outbox")).unwrap();
    fs::write(trial.path("outbox/ledger"), "in its place").unwrap();
    fs::write(
        trial.path("event.json"),
        event("m1", &["shop@example.com", "shop+a@example.com"]).to_string(),
    )
    .unwrap();
    let output = trial.command(&[]).arg(trial.path("event.json")).output().unwrap();
    assert!(output.status.success());
    let log = text(&output.stderr);
    assert!(
        log.contains("the ledger cannot be written") && !log.contains('@'),
        "{log}"
    );
    assert_eq!(trial.outbox(), ["m1.0.eml", "m1.0.json"]);
}

#[test]
fn the_trial_fixtures_work() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let outbox = tempfile::tempdir().unwrap();
    for (event, want) in [
        ("event.json", "sent sent"),
        ("event-minimal.json", "sent"),
        ("event-no-alias.json", "sent no_alias"),
        ("event-sns.json", "sent"),
    ] {
        let output = readdress(&[
            "forward",
            "--email-bucket",
            "file:fixtures/trial/bucket",
            "--email-prefix",
            "inbound/",
        ])
        .args(["--alias-map-param", "file:fixtures/trial/aliases.json"])
        .args(["--outbox", &format!("file:{}", outbox.path().display())])
        .arg(format!("fixtures/trial/{event}"))
        .current_dir(root)
        .output()
        .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let outcomes: Vec<Value> = text(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(outcomes_of(&outcomes).join(" "), want);
    }
}

/// A permission to send as `*@example.com` is compared with case.
#[test]
fn the_new_from_has_the_domain_in_small_letters() {
    let trial = Trial::new(&json!({"shop@example.com": "a@example.net"}));
    let (code, _) = trial.forward(&event("m1", &["Shop@EXAMPLE.com"]), &[]);
    assert_eq!(code, 0);
    let envelope: Value = serde_json::from_slice(&trial.sent("m1.0.json")).unwrap();
    assert_eq!(envelope["from"], "Shop@example.com");
    assert!(text(&trial.sent("m1.0.eml")[..200]).contains("<Shop@example.com>"));
}

/// Whoever reads the output may go at any time: no panic, no endless reading, and no mail is left behind.
#[test]
fn a_closed_output_ends_a_command_and_stops_no_mail() {
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    let trial = Trial::new(&json!({"shop@example.com": "a@example.net"}));
    trial.store("m2", MESSAGE);
    fs::write(
        trial.path("event.json"),
        json!({"Records": [record("m1", &["shop@example.com"]), record("m2", &["shop@example.com"])]})
            .to_string(),
    )
    .unwrap();
    let output = trial
        .command(&[])
        .arg(trial.path("event.json"))
        .stdout(closed())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("outcome"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(trial.outbox(), ["m1.0.eml", "m1.0.json", "m2.0.eml", "m2.0.json"]);

    let map = format!("file:{}", trial.path("aliases.json").display());
    let endless = fs::File::open("/dev/zero").unwrap();
    for (arguments, input) in [
        (
            &["aliases", "resolve", "--alias-map", &map, "shop@example.com"][..],
            None,
        ),
        (&["aliases", "check", &map[5..]], None),
        (&["inspect", &map[5..]], None),
        (
            &["rewrite", "--alias", "a@example.com", "--target", "b@example.net"],
            Some(endless),
        ),
    ] {
        let mut command = readdress(arguments);
        command
            .stdin(input.map_or_else(Stdio::null, Stdio::from))
            .stdout(closed());
        let output = command.output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(1),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        assert!(!text(&output.stderr).contains("panicked"), "{arguments:?}");
    }
}

/// Catches an event that makes the program read, and forward, what is not mail.
#[test]
fn a_key_outside_of_the_prefix_is_not_read() {
    let trial = Trial::new(&json!({"shop@example.com": "a@example.net"}));
    fs::create_dir_all(trial.path("bucket/backup")).unwrap();
    fs::write(trial.path("bucket/backup/m1"), MESSAGE).unwrap();
    let created = |key: &str| {
        json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": "mail"}, "object": {"key": key}}}]})
    };
    let stored = |key: &str| {
        let notification = json!({"notificationType": "Received", "mail": {"messageId": "m1"}, "receipt": {
            "recipients": ["shop@example.com"], "action": {"bucketName": "mail", "objectKey": key}}});
        json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": notification.to_string()}}]})
    };
    for event in [
        created("backup/m1"),
        stored("backup/m1"),
        created("m1"),
        created("inboundm1"),
    ] {
        let (code, outcomes) = trial.forward(&event, &[]);
        assert_eq!((code, outcomes_of(&outcomes)), (1, vec!["failed"]));
        let error = outcomes[0]["error"].as_str().unwrap();
        assert!(error.contains("EMAIL_PREFIX"), "{error}");
    }
    assert!(trial.outbox().is_empty());
    let (code, _) = trial.forward(&stored("inbound/m1"), &[]);
    assert_eq!(code, 0);
}
