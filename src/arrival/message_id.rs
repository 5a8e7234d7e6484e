//! The id of a message, which becomes a file name and the tail of a key.

use std::fmt;
use std::str::FromStr;

/// The longest message id in octets: it becomes a file name, and POSIX file systems take 255 (`NAME_MAX`). An S3 key
/// takes 1024, which leaves enough for the prefix.
pub const MAX_MESSAGE_ID: usize = 255;

/// The id that SES gave to a message.
///
/// It becomes the tail of an S3 key and a file name, so it is checked before anything is built from it: 1 to
/// [`MAX_MESSAGE_ID`] octets out of `A-Z a-z 0-9 . _ = + -`, the first of them no dot. SES itself writes only letters
/// and digits. `@` is left out so that no address can be taken for an id and so get into logs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(String);

/// Why a text is no [`MessageId`]. It does not repeat the text, which may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageIdError {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// More than [`MAX_MESSAGE_ID`] octets.
    #[error("it is longer than {MAX_MESSAGE_ID} octets")]
    TooLong,
    /// It would be a hidden file, or `.` or `..`, which lead out of the directory.
    #[error("it begins with a dot")]
    LeadingDot,
    /// An octet that an id may not hold.
    #[error("its octet {} is none of A-Z a-z 0-9 . _ = + -", .at + 1)]
    Octet {
        /// Where, counted from 0. The text counts from 1.
        at: usize,
    },
}

impl MessageId {
    /// Takes a text for a message id.
    ///
    /// # Errors
    /// When it is empty, too long, begins with a dot or holds anything but the octets named above.
    pub fn parse(text: &str) -> Result<Self, MessageIdError> {
        if text.is_empty() {
            return Err(MessageIdError::Empty);
        }
        if text.len() > MAX_MESSAGE_ID {
            return Err(MessageIdError::TooLong);
        }
        if text.starts_with('.') {
            return Err(MessageIdError::LeadingDot);
        }
        let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"._=+-".contains(&octet);
        match text.bytes().position(|octet| !allowed(octet)) {
            Some(at) => Err(MessageIdError::Octet { at }),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// The id as SES wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MessageId {
    type Err = MessageIdError;

    fn from_str(text: &str) -> Result<Self, MessageIdError> {
        Self::parse(text)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_no_path_and_no_address() {
        let longest = "a".repeat(255);
        for good in [
            "a",
            "o3vrnil0e2ic28tr",
            "A.b_c=d+e-f",
            "mail.eml",
            "a..b",
            &longest,
        ] {
            assert_eq!(good.parse::<MessageId>().unwrap().as_str(), good);
        }
        let too_long = "a".repeat(256);
        let at = |at| MessageIdError::Octet { at };
        let hostile = [
            ("", MessageIdError::Empty),
            (".", MessageIdError::LeadingDot),
            ("..", MessageIdError::LeadingDot),
            ("../../etc/passwd", MessageIdError::LeadingDot),
            (".hidden", MessageIdError::LeadingDot),
            ("/etc/passwd", at(0)),
            ("a/../b", at(1)),
            ("a\\b", at(1)),
            ("a\0", at(1)),
            ("a\nb", at(1)),
            ("a b", at(1)),
            ("a%2fb", at(1)),
            ("C:x", at(1)),
            ("jane@example.org", at(4)),
            ("é", at(0)),
            (too_long.as_str(), MessageIdError::TooLong),
        ];
        for (text, expected) in hostile {
            assert_eq!(MessageId::parse(text), Err(expected), "{text:?}");
        }
    }
}
