//! The scanner: the only state machine of the engine.
//!
//! It looks at a contiguous buffer and decides on the event at its front: [`Scanner::step`]. The buffer is the caller's chunk,
//! so that events borrow from it and nothing is copied. Where a decision needs bytes that have not come yet, the undecided tail
//! is moved to `held`; the next chunk's first bytes are added to it until the decision falls, and bytes that were not needed go
//! back to the chunk ([`Scanner::next_held`]).
//!
//! Three things must change together. A decision of `step` may depend on the buffer's content and on `last`, never on where the
//! buffer ends: an undecided prefix must give `None` (law L2). The undecided tail must be bounded by [`Limits`] (law L3).
//! `retry_at` only spares work: it says when a held tail is worth looking at again.

use memchr::{memchr, memmem};

use super::content_type::{ContentType, transfer_encoding};
use super::delimiter::{Boundaries, Line};
use super::event::{Event, Kind};
use super::field_start::{self, Start};
use super::limits::Limits;
use crate::header::body_if_named;

/// Octets that are searched one by one for the next `\n--` before a faster search is set up. The shortest lines of a hostile
/// message are about as long.
const NEAR: usize = 8;

/// Why a message cannot be scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The top-level header section exceeds [`Limits::header`].
    #[error("the header section is longer than {limit} octets")]
    HeaderTooLong {
        /// The limit, in octets.
        limit: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At the start of a line of a header section.
    Header,
    /// In text of this kind.
    Text(Kind),
    /// The message has ended.
    Done,
    /// An error has been returned, and every further call returns it again.
    Failed(Error),
}

/// The properties of an entity that its fields so far have set.
#[derive(Clone, Debug, Default)]
struct Entity {
    /// Part of the header section has been seen, so white space can no longer begin it.
    started: bool,
    /// A message rather than a body part: mbox lines may stand among its fields.
    message: bool,
    /// In a digest: a message unless its Content-Type says otherwise.
    digest: bool,
    content_type: Option<ContentType>,
    /// The transfer encoding leaves the bytes as they are.
    identity: Option<bool>,
}

/// The incremental scanner. It never fails below the top-level header section, and the memory held is bounded by [`Limits`].
///
/// # Which bodies are taken apart
/// - `multipart/*` with a boundary, whatever its transfer encoding;
/// - `message/rfc822` and `message/global`, also as the default type in a `multipart/digest`, if the transfer encoding is `7bit`,
///   `8bit`, `binary` or not given.
///
/// Every other body comes as [`Kind::Body`], and so do a `multipart/*` without a boundary, `message/partial`, `message/news`, and
/// a message in base64 or quoted-printable. To read one of the last, give its body to a
/// [`TransferDecoder`](super::TransferDecoder) and the decoded octets to a second scanner.
///
/// # Termination
/// Call [`Scanner::next`] with each chunk until it returns `None`; then the chunk is used up. Say `last` with the last chunk, or
/// call [`Scanner::finish`] after it, also until `None`:
///
/// ```
/// use readdress::mime::{Kind, Scanner};
///
/// let mut scanner = Scanner::default();
/// let mut kinds = Vec::new();
/// // The second chunk begins between the two octets of a line break.
/// for mut chunk in [&b"Subject: Hello\r"[..], b"\n\r\nThe bo", b"dy."] {
///     while let Some(event) = scanner.next(&mut chunk, false)? {
///         kinds.push((event.kind, event.offset));
///     }
/// }
/// while let Some(event) = scanner.finish()? {
///     kinds.push((event.kind, event.offset));
/// }
/// assert_eq!(
///     kinds,
///     [(Kind::Field, 0), (Kind::HeaderEnd, 16), (Kind::Body, 18), (Kind::Body, 24)]
/// );
/// # Ok::<(), readdress::mime::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scanner {
    limits: Limits,
    state: State,
    boundaries: Boundaries,
    entity: Entity,
    depth: usize,
    offset: u64,
    /// The next byte is the first of a line. In `Header` this always holds, except behind a byte order mark.
    line_start: bool,
    /// Octets of the top-level header section so far.
    header_octets: usize,
    /// Undecided bytes, behind the `told` bytes of the last event.
    held: Vec<u8>,
    told: usize,
    /// Length of `held` from which another look at it is worthwhile; after a line break it always is.
    retry_at: usize,
    /// Bytes of the field at the front of the buffer that are known not to end it.
    scanned: usize,
    parts_cut_off: u64,
    dashes: memmem::Finder<'static>,
}

