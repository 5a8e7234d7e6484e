//! The reply direction: from the owner of an alias, by a reply address, to the correspondent.
//!
//! Only the fields that this file names go out of the owner's header section: none that tells of the owner's mailbox, host or
//! program, or of the way that the mail has taken. The body is the owner's affair, and goes out as it is.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::addresses::{merged, taken};
use super::apply::{CRLF, Changes, Chosen, Writer};
use super::content_changes::{change_for_parts, repair_content_fields, without_traces};
use super::controls;
use super::edit::Plan;
use super::fields::{Role, Row};
use super::forward::MAX_RECIPIENTS;
use super::notes::Notes;
use super::options::Repair;
use super::original::OriginalFields;
use super::owners::Owners;
use super::parts::PartEdits;
use super::reader::Head;
use super::references::{is_by_ses, message_ids, shared};
use super::reply_addresses::comes_back_to;
use super::strict;
use crate::header::mailbox::{Address, Mailbox, format_mailbox, parse_address_list};
use crate::header::{FieldBody, Header};
use crate::preflight::{Code, Report};
use crate::signed::{AliasKey, Correspondent, ReplyAddress};

/// Ids in References at most, as many as the forward direction writes.
const MAX_REFERENCES: usize = 1000;

/// A sentence for a correspondent whose attachment is taken out. The place of the whole message is none of the correspondent's
/// business.
const WHEREABOUTS: &str = "Please ask for it in another way.";

/// The rules of the reply direction: how one answer of an owner is sent as the alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyRules {
    /// The alias, which is the new From.
    pub alias: Address,
    /// The display-name beside it.
    pub name: Option<String>,
    /// The addresses that nobody must see: all that get mail of the alias, and the others that may answer as it.
    pub owners: Vec<Address>,
    /// The owners of all aliases, whose addresses nobody must find in a reply address that was made up or has lost its
    /// signature.
    pub all_owners: Arc<Owners>,
    /// The key that has signed the reply addresses.
    pub key: Arc<AliasKey>,
    /// The reply addresses that the mail has arrived for, each with the correspondent that it stands for.
    pub recipients: Vec<(Address, Address)>,
    /// How far a message may be changed so that SES takes it.
    pub repair: Repair,
    /// As in the other direction: see [`Rules::strict`](super::Rules::strict).
    pub strict: bool,
}

impl ReplyRules {
    /// The correspondents, none twice: those to whom the mail goes.
    pub fn targets(&self) -> Vec<Address> {
        let mut seen = HashSet::new();
        let all = self.recipients.iter().map(|(_, correspondent)| correspondent);
        all.filter(|correspondent| seen.insert(correspondent.key()))
            .cloned()
            .collect()
    }

    /// Returns the plan with the new header section as its only edit, and with notes of the repairs in it, which are not written
    /// into the message.
    pub fn plan(&self, head: &Head) -> Plan {
        PartEdits::default().planned(head, &|parts| self.new_header(head, parts))
    }

    /// Returns the plan with the new header section and with the edits of parts that cure the faults found in the message.
    /// With more than [`MAX_EDITS`](super::MAX_EDITS), or unless `repair` is [`Repair::Parts`], the header section alone is changed.
    pub fn plan_with_parts(&self, head: &Head, report: &Report) -> Plan {
        if self.repair != Repair::Parts {
            return self.plan(head);
        }
        let line_ending = head.line_ending.unwrap_or(CRLF);
        let parts = PartEdits::of(report, line_ending, WHEREABOUTS, self.strict);
        parts.planned(head, &|parts| self.new_header(head, parts))
    }

