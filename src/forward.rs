//! One arrival from event to outcome: resolve, decide, check the size, send.

use std::collections::HashSet;
use std::io;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::alias::{AliasMap, Options};
use crate::bucket::{Bucket, Object};
use crate::config::Defaults;
use crate::event::{Arrival, MessageId};
use crate::header::mailbox::Address;
use crate::outbox::Outbox;
use crate::rewrite::{Head, HeaderReader, LineBreakWatch, Rules};

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
    /// The id that the outbox gave the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_id: Option<String>,
    /// What happened and what to do.
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

    fn fail(mut self, error: impl Into<String>) -> Self {
        self.outcome = Ending::Failed;
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
    /// Who forwards where.
    pub aliases: AliasMap,
    /// Where the mail goes.
    pub outbox: Outbox,
    /// Octets that an outgoing message may have.
    pub max_send_bytes: u64,
    /// What holds where the alias does not say otherwise.
    pub defaults: Defaults,
}

/// The stored message, its head read.
struct Opened {
    object: Object,
    head: Head,
}

/// A message that went out.
struct Sent {
    id: String,
    bytes_out: u64,
    body_sha256: String,
}

impl Forwarder {
    /// Forwards one arrival: an outcome for each recipient, in order.
    ///
    /// A target gets the message once, however many of the recipients lead to it. The message is opened only
    /// if some recipient leads somewhere, and only its header section is read until one is within the limit.
    pub fn forward(&self, arrival: &Arrival) -> Vec<Outcome> {
        let mut opened = None;
        let mut reached: Vec<(HashSet<String>, Outcome)> = Vec::new();
        let mut outcomes = Vec::new();
        for recipient in &arrival.recipients {
            let outcome = self.forward_to(arrival, recipient, &mut opened, &reached);
            tracing::info!(message_id = %arrival.message_id, outcome = ?outcome.outcome, "outcome");
            if outcome.outcome == Ending::Sent {
                let targets = outcome
                    .targets
                    .iter()
                    .map(|target| target.to_lowercase())
                    .collect();
                reached.push((targets, outcome.clone()));
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    fn forward_to(
        &self,
        arrival: &Arrival,
        recipient: &str,
        opened: &mut Option<Result<Opened, String>>,
        reached: &[(HashSet<String>, Outcome)],
    ) -> Outcome {
        let outcome = |ending| Outcome::new(&arrival.message_id, recipient, ending);
        let alias = match Address::parse(recipient) {
            Ok(alias) => alias,
            Err(error) => {
                return outcome(Ending::Failed).fail(format!("the recipient is no address: {error}"));
            }
        };
        let entry = match self.aliases.resolve(&alias) {
            None => return outcome(Ending::NoAlias),
            Some(resolved) => match resolved.entry {
                Ok(entry) if !entry.options.enabled => return outcome(Ending::Disabled),
                Ok(entry) => entry,
                Err(reason) => {
                    let error = format!("the alias map's entry for this alias cannot be used: {reason}");
                    return outcome(Ending::Failed).fail(error);
                }
            },
        };
        let mut outcome = outcome(Ending::Sent);
        outcome.targets = entry.targets.iter().map(Address::to_string).collect();

        let already = |target: &Address| {
            reached
                .iter()
                .find(|(targets, _)| targets.contains(&target.key()))
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

        let opened = match opened.get_or_insert_with(|| self.open(&arrival.message_id)) {
            Ok(opened) => opened,
            Err(error) => return outcome.fail(error.as_str()),
        };
        outcome.bytes_in = Some(opened.object.octets);
        let rules = self.rules(alias, targets, &entry.options, arrival.envelope_sender.as_deref());
        let header = rules.rewrite(&opened.head);
        let bytes_out = opened.object.octets - opened.head.header.octets() as u64 + header.len() as u64;
        outcome.bytes_out = Some(bytes_out);
        if bytes_out > self.max_send_bytes {
            outcome.outcome = Ending::TooLarge;
            outcome.error = Some(format!(
                "the message would go out with {bytes_out} octets, {} are allowed (MAX_SEND_BYTES); \
                 it is still in the bucket",
                self.max_send_bytes
            ));
            return outcome;
        }
        match self.send(&arrival.message_id, opened, &rules, &header) {
            Ok(sent) => {
                outcome.sent_id = Some(sent.id);
                outcome.bytes_out = Some(sent.bytes_out);
                outcome.body_sha256 = Some(sent.body_sha256);
                outcome
            }
            Err(error) => outcome.fail(format!(
                "the message could not be sent, it is still in the bucket: {error}"
            )),
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

    fn open(&self, message_id: &MessageId) -> Result<Opened, String> {
        let key = format!("{}{message_id}", self.prefix);
        let mut object = self.bucket.open(&key).map_err(|error| {
            format!("the message is not in the bucket under {key:?} (EMAIL_BUCKET, EMAIL_PREFIX): {error}")
        })?;
        let head =
            read_head(&mut object).map_err(|error| format!("the message cannot be forwarded: {error}"))?;
        Ok(Opened { object, head })
    }

    fn send(
        &self,
        message_id: &MessageId,
        opened: &mut Opened,
        rules: &Rules,
        header: &[u8],
    ) -> io::Result<Sent> {
        let mut letter = self.outbox.begin(message_id)?;
        letter.write(header)?;
        let mut bytes_out = header.len() as u64;
        let mut hash = Sha256::new();
        let mut watch = LineBreakWatch::new(&opened.head);
        opened
            .object
            .read_from(opened.head.header.octets() as u64, &mut |chunk| {
                watch.see(chunk);
                hash.update(chunk);
                bytes_out += chunk.len() as u64;
                letter.write(chunk)?;
                Ok(true)
            })?;
        watch.finish().map_err(io::Error::other)?;
        let body_sha256 = hexadecimal(&hash.finalize());
        let id = letter.send(rules.from_address(), &rules.targets)?;
        Ok(Sent {
            id,
            bytes_out,
            body_sha256,
        })
    }
}

fn read_head(object: &mut Object) -> io::Result<Head> {
    let mut reader = HeaderReader::default();
    let mut head = None;
    object.read_from(0, &mut |mut chunk| {
        head = reader.read(&mut chunk, false).map_err(io::Error::other)?;
        Ok(head.is_none())
    })?;
    match head {
        Some(head) => Ok(head),
        None => reader
            .read(&mut &[][..], true)
            .map_err(io::Error::other)?
            .ok_or_else(|| io::Error::other("it has no end")),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}
