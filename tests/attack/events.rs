//! Events that name what is not mail: keys outside of the prefix, the ledger's own, ways out of the directory. Where another
//! bucket is named: `tests/lambda/events.rs`.

use std::fs;

use serde_json::{Value, json};

use readdress::forward::Ending;

use super::world::{ALIAS, OWNER, World};

const MESSAGE: &str = "Received: from mx.example.org by inbound-smtp.eu-west-1.amazonaws.com with SMTP id m1\r\n for shop@example.com; now\r\n\
     From: jane@example.org\r\nTo: shop@example.com\r\nSubject: secret\r\n\r\nHello\r\n";

fn in_sns(message: &Value) -> Value {
    json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message.to_string()}}]})
}

fn in_sqs(message: &Value) -> Value {
    let body = json!({"Type": "Notification", "Message": message.to_string()}).to_string();
    json!({"Records": [{"eventSource": "aws:sqs", "messageId": "q1", "body": body}]})
}

/// Everything that may bring a key: S3's own event, SES's notification, both in SNS and SQS, and our own order.
fn events(key: &str) -> Vec<Value> {
    let created = json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "mail"}, "object": {"key": key}}}]});
    let stored = |prefix: &str, key: &str| {
        json!({"notificationType": "Received", "mail": {"messageId": "m1", "source": "jane@example.org"},
            "receipt": {"recipients": [ALIAS], "action":
                {"type": "S3", "bucketName": "mail", "objectKeyPrefix": prefix, "objectKey": key}}})
    };
    let order = json!({"Records": [{"eventSource": "readdress", "messageId": "m1", "order": "release",
        "arrival": {"recipients": [ALIAS], "envelope_sender": "jane@example.org", "key": key}}]});
    let cut = key.split_at(key.len().min(8));
    vec![
        in_sns(&created),
        in_sqs(&created),
        created,
        in_sns(&stored("", key)),
        in_sqs(&stored("", key)),
        in_sns(&stored(cut.0, cut.1)),
        order,
    ]
}

fn world() -> World {
    let world = World::with(&json!({ALIAS: OWNER}), &[("EMAIL_PREFIX", "inbound/")]);
    let at = |path: &str| world.directory.path().join(path);
    for path in [
        "bucket/inbound/m1",
        "bucket/backup/m1",
        "bucket/ledger/m1",
        "bucket/ledger/m1.json",
        "bucket/m1",
        "bucket/inboundm1",
        "m1",
    ] {
        fs::create_dir_all(at(path).parent().unwrap()).unwrap();
        fs::write(at(path), MESSAGE).unwrap();
    }
    world
}

#[test]
fn keys_that_are_not_mail() {
    let absolute = format!("{}/m1", world().directory.path().display());
    let long = format!("inbound/{}", "a".repeat(5000));
    let deep = format!("inbound/{}m1", "a/".repeat(3000));
    let mut world = world();
    for key in [
        "m1",
        "backup/m1",
        "inboundm1",
        "INBOUND/m1",
        "ledger/m1",
        "ledger/m1.json",
        "/inbound/m1",
        "inbound/../m1",
        "inbound/../backup/m1",
        "inbound/../../m1",
        "inbound/./../ledger/m1.json",
        "inbound/a/../../backup/m1",
        "inbound/%2e%2e/backup/m1",
        "inbound/%2E%2E%2Fbackup%2Fm1",
        "inbound%2F..%2Fbackup%2Fm1",
        "inbound/%252e%252e/backup/m1",
        "inbound%252F..%252Fbackup%252Fm1",
        "inbound/..%c0%afbackup/m1",
        "inbound/..\\backup\\m1",
        "inbound/m1%00.eml",
        "inbound/m1\0",
        "inbound/m1\r\nX-SES-A: b",
        "inbound/%0d%0am1",
        "inbound/m1/..",
        "inbound/.",
        "inbound/",
        "inbound//",
        "",
        "..",
        &absolute,
        &long,
        &deep,
    ] {
        for event in events(key) {
            let (outcomes, sent) = world.invoke(&event);
            assert!(sent.is_empty(), "{key:?}: {event}");
            assert!(
                outcomes.iter().all(|outcome| outcome.ending == Ending::Failed),
                "{key:?}: {outcomes:?}"
            );
        }
    }
    // Catches a test whose events bring nothing at all.
    for event in events("inbound/m1") {
        let (outcomes, _) = world.invoke(&event);
        assert_eq!(outcomes[0].ending, Ending::Sent, "{event}");
    }
}

/// Where the mail has no prefix of its own, the ledger's still is not mail.
#[test]
fn the_ledger_is_not_mail() {
    let mut world = World::with(&json!({ALIAS: OWNER}), &[("LEDGER", "book/")]);
    let path = world.directory.path().join("bucket/book");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("m1.json"), MESSAGE).unwrap();
    for key in ["book/m1.json", "book%2Fm1.json", "book/notices/m1.json", "book/"] {
        for event in events(key) {
            assert!(world.invoke(&event).1.is_empty(), "{key}: {event}");
        }
    }
}

/// An id becomes a file name and the tail of a key.
#[test]
fn ids_that_lead_elsewhere() {
    let mut world = world();
    for id in [
        "../backup/m1",
        "..",
        "a/m1",
        "%2e%2e%2fbackup%2fm1",
        "..\\m1",
        "m1\0",
        "m1\n",
        ".m1",
        &"a".repeat(256),
    ] {
        let ses = json!({"Records": [{"eventSource": "aws:ses", "ses": {"mail": {"messageId": id},
            "receipt": {"recipients": [ALIAS]}}}]});
        let order = json!({"Records": [{"eventSource": "readdress", "messageId": id, "order": "forward",
            "arrival": {"recipients": [ALIAS]}}]});
        for event in [ses, order] {
            let (outcomes, sent) = world.invoke(&event);
            assert!(outcomes.is_empty() && sent.is_empty(), "{id:?}");
        }
    }
}
