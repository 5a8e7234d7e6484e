//! Content-Type and Content-Disposition, read as strictly as SES reads them: RFC 2045 5.1 as JavaMail 1.6.5 understands it.
//!
//! It finds faults only. [`ContentType`](crate::mime::ContentType) is the reader that makes the best of irregular fields, and
//! the one that finds the parts.

use std::error::Error;
use std::fmt;

/// Why SES refuses a Content-Type or a Content-Disposition, in its own words, without the text that it quotes from the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentTypeFault {
    /// There is no type.
    NoType,
    /// There is no `/` behind the type.
    NoSlash,
    /// There is no subtype.
    NoSubtype,
    /// There is no disposition.
    NoDisposition,
    /// Something else than `;` before a parameter or at the end.
    NoSemicolon,
    /// A parameter's name is no token.
    NoName,
    /// A parameter without `=`.
    NoEquals,
    /// A parameter's value is neither a token nor a quoted-string.
    NoValue,
    /// A quoted-string is not closed.
    OpenQuote,
    /// A comment is not closed.
    OpenComment,
}

impl ContentTypeFault {
    /// SES's words, without the text that they quote.
    pub const fn text(self) -> &'static str {
        match self {
            ContentTypeFault::NoType => "expected MIME type",
            ContentTypeFault::NoSlash => "expected '/'",
            ContentTypeFault::NoSubtype => "expected MIME subtype",
            ContentTypeFault::NoDisposition => "expected disposition",
            ContentTypeFault::NoSemicolon => "expected ';'",
            ContentTypeFault::NoName => "expected parameter name",
            ContentTypeFault::NoEquals => "expected '=', got \"null\"",
            ContentTypeFault::NoValue => "expected parameter value",
            ContentTypeFault::OpenQuote => "Unbalanced quoted string",
            ContentTypeFault::OpenComment => "Unbalanced comments",
        }
    }
}

impl fmt::Display for ContentTypeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Error for ContentTypeFault {}

/// Checks the body of a Content-Type field, folded or not.
///
/// # Errors
/// The first fault.
pub fn check_content_type(body: &[u8]) -> Result<(), ContentTypeFault> {
    let mut rest = Tokens { rest: body };
    rest.expect(Token::Atom, ContentTypeFault::NoType)?;
    rest.expect(Token::Special(b'/'), ContentTypeFault::NoSlash)?;
    rest.expect(Token::Atom, ContentTypeFault::NoSubtype)?;
    rest.parameters()
}

/// Checks the body of a Content-Disposition field, folded or not.
///
/// # Errors
/// The first fault.
pub fn check_content_disposition(body: &[u8]) -> Result<(), ContentTypeFault> {
    let mut rest = Tokens { rest: body };
    rest.expect(Token::Atom, ContentTypeFault::NoDisposition)?;
    rest.parameters()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Atom,
    QuotedString,
    /// A special of RFC 2045 5.1, a control or an octet above 127.
    Special(u8),
    End,
}

/// The tokens of a field body.
struct Tokens<'a> {
    rest: &'a [u8],
}

impl Tokens<'_> {
    fn expect(&mut self, token: Token, fault: ContentTypeFault) -> Result<(), ContentTypeFault> {
        if self.next()? == token { Ok(()) } else { Err(fault) }
    }

    fn parameters(&mut self) -> Result<(), ContentTypeFault> {
        loop {
            match self.next()? {
                Token::End => return Ok(()),
                Token::Special(b';') => {}
                _ => return Err(ContentTypeFault::NoSemicolon),
            }
            match self.next()? {
                // A `;` at the end is accepted.
                Token::End => return Ok(()),
                Token::Atom => {}
                _ => return Err(ContentTypeFault::NoName),
            }
            self.expect(Token::Special(b'='), ContentTypeFault::NoEquals)?;
            if !matches!(self.next()?, Token::Atom | Token::QuotedString) {
                return Err(ContentTypeFault::NoValue);
            }
        }
    }

    fn next(&mut self) -> Result<Token, ContentTypeFault> {
        self.blanks()?;
        let Some((&first, after)) = self.rest.split_first() else {
            return Ok(Token::End);
        };
        if first == b'"' {
            self.rest = after;
            let len = closed_at(after, b'"').ok_or(ContentTypeFault::OpenQuote)?;
            self.rest = &after[len..];
            return Ok(Token::QuotedString);
        }
        if is_special(first) {
            self.rest = after;
            return Ok(Token::Special(first));
        }
        let len = self.rest.iter().position(|&b| b == b' ' || is_special(b));
        self.rest = &self.rest[len.unwrap_or(self.rest.len())..];
        Ok(Token::Atom)
    }

    /// Skips white space and comments.
    fn blanks(&mut self) -> Result<(), ContentTypeFault> {
        loop {
            let blank = |&b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
            let start = self.rest.iter().position(|b| !blank(b));
            self.rest = &self.rest[start.unwrap_or(self.rest.len())..];
            let Some(comment) = self.rest.strip_prefix(b"(") else {
                return Ok(());
            };
            let len = closed_at(comment, b')').ok_or(ContentTypeFault::OpenComment)?;
            self.rest = &comment[len..];
        }
    }
}

