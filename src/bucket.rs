//! Where the mail lies.
//!
//! A stored message is read more than once: its header section first, then all of it, and once more for each
//! attempt to send it. [`Source`] is the handle that can be read again, [`Stream`] one reading.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::aws::{S3Bucket, S3Object, S3Stream};
use crate::cause::{Cause, StorageError};

/// The most octets of a chunk. A multiple of 3, so that base64 of one chunk ends where the next begins.
pub(crate) const CHUNK: usize = 48 << 10;

/// A message of S3 of at most this many octets is kept in memory from the first reading, which saves the second GET; most
/// mail is. It is what the process then grows by: 1 MiB, as much as the difference between streaming a small and a
/// large message (hyper's buffers grow with the message up to that).
const MAX_KEPT: u64 = 1 << 20;

/// Where the receiving service has put the messages.
#[derive(Clone, Debug)]
pub enum Bucket {
    /// A directory; a key is a path below it.
    Directory(PathBuf),
    /// An S3 bucket.
    S3(S3Bucket),
}

impl Bucket {
    /// Opens the message with this key, and begins to read it.
    ///
    /// # Errors
    /// If there is no such message, or it cannot be read. The error holds a [`StorageError`].
    pub async fn open(&self, key: &str) -> io::Result<(Source, Stream)> {
        match self {
            Bucket::Directory(directory) => {
                let file = File::open(directory.join(key)).map_err(|error| explain(directory, error))?;
                let metadata = file.metadata()?;
                if !metadata.is_file() {
                    return Err(StorageError::new(Cause::Configuration, "it is no file").into());
                }
                Ok(Source::new(metadata.len(), Place::File(Arc::new(file))).opened())
            }
            Bucket::S3(bucket) => {
                let (object, mut stream) = bucket.open(key).await?;
                if object.octets() <= MAX_KEPT {
                    return Ok(Source::memory(stream.read_all().await?).opened());
                }
                let source = Source::new(object.octets(), Place::S3(object));
                let stream = Stream::new(source.octets, 0, Reader::S3(Box::new(stream)));
                Ok((source, stream))
            }
        }
    }

    /// The bucket in the words of an operator who looks for it.
    pub fn place(&self) -> String {
        match self {
            Bucket::Directory(directory) => format!("the directory {}", directory.display()),
            Bucket::S3(bucket) => format!("the bucket {}", bucket.name()),
        }
    }

    /// The name of the bucket, where it has one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Bucket::Directory(_) => None,
            Bucket::S3(bucket) => Some(bucket.name()),
        }
    }
}

/// Tells a directory that is not there from a message that is not.
fn explain(directory: &Path, error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::NotFound && !directory.is_dir() {
        return StorageError::new(Cause::Configuration, "there is no such directory").into();
    }
    error
}

/// A stored message, which can be read any number of times and is the same each time: a reading of one that has
/// changed fails.
#[derive(Clone, Debug)]
pub struct Source {
    octets: u64,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    File(Arc<File>),
    Memory(Arc<Vec<u8>>),
    S3(Arc<S3Object>),
}

impl Source {
    fn new(octets: u64, place: Place) -> Self {
        Source { octets, place }
    }

    /// A message that is held in memory.
    pub fn memory(message: Vec<u8>) -> Self {
        Source::new(message.len() as u64, Place::Memory(Arc::new(message)))
    }

    fn opened(self) -> (Self, Stream) {
        let stream = self.stream(0);
        (self, stream)
    }

    /// The size of the message.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Reads the message from this octet on. Nothing is opened before the first chunk is asked for.
    pub fn stream(&self, from: u64) -> Stream {
        let reader = match &self.place {
            Place::File(file) => Reader::File(Arc::clone(file), Vec::new()),
            Place::Memory(message) => Reader::Memory(Arc::clone(message), 0..0),
            Place::S3(object) => Reader::S3(Box::new(S3Stream::new(object, from))),
        };
        Stream::new(self.octets, from, reader)
    }
}

/// One reading of a message.
#[derive(Debug)]
pub struct Stream {
    octets: u64,
    /// The offset in the message at which what has been read ends.
    at: u64,
    /// Octets at the end of what has been read that are still to be handed out.
    left: usize,
    reader: Reader,
}

/// The place that is read, and what was read last.
#[derive(Debug)]
enum Reader {
    File(Arc<File>, Vec<u8>),
    Memory(Arc<Vec<u8>>, Range<usize>),
    S3(Box<S3Stream>),
}

impl Reader {
    fn read(&self) -> &[u8] {
        match self {
            Reader::File(_, read) => read,
            Reader::Memory(message, read) => &message[read.clone()],
            Reader::S3(stream) => stream.chunk(),
        }
    }

