//! The edits of a message, which replace stretches of its octets, and the writer that makes them.
//!
//! Outside of the edits the output is the input, in its order (law L4).

use std::borrow::Borrow;
use std::ops::Range;

use super::notes::Notes;
use super::recode::{Recoder, Recoding};

/// Edits of one message at most. They are held in memory, and a hostile message has millions of parts.
pub const MAX_EDITS: usize = 1000;

/// A stretch of the stored message, and its replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Offsets of the first octet and of the one behind the last. An empty range is an insertion before its start.
    pub range: Range<u64>,
    /// The replacement.
    pub with: Replacement,
}

/// The octets that are written in place of a stretch of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Replacement {
    /// These octets: a new header section, or nothing at all.
    Octets(Vec<u8>),
    /// The stretch itself in another form. Its length is known only when it has been written.
    Encoded(Recoding),
}

/// Why edits do not make a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// More than [`MAX_EDITS`].
    #[error("{0} edits of one message; at most {MAX_EDITS} are made")]
    TooMany(usize),
    /// The edit of this index ends before it begins.
    #[error("edit {0} ends before it begins")]
    Backwards(usize),
    /// The edit of this index begins before the one before it ends.
    #[error("edit {0} begins before the one before it ends")]
    Overlap(usize),
}

/// The edits of one message, in order and apart from each other.
///
/// ```
/// use readdress::rewrite::{Edit, Plan, Replacement};
///
/// let subject = Edit { range: 9..14, with: Replacement::Octets(b"Hello".to_vec()) };
/// let plan = Plan::new(vec![subject])?;
/// let mut out = Vec::new();
/// let mut sink = |bytes: &[u8]| out.extend_from_slice(bytes);
/// let mut writer = plan.writer();
/// for chunk in ["Subject: Hu", "llo\n\nbody"] {
///     writer.write(chunk.as_bytes(), &mut sink);
/// }
/// writer.end(&mut sink);
/// assert_eq!(out, b"Subject: Hello\n\nbody");
/// # Ok::<(), readdress::rewrite::PlanError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    edits: Vec<Edit>,
    notes: Notes,
}

impl Plan {
    /// A plan of these edits.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn new(edits: Vec<Edit>) -> Result<Self, PlanError> {
        if edits.len() > MAX_EDITS {
            return Err(PlanError::TooMany(edits.len()));
        }
        let mut end = 0;
        for (index, Edit { range, .. }) in edits.iter().enumerate() {
            if range.end < range.start {
                return Err(PlanError::Backwards(index));
            }
            if range.start < end {
                return Err(PlanError::Overlap(index));
            }
            end = range.end;
        }
        Ok(Plan {
            edits,
            notes: Notes::default(),
        })
    }

    /// The plan that replaces a header section of `before` octets.
    pub(crate) fn of_header(before: u64, header: Vec<u8>, notes: Notes) -> Self {
        let edit = Edit {
            range: 0..before,
            with: Replacement::Octets(header),
        };
        Plan {
            edits: vec![edit],
            notes,
        }
    }

    /// This plan with further edits behind its own.
    pub(super) fn with_parts(self, parts: Vec<Edit>) -> Result<Self, PlanError> {
        let Plan { mut edits, notes } = self;
        edits.extend(parts);
        Ok(Plan {
            notes,
            ..Plan::new(edits)?
        })
    }

    /// The edits, in order.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// The marks and repairs that the edits make. A plan of [`Plan::new`] has none.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// The size of the output, in octets, for a message of `stored` octets. The part of an edit's range that lies behind the
    /// message's end does not count. Where a stretch is written in another form, this is a lower bound.
    pub fn outgoing_octets(&self, stored: u64) -> u64 {
        self.edits.iter().fold(stored, |octets, edit| {
            let replaced = edit.range.end.min(stored) - edit.range.start.min(stored);
            let with = match &edit.with {
                Replacement::Octets(with) => with.len() as u64,
                Replacement::Encoded(_) => 0,
            };
            octets - replaced + with
        })
    }

    /// Whether [`Plan::outgoing_octets`] is exact.
    pub fn is_measured(&self) -> bool {
        let mut edits = self.edits.iter();
        edits.all(|edit| matches!(edit.with, Replacement::Octets(_)))
    }

    /// Octets at the message's beginning that the first edit replaces; 0 if it begins later. Reading may start at this offset: see
    /// [`PlanWriter::new`].
    pub fn skipped(&self) -> u64 {
        let first = self.edits.first().map(|edit| &edit.range);
        first.map_or(0, |range| if range.start == 0 { range.end } else { 0 })
    }

    /// A writer at the start of the message.
    pub fn writer(&self) -> PlanWriter<&Plan> {
        PlanWriter::new(self, 0)
    }
}

