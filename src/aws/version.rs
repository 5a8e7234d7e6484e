//! Versions of objects, and writes that depend on them.

use std::io;
use std::time::Duration;

/// An object as it was read.
#[derive(Clone, Debug)]
pub struct Version {
    /// The content.
    pub octets: Vec<u8>,
    /// The name of this version, for [`Condition::Unchanged`].
    pub etag: String,
    /// The time since the object was written, by the clock of the place where it lies.
    pub age: Duration,
}

/// Some of the keys of a bucket.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// The keys.
    pub keys: Vec<String>,
    /// Asks for those that follow. `None`: these are the last ones.
    pub next: Option<String>,
}

/// The condition under which an object is written.
#[derive(Clone, Copy, Debug)]
pub enum Condition<'a> {
    /// There is no such object (`If-None-Match: *`).
    Absent,
    /// The object is still this version (`If-Match`).
    Unchanged(&'a str),
}

/// Why an object was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The condition does not hold, or did not when a repetition of the request arrived: then an answer was lost.
    #[error("another version lies in its place")]
    Changed,
    /// Another write of the object is under way. The next attempt may succeed.
    #[error("it is being written by another")]
    Conflict,
    /// Anything else.
    #[error(transparent)]
    Other(#[from] io::Error),
}
