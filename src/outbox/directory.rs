//! A directory as the outbox.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Serialize;

use super::error::SendError;
use super::message::{BodyReader, Outgoing, Sent};
use crate::arrival::MessageId;
use crate::bucket::CHUNK;
use crate::cause::StorageError;
use crate::header::mailbox::Address;
use crate::rewrite::PlanWriter;

/// The end of the name of a message that is being written. Its beginning is a dot.
const DRAFT: &str = ".draft";

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
) -> Result<Sending<'a>, SendError> {
    let failed = |error| cannot_write(directory, error);
    let mut message = DirectoryMessage::create(directory, &outgoing.message_id).map_err(failed)?;
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
    written.map_err(failed)?;
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
        let message = self.message.take()?;
        let directory = message.directory.clone();
        let id = message.send(self.from, self.to);
        let to = (0..self.to.len()).collect();
        Some(
            id.map(|id| Sent { to, id })
                .map_err(|error| cannot_write(&directory, error)),
        )
    }
}

fn cannot_write(directory: &Path, error: io::Error) -> SendError {
    let place = directory.display();
    let error = StorageError::from(error);
    error
        .while_trying(format!("the outbox {place} cannot be written (OUTBOX)"))
        .into()
}

/// Removes the drafts that interrupted runs have left. A run that goes on holds the locks of its own.
pub(super) fn remove_abandoned(directory: &Path) {
    // A directory that cannot be read has no drafts that anybody sees, and may be made by the first message.
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_draft = |name: &str| name.starts_with('.') && name.ends_with(DRAFT);
        if name.to_str().is_some_and(is_draft)
            && let Err(error) = remove_if_abandoned(&entry.path())
        {
            tracing::debug!(%error, "a draft of an earlier run cannot be removed");
        }
    }
}

fn remove_if_abandoned(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    // Between the opening and the lock its owner may have finished it.
    if file.try_lock().is_ok() && is_at(&file, path)? {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// Creates a draft and locks it.
fn create_draft(path: &Path) -> io::Result<File> {
    loop {
        let file = File::create(path)?;
        match file.lock() {
            // Where files have no locks, nobody takes a draft for abandoned either.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => return Ok(file),
            locked => locked?,
        }
        // Before it was locked it may have been taken for abandoned.
        if is_at(&file, path)? {
            return Ok(file);
        }
    }
}

/// Whether this is the file with this name, now.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match fs::symlink_metadata(path) {
        Ok(there) => Ok(id(there) == id(file.metadata()?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
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
        static COUNT: AtomicU32 = AtomicU32::new(0);

        fs::create_dir_all(directory)?;
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!(".{message_id}.{}.{n}{DRAFT}", std::process::id()));
        let file = BufWriter::with_capacity(CHUNK, create_draft(&path)?);
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
    use crate::cause::Cause;

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

    /// Catches drafts that pile up, and the draft of another run that is taken away while it is written.
    #[test]
    fn only_drafts_that_nobody_writes_are_removed() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path();
        let id = MessageId::parse("m1").unwrap();
        let written = DirectoryMessage::create(out, &id).unwrap();
        for name in [".m1.1.0.draft", ".m1.2.draft", "m1.draft", "m1.0.eml"] {
            fs::write(out.join(name), "").unwrap();
        }
        remove_abandoned(out);
        let jane = Address::parse("jane@example.org").unwrap();
        written.send(&jane, std::slice::from_ref(&jane)).unwrap();
        let mut left: Vec<_> = fs::read_dir(out)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["m1.0.eml", "m1.1.eml", "m1.1.json", "m1.draft"]);
        remove_abandoned(&out.join("none"));
    }

    /// Catches a full disk that passes for a fault of the message.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_named_with_its_directory() {
        let directory = tempfile::tempdir().unwrap();
        let jane = Address::parse("jane@example.org").unwrap();
        let id = MessageId::parse("m1").unwrap();
        let mut message = DirectoryMessage::create(directory.path(), &id).unwrap();
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        message.file = BufWriter::new(full);
        message.file.write_all(b"Subject: x\n\n").unwrap();
        let mut sending = Sending {
            message: Some(message),
            message_octets: 12,
            from: &jane,
            to: std::slice::from_ref(&jane),
        };
        let error = sending.next().unwrap().unwrap_err();
        assert_eq!(error.cause, Cause::NoSpace);
        let place = directory.path().display().to_string();
        assert!(error.reason.contains(&place), "{}", error.reason);
    }
}
