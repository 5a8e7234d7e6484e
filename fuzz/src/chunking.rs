//! Laws L1, L2, L3: events are the input, however it is cut, and what is held is within the limits.

use readdress::mime::{Error, Kind, Limits, Scanner};

use super::{Told, allocated, chunks, tell};

/// `input`: five octets of limits, one that says whether to measure memory, ten of cuts; the message.
pub fn chunking(input: &[u8]) {
    let Some((&[header, field, depth, boundary, boundaries, how, ref cuts @ ..], message)) =
        input.split_first_chunk::<16>()
    else {
        return;
    };
    // Small limits, so that short inputs reach them.
    let limits = Limits::default()
        .with_header(16 + 8 * usize::from(header))
        .with_field(8 + usize::from(field))
        .with_depth(usize::from(depth % 8))
        .with_boundary(usize::from(boundary % 128))
        .with_boundaries(usize::from(boundaries));
    let whole = scan(limits, [(message, true)]);
    let bytes: Vec<u8> = whole
        .0
        .iter()
        .flat_map(|event| event.bytes.iter().copied())
        .collect();
    assert!(message.starts_with(&bytes), "L1: other bytes");
    assert!(
        whole.1.is_some() || bytes.len() == message.len(),
        "L1: a byte is lost"
    );

    let cut = chunks(message, cuts).map(|chunk| (chunk, false));
    assert_eq!(scan(limits, cut.chain([(&[][..], true)])), whole, "L2");
    if message.len() < 500 {
        let single = message.chunks(1).map(|chunk| (chunk, false));
        assert_eq!(
            scan(limits, single.chain([(&[][..], true)])),
            whole,
            "L2: octet by octet"
        );
    }

    // Much longer than the others, so not always.
    if how % 16 == 0 && !message.is_empty() {
        is_bounded(limits, message, cuts);
    }
}

/// All events, and the error if there was one.
fn scan<'a>(
    limits: Limits,
    chunks: impl IntoIterator<Item = (&'a [u8], bool)>,
) -> (Vec<Told>, Option<Error>) {
    let mut scanner = Scanner::new(limits);
    let mut told: Vec<Told> = Vec::new();
    let (mut end, mut header) = (0, 0);
    for (mut chunk, last) in chunks {
        loop {
            match scanner.next(&mut chunk, last) {
                Err(error) => {
                    assert_eq!(scanner.next(&mut &b"x"[..], true), Err(error), "it is told again");
                    return (told, Some(error));
                }
                Ok(None) => break,
                Ok(Some(event)) => {
                    assert_eq!(event.offset, end, "offsets are contiguous");
                    end += event.bytes.len() as u64;
                    assert!(
                        event.kind == Kind::HeaderEnd || !event.bytes.is_empty(),
                        "{event:?}"
                    );
                    assert!(event.depth <= limits.depth, "L3: {event:?}");
                    match (event.kind, event.depth) {
                        (Kind::Field, 0) => header += event.bytes.len(),
                        (Kind::Field, _) => assert!(event.bytes.len() <= limits.field, "L3: {event:?}"),
                        (Kind::Delimiter | Kind::CloseDelimiter, _) => {
                            // Before and after it two dashes.
                            let boundary = event.bytes.trim_ascii().len().saturating_sub(4);
                            assert!(
                                boundary <= limits.boundary.min(limits.boundaries),
                                "L3: {event:?}"
                            );
                        }
                        _ => {}
                    }
                    assert!(header <= limits.header, "L3: {header} octets");
                    tell(&mut told, event.kind, event.depth, event.offset, event.bytes);
                }
            }
        }
        assert!(chunk.is_empty(), "`None` has taken all");
    }
    assert_eq!(scanner.next(&mut &[][..], true), Ok(None), "after the end");
    (told, None)
}

/// L3: what is held while `message` comes over and over, as one message of 128 KiB.
fn is_bounded(limits: Limits, message: &[u8], cuts: &[u8]) {
    let held = allocated::peak(|| {
        let mut scanner = Scanner::new(limits);
        let mut fed = 0;
        while fed < 1 << 17 {
            for mut chunk in chunks(message, cuts) {
                fed += chunk.len();
                loop {
                    match scanner.next(&mut chunk, false) {
                        Err(_) => return,
                        Ok(None) => break,
                        Ok(Some(_)) => {}
                    }
                }
            }
        }
    });
    // A buffer that grows takes three times its size for a moment. The constant is the 256 parameters of a
    // Content-Type, twice while they grow.
    let bound = 4 * (limits.header.max(limits.field) + limits.boundary + limits.boundaries) + (32 << 10);
    assert!(held <= bound, "L3: {held} octets held, {bound} are the bound");
}
