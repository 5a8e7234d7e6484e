//! The settings: where mail lies, who forwards where, where it goes, and how.
//!
//! All settings are read in one place, whether they come from the environment of the Lambda function or from the flags of
//! the command line: [`Settings::read`] asks for each by the name of its variable. An empty value counts as not set, since
//! deployment tools write one for an option that is not used.

mod size;

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::alias::{Notify, OnDmarc, OnVerdict};
use crate::arrival::{Channel, TAG};
use crate::header::mailbox::Address;
use crate::rewrite::{Repair, Style};

use size::size;

/// The default send limit: that of SES's API v1, which every large mail service takes too.
pub const DEFAULT_MAX_SEND_BYTES: u64 = 10 * 1024 * 1024;

/// The limit of SES's API v2 (40 MB). A higher send limit would only move the refusal behind the upload.
pub const SES_MAX_SEND_BYTES: u64 = 40 * 1024 * 1024;

/// How long an alias map is used before it is read again. Long enough that a burst of mail is one request to SSM, of
/// which an account has 40 a second; short enough that whoever changes the map need not wait.
pub const DEFAULT_ALIAS_MAP_TTL: Duration = Duration::from_mins(1);

/// The prefix of the ledger's keys.
pub const DEFAULT_LEDGER: &str = "ledger/";

/// The namespace of the function's metrics in CloudWatch.
pub const DEFAULT_METRICS_NAMESPACE: &str = "readdress";

/// The longest `ALIAS_MAP_TTL` in seconds: a map that is older than a day surprises its owner.
const MAX_ALIAS_MAP_TTL: u64 = 24 * 60 * 60;

/// The most tags of `EMAIL_TAGS`: SES takes 50 for a message, and one is our own.
const MAX_TAGS: usize = 49;

/// The most octets of the name or the value of a tag.
const MAX_TAG: usize = 256;

/// The place where mail lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketPlace {
    /// `file:DIR`
    Directory(PathBuf),
    /// The name of an S3 bucket, or the ARN of an access point.
    S3(String),
}

/// The place where the key of reply addresses and signed aliases lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// `file:PATH`
    File(PathBuf),
    /// The name of an SSM parameter.
    Parameter(String),
}

/// The place where the alias map lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapPlace {
    /// `file:PATH`
    File(PathBuf),
    /// The name of an SSM parameter; one that ends in `/` is a path, whose parameters are read as one map.
    Parameter(String),
    /// `s3://bucket/key`
    Object {
        /// The bucket.
        bucket: String,
        /// The key in it.
        key: String,
    },
}

/// The place where mail goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxPlace {
    /// `file:DIR`
    Directory(PathBuf),
    /// `ses`
    Ses,
}

/// `ON_DOUBT`: whether a message is sent again that may have been sent to a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDoubt {
    /// `resend`: it is sent, perhaps for the second time.
    #[default]
    Resend,
    /// `hold`: it is not sent, and the outcome is a failure.
    Hold,
}

/// The settings of the outbox `ses`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SesSettings {
    /// `CONFIGURATION_SET`
    pub configuration_set: Option<String>,
    /// `EMAIL_TAGS`
    pub tags: Vec<Tag>,
    /// `FEEDBACK_EMAIL`: the address that gets the bounces of what was forwarded.
    pub feedback_email: Option<Address>,
}

/// A tag that SES puts on the events of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The tag's name.
    pub name: String,
    /// The tag's value.
    pub value: String,
}

/// The settings that say where mail, its ledger and its outbox are: all that a command needs that only looks.
#[derive(Clone, Debug)]
pub struct Places {
    /// `EMAIL_BUCKET`
    pub email_bucket: BucketPlace,
    /// `EMAIL_PREFIX`
    pub email_prefix: String,
    /// `OUTBOX`
    pub outbox: OutboxPlace,
    /// `LEDGER`, as in [`Settings`].
    pub ledger: Option<String>,
}

impl Places {
    /// Reads these settings alone.
    ///
    /// # Errors
    /// If one is missing or wrong. The error is about the first such one.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        let email_prefix = optional(lookup, "EMAIL_PREFIX", email_prefix)?.unwrap_or_default();
        Ok(Places {
            email_bucket: required(lookup, "EMAIL_BUCKET", bucket)?,
            outbox: optional(lookup, "OUTBOX", outbox)?.unwrap_or(OutboxPlace::Ses),
            ledger: ledger(lookup, &email_prefix)?,
            email_prefix,
        })
    }
}

