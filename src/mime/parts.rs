//! The part tree of a message, from the scanner's events.

use serde::Serialize;

use super::content_type::ContentType;
use super::scanner::{Event, Kind};
use crate::header::body_if_named;

/// Octets of the message from `start` to before `end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Offset of the first octet.
    pub start: u64,
    /// Offset after the last octet.
    pub end: u64,
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
    /// The transfer encoding in lower case, `7bit` where none is given (RFC 2045 6.1).
    pub encoding: String,
    /// The file name that it suggests (RFC 2183 2.3), decoded; or the older `name` of its Content-Type.
    pub filename: Option<String>,
    /// Its header section, without the empty line.
    pub header: Span,
    /// Its body, without the line break that belongs to the next delimiter. A multipart's or message's body
    /// runs to its end, over all that is inside.
    pub body: Span,
}

/// Collects the [`Part`]s of a message. Holds every part: its memory grows with their number.
#[derive(Debug, Default)]
pub struct Parts {
    found: Vec<Part>,
    /// Indices in `found` of the entities that are not at their end, by depth.
    open: Vec<Opened>,
    end: u64,
}

#[derive(Debug)]
struct Opened {
    index: usize,
    children: usize,
    digest: bool,
    content_type: Option<ContentType>,
    encoding: Option<String>,
    disposition: Option<ContentType>,
}

impl Parts {
    /// No part yet.
    pub fn new() -> Self {
        Parts::default()
    }

    /// Takes the next event of the scanner; all must come, in order.
    pub fn push(&mut self, event: &Event<'_>) {
        self.end = event.offset + event.bytes.len() as u64;
        match event.kind {
            Kind::Field => {
                let (opened, part) = self.enter(event);
                opened.read(event.bytes);
                part.header.end = event.offset + event.bytes.len() as u64;
            }
            Kind::HeaderEnd => {
                let end = self.end;
                let (opened, part) = self.enter(event);
                opened.describe(part);
                part.header.end = event.offset;
                part.body = Span { start: end, end };
            }
            Kind::Delimiter | Kind::CloseDelimiter => self.close(event.depth + 1, event.offset),
            Kind::Preamble | Kind::Body | Kind::Epilogue => {}
        }
    }

    /// All parts in document order, after the last event.
    pub fn finish(mut self) -> Vec<Part> {
        self.close(0, self.end);
        self.found
    }

    /// The entity that a header event belongs to; opens it unless it is open already.
    fn enter(&mut self, event: &Event<'_>) -> (&mut Opened, &mut Part) {
        if self.open.len() <= event.depth {
            self.open(event);
        }
        let opened = &mut self.open[event.depth];
        let part = &mut self.found[opened.index];
        (opened, part)
    }

    fn open(&mut self, event: &Event<'_>) {
        let (path, digest) = match self.open.last_mut() {
            None => ("0".to_owned(), false),
            Some(parent) => {
                parent.children += 1;
                let parent_path = &self.found[parent.index].path;
                let path = match parent.index {
                    0 => parent.children.to_string(),
                    _ => format!("{parent_path}.{}", parent.children),
                };
                (path, parent.is_digest())
            }
        };
        let start = Span {
            start: event.offset,
            end: event.offset,
        };
        self.open.push(Opened {
            index: self.found.len(),
            children: 0,
            digest,
            content_type: None,
            encoding: None,
            disposition: None,
        });
        self.found.push(Part {
            path,
            depth: event.depth,
            content_type: String::new(),
            encoding: String::new(),
            filename: None,
            header: start,
            body: start,
        });
    }

    /// Ends all entities at `depth` and deeper.
    fn close(&mut self, depth: usize, end: u64) {
        for opened in self.open.drain(depth.min(self.open.len())..) {
            self.found[opened.index].body.end = end;
        }
    }
}

impl Opened {
    fn read(&mut self, raw: &[u8]) {
        if let Some(body) = body_if_named(raw, "content-type") {
            self.content_type
                .get_or_insert_with(|| ContentType::parse(body).unwrap_or_default());
        } else if let Some(body) = body_if_named(raw, "content-transfer-encoding") {
            let token = String::from_utf8_lossy(body.trim_ascii()).to_ascii_lowercase();
            self.encoding.get_or_insert(token);
        } else if let Some(body) = body_if_named(raw, "content-disposition") {
            self.disposition
                .get_or_insert_with(|| ContentType::parse_disposition(body));
        }
    }

    fn is_digest(&self) -> bool {
        self.content_type
            .as_ref()
            .is_some_and(|t| t.type_() == "multipart" && t.subtype() == "digest")
    }

    fn describe(&self, part: &mut Part) {
        let content_type = self.content_type.as_ref();
        part.content_type = match content_type {
            Some(content_type) => format!("{}/{}", content_type.type_(), content_type.subtype()),
            None if self.digest => "message/rfc822".to_owned(),
            None => "text/plain".to_owned(),
        };
        part.encoding = self
            .encoding
            .clone()
            .filter(|e| !e.is_empty())
            .unwrap_or_else(|| "7bit".to_owned());
        part.filename = self
            .disposition
            .as_ref()
            .and_then(|disposition| disposition.parameter("filename"))
            .or_else(|| content_type.and_then(|content_type| content_type.parameter("name")));
    }
}
