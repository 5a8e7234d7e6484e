//! List-Unsubscribe (RFC 2369 3.2): ways to leave a list, of which a mail would be sent from the private mailbox.

use std::borrow::Cow;

use memchr::memchr2_iter;

use super::apply::Change;
use crate::header::{FieldBody, MAX_WORD};

/// What becomes of List-Unsubscribe, and what it said if something was taken out of it.
pub(super) struct Unsubscribe {
    pub(super) change: Change,
    pub(super) moved: Option<FieldBody>,
}

impl Unsubscribe {
    /// Takes out what is not a web address, if `mailto:` is among it.
    pub(super) fn of(body: Option<&[u8]>) -> Self {
        let kept = Unsubscribe {
            change: Change::Keep,
            moved: None,
        };
        let Some(body) = body.filter(|body| has_mailto(body)) else {
            return kept;
        };
        let mut list = String::new();
        for uri in addresses(body).filter(|uri| is_web(uri)) {
            let separator = if list.is_empty() { "<" } else { ", <" };
            list.extend([separator, &uri, ">"]);
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

/// What stands between angle brackets, without its blanks, and is text that fits in a line.
fn addresses(body: &[u8]) -> impl Iterator<Item = Cow<'_, str>> {
    let bracketed = body.split(|&b| b == b'<').skip(1);
    let uris = bracketed.filter_map(|rest| rest.split(|&b| b == b'>').next());
    let is_uri = |uri: &[u8]| uri.len() < MAX_WORD && uri.iter().all(u8::is_ascii_graphic);
    uris.filter_map(move |uri| {
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

fn is_web(uri: &str) -> bool {
    ["https:", "http:"].iter().any(|scheme| {
        uri.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let Unsubscribe { change, moved: out } = Unsubscribe::of(Some(body.as_bytes()));
            let change = match &change {
                Change::Keep => None,
                Change::Drop => Some(""),
                Change::Replace(body) => Some(body.as_str()),
            };
            assert_eq!(change, kept, "{body}");
            assert_eq!(out.as_ref().map(FieldBody::as_str), moved, "{body}");
        }
        assert!(matches!(Unsubscribe::of(None).change, Change::Keep));
    }
}
