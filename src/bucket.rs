//! Where the mail lies.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

/// Octets that are read at once.
pub(crate) const CHUNK: usize = 1 << 16;

/// Where the receiving service has put the messages.
#[derive(Clone, Debug)]
pub enum Bucket {
    /// A directory; a key is a path below it.
    Directory(PathBuf),
}

/// A stored message.
#[derive(Debug)]
pub struct Object {
    file: File,
    /// Its size in octets when it was opened.
    pub octets: u64,
}

impl Bucket {
    /// Opens the message with this key.
    ///
    /// # Errors
    /// If there is none, it is no file, or it cannot be read.
    pub fn open(&self, key: &str) -> io::Result<Object> {
        let Bucket::Directory(directory) = self;
        let file = File::open(directory.join(key))?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        Ok(Object {
            file,
            octets: metadata.len(),
        })
    }
}

impl Object {
    /// Hands all octets from `start` on to `each`, chunk by chunk, until it says `false`.
    ///
    /// # Errors
    /// If it cannot be read, or ends before or after the size it had when it was opened; and what `each`
    /// returns.
    pub fn read_from(
        &mut self,
        start: u64,
        each: &mut dyn FnMut(&[u8]) -> io::Result<bool>,
    ) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(start))?;
        let mut chunk = vec![0; CHUNK];
        let mut at = start;
        loop {
            let read = match self.file.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            at += read as u64;
            if read == 0 || at > self.octets {
                break;
            }
            if !each(&chunk[..read])? {
                return Ok(());
            }
        }
        if at == self.octets {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "its size was {} octets and changed while it was read",
            self.octets
        )))
    }
}
