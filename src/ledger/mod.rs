//! The ledger: which message was delivered to whom.
//!
//! Lambda delivers an event again when an invocation fails, and may do so without a reason, also to two processes at once.
//! Targets that have got the message by then must not get it again, and a refusal for good must not cost another request.
//!
//! A message is claimed before anything is decided for its targets: the claim says to which of them it has been delivered.
//! Every delivery is recorded before the next one begins, so that an end at any moment, a panic included, forgets at most one.
//!
//! # Pages
//! A page is one small object for each message, beside the mail or in the outbox's directory. It is written only under the
//! condition that it has not changed ([`Condition`]), so that of two processes one learns of the other.
//! - The claim and the record of a send are one write each: a mail that goes out in one send costs two writes and no reading.
//! - A claim that is found lives for 50 seconds by the clock of the place; its owner renews it while it sends. Until it is dead
//!   nobody else sends to these targets ([`InProgress`]). Nobody knows how much the owner of a dead claim has sent: [`OnDoubt`]
//!   decides, as it does after a send without an answer.
//! - A claim is released with the record of the last send, or of the failure.
//! - Delivery comes before bookkeeping: where the pages cannot be written, mail goes out all the same, with a warning, once in
//!   this process.

mod claim;
mod delivery;
mod entries;
mod known;
mod memory;
mod page;
mod pages;
mod settle;
mod target;
mod told;

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use crate::arrival::{Arrival, MessageId};
use crate::aws::{Condition, WriteError};
use crate::config::OnDoubt;
use crate::deadline::{Deadline, pause, since_1970};
use crate::header::mailbox::Address;
use crate::outbox::Cause;

pub use claim::Claim;
use claim::{LIFE, Seen, State};
pub use delivery::{Deliveries, Delivery, End, Failure, Receipt};
pub use entries::{ClaimState, Entry, Listing, PageError, RecordedEnding};
pub use known::Known;
use memory::Memory;
use page::{Page, Sent};
pub use pages::Pages;
pub use settle::SettleError;
use target::TargetHash;
use told::Counts;

/// A claim is renewed when its page is this old: twice in its life.
const RENEWAL: Duration = Duration::from_secs(25);

/// The pause before a renewal that failed is tried again.
const RENEWAL_AGAIN: Duration = Duration::from_secs(5);

/// Sending stops this long before the invocation has to end, so that the last delivery can be recorded.
const RECORD_MARGIN: Duration = Duration::from_secs(3);

/// The ledger counts as out of reach after this time. S3 answers within a tenth of a second.
const PATIENCE: Duration = Duration::from_secs(5);

/// The same after it has been out of reach: many recipients do not wait for it one after the other.
const PATIENCE_AGAIN: Duration = Duration::from_secs(1);

/// The most attempts of a write. Each new attempt follows a write of another process.
const MAX_ATTEMPTS: u32 = 8;

/// The pause after S3 said that another write is under way; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// A place where deliveries are recorded.
#[derive(Debug)]
pub struct Ledger {
    /// The deliveries that this process remembers. They are all there is when the pages cannot be reached.
    memory: Memory,
    counts: Counts,
    /// `None`: other processes do not know what this one has sent.
    pages: Option<Pages>,
    on_doubt: OnDoubt,
    renewal: Duration,
}

/// Another invocation is sending the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InProgress;

impl Default for Ledger {
    fn default() -> Self {
        Ledger::new(None, OnDoubt::default())
    }
}

impl Ledger {
    /// A ledger with these pages, or without any.
    pub fn new(pages: Option<Pages>, on_doubt: OnDoubt) -> Self {
        Ledger {
            memory: Memory::default(),
            counts: Counts::default(),
            pages,
            on_doubt,
            renewal: RENEWAL,
        }
    }

    /// The deadline for sends: afterwards there is time to record them.
    pub fn sends_until(&self, deadline: Deadline) -> Deadline {
        match self.pages {
            Some(_) => deadline.before(RECORD_MARGIN),
            None => deadline,
        }
    }

