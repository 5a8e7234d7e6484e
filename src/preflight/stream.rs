//! The preflight of a message while it passes.

use super::collector::Collector;
use super::finding::{Code, Finding, MAX_FINDINGS, Report, Rung, Source, Within};
use super::part_rules::PartRules;
use super::section::SectionReader;
use super::section_rules::{SectionFinding, SectionRules};
use crate::mime::{Error, Event, Scanner, Span};

/// Octets of a message that SES's API of version 2 sends at most. Its documentation says 40 MB, which is taken for 40 MiB.
pub const SES_MAX_OCTETS: u64 = 40 << 20;

/// Says why SES would refuse a message, from the scanner's events as they pass.
///
/// The memory held is bounded by the scanner's limits, [`MAX_FINDINGS`] and one header section; the work is linear. The
/// report does not depend on how the message was cut into chunks.
///
/// ```
/// use readdress::mime::Scanner;
/// use readdress::preflight::{Code, Preflight};
///
/// let mut scanner = Scanner::default();
/// let mut preflight = Preflight::default();
/// let chunks = ["From: Jane <jane@example.org>\r\nMIME-Vers", "ion: 1.0\r\nmime-version: 1.0\r\n\r\nHello.\r\n"];
/// for (n, chunk) in chunks.iter().enumerate() {
///     let mut input = chunk.as_bytes();
///     while let Some(event) = scanner.next(&mut input, n == 1)? {
///         preflight.push(&event);
///     }
/// }
/// let report = preflight.finish();
/// assert_eq!(report.findings[0].code, Code::DuplicateField);
/// assert_eq!(report.findings[0].offset, 50);
/// # Ok::<(), readdress::mime::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Preflight {
    max_octets: u64,
    octets: u64,
    section: SectionReader,
    rules: SectionRules,
    /// The findings in the header section as SES sees it. They wait here until the message is known as a part.
    of_section: Vec<SectionFinding>,
    more_of_section: u64,
    parts: PartRules,
    found: Collector,
}

impl Default for Preflight {
    /// A preflight for messages of at most [`SES_MAX_OCTETS`].
    fn default() -> Self {
        Preflight::with_max_octets(SES_MAX_OCTETS)
    }
}

impl Preflight {
    /// A preflight for messages of at most so many octets.
    pub fn with_max_octets(max_octets: u64) -> Self {
        Preflight {
            max_octets,
            octets: 0,
            section: SectionReader::default(),
            rules: SectionRules::default(),
            of_section: Vec::new(),
            more_of_section: 0,
            parts: PartRules::default(),
            found: Collector::default(),
        }
    }

    /// The same preflight, which also reports octets above 127 and NULs ([`Code::EightBit`]), though no rule against them is
    /// known.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.parts.is_strict = true;
        self
    }

    /// Takes the next event of the scanner. All events of one message must come, in order: others give a useless report.
    pub fn push(&mut self, event: &Event<'_>) {
        self.octets = event.offset + event.bytes.len() as u64;
        if !self.section.is_ended() {
            let (rules, of_section, more) =
                (&mut self.rules, &mut self.of_section, &mut self.more_of_section);
            let mut tell = |finding| keep_some(of_section, more, finding);
            self.section.feed(event.bytes, event.offset, &mut |field| {
                rules.field(field, &mut tell);
            });
        }
        self.parts.push(event, &mut self.found);
    }

    /// Ends the message, after the scanner's last event.
    pub fn finish(mut self) -> Report {
        self.end_section(true);
        self.parts.finish(self.octets, &mut self.found);
        if self.section.is_too_long {
            // The scanner has ended it earlier, and the outgoing message ends it there too.
            self.tell(
                Code::HeaderTooLarge,
                Source::Reported,
                Rung::Header,
                HEADER_TEXT,
                Within::Header,
            );
        }
        self.settle()
    }

    /// Ends a message that the scanner refuses. The bytes that the scanner has not passed on are not looked at, so that no field
    /// is reported as missing.
    pub fn finish_refused(mut self, error: &Error) -> Report {
        match error {
            Error::HeaderTooLong { .. } => {}
        }
        self.end_section(false);
        self.parts.finish(self.octets, &mut self.found);
        self.tell(
            Code::HeaderTooLarge,
            Source::Reported,
            Rung::Notice,
            HEADER_TEXT,
            Within::Header,
        );
        self.settle()
    }

    /// Ends the header section as SES's reader sees it, where it has not ended by itself. `is_whole`: all of it has come.
    fn end_section(&mut self, is_whole: bool) {
        let end = self.octets;
        let (rules, of_section, more) = (&mut self.rules, &mut self.of_section, &mut self.more_of_section);
        let mut tell = |finding| keep_some(of_section, more, finding);
        self.section.end(end, &mut |field| rules.field(field, &mut tell));
        let end = self.found.root().header.end;
        self.rules
            .end(end, is_whole, &mut |finding| keep_some(of_section, more, finding));
        for finding in std::mem::take(&mut self.of_section) {
            let SectionFinding {
                code,
                source,
                text,
                name,
                span,
            } = finding;
            self.found.add(Finding {
                code,
                source,
                rung: if code == Code::BlockedAttachment {
                    Rung::Notice
                } else {
                    Rung::Header
                },
                text,
                part: 0,
                within: Within::Field(name),
                offset: span.start,
                span,
            });
        }
        self.found.count_more(self.more_of_section);
        for (code, at, text) in [
            (
                Code::BareCr,
                self.section.bare_cr,
                "a carriage return that no line feed follows",
            ),
            (Code::Nul, self.section.nul, "a NUL"),
        ] {
            if let Some(offset) = at {
                self.found.add(Finding {
                    code,
                    source: Source::Suspected,
                    rung: Rung::Header,
                    text,
                    part: 0,
                    within: Within::Header,
                    offset,
                    span: Span::default(),
                });
            }
        }
    }

    /// Adds a finding of the message as a whole.
    fn tell(&mut self, code: Code, source: Source, rung: Rung, text: &'static str, within: Within) {
        self.found.add(Finding {
            code,
            source,
            rung,
            text,
            part: 0,
            within,
            offset: 0,
            span: Span::default(),
        });
    }

    fn settle(mut self) -> Report {
        if self.octets > self.max_octets {
            let text = "Message length is more than the limit";
            self.tell(
                Code::TooLarge,
                Source::Documented,
                Rung::Notice,
                text,
                Within::Part,
            );
        }
        self.found.settle(self.octets)
    }
}

