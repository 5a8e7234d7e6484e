//! The open boundaries: is this line a delimiter, whose, and does it close (RFC 2046 5.1.1)?

/// Octets of transport-padding (spaces and tabs) that may follow the boundary on its line.
///
/// RFC 2046 5.1.1 sets no limit; a delimiter line must be held until its end is seen, so there has to be one.
/// Real padding is a blank or two. A line with more is text.
const MAX_PADDING: usize = 1024;

/// How the line at the front of the buffer relates to the open boundaries.
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
#[derive(Clone, Debug)]
pub(super) struct Open {
    boundary: Box<[u8]>,
    /// Depth of the multipart itself; its body parts are one deeper.
    pub(super) depth: usize,
    /// `multipart/digest`: its body parts are message/rfc822 unless they say otherwise (RFC 2046 5.1.5).
    pub(super) digest: bool,
}

/// The stack of open boundaries, outermost first.
///
/// A hostile message opens as many as it may and then begins every line nearly like one of them, so a line must not
/// be compared with each: they are kept sorted too, and those that a line can still be are a range, which every
/// octet narrows.
#[derive(Clone, Debug, Default)]
pub(super) struct Boundaries {
    open: Vec<Open>,
    octets: usize,
    /// Indices of `open` by boundary; of equal boundaries the innermost is the last.
    sorted: Vec<usize>,
    /// For each octet how many of the boundaries begin with a smaller one. None before the first boundary.
    smaller: Option<Box<[u32; 257]>>,
}

impl Boundaries {
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Octets of all the open boundaries together.
    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    /// Opens a boundary, which is not empty.
    pub(super) fn push(&mut self, boundary: Vec<u8>, depth: usize, digest: bool) {
        let place = self
            .sorted
            .partition_point(|&index| *self.open[index].boundary <= *boundary);
        self.sorted.insert(place, self.open.len());
        count(&mut self.smaller, boundary[0], |smaller| *smaller += 1);
        self.octets += boundary.len();
        self.open.push(Open {
            boundary: boundary.into_boxed_slice(),
            depth,
            digest,
        });
    }

    /// Takes a delimiter of the multipart at `index`: everything inside the multipart closes, and with `close` the multipart
    /// itself. Returns its depth, and whether it is a digest.
    pub(super) fn delimit(&mut self, index: usize, close: bool) -> (usize, bool) {
        let Open { depth, digest, .. } = self.open[index];
        let kept = if close { index } else { index + 1 };
        if kept == self.open.len() {
            return (depth, digest);
        }
        for Open { boundary, .. } in self.open.drain(kept..) {
            self.octets -= boundary.len();
            count(&mut self.smaller, boundary[0], |smaller| *smaller -= 1);
        }
        self.sorted.retain(|&index| index < kept);
        (depth, digest)
    }

    /// Matches the line at the front of `buf`, innermost boundary first. `last`: nothing follows `buf`.
    ///
    /// The innermost boundary that is not ruled out decides, or asks for more: an outer boundary can match only
    /// once every inner one is known not to. At most the longest boundary, `--` twice, [`MAX_PADDING`] and a
    /// line break are looked at.
    #[inline]
    pub(super) fn classify(&self, buf: &[u8], last: bool) -> Line {
        match buf {
            [b'-', b'-', first, ..] => match self.with_first(*first) {
                [] => Line::Text,
                [index] => self.classify_as(*index, &buf[2..], last),
                several => self.classify_among(several, &buf[2..], last),
            },
            [b'-', b'-'] | [b'-'] | [] if !last => Line::More,
            _ => Line::Text,
        }
    }

    /// Whether no boundary begins with this octet, so that a line with it after the `--` is no delimiter.
    #[inline]
    pub(super) fn rule_out(&self, first: u8) -> bool {
        self.with_first(first).is_empty()
    }

