//! Options of the alias map that are written wrong.

/// Other words for options.
const OTHER_WORDS: [(&str, &str); 6] = [
    ("target", "to"),
    ("targets", "to"),
    ("disable", "enabled"),
    ("disabled", "enabled"),
    ("active", "enabled"),
    ("prefix", "subject_prefix"),
];

/// The longest name that is compared with those of the options.
const MAX_OPTION: usize = 24;

/// The option that was probably meant: the same word in another spelling, or with a letter or two that are wrong.
pub(super) fn meant(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let letters = |name: &str| -> Vec<u8> {
        let letters = name.bytes().filter(u8::is_ascii_alphanumeric);
        letters.map(|letter| letter.to_ascii_lowercase()).collect()
    };
    let written = letters(name);
    if written.is_empty() || written.len() > MAX_OPTION {
        return None;
    }
    if let Some((_, meant)) = OTHER_WORDS.iter().find(|(word, _)| word.as_bytes() == written) {
        return Some(meant);
    }
    let mut near = known.map(|known| (distance(&written, &letters(known)), known));
    near.find_map(|(distance, known)| (distance <= (known.len() / 3).min(2)).then_some(known))
}

/// The number of letters that have to be inserted, left out or replaced to make one word of the other.
fn distance(one: &[u8], other: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}
