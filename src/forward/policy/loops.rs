//! Mail loops: messages that come back after they were forwarded.

use super::facts::{Facts, Refusal};
use crate::header::Header;
use crate::header::mailbox::Address;
use crate::outbox::Cause;
use crate::rewrite::ORIGINAL_TO;

/// Received fields from which on a message is taken to be in a loop: "normally at least 100" (RFC 5321 6.3).
const MAX_RECEIVED: usize = 100;

/// Reads the message's own signs of a loop.
pub(super) fn read(header: &Header, facts: &mut Facts) {
    for field in header.named(ORIGINAL_TO) {
        facts.forwarded_for.note(field.body());
    }
    facts.received = header.named("received").count();
}

/// The message has passed this alias before.
pub(super) fn came_back(facts: &Facts, alias: &Address) -> Option<Refusal> {
    facts.forwarded_for.contain(&alias.key()).then(|| {
        refusal(
            "it has been forwarded for this alias before; a target of it leads back here, which is for the alias map or \
             the target's own settings to end",
        )
    })
}

/// The message goes back and forth between two systems.
pub(super) fn endless(facts: &Facts, _alias: &Address) -> Option<Refusal> {
    (facts.received > MAX_RECEIVED).then(|| {
        refusal(
            "it has been received over a hundred times; two systems send it to each other, and one of them must stop",
        )
    })
}

fn refusal(reason: &str) -> Refusal {
    Refusal {
        cause: Cause::Loop,
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(fields: &[&str]) -> Facts {
        let mut header = Header::new();
        for field in fields {
            header.push(format!("{field}\r\n").as_bytes());
        }
        let mut facts = Facts::default();
        read(&header, &mut facts);
        facts
    }

    #[test]
    fn a_message_that_comes_back_is_told_from_others() {
        let alias = Address::parse("shop@example.com").unwrap();
        for (fields, loops) in [
            (
                &["From: jane@example.org", "X-Original-To: SHOP@example.com"][..],
                true,
            ),
            (&["X-Original-To: shop+1@example.com, a@shop@example.com"], false),
            (&["To: shop@example.com", "Delivered-To: shop@example.com"], false),
            (&[], false),
        ] {
            assert_eq!(came_back(&facts(fields), &alias).is_some(), loops, "{fields:?}");
        }
    }

    #[test]
    fn a_message_that_was_received_too_often_is_in_a_loop() {
        let alias = Address::parse("shop@example.com").unwrap();
        let received = |times| endless(&facts(&vec!["Received: x"; times]), &alias);
        assert_eq!(received(MAX_RECEIVED), None);
        assert_eq!(received(MAX_RECEIVED + 1).unwrap().cause, Cause::Loop);
    }
}