/// Turns the stored message into the output as the message passes through it in chunks of any size. Octets outside of the edits
/// are passed on without a copy.
///
/// `P` is the plan itself, a reference to it or an `Arc` of it: several writers can share one.
///
/// # Termination
/// [`PlanWriter::end`] must be called: an edit at the message's end is written only then.
#[derive(Clone, Debug)]
pub struct PlanWriter<P = Plan> {
    plan: P,
    /// The index of the edit that is not over yet.
    next: usize,
    /// Its replacement has been begun.
    begun: bool,
    /// The writer of its stretch in another form.
    recoder: Option<Recoder>,
    /// The offset of the next octet of the stored message.
    at: u64,
}

impl<P: Borrow<Plan>> PlanWriter<P> {
    /// A writer for a reading that begins at this offset. Octets before `offset` are never written, unless an edit replaces them.
    pub fn new(plan: P, offset: u64) -> Self {
        PlanWriter {
            plan,
            next: 0,
            begun: false,
            recoder: None,
            at: offset,
        }
    }

    /// Takes the next octets of the stored message, and passes those of the output to `sink`.
    pub fn write(&mut self, mut chunk: &[u8], sink: &mut impl FnMut(&[u8])) {
        while !chunk.is_empty() {
            let Some(Edit { range, with }) = self.plan.borrow().edits.get(self.next) else {
                self.at += chunk.len() as u64;
                return sink(chunk);
            };
            let is_before = self.at < range.start;
            let bound = if is_before { range.start } else { range.end };
            let here = bound.saturating_sub(self.at).min(chunk.len() as u64);
            let (stretch, rest) = chunk.split_at(usize::try_from(here).unwrap_or(chunk.len()));
            let at = self.at + here;
            if is_before {
                sink(stretch);
            } else {
                if !std::mem::replace(&mut self.begun, true) {
                    self.recoder = begin(with, sink);
                }
                if let Some(recoder) = &mut self.recoder {
                    recoder.write(stretch, sink);
                }
                if at >= range.end {
                    self.next += 1;
                    self.begun = false;
                    end_stretch(&mut self.recoder, sink);
                }
            }
            self.at = at;
            chunk = rest;
        }
    }

    /// Ends the message: the replacements of the remaining edits are passed to `sink`.
    pub fn end(mut self, sink: &mut impl FnMut(&[u8])) {
        end_stretch(&mut self.recoder, sink);
        let next = self.next + usize::from(self.begun);
        for Edit { with, .. } in self.plan.borrow().edits.iter().skip(next) {
            end_stretch(&mut begin(with, sink), sink);
        }
    }
}

/// Writes a replacement, or returns the recoder that writes the stretch itself in another form.
fn begin(with: &Replacement, sink: &mut impl FnMut(&[u8])) -> Option<Recoder> {
    match with {
        Replacement::Octets(octets) => {
            if !octets.is_empty() {
                sink(octets);
            }
            None
        }
        Replacement::Encoded(recoding) => Some(Recoder::new(*recoding)),
    }
}