impl Default for Scanner {
    fn default() -> Self {
        Scanner::new(Limits::default())
    }
}

impl Scanner {
    /// A scanner at the start of a message.
    pub fn new(limits: Limits) -> Self {
        Scanner {
            limits,
            state: State::Header,
            boundaries: Boundaries::default(),
            entity: Entity {
                message: true,
                ..Entity::default()
            },
            depth: 0,
            offset: 0,
            line_start: true,
            header_octets: 0,
            held: Vec::new(),
            told: 0,
            retry_at: 0,
            scanned: 0,
            parts_cut_off: 0,
            dashes: memmem::Finder::new(b"\n--"),
        }
    }

    /// Returns the next event, and advances `input` over the bytes that it has taken. `None`: the whole of `input` has been taken,
    /// and more is needed; or, if `last` is set, the message has ended.
    ///
    /// Set `last` if `input` is the end of the message. An empty `input` with `last` unset does not end it; with `last` set this
    /// is [`Scanner::finish`]. Input after the end is ignored.
    ///
    /// # Errors
    /// [`Error::HeaderTooLong`]; from then on every call returns it.
    pub fn next<'s, 'i: 's>(
        &'s mut self,
        input: &mut &'i [u8],
        last: bool,
    ) -> Result<Option<Event<'s>>, Error> {
        self.forget_told();
        if !self.held.is_empty() {
            return self.next_held(input, last);
        }
        let (depth, offset) = (self.depth, self.offset);
        let Some((kind, len)) = self.step(input, last)? else {
            if self.state != State::Done {
                self.hold(input);
            }
            *input = &[];
            return Ok(None);
        };
        let (bytes, rest) = input.split_at(len);
        *input = rest;
        self.offset += len as u64;
        Ok(Some(Event {
            kind,
            depth: self.depth_of(kind, depth),
            offset,
            bytes,
        }))
    }

    /// Returns the next event after [`Scanner::next`] has returned `None` for the last chunk; bytes of a chunk that is not used up
    /// would be lost. `None`: the message has ended. Not needed where `last` was set.
    ///
    /// # Errors
    /// As [`Scanner::next`].
    pub fn finish(&mut self) -> Result<Option<Event<'_>>, Error> {
        self.next(&mut &[][..], true)
    }

    /// The number of parts so far that are not read as they are because of a limit: a field over [`Limits::field`] ended the
    /// header section early, or the part is a multipart or message and is not taken apart. It grows with the part's
    /// [`Kind::HeaderEnd`]. If it is not 0 at the end, a program has not seen every part.
    ///
    /// With a [`Limits::depth`] of 0 nothing is counted.
    ///
    /// ```
    /// use readdress::mime::{Limits, Parts, Scanner};
    ///
    /// let mut message = &b"Content-Type: multipart/mixed; boundary=b\n\n--b\nSubject: a long one\n\nHello\n--b--\n"[..];
    /// let mut scanner = Scanner::new(Limits::default().with_field(10));
    /// let mut parts = Parts::new();
    /// while let Some(event) = scanner.next(&mut message, true)? {
    ///     parts.push(&event);
    /// }
    /// assert_eq!((parts.finish().len(), scanner.parts_cut_off()), (2, 1));
    /// # Ok::<(), readdress::mime::Error>(())
    /// ```
    pub fn parts_cut_off(&self) -> u64 {
        self.parts_cut_off
    }

    /// Bytes taken that no event has returned yet; they precede whatever is fed next. After the header section has ended, the
    /// rest of the message is these bytes and then the rest of the input.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.held[self.told..]
    }

    /// As [`Scanner::next`], with bytes held from before.
    fn next_held<'s, 'i: 's>(
        &'s mut self,
        input: &mut &'i [u8],
        last: bool,
    ) -> Result<Option<Event<'s>>, Error> {
        let mut held = std::mem::take(&mut self.held);
        let before = held.len();
        let mut fed = 0;
        loop {
            // Adds no more than is held already, since the bytes are copied and may go back unused; and no more than it takes
            // to see that a limit is passed.
            let ahead = &input[fed..];
            let most = held
                .len()
                .min(self.over_limits().saturating_sub(held.len()).max(1));
            let ahead = &ahead[..ahead.len().min(most)];
            let line_break = memchr(b'\n', ahead).is_some();
            held.extend_from_slice(ahead);
            fed += ahead.len();

            let all = last && fed == input.len();
            if line_break || held.len() >= self.retry_at || all {
                let depth = self.depth;
                match self.step(&held, all) {
                    Err(error) => {
                        self.held = held;
                        return Err(error);
                    }
                    Ok(Some((kind, len))) => {
                        held.truncate(len.max(before));
                        *input = &input[len.saturating_sub(before)..];
                        let offset = self.offset;
                        self.offset += len as u64;
                        self.held = held;
                        self.told = len;
                        self.retry_at = 0;
                        let depth = self.depth_of(kind, depth);
                        return Ok(Some(Event {
                            kind,
                            depth,
                            offset,
                            bytes: &self.held[..len],
                        }));
                    }
                    Ok(None) => self.retry_at = self.retry_at(&held),
                }
            }
            if fed == input.len() {
                self.held = held;
                *input = &[];
                return Ok(None);
            }
        }
    }

    fn hold(&mut self, tail: &[u8]) {
        self.held.extend_from_slice(tail);
        self.retry_at = self.retry_at(tail);
    }

    /// When to look again at a held tail: after any byte if it ends in a line break, otherwise when it has doubled, so that
    /// single bytes cost a constant each; and at the latest past the limits.
    fn retry_at(&self, tail: &[u8]) -> usize {
        match tail.last() {
            Some(b'\n') => tail.len() + 1,
            _ => (2 * tail.len()).min(self.over_limits()).max(tail.len() + 1),
        }
    }

    /// Octets of a header section or field that pass every limit on them.
    fn over_limits(&self) -> usize {
        self.limits.header.max(self.limits.field).saturating_add(1)
    }

    /// Drops the bytes of the last event from `held`.
    fn forget_told(&mut self) {
        if self.told > 0 {
            self.held.drain(..self.told);
            self.told = 0;
            if self.held.capacity() > self.limits.field && self.held.is_empty() {
                self.held = Vec::new();
            }
        }
    }

    /// A delimiter is of its multipart, which `step` has returned to; all else is of the entity it was met in.
    fn depth_of(&self, kind: Kind, before: usize) -> usize {
        match kind {
            Kind::Delimiter => self.depth - 1,
            Kind::CloseDelimiter => self.depth,
            _ => before,
        }
    }

    /// Decides on the event at the front of `buf`: its kind and length. `None`: that takes more bytes.
    ///
    /// Without an event nothing changes but `scanned`, which only spares work.
    fn step(&mut self, buf: &[u8], last: bool) -> Result<Option<(Kind, usize)>, Error> {
        match self.state {
            State::Header => self.step_header(buf, last),
            State::Text(kind) => Ok(self.step_text(kind, buf, last)),
            State::Done => Ok(None),
            State::Failed(error) => Err(error),
        }
    }

    fn step_header(&mut self, buf: &[u8], last: bool) -> Result<Option<(Kind, usize)>, Error> {
        if self.scanned == 0 && self.line_start {
            match self.start(buf, last) {
                Start::Field => {}
                Start::Mark(len) => return self.mark(&buf[..len]).map(Some),
                Start::End(len) => return Ok(Some(self.end_header(len))),
                Start::More => return Ok(None),
            }
        }
        match self.field_end(buf, self.field_limit(), last) {
            FieldEnd::At(len) => Ok(Some(self.field(&buf[..len]))),
            FieldEnd::More => Ok(None),
            FieldEnd::TooLong => self.too_long().map(Some),
        }
    }

    /// Octets that the next field may have.
    fn field_limit(&self) -> usize {
        match self.depth {
            0 => self.limits.header - self.header_octets,
            _ => self.limits.field,
        }
    }

    /// A field that passes its limit fails the message, or ends the header section of a part.
    #[cold]
    fn too_long(&mut self) -> Result<(Kind, usize), Error> {
        if self.depth > 0 {
            let before = self.parts_cut_off;
            let event = self.end_header(0);
            // Once, also where its type passes a limit too.
            self.parts_cut_off = before + 1;
            return Ok(event);
        }
        let error = Error::HeaderTooLong {
            limit: self.limits.header,
        };
        self.state = State::Failed(error);
        Err(error)
    }

    /// Byte order marks before a field: an event of their own, so that the field is one like any other.
    #[cold]
    fn mark(&mut self, raw: &[u8]) -> Result<(Kind, usize), Error> {
        if raw.len() > self.field_limit() {
            return self.too_long();
        }
        self.count(raw);
        self.line_start = false;
        Ok((Kind::Field, raw.len()))
    }

    /// The construct at the front of `buf`, which is the start of a line.
    fn start(&self, buf: &[u8], last: bool) -> Start {
        // A delimiter ends everything, even a header section without its empty line.
        if !self.boundaries.is_empty() {
            match self.boundaries.classify(buf, last) {
                Line::Delimiter { .. } => return Start::End(0),
                Line::More => return Start::More,
                Line::Text => {}
            }
        }
        match buf {
            [b'\n', ..] => Start::End(1),
            [b'\r', b'\n', ..] => Start::End(2),
            [] if last => Start::End(0),
            [] => Start::More,
            [b'\r'] if !last => Start::More,
            // White space before the first field counts as a fold without a field, and stays where it is.
            [b' ' | b'\t', ..] if self.entity.started => Start::End(0),
            [b' ' | b'\t', ..] => Start::Field,
            _ => field_start::of(buf, last, self.entity.message),
        }
    }

    /// Where the field at the front of `buf` ends: at a line break that no white space follows.
    fn field_end(&mut self, buf: &[u8], limit: usize, last: bool) -> FieldEnd {
        let window = &buf[..buf.len().min(limit.saturating_add(1))];
        while let Some(at) = memchr(b'\n', &window[self.scanned..]) {
            let end = self.scanned + at + 1;
            if end > limit {
                break;
            }
            match window.get(end) {
                Some(b' ' | b'\t') => self.scanned = end,
                Some(_) => return FieldEnd::At(end),
                None if last => return FieldEnd::At(end),
                // One byte of look-ahead: the line break is looked at again.
                None => {
                    self.scanned = end - 1;
                    return FieldEnd::More;
                }
            }
        }
        if window.len() > limit {
            FieldEnd::TooLong
        } else if last {
            FieldEnd::At(window.len())
        } else {
            self.scanned = window.len();
            FieldEnd::More
        }
    }

    /// Counts the octets of `raw`, which is in the header section.
    #[inline]
    fn count(&mut self, raw: &[u8]) {
        self.scanned = 0;
        self.entity.started = true;
        if self.depth == 0 {
            self.header_octets += raw.len();
        }
    }

    fn field(&mut self, raw: &[u8]) -> (Kind, usize) {
        self.count(raw);
        self.line_start = true;
        if self.limits.depth == 0 {
            // Whatever its type, it is not taken apart.
            return (Kind::Field, raw.len());
        }
        // Of several the first that says anything counts.
        let entity = &mut self.entity;
        if let Some(body) = body_if_named(raw, "content-type") {
            if entity.content_type.is_none() {
                entity.content_type = ContentType::stated(body);
            }
        } else if let Some(body) = body_if_named(raw, "content-transfer-encoding") {
            entity.identity = entity
                .identity
                .or_else(|| transfer_encoding(body).map(is_identity));
        }
        (Kind::Field, raw.len())
    }

    /// Ends the header section with `len` bytes and decides how the body of its entity is read.
    fn end_header(&mut self, len: usize) -> (Kind, usize) {
        self.scanned = 0;
        let Entity {
            content_type,
            identity,
            digest,
            ..
        } = std::mem::take(&mut self.entity);
        let message = content_type.as_ref().map_or(digest, ContentType::is_message);
        let deeper = self.depth < self.limits.depth;
        self.state = State::Text(Kind::Body);
        if message && identity.unwrap_or(true) {
            if deeper {
                self.depth += 1;
                self.state = State::Header;
                self.entity.message = true;
            } else {
                self.parts_cut_off += 1;
            }
        } else if let Some(content_type) = content_type
            && let Some(boundary) = content_type.boundary()
        {
            if deeper
                && boundary.len() <= self.limits.boundary
                && boundary.len() + self.boundaries.octets() <= self.limits.boundaries
            {
                self.boundaries
                    .push(boundary, self.depth, content_type.subtype() == "digest");
                self.state = State::Text(Kind::Preamble);
            } else {
                self.parts_cut_off += 1;
            }
        }
        (Kind::HeaderEnd, len)
    }

    fn step_text(&mut self, kind: Kind, buf: &[u8], last: bool) -> Option<(Kind, usize)> {
        if buf.is_empty() {
            if last {
                self.state = State::Done;
            }
            return None;
        }
        if self.boundaries.is_empty() {
            return Some((kind, buf.len()));
        }
        if self.line_start {
            match self.boundaries.classify(buf, last) {
                Line::More => return None,
                Line::Text => {}
                found @ Line::Delimiter { .. } => return Some(self.delimiter(found, 0)),
            }
        }
        let mut from = 0;
        while let Some(at) = self.find_dashes(buf, from) {
            // No other `\n--` begins within these octets.
            from = at + 3;
            if buf
                .get(from)
                .is_some_and(|&first| self.boundaries.rule_out(first))
            {
                continue;
            }
            // The line break before a delimiter belongs to it.
            let start = if at > 0 && buf[at - 1] == b'\r' {
                at - 1
            } else {
                at
            };
            match self.boundaries.classify(&buf[at + 1..], last) {
                Line::Text => {}
                found @ Line::Delimiter { .. } if start == 0 => return Some(self.delimiter(found, at + 1)),
                Line::More if start == 0 => return None,
                Line::Delimiter { .. } | Line::More => return Some(self.text(kind, start)),
            }
        }
        let undecided = if last { 0 } else { delimiter_prefix(buf) };
        (undecided < buf.len()).then(|| self.text(kind, buf.len() - undecided))
    }

    /// The first `\n--` from `from` on.
    fn find_dashes(&self, buf: &[u8], from: usize) -> Option<usize> {
        // One that is near is found sooner octet by octet than by a search, which has to be set up each time.
        let near = &buf[from..buf.len().min(from + NEAR)];
        if let Some(at) = near.iter().position(|&b| b == b'\n')
            && buf[from + at..].starts_with(b"\n--")
        {
            return Some(from + at);
        }
        self.dashes.find(&buf[from..]).map(|at| from + at)
    }

    fn text(&mut self, kind: Kind, len: usize) -> (Kind, usize) {
        self.line_start = false;
        (kind, len)
    }

    /// A delimiter line after `before` octets of line break.
    fn delimiter(&mut self, line: Line, before: usize) -> (Kind, usize) {
        let Line::Delimiter {
            index,
            close,
            len,
            line_break,
        } = line
        else {
            unreachable!("called with a delimiter only");
        };
        let (depth, digest) = self.boundaries.delimit(index, close);
        // The rest of a close-delimiter's line belongs to the epilogue.
        self.line_start = !close;
        if close {
            self.depth = depth;
            self.state = State::Text(Kind::Epilogue);
            (Kind::CloseDelimiter, before + len)
        } else {
            self.depth = depth + 1;
            self.state = State::Header;
            self.entity = Entity {
                digest,
                ..Entity::default()
            };
            (Kind::Delimiter, before + len + line_break)
        }
    }
}

enum FieldEnd {
    At(usize),
    More,
    TooLong,
}

/// A transfer encoding that leaves the bytes as they are (RFC 2045 6.2).
fn is_identity(encoding: &[u8]) -> bool {
    [&b"7bit"[..], b"8bit", b"binary"]
        .iter()
        .any(|known| encoding.eq_ignore_ascii_case(known))
}

/// Octets at the end of `buf` that could begin a delimiter: a line break with at most one `-` after it.
fn delimiter_prefix(buf: &[u8]) -> usize {
    let dash = usize::from(buf.ends_with(b"-"));
    let rest = &buf[..buf.len() - dash];
    match rest {
        [.., b'\r', b'\n'] => 2 + dash,
        [.., b'\n'] => 1 + dash,
        [.., b'\r'] if dash == 0 => 1,
        _ => 0,
    }
}
