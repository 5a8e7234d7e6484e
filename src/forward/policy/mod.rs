//! The policy: which messages are not forwarded, although an alias wants them.
//!
//! A rule is a function in a file of its own and a line in [`RULES`]. It does no IO: all that the rules look at is read
//! once for all recipients of an arrival.

mod facts;
mod loops;
mod report;

use crate::bucket::Source;
use crate::header::Header;
use crate::header::mailbox::Address;
use crate::outbox::Cause;

pub(super) use facts::{Facts, Refusal};

/// A rule: why a message is not forwarded for an alias, if so.
type Rule = fn(&Facts, &Address) -> Option<Refusal>;

/// The rules, in the order in which they are asked. The first that objects gives the reason.
const RULES: [Rule; 4] = [
    loops::came_back,
    loops::far_travelled,
    loops::endless,
    report::on_what_was_forwarded,
];

/// Reads what the rules look at: the header section, and what a delivery report encloses.
///
/// # Errors
/// If the report cannot be read.
pub(super) async fn read(header: &Header, source: &Source) -> Result<Facts, Refusal> {
    let mut facts = Facts::default();
    loops::read(header, &mut facts);
    let report = report::read(header, source, &mut facts).await;
    report.map_err(|error| Refusal {
        cause: Cause::Unreadable,
        reason: format!("it cannot be read: {error}"),
    })?;
    Ok(facts)
}

/// Asks all rules.
///
/// # Errors
/// Why the message is not to be forwarded for this alias.
pub(super) fn check(facts: &Facts, alias: &Address) -> Result<(), Refusal> {
    match RULES.iter().find_map(|rule| rule(facts, alias)) {
        None => Ok(()),
        Some(refusal) => Err(refusal),
    }
}