fn end_stretch(recoder: &mut Option<Recoder>, sink: &mut impl FnMut(&[u8])) {
    if let Some(recoder) = recoder.take() {
        recoder.end(sink);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rewrite::recode::Form;

    fn edit(range: Range<u64>, with: &str) -> Edit {
        Edit {
            range,
            with: Replacement::Octets(with.as_bytes().to_vec()),
        }
    }

    fn octets_of(edit: &Edit) -> &[u8] {
        match &edit.with {
            Replacement::Octets(octets) => octets,
            Replacement::Encoded(_) => panic!("another form"),
        }
    }

    /// The whole message in a buffer, edited from its end.
    fn spliced(message: &[u8], edits: &[Edit]) -> Vec<u8> {
        let mut out = message.to_vec();
        for edit in edits.iter().rev() {
            let at = |offset: u64| usize::try_from(offset).unwrap().min(message.len());
            out.splice(at(edit.range.start)..at(edit.range.end), octets_of(edit).to_vec());
        }
        out
    }

    fn written(message: &[u8], plan: &Plan, chunk: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut sink = |bytes: &[u8]| {
            assert!(!bytes.is_empty());
            out.extend_from_slice(bytes);
        };
        let mut writer = plan.writer();
        for chunk in message.chunks(chunk) {
            writer.write(chunk, &mut sink);
        }
        writer.end(&mut sink);
        out
    }

    #[test]
    fn edits_that_are_no_plan_are_refused() {
        let many = vec![edit(0..0, ""); MAX_EDITS + 1];
        assert_eq!(Plan::new(many.clone()), Err(PlanError::TooMany(MAX_EDITS + 1)));
        assert!(Plan::new(many[1..].to_vec()).is_ok());
        let overlap = vec![edit(0..3, ""), edit(2..4, "")];
        assert_eq!(Plan::new(overlap), Err(PlanError::Overlap(1)));
        let backwards = Edit {
            range: Range { start: 2, end: 1 },
            with: Replacement::Octets(Vec::new()),
        };
        assert_eq!(Plan::new(vec![backwards]), Err(PlanError::Backwards(0)));
    }

    #[test]
    fn insertions_and_edits_behind_the_end_go_out() {
        let plan = Plan::new(vec![
            edit(0..0, "a"),
            edit(0..1, "b"),
            edit(1..1, "c"),
            edit(2..9, "d"),
            edit(9..9, "e"),
        ]);
        let plan = plan.unwrap();
        for chunk in [1, 2, 3] {
            assert_eq!(written(b"123", &plan, chunk), b"abc2de");
            assert_eq!(written(b"", &plan, chunk), b"abcde");
        }
        assert_eq!((plan.outgoing_octets(3), plan.outgoing_octets(0)), (6, 5));
    }

    /// Catches a reading that leaves out the old header section and loses the new one with it.
    #[test]
    fn a_reading_may_begin_behind_what_is_replaced() {
        let plan = Plan::of_header(3, b"new".to_vec(), Notes::default());
        assert_eq!(plan.skipped(), 3);
        for message in ["old", "old body"] {
            let mut out = Vec::new();
            let mut writer = PlanWriter::new(&plan, 3);
            for chunk in message.as_bytes()[3..].chunks(2) {
                writer.write(chunk, &mut |octets| out.extend_from_slice(octets));
            }
            writer.end(&mut |octets| out.extend_from_slice(octets));
            assert_eq!(String::from_utf8(out).unwrap(), message.replace("old", "new"));
        }
        assert_eq!(Plan::new(vec![edit(1..2, "x")]).unwrap().skipped(), 0);
        assert_eq!(Plan::default().skipped(), 0);
    }

    #[test]
    fn a_stretch_goes_out_in_another_form_and_what_is_around_it_as_it_came() {
        let recoding = Recoding {
            form: Form::Base64,
            line_ending: b"\r\n",
        };
        let encoded = |range| Edit {
            range,
            with: Replacement::Encoded(recoding),
        };
        let plan = Plan::new(vec![
            edit(0..1, "A"),
            encoded(2..5),
            edit(5..5, "!"),
            encoded(6..9),
        ])
        .unwrap();
        assert!(!plan.is_measured());
        for chunk in 1..9 {
            assert_eq!(
                written(b"abMan-Mar", &plan, chunk),
                b"AbTWFu!-TWFy",
                "in chunks of {chunk}"
            );
            // The message ends before the last stretch does.
            assert_eq!(
                written(b"abMan-M", &plan, chunk),
                b"AbTWFu!-TQ==",
                "in chunks of {chunk}"
            );
        }
    }

    proptest! {
        /// Law L4: outside of the edits, and in every chunking, the output is the input.
        #[test]
        fn a_written_plan_is_the_naive_splice(
            message in proptest::collection::vec(any::<u8>(), 0..80),
            steps in proptest::collection::vec((0_u64..12, 0_u64..12, "[a-z]{0,6}"), 0..12),
        ) {
            let mut at = 0;
            let edits: Vec<Edit> = steps.iter().map(|(gap, octets, with)| {
                let start = at + gap;
                at = start + octets;
                edit(start..at, with)
            }).collect();
            let plan = Plan::new(edits.clone()).unwrap();
            let want = spliced(&message, &edits);
            prop_assert_eq!(plan.outgoing_octets(message.len() as u64), want.len() as u64);
            for chunk in 1..=message.len().max(1) {
                prop_assert_eq!(&written(&message, &plan, chunk), &want, "in chunks of {}", chunk);
            }
        }
    }
}
