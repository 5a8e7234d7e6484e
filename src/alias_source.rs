//! Where the alias map comes from, and the last good one.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::alias::{AliasMap, MapError, Severity};
use crate::arrival::Recipients;
use crate::aws::{Parameters, S3Bucket};
use crate::deadline::Deadline;

/// How old a map may be that knows nothing of a recipient. Whoever has just added an alias sends a mail to try it, and
/// that must not end as `no_alias` for a map of a minute ago. Not zero, so that mail to made-up addresses of a domain
/// cannot make a request to SSM each.
const FRESH: Duration = Duration::from_secs(5);

/// How long a map is waited for that is there already, in an older form.
const PATIENCE: Duration = Duration::from_secs(3);

/// The largest map in octets: some ten thousand aliases. It is held in memory.
const MAX_MAP: u64 = 1 << 20;

/// Where an alias map is kept.
#[derive(Clone, Debug)]
pub enum MapStore {
    /// A file.
    File(PathBuf),
    /// SSM: one parameter, or a path of them.
    Ssm(Parameters),
    /// An object in S3.
    S3 {
        /// Its bucket.
        bucket: S3Bucket,
        /// Its key.
        key: String,
    },
}

/// Why there is no alias map. It repeats nothing of its text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It cannot be got.
    #[error("{place} cannot be read: {reason}")]
    Unreadable {
        /// Where it is kept.
        place: String,
        /// What happened.
        reason: String,
    },
    /// It is none.
    #[error("{place}: {error}")]
    NoMap {
        /// Where it is kept.
        place: String,
        /// What is wrong with it.
        error: MapError,
    },
    /// It has entries, and no good one: not a map with a slip, but something else.
    #[error("no entry of {0} can be used; is it another file?")]
    NothingUsable(String),
}

impl MapStore {
    /// Where it is, as an operator would look for it.
    pub fn place(&self) -> String {
        match self {
            MapStore::File(path) => format!("the alias map {}", path.display()),
            MapStore::Ssm(parameters) => format!("the alias map in the SSM parameter {}", parameters.name()),
            MapStore::S3 { bucket, key } => format!("the alias map s3://{}/{key}", bucket.name()),
        }
    }

    /// Reads the map, and warns of what is wrong with single entries: they must not stop the others.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn read(&self) -> Result<AliasMap, ReadError> {
        let place = self.place();
        let texts = self.texts().await.map_err(|reason| ReadError::Unreadable {
            place: place.clone(),
            reason,
        })?;
        let aliases = match AliasMap::parse_all(texts.iter().map(Vec::as_slice)) {
            Ok(aliases) => aliases,
            Err(error) => return Err(ReadError::NoMap { place, error }),
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
            tracing::warn!("{broken} mistakes in {place}; to see them: readdress aliases check FILE");
        }
        Ok(aliases)
    }

    async fn texts(&self) -> Result<Vec<Vec<u8>>, String> {
        match self {
            MapStore::File(path) => std::fs::read(path)
                .map(|text| vec![text])
                .map_err(|error| error.to_string()),
            MapStore::Ssm(parameters) => parameters.read().await,
            MapStore::S3 { bucket, key } => {
                let text = bucket.read(key, MAX_MAP).await;
                text.map(|text| vec![text]).map_err(|error| error.to_string())
            }
        }
    }
}

/// An alias map that is read again from time to time. While that fails, the last good one serves.
#[derive(Debug)]
pub struct AliasSource {
    store: MapStore,
    time_to_live: Duration,
    last: Mutex<Option<Last>>,
}

/// The map that serves.
#[derive(Clone, Debug)]
pub struct Served {
    /// The map.
    pub aliases: Arc<AliasMap>,
    /// Why it is not the newest, where it could not be read again. It still holds for whom it knows.
    pub outdated: Option<ReadError>,
}

impl From<AliasMap> for Served {
    fn from(aliases: AliasMap) -> Self {
        Served {
            aliases: Arc::new(aliases),
            outdated: None,
        }
    }
}

#[derive(Clone, Debug)]
struct Last {
    served: Served,
    /// When it was read, or when that was tried in vain.
    asked: Instant,
}

