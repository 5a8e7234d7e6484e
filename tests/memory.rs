//! Law L3, measured: what the engine holds does not grow with the message.
#![allow(unsafe_code)] // A counting allocator cannot be had without; it adds to a counter and delegates.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::rules;
use readdress::mime::{Kind, Limits, Scanner};
use readdress::rewrite::Rewriter;

struct Counting;

// Of the thread: the engine has one, and what the test harness allocates meanwhile in its own is not the engine's.
thread_local! {
    static NOW: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.get() + layout.size().cast_signed();
        NOW.set(now);
        PEAK.set(PEAK.get().max(now));
        COUNT.set(COUNT.get() + 1);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // Less than nothing, where the thread frees what it was given.
        NOW.set(NOW.get() - layout.size().cast_signed());
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Octets at most, above what was there before, and allocations, while `work` runs.
fn measured(work: impl FnOnce()) -> (usize, usize) {
    let (before, count) = (NOW.get(), COUNT.get());
    PEAK.set(before);
    work();
    ((PEAK.get() - before).cast_unsigned(), COUNT.get() - count)
}

const HEAD: &str = "From: Jane <jane@example.org>\r\nTo: shop@example.com\r\nSubject: many parts\r\n\
    Message-ID: <1@example.org>\r\nContent-Type: multipart/mixed; boundary=\"=_abc\"\r\n\r\n";
const PART: &str = "\r\n--=_abc\r\nContent-Type: application/octet-stream\r\n\
    Content-Transfer-Encoding: base64\r\n\r\n";

/// 64 MiB in chunks of 64 KiB, made as they go: parts of 1 MiB of base64 lines, or one line.
fn feed(lines: bool, each: &mut dyn FnMut(&[u8])) {
    let line = if lines {
        format!("{}\r\n", "QUJD".repeat(19))
    } else {
        "QUJD".repeat(19)
    };
    let body = line.repeat((1 << 16) / line.len());
    each(HEAD.as_bytes());
    for chunk in 0..64 << 4 {
        if chunk % 16 == 0 {
            each(PART.as_bytes());
        }
        each(body.as_bytes());
    }
    each(b"\r\n--=_abc--\r\n");
}

/// A message of so many octets in chunks, and how often the rewriter allocates: in all, and for the chunks after the
/// one that its header section ends in.
fn allocations(octets: usize, chunk: usize) -> (usize, usize) {
    let line = format!("{}\r\n", "QUJD".repeat(19));
    let message = [HEAD, PART, &line.repeat(octets / line.len()), "\r\n--=_abc--\r\n"].concat();
    let head = HEAD.len().div_ceil(chunk);

    let rules = rules();
    let (mut out, mut further) = (0, 0);
    let (_, all) = measured(|| {
        let mut sink = |bytes: &[u8]| out += bytes.len();
        let mut rewriter = Rewriter::new(rules.clone());
        for (number, chunk) in message.as_bytes().chunks(chunk).enumerate() {
            let (_, count) = measured(|| rewriter.write(chunk, &mut sink).unwrap());
            further += if number < head { 0 } else { count };
        }
        let (_, count) = measured(|| {
            rewriter.end(&mut sink).unwrap();
        });
        further += count;
    });
    assert!(out > octets);
    (all, further)
}

#[test]
#[allow(clippy::too_many_lines)] // A table.
fn what_is_held_does_not_grow_with_the_message() {
    for chunk in [1 << 10, 16 << 10, 64 << 10] {
        let mut counts = Vec::new();
        for octets in [10_000, 1_000_000, 40_000_000] {
            let (all, further) = allocations(octets, chunk);
            eprintln!(
                "{octets} octets in chunks of {chunk}: {all} allocations, {further} after the header section"
            );
            assert_eq!(further, 0, "a forwarded chunk allocates");
            counts.push(all);
        }
        assert!(counts.iter().all(|all| *all == counts[0]), "{counts:?}");
    }

    for lines in [true, false] {
        // What making the message takes is not the engine's.
        let (making, _) = measured(|| feed(lines, &mut |_| {}));

        let mut octets = 0_u64;
        let (held, count) = measured(|| {
            let mut rewriter = Rewriter::new(rules());
            let mut sink = |bytes: &[u8]| octets += bytes.len() as u64;
            feed(lines, &mut |chunk| rewriter.write(chunk, &mut sink).unwrap());
            rewriter.end(&mut sink).unwrap();
        });
        assert!(octets > 60 << 20);
        assert!(
            held < making + (16 << 10),
            "the rewriter held {} octets",
            held - making
        );
        assert!(count < 500, "the rewriter allocated {count} times");

        let mut scanner = Scanner::default();
        let mut parts = 0;
        let mut steady = 0;
        let (held, _) = measured(|| {
            feed(lines, &mut |mut chunk| {
                let before = COUNT.get();
                let mut body_only = true;
                while let Some(event) = scanner.next(&mut chunk, false).unwrap() {
                    parts += usize::from(event.kind == Kind::Delimiter);
                    body_only &= event.kind == Kind::Body;
                }
                if body_only {
                    steady += COUNT.get() - before;
                }
            });
        });
        assert_eq!(parts, 64);
        assert!(
            held < making + (16 << 10),
            "the scanner held {} octets",
            held - making
        );
        assert!(steady <= 64, "chunks of a body cost {steady} allocations");
    }

    // Hostile shapes: the named limits are what is held, times what a growing buffer takes.
    let limits = Limits::default();
    for unit in [
        "X",
        "\r\n ",
        "-",
        "X:\r\n",
        "\r\n--=_ab",
        "\r\n--=_abc\r\n",
        "\r\n--=_abc\r\nContent-Type: message/rfc822\r\n\r\n",
    ] {
        let chunk = unit.repeat((1 << 16) / unit.len());
        let (held, _) = measured(|| {
            let mut scanner = Scanner::new(limits);
            for chunk in [HEAD.as_bytes(), PART.as_bytes()]
                .into_iter()
                .chain(std::iter::repeat_n(chunk.as_bytes(), 1024))
            {
                let mut chunk = chunk;
                while scanner.next(&mut chunk, false).unwrap().is_some() {}
            }
        });
        assert!(held < 4 * limits.field + (64 << 10), "{unit:?}: {held} octets");
    }
    for unit in ["X", "X:\r\n", "X:\r\n ", "\r"] {
        let chunk = unit.repeat((1 << 16) / unit.len());
        let (held, _) = measured(|| {
            let mut rewriter = Rewriter::new(rules());
            let refused = (0..1024).any(|_| rewriter.write(chunk.as_bytes(), &mut |_| {}).is_err());
            assert!(refused || unit == "X", "{unit:?}");
        });
        assert!(held < 8 * limits.header, "{unit:?}: {held} octets");
    }
}
