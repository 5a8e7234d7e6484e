//! One arrival from event to outcome: resolve, decide, check the size, send.

mod ledger;
mod outcome;
mod policy;

use std::io;

use crate::alias::Options;
use crate::alias_store::CurrentMap;
use crate::arrival::{Arrival, trace};
use crate::bucket::{Bucket, Source, Stream};
use crate::config::{Defaults, Settings};
use crate::deadline::Deadline;
use crate::header::mailbox::Address;
use crate::outbox::{BodyReader, Cause, Content, Outbox, Outgoing, SendError, Sent};
use crate::rewrite::{Head, HeaderReader, Rules};

pub use outcome::{Ending, Outcome};

use ledger::{Ledger, Reached};
use policy::{Facts, Refusal};

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
    /// Whether outcomes tell the SHA-256 of the body.
    pub hashes_bodies: bool,
    ledger: Ledger,
}

/// The stored message, its head read.
struct Opened {
    source: Source,
    head: Head,
    /// The first reading, where it goes on with the body.
    stream: Option<Stream>,
    /// What the policy looks at, once it has been asked.
    facts: Option<Result<Facts, Refusal>>,
}

/// What stays the same for all recipients of an arrival.
struct Task<'a> {
    arrival: &'a Arrival,
    served: &'a CurrentMap,
    deadline: Deadline,
    opened: Option<Result<Opened, String>>,
    reached: Reached,
}

impl Forwarder {
    /// A pipeline between these two.
    pub fn new(bucket: Bucket, outbox: Outbox, settings: &Settings) -> Self {
        Forwarder {
            bucket,
            prefix: settings.email_prefix.clone(),
            outbox,
            max_send_bytes: settings.max_send_bytes,
            defaults: settings.defaults.clone(),
            hashes_bodies: false,
            ledger: Ledger::default(),
        }
    }

    /// Forwards one arrival: an outcome for each recipient, in order. At the deadline it stops, and what is not done
    /// by then has failed.
    ///
    /// A target gets the message once, however many of the recipients lead to it and, as long as the process lives and
    /// remembers it, however often the arrival is told of. The message is opened only if some recipient leads
    /// somewhere, and only its header section is read until one is within the limit.
    pub async fn forward(&self, arrival: &Arrival, served: &CurrentMap, deadline: Deadline) -> Vec<Outcome> {
        let mut task = Task {
            arrival,
            served,
            deadline,
            opened: None,
            reached: self.ledger.of(&arrival.message_id),
        };
        let traced;
        let recipients = if let Some(recipients) = arrival.recipients.known() {
            recipients
        } else {
            traced = match deadline.race(self.trace(&mut task)).await {
                Some(Ok(recipients)) => recipients,
                Some(Err(error)) => return vec![Outcome::of_message(arrival, Cause::Unreadable, error)],
                None => {
                    return vec![Outcome::of_message(
                        arrival,
                        Cause::Deadline,
                        OUT_OF_TIME.to_owned(),
                    )];
                }
            };
            &traced
        };
        let mut outcomes = Vec::new();
        for recipient in recipients {
            let outcome = deadline
                .race(Box::pin(self.forward_to(&mut task, recipient)))
                .await;
            let outcome = outcome.unwrap_or_else(|| {
                Outcome::new(&arrival.message_id, recipient, Ending::Failed)
                    .fail(Cause::Deadline, OUT_OF_TIME)
            });
            outcome.log();
            outcomes.push(outcome);
        }
        self.ledger.keep(&arrival.message_id, task.reached);
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
            Ok(alias) => alias.with_lower_case_domain(),
            // No key can name what is no address of ours, so that only a catch-all would have taken it.
            Err(error) => {
                let domain = recipient.rsplit_once('@').map_or("", |(_, domain)| domain);
                if !task.served.aliases.catches_all(domain) {
                    return task.unknown(outcome(Ending::NoAlias));
                }
                let error = format!("the recipient is no address: {error}");
                return outcome(Ending::Failed).fail(Cause::Unreadable, error);
            }
        };
        let entry = match task.served.aliases.resolve(&alias) {
            None => return task.unknown(outcome(Ending::NoAlias)),
            Some(resolved) => match resolved.entry {
                Ok(entry) if !entry.options.enabled => return outcome(Ending::Disabled),
                Ok(entry) => entry,
                Err(reason) => {
                    // The reason may repeat an address.
                    tracing::debug!(reason, "a broken entry");
                    let error = "the alias map's entry for this alias cannot be used; to see why: readdress aliases check";
                    return outcome(Ending::Failed).fail(Cause::Configuration, error);
                }
            },
        };
        let mut outcome = outcome(Ending::Sent);
        outcome.targets = entry.targets.iter().map(Address::to_string).collect();

        let targets = task.reached.left(&entry.targets);
        if let (true, Some(first)) = (targets.is_empty(), entry.targets.first())
            && let Some(earlier) = task.reached.find(first)
        {
            return Outcome {
                alias: outcome.alias,
                targets: outcome.targets,
                ..earlier.clone()
            };
        }
        if let Some((cause, error)) = task.reached.refusal(&targets, &entry.options) {
            return outcome.fail(cause, error);
        }

