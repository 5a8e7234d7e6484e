//! Mail loops: messages that come back after they were forwarded.

use super::facts::{Facts, Refusal};
use crate::header::Header;
use crate::header::mailbox::Address;
use crate::outbox::Cause;
use crate::rewrite::{ROUTE, route_id};

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
}

/// The message has passed this alias before.
pub(super) fn came_back(facts: &Facts, alias: &Address) -> Option<Refusal> {
    facts.forwarded_for.contain(&route_id(alias)).then(|| {
        refusal(
            "it has been forwarded for this alias before; a target of it leads back here, which is for the alias map or \
             the target's own settings to end",
        )
    })
}

/// The message has passed more aliases than anybody would put one behind the other.
pub(super) fn far_travelled(facts: &Facts, _alias: &Address) -> Option<Refusal> {
    (facts.forwarded_for.count() > MAX_ROUTE).then(|| {
        refusal("it has been forwarded for over ten aliases; they lead to each other, which is for the alias maps to end")
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
        let route = |address: &str| format!("{ROUTE}: {}", route_id(&Address::parse(address).unwrap()));
        for (fields, loops) in [
            (
                vec!["From: jane@example.org".to_owned(), route("SHOP@example.com")],
                true,
            ),
            (vec![route("shop+1@example.com"), route("shop@example.com")], true),
            (
                vec![route("shop+1@example.com"), format!("{ROUTE}: shop@example.com")],
                false,
            ),
            // As Postfix writes it, and anybody can.
            (vec!["X-Original-To: shop@example.com".to_owned()], false),
            (
                vec![
                    "To: shop@example.com".to_owned(),
                    "Delivered-To: shop@example.com".to_owned(),
                ],
                false,
            ),
            (vec![], false),
        ] {
            let facts = facts(&fields.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(came_back(&facts, &alias).is_some(), loops, "{fields:?}");
        }
    }

    #[test]
    fn a_message_that_has_passed_many_aliases_is_in_a_loop() {
        let alias = Address::parse("shop@example.com").unwrap();
        let passed = |times| far_travelled(&facts(&vec!["X-Readdress-Route: 0123"; times]), &alias);
        assert_eq!(passed(MAX_ROUTE), None);
        assert_eq!(passed(MAX_ROUTE + 1).unwrap().cause, Cause::Loop);
    }

    #[test]
    fn a_message_that_was_received_too_often_is_in_a_loop() {
        let alias = Address::parse("shop@example.com").unwrap();
        let received = |times| endless(&facts(&vec!["Received: x"; times]), &alias);
        assert_eq!(received(MAX_RECEIVED), None);
        assert_eq!(received(MAX_RECEIVED + 1).unwrap().cause, Cause::Loop);
    }
}
