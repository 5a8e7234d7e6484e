//! The scanner's rules written down a second time, over whole lines of a whole message: slow, short, and with
//! nothing in common with the incremental one but the reading of Content-Type.

use readdress::mime::{ContentType, Kind};

use super::{Told, tell};

struct Naive<'a> {
    told: Vec<Told>,
    offset: usize,
    depth: usize,
    /// In a header section, or in text of a kind.
    text: Option<Kind>,
    open: Vec<(Vec<u8>, usize, bool)>,
    fields: Vec<&'a [u8]>,
    message: bool,
    digest: bool,
}

/// All events of a message, as the rules say.
pub fn scan(message: &[u8]) -> Vec<Told> {
    let mut naive = Naive {
        told: Vec::new(),
        offset: 0,
        depth: 0,
        text: None,
        open: Vec::new(),
        fields: Vec::new(),
        message: true,
        digest: false,
    };
    let lines: Vec<&[u8]> = message.split_inclusive(|&b| b == b'\n').collect();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        if let Some((index, close)) = naive.delimiter(line) {
            if naive.text.is_none() {
                // It ends the header section; what that opens is matched first.
                naive.end_header(b"");
            } else {
                naive.delimit(line, index, close);
                at += 1;
            }
            continue;
        }
        if let Some(kind) = naive.text {
            naive.tell(kind, line);
            at += 1;
            continue;
        }
        if line == b"\n" || line == b"\r\n" {
            naive.end_header(line);
            at += 1;
        } else if let Some(mark) = naive.starts_field(line) {
            if mark > 0 {
                naive.tell(Kind::Field, &line[..mark]);
                naive.fields.push(&line[..mark]);
            }
            let mut end = at + 1;
            while end < lines.len() && matches!(lines[end][0], b' ' | b'\t') {
                end += 1;
            }
            let octets: usize = lines[at..end].iter().map(|line| line.len()).sum();
            let field = &message[naive.offset..][..octets - mark];
            naive.tell(Kind::Field, field);
            naive.fields.push(field);
            at = end;
        } else {
            // The same line again, in the body.
            naive.end_header(b"");
        }
    }
    while naive.text.is_none() {
        naive.end_header(b"");
    }
    naive.told
}

impl Naive<'_> {
    fn tell(&mut self, kind: Kind, bytes: &[u8]) {
        tell(&mut self.told, kind, self.depth, self.offset as u64, bytes);
        self.offset += bytes.len();
    }

    fn delimiter(&self, line: &[u8]) -> Option<(usize, bool)> {
        let line = line
            .strip_suffix(b"\r\n")
            .or(line.strip_suffix(b"\n"))
            .unwrap_or(line);
        let rest = line.strip_prefix(b"--")?;
        let blank = |rest: &[u8]| rest.len() <= 1024 && rest.iter().all(|b| b" \t".contains(b));
        for (index, (boundary, ..)) in self.open.iter().enumerate().rev() {
            let Some(rest) = rest.strip_prefix(&boundary[..]) else {
                continue;
            };
            if let Some(rest) = rest.strip_prefix(b"--") {
                if blank(rest) {
                    return Some((index, true));
                }
            } else if blank(rest) {
                return Some((index, false));
            }
        }
        None
    }

    fn delimit(&mut self, line: &[u8], index: usize, close: bool) {
        // The line break before it is its own, if it is of a text.
        let mut delimiter = Vec::new();
        let last = self.told.last_mut().unwrap();
        if matches!(last.kind, Kind::Preamble | Kind::Body | Kind::Epilogue) {
            assert_eq!(last.bytes.pop(), Some(b'\n'));
            if last.bytes.last() == Some(&b'\r') {
                last.bytes.pop();
                delimiter.push(b'\r');
            }
            delimiter.push(b'\n');
            if last.bytes.is_empty() {
                self.told.pop();
            }
        }
        self.offset -= delimiter.len();
        self.depth = self.open[index].1;
        if close {
            let end = line.trim_ascii_end().len();
            let padding = line[end..].iter().take_while(|b| b" \t".contains(b)).count();
            delimiter.extend_from_slice(&line[..end + padding]);
            self.tell(Kind::CloseDelimiter, &delimiter);
            self.open.truncate(index);
            self.text = Some(Kind::Epilogue);
            if line.len() > end + padding {
                self.tell(Kind::Epilogue, &line[end + padding..]);
            }
        } else {
            delimiter.extend_from_slice(line);
            self.tell(Kind::Delimiter, &delimiter);
            self.open.truncate(index + 1);
            self.digest = self.open[index].2;
            self.depth += 1;
            self.text = None;
        }
    }

    /// Octets of the byte order marks before the field that starts here, if one does.
    fn starts_field(&self, line: &[u8]) -> Option<usize> {
        if matches!(line[0], b' ' | b'\t') {
            return self.fields.is_empty().then_some(0);
        }
        let marks = line.chunks(3).take_while(|three| *three == "\u{feff}".as_bytes());
        let mark = 3 * marks.count();
        // A line is at most 998 octets; its colon is on it.
        let colon = line.iter().take(999).position(|&b| b == b':');
        let is_field = colon.is_some_and(|colon| {
            let name = line[..colon].trim_ascii_end();
            let blank = line[name.len()..colon].iter().all(|b| b" \t".contains(b));
            name.len() > mark && blank && name[mark..].iter().all(u8::is_ascii_graphic)
        });
        let of_mbox = is_mbox_line(&line[mark..line.len().min(999)]);
        (is_field || self.message && of_mbox).then_some(mark)
    }

    fn end_header(&mut self, line: &[u8]) {
        self.tell(Kind::HeaderEnd, line);
        let fields = std::mem::take(&mut self.fields);
        let content_type = first(&fields, "content-type", says_anything).map(ContentType::parse);
        let is_message = match &content_type {
            None => self.digest,
            Some(None) => false,
            Some(Some(t)) => t.type_() == "message" && ["rfc822", "global"].contains(&t.subtype()),
        };
        let encoding = first(&fields, "content-transfer-encoding", |body| {
            !token(body).is_empty()
        });
        let encoding = token(encoding.unwrap_or(b"7bit"));
        let identity = [&b"7bit"[..], b"8bit", b"binary"].contains(&&encoding[..]);
        self.message = false;
        self.digest = false;
        if is_message && identity {
            self.depth += 1;
            self.message = true;
            return;
        }
        self.text = Some(Kind::Body);
        if let Some(Some(content_type)) = content_type
            && let Some(boundary) = content_type.boundary()
        {
            self.open
                .push((boundary, self.depth, content_type.subtype() == "digest"));
            self.text = Some(Kind::Preamble);
        }
    }
}

