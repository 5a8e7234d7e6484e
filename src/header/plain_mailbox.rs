//! The mailbox that nearly every address field holds: one, of plain ASCII, on one line.

use super::address::Address;
use super::display::Mailbox;

/// The longest field body that is looked at, in octets. A body within this is within every limit of a mailbox.
const MAX_BODY: usize = 250;

/// A field body that is one mailbox, in a form that every reader of addresses reads alike.
///
/// `jane@example.org`, `Jane Example <jane@example.org>` and `"Example, Jane" <jane@example.org>` are. It is a short cut: a
/// body that is not plain may be a mailbox too, and is left to the readers of address lists. Tests check that both read the
/// same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlainMailbox<'a> {
    /// As it is written, with its quotes. Empty: there is none.
    pub(crate) phrase: &'a str,
    /// As it is written, without brackets.
    pub(crate) address: &'a str,
    /// Where in the address the `@` is.
    at: usize,
}

impl<'a> PlainMailbox<'a> {
    /// Reads the body of an address field. `None`: it is not plain.
    pub(crate) fn read(body: &'a [u8]) -> Option<Self> {
        let body = body.strip_prefix(b" ").unwrap_or(body);
        if body.len() > MAX_BODY {
            return None;
        }
        let body = std::str::from_utf8(body).ok()?;
        let (phrase, address) = match body.strip_suffix('>') {
            None => ("", body),
            Some(body) => body.rsplit_once('<')?,
        };
        let at = plain_at(address.as_bytes())?;
        let phrase = if phrase.is_empty() {
            phrase
        } else {
            phrase.strip_suffix(' ')?
        };
        let is_plain = match phrase.as_bytes() {
            [] => true,
            [b'"', inside @ .., b'"'] => is_words(inside, IN_QUOTES),
            phrase => is_words(phrase, IN_PHRASE),
        };
        is_plain.then_some(PlainMailbox { phrase, address, at })
    }

    pub(crate) fn local(&self) -> &'a str {
        &self.address[..self.at]
    }

    pub(crate) fn domain(&self) -> &'a str {
        &self.address[self.at + 1..]
    }

    /// The display-name without its quotes.
    fn name(&self) -> Option<&'a str> {
        let name = self
            .phrase
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        Some(name.unwrap_or(self.phrase)).filter(|name| !name.is_empty())
    }

    pub(crate) fn to_mailbox(self) -> Mailbox {
        Mailbox {
            name: self.name().map(str::to_owned),
            address: Address::of_plain(self.local(), self.domain()),
        }
    }
}

/// Kinds of octets, each a bit.
const ALPHANUMERIC: u8 = 1;
/// May stand inside of a local part beside letters and digits.
const IN_LOCAL: u8 = 2;
const IN_PHRASE: u8 = 4;
const IN_QUOTES: u8 = 8;

const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut octet = b' ' + 1;
    while octet <= b'~' {
        kinds[octet as usize] = match octet {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => ALPHANUMERIC | IN_PHRASE | IN_QUOTES,
            b'-' | b'_' | b'+' => IN_LOCAL | IN_PHRASE | IN_QUOTES,
            b'.' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'/' | b'|' => IN_PHRASE | IN_QUOTES,
            b'(' | b')' | b',' | b':' | b';' => IN_QUOTES,
            // Brackets, quotes, backslashes, and the signs of an address or an encoded-word.
            _ => 0,
        };
        octet += 1;
    }
    kinds
};

fn is(octet: u8, kinds: u8) -> bool {
    KINDS[usize::from(octet)] & kinds != 0
}

/// Whether it is words of these octets, with one space between them.
fn is_words(text: &[u8], kind: u8) -> bool {
    let mut after_space = true;
    let words = text.iter().all(|&b| {
        let was_after_space = std::mem::replace(&mut after_space, b == b' ');
        is(b, kind) || b == b' ' && !was_after_space
    });
    words && !after_space
}

/// Where the `@` of a plain address is: atoms with single dots between them, and labels of a domain.
fn plain_at(address: &[u8]) -> Option<usize> {
    let at = address.iter().position(|&b| b == b'@')?;
    let (local, domain) = (&address[..at], &address[at + 1..]);
    let is_word = |text: &[u8], more: u8, joins: fn(u8) -> bool| {
        let mut before = b'.';
        let good = text.iter().all(|&b| {
            let before = std::mem::replace(&mut before, b);
            is(b, ALPHANUMERIC | more) || joins(b) && is(before, ALPHANUMERIC)
        });
        good && is(before, ALPHANUMERIC)
    };
    let is_local = is_word(local, IN_LOCAL, |b| b == b'.') && is(local[0], ALPHANUMERIC);
    (is_local && is_word(domain, 0, |b| matches!(b, b'.' | b'-'))).then_some(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(body: &str) -> Option<(Option<&str>, &str)> {
        let plain = PlainMailbox::read(body.as_bytes())?;
        Some((plain.name(), plain.address))
    }

    #[test]
    fn what_is_plain_is_read() {
        for (body, name) in [
            (" jane@example.org", None),
            ("<jane@example.org>", None),
            ("Jane Q. Example <jane@example.org>", Some("Jane Q. Example")),
            (
                " \"Example, Jane (Sales)\" <jane@example.org>",
                Some("Example, Jane (Sales)"),
            ),
        ] {
            assert_eq!(read(body), Some((name, "jane@example.org")), "{body}");
        }
        assert_eq!(read("a+b_c-d.e@x-y.z1"), Some((None, "a+b_c-d.e@x-y.z1")));
        for body in [
            "",
            "jane",
            "jane@",
            "@example.org",
            "jane@example..org",
            ".jane@example.org",
            "jane.@example.org",
            "jane@-example.org",
            "jane@example.org.",
            "jane@under_score.example",
            "jane@example.org, omar@example.net",
            "Jane<jane@example.org>",
            "Jane  Example <jane@example.org>",
            "Example, Jane <jane@example.org>",
            "\"\" <jane@example.org>",
            "\" Jane\" <jane@example.org>",
            "\"Ja\\\"ne\" <jane@example.org>",
            "=?utf-8?q?J?= <jane@example.org>",
            "pia@example.net <jane@example.org>",
            "J\u{e4}ne <jane@example.org>",
            "Jane <jane@example.org> (Jane)",
            "Jane\r\n <jane@example.org>",
        ] {
            assert_eq!(read(body), None, "{body}");
        }
        let long = format!("{}@example.org", "j".repeat(MAX_BODY));
        assert_eq!(read(&long), None);
    }

    proptest! {
        /// Catches a short cut that reads a mailbox differently from the full parser.
        #[test]
        fn the_readers_of_lists_read_the_same(
            body in " ?(\"?[A-Za-z0-9 .,:;()'+_!*/%#$&|-]{0,12}\"? ?)?<?[a-z0-9.+_@-]{1,6}@[a-z0-9.-]{1,6}>?"
        ) {
            if let Some(plain) = PlainMailbox::read(body.as_bytes()) {
                let folded = format!("{body}\r\n ");
                prop_assert_eq!(PlainMailbox::read(folded.as_bytes()), None);
                let read = crate::header::mailbox::parse_address_list(folded.as_bytes());
                prop_assert_eq!(read, vec![plain.to_mailbox()], "{}", body);
            }
        }
    }
}
