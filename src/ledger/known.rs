//! A message that the ledger knows, for SES's reports on sent messages.

use super::claim::Seen;
use super::target::TargetHash;
use crate::arrival::{Arrival, MessageId, Order};
use crate::header::mailbox::Address;

/// A page of the ledger, as it was read.
#[derive(Debug)]
pub struct Known(pub(super) Seen);

impl Known {
    /// The arrival of the message. The decision to forward it has been made, so it has the order of a release: its verdicts do
    /// not hold it again.
    pub fn arrival(&self, message_id: &MessageId) -> Arrival {
        let arrival = self.0.page.arrival.clone();
        arrival.into_arrival(message_id.clone(), Order::Release)
    }

    /// Whether a message with this id of SES's went to this target. An id that SES gave and that was not recorded, since the
    /// answer was lost or is only just being recorded, is believed for the targets that it may have gone to.
    pub fn was_sent(&self, sent_id: &str, target: &Address) -> bool {
        let page = &self.0.page;
        let target = TargetHash::from(target);
        let is_named = page.sent.iter().any(|sent| {
            let id = &sent.receipt.id;
            sent.targets.contains(&target) && (id == sent_id || id.is_empty())
        });
        let is_being_sent = page
            .claim
            .as_ref()
            .is_some_and(|claim| claim.targets.contains(&target));
        is_named || is_being_sent || page.in_doubt.contains(&target)
    }
}
