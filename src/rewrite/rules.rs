//! The rules: which field of the header section goes out how.

use std::str::FromStr;

use memchr::memchr_iter;

use super::name::Name;
use super::reader::Head;
use super::subject;
use crate::header::mailbox::{
    Address, MAX_MAILBOX, Mailbox, format_mailbox, parse_address_list, whole_mailbox,
};
use crate::header::{Field, FieldBody, Header, MAX_WORD, encoded_word, write_field};

/// The display name of the new From.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FromFormat {
    /// `"Jane Example (jane at example.org)" <alias>`
    #[default]
    Full,
    /// `"Jane Example" <alias>`
    Name,
    /// `"Jane Example via example.com" <alias>`: the domain is the alias's.
    Via,
    /// The bare address.
    Alias,
}

/// What the new To names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToHeader {
    /// The targets.
    #[default]
    Targets,
    /// The alias, which hides the targets from each other.
    Alias,
    /// What the sender wrote.
    Keep,
}

/// A setting with a value that it does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is none of {known}")]
pub struct UnknownSetting {
    value: String,
    known: &'static str,
}

impl FromFormat {
    /// As it is written in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            FromFormat::Full => "full",
            FromFormat::Name => "name",
            FromFormat::Via => "via",
            FromFormat::Alias => "alias",
        }
    }
}

impl FromStr for FromFormat {
    type Err = UnknownSetting;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        [
            FromFormat::Full,
            FromFormat::Name,
            FromFormat::Via,
            FromFormat::Alias,
        ]
        .into_iter()
        .find(|format| format.as_str() == value)
        .ok_or_else(|| UnknownSetting {
            value: value.to_owned(),
            known: "full, name, via, alias",
        })
    }
}

impl ToHeader {
    /// As it is written in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            ToHeader::Targets => "targets",
            ToHeader::Alias => "alias",
            ToHeader::Keep => "keep",
        }
    }
}

impl FromStr for ToHeader {
    type Err = UnknownSetting;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        [ToHeader::Targets, ToHeader::Alias, ToHeader::Keep]
            .into_iter()
            .find(|header| header.as_str() == value)
            .ok_or_else(|| UnknownSetting {
                value: value.to_owned(),
                known: "targets, alias, keep",
            })
    }
}

/// How one message is readdressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The address that received.
    pub alias: Address,
    /// Where the message goes. Empty: no To goes out, unless it names others.
    pub targets: Vec<Address>,
    /// The display name of the new From.
    pub from_format: FromFormat,
    /// The address of the new From in place of the alias.
    pub from_email: Option<Address>,
    /// What the new To names.
    pub to_header: ToHeader,
    /// Put before the subject, if it is not in it already.
    pub subject_prefix: Option<String>,
    /// The envelope sender, who gets the replies where the message itself names nobody. `None`: the address of
    /// the message's Return-Path, where the receiving service has recorded it (RFC 5321 4.4).
    pub envelope_sender: Option<Address>,
}

/// Prefixes of fields that do not go out: SES takes orders from `X-SES-*` (configuration set, identity ARN), and
/// a sender must not give any; `X-Readdress-*` is for readdress alone.
const REMOVED_PREFIXES: [&str; 2] = ["x-ses-", "x-readdress-"];

/// Addresses in a Reply-To made from From. A From of more is no mail to reply to.
const MAX_REPLY_TO: usize = 50;

/// Characters of a display name that are worth encoding: more cannot fit in [`MAX_MAILBOX`].
const MAX_NAME: usize = MAX_MAILBOX;

impl Rules {
    /// Rules that forward from `alias` to `targets`, with every option at its default.
    pub fn new(alias: Address, targets: Vec<Address>) -> Self {
        Rules {
            alias,
            targets,
            from_format: FromFormat::default(),
            from_email: None,
            to_header: ToHeader::default(),
            subject_prefix: None,
            envelope_sender: None,
        }
    }

    /// The address of the new From: a verified identity, for SES.
    pub fn from_address(&self) -> &Address {
        self.from_email.as_ref().unwrap_or(&self.alias)
    }

