//! The table of fields: for each name, the treatment of the field. A field that is not in the table goes out as it came.

use crate::header::{Field, NameTable, is_same};
use crate::preflight::ONCE_ONLY;

/// A field that a rule names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// In lower case.
    pub(super) name: &'static str,
    pub(super) role: Role,
    pub(super) fate: Fate,
    /// Where it stands in the table.
    pub(super) place: usize,
}

/// The role of a field for the rules that read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    From,
    To,
    Cc,
    ReplyTo,
    Subject,
    References,
    ListUnsubscribe,
    Date,
    InReplyTo,
    Sender,
    ReturnPath,
    MessageId,
    ContentType,
    ContentDisposition,
    TransferEncoding,
    /// It is valid for the body in its present encoding only.
    OfEncoding,
    /// An address list that no rule reads, only a repair.
    Addresses,
    /// Nobody reads it.
    Unread,
}

/// The treatment of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes out once; the direction decides what it says.
    Decided,
    /// It goes out once, as it came: the first that says anything. SES refuses a second.
    Once,
    /// It goes out as often as it came, repaired where SES would refuse it.
    Each,
    /// It does not go out.
    Removed,
}

const fn row(name: &'static str, role: Role, fate: Fate) -> Row {
    Row {
        name,
        role,
        fate,
        place: 0,
    }
}

const fn decided(name: &'static str, role: Role) -> Row {
    row(name, role, Fate::Decided)
}

const fn once_read(name: &'static str, role: Role) -> Row {
    row(name, role, Fate::Once)
}

/// An address list that no rule reads.
const fn each(name: &'static str) -> Row {
    row(name, Role::Addresses, Fate::Each)
}

const fn removed(name: &'static str) -> Row {
    removed_read(name, Role::Unread)
}

const fn removed_read(name: &'static str, role: Role) -> Row {
    row(name, role, Fate::Removed)
}

/// The row of fields with a removed prefix, and of lines in a header section that are no fields.
static REMOVED: Row = removed("");

/// Prefixes of fields that do not go out: SES takes orders from `X-SES-*` (configuration set, identity ARN), and
/// a sender must not give any; `X-Readdress-*` is for readdress alone.
const REMOVED_PREFIXES: [&str; 2] = ["x-ses-", "x-readdress-"];

/// The exception: a message that passes several aliases carries the route of each.
const KEPT_OF_PREFIX: &str = super::route::ROUTE;

/// The rows that say more than that a field goes out once.
///
/// Three kinds of fields are removed: those that SES writes or verifies itself (Return-Path, Sender, DKIM-Signature,
/// Message-ID, Feedback-ID); seals whose chain is broken by the change and would count against the message (ARC-*); and those
/// that would give recipients away (Bcc), make a reader's program answer from the private address
/// (Disposition-Notification-To), misroute errors and loops, or pass for a field that only we write (X-Original-*).
const NAMED: [Row; 51] = [
    decided("from", Role::From),
    decided("to", Role::To),
    decided("cc", Role::Cc),
    decided("reply-to", Role::ReplyTo),
    decided("subject", Role::Subject),
    decided("references", Role::References),
    decided("list-unsubscribe", Role::ListUnsubscribe),
    once_read("content-type", Role::ContentType),
    once_read("content-transfer-encoding", Role::TransferEncoding),
    once_read("content-disposition", Role::ContentDisposition),
    once_read("content-length", Role::OfEncoding),
    once_read("content-md5", Role::OfEncoding),
    once_read("lines", Role::OfEncoding),
    once_read("date", Role::Date),
    once_read("in-reply-to", Role::InReplyTo),
    each("resent-from"),
    each("resent-to"),
    each("resent-cc"),
    each("resent-sender"),
    each("resent-reply-to"),
    removed_read("message-id", Role::MessageId),
    removed_read("return-path", Role::ReturnPath),
    removed_read("sender", Role::Sender),
    removed("arc-seal"),
    removed("arc-message-signature"),
    removed("arc-authentication-results"),
    removed("bcc"),
    removed("dkim-signature"),
    removed("delivered-to"),
    removed("domainkey-signature"),
    removed("disposition-notification-to"),
    removed("errors-to"),
    removed("feedback-id"),
    removed("generate-delivery-report"),
    removed("return-receipt-to"),
    removed("resent-bcc"),
    removed("x-confirm-reading-to"),
    removed("x-original-from"),
    removed("x-original-sender"),
    removed("x-original-date"),
    removed("x-original-message-id"),
    removed("x-original-reply-to"),
    removed("x-original-to"),
    removed("x-original-cc"),
    removed("x-original-recipients"),
    removed("x-original-list-unsubscribe"),
    removed("x-original-resent-from"),
    removed("x-original-resent-to"),
    removed("x-original-resent-cc"),
    removed("x-original-resent-sender"),
    removed("x-original-resent-reply-to"),
];

