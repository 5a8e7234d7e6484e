//! The rules for parts: lines, file names and Content-* fields, with the part that each finding is in.

use memchr::memchr;

use super::attachment::has_blocked_name;
use super::collector::{Collector, PartEnd};
use super::content_type::{check_content_disposition, check_content_type};
use super::finding::{Code, EncodingFields, Finding, Rung, Seal, Source, Within};
use super::lines::LineWatch;
use super::section_rules::{BLOCKED_TEXT, printable_name};
use crate::header::{MAX_LINE, body_if_named, can_be_folded, name_len};
use crate::mime::{Event, Kind, PartTree, Span, says_anything};

/// SES's words for a line that is too long.
const LONG_TEXT: &str = "message line is too long";

/// The words of a strict preflight for an octet above 127 or a NUL.
const EIGHT_BIT_TEXT: &str = "octets that are not ASCII, which no rule of SES is known to forbid";

/// Follows the parts of a message, and finds their faults.
#[derive(Clone, Debug, Default)]
pub(super) struct PartRules {
    /// Whether octets count that SES takes, as far as is known.
    pub(super) is_strict: bool,
    lines: LineWatch,
    /// The kind and depth of the event in which the passing line began.
    line_in: Option<(Kind, usize)>,
    tree: PartTree,
    /// The parts whose header section has ended and whose body has not, by depth.
    open: Vec<Open>,
    heading: Heading,
}

/// A part while its body passes.
#[allow(clippy::struct_excessive_bools)] // Independent facts, each seen at another place.
#[derive(Clone, Debug, Default)]
struct Open {
    /// The reason why neither the part nor anything inside of it can be changed.
    seal: Option<Seal>,
    inner_seal: Option<Seal>,
    /// The reason why its body cannot be changed, if the body is not taken apart.
    type_seal: Option<Seal>,
    is_multipart: bool,
    has_parts: bool,
    /// Its body is not taken apart.
    is_opaque: bool,
    /// The Content-Type that counts.
    type_field: Option<Span>,
    preamble_end: Option<u64>,
    epilogue_start: Option<u64>,
    /// Lines that are too long have been reported for its body or preamble, and for its epilogue.
    is_told: bool,
    is_epilogue_told: bool,
    is_eight_bit_told: bool,
    /// Its index in the report, once something was found in it.
    kept: Option<usize>,
    encoding_fields: EncodingFields,
}

impl Open {
    fn body_seal(&self) -> Option<Seal> {
        self.seal.or(self.type_seal.filter(|_| self.is_opaque))
    }
}

/// A header section below the top level while it passes.
#[allow(clippy::struct_excessive_bools)] // Independent facts, each of another field.
#[derive(Clone, Debug, Default)]
struct Heading {
    has_dkim: bool,
    has_type: bool,
    /// The first Content-Type that says anything, as the part tree follows it.
    type_field: Option<Span>,
    has_disposition: bool,
    is_blocked: bool,
    encoding_fields: EncodingFields,
    /// Its part's index in the report, and the first finding of it.
    kept: Option<(usize, usize)>,
}

/// Fields whose places are noted of one part. A part with more of them is hostile, and keeps the rest as they are.
const MAX_NOTED: usize = 16;

impl Heading {
    /// Notes where a field is that another transfer encoding would change.
    fn note_encoding(&mut self, event: &Event<'_>) {
        let is = |name| body_if_named(event.bytes, name).is_some();
        let encoding = body_if_named(event.bytes, "content-transfer-encoding");
        if encoding.is_none() && !is("content-md5") && !is("content-length") && !is("lines") {
            return;
        }
        let span = span_of(event);
        let fields = &mut self.encoding_fields;
        match encoding {
            Some(body) if fields.encoding.is_none() && says_anything(body) => fields.encoding = Some(span),
            Some(_) if fields.other_encodings.len() < MAX_NOTED => fields.other_encodings.push(span),
            None if fields.stale.len() < MAX_NOTED => fields.stale.push(span),
            _ => {}
        }
    }
}

