//! Where the key of reply addresses and signed aliases is kept, and the last good copy of it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::alias_store::{absolute, read_file};
use crate::aws::Parameters;
use crate::cause::{Cause, StorageError};
use crate::deadline::Deadline;
use crate::signed::{AliasKey, KeyError};

/// The greatest age of a key that does not verify the address of a recipient. Whoever has just changed the key tries an address
/// that the new one has signed. Not zero, so that mail to made-up addresses cannot make a request to SSM each.
const MAX_AGE_IF_UNVERIFIED: Duration = Duration::from_secs(5);

/// How long to wait for a fresh key while an older copy is available.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(3);

/// The largest file of a key in octets: far more than all keys that one may hold.
const MAX_FILE: u64 = 4096;

/// A place where a key is kept.
#[derive(Clone, Debug)]
pub enum KeyStore {
    /// A file.
    File(PathBuf),
    /// A parameter of SSM, encrypted as a SecureString.
    Ssm(Parameters),
}

/// Why there is no key. Nothing of the secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyReadError {
    /// The key could not be read.
    #[error("{place} cannot be read: {error} (ALIAS_KEY_PARAM)")]
    Unreadable {
        /// The key, and where it is kept.
        place: String,
        /// The reason, as the file system or AWS gives it.
        error: StorageError,
    },
    /// The text is not a key.
    #[error("{place} cannot be used: {error}")]
    NotAKey {
        /// The key, and where it is kept.
        place: String,
        /// The mistake in the text.
        error: KeyError,
    },
}

impl KeyReadError {
    /// The kind of the failure of mail that waits for the key.
    pub fn cause(&self) -> Cause {
        match self {
            KeyReadError::Unreadable { error, .. } => error.cause,
            KeyReadError::NotAKey { .. } => Cause::Configuration,
        }
    }
}

impl KeyStore {
    /// The key and its place, in the words of an operator who looks for it.
    pub fn place(&self) -> String {
        match self {
            KeyStore::File(path) => format!("the alias key {}", absolute(path)),
            KeyStore::Ssm(parameter) => format!("the alias key in the SSM parameter {}", parameter.name()),
        }
    }

    /// Reads the key.
    ///
    /// # Errors
    /// See [`KeyReadError`].
    pub async fn read(&self) -> Result<AliasKey, KeyReadError> {
        let text = match self {
            KeyStore::File(path) => read_file(path, MAX_FILE),
            // One parameter has one value.
            KeyStore::Ssm(parameter) => parameter.read().await.map(|values| values.concat()),
        };
        let text = text.map_err(|error| KeyReadError::Unreadable {
            place: self.place(),
            error,
        })?;
        AliasKey::parse(&text).map_err(|error| KeyReadError::NotAKey {
            place: self.place(),
            error,
        })
    }
}

/// A key that is read again from time to time. While that fails, the last good copy is used.
#[derive(Debug)]
pub struct KeyCache {
    store: KeyStore,
    time_to_live: Duration,
    /// The last good copy, and the time of the last attempt to read the key.
    last: Mutex<Option<(Arc<AliasKey>, Instant)>>,
}

impl KeyCache {
    /// A key that is read at its first use, and again after this time.
    pub fn new(store: KeyStore, time_to_live: Duration) -> Self {
        KeyCache {
            store,
            time_to_live,
            last: Mutex::new(None),
        }
    }

    /// The key.
    ///
    /// # Errors
    /// If it cannot be read, and never could. Mail must wait then, as without an alias map: in place of a reply address it
    /// would carry the stranger's own.
    pub async fn current(&self) -> Result<Arc<AliasKey>, KeyReadError> {
        self.not_older_than(self.time_to_live).await
    }

