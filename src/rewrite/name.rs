//! The fields that a rule names.

use crate::header::Field;

/// Which one it is.
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

impl Name {
    /// Which one this field is; `None`: no rule names it.
    pub(super) fn of(field: &Field<'_>) -> Option<Self> {
        // By the first letter: most fields of a message are none of these.
        let alike: &[(&str, Name)] = match field.raw().first()?.to_ascii_lowercase() {
            b'b' => &[("bcc", Name::Removed)],
            b'd' => &[
                ("date", Name::Date),
                ("delivered-to", Name::Removed),
                ("dkim-signature", Name::Removed),
                ("domainkey-signature", Name::Removed),
            ],
            b'e' => &[("errors-to", Name::Removed)],
            b'f' => &[("from", Name::From), ("feedback-id", Name::Removed)],
            b'i' => &[("in-reply-to", Name::InReplyTo)],
            b'm' => &[("message-id", Name::MessageId)],
            b'r' => &[
                ("references", Name::References),
                ("reply-to", Name::ReplyTo),
                ("return-path", Name::ReturnPath),
            ],
            b's' => &[("sender", Name::Sender), ("subject", Name::Subject)],
            b't' => &[("to", Name::To)],
            _ => &[],
        };
        let this = alike.iter().find(|(name, _)| field.is(name));
        this.map(|(_, name)| *name)
    }

    /// Does it not go out? SES writes or verifies these itself (Return-Path, Sender, DKIM-Signature, Message-ID,
    /// Feedback-ID), or they would give recipients away (Bcc) or misroute errors and loops.
    pub(super) fn is_removed(self) -> bool {
        matches!(
            self,
            Name::Sender | Name::ReturnPath | Name::MessageId | Name::Removed
        )
    }
}
