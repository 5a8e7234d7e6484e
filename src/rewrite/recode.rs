//! Writes a stretch of a message in another form while it passes; its content stays the same.

use std::fmt;

use memchr::{memchr2, memchr3_iter};

use super::strict;
use crate::header::{FoldPlaces, MAX_LINE};

/// Columns of a line of base64 or quoted-printable at most (RFC 2045 6.7, 6.8).
const MAX_ENCODED_LINE: usize = 76;

/// Octets that make a line of base64.
const BASE64_GROUP: usize = MAX_ENCODED_LINE / 4 * 3;

/// Octets behind the one that is looked at that decide on it: `=41` and a line break.
const LOOK_AHEAD: usize = 5;

/// The form in which a stretch goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Base64 as it came, its lines broken anew.
    Base64Lines,
    /// Quoted-printable as it came, softly broken where a line is too long (RFC 2045 6.7, rule 5).
    SoftBreaks,
    /// The octets that came, in quoted-printable.
    QuotedPrintable,
    /// The octets that came, in base64.
    Base64,
    /// The octets that came, with line breaks in lines that are too long. For text that nobody reads: a preamble or an
    /// epilogue.
    HardBreaks,
    /// A header field, folded.
    Folded,
    /// A header field in its plainest form, or nothing where it has none.
    PlainField,
    /// A Content-Type that says multipart, as that of a text.
    TextType,
}

/// A form, and the line ending that is written in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Recoding {
    /// The form.
    pub form: Form,
    /// The message's own line ending.
    pub line_ending: &'static [u8],
}

impl fmt::Debug for Recoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({})", self.form, self.line_ending.escape_ascii())
    }
}

/// Writes a stretch in its form, in chunks of any size.
#[derive(Clone, Debug)]
pub(super) struct Recoder {
    recoding: Recoding,
    column: usize,
    /// Octets that have come and wait for those that follow.
    pending: Vec<u8>,
    /// The last octet that came was a line feed.
    after_line_feed: bool,
    /// Of a field.
    folds: FoldPlaces,
}

impl Recoder {
    pub(super) fn new(recoding: Recoding) -> Self {
        Recoder {
            recoding,
            column: 0,
            pending: Vec::new(),
            after_line_feed: false,
            folds: FoldPlaces::default(),
        }
    }

    /// Takes the next octets of the stretch.
    pub(super) fn write(&mut self, chunk: &[u8], sink: &mut impl FnMut(&[u8])) {
        let Some(&last) = chunk.last() else {
            return;
        };
        self.after_line_feed = last == b'\n';
        let out = self.recode(chunk, false);
        if !out.is_empty() {
            sink(&out);
        }
    }

    /// Ends the stretch.
    pub(super) fn end(mut self, sink: &mut impl FnMut(&[u8])) {
        let mut out = self.recode(&[], true);
        let is_encoded = matches!(self.recoding.form, Form::Base64 | Form::Base64Lines);
        if is_encoded && self.column > 0 && self.after_line_feed {
            out.extend_from_slice(self.recoding.line_ending);
        }
        if !out.is_empty() {
            sink(&out);
        }
    }

    fn recode(&mut self, chunk: &[u8], last: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(chunk.len() / 2 * 3 + 2 * MAX_ENCODED_LINE);
        match self.recoding.form {
            Form::Base64 => self.encode_base64(chunk, last, &mut out),
            Form::Base64Lines => self.break_base64(chunk, &mut out),
            // A field is short: see `mime::Limits::field`.
            Form::PlainField | Form::TextType => {
                self.pending.extend_from_slice(chunk);
                if last {
                    out = self.whole_field();
                }
            }
            Form::SoftBreaks | Form::QuotedPrintable | Form::HardBreaks | Form::Folded => {
                let mut input = std::mem::take(&mut self.pending);
                input.extend_from_slice(chunk);
                let kept = if last { 0 } else { LOOK_AHEAD };
                let mut at = 0;
                while at + kept < input.len() {
                    let run = self.plain_run(&input[at..input.len() - kept]);
                    out.extend_from_slice(&input[at..at + run]);
                    self.column += run;
                    at += run;
                    if at + kept < input.len() {
                        at += self.step(&input[at..], &mut out);
                    }
                }
                input.drain(..at);
                self.pending = input;
            }
        }
        out
    }

