//! Reply addresses in a forwarded message: an answer to them goes out as the alias.

use super::addresses::merged;
use super::apply::{CRLF, Change, Chosen};
use super::controls;
use super::fields::Row;
use super::notes::Notes;
use super::options::{FromFormat, Replies};
use super::original::OriginalFields;
use super::reader::Head;
use super::sender::{SenderStyle, new_from};
use super::unsubscribe::mail_addresses;
use crate::header::FieldBody;
use crate::header::mailbox::{Address, Mailbox, parse_at_most};
use crate::preflight::Code;
use crate::signed::AliasKey;

/// Mailboxes of a Reply-To at most that become reply addresses: a longer list stays as it is, with the note
/// [`Code::NoReplyAddress`]. More than this are a mailing, not people who wrote.
pub const MAX_REPLY_ADDRESSES: usize = 10;

/// Octets of a field that are read for correspondents, and mailboxes in it.
const MAX_OCTETS: usize = 64 << 10;
const MAX_MAILBOXES: usize = 100;

/// All addresses in a message that an answer may go to, in an order that depends on the message alone: Reply-To, From, Sender,
/// Return-Path, To, Cc and List-Unsubscribe. A reply address of the second form counts them
/// ([`Correspondent::Stored`](crate::signed::Correspondent::Stored)).
pub fn correspondents(head: &Head) -> Vec<Address> {
    let cleaned = controls::cleaned(&head.header, head.line_ending.unwrap_or(CRLF));
    let header = cleaned.as_ref().unwrap_or(&head.header);
    let rows: Vec<Option<&'static Row>> = header.fields().map(|field| Row::of(&field)).collect();
    let chosen = Chosen::of(header, &head.header, &rows);
    named_in(&OriginalFields::read(header, &head.header, &rows, &chosen))
}

fn named_in(original: &OriginalFields<'_>) -> Vec<Address> {
    let senders = [
        original.reply_to,
        original.from,
        original.sender,
        original.return_path,
    ];
    let fields = senders
        .into_iter()
        .flatten()
        .chain(original.to.iter().chain(&original.cc).copied());
    let mut named: Vec<Address> = fields
        .flat_map(mailboxes)
        .map(|mailbox| mailbox.address)
        .collect();
    named.extend(
        original
            .list_unsubscribe
            .into_iter()
            .flat_map(mail_addresses)
            .take(MAX_MAILBOXES),
    );
    named
}

fn mailboxes(body: &[u8]) -> Vec<Mailbox> {
    parse_at_most(body, MAX_OCTETS, MAX_MAILBOXES)
}

/// Whether mail to this address comes back to the alias, whatever its `+tag`.
pub(super) fn comes_back_to(alias: &Address, address: &Address) -> bool {
    address.domain().eq_ignore_ascii_case(alias.domain())
        && address
            .untagged_local()
            .eq_ignore_ascii_case(alias.untagged_local())
}

/// Makes the reply addresses of a message.
pub(super) struct ReplyAddresses<'a> {
    pub(super) alias: &'a Address,
    pub(super) key: &'a AliasKey,
    pub(super) replies: Replies,
    /// The id of the message that is forwarded, where it is stored.
    pub(super) message_id: Option<&'a str>,
    /// Addresses that stay as they are in To and Cc.
    pub(super) owners: Vec<&'a Address>,
    pub(super) from_format: FromFormat,
    pub(super) original: &'a OriginalFields<'a>,
}

impl ReplyAddresses<'_> {
    /// The reply address of this correspondent, if it has one.
    pub(super) fn of_address(&self, correspondent: &Address) -> Option<Address> {
        self.key.reply_address(self.alias, correspondent).or_else(|| {
            let message_id = self.message_id?;
            let named = named_in(self.original);
            let index = named.iter().position(|address| address == correspondent)?;
            self.key.stored_reply_address(self.alias, message_id, index)
        })
    }

    /// The Reply-To with reply addresses in place of the correspondents' own.
    pub(super) fn in_reply_to(&self, change: Change, original: Option<&[u8]>, notes: &mut Notes) -> Change {
        let mailboxes = match &change {
            Change::Drop => return change,
            Change::Keep => original.map(mailboxes).unwrap_or_default(),
            Change::Replace(body) => mailboxes(body.as_str().as_bytes()),
        };
        if mailboxes.len() > MAX_REPLY_ADDRESSES {
            notes.add(Code::NoReplyAddress);
            return change;
        }
        self.replaced(&mailboxes, |_| true, notes).unwrap_or(change)
    }

    /// To or Cc, where others than the alias and the targets become reply addresses if the alias wants that.
    pub(super) fn in_recipients(&self, change: Change, original: &[&[u8]], notes: &mut Notes) -> Change {
        if self.replies != Replies::All {
            return change;
        }
        let mailboxes = match &change {
            Change::Drop => return change,
            Change::Keep => mailboxes(&merged(original)),
            Change::Replace(body) => mailboxes(body.as_str().as_bytes()),
        };
        let is_other = |address: &Address| {
            !comes_back_to(self.alias, address)
                && self.owners.iter().all(|owner| owner.key() != address.key())
        };
        self.replaced(&mailboxes, is_other, notes).unwrap_or(change)
    }

    /// The list with reply addresses in place of those that `wanted` picks. `None`: nothing has changed.
    fn replaced(
        &self,
        mailboxes: &[Mailbox],
        wanted: impl Fn(&Address) -> bool,
        notes: &mut Notes,
    ) -> Option<Change> {
        let mut is_changed = false;
        let mut written = Vec::with_capacity(mailboxes.len());
        for mailbox in mailboxes {
            let is_wanted = wanted(&mailbox.address);
            let reply_address = is_wanted.then(|| self.of_address(&mailbox.address)).flatten();
            if let Some(address) = reply_address {
                is_changed = true;
                written.push(self.named(mailbox, &address));
                continue;
            }
            if is_wanted {
                notes.add(Code::NoReplyAddress);
            }
            written.push(mailbox.to_string());
        }
        is_changed.then(|| Change::Replace(FieldBody::list(written)))
    }

    /// The reply address with the correspondent's name, as From shows it, so that the owner sees who gets the answer.
    fn named(&self, mailbox: &Mailbox, address: &Address) -> String {
        let style = SenderStyle {
            format: match self.from_format {
                FromFormat::Alias => FromFormat::Alias,
                _ => FromFormat::Name,
            },
            address,
            via: self.alias.domain(),
        };
        new_from(&style, mailbox.name.as_deref(), Some(&mailbox.address))
    }
}