impl PartRules {
    /// Takes the next event.
    pub(super) fn push(&mut self, event: &Event<'_>, found: &mut Collector) {
        match event.kind {
            // The line before a delimiter belongs to the part or preamble that the delimiter ends.
            Kind::Delimiter | Kind::CloseDelimiter => {
                self.watch_lines(event, found);
                self.delimiter(event, found);
                return;
            }
            Kind::Field => self.field(event, found),
            Kind::HeaderEnd => {
                self.tree.push(event, &mut |_| {});
                self.begin(event.depth, found);
            }
            Kind::Body => {
                if let Some(open) = self.open.get_mut(event.depth) {
                    open.is_opaque = true;
                }
                if self.is_strict {
                    self.look_at_octets(event, found);
                }
            }
            Kind::Preamble | Kind::Epilogue => {}
        }
        self.watch_lines(event, found);
    }

    /// Ends the message.
    pub(super) fn finish(&mut self, end: u64, found: &mut Collector) {
        self.close(0, end, found);
    }

    fn field(&mut self, event: &Event<'_>, found: &mut Collector) {
        self.tree.push(event, &mut |_| {});
        // The top-level header section has rules of its own.
        if self.is_strict && event.depth > 0 && is_eight_bit(event.bytes) {
            self.tell_of_field(event, Code::EightBit, Source::Suspected, EIGHT_BIT_TEXT, found);
        }
        let first = event.bytes.first().map(u8::to_ascii_lowercase);
        if event.depth == 0 || !matches!(first, Some(b'c' | b'd' | b'l')) {
            return;
        }
        self.heading.note_encoding(event);
        let (code, fault) = if let Some(body) = body_if_named(event.bytes, "content-type") {
            if self.heading.type_field.is_none() && says_anything(body) {
                self.heading.type_field = Some(span_of(event));
            }
            if std::mem::replace(&mut self.heading.has_type, true) {
                return;
            }
            self.heading.is_blocked |= has_blocked_name(body, false);
            (Code::ContentTypeSyntax, check_content_type(body).err())
        } else if let Some(body) = body_if_named(event.bytes, "content-disposition") {
            if std::mem::replace(&mut self.heading.has_disposition, true) {
                return;
            }
            self.heading.is_blocked |= has_blocked_name(body, true);
            (
                Code::ContentDispositionSyntax,
                check_content_disposition(body).err(),
            )
        } else {
            self.heading.has_dkim |= body_if_named(event.bytes, "dkim-signature").is_some();
            return;
        };
        if let Some(fault) = fault {
            self.tell_of_field(event, code, Source::Suspected, fault.text(), found);
        }
    }

    /// Adds a finding of a field. Its cure is known only at the end of the header section.
    fn tell_of_field(
        &mut self,
        event: &Event<'_>,
        code: Code,
        source: Source,
        text: &'static str,
        found: &mut Collector,
    ) {
        let (part, rung) = if event.depth == 0 {
            (0, Rung::Header)
        } else if found.has_room() {
            let first = found.count();
            let kept = self
                .heading
                .kept
                .get_or_insert_with(|| (found.keep_unknown(), first));
            (kept.0, Rung::Parts)
        } else {
            (0, Rung::Parts)
        };
        let name = &event.bytes[..name_len(event.bytes)];
        found.add(Finding {
            code,
            source,
            rung,
            text,
            part,
            within: Within::Field(printable_name(name)),
            offset: event.offset,
            span: span_of(event),
        });
    }

