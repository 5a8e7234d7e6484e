//! The mechanics of a new header section: which field is kept, changed, left out or added. They know no policy, so that
//! every direction of mail can use them.

use super::fields::Name;
use crate::header::{Field, FieldBody, Header, MAX_WRITTEN_NAME, write_field};

/// Fields that go out at most once, whose change a direction decides.
pub(super) const ONCE: usize = 6;

/// What a direction makes of a header section.
pub(super) struct Changes {
    pub(super) once: [Once; ONCE],
    /// Fields that are added at the end, in this order.
    pub(super) added: Vec<(&'static str, FieldBody)>,
}

/// A field that goes out at most once.
pub(super) struct Once {
    name: Name,
    written: &'static str,
    change: Change,
}

impl Once {
    pub(super) fn new(name: Name, written: &'static str, change: Change) -> Self {
        Once {
            name,
            written,
            change,
        }
    }
}

/// What becomes of a field that goes out at most once.
pub(super) enum Change {
    /// The first occurrence goes out as it is.
    Keep,
    /// Every occurrence is removed.
    Drop,
    /// This body goes out, in the place of the first occurrence, else at the end.
    Replace(FieldBody),
}

/// Returns the new header section, its empty line included. `names` are those of the fields, in order.
pub(super) fn apply(
    header: &Header,
    names: &[Option<Name>],
    changes: &Changes,
    line_ending: &[u8],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(header.octets() + 1024);
    let mut seen = [false; ONCE];
    for (field, &name) in header.fields().zip(names) {
        let Some(name) = name else {
            keep(&mut out, &field, line_ending);
            continue;
        };
        if name.is_removed() {
            continue;
        }
        let Some(at) = changes.once.iter().position(|once| once.name == name) else {
            keep(&mut out, &field, line_ending);
            continue;
        };
        let first = !seen[at];
        seen[at] = true;
        match &changes.once[at].change {
            Change::Keep if first => keep(&mut out, &field, line_ending),
            Change::Replace(body) if first => {
                write_field(&mut out, changes.once[at].written, body, line_ending);
            }
            _ => {}
        }
    }
    for (once, seen) in changes.once.iter().zip(seen) {
        if let (false, Change::Replace(body)) = (seen, &once.change) {
            write_field(&mut out, once.written, body, line_ending);
        }
    }
    for (name, body) in &changes.added {
        debug_assert!(
            name.len() <= MAX_WRITTEN_NAME,
            "{name} leaves an encoded-word no room"
        );
        write_field(&mut out, name, body, line_ending);
    }
    let empty_line = header.empty_line();
    out.extend_from_slice(if empty_line.is_empty() {
        line_ending
    } else {
        empty_line
    });
    out
}

/// Appends a field as it is; one that the message was cut off in gets its line break.
fn keep(out: &mut Vec<u8>, field: &Field<'_>, line_ending: &[u8]) {
    out.extend_from_slice(field.raw());
    if !field.raw().ends_with(b"\n") {
        out.extend_from_slice(line_ending);
    }
}
