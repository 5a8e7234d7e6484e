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
mod tests;