    /// The header section at `depth` has ended: its part begins.
    fn begin(&mut self, depth: usize, found: &mut Collector) {
        let heading = std::mem::take(&mut self.heading);
        let Some(part) = self.tree.open_part(depth) else {
            return;
        };
        let around = depth
            .checked_sub(1)
            .and_then(|depth| self.open.get(depth)?.inner_seal);
        let seal = around.or((depth > 0 && heading.has_dkim).then_some(Seal::Dkim));
        let (type_, subtype) = part.content_type.split_once('/').unwrap_or_default();
        let is_multipart = type_ == "multipart";
        let inner_seal = seal.or(match (is_multipart, subtype) {
            (true, "signed") => Some(Seal::Signed),
            (true, "encrypted") => Some(Seal::Encrypted),
            _ => None,
        });
        let type_seal = match &*part.encoding {
            _ if is_multipart => Some(Seal::Multipart),
            _ if type_ == "message" => Some(Seal::Message),
            "7bit" | "8bit" | "binary" | "quoted-printable" | "base64" => None,
            _ => Some(Seal::Encoding),
        };
        let header_start = part.header.start;
        let mut kept = (depth == 0).then_some(0);
        if let Some((index, first)) = heading.kept {
            kept = Some(index);
            if seal.is_some() {
                for finding in found.since(first) {
                    finding.rung = Rung::Notice;
                }
            }
        }
        if let Some(index) = kept {
            found.describe(index, part.clone(), seal, heading.encoding_fields.clone());
        }
        self.open.truncate(depth);
        self.open.push(Open {
            seal,
            inner_seal,
            type_seal,
            is_multipart,
            type_field: heading.type_field,
            kept,
            encoding_fields: heading.encoding_fields,
            ..Open::default()
        });
        if heading.is_blocked {
            let text = (Code::BlockedAttachment, BLOCKED_TEXT);
            self.tell(depth, text, Source::Documented, Within::Part, header_start, found);
        }
    }

