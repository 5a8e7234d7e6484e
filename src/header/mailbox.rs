//! Mailboxes and lists of them (RFC 5322 3.4), as strangers write them.
//!
//! The structure of a list is found first, in the octets as they came: encoded-words are opaque to it and are
//! decoded only for names, once it is known what a name is. So nothing that decodes to an address becomes one.

use std::fmt;
use std::ops::Range;

use memchr::{memchr2, memchr3};

#[path = "address.rs"]
mod address;

pub use address::{Address, AddressError};

use super::encoded_word::{self, Finder, collapse, encode_phrase};

/// Octets of a written mailbox at most: what Amazon SES takes.
pub const MAX_MAILBOX: usize = 320;

/// Mailboxes that are read from one field; the rest is passed over.
pub const MAX_MAILBOXES: usize = 1000;

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
    let address = address.to_string();
    let room = MAX_MAILBOX.saturating_sub(address.len() + " <>".len());
    match name.map(|name| fitting_phrase(name, room)) {
        Some(phrase) if !phrase.is_empty() => format!("{phrase} <{address}>"),
        _ => address,
    }
}

/// The phrase for as much of `name` as fits in `room` octets, empty if nothing does.
fn fitting_phrase(name: &str, room: usize) -> String {
    // No character takes less than an octet.
    let end = name
        .char_indices()
        .nth(MAX_MAILBOX + 1)
        .map_or(name.len(), |(end, _)| end);
    let phrase = encode_phrase(&name[..end]);
    if end == name.len() && phrase.len() <= room {
        return phrase;
    }
    let name = collapse(&name[..end]);
    let ellipsis = if name.is_ascii() { "..." } else { "\u{2026}" };
    let cuts: Vec<usize> = name.char_indices().map(|(cut, _)| cut).skip(1).collect();
    let cut_at = |cut: usize| encode_phrase(&format!("{}{ellipsis}", name[..cut].trim_end()));
    let fitting = cuts.partition_point(|&cut| cut_at(cut).len() <= room);
    // A longer cut may take fewer octets where the encoding changes, so the one found is looked at again.
    let phrase = fitting.checked_sub(1).map(|last| cut_at(cuts[last]));
    phrase.filter(|phrase| phrase.len() <= room).unwrap_or_default()
}

/// Reads the mailboxes of a field body (RFC 5322 3.4), in order; groups are flattened.
///
/// The body may be folded, may be of any octets, and need not be valid. What has no valid address is dropped:
///
/// ```
/// use readdress::header::mailbox::parse_address_list;
///
/// let list = parse_address_list(b"Example, Jane <jane@example.org>, undisclosed-recipients:;, joe@x (Joe)");
/// let names: Vec<_> = list.iter().map(|mailbox| mailbox.name.as_deref().unwrap_or_default()).collect();
/// assert_eq!(names, ["Example, Jane", "Joe"]);
/// ```
pub fn parse_address_list(body: &[u8]) -> Vec<Mailbox> {
    let mut list = List::default();
    for token in Lexer::new(body) {
        if list.found.len() >= MAX_MAILBOXES {
            break;
        }
        list.push(token);
    }
    if list.bracket.is_some() {
        list.close_bracket();
    }
    list.finish();
    list.found.truncate(MAX_MAILBOXES);
    list.found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A run of anything else.
    Word,
    /// A quoted-string, its quotes included.
    Quoted,
    /// The content of a comment.
    Comment,
    /// A domain-literal, its brackets included.
    Literal,
    /// One of `<>,;:@`.
    Special(u8),
}

const AT: Kind = Kind::Special(b'@');

#[derive(Clone, Copy)]
struct Token<'a> {
    kind: Kind,
    text: &'a [u8],
    /// White space or a comment stands before it.
    spaced: bool,
}

impl Token<'_> {
    fn begins_or_ends_with_dot(self, other: Self) -> bool {
        self.text.ends_with(b".") || other.text.starts_with(b".")
    }
}

/// Cuts a field body into tokens. It reads no octet more than a few times, whatever is not closed.
struct Lexer<'a> {
    body: &'a [u8],
    at: usize,
    encoded_words: Finder<'a>,
    /// The kind of the last token.
    last: Kind,
    /// A quote was not closed, so no other one will be.
    quotes_ended: bool,
    /// The same of comments.
    comments_ended: bool,
}

