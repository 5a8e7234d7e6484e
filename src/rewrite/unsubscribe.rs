//! List-Unsubscribe (RFC 2369 3.2): ways to leave a list, of which a mail would be sent from the private mailbox.

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
        let web: Vec<String> = addresses(body).filter(|uri| is_web(uri)).collect();
        let list: Vec<String> = web.iter().map(|uri| format!("<{uri}>")).collect();
        Unsubscribe {
            change: if web.is_empty() {
                Change::Drop
            } else {
                Change::Replace(FieldBody::words([&*list.join(", ")]))
            },
            moved: Some(FieldBody::copy_list(body)),
        }
    }
}

/// Whether a reader could find the scheme in it: blanks inside of the brackets do not count (RFC 2369 2).
fn has_mailto(body: &[u8]) -> bool {
    let dense: Vec<u8> = body
        .iter()
        .copied()
        .filter(|b| !b.is_ascii_whitespace())
        .collect();
    dense
        .windows("mailto".len())
        .any(|word| word.eq_ignore_ascii_case(b"mailto"))
}

/// What stands between angle brackets, without its blanks, and is text that fits in a line.
fn addresses(body: &[u8]) -> impl Iterator<Item = String> {
    let bracketed = body.split(|&b| b == b'<').skip(1);
    let uris = bracketed.filter_map(|rest| rest.split(|&b| b == b'>').next());
    let dense = uris.map(|uri| {
        uri.iter()
            .copied()
            .filter(|b| !b.is_ascii_whitespace())
            .collect::<Vec<u8>>()
    });
    dense
        .filter(|uri| uri.len() < MAX_WORD && uri.iter().all(u8::is_ascii_graphic))
        .filter_map(|uri| String::from_utf8(uri).ok())
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
