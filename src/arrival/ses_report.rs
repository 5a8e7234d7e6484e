//! SES's own reports on sent messages: bounces, complaints, rejects and delays, as a configuration set publishes them to SNS or
//! EventBridge.
//!
//! Anybody who may publish to the topic can write such an event, so it is believed only from a [`Channel`] that a setting
//! names, and only about messages that the ledger knows.

use std::str::FromStr;

use serde_json::Value;

use super::error::Problem;
use super::message_id::MessageId;
use super::report_class::{Class, Status, classify, status_in};
use super::tag::TAG;

/// The most recipients of a report: one send has as many (SES's API v2, SendEmail).
pub const MAX_REPORTED: usize = 50;

/// The longest address, SES's id or kind that is kept, in octets: a longer one is not SES's.
const MAX_WORD: usize = 512;

/// The most characters of a mail server's answer that are kept. RFC 5321 4.5.3.1.5 gives a reply line 512 octets.
const MAX_DIAGNOSTIC: usize = 1000;

/// A report of SES on a message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SesReport {
    /// The stored message, by the tag that it was sent with. `None`: it has no such tag, so it was not sent by us.
    pub message_id: Option<MessageId>,
    /// SES's id of the sent message.
    pub sent_id: String,
    /// Which way the report came. `None`: the event does not say it.
    pub channel: Option<Channel>,
    /// The kind of the report.
    pub kind: ReportKind,
    /// The recipients that it is about, at most [`MAX_REPORTED`]. A complaint may name more than those who complained.
    pub recipients: Vec<Reported>,
}

/// The way on which a report comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// The topic of SNS with this ARN.
    Topic(String),
    /// EventBridge.
    EventBridge,
}

/// The kind of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// A server did not take it for these recipients.
    Bounce {
        /// Whether later messages would bounce too. SES puts such a recipient on the account's suppression list, if the list is
        /// set up so.
        is_permanent: bool,
    },
    /// The recipients called it spam. SES puts them on the account's suppression list, if the list is set up so.
    Complaint,
    /// SES took it, found a virus in it, and sent it to nobody.
    Reject,
    /// SES has not been able to hand it over yet, and goes on trying.
    Delay,
}

/// A recipient of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The address, as SES writes it.
    pub address: String,
    /// Why it has not got the message.
    pub class: Class,
    /// The enhanced status code (RFC 3463) of the server's answer.
    pub status: Option<Status>,
    /// The server's answer, without control characters and of a bounded length. It may hold addresses.
    pub diagnostic: String,
}

impl ReportKind {
    /// The kind as it is written in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            ReportKind::Bounce { .. } => "bounce",
            ReportKind::Complaint => "complaint",
            ReportKind::Reject => "reject",
            ReportKind::Delay => "delay",
        }
    }
}

impl FromStr for Channel {
    type Err = &'static str;

    /// Takes the ARN of a topic, or `eventbridge`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "eventbridge" {
            return Ok(Channel::EventBridge);
        }
        let mut parts = text.split(':');
        let is_arn = parts.next() == Some("arn")
            && parts.next().is_some_and(|partition| partition.starts_with("aws"))
            && parts.next() == Some("sns")
            && parts.by_ref().take(3).filter(|part| !part.is_empty()).count() == 3
            && parts.next().is_none();
        if !is_arn || text.len() > MAX_WORD || text.contains(|c: char| !c.is_ascii_graphic()) {
            return Err("write the ARN of an SNS topic (arn:aws:sns:REGION:ACCOUNT:NAME), or eventbridge");
        }
        Ok(Channel::Topic(text.to_owned()))
    }
}

/// Whether an event is a report of SES on a sent message. It has a type of its own, which no event about arrivals has.
pub(super) fn is_report(event: &Value) -> bool {
    kind_name(event).is_some()
}

/// The event that EventBridge passes on, if the payload is one of SES.
pub(super) fn in_event_bridge(payload: &Value) -> Option<&Value> {
    (payload["source"] == "aws.ses" && payload["detail-type"].is_string()).then(|| &payload["detail"])
}

/// All types of events that SES publishes about sent messages.
const KINDS: [&str; 10] = [
    "Bounce",
    "Complaint",
    "Reject",
    "DeliveryDelay",
    "Send",
    "Delivery",
    "Open",
    "Click",
    "Rendering Failure",
    "Subscription",
];

/// SES calls the member `notificationType` where the reports are set up for an identity and not for a configuration set.
fn kind_name(event: &Value) -> Option<&str> {
    let name = event["eventType"].as_str().or(event["notificationType"].as_str());
    name.filter(|name| KINDS.contains(name) && event["mail"].is_object())
}

