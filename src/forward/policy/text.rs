//! The beginning of a message's text, gathered while it passes.

/// Octets behind the header section that are searched for a target's name in a report that does not follow RFC 3464.
const MAX_TEXT: usize = 64 << 10;

/// The text so far.
#[derive(Debug)]
pub(super) struct Text {
    /// Octets that are to pass before it begins.
    pub(super) skipped: usize,
    left: usize,
    gathered: String,
}

impl Text {
    /// A text to be gathered, or one that stays empty.
    pub(super) fn new(is_wanted: bool) -> Self {
        Text {
            skipped: 0,
            left: if is_wanted { MAX_TEXT } else { 0 },
            gathered: String::new(),
        }
    }

    /// Whether no more is gathered.
    pub(super) fn is_full(&self) -> bool {
        self.left == 0
    }

    /// Takes the next octets of the message.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        let skipped = chunk.len().min(self.skipped);
        self.skipped -= skipped;
        let chunk = &chunk[skipped..];
        let chunk = &chunk[..chunk.len().min(self.left)];
        self.left -= chunk.len();
        self.gathered.push_str(&String::from_utf8_lossy(chunk));
    }

    pub(super) fn in_lower_case(mut self) -> String {
        self.gathered.make_ascii_lowercase();
        self.gathered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_begins_behind_the_header_section_and_is_bounded() {
        let message = [b"From: A\n\n".to_vec(), vec![b'X'; 2 * MAX_TEXT]].concat();
        for size in [1, 7, message.len()] {
            let mut text = Text::new(true);
            text.skipped = 9;
            message.chunks(size).for_each(|chunk| text.push(chunk));
            assert!(text.is_full());
            assert_eq!(text.in_lower_case(), "x".repeat(MAX_TEXT));
        }
        let mut none = Text::new(false);
        none.push(&message);
        assert_eq!(none.in_lower_case(), "");
    }
}
