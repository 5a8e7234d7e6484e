//! The choices of how mail is readdressed.

use std::fmt;
use std::str::FromStr;

use crate::header::mailbox::Address;

/// The longest subject prefix in octets. Encoded for a header it grows by a half, and still leaves most of the 998
/// octets that RFC 5322 section 2.1.1 allows in a line to the subject itself.
pub const MAX_SUBJECT_PREFIX: usize = 200;

/// How mail is readdressed. `None` in an alias means the setting; `None` in the settings means the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Style {
    /// The display name of the new From.
    pub from_format: Option<FromFormat>,
    /// A fixed address for the new From.
    pub from_email: Option<Address>,
    /// The addresses in the new To.
    pub to_header: Option<ToHeader>,
    /// A prefix of the subject. An empty prefix means none.
    pub subject_prefix: Option<String>,
}

impl Style {
    /// The names of the choices in an alias map. The settings have the same names in upper case.
    pub const NAMES: [&'static str; 4] = ["from_format", "from_email", "to_header", "subject_prefix"];

    /// Makes the choice of this name.
    ///
    /// # Errors
    /// The reason why this text is not valid for the choice. It repeats no address of the text.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
        fn parsed<T: FromStr<Err: ToString>>(text: &str) -> Result<Option<T>, String> {
            text.parse().map(Some).map_err(|error: T::Err| error.to_string())
        }
        match name {
            "from_format" => self.from_format = parsed(text)?,
            "from_email" if text.trim().ends_with('>') => {
                return Err("write the address alone, without a name or <>".to_owned());
            }
            "from_email" => self.from_email = parsed(text.trim())?,
            "to_header" => self.to_header = parsed(text)?,
            "subject_prefix" => self.subject_prefix = Some(subject_prefix(text)?),
            _ => return Err(format!("is none of {}", Self::NAMES.join(", "))),
        }
        Ok(())
    }

    /// The choices that are not `None`: the name of each, and its text.
    pub fn choices(&self) -> impl Iterator<Item = (&'static str, String)> {
        let texts = [
            self.from_format.map(|format| format.as_str().to_owned()),
            self.from_email.as_ref().map(Address::to_string),
            self.to_header.map(|header| header.as_str().to_owned()),
            self.subject_prefix.clone(),
        ];
        let named = Self::NAMES.into_iter().zip(texts);
        named.filter_map(|(name, text)| Some((name, text?)))
    }

    /// This style with the choices of `other` in place of its own, where `other` has made them.
    #[must_use]
    pub fn overlay(self, other: Style) -> Style {
        Style {
            from_format: other.from_format.or(self.from_format),
            from_email: other.from_email.or(self.from_email),
            to_header: other.to_header.or(self.to_header),
            subject_prefix: other.subject_prefix.or(self.subject_prefix),
        }
    }
}

/// Checks a subject prefix.
///
/// # Errors
/// If it is longer than [`MAX_SUBJECT_PREFIX`] or has a control character: a line break would begin a new field.
pub fn subject_prefix(text: &str) -> Result<String, String> {
    if text.len() > MAX_SUBJECT_PREFIX {
        return Err(format!("longer than {MAX_SUBJECT_PREFIX} octets"));
    }
    if text.chars().any(char::is_control) {
        return Err("holds a control character".into());
    }
    Ok(text.to_owned())
}

/// The display name of the new From.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FromFormat {
    /// `"Jane Example (jane at example.org)" <alias>`
    #[default]
    Full,
    /// `"Jane Example" <alias>`
    Name,
    /// `"Jane Example via example.com" <alias>`: the domain is the alias's.
    Via,
    /// The bare address.
    Alias,
}

/// The addresses in the new To.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToHeader {
    /// The targets.
    Targets,
    /// The alias, which hides the targets from each other.
    Alias,
    /// The sender's own addresses; the alias where there are none.
    #[default]
    Keep,
}

/// How far a message may be changed so that SES takes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repair {
    /// Header section and parts.
    #[default]
    Parts,
    /// The header section; every body stays as it came.
    Header,
    /// Nothing beyond the changes of [`Rules`](super::Rules) or [`ReplyRules`](super::ReplyRules).
    Off,
}

/// A warning to the reader: a verdict of the receiving service against the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// It is taken for spam.
    Spam,
    /// A virus was found in it.
    Virus,
    /// Its From is not proven to be its sender's (RFC 7489).
    Unverified,
}

