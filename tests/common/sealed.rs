//! What a header section that goes out must be, checked without the code that wrote it.

use std::collections::BTreeMap;

use readdress::mime::Kind;

/// Fields that go out at most once: those that the rules write, and those that SES takes once.
const SINGLE: &[&str] = &[
    "from",
    "to",
    "cc",
    "reply-to",
    "subject",
    "references",
    "list-unsubscribe",
    "date",
    "lines",
    "lines",
    "accept-language",
    "acceptlanguage",
    "archived-at",
    "auto-submitted",
    "bounces-to",
    "comments",
    "content-alternative",
    "content-base",
    "content-class",
    "content-description",
    "content-disposition",
    "content-duration",
    "content-id",
    "content-language",
    "content-length",
    "content-location",
    "content-md5",
    "content-transfer-encoding",
    "content-type",
    "disposition-notification-options",
    "importance",
    "in-reply-to",
    "keywords",
    "list-archive",
    "list-help",
    "list-id",
    "list-owner",
    "list-post",
    "list-subscribe",
    "list-unsubscribe-post",
    "message-context",
    "mime-version",
    "organization",
    "original-from",
    "original-message-id",
    "original-recipient",
    "original-subject",
    "precedence",
    "priority",
    "solicitation",
    "sensitivity",
    "thread-index",
    "thread-topic",
    "user-agent",
    "vbr-info",
];
/// Those of them that may say something else than what came.
const WRITTEN: &[&str] = &[
    "from",
    "to",
    "cc",
    "reply-to",
    "subject",
    "references",
    "list-unsubscribe",
    "content-type",
    "content-disposition",
    // Comments say nothing.
    "content-transfer-encoding",
];
/// Fields that are repaired, each for itself.
const REPAIRED: &[&str] = &[
    "resent-from",
    "resent-to",
    "resent-cc",
    "resent-sender",
    "resent-reply-to",
];
const REMOVED: &[&str] = &[
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
    "arc-seal",
    "arc-message-signature",
    "arc-authentication-results",
    // Not a field: white space before the first, an mbox line, a byte order mark.
    "",
];
/// The exception from `x-readdress-`, which passes as it came.
const ROUTE: &str = "x-readdress-route";
const REMOVED_PREFIXES: [&str; 2] = ["x-ses-", "x-readdress-"];
/// Ours, at the end. Those that came are removed, but for the last two, which are added to.
const ADDED: &[&str] = &[
    "x-original-from",
    "x-original-to",
    "x-original-message-id",
    "x-original-date",
    "x-original-sender",
    "x-original-reply-to",
    "x-original-recipients",
    "x-original-cc",
    "x-original-list-unsubscribe",
    "x-original-resent-from",
    "x-original-resent-to",
    "x-original-resent-cc",
    "x-original-resent-sender",
    "x-original-resent-reply-to",
    "x-readdress-notes",
    "x-forwarded-for",
    ROUTE,
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
    let is_ours = ADDED.contains(&name) && name.starts_with("x-original-");
    let of_prefix = REMOVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    REMOVED.contains(&name) || is_ours || of_prefix && name != ROUTE
}

fn is_named(name: &str) -> bool {
    SINGLE.contains(&name) || REPAIRED.contains(&name) || is_removed(name)
}

