//! The answers of the rules, and the decision that they add up to.

use crate::header::mailbox::Address;
use crate::outbox::Cause;
use crate::rewrite::Mark;

/// The answer of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The message is forwarded with a mark.
    Mark(Mark),
    /// It is forwarded, but not to whoever wrote it.
    Spare(Address),
    /// It is forwarded as long as the alias has not had too many of its kind.
    Count,
    /// It is not forwarded.
    Keep(Kept),
}

/// Why a message is not forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::forward) enum Kept {
    /// The owner looks at it first.
    Held(Hold),
    /// It is an automatic answer of a target, which nobody waits for.
    Automatic,
    /// The alias does not want mail of its sender.
    Blocked,
    /// It reports that a target refused a forwarded message; or that these correspondents did not get an answer.
    Bounced(Vec<Address>),
    /// The message is in a loop, or could not be read.
    Refused(Refusal),
}

/// The reason why a message waits for its owner to look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::forward) enum Hold {
    Spam,
    Virus,
    /// Its From is not proven, and the domain asks to refuse such mail.
    Unverified,
    /// Its From claims the alias's own domain, and is not proven.
    OwnDomain,
}

impl Hold {
    /// As it is written in an outcome.
    pub(in crate::forward) fn as_str(self) -> &'static str {
        match self {
            Hold::Spam => "spam",
            Hold::Virus => "virus",
            Hold::Unverified => "unverified",
            Hold::OwnDomain => "own_domain",
        }
    }
}

/// How a message is forwarded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::forward) struct Decision {
    pub(in crate::forward) marks: Vec<Mark>,
    /// Targets that do not get it: they wrote it.
    pub(in crate::forward) spared: Vec<Address>,
    /// Whether it counts towards the limit of new threads that an alias forwards in an hour.
    pub(in crate::forward) is_counted: bool,
}

/// Why a message cannot be forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::forward) struct Refusal {
    pub(in crate::forward) cause: Cause,
    pub(in crate::forward) reason: String,
}

impl Decision {
    /// Whether this target does not get the message.
    pub(in crate::forward) fn spares(&self, target: &Address) -> bool {
        let key = target.key();
        self.spared.iter().any(|spared| spared.key() == key)
    }
}
