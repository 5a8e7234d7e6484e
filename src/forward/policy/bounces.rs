//! Reports that a target did not take what was forwarded.

use std::io;

use super::answer::{Answer, Kept};
use super::case::Case;
use super::facts::{Automatic, Facts};
use crate::bucket::Source;
use crate::header::Header;
use crate::header::mailbox::Address;

/// Octets behind the header section in which a report that is no RFC 3464 one names the target.
const MAX_TEXT: usize = 64 << 10;

/// Reads the beginning of the text of mail that a program wrote.
///
/// # Errors
/// If it cannot be read.
pub(super) async fn read(header: &Header, source: &Source, facts: &mut Facts) -> io::Result<()> {
    if facts.automatic != Some(Automatic::Report) {
        return Ok(());
    }
    let mut stream = source.stream(header.octets() as u64);
    let mut left = MAX_TEXT;
    while left > 0
        && let Some(chunk) = stream.next().await?
    {
        let chunk = &chunk[..chunk.len().min(left)];
        left -= chunk.len();
        facts.text.push_str(&String::from_utf8_lossy(chunk));
    }
    facts.text.make_ascii_lowercase();
    Ok(())
}

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
