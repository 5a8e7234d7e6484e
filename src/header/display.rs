//! Mailboxes: an address and a name, and how they are written (RFC 5322 3.4).

use std::fmt;

use super::address::{Address, MAX_MAILBOX};
use super::encoded_word::{collapse, encode_phrase};

/// An address and the name of whom it belongs to (RFC 5322 3.4).
///
/// It is written in ASCII and in at most [`MAX_MAILBOX`] octets, see [`format_mailbox`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mailbox {
    /// The display-name, decoded.
    pub name: Option<String>,
    /// The address.
    pub address: Address,
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_mailbox(self.name.as_deref(), &self.address))
    }
}

/// Writes a mailbox: `phrase <address>`, or the address alone if there is no name (RFC 5322 3.4).
///
/// A name that does not fit in [`MAX_MAILBOX`] octets is cut and marked with an ellipsis.
///
/// ```
/// use readdress::header::mailbox::{Address, format_mailbox};
///
/// let address = Address::parse("jane@example.org")?;
/// assert_eq!(format_mailbox(Some("Example, Jane"), &address), r#""Example, Jane" <jane@example.org>"#);
/// # Ok::<(), readdress::header::mailbox::AddressError>(())
/// ```
pub fn format_mailbox(name: Option<&str>, address: &Address) -> String {
    if let Some(whole) = whole_mailbox(name, address) {
        return whole;
    }
    let address = address.written();
    let room = MAX_MAILBOX.saturating_sub(address.len() + " <>".len());
    match name.map(|name| fitting_phrase(name, room)) {
        Some(phrase) if !phrase.is_empty() => format!("{phrase} <{address}>"),
        _ => address,
    }
}

/// As [`format_mailbox`], but `None` if the name has to be cut.
pub(crate) fn whole_mailbox(name: Option<&str>, address: &Address) -> Option<String> {
    let address = address.written();
    let phrase = name.map(encode_phrase).unwrap_or_default();
    if phrase.is_empty() {
        return Some(address);
    }
    let whole = [&phrase, " <", &address, ">"].concat();
    (whole.len() <= MAX_MAILBOX).then_some(whole)
}

/// The phrase for as much of `name`, which does not fit, as fits in `room` octets; empty if nothing does.
fn fitting_phrase(name: &str, room: usize) -> String {
    let name = collapse(name);
    // No character takes less than an octet.
    let cuts = name.char_indices().map(|(cut, _)| cut);
    let mut cuts: Vec<usize> = cuts.take(MAX_MAILBOX).collect();
    let ellipsis = if name.is_ascii() { "..." } else { "\u{2026}" };
    let cut_at = |cut: usize| encode_phrase(&format!("{}{ellipsis}", name[..cut].trim_end()));
    let fits = |phrase: &String| phrase.len() <= room;
    cuts.truncate(cuts.partition_point(|&cut| fits(&cut_at(cut))));
    // A longer cut may take fewer octets where the encoding changes, so the one found is looked at again.
    let cut = cuts.pop().filter(|&cut| cut > 0);
    cut.map(cut_at).filter(fits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::encoded_word::decode;

    #[test]
    fn a_mailbox_is_written_in_ascii_and_cut() {
        let jane = Address::parse("jane@example.org").unwrap();
        for (name, written) in [
            (None, "jane@example.org"),
            (Some(" \r\n"), "jane@example.org"),
            (Some("Jane\r\nBcc: a@x"), "\"Jane Bcc: a@x\" <jane@example.org>"),
            (Some("J\u{fc}rgen"), "=?utf-8?q?J=C3=BCrgen?= <jane@example.org>"),
        ] {
            assert_eq!(format_mailbox(name, &jane), written);
        }
        let address_of = |octets: usize| Address::parse(&format!("{}@x", "j".repeat(octets - 2))).unwrap();
        let long_address = address_of(MAX_MAILBOX);
        // If only the ellipsis would fit, there is no name.
        for octets in MAX_MAILBOX - 8..MAX_MAILBOX {
            let address = address_of(octets);
            assert_eq!(
                format_mailbox(Some("Jane Example"), &address),
                address.to_string()
            );
        }
        for name in ["a b.", "\u{4f60}", "\u{fc}x ", "\"", "word "].map(|unit| unit.repeat(400)) {
            let written = format_mailbox(Some(&name), &jane);
            assert!(
                (MAX_MAILBOX - 80..=MAX_MAILBOX).contains(&written.len()),
                "{written}"
            );
            let name = decode(written.as_bytes());
            assert!(name.contains("...") || name.contains('\u{2026}'), "{name}");
            assert_eq!(format_mailbox(Some(&name), &long_address).len(), MAX_MAILBOX);
        }
    }
}
