//! Which way a message goes: to the targets of an alias, or back to a correspondent, as an answer of the alias's owner.
//!
//! Mail to a reply address of ours is an answer if its From is a single mailbox of the owner's and is proven. From anybody else
//! it is mail to the alias: whoever has a reply address got it in mail from the alias's side.

use std::sync::Arc;

use super::outcome::Ending;
use super::route::{Route, closed, recipient, route};
use super::steps::{Steps, Work};
use super::stop::{NoReply, Stop};
use crate::alias::{Notify, Options};
use crate::alias_store::CurrentMap;
use crate::arrival::{MessageId, Verdict};
use crate::header::mailbox::Address;
use crate::rewrite::{ReplyRules, correspondents};
use crate::signed::{AliasKey, Correspondent, Forged, ReplyAddress};

/// Reply addresses that one answer goes to at most. SES takes no mail for more recipients at once.
const MAX_RECIPIENTS: usize = 100;

/// The way of a message from a recipient on.
#[derive(Debug)]
pub(super) struct Way<'a> {
    /// The alias, with its targets and options. Its targets are told if something fails.
    pub(super) owner: Route<'a>,
    pub(super) direction: Direction<'a>,
}

/// Where it goes.
#[derive(Debug)]
pub(super) enum Direction<'a> {
    /// To the targets.
    Forward,
    /// To the correspondents, by these rules.
    Reply(Route<'a>, Box<ReplyRules>),
    /// Nowhere, although it is an answer.
    Refused(Stop),
}

impl Direction<'_> {
    /// The route of the message, the rules of a reply, and why it goes nowhere.
    pub(super) fn parts<'d>(
        &'d self,
        owner: &'d Route<'d>,
    ) -> (&'d Route<'d>, Option<&'d ReplyRules>, Option<&'d Stop>) {
        match self {
            Direction::Forward => (owner, None, None),
            Direction::Reply(route, rules) => (route, Some(&**rules), None),
            Direction::Refused(stop) => (owner, None, Some(stop)),
        }
    }
}

impl Steps {
    /// Finds the way for this recipient. The message is opened only where the recipient has the form of a reply address.
    pub(super) async fn way<'a>(&self, work: &mut Work<'a>, text: &str) -> Result<Way<'a>, Stop> {
        let map: &'a CurrentMap = work.map;
        let address = recipient(text, map)?;
        let key = work.key.clone();
        let read = key.as_ref().and_then(|key| key.read_reply_address(&address));
        let alias = match &read {
            Some(Ok(reply)) => reply.alias.clone().with_lower_case_domain(),
            None | Some(Err(Forged)) => address,
        };
        let (owner, closed) = match route(alias.clone(), map, key.as_deref()) {
            Ok(owner) => (owner, None),
            Err(stop) => match closed(alias, map, &stop) {
                Some(owner) if matches!(read, Some(Ok(_))) => (owner, Some(stop)),
                _ => return Err(stop),
            },
        };
        let direction = match (key, read) {
            (Some(key), Some(read)) => self.direction(work, text, &owner, key, read).await?,
            _ => Direction::Forward,
        };
        let direction = match (closed, direction) {
            (None, direction) => direction,
            // Whoever is proven to have written an answer is told; to anybody else the alias is as silent as to a stranger.
            (Some(_), Direction::Reply(..)) => Direction::Refused(Stop::NoReply(NoReply::Closed)),
            (Some(stop), Direction::Forward | Direction::Refused(_)) => return Err(stop),
        };
        Ok(Way { owner, direction })
    }

    async fn direction<'a>(
        &self,
        work: &mut Work<'a>,
        text: &str,
        owner: &Route<'a>,
        key: Arc<AliasKey>,
        read: Result<ReplyAddress, Forged>,
    ) -> Result<Direction<'a>, Stop> {
        let opened = work.deadline.race(work.message.open()).await;
        let message = match opened {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(Stop::failed(error.cause, error.reason)),
            None => return Err(Stop::out_of_time()),
        };
        let is_cut_short = message.is_header_cut_short();
        let author = message.author(work.arrival).await.map_err(Stop::from)?;
        let is_owner = |address: &Address| {
            let owners = owner.targets.iter().chain(&owner.options.repliers);
            let key = address.key();
            owners.into_iter().any(|owner| owner.key() == key)
        };
        if !author.from.iter().any(is_owner) {
            return Ok(Direction::Forward);
        }
        if author.is_automatic {
            return Ok(Direction::Refused(Stop::Ended(Ending::Automatic)));
        }
        if read.is_err() {
            return Ok(Direction::Refused(Stop::NoReply(NoReply::Forged)));
        }
        // Only verdicts of the event count here, not those in the message: a reply goes out in the owner's name.
        let dmarc = work.arrival.verdicts.and_then(|verdicts| verdicts.dmarc);
        let dmarc = dmarc.or(work.assumes_dmarc.then_some(Verdict::Pass));
        let is_sole_author = author.sole.as_ref().is_some_and(is_owner);
        if let Some(reason) = refusal(is_sole_author, dmarc, is_cut_short) {
            return Ok(Direction::Refused(Stop::NoReply(reason)));
        }
        let recipients = match recipients(work, text, owner, &key).await {
            Err(stop @ Stop::NoReply(_)) => return Ok(Direction::Refused(stop)),
            recipients => recipients?,
        };
        let rules = ReplyRules {
            alias: owner.alias.clone(),
            name: owner.options.name.clone(),
            owners: self.addresses_of_owners(owner),
            all_owners: work.map.aliases.owners(),
            key,
            recipients,
            repair: self.repair,
            strict: false,
        };
        let route = Route {
            alias: owner.alias.clone(),
            targets: rules.targets(),
            options: owner.options,
        };
        Ok(Direction::Reply(route, Box::new(rules)))
    }
}