impl<'a> Lexer<'a> {
    fn new(body: &'a [u8]) -> Self {
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
        let len = content.iter().position(|&b| !address::is_in_literal(b))?;
        (content[len] == b']').then_some(self.at + len + 2)
    }

    /// The end of the word that begins here.
    fn word(&mut self) -> usize {
        let mut at = self.at;
        while let Some(&byte) = self.body.get(at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'(' | b'<' | b'>' | b',' | b';' | b':' | b'@' => break,
                b'\\' if self.body.get(at + 1).is_some_and(|&b| is_escapable(b)) => at += 2,
                b'=' => at = self.encoded_words.at(at).map_or(at + 1, |word| word.end),
                _ => at += 1,
            }
        }
        at
    }
}

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
                // What is not closed is passed over, and what follows is read as if it were not there.
                self.at += 1;
                continue;
            };
            self.at = end;
            self.last = kind;
            let text = &self.body[start..end];
            let text = if kind == Kind::Comment {
                &text[1..text.len() - 1]
            } else {
                text
            };
            return Some(Token { kind, text, spaced });
        }
    }
}

/// What a backslash is dropped before, in names. Other ones mean themselves, as in `DOMAIN\jane`.
fn is_escapable(byte: u8) -> bool {
    b"\"\\()".contains(&byte)
}

/// The mailboxes found so far, and what of the next one has been read.
#[derive(Default)]
struct List<'a> {
    found: Vec<Mailbox>,
    /// What is outside of angle brackets.
    words: Vec<Token<'a>>,
    /// Where in `words` the part after the last comma begins. A comma may be part of an unquoted name; whether
    /// it is, is known only when an address comes.
    part: usize,
    /// The first comment, the name of old.
    comment: Option<&'a [u8]>,
    /// What is in an open angle bracket.
    bracket: Option<Vec<Token<'a>>>,
    /// The address that was in angle brackets, and the words of its name.
    complete: Option<(Vec<Token<'a>>, Address)>,
}

impl<'a> List<'a> {
    fn push(&mut self, token: Token<'a>) {
        if token.kind == Kind::Comment {
            self.comment = self
                .comment
                .or(Some(token.text).filter(|text| !text.trim_ascii().is_empty()));
            return;
        }
        let Some(bracket) = &mut self.bracket else {
            match token.kind {
                Kind::Special(b'<') => self.open_bracket(),
                Kind::Special(b'>') => {}
                Kind::Special(b',') => self.comma(token),
                Kind::Special(b';') => self.finish(),
                // The name of a group, or `mailto`.
                Kind::Special(b':') => self.forget_words(),
                _ => self.words.push(token),
            }
            return;
        };
        match token.kind {
            Kind::Special(b'>') => self.close_bracket(),
            // `<<jane@x>>`, `<Jane <jane@x>>`
            Kind::Special(b'<') if bracket.iter().all(|token| token.kind != AT) => self.words.append(bracket),
            Kind::Special(b'<') => {
                self.close_bracket();
                self.open_bracket();
            }
            // The commas of a route, `<@a,@b:jane@x>`, and no others.
            Kind::Special(b',') if bracket.first().is_some_and(|first| first.kind == AT) => {
                bracket.push(token);
            }
            Kind::Special(b',' | b';') => {
                self.close_bracket();
                self.finish();
            }
            _ => bracket.push(token),
        }
    }

    fn open_bracket(&mut self) {
        self.finish_complete();
        self.bracket = Some(Vec::new());
    }

    fn close_bracket(&mut self) {
        let bracket = self.bracket.take().unwrap_or_default();
        match bracketed_address(&bracket) {
            Some(address) => {
                self.complete = Some((std::mem::take(&mut self.words), address));
                self.part = 0;
            }
            None => self.finish(),
        }
    }

    fn comma(&mut self, comma: Token<'a>) {
        if self.complete.is_some() {
            return self.finish();
        }
        let found = self.found.len();
        self.finish_part();
        if self.found.len() > found {
            self.forget_words();
        } else if !self.words.is_empty() {
            self.words.push(comma);
            self.part = self.words.len();
        }
    }

    /// Nothing that follows has to do with what came before.
    fn finish(&mut self) {
        if self.complete.is_some() {
            self.finish_complete();
        } else {
            self.finish_part();
        }
        self.forget_words();
    }

    fn forget_words(&mut self) {
        self.finish_complete();
        self.words.clear();
        self.part = 0;
        self.comment = None;
    }

    fn finish_complete(&mut self) {
        if let Some((words, address)) = self.complete.take() {
            self.add(&words, address);
        }
    }

