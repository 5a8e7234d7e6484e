//! A header section cut as SES's reader cuts it, which is not always as ours does.
//!
//! JavaMail ends a line at CR, LF, CRLF or CR CR LF, a section at the first empty line and nowhere else: a line that is no
//! field is one whose name is all of it. This reader does not decide where our fields and parts are: the scanner alone does. It
//! finds the fields that another program sees in the same octets.

use memchr::memchr3;

use super::address::trimmed;
use crate::mime::Span;

/// Octets of a header section that are read. The scanner takes no longer one, and SES refuses some shorter ones.
const MAX_SECTION: usize = 1 << 20;

/// A field as the other reader sees it: its lines, joined by CRLF.
pub(super) struct SeenField<'a> {
    pub(super) raw: &'a [u8],
    pub(super) span: Span,
}

impl<'a> SeenField<'a> {
    /// The text before the colon, without spaces and controls at its ends; the whole line where there is no colon.
    pub(super) fn name(&self) -> &'a [u8] {
        let end = memchr::memchr(b':', self.raw).unwrap_or(self.raw.len());
        trimmed(&self.raw[..end])
    }

    /// The text after the colon and the blanks behind it.
    pub(super) fn body(&self) -> &'a [u8] {
        let Some(colon) = memchr::memchr(b':', self.raw) else {
            return self.raw;
        };
        let body = &self.raw[colon + 1..];
        let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
        let start = body.iter().position(|b| !blank(b)).unwrap_or(body.len());
        &body[start..]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    LineStart,
    InLine,
    /// Behind the CR that ended a line; an LF would belong to it.
    AfterCr,
    /// Behind two CRs: with an LF they end one line, without it the second ends an empty line.
    AfterTwoCrs,
    /// Behind the CR that ended the section.
    AfterLastCr,
    Ended,
}

/// Reads the header section at the front of the octets that it is fed, however they are cut.
#[derive(Clone, Debug)]
pub(super) struct SectionReader {
    state: State,
    /// The field so far, its lines joined by CRLF, and where it begins.
    field: Vec<u8>,
    start: u64,
    octets: usize,
    /// The first line is being read: where it begins with a blank, it is trimmed and no fold.
    first_line: bool,
    /// The first CR that no LF follows, and the first NUL.
    pub(super) bare_cr: Option<u64>,
    pub(super) nul: Option<u64>,
    /// It is longer than [`MAX_SECTION`]; the rest of it is not read.
    pub(super) is_too_long: bool,
}

impl Default for SectionReader {
    fn default() -> Self {
        SectionReader {
            state: State::LineStart,
            field: Vec::new(),
            start: 0,
            octets: 0,
            first_line: true,
            bare_cr: None,
            nul: None,
            is_too_long: false,
        }
    }
}

impl SectionReader {
    pub(super) fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Takes the next octets, which begin at `offset`, and passes each field that has ended to `each`.
    pub(super) fn feed(&mut self, bytes: &[u8], offset: u64, each: &mut impl FnMut(&SeenField<'_>)) {
        let room = (MAX_SECTION + 1).saturating_sub(self.octets);
        let bytes = &bytes[..bytes.len().min(room)];
        let mut at = 0;
        while at < bytes.len() && self.state != State::Ended {
            let here = offset + at as u64;
            match self.state {
                State::LineStart => at += self.start_line(bytes[at], here, each),
                State::InLine => at += self.read_line(&bytes[at..], here),
                State::AfterCr | State::AfterTwoCrs | State::AfterLastCr => {
                    at += self.after_cr(bytes[at], here, each);
                }
                State::Ended => {}
            }
        }
        self.octets += at;
        if self.octets > MAX_SECTION && self.state != State::Ended {
            self.is_too_long = true;
            self.state = State::Ended;
            self.field = Vec::new();
        }
    }

    /// Ends the section with the message.
    pub(super) fn end(&mut self, offset: u64, each: &mut impl FnMut(&SeenField<'_>)) {
        if self.state == State::InLine {
            self.end_line();
        }
        if self.state != State::Ended {
            self.flush(offset, each);
        }
        self.state = State::Ended;
    }

    /// The octets of the line's start that are taken with this decision.
    fn start_line(&mut self, octet: u8, here: u64, each: &mut impl FnMut(&SeenField<'_>)) -> usize {
        match octet {
            b'\n' | b'\r' => {
                self.flush(here, each);
                self.state = if octet == b'\n' {
                    State::Ended
                } else {
                    State::AfterLastCr
                };
                return 1;
            }
            b' ' | b'\t' if !self.first_line => {
                if self.field.is_empty() {
                    self.start = here;
                } else {
                    self.field.extend_from_slice(b"\r\n");
                }
            }
            _ => {
                self.flush(here, each);
                self.start = here;
            }
        }
        self.state = State::InLine;
        0
    }

    /// Reads to the end of the line, or of the octets that have come.
    fn read_line(&mut self, bytes: &[u8], here: u64) -> usize {
        let mut from = 0;
        loop {
            let Some(found) = memchr3(b'\r', b'\n', 0, &bytes[from..]) else {
                self.field.extend_from_slice(bytes);
                return bytes.len();
            };
            let at = from + found;
            if bytes[at] == 0 {
                self.nul.get_or_insert(here + at as u64);
                from = at + 1;
                continue;
            }
            self.field.extend_from_slice(&bytes[..at]);
            self.end_line();
            self.state = if bytes[at] == b'\n' {
                State::LineStart
            } else {
                State::AfterCr
            };
            return at + 1;
        }
    }

    fn end_line(&mut self) {
        if std::mem::take(&mut self.first_line) && matches!(self.field.first(), Some(b' ' | b'\t')) {
            self.field = trimmed(&self.field).to_vec();
        }
    }

    fn after_cr(&mut self, octet: u8, here: u64, each: &mut impl FnMut(&SeenField<'_>)) -> usize {
        if octet != b'\n' {
            self.bare_cr.get_or_insert(here - 1);
        }
        self.state = match (self.state, octet) {
            (State::AfterLastCr, _) => State::Ended,
            (State::AfterCr, b'\r') => State::AfterTwoCrs,
            (_, b'\n') | (State::AfterCr, _) => State::LineStart,
            _ => {
                self.flush(here - 1, each);
                State::Ended
            }
        };
        let taken = octet == b'\n' || self.state == State::AfterTwoCrs;
        usize::from(taken)
    }

    fn flush(&mut self, end: u64, each: &mut impl FnMut(&SeenField<'_>)) {
        // No reader takes a continuation without a field before it for a field.
        if !matches!(self.field.first(), None | Some(b' ' | b'\t')) {
            let span = Span {
                start: self.start,
                end,
            };
            each(&SeenField {
                raw: &self.field,
                span,
            });
        }
        self.field.clear();
    }
}