/// Octets up to the one that closes a comment or quoted-string, that one included. Comments nest.
fn closed_at(text: &[u8], close: u8) -> Option<usize> {
    let mut depth = 1_usize;
    let mut escaped = false;
    for (at, &octet) in text.iter().enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' if close == b')' => depth += 1,
            _ if octet == close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// Whether a token may not hold this octet. The space is not counted.
fn is_special(octet: u8) -> bool {
    const TABLE: [bool; 256] = table_of(b"()<>@,;:\\\"[]/?=");
    TABLE[usize::from(octet)] || !(b' '..0x7f).contains(&octet)
}

/// Which octets are among these.
pub(super) const fn table_of(octets: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut at = 0;
    while at < octets.len() {
        table[octets[at] as usize] = true;
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdicts are JavaMail 1.6.5's own, asked strictly.
    #[test]
    fn types_are_taken_and_refused_as_javamail_does() {
        let cases = [
            (&b"text/plain"[..], true),
            (&b"text/plain; charset=utf-8"[..], true),
            (&b"text/plain; charset=\"utf-8\" ; format=flowed"[..], true),
            (&b"text"[..], false),
            (&b""[..], false),
            (&b"text/"[..], false),
            (&b"/plain"[..], false),
            (&b"text/plain;"[..], true),
            (&b"text/plain;;"[..], false),
            (&b"text/plain; charset"[..], false),
            (&b"text/plain; charset="[..], false),
            (&b"text/plain; =x"[..], false),
            (&b"text/plain; charset=\"utf-8"[..], false),
            (&b"text/plain charset=utf-8"[..], false),
            (&b"text/plain; a=b c"[..], false),
            (&b"text/plain; name=a b.txt"[..], false),
            (&b"text/plain; name=a/b.txt"[..], false),
            (&b"text/plain; name==?utf-8?q?a?="[..], false),
            (&b"multipart/mixed; boundary=----=_x"[..], false),
            (&b"multipart/mixed; boundary=\"----=_x\""[..], true),
            (&b"text/plain (a comment); charset=utf-8"[..], true),
            (&b"text/plain; name=\xe4.txt"[..], false),
            (&b"text/plain; name=\"\xe4.txt\""[..], true),
            (&b"text/plain; charset=utf-8 extra"[..], false),
            (&b"text/plain; name*0=a; name*1=b"[..], true),
            (&b"text / plain"[..], true),
            (&b"text/plain; a=\"b\" c"[..], false),
            (&b"\"text\"/plain"[..], false),
        ];
        for (body, is_taken) in cases {
            let result = check_content_type(body);
            assert_eq!(result.is_ok(), is_taken, "{} {result:?}", body.escape_ascii());
            // A disposition differs only in its first word, which is not a type with a slash.
            let Some(parameters) = body.strip_prefix(b"text/plain") else {
                continue;
            };
            let disposition = [b"attachment", parameters].concat();
            let result = check_content_disposition(&disposition);
            assert_eq!(result.is_ok(), is_taken, "{}", disposition.escape_ascii());
        }
    }
}