/// Reads a report. `None`: it needs no action, as the report of a delivery.
pub(super) fn read(event: &Value, channel: Option<Channel>) -> Result<Option<SesReport>, Problem> {
    let (kind, told) = match kind_name(event) {
        Some("Bounce") => {
            let is_permanent = event["bounce"]["bounceType"] == "Permanent";
            (ReportKind::Bounce { is_permanent }, &event["bounce"])
        }
        Some("Complaint") => (ReportKind::Complaint, &event["complaint"]),
        Some("Reject") => (ReportKind::Reject, &event["reject"]),
        Some("DeliveryDelay") => (ReportKind::Delay, &event["deliveryDelay"]),
        _ => return Ok(None),
    };
    let mail = &event["mail"];
    let sent_id = mail["messageId"].as_str().filter(|id| is_word(id));
    let sent_id = sent_id.ok_or(Problem::BadReport("mail.messageId is missing or not an id"))?;
    let tag = mail["tags"][TAG][0].as_str();
    Ok(Some(SesReport {
        message_id: tag.and_then(MessageId::from_tag),
        sent_id: sent_id.to_owned(),
        channel,
        kind,
        recipients: recipients(kind, told, mail)?,
    }))
}

fn recipients(kind: ReportKind, told: &Value, mail: &Value) -> Result<Vec<Reported>, Problem> {
    let list = match kind {
        ReportKind::Bounce { .. } => &told["bouncedRecipients"],
        ReportKind::Complaint => &told["complainedRecipients"],
        ReportKind::Delay => &told["delayedRecipients"],
        // Nobody has got it.
        ReportKind::Reject => &mail["destination"],
    };
    let list = list.as_array().filter(|list| list.len() <= MAX_REPORTED);
    let list = list.ok_or(Problem::BadReport(
        "the list of recipients is missing or has more than 50",
    ))?;
    let reported = |recipient: &Value| {
        let address = recipient.as_str().or_else(|| recipient["emailAddress"].as_str());
        let address = address.map(str::trim).filter(|address| is_word(address));
        let address = address.ok_or(Problem::BadReport("a recipient has no address"))?;
        let diagnostic = diagnostic(recipient["diagnosticCode"].as_str().unwrap_or_default());
        let status = recipient["status"]
            .as_str()
            .and_then(|status| status.trim().parse().ok());
        let status = status.or_else(|| status_in(&diagnostic));
        Ok(Reported {
            address: address.to_owned(),
            class: class(kind, told, status, &diagnostic),
            status,
            diagnostic,
        })
    };
    list.iter().map(reported).collect()
}

