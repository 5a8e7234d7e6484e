//! One recipient of an arrival from address to outcome, in steps:
//!
//! ```text
//! recipient -> route -> claim -> policy -> plan -> send -> record
//! an alias     targets  who is   or why    header  outbox  ledger
//!              options  left     not       size      |
//!                                   |                v
//!                                   +------------> tell -> record: the owner, where it is not sent
//! ```
//!
//! A step is a function. A step that ends the work returns the reason: see [`Stop`]. The claim comes before the plan, which is
//! made for the targets that are left.

use std::sync::Arc;

use super::inbox::{Message, Stored};
use super::outcome::{Ending, Outcome};
use super::policy::{Case, Decision};
use super::route::{Route, untagged};
use super::send::is_rejected;
use super::steps::{Attempt, KeptFrom, Steps, Work};
use super::stop::{IN_PROGRESS, NOT_MENDED, OUT_OF_TIME, Stop, TOO_MANY, in_doubt};
use super::tell::Told;
use super::way::Way;
use crate::header::mailbox::Address;
use crate::ledger::{Claim, Deliveries, End, Failure, InProgress, Receipt};
use crate::outbox::{Cause, Content, Outgoing};
use crate::rewrite::{ReplyRules, Rules, Style};

impl Steps {
    /// Takes all steps for a recipient.
    pub(super) async fn forward(&self, work: &mut Work<'_>, recipient: &str) -> Outcome {
        let mut outcome = Outcome::new(&work.arrival.message_id, recipient, Ending::Sent);
        let taken = self.take(work, recipient, &mut outcome).await;
        Steps::conclude(outcome, taken)
    }

    /// The outcome of a recipient whose mail went as far as this.
    pub(super) fn conclude(outcome: Outcome, taken: Result<Receipt, Stop>) -> Outcome {
        match taken {
            Ok(receipt) => outcome.sent(receipt),
            Err(Stop::Delivered(receipt)) => {
                let repeated = true;
                Outcome { repeated, ..outcome }.sent(receipt)
            }
            Err(Stop::Ended(ending)) => outcome.ended(ending),
            Err(Stop::Held(hold)) => outcome.held(hold.as_str()),
            Err(Stop::Bounced(correspondents)) => outcome.bounced(!correspondents.is_empty()),
            Err(Stop::NoReply(reason)) => outcome.refused_reply(reason.as_str(), reason.error()),
            Err(Stop::Lost(lost)) => outcome.lost(lost.class().as_str(), lost.is_answer),
            Err(Stop::Failed { cause, error }) => outcome.failed(cause, error),
            Err(Stop::Findings) => outcome.failed(Cause::Rejected, NOT_MENDED.to_owned()),
        }
    }

