//! Edits below the top-level header section, for faults that no repair of that section cures: lines that are too long, and
//! attachments that SES does not send.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::edit::{Edit, Plan, Replacement};
use super::notes::Notes;
use super::reader::Head;
use super::recode::{Form, Recoder, Recoding};
use crate::mime::Span;
use crate::preflight::{AffectedPart, Code, Finding, Report, Within};

/// The edits of a message's parts.
#[derive(Debug, Default)]
pub(super) struct PartEdits {
    pub(super) edits: Vec<Edit>,
    /// The form of the message's own body, where that is not taken apart and goes out in another one.
    pub(super) body: Option<Form>,
    /// Whether the message is a multipart in which no part begins. Only a strict reading counts that as a fault.
    pub(super) has_no_parts: bool,
    /// The kinds of the repairs.
    pub(super) codes: Vec<Code>,
}

impl PartEdits {
    /// The plan of these edits, and of the header section that `new_header` makes for them. Where they would be too many, the
    /// header section alone is changed.
    pub(super) fn planned(self, head: &Head, new_header: &dyn Fn(&PartEdits) -> (Vec<u8>, Notes)) -> Plan {
        let (header, notes) = new_header(&self);
        let plan = Plan::of_header(head.header.octets() as u64, header, notes);
        if self.edits.is_empty() {
            return plan;
        }
        plan.with_parts(self.edits)
            .unwrap_or_else(|_| PartEdits::default().planned(head, new_header))
    }

    /// The edits that cure the findings of the report, as far as edits can. `whereabouts` tells a reader in a sentence where
    /// the whole message is. With `strict` parts that are only suspected are edited too.
    pub(super) fn of(report: &Report, line_ending: &'static [u8], whereabouts: &str, strict: bool) -> Self {
        let mut found = Found {
            line_ending,
            edits: Vec::new(),
            body: None,
            recoded: BTreeSet::new(),
        };
        for finding in &report.findings {
            let Some(affected) = report
                .part_of(finding)
                .filter(|_| finding.needs_edit_of_part(strict))
            else {
                continue;
            };
            match (finding.code, &finding.within) {
                (Code::BlockedAttachment, Within::Part) => {
                    let note = note_in_place_of(affected, line_ending, whereabouts);
                    found.push(finding, finding.span, Replacement::Octets(note));
                }
                (Code::LineTooLong | Code::EightBit, Within::Body) => found.recode(finding, affected),
                (Code::NoStartBoundary, Within::Field(_)) => found.encode(finding, Form::TextType),
                (_, Within::Field(_)) if strict => found.encode(finding, Form::PlainField),
                (Code::LineTooLong, Within::Field(_)) => found.encode(finding, Form::Folded),
                (Code::LineTooLong, Within::Preamble | Within::Epilogue) => {
                    found.encode(finding, Form::HardBreaks);
                }
                (Code::LineTooLong, Within::Delimiter) => {
                    found.push(finding, finding.span, Replacement::Octets(Vec::new()));
                }
                _ => {}
            }
        }
        PartEdits {
            has_no_parts: strict && report.findings.iter().any(is_without_parts),
            ..found.settle()
        }
    }
}

/// Whether the message itself is a multipart in which no part begins.
fn is_without_parts(finding: &Finding) -> bool {
    finding.part == 0 && finding.code == Code::NoStartBoundary
}

/// Edits as they are found.
struct Found {
    line_ending: &'static [u8],
    edits: Vec<(Edit, Code)>,
    body: Option<Form>,
    /// The parts whose body goes out in another form, by their indices in the report.
    recoded: BTreeSet<usize>,
}

impl Found {
    fn push(&mut self, finding: &Finding, span: Span, with: Replacement) {
        let range = span.start..span.end;
        self.edits.push((Edit { range, with }, finding.code));
    }

    fn encode(&mut self, finding: &Finding, form: Form) {
        let line_ending = self.line_ending;
        let with = Replacement::Encoded(Recoding { form, line_ending });
        self.push(finding, finding.span, with);
    }

