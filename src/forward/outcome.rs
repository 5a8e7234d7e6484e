//! How an arrival ended.

use serde::{Serialize, Serializer};

use crate::arrival::{Arrival, MessageId};
use crate::ledger::Receipt;
use crate::outbox::{Cause, Content};
use crate::preflight::Code;

/// How an arrival ended for one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The message has been sent to the targets.
    Sent,
    /// The alias map has nothing for this recipient.
    NoAlias,
    /// The alias is switched off.
    Disabled,
    /// The alias forwards nothing more after a day that is past.
    Expired,
    /// The alias does not want mail of this sender.
    Blocked,
    /// A program of a target answered a forwarded message, or a target wrote into a thread whose other readers all have the
    /// message.
    Automatic,
    /// The message waits in the bucket for its owner to look at it: `reason` says why.
    Held,
    /// It reports that a target refused a forwarded message.
    Bounced,
    /// It is an answer to a reply address that is not sent: `reason` says why.
    RefusedReply,
    /// The outgoing message would be over the send limit. It stays in the bucket.
    TooLarge,
    /// The message could not be sent. It stays in the bucket.
    Failed,
}

impl Ending {
    /// All endings.
    pub const ALL: [Ending; 11] = [
        Ending::Sent,
        Ending::NoAlias,
        Ending::Disabled,
        Ending::Expired,
        Ending::Blocked,
        Ending::Automatic,
        Ending::Held,
        Ending::Bounced,
        Ending::RefusedReply,
        Ending::TooLarge,
        Ending::Failed,
    ];

    pub(super) fn of_cause(cause: Cause) -> Self {
        match cause {
            Cause::TooLarge => Ending::TooLarge,
            _ => Ending::Failed,
        }
    }

    /// The ending as it is written in an outcome.
    pub fn as_str(self) -> &'static str {
        match self {
            Ending::Sent => "sent",
            Ending::NoAlias => "no_alias",
            Ending::Disabled => "disabled",
            Ending::Expired => "expired",
            Ending::Blocked => "blocked",
            Ending::Automatic => "automatic",
            Ending::Held => "held",
            Ending::Bounced => "bounced",
            Ending::RefusedReply => "refused_reply",
            Ending::TooLarge => "too_large",
            Ending::Failed => "failed",
        }
    }

    /// Whether the mail has been dealt with. Otherwise the owner has to act, or the mail has to be tried again.
    pub fn is_settled(self) -> bool {
        match self {
            Ending::Sent
            | Ending::NoAlias
            | Ending::Disabled
            | Ending::Expired
            | Ending::Blocked
            | Ending::Automatic => true,
            Ending::Held | Ending::Bounced | Ending::RefusedReply | Ending::TooLarge | Ending::Failed => {
                false
            }
        }
    }
}

impl Serialize for Ending {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The outcome of an arrival for one of its recipients.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The id of the stored message. `None`: the event did not name it.
    pub message_id: Option<String>,
    /// The recipient. `None`: the event did not name any.
    pub alias: Option<String>,
    /// The targets of the alias.
    pub targets: Vec<String>,
    /// How it ended.
    #[serde(rename = "outcome")]
    pub ending: Ending,
    /// Octets of the stored message, if it was opened.
    pub bytes_in: Option<u64>,
    /// Octets of the outgoing message, if it was planned.
    pub bytes_out: Option<u64>,
    /// The repairs that were made so that SES takes the message, by the codes of preflight.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repairs: Vec<Code>,
    /// The marks that were put before the subject.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<&'static str>,
    /// The words in which SES refused the message. Where preflight had found nothing, it was then sent once more in its plainest
    /// form, and `repairs` has `unforeseen`. No address is in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// SHA-256 of the body, in hexadecimal digits, if it was asked for. The sent body and the stored one have the same.
    pub body_sha256: Option<String>,
    /// Whether all targets had the message already, so that nothing was sent now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// The id that the outbox gave the message; several, with commas between them, if there were more targets than it takes at
    /// once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_id: Option<String>,
    /// Why it is held: `spam`, `virus`, `unverified` or `own_domain`. Or why a reply is refused: `forged`, `unproven`,
    /// `no_verdict`, `malformed`, `closed`, `gone` or `too_many`. Or why a target did not get it, as SES reports it: `gone`,
    /// `suppressed`, `full`, `too_large`, `spam`, `policy` or `other`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Whether somebody has been told of it by mail.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub told: bool,
    /// The kind of the failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// An account of the failure, and advice. It names no address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Outcome {
    pub(super) fn new(message_id: &MessageId, alias: &str, ending: Ending) -> Self {
        Outcome {
            message_id: Some(message_id.to_string()),
            alias: Some(alias.to_owned()),
            ..Outcome::unnamed(ending)
        }
    }

