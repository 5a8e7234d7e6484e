//! The part tree of a message, from the scanner's events.

use std::ops::Range;

use serde::Serialize;

use super::content_type::{ContentType, says_anything, transfer_encoding};
use super::event::{Event, Kind};
use crate::header::body_if_named;

/// Octets of the message from `start` to before `end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Span {
    /// Offset of the first octet.
    pub start: u64,
    /// Offset after the last octet.
    pub end: u64,
}

impl Span {
    /// The number of octets.
    pub const fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether there are no octets.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl From<Span> for Range<u64> {
    fn from(span: Span) -> Self {
        span.start..span.end
    }
}

/// One entity of a message (RFC 2045 2.4): the message itself, a body part, or a message inside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Where it stands in the tree, as in IMAP: the message is `0`, its parts `1`, `2`, theirs `2.1`. A message
    /// in a message/rfc822 part `2` is `2.1`.
    pub path: String,
    /// Levels below the message, which is 0.
    pub depth: usize,
    /// Type and subtype in lower case; `text/plain` where none is given (RFC 2045 5.2), `message/rfc822` in a
    /// digest (RFC 2046 5.1.5).
    pub content_type: String,
    /// The transfer encoding in lower case, `7bit` where none is given (RFC 2045 6.1). A
    /// [`TransferDecoder`](super::TransferDecoder) takes it off the body, if the part is not taken apart.
    pub encoding: String,
    /// The `filename` of Content-Disposition (RFC 2183 2.3), decoded; otherwise the `name` of Content-Type. It is the sender's
    /// text: it may hold path separators and `..`, so do not write a file of this name.
    pub filename: Option<String>,
    /// Its header section, without the empty line.
    pub header: Span,
    /// Its body, without the line break that belongs to the next delimiter. The body of a multipart or message includes all parts
    /// inside it.
    pub body: Span,
}

/// Collects the [`Part`]s of a message. Holds every part: its memory grows with their number, see [`PartTree`].
///
/// ```
/// use readdress::mime::{Parts, Scanner};
///
/// let mut scanner = Scanner::default();
/// let mut parts = Parts::new();
/// // The delimiter is cut in two.
/// for mut chunk in [&b"Content-Type: multipart/mixed; boundary=b\n\n-"[..], b"-b\n\nHello\n--b--\n"] {
///     while let Some(event) = scanner.next(&mut chunk, false)? {
///         parts.push(&event);
///     }
/// }
/// while let Some(event) = scanner.finish()? {
///     parts.push(&event);
/// }
/// let parts = parts.finish();
/// assert_eq!((&*parts[1].path, &*parts[1].content_type), ("1", "text/plain"));
/// assert_eq!(parts[1].body.len(), "Hello".len() as u64);
/// # Ok::<(), readdress::mime::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Parts {
    tree: PartTree,
    found: Vec<Part>,
}

impl Parts {
    /// A collector without parts.
    pub fn new() -> Self {
        Parts::default()
    }

    /// Takes the next event of the scanner. All events of one message must come, in order.
    pub fn push(&mut self, event: &Event<'_>) {
        let found = &mut self.found;
        self.tree.push(event, &mut |change| collect(found, change));
    }

    /// All parts in document order, after the last event.
    pub fn finish(mut self) -> Vec<Part> {
        let found = &mut self.found;
        self.tree.finish(&mut |change| collect(found, change));
        self.found
    }
}

fn collect(found: &mut Vec<Part>, change: PartChange<'_>) {
    match change {
        PartChange::Begun { part, .. } => found.push(part.clone()),
        PartChange::Ended { index, end } => {
            if let Some(part) = found.get_mut(index) {
                part.body.end = end;
            }
        }
    }
}

/// A part that begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartChange<'a> {
    /// The part's header section has ended: this comes with its [`Kind::HeaderEnd`].
    Begun {
        /// The number of the part: the parts are counted from 0 in the order in which they begin, which is that of
        /// [`Parts::finish`]. It is not the index of a part in [`Report::parts`](crate::preflight::Report::parts), which has
        /// only the parts with a finding.
        index: usize,
        /// The part. Everything but the end of its [`Part::body`] is known.
        part: &'a Part,
    },
    /// The part's body has ended: this comes with the first event that is no longer the part's, the delimiter of a multipart
    /// around it, or with [`PartTree::finish`].
    Ended {
        /// The number of the part, as in [`PartChange::Begun`].
        index: usize,
        /// The offset after its last octet.
        end: u64,
    },
}

