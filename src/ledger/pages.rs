//! The place where a ledger's pages lie: small files that several processes write, each under a condition.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::target::sha256;
use crate::arrival::MessageId;
use crate::aws::{Condition, S3Bucket, Version, WriteError};
use crate::bucket::Bucket;

/// The most octets of a page. The page of a message to a thousand targets has less than a fifth of this.
const MAX_PAGE: u64 = 1 << 20;

/// A place of pages.
#[derive(Clone, Debug)]
pub enum Pages {
    /// A directory.
    Directory(PathBuf),
    /// The keys of a bucket that begin with a prefix.
    S3 {
        /// The bucket.
        bucket: S3Bucket,
        /// The prefix.
        prefix: String,
    },
}

impl Pages {
    /// The pages of a ledger: in the outbox if that is a directory, else beside the mail.
    pub fn of(bucket: &Bucket, outbox: Option<&Path>, prefix: &str) -> Self {
        match (outbox, bucket) {
            (Some(directory), _) => Pages::Directory(directory.join(prefix)),
            (None, Bucket::Directory(directory)) => Pages::Directory(directory.join(prefix)),
            (None, Bucket::S3(bucket)) => Pages::S3 {
                bucket: bucket.clone(),
                prefix: prefix.to_owned(),
            },
        }
    }

    /// Reads a page. `None`: there is none.
    pub(super) async fn read(&self, message_id: &MessageId) -> io::Result<Option<Version>> {
        self.read_named(&name(message_id)).await
    }

    /// Reads the object of this name. `None`: there is none.
    pub(super) async fn read_named(&self, name: &str) -> io::Result<Option<Version>> {
        match self {
            Pages::Directory(directory) => read(&directory.join(name)),
            Pages::S3 { bucket, prefix } => bucket.version(&format!("{prefix}{name}"), MAX_PAGE).await,
        }
    }

    /// Writes a page if the condition holds, and returns the name of the new version.
    pub(super) async fn write(
        &self,
        message_id: &MessageId,
        page: Vec<u8>,
        condition: Condition<'_>,
    ) -> Result<String, WriteError> {
        self.write_named(&name(message_id), page, condition).await
    }

    /// The same for the object of this name.
    pub(super) async fn write_named(
        &self,
        name: &str,
        octets: Vec<u8>,
        condition: Condition<'_>,
    ) -> Result<String, WriteError> {
        match self {
            Pages::Directory(directory) => write(directory, name, &octets, condition),
            Pages::S3 { bucket, prefix } => bucket.write(&format!("{prefix}{name}"), octets, condition).await,
        }
    }
}

fn name(message_id: &MessageId) -> String {
    format!("{message_id}.json")
}

fn read(path: &Path) -> io::Result<Option<Version>> {
    let octets = match fs::read(path) {
        Ok(octets) => octets,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let written = fs::metadata(path)?.modified()?;
    Ok(Some(Version {
        etag: sha256(&octets),
        age: SystemTime::now().duration_since(written).unwrap_or_default(),
        octets,
    }))
}

/// Compares and swaps under a lock, so that no other process does so in between. A reader needs no lock: a page is written
/// beside its place and then moved there.
fn write(directory: &Path, name: &str, page: &[u8], condition: Condition<'_>) -> Result<String, WriteError> {
    fs::create_dir_all(directory)?;
    let lock = File::create(directory.join(".lock"))?;
    // Held until the end of this function.
    lock.lock()?;
    let path = directory.join(name);
    let there = read(&path)?;
    let holds = match (condition, &there) {
        (Condition::Absent, None) => true,
        (Condition::Unchanged(etag), Some(there)) => there.etag == etag,
        _ => false,
    };
    if !holds {
        return Err(WriteError::Changed);
    }
    let draft = directory.join(".draft");
    fs::write(&draft, page)?;
    fs::rename(&draft, &path)?;
    Ok(sha256(page))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::block_on;

    fn id() -> MessageId {
        MessageId::parse("m1").unwrap()
    }

    #[test]
    fn a_page_is_written_under_a_condition() {
        let directory = tempfile::tempdir().unwrap();
        let pages = Pages::Directory(directory.path().join("ledger"));
        let write = |page: &str, condition| block_on(pages.write(&id(), page.into(), condition));
        let read = || block_on(pages.read(&id())).unwrap();
        let changed = |written| matches!(written, Err(WriteError::Changed));
        assert!(read().is_none());
        assert!(changed(write("one", Condition::Unchanged("x"))));
        let one = write("one", Condition::Absent).unwrap();
        assert!(changed(write("two", Condition::Absent)));
        assert_eq!(read().unwrap().etag, one);
        let two = write("two", Condition::Unchanged(&one)).unwrap();
        assert!(changed(write("three", Condition::Unchanged(&one))));
        let version = read().unwrap();
        assert_eq!((version.octets, version.etag), (b"two".to_vec(), two));
        assert!(version.age.as_secs() < 50);
    }

    /// Catches a comparison and a swap with a gap between them.
    #[test]
    fn of_two_writers_each_sees_what_the_other_wrote() {
        const ROUNDS: usize = 200;
        let directory = tempfile::tempdir().unwrap();
        let pages = Pages::Directory(directory.path().to_owned());
        let add = || {
            for _ in 0..ROUNDS {
                let mut added = false;
                while !added {
                    let there = block_on(pages.read(&id())).unwrap();
                    let mut page = there.as_ref().map_or(Vec::new(), |there| there.octets.clone());
                    page.push(b'x');
                    let etag = there.as_ref().map(|there| there.etag.as_str());
                    let condition = etag.map_or(Condition::Absent, Condition::Unchanged);
                    added = block_on(pages.write(&id(), page, condition)).is_ok();
                }
            }
        };
        std::thread::scope(|scope| {
            let two = [scope.spawn(add), scope.spawn(add)];
            for writer in two {
                writer.join().unwrap();
            }
        });
        let page = block_on(pages.read(&id())).unwrap().unwrap();
        assert_eq!(page.octets.len(), 2 * ROUNDS);
    }
}