impl Mark {
    /// Its name in X-Readdress-Notes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Mark::Spam => "spam",
            Mark::Virus => "virus",
            Mark::Unverified => "unverified",
        }
    }

    /// The warning that is put before the subject.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Mark::Spam => "[SPAM] ",
            Mark::Virus => "[VIRUS] ",
            Mark::Unverified => "[UNVERIFIED] ",
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Repair {
    type Err = UnknownSetting;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        match value {
            "parts" => Ok(Repair::Parts),
            "header" => Ok(Repair::Header),
            "off" => Ok(Repair::Off),
            _ => Err(UnknownSetting {
                value: value.to_owned(),
                known: "parts, header, off",
            }),
        }
    }
}

/// Which addresses of a forwarded mail become reply addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Replies {
    /// Those that an answer goes to.
    #[default]
    Sender,
    /// Also those of To and Cc, so that an answer to all goes through the alias, too.
    All,
    /// None.
    Off,
}

impl Replies {
    const ALL: [Self; 3] = [Self::Sender, Self::All, Self::Off];

    /// As it is written in the map.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::All => "all",
            Self::Off => "off",
        }
    }
}

impl FromStr for Replies {
    type Err = UnknownSetting;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|choice| choice.as_str() == value);
        found.ok_or_else(|| UnknownSetting::new(value, "sender, all, off"))
    }
}

impl fmt::Display for Replies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error for a value that a setting does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is none of {known}")]
pub struct UnknownSetting {
    value: String,
    known: &'static str,
}

impl UnknownSetting {
    pub(crate) fn new(value: &str, known: &'static str) -> Self {
        let value = value.to_owned();
        UnknownSetting { value, known }
    }
}

impl FromFormat {
    /// As it is written in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            FromFormat::Full => "full",
            FromFormat::Name => "name",
            FromFormat::Via => "via",
            FromFormat::Alias => "alias",
        }
    }
}

impl FromStr for FromFormat {
    type Err = UnknownSetting;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        [
            FromFormat::Full,
            FromFormat::Name,
            FromFormat::Via,
            FromFormat::Alias,
        ]
        .into_iter()
        .find(|format| format.as_str() == value)
        .ok_or_else(|| UnknownSetting {
            value: value.to_owned(),
            known: "full, name, via, alias",
        })
    }
}

impl ToHeader {
    /// As it is written in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            ToHeader::Targets => "targets",
            ToHeader::Alias => "alias",
            ToHeader::Keep => "keep",
        }
    }
}

impl FromStr for ToHeader {
    type Err = UnknownSetting;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        [ToHeader::Targets, ToHeader::Alias, ToHeader::Keep]
            .into_iter()
            .find(|header| header.as_str() == value)
            .ok_or_else(|| UnknownSetting {
                value: value.to_owned(),
                known: "keep, targets, alias",
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(choices: &[(&str, &str)]) -> Style {
        let mut style = Style::default();
        for (name, text) in choices {
            style.set(name, text).unwrap();
        }
        style
    }

    const ALL: [(&str, &str); 4] = [
        ("from_format", "via"),
        ("from_email", "post@example.com"),
        ("to_header", "keep"),
        ("subject_prefix", ""),
    ];

    /// Catches a choice that is set and not shown, or that one of the names does not make.
    #[test]
    fn every_name_is_a_choice() {
        assert_eq!(ALL.map(|(name, _)| name), Style::NAMES);
        let choices: Vec<_> = style(&ALL).choices().collect();
        let expected: Vec<_> = ALL.map(|(name, text)| (name, text.to_owned())).into();
        assert_eq!(choices, expected);
        assert_eq!(Style::default().choices().count(), 0);
        assert!(Style::default().set("enabled", "true").is_err());
    }

    #[test]
    fn a_choice_goes_before_one_that_it_is_laid_over() {
        let below = style(&[
            ("from_format", "name"),
            ("from_email", "other@example.com"),
            ("to_header", "alias"),
            ("subject_prefix", "[x] "),
        ]);
        assert_eq!(below.clone().overlay(style(&ALL)), style(&ALL));
        assert_eq!(below.clone().overlay(Style::default()), below);
        let mixed = below.overlay(style(&ALL[..1]));
        assert_eq!(mixed.from_format, Some(FromFormat::Via));
        assert_eq!(mixed.to_header, Some(ToHeader::Alias));
    }

    #[test]
    fn a_mistake_repeats_no_address() {
        for text in ["Shop <shop@example.com>", "shop@exa mple.com", "shop"] {
            let error = Style::default().set("from_email", text).unwrap_err();
            assert!(!error.contains("shop"), "{error}");
        }
        let long = "\u{e9}".repeat(MAX_SUBJECT_PREFIX / 2);
        assert!(subject_prefix(&long).is_ok());
        assert!(subject_prefix(&format!("{long}a")).is_err());
        assert!(subject_prefix("a\r\nBcc: b@example.org").is_err());
    }
}
