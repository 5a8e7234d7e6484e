//! The forward direction: from a correspondent, by the alias, to the targets.

use std::borrow::Cow;
use std::sync::Arc;

use super::addresses::{self, Kept};
use super::apply::{CRLF, Change, Changes, Chosen, Once, Writer};
use super::content_changes::{change_for_parts, repair_content_fields};
use super::controls;
use super::edit::Plan;
use super::fields::{Role, Row};
use super::notes::Notes;
use super::options::{FromFormat, Mark, Repair, Replies, Style, ToHeader};
use super::original::OriginalFields;
use super::owners::Owners;
use super::parts::PartEdits;
use super::reader::Head;
use super::references;
use super::reply_addresses::{ReplyAddresses, comes_back_to};
use super::route::{ROUTE, route_ids};
use super::sender::{SenderStyle, new_from};
use super::strict;
use super::subject;
use super::unsubscribe::Unsubscribe;
use crate::header::mailbox::{Address, MAX_MAILBOXES, Mailbox, parse_at_most};
use crate::header::{FieldBody, PlainMailbox, encoded_word};
use crate::preflight::{Code, Report};
use crate::signed::AliasKey;

/// The rules of the forward direction: how one message is readdressed from a correspondent to the targets of an alias.
///
/// ```
/// use readdress::header::mailbox::Address;
/// use readdress::rewrite::{HeaderReader, Rules, ToHeader};
///
/// let mut rules = Rules::new(Address::parse("shop@example.com")?, vec![Address::parse("owner@example.net")?]);
/// rules.to_header = ToHeader::Targets;
/// let mut reader = HeaderReader::default();
/// assert!(reader.read(&mut &b"From: jane@exam"[..], false)?.is_none());
/// let head = reader.read(&mut &b"ple.org\r\nTo: shop@example.com\r\n\r\nHello"[..], true)?;
/// let plan = rules.plan(&head.expect("the header section has ended"));
/// // One edit: the header section.
/// assert_eq!(plan.edits().len(), 1);
/// let mut out = Vec::new();
/// let mut sink = |octets: &[u8]| out.extend_from_slice(octets);
/// let mut writer = plan.writer();
/// for chunk in ["From: jane@example.o", "rg\r\nTo: shop@example.com\r\n\r\nHel", "lo"] {
///     writer.write(chunk.as_bytes(), &mut sink);
/// }
/// writer.end(&mut sink);
/// let out = String::from_utf8(out)?;
/// assert!(out.contains("\r\nTo: owner@example.net\r\n") && out.ends_with("\r\n\r\nHello"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The address that received.
    pub alias: Address,
    /// Where the message goes. If empty, To is dropped unless `to_header` keeps other addresses.
    pub targets: Vec<Address>,
    /// The display name of the new From.
    pub from_format: FromFormat,
    /// The address of the new From in place of the alias.
    pub from_email: Option<Address>,
    /// The addresses in the new To.
    pub to_header: ToHeader,
    /// The text put before the subject, unless the subject begins with it already, apart from reply prefixes.
    pub subject_prefix: Option<String>,
    /// Warnings to the reader: before the subject, and in X-Readdress-Notes.
    pub marks: Vec<Mark>,
    /// The envelope sender, who gets the replies where the message itself names nobody. `None`: the address of
    /// the message's Return-Path, where the receiving service has recorded it (RFC 5321 4.4).
    pub envelope_sender: Option<Address>,
    /// How far a message may be changed so that SES takes it.
    pub repair: Repair,
    /// Whether everything that may be changed is written in its plainest form, for a message that SES has refused although
    /// preflight found nothing: each field of the header section written anew, in ASCII and once; with a report of a strict
    /// preflight, bodies with octets above 127 in another transfer encoding too. The notes then name
    /// [`Code::Unforeseen`].
    pub strict: bool,
    /// The key that makes reply addresses and signs the route. `None`: answers go to the correspondents themselves, from the
    /// private mailbox.
    pub key: Option<Arc<AliasKey>>,
    /// Which addresses become reply addresses, where there is a key.
    pub replies: Replies,
    /// The id under which the message is stored, for reply addresses of those whose own address is too long. `None`: they have
    /// none.
    pub message_id: Option<String>,
    /// Addresses besides the targets from which people answer as the alias. The ids of their messages do not become references,
    /// since the next answer would carry them to the correspondent.
    pub owners: Vec<Address>,
    /// The owners of all aliases: the same holds for their messages, which another owner may answer by another alias.
    pub all_owners: Arc<Owners>,
}

/// Mailboxes in To and Cc together at most: people report that SES counts those of the header section.
pub(super) const MAX_RECIPIENTS: usize = 50;

