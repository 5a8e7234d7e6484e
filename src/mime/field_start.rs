//! Classifies a line of a header section by its first octets: a field, a line that may stand among fields, or the section's
//! end.

use memchr::memchr;

use crate::header::{after_mbox_mark, name_len};

/// Octets in which a line has to show the colon of a field: a line is at most 998 long (RFC 5322 2.1.1).
const MAX_FIELD_NAME: usize = 998;

/// The UTF-8 byte order mark, which some editors put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The construct that begins with a line.
pub(super) enum Start {
    /// A field, or a line that may stand among the fields without being one.
    Field,
    /// This many octets of byte order marks, and then a field.
    Mark(usize),
    /// The end of the section, with this many octets of an empty line.
    End(usize),
    /// Not known yet.
    More,
}

/// Decides on the line at the front of `buf`, which is not empty and does not begin with white space. `last`: nothing follows
/// `buf`. `of_message`: the section is that of a message rather than of a body part.
///
/// A field name is printable ASCII without the colon (RFC 5322 2.2); white space before the colon is obsolete
/// but real (4.5).
///
/// A message may begin with the `From ` line of an mbox file (RFC 4155), which may have been escaped, or with a byte order
/// mark. Receiving servers put their own fields on top, so either may stand before any field.
#[inline]
pub(super) fn of(buf: &[u8], last: bool, of_message: bool) -> Start {
    let line = &buf[..buf.len().min(MAX_FIELD_NAME + 1)];
    let cut_off = !last && line.len() <= MAX_FIELD_NAME;
    match is_named(line) {
        Some(true) => Start::Field,
        None if cut_off => Start::More,
        _ => of_odd(line, cut_off, of_message),
    }
}

/// Whether the line begins with a field name and its colon. `None`: it ends before that shows.
#[inline]
fn is_named(line: &[u8]) -> Option<bool> {
    let name = name_len(line);
    let blanks = line[name..]
        .iter()
        .take_while(|&&b| matches!(b, b' ' | b'\t'))
        .count();
    line.get(name + blanks).map(|&b| b == b':' && name > 0)
}

/// Decides on a line that no field name begins; it may be `cut_off` by the end of the buffer.
#[cold]
fn of_odd(line: &[u8], cut_off: bool, of_message: bool) -> Start {
    // Where files were joined there is more than one.
    let marks = line.chunks(BYTE_ORDER_MARK.len());
    let mark = BYTE_ORDER_MARK.len() * marks.take_while(|&octets| octets == BYTE_ORDER_MARK).count();
    let line = &line[mark..];
    let is_found = match is_named(line) {
        None if cut_off => return Start::More,
        Some(true) => true,
        _ if cut_off && BYTE_ORDER_MARK.starts_with(line) => return Start::More,
        _ => match after_mbox_mark(line).filter(|_| of_message) {
            Some(rest) => match (memchr(b'\n', rest), cut_off) {
                (None, true) => return Start::More,
                (end, _) => names_sender_or_time(&rest[..end.unwrap_or(rest.len())]),
            },
            None => false,
        },
    };
    match mark {
        _ if !is_found => Start::End(0),
        0 => Start::Field,
        octets => Start::Mark(octets),
    }
}

/// Whether the rest of a line after `From ` makes it an mbox line rather than text that begins like one: the first word has an
/// `@`, or there is a time of day. `nobody Thu Jan  1 00:00:00 2026` has one, `now on` has neither.
fn names_sender_or_time(rest: &[u8]) -> bool {
    let mut words = rest.split(u8::is_ascii_whitespace);
    let sender = words.find(|word| !word.is_empty()).unwrap_or_default();
    let is_time = |octets: &[u8]| {
        let digits = [octets[0], octets[1], octets[3], octets[4]];
        octets[2] == b':' && digits.iter().all(u8::is_ascii_digit)
    };
    sender.contains(&b'@') || rest.windows("00:00".len()).any(is_time)
}