    /// Finds the addresses without angle brackets.
    fn finish_part(&mut self) {
        let words = std::mem::take(&mut self.words);
        let part = &words[self.part..];
        let is_glued = |at: &usize| !part[*at].spaced && part.get(at + 1).is_some_and(|after| !after.spaced);
        let ats = (0..part.len()).filter(|&at| part[at].kind == AT);
        let glued: Vec<usize> = ats.clone().filter(is_glued).collect();
        // White space around the `@` (RFC 5322 4.4) is as likely to be prose, `Jane @ Work`.
        let loose = glued.is_empty();
        let ats = if loose { ats.collect() } else { glued };
        let mut end = 0;
        for at in ats {
            if let Some((span, address)) = addr_spec(part, at, loose)
                && span.start >= end
                && (!loose || address.domain().contains(['.', '[']))
            {
                self.add(&part[end..span.start], address);
                end = span.end;
            }
        }
        self.words = words;
    }

    fn add(&mut self, name: &[Token<'a>], address: Address) {
        let comment = self.comment.take();
        let name = decode_name(name).or_else(|| {
            let kind = Kind::Comment;
            decode_name(&[Token {
                kind,
                text: comment?,
                spaced: false,
            }])
        });
        self.found.push(Mailbox { name, address });
    }
}

/// The address in angle brackets, which must be all that is there but for a route (RFC 5322 4.4) or `mailto:`.
fn bracketed_address(tokens: &[Token<'_>]) -> Option<Address> {
    let route = tokens.iter().rposition(|token| token.kind == Kind::Special(b':'));
    let tokens = &tokens[route.map_or(0, |colon| colon + 1)..];
    let at = tokens.iter().position(|token| token.kind == AT)?;
    let (span, address) = addr_spec(tokens, at, true)?;
    (span == (0..tokens.len())).then_some(address)
}

/// The address whose `@` is at `at`, and the tokens that it is made of. `loose`: white space may stand before and
/// after dots (RFC 5322 4.4).
fn addr_spec(tokens: &[Token<'_>], at: usize, loose: bool) -> Option<(Range<usize>, Address)> {
    let joins = |right: usize| {
        let (left, right) = (tokens[right - 1], tokens[right]);
        let lone = left.text == b"." || right.text == b".";
        left.kind == Kind::Word
            && right.kind == Kind::Word
            && left.begins_or_ends_with_dot(right)
            && (!right.spaced || loose || lone)
    };
    let (mut start, mut end) = (at.checked_sub(1)?, at + 2);
    while start > 0 && joins(start) {
        start -= 1;
    }
    while end < tokens.len() && joins(end) {
        end += 1;
    }
    // `a@b@c` is no address, and none of its parts is one that was meant.
    let before = start
        .checked_sub(1)
        .map(|before| (tokens[before], tokens[start].spaced));
    let after = tokens.get(end).map(|&after| (after, after.spaced));
    let is_torn = |(neighbour, spaced): (Token<'_>, bool)| !spaced || loose && neighbour.kind == AT;
    if before
        .filter(|(before, _)| before.kind != Kind::Quoted)
        .is_some_and(is_torn)
        || after.is_some_and(is_torn)
    {
        return None;
    }
    let text = tokens
        .get(start..end)?
        .iter()
        .map(|token| token.text)
        .collect::<Vec<_>>()
        .concat();
    let text = std::str::from_utf8(&text).ok()?;
    let bare = text
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
        .unwrap_or(text);
    Some((start..end, Address::parse(bare).ok()?))
}

/// The name that these tokens make, `None` if it is empty.
fn decode_name(tokens: &[Token<'_>]) -> Option<String> {
    let mut name = Vec::new();
    for token in tokens {
        if token.spaced && !name.is_empty() {
            name.push(b' ');
        }
        let text = match token.kind {
            Kind::Quoted => &token.text[1..token.text.len() - 1],
            _ => token.text,
        };
        let mut rest = text.iter().copied().peekable();
        while let Some(byte) = rest.next() {
            let escaped = rest.next_if(|&next| byte == b'\\' && is_escapable(next));
            name.push(escaped.unwrap_or(byte));
        }
    }
    let name = collapse(&encoded_word::decode(&name));
    // Some programs encode the quotes along with the name.
    let bare = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let name = bare.filter(|bare| !bare.contains('"')).unwrap_or(&name).trim();
    (!name.is_empty()).then(|| name.to_owned())
}
