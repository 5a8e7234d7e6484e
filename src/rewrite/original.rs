//! The message's own fields, as the rules of a direction read them.

use super::apply::Chosen;
use super::fields::{Role, Row};
use crate::header::Header;

/// The bodies of the fields that the rules read: for each name that of the first field that says anything, for To and Cc all of
/// them.
#[derive(Default)]
pub(super) struct OriginalFields<'a> {
    pub(super) from: Option<&'a [u8]>,
    pub(super) to: Vec<&'a [u8]>,
    pub(super) cc: Vec<&'a [u8]>,
    pub(super) sender: Option<&'a [u8]>,
    pub(super) reply_to: Option<&'a [u8]>,
    pub(super) return_path: Option<&'a [u8]>,
    pub(super) subject: Option<&'a [u8]>,
    pub(super) date: Option<&'a [u8]>,
    pub(super) message_id: Option<&'a [u8]>,
    pub(super) in_reply_to: Option<&'a [u8]>,
    pub(super) references: Option<&'a [u8]>,
    pub(super) list_unsubscribe: Option<&'a [u8]>,
    pub(super) content_type: Option<&'a [u8]>,
    /// The Content-Type with its controls, as the scanner has read it.
    pub(super) content_type_as_it_came: Option<&'a [u8]>,
    pub(super) content_disposition: Option<&'a [u8]>,
    pub(super) transfer_encoding: Option<&'a [u8]>,
    /// Address lists that no rule reads: each with its index in the header section and its row of the table.
    pub(super) lists: Vec<(usize, &'static Row, &'a [u8])>,
}

impl<'a> OriginalFields<'a> {
    pub(super) fn read(
        header: &'a Header,
        as_it_came: &'a Header,
        rows: &[Option<&'static Row>],
        chosen: &Chosen,
    ) -> Self {
        let mut original = OriginalFields::default();
        for (index, (field, row)) in header.fields().zip(rows).enumerate() {
            let Some(row) = row.filter(|row| row.role != Role::Unread) else {
                continue;
            };
            let only = match row.role {
                Role::To => {
                    original.to.push(row.body(&field));
                    continue;
                }
                Role::Cc => {
                    original.cc.push(row.body(&field));
                    continue;
                }
                Role::Addresses => {
                    original.lists.push((index, row, row.body(&field)));
                    continue;
                }
                Role::From => &mut original.from,
                Role::Sender => &mut original.sender,
                Role::ReplyTo => &mut original.reply_to,
                Role::ReturnPath => &mut original.return_path,
                Role::Subject => &mut original.subject,
                Role::Date => &mut original.date,
                Role::MessageId => &mut original.message_id,
                Role::InReplyTo => &mut original.in_reply_to,
                Role::References => &mut original.references,
                Role::ListUnsubscribe => &mut original.list_unsubscribe,
                Role::ContentType => &mut original.content_type,
                Role::ContentDisposition => &mut original.content_disposition,
                Role::TransferEncoding => &mut original.transfer_encoding,
                Role::OfEncoding | Role::Unread => continue,
            };
            if chosen.is(row, index) {
                *only = Some(row.body(&field));
                if row.role == Role::ContentType {
                    original.content_type_as_it_came = as_it_came.field(index).map(|field| field.body());
                }
            }
        }
        original
    }
}
