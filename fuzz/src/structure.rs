//! The scanner against the naive oracle of the tests, which reads whole lines of the whole message; and the part
//! tree against the events.

use readdress::mime::{Kind, Limits, Part, Parts, Scanner};

use super::{Told, naive, tell};

/// `input`: the message.
pub fn structure(message: &[u8]) {
    let expected = naive::scan(message);
    // The oracle knows no limits.
    if expected.iter().any(|event| event.depth > 100) || message.len() > 8_000 {
        return;
    }
    let mut scanner = Scanner::new(Limits::default());
    let mut parts = Parts::new();
    let mut found: Vec<Told> = Vec::new();
    let mut rest = message;
    while let Some(event) = scanner
        .next(&mut rest, true)
        .expect("short messages are within the limits")
    {
        parts.push(&event);
        tell(&mut found, event.kind, event.depth, event.offset, event.bytes);
    }
    assert_eq!(found, expected);
    are_the_parts(&parts.finish(), &expected, message.len() as u64);
}

/// Every header section has its part, which begins at its first field and ends where a delimiter of a multipart
/// around it begins.
fn are_the_parts(parts: &[Part], told: &[Told], end_of_message: u64) {
    let headers = told
        .iter()
        .enumerate()
        .filter(|(_, event)| event.kind == Kind::HeaderEnd);
    let headers: Vec<(usize, &Told)> = headers.collect();
    assert_eq!(parts.len(), headers.len());
    for (part, (at, header_end)) in parts.iter().zip(headers) {
        let fields = told[..at]
            .iter()
            .rev()
            .take_while(|event| event.kind == Kind::Field);
        let start = fields.last().map_or(header_end.offset, |first| first.offset);
        assert_eq!(
            (part.header.start, part.header.end),
            (start, header_end.offset),
            "{part:?}"
        );
        let ends = told[at + 1..].iter().find(|event| {
            matches!(event.kind, Kind::Delimiter | Kind::CloseDelimiter) && event.depth < part.depth
        });
        let start = header_end.offset + header_end.bytes.len() as u64;
        let end = ends.map_or(end_of_message, |event| event.offset);
        assert_eq!((part.body.start, part.body.end), (start, end), "{part:?}");
        assert_eq!(part.depth, header_end.depth, "{part:?}");
    }
}