    /// Writes the body of a part in another transfer encoding, or its lines anew in the same, and says so in its header
    /// section.
    fn recode(&mut self, finding: &Finding, affected: &AffectedPart) {
        if !self.recoded.insert(finding.part) {
            return;
        }
        let form = form_of(affected);
        self.encode(finding, form);
        if finding.part == 0 {
            self.body = Some(form);
            return;
        }
        let fields = &affected.encoding_fields;
        let end = affected.part.header.end;
        let at_end = Span { start: end, end };
        let mut stale = fields.stale.clone();
        let mut last = Vec::new();
        if let Some(name) = encoding_name(form) {
            let field = [b"Content-Transfer-Encoding: ", name.as_bytes(), self.line_ending].concat();
            stale.extend(&fields.other_encodings);
            match fields.encoding {
                Some(place) => self.push(finding, place, Replacement::Octets(field)),
                None => last = field,
            }
        }
        // A part whose header section ends without an empty line gets one: the text after it could be taken for its fields.
        if affected.part.body.start == end {
            last.extend_from_slice(self.line_ending);
        }
        if !last.is_empty() {
            self.push(finding, at_end, Replacement::Octets(last));
        }
        for span in stale {
            self.push(finding, span, Replacement::Octets(Vec::new()));
        }
    }

    /// The edits in order and apart. Edits inside of an attachment that is taken out are dropped, and of two edits of one
    /// field, a fold gives way to the other.
    fn settle(mut self) -> PartEdits {
        self.edits.sort_by_key(|(edit, _)| {
            let says_less = match &edit.with {
                Replacement::Octets(_) => 0,
                Replacement::Encoded(recoding) if recoding.form == Form::TextType => 1,
                Replacement::Encoded(_) => 2,
            };
            (
                edit.range.start,
                !edit.range.is_empty(),
                Reverse(edit.range.end),
                says_less,
            )
        });
        let mut end = 0;
        self.edits.retain(|(edit, _)| {
            let is_apart = edit.range.start >= end;
            end = end.max(edit.range.end);
            is_apart
        });
        let (edits, codes) = self.edits.into_iter().unzip();
        PartEdits {
            edits,
            codes,
            body: self.body,
            has_no_parts: false,
        }
    }
}

/// Whether something was found that an edit of a part cures.
#[cfg(feature = "forward")]
pub(crate) fn needs_edits_of_parts(report: &Report) -> bool {
    report
        .findings
        .iter()
        .any(|finding| finding.needs_edit_of_part(false))
}

/// The form in which a body with long lines goes out.
fn form_of(affected: &AffectedPart) -> Form {
    match &*affected.part.encoding {
        "base64" => Form::Base64Lines,
        "quoted-printable" => Form::SoftBreaks,
        _ if affected.part.content_type.starts_with("text/") => Form::QuotedPrintable,
        _ => Form::Base64,
    }
}

/// The transfer encoding that a form changes to, if it does.
pub(super) fn encoding_name(form: Form) -> Option<&'static str> {
    match form {
        Form::QuotedPrintable => Some("quoted-printable"),
        Form::Base64 => Some("base64"),
        Form::Base64Lines
        | Form::SoftBreaks
        | Form::HardBreaks
        | Form::Folded
        | Form::PlainField
        | Form::TextType => None,
    }
}

/// A part that says which attachment was taken out, why, and where it is.
fn note_in_place_of(affected: &AffectedPart, line_ending: &'static [u8], whereabouts: &str) -> Vec<u8> {
    let part = &affected.part;
    let name = part.filename.as_deref().unwrap_or("without a name");
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    let octets = part.body.end - part.body.start;
    let text = format!(
        "An attachment was taken out of this message, since Amazon SES does not send files of its kind:\n\n    \
         {name} ({octets} octets, encoded)\n\nEverything else is as it was sent. {whereabouts}\n"
    );
    let mut out = Vec::new();
    for field in [
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "Content-Disposition: inline",
        "",
    ] {
        out.extend_from_slice(field.as_bytes());
        out.extend_from_slice(line_ending);
    }
    let mut recoder = Recoder::new(Recoding {
        form: Form::QuotedPrintable,
        line_ending,
    });
    let mut sink = |octets: &[u8]| out.extend_from_slice(octets);
    for line in text.lines() {
        recoder.write(line.as_bytes(), &mut sink);
        recoder.write(line_ending, &mut sink);
    }
    recoder.end(&mut sink);
    out
}