/// Whether a field that SES takes once has no row of its own.
const fn is_plain(name: &str) -> bool {
    let mut at = 0;
    while at < NAMED.len() {
        if is_same(NAMED[at].name, name) {
            return false;
        }
        at += 1;
    }
    true
}

/// How many rows there are.
pub(super) const ROWS: usize = {
    let (mut count, mut at) = (NAMED.len(), 0);
    while at < ONCE_ONLY.len() {
        count += is_plain(ONCE_ONLY[at]) as usize;
        at += 1;
    }
    count
};

/// The rows: those above, and one for each further field that SES takes once.
static TABLE: [Row; ROWS] = {
    let mut rows = [removed(""); ROWS];
    let (mut count, mut at) = (0, 0);
    while at < NAMED.len() + ONCE_ONLY.len() {
        let row = match at.checked_sub(NAMED.len()) {
            None => Some(NAMED[at]),
            Some(at) if is_plain(ONCE_ONLY[at]) => Some(once_read(ONCE_ONLY[at], Role::Unread)),
            Some(_) => None,
        };
        if let Some(row) = row {
            rows[count] = Row { place: count, ..row };
            count += 1;
        }
        at += 1;
    }
    rows
};

static NAMES: NameTable<ROWS> = {
    let mut names = [""; ROWS];
    let mut at = 0;
    while at < ROWS {
        names[at] = TABLE[at].name;
        at += 1;
    }
    NameTable::new(names)
};

impl Row {
    /// The name as it is written: each word with a capital letter.
    pub(super) fn written_name(&self) -> String {
        let mut at_start = true;
        let letter = |c: char| {
            let was_at_start = std::mem::replace(&mut at_start, c == '-');
            if was_at_start { c.to_ascii_uppercase() } else { c }
        };
        self.name.chars().map(letter).collect()
    }

    /// Whether a single occurrence of the field counts, in the output or for the rules that read it.
    #[inline]
    pub(super) fn is_read_once(&self) -> bool {
        match self.fate {
            Fate::Once | Fate::Decided => true,
            Fate::Removed => self.role != Role::Unread,
            Fate::Each => false,
        }
    }

    /// The body of a field that has this row.
    #[inline]
    pub(super) fn body<'a>(&self, field: &Field<'a>) -> &'a [u8] {
        field.body_behind(self.name.len())
    }

    /// Looks the field up in the table. `None`: no rule names it.
    #[inline]
    pub(super) fn of(field: &Field<'_>) -> Option<&'static Row> {
        let raw = field.raw();
        match raw.first()?.to_ascii_lowercase() {
            b'x' => match raw.get(2)?.to_ascii_lowercase() {
                b's' | b'r' if REMOVED_PREFIXES.iter().any(|prefix| begins_with(field, prefix)) => {
                    return (!field.is(KEPT_OF_PREFIX)).then_some(&REMOVED);
                }
                b'o' | b'c' => {}
                _ => return None,
            },
            b'f' if field.is_mbox_line() => return Some(&REMOVED),
            b'a'..=b'z' => {}
            // Another program's name for a field that begins with a digit or a mark, or no field at all: white space before
            // the first, which programs that trim names take for one, or a byte order mark.
            _ => return field.name().is_empty().then_some(&REMOVED),
        }
        NAMES.find(field.up_to_colon()?).map(|at| &TABLE[at])
    }
}

/// Whether the field's name begins with this.
fn begins_with(field: &Field<'_>, prefix: &str) -> bool {
    let start = field.raw().get(..prefix.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    fn row_of(name: &str) -> Option<&'static Row> {
        let mut header = Header::new();
        header.push(format!("{name}: x\r\n").as_bytes());
        header.fields().next().and_then(|field| Row::of(&field))
    }

    #[test]
    fn every_row_is_found_by_its_name() {
        for row in &TABLE {
            assert_eq!(row_of(&row.name.to_ascii_uppercase()), Some(row));
            assert_eq!(row_of(&format!("{} \t", row.name)), Some(row));
        }
        for name in ["Received", "X-Mailer", "X-Readdress-Route", "Fro", "1"] {
            assert_eq!(row_of(name), None, "{name}");
        }
        for name in ["X-SES-Outgoing", "x-readdress-notes", "\u{feff}Subject"] {
            assert_eq!(row_of(name), Some(&REMOVED), "{name}");
        }
    }

    /// Catches a row that repeats a field which SES takes only once.
    #[test]
    fn what_ses_takes_once_goes_out_once() {
        for name in ONCE_ONLY {
            let fate = row_of(name).map(|row| row.fate);
            assert!(
                matches!(fate, Some(Fate::Once | Fate::Decided | Fate::Removed)),
                "{name}: {fate:?}"
            );
        }
    }
}