fn class(kind: ReportKind, told: &Value, status: Option<Status>, diagnostic: &str) -> Class {
    let text = |name: &str| told[name].as_str().unwrap_or_default();
    match kind {
        ReportKind::Bounce { .. } => classify(text("bounceSubType"), status, diagnostic),
        ReportKind::Delay => classify(text("delayType"), status, diagnostic),
        // SES's only reason to reject is a virus.
        ReportKind::Reject => Class::Policy,
        ReportKind::Complaint if text("complaintSubType") == "OnAccountSuppressionList" => Class::Suppressed,
        ReportKind::Complaint => match text("complaintFeedbackType") {
            "not-spam" => Class::Other,
            "auth-failure" => Class::Policy,
            _ => Class::Spam,
        },
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_WORD && !text.contains(char::is_control)
}

fn diagnostic(text: &str) -> String {
    let kept = text.chars().take(MAX_DIAGNOSTIC);
    kept.map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::{Event, EventError, Record, parse_event, read_event};
    use super::*;

    const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:readdress-events";
    const SENT: &str = "0102018f3c5b1a2d-6f0d1c52-7b1e-4a55-9b0e-2f3c4d5e6f70-000000";

    /// As SES publishes them, with the tags of its own.
    fn event(kind: &str, name: &str, told: Value) -> Value {
        let mut event = json!({"eventType": kind, "mail": {
            "timestamp": "2026-11-05T00:40:02.012Z", "source": "Zoe <shop@example.com>",
            "sourceArn": "arn:aws:ses:eu-west-1:123456789012:identity/example.com",
            "sendingAccountId": "123456789012", "messageId": SENT,
            "destination": ["jane@example.net", "omar@example.net"], "headersTruncated": false,
            "headers": [{"name": "From", "value": "Zoe <shop@example.com>"}],
            "commonHeaders": {"from": ["Zoe <shop@example.com>"], "subject": "Lamp"},
            "tags": {"ses:operation": ["SendEmail"], "ses:configuration-set": ["mail"], "readdress": ["m_d1"]}}});
        event[name] = told;
        event
    }

    fn bounce() -> Value {
        let told = json!({"bounceType": "Permanent", "bounceSubType": "General",
            "bouncedRecipients": [{"emailAddress": "jane@example.net", "action": "failed", "status": "5.1.1",
                "diagnosticCode": "smtp; 550-5.1.1 The email account does not exist.\r\n550 5.1.1 Try again"}],
            "timestamp": "2026-11-05T00:41:02.669Z", "feedbackId": "0102018f-000000",
            "remoteMtaIp": "192.0.2.1", "reportingMTA": "dns; a4-1.smtp-out.eu-west-1.amazonses.com"});
        event("Bounce", "bounce", told)
    }

    fn sns(topic: &str, message: &Value) -> Value {
        json!({"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": format!("{topic}:1"),
            "Sns": {"Type": "Notification", "MessageId": "1", "TopicArn": topic, "Message": message.to_string()}})
    }

    fn in_sqs(body: &Value) -> Value {
        json!({"eventSource": "aws:sqs", "messageId": "q1", "body": body.to_string()})
    }

    fn records(event: &Value) -> Vec<Record> {
        read_event(event).unwrap()
    }

    fn report(record: &Value) -> Result<SesReport, EventError> {
        let mut records = records(&json!({"Records": [record]}));
        assert_eq!(records.len(), 1);
        match records.remove(0).event? {
            Event::Report(report) => Ok(report),
            Event::Arrival(_) => panic!("an arrival"),
        }
    }

    fn read_one(event: &Value) -> SesReport {
        read(event, None).unwrap().unwrap()
    }

    #[test]
    fn a_bounce_by_a_topic() {
        let report = report(&sns(TOPIC, &bounce())).unwrap();
        let jane = Reported {
            address: "jane@example.net".to_owned(),
            class: Class::Gone,
            status: "5.1.1".parse().ok(),
            diagnostic: "smtp; 550-5.1.1 The email account does not exist.  550 5.1.1 Try again".to_owned(),
        };
        assert_eq!(
            report,
            SesReport {
                message_id: MessageId::parse("m.1").ok(),
                sent_id: SENT.to_owned(),
                channel: Some(Channel::Topic(TOPIC.to_owned())),
                kind: ReportKind::Bounce { is_permanent: true },
                recipients: vec![jane],
            }
        );
    }

    #[test]
    fn the_other_kinds() {
        let complaint = |told: Value| {
            let mut event = event("Complaint", "complaint", told);
            event["complaint"]["complainedRecipients"] = json!([{"emailAddress": "jane@example.net"}]);
            let report = read_one(&event);
            assert_eq!(report.kind, ReportKind::Complaint);
            report.recipients[0].class
        };
        assert_eq!(
            complaint(json!({"complaintFeedbackType": "abuse", "complaintSubType": null})),
            Class::Spam
        );
        assert_eq!(complaint(json!({})), Class::Spam);
        assert_eq!(
            complaint(json!({"complaintFeedbackType": "not-spam"})),
            Class::Other
        );
        assert_eq!(
            complaint(json!({"complaintSubType": "OnAccountSuppressionList"})),
            Class::Suppressed
        );

        let reject = read_one(&event("Reject", "reject", json!({"reason": "Bad content"})));
        assert_eq!((reject.kind, reject.recipients.len()), (ReportKind::Reject, 2));

        let told = json!({"delayType": "MailboxFull", "expirationTime": "2026-11-06T00:40:02.914Z",
            "delayedRecipients": [{"emailAddress": "jane@example.net", "status": "4.2.2",
                "diagnosticCode": "smtp; 452 4.2.2 mailbox full"}]});
        let delay = read_one(&event("DeliveryDelay", "deliveryDelay", told));
        assert_eq!(
            (delay.kind, delay.recipients[0].class),
            (ReportKind::Delay, Class::Full)
        );

        let told = json!({"bounceType": "Transient", "bounceSubType": "MailboxFull",
            "bouncedRecipients": [{"emailAddress": "jane@example.net"}]});
        let bounce = read_one(&event("Bounce", "bounce", told));
        assert_eq!(bounce.kind, ReportKind::Bounce { is_permanent: false });

        // There is nothing to do about a delivery, nor about the text with which SES tries the topic.
        let delivery = event(
            "Delivery",
            "delivery",
            json!({"recipients": ["jane@example.net"]}),
        );
        let tried = json!("Successfully validated SNS topic for Amazon SES event publishing.");
        let mut trial = sns(TOPIC, &delivery);
        assert_eq!(records(&json!({"Records": [trial.clone()]})), []);
        trial["Sns"]["Message"] = tried;
        assert_eq!(records(&json!({"Records": [trial]})), []);
    }

    /// Catches a stranger's topic that passes for the owner's because an inner notification says so.
    #[test]
    fn the_outermost_topic_counts() {
        let channel = |record: &Value| report(record).unwrap().channel;
        let named = |topic: &str| Some(Channel::Topic(topic.to_owned()));
        let forged = json!({"Type": "Notification", "TopicArn": TOPIC, "Message": bounce().to_string()});
        assert_eq!(
            channel(&sns("arn:aws:sns:eu-west-1:2:x", &forged)),
            named("arn:aws:sns:eu-west-1:2:x")
        );
        let record = json!({"Records": [sns(TOPIC, &bounce())]});
        assert_eq!(
            channel(&sns("arn:aws:sns:eu-west-1:2:x", &record)),
            named("arn:aws:sns:eu-west-1:2:x")
        );
        assert_eq!(channel(&in_sqs(&forged)), named(TOPIC));
        assert_eq!(channel(&in_sqs(&bounce())), None);
        let queued = records(&json!({"Records": [in_sqs(&forged)]}));
        assert_eq!(queued[0].queue_item.as_deref(), Some("q1"));
    }

    #[test]
    fn event_bridge_passes_reports_on() {
        let mut passed = json!({"version": "0", "id": "c3d4", "detail-type": "Email Bounced", "source": "aws.ses",
            "account": "123456789012", "time": "2026-11-05T00:41:03Z", "region": "eu-west-1", "resources": [],
            "detail": bounce()});
        let channel = |event: &Value| match records(event).remove(0).event {
            Ok(Event::Report(report)) => report.channel,
            other => panic!("{other:?}"),
        };
        assert_eq!(channel(&passed), Some(Channel::EventBridge));
        assert_eq!(
            channel(&json!({"Records": [in_sqs(&passed)]})),
            Some(Channel::EventBridge)
        );
        // A report that came by a topic is as trustworthy as the topic.
        assert_eq!(
            channel(&json!({"Records": [sns(TOPIC, &passed)]})),
            Some(Channel::Topic(TOPIC.to_owned()))
        );
        passed["detail"]["eventType"] = json!("Delivery");
        assert_eq!(records(&passed), []);
        passed["source"] = json!("mine");
        assert!(read_event(&passed).is_err());
    }

    /// Catches a parser that insists on members that it does not need, and one that makes up values for missing ones.
    #[test]
    fn parts_that_are_missing() {
        let mut event = bounce();
        event["mail"]["tags"] = json!({"readdress": ["not an id"]});
        assert_eq!(read_one(&event).message_id, None);
        event["mail"]["tags"] = Value::Null;
        assert_eq!(read_one(&event).message_id, None);
        for (pointer, value) in [
            ("/mail/messageId", json!(7)),
            ("/mail/messageId", json!("a\nb")),
            ("/bounce/bouncedRecipients", Value::Null),
            ("/bounce/bouncedRecipients", json!([{}])),
            (
                "/bounce/bouncedRecipients",
                json!(vec!["jane@example.net"; MAX_REPORTED + 1]),
            ),
            ("/bounce", json!([])),
        ] {
            let mut event = bounce();
            *event.pointer_mut(pointer).unwrap() = value;
            let error = report(&sns(TOPIC, &event)).unwrap_err().to_string();
            assert!(
                error.contains("EVENTS_TOPIC") && !error.contains('@'),
                "{pointer}: {error}"
            );
        }
        let mut event = bounce();
        event["bounce"]["bouncedRecipients"][0] = json!({"emailAddress": "jane@example.net"});
        assert_eq!(read_one(&event).recipients[0].class, Class::Other);
    }

    #[test]
    fn a_channel_is_a_topic_or_event_bridge() {
        for good in [TOPIC, "arn:aws-us-gov:sns:us-gov-west-1:1:a.fifo", "eventbridge"] {
            assert!(good.parse::<Channel>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "readdress",
            "arn:aws:sqs:eu-west-1:1:x",
            "arn:aws:sns:eu-west-1:1",
            "arn:aws:sns:eu-west-1:1:x:y",
            "arn:aws:sns:::x",
            "arn:aws:sns:eu-west-1:1:x y",
        ] {
            assert!(bad.parse::<Channel>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_report_is_no_crash(kind in prop::sample::select(KINDS.to_vec()), words in ".{0,40}", n in 0..60_usize) {
            let recipients = vec![json!({"emailAddress": words, "status": words, "diagnosticCode": words}); n];
            let told = json!({"bounceType": words, "bounceSubType": words, "bouncedRecipients": recipients,
                "complainedRecipients": recipients, "delayedRecipients": recipients});
            for name in ["bounce", "complaint", "reject", "deliveryDelay"] {
                let event = json!({"Records": [sns(TOPIC, &event(kind, name, told.clone()))]});
                for record in parse_event(event.to_string().as_bytes()).unwrap() {
                    if let Ok(Event::Report(report)) = record.event {
                        prop_assert!(report.recipients.len() <= MAX_REPORTED);
                        prop_assert!(report.recipients.iter().all(|it| !it.diagnostic.contains(char::is_control)));
                    }
                }
            }
        }
    }
}
