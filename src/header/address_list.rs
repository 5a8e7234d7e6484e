//! Address lists as strangers write them (RFC 5322 3.4).
//!
//! The structure of a list is found first, in the octets as they came: encoded-words are opaque to it and are decoded only in
//! names, after the names are known. So nothing that decodes to an address becomes one.

use std::ops::Range;

use memchr::memchr;

use super::address::{Address, MAX_MAILBOX};
use super::address_lexer::{AT, Kind, Lexer, Token, is_escapable, is_unseen};
use super::display::Mailbox;
use super::encoded_word::{self, collapse};
use super::plain_mailbox::PlainMailbox;

/// Mailboxes at most that are read from one field; the rest is skipped.
pub const MAX_MAILBOXES: usize = 1000;

/// Reads the mailboxes of a field body (RFC 5322 3.4), in order; groups are flattened.
///
/// The body may be folded, may be of any octets, and need not be valid. Items without a valid address are dropped:
///
/// ```
/// use readdress::header::mailbox::parse_address_list;
///
/// let list = parse_address_list(b"Example, Jane <jane@example.org>, undisclosed-recipients:;, joe@x (Joe)");
/// let names: Vec<_> = list.iter().map(|mailbox| mailbox.name.as_deref().unwrap_or_default()).collect();
/// assert_eq!(names, ["Example, Jane", "Joe"]);
/// ```
pub fn parse_address_list(body: &[u8]) -> Vec<Mailbox> {
    parse_at_most(body, body.len(), MAX_MAILBOXES)
}

/// The same, of at most so many octets and mailboxes. A mailbox that the limit cuts is not one.
pub(crate) fn parse_at_most(body: &[u8], octets: usize, mailboxes: usize) -> Vec<Mailbox> {
    if body.len() <= octets
        && mailboxes > 0
        && let Some(plain) = PlainMailbox::read(body)
    {
        return vec![plain.to_mailbox()];
    }
    let mut list = List::default();
    for token in Lexer::new(&body[..body.len().min(octets)]) {
        if list.found.len() >= mailboxes {
            break;
        }
        list.push(token);
    }
    if body.len() <= octets {
        if list.bracket.is_some() {
            list.close_bracket();
        }
        list.finish();
    }
    list.found.truncate(mailboxes);
    list.found
}

/// The mailboxes found so far, and the part of the next one that has been read.
#[derive(Default)]
struct List<'a> {
    found: Vec<Mailbox>,
    /// Tokens outside of angle brackets.
    words: Vec<Token<'a>>,
    /// Where in `words` the part after the last comma begins. A comma may be part of an unquoted name; whether
    /// it is, is known only when an address comes.
    part: usize,
    /// The first comment, in which names were once written.
    comment: Option<Token<'a>>,
    /// Tokens inside of an open angle bracket.
    bracket: Option<Vec<Token<'a>>>,
    /// The address that was in angle brackets, and the words of its name.
    complete: Option<(Vec<Token<'a>>, Address)>,
}

