//! Arrivals: which message arrived, and for whom, as reported by the event that invokes the Lambda function.
//!
//! SES invokes the function with an event of a few kilobytes that describes the message but does not hold it. Three of its
//! fields matter here: `ses.mail.messageId`, the tail of the object key in the bucket; `ses.receipt.recipients`, the recipients
//! that it arrived for; and `ses.mail.source`, the envelope sender. All others are ignored, whatever they hold: most are
//! optional, AWS adds new ones without notice, and a mail must not be stuck for a field that nobody reads.
//!
//! ```
//! let payload = br#"{"Records": [{"eventSource": "aws:ses", "ses": {
//!     "mail": {"messageId": "o3vrnil0e2ic28tr", "source": "jane@example.org"},
//!     "receipt": {"recipients": ["sales@example.com"]}}}]}"#;
//! let mut records = readdress::arrival::parse_event(payload)?;
//! let arrival = records.remove(0).arrival()?.unwrap();
//! assert_eq!(arrival.message_id.as_str(), "o3vrnil0e2ic28tr");
//! assert_eq!(arrival.recipients.known().unwrap(), ["sales@example.com"]);
//! # Ok::<(), readdress::arrival::EventError>(())
//! ```
//!
//! SES also reports bounces, complaints and the like of sent messages ([`SesReport`]). These reports come in the same events.

pub mod trace;
pub mod verdicts;

use serde_json::Value;

mod arrived;
mod error;
mod key;
mod message_id;
mod recipients;
mod recorded;
mod report_class;
mod ses_report;
mod tag;

pub use arrived::{Arrival, Order, Stored};
pub use error::EventError;
use error::Problem;
use key::{check_key, decode_key};
pub use message_id::{MAX_MESSAGE_ID, MessageId, MessageIdError};
pub use recipients::{Envelope, Recipients};
pub use recorded::{RecordedArrival, event_of};
pub use report_class::{Class, Status};
pub use ses_report::{Channel, MAX_REPORTED, ReportKind, Reported, SesReport};
pub use tag::TAG;
pub use verdicts::{DmarcPolicy, Verdict, Verdicts};

/// One record of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The id of the SQS message that the record came in. The function reports it to SQS if the record fails.
    pub queue_item: Option<String>,
    /// The content of the record, or the reason why it is not understood.
    pub event: Result<Event, EventError>,
}

/// The content of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message arrived.
    Arrival(Arrival),
    /// SES reports on a message that was sent.
    Report(SesReport),
}

impl Record {
    fn of_no_queue(event: Result<Event, EventError>) -> Self {
        Record {
            queue_item: None,
            event,
        }
    }

    /// The arrival. `None`: it is a report on a sent message.
    ///
    /// # Errors
    /// If the record is not understood.
    pub fn arrival(self) -> Result<Option<Arrival>, EventError> {
        match self.event? {
            Event::Arrival(arrival) => Ok(Some(arrival)),
            Event::Report(_) => Ok(None),
        }
    }
}

/// Reads the payload that Lambda passes to the function, one record after the other. Records that need no action, such as the
/// test notifications of SES and S3 and reports of a delivery, are left out, so the result may be empty. A byte order mark
/// before the payload is skipped. Lambda's record of a failed invocation, which lies in the on-failure queue, is taken for
/// the event in it.
///
/// # Errors
/// The outer error is for a payload that is not such an event: not JSON, nested deeper than `serde_json` follows (128
/// levels, so that the stack cannot overflow), without records or with none. The inner ones are each about one record
/// and leave the others alone.
pub fn parse_event(payload: &[u8]) -> Result<Vec<Record>, EventError> {
    let payload = payload.strip_prefix(BYTE_ORDER_MARK).unwrap_or(payload);
    let event: Value = serde_json::from_slice(payload).map_err(|error| {
        if looks_like_mail(payload) {
            Problem::Message
        } else {
            Problem::NotJson(error.to_string())
        }
    })?;
    read_event(&event)
}

/// As [`parse_event`], where the JSON has been read already.
///
/// # Errors
/// As for [`parse_event`].
pub fn read_event(event: &Value) -> Result<Vec<Record>, EventError> {
    // The event is read as a generic tree: with derived types, one field of a wrong type would fail the whole payload. It is
    // small: Lambda takes 1 MB at most, and SES truncates the header fields that it repeats in the event.
    let event = without_failure(event);
    if let Some(report) = ses_report::in_event_bridge(event) {
        let events = self::report(report, Some(Channel::EventBridge));
        return Ok(events.into_iter().map(Record::of_no_queue).collect());
    }
    let records = event["Records"].as_array().ok_or(Problem::NoRecords)?;
    if records.is_empty() {
        return Err(Problem::EmptyRecords.into());
    }
    let mut read = Vec::with_capacity(records.len());
    for record in records {
        let queue_item = match source(record) {
            "aws:sqs" => record["messageId"].as_str(),
            _ => None,
        };
        read.extend(self::record(record, 0, None).into_iter().map(|event| Record {
            queue_item: queue_item.map(str::to_owned),
            event,
        }));
    }
    Ok(read)
}