/// Follows the parts of a message while it is scanned.
///
/// Every part begins and ends once. The parts inside a part begin after it and end before it: where one delimiter ends several,
/// the innermost ends first. Events of [`Kind::Body`] between belong to the part that has begun last, and it is the innermost
/// of those that are open.
///
/// It holds only the parts that have not ended, at most one more than [`Limits::depth`](crate::mime::Limits::depth), and of each
/// its type, encoding and file name. The memory is bounded by that number times the longest of these fields, which may have
/// [`Limits::field`](crate::mime::Limits::field) octets.
///
/// ```
/// use readdress::mime::{PartChange, PartTree, Scanner};
///
/// let mut scanner = Scanner::default();
/// let mut tree = PartTree::default();
/// let mut types = Vec::new();
/// let mut see = |change: PartChange<'_>| {
///     if let PartChange::Begun { part, .. } = change {
///         types.push(part.content_type.clone());
///     }
/// };
/// let chunks = [&b"Content-Type: multipart/mixed; boundary=b\n\n--"[..], b"b\n\nx\n--b--\n"];
/// for (n, mut chunk) in chunks.into_iter().enumerate() {
///     while let Some(event) = scanner.next(&mut chunk, n == 1)? {
///         tree.push(&event, &mut see);
///     }
/// }
/// tree.finish(&mut see);
/// assert_eq!(types, ["multipart/mixed", "text/plain"]);
/// # Ok::<(), readdress::mime::Error>(())
/// ```
///
/// # Termination
/// [`PartTree::finish`] ends the parts that no delimiter ends, among them the message itself. Without it they have no
/// [`PartChange::Ended`].
#[derive(Clone, Debug, Default)]
pub struct PartTree {
    /// The parts that have not ended, by depth.
    open: Vec<Opened>,
    begun: usize,
    end: u64,
}

#[derive(Clone, Debug)]
struct Opened {
    index: usize,
    part: Part,
    children: usize,
    digest: bool,
    content_type: Option<ContentType>,
    encoding: Option<String>,
    disposition: Option<ContentType>,
}

