//! Reports that a target refused a forwarded message.

use std::collections::HashSet;

use super::answer::{Answer, Kept};
use super::case::Case;
use super::facts::{Automatic, Facts};
use crate::arrival::Verdict;
use crate::header::mailbox::Address;

/// Correspondents that a notice names at most.
const MAX_NAMED: usize = 10;

/// The message reports on a message that was forwarded for this alias. If a target is gone, the report would be forwarded to it
/// and cause another report.
///
/// Such a report is recognised by the route in the message that it encloses. A report that encloses nothing is recognised by
/// the target that it names: SES's own always, others if a program wrote them for the null sender.
pub(super) fn of_what_was_forwarded(facts: &Facts, case: &Case<'_>) -> Option<Answer> {
    let is_about_ours = facts.automatic == Some(Automatic::ReportOfSes)
        || case.is_named_in(&facts.reported_for)
        || !reported_on(facts, case.targets).is_empty();
    is_about_ours.then(|| Answer::Keep(Kept::Bounced(correspondents(facts, case))))
}

/// The recipients that it names if these are correspondents, to whom an answer went. An answer has no route, unlike a forwarded
/// message, and the reported address is no owner's: notices go to owners too, as does mail to a target that the alias no longer
/// has. A report that is not proven to be of SES names nobody: what it names may be a stranger's words to the owner.
fn correspondents(facts: &Facts, case: &Case<'_>) -> Vec<Address> {
    let ours = [case.targets, &case.options.fallback].concat();
    let is_proven = facts.verdicts.dmarc == Some(Verdict::Pass);
    if !is_proven || case.is_named_in(&facts.reported_for) || !reported_on(facts, &ours).is_empty() {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let is_named = |named: &&Address| seen.insert(named.key()) && !case.is_of_owner(named);
    let named = facts.reported_on.iter().filter(is_named);
    named.take(MAX_NAMED).cloned().collect()
}

/// The targets among these that the message reports on.
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
