//! The table of fields that a rule names, and which of them never go out.

use crate::header::Field;

/// A field by what the rules do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    From,
    To,
    ReplyTo,
    Subject,
    References,
    Date,
    InReplyTo,
    Sender,
    ReturnPath,
    MessageId,
    /// It does not go out, and nobody reads it.
    Removed,
}

/// Prefixes of fields that do not go out: SES takes orders from `X-SES-*` (configuration set, identity ARN), and
/// a sender must not give any; `X-Readdress-*` is for readdress alone.
const REMOVED_PREFIXES: [&str; 2] = ["x-ses-", "x-readdress-"];

impl Name {
    /// Looks the field up in the table. `None`: no rule names it.
    #[inline]
    pub(super) fn of(field: &Field<'_>) -> Option<Self> {
        // By the first letter: most fields of a message are none of these.
        let alike: &[(&str, Name)] = match field.raw().first()?.to_ascii_lowercase() {
            b'b' => &[("bcc", Name::Removed)],
            b'd' => &[
                ("date", Name::Date),
                ("delivered-to", Name::Removed),
                ("dkim-signature", Name::Removed),
                ("domainkey-signature", Name::Removed),
                ("disposition-notification-to", Name::Removed),
            ],
            b'e' => &[("errors-to", Name::Removed)],
            b'f' if field.is_mbox_line() => return Some(Name::Removed),
            b'f' => &[("from", Name::From), ("feedback-id", Name::Removed)],
            b'g' => &[("generate-delivery-report", Name::Removed)],
            b'i' => &[("in-reply-to", Name::InReplyTo)],
            b'm' => &[("message-id", Name::MessageId)],
            b'r' => &[
                ("references", Name::References),
                ("reply-to", Name::ReplyTo),
                ("return-path", Name::ReturnPath),
                ("return-receipt-to", Name::Removed),
                ("resent-bcc", Name::Removed),
            ],
            b's' => &[("sender", Name::Sender), ("subject", Name::Subject)],
            b't' => &[("to", Name::To)],
            b'x' => match field.raw().get(2)?.to_ascii_lowercase() {
                b's' | b'r' if REMOVED_PREFIXES.iter().any(|prefix| begins_with(field, prefix)) => {
                    return Some(Name::Removed);
                }
                b'o' => &[
                    ("x-original-from", Name::Removed),
                    ("x-original-sender", Name::Removed),
                    ("x-original-date", Name::Removed),
                    ("x-original-message-id", Name::Removed),
                ],
                b'c' => &[("x-confirm-reading-to", Name::Removed)],
                _ => &[],
            },
            // White space before the first field: what follows it is a field to programs that trim names.
            b' ' | b'\t' => return Some(Name::Removed),
            _ => &[],
        };
        let this = alike.iter().find(|(name, _)| field.is(name));
        this.map(|(_, name)| *name)
    }

    /// Whether it does not go out. SES writes or verifies it itself (Return-Path, Sender, DKIM-Signature, Message-ID,
    /// Feedback-ID); or it would give recipients away (Bcc), make a reader's program answer from the private address
    /// (Disposition-Notification-To), misroute errors and loops, or pass for a field that only we write (X-Original-From).
    #[inline]
    pub(super) fn is_removed(self) -> bool {
        matches!(
            self,
            Name::Sender | Name::ReturnPath | Name::MessageId | Name::Removed
        )
    }
}

/// Whether the field's name begins with this.
fn begins_with(field: &Field<'_>, prefix: &str) -> bool {
    let start = field.raw().get(..prefix.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}
