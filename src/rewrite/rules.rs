//! The rules: which field of the header section goes out how.

use std::str::FromStr;

use super::controls;
use super::name::Name;
use super::reader::Head;
use super::sender;
use super::subject;
use crate::header::mailbox::{Address, Mailbox, parse_at_most};
use crate::header::{Field, FieldBody, Header, MAX_WORD, MAX_WRITTEN_NAME, encoded_word, write_field};

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

/// Names the alias that a message was forwarded for. One that comes back is known by it.
pub const ORIGINAL_TO: &str = "X-Original-To";

/// Addresses in a Reply-To made from From. A From of more is no mail to reply to.
const MAX_REPLY_TO: usize = 50;

/// Octets of a field that are read to find out who wrote: room for [`MAX_REPLY_TO`] mailboxes of the greatest length, and
/// for long names around them. A From field of a megabyte is there to cost time.
const MAX_SENDER_OCTETS: usize = 64 << 10;

/// Ids in References: the first names the thread, the last ones its branch.
const MAX_REFERENCES: usize = 1000;

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
        // A message without any line break is given the one of RFC 5322 2.1.
        let eol = head.line_ending.unwrap_or(b"\r\n");
        let cleaned = controls::cleaned(&head.header, eol);
        let header = cleaned.as_ref().unwrap_or(&head.header);
        let names: Vec<Option<Name>> = header.fields().map(|field| Name::of(&field)).collect();
        let told = Told::by(header, &names);
        let new = self.new_fields(&told);
        let mut out = Vec::with_capacity(header.octets() + 1024);
        let mut seen = [false; 6];

        for (field, &name) in header.fields().zip(&names) {
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
            debug_assert!(
                name.len() <= MAX_WRITTEN_NAME,
                "{name} leaves an encoded-word no room"
            );
            write_field(&mut out, name, &body, eol);
        }
        let empty_line = header.empty_line();
        out.extend_from_slice(if empty_line.is_empty() { eol } else { empty_line });
        out
    }

    /// What becomes of the fields that go out once.
    fn new_fields(&self, told: &Told<'_>) -> [(Name, &'static str, New); 6] {
        let from = told.from.map(sender_mailboxes).unwrap_or_default();
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
        if let Some(mailbox) = from {
            return sender::new_from(self, mailbox.name.as_deref(), Some(&mailbox.address));
        }
        let name = told.from.map(|body| encoded_word::decode(first_octets(body)));
        sender::new_from(self, name.as_deref(), self.envelope_sender(told).as_ref())
    }

    fn new_to(&self) -> New {
        let list = |addresses: &[Address]| New::Body(FieldBody::list(addresses));
        match self.to_header {
            ToHeader::Keep => New::Keep,
            ToHeader::Alias => list(std::slice::from_ref(&self.alias)),
            ToHeader::Targets if self.targets.is_empty() => New::Drop,
            ToHeader::Targets => list(&self.targets),
        }
    }

    /// Where answers go: to nobody who is the alias itself, since they would come back round.
    fn new_reply_to(&self, told: &Told<'_>, from: &[Mailbox]) -> New {
        let reply_to = told.reply_to.map(sender_mailboxes).unwrap_or_default();
        if !reply_to.is_empty() && !reply_to.iter().any(|mailbox| self.is_alias(&mailbox.address)) {
            return New::Keep;
        }
        for list in [&reply_to[..], from] {
            let others = list.iter().filter(|mailbox| !self.is_alias(&mailbox.address));
            let body = FieldBody::list(others);
            if !body.as_str().is_empty() {
                return New::Body(body);
            }
        }
        match self.envelope_sender(told) {
            Some(sender) if !self.is_alias(&sender) => New::Body(FieldBody::written(sender.written())),
            _ => New::Drop,
        }
    }

    /// Whether mail to this address comes back to the alias, whatever its `+tag`.
    fn is_alias(&self, address: &Address) -> bool {
        let untagged = |address: &'_ Address| address.local().split('+').next().map_or(0, str::len);
        let (ours, theirs) = (untagged(&self.alias), untagged(address));
        address.domain().eq_ignore_ascii_case(self.alias.domain())
            && address.local()[..theirs].eq_ignore_ascii_case(&self.alias.local()[..ours])
    }

    fn envelope_sender(&self, told: &Told<'_>) -> Option<Address> {
        self.envelope_sender.clone().or_else(|| {
            let return_path = sender_mailboxes(told.return_path?);
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
        copies.chain([(ORIGINAL_TO, alias)])
    }
}

/// The mailboxes of a field that says who wrote.
fn sender_mailboxes(body: &[u8]) -> Vec<Mailbox> {
    parse_at_most(body, MAX_SENDER_OCTETS, MAX_REPLY_TO)
}

/// The octets of a field body without mailboxes that can matter to a name.
fn first_octets(body: &[u8]) -> &[u8] {
    &body[..body.len().min(MAX_SENDER_OCTETS)]
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
    if words.len() > MAX_REFERENCES {
        words.drain(1..=words.len() - MAX_REFERENCES);
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
