//! List-Unsubscribe (RFC 2369 3.2): the ways to leave a list. A mail to leave it would be sent from the private mailbox, unless
//! it goes to a reply address.

use std::borrow::Cow;

use memchr::{memchr_iter, memchr2, memchr2_iter};

use super::apply::Change;
use crate::header::mailbox::Address;
use crate::header::{FieldBody, MAX_WORD, hexadecimal};

const MAILTO: &str = "mailto:";

/// The new List-Unsubscribe, and the old one if something was taken out of it.
pub(super) struct Unsubscribe {
    pub(super) change: Change,
    pub(super) moved: Option<FieldBody>,
}

impl Unsubscribe {
    /// Takes out everything but web addresses if there is a `mailto:`. One mail address is kept if it can have a reply address.
    pub(super) fn of(
        body: Option<&[u8]>,
        reply_address: Option<&impl Fn(&Address) -> Option<Address>>,
    ) -> Self {
        let kept = Unsubscribe {
            change: Change::Keep,
            moved: None,
        };
        let Some(body) = body.filter(|body| has_mailto(body)) else {
            return kept;
        };
        let mut list = String::new();
        for uri in addresses(body) {
            let kept = if is_web(&uri) {
                Some(uri)
            } else {
                reply_address.and_then(|of| with_reply_address(&uri, of).map(Cow::Owned))
            };
            if let Some(uri) = kept {
                let separator = if list.is_empty() { "<" } else { ", <" };
                list.extend([separator, &uri, ">"]);
            }
        }
        Unsubscribe {
            change: if list.is_empty() {
                Change::Drop
            } else {
                Change::Replace(FieldBody::written(list))
            },
            moved: Some(FieldBody::copy_list(body)),
        }
    }
}

/// Whether a reader could find the scheme in it: blanks inside of the brackets do not count (RFC 2369 2).
fn has_mailto(body: &[u8]) -> bool {
    memchr2_iter(b'm', b'M', body).any(|start| {
        let mut dense = body[start..].iter().filter(|b| !b.is_ascii_whitespace());
        // The next `m` is looked at in a turn of its own, so that each octet is read twice at most.
        b"mailto"
            .iter()
            .all(|letter| dense.next().is_some_and(|b| b.eq_ignore_ascii_case(letter)))
    })
}

/// The texts between angle brackets, without their blanks, that fit in a line.
fn addresses(body: &[u8]) -> impl Iterator<Item = Cow<'_, str>> {
    let uris = memchr_iter(b'<', body).map(|start| {
        let rest = &body[start + 1..];
        &rest[..memchr2(b'<', b'>', rest).unwrap_or(rest.len())]
    });
    uris.filter_map(|uri| {
        if is_uri(uri) {
            return Some(Cow::Borrowed(std::str::from_utf8(uri).ok()?));
        }
        let dense: Vec<u8> = uri.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
        String::from_utf8(dense)
            .ok()
            .filter(|uri| is_uri(uri.as_bytes()))
            .map(Cow::Owned)
    })
}

#[allow(clippy::needless_bitwise_bool)] // A branch would keep it from being vectorised.
fn is_uri(text: &[u8]) -> bool {
    text.len() < MAX_WORD && text.iter().fold(true, |all, b| all & b.is_ascii_graphic())
}

/// A `mailto:` with the reply address in place of its address, if it has one and fits in a line.
fn with_reply_address(uri: &str, reply_address: impl Fn(&Address) -> Option<Address>) -> Option<String> {
    let (address, query) = mail_of(uri)?;
    let written = percent_encoded(&reply_address(&address)?.to_string());
    let new = [MAILTO, &written, query].concat();
    (new.len() < MAX_WORD).then_some(new)
}

/// The addresses to which a mail would unsubscribe.
pub(super) fn mail_addresses(body: &[u8]) -> impl Iterator<Item = Address> {
    addresses(body).filter_map(|uri| mail_of(&uri).map(|(address, _)| address))
}

