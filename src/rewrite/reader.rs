//! Reads the top-level header section, and as much of the body as it takes to know the message's line ending.

use memchr::memchr;

use super::error::Error;
use crate::header::{Header, line_ending};
use crate::mime::{self, Kind, Limits, Scanner};

/// Octets of a body that are read to find the message's line ending, where its header section has none. More
/// than any line that a mail service takes (998, RFC 5322 2.1.1), and a usual chunk.
const MAX_LINE_ENDING_SEARCH: usize = 1 << 16;

/// The head of a message: its header section, and as much of the body as had to be read.
#[derive(Clone, Debug)]
pub struct Head {
    /// The header section.
    pub header: Header,
    /// Bytes of the body that were taken from the chunks. The rest of the message follows them: what
    /// [`HeaderReader::read`] has left of the chunk, and the further chunks.
    pub body: Vec<u8>,
    /// The message's own line ending, LF or CRLF. `None`: there was none in the bytes that were read.
    pub line_ending: Option<&'static [u8]>,
}

/// Reads a message up to the end of its header section.
///
/// It holds at most [`Limits::header`] octets, since a longer section is refused with [`Error::HeaderTooLong`]; and up to 64 KiB of
/// the body, where the header section has no line ending.
#[derive(Clone, Debug)]
pub struct HeaderReader {
    scanner: Scanner,
    header: Header,
    ended: bool,
    /// The bytes of the body that have been read.
    body: Vec<u8>,
}

impl Default for HeaderReader {
    fn default() -> Self {
        HeaderReader::new(Limits::default())
    }
}

impl HeaderReader {
    /// A reader at the start of a message.
    pub fn new(limits: Limits) -> Self {
        HeaderReader {
            // The body is not taken apart.
            scanner: Scanner::new(limits.with_depth(0)),
            header: Header::new(),
            ended: false,
            body: Vec::new(),
        }
    }

    /// Takes bytes from the front of `chunk`. `None`: all of it was taken and more is needed; this cannot happen after `last`.
    /// Once the head is returned, the reader is spent.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn read(&mut self, chunk: &mut &[u8], last: bool) -> Result<Option<Head>, Error> {
        while !self.ended {
            match self.scanner.next(chunk, last) {
                Ok(None) => return Ok(None),
                Ok(Some(event)) if event.kind == Kind::Field => self.header.push(event.bytes),
                Ok(Some(event)) => {
                    self.header.end(event.bytes);
                    self.ended = true;
                    self.body.extend_from_slice(self.scanner.rest());
                }
                Err(mime::Error::HeaderTooLong { limit }) => return Err(self.too_long(chunk, limit)),
            }
        }
        let body = &mut self.body;
        let mut ending = self.header.line_ending().or_else(|| line_ending(body));
        if ending.is_none() {
            let ahead = &chunk[..chunk.len().min(MAX_LINE_ENDING_SEARCH.saturating_sub(body.len()))];
            let end = memchr(b'\n', ahead).map_or(ahead.len(), |at| at + 1);
            body.extend_from_slice(&ahead[..end]);
            *chunk = &chunk[end..];
            ending = line_ending(body);
            if ending.is_none() && !last && body.len() < MAX_LINE_ENDING_SEARCH {
                return Ok(None);
            }
        }
        let body = std::mem::take(body);
        let header = std::mem::take(&mut self.header);
        if ending.is_none() && (has_cr(header.raw()) || has_cr(&body)) {
            return Err(Error::BareCr);
        }
        Ok(Some(Head {
            header,
            body,
            line_ending: ending,
        }))
    }

    /// The error for a header section that does not end within the limit: either it is too long, or the message has no lines at
    /// all.
    fn too_long(&self, chunk: &[u8], limit: usize) -> Error {
        let untold = self.scanner.rest();
        let looked_at = if untold.len() > limit { untold } else { chunk };
        let looked_at = &looked_at[..looked_at.len().min(limit)];
        let has_lf = self.header.octets() > 0 || memchr(b'\n', looked_at).is_some();
        if !has_lf && has_cr(looked_at) {
            Error::BareCr
        } else {
            Error::HeaderTooLong { limit }
        }
    }
}

fn has_cr(bytes: &[u8]) -> bool {
    memchr(b'\r', bytes).is_some()
}