impl Steps {
    /// Whom notices about mail to the alias go to.
    pub(super) fn notify_of<'a>(&'a self, owner: &Route<'a>) -> &'a Notify {
        owner.options.notify.as_ref().unwrap_or(&self.notify)
    }

    /// All addresses of the alias's owners that the map and the settings name.
    pub(super) fn addresses_of_owners(&self, owner: &Route<'_>) -> Vec<Address> {
        let Options {
            repliers, fallback, ..
        } = owner.options;
        let mut owners = [&owner.targets[..], repliers, fallback].concat();
        if let Notify::Address(address) = self.notify_of(owner) {
            owners.push(address.clone());
        }
        owners
    }
}

/// Why a message that claims to be an owner's answer is none.
fn refusal(is_sole_author: bool, dmarc: Option<Verdict>, is_cut_short: bool) -> Option<NoReply> {
    match dmarc {
        _ if !is_sole_author => Some(NoReply::Unproven),
        Some(Verdict::Pass) => is_cut_short.then_some(NoReply::Malformed),
        Some(_) => Some(NoReply::Unproven),
        None => Some(NoReply::NoVerdict),
    }
}

/// All reply addresses of the alias that the message arrived for, each with its correspondent: they get one mail. That at hand
/// is among them, or the answer is refused for it.
async fn recipients(
    work: &mut Work<'_>,
    at_hand: &str,
    owner: &Route<'_>,
    key: &AliasKey,
) -> Result<Vec<(Address, Address)>, Stop> {
    let known = work.arrival.recipients.known().unwrap_or_default();
    let is_named = known.iter().any(|text| text == at_hand);
    let texts = known.iter().map(String::as_str);
    let mut found = Vec::new();
    let mut count = 0;
    for text in texts.chain((!is_named).then_some(at_hand)) {
        let Ok(address) = Address::parse(text) else {
            continue;
        };
        let Some(Ok(reply)) = key.read_reply_address(&address) else {
            continue;
        };
        if reply.alias.key() != owner.alias.key() {
            continue;
        }
        count += 1;
        let refused = |reason| (text == at_hand).then_some(Stop::NoReply(reason));
        let missing = if count > MAX_RECIPIENTS {
            refused(NoReply::TooMany)
        } else if let Some(correspondent) = correspondent(work, reply.correspondent).await? {
            found.push((address, correspondent));
            None
        } else {
            refused(NoReply::Gone)
        };
        if let Some(stop) = missing {
            return Err(stop);
        }
    }
    Ok(found)
}

/// The correspondent, from the message that names it where the reply address does not. Each such message is read once for all
/// recipients.
async fn correspondent(work: &mut Work<'_>, named: Correspondent) -> Result<Option<Address>, Stop> {
    let (message_id, index) = match named {
        Correspondent::Address(correspondent) => return Ok(Some(correspondent)),
        Correspondent::Stored { message_id, index } => (message_id, index),
    };
    if let Some((_, named)) = work.named.iter().find(|(id, _)| *id == message_id) {
        return Ok(named.get(index).cloned());
    }
    let Ok(id) = MessageId::parse(&message_id) else {
        return Ok(None);
    };
    let named = match work.message.head_of(&id).await {
        Ok(head) => correspondents(&head),
        Err(error) if error.cause == crate::outbox::Cause::NotFound => Vec::new(),
        Err(error) => return Err(Stop::failed(error.cause, error.reason)),
    };
    let correspondent = named.get(index).cloned();
    work.named.push((message_id, named));
    Ok(correspondent)
}
