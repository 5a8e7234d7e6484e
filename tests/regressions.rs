//! What the fuzzers have found, minimised: run here as the targets run it, without a fuzzer.

mod common;

use std::fs;
use std::path::Path;

use common::sealed::assert_sealed;
use common::{naive, rewrite, rules, scan};
use readdress::mime::Limits;

/// Every file under `fuzz/regressions/TARGET`.
fn regressions(target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/regressions")
        .join(target);
    let files = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path());
    files
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect()
}

#[test]
fn messages() {
    let messages = regressions("structure");
    assert!(!messages.is_empty());
    for (name, message) in messages {
        let told = scan(Limits::default(), [&message[..]]);
        assert_eq!(told, naive::scan(&message), "{name}");
        for size in common::CHUNK_SIZES {
            assert_eq!(told, scan(Limits::default(), message.chunks(size)), "{name}");
        }
        let (out, _) = rewrite(&rules(), [&message[..]]).unwrap();
        assert_sealed(&name, &message, &out);
    }
}
