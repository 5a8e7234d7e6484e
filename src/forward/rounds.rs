//! Does the message go in a circle?

use super::report;
use crate::bucket::Source;
use crate::header::mailbox::{Address, parse_address_list};
use crate::header::{Header, body_if_named};
use crate::outbox::Cause;

/// `Received` fields from which on a message is taken to go in a circle: "normally at least 100" (RFC 5321 6.3).
const MAX_RECEIVED: usize = 100;

const CAME_BACK: &str = "it has been forwarded for this alias before; a target of it leads back here, which is for the \
                         alias map or the target's own settings to end";
const ENDLESS: &str = "it has been received over a hundred times; two systems send it to each other, and one of them must \
                       stop";
const REPORT: &str = "it reports on the delivery of what was forwarded for this alias, and would be reported on in turn; \
                      mend or take out the target that it names";

/// Aliases that are noted of the messages that one report is about. One names one; who writes more of them is a stranger.
const MAX_REPORTED: usize = 1000;

/// The aliases that a message was forwarded for before it came here, as far as it says so. Found once for all recipients:
/// a report is scanned for it.
#[derive(Debug)]
pub(super) struct Rounds {
    /// Of the message itself.
    forwarded_for: Vec<String>,
    /// Of the messages that it reports on.
    reported_for: Vec<String>,
    received: usize,
}

impl Rounds {
    /// Reads the header section, and of a delivery report what it is about.
    ///
    /// # Errors
    /// If the report cannot be read.
    pub(super) async fn read(header: &Header, source: &Source) -> Result<Self, (Cause, String)> {
        let mut forwarded_for = Vec::new();
        for field in header.named("x-original-to") {
            note_aliases(field.body(), &mut forwarded_for);
        }
        let mut reported_for = Vec::new();
        let content_type = header.first("content-type");
        if content_type.is_some_and(|field| report::is_report(field.body())) {
            let mut note = |field: &[u8]| {
                if let Some(body) = body_if_named(field, "x-original-to") {
                    note_aliases(body, &mut reported_for);
                }
            };
            let read = report::original_fields(&mut source.stream(0), &mut note).await;
            read.map_err(|error| (Cause::Unreadable, format!("it cannot be read: {error}")))?;
        }
        Ok(Rounds {
            forwarded_for,
            reported_for,
            received: header.named("received").count(),
        })
    }

    /// Returns why forwarding for this alias would feed a mail loop: the message has passed it before, bounces between two
    /// other systems, or is a delivery report that would cause another.
    ///
    /// A sender can write what is looked at, and so keep a message of its own from being forwarded; nobody else's.
    pub(super) fn check(&self, alias: &Address) -> Result<(), (Cause, String)> {
        let key = alias.key();
        let reason = if self.forwarded_for.contains(&key) {
            CAME_BACK
        } else if self.received > MAX_RECEIVED {
            ENDLESS
        } else if self.reported_for.contains(&key) {
            // Where a target is gone, what reports it would be forwarded there, and reported in turn.
            REPORT
        } else {
            return Ok(());
        };
        Err((Cause::Loop, reason.to_owned()))
    }
}

/// Notes the aliases that an X-Original-To names: every message that is forwarded says so whom it was for.
fn note_aliases(body: &[u8], aliases: &mut Vec<String>) {
    let named = parse_address_list(body).into_iter();
    let room = MAX_REPORTED.saturating_sub(aliases.len());
    aliases.extend(named.map(|mailbox| mailbox.address.key()).take(room));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::Bucket;
    use crate::executor::block_on;
    use crate::rewrite::HeaderReader;

    /// What is said of a message that arrives for shop@example.com.
    fn told_of(message: &str) -> Option<String> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("m"), message).unwrap();
        let bucket = Bucket::Directory(directory.path().to_owned());
        block_on(async {
            let (source, _) = bucket.open("m").await.unwrap();
            let head = HeaderReader::default().read(&mut message.as_bytes(), true);
            let header = head.unwrap().unwrap().header;
            let alias = Address::parse("shop@example.com").unwrap();
            let rounds = Rounds::read(&header, &source).await.unwrap();
            rounds.check(&alias).err().map(|(cause, reason)| {
                assert_eq!(cause, Cause::Loop);
                reason
            })
        })
    }

    fn told(fields: &[&str]) -> Option<String> {
        told_of(&format!("{}\r\n\r\n", fields.join("\r\n")))
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

    #[test]
    fn reports_on_what_was_forwarded_stay_here() {
        for (forwarded_for, spare, stays) in [
            ("SHOP@example.com", 0, true),
            ("other@example.com", 0, false),
            ("shop@example.com", 2 << 20, false),
        ] {
            let told = told_of(&format!(
                "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n{}\r\n\
                 --b\r\nContent-Type: message/rfc822\r\n\r\nX-Original-To: {forwarded_for}\r\n\r\n--b--\r\n",
                "x".repeat(spare)
            ));
            let stayed = told.is_some_and(|told| told.contains("it reports"));
            assert_eq!(stayed, stays, "{forwarded_for}");
        }
    }
}
