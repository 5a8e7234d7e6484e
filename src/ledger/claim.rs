//! A claim: the right of one invocation to send a message, and all that it knows of the message's deliveries.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::time::{Duration, Instant};

use super::delivery::Deliveries;
use super::page::{Mark, Page, Sent};
use super::pages::Pages;
use super::target::TargetHash;
use crate::arrival::{Arrival, MessageId};
use crate::header::mailbox::Address;

/// The life of a claim, by the clock of the place where the pages lie. Long enough for a renewal to be late or to fail once;
/// shorter than the minute after which Lambda repeats an event whose invocation died.
pub(super) const LIFE: Duration = Duration::from_secs(50);

/// The claim of an arrival that is being forwarded.
#[derive(Debug)]
pub struct Claim {
    pub(super) arrival: Arrival,
    pub(super) deliveries: Deliveries,
    pub(super) token: String,
    pub(super) state: State,
    /// The targets that the message is claimed for.
    pub(super) targets: BTreeSet<TargetHash>,
    /// The last version of the page that was seen. `None`: no page has been seen, so there is none as far as is known.
    pub(super) seen: Option<Seen>,
    /// The targets of a send that SES has not answered: it may have gone to them.
    pub(super) unanswered: BTreeSet<TargetHash>,
    /// Deliveries that may not be in the page yet.
    pub(super) unwritten: Vec<Sent>,
    /// Whether the last write failed. If so, the next one gets less time.
    pub(super) is_out_of_reach: bool,
}

/// Whether a claim holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is not written, since nothing is being sent, or the ledger is out of reach.
    Unwritten,
    /// It is in the page.
    Held,
    /// It was in the page, and another one is there now.
    Lost,
}

/// A version of a page.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) page: Page,
    pub(super) etag: String,
    /// The page's age when it was seen.
    pub(super) age: Duration,
    pub(super) at: Instant,
}

impl Seen {
    /// Reads the page of a message. `None`: it has none.
    pub(super) async fn read(pages: &Pages, message_id: &MessageId) -> io::Result<Option<Seen>> {
        let at = Instant::now();
        let Some(version) = pages.read(message_id).await? else {
            return Ok(None);
        };
        let page = serde_json::from_slice(&version.octets).map_err(|error| {
            // The error may quote an address from the page.
            let (kind, line, column) = (error.classify(), error.line(), error.column());
            let reason =
                format!("its page of the message cannot be read: {kind:?} at line {line}, column {column}");
            io::Error::other(reason)
        })?;
        let (etag, age) = (version.etag, version.age);
        Ok(Some(Seen { page, etag, age, at }))
    }

    /// The page's age now, or more.
    pub(super) fn age(&self) -> Duration {
        self.age + self.at.elapsed()
    }
}

impl Claim {
    pub(super) fn new(arrival: &Arrival, deliveries: Deliveries) -> Self {
        Claim {
            arrival: arrival.clone(),
            token: token(),
            state: State::Unwritten,
            targets: BTreeSet::new(),
            seen: None,
            unanswered: BTreeSet::new(),
            unwritten: deliveries
                .sent()
                .map(|(targets, receipt)| Sent::new(targets, receipt))
                .collect(),
            is_out_of_reach: false,
            deliveries,
        }
    }

    /// All that is known of the deliveries of the message.
    pub fn deliveries(&self) -> &Deliveries {
        &self.deliveries
    }

    /// Notes that the message may have been sent to these targets.
    pub fn doubt(&mut self, targets: &[Address]) {
        self.unanswered.extend(targets.iter().map(TargetHash::from));
    }

    /// Whether another invocation has taken the claim over, and sends the message.
    pub fn is_lost(&self) -> bool {
        self.state == State::Lost
    }

    /// The claim as it stands in the page.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            token: self.token.clone(),
            targets: self.targets.clone(),
            renewals: 0,
        }
    }
}

/// A text that no other claim has. It is no secret.
fn token() -> String {
    // The standard library takes the keys of its hashers from the system's source of random numbers.
    let (one, two) = (RandomState::new(), RandomState::new());
    format!("{:016x}{:016x}", one.hash_one(0), two.hash_one(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tokens_are_the_same() {
        let tokens: BTreeSet<String> = (0..1_000).map(|_| token()).collect();
        assert_eq!(tokens.len(), 1_000);
        assert!(tokens.iter().all(|token| token.len() == 32));
    }
}
