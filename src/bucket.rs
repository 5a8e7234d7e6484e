//! Where the mail lies.
//!
//! A stored message is read more than once: its header section first, then all of it, and once more for each
//! attempt to send it. [`Source`] is the handle that can be read again, [`Stream`] one reading.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

#[cfg(feature = "aws")]
use crate::s3::{S3Bucket, S3Object, S3Stream};

/// Octets that are read at once.
pub(crate) const CHUNK: usize = 1 << 16;

/// Where the receiving service has put the messages.
#[derive(Clone, Debug)]
pub enum Bucket {
    /// A directory; a key is a path below it.
    Directory(PathBuf),
    /// An S3 bucket.
    #[cfg(feature = "aws")]
    S3(S3Bucket),
}

impl Bucket {
    /// Opens the message with this key, and begins to read it.
    ///
    /// # Errors
    /// If there is none, it is no message, or it cannot be read.
    // Directories do not wait; S3 does.
    #[cfg_attr(not(feature = "aws"), allow(clippy::unused_async))]
    pub async fn open(&self, key: &str) -> io::Result<(Source, Stream)> {
        match self {
            Bucket::Directory(directory) => {
                let file = File::open(directory.join(key))?;
                let metadata = file.metadata()?;
                if !metadata.is_file() {
                    return Err(io::Error::other("it is no file"));
                }
                let source = Source {
                    octets: metadata.len(),
                    place: Place::File(Arc::new(file)),
                };
                let stream = source.stream(0);
                Ok((source, stream))
            }
            #[cfg(feature = "aws")]
            Bucket::S3(bucket) => bucket.open(key).await,
        }
    }

    /// The name of the bucket, where it has one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Bucket::Directory(_) => None,
            #[cfg(feature = "aws")]
            Bucket::S3(bucket) => Some(bucket.name()),
        }
    }
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
    #[cfg(feature = "aws")]
    Memory(bytes::Bytes),
    #[cfg(feature = "aws")]
    S3(Arc<S3Object>),
}

impl Source {
    /// A message that is held in memory.
    #[cfg(feature = "aws")]
    pub fn memory(message: bytes::Bytes) -> Self {
        Source {
            octets: message.len() as u64,
            place: Place::Memory(message),
        }
    }

    #[cfg(feature = "aws")]
    pub(crate) fn s3(object: Arc<S3Object>) -> Self {
        Source {
            octets: object.octets(),
            place: Place::S3(object),
        }
    }

    /// The size of the message.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Reads the message from this octet on. Nothing is opened before the first chunk is asked for.
    pub fn stream(&self, from: u64) -> Stream {
        let reader = match &self.place {
            Place::File(file) => Reader::File {
                file: Arc::clone(file),
                chunk: Vec::new(),
            },
            #[cfg(feature = "aws")]
            Place::Memory(message) => Reader::Memory {
                message: message.clone(),
                chunk: bytes::Bytes::new(),
            },
            #[cfg(feature = "aws")]
            Place::S3(object) => Reader::S3(Box::new(S3Stream::new(Arc::clone(object), from, None))),
        };
        Stream::new(self.octets, from, reader)
    }
}

/// One reading of a message.
#[derive(Debug)]
pub struct Stream {
    octets: u64,
    /// The offset in the message at which the chunk ends.
    at: u64,
    /// Octets at the end of the chunk that are still to be told.
    untold: usize,
    reader: Reader,
}

#[derive(Debug)]
enum Reader {
    File {
        file: Arc<File>,
        chunk: Vec<u8>,
    },
    #[cfg(feature = "aws")]
    Memory {
        message: bytes::Bytes,
        chunk: bytes::Bytes,
    },
    #[cfg(feature = "aws")]
    S3(Box<S3Stream>),
}

impl Reader {
    fn chunk(&self) -> &[u8] {
        match self {
            Reader::File { chunk, .. } => chunk,
            #[cfg(feature = "aws")]
            Reader::Memory { chunk, .. } => chunk,
            #[cfg(feature = "aws")]
            Reader::S3(stream) => stream.chunk(),
        }
    }

    /// Reads the chunk that begins at this offset; an empty one at the end.
    // Directories do not wait; S3 does.
    #[cfg_attr(not(feature = "aws"), allow(clippy::unused_async))]
    async fn advance(&mut self, at: u64) -> io::Result<()> {
        match self {
            Reader::File { file, chunk } => read_at(file, chunk, at),
            #[cfg(feature = "aws")]
            Reader::Memory { message, chunk } => {
                let at = usize::try_from(at).unwrap_or(usize::MAX).min(message.len());
                *chunk = message.slice(at..);
                Ok(())
            }
            #[cfg(feature = "aws")]
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
            untold: 0,
            reader,
        }
    }

    /// The reading that begins with a stream of S3 that is open already.
    #[cfg(feature = "aws")]
    pub(crate) fn s3(stream: S3Stream, octets: u64) -> Self {
        Stream::new(octets, 0, Reader::S3(Box::new(stream)))
    }

    /// The next chunk. `None`: the message has ended, exactly where it should.
    ///
    /// # Errors
    /// If it cannot be read, or ends before or after the size that it had when it was opened, or has changed.
    pub async fn next(&mut self) -> io::Result<Option<&[u8]>> {
        if self.untold == 0 {
            self.reader.advance(self.at).await?;
            let read = self.reader.chunk().len();
            self.at += read as u64;
            self.untold = read;
            if self.at > self.octets || (read == 0 && self.at < self.octets) {
                return Err(io::Error::other(format!(
                    "its size was {} octets and changed while it was read",
                    self.octets
                )));
            }
        }
        let chunk = self.reader.chunk();
        let told = &chunk[chunk.len() - self.untold..];
        self.untold = 0;
        Ok(if told.is_empty() { None } else { Some(told) })
    }

    /// Gives back this many octets at the end of the chunk that was told last: they come again.
    #[cfg(feature = "aws")]
    pub(crate) fn give_back(&mut self, octets: usize) {
        self.untold = octets.min(self.reader.chunk().len());
    }

    /// Goes back to an offset in the chunk that was told last. `false`: it is not in there.
    #[must_use]
    pub fn rewind(&mut self, to: u64) -> bool {
        let back = self
            .at
            .checked_sub(to)
            .and_then(|back| usize::try_from(back).ok());
        match back {
            Some(back) if back <= self.reader.chunk().len() => {
                self.untold = back;
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

    /// Catches a stream that tells octets twice or not at all after it went back, and one that starts elsewhere.
    #[test]
    fn a_stream_starts_anywhere_and_goes_back_in_its_chunk() {
        let directory = tempfile::tempdir().unwrap();
        let message: Vec<u8> = (0..CHUNK * 2 + 10)
            .map(|n| u8::try_from(n % 251).unwrap())
            .collect();
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
            for mut stream in [stream, source.stream(middle as u64)] {
                let mut read = Vec::new();
                while let Some(chunk) = stream.next().await.unwrap() {
                    read.extend_from_slice(chunk);
                }
                assert!(read == message[middle..]);
            }
            assert!(bucket.open("..").await.is_err());
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
