//! A page of the ledger: all that is recorded of one message, as JSON.
//!
//! A page names no target, only their hashes. Its arrival has the addresses of the event: whoever may read the mail may read
//! those.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::delivery::{End, Receipt};
use super::target::TargetHash;
use crate::arrival::{Arrival, RecordedArrival};
use crate::deadline::since_1970;
use crate::outbox::Cause;

/// All that is recorded of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Page {
    pub(super) message_id: String,
    pub(super) arrival: RecordedArrival,
    /// The claim of whoever is sending the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) claim: Option<Mark>,
    /// The sent messages, in order.
    pub(super) sent: Vec<Sent>,
    /// Targets to whom the message may have been sent, or not.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) in_doubt: BTreeSet<TargetHash>,
    /// The addresses that were told of it by a notice.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) told: BTreeSet<TargetHash>,
    /// How it ended for each recipient that it was last tried for.
    #[serde(default)]
    outcomes: BTreeMap<String, Recorded>,
    /// When the page was written, in seconds since 1970 by the writer's clock.
    pub(super) written_at: u64,
}

/// A claim. Its age is that of the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Tells claims apart.
    pub(super) token: String,
    /// Those to whom the message is being sent.
    pub(super) targets: BTreeSet<TargetHash>,
    /// How often the claim was renewed. It makes each renewal a new version of the page.
    pub(super) renewals: u32,
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sent {
    pub(super) targets: BTreeSet<TargetHash>,
    #[serde(flatten)]
    pub(super) receipt: Receipt,
    pub(super) at: u64,
}

impl Sent {
    /// A message that was sent just now.
    pub(super) fn new(targets: BTreeSet<TargetHash>, receipt: &Receipt) -> Self {
        Sent {
            targets,
            receipt: receipt.clone(),
            at: since_1970().as_secs(),
        }
    }
}

/// How it ended for a recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Recorded {
    /// As it stands in the outcome: `sent`, `held`, `failed` and so on.
    outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    /// Whether somebody was told of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    told: bool,
    at: u64,
}

impl Page {
    /// The first page of an arrival.
    pub(super) fn new(arrival: &Arrival) -> Self {
        Page {
            message_id: arrival.message_id.to_string(),
            arrival: RecordedArrival::from(arrival),
            claim: None,
            sent: Vec::new(),
            in_doubt: BTreeSet::new(),
            told: BTreeSet::new(),
            outcomes: BTreeMap::new(),
            written_at: 0,
        }
    }

    /// Those of these targets that have not got the message, as far as is recorded.
    pub(super) fn left(&self, targets: &BTreeSet<TargetHash>) -> BTreeSet<TargetHash> {
        let has_got_it = |target: &&TargetHash| !self.sent.iter().any(|sent| sent.targets.contains(*target));
        targets.iter().filter(has_got_it).cloned().collect()
    }

    /// Whether the claim is the one with this token.
    pub(super) fn is_claimed_by(&self, token: &str) -> bool {
        self.claim.as_ref().is_some_and(|claim| claim.token == token)
    }

    /// Records recipients that another event of the message names.
    pub(super) fn arrive(&mut self, arrival: &Arrival) {
        let (Some(recorded), Some(recipients)) = (&mut self.arrival.recipients, arrival.recipients.known())
        else {
            return;
        };
        for recipient in recipients {
            if !recorded.iter().any(|known| known.eq_ignore_ascii_case(recipient)) {
                recorded.push(recipient.clone());
            }
        }
    }

    /// Records a message that was sent, once.
    pub(super) fn add(&mut self, sent: &Sent) {
        let is_same = |other: &Sent| other.receipt.id == sent.receipt.id && other.targets == sent.targets;
        if !self.sent.iter().any(is_same) {
            self.in_doubt.retain(|target| !sent.targets.contains(target));
            self.sent.push(sent.clone());
        }
    }

    /// Records that the message may have been sent to these targets, where it is not recorded that it was.
    pub(super) fn doubt(&mut self, targets: &BTreeSet<TargetHash>) {
        let left = self.left(targets);
        self.in_doubt.extend(left);
    }

    /// Records how it ended for a recipient.
    pub(super) fn end(&mut self, recipient: &str, end: &End) {
        let recorded = Recorded {
            outcome: end.outcome.to_owned(),
            reason: end.reason.map(str::to_owned),
            cause: end.cause.map(|cause| cause.as_str().to_owned()),
            told: end.is_told,
            at: since_1970().as_secs(),
        };
        self.outcomes.insert(recipient.to_owned(), recorded);
    }

    /// Records that a recipient for whom it has failed has the message by now.
    pub(super) fn settle(&mut self, recipient: &str) {
        let is_left = |recorded: &Recorded| recorded.outcome != End::SENT.outcome;
        if self.outcomes.get(recipient).is_some_and(is_left) {
            self.end(recipient, &End::SENT);
        }
    }

    /// Records for each recipient without an ending that it is still to be done, once the claim is gone that says so: as in doubt
    /// if there is only one, whose claim it was.
    pub(super) fn end_unknown(&mut self) {
        let Some(recipients) = self.arrival.recipients.clone() else {
            return;
        };
        let cause = if recipients.len() == 1 {
            Cause::Ambiguous
        } else {
            Cause::Unavailable
        };
        for recipient in recipients {
            if !self.outcomes.contains_key(&recipient) {
                let end = End {
                    outcome: "failed",
                    cause: Some(cause),
                    ..End::default()
                };
                self.end(&recipient, &end);
            }
        }
    }

    /// Records this ending for all recipients of whom it was not known whether the message was sent for them.
    pub(super) fn end_doubt(&mut self, end: &End) {
        let is_in_doubt = |recorded: &Recorded| recorded.cause.as_deref() == Some(Cause::Ambiguous.as_str());
        let in_doubt = self.outcomes.iter().filter(|(_, recorded)| is_in_doubt(recorded));
        let recipients: Vec<String> = in_doubt.map(|(recipient, _)| recipient.clone()).collect();
        for recipient in recipients {
            self.end(&recipient, end);
        }
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec(self).expect("maps have strings for keys");
        json.push(b'\n');
        json
    }
}
