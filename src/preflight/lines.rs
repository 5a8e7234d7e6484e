//! The lengths of lines, watched while they pass.

use memchr::{memchr, memrchr};

use crate::header::MAX_LINE;

/// The lines of a stretch of octets that are too long, by the offset at which they begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LongLines {
    /// The line that had begun before the stretch turned out to be too long.
    pub(super) carried: Option<u64>,
    /// The first that began in it.
    pub(super) begun: Option<u64>,
}

/// Finds lines that are too long, however the octets are cut.
#[derive(Clone, Debug, Default)]
pub(super) struct LineWatch {
    /// Where the line begins.
    start: u64,
    /// Its octets so far; not counted any more once it is too long.
    octets: usize,
    /// The last of them is a CR, which does not count if an LF follows.
    after_cr: bool,
    is_long: bool,
}

impl LineWatch {
    /// Takes the next octets, which begin at `offset`.
    pub(super) fn feed(&mut self, bytes: &[u8], offset: u64) -> LongLines {
        let mut found = LongLines::default();
        let mut at = 0;
        while at < bytes.len() {
            if self.octets == 0 {
                self.start = offset + at as u64;
            }
            if self.is_long {
                match memchr(b'\n', &bytes[at..]) {
                    None => break,
                    Some(line_feed) => at += line_feed + 1,
                }
                self.next_line();
                continue;
            }
            // As many octets as the line may have, its LF included. If there is an LF among them, all lines up to the last are
            // short.
            let room = MAX_LINE + 1 - self.octets;
            let window = &bytes[at..bytes.len().min(at + room)];
            if let Some(line_feed) = memrchr(b'\n', window) {
                at += line_feed + 1;
                self.next_line();
                continue;
            }
            at += window.len();
            self.octets += window.len();
            self.after_cr = window.last().map_or(self.after_cr, |&last| last == b'\r');
            if self.octets <= MAX_LINE {
                break;
            }
            // One octet too many, unless it is the CR of a CRLF.
            match bytes.get(at) {
                None if self.after_cr => break,
                Some(b'\n') if self.after_cr => {
                    at += 1;
                    self.next_line();
                    continue;
                }
                _ => {}
            }
            self.is_long = true;
            let place = if self.start < offset {
                &mut found.carried
            } else {
                &mut found.begun
            };
            place.get_or_insert(self.start);
        }
        found
    }

    /// Where the line that is passing begins.
    pub(super) fn line_start(&self) -> u64 {
        self.start
    }

    fn next_line(&mut self) {
        self.octets = 0;
        self.after_cr = false;
        self.is_long = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The starts of all lines that are too long, by looking at whole lines.
    fn naive(bytes: &[u8]) -> Vec<u64> {
        let mut starts = Vec::new();
        let mut start = 0;
        for line in bytes.split_inclusive(|&b| b == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if text.len() > MAX_LINE {
                starts.push(start);
            }
            start += line.len() as u64;
        }
        starts
    }

    fn watched(bytes: &[u8], size: usize) -> Vec<u64> {
        let mut watch = LineWatch::default();
        let mut starts = Vec::new();
        for (n, chunk) in bytes.chunks(size).enumerate() {
            let found = watch.feed(chunk, (n * size) as u64);
            starts.extend(found.carried);
            starts.extend(found.begun);
        }
        starts
    }

    #[test]
    fn only_lines_over_the_limit_are_found() {
        let line = |octets: usize, end: &str| format!("{}{end}", "x".repeat(octets));
        let mut cases = Vec::new();
        for octets in [0, 1, 997, 998, 999, 1000, 1001, 1997, 3000] {
            for end in ["", "\n", "\r\n", "\r", "\r\r\n", "\rx\n"] {
                cases.push(line(octets, end));
                cases.push(format!("a\r\n{}b\n", line(octets, end)));
                cases.push(format!("{}{}", line(octets, end), line(998, "\r\n")));
            }
        }
        for case in cases {
            let expected = naive(case.as_bytes());
            // In chunks of one octet all of them are reported, in larger chunks at least the first of each.
            for size in [1, 2, 3, 500] {
                assert_eq!(watched(case.as_bytes(), size), expected, "{} octets", case.len());
            }
            assert_eq!(watched(case.as_bytes(), 1 << 20).first(), expected.first());
        }
    }
}
