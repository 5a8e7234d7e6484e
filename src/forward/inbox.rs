//! Stored messages, and where they are found.

use std::io;

use super::policy::{self, Author, Case, Decision, Facts, Kept, Refusal};
use crate::arrival::{Arrival, MessageId, Order, Recipients};
use crate::bucket::{self, Bucket, Stream};
use crate::cause::{Cause, StorageError};
use crate::header::mailbox::Address;
use crate::outbox::BodyReader;
use crate::preflight::{Checker, Report, Rung, Source};
use crate::rewrite::{Head, HeaderReader, needs_edits_of_parts};

/// The place of all stored messages.
#[derive(Debug)]
pub struct Inbox {
    bucket: Bucket,
    /// The text before the message id in a key; keys that do not begin with it are not read.
    prefix: String,
}

/// The stored message of an arrival, which is opened when it is first needed.
#[derive(Debug)]
pub(super) struct Stored<'a> {
    inbox: &'a Inbox,
    arrival: &'a Arrival,
    message: Option<Result<Message, StorageError>>,
}

/// A stored message whose head has been read.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) source: bucket::Source,
    pub(super) head: Head,
    /// The first reading, which goes on with the body. `None`: it has been used.
    stream: Option<Stream>,
    facts: Option<Result<Facts, Refusal>>,
    /// The faults for which SES would refuse the message. `None`: the body has not been read yet.
    pub(super) found: Option<Report>,
    /// Whether it goes out in its plainest form: SES has refused it in another form although preflight found nothing.
    pub(super) is_strict: bool,
}

impl Inbox {
    /// The messages of this bucket whose keys begin with this prefix.
    pub fn new(bucket: Bucket, prefix: String) -> Self {
        Inbox { bucket, prefix }
    }

    /// The stored message of this arrival.
    pub(super) fn stored<'a>(&'a self, arrival: &'a Arrival) -> Stored<'a> {
        Stored {
            inbox: self,
            arrival,
            message: None,
        }
    }

    /// A message that is at hand and in no bucket, as if it were that of the arrival.
    #[cfg(feature = "cli")]
    pub(super) async fn at_hand<'a>(&'a self, arrival: &'a Arrival, message: Vec<u8>) -> Stored<'a> {
        let source = bucket::Source::memory(message);
        let stream = source.stream(0);
        Stored {
            message: Some(Message::read(source, stream).await),
            ..self.stored(arrival)
        }
    }

    /// Whether the event is about an object of our bucket whose key begins with this prefix.
    pub(super) fn is_under(&self, arrival: &Arrival, prefix: &str) -> bool {
        arrival.stored.as_ref().is_some_and(|stored| {
            let ours = self.bucket.name();
            let is_ours = stored
                .bucket
                .as_deref()
                .is_none_or(|theirs| ours.is_none_or(|ours| ours == theirs));
            is_ours && stored.key.starts_with(prefix)
        })
    }

    fn key(&self, arrival: &Arrival) -> Result<String, StorageError> {
        let elsewhere = |reason: String| StorageError::new(Cause::Configuration, reason);
        let Some(stored) = &arrival.stored else {
            return Ok(format!("{}{}", self.prefix, arrival.message_id));
        };
        if let (Some(ours), Some(theirs)) = (self.bucket.name(), &stored.bucket)
            && ours != theirs
        {
            return Err(elsewhere(format!(
                "the event names the bucket {theirs:?}, but mail is read from {ours:?} alone (EMAIL_BUCKET)"
            )));
        }
        if !stored.key.starts_with(&self.prefix) {
            return Err(elsewhere(
                "the event names a key outside of EMAIL_PREFIX, below which alone mail is read; let only events of that \
                 prefix come here, or correct the setting"
                    .to_owned(),
            ));
        }
        Ok(stored.key.clone())
    }

    /// Opens the stored message of an arrival, and begins to read it.
    ///
    /// # Errors
    /// If it is not where mail is read from, or cannot be read.
    pub async fn find(&self, arrival: &Arrival) -> Result<(bucket::Source, Stream), StorageError> {
        let key = self.key(arrival)?;
        let opened = self.bucket.open(&key).await;
        opened.map_err(|error| self.unreadable(&key, error))
    }

