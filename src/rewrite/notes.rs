//! The marks and repairs of a message, for its reader and for the log.

use std::fmt;

use super::options::Mark;
use crate::preflight::Code;

/// The field that lists the marks and repairs.
pub(super) const NOTES: &str = "X-Readdress-Notes";

/// The marks of a message and the kinds of its repairs, each once, in a fixed order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    marks: Vec<Mark>,
    codes: Vec<Code>,
}

impl Notes {
    /// Adds a kind.
    pub(super) fn add(&mut self, code: Code) {
        if let Err(at) = self.codes.binary_search(&code) {
            self.codes.insert(at, code);
        }
    }

    /// Adds a mark.
    pub(super) fn add_mark(&mut self, mark: Mark) {
        if let Err(at) = self.marks.binary_search(&mark) {
            self.marks.insert(at, mark);
        }
    }

    /// The marks.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Adds the fault of a field, if it has one.
    pub(super) fn add_fault(&mut self, fault: Option<Code>) {
        if let Some(code) = fault {
            self.add(code);
        }
    }

    /// The kinds of the repairs.
    pub fn codes(&self) -> &[Code] {
        &self.codes
    }

    /// Whether nothing was marked or repaired.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty() && self.codes.is_empty()
    }
}

impl fmt::Display for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marks = self.marks.iter().map(|mark| mark.as_str());
        let codes = self.codes.iter().map(|code| code.as_str());
        for (at, name) in marks.chain(codes).enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}
