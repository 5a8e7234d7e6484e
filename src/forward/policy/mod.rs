//! The policy: whether a message is forwarded for an alias, marked, held, or not forwarded at all.
//!
//! A rule is a function and a line in [`RULES`]; rules of one kind share a file. A rule does no IO: all that it looks at are the
//! [`Facts`], read once for all recipients of an arrival, and the [`Case`] of one of them.

mod automatic;
mod bounces;
mod facts;
mod loops;
mod report;
mod senders;
mod verdicts;

use crate::alias::{OnDmarc, OnVerdict, Options};
use crate::arrival::{Arrival, Order};
use crate::bucket::Source;
use crate::config::Settings;
use crate::header::Header;
use crate::header::mailbox::Address;
use crate::outbox::Cause;
use crate::rewrite::Mark;

pub(super) use facts::{Facts, Refusal};

/// A rule: its answer, where it has one.
type Rule = fn(&Facts, &Case<'_>) -> Option<Answer>;

/// The rules, in the order in which they are asked. The first answer that keeps the message back is the decision.
const RULES: [Rule; 12] = [
    loops::came_back,
    loops::far_travelled,
    loops::endless,
    bounces::of_what_was_forwarded,
    automatic::from_a_target,
    senders::unwanted,
    verdicts::virus,
    verdicts::own_domain,
    verdicts::dmarc,
    verdicts::spam,
    senders::target_in_a_thread,
    senders::new_thread_of_a_target,
];

/// One recipient of an arrival, as the rules see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) arrival: &'a Arrival,
    pub(super) alias: &'a Address,
    pub(super) targets: &'a [Address],
    pub(super) options: &'a Options,
    pub(super) defaults: &'a Defaults,
}

/// The settings that hold where an alias has no option of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Defaults {
    pub(super) spam: OnVerdict,
    pub(super) virus: OnVerdict,
    pub(super) dmarc: OnDmarc,
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    /// The message is forwarded with a mark.
    Mark(Mark),
    /// It is forwarded, but not to whoever wrote it.
    Spare(Address),
    /// It is forwarded as long as the alias has not had too many of its kind.
    Count,
    /// It is not forwarded.
    Keep(Kept),
}

/// Why a message is not forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// The owner looks at it first.
    Held(Hold),
    /// It is an automatic answer of a target, which nobody waits for.
    Automatic,
    /// The alias does not want mail of its sender.
    Blocked,
    /// It reports that a target did not take what was forwarded.
    Bounced,
    /// Something is wrong.
    Refused(Refusal),
}

/// Why the owner is to look at a message first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    Spam,
    Virus,
    /// Its From is not proven, and the domain asks to refuse such mail.
    Unverified,
    /// Its From claims the alias's own domain, and is not proven.
    OwnDomain,
}

impl Hold {
    /// As it is written in an outcome.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Hold::Spam => "spam",
            Hold::Virus => "virus",
            Hold::Unverified => "unverified",
            Hold::OwnDomain => "own_domain",
        }
    }
}

/// How a message is forwarded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) marks: Vec<Mark>,
    /// Targets that do not get it: they wrote it.
    pub(super) spared: Vec<Address>,
    /// Whether it is one of a kind of which an alias forwards only so many.
    pub(super) is_counted: bool,
}

impl Decision {
    /// Whether this target does not get the message.
    pub(super) fn spares(&self, target: &Address) -> bool {
        let key = target.key();
        self.spared.iter().any(|spared| spared.key() == key)
    }
}

impl Defaults {
    pub(super) fn new(settings: &Settings) -> Self {
        Defaults {
            spam: settings.on_spam,
            virus: settings.on_virus,
            dmarc: settings.on_dmarc,
        }
    }
}

impl Case<'_> {
    /// Whether the owner has looked at the message and wants it.
    fn is_released(&self) -> bool {
        self.arrival.order == Order::Release
    }

    fn is_target(&self, address: &Address) -> bool {
        let key = address.key();
        self.targets.iter().any(|target| target.key() == key)
    }

    fn envelope_sender(&self) -> Option<Address> {
        let sender = self.arrival.envelope_sender.as_deref()?;
        Address::parse(sender).ok()
    }
}

/// Reads what the rules look at: the header section; of a delivery report what it encloses; of other automatic mail the
/// beginning of its text.
///
/// # Errors
/// If it cannot be read.
pub(super) async fn read(arrival: &Arrival, header: &Header, source: &Source) -> Result<Facts, Refusal> {
    let mut facts = Facts::default();
    loops::read(header, &mut facts);
    senders::read(header, &mut facts);
    automatic::read(arrival, header, &mut facts);
    verdicts::read(arrival, header, &mut facts);
    let read = async {
        report::read(header, source, &mut facts).await?;
        bounces::read(header, source, &mut facts).await
    };
    read.await.map_err(|error| Refusal {
        cause: Cause::Unreadable,
        reason: format!("it cannot be read: {error}"),
    })?;
    Ok(facts)
}

/// Asks all rules.
///
/// # Errors
/// Why the message is not forwarded.
pub(super) fn check(facts: &Facts, case: &Case<'_>) -> Result<Decision, Kept> {
    let mut decision = Decision::default();
    for answer in RULES.iter().filter_map(|rule| rule(facts, case)) {
        match answer {
            Answer::Mark(mark) if decision.marks.contains(&mark) => {}
            Answer::Mark(mark) => decision.marks.push(mark),
            Answer::Spare(address) => decision.spared.push(address),
            Answer::Count => decision.is_counted = true,
            Answer::Keep(kept) => return Err(kept),
        }
    }
    Ok(decision)
}

#[cfg(test)]
mod tests;