    fn unreadable(&self, key: &str, error: io::Error) -> StorageError {
        // Some owners keep mail in folders by address.
        let shown = if key.contains('@') { "its key" } else { key };
        let place = self.bucket.place();
        StorageError::from(error).while_trying(format!(
            "the message cannot be read from {place} under {shown:?} (EMAIL_BUCKET, EMAIL_PREFIX)"
        ))
    }

    async fn open(&self, arrival: &Arrival) -> Result<Message, StorageError> {
        // Does not call `find`: the futures of a mail are already nested as deep as the compiler follows them.
        let key = self.key(arrival)?;
        let opened = self.bucket.open(&key).await;
        let (source, stream) = opened.map_err(|error| self.unreadable(&key, error))?;
        Message::read(source, stream).await
    }
}

impl Stored<'_> {
    /// The head of another message, with this id.
    ///
    /// # Errors
    /// If it cannot be read, or is gone.
    pub(super) async fn head_of(&self, message_id: &MessageId) -> Result<Head, StorageError> {
        let arrival = Arrival {
            message_id: message_id.clone(),
            recipients: Recipients::Unknown,
            envelope_sender: None,
            verdicts: None,
            order: Order::Forward,
            stored: None,
        };
        Ok(self.inbox.open(&arrival).await?.head)
    }

    /// The message, if it has been opened.
    pub(super) fn opened(&mut self) -> Option<&mut Message> {
        self.message.as_mut()?.as_mut().ok()
    }

    /// Opens the message, or returns it if that has been done.
    ///
    /// # Errors
    /// If it cannot be read, now or before.
    pub(super) async fn open(&mut self) -> Result<&mut Message, StorageError> {
        let message = match self.message.take() {
            Some(message) => message,
            None => self.inbox.open(self.arrival).await,
        };
        self.message
            .insert(message)
            .as_mut()
            .map_err(|error| error.clone())
    }
}

impl Message {
    /// Reads the head of a message.
    async fn read(source: bucket::Source, mut stream: Stream) -> Result<Self, StorageError> {
        let head = read_head(&mut stream)
            .await
            .map_err(|error| StorageError::from(error).while_trying("the message cannot be forwarded"))?;
        let is_at_body = stream.rewind(head.header.octets() as u64);
        Ok(Message {
            source,
            head,
            stream: is_at_body.then_some(stream),
            facts: None,
            found: None,
            is_strict: false,
        })
    }

    fn header_octets(&self) -> u64 {
        self.head.header.octets() as u64
    }

    /// The size of the body: the outgoing message has at least this many octets, whatever its header section becomes.
    pub(super) fn body_octets(&self) -> u64 {
        self.source.octets() - self.header_octets()
    }

    /// Asks the policy. The facts for it are read only once.
    ///
    /// # Errors
    /// Why the message is not to be forwarded for this recipient.
    pub(super) async fn check(&mut self, case: &Case<'_>, is_reply: bool) -> Result<Decision, Kept> {
        match self.facts(case.arrival).await {
            Ok(facts) if is_reply => policy::check_reply(facts, case),
            Ok(facts) => policy::check(facts, case),
            Err(refusal) => Err(Kept::Refused(refusal.clone())),
        }
    }

    /// Who wrote the message.
    ///
    /// # Errors
    /// If that cannot be read.
    pub(super) async fn author(&mut self, arrival: &Arrival) -> Result<Author, Kept> {
        let sole = policy::sole_author(&self.head.header);
        match self.facts(arrival).await {
            Ok(facts) => Ok(policy::author(facts, sole)),
            Err(refusal) => Err(Kept::Refused(refusal.clone())),
        }
    }

    /// Whether a line that is no field has ended the header section. To our reader the fields behind it are of the body.
    pub(super) fn is_header_cut_short(&self) -> bool {
        self.head.header.empty_line().is_empty() && self.body_octets() > 0
    }

