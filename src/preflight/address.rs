//! Address lists, read as strictly as SES reads them.
//!
//! The texts of SES's refusals are those of JavaMail, so this reader takes and refuses what JavaMail 1.6.5 does when it is
//! strict (`parseHeader`, then `validate` for each address), oddities included: text behind the closing bracket of a mailbox is
//! skipped, an address may be cut off inside a domain literal, and the members of a group are not looked at. It only finds
//! faults and returns no mailboxes; [`parse_address_list`](crate::header::mailbox::parse_address_list) is the reader that makes
//! the best of irregular mail.

use super::address_fault::AddressFault;
use super::content_type::table_of;
use crate::header::PlainMailbox;
use std::borrow::Cow;

/// The size of an address list that SES can read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressList {
    /// Mailboxes and groups.
    pub entries: usize,
    /// Mailboxes, those inside of groups included: an empty group counts as none.
    pub mailboxes: usize,
    /// Octets of the longest mailbox as SES would write it, with its name.
    pub longest: usize,
}

/// Reads the body of an address field, folded or not.
///
/// ```
/// use readdress::preflight::{AddressFault, check_address_list};
///
/// let list = check_address_list(b"\"Example, Jane\" <jane@example.org>,\r\n omar@example.net")?;
/// assert_eq!(list.entries, 2);
/// assert_eq!(check_address_list(b"Example, Jane <jane@example.org>"), Err(AddressFault::NoAt));
/// # Ok::<(), AddressFault>(())
/// ```
///
/// # Errors
/// The first fault of the list's structure, or else the first of an address.
pub fn check_address_list(body: &[u8]) -> Result<AddressList, AddressFault> {
    if let Some(plain) = PlainMailbox::read(body) {
        return Ok(AddressList {
            entries: 1,
            mailboxes: 1,
            longest: written_len(Some(plain.phrase.as_bytes()), plain.address.as_bytes()),
        });
    }
    let text = unfold(body);
    let mut reader = Reader {
        text: &text,
        at: 0,
        entry: Entry::default(),
        name: None,
        in_group: false,
        list: AddressList::default(),
        fault: None,
    };
    while reader.at < text.len() {
        reader.step()?;
    }
    reader.end()
}

/// Drops the line breaks of folds. One behind a backslash stays, and the backslash goes.
pub(super) fn unfold(body: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'\r', b'\n', body).is_none() {
        return Cow::Borrowed(body);
    }
    let mut text = Vec::with_capacity(body.len());
    // Where the search for a backslash begins: a backslash before an earlier line break does not count.
    let mut fresh = 0;
    let mut at = 0;
    while let Some(&octet) = body.get(at) {
        if !matches!(octet, b'\r' | b'\n') {
            text.push(octet);
            at += 1;
            continue;
        }
        let len = if body[at..].starts_with(b"\r\n") { 2 } else { 1 };
        let line_break = &body[at..at + len];
        at += len;
        if text.len() > fresh && text.last() == Some(&b'\\') {
            text.pop();
            text.extend_from_slice(line_break);
        } else if !matches!(body.get(at), None | Some(b' ' | b'\t')) {
            text.extend_from_slice(line_break);
        }
        fresh = text.len();
    }
    Cow::Owned(text)
}

/// The entry of a list that is being read.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// Where its text begins; `None`: it has none yet.
    start: Option<usize>,
    /// Where the text ends that counts as its address.
    end: Option<usize>,
    /// Its address stands in brackets.
    in_brackets: bool,
    /// It has a part that a bare address does not have: only then a name counts.
    structured: bool,
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    entry: Entry,
    /// The last name or comment. It outlives an empty entry.
    name: Option<(usize, usize)>,
    in_group: bool,
    list: AddressList,
    /// The first fault that only shows when an address is validated by itself.
    fault: Option<AddressFault>,
}

