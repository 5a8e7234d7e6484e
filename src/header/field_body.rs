//! New fields: bodies that cannot smuggle a line, and their folding.

use std::fmt::Display;

use super::encoded_word;
use super::text::{FOLD_AT, MAX_BLANKS, has_long_blank, has_long_word, unfolded};

/// Octets of a copied field body that are kept: the most that another program could have put on one line
/// (RFC 5322 2.1.1). A From field of 100 kB in real mail is not worth a second copy.
const MAX_COPY: usize = 998;

/// Octets of a field body that are looked at for a copy: encoded-words take up to four times the octets of their text,
/// and their folds some more.
const MAX_COPIED_FROM: usize = 8 * MAX_COPY;

/// The body of a new field: printable ASCII and spaces, not folded yet. CR, LF, NUL and every other control
/// character become spaces, even if they came out of an encoded-word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldBody(String);

impl FieldBody {
    /// A body of text that is structured ASCII already: addresses, message ids. Every other character becomes a space.
    fn structured(text: String) -> Self {
        if is_clean(&text) {
            return FieldBody(text);
        }
        let text = text.trim_matches(|c| !matches!(c, '!'..='~'));
        let mut blanks = 0;
        let printable = text.chars().map(|c| if matches!(c, ' '..='~') { c } else { ' ' });
        let kept = printable.filter(|&c| {
            blanks = if c == ' ' { blanks + 1 } else { 0 };
            blanks <= MAX_BLANKS
        });
        FieldBody(kept.collect())
    }

    /// Unstructured text (RFC 5322 2.2.1), in encoded-words where it is not plain ASCII (RFC 2047 5).
    pub fn unstructured(text: &str) -> Self {
        FieldBody::structured(encoded_word::encode_unstructured(text))
    }

    /// A list of mailboxes or addresses (RFC 5322 3.4).
    ///
    /// ```
    /// use readdress::header::FieldBody;
    /// use readdress::header::mailbox::parse_address_list;
    ///
    /// let list = parse_address_list(b"Jane Example<jane@example.org>,(Joe) joe@example.org");
    /// assert_eq!(FieldBody::list(&list).as_str(), "Jane Example <jane@example.org>, Joe <joe@example.org>");
    /// ```
    pub fn list<T: Display>(items: impl IntoIterator<Item = T>) -> Self {
        let written = items.into_iter().map(|item| item.to_string());
        let list = written.reduce(|list, next| list + ", " + &next);
        FieldBody::structured(list.unwrap_or_default())
    }

    /// One mailbox, address or message id that has been brought into its written form.
    pub(crate) fn written(text: String) -> Self {
        FieldBody::structured(text)
    }

    /// Words of ASCII, put one after the other.
    pub(crate) fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut text = String::new();
        for word in words {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
        FieldBody::structured(text)
    }

    /// A copy of another field's body, unfolded: as it is where it is ASCII, else as encoded-words. At most
    /// 998 octets of it.
    pub fn copy(body: &[u8]) -> Self {
        let body = body.trim_ascii();
        let mut unfolded = unfolded(&body[..body.len().min(MAX_COPIED_FROM)]);
        if unfolded.is_ascii() && !has_long_word(&unfolded) {
            unfolded.truncate(MAX_COPY);
            unfolded.shrink_to_fit();
            return FieldBody::structured(String::from_utf8(unfolded).unwrap_or_default());
        }
        let text = encoded_word::decode(&unfolded);
        FieldBody::unstructured(text[..text.floor_char_boundary(MAX_COPY)].trim())
    }

    /// A copy of another field's list of addresses: the same, without a limit but that of the header section.
    pub(crate) fn copy_list(body: &[u8]) -> Self {
        let unfolded = unfolded(body.trim_ascii());
        match String::from_utf8(unfolded) {
            Ok(text) if text.is_ascii() && !has_long_word(text.as_bytes()) => FieldBody::structured(text),
            Ok(text) => FieldBody::unstructured(&text),
            Err(error) => FieldBody::unstructured(&encoded_word::decode(error.as_bytes())),
        }
    }

