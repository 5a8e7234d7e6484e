//! Address fields that are kept, so that SES takes them: every mailbox that it reads goes out.

use std::borrow::Cow;

use super::apply::Change;
use crate::header::mailbox::{Address, MAX_MAILBOX, Mailbox, parse_address_list};
use crate::header::{FieldBody, unfolded};
use crate::preflight::{AddressList, Code, check_address_list, has_unknown_charset};

/// An address field as it goes out.
pub(super) struct Kept {
    pub(super) change: Change,
    /// Mailboxes that it names, and empty groups.
    pub(super) count: usize,
    pub(super) names_nobody: bool,
    /// The fault that was found in it, if any.
    pub(super) fault: Option<Code>,
}

impl Kept {
    /// The field that goes out in place of fields with these bodies, with at most `room` mailboxes.
    pub(super) fn of(bodies: &[&[u8]], room: usize) -> Self {
        let body = merged(bodies);
        let fault = match check(&body) {
            Ok(list) if recipients(list) <= room => {
                let change = match bodies {
                    [] => Change::Drop,
                    [_] => Change::Keep,
                    _ => Change::Replace(FieldBody::written(
                        String::from_utf8(unfolded(&body)).unwrap_or_default(),
                    )),
                };
                return Kept {
                    change,
                    count: recipients(list),
                    names_nobody: list.mailboxes == 0,
                    fault: None,
                };
            }
            Ok(_) => Code::TooManyAddresses,
            Err(code) => code,
        };
        let mailboxes = parse_address_list(&body);
        let mailboxes: Vec<Mailbox> = taken(&mailboxes).take(room).collect();
        let change = match &mailboxes[..] {
            [] => Change::Drop,
            mailboxes => Change::Replace(FieldBody::list(mailboxes)),
        };
        Kept {
            change,
            count: mailboxes.len(),
            names_nobody: mailboxes.is_empty(),
            fault: Some(fault),
        }
    }
}

/// The recipients of a list as SES counts them: empty groups too.
fn recipients(list: AddressList) -> usize {
    list.mailboxes.max(list.entries)
}

/// The size of an address field, if SES takes it as it is.
///
/// # Errors
/// The reason why SES refuses it.
pub(super) fn check(body: &[u8]) -> Result<AddressList, Code> {
    if !body.is_ascii() {
        return Err(Code::AddressNotAscii);
    }
    match check_address_list(body) {
        Err(_) => Err(Code::AddressSyntax),
        Ok(list) if list.longest > MAX_MAILBOX => Err(Code::AddressTooLong),
        Ok(_) if has_unknown_charset(body) => Err(Code::UnknownCharset),
        Ok(list) => Ok(list),
    }
}

/// Whether SES takes this address: its reader has no underscore in a domain, for one.
pub(super) fn is_taken(address: &Address) -> bool {
    check_address_list(address.to_string().as_bytes()).is_ok()
}

/// The mailboxes of these that SES takes.
///
/// A name that is left with an encoded-word in it is dropped: nobody knows its charset.
pub(super) fn taken<'a>(mailboxes: impl IntoIterator<Item = &'a Mailbox>) -> impl Iterator<Item = Mailbox> {
    let taken = mailboxes.into_iter().filter(|mailbox| is_taken(&mailbox.address));
    taken.map(|Mailbox { name, address }| Mailbox {
        name: name.clone().filter(|name| !is_unread(name)),
        address: address.clone(),
    })
}

/// Whether a name still has an encoded-word in it after decoding.
pub(super) fn is_unread(name: &str) -> bool {
    name.find("=?").is_some_and(|start| name[start..].contains("?="))
}

/// The bodies of several fields of a name as one.
pub(super) fn merged<'a>(bodies: &[&'a [u8]]) -> Cow<'a, [u8]> {
    match bodies {
        [] => Cow::Borrowed(&[]),
        [body] => Cow::Borrowed(body),
        bodies => {
            let trimmed: Vec<&[u8]> = bodies.iter().map(|body| body.trim_ascii()).collect();
            Cow::Owned(trimmed.join(&b", "[..]))
        }
    }
}
