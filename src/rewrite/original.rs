//! The message's own fields, as the rules of a direction read them.

use super::fields::Name;
use crate::header::Header;

/// The first occurrence of each field that the rules read.
#[derive(Default)]
pub(super) struct OriginalFields<'a> {
    pub(super) from: Option<&'a [u8]>,
    pub(super) sender: Option<&'a [u8]>,
    pub(super) reply_to: Option<&'a [u8]>,
    pub(super) return_path: Option<&'a [u8]>,
    pub(super) subject: Option<&'a [u8]>,
    pub(super) date: Option<&'a [u8]>,
    pub(super) message_id: Option<&'a [u8]>,
    pub(super) in_reply_to: Option<&'a [u8]>,
    pub(super) references: Option<&'a [u8]>,
}

impl<'a> OriginalFields<'a> {
    pub(super) fn read(header: &'a Header, names: &[Option<Name>]) -> Self {
        let mut original = OriginalFields::default();
        for (field, name) in header.fields().zip(names) {
            let first = match name {
                Some(Name::From) => &mut original.from,
                Some(Name::Sender) => &mut original.sender,
                Some(Name::ReplyTo) => &mut original.reply_to,
                Some(Name::ReturnPath) => &mut original.return_path,
                Some(Name::Subject) => &mut original.subject,
                Some(Name::Date) => &mut original.date,
                Some(Name::MessageId) => &mut original.message_id,
                Some(Name::InReplyTo) => &mut original.in_reply_to,
                Some(Name::References) => &mut original.references,
                Some(Name::To | Name::Removed) | None => continue,
            };
            first.get_or_insert_with(|| field.body());
        }
        original
    }
}