    fn new_header(&self, head: &Head, parts: &PartEdits) -> (Vec<u8>, Notes) {
        let line_ending = head.line_ending.unwrap_or(CRLF);
        let cleaned = controls::cleaned(&head.header, line_ending);
        let all = cleaned.as_ref().unwrap_or(&head.header);
        let mut notes = Notes::default();
        for &code in &parts.codes {
            notes.add(code);
        }
        let rows: Vec<Option<&'static Row>> = all.fields().map(|field| Row::of(&field)).collect();
        let chosen = Chosen::of(all, &head.header, &rows);
        let original = OriginalFields::read(all, &head.header, &rows, &chosen);
        let mut changes = self.changes(&original);
        if all.first("mime-version").is_some() {
            // Programs write their names into comments of it.
            changes
                .added
                .push((Cow::Borrowed("MIME-Version"), FieldBody::words(["1.0"])));
        }
        if self.repair != Repair::Off {
            repair_content_fields(&original, &mut changes, &mut notes);
        }
        change_for_parts(&original, parts, &mut changes);
        without_traces(&original, &mut changes);

        // The mechanics that every direction shares see the allowed fields alone.
        let (allowed, allowed_rows) = self::allowed(all, &rows);
        let (as_it_came, _) = self::allowed(&head.header, &rows);
        let chosen = Chosen::of(&allowed, &as_it_came, &allowed_rows);
        let writer = Writer {
            header: &allowed,
            rows: &allowed_rows,
            chosen: &chosen,
            line_ending,
            repairs: self.repair != Repair::Off,
            always_changes: true,
            shows_notes: false,
        };
        let header = writer.write(&changes, &mut notes);
        if self.strict {
            notes.add(Code::Unforeseen);
            return (strict::plain_section(header, line_ending), notes);
        }
        (header, notes)
    }

    fn changes(&self, original: &OriginalFields<'_>) -> Changes {
        let (to, cc) = self.new_recipients(original);
        let Thread {
            in_reply_to,
            references,
        } = Thread::of(original);
        let written = |name: &'static str, body: FieldBody| {
            (!body.as_str().is_empty()).then_some((Cow::Borrowed(name), body))
        };
        let from = FieldBody::written(format_mailbox(self.name.as_deref(), &self.alias));
        let added = [
            written("From", from),
            written("To", FieldBody::list(to)),
            written("Cc", FieldBody::list(cc)),
            written("In-Reply-To", FieldBody::words(in_reply_to)),
            written("References", FieldBody::words(references)),
        ];
        Changes {
            added: added.into_iter().flatten().collect(),
            ..Changes::default()
        }
    }

    /// The new To and Cc. There are never more than [`MAX_RECIPIENTS`] mailboxes in both.
    fn new_recipients(&self, original: &OriginalFields<'_>) -> (Vec<Mailbox>, Vec<Mailbox>) {
        let mut seen = HashSet::new();
        let mut turned = |bodies: &[&[u8]]| {
            let mailboxes = parse_address_list(&merged(bodies));
            let shown: Vec<Mailbox> = mailboxes
                .into_iter()
                .filter_map(|mailbox| self.shown(mailbox))
                .collect();
            let shown = taken(&shown).filter(|mailbox| seen.insert(mailbox.address.key()));
            shown.collect::<Vec<Mailbox>>()
        };
        let (mut to, mut cc) = (turned(&original.to), turned(&original.cc));
        to.truncate(MAX_RECIPIENTS);
        cc.truncate(MAX_RECIPIENTS - to.len());
        if to.is_empty() && cc.is_empty() {
            // A single blind recipient may see its own address; several must not see each other's.
            if let [only] = &self.targets()[..] {
                to.push(Mailbox {
                    name: None,
                    address: only.clone(),
                });
            }
        }
        (to, cc)
    }

    /// A mailbox of To or Cc as the correspondent may see it; `None` where it is to be left out.
    fn shown(&self, mailbox: Mailbox) -> Option<Mailbox> {
        let Mailbox { name, address } = mailbox;
        let address = match self.key.read_reply_address(&address) {
            Some(Ok(read)) => {
                // The correspondent of another alias is nobody's affair here.
                let is_ours = read.alias.key() == self.alias.key();
                is_ours
                    .then(|| self.correspondent(&address, read.correspondent))
                    .flatten()?
            }
            Some(Err(_)) if self.names_too_much(&address) => return None,
            Some(Err(_)) | None => address,
        };
        // Whatever its `+tag`.
        let is_owner = self.owners.iter().any(|owner| comes_back_to(owner, &address));
        // Also a reply address of ours whose signature does not hold.
        if is_owner || comes_back_to(&self.alias, &address) || self.names_owner(address.local()) {
            return None;
        }
        // The name that our own reply address was shown with: the address in other words.
        let words = format!("{} at {}", address.local(), address.domain());
        let name = name.filter(|name| {
            !name.contains('@') && !name.eq_ignore_ascii_case(&words) && !self.names_host(name)
        });
        Some(Mailbox { name, address })
    }

    /// Whether a name has the domain of an owner in it, and so perhaps the address: `zoe.private at home.example`, as in the names
    /// that we write ourselves.
    fn names_host(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.owners
            .iter()
            .any(|owner| name.contains(&owner.domain().to_lowercase()))
    }

    /// Whether a text has both halves of an owner's address in it, whatever stands between them: `%`, `=` and the like in the
    /// addresses of relays.
    fn names_owner(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let has = |half: &str| text.contains(&half.to_lowercase());
        self.owners
            .iter()
            .any(|owner| has(owner.domain()) && has(owner.untagged_local()))
    }

    /// Whether an address whose signature does not hold may be a reply address of another alias, made by an older key, or names
    /// an owner.
    fn names_too_much(&self, address: &Address) -> bool {
        let is_ours = address.domain().eq_ignore_ascii_case(self.alias.domain());
        is_ours
            || self.all_owners.is_alias_domain(address.domain())
            || self.all_owners.has_alias_on_any_domain() && ReplyAddress::looks_signed(address)
            || ReplyAddress::claimed(address).is_some_and(|claimed| {
                self.all_owners.contains(&claimed)
                    || self.owners.iter().any(|owner| comes_back_to(owner, &claimed))
            })
    }

    fn correspondent(&self, reply_address: &Address, correspondent: Correspondent) -> Option<Address> {
        match correspondent {
            Correspondent::Address(address) => Some(address),
            Correspondent::Stored { .. } => {
                let mut recipients = self.recipients.iter();
                let found = recipients.find(|(address, _)| address.key() == reply_address.key());
                found.map(|(_, correspondent)| correspondent.clone())
            }
        }
    }
}

