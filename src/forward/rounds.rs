//! Does the message go in a circle?

use crate::header::Header;
use crate::header::mailbox::{Address, parse_address_list};

/// `Received` fields from which on a message is taken to go in a circle: "normally at least 100" (RFC 5321 6.3).
const MAX_RECEIVED: usize = 100;

/// Why a message must not be forwarded for this alias, if it was here before or goes between others for ever.
///
/// A sender can write what is looked at, and so keep a message of its own from being forwarded; nobody else's.
pub(super) fn reason(header: &Header, alias: &Address) -> Option<&'static str> {
    if has_been_at(header, alias) {
        return Some(
            "it has been forwarded for this alias before; a target of it leads back here, which is for the alias map or \
             the target's own settings to end",
        );
    }
    (header.named("received").count() > MAX_RECEIVED).then_some(
        "it has been received over a hundred times; two systems send it to each other, and one of them must stop",
    )
}

/// Every message that is forwarded says whom it was for.
fn has_been_at(header: &Header, alias: &Address) -> bool {
    let alias = alias.to_string();
    header
        .named("x-original-to")
        .flat_map(|field| parse_address_list(field.body()))
        .any(|mailbox| mailbox.address.to_string().eq_ignore_ascii_case(&alias))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(fields: &[&str]) -> Option<&'static str> {
        let mut header = Header::new();
        for field in fields {
            header.push(format!("{field}\r\n").as_bytes());
        }
        reason(&header, &Address::parse("shop@example.com").unwrap())
    }

    #[test]
    fn what_goes_in_a_circle_is_told_from_what_does_not() {
        for (fields, circle) in [
            (
                &["From: jane@example.org", "X-Original-To: SHOP@example.com"][..],
                Some("for this alias before"),
            ),
            (&["X-Original-To: shop+1@example.com, a@shop@example.com"], None),
            (&["To: shop@example.com", "Delivered-To: shop@example.com"], None),
            (&[], None),
        ] {
            let told = told(fields);
            assert_eq!(told.is_some(), circle.is_some(), "{fields:?}: {told:?}");
            if let (Some(told), Some(circle)) = (told, circle) {
                assert!(told.contains(circle), "{fields:?}: {told}");
            }
        }
        assert_eq!(told(&["Received: x"; MAX_RECEIVED]), None);
        assert!(told(&["Received: x"; MAX_RECEIVED + 1]).is_some());
    }
}
