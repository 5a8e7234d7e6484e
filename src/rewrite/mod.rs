//! The rewrite: bytes in, bytes out, only the top-level header section changed.

mod controls;
mod name;
mod reader;
mod rules;
mod sender;
mod subject;

pub use reader::{Head, HeaderReader};
pub use rules::{FromFormat, ORIGINAL_TO, Rules, ToHeader, UnknownSetting};

use memchr::memchr;

/// Looks for the first line break of a message whose head has none: rare, and over with the first LF.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineBreakWatch(
    /// No LF yet: has there been a CR?
    Option<bool>,
);

impl LineBreakWatch {
    pub(crate) fn new(head: &Head) -> Self {
        LineBreakWatch(head.line_ending.is_none().then_some(false))
    }

    /// The next bytes of the body.
    pub(crate) fn see(&mut self, chunk: &[u8]) {
        if let Some(cr) = self.0 {
            self.0 = match memchr(b'\n', chunk) {
                Some(_) => None,
                None => Some(cr || memchr(b'\r', chunk).is_some()),
            };
        }
    }

    /// The message has ended.
    pub(crate) fn finish(self) -> Result<(), Error> {
        if self.0 == Some(true) {
            Err(Error::BareCr)
        } else {
            Ok(())
        }
    }
}

/// Why a message cannot be rewritten. Every message whose header section is within its limit can, but for one
/// kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The header section exceeds [`Limits::header`](crate::mime::Limits::header).
    #[error("the header section is longer than {limit} octets; no mail service would take it")]
    HeaderTooLong {
        /// The limit, in octets.
        limit: usize,
    },
    /// The message has CR but no LF anywhere: it has no lines (RFC 5322 2.1), so that no header field of it
    /// can be told from its body.
    #[error("the message ends its lines with bare CR and has no LF anywhere; convert it to CRLF or LF first")]
    BareCr,
}

/// Octets of the header section before and after the rewrite, the empty line included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderOctets {
    /// As the message came.
    pub before: u64,
    /// As it goes out.
    pub after: u64,
}

/// Rewrites one message, chunk by chunk. See the [crate documentation](crate) for an example.
///
/// # Termination
/// [`Rewriter::end`] must be called: a message that ends inside its header section goes out only then.
///
/// # Errors
/// After an error every further call returns it again. What has been written by then is to be thrown away.
#[derive(Debug)]
pub struct Rewriter {
    rules: Rules,
    state: State,
    watch: LineBreakWatch,
}

#[derive(Debug)]
enum State {
    Header(Box<HeaderReader>),
    Body(HeaderOctets),
    Failed(Error),
}

impl Rewriter {
    /// A rewriter at the start of a message.
    pub fn new(rules: Rules) -> Self {
        Rewriter {
            rules,
            state: State::Header(Box::default()),
            watch: LineBreakWatch(None),
        }
    }

    /// The size of the header section before and after, known as soon as the header section has ended. The
    /// output is `after - before` octets longer than the input.
    pub fn header_octets(&self) -> Option<HeaderOctets> {
        match self.state {
            State::Body(octets) => Some(octets),
            State::Header(_) | State::Failed(_) => None,
        }
    }

    /// Takes the next bytes of the message and passes what can go out to `sink`. Body bytes are passed through
    /// without a copy.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn write(&mut self, chunk: &[u8], sink: &mut impl FnMut(&[u8])) -> Result<(), Error> {
        self.advance(chunk, false, sink)
    }

    /// The message has ended.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn end(mut self, sink: &mut impl FnMut(&[u8])) -> Result<HeaderOctets, Error> {
        self.advance(&[], true, sink)?;
        self.watch.finish()?;
        match self.state {
            State::Body(octets) => Ok(octets),
            State::Failed(error) => Err(error),
            State::Header(_) => unreachable!("the last read returns the head or an error"),
        }
    }

    fn advance(&mut self, mut chunk: &[u8], last: bool, sink: &mut impl FnMut(&[u8])) -> Result<(), Error> {
        match &mut self.state {
            State::Failed(error) => return Err(*error),
            State::Body(_) => {}
            State::Header(reader) => match reader.read(&mut chunk, last) {
                Ok(None) => return Ok(()),
                Ok(Some(head)) => {
                    let header = self.rules.rewrite(&head);
                    sink(&header);
                    if !head.body.is_empty() {
                        sink(&head.body);
                    }
                    self.watch = LineBreakWatch::new(&head);
                    let (before, after) = (head.header.octets() as u64, header.len() as u64);
                    self.state = State::Body(HeaderOctets { before, after });
                }
                Err(error) => {
                    self.state = State::Failed(error);
                    return Err(error);
                }
            },
        }
        self.watch.see(chunk);
        if !chunk.is_empty() {
            sink(chunk);
        }
        Ok(())
    }
}
