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
use super::policy::Refusal;
use crate::alias::{Entry, Options};
use crate::alias_store::CurrentMap;
use crate::arrival::Arrival;
use crate::config::Settings;
use crate::deadline::Deadline;
use crate::header::mailbox::Address;
use crate::ledger::{Claim, Deliveries, Delivery, Failure, InProgress, Ledger, Receipt};
use crate::outbox::{Cause, Content, Outbox, Outgoing, SendError, Sending, Sent};
use crate::rewrite::{Repair, Rules, Style};

pub(super) const OUT_OF_TIME: &str = "the time ended before the message was sent; it is still in the bucket";

const NOT_MENDED: &str =
    "the message was planned twice and is still found in need of edits; please report this";

const IN_PROGRESS: &str = "another invocation is sending the message, or ended while it did, less than a minute ago; the event comes again";

/// The steps, and what they need.
#[derive(Debug)]
pub(super) struct Steps {
    outbox: Outbox,
    ledger: Ledger,
    max_send_bytes: u64,
    repair: Repair,
    style: Style,
    pub(super) hashes_bodies: bool,
}

/// The state that the recipients of an arrival share.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) arrival: &'a Arrival,
    pub(super) message: Stored<'a>,
    pub(super) deadline: Deadline,
    map: &'a CurrentMap,
    claim: Option<Claim>,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        arrival: &'a Arrival,
        map: &'a CurrentMap,
        message: Stored<'a>,
        deadline: Deadline,
    ) -> Self {
        Work {
            arrival,
            message,
            deadline,
            map,
            claim: None,
        }
    }
}

/// An alias and where its mail goes.
#[derive(Debug, PartialEq)]
struct Route<'a> {
    alias: Address,
    targets: &'a [Address],
    options: &'a Options,
}

/// One attempt to deliver a message for a recipient.
#[derive(Clone, Copy, Debug)]
struct Attempt<'a> {
    /// As the event has it.
    recipient: &'a str,
    route: &'a Route<'a>,
    /// When sending stops.
    until: Deadline,
    /// When all work stops.
    deadline: Deadline,
    /// Whether the message is kept from some of the targets, since they may have got it.
    holds: bool,
}

/// Why a recipient's mail goes no further than a step.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stop {
    /// The alias map has nothing for the recipient.
    NoAlias,
    /// The alias is switched off.
    Disabled,
    /// All targets have got the message already.
    Delivered(Receipt),
    /// The body has something in it that SES would refuse: the message is to be planned again.
    Findings,
    /// The mail could not be sent, or must not be.
    Failed { cause: Cause, error: String },
}

