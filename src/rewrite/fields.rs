//! The table of fields: for each name, what happens to it. A field that is not in it goes out as it came.

use crate::header::Field;

/// A field that a rule names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// In lower case.
    pub(super) name: &'static str,
    pub(super) role: Role,
    pub(super) fate: Fate,
}

/// What the rules read a field as.
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
    /// It holds for the body as it is encoded, and for no other form of it.
    OfEncoding,
    /// An address list that no rule reads, only a repair.
    Addresses,
    /// Nobody reads it.
    Unread,
}

/// What happens to a field.
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

const fn decided(name: &'static str, role: Role) -> Row {
    let fate = Fate::Decided;
    Row { name, role, fate }
}

const fn once(name: &'static str) -> Row {
    once_read(name, Role::Unread)
}

const fn once_read(name: &'static str, role: Role) -> Row {
    let fate = Fate::Once;
    Row { name, role, fate }
}

/// An address list that no rule reads.
const fn each(name: &'static str) -> Row {
    Row {
        name,
        role: Role::Addresses,
        fate: Fate::Each,
    }
}

const fn removed(name: &'static str) -> Row {
    removed_read(name, Role::Unread)
}

const fn removed_read(name: &'static str, role: Role) -> Row {
    let fate = Fate::Removed;
    Row { name, role, fate }
}

/// What is in a header section without being a field, and fields of a removed prefix.
static REMOVED: Row = removed("");

/// Prefixes of fields that do not go out: SES takes orders from `X-SES-*` (configuration set, identity ARN), and
/// a sender must not give any; `X-Readdress-*` is for readdress alone.
const REMOVED_PREFIXES: [&str; 2] = ["x-ses-", "x-readdress-"];

/// The exception: a message that passes several aliases carries the route of each.
const KEPT_OF_PREFIX: &str = super::route::ROUTE;

/// The rows by the first letter of their names, since most fields of a message are in none.
///
/// What is removed is what SES writes or verifies itself (Return-Path, Sender, DKIM-Signature, Message-ID, Feedback-ID);
/// what a broken chain of seals would count against (ARC-*); or what would give recipients away (Bcc), make a reader's
/// program answer from the private address (Disposition-Notification-To), misroute errors and loops, or pass for a field
/// that only we write (X-Original-*).
static ROWS: [&[Row]; 26] = {
    let mut rows: [&[Row]; 26] = [&[]; 26];
    rows[letter(b'a')] = &[
        once("accept-language"),
        once("acceptlanguage"),
        once("archived-at"),
        once("auto-submitted"),
        removed("arc-seal"),
        removed("arc-message-signature"),
        removed("arc-authentication-results"),
    ];
    rows[letter(b'b')] = &[removed("bcc"), once("bounces-to")];
    rows[letter(b'c')] = &[
        once_read("content-type", Role::ContentType),
        once_read("content-transfer-encoding", Role::TransferEncoding),
        decided("cc", Role::Cc),
        once_read("content-disposition", Role::ContentDisposition),
        once("content-alternative"),
        once("content-base"),
        once("content-class"),
        once("content-description"),
        once("content-duration"),
        once("content-id"),
        once("content-language"),
        once_read("content-length", Role::OfEncoding),
        once("content-location"),
        once_read("content-md5", Role::OfEncoding),
        once("comments"),
    ];
    rows[letter(b'd')] = &[
        once_read("date", Role::Date),
        removed("dkim-signature"),
        removed("delivered-to"),
        removed("domainkey-signature"),
        removed("disposition-notification-to"),
        once("disposition-notification-options"),
    ];
    rows[letter(b'e')] = &[removed("errors-to")];
    rows[letter(b'f')] = &[decided("from", Role::From), removed("feedback-id")];
    rows[letter(b'g')] = &[removed("generate-delivery-report")];
    rows[letter(b'i')] = &[once_read("in-reply-to", Role::InReplyTo), once("importance")];
    rows[letter(b'k')] = &[once("keywords")];
    rows[letter(b'l')] = &[
        decided("list-unsubscribe", Role::ListUnsubscribe),
        once("list-unsubscribe-post"),
        once("list-id"),
        once("list-archive"),
        once("list-help"),
        once("list-owner"),
        once("list-post"),
        once("list-subscribe"),
        once_read("lines", Role::OfEncoding),
    ];
    rows[letter(b'm')] = &[
        removed_read("message-id", Role::MessageId),
        once("mime-version"),
        once("message-context"),
    ];
    rows[letter(b'o')] = &[
        once("organization"),
        once("original-from"),
        once("original-message-id"),
        once("original-recipient"),
        once("original-subject"),
    ];
    rows[letter(b'p')] = &[once("precedence"), once("priority")];
    rows[letter(b'r')] = &[
        decided("references", Role::References),
        decided("reply-to", Role::ReplyTo),
        removed_read("return-path", Role::ReturnPath),
        removed("return-receipt-to"),
        removed("resent-bcc"),
        each("resent-from"),
        each("resent-to"),
        each("resent-cc"),
        each("resent-sender"),
        each("resent-reply-to"),
    ];
    rows[letter(b's')] = &[
        decided("subject", Role::Subject),
        removed_read("sender", Role::Sender),
        once("sensitivity"),
        once("solicitation"),
    ];
    rows[letter(b't')] = &[
        decided("to", Role::To),
        once("thread-index"),
        once("thread-topic"),
    ];
    rows[letter(b'u')] = &[once("user-agent")];
    rows[letter(b'v')] = &[once("vbr-info")];
    rows
};