    /// Takes the steps one after the other. Each notes its facts in the outcome.
    async fn take(&self, work: &mut Work<'_>, text: &str, outcome: &mut Outcome) -> Result<Receipt, Stop> {
        let Way { owner, direction } = self.way(work, text).await?;
        let (route, reply, refused) = direction.parts(&owner);
        let Work {
            arrival,
            message,
            deadline,
            key,
            map,
            claim,
            kept,
            ..
        } = work;
        outcome.targets = route.targets.iter().map(Address::to_string).collect();
        let mut name = untagged(&owner.alias);
        if let Some(end) = refused.and_then(Stop::end) {
            // An answer may be refused to each of its recipients for another reason.
            name = format!("{} {:?} to {name}", end.outcome, end.reason);
        }
        let is_same = |kept: &&KeptFrom<'_>| {
            reply.is_none() && kept.alias == name && std::ptr::eq(kept.options, owner.options)
        };
        if let Some(kept) = kept.iter().find(is_same) {
            outcome.told = kept.is_told;
            return Err(kept.stop.clone());
        }
        let claim = claim.get_or_insert_with(|| self.ledger.open(arrival));
        let attempt = Attempt {
            arrival,
            recipient: text,
            route,
            owner: &owner,
            reply,
            key: key.as_ref(),
            map,
            until: self.ledger.sends_until(*deadline),
            deadline: *deadline,
            holds: false,
        };
        let (is_claimed, sent) = self
            .claim_and_deliver(&attempt, refused, message, claim, outcome)
            .await;
        let Err(stop) = sent else {
            return sent;
        };
        let told = self.tell(&attempt, message.opened(), claim, &stop).await;
        outcome.told = told.is_told;
        if stop.is_of_policy() && reply.is_none() {
            kept.push(KeptFrom {
                alias: name,
                options: owner.options,
                stop: stop.clone(),
                is_told: told.is_told,
            });
        }
        if is_claimed || !told.now.is_empty() {
            self.close(&attempt, claim, &stop, told).await;
        }
        Err(stop)
    }

    /// Records how it ended where the message was not sent.
    async fn close(&self, attempt: &Attempt<'_>, claim: &mut Claim, stop: &Stop, told: Told) {
        if let Some(end) = stop.end() {
            let end = End {
                is_told: told.is_told,
                told: told.now,
                ..end
            };
            self.ledger
                .release(claim, attempt.recipient, &end, attempt.deadline)
                .await;
        }
    }

    /// Claims the message and delivers it, and says whether it was claimed. A failure for good is remembered and needs no claim.
    pub(super) async fn claim_and_deliver(
        &self,
        attempt: &Attempt<'_>,
        refused: Option<&Stop>,
        message: &mut Stored<'_>,
        claim: &mut Claim,
        outcome: &mut Outcome,
    ) -> (bool, Result<Receipt, Stop>) {
        let Attempt {
            route,
            recipient,
            deadline,
            ..
        } = *attempt;
        if let Err(stop @ Stop::Failed { .. }) = undelivered(claim.deliveries(), route) {
            return (false, Err(stop));
        }
        let claimed = self
            .ledger
            .claim(claim, recipient, &route.targets, deadline)
            .await;
        if claimed == Err(InProgress) {
            return (false, Err(Stop::failed(Cause::InProgress, IN_PROGRESS)));
        }
        match refused {
            Some(stop) => (true, Err(stop.clone())),
            None => (true, self.deliver(attempt, message, claim, outcome).await),
        }
    }

    /// Sends a claimed message to the targets that are left.
    async fn deliver(
        &self,
        attempt: &Attempt<'_>,
        message: &mut Stored<'_>,
        claim: &mut Claim,
        outcome: &mut Outcome,
    ) -> Result<Receipt, Stop> {
        let route = attempt.route;
        let mut targets = undelivered(claim.deliveries(), route)?;
        let held = claim.deliveries().held(&targets);
        targets.retain(|target| !held.contains(target));
        if targets.is_empty() {
            return Err(in_doubt());
        }
        let policy = attempt.until.race(self.policy(message, attempt, outcome));
        let checked = self.ledger.keep(claim, policy).await;
        let (message, decision) =
            checked.unwrap_or_else(|| Err(Stop::failed(Cause::Deadline, OUT_OF_TIME)))?;
        targets.retain(|target| !decision.spares(target));
        if targets.is_empty() {
            return Err(Stop::Ended(Ending::Automatic));
        }

        let attempt = Attempt {
            holds: !held.is_empty(),
            ..*attempt
        };
        let mut outgoing = self.plan(message, &attempt, &decision, targets);
        let mut sent = self.send(&attempt, message, &outgoing, claim, outcome).await;
        if sent == Err(Stop::Findings) {
            outgoing = self.plan(message, &attempt, &decision, outgoing.to);
            sent = self.send(&attempt, message, &outgoing, claim, outcome).await;
        }
        if is_rejected(&sent) && self.goes_plainer(&attempt, message, &outgoing, claim).await {
            // Some batches may have been taken.
            let left = claim.deliveries().left(&outgoing.to);
            outgoing = self.plan(message, &attempt, &decision, left);
            sent = self.send(&attempt, message, &outgoing, claim, outcome).await;
            message.is_strict = sent.is_ok();
            let all = || claim.deliveries().receipt(&route.targets);
            sent = sent.map(|receipt| all().unwrap_or(receipt));
        }
        match sent {
            Ok(_) if attempt.holds => Err(in_doubt()),
            Ok(receipt) => Ok(receipt),
            Err(stop) => {
                self.record_failure(claim, &attempt, &outgoing, &stop).await;
                Err(stop)
            }
        }
    }

    /// Opens the message, and asks whether it is forwarded for this alias, and how.
    pub(super) async fn policy<'m>(
        &self,
        message: &'m mut Stored<'_>,
        attempt: &Attempt<'_>,
        outcome: &mut Outcome,
    ) -> Result<(&'m mut Message, Decision), Stop> {
        let route = attempt.route;
        let opened = message.open().await;
        let message = opened.map_err(|error| Stop::failed(error.cause, error.reason))?;
        outcome.bytes_in = Some(message.source.octets());
        let case = Case {
            arrival: attempt.arrival,
            alias: &route.alias,
            targets: &route.targets,
            options: route.options,
            defaults: &self.defaults,
            key: attempt.key.map(Arc::as_ref),
            notify: self.notify_of(attempt.owner),
            map: &attempt.map.aliases,
        };
        let decision = message.check(&case, attempt.reply.is_some()).await?;
        if decision.is_counted && !self.counted.admit(&untagged(&route.alias)) {
            return Err(Stop::failed(Cause::Loop, TOO_MANY));
        }
        // The body alone may show that it is pointless to look at more.
        self.check_size(message.body_octets(), "more than ")?;
        Ok((message, decision))
    }

    /// Plans the message as it is to go out.
    pub(super) fn plan(
        &self,
        message: &Message,
        attempt: &Attempt<'_>,
        decision: &Decision,
        targets: Vec<Address>,
    ) -> Outgoing {
        let arrival = attempt.arrival;
        let (head, found) = (&message.head, message.found.as_ref());
        let (from, plan) = if let Some(rules) = attempt.reply {
            let rules = ReplyRules {
                strict: message.is_strict,
                ..rules.clone()
            };
            let plan = match found {
                None => rules.plan(head),
                Some(found) => rules.plan_with_parts(head, found),
            };
            (rules.alias, plan)
        } else {
            let sender = arrival.envelope_sender.as_deref();
            let mut rules = self.rules(attempt, targets.clone(), sender);
            rules.marks.clone_from(&decision.marks);
            rules.strict = message.is_strict;
            let plan = match found {
                None => rules.plan(head),
                Some(found) => {
                    let id = &arrival.message_id;
                    let whereabouts =
                        format!("To get the whole message: readdress show --raw {id} > message.eml");
                    rules.plan_with_parts(head, found, &whereabouts)
                }
            };
            (rules.from_address().clone(), plan)
        };
        let content = Content {
            source: message.source.clone(),
            plan: Arc::new(plan),
        };
        Outgoing {
            message_id: arrival.message_id.clone(),
            from,
            to: targets,
            content: Arc::new(content),
        }
    }

    /// The rules of the forward direction for the alias, whose options go before the settings.
    pub(super) fn rules(&self, attempt: &Attempt<'_>, targets: Vec<Address>, sender: Option<&str>) -> Rules {
        let route = attempt.owner;
        let style = self.style.clone().overlay(route.options.style.clone());
        let style = Style {
            // Permissions are compared with case.
            from_email: style.from_email.map(Address::with_lower_case_domain),
            ..style
        };
        Rules {
            envelope_sender: sender.and_then(|sender| Address::parse(sender).ok()),
            repair: self.repair,
            key: attempt.key.cloned(),
            replies: route.options.replies.unwrap_or_default(),
            message_id: Some(attempt.arrival.message_id.to_string()),
            owners: self.addresses_of_owners(route),
            // Without a key nobody answers as an alias.
            all_owners: attempt
                .key
                .map_or_else(Arc::default, |_| attempt.map.aliases.owners()),
            ..Rules::new(route.alias.clone(), targets).with_style(style)
        }
    }
}

