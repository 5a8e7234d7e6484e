//! The tokens of address lists (RFC 5322 3.2, 3.4): words, quoted-strings, comments, domain-literals, specials.

use memchr::{memchr2, memchr3};

use super::address::is_in_literal;
use super::encoded_word::Finder;
use super::text::is_invisible;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A run of anything else.
    Word,
    /// A quoted-string, its quotes included.
    Quoted,
    /// A comment, its parentheses included.
    Comment,
    /// A domain-literal, its brackets included.
    Literal,
    /// One of `<>,;:@`.
    Special(u8),
}

pub(super) const AT: Kind = Kind::Special(b'@');

#[derive(Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a [u8],
    /// White space or a comment stands before it.
    pub(super) spaced: bool,
}

/// Cuts a field body into tokens. It reads no octet more than a few times, whichever quotes or brackets are left open.
pub(super) struct Lexer<'a> {
    body: &'a [u8],
    at: usize,
    encoded_words: Finder<'a>,
    /// The kind of the last token.
    last: Kind,
    /// A quote was not closed, so no other one will be.
    quotes_ended: bool,
    /// A comment was not closed, so no other one will be.
    comments_ended: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Lexer {
            body,
            at: 0,
            encoded_words: Finder::new(body),
            last: Kind::Special(b','),
            quotes_ended: false,
            comments_ended: false,
        }
    }

    /// The end of the quoted-string that begins here (RFC 5322 3.2.4).
    fn quoted(&mut self) -> Option<usize> {
        let mut at = self.at + 1;
        while !self.quotes_ended {
            match memchr2(b'"', b'\\', self.body.get(at..).unwrap_or_default()) {
                None => self.quotes_ended = true,
                Some(found) if self.body[at + found] == b'"' => return Some(at + found + 1),
                Some(found) => at += found + 2,
            }
        }
        None
    }

    /// The end of the comment that begins here, of those in it as well (RFC 5322 3.2.2).
    fn comment(&mut self) -> Option<usize> {
        let (mut at, mut depth) = (self.at + 1, 1);
        while !self.comments_ended {
            let Some(found) = memchr3(b'(', b')', b'\\', self.body.get(at..).unwrap_or_default()) else {
                self.comments_ended = true;
                break;
            };
            at += found + 1;
            match self.body[at - 1] {
                b'(' => depth += 1,
                b')' if depth == 1 => return Some(at),
                b')' => depth -= 1,
                _ => at += 1,
            }
        }
        None
    }

    /// The end of the domain-literal that begins here (RFC 5322 3.4.1), if it follows an `@`.
    fn literal(&self) -> Option<usize> {
        let content = self.body[self.at..]
            .strip_prefix(b"[")
            .filter(|_| self.last == AT)?;
        let len = content.iter().position(|&b| !is_in_literal(b))?;
        (content[len] == b']').then_some(self.at + len + 2)
    }

    /// The end of the word that begins here.
    fn word(&mut self) -> usize {
        let mut at = self.at;
        loop {
            let rest = self.body.get(at..).unwrap_or_default();
            let other = rest.iter().position(|&b| !IS_PLAIN[usize::from(b)]);
            at += other.unwrap_or(rest.len());
            match *self.body.get(at..).unwrap_or_default() {
                [b'\\', next, ..] if is_escapable(next) => at += 2,
                [b'=', ..] => at = self.encoded_words.at(at).map_or(at + 1, |word| word.end),
                [b'\\', ..] => at += 1,
                [0xc2 | 0xe2 | 0xe3, ..] if wide_blank(&self.body[at..]) == 0 => at += 1,
                _ => return at,
            }
        }
    }
}

/// Octets that neither end a word nor begin a sequence that does.
const IS_PLAIN: [bool; 256] = {
    let mut table = [true; 256];
    let others = b" \t\r\n\"(<>,;:@\\=\xc2\xe2\xe3";
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = false;
        at += 1;
    }
    table
};

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let mut spaced = self.last == Kind::Comment;
        loop {
            let start = self.at;
            let found = match *self.body.get(start)? {
                b' ' | b'\t' | b'\r' | b'\n' => {
                    spaced = true;
                    None
                }
                0xc2 | 0xe2 | 0xe3 if wide_blank(&self.body[start..]) > 0 => {
                    spaced = true;
                    self.at += wide_blank(&self.body[start..]) - 1;
                    None
                }
                b'"' => self.quoted().map(|end| (Kind::Quoted, end)),
                b'(' => self.comment().map(|end| (Kind::Comment, end)),
                special @ (b'<' | b'>' | b',' | b';' | b':' | b'@') => {
                    Some((Kind::Special(special), start + 1))
                }
                _ => match self.literal() {
                    Some(end) => Some((Kind::Literal, end)),
                    None => Some((Kind::Word, self.word())),
                },
            };
            let Some((kind, end)) = found else {
                // An opening octet without its end is passed over, as if it were not there.
                self.at += 1;
                continue;
            };
            self.at = end;
            let text = &self.body[start..end];
            if kind == Kind::Word && is_unseen_word(text) {
                continue;
            }
            self.last = kind;
            return Some(Token { kind, text, spaced });
        }
    }
}

/// Octets of the white space at the front of `text` that is not ASCII: a no-break space, one of a certain width, or an
/// ideographic one. 0: there is none.
fn wide_blank(text: &[u8]) -> usize {
    match text {
        [0xc2, 0xa0, ..] => "\u{a0}".len(),
        [0xe2, 0x80, 0x80..=0x8a | 0xaf, ..] | [0xe2, 0x81, 0x9f, ..] | [0xe3, 0x80, 0x80, ..] => {
            "\u{3000}".len()
        }
        _ => 0,
    }
}

/// Whether no character of a word is visible.
fn is_unseen_word(word: &[u8]) -> bool {
    let may_be = word.first().is_some_and(|b| !b.is_ascii_graphic());
    may_be && std::str::from_utf8(word).is_ok_and(|word| word.chars().all(is_unseen))
}

/// Whether a character has no place in an address: controls other than white space, and the marks that pages and editors put
/// into text to break its lines, join its letters or turn its direction.
pub(super) fn is_unseen(c: char) -> bool {
    is_invisible(c) || c.is_control() && !matches!(c, '\t' | '\r' | '\n')
}

/// Whether a backslash before this octet is dropped in names. Before any other it stands for itself, as in `DOMAIN\jane`.
pub(super) fn is_escapable(byte: u8) -> bool {
    b"\"\\()".contains(&byte)
}
