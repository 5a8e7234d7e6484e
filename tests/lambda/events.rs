//! The events that bring mail, and what is told of those that fail.

use serde_json::{Value, json};

use super::{BUCKET, ID, PREFIX, Stands, TARGETS, message, ses_event, ses_record};

/// SES's S3-action notification.
fn notification(id: &str, recipients: &[&str]) -> String {
    json!({
        "notificationType": "Received",
        "mail": {"messageId": id, "source": "zoe@example.org", "destination": recipients},
        "receipt": {"recipients": recipients, "action": {
            "type": "S3", "bucketName": BUCKET, "objectKeyPrefix": PREFIX,
            "objectKey": format!("{PREFIX}{id}"), "topicArn": "arn:aws:sns:eu-west-1:123456789012:mail"}},
    })
    .to_string()
}

fn sqs_event(items: &[(&str, String)]) -> Value {
    let records: Vec<Value> = items
        .iter()
        .map(|(id, body)| {
            json!({"messageId": id, "receiptHandle": "h", "body": body, "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:mail", "awsRegion": "eu-west-1"})
        })
        .collect();
    json!({"Records": records})
}

/// What SNS makes of a notification on its way to SQS.
fn in_sns(message: &str) -> String {
    json!({"Type": "Notification", "MessageId": "1", "TopicArn": "arn", "Message": message}).to_string()
}

fn s3_event(key: &str) -> Value {
    json!({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1",
        "eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET},
        "object": {"key": key, "size": 2_000, "eTag": "0"}}}]})
}

#[test]
fn a_part_of_a_queue_batch_fails_alone() {
    let stands = Stands::start();
    let _running = stands.function(&[]);
    stands.put(ID, &message(2_000));
    let shop = ["shop@example.com"];
    let event = sqs_event(&[
        ("q1", notification("missing0", &shop)),
        ("q2", notification(ID, &shop)),
        ("q3", "no JSON".to_owned()),
        ("q4", in_sns(&notification("missing1", &shop))),
    ]);
    let reply = stands.api.invoke(&event).unwrap();
    let failed: Vec<&str> = reply["batchItemFailures"]
        .as_array()
        .expect("a list of failures")
        .iter()
        .map(|item| item["itemIdentifier"].as_str().unwrap())
        .collect();
    assert_eq!(failed, ["q1", "q3", "q4"]);
    stands.assert_landed(&message(2_000), &TARGETS);
}

#[test]
fn a_queue_batch_without_failures_says_so() {
    let stands = Stands::start();
    let _running = stands.function(&[]);
    stands.put(ID, &message(2_000));
    let event = sqs_event(&[("q1", in_sns(&notification(ID, &["shop@example.com"])))]);
    let reply = stands.api.invoke(&event).unwrap();
    assert_eq!(reply["batchItemFailures"], json!([]));
    stands.assert_landed(&message(2_000), &TARGETS);
}

#[test]
fn a_topic_brings_mail() {
    let stands = Stands::start();
    let _running = stands.function(&[]);
    stands.put(ID, &message(2_000));
    let record = json!({"EventSource": "aws:sns", "EventVersion": "1.0",
        "Sns": {"Type": "Notification", "MessageId": "1",
            "Message": notification(ID, &["shop@example.com"])}});
    stands.api.invoke(&json!({"Records": [record]})).unwrap();
    stands.assert_landed(&message(2_000), &TARGETS);
}

#[test]
fn a_bucket_brings_mail_whose_trace_tells_the_recipient() {
    let stands = Stands::start();
    let _running = stands.function(&[]);
    stands.put(ID, &message(2_000));
    let key = format!("{PREFIX}{ID}").replace('/', "%2F");
    stands.api.invoke(&s3_event(&key)).unwrap();
    stands.assert_landed(&message(2_000), &TARGETS);
}

/// A recipient that is guessed is a mail to a stranger.
#[test]
fn a_bucket_brings_mail_without_a_trace_in_vain() {
    let stands = Stands::start();
    let _running = stands.function(&[]);
    let text = String::from_utf8(message(2_000)).unwrap();
    stands.put(ID, text.replace("inbound-smtp.", "mail.").as_bytes());
    stands
        .api
        .invoke(&s3_event(&format!("{PREFIX}{ID}")))
        .unwrap_err();
    assert!(stands.ses.attempts().is_empty());
}

#[test]
fn the_object_that_ses_puts_for_a_trial_is_ignored() {
    let stands = Stands::start();
    let _running = stands.function(&[]);
    stands.put("AMAZON_SES_SETUP_NOTIFICATION", &message(2_000));
    let key = format!("{PREFIX}AMAZON_SES_SETUP_NOTIFICATION");
    stands.api.invoke(&s3_event(&key)).unwrap();
    assert!(stands.ses.attempts().is_empty());
}

/// The one that went out must not hide the one that did not.
#[test]
fn one_arrival_of_two_fails_the_invocation() {
    let stands = Stands::start();
    let _running = stands.function(&[]);
    stands.put(ID, &message(2_000));
    let shop = ["shop@example.com"];
    stands.put("m2", &message(2_000));
    for records in [
        [ses_record("missing0", &shop), ses_record(ID, &shop)],
        [ses_record("m2", &shop), ses_record("missing0", &shop)],
    ] {
        stands.api.invoke(&json!({"Records": records})).unwrap_err();
        assert_eq!(stands.ses.take_messages().len(), 1);
    }
}

