//! What an outbox is given to send, and what it answers.

use std::io;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::arrival::MessageId;
use crate::bucket::{Source, Stream};
use crate::header::hexadecimal;
use crate::header::mailbox::Address;
use crate::preflight::{Checker, Report};
use crate::rewrite::{Head, LineBreakWatch, Plan};

/// An outgoing message and its envelope.
#[derive(Debug)]
pub struct Outgoing {
    /// The stored message's id.
    pub message_id: MessageId,
    /// The envelope's sender, and the From of the message.
    pub from: Address,
    /// The envelope's recipients.
    pub to: Vec<Address>,
    /// The message.
    pub content: Arc<Content>,
}

/// A stored message, and the edits with which it goes out.
#[derive(Debug)]
pub struct Content {
    /// The stored message.
    pub source: Source,
    /// The edits, which every writing of a request shares.
    pub plan: Arc<Plan>,
}

impl Content {
    /// The size of the message that goes out.
    pub fn octets(&self) -> u64 {
        self.plan.outgoing_octets(self.source.octets())
    }
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
    from: u64,
    stream: Stream,
    /// `None`: what is read is known to have lines.
    watch: Option<LineBreakWatch>,
    hash: Option<Sha256>,
    checker: Option<Checker>,
}

impl BodyReader {
    /// A reading of this stream, which begins with the body. The body is hashed only on request: that is a third of the
    /// work.
    pub(crate) fn new(stream: Stream, head: &Head, hashed: bool) -> Self {
        BodyReader {
            from: head.header.octets() as u64,
            stream,
            watch: Some(LineBreakWatch::new(head)),
            hash: hashed.then(Sha256::new),
            checker: None,
        }
    }

    /// A reading of a whole message, whose lines do not matter.
    pub(crate) fn whole(stream: Stream) -> Self {
        BodyReader {
            from: 0,
            stream,
            watch: None,
            hash: None,
            checker: None,
        }
    }

    /// The same reading, which also looks for what SES would refuse of the body.
    #[must_use]
    pub(crate) fn checked(mut self, head: &Head) -> Self {
        let mut checker = Checker::default();
        checker.write(head.header.raw());
        self.checker = Some(checker);
        self
    }

    /// The offset in the message at which the body begins.
    pub fn from(&self) -> u64 {
        self.from
    }

    /// The next chunk of the body; `None` at its end.
    ///
    /// # Errors
    /// If it cannot be read, or the message turns out to have no lines.
    pub async fn next(&mut self) -> io::Result<Option<&[u8]>> {
        match self.stream.next().await? {
            Some(chunk) => {
                if let Some(watch) = &mut self.watch {
                    watch.see(chunk);
                }
                if let Some(checker) = &mut self.checker {
                    checker.write(chunk);
                }
                if let Some(hash) = &mut self.hash {
                    hash.update(chunk);
                }
                Ok(Some(chunk))
            }
            None => match &self.watch {
                Some(watch) => watch.finish().map(|()| None).map_err(io::Error::other),
                None => Ok(None),
            },
        }
    }

    /// Whether the rest is read for its findings alone: those so far mean that the message is planned anew, and then read again.
    pub(crate) fn is_for_findings(&self) -> bool {
        self.checker.as_ref().is_some_and(Checker::needs_edits_of_parts)
    }

    /// The findings in the message, if it was checked. To be asked once, after the body has been read.
    pub(crate) fn report(&mut self) -> Option<Report> {
        self.checker.take().map(Checker::finish)
    }

    /// The SHA-256 of what has been read, if it was hashed.
    pub(crate) fn sha256(self) -> Option<String> {
        self.hash.map(|hash| hexadecimal(&hash.finalize()))
    }
}
