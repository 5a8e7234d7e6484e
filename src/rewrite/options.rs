//! The choices that a user has: how From shows the sender, and whom To names.

use std::str::FromStr;

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

/// What the new To names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToHeader {
    /// The targets.
    #[default]
    Targets,
    /// The alias, which hides the targets from each other.
    Alias,
    /// What the sender wrote.
    Keep,
}

/// A setting with a value that it does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is none of {known}")]
pub struct UnknownSetting {
    value: String,
    known: &'static str,
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
                known: "targets, alias, keep",
            })
    }
}