    /// Opens the ledger for an arrival. Nothing is read or written yet.
    pub fn open(&self, arrival: &Arrival) -> Claim {
        Claim::new(arrival, self.memory.recall(&arrival.message_id))
    }

    /// Reads the record of a message. `None`: it has none, or there are no pages.
    ///
    /// # Errors
    /// If its page cannot be read.
    pub async fn look_up(&self, message_id: &MessageId, deadline: Deadline) -> Result<Option<Known>, String> {
        let Some(pages) = &self.pages else {
            return Ok(None);
        };
        let time = Deadline::after(PATIENCE).or(deadline);
        match time.race(Seen::read(pages, message_id)).await {
            Some(Ok(seen)) => Ok(seen.map(Known)),
            Some(Err(error)) => Err(error.to_string()),
            None => Err("it did not answer in time".to_owned()),
        }
    }

    /// Opens the ledger for an arrival whose page has been read.
    pub fn reopen(&self, arrival: &Arrival, known: Known) -> Claim {
        let mut claim = self.open(arrival);
        claim.seen = Some(known.0);
        self.learn(&mut claim);
        claim
    }

    /// Claims the message for those of a recipient's targets that have not got it, if there are any. Afterwards the deliveries
    /// of the claim are up to date.
    ///
    /// # Errors
    /// If another invocation has claimed it and lives.
    pub async fn claim(
        &self,
        claim: &mut Claim,
        recipient: &str,
        targets: &[Address],
        deadline: Deadline,
    ) -> Result<(), InProgress> {
        claim.targets = targets.iter().map(TargetHash::from).collect();
        let mark = claim.mark();
        let mut in_progress = false;
        let claimed = self.write(claim, deadline, |page, age| {
            in_progress = false;
            let left = page.left(&mark.targets);
            if left.is_empty() {
                // Nothing else would end a dead claim that is found now.
                if let Some(dead) = page
                    .claim
                    .take_if(|other| other.token != mark.token && age >= LIFE)
                {
                    page.doubt(&dead.targets);
                }
                page.settle(recipient);
                return true;
            }
            if page.claim.as_ref() == Some(&mark) {
                return true;
            }
            if let Some(other) = page.claim.clone().filter(|other| other.token != mark.token) {
                if age < LIFE {
                    in_progress = true;
                    // A write would make a claim look alive whose owner is dead.
                    return false;
                }
                page.doubt(&other.targets);
            }
            let is_sent = |target| self.on_doubt == OnDoubt::Resend || !page.in_doubt.contains(target);
            page.claim = left.iter().any(is_sent).then(|| mark.clone());
            true
        });
        if let Err(error) = claimed.await {
            let message_id = claim.arrival.message_id.as_str();
            tracing::warn!(
                message_id,
                error,
                "the ledger cannot be written; the message goes out all the same, and if its event comes to another process, \
                 again (LEDGER)"
            );
        }
        self.learn(claim);
        if in_progress { Err(InProgress) } else { Ok(()) }
    }

    /// Records how a delivery of the claimed message ended. With the last delivery of a recipient the claim is released. A
    /// failure is recorded by [`release`](Self::release).
    pub async fn record(
        &self,
        claim: &mut Claim,
        delivery: Delivery,
        last_of: Option<&str>,
        deadline: Deadline,
    ) {
        self.memory.record(&claim.arrival.message_id, &delivery);
        let (targets, receipt) = match delivery {
            Delivery::Sent { targets, receipt } => (targets, receipt),
            Delivery::Failed(_) | Delivery::Told(_) => return claim.deliveries.add(delivery),
        };
        let targets: BTreeSet<TargetHash> = targets.iter().map(TargetHash::from).collect();
        claim.unwritten.push(Sent::new(targets.clone(), &receipt));
        claim.deliveries.reached(targets.into_iter().collect(), receipt);
        let token = claim.token.clone();
        let recorded = self.write(claim, deadline, |page, _| {
            if let Some(recipient) = last_of {
                page.claim.take_if(|claim| claim.token == token);
                page.end(recipient, &End::SENT);
            }
            true
        });
        if let Err(error) = recorded.await {
            unrecorded(&claim.arrival.message_id, &error);
        }
        if last_of.is_some() {
            claim.state = State::Unwritten;
        }
    }

