//! The scanner and the rewriter over messages of many shapes, beside their ceilings and their peers, in one run of
//! about three minutes, with a table of ratios at its end:
//!
//! ```sh
//! cargo bench --no-default-features --bench engine
//! cargo bench --no-default-features --bench engine -- 'attachments 10 MB'    # this shape only
//! ```
//!
//! The ceilings are what nobody can do without who copies a message, looks for its delimiters, or sends it to SES,
//! which wants it in base64 under a hash. The peers parse a whole message in memory: mail-parser decodes every part
//! too, mailparse finds the parts and reads their header sections.

mod common;
/// The first writing of a request to SES, which is free of the SDK.
#[allow(dead_code)] // What the second writing needs.
#[path = "../src/outbox/ses/measure.rs"]
mod measure;

use std::env;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use base64_simd::STANDARD as BASE64;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput};
use memchr::memmem;
use sha2::{Digest, Sha256};

use common::engine::{rewrite, rules, scan};
use common::messages::{self, Make};
use common::{fields, ratios};

const CHUNK: usize = 64 << 10;

/// The group of what is done to single fields.
const FIELDS: &str = "fields";

const SHAPES: [(&str, Make, usize); 18] = [
    ("newsletter 10 kB", messages::newsletter, 10_000),
    ("attachments 100 kB", messages::attachments, 100_000),
    ("attachments 1 MB", messages::attachments, 1_000_000),
    ("attachments 10 MB", messages::attachments, 10_000_000),
    ("attachments 40 MB", messages::attachments, 40_000_000),
    ("8-bit text 1 MB", messages::eight_bit, 1_000_000),
    ("one line 1 MB", messages::one_line, 1_000_000),
    ("1,000 parts 1 MB", messages::many_parts, 1_000_000),
    ("50 deep 1 MB", messages::nested, 1_000_000),
    ("dashes 1 MB", messages::dashes, 1_000_000),
    ("header section 30 kB", messages::long_header, 30_000),
    ("one field 200 kB", messages::long_field, 200_000),
    ("near misses 1 MB", messages::near_misses, 1_000_000),
    ("later misses 1 MB", messages::later_misses, 1_000_000),
    ("long misses 1 MB", messages::long_misses, 1_000_000),
    ("short lines 1 MB", messages::short_lines, 1_000_000),
    ("nested boundaries 1 MB", messages::nested_boundaries, 1_000_000),
    ("tiny parts 1 MB", messages::tiny_parts, 1_000_000),
];

fn main() -> ExitCode {
    let started = SystemTime::now();
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(300))
        .nresamples(2_000)
        .configure_from_args();
    for (name, make, octets) in SHAPES {
        let message = make(octets);
        let mut group = criterion.benchmark_group(name);
        group
            .sampling_mode(SamplingMode::Flat)
            .throughput(Throughput::Bytes(message.len() as u64));
        engine(&mut group, &message);
        request(&mut group, &message);
        ceilings(&mut group, &message);
        peers(&mut group, &message);
        group.finish();
    }
    let mut group = criterion.benchmark_group(FIELDS);
    for (name, ready) in fields::FIELDS {
        let mut work = ready();
        group.bench_function(name, |b| b.iter(&mut work));
    }
    group.finish();
    criterion.final_summary();
    let shapes = ratios::print(started, "memmem", &SHAPES.map(|(name, ..)| name));
    let any = ratios::print(started, "parse a mailbox", &[FIELDS]) || shapes;
    // `cargo test --benches` calls it without `--bench` and measures nothing.
    if any || env::args().any(|arg| arg == "--list") || env::args().all(|arg| arg != "--bench") {
        return ExitCode::SUCCESS;
    }
    eprintln!("engine: no bench has such a name; --list tells them");
    ExitCode::FAILURE
}

fn engine(group: &mut BenchmarkGroup<'_, WallTime>, message: &[u8]) {
    let rules = rules();
    for (name, chunk) in [
        ("1 KiB", 1 << 10),
        ("16 KiB", 16 << 10),
        ("64 KiB", CHUNK),
        ("whole", message.len()),
    ] {
        group.bench_function(format!("scan {name}"), |b| b.iter(|| scan(message, chunk)));
        // Into a sink that copies, as a real one does: the rewriter itself looks at no byte of a body.
        group.bench_function(format!("rewrite {name}"), |b| {
            let mut copy = Vec::new();
            b.iter(|| {
                rewrite(message, chunk, &rules, &mut |bytes| {
                    copy.clear();
                    copy.extend_from_slice(bytes);
                    black_box(&copy);
                });
            });
        });
    }
    group.bench_function("rewrite only", |b| {
        b.iter(|| {
            rewrite(message, CHUNK, &rules, &mut |bytes| {
                black_box(bytes);
            });
        });
    });
}

/// The request to SES that has the message in it: base64 in JSON, hashed for its signature.
fn request(group: &mut BenchmarkGroup<'_, WallTime>, message: &[u8]) {
    group.bench_function("request", |b| {
        b.iter(|| {
            let mut measure = measure::Measure::new();
            for chunk in message.chunks(CHUNK) {
                measure.write(black_box(chunk));
            }
            measure.end()
        });
    });
}

fn ceilings(group: &mut BenchmarkGroup<'_, WallTime>, message: &[u8]) {
    group.bench_function("memmem", |b| {
        let dashes = memmem::Finder::new(b"\n--");
        b.iter(|| {
            message
                .chunks(CHUNK)
                .map(|chunk| dashes.find_iter(black_box(chunk)).count())
                .sum::<usize>()
        });
    });
    group.bench_function("memcpy", |b| {
        let mut copy = vec![0; CHUNK];
        b.iter(|| {
            for chunk in message.chunks(CHUNK) {
                copy[..chunk.len()].copy_from_slice(black_box(chunk));
                black_box(&copy);
            }
        });
    });
    group.bench_function("base64", |b| {
        let mut encoded = Vec::new();
        b.iter(|| {
            for chunk in message.chunks(CHUNK / 3 * 3) {
                encoded.clear();
                BASE64.encode_append(black_box(chunk), &mut encoded);
                black_box(&encoded);
            }
        });
    });
    group.bench_function("SHA-256", |b| {
        b.iter(|| {
            let mut hash = Sha256::new();
            for chunk in message.chunks(CHUNK) {
                hash.update(black_box(chunk));
            }
            hash.finalize()
        });
    });
}

fn peers(group: &mut BenchmarkGroup<'_, WallTime>, message: &[u8]) {
    group.bench_function("mail-parser", |b| {
        b.iter(|| {
            mail_parser::MessageParser::default()
                .parse(black_box(message))
                .map(|message| message.parts.len())
        });
    });
    group.bench_function("mailparse", |b| {
        b.iter(|| mailparse::parse_mail(black_box(message)).map(|message| message.subparts.len()));
    });
}
