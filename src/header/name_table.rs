//! Tables of field names, built when the program is compiled.

/// Octets of the longest name in a table.
const MAX_NAME: usize = 32;

/// No name.
const NONE: u8 = u8::MAX;

/// The places of field names in a list. Most fields of a message are in no table, and the first letter and the length of a name
/// nearly always show it.
pub(crate) struct NameTable<const N: usize> {
    names: [&'static str; N],
    /// For each first letter and length the place of one such name.
    first: [[u8; MAX_NAME + 1]; 26],
    /// For each name the place of another that begins and is as long as it.
    next: [u8; N],
}

impl<const N: usize> NameTable<N> {
    /// A table of these names, which are in lower case and all different.
    pub(crate) const fn new(names: [&'static str; N]) -> Self {
        assert!(N < NONE as usize, "a place is one octet");
        let mut first = [[NONE; MAX_NAME + 1]; 26];
        let mut next = [NONE; N];
        let mut at = 0;
        while at < N {
            let is_new = matches!(position(&names, names[at]), Some(first) if first == at);
            assert!(is_new, "a name stands there twice");
            let place = &mut first[(names[at].as_bytes()[0] - b'a') as usize][names[at].len()];
            next[at] = *place;
            #[expect(clippy::cast_possible_truncation, reason = "it is less than N")]
            let here = at as u8;
            *place = here;
            at += 1;
        }
        NameTable { names, first, next }
    }

    /// The place of a name. Case does not count.
    #[inline]
    pub(crate) fn find(&self, name: &[u8]) -> Option<usize> {
        let letter = (name.first()? | 0x20).wrapping_sub(b'a');
        let mut at = *self.first.get(usize::from(letter))?.get(name.len())?;
        while let Some(known) = self.names.get(usize::from(at)) {
            if known.as_bytes().eq_ignore_ascii_case(name) {
                return Some(usize::from(at));
            }
            at = self.next[usize::from(at)];
        }
        None
    }
}

/// The place of a name in a list, when the program is compiled.
pub(crate) const fn position(names: &[&str], name: &str) -> Option<usize> {
    let mut at = 0;
    while at < names.len() {
        if is_same(names[at], name) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Whether two names are the same, when the program is compiled.
pub(crate) const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    static TABLE: NameTable<5> =
        NameTable::new(["to", "cc", "tc", "date", "disposition-notification-options"]);

    #[test]
    fn names_are_found_whatever_their_case() {
        for (at, name) in TABLE.names.iter().enumerate() {
            assert_eq!(TABLE.find(name.as_bytes()), Some(at));
            assert_eq!(TABLE.find(name.to_ascii_uppercase().as_bytes()), Some(at));
        }
        let long = "d".repeat(MAX_NAME + 1);
        for name in [
            "", "t", "toe", "tt", "T\u{f}", "\u{14}o", "@", "[", "1", "\u{e9}", &long,
        ] {
            assert_eq!(TABLE.find(name.as_bytes()), None, "{name:?}");
        }
    }
}
