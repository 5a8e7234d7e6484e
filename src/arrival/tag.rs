//! The tag by which SES's reports on a sent message name the stored one.

use super::message_id::MessageId;

/// The name of the tag that every message is sent with.
pub const TAG: &str = "readdress";

/// The most octets of a tag's value (SES's API v2, MessageTag).
const MAX_VALUE: usize = 256;

impl MessageId {
    /// The id as the value of [`TAG`]. SES takes `A-Z a-z 0-9 _ -` there; the other octets of an id, and `_` itself, are
    /// written as `_` and a letter. `None`: that is longer than the 256 octets that SES takes. SES's own ids have 40 octets
    /// and need no escape.
    pub fn to_tag(&self) -> Option<String> {
        let mut tag = String::with_capacity(self.as_str().len());
        for character in self.as_str().chars() {
            match ESCAPES.iter().find(|(escaped, _)| *escaped == character) {
                Some((_, letter)) => tag.extend(['_', *letter]),
                None => tag.push(character),
            }
        }
        (tag.len() <= MAX_VALUE).then_some(tag)
    }

    /// Reads a value that [`to_tag`](Self::to_tag) has written. `None`: it has not written this.
    pub fn from_tag(tag: &str) -> Option<Self> {
        if tag.len() > MAX_VALUE {
            return None;
        }
        let mut id = String::with_capacity(tag.len());
        let mut rest = tag.chars();
        while let Some(character) = rest.next() {
            id.push(match character {
                '_' => {
                    let letter = rest.next()?;
                    ESCAPES.iter().find(|(_, other)| *other == letter)?.0
                }
                'A'..='Z' | 'a'..='z' | '0'..='9' | '-' => character,
                _ => return None,
            });
        }
        MessageId::parse(&id).ok()
    }
}

/// Each character that is escaped, and the letter that follows `_` in its place.
const ESCAPES: [(char, char); 4] = [('_', 'u'), ('.', 'd'), ('=', 'e'), ('+', 'p')];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_of_ses_is_its_own_tag() {
        let id = "o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1";
        assert_eq!(MessageId::parse(id).unwrap().to_tag().as_deref(), Some(id));
    }

    /// Catches a value with a broken escape or a foreign octet that is read, and one that stands for no id.
    #[test]
    fn what_was_not_written_is_not_read() {
        for tag in ["", "_", "a_", "_x", "a.b", "a b", "jane@example.org", "_d", "é"] {
            assert_eq!(MessageId::from_tag(tag), None, "{tag:?}");
        }
        assert_eq!(MessageId::from_tag(&"a".repeat(257)), None);
        let long = MessageId::parse(&"_".repeat(200)).unwrap();
        assert_eq!(long.to_tag(), None);
    }

    proptest! {
        /// Catches two ids with one tag: the report on one message would be taken for the other's.
        #[test]
        fn a_tag_leads_back_to_its_id(id in "[A-Za-z0-9_=+-][A-Za-z0-9._=+-]{0,120}") {
            let id = MessageId::parse(&id).unwrap();
            let tag = id.to_tag().unwrap();
            prop_assert!(tag.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"_-".contains(&octet)));
            prop_assert_eq!(MessageId::from_tag(&tag), Some(id));
        }
    }
}
