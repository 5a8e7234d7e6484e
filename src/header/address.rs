//! Addresses (RFC 5322 3.4.1), read strictly and written so that any program reads the same.

use std::fmt;
use std::str::FromStr;

use super::encoded_word::{has_start, is_atext, quoted};
use super::text::has_long_blank;

/// Octets of a written mailbox at most: 64 of a local part, the `@` and 255 of a domain (RFC 5321 4.5.3.1). Amazon SES
/// counts the display-name with them.
pub const MAX_MAILBOX: usize = 320;

/// An addr-spec (RFC 5322 3.4.1): ASCII, without comments and white space.
///
/// Neither part ever has a control character, `<`, `>` or a comma in it, and only a local part that is written as a
/// quoted-string has spaces. So an address that was parsed can be put anywhere that takes one.
///
/// ```
/// use readdress::header::mailbox::Address;
///
/// let address = Address::parse("\"jane doe\"@Example.org.")?;
/// assert_eq!((address.local(), address.domain()), ("jane doe", "Example.org"));
/// assert_eq!(address.to_string(), "\"jane doe\"@Example.org");
/// # Ok::<(), readdress::header::mailbox::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    local: String,
    domain: String,
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No `@`.
    #[error("the address has no `@`")]
    NoAt,
    /// Nothing before the `@`.
    #[error("nothing stands before the `@` of the address")]
    EmptyLocal,
    /// Nothing after the `@`.
    #[error("nothing stands after the `@` of the address")]
    EmptyDomain,
    /// Characters that need SMTPUTF8 (RFC 6531), which few relays have.
    #[error("the address is not ASCII: write the domain in its xn-- form; a local part has none")]
    NotAscii,
    /// A space or a control character, such as a line break; or, between quotes, more spaces in a row than are kept in
    /// a field.
    #[error("the address has a space, a row of them, or a control character in it")]
    Space,
    /// A character that has no place there.
    #[error("the address has {0:?} in it")]
    Illegal(char),
    /// A domain with a dot too many.
    #[error("the domain begins with a dot or has two in a row")]
    EmptyLabel,
    /// A quoted-string without an end.
    #[error("a quote in the address is not closed")]
    Unclosed,
    /// A local part with `=?` in it: some programs would decode it and see another address.
    #[error("the address has an encoded-word in it")]
    EncodedWord,
    /// A name or angle brackets, where an address alone is asked for.
    #[error("the address has a name or <> around it: write the address alone, such as jane@example.org")]
    Named,
    /// Longer than [`MAX_MAILBOX`].
    #[error("the address is longer than {MAX_MAILBOX} octets")]
    TooLong,
}

