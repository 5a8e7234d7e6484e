//! Writes a stretch of a message in another form while it passes; its content stays the same.

mod words;

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
    /// Base64 as it came, re-wrapped.
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
    /// A Content-Type that says multipart, rewritten as a text type.
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
                let ready = input.len().saturating_sub(if last { 0 } else { LOOK_AHEAD });
                let mut at = 0;
                while at < ready {
                    at += self.quick(&input[at..ready], &mut out);
                    if at < ready {
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

    /// Writes octets at the front of `input` whose form does not depend on those behind it, and returns how many it took. The
    /// result is that of [`Recoder::step`] on each of them, but cheaper.
    fn quick(&mut self, input: &[u8], out: &mut Vec<u8>) -> usize {
        match self.recoding.form {
            Form::QuotedPrintable => {
                let run = words::printable_run(input);
                // At the end of a line a blank is written otherwise.
                let run = run - usize::from(matches!(input[..run].last(), Some(b' ' | b'\t')));
                let taken = self.put_plain(&input[..run], out);
                taken + self.put_quoted(&input[taken..], out)
            }
            Form::SoftBreaks => {
                let run = words::run_of_a_line(input);
                let taken = self.put_plain(&input[..run], out);
                let taken = taken + self.put_escapes(&input[taken..], out);
                taken + self.put_quoted(&input[taken..], out)
            }
            Form::HardBreaks => {
                let run = &input[..input.len().min(MAX_LINE - self.column)];
                let run = &run[..memchr2(b'\r', b'\n', run).unwrap_or(run.len())];
                out.extend_from_slice(run);
                self.column += run.len();
                run.len()
            }
            _ => 0,
        }
    }

    /// Writes octets that quoted-printable has as they are, in full lines, and returns how many it took: all, or all but the
    /// last, for which a line has room only if a line break follows.
    fn put_plain(&mut self, octets: &[u8], out: &mut Vec<u8>) -> usize {
        let mut left = octets;
        loop {
            let (line, rest) = left.split_at(left.len().min(self.room()));
            out.extend_from_slice(line);
            self.column += line.len();
            if rest.len() < 2 {
                return octets.len() - rest.len();
            }
            left = &rest[self.break_softly(rest[0], out)..];
        }
    }

    /// Writes octets above 127, quoted, as many as the line has room for.
    fn put_quoted(&mut self, octets: &[u8], out: &mut Vec<u8>) -> usize {
        let most = octets.iter().take(self.room() / 3);
        let count = most.take_while(|octet| !octet.is_ascii()).count();
        let mut written = [[0; 3]; MAX_ENCODED_LINE / 3];
        for (place, octet) in written.iter_mut().zip(&octets[..count]) {
            *place = quoted(*octet);
        }
        out.extend_from_slice(written[..count].as_flattened());
        self.column += 3 * count;
        count
    }

    /// Writes octets that came quoted, as many as the line has room for.
    fn put_escapes(&mut self, input: &[u8], out: &mut Vec<u8>) -> usize {
        let (triples, _) = input.as_chunks::<3>();
        let triples = triples.iter().take(self.room() / 3);
        let len = 3 * triples.take_while(|triple| is_escape(*triple)).count();
        out.extend_from_slice(&input[..len]);
        self.column += len;
        len
    }

    /// Columns that the line has left before a soft break.
    fn room(&self) -> usize {
        (MAX_ENCODED_LINE - 1).saturating_sub(self.column)
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
                let len = if is_escape(input) { 3 } else { 1 };
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
        if self.column + character.len() > room && self.break_softly(character[0], out) > 0 {
            return;
        }
        out.extend_from_slice(character);
        self.column += character.len();
    }

    /// Breaks the line before this octet, and returns how many octets went out behind the break: 1 if it is a `-`, which could
    /// begin a delimiter at the start of a line of ours, and else 0.
    fn break_softly(&mut self, next: u8, out: &mut Vec<u8>) -> usize {
        out.push(b'=');
        self.new_line(out);
        if next != b'-' {
            return 0;
        }
        out.extend_from_slice(&quoted(next));
        self.column = 3;
        1
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

/// Whether an octet in quoted-printable stands here.
fn is_escape(input: &[u8]) -> bool {
    matches!(input, [b'=', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
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
