//! The scanner's events.

/// The kind of the bytes of an [`Event`].
///
/// An entity is a sequence of `Field`s, one `HeaderEnd`, and then its body: `Body` alone, or for a multipart `Preamble`, each
/// part behind its `Delimiter`, `CloseDelimiter`, `Epilogue`, or for a message the events of that message, one level deeper.
/// Every one of these but `HeaderEnd` may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One whole header field with its folds and its line break (RFC 5322 2.2). Also three things that stand among the fields
    /// without being one: white space before the first, a `From ` or `>From ` line of an mbox file among those of a message, a
    /// UTF-8 byte order mark before a field.
    Field,
    /// The empty line that ends a header section. Every entity has this event. Its bytes are empty if the section ends without
    /// an empty line, for example at a delimiter or at a line that is no field.
    HeaderEnd,
    /// Bytes of a multipart before its first delimiter (RFC 2046 5.1.1).
    Preamble,
    /// A delimiter: the line break before it, dash-boundary, transport-padding and its own line break.
    Delimiter,
    /// Bytes of a body that is not taken apart: see [`Scanner`](super::Scanner) for those that are.
    Body,
    /// A close-delimiter with the line break before it. The line break after it is of the epilogue.
    CloseDelimiter,
    /// Bytes of a multipart after its close-delimiter.
    Epilogue,
}

/// Some bytes of the message and their kind. The bytes of all events in order are the message.
///
/// A preamble, body or epilogue comes in one piece or more, however the chunks and the search for delimiters cut it; every other
/// event is whole. No piece is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The kind of the bytes.
    pub kind: Kind,
    /// Depth of the entity that they belong to: 0 is the message itself, its body parts are 1.
    /// A delimiter belongs to its multipart.
    pub depth: usize,
    /// Octets of the message before this event.
    pub offset: u64,
    /// The bytes, as they came.
    pub bytes: &'a [u8],
}