impl Stop {
    fn failed(cause: Cause, error: impl Into<String>) -> Self {
        let error = error.into();
        Stop::Failed { cause, error }
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
            hashes_bodies: false,
        }
    }

    /// Takes all steps for a recipient.
    pub(super) async fn forward(&self, work: &mut Work<'_>, recipient: &str) -> Outcome {
        let mut outcome = Outcome::new(&work.arrival.message_id, recipient, Ending::Sent);
        match self.take(work, recipient, &mut outcome).await {
            Ok(receipt) | Err(Stop::Delivered(receipt)) => outcome.sent(receipt),
            Err(Stop::NoAlias) => outcome.ended(Ending::NoAlias),
            Err(Stop::Disabled) => outcome.ended(Ending::Disabled),
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
        let policy = attempt.until.race(self.policy(message, route, outcome));
        let checked = self.ledger.keep(claim, policy).await;
        let message = checked.unwrap_or_else(|| Err(Stop::failed(Cause::Deadline, OUT_OF_TIME)))?;

        let attempt = Attempt {
            holds: !held.is_empty(),
            ..*attempt
        };
        let mut outgoing = self.plan(message, arrival, route, targets);
        let mut sent = self.send(&attempt, message, &outgoing, claim, outcome).await;
        if sent == Err(Stop::Findings) {
            outgoing = self.plan(message, arrival, route, outgoing.to);
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

    /// Opens the message, and asks whether it is forwarded for this alias.
    async fn policy<'m>(
        &self,
        message: &'m mut Stored<'_>,
        route: &Route<'_>,
        outcome: &mut Outcome,
    ) -> Result<&'m mut Message, Stop> {
        let opened = message.open().await;
        let message = opened.map_err(|error| Stop::failed(Cause::Unreadable, error))?;
        outcome.bytes_in = Some(message.source.octets());
        // The body alone may show that it is pointless to look at more.
        self.check_size(message.body_octets(), "more than ")?;
        match message.check(&route.alias).await {
            Ok(()) => Ok(message),
            Err(Refusal { cause, reason }) => Err(Stop::failed(
                cause,
                format!("the message is not forwarded, it is still in the bucket: {reason}"),
            )),
        }
    }

    /// Plans the message as it is to go out.
    fn plan(
        &self,
        message: &Message,
        arrival: &Arrival,
        route: &Route<'_>,
        targets: Vec<Address>,
    ) -> Outgoing {
        let sender = arrival.envelope_sender.as_deref();
        let rules = self.rules(route, targets, sender);
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

    /// Reads the message as it is to go out, and sends it.
    async fn send(
        &self,
        attempt: &Attempt<'_>,
        message: &mut Message,
        outgoing: &Outgoing,
        claim: &mut Claim,
        outcome: &mut Outcome,
    ) -> Result<Receipt, Stop> {
        outcome.planned(&outgoing.content);
        // The least that it can be: nothing is read for a message that is too large whatever its parts become.
        self.check_size(outgoing.content.octets(), "")?;
        let mut body = message.body(self.hashes_bodies, self.repair == Repair::Parts);
        let reading = self.outbox.begin(outgoing, &mut body, attempt.until);
        let begun = self.ledger.keep(claim, reading).await;
        let sending = begun.map_err(|error| not_sent(&error, &outgoing.to, &outgoing.to))?;
        if message.note(body.report()) {
            return Err(Stop::Findings);
        }
        let octets = sending.message_octets();
        outcome.bytes_out = Some(octets);
        self.check_size(octets, "")?;
        let receipt = Receipt {
            id: String::new(),
            bytes_in: outgoing.content.source.octets(),
            bytes_out: octets,
            // With edits of parts it is not the stored one.
            body_sha256: body.sha256().filter(|_| outgoing.content.plan.edits().len() == 1),
        };
        self.send_all(attempt, sending, &outgoing.to, receipt, claim)
            .await
    }

    /// Sends the message to all of its targets, and records each delivery before the next. With the last one the claim ends,
    /// unless more of the recipient is to be recorded.
    async fn send_all(
        &self,
        attempt: &Attempt<'_>,
        mut sending: Sending<'_>,
        all: &[Address],
        mut receipt: Receipt,
        claim: &mut Claim,
    ) -> Result<Receipt, Stop> {
        let (mut ids, mut failed) = (Vec::new(), None);
        loop {
            self.ledger.refresh(claim).await;
            if claim.is_lost() {
                return Err(Stop::failed(Cause::InProgress, IN_PROGRESS));
            }
            match self.ledger.keep(claim, sending.next()).await {
                None => break,
                Some(Ok(Sent { to, id })) => {
                    ids.push(id.clone());
                    receipt.id = id;
                    let is_last = to.last().is_some_and(|last| last + 1 == all.len());
                    let ends = is_last && failed.is_none() && !attempt.holds;
                    let delivery = Delivery::Sent {
                        targets: to.into_iter().map(|at| all[at].clone()).collect(),
                        receipt: receipt.clone(),
                    };
                    let last_of = ends.then_some(attempt.recipient);
                    self.ledger
                        .record(claim, delivery, last_of, attempt.deadline)
                        .await;
                }
                Some(Err(error)) => failed = failed.or(Some(error)),
            }
        }
        receipt.id = ids.join(",");
        match failed {
            None => Ok(receipt),
            Some(error) => Err(not_sent(&error, all, &claim.deliveries().left(all))),
        }
    }

    /// Records that the message cannot go out in this form: the next recipient with the same targets and options fails
    /// alike, without another request.
    async fn record_failure(
        &self,
        claim: &mut Claim,
        attempt: &Attempt<'_>,
        outgoing: &Outgoing,
        stop: &Stop,
    ) {
        if let Stop::Failed { cause, error } = stop {
            let failure = Failure {
                targets: claim.deliveries().left(&outgoing.to),
                alias: untagged(&attempt.route.alias),
                options: attempt.route.options.clone(),
                cause: *cause,
                error: error.clone(),
            };
            let failed = Delivery::Failed(failure);
            self.ledger.record(claim, failed, None, attempt.deadline).await;
        }
    }

    fn check_size(&self, octets: u64, more_than: &str) -> Result<(), Stop> {
        if octets <= self.max_send_bytes {
            return Ok(());
        }
        Err(Stop::failed(
            Cause::TooLarge,
            format!(
                "the message would go out with {more_than}{octets} octets, {} are allowed (MAX_SEND_BYTES); \
                 it is still in the bucket",
                self.max_send_bytes
            ),
        ))
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

/// Takes the recipient for an alias.
fn recipient(text: &str, map: &CurrentMap) -> Result<Address, Stop> {
    match Address::parse(text) {
        Ok(alias) => Ok(alias.with_lower_case_domain()),
        Err(error) => {
            // No key can name it; at most a catch-all would have taken it.
            let domain = text.rsplit_once('@').map_or("", |(_, domain)| domain);
            if !map.aliases.catches_all(domain) {
                return Err(unknown(map));
            }
            let error = format!("the recipient is no address: {error}");
            Err(Stop::failed(Cause::Unreadable, error))
        }
    }
}

/// Finds where the mail of the alias goes.
fn route(alias: Address, map: &CurrentMap) -> Result<Route<'_>, Stop> {
    let resolved = map.aliases.resolve(&alias).ok_or_else(|| unknown(map))?;
    match resolved.entry {
        Ok(Entry { targets, options }) if options.enabled => Ok(Route {
            alias,
            targets,
            options,
        }),
        Ok(_) => Err(Stop::Disabled),
        Err(reason) => {
            // The reason may repeat an address.
            tracing::debug!(reason, "a broken entry");
            let error =
                "the alias map's entry for this alias cannot be used; to see why: readdress aliases check";
            Err(Stop::failed(Cause::Configuration, error))
        }
    }
}

/// The recipient is not in the map. If the map is stale, a newer one may know the recipient, so the outcome is not final.
fn unknown(map: &CurrentMap) -> Stop {
    match &map.outdated {
        None => Stop::NoAlias,
        Some(error) => Stop::failed(
            Cause::Unavailable,
            format!(
                "the recipient is not in the last good copy of the alias map, and a newer one could not be read: {error}"
            ),
        ),
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

/// The alias without its tag: a hundred tags cost no more than one.
fn untagged(alias: &Address) -> String {
    format!("{}@{}", alias.untagged_local(), alias.domain()).to_ascii_lowercase()
}

/// The message is kept from targets that may have got it.
fn in_doubt() -> Stop {
    let error = "the message may have been sent before, without a record of it, so it is not sent again (ON_DOUBT); it is \
                 still in the bucket: look into the target's mailbox, and if it is not there, send its event again with \
                 ON_DOUBT=resend";
    Stop::failed(Cause::Ambiguous, error)
}

fn not_sent(SendError { cause, reason }: &SendError, all: &[Address], left: &[Address]) -> Stop {
    let (all, missed) = (all.len(), left.len());
    let partly = match all - missed {
        0 => String::new(),
        reached => format!("it has been sent to {reached} of {all} targets and not to the other {missed}: "),
    };
    let error = format!("the message could not be sent, it is still in the bucket: {partly}{reason}");
    Stop::failed(*cause, error)
}

#[cfg(test)]
mod tests {
    use super::super::inbox::Inbox;
    use super::*;
    use crate::alias::AliasMap;
    use crate::alias_store::ReadError;
    use crate::arrival::{MessageId, Recipients};
    use crate::bucket::Bucket;
    use crate::executor::block_on;
    use crate::rewrite::{ROUTE, route_id};

    const MAP: &str = r#"{
        "shop@example.com": ["jane@example.net", "omar@example.net"],
        "off@example.com": {"enabled": false},
        "broken@example.com": {"to": 7},
        "@catch.example": "zoe@example.net"
    }"#;

    fn map() -> CurrentMap {
        AliasMap::parse(MAP.as_bytes()).unwrap().into()
    }

    fn old_map() -> CurrentMap {
        let error = ReadError::NothingUsable("it".to_owned());
        CurrentMap {
            outdated: Some(error),
            ..map()
        }
    }

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn cause(stop: Stop) -> Cause {
        match stop {
            Stop::Failed { cause, error } => {
                assert!(!error.contains('@'), "{error}");
                cause
            }
            other => panic!("{other:?}"),
        }
    }

    fn arrival() -> Arrival {
        Arrival {
            message_id: MessageId::parse("m1").unwrap(),
            recipients: Recipients::Unknown,
            envelope_sender: None,
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
    fn a_recipient_that_is_not_an_address_is_no_alias_but_where_all_are_caught() {
        assert_eq!(
            recipient("Shop@Example.COM", &map()),
            Ok(address("Shop@example.com"))
        );
        assert_eq!(recipient("a b@example.com", &map()), Err(Stop::NoAlias));
        let caught = recipient("a b@catch.example", &map()).unwrap_err();
        assert_eq!(cause(caught), Cause::Unreadable);
    }

    #[test]
    fn a_route_has_targets() {
        let map = map();
        let to = |alias: &str| route(address(alias), &map);
        let route = to("shop+tag@example.com").unwrap();
        assert_eq!(
            route.targets,
            [address("jane@example.net"), address("omar@example.net")]
        );
        assert_eq!(to("off@example.com"), Err(Stop::Disabled));
        assert_eq!(cause(to("broken@example.com").unwrap_err()), Cause::Configuration);
        assert_eq!(to("other@example.com"), Err(Stop::NoAlias));
    }

    /// Catches mail that is dropped as unknown, while the map that knows the recipient cannot be read.
    #[test]
    fn an_old_map_that_does_not_know_a_recipient_decides_nothing() {
        let map = old_map();
        let unknown = route(address("other@example.com"), &map).unwrap_err();
        assert_eq!(cause(unknown), Cause::Unavailable);
        let unknown = recipient("a b@example.com", &map).unwrap_err();
        assert_eq!(cause(unknown), Cause::Unavailable);
        assert!(route(address("shop@example.com"), &map).is_ok());
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