impl AliasSource {
    /// A map that is read at first use, and after this time again.
    pub fn new(store: MapStore, time_to_live: Duration) -> Self {
        AliasSource {
            store,
            time_to_live,
            last: Mutex::new(None),
        }
    }

    /// The map for these recipients. One that does not have all of them, or that nobody can tell, was read just now.
    ///
    /// # Errors
    /// If it cannot be read, and never could.
    pub async fn for_recipients(&self, recipients: &Recipients) -> Result<Served, ReadError> {
        let served = self.not_older_than(self.time_to_live).await?;
        let known = |recipient: &String| {
            let address = recipient.parse();
            address.is_ok_and(|address| served.aliases.resolve(&address).is_some())
        };
        if recipients.known().is_some_and(|all| all.iter().all(known)) {
            return Ok(served);
        }
        self.not_older_than(self.time_to_live.min(FRESH)).await
    }

    async fn not_older_than(&self, age: Duration) -> Result<Served, ReadError> {
        let last = self.last().clone();
        if let Some(last) = &last
            && last.asked.elapsed() < age
        {
            return Ok(last.served.clone());
        }
        let served = match last {
            None => Served::from(self.store.read().await?),
            Some(last) => match self.read_again().await {
                Ok(aliases) => Served::from(aliases),
                Err(error) => {
                    tracing::warn!(%error, "the alias map could not be read again: the last good one serves");
                    Served {
                        aliases: last.served.aliases,
                        outdated: Some(error),
                    }
                }
            },
        };
        *self.last() = Some(Last {
            served: served.clone(),
            asked: Instant::now(),
        });
        Ok(served)
    }

    /// With a good map at hand, a store that hangs is not waited for.
    async fn read_again(&self) -> Result<AliasMap, ReadError> {
        let read = Deadline::after(PATIENCE).race(self.store.read()).await;
        read.unwrap_or_else(|| {
            Err(ReadError::Unreadable {
                place: self.store.place(),
                reason: format!("there was no answer for {} s", PATIENCE.as_secs()),
            })
        })
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<Last>> {
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

    fn names(source: &AliasSource, recipient: &str) -> Vec<String> {
        let served = block_on(source.for_recipients(&only(recipient))).unwrap();
        served.aliases.entries().map(|(key, _)| key.to_owned()).collect()
    }

    /// Catches a mail to an alias of a moment ago that ends as `no_alias`.
    #[test]
    fn a_map_that_knows_nothing_of_the_recipient_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("map.json");
        let source = AliasSource::new(MapStore::File(path.clone()), Duration::from_hours(1));
        assert!(block_on(source.for_recipients(&Recipients::Unknown)).is_err());

        fs::write(&path, r#"{"a@example.com": "x@example.net"}"#).unwrap();
        assert_eq!(names(&source, "a@example.com"), ["a@example.com"]);
        fs::write(&path, r#"{"b@example.com": "x@example.net"}"#).unwrap();
        assert_eq!(names(&source, "a@example.com"), ["a@example.com"]);
        // Not so often that made-up recipients make a request each.
        assert_eq!(names(&source, "b@example.com"), ["a@example.com"]);
        source.last().as_mut().unwrap().asked -= FRESH;
        assert_eq!(names(&source, "b@example.com"), ["b@example.com"]);
    }

    #[test]
    fn a_map_that_is_none_never_replaces_a_good_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("map.json");
        let source = AliasSource::new(MapStore::File(path.clone()), Duration::ZERO);
        fs::write(&path, r#"{"a@example.com": "x@example.net"}"#).unwrap();
        assert_eq!(names(&source, "a@example.com"), ["a@example.com"]);
        for text in ["{\"a@exam", "[]", r#"{"name": 7}"#] {
            fs::write(&path, text).unwrap();
            assert_eq!(names(&source, "a@example.com"), ["a@example.com"], "{text}");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(names(&source, "a@example.com"), ["a@example.com"]);
        // That one does not know a recipient decides nothing.
        let served = block_on(source.for_recipients(&only("b@example.com"))).unwrap();
        assert!(matches!(served.outdated, Some(ReadError::Unreadable { .. })));
    }
}
