//! List-Unsubscribe (RFC 2369 3.2): ways to leave a list, of which a mail would be sent from the private mailbox.

use super::apply::Change;
use crate::header::FieldBody;

/// What becomes of List-Unsubscribe, and the ways that were taken out of it.
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
        let (web, others): (Vec<&str>, Vec<&str>) = addresses(body).partition(|uri| is_web(uri));
        let list = |uris: &[&str]| {
            let bracketed: Vec<String> = uris.iter().map(|uri| format!("<{uri}>")).collect();
            FieldBody::words([&*bracketed.join(", ")])
        };
        if web.is_empty() && others.is_empty() {
            return Unsubscribe {
                change: Change::Drop,
                moved: Some(FieldBody::copy(body)),
            };
        }
        Unsubscribe {
            change: if web.is_empty() {
                Change::Drop
            } else {
                Change::Replace(list(&web))
            },
            moved: Some(FieldBody::copy(list(&others).as_str().as_bytes())),
        }
    }
}

fn has_mailto(body: &[u8]) -> bool {
    body.windows("mailto".len())
        .any(|word| word.eq_ignore_ascii_case(b"mailto"))
}

/// What stands between angle brackets and is text without blanks.
fn addresses(body: &[u8]) -> impl Iterator<Item = &str> {
    let bracketed = body.split(|&b| b == b'<').skip(1);
    let uris = bracketed.filter_map(|rest| rest.split(|&b| b == b'>').next());
    uris.filter_map(|uri| std::str::from_utf8(uri.trim_ascii()).ok())
        .filter(|uri| uri.bytes().all(|b| b.is_ascii_graphic()))
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
                Some("<mailto:u@example.org?subject=u>"),
            ),
            ("<MailTo:u@example.org>", Some(""), Some("<MailTo:u@example.org>")),
            ("mailto:u@example.org", Some(""), Some("mailto:u@example.org")),
            (
                "<ftp://example.org/u>, <mailto:u@example.org>, <HTTP://example.org>",
                Some("<HTTP://example.org>"),
                Some("<ftp://example.org/u>, <mailto:u@example.org>"),
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
