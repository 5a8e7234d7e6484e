//! The step after a step that failed for good: the alias's owner is told by mail, once.

use std::sync::Arc;

use super::inbox::Message;
use super::notice::{self, Trouble};
use super::route::untagged;
use super::steps::{Attempt, Steps};
use super::stop::Stop;
use crate::alias::Notify;
use crate::bucket::Source;
use crate::header::mailbox::Address;
use crate::ledger::Claim;
use crate::outbox::{BodyReader, Content, Outgoing, Sent};
use crate::rewrite::{Plan, route_ids};

/// Notices to one address in an hour. The last of them says where the rest is to be seen.
const MAX_AN_HOUR: u32 = 20;

/// Who was told of a message.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Somebody was, now or before.
    pub(super) is_told: bool,
    /// Those who were told just now.
    pub(super) now: Vec<Address>,
}

impl Steps {
    /// Tells the owner why the message was not forwarded, if it is for the owner to know. Each owner is told once of a message,
    /// and of an answer once of each loss. Nobody is told of mail that a notice has caused.
    pub(super) async fn tell(
        &self,
        attempt: &Attempt<'_>,
        message: Option<&mut Message>,
        claim: &mut Claim,
        stop: &Stop,
    ) -> Told {
        let Some(trouble) = Trouble::of(stop) else {
            return Told::default();
        };
        let Some(message) = message else {
            // A failure that is remembered, without another look at the message: whoever was told of it then is told.
            let owners = self.owners(attempt, None, stop, claim);
            return Told {
                is_told: owners.iter().any(|owner| claim.deliveries().was_told(owner)),
                now: Vec::new(),
            };
        };
        if message.is_of_notice() {
            return Told::default();
        }
        let owners = self.owners(attempt, Some(message), stop, claim);
        let is_new_loss = self.is_new_loss_of_answer(attempt, stop).await;
        let known = claim.deliveries();
        let was_told = |owner: &Address| !is_new_loss && known.was_told(owner);
        let (before, left): (Vec<Address>, Vec<Address>) = owners.into_iter().partition(was_told);
        // Owners count as told without a notice of their own if others have been told of the same bounce, or if the last notice
        // of the hour has said that there is more.
        let mut told = Vec::new();
        if !left.is_empty()
            && let Stop::Bounced(correspondents) = stop
            && !self.is_first_bounce(attempt, message, correspondents).await
        {
            told = left;
        } else {
            let mut is_last = false;
            let mut to = Vec::new();
            for owner in left {
                let count = self.ledger.count_notice(&owner.key(), attempt.until).await;
                is_last |= count == MAX_AN_HOUR;
                if count > MAX_AN_HOUR {
                    told.push(owner);
                } else {
                    to.push(owner);
                }
            }
            if !to.is_empty() {
                let outgoing = self.notice(attempt, message, (stop, &trouble), to, is_last);
                told.extend(self.send_notice(attempt, &outgoing, claim).await);
            }
        }
        Told {
            is_told: !told.is_empty() || !before.is_empty(),
            now: told,
        }
    }

    /// Whether an answer is lost to these correspondents in a way that was not told in this hour. Each of them matters: whoever
    /// was told of one waits for the others to write back.
    async fn is_new_loss_of_answer(&self, attempt: &Attempt<'_>, stop: &Stop) -> bool {
        let Stop::Lost(lost) = stop else {
            return false;
        };
        if !lost.is_answer {
            return false;
        }
        let mut keys: Vec<String> = lost.targets.iter().map(|target| target.address.key()).collect();
        keys.sort_unstable();
        let (id, kind) = (&attempt.arrival.message_id, lost.kind.as_str());
        let name = format!("lost {id} {kind} {}", keys.join(" "));
        self.ledger.count_notice(&name, attempt.until).await == 1
    }