/// All settings of the function and of the command line.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `EMAIL_BUCKET`
    pub email_bucket: BucketPlace,
    /// `EMAIL_PREFIX`
    pub email_prefix: String,
    /// `ALIAS_MAP_PARAM`
    pub alias_map: MapPlace,
    /// `ALIAS_MAP_TTL`
    pub alias_map_ttl: Duration,
    /// `ALIAS_KEY_PARAM`. `None`: no reply addresses and no signed aliases.
    pub alias_key: Option<KeyPlace>,
    /// `OUTBOX`
    pub outbox: OutboxPlace,
    /// `MAX_SEND_BYTES`
    pub max_send_bytes: u64,
    /// `REPAIR`
    pub repair: Repair,
    /// `FROM_FORMAT` and the other settings of the rewrite. They hold for every alias that does not choose otherwise.
    pub style: Style,
    /// `LEDGER`: the prefix of the ledger's keys. `None`: what was sent is remembered in the process alone.
    pub ledger: Option<String>,
    /// `ON_DOUBT`
    pub on_doubt: OnDoubt,
    /// `ON_SPAM`: how mail is treated that SES takes for spam. An alias may choose otherwise, as for the next three.
    pub on_spam: OnVerdict,
    /// `ON_VIRUS`: how mail is treated in which SES has found a virus.
    pub on_virus: OnVerdict,
    /// `ON_DMARC`: how mail is treated whose From is not proven (RFC 7489).
    pub on_dmarc: OnDmarc,
    /// `NOTIFY`: the recipients of notices about mail that was held, bounced or refused.
    pub notify: Notify,
    /// `EVENTS_TOPIC`: the ways from which alone SES's reports on what was sent are believed. Empty: none is.
    pub events_topic: Vec<Channel>,
    /// The settings of the outbox `ses`.
    pub ses: SesSettings,
    /// `METRICS_NAMESPACE`
    pub metrics_namespace: String,
}

/// A setting that is missing or wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct SettingError {
    /// The name of the variable.
    pub name: String,
    /// The mistake in the variable's value. No address is in it.
    pub reason: String,
}

impl SettingError {
    pub(crate) fn new(name: &str, reason: impl Into<String>) -> Self {
        SettingError {
            name: name.to_owned(),
            reason: reason.into(),
        }
    }
}

/// The source of the settings: the value of a variable by its name.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// If one is missing or wrong. The error is about the first such one.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        let outbox = optional(lookup, "OUTBOX", outbox)?.unwrap_or(OutboxPlace::Ses);
        let most = match outbox {
            OutboxPlace::Ses => SES_MAX_SEND_BYTES,
            OutboxPlace::Directory(_) => u64::MAX,
        };
        let email_prefix = optional(lookup, "EMAIL_PREFIX", email_prefix)?.unwrap_or_default();
        let ledger = ledger(lookup, &email_prefix)?;
        Ok(Settings {
            email_bucket: required(lookup, "EMAIL_BUCKET", bucket)?,
            events_topic: events_topic(lookup, ledger.is_some())?,
            ledger,
            on_doubt: optional(lookup, "ON_DOUBT", on_doubt)?.unwrap_or_default(),
            on_spam: optional(lookup, "ON_SPAM", parse)?.unwrap_or(OnVerdict::Mark),
            on_virus: optional(lookup, "ON_VIRUS", parse)?.unwrap_or(OnVerdict::Hold),
            on_dmarc: optional(lookup, "ON_DMARC", parse)?.unwrap_or_default(),
            notify: optional(lookup, "NOTIFY", parse)?.unwrap_or_default(),
            email_prefix,
            alias_map: required(lookup, ALIAS_MAP_PARAM, alias_map)?,
            alias_map_ttl: optional(lookup, "ALIAS_MAP_TTL", |text| {
                number(text, 0, MAX_ALIAS_MAP_TTL).map(Duration::from_secs)
            })?
            .unwrap_or(DEFAULT_ALIAS_MAP_TTL),
            alias_key: KeyPlace::read(lookup)?,
            outbox,
            max_send_bytes: optional(lookup, "MAX_SEND_BYTES", |text| size(text, 1, most))?
                .unwrap_or(DEFAULT_MAX_SEND_BYTES),
            repair: repair(lookup)?,
            style: style(lookup)?,
            ses: SesSettings::read(lookup)?,
            metrics_namespace: optional(lookup, "METRICS_NAMESPACE", metrics_namespace)?
                .unwrap_or_else(|| DEFAULT_METRICS_NAMESPACE.to_owned()),
        })
    }
}