    /// Reads on from this offset; nothing at the end.
    async fn advance(&mut self, at: u64) -> io::Result<()> {
        match self {
            Reader::File(file, read) => read_at(file, read, at),
            Reader::Memory(message, read) => {
                let at = usize::try_from(at).unwrap_or(usize::MAX);
                *read = at.min(message.len())..message.len();
                Ok(())
            }
            Reader::S3(stream) => stream.advance().await,
        }
    }
}

fn read_at(file: &File, chunk: &mut Vec<u8>, at: u64) -> io::Result<()> {
    chunk.resize(CHUNK, 0);
    loop {
        match file.read_at(chunk, at) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(read) => {
                chunk.truncate(read);
                return Ok(());
            }
        }
    }
}

impl Stream {
    fn new(octets: u64, from: u64, reader: Reader) -> Self {
        Stream {
            octets,
            at: from,
            left: 0,
            reader,
        }
    }

    /// The next chunk, of at most 48 KiB. `None`: the message has ended, exactly where it should.
    ///
    /// # Errors
    /// If it cannot be read, or ends before or after the size that it had when it was opened, or has changed.
    pub async fn next(&mut self) -> io::Result<Option<&[u8]>> {
        if self.left == 0 {
            self.reader.advance(self.at).await?;
            self.left = self.reader.read().len();
            self.at += self.left as u64;
            if self.at > self.octets || (self.left == 0 && self.at < self.octets) {
                return Err(io::Error::other(format!(
                    "its size was {} octets and changed while it was read",
                    self.octets
                )));
            }
        }
        let read = self.reader.read();
        let chunk = &read[read.len() - self.left..];
        let chunk = &chunk[..chunk.len().min(CHUNK)];
        self.left -= chunk.len();
        Ok(if chunk.is_empty() { None } else { Some(chunk) })
    }

    /// Goes back to an offset in what was read last. `false`: it is not in there.
    #[must_use]
    pub fn rewind(&mut self, to: u64) -> bool {
        let back = self.at.checked_sub(to);
        match back.and_then(|back| usize::try_from(back).ok()) {
            Some(back) if back <= self.reader.read().len() => {
                self.left = back;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::block_on;

    fn message() -> Vec<u8> {
        let octets = 0..CHUNK * 2 + 10;
        octets.map(|n| u8::try_from(n % 251).unwrap()).collect()
    }

    async fn read_all(mut stream: Stream) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(chunk) = stream.next().await.unwrap() {
            assert!(chunk.len() <= CHUNK);
            all.extend_from_slice(chunk);
        }
        all
    }

    /// Catches a stream that hands octets out twice or not at all after it went back, and one that starts elsewhere.
    #[test]
    fn a_stream_starts_anywhere_and_goes_back_in_its_chunk() {
        let directory = tempfile::tempdir().unwrap();
        let message = message();
        std::fs::write(directory.path().join("m"), &message).unwrap();
        let bucket = Bucket::Directory(directory.path().to_owned());
        block_on(async {
            let (source, mut stream) = bucket.open("m").await.unwrap();
            assert_eq!(source.octets(), message.len() as u64);
            stream.next().await.unwrap();
            stream.next().await.unwrap();
            assert!(!stream.rewind(5));
            let middle = CHUNK + 7;
            assert!(stream.rewind(middle as u64));
            for stream in [stream, source.stream(middle as u64)] {
                assert!(read_all(stream).await == message[middle..]);
            }
            assert!(bucket.open("..").await.is_err());
        });
    }

    /// A message in memory is one piece: catches what is lost when it is handed out in several.
    #[test]
    fn a_message_in_memory_is_handed_out_in_chunks_and_again() {
        block_on(async {
            let source = Source::memory(message());
            let mut stream = source.stream(3);
            stream.next().await.unwrap();
            stream.next().await.unwrap();
            // All of it was read at once.
            assert!(!stream.rewind(2) && stream.rewind(7));
            assert!(read_all(stream).await == message()[7..]);
            assert!(read_all(source.stream(message().len() as u64)).await.is_empty());
        });
    }

    #[test]
    fn a_file_that_changed_its_size_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("m");
        for (before, after) in [("shorter", "short"), ("long", "longer")] {
            std::fs::write(&path, before).unwrap();
            let bucket = Bucket::Directory(directory.path().to_owned());
            block_on(async {
                let (_, mut stream) = bucket.open("m").await.unwrap();
                std::fs::write(&path, after).unwrap();
                let first = stream.next().await.map(|chunk| chunk.map(<[u8]>::len));
                assert!(first.is_err() || stream.next().await.is_err(), "{before}");
            });
        }
    }
}