impl Reader<'_> {
    fn step(&mut self) -> Result<(), AddressFault> {
        let at = self.at;
        match self.text[at] {
            b'(' => self.comment()?,
            b')' => return Err(AddressFault::NoComment),
            b'<' => self.brackets()?,
            b'>' => return Err(AddressFault::NoBracket),
            b'"' => self.enclosed(b'"', AddressFault::OpenQuote)?,
            b'[' => self.enclosed(b']', AddressFault::OpenLiteral)?,
            b';' => self.semicolon()?,
            b',' => self.comma()?,
            b':' => {
                self.entry.structured = true;
                if self.in_group {
                    return Err(AddressFault::NestedGroup);
                }
                self.entry.start.get_or_insert(at);
                self.in_group = true;
            }
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => {
                self.entry.start.get_or_insert(at);
            }
        }
        self.at += 1;
        Ok(())
    }

    /// A comment ends the address before it, and is a name where there is no other.
    fn comment(&mut self) -> Result<(), AddressFault> {
        self.entry.structured = true;
        if self.entry.start.is_some() {
            self.entry.end.get_or_insert(self.at);
        }
        let open = self.at;
        let mut depth = 0_usize;
        let mut at = open;
        loop {
            match self.text.get(at) {
                None => return Err(AddressFault::OpenComment),
                Some(b'\\') => at += 1,
                Some(b'(') => depth += 1,
                Some(b')') => depth -= 1,
                Some(_) => {}
            }
            if depth == 0 {
                break;
            }
            at += 1;
        }
        self.at = at;
        self.name.get_or_insert((open + 1, at));
        Ok(())
    }

    fn brackets(&mut self) -> Result<(), AddressFault> {
        self.entry.structured = true;
        if self.entry.in_brackets {
            return Err(AddressFault::ExtraBracket);
        }
        let open = self.at;
        let mut quoted = false;
        let mut at = open + 1;
        loop {
            match self.text.get(at) {
                None if quoted => return Err(AddressFault::OpenQuote),
                None => return Err(AddressFault::OpenBracket),
                Some(b'\\') => at += 1,
                Some(b'"') => quoted = !quoted,
                Some(b'>') if !quoted => break,
                Some(_) => {}
            }
            at += 1;
        }
        if !self.in_group {
            if let Some(start) = self.entry.start {
                self.name = Some((start, open));
            }
            self.entry.start = Some(open + 1);
        }
        self.entry.in_brackets = true;
        self.entry.end = Some(at);
        self.at = at;
        Ok(())
    }

    /// A quoted-string or a domain literal.
    fn enclosed(&mut self, close: u8, fault: AddressFault) -> Result<(), AddressFault> {
        self.entry.structured = true;
        self.entry.start.get_or_insert(self.at);
        let mut at = self.at + 1;
        loop {
            match self.text.get(at) {
                None => return Err(fault),
                Some(b'\\') => at += 1,
                Some(&octet) if octet == close => break,
                Some(_) => {}
            }
            at += 1;
        }
        self.at = at;
        Ok(())
    }

    fn semicolon(&mut self) -> Result<(), AddressFault> {
        let Some(start) = self.entry.start else {
            self.entry = Entry::default();
            return Ok(());
        };
        if !self.in_group {
            return Err(AddressFault::Semicolon);
        }
        self.in_group = false;
        let address = trimmed(&self.text[start..=self.at]);
        self.list.entries += 1;
        if is_group(address) {
            self.list.mailboxes += members(address);
        } else {
            self.list.mailboxes += 1;
            let fault = address_fault(address, true).unwrap_or(AddressFault::NoAt);
            self.fault.get_or_insert(fault);
        }
        self.entry = Entry::default();
        self.name = None;
        Ok(())
    }

    fn comma(&mut self) -> Result<(), AddressFault> {
        if self.entry.start.is_some() && self.in_group {
            self.entry.in_brackets = false;
            return Ok(());
        }
        self.finish_entry()
    }

    fn finish_entry(&mut self) -> Result<(), AddressFault> {
        let entry = std::mem::take(&mut self.entry);
        let Some(start) = entry.start else {
            return Ok(());
        };
        let name = self.name.take().filter(|_| entry.structured);
        let address = trimmed(&self.text[start..entry.end.unwrap_or(self.at)]);
        self.list.entries += 1;
        self.list.mailboxes += 1;
        let late = check_address(address, entry.in_brackets)?;
        if is_group(address) {
            return Ok(());
        }
        if let Some(late) = late {
            self.fault.get_or_insert(late);
        }
        let name = name.map(|(start, end)| trimmed(&self.text[start..end]));
        self.list.longest = self.list.longest.max(written_len(name, address));
        Ok(())
    }

    fn end(mut self) -> Result<AddressList, AddressFault> {
        self.finish_entry()?;
        self.fault.map_or(Ok(self.list), Err)
    }
}

