//! The alias map, in all forms in which a command takes it.

use std::path::Path;

use readdress::alias::{AliasMap, MapError};
use readdress::alias_store::{MAX_MAP, ReadError};
use readdress::config::MapPlace;
use readdress::connect::alias_store;
use readdress::executor::block_on;

use super::{Failure, Input};

/// A map that was read, and where it is kept.
pub(super) struct NamedMap {
    pub(super) aliases: AliasMap,
    pub(super) name: String,
}

/// The setting for a map that is named on the command line, where a path that exists is a file without `file:` before it. A
/// build without AWS knows no other place.
pub(super) fn setting(text: &str) -> String {
    let has_form = text.is_empty() || text.starts_with("file:") || text.starts_with("s3://");
    if !has_form && (Path::new(text).exists() || !cfg!(feature = "aws")) {
        return format!("file:{text}");
    }
    text.to_owned()
}

/// Reads a map with all its mistakes: from a file, S3, SSM, or standard input where it is named `-`.
pub(super) fn read(text: &str) -> Result<NamedMap, Failure> {
    if text == "-" {
        let (json, name) = Input::open(None)?.read_all(MAX_MAP)?;
        return parsed(AliasMap::parse(&json), name);
    }
    let place = MapPlace::read(&|_| Some(setting(text)))
        .map_err(|error| Failure::Usage(format!("{text}: {}", error.reason)))?;
    let texts = block_on(async { Ok::<_, Failure>(alias_store(&place).await?.texts().await?) });
    match (place, texts) {
        (MapPlace::File(path), Ok(texts)) => {
            let name = path.display().to_string();
            // What is read from a file may be meant for a parameter: it is measured by that.
            parsed(AliasMap::parse(&texts.concat()), name)
        }
        (_, Ok(texts)) => parsed(
            AliasMap::parse_all(texts.iter().map(Vec::as_slice)),
            text.to_owned(),
        ),
        (MapPlace::Parameter(_), Err(Failure::Failed(reason))) => Err(Failure::Failed(format!(
            "{reason} (no file has this name either)"
        ))),
        (_, Err(failure)) => Err(failure),
    }
}

fn parsed(aliases: Result<AliasMap, MapError>, name: String) -> Result<NamedMap, Failure> {
    match aliases {
        Ok(aliases) => Ok(NamedMap { aliases, name }),
        Err(error) => Err(Failure::failed(&name, error)),
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Failure::Failed(error.to_string())
    }
}
