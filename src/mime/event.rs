//! The scanner's events.

/// The kind of the bytes of an [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One whole header field with its folds and its line break (RFC 5322 2.2). Also three things that stand among the fields
    /// without being one: white space before the first, a `From ` or `>From ` line of an mbox file among those of a message, a
    /// UTF-8 byte order mark before a field.
    Field,
    /// The empty line that ends a header section; without bytes where the section ends in another way.
    HeaderEnd,
    /// Bytes of a multipart before its first delimiter (RFC 2046 5.1.1).
    Preamble,
    /// A delimiter: the line break before it, dash-boundary, transport-padding and its own line break.
    Delimiter,
    /// Bytes of a body that is not taken apart.
    Body,
    /// A close-delimiter with the line break before it. The line break after it is of the epilogue.
    CloseDelimiter,
    /// Bytes of a multipart after its close-delimiter.
    Epilogue,
}

/// Some bytes of the message and their kind. The bytes of all events in order are the message.
///
/// `Preamble`, `Body` and `Epilogue` come in as many pieces as the chunks make of them; every other event is
/// whole.
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
