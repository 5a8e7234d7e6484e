//! Where the mail goes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::event::MessageId;
use crate::header::mailbox::Address;

/// What sends the messages.
#[derive(Clone, Debug)]
pub enum Outbox {
    /// A directory: `<message id>.<n>.eml` is a message, `<message id>.<n>.json` its envelope, `n` from 0.
    Directory(PathBuf),
}

/// Sender and recipients, as they would be told to SES.
#[derive(Debug, Serialize)]
struct Envelope {
    from: String,
    to: Vec<String>,
}

/// A message that is being written. Dropped before it is sent, it leaves nothing.
#[derive(Debug)]
pub struct Letter {
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
    /// Begins a message.
    ///
    /// # Errors
    /// If the directory cannot be made or written.
    pub fn begin(&self, message_id: &MessageId) -> io::Result<Letter> {
        let Outbox::Directory(directory) = self;
        fs::create_dir_all(directory)?;
        let path = directory.join(format!(".{message_id}.{}.draft", std::process::id()));
        let file = BufWriter::with_capacity(crate::bucket::CHUNK, File::create(&path)?);
        Ok(Letter {
            directory: directory.clone(),
            message_id: message_id.clone(),
            file,
            draft: Draft(path),
        })
    }
}

impl Letter {
    /// Appends to the message.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.file.write_all(chunk)
    }

    /// Sends the message and returns the id under which it went out. Never writes over another: `n` is the
    /// first that is free.
    ///
    /// # Errors
    /// If it cannot be written; then nothing of it is left.
    pub fn send(mut self, from: &Address, to: &[Address]) -> io::Result<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_takes_the_first_free_number_and_a_dropped_one_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let outbox = Outbox::Directory(directory.path().join("out"));
        let id = MessageId::parse("abc123").unwrap();
        let jane = Address::parse("jane@example.org").unwrap();
        for (n, text) in ["one", "two"].into_iter().enumerate() {
            let mut letter = outbox.begin(&id).unwrap();
            letter.write(text.as_bytes()).unwrap();
            assert_eq!(
                letter.send(&jane, std::slice::from_ref(&jane)).unwrap(),
                format!("abc123.{n}")
            );
        }
        outbox.begin(&id).unwrap().write(b"dropped").unwrap();

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
