use proptest::prelude::*;
use serde_json::json;

use super::*;

/// As SES sends it: names, verdicts and all.
fn ses_record() -> Value {
    json!({"eventSource": "aws:ses", "eventVersion": "1.0", "ses": {
        "mail": {
            "timestamp": "2026-01-02T03:04:05.678Z", "source": "jane@example.org",
            "messageId": "o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1",
            "destination": ["sales@example.com", "elsewhere@example.net"], "headersTruncated": false,
            "headers": [{"name": "Subject", "value": "Hi"}],
            "commonHeaders": {"returnPath": "jane@example.org", "from": ["Jane <jane@example.org>"],
                "date": "Fri, 2 Jan 2026 03:04:05 +0000", "to": ["sales@example.com"],
                "messageId": "<1@example.org>", "subject": "Secret"}},
        "receipt": {
            "timestamp": "2026-01-02T03:04:05.678Z", "processingTimeMillis": 574,
            "recipients": ["sales@example.com"],
            "spamVerdict": {"status": "PASS"}, "virusVerdict": {"status": "PASS"},
            "spfVerdict": {"status": "PASS"}, "dkimVerdict": {"status": "PASS"},
            "dmarcVerdict": {"status": "FAIL"}, "dmarcPolicy": "reject",
            "action": {"type": "Lambda", "functionArn": "arn:aws:lambda:x", "invocationType": "Event"}}}})
}

const ID: &str = "o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1";
const RECIPIENTS: &str = "/ses/receipt/recipients";

fn parse_record(record: &Value) -> Result<Arrival, EventError> {
    let mut records = parse_event(json!({"Records": [record]}).to_string().as_bytes()).unwrap();
    assert_eq!(records.len(), 1);
    records.remove(0).arrival().map(Option::unwrap)
}

fn failure(payload: &str) -> Problem {
    parse_event(payload.as_bytes()).unwrap_err().problem
}

fn with(pointer: &str, value: Value) -> Value {
    let mut record = ses_record();
    *record.pointer_mut(pointer).unwrap() = value;
    record
}

fn without(pointer: &str) -> Value {
    let mut record = ses_record();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = record.pointer_mut(parent).unwrap();
    parent.as_object_mut().unwrap().remove(name);
    record
}

/// Every member of every object, as a JSON pointer.
fn pointers(value: &Value, at: &str, out: &mut Vec<String>) {
    for (name, member) in value.as_object().into_iter().flatten() {
        let at = format!("{at}/{name}");
        pointers(member, &at, out);
        out.push(at);
    }
}

#[test]
fn whole_record() {
    let arrival = parse_record(&ses_record()).unwrap();
    assert_eq!(arrival.message_id.to_string(), ID);
    assert_eq!(arrival.recipients.known().unwrap(), ["sales@example.com"]);
    assert_eq!(arrival.envelope_sender.as_deref(), Some("jane@example.org"));
}

/// Catches a parser that insists on a field which it does not need.
#[test]
fn every_field_missing_null_or_of_another_type() {
    let needed = "/ses /ses/mail /ses/mail/messageId /ses/receipt /ses/receipt/recipients";
    let mut all = Vec::new();
    pointers(&ses_record(), "", &mut all);
    assert!(all.len() > 30);
    for pointer in &all {
        let (null, odd) = (with(pointer, Value::Null), with(pointer, json!([{"x": 7}])));
        for record in [without(pointer), null, odd] {
            let parsed = parse_record(&record);
            if needed.split(' ').any(|needed| needed == pointer) {
                let error = parsed.unwrap_err();
                let id_known = pointer.starts_with("/ses/receipt");
                assert_eq!(error.message_id().is_some(), id_known, "{pointer}");
            } else {
                let mut expected = parse_record(&ses_record()).unwrap();
                expected
                    .envelope_sender
                    .take_if(|_| pointer == "/ses/mail/source");
                let is_verdict = pointer.contains("Verdict") || pointer.ends_with("dmarcPolicy");
                let mut parsed = parsed.unwrap();
                if is_verdict {
                    // A verdict that is missing says nothing, and takes no other with it.
                    assert_ne!(parsed.verdicts, None, "{pointer}");
                    parsed.verdicts = expected.verdicts;
                }
                assert_eq!(parsed, expected, "{pointer}");
            }
        }
    }
}