/// The fields of a header section that may go out, and their rows.
fn allowed(header: &Header, rows: &[Option<&'static Row>]) -> (Header, Vec<Option<&'static Row>>) {
    let mut allowed = Header::new();
    let mut allowed_rows = Vec::new();
    for (field, row) in header.fields().zip(rows) {
        let is_allowed = row.is_some_and(|row| match row.role {
            Role::Subject | Role::ContentType | Role::TransferEncoding | Role::ContentDisposition => true,
            Role::From
            | Role::To
            | Role::Cc
            | Role::ReplyTo
            | Role::References
            | Role::ListUnsubscribe
            | Role::Date
            | Role::InReplyTo
            | Role::Sender
            | Role::ReturnPath
            | Role::MessageId
            | Role::OfEncoding
            | Role::Addresses
            | Role::Unread => false,
        });
        if is_allowed {
            allowed.push(field.raw());
            allowed_rows.push(*row);
        }
    }
    allowed.end(header.empty_line());
    (allowed, allowed_rows)
}

/// The ids by which the correspondent's program finds the thread.
struct Thread<'a> {
    in_reply_to: Option<&'a str>,
    references: Vec<&'a str>,
}

impl<'a> Thread<'a> {
    /// The thread of an answer: those ids in the owner's References and In-Reply-To that the correspondents know.
    fn of(original: &OriginalFields<'a>) -> Self {
        let all: Vec<&str> = original.references.into_iter().flat_map(message_ids).collect();
        let mut references = shared(&all);
        if references.len() > MAX_REFERENCES {
            references.drain(1..=references.len() - MAX_REFERENCES);
        }
        let answered = original.in_reply_to.into_iter().flat_map(message_ids).next();
        let answered = answered.filter(|id| is_by_ses(id));
        // The correspondent knows the message by its own id, not by the one that it got on its way to the owner.
        let own = |id: &str| {
            let at = all.iter().rposition(|other| *other == id)?;
            at.checked_sub(1).map(|before| all[before])
        };
        let in_reply_to = answered.map(|id| own(id).unwrap_or(id));
        if references.is_empty() {
            references.extend(in_reply_to);
        }
        Thread {
            in_reply_to,
            references,
        }
    }
}

#[cfg(test)]
mod tests;
