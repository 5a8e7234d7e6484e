//! The open boundaries: is this line a delimiter, whose, and does it close (RFC 2046 5.1.1)?

/// Octets of transport-padding (spaces and tabs) that may follow the boundary on its line.
///
/// RFC 2046 5.1.1 sets no limit; a delimiter line must be held until its end is seen, so there has to be one.
/// Real padding is a blank or two. A line with more is text.
const MAX_PADDING: usize = 1024;

/// What the line at the front of the buffer is to the open boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A delimiter or close-delimiter of the multipart at `index` of the stack.
    Delimiter {
        index: usize,
        close: bool,
        /// Octets from the first `-` to the end of the padding; the line break is not counted.
        len: usize,
        /// Octets of the line break: 0 at the end of the message, 1 for LF, 2 for CRLF.
        line_break: usize,
    },
    /// Not decided yet: more bytes could still make it a delimiter.
    More,
    /// Text.
    Text,
}

/// An open multipart.
#[derive(Debug)]
pub(super) struct Open {
    boundary: Box<[u8]>,
    /// Depth of the multipart itself; its body parts are one deeper.
    pub(super) depth: usize,
    /// `multipart/digest`: its body parts are message/rfc822 unless they say otherwise (RFC 2046 5.1.5).
    pub(super) digest: bool,
}

/// The stack of open boundaries, outermost first.
#[derive(Debug, Default)]
pub(super) struct Boundaries {
    open: Vec<Open>,
    octets: usize,
}

impl Boundaries {
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Octets of all the open boundaries together.
    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    pub(super) fn push(&mut self, boundary: Vec<u8>, depth: usize, digest: bool) {
        self.octets += boundary.len();
        self.open.push(Open {
            boundary: boundary.into_boxed_slice(),
            depth,
            digest,
        });
    }

    /// A delimiter of the multipart at `index`: what is inside it closes; so does itself, if `close`.
    /// Returns its depth, and whether it is a digest.
    pub(super) fn delimit(&mut self, index: usize, close: bool) -> (usize, bool) {
        let Open { depth, digest, .. } = self.open[index];
        self.open.truncate(if close { index } else { index + 1 });
        self.octets = self.open.iter().map(|open| open.boundary.len()).sum();
        (depth, digest)
    }

    /// Matches the line at the front of `buf`, innermost boundary first. `last`: nothing follows `buf`.
    ///
    /// The first boundary that is not ruled out decides, or asks for more: an outer boundary can match only
    /// once every inner one is known not to. At most the longest boundary, `--` twice, [`MAX_PADDING`] and a
    /// line break are looked at.
    #[inline]
    pub(super) fn classify(&self, buf: &[u8], last: bool) -> Line {
        match buf {
            [b'-', b'-', rest @ ..] => self.classify_dashed(rest, last),
            [b'-'] | [] if !last => Line::More,
            _ => Line::Text,
        }
    }

    fn classify_dashed(&self, rest: &[u8], last: bool) -> Line {
        for (index, open) in self.open.iter().enumerate().rev() {
            let boundary = &*open.boundary;
            let shared = rest.len().min(boundary.len());
            if rest[..shared] != boundary[..shared] {
                continue;
            }
            if shared < boundary.len() {
                if last {
                    continue;
                }
                return Line::More;
            }
            let tail = &rest[boundary.len()..];
            let (close, dashes) = match tail {
                [b'-', b'-', ..] => (true, 2),
                [b'-'] if !last => return Line::More,
                _ => (false, 0),
            };
            match line_end(&tail[dashes..], last) {
                LineEnd::At { padding, line_break } => {
                    return Line::Delimiter {
                        index,
                        close,
                        len: 2 + boundary.len() + dashes + padding,
                        line_break,
                    };
                }
                LineEnd::More => return Line::More,
                LineEnd::No => {}
            }
        }
        Line::Text
    }
}

enum LineEnd {
    At { padding: usize, line_break: usize },
    More,
    No,
}