        let opened = match &mut task.opened {
            Some(opened) => opened,
            None => task.opened.insert(self.open(arrival).await),
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => return outcome.fail(Cause::Unreadable, error.as_str()),
        };
        let octets = opened.source.octets();
        outcome.bytes_in = Some(octets);
        let body_octets = octets - opened.head.header.octets() as u64;
        if body_octets > self.max_send_bytes {
            return outcome.fail(Cause::TooLarge, self.too_large(body_octets, "more than "));
        }
        if let Err(Refusal { cause, reason }) = opened.check_policy(&alias).await {
            let error = format!("the message is not forwarded, it is still in the bucket: {reason}");
            return outcome.fail(cause, error);
        }
        let rules = self.rules(alias, targets, &entry.options, arrival.envelope_sender.as_deref());
        let header = rules.rewrite(&opened.head);
        let bytes_out = body_octets + header.len() as u64;
        outcome.bytes_out = Some(bytes_out);
        if bytes_out > self.max_send_bytes {
            let error = self.too_large(bytes_out, "");
            task.reached
                .refuse(&rules.targets, &entry.options, Cause::TooLarge, &error);
            return outcome.fail(Cause::TooLarge, error);
        }
        let body = opened.body(self.hashes_bodies);
        let outgoing = Outgoing {
            message_id: &arrival.message_id,
            from: rules.from_address(),
            to: &rules.targets,
            content: Content {
                header,
                source: opened.source.clone(),
                body_at: opened.head.header.octets() as u64,
            },
        };
        let (reached, deadline) = (&mut task.reached, task.deadline);
        self.send(reached, deadline, outgoing, body, &entry.options, outcome)
            .await
    }

    async fn send(
        &self,
        reached: &mut Reached,
        deadline: Deadline,
        outgoing: Outgoing<'_>,
        mut body: BodyReader,
        options: &Options,
        mut outcome: Outcome,
    ) -> Outcome {
        let targets = outgoing.to;
        let mut sent_ids = Vec::new();
        let mut failed = None;
        match self.outbox.begin(outgoing, &mut body, deadline).await {
            Ok(mut sending) => {
                outcome.body_sha256 = body.sha256();
                while let Some(sent) = sending.next().await {
                    match sent {
                        Ok(Sent { to, id }) => {
                            outcome.sent_id = Some(id.clone());
                            reached.add(to.iter().map(|at| &targets[*at]), &outcome);
                            sent_ids.push(id);
                        }
                        Err(error) => {
                            failed.get_or_insert(error);
                        }
                    }
                }
            }
            Err(error) => failed = Some(error),
        }
        outcome.sent_id = None;
        let Some(SendError { cause, reason }) = failed else {
            outcome.sent_id = Some(sent_ids.join(","));
            reached.add(targets, &outcome);
            return outcome;
        };
        outcome.body_sha256 = None;
        let left = reached.left(targets);
        let (all, missed) = (targets.len(), left.len());
        let partly = match all - missed {
            0 => String::new(),
            reached => {
                format!("it has been sent to {reached} of {all} targets and not to the other {missed}: ")
            }
        };
        let error = format!("the message could not be sent, it is still in the bucket: {partly}{reason}");
        reached.refuse(&left, options, cause, &error);
        outcome.fail(cause, error)
    }

    fn too_large(&self, octets: u64, more_than: &str) -> String {
        format!(
            "the message would go out with {more_than}{octets} octets, {} are allowed (MAX_SEND_BYTES); \
             it is still in the bucket",
            self.max_send_bytes
        )
    }

    fn rules(&self, alias: Address, targets: Vec<Address>, options: &Options, sender: Option<&str>) -> Rules {
        let defaults = &self.defaults;
        Rules {
            alias,
            targets,
            from_format: options.from_format.unwrap_or(defaults.from_format),
            // Permissions are compared with case.
            from_email: options
                .from_email
                .clone()
                .or_else(|| defaults.from_email.clone())
                .map(Address::with_lower_case_domain),
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
                if !stored.key.starts_with(&self.prefix) {
                    return Err(
                        "the event names a key outside of EMAIL_PREFIX, below which alone mail is read; let only events \
                         of that prefix come here, or correct the setting"
                            .to_owned(),
                    );
                }
                stored.key.clone()
            }
        };
        let (source, mut stream) = self.bucket.open(&key).await.map_err(|error| {
            // A key is the operator's, but for its tail; some keep mail in folders by address.
            let shown = if key.contains('@') { "its key" } else { &key };
            format!("the message cannot be read from the bucket under {shown:?} (EMAIL_BUCKET, EMAIL_PREFIX): {error}")
        })?;
        let head = read_head(&mut stream)
            .await
            .map_err(|error| format!("the message cannot be forwarded: {error}"))?;
        let goes_on = stream.rewind(head.header.octets() as u64);
        Ok(Opened {
            source,
            head,
            stream: goes_on.then_some(stream),
            facts: None,
        })
    }
}

impl Task<'_> {
    /// A recipient that the map does not know. Where the map is an old one, a newer may know it: that is no settled
    /// outcome.
    fn unknown(&self, outcome: Outcome) -> Outcome {
        match &self.served.outdated {
            None => outcome,
            Some(error) => {
                let error = format!(
                    "the alias map that serves does not know the recipient, and is an old one: {error}"
                );
                outcome.fail(Cause::Unavailable, error)
            }
        }
    }
}

impl Opened {
    async fn check_policy(&mut self, alias: &Address) -> Result<(), Refusal> {
        let facts = match &mut self.facts {
            Some(facts) => facts,
            None => self
                .facts
                .insert(policy::read(&self.head.header, &self.source).await),
        };
        policy::check(facts.as_ref().map_err(Clone::clone)?, alias)
    }

    /// A reading of the body: the rest of the first one, which is already open, or a new one.
    fn body(&mut self, hashed: bool) -> BodyReader {
        let at = self.head.header.octets() as u64;
        let stream = self.stream.take().unwrap_or_else(|| self.source.stream(at));
        BodyReader::new(stream, &self.head, hashed)
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
