//! The subject and its prefix.

use super::apply::Change;
use crate::header::{FieldBody, encoded_word, has_long_word, unfolded};

/// Octets of a subject that are decoded where its own octets cannot be kept. No mail program shows more.
const MAX_DECODED: usize = 32 << 10;

/// Octets of a subject that are decoded to find the prefix: room for that and some reply prefixes, as encoded-words.
const MAX_FRONT: usize = 4 << 10;

/// The most reply prefixes that are skipped. More than a thread gathers, since most programs write one prefix only.
const MAX_REPLY_PREFIXES: usize = 16;

/// The words that mail programs put before the subject of a reply or of a forwarded message, in lower case. A number may
/// follow, as in `Re[2]:` and `Re^2:`.
const REPLY_PREFIXES: [&str; 46] = [
    "re",
    "fw",
    "fwd",
    "aw",
    "wg",
    "sv",
    "vs",
    "vb",
    "antw",
    "doorst",
    "odp",
    "pd",
    "rv",
    "enc",
    "res",
    "ref",
    "r\u{e9}f",
    "tr",
    "rif",
    "r",
    "i",
    "fs",
    "bls",
    "trs",
    "ynt",
    "ilt",
    "ilet",
    "atb",
    "p\u{f8}",
    "b\u{f8}",
    "svar",
    "ang",
    "pds",
    "vl",
    "v\u{e1}",
    "tov\u{e1}bb",
    "n\u{e1}v",
    "na",
    "\u{3b1}\u{3c0}",
    "\u{3c3}\u{3c7}\u{3b5}\u{3c4}",
    "\u{3c0}\u{3c1}\u{3b8}",
    "\u{5d4}\u{5e9}\u{5d1}",
    "\u{56de}\u{590d}",
    "\u{56de}\u{8986}",
    "\u{8f6c}\u{53d1}",
    "\u{8f49}\u{5bc4}",
];

/// The subject with `prefix` before its text; as it is, if the prefix stands at the front already, behind nothing but
/// reply prefixes. Elsewhere it does not count: a sender must not suppress a warning by writing it at the end.
///
/// The subject's own bytes are kept where the prefix can be put before them: unknown charsets and unusual
/// encodings come through. White space between two encoded-words does not count (RFC 2047 6.2), so a prefix
/// before an encoded-word is one itself, unless a space between the two is meant.
pub(super) fn prefixed(prefix: &str, subject: Option<&[u8]>) -> Change {
    let old = subject.unwrap_or_default().trim_ascii();
    let front = encoded_word::decode(&old[..old.len().min(MAX_FRONT)]);
    if without_reply_prefixes(&front).starts_with(prefix.trim()) {
        return Change::Keep;
    }
    let text = || encoded_word::decode(&old[..old.len().min(MAX_DECODED)]);
    if old.is_empty() {
        return Change::Replace(FieldBody::unstructured(prefix.trim_end()));
    }
    let trimmed = prefix.trim_end();
    let spaced = prefix.len() - trimmed.len() == 1;
    let encoded = old.starts_with(b"=?");
    let plain = encoded_word::encode_unstructured(trimmed) == trimmed;
    let before = match (plain, spaced, encoded) {
        (true, true, _) => format!("{trimmed} "),
        (true, false, false) => prefix.to_owned(),
        (false, true, false) => format!("{} ", encoded_word::encode_unstructured(trimmed)),
        _ => return Change::Replace(FieldBody::unstructured(&format!("{prefix}{}", text()))),
    };
    let unfolded = unfolded(old);
    if !is_writable(&unfolded) {
        return Change::Replace(FieldBody::unstructured(&format!("{prefix}{}", text())));
    }
    Change::Replace(FieldBody::written(format!(
        "{before}{}",
        String::from_utf8_lossy(&unfolded)
    )))
}

/// The subject behind its reply prefixes and the white space around them.
fn without_reply_prefixes(subject: &str) -> &str {
    let mut rest = subject.trim_start();
    for _ in 0..MAX_REPLY_PREFIXES {
        let Some((word, after)) = rest.split_once([':', '\u{ff1a}']) else {
            break;
        };
        let word = word.trim_end_matches(|c: char| c.is_ascii_digit() || "[]()^* ".contains(c));
        // None of the table is longer.
        if word.chars().count() > 6 || !REPLY_PREFIXES.contains(&&*word.to_lowercase()) {
            break;
        }
        rest = after.trim_start();
    }
    rest
}

/// Whether we could have written this body: it is printable ASCII, and its words can be folded.
fn is_writable(body: &[u8]) -> bool {
    !has_long_word(body) && body.iter().all(|b| matches!(b, b' '..=b'~' | b'\t'))
}
