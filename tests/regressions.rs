//! What the fuzzers have found, minimised, and the fixtures: the assertions of every fuzz target, without a fuzzer.

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::path::{Path, PathBuf};

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 11] = [
    ("alias_map", targets::alias_map),
    ("chunking", targets::chunking),
    ("edits", targets::edits),
    ("encoded_word", targets::encoded_word),
    ("event", targets::event),
    ("hostile", targets::hostile),
    ("mailbox", targets::mailbox),
    ("plan", targets::plan),
    ("reply_address", targets::reply_address),
    ("rewrite", targets::rewrite),
    ("structure", targets::structure),
];

/// The files of a directory of the project.
fn files(directory: impl AsRef<Path>) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.is_file());
    assert!(!files.is_empty());
    files
}

/// The input of a failed check is the last of the test's output.
fn check(target: Target, path: &Path, before: &[u8], file: &[u8]) {
    println!("{}", path.display());
    target(&[before, file].concat());
}

/// `fuzz/regressions/TARGET`.
#[test]
fn what_the_fuzzers_have_found() {
    let regressions = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions");
    for directory in fs::read_dir(regressions).unwrap() {
        let directory = directory.unwrap();
        let name = directory.file_name().into_string().unwrap();
        let (_, target) = TARGETS.iter().find(|(target, _)| *target == name).unwrap();
        for path in files(directory.path()) {
            check(*target, &path, b"", &fs::read(&path).unwrap());
        }
    }
}

/// As `fuzz/seed` makes them, and with more options.
#[test]
fn the_seeds() {
    let limits_and_cuts = |boundary| [255, 255, 7, boundary, 255, 0, 1, 2, 3, 64, 0, 5, 255, 17, 11, 2];
    for path in files("fixtures/messages") {
        let lf = fs::read(&path).unwrap();
        let crlf = lf.split(|&b| b == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]);
        for message in [lf, crlf] {
            check(targets::structure, &path, b"", &message);
            check(targets::event, &path, b"", &message);
            check(targets::chunking, &path, &limits_and_cuts(127), &message);
            check(targets::chunking, &path, &limits_and_cuts(3), &message);
            for options in [0, 0b01_0101, 0b11_1010] {
                let lines = b"[shop] \nshop@example.com\nbounce@example.org\n";
                let rules = [&[options, 1, 7, 64, 255], &lines[..]].concat();
                check(targets::rewrite, &path, &rules, &message);
            }
            check(
                targets::edits,
                &path,
                &[3, 0, 90, 100, 5, 0, 3, 255, 255, 0, 1, 0, 64, 7],
                &message,
            );
            check(targets::plan, &path, &[255, 1, 64, 7], &message);
            for line in message.split(|&b| b == b'\n') {
                check(targets::mailbox, &path, b"", line);
                check(targets::encoded_word, &path, b"", line);
            }
        }
    }
    for path in files("fixtures/maps") {
        let map = fs::read(&path).unwrap();
        check(targets::alias_map, &path, b"shop+tag@example.com\n", &map);
    }
    for path in files("fixtures/trial") {
        check(targets::event, &path, b"", &fs::read(&path).unwrap());
    }
}

/// Header sections by chance: `READDRESS_HOSTILE=1000000` for a long run, which wants `--release`.
#[test]
fn hostile_header_sections() {
    let count = std::env::var("READDRESS_HOSTILE").map_or(20_000, |count| count.parse().unwrap());
    // Xorshift: the same sections in each run.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..count {
        let mut input = Vec::new();
        for _ in 0..4 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            input.extend_from_slice(&state.to_le_bytes());
        }
        input.truncate(usize::try_from(state % 32).unwrap());
        targets::hostile(&input);
    }
}

/// Catches a reply address that is lost on the way, and one of another's making.
#[test]
fn reply_addresses() {
    let path = Path::new("reply addresses");
    for input in [
        "shop+x@example.com\nJane.Doe+a=b@Example.org\nshop+jane=example.org.k7f3q9xz@example.com",
        "Shop@Example.com\n\"a@b\\\"..c\"@xn--bcher-kva.example\nshop.k7f3q9xz00@example.com",
        "shop@example.com\no3vrnil0e2ic28trm6qo8rma1d4dl7kbo9b40b01\nshop+r0.o3vrnil0e2ic28tr.k7f3q9xz@example.com",
    ] {
        check(targets::reply_address, path, b"", input.as_bytes());
    }
}
