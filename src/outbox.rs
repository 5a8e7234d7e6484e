//! Where the mail goes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::bucket::{Source, Stream};
use crate::deadline::Deadline;
use crate::event::MessageId;
use crate::header::mailbox::Address;
use crate::rewrite::{Head, LineBreakWatch};
#[cfg(feature = "aws")]
use crate::ses::SesOutbox;

/// What sends the messages.
#[derive(Clone, Debug)]
pub enum Outbox {
    /// A directory: `<message id>.<n>.eml` is a message, `<message id>.<n>.json` its envelope, `n` from 0.
    Directory(PathBuf),
    /// SES.
    #[cfg(feature = "aws")]
    Ses(SesOutbox),
}

/// An outgoing message: a new header section before the body of a stored message.
#[derive(Debug)]
pub struct Outgoing<'a> {
    /// The stored message's id.
    pub message_id: &'a MessageId,
    /// The envelope's sender, and the From of the message.
    pub from: &'a Address,
    /// The envelope's recipients.
    pub to: &'a [Address],
    /// The new header section.
    pub header: Vec<u8>,
    /// The stored message.
    pub source: &'a Source,
    /// Where the body begins in it.
    pub body_at: u64,
}

/// The body of a message while it is read for the first time, and what is found out on the way.
#[derive(Debug)]
pub struct FirstReading {
    stream: Stream,
    watch: LineBreakWatch,
    hash: Option<Sha256>,
}

impl FirstReading {
    /// A reading that begins with the body, and is hashed only where somebody asks for that: it is a third of the work.
    pub(crate) fn new(stream: Stream, head: &Head, hashed: bool) -> Self {
        FirstReading {
            stream,
            watch: LineBreakWatch::new(head),
            hash: hashed.then(Sha256::new),
        }
    }

    /// The next chunk of the body; `None` at its end.
    ///
    /// # Errors
    /// If it cannot be read, or the message turns out to have no lines.
    pub async fn next(&mut self) -> io::Result<Option<&[u8]>> {
        match self.stream.next().await? {
            Some(chunk) => {
                self.watch.see(chunk);
                if let Some(hash) = &mut self.hash {
                    hash.update(chunk);
                }
                Ok(Some(chunk))
            }
            None => self.watch.finish().map(|()| None).map_err(io::Error::other),
        }
    }

    /// The SHA-256 of what has been read, if it was hashed.
    pub(crate) fn sha256(self) -> Option<String> {
        self.hash.map(|hash| hexadecimal(&hash.finalize()))
    }
}

/// What kind of failure kept a message from being sent; it says who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The message is over a limit of the service; it stays so.
    TooLarge,
    /// The service refuses this message or one of its addresses; it stays so.
    Rejected,
    /// An identity, a name or a permission is missing: it works once the settings are mended.
    Configuration,
    /// The account may not send for now: paused, suspended, or over its quota of the day.
    Paused,
    /// The service is asked too often; later it will work.
    Throttled,
    /// The service or the way to it fails; later it will work.
    Unavailable,
    /// All of the message was handed over, but no answer came: it may have been sent or not.
    Ambiguous,
    /// The stored message cannot be read, or is none that can be forwarded.
    Message,
    /// It goes in a circle.
    Loop,
    /// The time ran out.
    Deadline,
}

impl Cause {
    /// As it is written in an outcome and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::TooLarge => "too_large",
            Cause::Rejected => "rejected",
            Cause::Configuration => "configuration",
            Cause::Paused => "paused",
            Cause::Throttled => "throttled",
            Cause::Unavailable => "unavailable",
            Cause::Ambiguous => "ambiguous",
            Cause::Message => "message",
            Cause::Loop => "loop",
            Cause::Deadline => "deadline",
        }
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Why a message has not been sent, or not to all of its recipients.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SendError {
    /// Of what kind.
    pub cause: Cause,
    /// What happened. It names no address.
    pub reason: String,
    /// Who has got the message all the same.
    pub sent: Vec<Batch>,
}

/// Recipients who got the message at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Which of [`Outgoing::to`].
    pub to: Range<usize>,
    /// The id under which it went out.
    pub id: String,
}

impl From<io::Error> for SendError {
    fn from(error: io::Error) -> Self {
        SendError {
            cause: Cause::Message,
            reason: error.to_string(),
            sent: Vec::new(),
        }
    }
}

/// Sender and recipients, as they would be told to SES.
#[derive(Debug, Serialize)]
struct Envelope {
    from: String,
    to: Vec<String>,
}

