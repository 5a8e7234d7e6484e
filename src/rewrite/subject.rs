//! The subject and its prefix.

use super::rules::New;
use crate::header::{FieldBody, encoded_word, has_long_word, unfolded};

/// The subject with `prefix` before its text; as it is, if the prefix is in it already (a reply).
///
/// The subject's own bytes are kept where the prefix can be put before them: unknown charsets and unusual
/// encodings come through. White space between two encoded-words does not count (RFC 2047 6.2), so a prefix
/// before an encoded-word is one itself, unless a space between the two is meant.
pub(super) fn prefixed(prefix: &str, subject: Option<&[u8]>) -> New {
    let old = subject.unwrap_or_default().trim_ascii();
    let text = encoded_word::decode(old);
    if text.contains(prefix.trim()) {
        return New::Keep;
    }
    if old.is_empty() {
        return New::Body(FieldBody::unstructured(prefix.trim_end()));
    }
    let trimmed = prefix.trim_end();
    let spaced = prefix.len() - trimmed.len() == 1;
    let encoded = old.starts_with(b"=?");
    let plain = encoded_word::encode_unstructured(trimmed) == trimmed;
    let before = match (plain, spaced, encoded) {
        (true, true, _) => format!("{trimmed} "),
        (true, false, false) => prefix.to_owned(),
        (false, true, false) => format!("{} ", encoded_word::encode_unstructured(trimmed)),
        _ => return New::Body(FieldBody::unstructured(&format!("{prefix}{text}"))),
    };
    let unfolded = unfolded(old);
    if !is_writable(&unfolded) {
        return New::Body(FieldBody::unstructured(&format!("{prefix}{text}")));
    }
    New::Body(FieldBody::written(format!(
        "{before}{}",
        String::from_utf8_lossy(&unfolded)
    )))
}

/// Could we have written this body: printable ASCII, words that can be folded?
fn is_writable(body: &[u8]) -> bool {
    !has_long_word(body) && body.iter().all(|b| matches!(b, b' '..=b'~' | b'\t'))
}