    /// The new header section, its empty line included.
    ///
    /// A field that no rule names keeps its bytes and its place; a changed one keeps its place; added ones come
    /// last, where nothing that follows can be taken for their fold.
    pub fn rewrite(&self, head: &Head) -> Vec<u8> {
        let header = &head.header;
        // A message without any line break is given the one of RFC 5322 2.1.
        let eol = head.line_ending.unwrap_or(b"\r\n");
        let bare_cr = has_bare_cr(header.raw());
        let name = |field: Field<'_>| {
            if hides_an_order(&field, bare_cr) {
                Some(Name::Removed)
            } else {
                Name::of(&field)
            }
        };
        let names: Vec<Option<Name>> = header.fields().map(name).collect();
        let told = Told::by(header, &names);
        let new = self.new_fields(&told);
        let mut out = Vec::with_capacity(header.octets() + 1024);
        let mut seen = [false; 6];

        for (index, (field, &name)) in header.fields().zip(&names).enumerate() {
            if index == 0 && field.is_mbox_line() {
                continue;
            }
            match name {
                None => keep(&mut out, &field, eol),
                Some(name) if name.is_removed() => {}
                Some(name) => match new.iter().position(|(once, ..)| *once == name) {
                    None => keep(&mut out, &field, eol),
                    // Only the first of each goes out.
                    Some(at) if std::mem::replace(&mut seen[at], true) => {}
                    Some(at) => match &new[at] {
                        (.., New::Keep) => keep(&mut out, &field, eol),
                        (.., New::Drop) => {}
                        (_, name, New::Body(body)) => write_field(&mut out, name, body, eol),
                    },
                },
            }
        }
        for (seen, (_, name, new)) in seen.iter().zip(&new) {
            if let (false, New::Body(body)) = (seen, new) {
                write_field(&mut out, name, body, eol);
            }
        }
        for (name, body) in self.originals(&told) {
            write_field(&mut out, name, &body, eol);
        }
        let empty_line = header.empty_line();
        out.extend_from_slice(if empty_line.is_empty() { eol } else { empty_line });
        out
    }

    /// What becomes of the fields that go out once.
    fn new_fields(&self, told: &Told<'_>) -> [(Name, &'static str, New); 6] {
        let from = told.from.map(parse_address_list).unwrap_or_default();
        let new_from = FieldBody::written(self.new_from(told, from.first()));
        [
            (Name::From, "From", New::Body(new_from)),
            (Name::To, "To", self.new_to()),
            (Name::ReplyTo, "Reply-To", self.new_reply_to(told, &from)),
            (Name::Subject, "Subject", self.new_subject(told)),
            (Name::References, "References", new_references(told)),
            (Name::Date, "Date", New::Keep),
        ]
    }

    fn new_from(&self, told: &Told<'_>, from: Option<&Mailbox>) -> String {
        let (decoded, sender);
        let (name, address) = if let Some(mailbox) = from {
            (mailbox.name.as_deref(), Some(&mailbox.address))
        } else {
            decoded = told.from.map(encoded_word::decode);
            sender = self.envelope_sender(told);
            (decoded.as_deref(), sender.as_ref())
        };
        let name = name.map(|name| first_chars(name.trim(), MAX_NAME));
        // `<>` and the like are no name.
        let name = name.filter(|name| name.contains(|c: char| c.is_ascii_alphanumeric() || !c.is_ascii()));
        self.format_from(name, address)
    }

    /// The new From. The name is cut until the mailbox fits what SES takes, so that the sender's address, which
    /// stands behind it, is never what is cut.
    fn format_from(&self, name: Option<&str>, sender: Option<&Address>) -> String {
        let address = self.from_address();
        let bare = sender.map(|sender| [sender.local(), " at ", sender.domain()].concat());
        // Some programs repeat the address as the name.
        let mut name = name.filter(|name| sender.is_none_or(|s| !s.written().eq_ignore_ascii_case(name)));
        let display = |name: Option<&str>| match (self.from_format, name, &bare) {
            (FromFormat::Alias, ..) | (_, None, None) => None,
            (FromFormat::Full, Some(name), Some(bare)) => Some([name, " (", bare, ")"].concat()),
            (FromFormat::Full | FromFormat::Name, Some(name), _) => Some(name.to_owned()),
            (FromFormat::Full | FromFormat::Name, None, Some(bare)) => Some(bare.clone()),
            (FromFormat::Via, Some(name), _) => Some(format!("{name} via {}", self.alias.domain())),
            (FromFormat::Via, None, Some(bare)) => Some(format!("{bare} via {}", self.alias.domain())),
        };
        loop {
            let display = display(name);
            if let Some(whole) = whole_mailbox(display.as_deref(), address) {
                return whole;
            }
            match name.map_or(0, |name| name.chars().count()) {
                0 | 1 => return format_mailbox(display.as_deref(), address),
                chars => name = name.map(|name| first_chars(name, (chars * 7 / 8).max(1)).trim_end()),
            }
        }
    }

    fn new_to(&self) -> New {
        let list = |addresses: &[Address]| New::Body(FieldBody::list(addresses.iter().map(Address::written)));
        match self.to_header {
            ToHeader::Keep => New::Keep,
            ToHeader::Alias => list(std::slice::from_ref(&self.alias)),
            ToHeader::Targets if self.targets.is_empty() => New::Drop,
            ToHeader::Targets => list(&self.targets),
        }
    }

    fn new_reply_to(&self, told: &Told<'_>, from: &[Mailbox]) -> New {
        if told
            .reply_to
            .is_some_and(|body| !parse_address_list(body).is_empty())
        {
            return New::Keep;
        }
        if !from.is_empty() {
            return New::Body(FieldBody::mailboxes(from.iter().take(MAX_REPLY_TO)));
        }
        match self.envelope_sender(told) {
            Some(sender) => New::Body(FieldBody::written(sender.written())),
            None => New::Drop,
        }
    }

    fn envelope_sender(&self, told: &Told<'_>) -> Option<Address> {
        self.envelope_sender.clone().or_else(|| {
            let return_path = parse_address_list(told.return_path?);
            return_path.into_iter().next().map(|mailbox| mailbox.address)
        })
    }

    fn new_subject(&self, told: &Told<'_>) -> New {
        match &self.subject_prefix {
            Some(prefix) if !prefix.trim().is_empty() => subject::prefixed(prefix, told.subject),
            _ => New::Keep,
        }
    }

    /// What the message said before, for whoever wants to know.
    fn originals(&self, told: &Told<'_>) -> impl Iterator<Item = (&'static str, FieldBody)> {
        let bodies = [
            ("X-Original-From", told.from),
            ("X-Original-Message-ID", told.message_id),
            ("X-Original-Date", told.date),
            ("X-Original-Sender", told.sender),
        ];
        let copies = bodies
            .into_iter()
            .filter_map(|(name, body)| Some((name, FieldBody::copy(body?))))
            .filter(|(_, body)| !body.as_str().is_empty());
        let alias = FieldBody::written(self.alias.written());
        copies.chain([("X-Original-To", alias)])
    }
}