/// The one address of a `mailto:` (RFC 6068 2), and the rest from its `?` on, which names no other.
fn mail_of(uri: &str) -> Option<(Address, &str)> {
    let scheme = uri.get(..MAILTO.len())?;
    let rest = &uri[MAILTO.len()..];
    let (address, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
    let names = query
        .split(['?', '&'])
        .map(|field| field.split('=').next().unwrap_or_default());
    let is_recipient = |name: &str| {
        let name = percent_decoded(name).unwrap_or_default();
        ["to", "cc", "bcc"]
            .iter()
            .any(|other| name.eq_ignore_ascii_case(other))
    };
    if !scheme.eq_ignore_ascii_case(MAILTO) || names.into_iter().any(is_recipient) {
        return None;
    }
    Some((Address::parse(&percent_decoded(address)?).ok()?, query))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut octets = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(octet) = octets.next() {
        let mut digit = || char::from(octets.next()?).to_digit(16);
        decoded.push(match octet {
            b'%' => u8::try_from(digit()? << 4 | digit()?).ok()?,
            octet => octet,
        });
    }
    String::from_utf8(decoded).ok()
}

/// Everything encoded that some program could take for part of the URI's own syntax.
fn percent_encoded(address: &str) -> String {
    let mut encoded = String::with_capacity(address.len());
    for octet in address.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._@".contains(&octet) {
            encoded.push(char::from(octet));
        } else {
            encoded.extend(["%", &hexadecimal(&[octet]).to_ascii_uppercase()]);
        }
    }
    encoded
}

fn is_web(uri: &str) -> bool {
    ["https:", "http:"].iter().any(|scheme| {
        uri.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Option<&fn(&Address) -> Option<Address>> = None;

    #[test]
    fn a_mail_would_be_sent_from_the_private_mailbox() {
        for (body, kept, moved) in [
            ("<https://example.org/u>", None, None),
            (
                "<mailto:u@example.org?subject=u>,\r\n <https://example.org/u?1>",
                Some("<https://example.org/u?1>"),
                Some("<mailto:u@example.org?subject=u>, <https://example.org/u?1>"),
            ),
            (
                "<mail\r\n to:u@example.org>",
                Some(""),
                Some("<mail to:u@example.org>"),
            ),
            (
                "mailto:u@example.org, <https://example.org/\r\n u>",
                Some("<https://example.org/u>"),
                Some("mailto:u@example.org, <https://example.org/ u>"),
            ),
            ("<MailTo:u@example.org>", Some(""), Some("<MailTo:u@example.org>")),
            ("mailto:u@example.org", Some(""), Some("mailto:u@example.org")),
            (
                "<ftp://example.org/u>, <mailto:u@example.org>, <HTTP://example.org>",
                Some("<HTTP://example.org>"),
                Some("<ftp://example.org/u>, <mailto:u@example.org>, <HTTP://example.org>"),
            ),
        ] {
            let Unsubscribe { change, moved: out } = Unsubscribe::of(Some(body.as_bytes()), NONE);
            let change = match &change {
                Change::Keep => None,
                Change::Drop => Some(""),
                Change::Replace(body) => Some(body.as_str()),
            };
            assert_eq!(change, kept, "{body}");
            assert_eq!(out.as_ref().map(FieldBody::as_str), moved, "{body}");
        }
        assert!(matches!(Unsubscribe::of(None, NONE).change, Change::Keep));
    }

    /// Catches a `mailto:` that names others beside the one that we answer for.
    #[test]
    fn a_mail_to_a_reply_address_comes_from_the_alias() {
        let reply_address = |address: &Address| {
            let local = format!("shop+{}={}.mac", address.local(), address.domain());
            Address::parse(&format!("{local}@example.com")).ok()
        };
        for (body, kept) in [
            (
                "<mailto:u@example.org?subject=u%20x>, <https://example.org/u>",
                "<mailto:shop%2Bu%3Dexample.org.mac@example.com?subject=u%20x>, <https://example.org/u>",
            ),
            (
                "<MAILTO:u%2D1@example.org>",
                "<mailto:shop%2Bu-1%3Dexample.org.mac@example.com>",
            ),
            ("<mailto:u@example.org,v@example.org>", ""),
            ("<mailto:u@example.org?cc=v@example.org>", ""),
            ("<mailto:u@example.org?subject=x&%42cc=v@example.org>", ""),
            ("<mailto:?to=v@example.org>", ""),
            ("<mailto:u%0a@example.org>", ""),
            ("<mailto:u%f@example.org>", ""),
            ("mailto:u@example.org", ""),
        ] {
            let change = Unsubscribe::of(Some(body.as_bytes()), Some(&reply_address)).change;
            let change = match &change {
                Change::Replace(body) => body.as_str(),
                Change::Drop => "",
                Change::Keep => "kept",
            };
            assert_eq!(change, kept, "{body}");
        }
    }
}
