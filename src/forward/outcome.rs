//! What became of an arrival.

use serde::{Serialize, Serializer};

use crate::arrival::{Arrival, MessageId};
use crate::outbox::Cause;

/// How it ended for one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The message has been sent to the targets.
    Sent,
    /// The alias map has nothing for this recipient.
    NoAlias,
    /// The alias is switched off.
    Disabled,
    /// The outgoing message would be over the send limit; it stays in the bucket.
    TooLarge,
    /// It could not be sent; it stays in the bucket.
    Failed,
}

impl Ending {
    /// As it is written in an outcome.
    pub fn as_str(self) -> &'static str {
        match self {
            Ending::Sent => "sent",
            Ending::NoAlias => "no_alias",
            Ending::Disabled => "disabled",
            Ending::TooLarge => "too_large",
            Ending::Failed => "failed",
        }
    }

    /// Has the mail been dealt with? Otherwise the owner has to act, or it has to be tried again.
    pub fn is_settled(self) -> bool {
        match self {
            Ending::Sent | Ending::NoAlias | Ending::Disabled => true,
            Ending::TooLarge | Ending::Failed => false,
        }
    }
}

impl Serialize for Ending {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What became of an arrival for one of its recipients.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The stored message. `None`: the event did not name it.
    pub message_id: Option<String>,
    /// The recipient. `None`: the event did not name any.
    pub alias: Option<String>,
    /// Where the alias leads.
    pub targets: Vec<String>,
    /// How it ended.
    pub outcome: Ending,
    /// Octets of the stored message, if it came to that.
    pub bytes_in: Option<u64>,
    /// Octets of the outgoing message, if it came to that.
    pub bytes_out: Option<u64>,
    /// SHA-256 of the body that was sent, in hexadecimal digits, if it was asked for: the same as that of the stored one.
    pub body_sha256: Option<String>,
    /// The id that the outbox gave the message; several, with commas between them, where the targets were more than
    /// it takes at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_id: Option<String>,
    /// Of what kind the failure is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What happened and what to do. It names no address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Outcome {
    pub(super) fn new(message_id: &MessageId, alias: &str, outcome: Ending) -> Self {
        Outcome {
            message_id: Some(message_id.to_string()),
            alias: Some(alias.to_owned()),
            ..Outcome::unnamed(outcome)
        }
    }

    fn unnamed(outcome: Ending) -> Self {
        Outcome {
            message_id: None,
            alias: None,
            targets: Vec::new(),
            outcome,
            bytes_in: None,
            bytes_out: None,
            body_sha256: None,
            sent_id: None,
            cause: None,
            error: None,
        }
    }

    /// The outcome of a record that could not be read.
    pub fn of_bad_record(message_id: Option<&MessageId>, error: String) -> Self {
        Outcome {
            message_id: message_id.map(MessageId::to_string),
            error: Some(error),
            ..Outcome::unnamed(Ending::Failed)
        }
    }

    pub(crate) fn of_message(arrival: &Arrival, cause: Cause, error: String) -> Self {
        let mut outcome = Outcome::of_bad_record(Some(&arrival.message_id), error);
        outcome.cause = Some(cause);
        outcome.log();
        outcome
    }

    /// One line, with addresses only where it is asked to say more.
    pub fn log(&self) {
        let id = self.message_id.as_deref().unwrap_or_default();
        tracing::debug!(message_id = id, alias = self.alias, targets = ?self.targets, "addresses");
        if self.outcome.is_settled() {
            tracing::info!(
                message_id = id,
                outcome = self.outcome.as_str(),
                bytes_in = self.bytes_in,
                bytes_out = self.bytes_out,
                sent_id = self.sent_id,
                "outcome"
            );
        } else {
            tracing::error!(
                message_id = id,
                outcome = self.outcome.as_str(),
                bytes_in = self.bytes_in,
                bytes_out = self.bytes_out,
                cause = self.cause.map(Cause::as_str),
                error = self.error,
                "outcome"
            );
        }
    }

    pub(super) fn fail(mut self, cause: Cause, error: impl Into<String>) -> Self {
        self.outcome = match cause {
            Cause::TooLarge => Ending::TooLarge,
            _ => Ending::Failed,
        };
        self.cause = Some(cause);
        self.error = Some(error.into());
        self
    }
}