/// So many characters of a text, or all.
fn first_chars(text: &str, chars: usize) -> &str {
    let end = text.char_indices().nth(chars);
    &text[..end.map_or(text.len(), |(end, _)| end)]
}

/// What becomes of a field that goes out at most once.
pub(super) enum New {
    /// The first one as it is.
    Keep,
    /// None.
    Drop,
    /// This body, in the place of the first one, else at the end.
    Body(FieldBody),
}

/// The field bodies that the rules read: of each name the first that can be taken at its word.
#[derive(Default)]
struct Told<'a> {
    from: Option<&'a [u8]>,
    sender: Option<&'a [u8]>,
    reply_to: Option<&'a [u8]>,
    return_path: Option<&'a [u8]>,
    subject: Option<&'a [u8]>,
    date: Option<&'a [u8]>,
    message_id: Option<&'a [u8]>,
    in_reply_to: Option<&'a [u8]>,
    references: Option<&'a [u8]>,
}

impl<'a> Told<'a> {
    fn by(header: &'a Header, names: &[Option<Name>]) -> Self {
        let mut told = Told::default();
        for (field, name) in header.fields().zip(names) {
            let told = match name {
                Some(Name::From) => &mut told.from,
                Some(Name::Sender) => &mut told.sender,
                Some(Name::ReplyTo) => &mut told.reply_to,
                Some(Name::ReturnPath) => &mut told.return_path,
                Some(Name::Subject) => &mut told.subject,
                Some(Name::Date) => &mut told.date,
                Some(Name::MessageId) => &mut told.message_id,
                Some(Name::InReplyTo) => &mut told.in_reply_to,
                Some(Name::References) => &mut told.references,
                Some(Name::To | Name::Removed) | None => continue,
            };
            told.get_or_insert_with(|| field.body());
        }
        told
    }
}

