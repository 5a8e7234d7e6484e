//! Mail loops: messages that come back after they were forwarded.

use super::answer::{Answer, Kept, Refusal};
use super::case::Case;
use super::facts::Facts;
use crate::header::Header;
use crate::outbox::Cause;
use crate::rewrite::{NOTICE, ROUTE};

/// Received fields from which on a message is taken to be in a loop: "normally at least 100" (RFC 5321 6.3).
const MAX_RECEIVED: usize = 100;

/// Aliases that one message may have passed.
const MAX_ROUTE: usize = 10;

/// Reads the message's own signs of a loop.
pub(super) fn read(header: &Header, facts: &mut Facts) {
    for field in header.named(ROUTE) {
        facts.forwarded_for.note(field.body());
    }
    facts.received = header.named("received").count();
    facts.is_of_notice = header.first(NOTICE).is_some();
}

/// The message has passed this alias before.
pub(super) fn came_back(facts: &Facts, case: &Case<'_>) -> Option<Answer> {
    case.is_named_in(&facts.forwarded_for).then(|| {
        refusal(
            "it has been forwarded for this alias before; a target of it leads back here, which is for the alias map or \
             the target's own settings to end",
        )
    })
}

/// The message has passed more aliases than anybody would chain on purpose.
pub(super) fn far_travelled(facts: &Facts, _case: &Case<'_>) -> Option<Answer> {
    (facts.forwarded_for.count() > MAX_ROUTE).then(|| {
        refusal("it has been forwarded for over ten aliases; they lead to each other, which is for the alias maps to end")
    })
}

/// The message goes back and forth between two systems.
pub(super) fn endless(facts: &Facts, _case: &Case<'_>) -> Option<Answer> {
    (facts.received > MAX_RECEIVED).then(|| {
        refusal(
            "it has been received over a hundred times; two systems send it to each other, and one of them must stop",
        )
    })
}

fn refusal(reason: &str) -> Answer {
    Answer::Keep(Kept::Refused(Refusal {
        cause: Cause::Loop,
        reason: reason.to_owned(),
    }))
}
