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

/// Octets that are searched again with the next piece of a text: the longest address, one octet before it, and the one after it,
/// which decides whether the address ends there.
const CARRIED: usize = 401;

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

/// Reads the traces of these owners. Each address and domain counts once in a part, and in a multipart once before its first
/// part and once after its last.
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
    /// Traces in the header section of a part whose path is not known yet, no more than are listed.
    pending: Vec<(u64, String, String)>,
    part: String,
    seen: HashSet<String>,
    /// Takes the transfer encoding off the text that is being read. `None`: it is no text.
    decoder: Option<TransferDecoder>,
    /// Where the content begins, if it has a transfer encoding.
    begins: Option<u64>,
    /// The end of the text so far, in lower case.
    carried: Vec<u8>,
    /// The offset after the text so far.
    end: u64,
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
            end: 0,
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
                self.begins =
                    (is_text && TransferDecoder::decodes(&part.encoding)).then_some(part.body.start);
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
                self.search(event.offset, &text, false);
            }
            Kind::Preamble | Kind::Epilogue => self.search(event.offset, event.bytes, false),
            Kind::Delimiter | Kind::CloseDelimiter => {
                self.end_text();
                self.seen.clear();
                // What comes next belongs to the multipart, unless another part begins.
                if let Some(multipart) = tree.open_part(event.depth) {
                    self.part.clone_from(&multipart.path);
                }
            }
            Kind::HeaderEnd => {}
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
            if self.pending.len() < MAX_TRACES {
                self.pending.push((event.offset, place.to_owned(), text));
            } else {
                self.traces.more += 1;
            }
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
        let names = |domain: &String| places(lower.as_bytes(), domain).next().is_some();
        let is_shown = SHOWN.contains(&&*name) || self.domains.iter().any(names);
        if event.depth > 0 && is_shown && parsed.is_none() {
            note(&name, body);
        }
    }

    /// Searches a piece of a text that begins at this offset for domains of owners, and looks whether an address ends there.
    /// What stands at the very end of a piece that is not the last is left for the next one to decide.
    fn search(&mut self, offset: u64, text: &[u8], is_last: bool) {
        let carried = self.carried.len();
        let mut window = std::mem::take(&mut self.carried);
        window.extend(text.iter().map(u8::to_ascii_lowercase));
        let mut found = Vec::new();
        for domain in &self.domains {
            for at in places(&window, domain) {
                let end = at + domain.len();
                let is_decided = end < window.len() || is_last;
                let is_new = end >= carried;
                if is_new && is_decided {
                    let before = &window[..at];
                    let is_before = |owner: &&String| {
                        let local = owner.strip_suffix(&**domain);
                        local.is_some_and(|local| local.ends_with('@') && before.ends_with(local.as_bytes()))
                    };
                    let named = self.owners.iter().find(is_before).unwrap_or(domain);
                    found.push((end - named.len(), named.clone()));
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
        self.end = offset + text.len() as u64;
        self.carried = window.split_off(window.len().saturating_sub(CARRIED));
    }

    fn end_text(&mut self) {
        let mut text = Vec::new();
        if let Some(decoder) = self.decoder.take() {
            decoder.end(&mut |octets| text.extend_from_slice(octets));
        }
        self.search(self.end, &text, true);
        self.begins = None;
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

/// Where a domain stands in a text, and not as a piece of a longer label. Both are in lower case.
fn places(text: &[u8], domain: &str) -> impl Iterator<Item = usize> {
    let is_of_label = |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'-';
    let length = domain.len();
    memmem::find_iter(text, domain).filter(move |&at| {
        !text[..at].last().is_some_and(is_of_label) && !text[at + length..].first().is_some_and(is_of_label)
    })
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

    /// Catches an epilogue that is joined to the text of the last part, and put there.
    #[test]
    fn what_follows_the_last_part_is_of_the_multipart() {
        // "Hello" and the line break, encoded.
        let message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n\
             --b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n\
             --c\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8K\r\n--c--\r\ninner.home.example\r\n\
             --b\r\n\r\nzoe.private@home.\r\n--b--\r\nexample work.example\r\n";
        let at = |text: &str| message.find(text).unwrap();
        assert_eq!(
            shown(message),
            [
                "0 boundary 0 b".to_owned(),
                format!("1 boundary {} c", at("Content-Type: multipart/mixed; boundary=c")),
                format!("1 text {} home.example", at("home.example")),
                format!("0 text {} work.example", at("work.example")),
            ]
        );
    }

    /// Catches another's domain that begins as an owner's does, and an owner's that is cut by the end of a piece.
    #[test]
    fn a_domain_is_not_a_piece_of_a_longer_one() {
        for (text, named) in [
            ("www.home.examples", None),
            ("home.example-shop", None),
            ("home.example1.org", None),
            ("zoe.private@home.examples", None),
            ("home.example", Some("home.example")),
            ("home.example.", Some("home.example")),
            ("zoe.private@home.example", Some("zoe.private@home.example")),
        ] {
            for at in 0..=text.len() {
                let owner = Address::parse("zoe.private@home.example").unwrap();
                let mut gathered = Gathered::of(&[owner]);
                gathered.search(7, &text.as_bytes()[..at], false);
                gathered.search(7 + at as u64, &text.as_bytes()[at..], false);
                gathered.end_text();
                let found = gathered.traces.found.iter();
                let found: Vec<(u64, &str)> = found.map(|it| (it.offset, &*it.text)).collect();
                let expected: Vec<(u64, &str)> = named.map(|named| (7, named)).into_iter().collect();
                assert_eq!(found, expected, "{text} cut at {at}");
            }
        }
        let field = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX-Host: a.home.examples\r\n\r\n--b--\r\n";
        assert_eq!(shown(field), ["0 boundary 0 b"]);
    }

    /// Catches memory that grows with the fields of one part.
    #[test]
    fn traces_of_a_part_are_counted_past_a_limit() {
        let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
        let message = format!("{head}{}\r\n--b--\r\n", "Content-ID: <a@b>\r\n".repeat(30));
        let traces = traces(&message);
        assert_eq!((traces.found.len(), traces.more), (MAX_TRACES, 11));
        let owner = Address::parse("zoe.private@home.example").unwrap();
        let mut gathered = Gathered::of(&[owner]);
        let bytes = b"Content-ID: <a@b>\r\n";
        for _ in 0..30 {
            let (kind, depth, offset) = (Kind::Field, 1, 0);
            gathered.field(&Event {
                kind,
                depth,
                offset,
                bytes,
            });
        }
        assert_eq!((gathered.pending.len(), gathered.traces.more), (MAX_TRACES, 10));
    }
}
