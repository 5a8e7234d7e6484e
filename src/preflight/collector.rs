//! Gathers findings and the parts that they are in, within bounds.

use super::finding::{AffectedPart, EncodingFields, Finding, MAX_FINDINGS, Report, Seal, Source, Within};
use crate::mime::{Part, Span};

/// Octets of a type, an encoding or a file name that are kept: as many as a file system has for a name.
const MAX_TEXT: usize = 255;

/// A part with a finding in it.
#[derive(Clone, Debug)]
struct Kept {
    part: AffectedPart,
    preamble_end: Option<u64>,
    epilogue_start: Option<u64>,
}

/// The facts about a part that are known only at its end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PartEnd {
    pub(super) end: u64,
    pub(super) preamble_end: Option<u64>,
    pub(super) epilogue_start: Option<u64>,
    pub(super) body_seal: Option<Seal>,
}

/// The findings so far. Its first part is the message itself.
#[derive(Clone, Debug)]
pub(super) struct Collector {
    findings: Vec<Finding>,
    kept: Vec<Kept>,
    more: u64,
    is_refused: bool,
}

impl Default for Collector {
    fn default() -> Self {
        Collector {
            findings: Vec::new(),
            kept: vec![Kept::of(Kept::nothing())],
            more: 0,
            is_refused: false,
        }
    }
}

impl Kept {
    /// A part without any known facts.
    fn nothing() -> Part {
        Part {
            path: "0".to_owned(),
            depth: 0,
            content_type: String::new(),
            encoding: String::new(),
            filename: None,
            header: Span::default(),
            body: Span::default(),
        }
    }

    fn of(mut part: Part) -> Self {
        for text in [&mut part.content_type, &mut part.encoding] {
            text.truncate(text.floor_char_boundary(MAX_TEXT));
        }
        if let Some(name) = &mut part.filename {
            name.truncate(name.floor_char_boundary(MAX_TEXT));
        }
        Kept {
            part: AffectedPart {
                part,
                seal: None,
                body_seal: None,
                encoding_fields: EncodingFields::default(),
            },
            preamble_end: None,
            epilogue_start: None,
        }
    }
}

impl Collector {
    /// Adds a finding, or counts it.
    pub(super) fn add(&mut self, finding: Finding) {
        self.is_refused |= finding.source > Source::Suspected;
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// Whether a finding so far is one that an edit of a part cures, as far as is known before the end of the message.
    #[cfg(feature = "forward")]
    pub(super) fn needs_edits_of_parts(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.needs_edit_of_part(false))
    }

    /// Counts findings that were not kept elsewhere. They are of known kinds: the message is refused as it stands.
    pub(super) fn count_more(&mut self, more: u64) {
        self.more += more;
        self.is_refused |= more > 0;
    }

    /// Whether another finding would be kept.
    pub(super) fn has_room(&self) -> bool {
        self.findings.len() < MAX_FINDINGS
    }

    /// The findings from the `first` on, for the facts that were missing.
    pub(super) fn since(&mut self, first: usize) -> &mut [Finding] {
        &mut self.findings[first..]
    }

    pub(super) fn count(&self) -> usize {
        self.findings.len()
    }

    /// Keeps a part, and returns its index.
    pub(super) fn keep(&mut self, part: Part, seal: Option<Seal>, fields: EncodingFields) -> usize {
        self.kept.push(Kept::of(part.clone()));
        let index = self.kept.len() - 1;
        self.describe(index, part, seal, fields);
        index
    }

    /// Keeps a part whose header section has not ended, and returns its index for [`Collector::describe`].
    pub(super) fn keep_unknown(&mut self) -> usize {
        self.keep(Kept::nothing(), None, EncodingFields::default())
    }

    /// Completes a part at the end of its header section.
    pub(super) fn describe(&mut self, index: usize, part: Part, seal: Option<Seal>, fields: EncodingFields) {
        let kept = &mut self.kept[index].part;
        kept.part = Kept::of(part).part.part;
        kept.seal = seal;
        kept.encoding_fields = fields;
    }

    /// Completes a part at its end.
    pub(super) fn close(&mut self, index: usize, known: PartEnd) {
        let kept = &mut self.kept[index];
        kept.part.part.body.end = known.end;
        kept.part.body_seal = known.body_seal;
        kept.preamble_end = known.preamble_end;
        kept.epilogue_start = known.epilogue_start;
    }

    /// The message itself.
    pub(super) fn root(&self) -> &Part {
        &self.kept[0].part.part
    }

    /// All that was found in a message of so many octets.
    pub(super) fn settle(mut self, octets: u64) -> Report {
        for finding in &mut self.findings {
            finding.span = self.kept[finding.part].span(finding);
        }
        self.findings
            .sort_by_key(|finding| (finding.offset, finding.code));
        Report {
            findings: self.findings,
            parts: self.kept.into_iter().map(|kept| kept.part).collect(),
            more: self.more,
            octets,
            is_refused: self.is_refused,
        }
    }
}

impl Kept {
    /// The stretch of a finding. Those of fields and delimiters are known from the start.
    fn span(&self, finding: &Finding) -> Span {
        let Part { header, body, .. } = &self.part.part;
        let (start, end) = match finding.within {
            Within::Field(_) | Within::Delimiter => return finding.span,
            Within::Header => (header.start, header.end),
            Within::Body => (body.start, body.end),
            Within::Part => (header.start, body.end),
            Within::Preamble => (body.start, self.preamble_end.unwrap_or(body.end)),
            Within::Epilogue => (self.epilogue_start.unwrap_or(body.end), body.end),
        };
        Span { start, end }
    }
}
