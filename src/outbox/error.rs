//! Why a message could not be sent.

use std::io;

use serde::{Serialize, Serializer};

/// The kind of a failure. It says who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The message is over a limit of the service, and stays so.
    TooLarge,
    /// The service refuses this message or one of its addresses, and will again.
    Rejected,
    /// An identity, a name or a permission is missing. It works once the settings are corrected.
    Configuration,
    /// The account may not send for now: it is paused, suspended, or over its quota of the day.
    Paused,
    /// The service is asked too often. It works later.
    Throttled,
    /// The service or the way to it fails. It works later.
    Unavailable,
    /// All of the message was handed over, but no answer came: it may have been sent or not.
    Ambiguous,
    /// The stored message cannot be read, or is not one that can be forwarded.
    Unreadable,
    /// A mail loop.
    Loop,
    /// The time ran out.
    Deadline,
    /// Another invocation is sending the message. When the event comes again, that one has ended.
    InProgress,
}

impl Cause {
    /// The cause as it is written in an outcome and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::TooLarge => "too_large",
            Cause::Rejected => "rejected",
            Cause::Configuration => "configuration",
            Cause::Paused => "paused",
            Cause::Throttled => "throttled",
            Cause::Unavailable => "unavailable",
            Cause::Ambiguous => "ambiguous",
            Cause::Unreadable => "message",
            Cause::Loop => "loop",
            Cause::Deadline => "deadline",
            Cause::InProgress => "in_progress",
        }
    }

    /// Whether the same message to the same targets would fail again, whenever it is sent.
    pub fn is_permanent(self) -> bool {
        matches!(self, Cause::Rejected | Cause::TooLarge)
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Why a message has not been sent to some of its targets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SendError {
    /// The kind of the failure.
    pub cause: Cause,
    /// The reason, for the log. No address is in it.
    pub reason: String,
}

impl From<io::Error> for SendError {
    fn from(error: io::Error) -> Self {
        SendError {
            cause: Cause::Unreadable,
            reason: error.to_string(),
        }
    }
}
