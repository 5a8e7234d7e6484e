//! One recipient of an arrival from address to outcome, in steps:
//!
//! ```text
//! recipient -> route -> claim -> policy -> plan -> send -> record
//! an alias     targets  who is   or why    header  outbox  ledger
//!              options  left     not       size
//! ```
//!
//! A step is a function. One after which there is nothing left to do returns why: see [`Stop`]. The claim comes before the
//! plan, which is made for the targets that are left.

use std::sync::Arc;

use super::inbox::{Message, Stored};
use super::outcome::{Ending, Outcome};
use super::policy::{Case, Decision};
use super::route::{Route, recipient, route, untagged};
use super::steps::{Attempt, Steps, Work};
use super::stop::{IN_PROGRESS, NOT_MENDED, OUT_OF_TIME, Stop, TOO_MANY, in_doubt};
use crate::arrival::Arrival;
use crate::header::mailbox::Address;
use crate::ledger::{Claim, Deliveries, Failure, InProgress, Receipt};
use crate::outbox::{Cause, Content, Outgoing};
use crate::rewrite::{Rules, Style};
impl Steps {
    /// Takes all steps for a recipient.
    pub(super) async fn forward(&self, work: &mut Work<'_>, recipient: &str) -> Outcome {
        let mut outcome = Outcome::new(&work.arrival.message_id, recipient, Ending::Sent);
        match self.take(work, recipient, &mut outcome).await {
            Ok(receipt) | Err(Stop::Delivered(receipt)) => outcome.sent(receipt),
            Err(Stop::Ended(ending)) => outcome.ended(ending),
            Err(Stop::Held(hold)) => outcome.held(hold.as_str()),
            Err(Stop::Bounced) => outcome.bounced(),
            Err(Stop::Failed { cause, error }) => outcome.failed(cause, error),
            Err(Stop::Findings) => outcome.failed(Cause::Rejected, NOT_MENDED.to_owned()),
        }
    }

    /// Takes the steps one after the other. All that becomes known on the way is noted in the outcome.
    async fn take(&self, work: &mut Work<'_>, text: &str, outcome: &mut Outcome) -> Result<Receipt, Stop> {
        let Work {
            arrival,
            message,
            deadline,
            map,
            claim,
        } = work;
        let alias = recipient(text, map)?;
        let route = route(alias, map)?;
        outcome.targets = route.targets.iter().map(Address::to_string).collect();
        let claim = claim.get_or_insert_with(|| self.ledger.open(arrival));
        if let Err(stop @ Stop::Failed { .. }) = undelivered(claim.deliveries(), &route) {
            return Err(stop);
        }
        let claimed = self.ledger.claim(claim, text, route.targets, *deadline).await;
        claimed.map_err(|InProgress| Stop::failed(Cause::InProgress, IN_PROGRESS))?;

        let attempt = Attempt {
            recipient: text,
            route: &route,
            until: self.ledger.sends_until(*deadline),
            deadline: *deadline,
            holds: false,
        };
        let sent = self.deliver(&attempt, arrival, message, claim, outcome).await;
        let cause = match &sent {
            Err(Stop::Failed { cause, .. }) => Some(*cause),
            Err(Stop::Findings) => Some(Cause::Rejected),
            Ok(_) | Err(_) => None,
        };
        if let Some(cause) = cause {
            self.ledger.release(claim, text, cause, *deadline).await;
        }
        sent
    }

