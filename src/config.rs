//! The settings: where mail lies, who forwards where, where it goes.

use std::path::PathBuf;

use crate::bucket::Bucket;
use crate::header::mailbox::Address;
use crate::outbox::Outbox;
use crate::rewrite::{FromFormat, ToHeader};

/// The send limit where none is set: what SES's API v1 takes, and what every large mail service does.
pub const DEFAULT_MAX_SEND_BYTES: u64 = 10 * 1024 * 1024;

/// What holds for every alias that does not say otherwise.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// `FROM_FORMAT`
    pub from_format: FromFormat,
    /// `FROM_EMAIL`
    pub from_email: Option<Address>,
    /// `TO_HEADER`
    pub to_header: ToHeader,
    /// `SUBJECT_PREFIX`
    pub subject_prefix: Option<String>,
}

/// A setting that this build cannot follow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingError(String);

/// `EMAIL_BUCKET`: `file:DIR`.
///
/// # Errors
/// If it is none.
pub fn bucket(setting: &str) -> Result<Bucket, SettingError> {
    directory(setting, "a bucket").map(Bucket::Directory)
}

/// `OUTBOX`: `file:DIR`.
///
/// # Errors
/// If it is none.
pub fn outbox(setting: &str) -> Result<Outbox, SettingError> {
    directory(setting, "an outbox").map(Outbox::Directory)
}

/// `ALIAS_MAP_PARAM`: the file of `file:PATH`.
///
/// # Errors
/// If it is none.
pub fn alias_map(setting: &str) -> Result<PathBuf, SettingError> {
    directory(setting, "an alias map")
}

fn directory(setting: &str, what: &str) -> Result<PathBuf, SettingError> {
    match setting.strip_prefix("file:") {
        Some("") => Err(SettingError("the path after \"file:\" is empty".to_owned())),
        Some(path) => Ok(PathBuf::from(path)),
        None => Err(SettingError(format!(
            "{what} on AWS is not supported yet; write file:PATH for one on this machine"
        ))),
    }
}

/// `EMAIL_PREFIX`: what the receipt rule's S3 action puts before the message id.
///
/// # Errors
/// If it would lead out of the bucket's directory.
pub fn email_prefix(setting: &str) -> Result<String, SettingError> {
    if setting.starts_with('/') || setting.split('/').any(|step| step == "..") {
        return Err(SettingError(
            "a key prefix cannot start with / or contain ..".to_owned(),
        ));
    }
    Ok(setting.to_owned())
}
