//! Outboxes: the places that mail is sent to, which are SES and, for trials, a directory.
//!
//! A message is sent in two steps. [`Outbox::begin`] reads all of its body, and nothing is sent if it cannot be read.
//! [`Sending::next`] then sends it to as many targets as the service takes at once, until there are no more, so that each
//! send can be recorded before the next one begins.

#[cfg(not(feature = "aws"))]
mod absent;
mod directory;
mod error;
mod message;
#[cfg(feature = "cli")]
pub(crate) mod nowhere;
#[cfg(feature = "aws")]
mod ses;

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::deadline::Deadline;

#[cfg(not(feature = "aws"))]
use absent as ses;
pub use error::{Cause, SendError};
pub use message::{BodyReader, Content, Outgoing, Sent};
pub use ses::SesOutbox;

/// A place that messages are sent to.
#[derive(Clone, Debug)]
pub enum Outbox {
    /// A directory: `<message id>.<n>.eml` is a message, `<message id>.<n>.json` its envelope, `n` from 0.
    Directory(PathBuf),
    /// SES.
    Ses(SesOutbox),
    /// No place: a message is made ready for SES and looked at, and goes to nobody.
    #[cfg(feature = "cli")]
    Nowhere,
}

/// Removes what interrupted runs have left half written in a directory of messages.
pub(crate) fn remove_abandoned_drafts(directory: &Path) {
    directory::remove_abandoned(directory);
}

/// A message that is being sent.
#[derive(Debug)]
pub enum Sending<'a> {
    /// To a directory.
    Directory(directory::Sending<'a>),
    /// To SES.
    Ses(ses::Sending<'a>),
    /// To nobody.
    #[cfg(feature = "cli")]
    Nowhere(nowhere::Sending),
}

impl Outbox {
    /// The directory, if it is one.
    pub(crate) fn directory(&self) -> Option<&Path> {
        match self {
            Outbox::Directory(directory) => Some(directory),
            Outbox::Ses(_) => None,
            #[cfg(feature = "cli")]
            Outbox::Nowhere => None,
        }
    }

    /// Reads the body, and gets ready to send. The answers to all sends have to be there by the deadline.
    ///
    /// # Errors
    /// If the body cannot be read by then. Nothing has been sent.
    pub async fn begin<'a>(
        &'a self,
        outgoing: &'a Outgoing,
        body: &mut BodyReader,
        deadline: Deadline,
    ) -> Result<Sending<'a>, SendError> {
        let begun = async {
            Ok(match self {
                Outbox::Directory(directory) => {
                    Sending::Directory(directory::begin(directory, outgoing, body).await?)
                }
                Outbox::Ses(ses) => Sending::Ses(ses.begin(outgoing, body, deadline).await?),
                #[cfg(feature = "cli")]
                Outbox::Nowhere => Sending::Nowhere(nowhere::begin(outgoing, body).await?),
            })
        };
        let out_of_time = || SendError {
            cause: Cause::Deadline,
            reason: "the time ended before the message was read".to_owned(),
        };
        deadline.race(begun).await.unwrap_or_else(|| Err(out_of_time()))
    }
}

impl Sending<'_> {
    /// The size of the message that goes out, as it was written.
    pub fn message_octets(&self) -> u64 {
        match self {
            Sending::Directory(sending) => sending.message_octets(),
            Sending::Ses(sending) => sending.message_octets(),
            #[cfg(feature = "cli")]
            Sending::Nowhere(sending) => sending.octets,
        }
    }

    /// The targets of the last send, by their places in the message's list: after an [ambiguous](Cause::Ambiguous) error those who
    /// may have got it.
    pub fn asked(&self) -> Range<usize> {
        match self {
            Sending::Ses(sending) => sending.asked(),
            // Nothing is ambiguous there.
            Sending::Directory(_) => 0..0,
            #[cfg(feature = "cli")]
            Sending::Nowhere(_) => 0..0,
        }
    }

    /// Sends the message to the next targets. `None`: there are no more, or sending to them is pointless after an error.
    pub async fn next(&mut self) -> Option<Result<Sent, SendError>> {
        match self {
            Sending::Directory(sending) => sending.next(),
            Sending::Ses(sending) => sending.next().await,
            #[cfg(feature = "cli")]
            Sending::Nowhere(_) => None,
        }
    }
}
