//! What several tests need: the fixtures in both line endings, and ways to cut them.
#![allow(dead_code)] // Every test program uses a part of it.

pub mod lax;
pub mod naive;
pub mod oracle;
pub mod sealed;
pub mod told;

pub use told::{Told, tell};

use std::fs;
use std::path::Path;

use readdress::header::mailbox::Address;
use readdress::mime::{Event, Limits, Scanner};
use readdress::rewrite::{Error, HeaderOctets, Rewriter, Rules};

/// Every fixture message in LF form and in CRLF form; those about line endings as they are. Sorted by name.
pub fn fixtures() -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/messages");
    let mut fixtures = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let message = fs::read(&path).unwrap();
        if message.contains(&b'\r') && !name.starts_with("nul") {
            fixtures.push((format!("{name}.as-is"), message));
        } else {
            fixtures.push((format!("{name}.crlf"), crlf(&message)));
            fixtures.push((format!("{name}.lf"), message));
        }
    }
    assert!(fixtures.len() > 100, "the fixtures are missing");
    fixtures.sort();
    fixtures
}

/// Every LF that has no CR before it becomes CRLF.
pub fn crlf(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 32);
    let mut previous = 0;
    for &b in message {
        if b == b'\n' && previous != b'\r' {
            out.push(b'\r');
        }
        out.push(b);
        previous = b;
    }
    out
}

/// The chunk sizes that every parser test runs in.
pub const CHUNK_SIZES: [usize; 5] = [1, 2, 3, 7, 64];

/// The message cut in two at every place, and in chunks of each of [`CHUNK_SIZES`].
pub fn chunkings(message: &[u8]) -> impl Iterator<Item = (String, Vec<&[u8]>)> {
    let splits = (0..=message.len()).map(|at| {
        let (head, tail) = message.split_at(at);
        (format!("split at {at}"), vec![head, tail])
    });
    let sizes = CHUNK_SIZES
        .iter()
        .map(|&n| (format!("chunks of {n}"), message.chunks(n).collect()));
    splits.chain(sizes)
}

/// All events of a message given in chunks.
pub fn scan<'a>(limits: Limits, chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Told> {
    let mut scanner = Scanner::new(limits);
    let mut told = Vec::new();
    let mut end = 0;
    let mut take = |event: Event<'_>| {
        assert_eq!(event.offset, end, "offsets are contiguous");
        end += event.bytes.len() as u64;
        tell(&mut told, event.kind, event.depth, event.offset, event.bytes);
    };
    for mut chunk in chunks {
        while let Some(event) = scanner
            .next(&mut chunk, false)
            .expect("a header section within the limit")
        {
            take(event);
        }
        assert!(chunk.is_empty(), "`None` has taken all");
    }
    while let Some(event) = scanner
        .next(&mut &[][..], true)
        .expect("a header section within the limit")
    {
        take(event);
    }
    told
}

/// All bytes of events, in order.
pub fn joined(told: &[Told]) -> Vec<u8> {
    told.iter()
        .flat_map(|event| event.bytes.iter().copied())
        .collect()
}

/// A message rewritten in chunks.
pub fn rewrite<'a>(
    rules: &Rules,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<u8>, HeaderOctets), Error> {
    let mut out = Vec::new();
    let mut sink = |bytes: &[u8]| out.extend_from_slice(bytes);
    let mut rewriter = Rewriter::new(rules.clone());
    for chunk in chunks {
        rewriter.write(chunk, &mut sink)?;
    }
    let octets = rewriter.end(&mut sink)?;
    Ok((out, octets))
}

pub fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

/// The rules that tests forward by where they have no others.
pub fn rules() -> Rules {
    Rules::new(
        address("shop@example.com"),
        vec![address("owner@example.net"), address("office@example.net")],
    )
}
