//! The options of an alias.

use std::fmt;
use std::str::FromStr;

use super::date::Date;
use super::senders::Senders;
use crate::header::mailbox::Address;
use crate::rewrite::{Replies, Style, UnknownSetting};

/// The longest display-name of an alias in octets. SES takes a mailbox of 320 octets in its encoded form, address included.
pub const MAX_NAME: usize = 100;

/// The options of one alias. `None` for an option that is also a setting means the setting.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// How its mail is readdressed. `None` means the setting of the same name.
    pub style: Style,
    /// False for an alias that exists and forwards nothing.
    pub enabled: bool,
    /// `spam`: the treatment of mail that SES takes for spam. Setting: `ON_SPAM`.
    pub spam: Option<OnVerdict>,
    /// `virus`: the treatment of mail in which SES finds a virus. Setting: `ON_VIRUS`.
    pub virus: Option<OnVerdict>,
    /// `dmarc`: the treatment of mail whose From fails DMARC (RFC 7489). Setting: `ON_DMARC`.
    pub dmarc: Option<OnDmarc>,
    /// `notify`: the recipients of notices about mail that was held, bounced or refused. Setting: `NOTIFY`.
    pub notify: Option<Notify>,
    /// `fallback`: who gets the mail when a target is gone.
    pub fallback: Vec<Address>,
    /// `allow`: the only senders whose mail is forwarded. `None`: everybody's.
    pub allow: Option<Senders>,
    /// `block`: senders whose mail is not forwarded, although `allow` may name them.
    pub block: Senders,
    /// `until`: the last day, in UTC, on which the alias receives.
    pub until: Option<Date>,
    /// `signed`: only local parts that end in a signature of this many characters belong to the alias.
    pub signed: Option<u8>,
    /// `replies`: which addresses become reply addresses. `None`: the default, [`Replies::Sender`].
    pub replies: Option<Replies>,
    /// `repliers`: who may answer as the alias besides its targets.
    pub repliers: Vec<Address>,
    /// `name`: the display-name beside the alias in the From of a reply.
    pub name: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            style: Style::default(),
            enabled: true,
            spam: None,
            virus: None,
            dmarc: None,
            notify: None,
            fallback: Vec::new(),
            allow: None,
            block: Senders::default(),
            until: None,
            signed: None,
            replies: None,
            repliers: Vec::new(),
            name: None,
        }
    }
}

impl Options {
    /// Keys of an entry, except `to` and those of [`Style::NAMES`].
    pub const NAMES: [&'static str; 13] = [
        "enabled", "spam", "virus", "dmarc", "notify", "fallback", "allow", "block", "until", "signed",
        "replies", "repliers", "name",
    ];

    /// Whether the alias no longer receives on this day.
    pub fn has_expired(&self, today: Date) -> bool {
        self.until.is_some_and(|last| today > last)
    }

    /// Whether mail of these senders is wanted: `block` names none of them, and `allow`, if it is set, names at least one. The
    /// senders of a mail are its envelope sender and the mailboxes of its From.
    pub fn admits<'a>(&self, senders: impl IntoIterator<Item = &'a Address>) -> bool {
        let mut allowed = self.allow.is_none();
        for sender in senders {
            if self.block.contain(sender) {
                return false;
            }
            allowed |= self.allow.as_ref().is_some_and(|allow| allow.contain(sender));
        }
        allowed
    }

    /// The options that are given: the name of each, and its text. [`Style::choices`] come first, `enabled` is not among them.
    pub fn choices(&self) -> impl Iterator<Item = (&'static str, String)> {
        fn written<T: fmt::Display>(option: Option<&T>) -> Option<String> {
            option.map(T::to_string)
        }
        let list = |addresses: &[Address]| {
            let written: Vec<String> = addresses.iter().map(Address::to_string).collect();
            (!written.is_empty()).then(|| written.join(", "))
        };
        let texts = [
            ("spam", written(self.spam.as_ref())),
            ("virus", written(self.virus.as_ref())),
            ("dmarc", written(self.dmarc.as_ref())),
            ("notify", written(self.notify.as_ref())),
            ("fallback", list(&self.fallback)),
            ("allow", written(self.allow.as_ref())),
            (
                "block",
                Some(self.block.to_string()).filter(|written| !written.is_empty()),
            ),
            ("until", written(self.until.as_ref())),
            ("signed", written(self.signed.as_ref())),
            ("replies", written(self.replies.as_ref())),
            ("repliers", list(&self.repliers)),
            ("name", self.name.clone()),
        ];
        let own = texts.into_iter().filter_map(|(name, text)| Some((name, text?)));
        self.style.choices().chain(own)
    }
}

