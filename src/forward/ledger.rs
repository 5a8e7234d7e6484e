//! Who has got which message, as far as this process knows.
//!
//! Lambda delivers an event again when an invocation fails, and may do so without a reason; mostly to the process that
//! had it before. Who has got the message by then must not get it again. What another process has sent is not known
//! here.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use super::Outcome;
use crate::event::MessageId;
use crate::header::mailbox::Address;

/// Messages that are remembered. Failed ones come again within minutes; this is some hundred kilobytes at most.
const REMEMBERED: usize = 128;

/// Who has got one message.
#[derive(Clone, Debug, Default)]
pub(super) struct Reached(Vec<(HashSet<String>, Outcome)>);

impl Reached {
    /// How the message came to this target, if it did.
    pub(super) fn find(&self, target: &Address) -> Option<&Outcome> {
        let mut reached = self.0.iter();
        let (_, outcome) = reached.find(|(targets, _)| targets.contains(&target.key()))?;
        Some(outcome)
    }

    /// These have got it.
    pub(super) fn add<'a>(&mut self, targets: impl IntoIterator<Item = &'a Address>, outcome: &Outcome) {
        let targets: HashSet<String> = targets.into_iter().map(Address::key).collect();
        if !targets.is_empty() {
            self.0.push((targets, outcome.clone()));
        }
    }
}

/// What is known of the last messages.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<VecDeque<(MessageId, Reached)>>);

impl Ledger {
    /// Who has got this message.
    pub(super) fn of(&self, message_id: &MessageId) -> Reached {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.iter().find(|(id, _)| id == message_id);
        entry.map(|(_, reached)| reached.clone()).unwrap_or_default()
    }

    /// Remembers it; the oldest message is forgotten.
    pub(super) fn keep(&self, message_id: &MessageId, reached: Reached) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|(id, _)| id != message_id);
        if reached.0.is_empty() {
            return;
        }
        if entries.len() == REMEMBERED {
            entries.pop_front();
        }
        entries.push_back((message_id.clone(), reached));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ending;
    use super::*;

    #[test]
    fn the_last_messages_are_remembered() {
        let ledger = Ledger::default();
        let id = |n: usize| MessageId::parse(&format!("m{n}")).unwrap();
        let jane = Address::parse("Jane@example.org").unwrap();
        for n in 0..=REMEMBERED {
            let mut reached = ledger.of(&id(n));
            assert!(reached.find(&jane).is_none());
            reached.add([&jane], &Outcome::new(&id(n), "shop@example.com", Ending::Sent));
            ledger.keep(&id(n), reached);
        }
        assert!(ledger.of(&id(0)).find(&jane).is_none());
        let again = Address::parse("jane@EXAMPLE.org").unwrap();
        for n in [1, REMEMBERED] {
            assert_eq!(
                ledger.of(&id(n)).find(&again).unwrap().message_id,
                Some(format!("m{n}"))
            );
        }
    }
}