    /// Records how it ended for this recipient, where it was not sent, and releases the message.
    pub async fn release(&self, claim: &mut Claim, recipient: &str, end: &End, deadline: Deadline) {
        let (token, unanswered) = (claim.token.clone(), claim.unanswered.clone());
        if !end.told.is_empty() {
            let told = Delivery::Told(end.told.clone());
            self.memory.record(&claim.arrival.message_id, &told);
            claim.deliveries.add(told);
        }
        let released = self.write(claim, deadline, |page, _| {
            let is_anothers = page.claim.as_ref().is_some_and(|claim| claim.token != token);
            page.told.extend(end.told.iter().map(TargetHash::from));
            if end.cause == Some(Cause::Ambiguous) {
                page.doubt(&unanswered);
            } else if is_anothers {
                // The holder of the claim records the ending, and a write now would make the claim look alive although its
                // owner may be dead.
                return !end.told.is_empty();
            }
            page.claim.take_if(|claim| claim.token == token);
            page.end(recipient, end);
            true
        });
        if let Err(error) = released.await {
            unrecorded(&claim.arrival.message_id, &error);
        }
        claim.state = State::Unwritten;
    }

    /// Counts a notice of this kind, such as to an address, and returns how many there were in this hour, this one included.
    pub async fn count_notice(&self, kind: &str, deadline: Deadline) -> u32 {
        let in_memory = self.counts.count(kind);
        let Some(pages) = &self.pages else {
            return in_memory;
        };
        let time = Deadline::after(PATIENCE).or(deadline);
        match time.race(told::count(pages, kind)).await {
            Some(Ok(count)) => count,
            Some(Err(error)) => {
                tracing::warn!(error = %error, "the ledger cannot count notices; they are counted in this process alone (LEDGER)");
                in_memory
            }
            None => in_memory,
        }
    }

    /// Renews the claim if it is due. The claim may turn out to be lost.
    pub async fn refresh(&self, claim: &mut Claim) {
        let age = claim.seen.as_ref().map_or(Duration::ZERO, Seen::age);
        if claim.state == State::Held && age >= self.renewal {
            // A failure is logged, and does not keep the mail back.
            let _ = self.renew(claim).await;
        }
    }

    /// Does some work, and renews the claim meanwhile.
    pub async fn keep<T>(&self, claim: &mut Claim, work: impl Future<Output = T>) -> T {
        if self.pages.is_none() || claim.state != State::Held {
            return work.await;
        }
        let mut work = Box::pin(work);
        let mut renewals = Box::pin(async {
            loop {
                let age = claim.seen.as_ref().map_or(Duration::ZERO, Seen::age);
                pause(self.renewal.saturating_sub(age)).await;
                if self.renew(claim).await.is_err() {
                    pause(RENEWAL_AGAIN).await;
                }
            }
        });
        std::future::poll_fn(|context| {
            let done = work.as_mut().poll(context);
            if done.is_pending() {
                let _: std::task::Poll<()> = renewals.as_mut().poll(context);
            }
            done
        })
        .await
    }

    async fn renew(&self, claim: &mut Claim) -> Result<(), String> {
        if claim.state != State::Held {
            return std::future::pending().await;
        }
        let token = claim.token.clone();
        let renewed = self.write(claim, Deadline::NEVER, |page, _| {
            if let Some(claim) = page.claim.as_mut().filter(|claim| claim.token == token) {
                claim.renewals += 1;
            }
            true
        });
        let renewed = renewed.await;
        if let Err(error) = &renewed {
            let message_id = claim.arrival.message_id.as_str();
            tracing::warn!(message_id, error, "the claim of the message was not renewed");
        }
        renewed
    }

