//! What was repaired in a message, for its reader and for the log.

use std::fmt;

use crate::preflight::Code;

/// The field that lists what was repaired.
pub(super) const NOTES: &str = "X-Readdress-Notes";

/// The kinds of what was repaired, each once, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(Vec<Code>);

impl Notes {
    /// Adds a kind.
    pub(super) fn add(&mut self, code: Code) {
        if let Err(at) = self.0.binary_search(&code) {
            self.0.insert(at, code);
        }
    }

    /// Adds what was wrong with a field, if something was.
    pub(super) fn add_fault(&mut self, fault: Option<Code>) {
        if let Some(code) = fault {
            self.add(code);
        }
    }

    /// The kinds.
    pub fn codes(&self) -> &[Code] {
        &self.0
    }

    /// Whether nothing was repaired.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, code) in self.0.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            f.write_str(code.as_str())?;
        }
        Ok(())
    }
}
