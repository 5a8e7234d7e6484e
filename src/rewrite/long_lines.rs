//! Lines of a header section that are too long (RFC 5322 2.1.1), and how they are made shorter.

use crate::header::{FOLD_AT, Field, FieldBody, MAX_LINE, MAX_WORD, encoded_word, unfolded, write_field};

/// Octets of a field name that leaves the longest word room on its line.
const MAX_NAME: usize = MAX_LINE - MAX_WORD - ": ".len();

/// Unstructured fields (RFC 5322 2.2.1) beside those whose names begin with `X-`: an encoded-word in them is read.
const UNSTRUCTURED: [&str; 6] = [
    "subject",
    "comments",
    "content-description",
    "organization",
    "thread-topic",
    "user-agent",
];

/// Whether a line of the field is too long.
pub(super) fn has_any(raw: &[u8]) -> bool {
    raw.len() > MAX_LINE
        && raw
            .split(|&b| b == b'\n')
            .any(|line| text_of(line).len() > MAX_LINE)
}

/// Appends the field with its long lines folded. Where a word is too long for a line, unstructured text goes out in
/// encoded-words, and any other field is left out: half of its body would say something else. A Content-* field stays as it is,
/// since the body would be read differently without it; if SES then refuses the message, the owner is told.
///
/// Returns whether the field was changed.
pub(super) fn write_shorter(out: &mut Vec<u8>, field: &Field<'_>, line_ending: &[u8]) -> bool {
    let start = out.len();
    // A boundary in quotes has blanks of its own, and not every reader unfolds it.
    let may_fold = |before: u8| !is_content(field) || before == b';';
    // Before the colon a fold would end the header section.
    let mut head = octets_to_colon(field);
    for line in field.raw().split_inclusive(|&b| b == b'\n') {
        let text = text_of(line.strip_suffix(b"\n").unwrap_or(line));
        let (name, text) = text.split_at(std::mem::take(&mut head).min(text.len()));
        out.extend_from_slice(name);
        if name.len() + text.len() <= MAX_LINE {
            out.extend_from_slice(text);
        } else if name.len() > MAX_LINE || !fold(out, name.len(), text, may_fold, line_ending) {
            out.truncate(start);
            return encode(out, field, line_ending);
        }
        out.extend_from_slice(line_ending);
    }
    true
}

/// Whether the field is one of those that describe the body (RFC 2045).
fn is_content(field: &Field<'_>) -> bool {
    let prefix = field.name().get(.."content-".len());
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"content-"))
}

fn text_of(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Appends a line, folded before runs of blanks. Returns false if a word is too long for that.
///
/// A run of blanks at the line's end stays there, since a line of blanks alone would end the field for some.
fn fold(
    out: &mut Vec<u8>,
    mut column: usize,
    text: &[u8],
    may_fold: impl Fn(u8) -> bool,
    line_ending: &[u8],
) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let is_blank = |b: &&u8| matches!(**b, b' ' | b'\t');
        let blanks = rest.iter().take_while(is_blank).count();
        let word = rest[blanks..].iter().take_while(|b| !is_blank(b)).count();
        let end = blanks + word;
        let before = out.last().copied().unwrap_or_default();
        if column > 0 && blanks > 0 && word > 0 && column + end > FOLD_AT && may_fold(before) {
            out.extend_from_slice(line_ending);
            column = 0;
        }
        out.extend_from_slice(&rest[..end]);
        column += end;
        if column > MAX_LINE {
            return false;
        }
        rest = &rest[end..];
    }
    true
}

/// Octets of the field's name, the blanks behind it and the colon.
fn octets_to_colon(field: &Field<'_>) -> usize {
    let name = field.name().len();
    let blanks = field.raw()[name..]
        .iter()
        .take_while(|b| matches!(b, b' ' | b'\t'));
    name + blanks.count() + 1
}

/// Whether it is a field of text that is not one of another program's own.
fn is_unstructured(field: &Field<'_>) -> bool {
    UNSTRUCTURED.iter().any(|known| field.is(known))
}

/// Whether an encoded-word in the field is read: it is a field of text, or another program's own.
pub(super) fn is_text(field: &Field<'_>) -> bool {
    let prefix = field.name().get(..2);
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"x-")) || is_unstructured(field)
}

fn encode(out: &mut Vec<u8>, field: &Field<'_>, line_ending: &[u8]) -> bool {
    let unstructured = is_unstructured(field);
    if is_content(field) && !unstructured {
        out.extend_from_slice(field.raw());
        return false;
    }
    let Ok(name) = std::str::from_utf8(field.name()) else {
        return true;
    };
    let is_extension = name.len() > 2 && name[..2].eq_ignore_ascii_case("x-");
    if (is_extension || unstructured) && name.len() <= MAX_NAME {
        let text = encoded_word::decode(&unfolded(field.body()));
        write_field(out, name, &FieldBody::unstructured(text.trim()), line_ending);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    fn shortened(raw: &str) -> String {
        let mut header = Header::new();
        header.push(raw.as_bytes());
        let mut out = Vec::new();
        for field in header.fields() {
            assert!(has_any(field.raw()));
            write_shorter(&mut out, &field, b"\r\n");
        }
        assert!(!has_any(&out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn long_lines_are_folded_and_unfold_to_what_they_were() {
        for raw in [
            format!("Cc: {}\r\n", "jane@example.org, ".repeat(80).trim_end()),
            format!("X: short\r\n {}\r\n", "b  ".repeat(600)),
            format!("Keywords: {}x\r\n", "\u{e9} \t".repeat(400)),
            format!("X-Pad{}: {}\r\n", " ".repeat(80), "ab ".repeat(400).trim_end()),
        ] {
            let folded = shortened(&raw);
            assert_eq!(folded.replace("\r\n", ""), raw.replace("\r\n", ""));
            assert!(
                folded
                    .split("\r\n")
                    .skip(1)
                    .all(|line| line.is_empty() || line.starts_with([' ', '\t']))
            );
        }
    }

    #[test]
    fn a_word_that_is_too_long_is_encoded_or_left_out() {
        let long = "x".repeat(1500);
        let encoded = shortened(&format!("X-Spam-Report: {long}\r\n"));
        let decoded = encoded_word::decode(&unfolded(encoded.as_bytes()));
        assert_eq!(decoded.trim_end(), format!("X-Spam-Report: {long}"));
        assert_eq!(shortened(&format!("Received: {long}\r\n")), "");
        assert_eq!(shortened(&format!("{}: x\r\n", "X-".repeat(700))), "");
    }

    #[test]
    fn short_lines_are_not_touched() {
        assert!(!has_any(b"Subject: x\r\n"));
        assert!(!has_any(
            format!("X: {}\r\n\t{}\r\n", "x".repeat(900), "x".repeat(900)).as_bytes()
        ));
        assert!(!has_any(format!("{}\r\n", "x".repeat(998)).as_bytes()));
    }
}