    /// Sends a message that is claimed to those targets that are left.
    async fn deliver(
        &self,
        attempt: &Attempt<'_>,
        arrival: &Arrival,
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
        let policy = attempt.until.race(self.policy(message, arrival, route, outcome));
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
        let mut outgoing = self.plan(message, arrival, route, &decision, targets);
        let mut sent = self.send(&attempt, message, &outgoing, claim, outcome).await;
        if sent == Err(Stop::Findings) {
            outgoing = self.plan(message, arrival, route, &decision, outgoing.to);
            sent = self.send(&attempt, message, &outgoing, claim, outcome).await;
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
    async fn policy<'m>(
        &self,
        message: &'m mut Stored<'_>,
        arrival: &Arrival,
        route: &Route<'_>,
        outcome: &mut Outcome,
    ) -> Result<(&'m mut Message, Decision), Stop> {
        let opened = message.open().await;
        let message = opened.map_err(|error| Stop::failed(Cause::Unreadable, error))?;
        outcome.bytes_in = Some(message.source.octets());
        let case = Case {
            arrival,
            alias: &route.alias,
            targets: route.targets,
            options: route.options,
            defaults: &self.defaults,
        };
        let decision = message.check(&case).await?;
        if decision.is_counted && !self.counted.admit(&untagged(&route.alias)) {
            return Err(Stop::failed(Cause::Loop, TOO_MANY));
        }
        // The body alone may show that it is pointless to look at more.
        self.check_size(message.body_octets(), "more than ")?;
        Ok((message, decision))
    }

    /// Plans the message as it is to go out.
    fn plan(
        &self,
        message: &Message,
        arrival: &Arrival,
        route: &Route<'_>,
        decision: &Decision,
        targets: Vec<Address>,
    ) -> Outgoing {
        let sender = arrival.envelope_sender.as_deref();
        let mut rules = self.rules(route, targets, sender);
        rules.marks.clone_from(&decision.marks);
        let plan = match &message.found {
            None => rules.plan(&message.head),
            Some(found) => {
                let id = &arrival.message_id;
                let whereabouts =
                    format!("The whole message is kept in the bucket that mail arrives in, as {id}.");
                rules.plan_with_parts(&message.head, found, &whereabouts)
            }
        };
        let content = Content {
            source: message.source.clone(),
            plan: Arc::new(plan),
        };
        Outgoing {
            message_id: arrival.message_id.clone(),
            from: rules.from_address().clone(),
            to: rules.targets,
            content: Arc::new(content),
        }
    }

    fn rules(&self, route: &Route<'_>, targets: Vec<Address>, sender: Option<&str>) -> Rules {
        let style = self.style.clone().overlay(route.options.style.clone());
        let style = Style {
            // Permissions are compared with case.
            from_email: style.from_email.map(Address::with_lower_case_domain),
            ..style
        };
        Rules {
            envelope_sender: sender.and_then(|sender| Address::parse(sender).ok()),
            repair: self.repair,
            ..Rules::new(route.alias.clone(), targets).with_style(style)
        }
    }
}

/// Returns the targets that do not have the message yet. Stops if all have it, or if sending it to exactly these targets has
/// failed before.
fn undelivered(deliveries: &Deliveries, route: &Route<'_>) -> Result<Vec<Address>, Stop> {
    let left = deliveries.left(route.targets);
    if left.is_empty()
        && let Some(receipt) = deliveries.receipt(route.targets)
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
    use super::super::counted::Counted;
    use super::super::inbox::Inbox;
    use super::super::policy::Defaults;
    use super::super::route::tests::{address, cause, map};
    use super::*;
    use crate::alias::{OnDmarc, OnVerdict};
    use crate::arrival::{MessageId, Order, Recipients};
    use crate::bucket::Bucket;
    use crate::deadline::Deadline;
    use crate::executor::block_on;
    use crate::ledger::{Delivery, Ledger};
    use crate::outbox::Outbox;
    use crate::rewrite::{ROUTE, Repair, route_id};

    fn arrival() -> Arrival {
        Arrival {
            message_id: MessageId::parse("m1").unwrap(),
            recipients: Recipients::Unknown,
            envelope_sender: None,
            verdicts: None,
            order: Order::Forward,
            stored: None,
        }
    }

    /// A bucket with the message, an outbox, and steps with this limit.
    struct Trial {
        directory: tempfile::TempDir,
        inbox: Inbox,
        steps: Steps,
    }

    impl Trial {
        fn new(message: &[u8], max_send_bytes: u64) -> Self {
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join("m1"), message).unwrap();
            let steps = Steps {
                outbox: Outbox::Directory(directory.path().join("out")),
                ledger: Ledger::default(),
                max_send_bytes,
                repair: Repair::default(),
                style: Style::default(),
                defaults: Defaults {
                    spam: OnVerdict::Mark,
                    virus: OnVerdict::Hold,
                    dmarc: OnDmarc::Obey,
                },
                counted: Counted::default(),
                hashes_bodies: false,
            };
            let bucket = Bucket::Directory(directory.path().to_owned());
            Trial {
                inbox: Inbox::new(bucket, String::new()),
                directory,
                steps,
            }
        }

        fn forward(&self, recipients: &[&str]) -> Vec<Outcome> {
            let (map, arrival) = (map(), arrival());
            let mut work = Work::new(&arrival, &map, self.inbox.stored(&arrival), Deadline::NEVER);
            let mut outcomes = Vec::new();
            for recipient in recipients {
                outcomes.push(block_on(self.steps.forward(&mut work, recipient)));
            }
            outcomes
        }

        fn sent(&self) -> usize {
            std::fs::read_dir(self.directory.path().join("out")).map_or(0, |files| files.count() / 2)
        }
    }