/// Names the alias that a message was forwarded for.
const ORIGINAL_TO: &str = "X-Original-To";

/// Addresses in a Reply-To made from From. Nobody can sensibly reply to a From with more.
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
            marks: Vec::new(),
            envelope_sender: None,
            repair: Repair::default(),
            strict: false,
            key: None,
            replies: Replies::default(),
            message_id: None,
            owners: Vec::new(),
            all_owners: Arc::default(),
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
    /// A field that no rule and no repair names keeps its bytes and its place; a changed one keeps its place. New fields are added
    /// at the end, so that no following line can be read as their continuation.
    pub fn rewrite(&self, head: &Head) -> Vec<u8> {
        self.new_header(head, &PartEdits::default()).0
    }

    /// Returns the plan with the new header section as its only edit, and with notes of the repairs in it.
    pub fn plan(&self, head: &Head) -> Plan {
        PartEdits::default().planned(head, &|parts| self.new_header(head, parts))
    }

    /// Returns the plan with the new header section and with the edits of parts that cure the faults found in the message.
    /// With more than [`MAX_EDITS`](super::MAX_EDITS), or unless [`Rules::repair`] is [`Repair::Parts`], the header section alone
    /// is changed.
    ///
    /// An attachment that SES does not send is replaced by a text that says so. `whereabouts` is the last sentence of that text: it
    /// tells the reader where the whole message is, such as "The whole message is kept in the archive."
    pub fn plan_with_parts(&self, head: &Head, report: &Report, whereabouts: &str) -> Plan {
        if self.repair != Repair::Parts {
            return self.plan(head);
        }
        let line_ending = head.line_ending.unwrap_or(CRLF);
        let parts = PartEdits::of(report, line_ending, whereabouts, self.strict);
        parts.planned(head, &|parts| self.new_header(head, parts))
    }

    /// The new header section, and notes of the repairs in it and in the parts.
    fn new_header(&self, head: &Head, parts: &PartEdits) -> (Vec<u8>, Notes) {
        let line_ending = head.line_ending.unwrap_or(CRLF);
        let cleaned = controls::cleaned(&head.header, line_ending);
        let header = cleaned.as_ref().unwrap_or(&head.header);
        let mut notes = Notes::default();
        for &mark in &self.marks {
            notes.add_mark(mark);
        }
        for &code in &parts.codes {
            notes.add(code);
        }
        if self.repairs() && cleaned.is_some() {
            controls::note(&head.header, &mut notes);
        }
        let rows: Vec<Option<&'static Row>> = header.fields().map(|field| Row::of(&field)).collect();
        let chosen = Chosen::of(header, &head.header, &rows);
        let original = OriginalFields::read(header, &head.header, &rows, &chosen);
        let mut changes = self.changes(&original, &mut notes);
        if self.strict {
            notes.add(Code::Unforeseen);
        }
        change_for_parts(&original, parts, &mut changes);
        let writer = Writer {
            header,
            rows: &rows,
            chosen: &chosen,
            line_ending,
            repairs: self.repairs(),
            always_changes: false,
            shows_notes: true,
        };
        let header = writer.write(&changes, &mut notes);
        if self.strict {
            return (strict::plain_section(header, line_ending), notes);
        }
        (header, notes)
    }

    fn repairs(&self) -> bool {
        self.repair != Repair::Off
    }

    fn changes(&self, original: &OriginalFields<'_>, notes: &mut Notes) -> Changes {
        let from = original.from.map(sender_mailboxes).unwrap_or_default();
        let new_from = FieldBody::written(self.new_from(original, from.first()));
        let mut recipients = self.new_recipients(original, notes);
        let mut reply_to = self.new_reply_to(original, &from, notes);
        let addresses = self.reply_addresses(original);
        if let Some(addresses) = &addresses {
            reply_to = addresses.in_reply_to(reply_to, original.reply_to, notes);
            recipients.to = addresses.in_recipients(recipients.to, &original.to, notes);
            recipients.cc = addresses.in_recipients(recipients.cc, &original.cc, notes);
        }
        let reply_address = addresses
            .as_ref()
            .map(|addresses| |address: &Address| addresses.of_address(address));
        let unsubscribe = Unsubscribe::of(original.list_unsubscribe, reply_address.as_ref());
        let added = self.copies(original, &recipients, &reply_to, unsubscribe.moved);
        let (in_reply_to, references) = self.new_thread(original, &from);
        let once = vec![
            Once::new(Role::From, "From", Change::Replace(new_from)),
            Once::new(Role::To, "To", recipients.to),
            Once::new(Role::Cc, "Cc", recipients.cc),
            Once::new(Role::ReplyTo, "Reply-To", reply_to),
            Once::new(Role::Subject, "Subject", self.new_subject(original)),
            Once::new(Role::InReplyTo, "In-Reply-To", in_reply_to),
            Once::new(Role::References, "References", references),
            Once::new(Role::ListUnsubscribe, "List-Unsubscribe", unsubscribe.change),
        ];
        let each = Vec::new();
        let mut changes = Changes { once, each, added };
        if self.repairs() {
            repair_content_fields(original, &mut changes, notes);
            repair_lists(original, &mut changes, notes);
        }
        changes
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

    /// The new To and Cc. There are never more than [`MAX_RECIPIENTS`] mailboxes in both.
    fn new_recipients(&self, original: &OriginalFields<'_>, notes: &mut Notes) -> Recipients {
        let list = |addresses: &[Address]| {
            let addresses = &addresses[..addresses.len().min(MAX_RECIPIENTS)];
            (Change::Replace(FieldBody::list(addresses)), addresses.len())
        };
        let alias = std::slice::from_ref(&self.alias);
        let (to, count) = match self.to_header {
            ToHeader::Alias => list(alias),
            ToHeader::Targets if self.targets.is_empty() => (Change::Drop, 0),
            ToHeader::Targets => list(&self.targets),
            ToHeader::Keep if !self.repairs() => (Change::Keep, 0),
            ToHeader::Keep => {
                let kept = Kept::of(&original.to, MAX_RECIPIENTS);
                notes.add_fault(kept.fault);
                // A To that names nobody is of no use to a reader, and an answer to all would go nowhere.
                if kept.names_nobody {
                    list(alias)
                } else {
                    (kept.change, kept.count)
                }
            }
        };
        if !self.repairs() {
            return Recipients { to, cc: Change::Keep };
        }
        let kept = Kept::of(&original.cc, MAX_RECIPIENTS - count);
        notes.add_fault(kept.fault);
        Recipients { to, cc: kept.change }
    }

    /// The new Reply-To. The alias itself is not in it, since answers to it would come back round.
    fn new_reply_to(&self, original: &OriginalFields<'_>, from: &[Mailbox], notes: &mut Notes) -> Change {
        let plain = original.reply_to.and_then(PlainMailbox::read);
        if plain.is_some_and(|plain| !self.is_alias_of(plain.local(), plain.domain())) {
            return Change::Keep;
        }
        let all = |body| parse_at_most(body, MAX_SENDER_OCTETS, MAX_MAILBOXES);
        let reply_to = original.reply_to.map(all).unwrap_or_default();
        let fault = original.reply_to.and_then(|body| addresses::check(body).err());
        let fault = fault.filter(|_| self.repairs());
        let names_alias = reply_to.iter().any(|mailbox| self.is_alias(&mailbox.address));
        if !reply_to.is_empty() && !names_alias && fault.is_none() {
            return Change::Keep;
        }
        if !reply_to.is_empty() {
            notes.add_fault(fault);
        }
        for list in [&reply_to[..], from] {
            let others = list.iter().filter(|mailbox| !self.is_alias(&mailbox.address));
            let body = if self.repairs() {
                FieldBody::list(addresses::taken(others))
            } else {
                FieldBody::list(others)
            };
            if !body.as_str().is_empty() {
                return Change::Replace(body);
            }
        }
        let takes = |sender: &Address| !self.repairs() || addresses::is_taken(sender);
        match self.envelope_sender(original) {
            Some(sender) if !self.is_alias(&sender) && takes(&sender) => {
                Change::Replace(FieldBody::written(sender.written()))
            }
            _ => Change::Drop,
        }
    }

    /// Whether mail to this address comes back to the alias, whatever its `+tag`.
    fn is_alias(&self, address: &Address) -> bool {
        self.is_alias_of(address.local(), address.domain())
    }

    fn is_alias_of(&self, local: &str, domain: &str) -> bool {
        let untagged = local.split('+').next().unwrap_or_default();
        domain.eq_ignore_ascii_case(self.alias.domain())
            && untagged.eq_ignore_ascii_case(self.alias.untagged_local())
    }

    fn route_id(&self) -> String {
        route_ids(&self.alias, self.key.as_deref()).swap_remove(0)
    }

    fn envelope_sender(&self, original: &OriginalFields<'_>) -> Option<Address> {
        self.envelope_sender.clone().or_else(|| {
            let return_path = sender_mailboxes(original.return_path?);
            return_path.into_iter().next().map(|mailbox| mailbox.address)
        })
    }

    fn reply_addresses<'a>(&'a self, original: &'a OriginalFields<'a>) -> Option<ReplyAddresses<'a>> {
        let key = self.key.as_deref().filter(|_| self.replies != Replies::Off)?;
        Some(ReplyAddresses {
            alias: &self.alias,
            key,
            replies: self.replies,
            message_id: self.message_id.as_deref(),
            owners: self.targets.iter().chain(&self.owners).collect(),
            from_format: self.from_format,
            original,
        })
    }

    /// The new In-Reply-To and References. In an owner's message they have no id of the owner's own: another owner's answer
    /// would carry it to the correspondent.
    fn new_thread(&self, original: &OriginalFields<'_>, from: &[Mailbox]) -> (Change, Change) {
        let owners = || self.owners.iter().chain(&self.targets);
        let is_owner = |Mailbox { address, .. }: &Mailbox| {
            self.all_owners.contains(address) || owners().any(|owner| comes_back_to(owner, address))
        };
        if self.key.is_some() && from.iter().any(is_owner) {
            return (
                references::answered_by_ses(original),
                references::without_ids_of_owners(original),
            );
        }
        (Change::Keep, references::with_own_id(original))
    }

    fn new_subject(&self, original: &OriginalFields<'_>) -> Change {
        let mut prefix = String::new();
        for mark in &self.marks {
            prefix.push_str(mark.prefix());
        }
        prefix.push_str(self.subject_prefix.as_deref().unwrap_or_default());
        if prefix.trim().is_empty() {
            return Change::Keep;
        }
        subject::prefixed(&prefix, original.subject)
    }

    /// Copies of the fields that were replaced, for the curious reader, and the signs that the message was forwarded.
    fn copies(
        &self,
        original: &OriginalFields<'_>,
        recipients: &Recipients,
        reply_to: &Change,
        unsubscribe: Option<FieldBody>,
    ) -> Vec<(Cow<'static, str>, FieldBody)> {
        let bodies = [
            ("X-Original-From", original.from),
            ("X-Original-Message-ID", original.message_id),
            ("X-Original-Date", original.date),
            ("X-Original-Sender", original.sender),
        ];
        let short = bodies
            .into_iter()
            .filter_map(|(name, body)| Some((name, FieldBody::copy(body?))));
        // Several occurrences that are only joined lose nothing.
        let says =
            |change: &Change, copy: &FieldBody| matches!(change, Change::Replace(body) if body == copy);
        let changed = |change: &Change, bodies: &[&[u8]]| match change {
            Change::Keep => None,
            Change::Drop | Change::Replace(_) => {
                Some(FieldBody::copy_list(&addresses::merged(bodies))).filter(|copy| !says(change, copy))
            }
        };
        let lists = [
            (
                "X-Original-Reply-To",
                original.reply_to.and_then(|body| changed(reply_to, &[body])),
            ),
            ("X-Original-Recipients", changed(&recipients.to, &original.to)),
            ("X-Original-Cc", changed(&recipients.cc, &original.cc)),
            ("X-Original-List-Unsubscribe", unsubscribe),
        ];
        let lists = lists.into_iter().filter_map(|(name, body)| Some((name, body?)));
        let copies = short.chain(lists).filter(|(_, body)| !body.as_str().is_empty());
        let alias = FieldBody::written(self.alias.written());
        let signs = [
            (ORIGINAL_TO, alias.clone()),
            ("X-Forwarded-For", alias),
            (ROUTE, FieldBody::written(self.route_id())),
        ];
        copies
            .chain(signs)
            .map(|(name, body)| (Cow::Borrowed(name), body))
            .collect()
    }
}

/// The new To and Cc.
struct Recipients {
    to: Change,
    cc: Change,
}

/// Repairs the address lists that no rule reads: those of a message that was resent.
fn repair_lists(original: &OriginalFields<'_>, changes: &mut Changes, notes: &mut Notes) {
    for &(index, row, body) in &original.lists {
        let kept = Kept::of(&[body], MAX_MAILBOXES);
        let Some(code) = kept.fault else {
            continue;
        };
        notes.add(code);
        let new = match kept.change {
            Change::Replace(body) => Some(body),
            Change::Keep | Change::Drop => None,
        };
        changes.each.push((index, new));
        let copy = (
            format!("X-Original-{}", row.written_name()).into(),
            FieldBody::copy_list(body),
        );
        changes.added.push(copy);
    }
}

/// The mailboxes of a field that says who wrote.
fn sender_mailboxes(body: &[u8]) -> Vec<Mailbox> {
    parse_at_most(body, MAX_SENDER_OCTETS, MAX_REPLY_TO)
}

/// The octets at the front of a field body without mailboxes, as many as can matter to a name.
fn first_octets(body: &[u8]) -> &[u8] {
    &body[..body.len().min(MAX_SENDER_OCTETS)]
}
