//! Why a message could not be sent.

use std::io;

use crate::cause::StorageError;

pub use crate::cause::Cause;

/// Why a message has not been sent to some of its targets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SendError {
    /// The kind of the failure.
    pub cause: Cause,
    /// The reason, for the log. No address is in it.
    pub reason: String,
}

impl From<StorageError> for SendError {
    fn from(StorageError { cause, reason }: StorageError) -> Self {
        SendError { cause, reason }
    }
}

impl From<io::Error> for SendError {
    fn from(error: io::Error) -> Self {
        StorageError::from(error).into()
    }
}
