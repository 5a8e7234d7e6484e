//! A directory as the outbox.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::SendError;
use super::message::{BodyReader, Outgoing, Sent};
use crate::arrival::MessageId;
use crate::bucket::CHUNK;
use crate::header::mailbox::Address;
use crate::rewrite::PlanWriter;

/// The envelope of a message, as it is written beside it.
#[derive(Debug, Serialize)]
struct Envelope {
    from: String,
    to: Vec<String>,
}

/// A message that is written, but for its name.
#[derive(Debug)]
pub struct Sending<'a> {
    /// `None` once it is sent.
    message: Option<DirectoryMessage>,
    message_octets: u64,
    from: &'a Address,
    to: &'a [Address],
}

pub(super) async fn begin<'a>(
    directory: &Path,
    outgoing: &'a Outgoing,
    body: &mut BodyReader,
) -> io::Result<Sending<'a>> {
    let mut message = DirectoryMessage::create(directory, &outgoing.message_id)?;
    let mut written = Ok(());
    let mut message_octets = 0;
    let mut write = |octets: &[u8]| {
        message_octets += octets.len() as u64;
        if written.is_ok() {
            written = message.file.write_all(octets);
        }
    };
    let mut writer = PlanWriter::new(&*outgoing.content.plan, body.from());
    while let Some(chunk) = body.next().await? {
        writer.write(chunk, &mut write);
    }
    writer.end(&mut write);
    written?;
    Ok(Sending {
        message: Some(message),
        message_octets,
        from: &outgoing.from,
        to: &outgoing.to,
    })
}

impl Sending<'_> {
    pub(super) fn message_octets(&self) -> u64 {
        self.message_octets
    }

    pub(super) fn next(&mut self) -> Option<Result<Sent, SendError>> {
        let id = self.message.take()?.send(self.from, self.to);
        let to = (0..self.to.len()).collect();
        Some(id.map(|id| Sent { to, id }).map_err(SendError::from))
    }
}

/// A message in a temporary file. Dropped before it is sent, it leaves nothing.
#[derive(Debug)]
struct DirectoryMessage {
    directory: PathBuf,
    message_id: MessageId,
    file: BufWriter<File>,
    temporary: TempFile,
}

/// A file that is removed when this goes out of scope.
#[derive(Debug)]
struct TempFile(PathBuf);

impl Drop for TempFile {
    fn drop(&mut self) {
        // It is gone already when the message was sent.
        let _ = fs::remove_file(&self.0);
    }
}

impl DirectoryMessage {
    fn create(directory: &Path, message_id: &MessageId) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let path = directory.join(format!(".{message_id}.{}.draft", std::process::id()));
        let file = BufWriter::with_capacity(CHUNK, File::create(&path)?);
        Ok(DirectoryMessage {
            directory: directory.to_owned(),
            message_id: message_id.clone(),
            file,
            temporary: TempFile(path),
        })
    }

    /// Sends the message and returns the id under which it went out. No other is written over: `n` is the first number
    /// that is free.
    fn send(mut self, from: &Address, to: &[Address]) -> io::Result<String> {
        self.file.flush()?;
        let envelope = Envelope {
            from: from.to_string(),
            to: to.iter().map(Address::to_string).collect(),
        };
        let (id, path) = self.write_envelope(&envelope)?;
        let message = path.with_extension("eml");
        if let Err(error) = fs::rename(&self.temporary.0, &message) {
            fs::remove_file(&path)?;
            return Err(error);
        }
        Ok(id)
    }

    /// Writes the envelope under the first free number. It comes before the message, so that whoever finds a
    /// message finds its envelope.
    fn write_envelope(&self, envelope: &Envelope) -> io::Result<(String, PathBuf)> {
        for n in 0_u32.. {
            let id = format!("{}.{n}", self.message_id);
            let path = self.directory.join(format!("{id}.json"));
            if path.with_extension("eml").exists() {
                continue;
            }
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(file) => return write_json(file, &path, envelope).map(|()| (id, path)),
            }
        }
        Err(io::Error::other("no number is free"))
    }
}

fn write_json(mut file: File, path: &Path, envelope: &Envelope) -> io::Result<()> {
    let json = serde_json::to_string(envelope)?;
    writeln!(file, "{json}").or_else(|error| {
        fs::remove_file(path)?;
        Err(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_takes_the_first_free_number_and_a_dropped_one_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("out");
        let id = MessageId::parse("abc123").unwrap();
        let jane = Address::parse("jane@example.org").unwrap();
        for (n, text) in ["one", "two"].into_iter().enumerate() {
            let mut message = DirectoryMessage::create(&out, &id).unwrap();
            message.file.write_all(text.as_bytes()).unwrap();
            assert_eq!(
                message.send(&jane, std::slice::from_ref(&jane)).unwrap(),
                format!("abc123.{n}")
            );
        }
        DirectoryMessage::create(&out, &id)
            .unwrap()
            .file
            .write_all(b"dropped")
            .unwrap();

        let mut names: Vec<_> = fs::read_dir(&out)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            ["abc123.0.eml", "abc123.0.json", "abc123.1.eml", "abc123.1.json"]
        );
        let read = |name: &str| fs::read_to_string(out.join(name)).unwrap();
        assert_eq!(read("abc123.1.eml"), "two");
        assert_eq!(
            read("abc123.0.json"),
            "{\"from\":\"jane@example.org\",\"to\":[\"jane@example.org\"]}\n"
        );
    }
}