    /// Changes the page of a claim. A page that does not change is not written. If another process has written in between, its
    /// version is read and the change is made again on that. A change that returns false is not written.
    async fn write(
        &self,
        claim: &mut Claim,
        deadline: Deadline,
        mut change: impl FnMut(&mut Page, Duration) -> bool,
    ) -> Result<(), String> {
        let Some(pages) = &self.pages else {
            return Ok(());
        };
        let patience = if claim.is_out_of_reach {
            PATIENCE_AGAIN
        } else {
            PATIENCE
        };
        let time = Deadline::after(patience).or(deadline);
        let written = time.race(try_write(pages, claim, &mut change)).await;
        let written = match written {
            Some(written) => written.map_err(|error| error.to_string()),
            None => Err(format!(
                "it did not answer within {} s, or the invocation's time ended",
                patience.as_secs()
            )),
        };
        claim.is_out_of_reach = written.is_err();
        let is_there = |seen: &Seen| seen.page.is_claimed_by(&claim.token);
        if claim.seen.as_ref().is_some_and(is_there) {
            claim.state = State::Held;
        } else if claim.state == State::Held {
            claim.state = State::Lost;
        }
        written
    }

    /// Adds the deliveries in the page to those of its claim.
    fn learn(&self, claim: &mut Claim) {
        let Some(Seen { page, .. }) = &claim.seen else {
            return;
        };
        for sent in &page.sent {
            let targets = sent.targets.iter().cloned().collect();
            claim.deliveries.reached(targets, sent.receipt.clone());
        }
        claim.deliveries.tell(&page.told);
        if self.on_doubt == OnDoubt::Hold {
            claim.deliveries.hold(&page.in_doubt);
        }
    }
}

async fn try_write(
    pages: &Pages,
    claim: &mut Claim,
    change: &mut impl FnMut(&mut Page, Duration) -> bool,
) -> Result<(), WriteError> {
    let message_id = claim.arrival.message_id.clone();
    let mut time = FIRST_PAUSE;
    for _ in 0..MAX_ATTEMPTS {
        let (mut page, age) = match &claim.seen {
            Some(seen) => (seen.page.clone(), seen.age()),
            None => (Page::new(&claim.arrival), Duration::ZERO),
        };
        page.arrive(&claim.arrival);
        for sent in &claim.unwritten {
            page.add(sent);
        }
        if !change(&mut page, age) {
            return Ok(());
        }
        if claim.seen.as_ref().is_some_and(|seen| seen.page == page) {
            claim.unwritten.clear();
            return Ok(());
        }
        page.written_at = since_1970().as_secs();
        let etag = claim.seen.as_ref().map(|seen| seen.etag.clone());
        let condition = etag.as_deref().map_or(Condition::Absent, Condition::Unchanged);
        // The age counts from before the write, so that it is never taken for less than it is.
        let at = Instant::now();
        match pages.write(&message_id, page.to_json(), condition).await {
            Ok(etag) => {
                let age = Duration::ZERO;
                claim.seen = Some(Seen { page, etag, age, at });
                claim.unwritten.clear();
                return Ok(());
            }
            Err(WriteError::Changed) => claim.seen = Seen::read(pages, &message_id).await?,
            Err(WriteError::Conflict) => {
                pause(time).await;
                time *= 2;
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(format!("others wrote it first {MAX_ATTEMPTS} times")).into())
}

fn unrecorded(message_id: &MessageId, error: &str) {
    let message_id = message_id.as_str();
    tracing::warn!(
        message_id,
        error,
        "the ledger cannot be written; if the event comes to another process, the message may go out again (LEDGER)"
    );
}

#[cfg(test)]
mod tests;
