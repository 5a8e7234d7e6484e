//! Text of strangers on a terminal, which must do nothing but show it.

use std::io::{self, Write};

/// Writes to a terminal what passes, but for controls and characters that change the direction of text: these are written as
/// escapes. Octets that are not UTF-8 become replacement characters.
pub(super) struct Neutral<W> {
    output: W,
    /// The beginning of a character, of which more is to come.
    pending: Vec<u8>,
}

impl<W: Write> Neutral<W> {
    pub(super) fn new(output: W) -> Self {
        Neutral {
            output,
            pending: Vec::new(),
        }
    }

    pub(super) fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        let mut octets = std::mem::take(&mut self.pending);
        octets.extend_from_slice(chunk);
        let end = octets.len() - incomplete(&octets);
        self.pending = octets.split_off(end);
        self.output.write_all(lines(&octets).as_bytes())
    }

    pub(super) fn end(mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.pending);
        self.output.write_all(lines(&rest).as_bytes())
    }
}

/// The octets at the end that may be the beginning of a character: at most three.
fn incomplete(octets: &[u8]) -> usize {
    for back in 1..=octets.len().min(3) {
        let octet = octets[octets.len() - back];
        let length = match octet {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            // One that continues a character.
            0x80..=0xbf => continue,
            _ => 1,
        };
        return if length > back { back } else { 0 };
    }
    0
}

/// Several lines.
fn lines(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets).replace("\r\n", "\n");
    escaped(&text, &['\n', '\t', '\r'])
        // One that a chunk ends with, or a bare one: to the terminal it would be an order.
        .replace('\r', "")
}

/// One line.
pub(super) fn line(text: &str) -> String {
    escaped(text, &[])
}

fn escaped(text: &str, kept: &[char]) -> String {
    let mut neutral = String::with_capacity(text.len());
    for c in text.chars() {
        if !kept.contains(&c) && (c.is_control() || turns(c)) {
            neutral.extend(c.escape_unicode());
        } else {
            neutral.push(c);
        }
    }
    neutral
}

/// Whether the character changes the direction of text (UAX 9) or is a line of its own.
fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neutral(octets: &[u8], chunk: usize) -> String {
        let mut output = Vec::new();
        let mut neutral = Neutral::new(&mut output);
        for chunk in octets.chunks(chunk) {
            neutral.write(chunk).unwrap();
        }
        neutral.end().unwrap();
        String::from_utf8(output).unwrap()
    }

    /// Catches an order to the terminal that a stranger wrote.
    #[test]
    fn nothing_reaches_the_terminal_as_a_control() {
        let text = "a\x1b[2J\x07\u{9b}31m\r\nb\rc\t\u{202e}d\u{e9}\u{1f600}".as_bytes();
        let shown = neutral(text, usize::MAX);
        assert_eq!(
            shown,
            "a\\u{1b}[2J\\u{7}\\u{9b}31m\nbc\t\\u{202e}d\u{e9}\u{1f600}"
        );
        for chunk in 1..5 {
            assert_eq!(neutral(text, chunk), shown, "in chunks of {chunk}");
        }
        assert_eq!(line("a\r\nb\x1b"), "a\\u{d}\\u{a}b\\u{1b}");
        assert_eq!(neutral(b"a\xff\xe2\x82", 1), "a\u{fffd}\u{fffd}");
    }
}
