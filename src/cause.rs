//! The kinds of failures, one list for all of the edge: they stand in outcomes, in the log, and in the ledger.

use std::fmt::Display;
use std::io;

use serde::{Serialize, Serializer};

/// The kind of a failure. It says who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The message is over a limit of the service, and stays so.
    TooLarge,
    /// The service refuses this message or one of its addresses, and will again.
    Rejected,
    /// A setting, an identity, a name or the credentials are missing or wrong. It works once they are corrected.
    Configuration,
    /// The bucket, the parameter, the file or the service may not be used: a permission is missing. S3 says the same of an
    /// object that is not there, to those who may not list the bucket.
    Denied,
    /// The message, or the alias map, is not where the settings say.
    NotFound,
    /// The disk or the quota is full.
    NoSpace,
    /// The account may not send for now: it is paused, suspended, or over its quota of the day.
    Paused,
    /// The service is asked too often. It works later.
    Throttled,
    /// The service or the way to it fails. It works later.
    Unavailable,
    /// All of the message was handed over, and no answer came, or a 5xx that does not tell: it may have been sent or not.
    Ambiguous,
    /// The stored message is not one that can be forwarded.
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
            Cause::Denied => "denied",
            Cause::NotFound => "not_found",
            Cause::NoSpace => "no_space",
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

/// Why a file, an object or a parameter could not be read or written.
///
/// Where an [`io::Error`] is asked for, it travels inside of one, and [`From`] takes it out again: so the true cause passes
/// through all that reads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct StorageError {
    /// The kind of the failure.
    pub cause: Cause,
    /// The reason, and what to do about it. No address is in it.
    pub reason: String,
}

impl StorageError {
    /// A failure of this kind.
    pub fn new(cause: Cause, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        StorageError { cause, reason }
    }

    /// The same failure, with what was tried put before the reason.
    #[must_use]
    pub fn while_trying(self, what: impl Display) -> Self {
        StorageError::new(self.cause, format!("{what}: {}", self.reason))
    }
}

impl From<StorageError> for io::Error {
    fn from(error: StorageError) -> Self {
        let kind = match error.cause {
            Cause::NotFound => io::ErrorKind::NotFound,
            Cause::Denied => io::ErrorKind::PermissionDenied,
            Cause::NoSpace => io::ErrorKind::StorageFull,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

impl From<io::Error> for StorageError {
    fn from(error: io::Error) -> Self {
        match error.downcast::<StorageError>() {
            Ok(error) => error,
            Err(error) => StorageError::new(cause_of(error.kind()), error.to_string()),
        }
    }
}

/// The cause of a failure of the file system. Any other kind of error is about what was read.
fn cause_of(kind: io::ErrorKind) -> Cause {
    use io::ErrorKind as Kind;
    match kind {
        Kind::NotFound => Cause::NotFound,
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => Cause::Denied,
        Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => Cause::NoSpace,
        Kind::NotADirectory | Kind::IsADirectory | Kind::InvalidFilename => Cause::Configuration,
        Kind::TimedOut | Kind::StaleNetworkFileHandle | Kind::ResourceBusy => Cause::Unavailable,
        _ => Cause::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Catches a cause that is lost on the way through the reading of a message.
    #[test]
    fn a_cause_passes_through_an_io_error() {
        for cause in [Cause::NotFound, Cause::Configuration, Cause::Unavailable] {
            let error = StorageError::new(cause, "the bucket mail is closed");
            assert_eq!(StorageError::from(io::Error::from(error.clone())), error);
            assert_eq!(io::Error::from(error.clone()).to_string(), error.reason);
        }
    }

    /// Catches a full disk that passes for a message that nobody can read.
    #[test]
    fn each_fault_of_the_file_system_has_its_cause() {
        // By the numbers of Linux and macOS, which are the same for these.
        let eacces_enospc_erofs_enoent_enotdir = [13, 28, 30, 2, 20];
        let causes = eacces_enospc_erofs_enoent_enotdir
            .map(|number| StorageError::from(io::Error::from_raw_os_error(number)).cause);
        assert_eq!(
            causes,
            [
                Cause::Denied,
                Cause::NoSpace,
                Cause::Denied,
                Cause::NotFound,
                Cause::Configuration
            ]
        );
        let other = io::Error::other("its size changed while it was read");
        assert_eq!(StorageError::from(other).cause, Cause::Unreadable);
    }
}
