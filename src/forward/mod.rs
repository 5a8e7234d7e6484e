//! Forwarding: takes one arrival from its event to an outcome for each recipient. The steps are in `recipient.rs`, the rules in
//! `policy`.

mod counted;
#[cfg(feature = "cli")]
mod explain;
mod inbox;
mod lost;
mod notice;
mod outcome;
mod policy;
mod recipient;
mod reports;
mod route;
mod send;
mod steps;
mod stop;
mod tell;
#[cfg(feature = "cli")]
mod traces;
mod way;

use std::sync::Arc;

use crate::alias_key::KeyCache;
use crate::alias_store::{AliasCache, CurrentMap, ReadError};
use crate::arrival::{Arrival, Channel, MessageId, Recipients, ReportKind, SesReport, trace};
use crate::bucket::Bucket;
use crate::config::Settings;
use crate::deadline::Deadline;
use crate::header::mailbox::Address;
use crate::ledger::{Claim, Known, Ledger, Pages};
use crate::outbox::{Cause, Outbox};
use crate::signed::AliasKey;

#[cfg(feature = "cli")]
pub use explain::{Explainer, Explanation, NotReady};
pub use inbox::{Inbox, read_head};
pub use outcome::{Ending, Outcome};
#[cfg(feature = "cli")]
pub use traces::{Trace, Traces};

use lost::Lost;
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
    /// The channels on which reports are believed.
    channels: Vec<Channel>,
}

/// The result of a report.
#[derive(Debug, Default)]
pub struct Answer {
    /// Its kind. `None`: it was not believed.
    pub believed: Option<ReportKind>,
    /// An outcome for each recipient for whose mail the report changes something.
    pub outcomes: Vec<Outcome>,
}

impl Forwarder {
    /// A forwarder from this bucket to this outbox.
    pub fn new(aliases: AliasCache, bucket: Bucket, outbox: Outbox, settings: &Settings) -> Self {
        let pages = settings.ledger.as_deref();
        let pages = pages.map(|prefix| Pages::of(&bucket, outbox.directory(), prefix));
        let ledger = Ledger::new(pages, settings.on_doubt);
        Forwarder {
            aliases,
            inbox: Inbox::new(bucket, settings.email_prefix.clone()),
            steps: Steps::new(outbox, ledger, settings),
            ledger_prefix: settings.ledger.clone(),
            key: None,
            channels: settings.events_topic.clone(),
        }
    }