    /// The form in which a field that has come to its end goes out.
    fn whole_field(&self) -> Vec<u8> {
        let line_ending = self.recoding.line_ending;
        match self.recoding.form {
            Form::TextType => strict::type_of_text(&self.pending, line_ending),
            _ => strict::plain_field(&self.pending, line_ending),
        }
    }

    /// Octets at the front of `input` that go out as they are and fit in the line. The result is that of [`Recoder::step`] on
    /// each of them, but cheaper.
    fn plain_run(&self, input: &[u8]) -> usize {
        let is_plain: fn(&[u8]) -> bool = match self.recoding.form {
            Form::QuotedPrintable => are_printable,
            Form::SoftBreaks => are_of_a_line,
            _ => return 0,
        };
        let room = (MAX_ENCODED_LINE - 1).saturating_sub(self.column);
        let ahead = &input[..input.len().min(room)];
        let mut run = ahead.len();
        if !is_plain(ahead) {
            run = ahead.iter().position(|octet| !is_plain(&[*octet])).unwrap_or(run);
        }
        // At the end of a line a blank is written otherwise.
        ahead[..run].trim_ascii_end().len()
    }

    /// Writes the new form of the first octets of `input`, and returns how many of them it took.
    fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> usize {
        let line_break = line_break_len(input);
        if line_break > 0 {
            out.extend_from_slice(&input[..line_break]);
            self.column = 0;
            self.folds.new_line();
            return line_break;
        }
        match self.recoding.form {
            Form::QuotedPrintable => {
                let at_line_end = input.len() == 1 || line_break_len(&input[1..]) > 0;
                let octet = input[0];
                match octet {
                    b' ' | b'\t' if !at_line_end => self.put(&[octet], at_line_end, out),
                    b'!'..=b'~' if octet != b'=' => self.put(&[octet], at_line_end, out),
                    _ => self.put(&quoted(octet), at_line_end, out),
                }
                1
            }
            Form::SoftBreaks => {
                let is_quoted =
                    input[0] == b'=' && input.len() > 2 && input[1..3].iter().all(u8::is_ascii_hexdigit);
                let len = if is_quoted { 3 } else { 1 };
                let at_line_end = input.len() == len || line_break_len(&input[len..]) > 0;
                if matches!(input[0], 0 | b'\x7f'..) {
                    // Such octets have no place in quoted-printable, though every reader takes them as they are.
                    self.put(&quoted(input[0]), at_line_end, out);
                } else {
                    self.put(&input[..len], at_line_end, out);
                }
                len
            }
            Form::Folded => {
                let next = &input[1..];
                let next = next.first().filter(|_| line_break_len(next) == 0);
                if self.folds.take(input[0], next.copied()) {
                    out.extend_from_slice(self.recoding.line_ending);
                }
                out.push(input[0]);
                1
            }
            _ => {
                if self.column == MAX_LINE {
                    // Behind a blank the line is no delimiter.
                    self.new_line(out);
                    out.push(b' ');
                    self.column = 1;
                }
                out.push(input[0]);
                self.column += 1;
                1
            }
        }
    }

    /// Writes a character of quoted-printable, behind a soft break where the line has no room for it and for a `=`.
    fn put(&mut self, character: &[u8], at_line_end: bool, out: &mut Vec<u8>) {
        let room = MAX_ENCODED_LINE - usize::from(!at_line_end);
        let mut written = character;
        if self.column + character.len() > room {
            out.push(b'=');
            self.new_line(out);
            // At the start of a line of ours it could begin a delimiter.
            if character == b"-" {
                written = b"=2D";
            }
        }
        out.extend_from_slice(written);
        self.column += written.len();
    }

