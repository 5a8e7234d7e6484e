//! The recipients of a message, where they are known.

use std::collections::HashSet;

/// The recipients of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipients {
    /// The envelope recipients that the receipt rule matched.
    Envelope(Envelope),
    /// The event does not say. The message itself may: see [`trace`](super::trace).
    Unknown,
}

impl Recipients {
    /// The recipients, where they are known.
    pub fn known(&self) -> Option<&[String]> {
        match self {
            Recipients::Envelope(envelope) => Some(envelope.as_slice()),
            Recipients::Unknown => None,
        }
    }
}

/// Envelope recipients: at least one, none twice. They are not parsed yet: one that is not an address is a matter of that
/// recipient alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope(Vec<String>);

impl Envelope {
    /// Keeps these recipients in their order. Of recipients that differ only in case, the first is kept. Returns `None` if
    /// there are no recipients.
    pub fn new(recipients: impl IntoIterator<Item = String>) -> Option<Self> {
        let mut seen = HashSet::new();
        let mut kept: Vec<String> = recipients.into_iter().collect();
        kept.retain(|recipient| seen.insert(recipient.to_ascii_lowercase()));
        (!kept.is_empty()).then_some(Envelope(kept))
    }

    /// The recipients, of which there is at least one.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_has_recipients_and_none_twice() {
        assert_eq!(Envelope::new([]), None);
        let envelope = Envelope::new(["b@example.com", "A@example.com", "B@EXAMPLE.com"].map(str::to_owned));
        assert_eq!(envelope.unwrap().as_slice(), ["b@example.com", "A@example.com"]);
    }
}
