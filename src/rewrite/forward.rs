//! The forward direction: from a correspondent, by the alias, to the targets.

use super::apply::{Change, Changes, ONCE, Once, apply};
use super::controls;
use super::edit::Plan;
use super::fields::Name;
use super::options::{FromFormat, Style, ToHeader};
use super::original::OriginalFields;
use super::reader::Head;
use super::references;
use super::sender::{SenderStyle, new_from};
use super::subject;
use crate::header::mailbox::{Address, Mailbox, parse_at_most};
use crate::header::{FieldBody, encoded_word};

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
    /// Put before the subject, unless it stands at the front already, behind nothing but reply prefixes.
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

    /// These rules with the choices of a style.
    #[must_use]
    pub fn with_style(self, style: Style) -> Self {
        Rules {
            from_format: style.from_format.unwrap_or(self.from_format),
            from_email: style.from_email.or(self.from_email),
            to_header: style.to_header.unwrap_or(self.to_header),
            subject_prefix: style.subject_prefix.or(self.subject_prefix),
            ..self
        }
    }

    /// The address of the new From: a verified identity, for SES.
    pub fn from_address(&self) -> &Address {
        self.from_email.as_ref().unwrap_or(&self.alias)
    }

    /// Returns the new header section, its empty line included.
    ///
    /// A field that no rule names keeps its bytes and its place; a changed one keeps its place; added ones come
    /// last, where nothing that follows can be taken for their fold.
    pub fn rewrite(&self, head: &Head) -> Vec<u8> {
        // A message without any line break is given the one of RFC 5322 2.1.
        let line_ending = head.line_ending.unwrap_or(b"\r\n");
        let cleaned = controls::cleaned(&head.header, line_ending);
        let header = cleaned.as_ref().unwrap_or(&head.header);
        let names: Vec<Option<Name>> = header.fields().map(|field| Name::of(&field)).collect();
        let original = OriginalFields::read(header, &names);
        let changes = Changes {
            once: self.fields_that_go_out_once(&original),
            added: self.added(&original),
        };
        apply(header, &names, &changes, line_ending)
    }

    /// Returns the plan with the new header section.
    pub fn plan(&self, head: &Head) -> Plan {
        Plan::of_header(head.header.octets() as u64, self.rewrite(head))
    }

    fn fields_that_go_out_once(&self, original: &OriginalFields<'_>) -> [Once; ONCE] {
        let from = original.from.map(sender_mailboxes).unwrap_or_default();
        let new_from = FieldBody::written(self.new_from(original, from.first()));
        [
            Once::new(Name::From, "From", Change::Replace(new_from)),
            Once::new(Name::To, "To", self.new_to()),
            Once::new(Name::ReplyTo, "Reply-To", self.new_reply_to(original, &from)),
            Once::new(Name::Subject, "Subject", self.new_subject(original)),
            Once::new(Name::References, "References", references::with_own_id(original)),
            Once::new(Name::Date, "Date", Change::Keep),
        ]
    }

    fn new_from(&self, original: &OriginalFields<'_>, from: Option<&Mailbox>) -> String {
        let style = SenderStyle {
            format: self.from_format,
            address: self.from_address(),
            via: self.alias.domain(),
        };
        if let Some(mailbox) = from {
            return new_from(&style, mailbox.name.as_deref(), Some(&mailbox.address));
        }
        let name = original.from.map(|body| encoded_word::decode(first_octets(body)));
        new_from(&style, name.as_deref(), self.envelope_sender(original).as_ref())
    }

    fn new_to(&self) -> Change {
        let list = |addresses: &[Address]| Change::Replace(FieldBody::list(addresses));
        match self.to_header {
            ToHeader::Keep => Change::Keep,
            ToHeader::Alias => list(std::slice::from_ref(&self.alias)),
            ToHeader::Targets if self.targets.is_empty() => Change::Drop,
            ToHeader::Targets => list(&self.targets),
        }
    }

    /// Where answers go: to nobody who is the alias itself, since they would come back round.
    fn new_reply_to(&self, original: &OriginalFields<'_>, from: &[Mailbox]) -> Change {
        let reply_to = original.reply_to.map(sender_mailboxes).unwrap_or_default();
        if !reply_to.is_empty() && !reply_to.iter().any(|mailbox| self.is_alias(&mailbox.address)) {
            return Change::Keep;
        }
        for list in [&reply_to[..], from] {
            let others = list.iter().filter(|mailbox| !self.is_alias(&mailbox.address));
            let body = FieldBody::list(others);
            if !body.as_str().is_empty() {
                return Change::Replace(body);
            }
        }
        match self.envelope_sender(original) {
            Some(sender) if !self.is_alias(&sender) => Change::Replace(FieldBody::written(sender.written())),
            _ => Change::Drop,
        }
    }

    /// Whether mail to this address comes back to the alias, whatever its `+tag`.
    fn is_alias(&self, address: &Address) -> bool {
        let untagged = |address: &'_ Address| address.local().split('+').next().map_or(0, str::len);
        let (ours, theirs) = (untagged(&self.alias), untagged(address));
        address.domain().eq_ignore_ascii_case(self.alias.domain())
            && address.local()[..theirs].eq_ignore_ascii_case(&self.alias.local()[..ours])
    }

    fn envelope_sender(&self, original: &OriginalFields<'_>) -> Option<Address> {
        self.envelope_sender.clone().or_else(|| {
            let return_path = sender_mailboxes(original.return_path?);
            return_path.into_iter().next().map(|mailbox| mailbox.address)
        })
    }

    fn new_subject(&self, original: &OriginalFields<'_>) -> Change {
        match &self.subject_prefix {
            Some(prefix) if !prefix.trim().is_empty() => subject::prefixed(prefix, original.subject),
            _ => Change::Keep,
        }
    }

    /// Copies of what the message said before, for whoever wants to know.
    fn added(&self, original: &OriginalFields<'_>) -> Vec<(&'static str, FieldBody)> {
        let bodies = [
            ("X-Original-From", original.from),
            ("X-Original-Message-ID", original.message_id),
            ("X-Original-Date", original.date),
            ("X-Original-Sender", original.sender),
        ];
        let copies = bodies
            .into_iter()
            .filter_map(|(name, body)| Some((name, FieldBody::copy(body?))))
            .filter(|(_, body)| !body.as_str().is_empty());
        let alias = FieldBody::written(self.alias.written());
        copies.chain([(ORIGINAL_TO, alias)]).collect()
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