    /// The key for signatures that it may not know: if `verifies_all` is false, it was read within the last few seconds.
    ///
    /// # Errors
    /// See [`current`](Self::current).
    pub(crate) async fn current_for(
        &self,
        verifies_all: impl Fn(&AliasKey) -> bool,
    ) -> Result<Arc<AliasKey>, KeyReadError> {
        let key = self.current().await?;
        if verifies_all(&key) {
            return Ok(key);
        }
        let age = self.time_to_live.min(MAX_AGE_IF_UNVERIFIED);
        self.not_older_than(age).await
    }

    async fn not_older_than(&self, age: Duration) -> Result<Arc<AliasKey>, KeyReadError> {
        let last = self.last().clone();
        let key = match last {
            Some((key, asked)) if asked.elapsed() < age => return Ok(key),
            None => Arc::new(self.store.read().await?),
            Some((key, _)) => match self.read_again().await {
                Ok(fresh) => Arc::new(fresh),
                Err(error) => {
                    tracing::warn!(%error, "the alias key could not be read again: using the last good copy");
                    key
                }
            },
        };
        *self.last() = Some((key.clone(), Instant::now()));
        Ok(key)
    }

    /// Waits for a short time only, since there is a good copy.
    async fn read_again(&self) -> Result<AliasKey, KeyReadError> {
        let read = Deadline::after(REFRESH_TIMEOUT).race(self.store.read()).await;
        read.unwrap_or_else(|| {
            Err(KeyReadError::Unreadable {
                place: self.store.place(),
                error: StorageError::new(
                    Cause::Unavailable,
                    format!("there was no answer for {} s", REFRESH_TIMEOUT.as_secs()),
                ),
            })
        })
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<(Arc<AliasKey>, Instant)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::executor::block_on;

    const FIRST: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const SECOND: &str = "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    /// Catches a key that is lost while its place is out of order, and one that is never renewed.
    #[test]
    fn the_last_good_key_is_used_until_there_is_another() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let cache = KeyCache::new(KeyStore::File(path.clone()), Duration::ZERO);
        let current = || block_on(cache.current()).map(|key| key.to_text());
        let missing = current().unwrap_err();
        assert!(matches!(missing, KeyReadError::Unreadable { .. }));
        assert_eq!(missing.cause(), Cause::NotFound);
        fs::write(&path, "short").unwrap();
        assert!(matches!(current(), Err(KeyReadError::NotAKey { .. })));

        fs::write(&path, FIRST).unwrap();
        assert_eq!(current().unwrap().trim_end(), FIRST);
        for text in ["", "short", &"A".repeat(5_000)] {
            fs::write(&path, text).unwrap();
            assert_eq!(current().unwrap().trim_end(), FIRST, "{text}");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(current().unwrap().trim_end(), FIRST);
        fs::write(&path, SECOND).unwrap();
        assert_eq!(current().unwrap().trim_end(), SECOND);
    }

    /// Catches a mail to an address of a moment ago that counts as forged, and strangers who cause a request each.
    #[test]
    fn a_key_that_does_not_verify_an_address_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        fs::write(&path, FIRST).unwrap();
        let cache = KeyCache::new(KeyStore::File(path.clone()), Duration::from_hours(1));
        let key = |verifies: bool| block_on(cache.current_for(|_| verifies)).unwrap().to_text();
        assert_eq!(key(true).trim_end(), FIRST);
        fs::write(&path, SECOND).unwrap();
        assert_eq!(key(false).trim_end(), FIRST);
        cache.last().as_mut().unwrap().1 -= MAX_AGE_IF_UNVERIFIED;
        assert_eq!(key(true).trim_end(), FIRST);
        assert_eq!(key(false).trim_end(), SECOND);
    }

    #[test]
    fn a_key_is_not_read_for_each_mail() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        fs::write(&path, FIRST).unwrap();
        let cache = KeyCache::new(KeyStore::File(path.clone()), Duration::from_hours(1));
        block_on(cache.current()).unwrap();
        fs::write(&path, SECOND).unwrap();
        assert_eq!(block_on(cache.current()).unwrap().to_text().trim_end(), FIRST);
    }
}
