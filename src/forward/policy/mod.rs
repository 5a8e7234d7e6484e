//! The policy: whether a message is forwarded for an alias, marked, held, or not forwarded at all.
//!
//! A rule is a function and a line in [`RULES`]; rules of one kind share a file. A rule does no IO. It sees the [`Facts`] of
//! the message, read once for all recipients of an arrival, and the [`Case`] of one recipient. A rule that needs a new fact
//! adds a field to [`Facts`], which the `read` of its file fills; a rule that holds mail for a new reason adds a [`Hold`].

mod answer;
mod automatic;
mod bounces;
mod case;
mod facts;
mod loops;
mod report;
mod senders;
mod text;
mod verdicts;

use crate::arrival::Arrival;
use crate::bucket::Source;
use crate::cause::StorageError;
use crate::header::Header;
use crate::header::mailbox::Address;

use answer::Answer;
pub(super) use answer::{Decision, Hold, Kept, Refusal};
pub(super) use bounces::reported_on;
pub(super) use case::{Case, Defaults};
pub(super) use facts::Facts;
pub(super) use senders::sole_author;

/// A rule. It returns an answer, or `None` if it does not apply to the message.
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

/// Reads the facts for the rules: from the header section; from the messages that a delivery report encloses; and from the
/// beginning of the text of other automatic mail.
///
/// # Errors
/// If it cannot be read.
pub(super) async fn read(arrival: &Arrival, header: &Header, source: &Source) -> Result<Facts, Refusal> {
    let mut facts = Facts::default();
    loops::read(header, &mut facts);
    senders::read(header, &mut facts);
    automatic::read(arrival, header, &mut facts);
    verdicts::read(arrival, header, &mut facts);
    let read = report::read(header, source, &mut facts).await;
    read.map_err(|error| {
        let StorageError { cause, reason } = StorageError::from(error).while_trying("it cannot be read");
        Refusal { cause, reason }
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

/// Asks the rules that also apply to an answer of the alias's owner.
///
/// # Errors
/// Why the answer is not sent.
pub(super) fn check_reply(facts: &Facts, case: &Case<'_>) -> Result<Decision, Kept> {
    for rule in [loops::endless, verdicts::virus] {
        if let Some(Answer::Keep(kept)) = rule(facts, case) {
            return Err(kept);
        }
    }
    Ok(Decision::default())
}

/// Who wrote a message.
#[derive(Clone, Debug)]
pub(super) struct Author {
    /// The mailboxes of its From fields, also of those that are not valid.
    pub(super) from: Vec<Address>,
    /// The mailbox of its only From field, if every reader finds this one and no other in it.
    pub(super) sole: Option<Address>,
    /// Whether a program wrote it.
    pub(super) is_automatic: bool,
}

pub(super) fn author(facts: &Facts, sole: Option<Address>) -> Author {
    Author {
        from: facts.from.clone(),
        sole,
        is_automatic: facts.automatic.is_some(),
    }
}

#[cfg(test)]
mod tests;
