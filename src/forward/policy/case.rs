//! One recipient of an arrival, as the rules see it.

use super::facts::Aliases;
use crate::alias::{AliasMap, Notify, OnDmarc, OnVerdict, Options};
use crate::arrival::{Arrival, Order};
use crate::config::Settings;
use crate::header::mailbox::Address;
use crate::rewrite::route_ids;
use crate::signed::AliasKey;

/// One recipient of an arrival, as the rules see it.
#[derive(Clone, Copy, Debug)]
pub(in crate::forward) struct Case<'a> {
    pub(in crate::forward) arrival: &'a Arrival,
    pub(in crate::forward) alias: &'a Address,
    pub(in crate::forward) targets: &'a [Address],
    pub(in crate::forward) options: &'a Options,
    pub(in crate::forward) defaults: &'a Defaults,
    pub(in crate::forward) key: Option<&'a AliasKey>,
    /// Whom notices go to: perhaps an owner whom the map does not name.
    pub(in crate::forward) notify: &'a Notify,
    /// The map, for the owners of all aliases.
    pub(in crate::forward) map: &'a AliasMap,
}

/// The settings that hold where an alias has no option of its own.
#[derive(Clone, Copy, Debug)]
pub(in crate::forward) struct Defaults {
    pub(in crate::forward) spam: OnVerdict,
    pub(in crate::forward) virus: OnVerdict,
    pub(in crate::forward) dmarc: OnDmarc,
}

impl Defaults {
    pub(in crate::forward) fn new(settings: &Settings) -> Self {
        Defaults {
            spam: settings.on_spam,
            virus: settings.on_virus,
            dmarc: settings.on_dmarc,
        }
    }
}

impl Case<'_> {
    /// Whether one of these ids names the alias.
    pub(super) fn is_named_in(&self, routes: &Aliases) -> bool {
        !routes.is_empty()
            && route_ids(self.alias, self.key)
                .iter()
                .any(|id| routes.contain(id))
    }

    /// Whether the owner has looked at the message and wants it.
    pub(super) fn is_released(&self) -> bool {
        self.arrival.order == Order::Release
    }

    pub(super) fn is_target(&self, address: &Address) -> bool {
        let key = address.key();
        self.targets.iter().any(|target| target.key() == key)
    }

    /// Whether the address is of an owner of this alias or of another.
    pub(super) fn is_of_owner(&self, address: &Address) -> bool {
        let is_told = matches!(self.notify, Notify::Address(told) if told.key() == address.key());
        is_told || self.map.owners().contains(address)
    }

    pub(super) fn envelope_sender(&self) -> Option<Address> {
        let sender = self.arrival.envelope_sender.as_deref()?;
        Address::parse(sender).ok()
    }
}