/// Without spaces and controls at its ends.
pub(super) fn trimmed(text: &[u8]) -> &[u8] {
    let Some(start) = text.iter().position(|&b| b > b' ') else {
        return &[];
    };
    let end = text.iter().rposition(|&b| b > b' ').unwrap_or(start);
    &text[start..=end]
}

/// `name: members;`, by a look at its ends.
fn is_group(address: &[u8]) -> bool {
    address.last() == Some(&b';') && memchr::memchr(b':', address).is_some_and(|at| at > 0)
}

/// The mailboxes in a group, by its commas: SES counts each as a recipient, and nobody reads them more closely.
fn members(group: &[u8]) -> usize {
    let inside = memchr::memchr(b':', group).map_or(group, |at| &group[at + 1..group.len() - 1]);
    let mut count = 0;
    let (mut text, mut quoted, mut escaped) = (false, false, false);
    for &octet in inside {
        match octet {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => (quoted, text) = (!quoted, true),
            b',' if !quoted => count += usize::from(std::mem::take(&mut text)),
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => text = true,
        }
    }
    count + usize::from(text)
}

/// The fault of an address by itself.
fn address_fault(address: &[u8], in_brackets: bool) -> Option<AddressFault> {
    check_address(address, in_brackets).unwrap_or_else(Some)
}

/// Checks `local@domain`, with a source route before it where it stands in brackets. The value is a fault that only counts for
/// an address by itself, as a list may hold local names.
fn check_address(address: &[u8], in_brackets: bool) -> Result<Option<AddressFault>, AddressFault> {
    if address.is_empty() {
        return Err(AddressFault::Empty);
    }
    let start = if in_brackets { route_len(address)? } else { 0 };
    let (at, before, late) = check_local(address, start)?;
    let Some(at) = at else {
        return Ok(late.or(Some(AddressFault::NoAt)));
    };
    check_domain(&address[at + 1..], before)?;
    Ok(late)
}

/// Octets of the source route `@domain,@domain:` (RFC 822 6.1).
fn route_len(address: &[u8]) -> Result<usize, AddressFault> {
    let mut start = 0;
    if address[0] != b'@' {
        return Ok(0);
    }
    while let Some(found) = memchr::memchr2(b',', b':', &address[start..]) {
        if address[start] != b'@' {
            return Err(AddressFault::Route);
        }
        let at = start + found;
        start = at + 1;
        if address[at] == b':' {
            break;
        }
    }
    Ok(start)
}

/// Where the `@` behind a local part is, the octet before that, and a fault that counts for an address by itself.
type Local = (Option<usize>, Option<u8>, Option<AddressFault>);

/// Checks a local part that begins at `start`.
fn check_local(address: &[u8], start: usize) -> Result<Local, AddressFault> {
    let mut late = None;
    let mut quoted = false;
    let mut last = None;
    let mut octet = None;
    for (at, &this) in address.iter().enumerate().skip(start) {
        last = octet.replace(this);
        let next = address.get(at + 1);
        match this {
            // A backslash is accepted anywhere.
            b'\\' => continue,
            _ if last == Some(b'\\') => continue,
            b'"' if quoted => {
                if next.is_some_and(|&next| next != b'@') {
                    late.get_or_insert(AddressFault::QuoteNotAtEnd);
                }
                quoted = false;
                continue;
            }
            b'"' => {
                if at > 0 {
                    late.get_or_insert(AddressFault::QuoteNotAtStart);
                }
                quoted = true;
                continue;
            }
            b'\r' if next.is_some_and(|&next| next != b'\n') => return Err(AddressFault::BareCr),
            b'\n' if next.is_some_and(|&next| !matches!(next, b' ' | b'\t')) => {
                return Err(AddressFault::LineBreak);
            }
            _ => {}
        }
        if quoted {
            continue;
        }
        match this {
            b'.' if at == start => return Err(AddressFault::LocalStartsWithDot),
            b'.' if last == Some(b'.') => return Err(AddressFault::LocalDotDot),
            b'@' if at == 0 => return Err(AddressFault::NoLocal),
            b'@' if last == Some(b'.') => return Err(AddressFault::LocalEndsWithDot),
            b'@' => return Ok((Some(at), last, late)),
            0..=b' ' | 0x7f => return Err(AddressFault::LocalSpace),
            b'(' | b')' | b'<' | b'>' | b',' | b';' | b':' | b'[' | b']' => {
                return Err(AddressFault::LocalCharacter);
            }
            _ => {}
        }
    }
    if quoted {
        return Err(AddressFault::OpenQuoteInAddress);
    }
    // An `@` behind a backslash at the very end counts.
    let at = (octet == Some(b'@')).then(|| address.len() - 1);
    Ok((at, last, late))
}

