//! An arrival as a ledger keeps it, and as it comes back in an event when its owner has it forwarded again.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arrived::{Arrival, Order, Stored};
use super::error::{EventError, Problem};
use super::key::check_key;
use super::message_id::MessageId;
use super::recipients::{Envelope, Recipients};
use super::verdicts::Verdicts;

/// The source of events that hold a recorded arrival. Only whoever may invoke the function can send one: wrapped in an event
/// of another service it is not understood.
pub(super) const SOURCE: &str = "readdress";

/// An arrival, as SES told it. The id of the message stands beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedArrival {
    /// `None`: the event did not say them.
    pub recipients: Option<Vec<String>>,
    /// `None`: the null sender, or the event did not say it.
    pub envelope_sender: Option<String>,
    /// `None`: the event had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdicts: Option<Verdicts>,
    /// `None`: the event did not say it. Then it is `EMAIL_BUCKET`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// `None`: the event did not say it. Then it is `EMAIL_PREFIX` and the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl From<&Arrival> for RecordedArrival {
    fn from(arrival: &Arrival) -> Self {
        let stored = arrival.stored.as_ref();
        RecordedArrival {
            recipients: arrival.recipients.known().map(<[String]>::to_vec),
            envelope_sender: arrival.envelope_sender.clone(),
            verdicts: arrival.verdicts,
            bucket: stored.and_then(|stored| stored.bucket.clone()),
            key: stored.map(|stored| stored.key.clone()),
        }
    }
}

impl RecordedArrival {
    /// The arrival of the message with this id, with this order.
    pub fn into_arrival(self, message_id: MessageId, order: Order) -> Arrival {
        let recipients = self.recipients.and_then(Envelope::new);
        let bucket = self.bucket;
        Arrival {
            message_id,
            recipients: recipients.map_or(Recipients::Unknown, Recipients::Envelope),
            envelope_sender: self.envelope_sender,
            verdicts: self.verdicts,
            order,
            stored: self.key.map(|key| Stored { bucket, key }),
        }
    }
}

/// The event that has a recorded arrival forwarded again.
pub fn event_of(arrival: &Arrival) -> Value {
    json!({"Records": [{
        "eventSource": SOURCE,
        "messageId": arrival.message_id.as_str(),
        "order": match arrival.order {
            Order::Forward => "forward",
            Order::Release => "release",
        },
        "arrival": RecordedArrival::from(arrival),
    }]})
}

/// Reads a record of such an event.
pub(super) fn read(record: &Value) -> Result<Arrival, EventError> {
    let message_id = record["messageId"].as_str().ok_or(Problem::NoMessageId)?;
    let message_id = MessageId::parse(message_id).map_err(Problem::BadMessageId)?;
    let order = match record["order"].as_str() {
        Some("forward") => Order::Forward,
        Some("release") => Order::Release,
        _ => return Err(Problem::BadOrder.of(message_id)),
    };
    match serde_json::from_value::<RecordedArrival>(record["arrival"].clone()) {
        Ok(recorded) => {
            if let Some(key) = &recorded.key {
                check_key(key)?;
            }
            Ok(recorded.into_arrival(message_id, order))
        }
        Err(_) => Err(Problem::BadOrder.of(message_id)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::super::verdicts::Verdict;
    use super::*;

    fn arrival() -> Arrival {
        Arrival {
            message_id: MessageId::parse("m1").unwrap(),
            recipients: Recipients::Envelope(Envelope::new(["shop@example.com".to_owned()]).unwrap()),
            envelope_sender: Some("jane@example.org".to_owned()),
            verdicts: Some(Verdicts {
                spam: Some(Verdict::Fail),
                ..Verdicts::default()
            }),
            order: Order::Release,
            stored: Some(Stored {
                bucket: Some("mail".to_owned()),
                key: "in/m1".to_owned(),
            }),
        }
    }

    #[test]
    fn an_arrival_comes_back_as_it_was_recorded() {
        let unknown = Arrival {
            recipients: Recipients::Unknown,
            envelope_sender: None,
            verdicts: None,
            order: Order::Forward,
            stored: None,
            ..arrival()
        };
        for arrival in [arrival(), unknown] {
            let event = event_of(&arrival);
            let records = super::super::read_event(&event).unwrap();
            assert_eq!(records[0].event, Ok(Event::Arrival(arrival)));
        }
    }

    /// Catches an order that comes from somebody who may only publish to a topic or send to a queue.
    #[test]
    fn an_order_inside_of_another_event_is_not_followed() {
        let inner = event_of(&arrival()).to_string();
        for outer in [
            json!({"eventSource": "aws:sqs", "messageId": "q1", "body": inner}),
            json!({"EventSource": "aws:sns", "Sns": {"Message": inner}}),
        ] {
            let records = super::super::read_event(&json!({"Records": [outer]})).unwrap();
            assert!(records[0].event.is_err());
        }
    }

    #[test]
    fn a_bad_order_is_an_error_of_its_message() {
        for (name, value) in [
            ("order", json!("drop")),
            ("arrival", json!([])),
            ("messageId", json!("a/b")),
        ] {
            let mut event = event_of(&arrival());
            event["Records"][0][name] = value;
            let records = super::super::read_event(&event).unwrap();
            assert!(records[0].event.is_err(), "{name}");
        }
    }
}