/// As Windows editors leave it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether a text begins like a message: with a field of a header section, or an mbox line.
fn looks_like_mail(text: &[u8]) -> bool {
    let is_name = |octet: &u8| matches!(octet, b'!'..=b'~') && *octet != b':';
    let name = text.iter().take_while(|octet| is_name(octet)).count();
    let begins_json = text.first().is_some_and(|first| b"{[\"".contains(first));
    text.starts_with(b"From ") || (name > 0 && text.get(name) == Some(&b':') && !begins_json)
}

/// The event in Lambda's record of a failed invocation. Any other value is the event itself.
fn without_failure(mut event: &Value) -> &Value {
    // A record that was sent again and failed again is in another one.
    for _ in 0..MAX_WRAPPINGS {
        if event["Records"].is_array() || !event["requestPayload"].is_object() {
            break;
        }
        event = &event["requestPayload"];
    }
    event
}

/// The most wrappings of an event: S3 in SNS in SQS.
const MAX_WRAPPINGS: usize = 3;

/// The object that SES writes when its rule is set up. It is not mail.
const SETUP: &str = "AMAZON_SES_SETUP_NOTIFICATION";

/// The beginning of the text that SES publishes to a topic when the topic becomes the destination of a configuration set's
/// events.
const VALIDATED: &str = "Successfully validated SNS topic";

type Read = Result<Event, EventError>;

/// Indexing a `Value` is total: a member that is missing, or that of something that is not an object, is `Null`.
///
/// `topic` is the SNS topic by which the record came. The outermost one counts: whoever may publish to it can write any inner
/// one.
fn record(record: &Value, wrappings: usize, topic: Option<&str>) -> Vec<Read> {
    match source(record) {
        "aws:sqs" => wrapped(&record["body"], wrappings, topic),
        "aws:sns" => {
            let sns = &record["Sns"];
            wrapped(&sns["Message"], wrappings, topic.or(sns["TopicArn"].as_str()))
        }
        "aws:s3" => arrived(created(record)),
        // The source says nothing that the rest of the record does not, so a record without it may still be one.
        "aws:ses" => arrived(invoked(&record["ses"], None).map(Some)),
        recorded::SOURCE if wrappings == 0 => arrived(recorded::read(record).map(Some)),
        "" if record["ses"].is_object() => arrived(invoked(&record["ses"], None).map(Some)),
        _ => vec![Err(Problem::OtherSource("an unknown source").into())],
    }
}

fn arrived(arrival: Result<Option<Arrival>, EventError>) -> Vec<Read> {
    arrival
        .transpose()
        .into_iter()
        .map(|it| it.map(Event::Arrival))
        .collect()
}

fn report(event: &Value, channel: Option<Channel>) -> Vec<Read> {
    let read = ses_report::read(event, channel).map_err(EventError::from);
    read.transpose()
        .into_iter()
        .map(|it| it.map(Event::Report))
        .collect()
}

fn source(record: &Value) -> &str {
    // SNS alone spells it with a capital.
    let mut names = ["eventSource", "EventSource"].iter();
    names.find_map(|name| record[*name].as_str()).unwrap_or_default()
}

/// The text that SNS and SQS carry: JSON in a string.
fn wrapped(text: &Value, wrappings: usize, topic: Option<&str>) -> Vec<Read> {
    let failed = |reason| vec![Err(Problem::NoNotification(reason).into())];
    let Some(text) = text.as_str() else {
        return failed("it has no text");
    };
    let Ok(inner) = serde_json::from_str::<Value>(text) else {
        return if text.starts_with(VALIDATED) {
            Vec::new()
        } else {
            failed("its text is not JSON")
        };
    };
    if wrappings == MAX_WRAPPINGS {
        return failed("it is wrapped too often");
    }
    let inner = without_failure(&inner);
    if inner["notificationType"] == "Received" {
        return arrived(stored(inner));
    }
    // Without raw message delivery, SNS adds a wrapping to the messages that it gives to SQS.
    if inner["Type"] == "Notification" {
        return wrapped(
            &inner["Message"],
            wrappings + 1,
            topic.or(inner["TopicArn"].as_str()),
        );
    }
    if let Some(records) = inner["Records"].as_array().filter(|records| !records.is_empty()) {
        return records
            .iter()
            .flat_map(|inner| record(inner, wrappings + 1, topic))
            .collect();
    }
    let channel = topic.map(|topic| Channel::Topic(topic.to_owned()));
    if let Some(event) = ses_report::in_event_bridge(inner) {
        // A rule of EventBridge sends it to the queue. Others may send the same: the queue's owner decides who can.
        return report(event, channel.or(Some(Channel::EventBridge)));
    }
    if ses_report::is_report(inner) {
        return report(inner, channel);
    }
    // SES and S3 publish these to try out the topic.
    if inner["notificationType"] == SETUP || inner["Event"] == "s3:TestEvent" {
        return Vec::new();
    }
    failed("it is of an unknown kind")
}

