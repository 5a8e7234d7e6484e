//! Control characters in a header section.
//!
//! Some programs end a line at a bare CR, trim names of every octet up to the space, or stop at a NUL. To them a header
//! section with controls in it holds other fields than it does to us and to SES, so none but tabs and line breaks goes
//! out. Raw ISO-2022-JP, whose escape sequences are controls, becomes encoded-words instead of being torn.

use encoding_rs::ISO_2022_JP;

use super::notes::Notes;
use crate::header::{Field, Header, encoded_word};
use crate::preflight::Code;

const ESCAPE: u8 = 0x1b;

/// Columns of a line that an encoded-word stands in (RFC 2047 2).
const FOLD_AT: usize = 76;

/// The header section without its controls, or `None` where it has none: nearly always.
///
/// A CR that no LF follows becomes a space; every other control but the tab, and the LF and CRLF that end lines, is left out.
/// This adds, divides and moves no field.
pub(super) fn cleaned(header: &Header, line_ending: &[u8]) -> Option<Header> {
    if !has_controls(header.raw()) {
        return None;
    }
    let mut clean = Header::new();
    for field in header.fields() {
        clean.push(&cleaned_field(field, line_ending));
    }
    clean.end(header.empty_line());
    Some(clean)
}

/// Notes the controls that SES is suspected to refuse.
pub(super) fn note(header: &Header, notes: &mut Notes) {
    let raw = header.raw();
    let mut pairs = raw.windows(2);
    if pairs.any(|pair| pair[0] == b'\r' && pair[1] != b'\n') {
        notes.add(Code::BareCr);
    }
    if memchr::memchr(0, raw).is_some() {
        notes.add(Code::Nul);
    }
}

/// Whether there is an octet to replace or to leave out.
#[allow(clippy::needless_bitwise_bool)] // A branch would keep it from being vectorised.
fn has_controls(raw: &[u8]) -> bool {
    // No early exit and no branch, so that it vectorises.
    let pairs = raw.iter().zip(raw.iter().skip(1));
    let any = pairs.fold(false, |any, (&octet, &next)| {
        let is_control = (octet < b' ') & (octet != b'\t') & (octet != b'\n') & (octet != b'\r');
        any | is_control | (octet == 0x7f) | ((octet == b'\r') & (next != b'\n'))
    });
    any || raw.last().is_some_and(|&last| is_dropped(last) || last == b'\r')
}

fn is_dropped(octet: u8) -> bool {
    matches!(octet, 0..b'\t' | 0x0b | 0x0c | 0x0e..b' ' | 0x7f)
}

fn cleaned_field(field: Field<'_>, line_ending: &[u8]) -> Vec<u8> {
    let raw = field.raw();
    let mut clean = Vec::with_capacity(raw.len());
    let mut line = Line::default();
    let mut at = 0;
    while let Some(&octet) = raw.get(at) {
        if octet == ESCAPE && begins_shift(&raw[at..]) {
            let end = at + shifted_len(&raw[at..]);
            push_encoded_words(&mut clean, &mut line, &raw[at..end], raw.get(end), line_ending);
            at = end;
            continue;
        }
        at += 1;
        match octet {
            b'\r' if raw.get(at) != Some(&b'\n') => clean.push(b' '),
            _ if is_dropped(octet) => {}
            _ => {
                clean.push(octet);
                line.is_blank &= matches!(octet, b' ' | b'\t');
            }
        }
        if octet == b'\n' {
            line = Line::at(clean.len());
        }
    }
    clean
}

/// Whether an escape sequence of ISO-2022-JP begins here that leaves ASCII (RFC 1468).
fn begins_shift(raw: &[u8]) -> bool {
    [&b"\x1b$@"[..], b"\x1b$B", b"\x1b(J", b"\x1b(I"]
        .iter()
        .any(|escape| raw.starts_with(escape))
}

/// Octets up to the return to ASCII, that sequence included, or to the end of the line, which is such a return too.
///
/// In `ESC $ B $ 3 ESC ( B text` they are all but ` text`.
fn shifted_len(raw: &[u8]) -> usize {
    for at in 1..raw.len() {
        match raw[at] {
            b'\n' => return if raw[at - 1] == b'\r' { at - 1 } else { at },
            ESCAPE if raw[at..].starts_with(b"\x1b(B") => return at + 3,
            _ => {}
        }
    }
    raw.len()
}

/// The last line of the output.
struct Line {
    start: usize,
    /// Nothing but blanks is in it.
    is_blank: bool,
}

impl Line {
    fn at(start: usize) -> Self {
        let is_blank = true;
        Line { start, is_blank }
    }
}

impl Default for Line {
    fn default() -> Self {
        Line::at(0)
    }
}

