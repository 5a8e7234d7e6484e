//! What a header section that goes out must be, checked without the code that wrote it.

use readdress::mime::Kind;

/// Fields that go out at most once. With those that are removed, all that a rule names: the others keep their bytes
/// and their order.
const SINGLE: [&str; 6] = ["from", "to", "reply-to", "subject", "references", "date"];
const REMOVED: [&str; 9] = [
    "return-path",
    "sender",
    "dkim-signature",
    "domainkey-signature",
    "message-id",
    "feedback-id",
    "bcc",
    "delivered-to",
    "errors-to",
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
        let is_field = event.bytes.contains(&b':') && !event.bytes[0].is_ascii_whitespace();
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

/// Would a program that ends lines at a bare CR, and trims names of blanks and controls, see a field that must not
/// go out?
pub fn hides_an_order(raw: &[u8]) -> bool {
    let lines = String::from_utf8_lossy(raw).to_lowercase();
    let is_blank = |c: char| c != '\n' && (c <= ' ' || c == '\x7f');
    let mut hidden = lines.split('\r').map(|line| line.trim_start_matches(is_blank));
    hidden.any(|line| REMOVED_PREFIXES.iter().any(|prefix| line.starts_with(prefix)))
}

/// Law L4, and what every header section that goes out must be.
pub fn assert_sealed(name: &str, message: &[u8], out: &[u8]) {
    let (before, after) = (split(message), split(out));
    assert_eq!(after.body, before.body, "{name}: the body");
    if !before.empty_line.is_empty() {
        assert_eq!(after.empty_line, before.empty_line, "{name}: the empty line");
    }
    assert!(!after.empty_line.is_empty(), "{name}: no empty line");

    let untouched = |split: &Split| -> Vec<Vec<u8>> {
        let fields = split
            .fields
            .iter()
            .filter(|(name, raw)| !is_named(name) && !raw.starts_with(b"From ") && !hides_an_order(raw));
        fields.map(|(_, raw)| raw.clone()).collect()
    };
    let mut kept = untouched(&after);
    let added = kept.len() - untouched(&before).len();
    assert!(added <= ADDED.len());
    for raw in kept.split_off(kept.len() - added) {
        let raw = String::from_utf8(raw).unwrap().to_lowercase();
        assert!(ADDED.iter().any(|name| raw.starts_with(name)), "{name}: {raw}");
    }
    let mut old = untouched(&before);
    if let Some(last) = old.last_mut().filter(|last| !last.ends_with(b"\n")) {
        // It was cut off inside this field, which now has a line break.
        let ending = &kept.last().unwrap()[last.len()..];
        last.extend_from_slice(ending);
    }
    assert_eq!(kept, old, "{name}: the untouched fields");

    let count = |wanted: &str| after.fields.iter().filter(|(name, _)| name == wanted).count();
    assert_eq!(count("from"), 1, "{name}");
    for single in SINGLE {
        assert!(count(single) <= 1, "{name}: {single}");
    }
    for (field, raw) in &after.fields {
        assert!(!is_removed(field), "{name}: {field}");
        assert!(!hides_an_order(raw), "{name}: {field}");
    }
    let as_it_was = |raw: &[u8]| {
        before
            .fields
            .iter()
            .any(|(_, old)| match raw.strip_prefix(&old[..]) {
                // It may have been cut off inside this field.
                Some(ending) => ending.is_empty() || !old.ends_with(b"\n") && ending.trim_ascii().is_empty(),
                None => false,
            })
    };
    for (field, raw) in after.fields.iter().filter(|(_, raw)| !as_it_was(raw)) {
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
