//! Keys of S3 that lead to messages.

use super::error::{EventError, Problem};
use super::message_id::MessageId;

/// A key that leads to a message: its tail is the id, and no step of it leads out of a directory.
pub(super) fn check_key(key: &str) -> Result<MessageId, EventError> {
    if key.starts_with('/') || key.split('/').any(|step| step == "..") {
        return Err(Problem::BadKey("it begins with / or leads upwards").into());
    }
    let tail = key.rsplit('/').next().unwrap_or(key);
    MessageId::parse(tail).map_err(|_| Problem::BadKey("its tail is no message id").into())
}

/// S3 writes keys in its events as HTML forms do: `+` for a space, `%` and two digits for other octets.
pub(super) fn decode_key(key: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(key.len());
    let mut rest = key.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            octet => octet,
        });
    }
    String::from_utf8(octets).ok()
}