/// Returns the targets that do not have the message yet. Stops if all have it, or if sending it to exactly these targets has
/// failed before.
fn undelivered(deliveries: &Deliveries, route: &Route<'_>) -> Result<Vec<Address>, Stop> {
    let left = deliveries.left(&route.targets);
    if left.is_empty()
        && let Some(receipt) = deliveries.receipt(&route.targets)
    {
        return Err(Stop::Delivered(receipt));
    }
    match deliveries.failure(&untagged(&route.alias), &left, route.options) {
        None => Ok(left),
        Some(Failure { cause, error, .. }) => Err(Stop::failed(*cause, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::route::route;
    use super::super::route::tests::{address, cause, map};
    use super::*;
    use crate::ledger::Delivery;

    #[test]
    fn targets_are_left_unless_they_got_the_message_or_it_failed_for_them() {
        let (map, mut deliveries) = (map(), Deliveries::default());
        let route = route(address("shop@example.com"), &map, None).unwrap();
        assert_eq!(undelivered(&deliveries, &route).unwrap(), route.targets);

        let receipt = Receipt {
            id: "1".to_owned(),
            bytes_in: 7,
            bytes_out: 9,
            body_sha256: None,
        };
        let sent = |targets: &[Address]| Delivery::Sent {
            targets: targets.to_vec(),
            receipt: receipt.clone(),
        };
        deliveries.add(sent(&route.targets[..1]));
        assert_eq!(undelivered(&deliveries, &route).unwrap(), route.targets[1..]);

        let mut failed = deliveries.clone();
        failed.add(Delivery::Failed(Box::new(Failure {
            targets: route.targets[1..].to_vec(),
            alias: untagged(&route.alias),
            options: route.options.clone(),
            cause: Cause::Rejected,
            error: "no".to_owned(),
        })));
        assert_eq!(cause(undelivered(&failed, &route).unwrap_err()), Cause::Rejected);

        deliveries.add(sent(&route.targets[1..]));
        let receipt = Receipt {
            id: "1,1".to_owned(),
            ..receipt
        };
        assert_eq!(undelivered(&deliveries, &route), Err(Stop::Delivered(receipt)));
    }
}
