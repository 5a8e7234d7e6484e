//! The memory of this process as the ledger. Lambda's repetitions mostly come to the process that had the event before.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::delivery::{Deliveries, Delivery};
use crate::arrival::MessageId;

/// Messages that are remembered. Failed ones come again within minutes; this is some hundred kilobytes at most.
const REMEMBERED: usize = 128;

/// How long a refusal for good is remembered. Lambda's repetitions come within four minutes; whoever sends an event again
/// later has corrected something.
const REFUSED_FOR: Duration = Duration::from_mins(10);

/// Deliveries of one message, and the time of each.
#[derive(Debug)]
struct Remembered {
    message_id: MessageId,
    deliveries: Vec<(Instant, Delivery)>,
}

/// The deliveries of the last messages, the latest message at the end.
#[derive(Debug, Default)]
pub struct Memory(Mutex<VecDeque<Remembered>>);

impl Memory {
    /// All that is remembered of this message.
    pub(super) fn recall(&self, message_id: &MessageId) -> Deliveries {
        self.recall_at(message_id, Instant::now())
    }

    fn recall_at(&self, message_id: &MessageId, now: Instant) -> Deliveries {
        let messages = self.messages();
        let message = messages.iter().find(|message| message.message_id == *message_id);
        let mut deliveries = Deliveries::default();
        for (at, delivery) in message.into_iter().flat_map(|message| &message.deliveries) {
            if is_valid(delivery, *at, now) {
                deliveries.add(delivery.clone());
            }
        }
        deliveries
    }

    /// Remembers a delivery. The oldest message is forgotten for it; a failure that may pass is not remembered.
    pub(super) fn record(&self, message_id: &MessageId, delivery: &Delivery) {
        if matches!(delivery, Delivery::Failed(failure) if !failure.cause.is_permanent()) {
            return;
        }
        let mut messages = self.messages();
        let at = messages
            .iter()
            .position(|message| message.message_id == *message_id);
        let mut message = at
            .and_then(|at| messages.remove(at))
            .unwrap_or_else(|| Remembered {
                message_id: message_id.clone(),
                deliveries: Vec::new(),
            });
        let now = Instant::now();
        message
            .deliveries
            .retain(|(at, delivery)| is_valid(delivery, *at, now));
        message.deliveries.push((now, delivery.clone()));
        if messages.len() == REMEMBERED {
            messages.pop_front();
        }
        messages.push_back(message);
    }

    fn messages(&self) -> MutexGuard<'_, VecDeque<Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_valid(delivery: &Delivery, at: Instant, now: Instant) -> bool {
    match delivery {
        Delivery::Sent { .. } | Delivery::Told(_) => true,
        Delivery::Failed(_) => now.duration_since(at) < REFUSED_FOR,
    }
}

#[cfg(test)]
mod tests {
    use super::super::delivery::{Failure, Receipt};
    use super::*;
    use crate::alias::Options;
    use crate::header::mailbox::Address;
    use crate::outbox::Cause;

    fn jane() -> Vec<Address> {
        vec![Address::parse("jane@example.org").unwrap()]
    }

    fn id(n: usize) -> MessageId {
        MessageId::parse(&format!("m{n}")).unwrap()
    }

    #[test]
    fn the_last_messages_are_remembered() {
        let memory = Memory::default();
        for n in 0..=REMEMBERED {
            assert_eq!(memory.recall(&id(n)).left(&jane()), jane());
            let receipt = Receipt {
                id: n.to_string(),
                bytes_in: 7,
                bytes_out: 9,
                body_sha256: None,
            };
            let targets = jane();
            memory.record(&id(n), &Delivery::Sent { targets, receipt });
        }
        assert_eq!(memory.recall(&id(0)).left(&jane()), jane());
        for n in [1, REMEMBERED] {
            assert_eq!(memory.recall(&id(n)).receipt(&jane()).unwrap().id, n.to_string());
        }
    }

    /// Catches a passing failure that is kept from being tried again, and a refusal that is never forgotten.
    #[test]
    fn only_a_refusal_for_good_is_remembered_and_not_for_ever() {
        let memory = Memory::default();
        let is_remembered = |n, now| {
            let deliveries = memory.recall_at(&id(n), now);
            deliveries
                .failure("shop@example.com", &jane(), &Options::default())
                .is_some()
        };
        for (n, (cause, remembered)) in [
            (Cause::Rejected, true),
            (Cause::TooLarge, true),
            (Cause::Throttled, false),
            (Cause::Configuration, false),
            (Cause::Ambiguous, false),
        ]
        .into_iter()
        .enumerate()
        {
            let failure = Failure {
                targets: jane(),
                alias: "shop@example.com".to_owned(),
                options: Options::default(),
                cause,
                error: "no".to_owned(),
            };
            memory.record(&id(n), &Delivery::Failed(Box::new(failure)));
            assert_eq!(is_remembered(n, Instant::now()), remembered, "{cause:?}");
            assert!(!is_remembered(n, Instant::now() + REFUSED_FOR));
        }
    }
}
