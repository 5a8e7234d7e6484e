//! Searches for octets that quoted-printable text cannot hold as they are, eight at once. One by one they would be most of the
//! work that a large text costs.

/// The lowest bit of each octet of a word, and the highest.
const LOW: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = LOW << 7;

/// Octets at the front that quoted-printable text holds as they are, but for a blank at the end of a line.
pub(super) fn printable_run(octets: &[u8]) -> usize {
    run(octets, |word| any_below(word, b' ') | any_equal(word, b'='))
}

/// Octets at the front that quoted-printable text that came keeps as they are: no line breaks, nothing that is quoted or has to
/// be.
pub(super) fn run_of_a_line(octets: &[u8]) -> usize {
    run(octets, |word| {
        any_below(word, 1) | any_equal(word, b'\r') | any_equal(word, b'\n') | any_equal(word, b'=')
    })
}

/// Octets before the first that is above `~` or has its highest bit set by `is_bad`, which is asked of eight at once. The first
/// octet is the lowest of its word, so that what carries from one to the next does not reach those before it.
fn run(octets: &[u8], is_bad: impl Fn(u64) -> u64) -> usize {
    let bad = |octets: &[u8; 8]| {
        let word = u64::from_le_bytes(*octets);
        // `~` is 126: one more has the highest bit.
        (word | word.wrapping_add(LOW) | is_bad(word)) & HIGH
    };
    let (words, rest) = octets.as_chunks();
    let mut at = 0;
    for word in words {
        let bad = bad(word);
        if bad != 0 {
            return at + octets_before(bad);
        }
        at += 8;
    }
    let mut last = [0xff; 8];
    last[..rest.len()].copy_from_slice(rest);
    at + octets_before(bad(&last)).min(rest.len())
}

/// Octets of a word before the first with a bit.
fn octets_before(word: u64) -> usize {
    word.trailing_zeros() as usize / 8
}

/// The highest bit of the first octet of the word that is below `limit`, if there is one and none before it is above 127.
fn any_below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(LOW * u64::from(limit)) & !word
}

/// The same of the first that is this octet.
fn any_equal(word: u64, octet: u8) -> u64 {
    any_below(word ^ (LOW * u64::from(octet)), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every octet, at every place of a word, among octets that pass and among octets of each other kind.
    #[test]
    fn eight_octets_at_once_are_judged_as_one_by_one() {
        let is_printable = |b: &u8| matches!(b, b' '..=b'~') && *b != b'=';
        let is_of_a_line = |b: &u8| matches!(b, 1..=b'~') && !b"\r\n=".contains(b);
        for octet in 0..=255_u8 {
            for (at, other) in
                (0..19).flat_map(|at| [b'x', b' ', b'~', b'=', 0, 255].map(|other| (at, other)))
            {
                for begin in [b'x', other] {
                    let mut octets = [other; 19];
                    octets[..at].fill(begin);
                    octets[at] = octet;
                    let printable = octets.iter().take_while(|b| is_printable(b)).count();
                    let of_a_line = octets.iter().take_while(|b| is_of_a_line(b)).count();
                    assert_eq!(printable_run(&octets), printable, "{octets:?}");
                    assert_eq!(run_of_a_line(&octets), of_a_line, "{octets:?}");
                }
            }
        }
    }
}
