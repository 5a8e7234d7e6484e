//! The steps' settings and state.

use std::sync::Arc;

use super::counted::Counted;
use super::inbox::Stored;
use super::policy::Defaults;
use super::route::Route;
use super::stop::Stop;
use crate::alias::{Notify, Options};
use crate::alias_store::CurrentMap;
use crate::arrival::Arrival;
use crate::config::Settings;
use crate::deadline::Deadline;
use crate::header::mailbox::Address;
use crate::ledger::{Claim, Ledger};
use crate::outbox::Outbox;
use crate::rewrite::{Repair, ReplyRules, Style};
use crate::signed::AliasKey;

/// The settings and the services that all steps share.
#[derive(Debug)]
pub(super) struct Steps {
    pub(super) outbox: Outbox,
    pub(super) ledger: Ledger,
    pub(super) max_send_bytes: u64,
    pub(super) repair: Repair,
    pub(super) style: Style,
    pub(super) defaults: Defaults,
    pub(super) notify: Notify,
    pub(super) counted: Counted,
    pub(super) hashes_bodies: bool,
}

/// The state that the recipients of an arrival share.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) arrival: &'a Arrival,
    pub(super) message: Stored<'a>,
    pub(super) deadline: Deadline,
    pub(super) map: &'a CurrentMap,
    /// Makes reply addresses, and reads them.
    pub(super) key: Option<Arc<AliasKey>>,
    pub(super) claim: Option<Claim>,
    /// Whether DMARC counts as passed, where nothing is sent and there is no event to say so.
    pub(super) assumes_dmarc: bool,
    /// The correspondents that stored messages name, by the id of the message: those that reply addresses refer to.
    pub(super) named: Vec<(String, Vec<Address>)>,
    /// Aliases that the policy has kept the message from: a hundred tags of one cost no more than one.
    pub(super) kept: Vec<KeptFrom<'a>>,
}

/// An alias that the policy has kept the message from.
#[derive(Debug)]
pub(super) struct KeptFrom<'a> {
    /// Without its tag.
    pub(super) alias: String,
    /// The options of its entry in the map.
    pub(super) options: &'a Options,
    pub(super) stop: Stop,
    pub(super) is_told: bool,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        arrival: &'a Arrival,
        map: &'a CurrentMap,
        key: Option<Arc<AliasKey>>,
        message: Stored<'a>,
        deadline: Deadline,
    ) -> Self {
        Work {
            arrival,
            message,
            deadline,
            map,
            key,
            claim: None,
            assumes_dmarc: false,
            named: Vec::new(),
            kept: Vec::new(),
        }
    }
}

/// One attempt to deliver a message for a recipient.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt<'a> {
    pub(super) arrival: &'a Arrival,
    /// The recipient as the event names it.
    pub(super) recipient: &'a str,
    pub(super) route: &'a Route<'a>,
    /// The alias's own route, whose targets are told. If the message is a reply, it differs from `route`.
    pub(super) owner: &'a Route<'a>,
    pub(super) reply: Option<&'a ReplyRules>,
    pub(super) key: Option<&'a Arc<AliasKey>>,
    pub(super) map: &'a CurrentMap,
    /// The time at which sending stops.
    pub(super) until: Deadline,
    /// The time at which all work stops.
    pub(super) deadline: Deadline,
    /// Whether the message is kept from some of the targets, since they may have got it.
    pub(super) holds: bool,
}

impl Attempt<'_> {
    /// Whether the message that stops here is an answer of the alias's owner.
    pub(super) fn is_answer(&self, stop: &Stop) -> bool {
        self.reply.is_some() || matches!(stop, Stop::NoReply(_))
    }
}

impl Steps {
    pub(super) fn new(outbox: Outbox, ledger: Ledger, settings: &Settings) -> Self {
        Steps {
            outbox,
            ledger,
            max_send_bytes: settings.max_send_bytes,
            repair: settings.repair,
            style: settings.style.clone(),
            defaults: Defaults::new(settings),
            notify: settings.notify.clone(),
            counted: Counted::default(),
            hashes_bodies: false,
        }
    }
}