#[test]
fn an_address_without_an_alias_is_no_failure() {
    let stands = Stands::start();
    let running = stands.function(&[]);
    stands.put(ID, &message(2_000));
    stands
        .api
        .invoke(&ses_event(ID, &["nobody@example.com"]))
        .unwrap();
    assert!(stands.ses.attempts().is_empty());
    assert!(running.wait_for_line("no_alias", super::PATIENCE).is_some());
}

#[test]
fn what_is_no_event_fails_and_the_next_is_served() {
    let stands = Stands::start();
    let _running = stands.function(&[]);
    for payload in [json!({}), json!([]), json!({"Records": []}), json!("text")] {
        let error = stands.api.invoke(&payload).unwrap_err();
        let kind = error["errorType"].as_str().unwrap();
        assert!(!kind.contains("Box") && !kind.contains('&'), "{kind}");
    }
    stands.deliver(&message(2_000)).unwrap();
    stands.assert_landed(&message(2_000), &TARGETS);
}

/// Safe also where the queue's trigger does not look at the answer.
#[test]
fn a_queue_batch_of_failures_fails() {
    let stands = Stands::start();
    let _running = stands.function(&[]);
    let shop = ["shop@example.com"];
    let event = sqs_event(&[
        ("q1", notification("missing0", &shop)),
        ("q2", "no JSON".to_owned()),
    ]);
    let error = stands.api.invoke(&event).unwrap_err();
    assert_eq!(error["errorType"], "NotForwarded");
}

/// The reason must be where the failed event is found, not only in the log.
#[test]
fn wrong_settings_fail_every_invocation_with_the_reason() {
    let stands = Stands::start();
    let running = stands.function(&[("FROM_FORMAT", "fancy")]);
    for _ in 0..2 {
        let error = stands.deliver(&message(2_000)).unwrap_err();
        assert_eq!(error["errorType"], "Settings");
        let text = error["errorMessage"].as_str().unwrap();
        assert!(
            text.contains("FROM_FORMAT") && text.contains("full, name, via, alias"),
            "{text}"
        );
    }
    assert!(running.wait_for_line("FROM_FORMAT", super::PATIENCE).is_some());
    assert!(stands.ses.attempts().is_empty());
}

/// A directory that is gone with the function would take the mail with it, and the outcome would be `sent`.
#[test]
fn a_directory_is_no_outbox_of_the_function() {
    let stands = Stands::start();
    let _running = stands.function(&[("OUTBOX", "file:/tmp/outbox")]);
    let error = stands.deliver(&message(2_000)).unwrap_err();
    assert!(
        error["errorMessage"].as_str().unwrap().contains("OUTBOX"),
        "{error}"
    );
}

#[test]
fn a_broken_entry_fails_without_its_addresses() {
    let stands = Stands::start();
    stands.ssm.put(
        super::MAP,
        r#"{"shop@example.com": "Jane <jane@example.net>", "x": "y@example.net"}"#,
    );
    let running = stands.function(&[]);
    let error = stands.deliver(&message(2_000)).unwrap_err();
    let text = error["errorMessage"].as_str().unwrap();
    assert!(text.contains("aliases check") && !text.contains('@'), "{text}");
    for line in running.lines() {
        assert!(!line.contains("jane@"), "{line}");
    }
}

#[test]
fn ses_is_told_the_settings() {
    let stands = Stands::start();
    let _running = stands.function(&[
        ("CONFIGURATION_SET", "main"),
        ("EMAIL_TAGS", "app=readdress,stage=prod"),
        ("FEEDBACK_EMAIL", "bounces@example.com"),
        ("FROM_EMAIL", ""),
    ]);
    stands.deliver(&message(2_000)).unwrap();
    let sent = stands.ses.messages().remove(0);
    assert_eq!(sent.configuration_set.as_deref(), Some("main"));
    assert_eq!(sent.feedback.as_deref(), Some("bounces@example.com"));
    let tags: Vec<_> = sent
        .tags
        .iter()
        .map(|(name, value)| (&name[..], &value[..]))
        .collect();
    // The last is our own: SES's reports name the message by it.
    assert_eq!(tags, [("app", "readdress"), ("stage", "prod"), ("readdress", ID)]);
}

/// Whoever can publish to a topic that invokes the function must not have it read, or forward, what lies in another bucket.
#[test]
fn another_bucket_is_not_read() {
    let stands = Stands::start();
    let _running = stands.function(&[]);
    let key = format!("{PREFIX}{ID}");
    stands.s3.put("backup", &key, message(2_000));
    stands.put(ID, &message(2_000));
    let mut created = s3_event(&key);
    created["Records"][0]["s3"]["bucket"]["name"] = json!("backup");
    let stored = notification(ID, &["shop@example.com"]).replace(BUCKET, "backup");
    let order = json!({"Records": [{"eventSource": "readdress", "messageId": ID, "order": "release",
        "arrival": {"recipients": ["shop@example.com"], "bucket": "backup", "key": key}}]});
    let by_topic = json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": stored}}]});
    let by_queue = sqs_event(&[("q1", in_sns(&stored))]);
    for event in [created, by_topic, by_queue, order] {
        stands.api.invoke(&event).unwrap_err();
    }
    assert!(stands.s3.reads().is_empty() && stands.ses.attempts().is_empty());
}