#[test]
fn null_senders() {
    for source in ["", "<>", " <> "] {
        let arrival = parse_record(&with("/ses/mail/source", json!(source))).unwrap();
        assert_eq!(arrival.envelope_sender, None);
    }
}

#[test]
fn recipients_once_each() {
    let list = json!(["b@example.com", "A@example.com", "a@EXAMPLE.com", "B@example.com"]);
    let arrival = parse_record(&with(RECIPIENTS, list)).unwrap();
    assert_eq!(
        arrival.recipients.known().unwrap(),
        ["b@example.com", "A@example.com"]
    );

    let no_strings = [json!([7]), json!(["a@example.com", null]), json!([""])];
    for bad in no_strings.into_iter().chain([json!([]), json!("a@example.com")]) {
        let error = parse_record(&with(RECIPIENTS, bad)).unwrap_err();
        assert_eq!(error.message_id().unwrap().as_str(), ID);
        let text = error.to_string();
        assert!(text.starts_with("message o3vr") && !text.contains('@'), "{text}");
    }
}

/// Catches one bad record stopping the others.
#[test]
fn several_records() {
    let unknown = || Some(Problem::OtherSource("an unknown source"));
    let not_known = || Some(Problem::NoNotification("it is of an unknown kind"));
    let (records, expected): (Vec<_>, Vec<_>) = [
        (ses_record(), None),
        (
            json!({"eventSource": "aws:s3", "s3": {"object": {"key": "x"}}}),
            Some(Problem::NotCreated),
        ),
        (
            json!({"EventSource": "aws:sns", "Sns": {"Message": "{}"}}),
            not_known(),
        ),
        (json!({"eventSource": "aws:sqs", "body": "{}"}), not_known()),
        (json!({"eventSource": "jane@example.org", "ses": {}}), unknown()),
        (json!("text"), unknown()),
        (json!(null), unknown()),
        (with(RECIPIENTS, json!([])), Some(Problem::NoRecipients)),
        (without(RECIPIENTS), Some(Problem::NoRecipients)),
        (with("/ses/mail/messageId", json!("second")), None),
    ]
    .into_iter()
    .unzip();
    let parsed = parse_event(json!({ "Records": records }).to_string().as_bytes()).unwrap();
    assert_eq!(
        parsed[9].clone().arrival().unwrap().unwrap().message_id.as_str(),
        "second"
    );
    let problems = parsed
        .into_iter()
        .map(|record| record.arrival().err().map(|error| error.problem));
    assert_eq!(problems.collect::<Vec<_>>(), expected);
}

