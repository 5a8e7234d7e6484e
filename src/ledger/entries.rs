//! The ledger as its owner reads it: which messages it knows, and how each ended. Only the command line lists pages.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::claim::LIFE;
use super::pages::Pages;
use crate::arrival::{MessageId, RecordedArrival};

/// A message, as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The message.
    pub message_id: MessageId,
    /// Its arrival, as SES told it.
    pub arrival: RecordedArrival,
    /// How it last ended, by recipient. A recipient whose mail was never claimed is missing.
    pub endings: BTreeMap<String, RecordedEnding>,
    /// Whether somebody is sending it, or was.
    pub claim: Option<ClaimState>,
    /// When the page was written, in seconds since 1970 by the writer's clock.
    pub written_at: u64,
}

/// How it ended for a recipient, in the words of outcomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedEnding {
    /// `sent`, `held`, `failed` and so on.
    pub outcome: String,
    /// Why it is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The kind of the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Whether somebody was told of it by mail.
    #[serde(default)]
    pub told: bool,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// The state of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimState {
    /// The message is being sent.
    Alive,
    /// The invocation that was sending it ended without a record: nobody knows how much was sent.
    Dead,
}

/// Why a page says nothing. No address is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the page {name:?} of the ledger cannot be read: {reason}")]
pub struct PageError {
    /// The name of the page in its place.
    pub name: String,
    /// The reason.
    pub reason: String,
}

/// The names of all pages, some at a time.
#[derive(Debug)]
pub struct Listing<'a> {
    pages: &'a Pages,
    left: Left,
}

/// The part of the place that was not listed yet.
#[derive(Debug)]
enum Left {
    All,
    /// The pages after this position, in the place's own notation.
    After(String),
    Nothing,
}

/// A page, without the members that only a sender needs.
#[derive(Deserialize)]
struct Page {
    arrival: RecordedArrival,
    #[serde(default)]
    claim: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    outcomes: BTreeMap<String, RecordedEnding>,
    #[serde(default)]
    written_at: u64,
}

impl Pages {
    /// Lists all messages.
    pub fn list(&self) -> Listing<'_> {
        Listing {
            pages: self,
            left: Left::All,
        }
    }

    /// Reads the entry of a message. `None`: the ledger has none.
    ///
    /// # Errors
    /// If its page cannot be read, or is not one.
    pub async fn entry(&self, message_id: &MessageId) -> Result<Option<Entry>, PageError> {
        let failed = |reason: String| PageError {
            name: format!("{message_id}.json"),
            reason,
        };
        let version = self.read(message_id).await;
        let Some(version) = version.map_err(|error| failed(error.to_string()))? else {
            return Ok(None);
        };
        let page: Page = serde_json::from_slice(&version.octets).map_err(|error| {
            // The error may quote an address from the page.
            let (kind, line, column) = (error.classify(), error.line(), error.column());
            failed(format!("{kind:?} error at line {line}, column {column}"))
        })?;
        let claim = page.claim.map(|_| claim_state(version.age));
        Ok(Some(Entry {
            message_id: message_id.clone(),
            arrival: page.arrival,
            endings: page.outcomes,
            claim,
            written_at: page.written_at,
        }))
    }
}

fn claim_state(age: Duration) -> ClaimState {
    if age < LIFE {
        ClaimState::Alive
    } else {
        ClaimState::Dead
    }
}

impl Listing<'_> {
    /// The next messages, at most a thousand of a bucket and all of a directory, by id. `None`: there are no more. An object that
    /// cannot be a page is an error of its own.
    ///
    /// # Errors
    /// If the place cannot be listed.
    pub async fn next(&mut self) -> io::Result<Option<Vec<Result<MessageId, PageError>>>> {
        let after = match std::mem::replace(&mut self.left, Left::Nothing) {
            Left::All => None,
            Left::After(after) => Some(after),
            Left::Nothing => return Ok(None),
        };
        let (names, next) = match self.pages {
            Pages::Directory(directory) => (names(directory)?, None),
            Pages::S3 { bucket, prefix } => {
                let listed = bucket.list(prefix, after.as_deref()).await?;
                let names = listed.keys.into_iter();
                let names = names.filter_map(|key| key.strip_prefix(prefix).map(str::to_owned));
                (names.collect(), listed.next)
            }
        };
        self.left = next.map_or(Left::Nothing, Left::After);
        Ok(Some(names.into_iter().filter_map(page_of).collect()))
    }
}

/// The names of the files of a directory, sorted: a file system has no order.
fn names(directory: &std::path::Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        // Nothing was sent yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// The message whose page has this name. `None`: it is one of the ledger's other objects, counts of notices and locks, or the
/// object that a console makes for a folder.
fn page_of(name: String) -> Option<Result<MessageId, PageError>> {
    if name.is_empty() || name.starts_with('.') || name.starts_with("told-") {
        return None;
    }
    let id = name.strip_suffix(".json").map(MessageId::parse);
    Some(match id {
        Some(Ok(id)) => Ok(id),
        Some(Err(_)) | None => Err(PageError {
            name,
            reason: "its name is not that of a page, a message id and .json; move it elsewhere".to_owned(),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::block_on;

    fn list(pages: &Pages) -> Vec<Result<MessageId, PageError>> {
        let mut listing = pages.list();
        let mut all = Vec::new();
        while let Some(some) = block_on(listing.next()).unwrap() {
            all.extend(some);
        }
        all
    }

    /// Catches a lock or a count that is taken for a page, and a page that is passed over in silence.
    #[test]
    fn pages_are_listed_and_others_named() {
        let directory = tempfile::tempdir().unwrap();
        for name in [
            "m2.json",
            "m1.json",
            ".lock",
            ".told-ab.json",
            "told-ab.json",
            "notes.txt",
        ] {
            fs::write(directory.path().join(name), "x").unwrap();
        }
        let listed = list(&Pages::Directory(directory.path().to_owned()));
        let names: Vec<String> = listed
            .iter()
            .map(|page| match page {
                Ok(id) => id.to_string(),
                Err(error) => format!("? {}", error.name),
            })
            .collect();
        assert_eq!(names, ["m1", "m2", "? notes.txt"]);
        assert!(list(&Pages::Directory(directory.path().join("missing"))).is_empty());
    }

    /// Catches an address in an error: the page's text has some.
    #[test]
    fn a_page_that_is_not_one_is_named_without_its_text() {
        let directory = tempfile::tempdir().unwrap();
        let pages = Pages::Directory(directory.path().to_owned());
        let id = MessageId::parse("m1").unwrap();
        assert_eq!(block_on(pages.entry(&id)), Ok(None));
        fs::write(
            directory.path().join("m1.json"),
            r#"{"arrival": "jane@example.org"}"#,
        )
        .unwrap();
        let error = block_on(pages.entry(&id)).unwrap_err().to_string();
        assert!(error.contains("m1.json") && !error.contains("jane"), "{error}");
    }

    #[test]
    fn a_claim_dies() {
        assert_eq!(claim_state(Duration::from_secs(49)), ClaimState::Alive);
        assert_eq!(claim_state(LIFE), ClaimState::Dead);
    }
}
