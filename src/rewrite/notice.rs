//! A notice: a small mail to the owner of an alias about a message that is not forwarded as it came.
//!
//! It encloses the message's header section, or the message itself as a file. All of it is in encodings that pass any mail
//! server: nothing that a stranger wrote can end a part or pass for a field of ours.

use super::edit::{Edit, Plan, Replacement};
use super::reader::Head;
use super::recode::{Form, Recoder, Recoding};
use super::route::{NOTICE, ROUTE};
use crate::header::mailbox::{Address, format_mailbox};
use crate::header::{FieldBody, write_field};

/// Octets of a header section that are enclosed. Real header sections have a tenth of this.
const MAX_ENCLOSED: usize = 64 << 10;

/// Neither quoted-printable nor base64 has a line with this: `=` is followed by two digits in one, and by nothing in the other.
const BOUNDARY: &str = "=_readdress_notice";

const CRLF: &[u8] = b"\r\n";

/// A notice to the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The alias that the message arrived for: To.
    pub alias: Address,
    /// The id of the alias, for X-Readdress-Route: see [`route_ids`](super::route_ids).
    pub route_id: String,
    /// The address in From: a verified identity, for SES.
    pub from: Address,
    /// The reason for the notice, in a word, for X-Readdress-Notice.
    pub kind: &'static str,
    /// The subject.
    pub subject: String,
    /// The text. Lines end with `\n`.
    pub text: String,
}

impl Notice {
    /// The notice as a mail that encloses the header section of the message.
    pub fn with_header_section(&self, head: &Head) -> Vec<u8> {
        let mut out = self.begin();
        let raw = head.header.raw();
        let enclosed = &raw[..raw.len().min(MAX_ENCLOSED)];
        let lines = enclosed.iter().rposition(|&octet| octet == b'\n');
        let enclosed = &enclosed[..lines.map_or(enclosed.len(), |at| at + 1)];
        part(&mut out, "text/rfc822-headers", "quoted-printable", None);
        quoted_printable(enclosed, &mut out);
        end(&mut out);
        out
    }

    /// The plan that makes a notice of the message: with the message itself as a file, unchanged. `octets` is its size.
    pub fn with_message(&self, octets: u64) -> Plan {
        let mut front = self.begin();
        // message/rfc822 must not be in base64 (RFC 2046 5.2.1), and the message has lines that SES refuses.
        part(
            &mut front,
            "application/octet-stream",
            "base64",
            Some("message.eml"),
        );
        let mut back = Vec::new();
        end(&mut back);
        let recoding = Recoding {
            form: Form::Base64,
            line_ending: CRLF,
        };
        let edits = vec![
            Edit {
                range: 0..0,
                with: Replacement::Octets(front),
            },
            Edit {
                range: 0..octets,
                with: Replacement::Encoded(recoding),
            },
            Edit {
                range: octets..octets,
                with: Replacement::Octets(back),
            },
        ];
        Plan::new(edits).unwrap_or_default()
    }

    /// The header section and the text.
    fn begin(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let from = format_mailbox(Some("readdress"), &self.from);
        let fields = [
            ("From", FieldBody::written(from)),
            ("To", FieldBody::list([&self.alias])),
            ("Subject", FieldBody::unstructured(&self.subject)),
            ("Auto-Submitted", FieldBody::unstructured("auto-generated")),
            (NOTICE, FieldBody::unstructured(self.kind)),
            (ROUTE, FieldBody::unstructured(&self.route_id)),
            ("MIME-Version", FieldBody::unstructured("1.0")),
        ];
        for (name, body) in &fields {
            write_field(&mut out, name, body, CRLF);
        }
        let content_type = format!("Content-Type: multipart/mixed; boundary=\"{BOUNDARY}\"\r\n\r\n");
        out.extend_from_slice(content_type.as_bytes());
        part(&mut out, "text/plain; charset=utf-8", "quoted-printable", None);
        quoted_printable(self.text.replace('\n', "\r\n").as_bytes(), &mut out);
        out
    }
}

