//! The queue of events that failed.

use std::collections::BTreeSet;

use readdress::arrival::{Arrival, read_event};
use readdress::aws::{Clients, Queue, QueueMessage};
use serde_json::{Value, json};

use super::super::Failure;

/// For so many seconds a message that was received is handed to nobody else: longer than the work on ten of them takes.
const HIDDEN: u32 = 15 * 60;

/// A queue that is being read.
pub(super) struct DeadLetters {
    queue: Queue,
    /// Those that are not done. They are given back at the end, so that the next reader finds them.
    left: Vec<QueueMessage>,
    /// The ids of all that were received: one that comes again was not done the first time.
    seen: BTreeSet<String>,
}

/// A message of the queue, and what its event tells of.
pub(super) struct DeadLetter {
    pub(super) message: QueueMessage,
    /// Why it is not understood, if it is not.
    pub(super) contents: Result<Contents, String>,
}

/// What an event tells of.
pub(super) enum Contents {
    /// Messages that arrived.
    Arrivals(Vec<Arrival>),
    /// An event with a report of SES on a message that was sent. It goes back as it is.
    Report(Value),
}

impl DeadLetters {
    pub(super) async fn connect(url: &str) -> Result<Self, Failure> {
        let queue = Clients::default().queue(url).await;
        Ok(DeadLetters {
            queue: queue.map_err(|error| Failure::Usage(format!("--queue: {error}")))?,
            left: Vec::new(),
            seen: BTreeSet::new(),
        })
    }

    /// The next messages. None: there are no others.
    pub(super) async fn next(&mut self) -> Result<Vec<DeadLetter>, Failure> {
        let messages = self.queue.receive(HIDDEN).await.map_err(Failure::Failed)?;
        let (messages, again): (Vec<_>, Vec<_>) = messages
            .into_iter()
            .partition(|message| self.seen.insert(message.id.clone()));
        for message in again {
            // Only the newest receipt of a message is good.
            self.left.retain(|left| left.id != message.id);
            self.left.push(message);
        }
        let letters = messages.into_iter().map(|message| DeadLetter {
            contents: contents(&message.body),
            message,
        });
        Ok(letters.collect())
    }

    /// Deletes a message: all of its mail is settled.
    pub(super) async fn delete(&mut self, message: QueueMessage) -> Result<(), String> {
        let deleted = self.queue.delete(&message).await;
        if deleted.is_err() {
            self.left.push(message);
        }
        deleted
    }

    /// Keeps a message until the end.
    pub(super) fn keep(&mut self, message: QueueMessage) {
        self.left.push(message);
    }

    /// Gives back all that is left.
    pub(super) async fn give_back(self) {
        for message in &self.left {
            if let Err(error) = self.queue.give_back(message).await {
                eprintln!("readdress: {error}; it comes back after {} minutes", HIDDEN / 60);
            }
        }
    }
}

/// The event of a message: Lambda's record of a failure has it in it; SNS and SQS put events there as they are.
fn contents(body: &str) -> Result<Contents, String> {
    let parsed: Value = serde_json::from_str(body).map_err(|_| "it is not JSON".to_owned())?;
    let event = match &parsed["requestPayload"] {
        Value::Null => json!({"Records": [{"eventSource": "aws:sqs", "messageId": "", "body": body}]}),
        event => event.clone(),
    };
    let mut arrivals = Vec::new();
    for record in read_event(&event).map_err(|error| error.to_string())? {
        match record.arrival() {
            Ok(Some(arrival)) => arrivals.push(arrival),
            Ok(None) => return Ok(Contents::Report(event)),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(Contents::Arrivals(arrivals))
}

#[cfg(test)]
mod tests {
    use readdress::arrival::Order;

    use super::*;

    fn ids(body: &Value) -> Result<Vec<String>, String> {
        let Contents::Arrivals(arrivals) = contents(&body.to_string())? else {
            return Ok(vec!["report".to_owned()]);
        };
        assert!(arrivals.iter().all(|arrival| arrival.order == Order::Forward));
        Ok(arrivals
            .iter()
            .map(|arrival| arrival.message_id.to_string())
            .collect())
    }

    /// Catches a record of a failure that stays in the queue for ever, and an order that somebody put there.
    #[test]
    fn messages_of_a_queue() {
        let event = json!({"Records": [{"eventSource": "aws:ses", "ses": {
            "mail": {"messageId": "m1", "source": "jane@example.org"},
            "receipt": {"recipients": ["shop@example.com"]}}}]});
        let failure =
            json!({"version": "1.0", "requestContext": {}, "requestPayload": event, "responsePayload": {}});
        assert_eq!(ids(&failure), Ok(vec!["m1".to_owned()]));
        assert_eq!(ids(&event), Ok(vec!["m1".to_owned()]));
        let order = json!({"Records": [{"eventSource": "readdress", "messageId": "m1", "order": "release",
            "arrival": {"recipients": null, "envelope_sender": null}}]});
        assert!(ids(&order).is_err());
        assert!(ids(&json!({"requestPayload": {"Records": []}})).is_err());
        assert!(contents("x").is_err());
    }
}