/// `From ` or `>From `, with an `@` in the next word or a time of day anywhere.
fn is_mbox_line(line: &[u8]) -> bool {
    let text: String = line.iter().copied().map(char::from).collect();
    let Some(rest) = text.strip_prefix("From ").or_else(|| text.strip_prefix(">From ")) else {
        return false;
    };
    let sender = rest
        .trim_ascii_start()
        .split(|c: char| c.is_ascii_whitespace())
        .next();
    let digits = |at: usize| {
        rest.as_bytes()
            .get(at..at + 2)
            .is_some_and(|two| two.iter().all(u8::is_ascii_digit))
    };
    let times = rest
        .match_indices(':')
        .filter(|&(colon, _)| colon > 1 && digits(colon - 2) && digits(colon + 1));
    sender.is_some_and(|word| word.contains('@')) || times.count() > 0
}

/// The body of the first field of this name that says anything.
fn first<'a>(fields: &[&'a [u8]], name: &str, says_anything: impl Fn(&[u8]) -> bool) -> Option<&'a [u8]> {
    let bodies = fields.iter().filter_map(|field| {
        let colon = field.iter().position(|&b| b == b':')?;
        let is_named = field[..colon]
            .trim_ascii_end()
            .eq_ignore_ascii_case(name.as_bytes());
        is_named.then(|| &field[colon + 1..])
    });
    bodies.into_iter().find(|body| says_anything(body))
}

fn says_anything(body: &[u8]) -> bool {
    without_comments(body)
        .iter()
        .any(|b| *b != b';' && !b.is_ascii_whitespace())
}

/// The first word, in lower case.
fn token(body: &[u8]) -> Vec<u8> {
    let bare = without_comments(body).to_ascii_lowercase();
    let mut words = bare
        .trim_ascii_start()
        .split(|&b| b == b';' || b.is_ascii_whitespace());
    words.next().unwrap_or_default().to_vec()
}

/// A space in place of each comment (RFC 5322 3.2.2); one that is not closed runs to the end.
fn without_comments(body: &[u8]) -> Vec<u8> {
    let (mut bare, mut depth, mut escaped) = (Vec::new(), 0, false);
    for &b in body {
        match b {
            _ if escaped => escaped = false,
            b'\\' if depth > 0 => escaped = true,
            b'(' => depth += 1,
            b')' if depth > 0 => {
                depth -= 1;
                bare.push(b' ');
            }
            _ if depth > 0 => {}
            _ => bare.push(b),
        }
    }
    bare
}
