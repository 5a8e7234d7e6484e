//! One arrival from event to outcome: resolve, decide, check the size, send.

use std::collections::HashSet;
use std::fmt::Write;
use std::io;
use std::time::Instant;

use serde::Serialize;

use crate::alias::{AliasMap, Options};
use crate::bucket::{Bucket, Source, Stream};
use crate::config::Defaults;
use crate::event::{Arrival, MessageId, trace};
use crate::header::mailbox::Address;
use crate::outbox::{Cause, FirstReading, Outbox, Outgoing, SendError};
use crate::rewrite::{Head, HeaderReader, Rules};

/// How it ended for one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The message has been sent to the targets.
    Sent,
    /// The alias map has nothing for this recipient.
    NoAlias,
    /// The alias is switched off.
    Disabled,
    /// The outgoing message would be over the send limit; it stays in the bucket.
    TooLarge,
    /// It could not be sent; it stays in the bucket.
    Failed,
}

impl Ending {
    /// As it is written in an outcome.
    pub fn as_str(self) -> &'static str {
        match self {
            Ending::Sent => "sent",
            Ending::NoAlias => "no_alias",
            Ending::Disabled => "disabled",
            Ending::TooLarge => "too_large",
            Ending::Failed => "failed",
        }
    }

    /// Has the mail been dealt with? Otherwise the owner has to act, or it has to be tried again.
    pub fn is_settled(self) -> bool {
        match self {
            Ending::Sent | Ending::NoAlias | Ending::Disabled => true,
            Ending::TooLarge | Ending::Failed => false,
        }
    }
}

/// What became of an arrival for one of its recipients.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The stored message. `None`: the event did not name it.
    pub message_id: Option<String>,
    /// The recipient. `None`: the event did not name any.
    pub alias: Option<String>,
    /// Where the alias leads.
    pub targets: Vec<String>,
    /// How it ended.
    pub outcome: Ending,
    /// Octets of the stored message, if it came to that.
    pub bytes_in: Option<u64>,
    /// Octets of the outgoing message, if it came to that.
    pub bytes_out: Option<u64>,
    /// SHA-256 of the body that was sent, in hexadecimal digits: the same as that of the stored one.
    pub body_sha256: Option<String>,
    /// The id that the outbox gave the message; several, with commas between them, where the targets were more than
    /// it takes at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_id: Option<String>,
    /// Of what kind the failure is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What happened and what to do. It names no address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Outcome {
    fn new(message_id: &MessageId, alias: &str, outcome: Ending) -> Self {
        Outcome {
            message_id: Some(message_id.to_string()),
            alias: Some(alias.to_owned()),
            ..Outcome::unnamed(outcome)
        }
    }

    fn unnamed(outcome: Ending) -> Self {
        Outcome {
            message_id: None,
            alias: None,
            targets: Vec::new(),
            outcome,
            bytes_in: None,
            bytes_out: None,
            body_sha256: None,
            sent_id: None,
            cause: None,
            error: None,
        }
    }

    /// The outcome of a record that could not be read.
    pub fn of_bad_record(message_id: Option<&MessageId>, error: String) -> Self {
        Outcome {
            message_id: message_id.map(MessageId::to_string),
            error: Some(error),
            ..Outcome::unnamed(Ending::Failed)
        }
    }

    fn of_message(arrival: &Arrival, cause: Cause, error: String) -> Self {
        let mut outcome = Outcome::of_bad_record(Some(&arrival.message_id), error);
        outcome.cause = Some(cause);
        outcome.log();
        outcome
    }

    /// One line, with addresses only where it is asked to say more.
    pub fn log(&self) {
        let id = self.message_id.as_deref().unwrap_or_default();
        tracing::debug!(message_id = id, alias = self.alias, targets = ?self.targets, "addresses");
        if self.outcome.is_settled() {
            tracing::info!(
                message_id = id,
                outcome = self.outcome.as_str(),
                bytes_in = self.bytes_in,
                bytes_out = self.bytes_out,
                sent_id = self.sent_id,
                "outcome"
            );
        } else {
            tracing::error!(
                message_id = id,
                outcome = self.outcome.as_str(),
                bytes_in = self.bytes_in,
                bytes_out = self.bytes_out,
                cause = self.cause.map(tracing::field::debug),
                error = self.error,
                "outcome"
            );
        }
    }

    fn fail(mut self, cause: Cause, error: impl Into<String>) -> Self {
        self.outcome = match cause {
            Cause::TooLarge => Ending::TooLarge,
            _ => Ending::Failed,
        };
        self.cause = Some(cause);
        self.error = Some(error.into());
        self
    }
}