/// SES's words for a header section that is too long.
const HEADER_TEXT: &str = "Header section too long.";

/// Keeps a finding of the header section, or counts it.
fn keep_some(kept: &mut Vec<SectionFinding>, more: &mut u64, finding: SectionFinding) {
    if kept.len() < MAX_FINDINGS {
        kept.push(finding);
    } else {
        *more += 1;
    }
}

/// The preflight of a whole message in memory.
///
/// ```
/// use readdress::preflight::{Code, Rung, check};
///
/// let report = check(b"From: jane@example.org\r\nReply-To: Example, Jane <jane@example.org>\r\n\r\nHello.\r\n");
/// assert_eq!(report.findings[0].code, Code::AddressSyntax);
/// assert_eq!(report.findings[0].text, "Missing final '@domain'");
/// assert_eq!(report.rung(), Some(Rung::Header));
/// ```
pub fn check(message: &[u8]) -> Report {
    let mut checker = Checker::default();
    checker.write(message);
    checker.finish()
}

/// The preflight of a message that comes in chunks, with a scanner of its own.
///
/// The default is that of [`Preflight`]: at most [`SES_MAX_OCTETS`], not strict, with the default
/// [`Limits`](crate::mime::Limits).
///
/// ```
/// use readdress::preflight::{Checker, Code};
///
/// let mut checker = Checker::default();
/// for chunk in ["From: jane@example.org\r\nTo: a@exam", "ple.com, b@@example.com\r\n\r\nHello\r\n"] {
///     checker.write(chunk.as_bytes());
/// }
/// let report = checker.finish();
/// let finding = &report.findings[0];
/// assert_eq!((finding.code, finding.within.to_string()), (Code::AddressSyntax, "to".to_owned()));
/// assert_eq!(report.part_of(finding).unwrap().part.path, "0");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Checker {
    scanner: Scanner,
    preflight: Preflight,
    refused: Option<Error>,
}

impl Checker {
    /// A checker with a strict preflight: see [`Preflight::strict`].
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.preflight = self.preflight.strict();
        self
    }

    /// Takes the next octets of the message.
    pub fn write(&mut self, chunk: &[u8]) {
        self.advance(chunk, false);
    }

    /// Whether a finding so far probably means that the message goes out with edits of its parts.
    #[cfg(feature = "forward")]
    pub(crate) fn needs_edits_of_parts(&self) -> bool {
        self.preflight.found.needs_edits_of_parts()
    }

    /// Ends the message.
    pub fn finish(mut self) -> Report {
        self.advance(&[], true);
        match self.refused {
            None => self.preflight.finish(),
            Some(error) => self.preflight.finish_refused(&error),
        }
    }

    fn advance(&mut self, mut chunk: &[u8], last: bool) {
        while self.refused.is_none() {
            match self.scanner.next(&mut chunk, last) {
                Ok(Some(event)) => self.preflight.push(&event),
                Ok(None) => break,
                Err(error) => self.refused = Some(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::Kind;

    #[test]
    fn events_that_no_scanner_makes_do_no_harm() {
        let mut preflight = Preflight::default().strict();
        let kinds = [
            Kind::Field,
            Kind::HeaderEnd,
            Kind::Body,
            Kind::Delimiter,
            Kind::CloseDelimiter,
            Kind::Epilogue,
        ];
        for kind in kinds {
            for depth in [0, 1, 2, usize::MAX, 2, 1] {
                let bytes = b"Content-Type: \xe9\n";
                preflight.push(&Event {
                    kind,
                    depth,
                    offset: 0,
                    bytes,
                });
            }
        }
        preflight.finish();
    }

    /// Catches a From that is called missing because it was not read.
    #[test]
    fn a_header_section_that_was_not_read_lacks_nothing() {
        let limit = crate::mime::Limits::default().header;
        for (fields, octets) in [("", 0), ("To: a@example.org\r\n", 19)] {
            let message = format!(
                "{fields}Subject: {}\r\nFrom: b@example.org\r\n\r\n",
                "x".repeat(limit)
            );
            let report = check(message.as_bytes());
            let codes: Vec<Code> = report.findings.iter().map(|finding| finding.code).collect();
            assert_eq!((codes, report.octets), (vec![Code::HeaderTooLarge], octets));
            assert!(report.is_refused && report.rung() == Some(Rung::Notice));
        }
        assert_eq!(check(b"To: a@example.org\r\n\r\n").findings[0].code, Code::NoFrom);
    }
}