impl PartTree {
    /// Takes the next event of the scanner and passes each change to `see`.
    ///
    /// All events of one message must come, in order. Others give a tree of some other shape, and no panic.
    pub fn push(&mut self, event: &Event<'_>, see: &mut impl FnMut(PartChange<'_>)) {
        self.end = event.offset.saturating_add(event.bytes.len() as u64);
        match event.kind {
            Kind::Field => {
                let end = self.end;
                let opened = self.enter(event);
                opened.read(event.bytes);
                opened.part.header.end = end;
            }
            Kind::HeaderEnd => {
                let end = self.end;
                let opened = self.enter(event);
                opened.describe();
                opened.part.header.end = event.offset;
                opened.part.body = Span { start: end, end };
                see(PartChange::Begun {
                    index: opened.index,
                    part: &opened.part,
                });
            }
            Kind::Delimiter | Kind::CloseDelimiter => {
                self.close(event.depth.saturating_add(1), event.offset, see);
            }
            Kind::Preamble | Kind::Body | Kind::Epilogue => {}
        }
    }

    /// The part of this depth that is open, once its header section has ended. Its body's end is not known yet.
    pub(crate) fn open_part(&self, depth: usize) -> Option<&Part> {
        self.open.get(depth).map(|opened| &opened.part)
    }

    /// Ends the parts that are left, after the last event.
    pub fn finish(&mut self, see: &mut impl FnMut(PartChange<'_>)) {
        self.close(0, self.end, see);
    }

    /// The part that a header event belongs to; opens it unless it is open already.
    fn enter(&mut self, event: &Event<'_>) -> &mut Opened {
        // A part is one level below an open one: events of a scanner skip none.
        let depth = event.depth.min(self.open.len());
        if self.open.len() == depth {
            self.open(event);
        }
        &mut self.open[depth]
    }

    fn open(&mut self, event: &Event<'_>) {
        let (path, digest) = match self.open.last_mut() {
            None => ("0".to_owned(), false),
            Some(parent) => {
                parent.children += 1;
                let path = match parent.index {
                    0 => parent.children.to_string(),
                    _ => format!("{}.{}", parent.part.path, parent.children),
                };
                (path, parent.is_digest())
            }
        };
        let start = Span {
            start: event.offset,
            end: event.offset,
        };
        self.open.push(Opened {
            index: self.begun,
            part: Part {
                path,
                depth: event.depth,
                content_type: String::new(),
                encoding: String::new(),
                filename: None,
                header: start,
                body: start,
            },
            children: 0,
            digest,
            content_type: None,
            encoding: None,
            disposition: None,
        });
        self.begun += 1;
    }

    /// Ends all parts at `depth` and deeper, the innermost first.
    fn close(&mut self, depth: usize, end: u64, see: &mut impl FnMut(PartChange<'_>)) {
        for opened in self.open.drain(depth.min(self.open.len())..).rev() {
            let index = opened.index;
            see(PartChange::Ended { index, end });
        }
    }
}

impl Opened {
    fn read(&mut self, raw: &[u8]) {
        // Of several the first that says anything counts.
        if let Some(body) = body_if_named(raw, "content-type") {
            if self.content_type.is_none() {
                self.content_type = ContentType::stated(body);
            }
        } else if let Some(body) = body_if_named(raw, "content-transfer-encoding") {
            if self.encoding.is_none() {
                self.encoding =
                    transfer_encoding(body).map(|token| String::from_utf8_lossy(token).to_ascii_lowercase());
            }
        } else if let Some(body) = body_if_named(raw, "content-disposition")
            && self.disposition.is_none()
            && says_anything(body)
        {
            self.disposition = Some(ContentType::parse_disposition(body));
        }
    }

    fn is_digest(&self) -> bool {
        self.content_type
            .as_ref()
            .is_some_and(|t| t.type_() == "multipart" && t.subtype() == "digest")
    }

    fn describe(&mut self) {
        let content_type = self.content_type.as_ref();
        let part = &mut self.part;
        part.content_type = match content_type {
            Some(content_type) => format!("{}/{}", content_type.type_(), content_type.subtype()),
            None if self.digest => "message/rfc822".to_owned(),
            None => "text/plain".to_owned(),
        };
        part.encoding = self.encoding.clone().unwrap_or_else(|| "7bit".to_owned());
        part.filename = self
            .disposition
            .as_ref()
            .and_then(|disposition| disposition.text("filename"))
            .or_else(|| content_type.and_then(|content_type| content_type.text("name")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::{Limits, Scanner};

    /// The changes of a message, each as `+` or `-` and the path of its part.
    fn changes(message: &str) -> Vec<String> {
        let mut scanner = Scanner::default();
        let mut tree = PartTree::default();
        let (mut paths, mut changes) = (Vec::new(), Vec::new());
        let mut see = |change: PartChange<'_>| match change {
            PartChange::Begun { index, part } => {
                assert_eq!(index, paths.len());
                paths.push(part.path.clone());
                changes.push(format!("+{}", part.path));
            }
            PartChange::Ended { index, .. } => changes.push(format!("-{}", paths[index])),
        };
        let mut input = message.as_bytes();
        while let Some(event) = scanner.next(&mut input, true).unwrap() {
            tree.push(&event, &mut see);
        }
        tree.finish(&mut see);
        changes
    }

    /// Catches a part that ends before those inside it: a program would take the end for that of another part.
    #[test]
    fn of_parts_that_end_together_the_innermost_is_first() {
        let message = "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/rfc822\n\n\
            Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--a\n\ntwo\n";
        assert_eq!(
            changes(message),
            [
                "+0", "+1", "+1.1", "+1.1.1", "-1.1.1", "-1.1", "-1", "+2", "-2", "-0"
            ]
        );
    }

    #[test]
    fn events_that_no_scanner_makes_do_no_harm() {
        let mut tree = PartTree::default();
        let (mut begun, mut ended) = (0, 0);
        let mut see = |change: PartChange<'_>| match change {
            PartChange::Begun { .. } => begun += 1,
            PartChange::Ended { .. } => ended += 1,
        };
        for (kind, depth) in [
            (Kind::CloseDelimiter, usize::MAX),
            (Kind::Body, usize::MAX),
            (Kind::HeaderEnd, 7),
            (Kind::Field, Limits::default().depth),
            (Kind::HeaderEnd, 2),
        ] {
            let event = Event {
                kind,
                depth,
                offset: 0,
                bytes: b"x: y\n",
            };
            tree.push(&event, &mut see);
        }
        tree.finish(&mut see);
        assert_eq!((begun, ended), (2, 3));
    }
}
