//! The facts of a message that the rules of the policy look at.

use crate::arrival::Verdicts;
use crate::header::mailbox::Address;

/// The most aliases that are noted of one message. An honest message names few; only a hostile one names more.
const MAX_ALIASES: usize = 1000;

/// Octets of an id that is noted. Ours are shorter, now and with a key.
const MAX_ROUTE_ID: usize = 64;

/// The claims of a message about itself, and SES's verdicts. A sender can forge everything but the verdicts, and so can stop
/// its own message, but nobody else's.
#[derive(Debug, Default)]
pub(in crate::forward) struct Facts {
    /// The aliases that the message was forwarded for before.
    pub(super) forwarded_for: Aliases,
    /// The aliases that the messages were forwarded for whose delivery it reports on.
    pub(super) reported_for: Aliases,
    /// The recipients whose delivery it reports on (RFC 3464 2.3.2).
    pub(super) reported_on: Vec<Address>,
    /// The number of its Received fields.
    pub(super) received: usize,
    /// The mailboxes of its From.
    pub(super) from: Vec<Address>,
    /// It belongs to a thread: it has In-Reply-To or References.
    pub(super) is_in_thread: bool,
    /// The kind of automatic mail, if a program wrote it (RFC 3834).
    pub(super) automatic: Option<Automatic>,
    /// It is one of our notices, or a report on one.
    pub(in crate::forward) is_of_notice: bool,
    /// The beginning of its text in lower case, if a program wrote it for the null sender.
    pub(super) text: String,
    pub(super) verdicts: Verdicts,
}

/// A kind of automatic mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Automatic {
    /// An answer, such as out-of-office.
    Answer,
    /// A report that a delivery succeeded or failed.
    Report,
    /// A report of SES itself, on a message sent through it.
    ReportOfSes,
}

/// Aliases, as the routes of messages name them.
#[derive(Debug, Default)]
pub(super) struct Aliases(Vec<String>);

impl Aliases {
    /// Notes the alias that the body of an X-Readdress-Route names. Every forwarded message has this field.
    pub(super) fn note(&mut self, body: &[u8]) {
        let id = body.trim_ascii();
        if id.len() <= MAX_ROUTE_ID && self.0.len() < MAX_ALIASES {
            self.0.push(String::from_utf8_lossy(id).into_owned());
        }
    }

    /// Whether the alias with this id was named.
    pub(super) fn contain(&self, id: &str) -> bool {
        self.0.iter().any(|alias| alias.eq_ignore_ascii_case(id))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of aliases that were named.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}
