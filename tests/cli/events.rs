//! Events as people have them: with a byte order mark, as Lambda's record of a failure, none at all; and `readdress event`.

use std::fs;
use std::process::Output;

use serde_json::{Value, json};

use super::{MESSAGE, Trial, event, outcomes_of, run, text};

fn trial() -> Trial {
    Trial::new(&json!({"shop@example.com": "a@example.net"}))
}

fn forward(trial: &Trial, event: &[u8]) -> Output {
    fs::write(trial.path("event.json"), event).unwrap();
    trial.command(&[]).arg(trial.path("event.json")).output().unwrap()
}

#[test]
fn an_event_is_found_behind_a_mark_and_in_the_record_of_a_failure() {
    let event = event("m1", &["shop@example.com"]);
    let failure = json!({"version": "1.0", "requestContext": {"condition": "RetriesExhausted"},
        "requestPayload": event, "responsePayload": {"errorMessage": "x"}});
    for payload in [format!("\u{feff}{event}"), failure.to_string()] {
        let trial = trial();
        let output = forward(&trial, payload.as_bytes());
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(trial.outbox(), ["m1.0.eml", "m1.0.json"], "{payload}");
    }
}

/// Catches silence where there was nothing to do, and a mail that is called broken JSON.
#[test]
fn a_message_and_an_event_without_mail_are_told_apart() {
    let trial = trial();
    let message = forward(&trial, MESSAGE);
    assert_eq!(message.status.code(), Some(1));
    let said = text(&message.stderr);
    assert!(said.contains("readdress event --to"), "{said}");

    let setup = json!({"notificationType": "AMAZON_SES_SETUP_NOTIFICATION"}).to_string();
    let nothing = json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": setup}}]});
    let nothing = forward(&trial, nothing.to_string().as_bytes());
    assert_eq!(nothing.status.code(), Some(0));
    assert!(nothing.stdout.is_empty());
    let said = text(&nothing.stderr);
    assert!(said.contains("nothing to do"), "{said}");

    let broken = text(&forward(&trial, b"{\"Records\": [").stderr);
    assert!(broken.contains("not JSON"), "{broken}");
    let notification = json!({"notificationType": "Received", "content": "Subject: x\n\nHello\n",
        "mail": {"messageId": "m1"}, "receipt": {"recipients": ["shop@example.com"], "action": {"type": "SNS"}}});
    let sns = json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": notification.to_string()}}]});
    let (code, outcomes) = trial.forward(&sns, &[]);
    assert_eq!((code, outcomes_of(&outcomes)), (1, vec!["failed"]));
    assert!(outcomes[0]["error"].as_str().unwrap().contains("S3 action"));
}

#[test]
fn an_event_is_made_for_a_message() {
    let trial = trial();
    trial.store("m2", b"From: jane@example.org\n\nHello\n");
    let path = |name: &str| trial.path("bucket/inbound").join(name).display().to_string();
    let made = run(
        &["event", "--to", "shop@example.com", &path("m1"), &path("m2")],
        b"",
    );
    assert!(made.status.success(), "{}", text(&made.stderr));
    let event: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(event["Records"][0]["ses"]["mail"]["source"], "jane@example.org");
    assert_eq!(event["Records"][1]["ses"]["mail"]["source"], "jane@example.org");
    assert_eq!(event["Records"][0]["ses"]["receipt"]["dmarcVerdict"], Value::Null);
    let (code, outcomes) = trial.forward(&event, &[]);
    assert_eq!((code, outcomes_of(&outcomes)), (0, vec!["sent", "sent"]));

    let sender = [
        "--envelope-sender",
        "omar@example.org",
        "--dmarc",
        "pass",
        "--spam",
        "FAIL",
    ];
    let made = run(
        &[&["event", "--to", "shop@example.com", &path("m1")][..], &sender].concat(),
        b"",
    );
    let event: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(event["Records"][0]["ses"]["mail"]["source"], "omar@example.org");
    let receipt = &event["Records"][0]["ses"]["receipt"];
    assert_eq!(receipt["dmarcVerdict"]["status"], "PASS");
    assert_eq!(receipt["spamVerdict"]["status"], "FAIL");
    let (code, outcomes) = trial.forward(&event, &["--on-spam", "hold"]);
    assert_eq!(
        (code, outcomes_of(&outcomes)),
        (0, vec!["sent"]),
        "it was sent before"
    );

    trial.store("my mail.eml", MESSAGE);
    let named = run(&["event", "--to", "shop@example.com", &path("my mail.eml")], b"");
    assert_eq!(named.status.code(), Some(1));
    assert!(
        text(&named.stderr).contains("another name"),
        "{}",
        text(&named.stderr)
    );
    assert_eq!(run(&["event", &path("m1")], b"").status.code(), Some(2));
}
