//! Laws L1, L2, L3: events are the input, however it is cut, and what is held is within the limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use readdress::mime::{Error, Kind, Limits, Scanner};

/// What was told: joined text, and the error if there was one.
type Told = (Vec<(Kind, usize, u64, Vec<u8>)>, Option<Error>);

fn scan<'a>(limits: Limits, chunks: impl Iterator<Item = &'a [u8]>) -> Told {
    let mut scanner = Scanner::new(limits);
    let mut told: Vec<(Kind, usize, u64, Vec<u8>)> = Vec::new();
    for (mut chunk, last) in chunks.map(|chunk| (chunk, false)).chain([(&[][..], true)]) {
        loop {
            match scanner.next(&mut chunk, last) {
                Err(error) => return (told, Some(error)),
                Ok(None) => break,
                Ok(Some(event)) => {
                    let text = matches!(event.kind, Kind::Preamble | Kind::Body | Kind::Epilogue);
                    match told.last_mut() {
                        Some(last) if text && (last.0, last.1) == (event.kind, event.depth) => {
                            last.3.extend_from_slice(event.bytes);
                        }
                        _ => told.push((event.kind, event.depth, event.offset, event.bytes.to_vec())),
                    }
                }
            }
        }
    }
    (told, None)
}

fuzz_target!(|input: (Vec<u8>, [u8; 5], &[u8])| {
    let (cuts, limits, message) = input;
    // Small limits, so that short inputs reach them.
    let limits = Limits {
        header: 16 + 8 * usize::from(limits[0]),
        field: 8 + usize::from(limits[1]),
        depth: usize::from(limits[2] % 8),
        boundary: usize::from(limits[3] % 16),
        boundaries: usize::from(limits[4] % 64),
    };
    let whole = scan(limits, std::iter::once(message));
    let bytes: Vec<u8> = whole.0.iter().flat_map(|event| event.3.iter().copied()).collect();
    assert!(message.starts_with(&bytes));
    assert!(whole.1.is_some() || bytes.len() == message.len(), "a byte is lost");

    let mut rest = message;
    let mut cuts = cuts.iter().map(|&cut| usize::from(cut)).chain(std::iter::repeat(7));
    let chunks = std::iter::from_fn(|| {
        let (chunk, tail) = rest.split_at(cuts.next()?.min(rest.len()));
        let done = rest.is_empty();
        rest = tail;
        (!done).then_some(chunk)
    });
    assert_eq!(scan(limits, chunks), whole);
    assert_eq!(scan(limits, message.chunks(1)), whole);
});
