//! Commands for mail that was not forwarded, or may not have been: they list it, show it, have it forwarded after all, and record
//! that it has arrived.

mod concurrent;
mod dead_letters;
mod facts;
pub(super) mod list;
mod moment;
mod neutral;
mod progress;
pub(super) mod redrive;
pub(super) mod release;
pub(super) mod settle;
pub(super) mod show;
pub(super) mod status;
mod undone;
mod worker;

use std::collections::VecDeque;

use readdress::arrival::MessageId;
use readdress::config::Places;
use readdress::connect::stored;
use readdress::forward::Inbox;
use readdress::ledger::{Entry, Listing, PageError, Pages};

use super::Failure;
use super::forward::SettingArguments;
use concurrent::{Task, in_order};

/// Pages that are read at once. S3 takes some tens of milliseconds for each.
const READS: usize = 16;

/// The most messages that are held in memory.
const SOME: usize = 256;

/// The stored mail and its ledger.
struct Ledger {
    inbox: Inbox,
    pages: Pages,
}

impl Ledger {
    async fn open(settings: &SettingArguments) -> Result<Self, Failure> {
        let places = Places::read(&|name| settings.setting(name))?;
        match stored(&places).await? {
            (inbox, Some(pages)) => {
                note_absence(&pages);
                Ok(Ledger { inbox, pages })
            }
            (_, None) => Err(Failure::Usage(
                "LEDGER is off, so nothing is recorded of any message".to_owned(),
            )),
        }
    }

    /// All that the ledger has, some at a time.
    fn entries(&self) -> Entries<'_> {
        Entries {
            pages: &self.pages,
            listing: self.pages.list(),
            listed: VecDeque::new(),
            unreadable: 0,
        }
    }
}

/// Says that there is no ledger where one is looked for: an empty list would look as if all were well.
fn note_absence(pages: &Pages) {
    if let Pages::Directory(directory) = pages
        && !directory.exists()
    {
        let shown = std::path::absolute(directory).unwrap_or_else(|_| directory.clone());
        eprintln!(
            "readdress: nothing is recorded yet: there is no directory {} (OUTBOX, LEDGER)",
            shown.display()
        );
    }
}

/// A reading of the whole ledger, in the order of its place.
struct Entries<'a> {
    pages: &'a Pages,
    listing: Listing<'a>,
    listed: VecDeque<Result<MessageId, PageError>>,
    /// Pages that could not be read. Each was named on stderr.
    unreadable: usize,
}

impl Entries<'_> {
    /// The next messages, perhaps none. `None`: there are no more.
    async fn next(&mut self) -> Result<Option<Vec<Entry>>, Failure> {
        if self.listed.is_empty() {
            let listed = self.listing.next().await;
            match listed.map_err(|error| Failure::failed("the ledger cannot be listed", error))? {
                Some(listed) => self.listed.extend(listed),
                None => return Ok(None),
            }
        }
        let some = self.listed.drain(..self.listed.len().min(SOME));
        let pages = self.pages;
        let reads = some.map(|id| -> Task<'_, _> { Box::pin(async move { pages.entry(&id?).await }) });
        let mut entries = Vec::new();
        let unreadable = &mut self.unreadable;
        in_order(READS, reads, |entry| {
            match entry {
                // `None`: its lifetime ended meanwhile.
                Ok(entry) => entries.extend(entry),
                Err(error) => {
                    *unreadable += 1;
                    eprintln!("readdress: {error}");
                }
            }
            Ok(())
        })
        .await?;
        Ok(Some(entries))
    }
}