/// Forwards arrivals.
#[derive(Debug)]
pub struct Forwarder {
    /// Where the mail lies.
    pub bucket: Bucket,
    /// Put before the message id to make the key.
    pub prefix: String,
    /// Where the mail goes.
    pub outbox: Outbox,
    /// Octets that an outgoing message may have.
    pub max_send_bytes: u64,
    /// What holds where the alias does not say otherwise.
    pub defaults: Defaults,
}

/// The stored message, its head read.
struct Opened {
    source: Source,
    head: Head,
    /// The first reading, where it goes on with the body.
    stream: Option<Stream>,
}

/// What stays the same for all recipients of an arrival.
struct Task<'a> {
    arrival: &'a Arrival,
    aliases: &'a AliasMap,
    until: Option<Instant>,
    opened: Option<Result<Opened, String>>,
    /// Who has got the message already.
    reached: Vec<(HashSet<String>, Outcome)>,
}

impl Forwarder {
    /// Forwards one arrival: an outcome for each recipient, in order. At `until` it stops, and what is not done by
    /// then has failed; a directory knows no such time.
    ///
    /// A target gets the message once, however many of the recipients lead to it. The message is opened only
    /// if some recipient leads somewhere, and only its header section is read until one is within the limit.
    pub async fn forward(
        &self,
        arrival: &Arrival,
        aliases: &AliasMap,
        until: Option<Instant>,
    ) -> Vec<Outcome> {
        let mut task = Task {
            arrival,
            aliases,
            until,
            opened: None,
            reached: Vec::new(),
        };
        let traced;
        let recipients = if arrival.recipients.is_empty() {
            traced = match in_time(until, Box::pin(self.trace(&mut task))).await {
                Some(Ok(recipients)) => recipients,
                Some(Err(error)) => return vec![Outcome::of_message(arrival, Cause::Message, error)],
                None => {
                    return vec![Outcome::of_message(
                        arrival,
                        Cause::Deadline,
                        OUT_OF_TIME.to_owned(),
                    )];
                }
            };
            &traced
        } else {
            &arrival.recipients
        };
        let mut outcomes = Vec::new();
        for recipient in recipients {
            let outcome = in_time(until, Box::pin(self.forward_to(&mut task, recipient))).await;
            let outcome = outcome.unwrap_or_else(|| {
                Outcome::new(&arrival.message_id, recipient, Ending::Failed)
                    .fail(Cause::Deadline, OUT_OF_TIME)
            });
            outcome.log();
            if outcome.outcome == Ending::Sent {
                let targets = outcome
                    .targets
                    .iter()
                    .map(|target| target.to_lowercase())
                    .collect();
                task.reached.push((targets, outcome.clone()));
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    /// Whom the message itself says that it arrived for.
    async fn trace(&self, task: &mut Task<'_>) -> Result<Vec<String>, String> {
        let arrival = task.arrival;
        let opened = match &task.opened {
            Some(opened) => opened,
            None => task.opened.insert(self.open(arrival).await),
        };
        let opened = opened.as_ref().map_err(String::clone)?;
        match trace::recipient(&opened.head.header, &arrival.message_id) {
            Ok(recipient) => Ok(vec![recipient]),
            Err(error) => Err(format!("it is not known for whom the message arrived: {error}")),
        }
    }

    async fn forward_to(&self, task: &mut Task<'_>, recipient: &str) -> Outcome {
        let arrival = task.arrival;
        let outcome = |ending| Outcome::new(&arrival.message_id, recipient, ending);
        let alias = match Address::parse(recipient) {
            Ok(alias) => alias,
            Err(error) => {
                let error = format!("the recipient is no address: {error}");
                return outcome(Ending::Failed).fail(Cause::Message, error);
            }
        };
        let entry = match task.aliases.resolve(&alias) {
            None => return outcome(Ending::NoAlias),
            Some(resolved) => match resolved.entry {
                Ok(entry) if !entry.options.enabled => return outcome(Ending::Disabled),
                Ok(entry) => entry,
                Err(reason) => {
                    let error = format!("the alias map's entry for this alias cannot be used: {reason}");
                    return outcome(Ending::Failed).fail(Cause::Configuration, error);
                }
            },
        };
        let mut outcome = outcome(Ending::Sent);
        outcome.targets = entry.targets.iter().map(Address::to_string).collect();

        let already = |target: &Address| {
            let mut reached = task.reached.iter();
            reached.find(|(targets, _)| targets.contains(&target.key()))
        };
        let targets: Vec<Address> = entry
            .targets
            .iter()
            .filter(|t| already(t).is_none())
            .cloned()
            .collect();
        if let (true, Some((_, earlier))) = (targets.is_empty(), entry.targets.first().and_then(already)) {
            outcome.bytes_in = earlier.bytes_in;
            outcome.bytes_out = earlier.bytes_out;
            outcome.body_sha256.clone_from(&earlier.body_sha256);
            outcome.sent_id.clone_from(&earlier.sent_id);
            return outcome;
        }

        let opened = match &mut task.opened {
            Some(opened) => opened,
            None => task.opened.insert(self.open(arrival).await),
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => return outcome.fail(Cause::Message, error.as_str()),
        };
        let octets = opened.source.octets();
        outcome.bytes_in = Some(octets);
        let rules = self.rules(alias, targets, &entry.options, arrival.envelope_sender.as_deref());
        let header = rules.rewrite(&opened.head);
        let bytes_out = octets - opened.head.header.octets() as u64 + header.len() as u64;
        outcome.bytes_out = Some(bytes_out);
        if bytes_out > self.max_send_bytes {
            let error = format!(
                "the message would go out with {bytes_out} octets, {} are allowed (MAX_SEND_BYTES); \
                 it is still in the bucket",
                self.max_send_bytes
            );
            return outcome.fail(Cause::TooLarge, error);
        }
        let mut body = opened.body();
        let outgoing = Outgoing {
            message_id: &arrival.message_id,
            from: rules.from_address(),
            to: &rules.targets,
            header,
            source: &opened.source,
            body_at: opened.head.header.octets() as u64,
        };
        match self.outbox.send(outgoing, &mut body, task.until).await {
            Ok(id) => {
                outcome.sent_id = Some(id);
                outcome.body_sha256 = Some(body.sha256());
                outcome
            }
            Err(SendError { cause, reason }) => {
                let error = format!("the message could not be sent, it is still in the bucket: {reason}");
                outcome.fail(cause, error)
            }
        }
    }

    fn rules(&self, alias: Address, targets: Vec<Address>, options: &Options, sender: Option<&str>) -> Rules {
        let defaults = &self.defaults;
        Rules {
            alias,
            targets,
            from_format: options.from_format.unwrap_or(defaults.from_format),
            from_email: options.from_email.clone().or_else(|| defaults.from_email.clone()),
            to_header: options.to_header.unwrap_or(defaults.to_header),
            subject_prefix: options
                .subject_prefix
                .clone()
                .or_else(|| defaults.subject_prefix.clone()),
            envelope_sender: sender.and_then(|sender| Address::parse(sender).ok()),
        }
    }

    async fn open(&self, arrival: &Arrival) -> Result<Opened, String> {
        let key = match &arrival.stored {
            None => format!("{}{}", self.prefix, arrival.message_id),
            Some(stored) => {
                if let (Some(ours), Some(theirs)) = (self.bucket.name(), &stored.bucket)
                    && ours != theirs
                {
                    return Err(format!(
                        "the event names the bucket {theirs:?}, but mail is read from {ours:?} alone (EMAIL_BUCKET)"
                    ));
                }
                stored.key.clone()
            }
        };
        let (source, mut stream) = self.bucket.open(&key).await.map_err(|error| {
            format!("the message cannot be read from the bucket under {key:?} (EMAIL_BUCKET, EMAIL_PREFIX): {error}")
        })?;
        let head = read_head(&mut stream)
            .await
            .map_err(|error| format!("the message cannot be forwarded: {error}"))?;
        let goes_on = stream.rewind(head.header.octets() as u64);
        Ok(Opened {
            source,
            head,
            stream: goes_on.then_some(stream),
        })
    }
}

impl Opened {
    /// A reading of the body: the rest of the first one, which is already open, or a new one.
    fn body(&mut self) -> FirstReading {
        let at = self.head.header.octets() as u64;
        let stream = self.stream.take().unwrap_or_else(|| self.source.stream(at));
        FirstReading::new(stream, &self.head)
    }
}

async fn read_head(stream: &mut Stream) -> io::Result<Head> {
    let mut reader = HeaderReader::default();
    while let Some(mut chunk) = stream.next().await? {
        if let Some(head) = reader.read(&mut chunk, false).map_err(io::Error::other)? {
            return Ok(head);
        }
    }
    reader
        .read(&mut &[][..], true)
        .map_err(io::Error::other)?
        .ok_or_else(|| io::Error::other("it has no end"))
}

const OUT_OF_TIME: &str = "the time ended before the message was sent; it is still in the bucket";

/// `None`: the time ended first.
#[cfg(feature = "aws")]
async fn in_time<T>(until: Option<Instant>, future: impl Future<Output = T>) -> Option<T> {
    match until {
        None => Some(future.await),
        Some(until) => tokio::time::timeout_at(until.into(), future).await.ok(),
    }
}

/// `None`: the time ended first, which a directory leaves no time for.
#[cfg(not(feature = "aws"))]
async fn in_time<T>(_until: Option<Instant>, future: impl Future<Output = T>) -> Option<T> {
    Some(future.await)
}

/// A hash as it is written.
pub(crate) fn hexadecimal(hash: &[u8]) -> String {
    hash.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}