    #[test]
    fn targets_are_left_unless_they_got_the_message_or_it_failed_for_them() {
        let (map, mut deliveries) = (map(), Deliveries::default());
        let route = route(address("shop@example.com"), &map).unwrap();
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
        failed.add(Delivery::Failed(Failure {
            targets: route.targets[1..].to_vec(),
            alias: untagged(&route.alias),
            options: route.options.clone(),
            cause: Cause::Rejected,
            error: "no".to_owned(),
        }));
        assert_eq!(cause(undelivered(&failed, &route).unwrap_err()), Cause::Rejected);

        deliveries.add(sent(&route.targets[1..]));
        let receipt = Receipt {
            id: "1,1".to_owned(),
            ..receipt
        };
        assert_eq!(undelivered(&deliveries, &route), Err(Stop::Delivered(receipt)));
    }

    #[test]
    fn two_recipients_with_the_same_targets_cost_one_message() {
        let trial = Trial::new(b"From: jane@example.org\n\nHello\n", 10_000);
        let outcomes = trial.forward(&["shop+a@example.com", "shop+b@example.com"]);
        assert!(
            outcomes.iter().all(|it| it.ending == Ending::Sent),
            "{outcomes:?}"
        );
        assert_eq!(outcomes[0].sent_id, outcomes[1].sent_id);
        assert_eq!(trial.sent(), 1);
    }

    /// Catches a header section that is rewritten for each of many recipients only to find each time that it is too large.
    #[test]
    fn a_message_that_is_too_large_is_planned_once() {
        let message = format!("From: jane@example.org\n\n{}\n", "x".repeat(90));
        let trial = Trial::new(message.as_bytes(), 120);
        let outcomes = trial.forward(&["shop+a@example.com", "shop+b@example.com"]);
        // A plan is what says how large the message would be.
        let planned: Vec<bool> = outcomes.iter().map(|it| it.bytes_out.is_some()).collect();
        assert_eq!(planned, [true, false]);
        for outcome in outcomes {
            assert_eq!(
                (outcome.ending, outcome.cause),
                (Ending::TooLarge, Some(Cause::TooLarge))
            );
        }
        assert_eq!(trial.sent(), 0);
    }

    /// Catches a message that is looked at further although its body alone is over the limit.
    #[test]
    fn a_body_over_the_limit_is_enough() {
        let message = format!("From: jane@example.org\n\n{}\n", "x".repeat(500));
        let trial = Trial::new(message.as_bytes(), 120);
        let outcome = trial.forward(&["shop@example.com"]).remove(0);
        assert_eq!((outcome.bytes_in, outcome.bytes_out), (Some(525), None));
        assert!(outcome.error.unwrap().contains("more than 501 octets"));
    }

    #[test]
    fn the_policy_is_asked_for_each_alias() {
        let passed = route_id(&Address::parse("shop+a@example.com").unwrap());
        let message = format!("{ROUTE}: {passed}\n\nHello\n");
        let trial = Trial::new(message.as_bytes(), 10_000);
        let outcomes = trial.forward(&["shop+a@example.com", "shop+b@example.com"]);
        assert_eq!(outcomes[0].cause, Some(Cause::Loop));
        assert_eq!(outcomes[1].ending, Ending::Sent);
        assert_eq!(trial.sent(), 1);
    }
}