impl Address {
    /// Parses an addr-spec: a dot-atom or a quoted-string, `@`, and a domain or a domain-literal.
    ///
    /// Dots may stand anywhere in the local part, as they do in addresses that exist. One dot at the end of the
    /// domain is dropped.
    ///
    /// # Errors
    ///
    /// Everything else, white space around the address included.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if !text.is_ascii() {
            return Err(AddressError::NotAscii);
        }
        let (local, domain) = if let Some(quoted) = text.strip_prefix('"') {
            let (local, after) = quoted_string(quoted)?;
            (local, after.strip_prefix('@').ok_or(AddressError::NoAt)?)
        } else {
            let (local, domain) = text.rsplit_once('@').ok_or(AddressError::NoAt)?;
            reject(local, |b| b == b'.' || is_atext(b))?;
            (local.to_owned(), domain)
        };
        if local.is_empty() {
            return Err(AddressError::EmptyLocal);
        }
        if has_start(local.as_bytes()) {
            return Err(AddressError::EncodedWord);
        }
        if has_long_blank(&local) {
            return Err(AddressError::Space);
        }
        let domain = domain.strip_suffix('.').unwrap_or(domain).to_owned();
        check_domain(&domain)?;
        let address = Address { local, domain };
        // At the worst two quotes, and a backslash before each octet of the local part.
        let longest = 2 * address.local.len() + address.domain.len() + "\"\"@".len();
        if longest > MAX_MAILBOX && address.written().len() > MAX_MAILBOX {
            return Err(AddressError::TooLong);
        }
        Ok(address)
    }

    /// The address of a local part and a domain that were found to be plain atoms and labels, and short.
    pub(super) fn of_plain(local: &str, domain: &str) -> Self {
        Address {
            local: local.to_owned(),
            domain: domain.to_owned(),
        }
    }

    /// The local part, without the quotes that it may need.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The local part without its `+tag`.
    pub(crate) fn untagged_local(&self) -> &str {
        self.local.split('+').next().unwrap_or_default()
    }

    /// The domain or domain-literal.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The same address with its domain in lower case (RFC 4343: a domain has no case). IAM compares the From of a message
    /// with the domain of a policy, and the comparison is case-sensitive.
    #[must_use]
    pub fn with_lower_case_domain(mut self) -> Self {
        self.domain.make_ascii_lowercase();
        self
    }

    /// The address with the same local part at another domain.
    ///
    /// # Errors
    /// If the text is no domain, or the address would be too long.
    pub fn with_domain(&self, domain: &str) -> Result<Address, AddressError> {
        let address = Address {
            local: self.local.clone(),
            domain: domain.to_owned(),
        };
        Address::parse(&address.written())
    }

    /// Whether the local part can be written without quotes (RFC 5322 3.2.3).
    fn is_dot_atom(&self) -> bool {
        let mut after_dot = true;
        let atoms = self.local.bytes().all(|b| {
            let was_after_dot = std::mem::replace(&mut after_dot, b == b'.');
            is_atext(b) || b == b'.' && !was_after_dot
        });
        atoms && !after_dot
    }

    /// As [`Display`](fmt::Display) writes it.
    pub(crate) fn written(&self) -> String {
        if self.is_dot_atom() {
            [&self.local, "@", &self.domain].concat()
        } else {
            [&quoted(&self.local), "@", &self.domain].concat()
        }
    }

    /// `local@domain` in lower case and without quotes, to compare addresses as nearly every system does. Only
    /// the last `@` is the one between the two.
    pub fn key(&self) -> String {
        let mut key = [&self.local, "@", &self.domain].concat();
        key.make_ascii_lowercase();
        key
    }
}

/// Splits text after an opening quote into the content of the quoted-string (RFC 5322 3.2.4) and the text behind it.
fn quoted_string(text: &str) -> Result<(String, &str), AddressError> {
    let mut content = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        let c = match c {
            '"' => {
                reject(&content, |b| matches!(b, b' '..=b'~') && !b"<>,".contains(&b))?;
                return Ok((content, &text[at + 1..]));
            }
            '\\' => chars.next().ok_or(AddressError::Unclosed)?.1,
            _ => c,
        };
        content.push(c);
    }
    Err(AddressError::Unclosed)
}

fn check_domain(domain: &str) -> Result<(), AddressError> {
    if domain.is_empty() || domain == "[]" {
        return Err(AddressError::EmptyDomain);
    }
    if let Some(literal) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return reject(literal, is_in_literal);
    }
    reject(domain, |b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))?;
    let mut labels = domain.as_bytes().split(|&b| b == b'.');
    if labels.any(<[u8]>::is_empty) {
        Err(AddressError::EmptyLabel)
    } else {
        Ok(())
    }
}

/// The characters of a domain-literal that SMTP knows (RFC 5321 4.1.3): IP addresses and tags.
pub(super) fn is_in_literal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".:-".contains(&byte)
}

/// Names the first character that is not allowed.
fn reject(text: &str, allowed: impl Fn(u8) -> bool) -> Result<(), AddressError> {
    match text.bytes().find(|&b| !allowed(b)) {
        None => Ok(()),
        Some(b' ' | 0..0x20 | 0x7f) => Err(AddressError::Space),
        Some(byte) => Err(AddressError::Illegal(char::from(byte))),
    }
}

