//! The table of fields that SES has rules for.

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
    /// It is taken once only. SES's list, and To and Cc, of which RFC 5322 3.6 allows one each.
    pub(super) is_once: bool,
    /// It must not go out: SES writes or verifies it itself, or it tells who else got the message.
    pub(super) is_removed: bool,
}

pub(super) const FROM: usize = 0;
pub(super) const SENDER: usize = 1;
pub(super) const REPLY_TO: usize = 2;
pub(super) const TO: usize = 3;
pub(super) const CC: usize = 4;
pub(super) const BCC: usize = 5;
pub(super) const RETURN_PATH: usize = 6;

/// Fields that SES reads as address lists.
pub(super) const ADDRESS_FIELDS: [&str; 7] = ["from", "sender", "reply-to", "to", "cc", "bcc", "return-path"];

const fn known(name: &'static str, role: Role, is_once: bool, is_removed: bool) -> Known {
    Known {
        name,
        role,
        is_once,
        is_removed,
    }
}

const fn once(name: &'static str) -> Known {
    known(name, Role::Other, true, false)
}

/// The fields by their first letter, since most fields of a message are none of them.
static BY_LETTER: [&[Known]; 26] = {
    let mut table: [&[Known]; 26] = [&[]; 26];
    table[letter(b'a')] = &[
        once("accept-language"),
        once("acceptlanguage"),
        once("archived-at"),
        once("auto-submitted"),
    ];
    table[letter(b'b')] = &[once("bounces-to"), known("bcc", Role::Address(BCC), false, true)];
    table[letter(b'c')] = &[
        known("content-type", Role::ContentType, true, false),
        known("content-disposition", Role::ContentDisposition, true, false),
        known("cc", Role::Address(CC), true, false),
        once("comments"),
        once("content-alternative"),
        once("content-base"),
        once("content-class"),
        once("content-description"),
        once("content-duration"),
        once("content-id"),
        once("content-language"),
        once("content-length"),
        once("content-location"),
        once("content-md5"),
        once("content-transfer-encoding"),
    ];
    table[letter(b'd')] = &[
        once("date"),
        known("delivered-to", Role::Other, true, true),
        once("disposition-notification-options"),
        once("disposition-notification-to"),
        known("dkim-signature", Role::Other, true, true),
        known("domainkey-signature", Role::Other, true, true),
    ];
    table[letter(b'e')] = &[known("errors-to", Role::Other, true, true)];
    table[letter(b'f')] = &[
        known("from", Role::Address(FROM), true, false),
        known("feedback-id", Role::Other, false, true),
    ];
    table[letter(b'i')] = &[once("importance"), once("in-reply-to")];
    table[letter(b'k')] = &[once("keywords")];
    table[letter(b'l')] = &[
        once("list-archive"),
        once("list-help"),
        once("list-id"),
        once("list-owner"),
        once("list-post"),
        once("list-subscribe"),
        once("list-unsubscribe"),
        once("list-unsubscribe-post"),
    ];
    table[letter(b'm')] = &[once("message-context"), once("message-id"), once("mime-version")];
    table[letter(b'o')] = &[
        once("organization"),
        once("original-from"),
        once("original-message-id"),
        once("original-recipient"),
        once("original-subject"),
    ];
    table[letter(b'p')] = &[once("precedence"), once("priority")];
    table[letter(b'r')] = &[
        once("references"),
        known("reply-to", Role::Address(REPLY_TO), true, false),
        known("return-path", Role::Address(RETURN_PATH), true, true),
        once("return-receipt-to"),
        known("resent-bcc", Role::Other, false, true),
    ];
    table[letter(b's')] = &[
        known("sender", Role::Address(SENDER), true, true),
        known("subject", Role::Subject, true, false),
        once("solicitation"),
        once("sensitivity"),
    ];
    table[letter(b't')] = &[
        known("to", Role::Address(TO), true, false),
        once("thread-index"),
        once("thread-topic"),
    ];
    table[letter(b'u')] = &[once("user-agent")];
    table[letter(b'v')] = &[once("vbr-info")];
    table
};

const fn letter(letter: u8) -> usize {
    (letter - b'a') as usize
}

/// The field of this name, if SES has rules for it. Case does not count.
pub(super) fn find(name: &[u8]) -> Option<&'static Known> {
    let first = name.first()?.to_ascii_lowercase();
    let at = usize::from(first.checked_sub(b'a')?);
    let mut alike = BY_LETTER.get(at)?.iter();
    alike.find(|known| name.eq_ignore_ascii_case(known.name.as_bytes()))
}

/// The names of all fields that SES takes once only.
#[cfg(test)]
pub(crate) fn once_only_fields() -> impl Iterator<Item = &'static str> {
    let known = BY_LETTER.iter().flat_map(|fields| fields.iter());
    known.filter(|known| known.is_once).map(|known| known.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_under_its_letter() {
        let mut count = 0;
        for (at, fields) in BY_LETTER.iter().enumerate() {
            for field in *fields {
                assert_eq!(usize::from(field.name.as_bytes()[0] - b'a'), at, "{}", field.name);
                assert_eq!(find(field.name.to_ascii_uppercase().as_bytes()), Some(field));
                if let Role::Address(which) = field.role {
                    assert_eq!(ADDRESS_FIELDS[which], field.name);
                }
                count += 1;
            }
        }
        // SES documents 60 fields; To, Cc and three that are only removed.
        assert_eq!(count, 60 + 2 + 3);
        for name in ["received", "x-mailer", "from ", "", "\u{e9}", "1", "~"] {
            assert_eq!(find(name.as_bytes()), None);
        }
    }
}
