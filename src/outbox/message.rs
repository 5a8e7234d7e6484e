//! What an outbox is given to send, and what it answers.

use std::io;

use sha2::{Digest, Sha256};

use crate::arrival::MessageId;
use crate::bucket::{Source, Stream};
use crate::header::mailbox::Address;
use crate::rewrite::{Head, LineBreakWatch};

/// An outgoing message and its envelope.
#[derive(Debug)]
pub struct Outgoing<'a> {
    /// The stored message's id.
    pub message_id: &'a MessageId,
    /// The envelope's sender, and the From of the message.
    pub from: &'a Address,
    /// The envelope's recipients.
    pub to: &'a [Address],
    /// The message.
    pub content: Content,
}

/// A new header section before the body of a stored message.
#[derive(Clone, Debug)]
pub struct Content {
    /// The new header section.
    pub header: Vec<u8>,
    /// The stored message.
    pub source: Source,
    /// The offset of the body in the stored message.
    pub body_at: u64,
}

/// Targets to whom a message was sent at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The indices of these targets in [`Outgoing::to`].
    pub to: Vec<usize>,
    /// The id under which the message went out.
    pub id: String,
}

/// The first reading of a message's body.
#[derive(Debug)]
pub struct BodyReader {
    stream: Stream,
    watch: LineBreakWatch,
    hash: Option<Sha256>,
}

impl BodyReader {
    /// A reading of this stream, which begins with the body. The body is hashed only on request: that is a third of the
    /// work.
    pub(crate) fn new(stream: Stream, head: &Head, hashed: bool) -> Self {
        BodyReader {
            stream,
            watch: LineBreakWatch::new(head),
            hash: hashed.then(Sha256::new),
        }
    }

    /// The next chunk of the body; `None` at its end.
    ///
    /// # Errors
    /// If it cannot be read, or the message turns out to have no lines.
    pub async fn next(&mut self) -> io::Result<Option<&[u8]>> {
        match self.stream.next().await? {
            Some(chunk) => {
                self.watch.see(chunk);
                if let Some(hash) = &mut self.hash {
                    hash.update(chunk);
                }
                Ok(Some(chunk))
            }
            None => self.watch.finish().map(|()| None).map_err(io::Error::other),
        }
    }

    /// The SHA-256 of what has been read, if it was hashed.
    pub(crate) fn sha256(self) -> Option<String> {
        self.hash.map(|hash| hexadecimal(&hash.finalize()))
    }
}

/// A hash in hexadecimal digits.
pub(super) fn hexadecimal(hash: &[u8]) -> String {
    hash.iter().map(|octet| format!("{octet:02x}")).collect()
}