/// SES's notification of its S3 action: that of its Lambda action, with the place of the message.
fn stored(notification: &Value) -> Result<Option<Arrival>, EventError> {
    let action = &notification["receipt"]["action"];
    let Some(key) = action["objectKey"].as_str() else {
        return Err(match action["type"].as_str() {
            Some("SNS") => Problem::NotStored("SNS"),
            Some("Lambda") => Problem::NotStored("Lambda"),
            Some("Bounce") => Problem::NotStored("bounce"),
            Some("Stop") => Problem::NotStored("stop"),
            Some("WorkMail") => Problem::NotStored("WorkMail"),
            _ => Problem::BadKey("it is missing"),
        }
        .into());
    };
    let prefix = action["objectKeyPrefix"].as_str().unwrap_or_default();
    // Real notifications have the prefix in the key, the documentation's example does not.
    let key = if key.starts_with(prefix) {
        key.to_owned()
    } else {
        format!("{prefix}{key}")
    };
    if key.ends_with(SETUP) {
        return Ok(None);
    }
    check_key(&key)?;
    let bucket = action["bucketName"].as_str().map(str::to_owned);
    invoked(notification, Some(Stored { bucket, key })).map(Some)
}

/// S3's own event. It has no envelope.
fn created(record: &Value) -> Result<Option<Arrival>, EventError> {
    if !record["eventName"]
        .as_str()
        .is_some_and(|name| name.contains("ObjectCreated:"))
    {
        return Err(Problem::NotCreated.into());
    }
    let key = record["s3"]["object"]["key"]
        .as_str()
        .ok_or(Problem::BadKey("it is missing"))?;
    let key = decode_key(key).ok_or(Problem::BadKey("it is not UTF-8"))?;
    if key.ends_with(SETUP) {
        return Ok(None);
    }
    let message_id = check_key(&key)?;
    let bucket = record["s3"]["bucket"]["name"].as_str().map(str::to_owned);
    Ok(Some(Arrival {
        message_id,
        recipients: Recipients::Unknown,
        envelope_sender: None,
        verdicts: None,
        order: Order::Forward,
        stored: Some(Stored { bucket, key }),
    }))
}

/// The `ses` of an invocation, or the whole of a notification.
fn invoked(ses: &Value, stored: Option<Stored>) -> Result<Arrival, EventError> {
    let message_id = ses["mail"]["messageId"].as_str().ok_or(Problem::NoMessageId)?;
    let message_id = MessageId::parse(message_id).map_err(Problem::BadMessageId)?;
    match recipients(&ses["receipt"]["recipients"]) {
        Ok(recipients) => {
            let sender = ses["mail"]["source"].as_str().map(str::trim);
            let envelope_sender = sender
                .filter(|sender| !matches!(*sender, "" | "<>"))
                .map(str::to_owned);
            Ok(Arrival {
                message_id,
                recipients,
                envelope_sender,
                verdicts: verdicts::from_receipt(&ses["receipt"]),
                order: Order::Forward,
                stored,
            })
        }
        Err(problem) => Err(problem.of(message_id)),
    }
}

/// Only `receipt.recipients` counts: those are the envelope recipients that this rule matched. `mail.destination`
/// repeats all of the envelope and may hold addresses of others; forwarding for them would send mail
/// where it was already delivered.
fn recipients(written: &Value) -> Result<Recipients, Problem> {
    let written = match written {
        Value::Null => return Err(Problem::NoRecipients),
        Value::Array(list) => list,
        _ => return Err(Problem::BadRecipients),
    };
    let mut recipients = Vec::with_capacity(written.len());
    for recipient in written {
        // Passing over a recipient that is not understood would lose its mail in silence.
        match recipient.as_str().map(str::trim) {
            None | Some("") => return Err(Problem::BadRecipients),
            Some(recipient) => recipients.push(recipient.to_owned()),
        }
    }
    let envelope = Envelope::new(recipients).ok_or(Problem::NoRecipients)?;
    Ok(Recipients::Envelope(envelope))
}

#[cfg(test)]
mod tests {
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
}