/// Whether a line is longer than SES takes.
pub fn is_long(raw: &[u8]) -> bool {
    let lines = raw
        .split(|&b| b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.map(<[u8]>::len).max() > Some(998)
}

pub fn says_anything(raw: &[u8]) -> bool {
    let body = raw.splitn(2, |&b| b == b':').nth(1).unwrap_or_default();
    !body.trim_ascii().is_empty()
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

/// The occurrences of a field in what came, and in what went out.
type BeforeAndAfter<'a> = (Vec<&'a [u8]>, Vec<&'a [u8]>);

/// What no rule names goes out as it came, in its order, and what is added stands behind it. Of a field that goes out once,
/// and that no rule writes, the first goes out that says anything.
fn assert_untouched(name: &str, before: &Split, after: &Split) {
    // A line that is too long is folded, encoded or left out.
    let is_shortened = |field: &str| {
        before
            .fields
            .iter()
            .any(|(name, raw)| name == field && is_long(raw))
    };
    let untouched = |split: &Split| -> Vec<(String, Vec<u8>)> {
        let fields = split.fields.iter();
        let fields = fields.filter(|(name, _)| !is_named(name) && !is_shortened(name));
        fields.cloned().collect()
    };
    let old = untouched(before);
    let is_ours = |name: &str| ADDED.contains(&name) && !is_shortened(name);
    let kept = after
        .fields
        .iter()
        .filter(|(name, _)| !is_named(name) && !is_shortened(name) || is_ours(name));
    let kept: Vec<_> = kept.collect();
    assert!(kept.len() >= old.len(), "{name}: a field is missing");
    let (kept, added) = kept.split_at(old.len());
    for ((_, old), (field, raw)) in old.iter().zip(kept) {
        assert!(
            is_same(old, raw),
            "{name}: {field}: {} was {}",
            raw.escape_ascii(),
            old.escape_ascii()
        );
    }
    for (field, _) in added {
        assert!(ADDED.contains(&&**field), "{name}: {field}");
    }
    let mut once: BTreeMap<&str, BeforeAndAfter<'_>> = BTreeMap::new();
    let is_once = |field: &str| SINGLE.contains(&field) && !WRITTEN.contains(&field);
    for (field, raw) in before.fields.iter().filter(|(field, _)| is_once(field)) {
        once.entry(field).or_default().0.push(raw);
    }
    for (field, raw) in after.fields.iter().filter(|(field, _)| is_once(field)) {
        once.entry(field).or_default().1.push(raw);
    }
    for (field, (old, new)) in once {
        let speaks = |raw: &&&[u8]| cleaned(raw).is_none_or(|raw| says_anything(&raw));
        let first = old.iter().find(speaks).or(old.first());
        match (first, &new[..]) {
            (Some(first), _) if is_long(first) => {}
            (Some(first), [new]) => assert!(is_same(first, new), "{name}: {field}"),
            (first, new) => panic!("{name}: {field}: {first:?} {new:?}"),
        }
    }
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

    assert_untouched(name, &before, &after);
    let count = |wanted: &str| after.fields.iter().filter(|(name, _)| name == wanted).count();
    assert_eq!(count("from"), 1, "{name}");
    for single in SINGLE {
        assert!(count(single) <= 1, "{name}: {single}");
    }
    for (field, raw) in &after.fields {
        assert!(!is_removed(field) || ADDED.contains(&&**field), "{name}: {field}");
        assert!(!is_long(raw) || field.starts_with("content-"), "{name}: {field}");
    }
    for added in [
        "x-original-from",
        "x-original-to",
        "x-original-cc",
        "x-original-recipients",
        "x-readdress-notes",
    ] {
        assert!(count(added) <= 1, "{name}: {added}");
    }
    let as_it_was = |name: &str, raw: &[u8]| {
        let mut old = before.fields.iter().filter(|(old, _)| old == name);
        old.any(|(_, old)| is_same(old, raw))
    };
    // A folded field keeps its octets.
    let is_folded = |name: &str, raw: &[u8]| {
        let unfolded = |raw: &[u8]| {
            raw.iter()
                .copied()
                .filter(|b| !matches!(b, b'\r' | b'\n'))
                .collect::<Vec<u8>>()
        };
        let mut old = before
            .fields
            .iter()
            .filter(|(old, raw)| old == name && is_long(raw));
        old.any(|(_, old)| cleaned(old).is_some_and(|old| unfolded(&old) == unfolded(raw)))
    };
    let changed = |(name, raw): &&(String, Vec<u8>)| !as_it_was(name, raw) && !is_folded(name, raw);
    for (field, raw) in after.fields.iter().filter(changed) {
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
