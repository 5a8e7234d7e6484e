//! The scanner against the naive oracle of the tests: one over whole lines of the whole message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use readdress::mime::{Kind, Limits, Parts, Scanner};

#[path = "../../tests/common/naive.rs"]
mod naive;
#[path = "../../tests/common/told.rs"]
mod told;
use told::{Told, tell};

fuzz_target!(|message: &[u8]| {
    let expected = naive::scan(message);
    let mut scanner = Scanner::new(Limits::default());
    let mut parts = Parts::new();
    let mut found: Vec<Told> = Vec::new();
    let mut rest = message;
    while let Some(event) = scanner.next(&mut rest, true).expect("short messages are within the limits") {
        parts.push(&event);
        tell(&mut found, event.kind, event.depth, event.offset, event.bytes);
    }
    // The oracle knows no limits.
    if expected.iter().any(|event| event.depth > 100) || message.len() > 8_000 {
        return;
    }
    assert_eq!(found, expected);

    let parts = parts.finish();
    assert_eq!(parts.len(), found.iter().filter(|event| event.kind == Kind::HeaderEnd).count());
    for part in &parts {
        assert!(part.header.start <= part.header.end && part.header.end <= part.body.start);
        assert!(part.body.start <= part.body.end && part.body.end <= message.len() as u64);
    }
});