    /// Adds a finding of a part whose header section has ended.
    fn tell(
        &mut self,
        depth: usize,
        (code, text): (Code, &'static str),
        source: Source,
        within: Within,
        offset: u64,
        found: &mut Collector,
    ) {
        let Some(open) = self.open.get_mut(depth) else {
            return;
        };
        let seal = match within {
            Within::Body => open.body_seal(),
            _ => open.seal,
        };
        let part = match open.kept {
            Some(index) => index,
            None if !found.has_room() => 0,
            None => {
                let part = self.tree.open_part(depth).cloned();
                let index = part.map_or(0, |part| {
                    found.keep(part, open.seal, open.encoding_fields.clone())
                });
                open.kept = Some(index);
                index
            }
        };
        found.add(Finding {
            code,
            source,
            rung: if seal.is_some() { Rung::Notice } else { Rung::Parts },
            text,
            part,
            within,
            offset,
            span: Span::default(),
        });
    }

    /// Tells of the first octets of a body that are not ASCII.
    fn look_at_octets(&mut self, event: &Event<'_>, found: &mut Collector) {
        let Some(open) = self.open.get_mut(event.depth) else {
            return;
        };
        if !open.is_eight_bit_told && is_eight_bit(event.bytes) {
            open.is_eight_bit_told = true;
            let text = (Code::EightBit, EIGHT_BIT_TEXT);
            let depth = event.depth;
            self.tell(depth, text, Source::Suspected, Within::Body, event.offset, found);
        }
    }

    fn delimiter(&mut self, event: &Event<'_>, found: &mut Collector) {
        if let Some(open) = self.open.get_mut(event.depth) {
            open.has_parts |= event.kind == Kind::Delimiter;
            open.preamble_end.get_or_insert(event.offset);
            if event.kind == Kind::CloseDelimiter {
                let end = event.offset + event.bytes.len() as u64;
                open.epilogue_start.get_or_insert(end);
            }
        }
        self.close(event.depth.saturating_add(1), event.offset, found);
        self.tree.push(event, &mut |_| {});
    }

    /// Ends all parts at `depth` and deeper.
    fn close(&mut self, depth: usize, end: u64, found: &mut Collector) {
        while self.open.len() > depth {
            let at = self.open.len() - 1;
            let open = &self.open[at];
            if open.is_multipart && !open.has_parts && !open.is_opaque {
                self.no_parts(at, found);
            }
            let Some(open) = self.open.pop() else {
                return;
            };
            if let Some(index) = open.kept {
                let known = PartEnd {
                    end,
                    preamble_end: open.preamble_end,
                    epilogue_start: open.epilogue_start,
                    body_seal: open.body_seal(),
                };
                found.close(index, known);
            }
        }
    }

    /// A multipart in which no delimiter has come.
    fn no_parts(&mut self, depth: usize, found: &mut Collector) {
        let Some(part) = self.tree.open_part(depth) else {
            return;
        };
        let offset = part.body.start;
        let text = (Code::NoStartBoundary, "Missing start boundary");
        let first = found.count();
        // As a text it can go out: another Content-Type cures it.
        let type_field = self.open[depth].type_field;
        let (within, offset) = match type_field {
            Some(field) => (Within::Field("content-type".to_owned()), field.start),
            None => (Within::Body, offset),
        };
        self.tell(depth, text, Source::Suspected, within, offset, found);
        for finding in found.since(first) {
            finding.span = type_field.unwrap_or_default();
            if depth == 0 {
                finding.rung = Rung::Header;
            }
        }
    }

    fn watch_lines(&mut self, event: &Event<'_>, found: &mut Collector) {
        let long = self.lines.feed(event.bytes, event.offset);
        match event.kind {
            // A byte order mark before the field is of its line.
            Kind::Field if long.carried.or(long.begun).is_some() => {
                let first = found.count();
                self.tell_of_field(event, Code::LineTooLong, Source::Documented, LONG_TEXT, found);
                if event.depth > 0 && !can_be_folded(event.bytes) {
                    for finding in found.since(first) {
                        finding.rung = Rung::Notice;
                    }
                }
            }
            Kind::Delimiter | Kind::CloseDelimiter => {
                self.long_line(self.line_in, long.carried, found);
                if let Some(start) = long.begun {
                    self.long_delimiter(event, start, found);
                }
            }
            _ => {
                self.long_line(self.line_in, long.carried, found);
                self.long_line(Some((event.kind, event.depth)), long.begun, found);
            }
        }
        if self.lines.line_start() >= event.offset {
            self.line_in = Some((event.kind, event.depth));
        }
    }

    /// Reports a line that is too long and began in a body or between parts. Only the first of each body is reported.
    fn long_line(&mut self, begun_in: Option<(Kind, usize)>, start: Option<u64>, found: &mut Collector) {
        let (Some((kind, depth)), Some(start)) = (begun_in, start) else {
            return;
        };
        let Some(open) = self.open.get_mut(depth) else {
            return;
        };
        let within = match kind {
            Kind::Preamble => Within::Preamble,
            Kind::Epilogue | Kind::CloseDelimiter => Within::Epilogue,
            _ => Within::Body,
        };
        let is_told = if within == Within::Epilogue {
            &mut open.is_epilogue_told
        } else {
            &mut open.is_told
        };
        if !std::mem::replace(is_told, true) {
            let text = (Code::LineTooLong, LONG_TEXT);
            self.tell(depth, text, Source::Documented, within, start, found);
        }
    }

    /// Reports a delimiter that is too long. Its padding can be shortened; its boundary cannot, since every other delimiter has
    /// it too.
    fn long_delimiter(&mut self, event: &Event<'_>, start: u64, found: &mut Collector) {
        let first = found.count();
        let text = (Code::LineTooLong, LONG_TEXT);
        self.tell(
            event.depth,
            text,
            Source::Documented,
            Within::Delimiter,
            start,
            found,
        );
        let is_padding = event.bytes.trim_ascii().len() <= MAX_LINE;
        let text = event.bytes.strip_suffix(b"\n").unwrap_or(event.bytes);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        for finding in found.since(first) {
            finding.span = Span {
                start: start + MAX_LINE as u64,
                end: event.offset + text.len() as u64,
            };
            if !is_padding {
                finding.rung = Rung::Notice;
            }
        }
    }
}

/// Whether there is an octet above 127 or a NUL.
fn is_eight_bit(octets: &[u8]) -> bool {
    !octets.is_ascii() || memchr(0, octets).is_some()
}

fn span_of(event: &Event<'_>) -> Span {
    Span {
        start: event.offset,
        end: event.offset + event.bytes.len() as u64,
    }
}