#[cfg(test)]
mod tests {
    use crate::preflight::check;
    use crate::rewrite::HeaderReader;
    use crate::rewrite::{Plan, Rules};

    fn rules() -> Rules {
        let address = |text: &str| crate::header::mailbox::Address::parse(text).unwrap();
        Rules::new(address("shop@example.com"), vec![address("owner@example.net")])
    }

    fn plan(message: &str) -> Plan {
        let head = HeaderReader::default()
            .read(&mut message.as_bytes(), true)
            .unwrap()
            .unwrap();
        rules().plan_with_parts(&head, &check(message.as_bytes()), "It is in the bucket.")
    }

    fn sent(message: &str) -> String {
        let plan = plan(message);
        let mut out = Vec::new();
        let mut writer = plan.writer();
        writer.write(message.as_bytes(), &mut |octets| out.extend_from_slice(octets));
        writer.end(&mut |octets| out.extend_from_slice(octets));
        let report = check(&out);
        assert!(!report.is_refused, "{:?}", report.findings);
        String::from_utf8(out).unwrap()
    }

    const HEADER: &str = "From: jane@example.org\r\nTo: shop@example.com\r\n";

    fn multipart(parts: &[&str]) -> String {
        let parts: Vec<String> = parts.iter().map(|part| format!("--b\r\n{part}\r\n")).collect();
        format!(
            "{HEADER}Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n{}--b--\r\n",
            parts.concat()
        )
    }

    #[test]
    fn a_text_with_a_long_line_goes_out_as_quoted_printable() {
        let long = "word = ".repeat(200);
        let out = sent(&format!(
            "{HEADER}Content-MD5: x\r\nContent-Length: 1400\r\n\r\n{long}\r\n"
        ));
        assert!(
            out.contains("\r\nContent-Transfer-Encoding: quoted-printable\r\n"),
            "{out}"
        );
        assert!(
            !out.contains("Content-MD5") && !out.contains("Content-Length"),
            "{out}"
        );
        assert!(out.contains("\r\nX-Readdress-Notes: line-too-long\r\n"), "{out}");
        let body = out.split_once("\r\n\r\n").unwrap().1;
        let decoded = body.replace("=\r\n", "").replace("=3D", "=").replace("=20", " ");
        assert_eq!(decoded, format!("{long}\r\n"));
    }

    #[test]
    fn a_part_is_recoded_and_its_neighbours_are_as_they_came() {
        let long = "x".repeat(3000);
        let text = "Content-Type: text/plain\r\n\r\nHello.";
        for (header, name) in [
            (
                "Content-Type: text/html\r\nContent-Transfer-Encoding: 8bit\r\nContent-MD5: x\r\n",
                "quoted-printable",
            ),
            ("", "quoted-printable"),
            ("Content-Type: application/json\r\n", "base64"),
            (
                "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n",
                "base64",
            ),
        ] {
            let message = multipart(&[text, &format!("{header}\r\n{long}"), text]);
            let out = sent(&message);
            assert_eq!(out.matches(text).count(), 2, "{out}");
            let field = format!("Content-Transfer-Encoding: {name}\r\n");
            assert_eq!(out.matches(&field).count(), 1, "{out}");
            assert!(!out.contains("Content-MD5"), "{out}");
            assert!(out.contains("\r\n\r\npreamble\r\n--b\r\n"), "{out}");
        }
    }

    #[test]
    fn long_lines_between_and_above_parts_are_broken() {
        let long = "word ".repeat(300);
        let message = multipart(&[&format!(
            "Content-Type: text/plain\r\nX-Long: {long}\r\n\r\nHello."
        )]);
        let out = sent(&message.replace("preamble", &long));
        assert!(out.contains("\r\n\r\nHello.\r\n--b--\r\n"), "{out}");
    }

