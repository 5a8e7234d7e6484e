//! What a header section that goes out must be, checked without the code that wrote it.

use readdress::mime::Kind;

/// Fields that go out at most once. With those that are removed, all that a rule names: the others keep their bytes
/// and their order.
const SINGLE: [&str; 6] = ["from", "to", "reply-to", "subject", "references", "date"];
const REMOVED: [&str; 19] = [
    "return-path",
    "sender",
    "dkim-signature",
    "domainkey-signature",
    "message-id",
    "feedback-id",
    "bcc",
    "delivered-to",
    "errors-to",
    "resent-bcc",
    "disposition-notification-to",
    "return-receipt-to",
    "x-confirm-reading-to",
    "generate-delivery-report",
    // Ours, where the message has what they repeat.
    "x-original-from",
    "x-original-sender",
    "x-original-date",
    "x-original-message-id",
    // Not a field: white space before the first, an mbox line, a byte order mark.
    "",
];
const REMOVED_PREFIXES: [&str; 2] = ["x-ses-", "x-readdress-"];
const ADDED: [&str; 5] = [
    "x-original-from",
    "x-original-to",
    "x-original-message-id",
    "x-original-date",
    "x-original-sender",
];

/// A header section taken apart, and the body.
pub struct Split {
    pub fields: Vec<(String, Vec<u8>)>,
    pub empty_line: Vec<u8>,
    pub body: Vec<u8>,
}

/// A message cut by the naive oracle into the fields of its header section and its body.
pub fn split(message: &[u8]) -> Split {
    let told = super::naive::scan(message);
    let mut fields = Vec::new();
    let mut empty_line = Vec::new();
    let mut end = 0;
    for event in &told {
        end += event.bytes.len();
        if event.kind == Kind::HeaderEnd {
            empty_line.clone_from(&event.bytes);
            break;
        }
        let name = event
            .bytes
            .split(|&b| b == b':')
            .next()
            .unwrap_or_default()
            .trim_ascii();
        let is_field = event.bytes.contains(&b':') && name.iter().all(u8::is_ascii_graphic);
        let is_field = is_field && !event.bytes[0].is_ascii_whitespace();
        let name = if is_field { name } else { b"" };
        fields.push((String::from_utf8_lossy(name).to_lowercase(), event.bytes.clone()));
    }
    Split {
        fields,
        empty_line,
        body: message[end..].to_vec(),
    }
}

fn is_removed(name: &str) -> bool {
    REMOVED.contains(&name) || REMOVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn is_named(name: &str) -> bool {
    SINGLE.contains(&name) || is_removed(name)
}

/// What goes out of a field that no rule names: the same octets, but for controls. `None`: it holds ISO-2022-JP, which
/// becomes encoded-words.
pub fn cleaned(raw: &[u8]) -> Option<Vec<u8>> {
    let is_shift = |four: &[u8]| matches!(four, b"\x1b$@" | b"\x1b$B" | b"\x1b(J" | b"\x1b(I");
    if raw.windows(3).any(is_shift) {
        return None;
    }
    let mut clean = Vec::new();
    for (at, &octet) in raw.iter().enumerate() {
        match octet {
            b'\r' if raw.get(at + 1) == Some(&b'\n') => clean.push(octet),
            b'\r' => clean.push(b' '),
            b'\t' | b'\n' => clean.push(octet),
            0..b' ' | 0x7f => {}
            _ => clean.push(octet),
        }
    }
    Some(clean)
}

/// Are these the same field, the second perhaps with the line break that the first lacks?
fn is_same(before: &[u8], after: &[u8]) -> bool {
    match cleaned(before) {
        None => true,
        Some(clean) => match after.strip_prefix(&clean[..]) {
            Some(ending) => ending.is_empty() || !clean.ends_with(b"\n") && matches!(ending, b"\n" | b"\r\n"),
            None => false,
        },
    }
}

/// No control reaches a reader, and even the laxest sees the fields that we see.
fn assert_read_alike(name: &str, out: &[u8], after: &Split) {
    let header = &out[..out.len() - after.body.len()];
    for (at, &octet) in header.iter().enumerate() {
        let bare_cr = octet == b'\r' && header.get(at + 1) != Some(&b'\n');
        let control = octet < b' ' && !matches!(octet, b'\t' | b'\n' | b'\r') || octet == 0x7f;
        assert!(!bare_cr && !control, "{name}: octet {octet} at {at}");
    }
    let (seen, body_at) = super::lax::read(out);
    let meant: Vec<&String> = after.fields.iter().map(|(field, _)| field).collect();
    assert_eq!(
        seen.iter().collect::<Vec<_>>(),
        meant,
        "{name}: the fields that a lax reader sees"
    );
    assert_eq!(body_at, header.len(), "{name}: the body that a lax reader sees");
}

/// Law L4, and what every header section that goes out must be.
#[allow(clippy::too_many_lines)] // A list of what holds.
pub fn assert_sealed(name: &str, message: &[u8], out: &[u8]) {
    let (before, after) = (split(message), split(out));
    assert_eq!(after.body, before.body, "{name}: the body");
    if !before.empty_line.is_empty() {
        assert_eq!(after.empty_line, before.empty_line, "{name}: the empty line");
    }
    assert!(!after.empty_line.is_empty(), "{name}: no empty line");
    assert_read_alike(name, out, &after);

    let untouched = |split: &Split| -> Vec<Vec<u8>> {
        let fields = split.fields.iter().filter(|(name, _)| !is_named(name));
        fields.map(|(_, raw)| raw.clone()).collect()
    };
    let old = untouched(&before);
    let kept: Vec<(&String, &Vec<u8>)> = after
        .fields
        .iter()
        .filter(|(name, _)| !is_named(name) || ADDED.contains(&&**name))
        .map(|(name, raw)| (name, raw))
        .collect();
    assert!(kept.len() >= old.len(), "{name}: a field is missing");
    let (kept, added) = kept.split_at(old.len());
    for (old, (field, raw)) in old.iter().zip(kept) {
        assert!(
            is_same(old, raw),
            "{name}: {field}: {} was {}",
            raw.escape_ascii(),
            old.escape_ascii()
        );
    }
    assert!(added.len() <= ADDED.len(), "{name}");
    for (field, _) in added {
        assert!(ADDED.contains(&&***field), "{name}: {field}");
    }

    let count = |wanted: &str| after.fields.iter().filter(|(name, _)| name == wanted).count();
    assert_eq!(count("from"), 1, "{name}");
    for single in SINGLE {
        assert!(count(single) <= 1, "{name}: {single}");
    }
    for (field, _) in &after.fields {
        assert!(!is_removed(field) || ADDED.contains(&&**field), "{name}: {field}");
    }
    for added in ADDED {
        assert!(count(added) <= 1 || added == "x-original-to", "{name}: {added}");
    }
    let as_it_was = |name: &str, raw: &[u8]| {
        let mut old = before.fields.iter().filter(|(old, _)| old == name);
        old.any(|(_, old)| is_same(old, raw))
    };
    for (field, raw) in after.fields.iter().filter(|(name, raw)| !as_it_was(name, raw)) {
        let text = raw.strip_suffix(b"\n").unwrap();
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        for (index, line) in text.split(|&b| b == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            assert!(
                line.len() <= 998 && !line.trim_ascii().is_empty(),
                "{name}: {field}"
            );
            assert!(
                line.iter().all(|b| matches!(b, b' '..=b'~')),
                "{name}: {field}: {}",
                raw.escape_ascii()
            );
            assert_eq!(index > 0, line[0] == b' ', "{name}: {field}");
        }
    }
}