    /// All that the policy looks at.
    pub(super) async fn facts(&mut self, arrival: &Arrival) -> &mut Result<Facts, Refusal> {
        let facts = match self.facts.take() {
            Some(facts) => facts,
            None => policy::read(arrival, &self.head.header, &self.source).await,
        };
        self.facts.insert(facts)
    }

    /// The targets among these that the message reports on.
    pub(super) fn reported_on(&self, targets: &[Address]) -> Vec<Address> {
        match &self.facts {
            Some(Ok(facts)) => policy::reported_on(facts, targets),
            _ => Vec::new(),
        }
    }

    /// Whether it is one of our notices, or a report on one, or may be.
    pub(super) fn is_of_notice(&self) -> bool {
        !matches!(&self.facts, Some(Ok(facts)) if !facts.is_of_notice)
    }

    /// A reading of the body: the rest of the first one, or a new one. With `checked` the reading looks for octets that SES
    /// would refuse, unless that has been done.
    pub(super) fn body(&mut self, hashed: bool, checked: bool) -> BodyReader {
        let at = self.header_octets();
        let stream = self.stream.take().unwrap_or_else(|| self.source.stream(at));
        let body = BodyReader::new(stream, &self.head, hashed);
        if checked && self.found.is_none() {
            body.checked(&self.head)
        } else {
            body
        }
    }

    /// Whether it has a fault that SES is known to refuse and no edit mends.
    pub(super) fn is_beyond_repair(&self) -> bool {
        let findings = self.found.iter().flat_map(|report| &report.findings);
        findings
            .filter(|finding| finding.source > Source::Suspected)
            .any(|finding| finding.rung > Rung::Parts)
    }

    /// Reads all of it for a preflight of another kind than the usual one, which comes with the send.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) async fn check_with(&mut self, mut checker: Checker) -> io::Result<()> {
        let mut stream = self.source.stream(0);
        while let Some(chunk) = stream.next().await? {
            checker.write(chunk);
        }
        self.found = Some(checker.finish());
        Ok(())
    }

    /// Keeps the findings in the body. Returns whether they need another plan of the message.
    pub(super) fn note(&mut self, report: Option<Report>) -> bool {
        let needs_edits = report.as_ref().is_some_and(needs_edits_of_parts);
        self.found = report.or_else(|| self.found.take());
        needs_edits
    }
}

/// Reads the head of a message from the beginning of its stream.
///
/// # Errors
/// If it cannot be read, or has a header section that is too long or has no end.
pub async fn read_head(stream: &mut Stream) -> io::Result<Head> {
    let mut reader = HeaderReader::default();
    while let Some(mut chunk) = stream.next().await? {
        if let Some(head) = reader.read(&mut chunk, false).map_err(io::Error::other)? {
            return Ok(head);
        }
    }
    let head = reader.read(&mut &[][..], true).map_err(io::Error::other)?;
    head.ok_or_else(|| io::Error::other("it has no end"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::arrival::Stored as Place;

    fn key(stored: Option<&str>) -> Result<String, StorageError> {
        let inbox = Inbox::new(Bucket::Directory(PathBuf::from("mail")), "in/".to_owned());
        inbox.key(&Arrival {
            message_id: MessageId::parse("m1").unwrap(),
            recipients: Recipients::Unknown,
            envelope_sender: None,
            verdicts: None,
            order: Order::Forward,
            stored: stored.map(|key| Place {
                bucket: None,
                key: key.to_owned(),
            }),
        })
    }

    #[test]
    fn only_keys_with_the_prefix_are_read() {
        assert_eq!(key(None).unwrap(), "in/m1");
        assert_eq!(key(Some("in/sub/m1")).unwrap(), "in/sub/m1");
        for outside in ["m1", "inbound/m1", "ledger/m1"] {
            assert!(
                key(Some(outside)).unwrap_err().reason.contains("EMAIL_PREFIX"),
                "{outside}"
            );
        }
    }
}