/// Checks the text after the `@`; `before` is the octet before the `@`.
fn check_domain(domain: &[u8], before: Option<u8>) -> Result<(), AddressFault> {
    match domain.first() {
        None => return Err(AddressFault::NoDomain),
        Some(b'.') => return Err(AddressFault::DomainStartsWithDot),
        Some(_) => {}
    }
    let mut literal = false;
    let mut last = before;
    for (at, &octet) in domain.iter().enumerate() {
        match octet {
            b'[' if at > 0 => return Err(AddressFault::LiteralNotAtStart),
            b'[' => literal = true,
            b']' if at + 1 < domain.len() => return Err(AddressFault::LiteralNotAtEnd),
            b']' => literal = false,
            0..=b' ' | 0x7f => return Err(AddressFault::DomainSpace),
            _ if literal => {}
            b'.' if last == Some(b'.') => return Err(AddressFault::DomainDotDot),
            b'.' | b'-' => {}
            _ if is_letter_or_digit(octet) => {}
            _ => return Err(AddressFault::DomainCharacter),
        }
        last = Some(octet);
    }
    if last == Some(b'.') {
        return Err(AddressFault::DomainEndsWithDot);
    }
    Ok(())
}

/// A letter or digit of ISO-8859-1, in which SES's reader sees a header section.
fn is_letter_or_digit(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || (octet >= 0x80 && char::from(octet).is_alphabetic())
}

/// Octets that may stand neither in an address without brackets nor in a name without quotes.
const NOT_PLAIN: [bool; 256] = table_of(b"()<>,;:\\\"[]");
const SPECIALS: [bool; 256] = table_of(b"()<>@,;:\\\".[]");

/// Octets of a mailbox as it is written anew: the name loses its quotes and gets those that it needs.
fn written_len(name: Option<&[u8]>, address: &[u8]) -> usize {
    let name = name.map(unquoted);
    let Some(name) = name.filter(|name| !trimmed(name).is_empty()) else {
        let plain = !address.iter().any(|&b| NOT_PLAIN[usize::from(b)]);
        return address.len() + if plain { 0 } else { "<>".len() };
    };
    let escapes = name.iter().filter(|b| matches!(b, b'"' | b'\\')).count();
    let needs_quotes = |&b: &u8| match b {
        b'\r' | b'\n' | b'\t' | b' ' => false,
        0..b' ' | 0x7f.. => true,
        _ => SPECIALS[usize::from(b)],
    };
    let quotes = if name.iter().any(needs_quotes) { 2 } else { 0 };
    name.len() + escapes + quotes + " <>".len() + address.len()
}

/// The text of a quoted-string; anything else as it is.
fn unquoted(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(inside) = text.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else {
        return Cow::Borrowed(text);
    };
    if memchr::memchr(b'\\', inside).is_none() {
        return Cow::Borrowed(inside);
    }
    let mut plain = Vec::with_capacity(inside.len());
    let mut octets = inside.iter();
    while let Some(&octet) = octets.next() {
        match octet {
            b'\\' => plain.push(octets.next().copied().unwrap_or(octet)),
            _ => plain.push(octet),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests;