    fn new_line(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.recoding.line_ending);
        self.column = 0;
    }

    fn break_base64(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let mut start = 0;
        for end in memchr3_iter(b'\n', b'\r', b' ', chunk).chain([chunk.len()]) {
            let mut piece = &chunk[start..end];
            while let Some(at) = memchr2(b'\t', b'\x0c', piece) {
                self.put_digits(&piece[..at], out);
                piece = &piece[at + 1..];
            }
            self.put_digits(piece, out);
            start = end + 1;
        }
    }

    /// Writes digits of base64 in full lines.
    fn put_digits(&mut self, mut digits: &[u8], out: &mut Vec<u8>) {
        while let [first, after @ ..] = digits {
            if self.column >= MAX_ENCODED_LINE {
                // No digit, and at the start of a line of ours it could begin a delimiter.
                if *first == b'-' {
                    digits = after;
                    continue;
                }
                self.new_line(out);
            }
            let (line, rest) = digits.split_at(digits.len().min(MAX_ENCODED_LINE - self.column));
            out.extend_from_slice(line);
            self.column += line.len();
            digits = rest;
        }
    }

    fn encode_base64(&mut self, chunk: &[u8], last: bool, out: &mut Vec<u8>) {
        self.pending.extend_from_slice(chunk);
        let whole = self.pending.len() / BASE64_GROUP * BASE64_GROUP;
        let ready = if last { self.pending.len() } else { whole };
        for group in self.pending[..ready].chunks(BASE64_GROUP) {
            if self.column > 0 {
                out.extend_from_slice(self.recoding.line_ending);
            }
            base64_simd::STANDARD.encode_append(group, out);
            self.column = MAX_ENCODED_LINE;
        }
        self.pending.drain(..ready);
    }
}

/// The lowest bit of each octet of a word, and the highest.
const LOW: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = LOW << 7;

/// Whether quoted-printable text holds these octets as they are, but for blanks at the end of a line.
fn are_printable(octets: &[u8]) -> bool {
    none_is(octets, |word| any_below(word, b' ') | any_equal(word, b'='))
}

/// Whether quoted-printable text that came keeps these octets as they are: no line breaks, nothing that is quoted or has to be.
fn are_of_a_line(octets: &[u8]) -> bool {
    none_is(octets, |word| {
        any_below(word, 1) | any_equal(word, b'\r') | any_equal(word, b'\n') | any_equal(word, b'=')
    })
}

/// Whether neither `is_bad`, which is asked of eight octets at once, nor an octet above `~` is among these. Octet by octet,
/// this would be most of the work that a large text costs.
fn none_is(octets: &[u8], is_bad: impl Fn(u64) -> u64) -> bool {
    let (words, rest) = octets.as_chunks();
    let mut last = [b'x'; 8];
    last[..rest.len()].copy_from_slice(rest);
    let bad = |word: &[u8; 8]| {
        let word = u64::from_ne_bytes(*word);
        // `~` is 126: one more has the highest bit.
        word | word.wrapping_add(LOW) | is_bad(word)
    };
    let all = words.iter().fold(bad(&last), |all, word| all | bad(word));
    all & HIGH == 0
}

/// The highest bit of an octet of the word, if one of them is below `limit`. For words without octets above 127.
fn any_below(word: u64, limit: u8) -> u64 {
    // An octet that is too small borrows from the next, whose bit may be wrong then: another one is set already.
    word.wrapping_sub(LOW * u64::from(limit)) & !word
}

/// The same, if one of them is this octet.
fn any_equal(word: u64, octet: u8) -> u64 {
    any_below(word ^ (LOW * u64::from(octet)), 1)
}

/// Octets of the line break that stands here; 0 if there is none.
fn line_break_len(input: &[u8]) -> usize {
    match input {
        [b'\n', ..] => 1,
        [b'\r', b'\n', ..] => 2,
        _ => 0,
    }
}

fn quoted(octet: u8) -> [u8; 3] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    [
        b'=',
        DIGITS[usize::from(octet >> 4)],
        DIGITS[usize::from(octet & 15)],
    ]
}

#[cfg(test)]
mod tests;
