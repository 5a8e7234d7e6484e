//! The ledger: which message was delivered to whom.
//!
//! Lambda delivers an event again when an invocation fails, and may do so without a reason. Targets that have got the message
//! by then must not get it again, and a refusal for good must not cost another request.
//!
//! A message is claimed once for each arrival, before anything is decided for its targets: the claim says what has been
//! delivered of it. Every delivery is recorded before the next one begins, so that an end at any moment, a panic included,
//! forgets at most one.

mod delivery;
mod memory;

use crate::arrival::{Arrival, MessageId};

pub use delivery::{Deliveries, Delivery, Failure, Receipt};
use memory::Memory;

/// A place where deliveries are recorded.
#[derive(Debug)]
pub enum Ledger {
    /// The memory of this process. Another process does not know what this one has sent.
    Memory(Memory),
}

/// An arrival that is being forwarded.
#[derive(Debug)]
pub struct Claim {
    message_id: MessageId,
    deliveries: Deliveries,
}

impl Default for Ledger {
    fn default() -> Self {
        Ledger::Memory(Memory::default())
    }
}

#[allow(clippy::unused_async)] // Memory does not wait; a ledger outside of the process does.
impl Ledger {
    /// Claims an arrival.
    pub async fn claim(&self, arrival: &Arrival) -> Claim {
        let message_id = arrival.message_id.clone();
        let Ledger::Memory(memory) = self;
        Claim {
            deliveries: memory.recall(&message_id),
            message_id,
        }
    }

    /// Records how a delivery of the claimed arrival ended.
    pub async fn record(&self, claim: &mut Claim, delivery: Delivery) {
        let Ledger::Memory(memory) = self;
        memory.record(&claim.message_id, &delivery);
        claim.deliveries.add(delivery);
    }
}

impl Claim {
    /// All that is known of the deliveries of the message.
    pub fn deliveries(&self) -> &Deliveries {
        &self.deliveries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrival::Recipients;
    use crate::executor::block_on;
    use crate::header::mailbox::Address;

    /// Catches a ledger that is written at the end of an arrival, which an end before it would forget.
    #[test]
    fn a_delivery_is_known_as_soon_as_it_is_recorded() {
        let arrival = Arrival {
            message_id: MessageId::parse("m1").unwrap(),
            recipients: Recipients::Unknown,
            envelope_sender: None,
            stored: None,
        };
        let targets = vec![Address::parse("jane@example.org").unwrap()];
        let receipt = Receipt {
            id: "1".to_owned(),
            bytes_in: 7,
            bytes_out: 9,
            body_sha256: None,
        };
        block_on(async {
            let ledger = Ledger::default();
            let mut claim = ledger.claim(&arrival).await;
            assert_eq!(claim.deliveries().left(&targets), targets);
            let sent = Delivery::Sent {
                targets: targets.clone(),
                receipt,
            };
            ledger.record(&mut claim, sent).await;
            assert!(claim.deliveries().left(&targets).is_empty());
            let again = ledger.claim(&arrival).await;
            assert!(again.deliveries().left(&targets).is_empty());
        });
    }
}
