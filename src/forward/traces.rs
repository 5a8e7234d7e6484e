//! Shows what the body of an answer tells of its owner, which goes out as it is.

use std::collections::HashSet;
use std::io;

use memchr::memmem;
use serde::Serialize;

use crate::bucket::Source;
use crate::header::mailbox::Address;
use crate::mime::{ContentType, Event, Kind, PartChange, PartTree, Scanner, TransferDecoder};

/// Traces that are listed. Past these they are counted.
const MAX_TRACES: usize = 20;

/// Characters of a field that are shown.
const MAX_SHOWN: usize = 200;

/// Octets that are searched again with the next piece of a text: the longest address, and one octet before it.
const CARRIED: usize = 400;

/// Fields of parts that are shown whatever they say: programs write hosts and names of their own into them.
const SHOWN: [&str; 3] = ["content-id", "content-location", "content-description"];

/// The traces of an owner in the body of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traces {
    /// The first of them, in their order.
    pub found: Vec<Trace>,
    /// How many more there are.
    pub more: usize,
}

/// A place in the body of an answer that names its owner, the owner's host or program, or may do so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// The path of its part.
    pub part: String,
    /// `text`, `boundary`, `file name`, or the name of a field.
    pub place: String,
    /// Where it is in the stored message; in a part with a transfer encoding, where the content begins.
    pub offset: u64,
    /// What is to be seen there: an owner's address or domain, or the text of the field.
    pub text: String,
}

/// Reads the traces of these owners. Each address and domain counts once in a part.
///
/// # Errors
/// If the message cannot be read.
pub(super) async fn read(source: &Source, owners: &[Address]) -> io::Result<Traces> {
    let (mut stream, mut scanner) = (source.stream(0), Scanner::default());
    let (mut tree, mut gathered) = (PartTree::default(), Gathered::of(owners));
    loop {
        let chunk = stream.next().await?;
        let last = chunk.is_none();
        let mut chunk = chunk.unwrap_or_default();
        // The header section has been read before, so that this cannot fail.
        while let Ok(Some(event)) = scanner.next(&mut chunk, last) {
            gathered.push(&event, &mut tree);
        }
        if last {
            gathered.end_text();
            return Ok(gathered.traces);
        }
    }
}

struct Gathered {
    owners: Vec<String>,
    domains: Vec<String>,
    traces: Traces,
    /// Traces in the header section of a part whose path is not known yet.
    pending: Vec<(u64, String, String)>,
    part: String,
    seen: HashSet<String>,
    /// Takes the transfer encoding off the text that is being read. `None`: it is no text.
    decoder: Option<TransferDecoder>,
    /// Where the content begins, if it has a transfer encoding.
    begins: Option<u64>,
    /// The end of the text so far, in lower case.
    carried: Vec<u8>,
}

impl Gathered {
    fn of(owners: &[Address]) -> Self {
        let mut domains: Vec<String> = owners
            .iter()
            .map(|owner| owner.domain().to_ascii_lowercase())
            .collect();
        domains.sort_unstable();
        domains.dedup();
        Gathered {
            owners: owners.iter().map(Address::key).collect(),
            domains,
            traces: Traces::default(),
            pending: Vec::new(),
            part: String::new(),
            seen: HashSet::new(),
            decoder: None,
            begins: None,
            carried: Vec::new(),
        }
    }

    fn push(&mut self, event: &Event<'_>, tree: &mut PartTree) {
        tree.push(event, &mut |change| {
            if let PartChange::Begun { part, .. } = change {
                self.end_text();
                self.part.clone_from(&part.path);
                self.seen.clear();
                let is_text = part.content_type.starts_with("text/");
                self.decoder = is_text.then(|| TransferDecoder::new(&part.encoding));
                self.begins = TransferDecoder::decodes(&part.encoding).then_some(part.body.start);
                for (offset, place, text) in std::mem::take(&mut self.pending) {
                    self.add(offset, place, text);
                }
            }
        });
        match event.kind {
            Kind::Field => self.field(event),
            Kind::Body => {
                let mut text = Vec::new();
                if let Some(decoder) = &mut self.decoder {
                    decoder.write(event.bytes, &mut |octets| text.extend_from_slice(octets));
                }
                self.search(event.offset, &text);
            }
            Kind::Preamble | Kind::Epilogue => self.search(event.offset, event.bytes),
            Kind::HeaderEnd | Kind::Delimiter | Kind::CloseDelimiter => {}
        }
    }

    /// Notes a field of a part. Of the message's own fields, which are shown elsewhere, only the boundary counts.
    fn field(&mut self, event: &Event<'_>) {
        let text = String::from_utf8_lossy(event.bytes);
        let Some((name, body)) = text.split_once(':') else {
            return;
        };
        let name = name.trim().to_ascii_lowercase();
        let mut note = |place: &str, text: &str| {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let text = text.chars().take(MAX_SHOWN).collect();
            self.pending.push((event.offset, place.to_owned(), text));
        };
        let parsed = match &*name {
            "content-type" => ContentType::parse(body.as_bytes()),
            "content-disposition" => Some(ContentType::parse_disposition(body.as_bytes())),
            _ => None,
        };
        for (parameter, place) in [
            ("boundary", "boundary"),
            ("name", "file name"),
            ("filename", "file name"),
        ] {
            let value = parsed.as_ref().and_then(|parsed| parsed.parameter(parameter));
            if let Some(value) = value.filter(|_| event.depth > 0 || place == "boundary") {
                note(place, &value);
            }
        }
        let lower = body.to_ascii_lowercase();
        let is_shown = SHOWN.contains(&&*name) || self.domains.iter().any(|domain| lower.contains(domain));
        if event.depth > 0 && is_shown && parsed.is_none() {
            note(&name, body);
        }
    }