/// Padding, then a line break or the end of the message.
fn line_end(tail: &[u8], last: bool) -> LineEnd {
    let padding = tail
        .iter()
        .take_while(|&&b| b == b' ' || b == b'\t')
        .take(MAX_PADDING + 1)
        .count();
    if padding > MAX_PADDING {
        return LineEnd::No;
    }
    match &tail[padding..] {
        [b'\n', ..] => LineEnd::At {
            padding,
            line_break: 1,
        },
        [b'\r', b'\n', ..] => LineEnd::At {
            padding,
            line_break: 2,
        },
        [] if last => LineEnd::At {
            padding,
            line_break: 0,
        },
        [] => LineEnd::More,
        [b'\r'] if !last => LineEnd::More,
        _ => LineEnd::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(boundaries: &[&str]) -> Boundaries {
        let mut stack = Boundaries::default();
        for (depth, boundary) in boundaries.iter().enumerate() {
            stack.push(boundary.as_bytes().to_vec(), depth, false);
        }
        stack
    }

    fn at(index: usize, close: bool, len: usize, line_break: usize) -> Line {
        Line::Delimiter {
            index,
            close,
            len,
            line_break,
        }
    }

    #[test]
    fn a_line_is_matched_innermost_outwards() {
        let stack = open(&["a", "ab", "a--"]);
        for (line, want) in [
            ("--a\n", at(0, false, 3, 1)),
            ("--a \t\r\n", at(0, false, 5, 2)),
            ("--ab\n", at(1, false, 4, 1)),
            ("--ab--\r\n", at(1, true, 6, 2)),
            // Both the close-delimiter of "a" and the delimiter of "a--": the inner one takes it.
            ("--a--\n", at(2, false, 5, 1)),
            ("--a----\n", at(2, true, 7, 1)),
            ("--a-\n", Line::Text),
            ("--abc\n", Line::Text),
            ("--a x\n", Line::Text),
            ("--a-- x\n", Line::Text),
            ("--a\rx\n", Line::Text),
            ("-a\n", Line::Text),
            ("- -a\n", Line::Text),
            ("\n", Line::Text),
            ("--\n", Line::Text),
        ] {
            assert_eq!(stack.classify(line.as_bytes(), false), want, "{line:?}");
        }
    }

    #[test]
    fn the_end_of_the_message_ends_a_line() {
        let stack = open(&["ab"]);
        for (line, want) in [
            ("--ab", at(0, false, 4, 0)),
            ("--ab--", at(0, true, 6, 0)),
            ("--ab  ", at(0, false, 6, 0)),
            ("--a", Line::Text),
            ("--ab-", Line::Text),
            ("--ab\r", Line::Text),
            ("-", Line::Text),
            ("", Line::Text),
        ] {
            assert_eq!(stack.classify(line.as_bytes(), true), want, "{line:?}");
        }
    }

    #[test]
    fn an_undecided_line_asks_for_more_and_never_changes_its_mind() {
        let stack = open(&["a", "abc", "ab--"]);
        for line in [
            "--a\n",
            "--abc--\t \r\n",
            "--ab--\n",
            "--ab----\n",
            "--abd\n",
            "--a--\r\n",
            "--b\n",
        ] {
            let whole = stack.classify(line.as_bytes(), false);
            for cut in 0..line.len() {
                let part = stack.classify(&line.as_bytes()[..cut], false);
                assert!(
                    part == Line::More || part == whole,
                    "{line:?} cut at {cut}: {part:?}"
                );
            }
        }
    }

    #[test]
    fn padding_is_bounded() {
        let stack = open(&["a"]);
        let line = |n: usize| format!("--a{}\n", " ".repeat(n)).into_bytes();
        assert_eq!(
            stack.classify(&line(MAX_PADDING), false),
            at(0, false, 3 + MAX_PADDING, 1)
        );
        assert_eq!(stack.classify(&line(MAX_PADDING + 1), false), Line::Text);
        assert_eq!(
            stack.classify(&line(MAX_PADDING + 1)[..MAX_PADDING + 4], false),
            Line::Text
        );
    }
}