    #[test]
    fn padding_of_a_delimiter_is_cut_to_what_fits() {
        let padded = format!("--b{}\r\n", " ".repeat(1010));
        let message = multipart(&["Content-Type: text/plain\r\n\r\nHello."]).replacen("--b\r\n", &padded, 1);
        let out = sent(&message);
        assert!(
            out.contains(&format!("\r\n--b{}\r\nContent-Type", " ".repeat(995))),
            "{out}"
        );
        assert!(out.contains("X-Readdress-Notes: line-too-long\r\n"), "{out}");
    }

    /// Catches a note of a repair that was not made.
    #[test]
    fn a_field_that_no_fold_makes_shorter_stays_as_it_is() {
        let long = "x".repeat(1500);
        let plan = plan(&multipart(&[&format!(
            "Content-Type: text/plain\r\nX: {long}\r\n\r\nHello."
        )]));
        assert_eq!(plan.edits().len(), 1);
        assert!(plan.notes().is_empty(), "{}", plan.notes());
    }

    #[test]
    fn an_attachment_that_is_not_sent_gives_way_to_a_note() {
        let text = "Content-Type: text/plain\r\n\r\nHello.";
        let script = "Content-Type: text/javascript; name=\"r\u{e9}sum\u{e9}.js\"\r\n\r\nalert(1)";
        let out = sent(&multipart(&[text, script, text]));
        assert_eq!(out.matches(text).count(), 2, "{out}");
        assert!(!out.contains("alert(1)"), "{out}");
        assert!(out.contains("r=C3=A9sum=C3=A9.js (8 octets, encoded)"), "{out}");
        assert!(out.contains("It is in the bucket."), "{out}");
        assert!(out.contains("X-Readdress-Notes: blocked-attachment\r\n"), "{out}");
    }

    #[test]
    fn a_part_that_is_taken_out_takes_its_edits_with_it() {
        let long = "ab ".repeat(400);
        let out = sent(&multipart(&[&format!(
            "Content-Type: application/octet-stream; name=a.exe; y=\"{long}\"\r\n\r\nMZ"
        )]));
        assert!(!out.contains("MZ") && out.contains("a.exe (2 octets"), "{out}");
    }

    #[test]
    fn the_transfer_encoding_that_goes_out_is_that_of_the_body() {
        let long = "x".repeat(1500);
        let field = "Content-Transfer-Encoding: ";
        // A comment that makes the field itself too long; one that says nothing before the one that counts.
        let comment = "ab ".repeat(400);
        let out = sent(&multipart(&[&format!(
            "Content-Type: text/plain\r\n{field}8bit ({comment})\r\n\r\n{long}"
        )]));
        assert!(
            out.contains(&format!("{field}quoted-printable\r\n")) && !out.contains("8bit"),
            "{out}"
        );
        let out = sent(&multipart(&[&format!("{field}\r\n{field}base64\r\n\r\n{long}")]));
        assert!(out.contains(&format!("{field}base64\r\n")), "{out}");
        let out = sent(&multipart(&[&format!(
            "{field}\r\n{field}8bit\r\n{field}base64\r\n\r\n{long}"
        )]));
        assert_eq!(out.matches("Transfer-Encoding: ").count(), 1, "{out}");
        assert!(out.contains(&format!("{field}quoted-printable\r\n")), "{out}");
    }

    /// Catches lines of a body that become fields when it is written anew.
    #[test]
    fn a_part_without_an_empty_line_gets_one() {
        let long = "x".repeat(1500);
        let out = sent(&multipart(&[&format!(
            "Content-Type: text/plain\r\nno field\r\nX: {long}"
        )]));
        assert!(out.contains("quoted-printable\r\n\r\nno field\r\nX: x"), "{out}");
    }

    #[test]
    fn what_is_sealed_stays_as_it_is() {
        let long = "x".repeat(3000);
        let header = "Content-Type: multipart/signed; boundary=b\r\n";
        let message = format!("{HEADER}{header}\r\n--b\r\n\r\n{long}\r\n--b\r\n\r\nsignature\r\n--b--\r\n");
        let plan = plan(&message);
        assert_eq!(plan.edits().len(), 1);
        assert!(plan.notes().is_empty());
    }
}
