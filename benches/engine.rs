//! The engine beside its ceilings and its nearest peer, in one run:
//! `cargo bench --no-default-features --bench engine`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use memchr::memmem;

use readdress::header::mailbox::Address;
use readdress::mime::Scanner;
use readdress::rewrite::{Rewriter, Rules};

const CHUNK: usize = 64 << 10;

/// A multipart of this many octets: a text, then attachments of 1 MB in base64 lines.
fn message(octets: usize) -> Vec<u8> {
    let mut message = b"Return-Path: <jane@example.org>\r\nReceived: from mail.example.org by mx.example.com\r\n\
        From: =?utf-8?Q?J=C3=A4ne?= Example <jane@example.org>\r\nTo: shop@example.com\r\nSubject: pictures\r\n\
        Message-ID: <1@example.org>\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=\"----=_Part_1\"\r\n\r\n\
        ------=_Part_1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello,\r\n\r\nhere they are.\r\n"
        .to_vec();
    // Base64 of bytes that do not repeat within a line.
    let mut state = 1_u32;
    let mut line = || {
        let line: Vec<u8> = (0..76)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[(state >> 26) as usize]
            })
            .collect();
        [&line[..], b"\r\n"].concat()
    };
    let mut number = 0;
    while message.len() < octets {
        number += 1;
        message.extend_from_slice(
            format!(
                "\r\n------=_Part_1\r\nContent-Type: image/jpeg; name=\"{number}.jpg\"\r\n\
                 Content-Disposition: attachment; filename=\"{number}.jpg\"\r\n\
                 Content-Transfer-Encoding: base64\r\n\r\n"
            )
            .as_bytes(),
        );
        let end = (message.len() + (1 << 20)).min(octets);
        while message.len() < end {
            message.extend_from_slice(&line());
        }
    }
    message.extend_from_slice(b"\r\n------=_Part_1--\r\n");
    message
}

fn rules() -> Rules {
    let address = |text| Address::parse(text).expect("an address");
    Rules::new(address("shop@example.com"), vec![address("owner@example.net")])
}

/// With a sink that copies what it gets, as a real one does: the rewriter itself looks at no byte of a body.
fn rewrite(message: &[u8], rules: &Rules, copy: &mut [u8]) -> u64 {
    let mut octets = 0;
    let mut sink = |bytes: &[u8]| {
        copy[..bytes.len()].copy_from_slice(bytes);
        black_box(&copy);
        octets += bytes.len() as u64;
    };
    let mut rewriter = Rewriter::new(rules.clone());
    for chunk in message.chunks(CHUNK) {
        rewriter.write(black_box(chunk), &mut sink).expect("a message");
    }
    rewriter.end(&mut sink).expect("a message");
    octets
}

fn scan(message: &[u8]) -> usize {
    let mut events = 0;
    let mut scanner = Scanner::default();
    for mut chunk in message.chunks(CHUNK) {
        while let Some(event) = scanner.next(&mut chunk, false).expect("a message") {
            black_box(event.bytes);
            events += 1;
        }
    }
    while scanner.next(&mut &[][..], true).expect("a message").is_some() {
        events += 1;
    }
    events
}

fn engine(criterion: &mut Criterion) {
    let rules = rules();
    for (name, octets) in [
        ("10 kB", 10_000),
        ("1 MB", 1_000_000),
        ("10 MB", 10_000_000),
        ("40 MB", 40_000_000),
    ] {
        let message = message(octets);
        let mut group = criterion.benchmark_group(name);
        group
            .throughput(Throughput::Bytes(message.len() as u64))
            .sample_size(20);
        group.bench_function(BenchmarkId::from_parameter("rewrite"), |b| {
            let mut copy = vec![0; CHUNK];
            b.iter(|| rewrite(&message, &rules, &mut copy));
        });
        group.bench_function(BenchmarkId::from_parameter("scan"), |b| b.iter(|| scan(&message)));
        group.bench_function(BenchmarkId::from_parameter("ceiling: memmem"), |b| {
            let dashes = memmem::Finder::new(b"\n--");
            b.iter(|| {
                message
                    .chunks(CHUNK)
                    .map(|chunk| dashes.find_iter(black_box(chunk)).count())
                    .sum::<usize>()
            });
        });
        group.bench_function(BenchmarkId::from_parameter("ceiling: memcpy"), |b| {
            let mut copy = vec![0; CHUNK];
            b.iter(|| {
                for chunk in message.chunks(CHUNK) {
                    copy[..chunk.len()].copy_from_slice(black_box(chunk));
                    black_box(&copy);
                }
            });
        });
        group.bench_function(BenchmarkId::from_parameter("peer: mail-parser"), |b| {
            b.iter(|| {
                mail_parser::MessageParser::default()
                    .parse(black_box(&message[..]))
                    .map(|m| m.parts.len())
            });
        });
        group.finish();
    }
}

criterion_group!(benches, engine);
criterion_main!(benches);
