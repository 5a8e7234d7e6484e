//! One arrival from event to outcomes.

mod counted;
#[cfg(feature = "cli")]
mod explain;
mod inbox;
mod notice;
mod outcome;
mod policy;
mod recipient;
mod route;
mod send;
mod steps;
mod stop;
mod tell;
mod way;

use crate::alias_key::KeyCache;
use crate::alias_store::{AliasCache, ReadError};
use crate::arrival::{Arrival, Recipients, trace};
use crate::bucket::Bucket;
use crate::config::Settings;
use crate::deadline::Deadline;
use crate::ledger::{Ledger, Pages};
use crate::outbox::{Cause, Outbox};

#[cfg(feature = "cli")]
pub use explain::{Explainer, Explanation, NotReady};
pub use outcome::{Ending, Outcome};

use inbox::Inbox;
use steps::{Steps, Work};
use stop::OUT_OF_TIME;

/// Forwards arrivals.
#[derive(Debug)]
pub struct Forwarder {
    aliases: AliasCache,
    inbox: Inbox,
    steps: Steps,
    ledger_prefix: Option<String>,
    key: Option<KeyCache>,
}

impl Forwarder {
    /// A forwarder from this bucket to this outbox.
    pub fn new(aliases: AliasCache, bucket: Bucket, outbox: Outbox, settings: &Settings) -> Self {
        let pages = settings.ledger.as_deref();
        let pages = pages.map(|prefix| pages_of(&bucket, &outbox, prefix));
        let ledger = Ledger::new(pages, settings.on_doubt);
        Forwarder {
            aliases,
            inbox: Inbox::new(bucket, settings.email_prefix.clone()),
            steps: Steps::new(outbox, ledger, settings),
            ledger_prefix: settings.ledger.clone(),
            key: None,
        }
    }

    /// Makes reply addresses with this key, and sends what comes to them as the alias. Without one nothing of that is done.
    #[must_use]
    pub fn with_key(self, key: KeyCache) -> Self {
        Forwarder {
            key: Some(key),
            ..self
        }
    }

    /// Puts the SHA-256 of each body into its outcome. That is a third of the work on a message.
    #[must_use]
    pub fn hashing_bodies(mut self) -> Self {
        self.steps.hashes_bodies = true;
        self
    }

    /// Reads the alias map ahead.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn read_aliases(&self) -> Result<(), ReadError> {
        self.aliases.for_recipients(&Recipients::Unknown).await?;
        Ok(())
    }

    /// Forwards one arrival: an outcome for each recipient, in order. At the deadline it stops; mail that has not been sent
    /// by then has failed.
    ///
    /// A target gets the message once, however many of the recipients lead to it and, as far as the ledger knows,
    /// however often the arrival comes. The message is opened only if some recipient leads to a target, and its body is
    /// read only if it is within the send limit.
    ///
    /// The ledger's own objects are not mail: an arrival of one has no outcome.
    pub async fn forward(&self, arrival: &Arrival, deadline: Deadline) -> Vec<Outcome> {
        if self.is_of_ledger(arrival) {
            tracing::debug!(
                message_id = arrival.message_id.as_str(),
                "an object of the ledger"
            );
            return Vec::new();
        }
        let outcomes = self.outcomes(arrival, deadline).await;
        outcomes.unwrap_or_else(|(cause, error)| {
            let outcome = Outcome::of_message(arrival, cause, error);
            outcome.log();
            vec![outcome]
        })
    }

    /// Whether the event is about an object of the ledger: S3 tells of all objects, where the mail has no prefix of its own.
    fn is_of_ledger(&self, arrival: &Arrival) -> bool {
        let prefix = self.ledger_prefix.as_deref();
        prefix.is_some_and(|prefix| self.inbox.is_under(arrival, prefix))
    }

    /// Fails where it does not come to the single recipients.
    async fn outcomes(&self, arrival: &Arrival, deadline: Deadline) -> Result<Vec<Outcome>, (Cause, String)> {
        let read = self.aliases.for_recipients(&arrival.recipients);
        let map = match deadline.race(read).await {
            Some(Ok(map)) => map,
            Some(Err(error)) => return Err((error.cause(), error.to_string())),
            None => {
                let reason = "the time ended before the alias map was read";
                return Err((Cause::Deadline, reason.to_owned()));
            }
        };
        let key = match &self.key {
            None => None,
            Some(key) => match deadline.race(key.current()).await {
                Some(Ok(key)) => Some(key),
                Some(Err(error)) => return Err((error.cause(), error.to_string())),
                None => return Err((Cause::Deadline, OUT_OF_TIME.to_owned())),
            },
        };
        let mut work = Work::new(arrival, &map, key, self.inbox.stored(arrival), deadline);
        let traced;
        let recipients = if let Some(recipients) = arrival.recipients.known() {
            recipients
        } else {
            traced = [traced_recipient(&mut work).await?];
            &traced
        };
        let mut outcomes = Vec::with_capacity(recipients.len());
        for recipient in recipients {
            let outcome = self.steps.forward(&mut work, recipient).await;
            outcome.log();
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }
}

/// The place of the ledger: beside the mail, but where the outbox is a directory, in that.
fn pages_of(bucket: &Bucket, outbox: &Outbox, prefix: &str) -> Pages {
    match (outbox, bucket) {
        (Outbox::Directory(directory), _) | (_, Bucket::Directory(directory)) => {
            Pages::Directory(directory.join(prefix))
        }
        (_, Bucket::S3(bucket)) => Pages::S3 {
            bucket: bucket.clone(),
            prefix: prefix.to_owned(),
        },
    }
}

/// The recipient in the message's own trace.
async fn traced_recipient(work: &mut Work<'_>) -> Result<String, (Cause, String)> {
    let (deadline, message_id) = (work.deadline, &work.arrival.message_id);
    let message = match deadline.race(work.message.open()).await {
        Some(Ok(message)) => message,
        Some(Err(error)) => return Err((error.cause, error.reason)),
        None => return Err((Cause::Deadline, OUT_OF_TIME.to_owned())),
    };
    trace::recipient(&message.head.header, message_id).map_err(|error| {
        let error = format!("it is not known for whom the message arrived: {error}");
        (Cause::Unreadable, error)
    })
}

#[cfg(test)]
mod tests;