    /// Searches a piece of a text that begins at this offset for domains of owners, and looks whether an address ends there.
    fn search(&mut self, offset: u64, text: &[u8]) {
        let carried = self.carried.len();
        let mut window = std::mem::take(&mut self.carried);
        window.extend(text.iter().map(u8::to_ascii_lowercase));
        let mut found = Vec::new();
        for domain in &self.domains {
            for at in memmem::find_iter(&window, domain) {
                let before = &window[..at];
                let is_new = at + domain.len() > carried;
                let is_inside = before
                    .last()
                    .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'-');
                if is_new && !is_inside {
                    let is_before = |owner: &&String| {
                        let local = owner.strip_suffix(&**domain);
                        local.is_some_and(|local| local.ends_with('@') && before.ends_with(local.as_bytes()))
                    };
                    let named = self.owners.iter().find(is_before).unwrap_or(domain);
                    let start = at + domain.len() - named.len();
                    found.push((start, named.clone()));
                }
            }
        }
        found.sort_unstable();
        for (start, named) in found {
            let exact = (offset + start as u64).saturating_sub(carried as u64);
            if self.seen.insert(named.clone()) {
                self.add(self.begins.unwrap_or(exact), "text".to_owned(), named);
            }
        }
        self.carried = window.split_off(window.len().saturating_sub(CARRIED));
    }

    fn end_text(&mut self) {
        let mut text = Vec::new();
        if let Some(decoder) = self.decoder.take() {
            decoder.end(&mut |octets| text.extend_from_slice(octets));
        }
        if let Some(begins) = self.begins {
            self.search(begins, &text);
        }
        self.carried.clear();
    }

    fn add(&mut self, offset: u64, place: String, text: String) {
        if self.traces.found.len() == MAX_TRACES {
            self.traces.more += 1;
            return;
        }
        self.traces.found.push(Trace {
            part: self.part.clone(),
            place,
            offset,
            text,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::block_on;

    fn traces(message: &str) -> Traces {
        let owners = [
            "Zoe.Private@home.example",
            "omar@home.example",
            "ann@work.example",
        ];
        let owners = owners.map(|owner| Address::parse(owner).unwrap());
        block_on(read(&Source::memory(message.as_bytes().to_vec()), &owners)).unwrap()
    }

    fn shown(message: &str) -> Vec<String> {
        let found = traces(message).found.into_iter();
        found
            .map(|it| format!("{} {} {} {}", it.part, it.place, it.offset, it.text))
            .collect()
    }

    #[test]
    fn a_text_names_addresses_and_domains() {
        let message = "From: zoe.private@home.example\r\n\r\nZoe\r\n-- \r\nZOE.Private@Home.example, www.home.example, \
             athome.example, zoe.private@home.example\r\n";
        let at = |text: &str| message.find(text).unwrap();
        assert_eq!(
            shown(message),
            [
                format!("0 text {} zoe.private@home.example", at("ZOE")),
                format!("0 text {} home.example", at("home.example, ath")),
            ]
        );
        // "zoe.private@home.example", encoded.
        let encoded = "Content-Transfer-Encoding: base64\r\n\r\nem9lLnByaXZhdGVAaG9t\r\nZS5leGFtcGxl\r\n";
        let body = encoded.find("em9").unwrap();
        assert_eq!(
            shown(encoded),
            [format!("0 text {body} zoe.private@home.example")]
        );
    }

    #[test]
    fn parts_name_hosts_and_files() {
        let message = "Content-Type: multipart/related; boundary=\"_000_prod.example\"; x=home.example\r\n\r\n\
             --_000_prod.example\r\nContent-Type: text/html\r\nX-Host: laptop.home.example\r\n\r\nHello\r\n\
             --_000_prod.example\r\nContent-Type: image/png; name=\"me at home.png\"\r\nContent-ID:\r\n <p1@laptop.home.example>\r\n\
             \r\nhome.example\r\n--_000_prod.example--\r\n";
        let at = |text: &str| message.find(text).unwrap();
        assert_eq!(
            shown(message),
            [
                format!("0 boundary {} _000_prod.example", 0),
                format!("1 x-host {} laptop.home.example", at("X-Host")),
                format!("2 file name {} me at home.png", at("Content-Type: image")),
                format!("2 content-id {} <p1@laptop.home.example>", at("Content-ID")),
            ]
        );
    }

    /// Catches memory that grows with the answer.
    #[test]
    fn traces_are_counted_past_a_limit() {
        let part = "--b\r\nContent-ID: <a@b>\r\n\r\nx\r\n";
        let message = format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}--b--\r\n",
            part.repeat(30)
        );
        let traces = traces(&message);
        assert_eq!((traces.found.len(), traces.more), (MAX_TRACES, 11));
    }
}
