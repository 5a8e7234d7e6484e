//! How many notices of a kind were sent in this hour, such as to one address: a small object for each kind.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::pages::Pages;
use super::target::sha256;
use crate::aws::{Condition, Version, WriteError};
use crate::deadline::{pause, since_1970};

/// The most attempts to count. Each new attempt follows a write of another process.
const MAX_ATTEMPTS: u32 = 8;

/// Kinds that are counted in memory.
const MAX_KINDS: usize = 1000;

/// The notices of an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Count {
    /// Hours since 1970.
    hour: u64,
    notices: u32,
}

impl Count {
    /// This count plus one notice in this hour.
    fn and_one(self, hour: u64) -> Self {
        let before = if self.hour == hour { self.notices } else { 0 };
        Count {
            hour,
            notices: before.saturating_add(1),
        }
    }
}

/// The counts of this process, for as long as the pages cannot be reached.
#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<HashMap<String, Count>>);

impl Counts {
    /// Counts one more notice of a kind in memory.
    pub(super) fn count(&self, kind: &str) -> u32 {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MAX_KINDS {
            counts.clear();
        }
        let count = counts.entry(sha256(kind.as_bytes())).or_default();
        *count = count.and_one(this_hour());
        count.notices
    }
}

/// Counts one more notice in the pages, and returns the number of this hour.
pub(super) async fn count(pages: &Pages, kind: &str) -> io::Result<u32> {
    let hour = this_hour();
    // No message id begins with a dot.
    let name = format!(".told-{}.json", sha256(kind.as_bytes()));
    let mut seen: Option<Version> = None;
    for attempt in 1..=MAX_ATTEMPTS {
        // A count that cannot be read begins anew: its only use is to limit notices.
        let before = seen.as_ref().map(|seen| serde_json::from_slice(&seen.octets));
        let count = before.and_then(Result::ok).unwrap_or_default();
        let count = Count::and_one(count, hour);
        let condition = seen
            .as_ref()
            .map_or(Condition::Absent, |seen| Condition::Unchanged(&seen.etag));
        let octets = serde_json::to_vec(&count)?;
        match pages.write_named(&name, octets, condition).await {
            Ok(_) => return Ok(count.notices),
            Err(WriteError::Changed) => seen = pages.read_named(&name).await?,
            Err(WriteError::Conflict) => pause(super::FIRST_PAUSE * attempt).await,
            Err(WriteError::Other(error)) => return Err(error),
        }
    }
    Err(io::Error::other("others wrote it first"))
}

fn this_hour() -> u64 {
    since_1970().as_secs() / 3600
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::block_on;

    #[test]
    fn notices_are_counted_for_each_address_and_hour() {
        let directory = tempfile::tempdir().unwrap();
        let pages = Pages::Directory(directory.path().join("ledger"));
        let (jane, omar) = ("jane@example.org", "omar@example.org");
        let counts = Counts::default();
        for expected in 1..=3 {
            assert_eq!(block_on(count(&pages, jane)).unwrap(), expected);
            assert_eq!(counts.count(jane), expected);
        }
        assert_eq!(block_on(count(&pages, omar)).unwrap(), 1);
        let yesterday = Count { hour: 7, notices: 20 };
        assert_eq!(yesterday.and_one(8), Count { hour: 8, notices: 1 });
    }

    /// Catches a damaged count that keeps the owner from being told.
    #[test]
    fn a_count_that_cannot_be_read_begins_anew() {
        let directory = tempfile::tempdir().unwrap();
        let pages = Pages::Directory(directory.path().to_owned());
        let jane = "jane@example.org";
        block_on(count(&pages, jane)).unwrap();
        let page = std::fs::read_dir(directory.path()).unwrap().find_map(|entry| {
            let path = entry.unwrap().path();
            path.to_string_lossy().ends_with(".json").then_some(path)
        });
        std::fs::write(page.unwrap(), "{").unwrap();
        assert_eq!(block_on(count(&pages, jane)).unwrap(), 1);
    }
}
