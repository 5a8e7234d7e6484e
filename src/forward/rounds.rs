//! Does the message go in a circle?

use std::io;

use crate::bucket::{Source, Stream};
use crate::header::mailbox::{Address, parse_address_list};
use crate::header::{Header, body_if_named};
use crate::mime::{ContentType, Kind, Scanner};
use crate::outbox::Cause;

/// `Received` fields from which on a message is taken to go in a circle: "normally at least 100" (RFC 5321 6.3).
const MAX_RECEIVED: usize = 100;

/// Octets in which a report has to come to the header section of the message that it is about. Before it stand a text
/// for the reader and a few fields for each recipient.
const MAX_REPORT: usize = 1 << 20;

const CAME_BACK: &str = "it has been forwarded for this alias before; a target of it leads back here, which is for the \
                         alias map or the target's own settings to end";
const ENDLESS: &str = "it has been received over a hundred times; two systems send it to each other, and one of them must \
                       stop";
const REPORT: &str = "it reports that a target of this alias did not take what was forwarded, and would not reach that \
                      target either; mend or take out the target, which the report names";

/// Must a message not be forwarded for this alias, since it was here before, goes between others for ever, or would bring
/// forth its like? Then why not.
///
/// A sender can write what is looked at, and so keep a message of its own from being forwarded; nobody else's.
pub(super) async fn check(header: &Header, source: &Source, alias: &Address) -> Result<(), (Cause, String)> {
    let circle = |reason: &str| Err((Cause::Loop, reason.to_owned()));
    if header
        .named("x-original-to")
        .any(|field| names(field.body(), alias))
    {
        return circle(CAME_BACK);
    }
    if header.named("received").count() > MAX_RECEIVED {
        return circle(ENDLESS);
    }
    // Where a target is gone, what reports it would be forwarded there, and reported in turn.
    if is_delivery_report(header) {
        let about = is_about(&mut source.stream(0), alias).await;
        if about.map_err(|error| (Cause::Message, format!("it cannot be read: {error}")))? {
            return circle(REPORT);
        }
    }
    Ok(())
}

/// Does an X-Original-To name this alias? Every message that is forwarded says so whom it was for.
fn names(body: &[u8], alias: &Address) -> bool {
    let alias = alias.to_string();
    let mut named = parse_address_list(body).into_iter();
    named.any(|mailbox| mailbox.address.to_string().eq_ignore_ascii_case(&alias))
}

/// A report on whether a message was delivered (RFC 3464).
fn is_delivery_report(header: &Header) -> bool {
    let content_type = header.first("content-type");
    let content_type = content_type.and_then(|field| ContentType::parse(field.body()));
    content_type.is_some_and(|it| {
        let kind = it.parameter("report-type").unwrap_or_default();
        (it.type_(), it.subtype()) == ("multipart", "report") && kind.eq_ignore_ascii_case("delivery-status")
    })
}

/// Does the report enclose a message that was forwarded for this alias?
async fn is_about(report: &mut Stream, alias: &Address) -> io::Result<bool> {
    let mut scanner = Scanner::default();
    let mut read = 0;
    while read <= MAX_REPORT {
        let chunk = report.next().await?;
        let last = chunk.is_none();
        let mut chunk = chunk.unwrap_or_default();
        read += chunk.len();
        // The fields of its parts are one deep, those of a message in a part two. No error: its header section has been
        // read before.
        while let Ok(Some(event)) = scanner.next(&mut chunk, last) {
            if event.kind == Kind::Field
                && event.depth > 1
                && body_if_named(event.bytes, "x-original-to").is_some_and(|body| names(body, alias))
            {
                return Ok(true);
            }
        }
        if last {
            break;
        }
    }
    Ok(false)
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
            let told = check(&header, &source, &alias).await;
            told.err().map(|(cause, reason)| {
                assert_eq!(cause, Cause::Loop);
                reason
            })
        })
    }

    fn told(fields: &[&str]) -> Option<String> {
        told_of(&format!("{}\r\n\r\n", fields.join("\r\n")))
    }

    /// As SES writes it, about a message with these fields.
    fn report(kind: &str, enclosed: &str, fields: &str) -> String {
        format!(
            "From: MAILER-DAEMON@amazonses.example.com\r\nTo: shop@example.com\r\n\
             Content-Type: multipart/report; boundary=\"b\"; report-type={kind}\r\n\r\n\
             --b\r\n\r\nNot delivered: jane@example.org\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nAction: failed\r\n\
             --b\r\nContent-Type: {enclosed}\r\n\r\nFrom: Jo <shop@example.com>\r\n{fields}\r\n\r\nbody\r\n--b--\r\n"
        )
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

    /// Catches a report that brings forth the next, and one of other mail that is kept back.
    #[test]
    fn reports_on_what_was_forwarded_stay_here() {
        let ours = "X-Original-To: shop@example.com";
        let status = "Delivery-Status";
        for (message, stays) in [
            (report(status, "message/rfc822", ours), true),
            (
                report(status, "message/rfc822", "X-Original-To: other@example.com"),
                false,
            ),
            (report(status, "message/rfc822", "To: shop@example.com"), false),
            (report(status, "text/plain", ours), false),
            (report("feedback-report", "message/rfc822", ours), false),
            (report(status, &format!("text/plain\r\n{ours}"), ""), false),
            (
                report(status, "message/rfc822", ours).replace("multipart/report", "multipart/mixed"),
                false,
            ),
            (
                report(status, "message/rfc822", ours).replace("failed", &"x".repeat(2 * MAX_REPORT)),
                false,
            ),
        ] {
            let told = told_of(&message);
            assert_eq!(
                told.is_some_and(|told| told.contains("it reports")),
                stays,
                "{message:.900}"
            );
        }
    }
}
