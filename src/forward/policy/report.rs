//! Delivery reports (RFC 3464), and the messages that they are about.

use std::io;

use super::facts::{Automatic, Facts};
use super::text::Text;
use crate::bucket::{Source, Stream};
use crate::header::mailbox::Address;
use crate::header::{Header, body_if_named};
use crate::mime::{ContentType, Event, Kind, Scanner};
use crate::rewrite::{NOTICE, ROUTE};

/// Octets of a report that are searched for the header section of the message that it is about. A text for the reader and a few
/// fields for each recipient stand before it.
const MAX_REPORT: usize = 1 << 20;

/// The most octets of the delivery status that are read, and the most recipients.
const MAX_STATUS: usize = 64 << 10;
const MAX_RECIPIENTS: usize = 100;

/// Reads two things in one pass. Of a delivery report: the aliases for which its messages were forwarded, and the recipients
/// that it names. Of all mail that a program wrote for the null sender: the beginning of the text.
///
/// # Errors
/// If it cannot be read.
pub(super) async fn read(header: &Header, source: &Source, facts: &mut Facts) -> io::Result<()> {
    let content_type = header.first("content-type");
    let is_report = content_type.is_some_and(|field| is_report(field.body()));
    let mut text = Text::new(facts.automatic == Some(Automatic::Report));
    if is_report {
        let mut note = |field: &[u8]| {
            if let Some(body) = body_if_named(field, ROUTE) {
                facts.reported_for.note(body);
            }
            facts.is_of_notice |= body_if_named(field, NOTICE).is_some();
        };
        text.skipped = header.octets();
        let status = original_fields(&mut source.stream(0), &mut note, &mut text).await?;
        facts.reported_on = recipients(&status);
    } else if !text.is_full() {
        let mut body = source.stream(header.octets() as u64);
        while !text.is_full()
            && let Some(chunk) = body.next().await?
        {
            text.push(chunk);
        }
    }
    facts.text = text.in_lower_case();
    Ok(())
}

/// The recipients that a delivery status names (RFC 3464 2.3.2): `Final-Recipient: rfc822; jane@example.org`.
fn recipients(status: &[u8]) -> Vec<Address> {
    let lines = status.split(|&octet| octet == b'\n');
    let named = lines.filter_map(|line| {
        let names = ["final-recipient", "original-recipient"];
        let body = names.iter().find_map(|name| body_if_named(line, name))?;
        let text = String::from_utf8_lossy(body);
        let (_, address) = text.split_once(';')?;
        Address::parse(address.trim().trim_matches(['<', '>'])).ok()
    });
    named.take(MAX_RECIPIENTS).collect()
}

/// Whether the body of a Content-Type field is that of a delivery report.
fn is_report(content_type: &[u8]) -> bool {
    ContentType::parse(content_type).is_some_and(|it| {
        let kind = it.parameter("report-type").unwrap_or_default();
        (it.type_(), it.subtype()) == ("multipart", "report") && kind.eq_ignore_ascii_case("delivery-status")
    })
}

/// Passes each field of the message that the report is about to `field`. Where that message is a report itself, the fields of
/// the message that it is about follow. Returns the delivery status of the outermost report. All octets are shown to `text`.
///
/// # Errors
/// If it cannot be read.
async fn original_fields(
    report: &mut Stream,
    field: &mut impl FnMut(&[u8]),
    text: &mut Text,
) -> io::Result<Vec<u8>> {
    let mut scanner = Scanner::default();
    let mut about = About::new(field);
    let mut left = MAX_REPORT;
    while left > 0 || !text.is_full() {
        let chunk = report.next().await?;
        let last = chunk.is_none();
        let chunk = chunk.unwrap_or_default();
        text.push(chunk);
        let mut chunk = &chunk[..chunk.len().min(left)];
        left -= chunk.len();
        // This cannot fail: the top-level header section has been read before, and no other section can be refused.
        while let Ok(Some(event)) = scanner.next(&mut chunk, last) {
            about.push(&event);
        }
        if last {
            break;
        }
    }
    Ok(about.status)
}

/// Follows the events of a report to the message that it is about. Messages that are attached to that one are passed over:
/// a sender may attach anything.
struct About<'a, F> {
    field: &'a mut F,
    /// The depth of the message that the innermost report is about; that of the part that holds it is one less.
    depth: usize,
    /// Whether the message there is a report itself.
    is_report: bool,
    /// Set where the part holds only the header section of the message (RFC 6522 4, RFC 6533 6).
    header_section: Option<Scanner>,
    /// Whether the part is a delivery status of the outermost report.
    is_status: bool,
    status: Vec<u8>,
}

impl<'a, F: FnMut(&[u8])> About<'a, F> {
    fn new(field: &'a mut F) -> Self {
        About {
            field,
            depth: 2,
            is_report: false,
            header_section: None,
            is_status: false,
            status: Vec::new(),
        }
    }

