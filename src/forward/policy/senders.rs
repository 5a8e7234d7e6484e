//! Who wrote: senders that an alias does not want, and targets that write to their own alias.

use super::answer::{Answer, Kept};
use super::case::Case;
use super::facts::Facts;
use crate::header::Header;
use crate::header::mailbox::{Address, parse_at_most};

/// Octets of From fields that are read. A longer one is there to cost time.
const MAX_FROM: usize = 16 << 10;

/// Mailboxes of a From that are looked at.
const MAX_MAILBOXES: usize = 50;

/// Reads who wrote the message. All From fields count if there are several: whoever sends two wants one reader to see the one
/// and another the other.
pub(super) fn read(header: &Header, facts: &mut Facts) {
    let mut left = MAX_FROM;
    for field in header.named("from") {
        let mailboxes = parse_at_most(field.body(), left, MAX_MAILBOXES);
        left = left.saturating_sub(field.body().len());
        facts
            .from
            .extend(mailboxes.into_iter().map(|mailbox| mailbox.address));
    }
    facts.from.truncate(MAX_MAILBOXES);
    let says_something = |name| {
        header
            .named(name)
            .any(|field| !field.body().trim_ascii().is_empty())
    };
    facts.is_in_thread = says_something("in-reply-to") || says_something("references");
}

/// The alias blocks the sender, or allows only others.
pub(super) fn unwanted(facts: &Facts, case: &Case<'_>) -> Option<Answer> {
    if case.is_released() {
        return None;
    }
    let envelope = case.envelope_sender();
    let is_wanted = case.options.admits(envelope.iter().chain(&facts.from));
    (!is_wanted).then_some(Answer::Keep(Kept::Blocked))
}

/// A target answers to all, and the alias is among them. The target needs no copy of its own mail.
pub(super) fn target_in_a_thread(facts: &Facts, case: &Case<'_>) -> Option<Answer> {
    let target = from_target(facts, case)?;
    facts.is_in_thread.then(|| Answer::Spare(target.clone()))
}

/// A target begins a thread. People do so to try their alias, but so does a program that sends back whatever it gets.
pub(super) fn new_thread_of_a_target(facts: &Facts, case: &Case<'_>) -> Option<Answer> {
    from_target(facts, case)?;
    (!facts.is_in_thread).then_some(Answer::Count)
}

/// The target that wrote the message.
pub(super) fn from_target<'a>(facts: &'a Facts, case: &Case<'_>) -> Option<&'a Address> {
    facts.from.iter().find(|address| case.is_target(address))
}
