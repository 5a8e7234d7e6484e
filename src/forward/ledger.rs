//! Who has got which message, as far as this process knows.
//!
//! Lambda delivers an event again when an invocation fails, and may do so without a reason; mostly to the process that
//! had it before. Who has got the message by then must not get it again. What another process has sent is not known
//! here.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Outcome;
use crate::alias::Options;
use crate::arrival::MessageId;
use crate::header::mailbox::Address;
use crate::outbox::Cause;

/// Messages that are remembered. Failed ones come again within minutes; this is some hundred kilobytes at most.
const REMEMBERED: usize = 128;

/// How long a refusal for good is remembered. Lambda's repetitions come within four minutes; whoever sends an event again
/// later has mended something.
const REFUSED_FOR: Duration = Duration::from_mins(10);

/// Who has got one message, and who did not for a reason that will not change.
#[derive(Clone, Debug, Default)]
pub(super) struct Reached {
    sent: Vec<(HashSet<String>, Outcome)>,
    refused: Vec<Refused>,
}

/// A message that went out in this form would be refused again.
#[derive(Clone, Debug)]
struct Refused {
    targets: Vec<Address>,
    options: Options,
    cause: Cause,
    error: String,
    at: Instant,
}

impl Reached {
    /// Those of these targets that have not got the message.
    pub(super) fn left(&self, targets: &[Address]) -> Vec<Address> {
        let left = targets.iter().filter(|target| self.find(target).is_none());
        left.cloned().collect()
    }

    /// Notes that sending to these targets with these options failed: other recipients that lead there fail alike.
    pub(super) fn refuse(&mut self, targets: &[Address], options: &Options, cause: Cause, error: &str) {
        self.refused.push(Refused {
            targets: targets.to_vec(),
            options: options.clone(),
            cause,
            error: error.to_owned(),
            at: Instant::now(),
        });
    }

    /// Why sending to these targets with these options failed before.
    pub(super) fn refusal(&self, targets: &[Address], options: &Options) -> Option<(Cause, String)> {
        let mut refused = self.refused.iter();
        let found = refused.find(|refused| refused.targets == targets && refused.options == *options)?;
        Some((found.cause, found.error.clone()))
    }

    /// Forgets what the next arrival of the message may find otherwise.
    fn forget_passing(&mut self) {
        self.refused
            .retain(|refused| refused.cause.is_permanent() && refused.at.elapsed() < REFUSED_FOR);
    }

    /// How the message came to this target, if it did.
    pub(super) fn find(&self, target: &Address) -> Option<&Outcome> {
        let mut reached = self.sent.iter();
        let (_, outcome) = reached.find(|(targets, _)| targets.contains(&target.key()))?;
        Some(outcome)
    }

    /// These have got it.
    pub(super) fn add<'a>(&mut self, targets: impl IntoIterator<Item = &'a Address>, outcome: &Outcome) {
        let targets: HashSet<String> = targets.into_iter().map(Address::key).collect();
        if !targets.is_empty() {
            self.sent.push((targets, outcome.clone()));
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
        let mut reached = entry.map(|(_, reached)| reached.clone()).unwrap_or_default();
        reached.forget_passing();
        reached
    }

    /// Remembers it; the oldest message is forgotten.
    pub(super) fn keep(&self, message_id: &MessageId, mut reached: Reached) {
        reached.forget_passing();
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|(id, _)| id != message_id);
        if reached.sent.is_empty() && reached.refused.is_empty() {
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