fn created(key: &str) -> Value {
    json!({"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "mail"}, "object": {"key": key}}})
}

/// S3 names the object and no recipient.
#[test]
fn objects_that_were_created() {
    let arrival = parse_record(&created("in+box/a%2Bb")).unwrap();
    assert_eq!(arrival.message_id.as_str(), "a+b");
    assert_eq!(arrival.recipients, Recipients::Unknown);
    assert_eq!(
        arrival.stored,
        Some(Stored {
            bucket: Some("mail".into()),
            key: "in box/a+b".into()
        })
    );
    for bad in ["/x", "a/../b", "a/", "%ff", "%4", ""] {
        assert!(
            matches!(
                parse_record(&created(bad)).unwrap_err().problem,
                Problem::BadKey(_)
            ),
            "{bad:?}"
        );
    }
    let setup = json!({"Records": [created("in/AMAZON_SES_SETUP_NOTIFICATION")]});
    assert_eq!(parse_event(setup.to_string().as_bytes()).unwrap(), []);
}

/// SES's notification of its S3 action, as SNS and SQS carry it; an item of a queue keeps its name.
#[test]
fn notifications_in_their_wrappings() {
    let mut notification = ses_record()["ses"].clone();
    notification["notificationType"] = json!("Received");
    notification["receipt"]["action"] = json!({"type": "S3", "bucketName": "mail", "objectKeyPrefix": "in/", "objectKey": format!("in/{ID}")});
    let text = notification.to_string();
    let sns = json!({"EventSource": "aws:sns", "Sns": {"Message": text}});
    let raw = json!({"eventSource": "aws:sqs", "messageId": "item-1", "body": text});
    let both = json!({"eventSource": "aws:sqs", "messageId": "item-2",
        "body": json!({"Type": "Notification", "Message": text}).to_string()});
    let event = json!({"Records": [sns, raw, both]});
    let records = parse_event(event.to_string().as_bytes()).unwrap();
    let items: Vec<_> = records
        .iter()
        .map(|record| record.queue_item.as_deref())
        .collect();
    assert_eq!(items, [None, Some("item-1"), Some("item-2")]);
    for record in records {
        let arrival = record.arrival().unwrap().unwrap();
        assert_eq!(arrival.recipients.known().unwrap(), ["sales@example.com"]);
        let key = format!("in/{ID}");
        assert_eq!(
            arrival.stored,
            Some(Stored {
                bucket: Some("mail".into()),
                key
            })
        );
    }
    // An item without records says nothing, and must not count as done.
    let empty = json!({"eventSource": "aws:sqs", "body": json!({"Records": []}).to_string()});
    assert!(matches!(
        parse_record(&empty).unwrap_err().problem,
        Problem::NoNotification(_)
    ));
    let again: [fn(&str) -> Value; 2] = [
        |text| json!({"Type": "Notification", "Message": text}),
        |text| json!({"Records": [{"eventSource": "aws:sqs", "body": text}]}),
    ];
    for wrap in again {
        let mut endless = text.clone();
        for _ in 0..7 {
            endless = wrap(&endless).to_string();
        }
        let endless = json!({"eventSource": "aws:sqs", "body": endless});
        assert_eq!(
            parse_record(&endless).unwrap_err().problem,
            Problem::NoNotification("it is wrapped too often")
        );
    }
    for trial in [
        json!({"notificationType": SETUP}),
        json!({"Service": "Amazon S3", "Event": "s3:TestEvent"}),
    ] {
        let trial = json!({"EventSource": "aws:sns", "Sns": {"Message": trial.to_string()}});
        let records = parse_event(json!({"Records": [trial]}).to_string().as_bytes());
        assert_eq!(records, Ok(Vec::new()), "it tells of no mail");
    }
}

#[test]
fn payloads_that_are_no_event() {
    for payload in [
        "null",
        "[]",
        "7",
        r#"{"k": 1}"#,
        r#"{"Records": {}}"#,
        r#"{"Records": null}"#,
    ] {
        assert_eq!(failure(payload), Problem::NoRecords, "{payload}");
    }
    assert_eq!(failure(r#"{"Records": []}"#), Problem::EmptyRecords);
    for payload in ["", "{", "Hi", "\"a:b", "{a: b}", ": x", r#"{"Records": []} {}"#] {
        assert!(matches!(failure(payload), Problem::NotJson(_)), "{payload}");
    }
    assert!(parse_event(b"{\"Records\": [\"\xff\"]}").is_err());
}

/// Catches a user who passes the mail itself and is told of a mistake in its JSON.
#[test]
fn a_message_is_told_from_a_broken_event() {
    for message in [
        "Subject: Hi\n\n{}",
        "Return-Path: <jane@example.org>\r\n",
        "From jane@example.org Tue Nov  3 10:00:00 2026\nSubject: x\n",
        "\u{feff}Received: x",
    ] {
        assert_eq!(failure(message), Problem::Message, "{message}");
    }
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let event = format!("\u{feff}{}", json!({"Records": [ses_record()]}));
    assert!(parse_event(event.as_bytes()).unwrap().remove(0).arrival().is_ok());
}

/// A record of the on-failure queue, given to the command line as it is, or to the function by the queue.
#[test]
fn the_record_of_a_failure_is_taken_for_the_event_in_it() {
    let failure = |event: &Value| {
        json!({"version": "1.0", "timestamp": "2026-11-03T10:00:02.000Z",
            "requestContext": {"requestId": "r", "condition": "RetriesExhausted", "approximateInvokeCount": 3},
            "requestPayload": event,
            "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
            "responsePayload": {"errorType": "NotForwarded", "errorMessage": "1 of 1 recipients"}})
    };
    let event = json!({"Records": [ses_record()]});
    let once = failure(&event);
    let queued =
        json!({"Records": [{"eventSource": "aws:sqs", "messageId": "item-1", "body": once.to_string()}]});
    for payload in [failure(&once), once, queued] {
        let records = parse_event(payload.to_string().as_bytes()).unwrap();
        assert_eq!(records.len(), 1);
        let arrival = records[0].clone().arrival().map(Option::unwrap);
        assert_eq!(arrival, parse_record(&ses_record()), "{payload}");
    }
    let mut endless = event;
    for _ in 0..50 {
        endless = failure(&endless);
    }
    assert_eq!(
        parse_event(endless.to_string().as_bytes()),
        Err(Problem::NoRecords.into())
    );
}

/// Catches an error about prefixes where the receipt rule has the wrong action.
#[test]
fn a_notification_without_a_stored_message_names_the_action() {
    let mut notification = ses_record()["ses"].clone();
    notification["notificationType"] = json!("Received");
    notification["content"] = json!("Subject: Secret\n\nHello\n");
    for (action, problem) in [
        (
            json!({"type": "SNS", "topicArn": "t", "encoding": "UTF-8"}),
            Problem::NotStored("SNS"),
        ),
        (
            json!({"type": "Lambda", "topicArn": "t"}),
            Problem::NotStored("Lambda"),
        ),
        (
            json!({"type": "S3", "topicArn": "t"}),
            Problem::BadKey("it is missing"),
        ),
    ] {
        notification["receipt"]["action"] = action;
        let sns = json!({"EventSource": "aws:sns", "Sns": {"Message": notification.to_string()}});
        assert_eq!(parse_record(&sns).unwrap_err().problem, problem);
    }
    assert!(Problem::NotStored("SNS").to_string().contains("S3 action"));
}

#[test]
fn absurd_nesting_is_an_error_and_not_a_crash() {
    for open in ["[", r#"{"Records":"#, r#"{"Records":[{"ses":"#] {
        assert!(matches!(failure(&open.repeat(300_000)), Problem::NotJson(_)));
    }
}

#[test]
fn a_message_id_that_is_none() {
    for (text, expected) in [
        ("", MessageIdError::Empty),
        ("a/../b", MessageIdError::Octet { at: 1 }),
    ] {
        let error = parse_record(&with("/ses/mail/messageId", json!(text))).unwrap_err();
        assert_eq!(error, Problem::BadMessageId(expected).into());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_no_crash(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse_event(&payload);
    }

    #[test]
    fn any_json_like_text_is_no_crash(text in r#"\{"Records":\[[\]\[{}",:@.0-9a-z\\ ]{0,120}\]\}"#) {
        let _ = parse_event(text.as_bytes());
    }

    /// An arrival that is accepted has the properties that the rest of the program relies on.
    #[test]
    fn accepted_arrivals_are_usable(id in ".{0,12}", list in proptest::collection::vec("[aB@.<> ]{0,5}", 0..4)) {
        let mut record = with("/ses/mail/messageId", json!(id));
        *record.pointer_mut(RECIPIENTS).unwrap() = json!(list);
        if let Ok(arrival) = parse_record(&record) {
            prop_assert!(!arrival.message_id.as_str().contains(['/', '\\']));
            let recipients = arrival.recipients.known().unwrap();
            prop_assert!(!recipients.is_empty());
            prop_assert!(recipients.iter().all(|recipient| !recipient.is_empty()));
        }
    }
}