/// Appends the encoded-words that stand for ISO-2022-JP, before the octet `next`.
fn push_encoded_words(
    clean: &mut Vec<u8>,
    line: &mut Line,
    shifted: &[u8],
    next: Option<&u8>,
    line_ending: &[u8],
) {
    // A control in the middle of a character of two octets would shift all that follow.
    let octets: Vec<u8> = shifted
        .iter()
        .copied()
        .filter(|&b| b == ESCAPE || matches!(b, b' '..=b'~') || b >= 0x80)
        .collect();
    let (text, _) = ISO_2022_JP.decode_without_bom_handling(&octets);
    let encoded = encoded_word::encode_unstructured(&text);
    let mut column = clean.len() - line.start;
    for word in encoded.split(' ').filter(|word| !word.is_empty()) {
        if column + 1 + word.len() > FOLD_AT && !line.is_blank {
            clean.extend_from_slice(line_ending);
            *line = Line::at(clean.len());
            clean.push(b' ');
            column = 1;
        } else if !clean.ends_with(b" ") && !clean.ends_with(b"\t") && !clean.ends_with(b"\"") {
            clean.push(b' ');
            column += 1;
        }
        clean.extend_from_slice(word.as_bytes());
        line.is_blank = false;
        column += word.len();
    }
    // An encoded-word that something else touches is not one (RFC 2047 5).
    if next.is_some_and(|next| !b" \t\r\n\",;)".contains(next)) {
        clean.push(b' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(fields: &[&[u8]], empty_line: &[u8]) -> Header {
        let mut header = Header::new();
        for field in fields {
            header.push(field);
        }
        header.end(empty_line);
        header
    }

    fn clean(field: &[u8]) -> String {
        let header = header(&[b"A: 1\r\n", field], b"\r\n");
        let clean = cleaned(&header, b"\r\n").unwrap_or_else(|| header.clone());
        assert_eq!(clean.fields().count(), 2);
        assert_eq!(clean.empty_line(), b"\r\n");
        String::from_utf8_lossy(clean.fields().nth(1).unwrap().raw()).into_owned()
    }

    #[test]
    fn a_section_without_controls_is_left_alone() {
        let fields: [&[u8]; 3] = [b"A: 1\r\n", b"B:\ta\r\n\tb\n c\xff\n", b"C: \xc3\xbc"];
        assert!(cleaned(&header(&fields, b"\n"), b"\n").is_none());
    }

    #[test]
    fn controls_do_not_go_out() {
        for (field, want) in [
            (&b"X: a\rBcc: b\r\n"[..], "X: a Bcc: b\r\n"),
            (b"X: a\r\r\r\n", "X: a  \r\n"),
            (b"X: a\r\x01\r\n X-SES-A: b\r\n", "X: a \r\n X-SES-A: b\r\n"),
            (b"X: a\0b\x01c\x0bd\x0ce\x7ff\r\n", "X: abcdef\r\n"),
            (b"X: a\r", "X: a "),
            (b"X: \x1b[31mred\r\n", "X: [31mred\r\n"),
            (b"X: \x1b(B\x1b\r\n", "X: (B\r\n"),
        ] {
            assert_eq!(clean(field), want);
        }
    }

    /// Catches an escape sequence whose ESC alone is dropped, which leaves `$B` and the like to be read.
    #[test]
    fn raw_iso_2022_jp_becomes_encoded_words() {
        for (field, want, text) in [
            (
                &b"Subject: \x1b$B$3$s\x1b(B\r\n"[..],
                "Subject: =?utf-8?b?44GT44KT?=\r\n",
                "\u{3053}\u{3093}",
            ),
            (
                b"Subject: Re:\x1b$B$3\x1b(Bx\x1b$B$s",
                "Subject: Re: =?utf-8?b?44GT?= x =?utf-8?b?44KT?=",
                "Re: \u{3053} x \u{3093}",
            ),
            (
                b"From: \"\x1b$B$3\x1b(B\" <a@example.org>\r\n",
                "From: \"=?utf-8?b?44GT?=\" <a@example.org>\r\n",
                "\"\u{3053}\" <a@example.org>",
            ),
            // A line break ends it as the escape sequence does.
            (
                b"Subject: \x1b$B$3\r\n $s\r\n",
                "Subject: =?utf-8?b?44GT?=\r\n $s\r\n",
                "\u{3053} $s",
            ),
        ] {
            let clean = clean(field);
            assert_eq!(clean, want);
            let body = &clean[clean.find(':').unwrap() + 1..];
            assert_eq!(encoded_word::decode(body.as_bytes()).trim(), text);
        }
    }

    #[test]
    fn long_iso_2022_jp_is_folded() {
        let field = [b"Subject: ", &b"\x1b$B$3$s\x1b(B ".repeat(300)[..], b"\r\n"].concat();
        let clean = clean(&field);
        assert!(
            clean.split("\r\n").all(|line| line.len() <= FOLD_AT + 1),
            "{clean}"
        );
        let decoded = encoded_word::decode(&clean.as_bytes()[8..]);
        assert_eq!(decoded.trim(), "\u{3053}\u{3093}".repeat(300));
    }
}