impl fmt::Display for Address {
    /// A valid addr-spec: the local part is quoted where it is no dot-atom (RFC 5322 3.2.3).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written())
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// As [`Address::parse`], with an error of its own for a form that people write in settings: `Jane <jane@example.org>`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_named = text.contains('<') && text.contains('>');
        Address::parse(text).map_err(|error| if is_named { AddressError::Named } else { error })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_parsed() {
        for (text, local, domain, written) in [
            ("jane@example.org", "jane", "example.org", "jane@example.org"),
            (
                "Jane+tag@EXAMPLE.org.",
                "Jane+tag",
                "EXAMPLE.org",
                "Jane+tag@EXAMPLE.org",
            ),
            (
                "a!#$%&'*+-/?=^_`{|}~@b_-c",
                "a!#$%&'*+-/?=^_`{|}~",
                "b_-c",
                "a!#$%&'*+-/?=^_`{|}~@b_-c",
            ),
            (".a..b.@x", ".a..b.", "x", "\".a..b.\"@x"),
            ("\"jane\"@x", "jane", "x", "jane@x"),
            (
                "\"a b@c\\\"\\\\\\d\"@x",
                "a b@c\"\\d",
                "x",
                "\"a b@c\\\"\\\\d\"@x",
            ),
            ("jane@[192.0.2.1]", "jane", "[192.0.2.1]", "jane@[192.0.2.1]"),
            (
                "jane@[IPv6:2001:db8::1]",
                "jane",
                "[IPv6:2001:db8::1]",
                "jane@[IPv6:2001:db8::1]",
            ),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.local(), address.domain()), (local, domain), "{text}");
            assert_eq!(address.to_string(), written);
            assert_eq!(written.parse(), Ok(address));
        }
        assert_eq!(Address::parse("\"A.@B.\"@C").unwrap().key(), "a.@b.@c");
    }

    #[test]
    fn what_is_no_address_has_a_reason() {
        use AddressError::*;
        let long = format!("jane@{}", "x".repeat(MAX_MAILBOX - 4));
        for (text, reason) in [
            ("", NoAt),
            ("jane", NoAt),
            ("\"jane\"", NoAt),
            ("@x", EmptyLocal),
            ("\"\"@x", EmptyLocal),
            ("jane@", EmptyDomain),
            ("jane@.", EmptyDomain),
            ("jane@[]", EmptyDomain),
            ("j\u{fc}@x", NotAscii),
            ("jane@\u{fc}.example", NotAscii),
            (" jane@x", Space),
            ("jane@x\r\n", Space),
            ("ja\0ne@x", Space),
            ("\"ja\rne\"@x", Space),
            ("\"ja\\\nne\"@x", Space),
            (&format!("\"j{}e\"@x", " ".repeat(61)), Space),
            ("jane@[1 2]", Space),
            ("jane,joe@x", Illegal(',')),
            ("\"<jane>\"@x", Illegal('<')),
            ("\"jane,\"@x", Illegal(',')),
            ("<jane@x>", Illegal('<')),
            ("jane@x@y", Illegal('@')),
            ("ja\"ne@x", Illegal('"')),
            ("jane@x!y", Illegal('!')),
            ("jane@[a]b]", Illegal(']')),
            ("jane@.x", EmptyLabel),
            ("jane@x..y", EmptyLabel),
            ("jane@x..", EmptyLabel),
            ("\"jane@x", Unclosed),
            ("\"jane@x\\", Unclosed),
            ("=?utf-8?q?a?=@x", EncodedWord),
            ("\"=?utf-8?q?a?=\"@x", EncodedWord),
            (&long, TooLong),
        ] {
            assert_eq!(Address::parse(text), Err(reason), "{text:?}");
        }
        assert!(Address::parse(&long[..MAX_MAILBOX]).is_ok());
        assert!(Address::parse(&format!("\"j{}e\"@x", " ".repeat(60))).is_ok());
        // The limit is on the written form.
        let escaped = |quotes: usize| Address::parse(&format!("\"{}\"@x", r#"\""#.repeat(quotes)));
        let fits = (MAX_MAILBOX - "\"\"@x".len()) / 2;
        assert_eq!(
            escaped(fits).map(|address| address.to_string().len()),
            Ok(MAX_MAILBOX)
        );
        assert_eq!(escaped(fits + 1), Err(TooLong));
    }

    proptest! {
        #[test]
        fn a_parsed_address_is_harmless(text in "\\PC{0,20}|[a.@\"\\\\ <\\[\\],\r]{0,12}@[a.\\[\\]]{0,6}") {
            if let Ok(address) = Address::parse(&text) {
                let written = address.to_string();
                prop_assert!(written.bytes().all(|b| matches!(b, b' '..=b'~') && !b"<>,".contains(&b)), "{:?}", written);
                prop_assert!(written.starts_with('"') || !written.contains(' '));
                prop_assert_eq!(Address::parse(&written), Ok(address));
            }
        }
    }
}
