//! Where the alias map is kept, and the last good copy of it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::alias::{AliasMap, MapError, Severity};
use crate::arrival::Recipients;
use crate::aws::{Parameters, S3Bucket};
use crate::cause::{Cause, StorageError};
use crate::deadline::Deadline;

/// The greatest age of a copy that does not know a recipient. Whoever has just added an alias sends a mail to try it, and
/// that must not end as `no_alias` because the copy is a minute old. Not zero, so that mail to made-up addresses of a
/// domain cannot make a request to SSM each.
const MAX_AGE_IF_UNKNOWN: Duration = Duration::from_secs(5);

/// How long to wait for a fresh map while an older copy is available.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(3);

/// The largest map in octets: some ten thousand aliases. It is held in memory.
pub const MAX_MAP: u64 = 1 << 20;

/// A place where an alias map is kept.
#[derive(Clone, Debug)]
pub enum AliasStore {
    /// A file.
    File(PathBuf),
    /// One parameter of SSM, or a path of them.
    Ssm(Parameters),
    /// An object in S3.
    S3 {
        /// The bucket.
        bucket: S3Bucket,
        /// The key in it.
        key: String,
    },
}

/// Why there is no alias map. Nothing of the map's text is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The map could not be read.
    #[error("{place} cannot be read: {error} (ALIAS_MAP_PARAM)")]
    Unreadable {
        /// The map, and where it is kept.
        place: String,
        /// The reason, as the file system or AWS gives it.
        error: StorageError,
    },
    /// The text is not an alias map.
    #[error("{place}: {error}")]
    NotAMap {
        /// The map, and where it is kept.
        place: String,
        /// The mistake in the text.
        error: MapError,
    },
    /// The map has entries, but none that can be used: probably it is some other file.
    #[error("no entry of {0} can be used; is it another file?")]
    NothingUsable(String),
}

impl ReadError {
    /// The kind of the failure.
    pub fn cause(&self) -> Cause {
        match self {
            ReadError::Unreadable { error, .. } => error.cause,
            ReadError::NotAMap { .. } | ReadError::NothingUsable(_) => Cause::Configuration,
        }
    }
}

impl AliasStore {
    /// The map and its place, in the words of an operator who looks for it.
    pub fn place(&self) -> String {
        match self {
            AliasStore::File(path) => format!("the alias map {}", absolute(path)),
            AliasStore::Ssm(parameters) => {
                format!("the alias map in the SSM parameter {}", parameters.name())
            }
            AliasStore::S3 { bucket, key } => format!("the alias map s3://{}/{key}", bucket.name()),
        }
    }

    /// Reads the map. Mistakes in single entries are logged as a warning: they must not stop the others.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn read(&self) -> Result<AliasMap, ReadError> {
        let place = self.place();
        let texts = self.texts().await?;
        let aliases = match AliasMap::parse_all(texts.iter().map(Vec::as_slice)) {
            Ok(aliases) => aliases,
            Err(error) => return Err(ReadError::NotAMap { place, error }),
        };
        let problems = aliases.problems().iter();
        let broken = problems
            .filter(|problem| problem.severity == Severity::Error)
            .count();
        if broken > 0 && aliases.entries().all(|(_, entry)| entry.is_err()) {
            return Err(ReadError::NothingUsable(place));
        }
        if aliases.is_empty() {
            tracing::warn!("{place} is empty: no mail is forwarded");
        }
        if broken > 0 {
            let mistakes = if broken == 1 { "mistake" } else { "mistakes" };
            tracing::warn!("{broken} {mistakes} in {place}; to see more: readdress aliases check MAP");
        }
        Ok(aliases)
    }

    /// Reads the texts of the map, of which a path of parameters has several.
    ///
    /// # Errors
    /// If one cannot be read.
    pub async fn texts(&self) -> Result<Vec<Vec<u8>>, ReadError> {
        self.read_texts().await.map_err(|error| ReadError::Unreadable {
            place: self.place(),
            error,
        })
    }

    async fn read_texts(&self) -> Result<Vec<Vec<u8>>, StorageError> {
        match self {
            AliasStore::File(path) => Ok(vec![read_file(path, MAX_MAP)?]),
            AliasStore::Ssm(parameters) => parameters.read().await,
            AliasStore::S3 { bucket, key } => Ok(vec![bucket.read(key, MAX_MAP).await?]),
        }
    }
}

/// The path as it reads from any directory: a relative one says nothing of the directory that it was looked for in.
pub(crate) fn absolute(path: &Path) -> String {
    let absolute = std::path::absolute(path);
    absolute.as_deref().unwrap_or(path).display().to_string()
}

/// Reads a file of so many octets at most.
pub(crate) fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, StorageError> {
    let mut text = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut text)?;
    if text.len() as u64 > most {
        let reason = format!("it has more than {most} octets; is it another file?");
        return Err(StorageError::new(Cause::Configuration, reason));
    }
    Ok(text)
}

/// An alias map that is read again from time to time. While that fails, the last good copy is used.
#[derive(Debug)]
pub struct AliasCache {
    store: AliasStore,
    time_to_live: Duration,
    last: Mutex<Option<CachedMap>>,
}