    /// The text, not folded.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether there is nothing to replace or to drop.
fn is_clean(text: &str) -> bool {
    // No early exit, so that it vectorises.
    let printable = text.bytes().fold(true, |all, b| all & matches!(b, b' '..=b'~'));
    printable && !text.starts_with(' ') && !text.ends_with(' ') && !has_long_blank(text)
}

/// Appends `name: body` to `out`, folded at 78 columns where a space allows it, each line ended by `line_ending`.
///
/// A fold is put before a run of spaces that a word follows, so that no line is blank and unfolding gives the
/// body back (RFC 5322 2.2.3).
pub fn write_field(out: &mut Vec<u8>, name: &str, body: &FieldBody, line_ending: &[u8]) {
    debug_assert!(name.bytes().all(|b| matches!(b, b'!'..=b'9' | b';'..=b'~')));
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    let mut rest = body.as_str().as_bytes();
    let mut column = name.len() + 1;
    if !rest.is_empty() && column + 1 + rest.len() <= FOLD_AT {
        out.push(b' ');
        out.extend_from_slice(rest);
        rest = &[];
    }
    let mut first = true;
    while !rest.is_empty() {
        let blanks = rest.iter().take_while(|&&b| b == b' ').count();
        let word = rest[blanks..].iter().take_while(|&&b| b != b' ').count();
        let end = blanks + word;
        let lead = usize::from(first);
        if !first && column + end > FOLD_AT {
            out.extend_from_slice(line_ending);
            column = 0;
        }
        out.extend_from_slice(&b" "[..lead]);
        out.extend_from_slice(&rest[..end]);
        column += lead + end;
        rest = &rest[end..];
        first = false;
    }
    out.extend_from_slice(line_ending);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, body: &FieldBody) -> String {
        let mut out = Vec::new();
        write_field(&mut out, name, body, b"\r\n");
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_field_is_folded_and_unfolds_to_itself() {
        for body in [
            "",
            "a",
            "a b",
            "a  b   c",
            &"word ".repeat(100),
            &"word   ".repeat(100),
            &"longer-word-".repeat(70),
        ] {
            let body = FieldBody::words([body]);
            let field = written("X-Test", &body);
            let lines: Vec<&str> = field.strip_suffix("\r\n").unwrap().split("\r\n").collect();
            assert!(
                lines
                    .iter()
                    .all(|line| line.len() <= 998 && !line.is_empty() && !line.ends_with(' ')),
                "{field:?}"
            );
            let one_word = |line: &str| !line.trim_start_matches("X-Test:").trim().contains(' ');
            assert!(
                lines.iter().all(|line| line.len() <= FOLD_AT || one_word(line)),
                "{field:?}"
            );
            assert_eq!(
                lines.concat().strip_prefix("X-Test:").unwrap().trim_start(),
                body.as_str()
            );
        }
    }

    #[test]
    fn controls_never_reach_a_body() {
        for text in [
            "a\r\nBcc: b",
            "a\nb",
            "a\0b",
            "a\r\n\r\nb",
            "a\u{85}b\u{2028}c",
            "\r\n",
        ] {
            for body in [
                FieldBody::unstructured(text),
                FieldBody::words([text]),
                FieldBody::copy(text.as_bytes()),
            ] {
                assert!(
                    body.as_str().bytes().all(|b| matches!(b, b' '..=b'~')),
                    "{text:?} -> {body:?}"
                );
            }
        }
    }

    #[test]
    fn a_copy_is_bounded() {
        let long = "x".repeat(200_000);
        for line in written("X-Copy", &FieldBody::copy(long.as_bytes())).lines() {
            assert!(line.len() <= FOLD_AT);
        }
        assert!(FieldBody::copy("ü".repeat(5_000).as_bytes()).as_str().len() < 4 * MAX_COPY);
    }
}
