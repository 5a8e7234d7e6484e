//! Limits on the lines of a header section, and folding (RFC 5322 2.1.1, 2.2.3).

use memchr::memchr2_iter;

/// Octets of a line at most, its line break not counted (RFC 5322 2.1.1; SES's documentation: 1,000 with CRLF).
pub(crate) const MAX_LINE: usize = 998;

/// Columns at which a field is folded (RFC 5322 2.1.1).
pub(crate) const FOLD_AT: usize = 78;

/// Octets of the longest word that is written as it is. A line is at most 998 octets (RFC 5322 2.1.1) and cannot
/// be folded inside a word; the rest is room for the field name.
pub(crate) const MAX_WORD: usize = 900;

/// Octets of the longest name of a field that is written. An encoded-word behind the name cannot be folded away from it, so
/// room is left for this much.
pub(crate) const MAX_WRITTEN_NAME: usize = "X-Original-List-Unsubscribe".len();

/// Spaces in a row that are kept: a run cannot be folded inside either, and nobody reads more.
pub(super) const MAX_BLANKS: usize = 60;

/// Whether there are more than [`MAX_BLANKS`] spaces in a row.
pub(super) fn has_long_blank(text: &str) -> bool {
    let text = text.as_bytes();
    // A longer run covers at least one of every [`MAX_BLANKS`] octets.
    let mut at = MAX_BLANKS;
    while let Some(&octet) = text.get(at) {
        if octet == b' ' {
            let is_other = |&b: &u8| b != b' ';
            let start = text[..at]
                .iter()
                .rposition(is_other)
                .map_or(0, |before| before + 1);
            let end = text[at..]
                .iter()
                .position(is_other)
                .map_or(text.len(), |len| at + len);
            if end - start > MAX_BLANKS {
                return true;
            }
            at = end;
        }
        at += MAX_BLANKS + 1;
    }
    false
}

/// Whether there is a word longer than [`MAX_WORD`].
pub(crate) fn has_long_word(text: &[u8]) -> bool {
    let mut words = text.split(u8::is_ascii_whitespace);
    text.len() > MAX_WORD && words.any(|word| word.len() > MAX_WORD)
}

/// Returns a field body without the line breaks of its folds (RFC 5322 2.2.3), and without any bare CR.
pub(crate) fn unfolded(body: &[u8]) -> Vec<u8> {
    let mut unfolded = Vec::with_capacity(body.len());
    let mut start = 0;
    for at in memchr2_iter(b'\r', b'\n', body) {
        unfolded.extend_from_slice(&body[start..at]);
        start = at + 1;
    }
    unfolded.extend_from_slice(&body[start..]);
    unfolded
}

/// Where a field that came is folded: before the last blank in front of a word, on a line that is long enough and says
/// something already. A line of blanks alone would end the header section for some, as would a fold before the colon.
#[derive(Clone, Debug, Default)]
pub(crate) struct FoldPlaces {
    column: usize,
    after_colon: bool,
    says_something: bool,
}

impl FoldPlaces {
    /// Takes the next octet, which another follows. Returns whether a fold goes before it.
    pub(crate) fn take(&mut self, octet: u8, next: Option<u8>) -> bool {
        let is_blank = |b: u8| matches!(b, b' ' | b'\t');
        let may_fold = self.after_colon && self.says_something && self.column > FOLD_AT;
        let folds = may_fold && is_blank(octet) && next.is_some_and(|next| !is_blank(next));
        if folds {
            self.new_line();
        }
        self.says_something |= !is_blank(octet);
        self.after_colon |= octet == b':';
        self.column += 1;
        folds
    }

    /// A line break comes, or was made.
    pub(crate) fn new_line(&mut self) {
        self.column = 0;
        self.says_something = false;
    }
}

/// Whether all lines of a field are short enough when it is folded this way.
pub(crate) fn can_be_folded(field: &[u8]) -> bool {
    let mut places = FoldPlaces::default();
    field.split_inclusive(|&b| b == b'\n').all(|line| {
        let ended = line.strip_suffix(b"\n");
        let text = ended.map_or(line, |text| text.strip_suffix(b"\r").unwrap_or(text));
        places.new_line();
        let mut octets = text.iter().copied().peekable();
        while let Some(octet) = octets.next() {
            let next = octets.peek().copied();
            places.take(octet, next);
            // Without a line feed, a carriage return at the end is of a line break that was cut off.
            let is_cut_off = ended.is_none() && octet == b'\r' && next.is_none();
            if places.column > MAX_LINE && !is_cut_off {
                return false;
            }
        }
        true
    })
}

/// The value of a hexadecimal digit.
pub(crate) fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Octets in hexadecimal digits, in small letters.
pub(crate) fn hexadecimal(octets: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    let mut digits = String::with_capacity(2 * octets.len());
    for octet in octets {
        digits.push(digit(octet >> 4));
        digits.push(digit(octet & 15));
    }
    digits
}

/// The text with a space in place of every control character.
pub(crate) fn without_controls(text: &str) -> String {
    if text.chars().all(|c| printable(c) == c) {
        return text.to_owned();
    }
    text.chars().map(printable).collect()
}

/// Replaces a control or a line break, or a character that some program takes for one, with a space.
pub(super) fn printable(c: char) -> char {
    if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
        ' '
    } else {
        c
    }
}

/// Whether the character itself is invisible: general category Cf of Unicode 16, and the characters that are made to look like
/// nothing, such as the Hangul fillers and the empty braille pattern.
///
/// The two variation selectors that emoji are written with (U+FE0E, U+FE0F) are not among them.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Catches a line that is taken for short because it ends with a CR too many.
    #[test]
    fn only_the_line_break_itself_does_not_count() {
        let most = "x".repeat(MAX_LINE);
        for (end, fits) in [
            ("", true),
            ("\r", true),
            ("\r\n", true),
            ("\n", true),
            ("\r\r\n", false),
            ("y\r\n", false),
        ] {
            assert_eq!(can_be_folded(format!("{most}{end}").as_bytes()), fits, "{end:?}");
        }
    }
}