/// Reads the settings of the rewrite alone.
///
/// # Errors
/// If one is wrong.
pub fn style(lookup: Lookup<'_>) -> Result<Style, SettingError> {
    let mut style = Style::default();
    for name in Style::NAMES {
        let variable = name.to_ascii_uppercase();
        optional(lookup, &variable, |text| style.set(name, text))?;
    }
    Ok(style)
}

/// Reads `REPAIR` alone.
///
/// # Errors
/// If it is wrong.
pub fn repair(lookup: Lookup<'_>) -> Result<Repair, SettingError> {
    Ok(optional(lookup, "REPAIR", parse)?.unwrap_or_default())
}

impl SesSettings {
    fn read(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        Ok(SesSettings {
            configuration_set: optional(lookup, "CONFIGURATION_SET", |text| {
                word(text).then(|| text.to_owned()).ok_or(NO_NAME.to_owned())
            })?,
            tags: optional(lookup, "EMAIL_TAGS", tags)?.unwrap_or_default(),
            feedback_email: optional(lookup, "FEEDBACK_EMAIL", parse)?,
        })
    }
}

impl MapPlace {
    /// Reads the place of the alias map alone.
    ///
    /// # Errors
    /// If it is missing or wrong.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        required(lookup, ALIAS_MAP_PARAM, alias_map)
    }
}

impl KeyPlace {
    /// Reads the place of the alias key alone, if one is set.
    ///
    /// # Errors
    /// If it is wrong.
    pub fn read(lookup: Lookup<'_>) -> Result<Option<Self>, SettingError> {
        optional(lookup, "ALIAS_KEY_PARAM", alias_key)
    }
}

const ALIAS_MAP_PARAM: &str = "ALIAS_MAP_PARAM";

const NO_NAME: &str = "it must be 1 to 256 of A-Z a-z 0-9 _ -";

type Parsed<T> = Result<T, String>;

fn optional<T>(
    lookup: Lookup<'_>,
    name: &str,
    parse: impl FnOnce(&str) -> Parsed<T>,
) -> Result<Option<T>, SettingError> {
    match lookup(name) {
        Some(text) if !text.is_empty() => match parse(&text) {
            Ok(value) => Ok(Some(value)),
            Err(reason) => Err(SettingError::new(name, reason)),
        },
        _ => Ok(None),
    }
}

fn required<T>(
    lookup: Lookup<'_>,
    name: &str,
    parse: impl FnOnce(&str) -> Parsed<T>,
) -> Result<T, SettingError> {
    optional(lookup, name, parse)?.ok_or_else(|| SettingError::new(name, "it is not set"))
}

fn parse<T: FromStr<Err: ToString>>(text: &str) -> Parsed<T> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn number(text: &str, least: u64, most: u64) -> Parsed<u64> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("it must be a number from {least} to {most}"))
}

fn word(text: &str) -> bool {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"_-".contains(&octet);
    (1..=MAX_TAG).contains(&text.len()) && text.bytes().all(allowed)
}

fn file(text: &str) -> Option<Parsed<PathBuf>> {
    text.strip_prefix("file:").map(|path| match path {
        "" => Err("the path after \"file:\" is empty".to_owned()),
        path if path.starts_with('~') => Err(
            "the shell leaves a ~ after \"file:\" as it is: write $HOME, or the whole path (a name that begins with ~ as \
             file:./~)"
                .to_owned(),
        ),
        path => Ok(PathBuf::from(path)),
    })
}

fn bucket(text: &str) -> Parsed<BucketPlace> {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b".-".contains(&octet);
    match file(text) {
        Some(path) => path.map(BucketPlace::Directory),
        None if text.starts_with("arn:") || text.bytes().all(allowed) => Ok(BucketPlace::S3(text.to_owned())),
        None => Err("write the name of the bucket alone, or file:DIR for a directory".to_owned()),
    }
}

fn outbox(text: &str) -> Parsed<OutboxPlace> {
    match (text, file(text)) {
        ("ses", _) => Ok(OutboxPlace::Ses),
        (_, Some(path)) => path.map(OutboxPlace::Directory),
        _ => Err("write ses, or file:DIR for a directory".to_owned()),
    }
}

/// A colon comes before a version or a label, and in ARNs.
fn is_parameter(text: &str) -> bool {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"_.-/:".contains(&octet);
    text.bytes().all(allowed)
}