    /// Makes reply addresses with this key, and sends mail that comes to them as the alias. Without a key neither is done.
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
        let outcomes = self.outcomes_of(arrival, None, deadline).await;
        outcomes.unwrap_or_else(|(cause, error)| {
            let outcome = Outcome::of_message(arrival, cause, error);
            outcome.log();
            vec![outcome]
        })
    }

    /// Acts on a report of SES. The report is believed if it came on a channel that `EVENTS_TOPIC` names, and if the ledger
    /// knows that the message went to a recipient of the report under the id of the report.
    ///
    /// The owner is told of a target that is lost or has complained. The `fallback` of an alias gets the message that a target
    /// did not get. An outcome is returned for each recipient of the message whose mail did not reach a target.
    pub async fn report(&self, report: &SesReport, deadline: Deadline) -> Answer {
        let (known, lost) = match self.believe(report, deadline).await {
            Ok(believed) => believed,
            Err(Disbelief::Ignored(reason)) => {
                tracing::warn!(
                    message_id = report.message_id.as_ref().map(MessageId::as_str),
                    report = report.kind.as_str(),
                    reason,
                    "a report is ignored"
                );
                return Answer::default();
            }
            Err(Disbelief::Unknown(error)) => {
                let message_id = report.message_id.as_ref();
                let outcome = Outcome {
                    cause: Some(Cause::Unavailable),
                    ..Outcome::of_bad_record(message_id, error)
                };
                outcome.log();
                return Answer {
                    believed: Some(report.kind),
                    outcomes: vec![outcome],
                };
            }
        };
        log(report, &lost);
        let mut answer = Answer {
            believed: Some(report.kind),
            outcomes: Vec::new(),
        };
        if let Some(message_id) = report.message_id.as_ref().filter(|_| lost.is_told()) {
            let arrival = known.arrival(message_id);
            let claim = self.steps.ledger.reopen(&arrival, known);
            let outcomes = self.outcomes_of(&arrival, Some((claim, &lost)), deadline).await;
            answer.outcomes = outcomes.unwrap_or_else(|(cause, error)| {
                let outcome = Outcome::of_message(&arrival, cause, error);
                outcome.log();
                vec![outcome]
            });
        }
        answer
    }

    /// Returns the ledger's entry of the report's message, and those of its recipients to whom the message was sent.
    async fn believe(&self, report: &SesReport, deadline: Deadline) -> Result<(Known, Lost), Disbelief> {
        let is_named = |channel: &Channel| self.channels.contains(channel);
        if !report.channel.as_ref().is_some_and(is_named) {
            let reason = "it came from a topic or a service that EVENTS_TOPIC does not name";
            return Err(Disbelief::Ignored(reason));
        }
        let Some(message_id) = &report.message_id else {
            let reason = "it has no tag of ours: another program sends with the same configuration set, or it is forged";
            return Err(Disbelief::Ignored(reason));
        };
        let known = self.steps.ledger.look_up(message_id, deadline).await;
        let known = known.map_err(|error| {
            Disbelief::Unknown(format!(
                "the ledger cannot be read for a report of SES (LEDGER): {error}"
            ))
        })?;
        let unknown = "the ledger knows of no such message to these recipients: it is forged, or about a notice, or too old";
        let known = known.ok_or(Disbelief::Ignored(unknown))?;
        let lost = Lost::of(report, |target| known.was_sent(&report.sent_id, target));
        lost.map(|lost| (known, lost)).ok_or(Disbelief::Ignored(unknown))
    }

    /// Whether the event is about an object of the ledger: S3 tells of all objects, where the mail has no prefix of its own.
    fn is_of_ledger(&self, arrival: &Arrival) -> bool {
        let prefix = self.ledger_prefix.as_deref();
        prefix.is_some_and(|prefix| self.inbox.is_under(arrival, prefix))
    }

    /// Forwards the message to its recipients; or, with a claim and lost targets, acts on the loss for each of them. An error
    /// means that no recipient was reached.
    async fn outcomes_of(
        &self,
        arrival: &Arrival,
        reported: Option<(Claim, &Lost)>,
        deadline: Deadline,
    ) -> Result<Vec<Outcome>, (Cause, String)> {
        let read = self.aliases.for_recipients(&arrival.recipients);
        let map = match deadline.race(read).await {
            Some(Ok(map)) => map,
            Some(Err(error)) => return Err((error.cause(), error.to_string())),
            None => {
                let reason = "the time ended before the alias map was read";
                return Err((Cause::Deadline, reason.to_owned()));
            }
        };
        let mut work = Work::new(arrival, &map, None, self.inbox.stored(arrival), deadline);
        let (claim, lost) = reported.unzip();
        work.claim = claim;
        let traced;
        let recipients = if let Some(recipients) = arrival.recipients.known() {
            recipients
        } else {
            traced = [traced_recipient(&mut work).await?];
            &traced
        };
        work.key = self.key_for(&map, recipients, deadline).await?;
        let mut outcomes = Vec::with_capacity(recipients.len());
        for recipient in recipients {
            // Boxed, because the compiler gives up on the layout of futures that are nested as deep as the steps.
            let outcome = match lost {
                None => Some(Box::pin(self.steps.forward(&mut work, recipient)).await),
                Some(lost) => Box::pin(self.steps.report(&mut work, recipient, lost)).await,
            };
            if let Some(outcome) = outcome {
                outcome.log();
                outcomes.push(outcome);
            }
        }
        Ok(outcomes)
    }
}

impl Forwarder {
    /// The key, if there is one. A key that does not verify a recipient was read within the last few seconds.
    async fn key_for(
        &self,
        map: &CurrentMap,
        recipients: &[String],
        deadline: Deadline,
    ) -> Result<Option<Arc<AliasKey>>, (Cause, String)> {
        let Some(key) = &self.key else {
            return Ok(None);
        };
        let verifies = |key: &AliasKey| recipients.iter().all(|recipient| verifies(key, map, recipient));
        match deadline.race(key.current_for(verifies)).await {
            Some(Ok(key)) => Ok(Some(key)),
            Some(Err(error)) => Err((error.cause(), error.to_string())),
            None => Err((Cause::Deadline, OUT_OF_TIME.to_owned())),
        }
    }
}

/// Whether the recipient has no signature to verify, or a valid one.
fn verifies(key: &AliasKey, map: &CurrentMap, recipient: &str) -> bool {
    let Ok(address) = Address::parse(recipient) else {
        return true;
    };
    if let Some(read) = key.read_reply_address(&address) {
        return read.is_ok();
    }
    let entry = map.aliases.resolve(&address).and_then(|it| it.entry.ok());
    let length = entry.and_then(|entry| entry.options.signed);
    length.is_none_or(|length| key.has_signed(&address, length))
}

/// Why a report is not acted upon.
enum Disbelief {
    /// The report is foreign or forged.
    Ignored(&'static str),
    /// The ledger cannot be read now, so nothing is known.
    Unknown(String),
}

/// Logs a report in one line for each recipient, and the addresses only at the level DEBUG.
fn log(report: &SesReport, lost: &Lost) {
    let message_id = report.message_id.as_ref().map(MessageId::as_str);
    for lost in &lost.targets {
        tracing::debug!(message_id, target = %lost.address, answer = lost.answer, "a report's target");
    }
    for reported in &report.recipients {
        let status = reported.status.map(|status| status.to_string());
        let (kind, class) = (report.kind.as_str(), reported.class.as_str());
        if report.kind == ReportKind::Delay {
            tracing::info!(
                message_id,
                sent_id = report.sent_id,
                report = kind,
                class,
                status,
                "report"
            );
        } else {
            tracing::warn!(
                message_id,
                sent_id = report.sent_id,
                report = kind,
                class,
                status,
                "report"
            );
        }
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