/// Rows of names that begin with `x-`, which most others of these names do not go on like.
static EXTENSIONS: &[Row] = &[
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

const fn letter(letter: u8) -> usize {
    (letter - b'a') as usize
}

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

    /// Whether one occurrence of the field counts, for what goes out or for the rules that read it.
    #[inline]
    pub(super) fn is_read_once(&self) -> bool {
        match self.fate {
            Fate::Once | Fate::Decided => true,
            Fate::Removed => self.role != Role::Unread,
            Fate::Each => false,
        }
    }

    /// Looks the field up in the table. `None`: no rule names it.
    #[inline]
    pub(super) fn of(field: &Field<'_>) -> Option<&'static Row> {
        let raw = field.raw();
        let first = raw.first()?.to_ascii_lowercase();
        let rows = match first {
            b'x' => match raw.get(2)?.to_ascii_lowercase() {
                b's' | b'r' if REMOVED_PREFIXES.iter().any(|prefix| begins_with(field, prefix)) => {
                    return (!field.is(KEPT_OF_PREFIX)).then_some(&REMOVED);
                }
                b'o' | b'c' => EXTENSIONS,
                _ => return None,
            },
            b'f' if field.is_mbox_line() => return Some(&REMOVED),
            b'a'..=b'z' => ROWS[usize::from(first - b'a')],
            // Another program's name for a field that begins with a digit or a mark, or no field at all: white space before
            // the first, which programs that trim names take for one, or a byte order mark.
            _ => return field.name().is_empty().then_some(&REMOVED),
        };
        rows.iter().find(|row| field.is(row.name))
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
    use crate::preflight::once_only_fields;

    fn row_of(name: &str) -> Option<&'static Row> {
        let mut header = Header::new();
        header.push(format!("{name}: x\r\n").as_bytes());
        header.fields().next().and_then(|field| Row::of(&field))
    }

    #[test]
    fn every_row_is_found_by_its_name() {
        for row in ROWS.iter().flat_map(|rows| rows.iter()).chain(EXTENSIONS) {
            assert_eq!(row_of(&row.name.to_ascii_uppercase()), Some(row));
        }
        for name in ["Received", "X-Mailer", "X-Readdress-Route", "Fro", "1"] {
            assert_eq!(row_of(name), None, "{name}");
        }
        for name in ["X-SES-Outgoing", "x-readdress-notes", "\u{feff}Subject"] {
            assert_eq!(row_of(name), Some(&REMOVED), "{name}");
        }
    }

    /// Catches a field that SES takes once and that this table has forgotten.
    #[test]
    fn what_ses_takes_once_goes_out_once() {
        for name in once_only_fields() {
            let fate = row_of(name).map(|row| row.fate);
            assert!(
                matches!(fate, Some(Fate::Once | Fate::Decided | Fate::Removed)),
                "{name}: {fate:?}"
            );
        }
    }
}