/// The map to be used now.
#[derive(Clone, Debug)]
pub(crate) struct CurrentMap {
    /// The map.
    pub aliases: Arc<AliasMap>,
    /// Why the map could not be read again, if so. It still holds for the recipients that it knows.
    pub outdated: Option<ReadError>,
}

impl From<AliasMap> for CurrentMap {
    fn from(aliases: AliasMap) -> Self {
        CurrentMap {
            aliases: Arc::new(aliases),
            outdated: None,
        }
    }
}

#[derive(Clone, Debug)]
struct CachedMap {
    map: CurrentMap,
    /// The time of the last attempt to read it.
    asked: Instant,
}

impl AliasCache {
    /// A map that is read at its first use, and again after this time.
    pub fn new(store: AliasStore, time_to_live: Duration) -> Self {
        AliasCache {
            store,
            time_to_live,
            last: Mutex::new(None),
        }
    }

    /// The map for these recipients. A map that lacks one of them, or may lack one, was read within the last few seconds.
    ///
    /// # Errors
    /// If the map cannot be read, and never could.
    pub(crate) async fn for_recipients(&self, recipients: &Recipients) -> Result<CurrentMap, ReadError> {
        let current = self.not_older_than(self.time_to_live).await?;
        let known = |recipient: &String| {
            let address = recipient.parse();
            address.is_ok_and(|address| current.aliases.resolve(&address).is_some())
        };
        if recipients.known().is_some_and(|all| all.iter().all(known)) {
            return Ok(current);
        }
        self.not_older_than(self.time_to_live.min(MAX_AGE_IF_UNKNOWN))
            .await
    }

    async fn not_older_than(&self, age: Duration) -> Result<CurrentMap, ReadError> {
        let last = self.last().clone();
        if let Some(last) = &last
            && last.asked.elapsed() < age
        {
            return Ok(last.map.clone());
        }
        let current = match last {
            None => CurrentMap::from(self.store.read().await?),
            Some(last) => match self.read_again().await {
                Ok(aliases) => CurrentMap::from(aliases),
                Err(error) => {
                    tracing::warn!(%error, "the alias map could not be read again: using the last good copy");
                    CurrentMap {
                        aliases: last.map.aliases,
                        outdated: Some(error),
                    }
                }
            },
        };
        *self.last() = Some(CachedMap {
            map: current.clone(),
            asked: Instant::now(),
        });
        Ok(current)
    }

    /// Waits for a short time only, since there is a good copy.
    async fn read_again(&self) -> Result<AliasMap, ReadError> {
        let read = Deadline::after(REFRESH_TIMEOUT).race(self.store.read()).await;
        read.unwrap_or_else(|| {
            let reason = format!("there was no answer for {} s", REFRESH_TIMEOUT.as_secs());
            Err(ReadError::Unreadable {
                place: self.store.place(),
                error: StorageError::new(Cause::Unavailable, reason),
            })
        })
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<CachedMap>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::arrival::Envelope;
    use crate::executor::block_on;

    fn only(recipient: &str) -> Recipients {
        Recipients::Envelope(Envelope::new([recipient.to_owned()]).unwrap())
    }

    fn names(source: &AliasCache, recipient: &str) -> Vec<String> {
        let current = block_on(source.for_recipients(&only(recipient))).unwrap();
        current.aliases.entries().map(|(key, _)| key.to_owned()).collect()
    }

    /// Catches a mail to an alias of a moment ago that ends as `no_alias`.
    #[test]
    fn a_map_that_knows_nothing_of_the_recipient_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("map.json");
        let source = AliasCache::new(AliasStore::File(path.clone()), Duration::from_hours(1));
        assert!(block_on(source.for_recipients(&Recipients::Unknown)).is_err());

        fs::write(&path, r#"{"a@example.com": "x@example.net"}"#).unwrap();
        assert_eq!(names(&source, "a@example.com"), ["a@example.com"]);
        fs::write(&path, r#"{"b@example.com": "x@example.net"}"#).unwrap();
        assert_eq!(names(&source, "a@example.com"), ["a@example.com"]);
        // Not so often that made-up recipients make a request each.
        assert_eq!(names(&source, "b@example.com"), ["a@example.com"]);
        source.last().as_mut().unwrap().asked -= MAX_AGE_IF_UNKNOWN;
        assert_eq!(names(&source, "b@example.com"), ["b@example.com"]);
    }

    #[test]
    fn a_text_that_is_not_a_map_never_replaces_a_good_copy() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("map.json");
        let source = AliasCache::new(AliasStore::File(path.clone()), Duration::ZERO);
        fs::write(&path, r#"{"a@example.com": "x@example.net"}"#).unwrap();
        assert_eq!(names(&source, "a@example.com"), ["a@example.com"]);
        for text in ["{\"a@exam", "[]", r#"{"name": 7}"#] {
            fs::write(&path, text).unwrap();
            assert_eq!(names(&source, "a@example.com"), ["a@example.com"], "{text}");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(names(&source, "a@example.com"), ["a@example.com"]);
        // A copy that does not know a recipient decides nothing.
        let current = block_on(source.for_recipients(&only("b@example.com"))).unwrap();
        assert!(matches!(current.outdated, Some(ReadError::Unreadable { .. })));
    }
}