impl<'a> List<'a> {
    fn push(&mut self, token: Token<'a>) {
        if token.kind == Kind::Comment {
            if !token.text[1..token.text.len() - 1].trim_ascii().is_empty() {
                self.comment.get_or_insert(token);
            }
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

    /// Ends an item of the list: later tokens do not belong to it.
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
        // No address follows the token, so it is not a name.
        if let [token] = part
            && let Some((name, address)) = quoted_mailbox(token)
        {
            self.add(name.as_slice(), address);
        }
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
        if self.found.len() < MAX_MAILBOXES {
            let name = decode_name(name).or_else(|| decode_name(&[comment?]));
            self.found.push(Mailbox { name, address });
        }
    }
}

/// The address in angle brackets. The brackets must hold nothing else, except a route (RFC 5322 4.4), or `mailto:` and the
/// fields that follow its address.
fn bracketed_address(tokens: &[Token<'_>]) -> Option<Address> {
    let is_query = |at: &usize| tokens[at - 1].kind == AT && tokens[*at].text.contains(&b'?');
    let query = (1..tokens.len()).find(is_query);
    let tokens = &tokens[..query.map_or(tokens.len(), |at| at + 1)];
    let route = tokens.iter().rposition(|token| token.kind == Kind::Special(b':'));
    let tokens = &tokens[route.map_or(0, |colon| colon + 1)..];
    if let [token] = tokens
        && let Some((None, address)) = quoted_mailbox(token)
    {
        return Some(address);
    }
    let at = tokens.iter().position(|token| token.kind == AT)?;
    let (span, address) = addr_spec(tokens, at, true)?;
    (span == (0..tokens.len())).then_some(address)
}

/// The mailbox whose quotes were put around all of it, `"jane@x"` or `"Jane <jane@x>"`, and the token that is its name.
fn quoted_mailbox<'a>(token: &Token<'a>) -> Option<(Option<Token<'a>>, Address)> {
    let quoted = token.text.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let (name, address) = match quoted.strip_suffix(b">") {
        Some(whole) => whole.split_at(memchr(b'<', whole)?),
        None => (&b""[..], quoted),
    };
    let address = std::str::from_utf8(address).ok()?;
    let address = address.strip_prefix('<').unwrap_or(address);
    let address = Address::parse(address.trim_ascii()).ok()?;
    let name = Token {
        kind: Kind::Word,
        text: name,
        spaced: false,
    };
    Some(((!name.text.is_empty()).then_some(name), address))
}

/// The address whose `@` is at `at`, and the tokens that it is made of. `loose`: white space may stand before and
/// after dots (RFC 5322 4.4).
fn addr_spec(tokens: &[Token<'_>], at: usize, loose: bool) -> Option<(Range<usize>, Address)> {
    let is_dotted = |right: usize| {
        let (left, right) = (tokens[right - 1], tokens[right]);
        let words = left.kind == Kind::Word && right.kind == Kind::Word;
        words && (left.text.ends_with(b".") || right.text.starts_with(b"."))
    };
    let joins = |right: usize| {
        let lone = tokens[right - 1].text == b"." || tokens[right].text == b".";
        is_dotted(right) && (!tokens[right].spaced || loose || lone)
    };
    let (mut start, mut end) = (at.checked_sub(1)?, at + 2);
    while start > 0 && joins(start) {
        start -= 1;
    }
    // `jane. doe@x`, as long as no name is before it: `Jane D. jane@x`.
    if (1..=start).rev().all(is_dotted) {
        start = 0;
    }
    // No word begins with a dot, as the rest of a domain does.
    while end < tokens.len() && (joins(end) || is_dotted(end) && tokens[end].text.starts_with(b".")) {
        end += 1;
    }
    // `a@b@c` is no address, and none of its parts is one that was meant. `"Jane"jane@x` lacks a space.
    let is_torn = |right: usize, other: Kind| !tokens[right].spaced || loose && other == AT;
    let before = start
        .checked_sub(1)
        .map(|before| tokens[before].kind)
        .filter(|&kind| kind != Kind::Quoted || tokens[start].text.starts_with(b"."));
    let after = tokens.get(end).map(|after| after.kind);
    if before.is_some_and(|kind| is_torn(start, kind)) || after.is_some_and(|kind| is_torn(end, kind)) {
        return None;
    }
    let mut text = Vec::with_capacity(MAX_MAILBOX);
    for token in tokens.get(start..end)? {
        text.extend_from_slice(token.text);
    }
    let mut text = String::from_utf8(text).ok()?;
    let text = if is_bare(text.as_bytes()) {
        text
    } else {
        // A quoted local part may be folded (RFC 5322 3.2.4).
        text = text.replace("\r\n", "").replace('\n', "");
        text.retain(|c| !is_unseen(c));
        unwrapped(&text).to_owned()
    };
    Some((start..end, Address::parse(&in_ascii(text)?).ok()?))
}

/// The address with its domain in ASCII (RFC 5891), as it is but for an international one. `None`: its domain is not one.
fn in_ascii(address: String) -> Option<String> {
    if address.is_ascii() {
        return Some(address);
    }
    let (local, domain) = address.rsplit_once('@')?;
    let domain = idna::domain_to_ascii_strict(domain).ok()?;
    Some([local, "@", &domain].concat())
}

/// Whether an address has nothing in it or around it that is not part of it, as is usual.
fn is_bare(address: &[u8]) -> bool {
    let [first, .., last] = address else {
        return false;
    };
    first.is_ascii_alphanumeric()
        && last.is_ascii_alphanumeric()
        && address.iter().all(|&b| b.is_ascii_graphic() && b != b'?')
}

/// Quotes and brackets that are put around an address, as in `'jane@x'`.
const AROUND: [(&str, &str); 6] = [
    ("'", "'"),
    ("`", "'"),
    ("`", "`"),
    ("{", "}"),
    ("\u{2018}", "\u{2019}"),
    ("\u{201c}", "\u{201d}"),
];

/// Characters that may stand right behind an address and are never the end of a domain.
const BEHIND: [char; 8] = ['.', '!', ')', '}', '\'', '`', '\u{2019}', '\u{201d}'];

/// An address without its surroundings: the brackets of `[jane@x]` and `Jane [mailto:jane@x]`, and the fields of
/// `mailto:jane@x?subject=lamps` (RFC 6068 2).
fn unwrapped(mut text: &str) -> &str {
    while let Some(inner) = AROUND
        .iter()
        .find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close))
    {
        text = inner;
    }
    let bare = text.strip_prefix('[').unwrap_or(text);
    let has_literal = bare.contains('[');
    let bare = bare.strip_suffix(']').filter(|_| !has_literal).unwrap_or(bare);
    let domain = bare.rfind('@').unwrap_or(bare.len());
    let end = bare[domain..]
        .find('?')
        .map_or(bare.len(), |query| domain + query);
    bare[..end].trim_end_matches(BEHIND)
}

/// A name without the invisible characters at its ends: spaces, byte order marks, and marks of where a line may break.
fn trimmed(name: &str) -> &str {
    match name.as_bytes() {
        [b'!'..=b'~', .., b'!'..=b'~'] => name,
        _ => name.trim_matches([' ', '\u{200b}', '\u{feff}']),
    }
}

/// The name that these tokens make, `None` if it is empty.
fn decode_name(tokens: &[Token<'_>]) -> Option<String> {
    // With the spaces between them, at most.
    let octets = tokens.iter().map(|token| token.text.len() + 1).sum();
    let mut name = Vec::with_capacity(octets);
    for token in tokens {
        if token.spaced && !name.is_empty() {
            name.push(b' ');
        }
        let text = match token.kind {
            Kind::Quoted | Kind::Comment => &token.text[1..token.text.len() - 1],
            _ => token.text,
        };
        let mut rest = text.iter().copied().peekable();
        while let Some(byte) = rest.next() {
            let escaped = rest.next_if(|&next| byte == b'\\' && is_escapable(next));
            name.push(escaped.unwrap_or(byte));
        }
    }
    let decoded = encoded_word::decode(&name);
    let collapsed = collapse(&decoded);
    let name = trimmed(&collapsed);
    // Some programs encode the quotes along with the name.
    let bare = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let name = bare.filter(|bare| !bare.contains('"')).map_or(name, trimmed);
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests;