fn alias_map(text: &str) -> Parsed<MapPlace> {
    if let Some(path) = file(text) {
        return path.map(MapPlace::File);
    }
    if let Some(place) = text.strip_prefix("s3://") {
        return match place.split_once('/') {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => Ok(MapPlace::Object {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
            }),
            _ => Err("write s3://BUCKET/KEY".to_owned()),
        };
    }
    if is_parameter(text) {
        return Ok(MapPlace::Parameter(text.to_owned()));
    }
    Err("write the name of an SSM parameter (A-Z a-z 0-9 _ . - /), s3://BUCKET/KEY or file:PATH".to_owned())
}

fn alias_key(text: &str) -> Parsed<KeyPlace> {
    match file(text) {
        Some(path) => path.map(KeyPlace::File),
        None if !text.ends_with('/') && !text.starts_with("s3:") && is_parameter(text) => {
            Ok(KeyPlace::Parameter(text.to_owned()))
        }
        None => Err("write the name of an SSM parameter (A-Z a-z 0-9 _ . - /) or file:PATH".to_owned()),
    }
}

fn email_prefix(text: &str) -> Parsed<String> {
    if text.starts_with('/') || text.split('/').any(|step| step == "..") {
        return Err("a key prefix cannot start with / or contain ..".to_owned());
    }
    Ok(text.to_owned())
}

/// Events of the ledger's prefix are ignored, so no mail may lie under it.
fn ledger(lookup: Lookup<'_>, email_prefix: &str) -> Result<Option<String>, SettingError> {
    let ledger = optional(lookup, "LEDGER", |text| match text {
        "off" => Ok(None),
        _ if email_prefix.starts_with(text) => {
            Err("mail lies under this prefix (EMAIL_PREFIX); choose one that holds nothing else".to_owned())
        }
        _ if !text.ends_with('/') => Err("write off, or a key prefix that ends with /".to_owned()),
        _ => self::email_prefix(text).map(Some),
    })?;
    match ledger {
        Some(ledger) => Ok(ledger),
        None if email_prefix.starts_with(DEFAULT_LEDGER) => {
            let reason = format!(
                "mail lies under its default, {DEFAULT_LEDGER} (EMAIL_PREFIX); choose another prefix"
            );
            Err(SettingError::new("LEDGER", reason))
        }
        None => Ok(Some(DEFAULT_LEDGER.to_owned())),
    }
}

/// A report is believed only about messages that the ledger knows.
fn events_topic(lookup: Lookup<'_>, has_ledger: bool) -> Result<Vec<Channel>, SettingError> {
    let channels = optional(lookup, "EVENTS_TOPIC", |text| {
        let channels: Result<_, _> = text.split(',').map(|text| text.trim().parse()).collect();
        match channels {
            Ok(_) if !has_ledger => Err("it needs the ledger, and LEDGER is off".to_owned()),
            channels => channels.map_err(str::to_owned),
        }
    })?;
    Ok(channels.unwrap_or_default())
}

fn on_doubt(text: &str) -> Parsed<OnDoubt> {
    match text {
        "resend" => Ok(OnDoubt::Resend),
        "hold" => Ok(OnDoubt::Hold),
        _ => Err("write resend or hold".to_owned()),
    }
}

/// CloudWatch takes 1 to 255 of these, and keeps names that begin with `AWS/` to itself.
fn metrics_namespace(text: &str) -> Parsed<String> {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b".-_/#: ".contains(&octet);
    if text.len() > 255 || !text.bytes().all(allowed) || text.starts_with("AWS/") {
        return Err("it must be at most 255 of A-Z a-z 0-9 . - _ / # : and not begin with AWS/".to_owned());
    }
    Ok(text.to_owned())
}

fn tags(text: &str) -> Parsed<Vec<Tag>> {
    let mut tags: Vec<Tag> = Vec::new();
    for tag in text.split(',').map(str::trim) {
        match tag.split_once('=') {
            Some((name, value)) if word(name) && word(value) => tags.push(Tag {
                name: name.to_owned(),
                value: value.to_owned(),
            }),
            _ => return Err(format!("write NAME=VALUE,NAME=VALUE; of each part {NO_NAME}")),
        }
    }
    if tags.len() > MAX_TAGS {
        return Err(format!("SES takes {MAX_TAGS} tags at most beside our own"));
    }
    if tags.iter().any(|tag| tag.name == TAG) {
        return Err(format!(
            "the name {TAG} is taken: each message has a tag of this name with its id"
        ));
    }
    let twice = |(n, tag): (usize, &Tag)| tags[..n].iter().any(|other| other.name == tag.name);
    if tags.iter().enumerate().any(twice) {
        return Err("a tag is given twice".to_owned());
    }
    Ok(tags)
}

#[cfg(test)]
mod tests;