/// A message that is being written. Dropped before it is sent, it leaves nothing.
#[derive(Debug)]
struct Letter {
    directory: PathBuf,
    message_id: MessageId,
    file: BufWriter<File>,
    draft: Draft,
}

/// The unfinished file; removed when it goes out of scope.
#[derive(Debug)]
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already when the letter was sent.
        let _ = fs::remove_file(&self.0);
    }
}

impl Outbox {
    /// Sends a message and returns the id, or for more recipients than the service takes at once the ids, under which
    /// it went out. The answer has to be there by the
    /// deadline, which a directory pays no heed to.
    ///
    /// # Errors
    /// See [`SendError`]. In a directory nothing is left of it then.
    pub async fn send(
        &self,
        outgoing: Outgoing<'_>,
        body: &mut FirstReading,
        deadline: Deadline,
    ) -> Result<String, SendError> {
        match self {
            Outbox::Directory(directory) => {
                let _ = deadline;
                let mut letter = Letter::begin(directory, outgoing.message_id)?;
                letter.file.write_all(&outgoing.header)?;
                while let Some(chunk) = body.next().await? {
                    letter.file.write_all(chunk)?;
                }
                Ok(letter.send(outgoing.from, outgoing.to)?)
            }
            #[cfg(feature = "aws")]
            Outbox::Ses(ses) => ses.send(outgoing, body, deadline).await,
        }
    }
}

impl Letter {
    fn begin(directory: &Path, message_id: &MessageId) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let path = directory.join(format!(".{message_id}.{}.draft", std::process::id()));
        let file = BufWriter::with_capacity(crate::bucket::CHUNK, File::create(&path)?);
        Ok(Letter {
            directory: directory.to_owned(),
            message_id: message_id.clone(),
            file,
            draft: Draft(path),
        })
    }

    /// Sends the message and returns the id under which it went out. Never writes over another: `n` is the
    /// first that is free.
    fn send(mut self, from: &Address, to: &[Address]) -> io::Result<String> {
        self.file.flush()?;
        let envelope = Envelope {
            from: from.to_string(),
            to: to.iter().map(Address::to_string).collect(),
        };
        let (sent_id, path) = self.claim(&envelope)?;
        let message = path.with_extension("eml");
        if let Err(error) = fs::rename(&self.draft.0, &message) {
            fs::remove_file(&path)?;
            return Err(error);
        }
        Ok(sent_id)
    }

    /// Writes the envelope under the first free number. It comes before the message, so that whoever finds a
    /// message finds its envelope.
    fn claim(&self, envelope: &Envelope) -> io::Result<(String, PathBuf)> {
        for n in 0_u32.. {
            let sent_id = format!("{}.{n}", self.message_id);
            let path = self.directory.join(format!("{sent_id}.json"));
            if path.with_extension("eml").exists() {
                continue;
            }
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(file) => return write_envelope(file, &path, envelope).map(|()| (sent_id, path)),
            }
        }
        Err(io::Error::other("no number is free"))
    }
}

fn write_envelope(mut file: File, path: &Path, envelope: &Envelope) -> io::Result<()> {
    let json = serde_json::to_string(envelope)?;
    writeln!(file, "{json}").or_else(|error| {
        fs::remove_file(path)?;
        Err(error)
    })
}

/// A hash as it is written.
pub(crate) fn hexadecimal(hash: &[u8]) -> String {
    hash.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_takes_the_first_free_number_and_a_dropped_one_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("out");
        let id = MessageId::parse("abc123").unwrap();
        let jane = Address::parse("jane@example.org").unwrap();
        for (n, text) in ["one", "two"].into_iter().enumerate() {
            let mut letter = Letter::begin(&out, &id).unwrap();
            letter.file.write_all(text.as_bytes()).unwrap();
            assert_eq!(
                letter.send(&jane, std::slice::from_ref(&jane)).unwrap(),
                format!("abc123.{n}")
            );
        }
        Letter::begin(&out, &id)
            .unwrap()
            .file
            .write_all(b"dropped")
            .unwrap();

        let mut names: Vec<_> = fs::read_dir(directory.path().join("out"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            ["abc123.0.eml", "abc123.0.json", "abc123.1.eml", "abc123.1.json"]
        );
        let read = |name: &str| fs::read_to_string(directory.path().join("out").join(name)).unwrap();
        assert_eq!(read("abc123.1.eml"), "two");
        assert_eq!(
            read("abc123.0.json"),
            "{\"from\":\"jane@example.org\",\"to\":[\"jane@example.org\"]}\n"
        );
    }
}