    /// Whether nobody was told in this hour that these targets of the alias, or these correspondents, are gone. This ends a loop
    /// between two lost targets: if the one that is told is gone too, the report on the notice may enclose nothing, and would be
    /// told to the first.
    async fn is_first_bounce(
        &self,
        attempt: &Attempt<'_>,
        message: &Message,
        correspondents: &[Address],
    ) -> bool {
        let route = attempt.owner;
        let mut kind = format!("bounced {}", untagged(&route.alias));
        for gone in message.reported_on(&route.targets).iter().chain(correspondents) {
            kind.push(' ');
            kind.push_str(&gone.key());
        }
        self.ledger.count_notice(&kind, attempt.until).await == 1
    }

    /// The addresses that are told: those that `notify` of the alias or the setting names. If a target is gone, the other
    /// targets are told.
    fn owners(
        &self,
        attempt: &Attempt<'_>,
        message: Option<&Message>,
        stop: &Stop,
        claim: &Claim,
    ) -> Vec<Address> {
        let route = attempt.owner;
        let notify = self.notify_of(route);
        if let Stop::Lost(lost) = stop {
            return lost.owners(notify, &route.targets, &route.options.fallback);
        }
        match notify {
            Notify::Off => Vec::new(),
            Notify::Address(address) => vec![address.clone()],
            Notify::Targets if matches!(stop, Stop::Bounced(correspondents) if correspondents.is_empty()) => {
                let gone = message.map_or_else(Vec::new, |message| message.reported_on(&route.targets));
                let is_left = |target: &&Address| route.targets.len() > 1 && !gone.contains(target);
                route.targets.iter().filter(is_left).cloned().collect()
            }
            // A target that has got the answer too, by another alias, does not know that the correspondent has not.
            Notify::Targets if attempt.is_answer(stop) => route.targets.clone(),
            // Targets that have the message need no notice of it.
            Notify::Targets => claim.deliveries().left(&route.targets),
        }
    }

    fn notice(
        &self,
        attempt: &Attempt<'_>,
        message: &Message,
        (stop, trouble): (&Stop, &Trouble<'_>),
        to: Vec<Address>,
        is_last: bool,
    ) -> Outgoing {
        let rules = self.rules(attempt, Vec::new(), None);
        let from = rules.from_address().clone();
        let octets = message.source.octets();
        let about = notice::About {
            message_id: &attempt.arrival.message_id,
            alias: &attempt.owner.alias,
            route_id: route_ids(&attempt.owner.alias, attempt.key.map(Arc::as_ref)).swap_remove(0),
            head: &message.head,
            octets,
            is_answer: attempt.is_answer(stop),
            is_last,
        };
        // If only its form is the trouble, the message itself goes along as a file.
        let fits = notice::octets_as_file(octets) <= self.max_send_bytes;
        let is_enclosed = trouble.is_of_form() && fits;
        let notice = notice::compose(&about, trouble, from.clone(), is_enclosed);
        let content = if is_enclosed {
            Content {
                source: message.source.clone(),
                plan: Arc::new(notice.with_message(octets)),
            }
        } else {
            Content {
                source: Source::memory(notice.with_header_section(&message.head)),
                plan: Arc::new(Plan::default()),
            }
        };
        Outgoing {
            message_id: attempt.arrival.message_id.clone(),
            from,
            to,
            content: Arc::new(content),
        }
    }

    /// Sends a notice, and returns who got it.
    async fn send_notice(
        &self,
        attempt: &Attempt<'_>,
        outgoing: &Outgoing,
        claim: &mut Claim,
    ) -> Vec<Address> {
        let mut told = Vec::new();
        let mut body = BodyReader::whole(outgoing.content.source.stream(0));
        let reading = self.outbox.begin(outgoing, &mut body, attempt.until);
        let mut failed = None;
        match self.ledger.keep(claim, reading).await {
            Err(error) => failed = Some(error),
            Ok(mut sending) => {
                while let Some(sent) = self.ledger.keep(claim, sending.next()).await {
                    match sent {
                        Ok(Sent { to, .. }) => told.extend(to.into_iter().map(|at| outgoing.to[at].clone())),
                        Err(error) => failed = Some(error),
                    }
                }
            }
        }
        if let Some(error) = failed {
            tracing::warn!(
                message_id = attempt.arrival.message_id.as_str(),
                cause = error.cause.as_str(),
                error = error.reason,
                "the owner could not be told by a notice (NOTIFY)"
            );
        }
        told
    }
}
