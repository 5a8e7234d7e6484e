//! Reports that a target did not take what was forwarded.

use super::answer::{Answer, Kept};
use super::case::Case;
use super::facts::{Automatic, Facts};
use crate::header::mailbox::Address;

/// The message reports on what was forwarded for this alias. Where a target is gone, the report would be forwarded there, and
/// be reported on in turn.
///
/// It is known by the route in what it encloses. Reports that enclose nothing are known by the target that they name: SES's
/// own always, others where a program wrote them for the null sender.
pub(super) fn of_what_was_forwarded(facts: &Facts, case: &Case<'_>) -> Option<Answer> {
    let is_about_ours = facts.automatic == Some(Automatic::ReportOfSes)
        || case.is_named_in(&facts.reported_for)
        || !reported_on(facts, case.targets).is_empty();
    is_about_ours.then_some(Answer::Keep(Kept::Bounced))
}

/// Those of these targets that the message reports on.
pub(in crate::forward) fn reported_on(facts: &Facts, targets: &[Address]) -> Vec<Address> {
    let is_named = |target: &&Address| {
        let key = target.key();
        facts.reported_on.iter().any(|address| address.key() == key) || names(&facts.text, &key)
    };
    targets.iter().filter(is_named).cloned().collect()
}

/// Whether an address stands in a text, and not as the end of a longer one. Both are in lower case.
fn names(text: &str, address: &str) -> bool {
    let is_of_address = |c: char| c.is_alphanumeric() || "._+-".contains(c);
    let mut found = text.match_indices(address);
    found.any(|(at, _)| !text[..at].ends_with(is_of_address))
}
