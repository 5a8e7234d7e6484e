//! Why a recipient's mail goes no further than a step, in words for the log.

use super::lost::Lost;
use super::outcome::Ending;
use super::policy::{Hold, Kept, Refusal};
use crate::header::mailbox::Address;
use crate::ledger::{End, Receipt};
use crate::outbox::{Cause, SendError};

pub(super) const OUT_OF_TIME: &str = "the time ended before the message was sent; it is still in the bucket";

pub(super) const NOT_MENDED: &str = "the message was planned twice and still needs edits; please report this";

pub(super) const IN_PROGRESS: &str = "another invocation is sending the message, or died doing so, less than a minute ago; the event comes again";

pub(super) const TOO_MANY: &str = "a target has sent its own alias more than ten messages within an hour, each as a new thread; this looks like a program that \
     sends back what it gets, so the message is not forwarded, it is still in the bucket";

/// Why a recipient's mail goes no further than a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The owner's map or rules do not want the mail.
    Ended(Ending),
    /// The owner looks at it first.
    Held(Hold),
    /// It reports that a target refused a forwarded message; or that these correspondents did not get an answer.
    Bounced(Vec<Address>),
    /// It is an answer of the owner that is not sent.
    NoReply(NoReply),
    /// SES reports that targets did not get the message sent to them, or do not want it.
    Lost(Lost),
    /// All targets have got the message already.
    Delivered(Receipt),
    /// The body has a fault that SES would refuse: the message is to be planned again.
    Findings,
    /// The mail could not be sent, or must not be.
    Failed { cause: Cause, error: String },
}

/// Why an answer is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoReply {
    /// The address has the form of a reply address but not a valid signature.
    Forged,
    /// The From is not proven, or is not a single mailbox to every reader.
    Unproven,
    /// The event has no verdict of DMARC.
    NoVerdict,
    /// The message that names the correspondent is no longer in the bucket.
    Gone,
    /// A line that is no field has ended the header section, so that the owner's own fields behind it would go out with the
    /// body.
    Malformed,
    /// The alias is switched off, or has expired.
    Closed,
    /// More reply addresses than one answer goes to come before this one.
    TooMany,
}

impl NoReply {
    /// As it is written in an outcome.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            NoReply::Forged => "forged",
            NoReply::Unproven => "unproven",
            NoReply::NoVerdict => "no_verdict",
            NoReply::Gone => "gone",
            NoReply::Malformed => "malformed",
            NoReply::Closed => "closed",
            NoReply::TooMany => "too_many",
        }
    }

    /// An account of it for the operator.
    pub(super) fn error(self) -> &'static str {
        match self {
            NoReply::Forged => {
                "the answer was not sent: its address has the form of a reply address, but no key that is kept has signed it for \
                 this alias; it is still in the bucket"
            }
            NoReply::Unproven => {
                "the answer was not sent: it is not proven that an owner of the alias wrote it, since DMARC did not pass or From is \
                 not exactly one mailbox; it is still in the bucket"
            }
            NoReply::NoVerdict => {
                "the answer was not sent: the event has no verdict of DMARC, as S3's own events have none, so nobody is proven to \
                 have written it; let events come from SES's Lambda action or from the topic of its S3 action. It is still in the \
                 bucket"
            }
            NoReply::Gone => {
                "the answer was not sent: the correspondent is named by a mail that is no longer in the bucket; the answer itself \
                 still is"
            }
            NoReply::Malformed => {
                "the answer was not sent: a line of its header section is no field, and the fields behind it would go out with the \
                 body; it is still in the bucket"
            }
            NoReply::Closed => {
                "the answer was not sent: the alias is switched off, or its last day is past (enabled, until); it is still in the \
                 bucket"
            }
            NoReply::TooMany => {
                "the answer was not sent to this address: a hundred others come before it; it is still in the bucket"
            }
        }
    }
}

impl Stop {
    pub(super) fn failed(cause: Cause, error: impl Into<String>) -> Self {
        let error = error.into();
        Stop::Failed { cause, error }
    }
}

/// The message is kept from targets that may have got it.
pub(super) fn in_doubt() -> Stop {
    let error = "the message may have been sent before, without a record of it, so it is not sent again (ON_DOUBT); it is \
                 still in the bucket. Look into the target's mailbox: if it is there, run readdress settle; if it is not, readdress \
                 redrive --here --on-doubt resend, after all that has arrived was settled";
    Stop::failed(Cause::Ambiguous, error)
}

pub(super) fn not_sent(SendError { cause, reason }: &SendError, all: &[Address], left: &[Address]) -> Stop {
    let (all, missed) = (all.len(), left.len());
    let partly = match all - missed {
        0 => String::new(),
        reached => format!("it has been sent to {reached} of {all} targets and not to the other {missed}: "),
    };
    let error = format!("the message could not be sent, it is still in the bucket: {partly}{reason}");
    Stop::failed(*cause, error)
}

impl Stop {
    pub(super) fn out_of_time() -> Self {
        Stop::failed(Cause::Deadline, OUT_OF_TIME)
    }

    /// Whether the policy keeps the message from the alias, whatever its tag.
    pub(super) fn is_of_policy(&self) -> bool {
        matches!(
            self,
            Stop::Ended(_) | Stop::Held(_) | Stop::Bounced(_) | Stop::NoReply(_)
        )
    }

    /// How it ended, for the ledger and the outcome. `None`: all targets have the message.
    pub(super) fn end(&self) -> Option<End> {
        let (ending, reason, cause) = match self {
            Stop::Delivered(_) => return None,
            Stop::Ended(ending) => (*ending, None, None),
            Stop::Held(hold) => (Ending::Held, Some(hold.as_str()), None),
            Stop::Bounced(_) => (Ending::Bounced, None, None),
            Stop::NoReply(reason) => (Ending::RefusedReply, Some(reason.as_str()), None),
            Stop::Lost(lost) => {
                let reason = lost.is_loss().then(|| lost.class().as_str());
                (lost.ending(), reason, None)
            }
            Stop::Findings => (Ending::Failed, None, Some(Cause::Rejected)),
            Stop::Failed { cause, .. } => (Ending::of_cause(*cause), None, Some(*cause)),
        };
        Some(End {
            outcome: ending.as_str(),
            reason,
            cause,
            ..End::default()
        })
    }
}

impl From<Kept> for Stop {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Held(hold) => Stop::Held(hold),
            Kept::Automatic => Stop::Ended(Ending::Automatic),
            Kept::Blocked => Stop::Ended(Ending::Blocked),
            Kept::Bounced(correspondents) => Stop::Bounced(correspondents),
            Kept::Refused(Refusal { cause, reason }) => Stop::failed(
                cause,
                format!("the message is not forwarded, it is still in the bucket: {reason}"),
            ),
        }
    }
}