/// The treatment of mail with a verdict of SES against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnVerdict {
    /// It is forwarded as any other.
    Forward,
    /// It is forwarded with a mark in its subject.
    Mark,
    /// It stays in the bucket, and the owner is told.
    Hold,
}

/// The treatment of mail whose From fails DMARC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDmarc {
    /// As the policy of the From's domain says: `reject` is held, `quarantine` marked, `none` forwarded.
    #[default]
    Obey,
    /// This treatment, whatever the policy says.
    Always(OnVerdict),
}

/// The recipients of notices about mail that was held, bounced or refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Notify {
    /// The targets of the alias.
    #[default]
    Targets,
    /// This address.
    Address(Address),
    /// Nobody.
    Off,
}

impl OnVerdict {
    const ALL: [Self; 3] = [Self::Forward, Self::Mark, Self::Hold];

    /// As it is written in settings and in the map.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Mark => "mark",
            Self::Hold => "hold",
        }
    }
}

impl FromStr for OnVerdict {
    type Err = UnknownSetting;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|choice| choice.as_str() == value);
        found.ok_or_else(|| UnknownSetting::new(value, "forward, mark, hold"))
    }
}

impl FromStr for OnDmarc {
    type Err = UnknownSetting;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        match value {
            "obey" => Ok(Self::Obey),
            _ => value
                .parse()
                .map(Self::Always)
                .map_err(|_| UnknownSetting::new(value, "obey, forward, mark, hold")),
        }
    }
}

impl FromStr for Notify {
    type Err = String;

    /// The error repeats no address.
    fn from_str(value: &str) -> Result<Self, Self::Err> {
        match value.trim() {
            "targets" => Ok(Self::Targets),
            "off" => Ok(Self::Off),
            text if text.ends_with('>') => {
                Err("write the address alone, without a name or <>, such as jane@example.org".to_owned())
            }
            text if text.contains('@') => Address::parse(text)
                .map(Self::Address)
                .map_err(|error| error.to_string()),
            _ => Err(UnknownSetting::new(value, "targets, off, an address").to_string()),
        }
    }
}

impl fmt::Display for OnVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for OnDmarc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Obey => f.write_str("obey"),
            Self::Always(choice) => choice.fmt(f),
        }
    }
}

impl fmt::Display for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Targets => f.write_str("targets"),
            Self::Address(address) => address.fmt(f),
            Self::Off => f.write_str("off"),
        }
    }
}

/// Checks a display-name, which must not look like an address: spam filters take that for forgery.
pub(super) fn display_name(text: &str) -> Result<Option<String>, String> {
    let text = text.trim();
    if text.len() > MAX_NAME {
        return Err(format!("longer than {MAX_NAME} octets"));
    }
    if text.chars().any(char::is_control) {
        return Err("holds a control character".to_owned());
    }
    if text.contains('@') {
        return Err("holds an @, which spam filters take for a forged address".to_owned());
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_are_admitted() {
        let senders = |texts: &[&str]| Senders::new(texts.iter().map(|text| text.parse().unwrap()).collect());
        let options = Options {
            allow: Some(senders(&["example.org", "omar@example.net"])),
            block: senders(&["spam@example.org"]),
            ..Options::default()
        };
        let admitted = |options: &Options, from: &[&str]| {
            let addresses: Vec<Address> = from.iter().map(|text| text.parse().unwrap()).collect();
            options.admits(&addresses)
        };
        for (from, expected) in [
            (&["jane@example.org"][..], true),
            (&["bounce@example.com", "jane@example.org"], true),
            (&["jane@example.org", "spam@example.org"], false),
            (&["zoe@example.com"], false),
            (&[], false),
        ] {
            assert_eq!(admitted(&options, from), expected, "{from:?}");
        }
        assert!(admitted(&Options::default(), &[]));
        let options = Options {
            allow: None,
            ..options
        };
        assert!(admitted(&options, &["zoe@example.com"]) && !admitted(&options, &["SPAM@example.org"]));
    }

    #[test]
    fn an_alias_receives_on_its_last_day() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let options = Options {
            until: Some(day("2027-01-31")),
            ..Options::default()
        };
        let expired = ["2026-12-31", "2027-01-31", "2027-02-01"].map(|today| options.has_expired(day(today)));
        assert_eq!(expired, [false, false, true]);
        assert!(!Options::default().has_expired(day("9999-12-31")));
    }

    #[test]
    fn a_mistake_in_notify_repeats_no_address() {
        for text in ["Zoe <zoe@example.org>", "zoe@", "zoe@exa mple.org"] {
            assert!(!text.parse::<Notify>().unwrap_err().contains("zoe"), "{text}");
        }
        assert_eq!(
            "nobody".parse::<Notify>().unwrap_err(),
            "\"nobody\" is none of targets, off, an address"
        );
    }
}
