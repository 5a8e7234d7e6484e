//! Watches for a message that has no lines.

use memchr::memchr;

use super::error::Error;
use super::reader::Head;

/// Looks for the first line break of a message whose head has none: rare, and over with the first LF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineBreakWatch {
    /// There was an LF.
    Seen,
    /// There was no LF yet.
    NoneYet {
        /// Whether there was a CR.
        cr: bool,
    },
}

impl LineBreakWatch {
    pub(crate) fn new(head: &Head) -> Self {
        match head.line_ending {
            Some(_) => LineBreakWatch::Seen,
            None => LineBreakWatch::NoneYet { cr: false },
        }
    }

    /// Takes the next bytes of the body.
    pub(crate) fn see(&mut self, chunk: &[u8]) {
        if let LineBreakWatch::NoneYet { cr } = self {
            if memchr(b'\n', chunk).is_some() {
                *self = LineBreakWatch::Seen;
            } else {
                *cr |= memchr(b'\r', chunk).is_some();
            }
        }
    }

    /// Ends the message.
    pub(crate) fn finish(self) -> Result<(), Error> {
        match self {
            LineBreakWatch::NoneYet { cr: true } => Err(Error::BareCr),
            _ => Ok(()),
        }
    }
}
