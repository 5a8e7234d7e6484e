//! The difference of two header sections. Fields are matched and not lines, by their names and in their order: the work is
//! linear, whatever a stranger writes.

use std::collections::HashMap;

use readdress::header::Header;
use readdress::rewrite::HeaderReader;

/// A field before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Difference<'a> {
    Kept(&'a [u8]),
    Changed(&'a [u8], &'a [u8]),
    Removed(&'a [u8]),
    Added(&'a [u8]),
}

/// The header section that these octets are, its empty line included.
pub(super) fn read(section: &[u8]) -> Header {
    let read = HeaderReader::default().read(&mut &section[..], true);
    read.ok().flatten().map(|head| head.header).unwrap_or_default()
}

/// A name in small letters, or the octets of what has none.
fn name(field: &[u8]) -> Vec<u8> {
    let end = field.iter().position(|&b| b == b':').unwrap_or(field.len());
    field[..end].trim_ascii().to_ascii_lowercase()
}

/// How often each of these comes in what is left.
struct Left<'a> {
    names: HashMap<Vec<u8>, usize>,
    fields: HashMap<&'a [u8], usize>,
}

impl<'a> Left<'a> {
    fn of(fields: &[&'a [u8]]) -> Self {
        let mut left = Left {
            names: HashMap::new(),
            fields: HashMap::new(),
        };
        for field in fields {
            *left.names.entry(name(field)).or_default() += 1;
            *left.fields.entry(field).or_default() += 1;
        }
        left
    }

    fn take(&mut self, field: &[u8]) {
        if let Some(count) = self.names.get_mut(&name(field)) {
            *count -= 1;
        }
        if let Some(count) = self.fields.get_mut(field) {
            *count -= 1;
        }
    }

    fn named(&self, field: &[u8]) -> usize {
        self.names.get(&name(field)).copied().unwrap_or_default()
    }

    fn has(&self, field: &[u8]) -> bool {
        self.fields.get(field).is_some_and(|&count| count > 0)
    }
}

/// Passes the differences to `each`, in order. What was removed comes before what was added in its place.
pub(super) fn compare<'a>(before: &'a Header, after: &'a Header, each: &mut dyn FnMut(Difference<'a>)) {
    let before: Vec<&[u8]> = before.fields().map(|field| field.raw()).collect();
    let after: Vec<&[u8]> = after.fields().map(|field| field.raw()).collect();
    let (mut old, mut new) = (Left::of(&before), Left::of(&after));
    let (mut before, mut after) = (before.into_iter().peekable(), after.into_iter().peekable());
    loop {
        let (takes_old, takes_new, difference) = match (before.peek().copied(), after.peek().copied()) {
            (None, None) => return,
            (Some(was), None) => (true, false, Difference::Removed(was)),
            (Some(was), Some(is)) if was == is => (true, true, Difference::Kept(is)),
            // The one that stays comes later.
            (Some(was), Some(is)) if old.has(is) && (old.named(was) > new.named(was)) => {
                (true, false, Difference::Removed(was))
            }
            (Some(was), Some(is)) if name(was) == name(is) => (true, true, Difference::Changed(was, is)),
            (Some(was), Some(_)) if new.named(was) == 0 => (true, false, Difference::Removed(was)),
            (_, Some(is)) => (false, true, Difference::Added(is)),
        };
        if takes_old && let Some(was) = before.next() {
            old.take(was);
        }
        if takes_new && let Some(is) = after.next() {
            new.take(is);
        }
        each(difference);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &str, after: &str) -> String {
        let section = |fields: &str| {
            let fields: String = fields
                .split_whitespace()
                .map(|field| format!("{field}\n"))
                .collect();
            read(format!("{fields}\n").as_bytes())
        };
        let (before, after) = (section(before), section(after));
        let mut shown = Vec::new();
        let text = |field: &[u8]| String::from_utf8(field.trim_ascii().to_vec()).unwrap();
        compare(&before, &after, &mut |difference| {
            shown.push(match difference {
                Difference::Kept(field) => text(field),
                Difference::Changed(was, is) => format!("{}>{}", text(was), text(is)),
                Difference::Removed(field) => format!("-{}", text(field)),
                Difference::Added(field) => format!("+{}", text(field)),
            });
        });
        shown.join(" ")
    }

    #[test]
    fn fields_are_matched_by_their_names() {
        for (before, after, want) in [
            ("A:1 B:2", "A:1 B:2", "A:1 B:2"),
            ("A:1 B:2 C:3", "A:1 b:4 C:3 D:5", "A:1 B:2>b:4 C:3 +D:5"),
            ("A:1 B:2 C:3", "A:1 C:3", "A:1 -B:2 C:3"),
            // Of a field that comes twice one goes out.
            ("A:1 B:2 A:3", "A:1 B:2", "A:1 B:2 -A:3"),
            ("A: A:3 B:2", "A:3 B:2", "-A: A:3 B:2"),
            // One of ours in place of one that came.
            ("X-O:1 B:2", "B:2 X-O:3", "+B:2 X-O:1>X-O:3 -B:2"),
            ("", "A:1", "+A:1"),
        ] {
            assert_eq!(shown(before, after), want, "{before} / {after}");
        }
    }
}