    fn push(&mut self, event: &Event<'_>) {
        // An event outside of the innermost report belongs to one further out.
        self.depth = self.depth.min(depth_of_report(event.depth) + 2);
        let Some(below) = self.depth.checked_sub(event.depth) else {
            return;
        };
        match (event.kind, below) {
            (Kind::Field, 0) => {
                if let Some(body) = body_if_named(event.bytes, "content-type") {
                    self.is_report = is_report(body);
                }
                (self.field)(event.bytes);
            }
            (Kind::HeaderEnd, 0) if self.is_report => {
                self.is_report = false;
                self.depth += 2;
            }
            (Kind::Field, 1) => {
                if let Some(body) = body_if_named(event.bytes, "content-type") {
                    self.header_section = is_header_section(body).then(Scanner::default);
                    self.is_status = event.depth == 1 && is_status(body);
                }
            }
            (Kind::Body, 1) if self.is_status => {
                let room = MAX_STATUS.saturating_sub(self.status.len());
                let octets = event.bytes;
                self.status.extend_from_slice(&octets[..octets.len().min(room)]);
            }
            (Kind::Body, 1) => self.push_header_section(event.bytes, false),
            (Kind::Delimiter | Kind::CloseDelimiter, 2) => {
                self.push_header_section(&[], true);
                self.header_section = None;
                self.is_status = false;
            }
            _ => {}
        }
    }

    fn push_header_section(&mut self, mut bytes: &[u8], last: bool) {
        let Some(scanner) = &mut self.header_section else {
            return;
        };
        while let Ok(Some(event)) = scanner.next(&mut bytes, last) {
            if event.kind == Kind::Field && event.depth == 0 {
                (self.field)(event.bytes);
            }
        }
    }
}

/// The depth of the report around an event. The outermost is at 0; a report holds a part, the part holds a message, and the
/// message may be the next report: so reports stand at even depths.
fn depth_of_report(depth: usize) -> usize {
    depth - depth % 2
}

fn is_status(content_type: &[u8]) -> bool {
    ContentType::parse(content_type).is_some_and(|it| {
        let subtypes = ["delivery-status", "global-delivery-status"];
        it.type_() == "message" && subtypes.contains(&it.subtype())
    })
}

fn is_header_section(content_type: &[u8]) -> bool {
    ContentType::parse(content_type).is_some_and(|it| {
        matches!(
            (it.type_(), it.subtype()),
            ("text", "rfc822-headers") | ("message", "global-headers")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "X-Original-To: shop@example.com";

    /// As SES writes it, with this in its last part.
    fn report(enclosed: &str) -> String {
        format!(
            "From: MAILER-DAEMON@amazonses.example\r\nTo: shop@example.com\r\n\
             Content-Type: multipart/report; boundary=\"b\"; report-type=Delivery-Status\r\n\r\n\
             --b\r\n\r\nNot delivered: jane@example.org\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nAction: failed\r\n\
             --b\r\nContent-Type: {enclosed}\r\n--b--\r\n"
        )
    }

    fn message(fields: &str) -> String {
        format!("message/rfc822\r\n\r\nFrom: Jo <shop@example.com>\r\n{fields}\r\n\r\nbody")
    }

    fn is_about_ours(report: &str, chunk: usize) -> bool {
        let mut ours = false;
        let mut field = |field: &[u8]| ours |= field.trim_ascii() == OURS.as_bytes();
        let mut about = About::new(&mut field);
        let mut scanner = Scanner::default();
        let mut chunks = report.as_bytes().chunks(chunk);
        loop {
            let (last, mut chunk) = chunks.next().map_or((true, &[][..]), |chunk| (false, chunk));
            while let Some(event) = scanner.next(&mut chunk, last).unwrap() {
                about.push(&event);
            }
            if last {
                return ours;
            }
        }
    }

    #[test]
    fn a_report_is_known_by_its_content_type() {
        for (content_type, is) in [
            (
                " multipart/report; report-type=delivery-status; boundary=b\r\n",
                true,
            ),
            (
                "Multipart/Report; boundary=b; report-type=\"Delivery-Status\"",
                true,
            ),
            ("multipart/report; report-type=feedback-report; boundary=b", false),
            ("multipart/mixed; report-type=delivery-status; boundary=b", false),
            ("", false),
        ] {
            assert_eq!(is_report(content_type.as_bytes()), is, "{content_type}");
        }
    }

    /// Catches a report that causes the next one, and a report on other mail that is kept back.
    #[test]
    fn the_message_that_a_report_is_about_is_found() {
        let attached = format!(
            "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: {}\r\n--m--",
            message(OURS)
        );
        let after = format!(
            "{}\r\n--b\r\nContent-Type: {}",
            message(&report(&message("A: b"))),
            message(OURS)
        );
        for (enclosed, ours) in [
            (message(OURS), true),
            (message("To: shop@example.com"), false),
            (format!("text/rfc822-headers\r\n\r\nA: b\r\n{OURS}"), true),
            (format!("message/global-headers\r\n\r\n{OURS}\r\nA: b"), true),
            (format!("text/rfc822-headers\r\n\r\nA: b\r\n\r\n{OURS}"), false),
            (format!("text/plain\r\n\r\n{OURS}"), false),
            (format!("text/plain\r\n{OURS}\r\n\r\n"), false),
            (message(&report(&message(OURS))), true),
            (message(&report(&message(&report(&message(OURS))))), true),
            (after, true),
            (message(&attached), false),
        ] {
            let report = report(&enclosed);
            for chunk in [1, 7, report.len()] {
                assert_eq!(is_about_ours(&report, chunk), ours, "{chunk}: {report}");
            }
        }
    }
}
