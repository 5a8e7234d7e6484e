//! The mechanics of a new header section: which field is kept, changed, left out or added. They know no policy, so every
//! direction of mail can use them.

use std::borrow::Cow;

use super::fields::{Fate, ROWS, Role, Row};
use super::long_lines;
use super::notes::{NOTES, Notes};
use crate::header::{Field, FieldBody, Header, MAX_WRITTEN_NAME, write_field};
use crate::mime;
use crate::preflight::Code;

/// The line ending of a message that has none (RFC 5322 2.1).
pub(super) const CRLF: &[u8] = b"\r\n";

/// The changes that a direction makes to a header section.
#[derive(Default)]
pub(super) struct Changes {
    /// Fields that go out at most once, with the change to each.
    pub(super) once: Vec<Once>,
    /// New bodies of fields that go out each, by their index in the header section, in order; `None` leaves the field out.
    pub(super) each: Vec<(usize, Option<FieldBody>)>,
    /// Fields that are added at the end, in this order.
    pub(super) added: Vec<(Cow<'static, str>, FieldBody)>,
}

/// A field that goes out at most once.
pub(super) struct Once {
    role: Role,
    written: &'static str,
    change: Change,
}

impl Once {
    pub(super) fn new(role: Role, written: &'static str, change: Change) -> Self {
        Once {
            role,
            written,
            change,
        }
    }

    pub(super) fn is_of(&self, role: Role) -> bool {
        self.role == role
    }

    /// The body that goes out in place of the old one.
    pub(super) fn new_body(&self) -> Option<&FieldBody> {
        match &self.change {
            Change::Replace(body) => Some(body),
            Change::Keep | Change::Drop => None,
        }
    }
}

/// The change to a field that goes out at most once.
pub(super) enum Change {
    /// The first that says anything goes out as it is.
    Keep,
    /// Every occurrence is removed.
    Drop,
    /// This body goes out, in the place of the first that says anything, else at the end.
    Replace(FieldBody),
}

/// Which occurrence counts of each field that goes out once: the first that says anything.
pub(super) struct Chosen {
    /// For each row of the table the index of the field, [`NO_FIELD`] where there is none.
    indices: [usize; ROWS],
    /// The rows whose field says anything.
    speaking: [bool; ROWS],
    /// A bit for each role that a chosen field has.
    roles: u32,
}

const NO_FIELD: usize = usize::MAX;

impl Chosen {
    /// Chooses among the fields of a header section. Among the fields that describe the body, the one that the scanner follows
    /// counts. The scanner has read the header section `as_it_came`, its controls included.
    pub(super) fn of(header: &Header, as_it_came: &Header, rows: &[Option<&'static Row>]) -> Self {
        let mut chosen = Chosen {
            indices: [NO_FIELD; ROWS],
            speaking: [false; ROWS],
            roles: 0,
        };
        for (index, (field, row)) in header.fields().zip(rows).enumerate() {
            let Some(row) = row.filter(|row| row.is_read_once()) else {
                continue;
            };
            if chosen.speaking[row.place] {
                continue;
            }
            let says_anything = match row.role {
                Role::ContentType | Role::TransferEncoding | Role::ContentDisposition => as_it_came
                    .field(index)
                    .is_some_and(|field| mime::says_anything(field.body())),
                _ => !row.body(&field).iter().all(u8::is_ascii_whitespace),
            };
            if says_anything || chosen.indices[row.place] == NO_FIELD {
                chosen.indices[row.place] = index;
                chosen.speaking[row.place] = says_anything;
                chosen.roles |= bit(row.role);
            }
        }
        chosen
    }

    /// Whether the field at this index is the one that counts.
    pub(super) fn is(&self, row: &'static Row, index: usize) -> bool {
        self.indices.get(row.place) == Some(&index)
    }

    fn has(&self, role: Role) -> bool {
        self.roles & bit(role) != 0
    }
}

const fn bit(role: Role) -> u32 {
    1 << role as u32
}

/// Writes the new header section.
pub(super) struct Writer<'a> {
    pub(super) header: &'a Header,
    /// The rows of its fields, in order.
    pub(super) rows: &'a [Option<&'static Row>],
    pub(super) chosen: &'a Chosen,
    pub(super) line_ending: &'static [u8],
    /// Whether fields that SES refuses are mended or left out, beyond what the direction changes.
    pub(super) repairs: bool,
    /// Whether the changes to fields that describe the body are made without repairs too: they are no repairs then.
    pub(super) always_changes: bool,
    /// Whether a field lists the repairs: for the owner, and nobody else.
    pub(super) shows_notes: bool,
}

impl Writer<'_> {
    /// Returns the new header section, its empty line included. Repairs are added to the notes.
    pub(super) fn write(&self, changes: &Changes, notes: &mut Notes) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.header.octets() + 1024);
        let mut each = changes.each.iter().peekable();
        for (index, (field, row)) in self.header.fields().zip(self.rows).enumerate() {
            let Some(row) = *row else {
                self.keep(&mut out, &field, notes);
                continue;
            };
            match row.fate {
                Fate::Removed => {}
                Fate::Each => match each.next_if(|(at, _)| *at == index) {
                    Some((_, Some(body))) => {
                        write_field(&mut out, &row.written_name(), body, self.line_ending);
                    }
                    Some((_, None)) => {}
                    None => self.keep(&mut out, &field, notes),
                },
                Fate::Once if !self.repairs && !self.always_changes => self.keep(&mut out, &field, notes),
                Fate::Once | Fate::Decided if !self.chosen.is(row, index) => {
                    if self.repairs {
                        notes.add(Code::DuplicateField);
                    }
                }
                Fate::Once | Fate::Decided => {
                    let once = changes.once.iter().find(|once| once.role == row.role);
                    match once.map(|once| (once.written, &once.change)) {
                        None | Some((_, Change::Keep)) => self.keep(&mut out, &field, notes),
                        Some((_, Change::Drop)) => {}
                        Some((name, Change::Replace(body))) => {
                            write_field(&mut out, name, body, self.line_ending);
                        }
                    }
                }
            }
        }
        self.add(changes, notes, &mut out);
        let empty_line = self.header.empty_line();
        out.extend_from_slice(if empty_line.is_empty() {
            self.line_ending
        } else {
            empty_line
        });
        out
    }

    /// Adds the fields that the message has not got, and the notes as the last of them.
    fn add(&self, changes: &Changes, notes: &Notes, out: &mut Vec<u8>) {
        for Once {
            role,
            written,
            change,
        } in &changes.once
        {
            if let Change::Replace(body) = change
                && !self.chosen.has(*role)
            {
                write_field(out, written, body, self.line_ending);
            }
        }
        for (name, body) in &changes.added {
            debug_assert!(
                name.len() <= MAX_WRITTEN_NAME,
                "{name} leaves an encoded-word no room"
            );
            write_field(out, name, body, self.line_ending);
        }
        if self.shows_notes && !notes.is_empty() {
            let body = FieldBody::words([&*notes.to_string()]);
            write_field(out, NOTES, &body, self.line_ending);
        }
    }

    /// Appends a field as it is, but adds a missing line break where the message was cut off in it, and folds lines that are
    /// too long.
    fn keep(&self, out: &mut Vec<u8>, field: &Field<'_>, notes: &mut Notes) {
        if self.repairs && long_lines::has_any(field.raw()) {
            if long_lines::write_shorter(out, field, self.line_ending) {
                notes.add(Code::LineTooLong);
            }
            return;
        }
        out.extend_from_slice(field.raw());
        if !field.raw().ends_with(b"\n") {
            out.extend_from_slice(self.line_ending);
        }
    }
}
