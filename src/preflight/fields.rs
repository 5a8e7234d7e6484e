//! The table of fields that SES has rules for.

use crate::header::{NameTable, is_same, position};

/// How a field is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// An address list, whichever of [`ADDRESS_FIELDS`].
    Address(usize),
    ContentType,
    ContentDisposition,
    Subject,
    Other,
}

/// A field that SES has rules for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) role: Role,
    /// SES takes it once only: see [`ONCE_ONLY`].
    pub(super) is_once: bool,
    /// It must not go out: SES writes or verifies it itself, or it tells who else got the message.
    pub(super) is_removed: bool,
}

pub(super) const FROM: usize = 0;
pub(super) const SENDER: usize = 1;
pub(super) const REPLY_TO: usize = 2;
pub(super) const TO: usize = 3;
pub(super) const CC: usize = 4;
pub(super) const RETURN_PATH: usize = 6;

/// Fields that SES reads as address lists.
pub(super) const ADDRESS_FIELDS: [&str; 7] = ["from", "sender", "reply-to", "to", "cc", "bcc", "return-path"];

/// The fields that SES takes once only: its list, and To and Cc, of which RFC 5322 3.6 allows one each. In lower case.
pub(crate) const ONCE_ONLY: [&str; 62] = [
    "accept-language",
    "acceptlanguage",
    "archived-at",
    "auto-submitted",
    "bounces-to",
    "cc",
    "comments",
    "content-alternative",
    "content-base",
    "content-class",
    "content-description",
    "content-disposition",
    "content-duration",
    "content-id",
    "content-language",
    "content-length",
    "content-location",
    "content-md5",
    "content-transfer-encoding",
    "content-type",
    "date",
    "delivered-to",
    "disposition-notification-options",
    "disposition-notification-to",
    "dkim-signature",
    "domainkey-signature",
    "errors-to",
    "from",
    "importance",
    "in-reply-to",
    "keywords",
    "list-archive",
    "list-help",
    "list-id",
    "list-owner",
    "list-post",
    "list-subscribe",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "message-context",
    "message-id",
    "mime-version",
    "organization",
    "original-from",
    "original-message-id",
    "original-recipient",
    "original-subject",
    "precedence",
    "priority",
    "references",
    "reply-to",
    "return-path",
    "return-receipt-to",
    "sender",
    "sensitivity",
    "solicitation",
    "subject",
    "thread-index",
    "thread-topic",
    "to",
    "user-agent",
    "vbr-info",
];

/// Fields with rules that may come more than once.
const OFTEN: [&str; 3] = ["bcc", "feedback-id", "resent-bcc"];

/// Fields that must not go out.
const REMOVED: [&str; 9] = [
    "bcc",
    "delivered-to",
    "dkim-signature",
    "domainkey-signature",
    "errors-to",
    "feedback-id",
    "resent-bcc",
    "return-path",
    "sender",
];

/// Every field that SES has rules for.
static KNOWN: [Known; ONCE_ONLY.len() + OFTEN.len()] = {
    let mut all = [known("", false); ONCE_ONLY.len() + OFTEN.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < ONCE_ONLY.len() {
            known(ONCE_ONLY[at], true)
        } else {
            known(OFTEN[at - ONCE_ONLY.len()], false)
        };
        at += 1;
    }
    all
};

static TABLE: NameTable<{ KNOWN.len() }> = {
    let mut names = [""; KNOWN.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = KNOWN[at].name;
        at += 1;
    }
    NameTable::new(names)
};

const fn known(name: &'static str, is_once: bool) -> Known {
    Known {
        name,
        role: role(name),
        is_once,
        is_removed: position(&REMOVED, name).is_some(),
    }
}

const fn role(name: &str) -> Role {
    if let Some(which) = position(&ADDRESS_FIELDS, name) {
        Role::Address(which)
    } else if is_same(name, "content-type") {
        Role::ContentType
    } else if is_same(name, "content-disposition") {
        Role::ContentDisposition
    } else if is_same(name, "subject") {
        Role::Subject
    } else {
        Role::Other
    }
}

/// The field of this name, if SES has rules for it. Case does not count.
pub(super) fn find(name: &[u8]) -> Option<&'static Known> {
    TABLE.find(name).map(|at| &KNOWN[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_with_its_rules() {
        for field in &KNOWN {
            assert_eq!(find(field.name.to_ascii_uppercase().as_bytes()), Some(field));
        }
        // SES documents 60 fields; To, Cc and three that are only removed.
        assert_eq!(KNOWN.len(), 60 + 2 + 3);
        let names = |is: fn(&Known) -> bool| KNOWN.iter().filter(|&known| is(known)).count();
        assert_eq!(names(|known| known.is_removed), REMOVED.len());
        let is_address = |known: &Known| matches!(known.role, Role::Address(_));
        assert_eq!(names(is_address), ADDRESS_FIELDS.len());
        for name in ["received", "x-mailer", "from ", "", "\u{e9}", "1", "~"] {
            assert_eq!(find(name.as_bytes()), None);
        }
    }
}