    fn unnamed(ending: Ending) -> Self {
        Outcome {
            message_id: None,
            alias: None,
            targets: Vec::new(),
            ending,
            bytes_in: None,
            bytes_out: None,
            repairs: Vec::new(),
            marks: Vec::new(),
            refusal: None,
            body_sha256: None,
            repeated: false,
            sent_id: None,
            reason: None,
            told: false,
            cause: None,
            error: None,
        }
    }

    /// Notes the size and the repairs of the message that is about to be sent.
    pub(super) fn planned(&mut self, content: &Content) {
        self.bytes_out = Some(content.octets());
        let notes = content.plan.notes();
        self.repairs = notes.codes().to_vec();
        self.marks = notes.marks().iter().map(|mark| mark.as_str()).collect();
    }

    /// The outcome of a record that could not be read.
    pub fn of_bad_record(message_id: Option<&MessageId>, error: String) -> Self {
        Outcome {
            message_id: message_id.map(MessageId::to_string),
            error: Some(error),
            ..Outcome::unnamed(Ending::Failed)
        }
    }

    /// The outcome of an arrival that failed for all its recipients, whoever they are.
    pub(super) fn of_message(arrival: &Arrival, cause: Cause, error: String) -> Self {
        Outcome {
            cause: Some(cause),
            ..Outcome::of_bad_record(Some(&arrival.message_id), error)
        }
    }

    /// Logs the outcome in one line, and the addresses only at the level DEBUG.
    pub fn log(&self) {
        let id = self.message_id.as_deref().unwrap_or_default();
        tracing::debug!(message_id = id, alias = self.alias, targets = ?self.targets, "addresses");
        if self.is_settled() {
            tracing::info!(
                message_id = id,
                outcome = self.ending.as_str(),
                bytes_in = self.bytes_in,
                bytes_out = self.bytes_out,
                sent_id = self.sent_id,
                repeated = self.repeated.then_some(true),
                reason = self.reason,
                told = self.told,
                refusal = self.refusal,
                "outcome"
            );
        } else {
            tracing::error!(
                message_id = id,
                outcome = self.ending.as_str(),
                bytes_in = self.bytes_in,
                bytes_out = self.bytes_out,
                reason = self.reason,
                cause = self.cause.map(Cause::as_str),
                refusal = self.refusal,
                error = self.error,
                "outcome"
            );
        }
    }

    /// Whether the mail has been dealt with, or somebody has been told why not. Otherwise the invocation fails.
    pub fn is_settled(&self) -> bool {
        self.told || self.ending.is_settled()
    }

    pub(super) fn held(self, reason: &'static str) -> Self {
        let error =
            "the message waits in the bucket for its owner: readdress show and readdress release take its id";
        Outcome {
            ending: Ending::Held,
            reason: Some(reason),
            error: Some(error.to_owned()),
            ..self
        }
    }

    pub(super) fn refused_reply(self, reason: &'static str, error: &str) -> Self {
        Outcome {
            ending: Ending::RefusedReply,
            reason: Some(reason),
            error: Some(error.to_owned()),
            ..self
        }
    }

    pub(super) fn bounced(self, is_of_answer: bool) -> Self {
        let error = if is_of_answer {
            "it reports that a correspondent did not get an answer; the owner of the alias has to know"
        } else {
            "it reports that a target did not take a forwarded message, and would bounce in turn; fix or remove the \
             target that it names"
        };
        Outcome {
            ending: Ending::Bounced,
            error: Some(error.to_owned()),
            ..self
        }
    }

    /// The outcome after SES has reported that targets did not get the message, for a reason of this class.
    pub(super) fn lost(self, class: &'static str, is_answer: bool) -> Self {
        let error = if is_answer {
            "SES reports that a correspondent did not get an answer, and may not get the next one either; the log at DEBUG names \
             the address: if it is right and takes mail again, run readdress unsuppress"
        } else {
            "SES reports that a target did not get what was forwarded, and may not get the next message either; the log at DEBUG \
             names it: take it out of the alias map, or mend its mailbox and run readdress unsuppress"
        };
        Outcome {
            ending: Ending::Bounced,
            reason: Some(class),
            error: Some(error.to_owned()),
            ..self
        }
    }

    pub(super) fn ended(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    pub(super) fn sent(self, receipt: Receipt) -> Self {
        Outcome {
            ending: Ending::Sent,
            bytes_in: Some(receipt.bytes_in),
            bytes_out: Some(receipt.bytes_out),
            body_sha256: receipt.body_sha256,
            sent_id: Some(receipt.id),
            ..self
        }
    }

    pub(super) fn failed(self, cause: Cause, error: String) -> Self {
        Outcome {
            ending: Ending::of_cause(cause),
            cause: Some(cause),
            error: Some(error),
            ..self
        }
    }
}
