//! Who wrote: senders that an alias does not want, and targets that write to their own alias.

use super::answer::{Answer, Kept};
use super::case::Case;
use super::facts::Facts;
use crate::header::Header;
use crate::header::mailbox::{Address, parse_at_most, sole_mailbox};
use crate::preflight::check_address_list;

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

/// The mailbox that wrote the message, if there is no doubt: the verdict of DMARC does not say for which mailbox it holds, so
/// every reader must find the same one. There is one From field, also to readers that end a line at a bare CR, and its whole
/// body is one mailbox, to SES as well.
pub(in crate::forward) fn sole_author(header: &Header) -> Option<Address> {
    let lines = header.raw().split(|&b| matches!(b, b'\r' | b'\n'));
    let mut fields = header.named("from");
    let from = fields.next()?;
    if fields.next().is_some() || lines.filter(|line| is_from(line)).count() != 1 {
        return None;
    }
    let list = check_address_list(from.body()).ok()?;
    let is_one = (list.entries, list.mailboxes) == (1, 1);
    sole_mailbox(from.body()).filter(|_| is_one)
}

/// Whether a line is a From field to readers that take no notice of controls in its name.
fn is_from(line: &[u8]) -> bool {
    let colon = line.iter().position(|&b| b == b':');
    let name = line[..colon.unwrap_or(0)].iter().filter(|&&b| b > b' ');
    let is_fold = matches!(line.first(), Some(b' ' | b'\t'));
    !is_fold && name.map(u8::to_ascii_lowercase).eq(*b"from")
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