/// Is it, or would it be to some program, a field by which a sender gives orders?
///
/// There are programs that end a line at a bare CR too, and that trim names of blanks and controls: what is one field to
/// us is several to them. What follows an LF is a fold to all. `bare_cr`: there may be one in it.
fn hides_an_order(field: &Field<'_>, bare_cr: bool) -> bool {
    let is_order = |line: &[u8]| {
        // No further than the next CR, which is looked at itself.
        let start = line
            .iter()
            .position(|&b| matches!(b, b'\r' | b'\n') || b > b' ' && b != 0x7f);
        let name = start.map_or(&[][..], |start| &line[start..]);
        REMOVED_PREFIXES.iter().any(|prefix| {
            let start = name.get(..prefix.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
        })
    };
    let raw = field.raw();
    is_order(raw) || bare_cr && memchr_iter(b'\r', raw).any(|cr| is_order(&raw[cr + 1..]))
}

/// A CR that no LF follows; at the end of `raw` none follows.
fn has_bare_cr(raw: &[u8]) -> bool {
    // Not over at the first: so it is done for many octets at once.
    let pairs = raw.iter().zip(raw.iter().skip(1));
    let any = pairs.fold(false, |any, (&a, &b)| {
        any | matches!((a, b), (b'\r', b) if b != b'\n')
    });
    any || raw.ends_with(b"\r")
}

/// A field as it is; one that the message was cut off in gets its line break.
fn keep(out: &mut Vec<u8>, field: &Field<'_>, eol: &[u8]) {
    out.extend_from_slice(field.raw());
    if !field.raw().ends_with(b"\n") {
        out.extend_from_slice(eol);
    }
}

/// The references with the message's own id at their end (RFC 5322 3.6.4): SES gives the message a new id, and
/// answers refer to the old one.
///
/// Without References, a single id of In-Reply-To comes first, as it does in a reply: programs that thread by
/// References look at In-Reply-To only where there are none.
fn new_references(told: &Told<'_>) -> New {
    let Some(id) = told.message_id.and_then(|body| message_ids(body).next()) else {
        return New::Keep;
    };
    let mut words: Vec<&str> = if let Some(body) = told.references {
        body.split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty() && word.len() <= MAX_WORD)
            .filter(|word| word.iter().all(u8::is_ascii_graphic))
            .filter_map(|word| std::str::from_utf8(word).ok())
            .collect()
    } else {
        let answered = told.in_reply_to.into_iter().flat_map(message_ids);
        let answered: Vec<&str> = answered.take(2).collect();
        if answered.len() == 1 { answered } else { Vec::new() }
    };
    if words.last() != Some(&id) {
        words.push(id);
    } else if told.references.is_some() {
        return New::Keep;
    }
    New::Body(FieldBody::words(words))
}

/// The message ids of a field body (RFC 5322 3.6.4), in order; comments and what else stands between are passed over.
fn message_ids(body: &[u8]) -> impl Iterator<Item = &str> {
    body.split_inclusive(|&b| b == b'>').filter_map(|piece| {
        let id = &piece[piece.iter().rposition(|&b| b == b'<')?..];
        let inner = id.strip_prefix(b"<")?.strip_suffix(b">")?;
        let plain = !inner.is_empty() && inner.iter().all(u8::is_ascii_graphic);
        (plain && id.len() <= MAX_WORD)
            .then(|| std::str::from_utf8(id).ok())
            .flatten()
    })
}