    /// The boundaries that begin with this octet, sorted.
    #[inline]
    fn with_first(&self, first: u8) -> &[usize] {
        let Some(smaller) = &self.smaller else {
            return &[];
        };
        let at = usize::from(first);
        &self.sorted[smaller[at] as usize..smaller[at + 1] as usize]
    }

    /// Classifies a line that can be a delimiter of this boundary alone. `line` is the text after its `--`.
    fn classify_as(&self, index: usize, line: &[u8], last: bool) -> Line {
        let boundary = &*self.open[index].boundary;
        match line.strip_prefix(boundary) {
            Some(tail) => after_boundary(index, boundary.len(), tail, last),
            None if !last && boundary.starts_with(line) => Line::More,
            None => Line::Text,
        }
    }

    /// The same for several boundaries, which all begin with the first octet of the line.
    fn classify_among(&self, mut possible: &[usize], line: &[u8], last: bool) -> Line {
        let boundary = |index: usize| &*self.open[index].boundary;
        let mut innermost = None;
        let mut decided = Line::Text;
        let mut at = 1;
        // They all begin with the first `at` octets of the line.
        while let (&[low, ..], &[.., high]) = (possible, possible) {
            // Boundaries that end here come first.
            if boundary(low).len() == at {
                let ends = possible.partition_point(|&index| boundary(index).len() == at);
                let index = possible[ends - 1];
                let found = after_boundary(index, at, &line[at..], last);
                if found != Line::Text && innermost < Some(index) {
                    (innermost, decided) = (Some(index), found);
                }
                possible = &possible[ends..];
                continue;
            }
            let ahead = &line[at..];
            let Some(first) = ahead.first() else {
                if !last && innermost < possible.iter().max().copied() {
                    decided = Line::More;
                }
                break;
            };
            // They are sorted: octets that the first and the last have in common, all between them have too.
            let (lowest, highest) = (boundary(low)[at], boundary(high)[at]);
            if !(lowest..=highest).contains(first) {
                break;
            }
            if lowest == highest {
                // Compares no further than the line matches: boundaries may be long, and lines short.
                let both = boundary(low)[at..].iter().zip(&boundary(high)[at..]);
                let shared = ahead.iter().zip(both);
                let shared = shared.take_while(|(a, (low, high))| a == low && a == high);
                at += shared.count();
            } else {
                let start = possible.partition_point(|&index| boundary(index)[at] < *first);
                let end = possible.partition_point(|&index| boundary(index)[at] <= *first);
                possible = &possible[start..end];
                at += 1;
            }
        }
        decided
    }
}

/// Counts a boundary with this first octet in or out.
fn count(smaller: &mut Option<Box<[u32; 257]>>, first: u8, change: fn(&mut u32)) {
    let smaller = smaller.get_or_insert_with(|| Box::new([0; 257]));
    smaller[usize::from(first) + 1..].iter_mut().for_each(change);
}

/// Classifies a line that begins with the boundary at `index`, by the text after it.
#[inline]
fn after_boundary(index: usize, boundary: usize, tail: &[u8], last: bool) -> Line {
    let (close, dashes) = match tail {
        [b'-', b'-', ..] => (true, 2),
        [b'-'] if !last => return Line::More,
        [] | [b' ' | b'\t' | b'\r' | b'\n', ..] => (false, 0),
        _ => return Line::Text,
    };
    match line_end(&tail[dashes..], last) {
        LineEnd::At { padding, line_break } => Line::Delimiter {
            index,
            close,
            len: 2 + boundary + dashes + padding,
            line_break,
        },
        LineEnd::More => Line::More,
        LineEnd::No => Line::Text,
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
    fn a_longer_boundary_further_out_takes_nothing() {
        let stack = open(&["a--", "a", "ab"]);
        assert_eq!(stack.classify(b"--a--\n", false), at(1, true, 5, 1));
        assert_eq!(stack.classify(b"--a", true), at(1, false, 3, 0));
        assert_eq!(stack.classify(b"--a", false), Line::More);
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