fn part(out: &mut Vec<u8>, content_type: &str, encoding: &str, file: Option<&str>) {
    let file = file.map_or(String::new(), |file| {
        format!("Content-Disposition: attachment; filename=\"{file}\"\r\n")
    });
    let header = format!(
        "\r\n--{BOUNDARY}\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n{file}\r\n"
    );
    out.extend_from_slice(header.as_bytes());
}

fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
}

fn quoted_printable(octets: &[u8], out: &mut Vec<u8>) {
    let mut recoder = Recoder::new(Recoding {
        form: Form::QuotedPrintable,
        line_ending: CRLF,
    });
    let mut sink = |encoded: &[u8]| out.extend_from_slice(encoded);
    recoder.write(octets, &mut sink);
    recoder.end(&mut sink);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight;
    use crate::rewrite::HeaderReader;

    fn notice(text: &str) -> Notice {
        Notice {
            alias: Address::parse("shop@example.com").unwrap(),
            from: Address::parse("shop@example.com").unwrap(),
            route_id: "0123".to_owned(),
            kind: "held",
            subject: "Held: \u{e9}\r\nBcc: x@example.net".to_owned(),
            text: text.to_owned(),
        }
    }

    fn written(plan: &Plan, message: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut sink = |octets: &[u8]| out.extend_from_slice(octets);
        let mut writer = plan.writer();
        writer.write(message, &mut sink);
        writer.end(&mut sink);
        out
    }

    fn names(message: &[u8]) -> Vec<String> {
        let mut message = message;
        let head = HeaderReader::default().read(&mut message, true).unwrap().unwrap();
        let names = head
            .header
            .fields()
            .map(|field| String::from_utf8_lossy(field.name()).into_owned());
        names.collect()
    }

    const FIELDS: [&str; 8] = [
        "From",
        "To",
        "Subject",
        "Auto-Submitted",
        NOTICE,
        ROUTE,
        "MIME-Version",
        "Content-Type",
    ];

    /// Catches a stranger whose header section ends the part, or has a line that SES refuses.
    #[test]
    fn nothing_in_a_notice_is_for_ses_to_refuse() {
        let long = "x".repeat(3000);
        let hostile = format!(
            "From: \u{e9}\r\n--{BOUNDARY}--\r\nX-Long: {long}\r\nA: b\rBcc: x\r\n--{BOUNDARY}\r\nX: {long}\r\n\r\nbody\r\n"
        );
        let head = HeaderReader::default()
            .read(&mut hostile.as_bytes(), true)
            .unwrap()
            .unwrap();
        let notice = notice(&format!("Said: --{BOUNDARY}--\n{long}\n"));
        let enclosing = notice.with_header_section(&head);
        let whole = written(&notice.with_message(hostile.len() as u64), hostile.as_bytes());
        for message in [&enclosing, &whole] {
            assert_eq!(names(message), FIELDS);
            let report = preflight::check(message);
            assert!(report.findings.is_empty(), "{:?}", report.findings);
            let delimiters = message
                .split(|&octet| octet == b'\n')
                .filter(|line| line.starts_with(format!("--{BOUNDARY}").as_bytes()));
            assert_eq!(delimiters.count(), 3);
        }
        assert!(enclosing.len() < 12_000 && !enclosing.windows(4).any(|octets| octets == b"body"));
    }

    #[test]
    fn a_long_header_section_is_cut_at_a_line() {
        let header = format!("{}\r\nbody", "X: y\r\n".repeat(20_000));
        let head = HeaderReader::default()
            .read(&mut header.as_bytes(), true)
            .unwrap()
            .unwrap();
        let message = notice("Hello\n").with_header_section(&head);
        let text = String::from_utf8(message).unwrap();
        assert!((60 << 10..70 << 10).contains(&text.len()));
        assert!(text.ends_with(&format!("X: y\r\n\r\n--{BOUNDARY}--\r\n")));
    }
}
