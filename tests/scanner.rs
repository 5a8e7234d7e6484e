//! The scanner: laws L1, L2, L3 and L5 on the fixtures, on shapes that break others, and against a naive oracle.

mod common;

use std::fmt::Write;

use common::{chunkings, crlf, fixtures, joined, naive, scan};
use proptest::prelude::*;
use readdress::mime::{Error, Kind, Limits, Parts, Scanner};

fn whole(message: &[u8]) -> Vec<common::Told> {
    scan(Limits::default(), [message])
}

/// A part with an attached message and these fields.
fn rfc822(fields: &str) -> String {
    multipart(
        "a",
        &format!("--a\nContent-Type: message/rfc822\n{fields}\n\nA: b\n\nx\n--a--"),
    )
}

#[test]
fn transfer_encodings_are_read_without_comments() {
    let (opened, opaque) = ("f0 h0 -0 f1 f1 h1 f2 h2 b2 =0", "f0 h0 -0 f1 f1 h1 b1 =0");
    for (name, message, want) in [
        (
            "a comment behind",
            rfc822("Content-Transfer-Encoding: 7bit (as sent)"),
            opened,
        ),
        (
            "a comment before, over a fold",
            rfc822("Content-Transfer-Encoding: (a\n (b) \\) c) 8BIT"),
            opened,
        ),
        (
            "a comment that touches",
            rfc822("Content-Transfer-Encoding:binary(c)"),
            opened,
        ),
        (
            "comments only",
            rfc822("Content-Transfer-Encoding: (base64) (c)"),
            opened,
        ),
        (
            "a comment beside base64",
            rfc822("Content-Transfer-Encoding: (7bit) base64 (7bit)"),
            opaque,
        ),
        (
            "a comment without its end",
            rfc822("Content-Transfer-Encoding: base64 (7bit"),
            opaque,
        ),
        (
            "text behind",
            rfc822("Content-Transfer-Encoding: 7bit; charset=utf-8"),
            opened,
        ),
    ] {
        assert_shape(name, &message, want);
    }
}

#[test]
fn of_several_fields_the_first_that_says_anything_counts() {
    for (name, message, want) in [
        (
            "an empty encoding, then a real one",
            rfc822(
                "Content-Transfer-Encoding:\nContent-Transfer-Encoding: base64\nContent-Transfer-Encoding: 7bit",
            ),
            "f0 h0 -0 f1 f1 f1 f1 h1 b1 =0",
        ),
        (
            "empty types, then a real one",
            format!(
                "Content-Type:\nContent-Type: \n (c) ;\n{}",
                multipart("a", "--a\n\nx\n--a--")
            ),
            "f0 f0 f0 h0 -0 h1 b1 =0",
        ),
        (
            "a type that cannot be read, then a real one",
            format!("Content-Type: text\n{}", multipart("a", "--a\n\nx\n--a--")),
            "f0 f0 h0 b0",
        ),
        (
            "an empty type in a digest",
            "Content-Type: multipart/digest; boundary=a\n\n--a\nContent-Type: (c)\n\nA: b\n\nx\n--a--".into(),
            "f0 h0 -0 f1 h1 f2 h2 b2 =0",
        ),
    ] {
        assert_shape(name, &message, want);
    }
}

/// Every event on a line: kind, depth, bytes.
fn dump(message: &[u8]) -> String {
    let mut text = String::new();
    for event in whole(message) {
        let bytes = event.bytes.escape_ascii();
        writeln!(text, "{:?} {} {bytes}", event.kind, event.depth).unwrap();
    }
    text
}

/// Kinds and depths only, in short form.
fn shape(message: &[u8]) -> String {
    let letter = |kind| match kind {
        Kind::Field => 'f',
        Kind::HeaderEnd => 'h',
        Kind::Preamble => 'p',
        Kind::Delimiter => '-',
        Kind::Body => 'b',
        Kind::CloseDelimiter => '=',
        Kind::Epilogue => 'e',
    };
    whole(message)
        .iter()
        .map(|event| format!("{}{}", letter(event.kind), event.depth))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn every_fixture_is_told_losslessly_and_however_it_is_cut() {
    for (name, message) in fixtures() {
        let told = whole(&message);
        assert_eq!(joined(&told), message, "{name}");
        assert_eq!(told, naive::scan(&message), "{name}: not as the oracle says");
        for (how, chunks) in chunkings(&message) {
            assert_eq!(scan(Limits::default(), chunks), told, "{name}, {how}");
        }
    }
}

#[test]
fn goldens() {
    for (name, message) in fixtures() {
        insta::with_settings!({snapshot_path => "goldens/events", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(name, dump(&message));
        });
    }
}

fn multipart(boundary: &str, rest: &str) -> String {
    format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\n\n{rest}")
}

/// The shape of a message in LF form and in CRLF form, however it is cut, and the oracle agrees.
fn assert_shape(name: &str, message: &str, want: &str) {
    for message in [message.as_bytes().to_vec(), crlf(message.as_bytes())] {
        assert_eq!(shape(&message), want, "{name}");
        let told = whole(&message);
        assert_eq!(joined(&told), message, "{name}");
        assert_eq!(told, naive::scan(&message), "{name}: not as the oracle says");
        if message.len() < 2_000 {
            for (how, chunks) in chunkings(&message) {
                assert_eq!(scan(Limits::default(), chunks), told, "{name}, {how}");
            }
        }
    }
}

#[test]
#[allow(clippy::too_many_lines)] // A table.
fn shapes_that_break_others() {
    let long = "x".repeat(7_000);
    for (name, message, want) in [
        ("empty", String::new(), "h0"),
        ("only a line break", "\n".into(), "h0"),
        ("only a body", "hello world\nA: b\n".into(), "h0 b0"),
        ("no empty line", "A: b\nhello\n".into(), "f0 h0 b0"),
        ("no end", "A: b".into(), "f0 h0"),
        ("parts", multipart("a", "pre\n--a\n\n1\n--a\n\n2\n--a--\npost"), "f0 h0 p0 -0 h1 b1 -0 h1 b1 =0 e0"),
        ("not at the start of a line", multipart("a", "x--a\n --a\n--ab\n-a\n"), "f0 h0 p0"),
        ("no close-delimiter", multipart("a", "--a\n\n1\n--a\n\n2"), "f0 h0 -0 h1 b1 -0 h1 b1"),
        ("a delimiter at the very end", multipart("a", "--a"), "f0 h0 -0 h1"),
        ("delimiters only", multipart("a", "--a\n--a\n--a--"), "f0 h0 -0 h1 -0 h1 =0"),
        ("closed at once", multipart("a", "--a--\n--a\n\nx"), "f0 h0 =0 e0"),
        ("padding", multipart("a", "--a \t \n\n1\n--a-- \t\nx"), "f0 h0 -0 h1 b1 =0 e0"),
        ("inner blanks", multipart("a b", "--a b\n\n1\n--a\n--a b--"), "f0 h0 -0 h1 b1 =0"),
        ("trailing blanks", multipart("a  ", "--a\n\n1\n--a  --\n--a--"), "f0 h0 -0 h1 b1 =0"),
        ("7,000 octets", multipart(&long, &format!("--{long}\n\n1\n--{long}--")), "f0 h0 -0 h1 b1 =0"),
        (
            "the same boundary inside",
            multipart("a", &format!("--a\n{}", multipart("a", "--a\n\nx\n--a--\n--a\n\ny\n--a--\n"))),
            "f0 h0 -0 f1 h1 -1 h2 b2 =1 -0 h1 b1 =0 e0",
        ),
        (
            "prefixes",
            multipart("a", &format!("--a\n{}", multipart("ab", &format!("--ab\n{}", multipart("a--", "--a--\n\nx\n--a----\n--ab--\n--a--"))))),
            "f0 h0 -0 f1 h1 -1 f2 h2 -2 h3 b3 =2 =1 =0",
        ),
        (
            "an outer delimiter closes all inside",
            multipart("a", &format!("--a\n{}", multipart("b", "--b\n\nx\n--a\n\ny\n--b\nz\n--a--"))),
            "f0 h0 -0 f1 h1 -1 h2 b2 -0 h1 b1 =0",
        ),
        ("a delimiter in a header section", multipart("a", "--a\nA: b\n--a\nA: b\n c\n--a--"), "f0 h0 -0 f1 h1 -0 f1 h1 =0"),
        (
            "a message",
            multipart("a", "--a\nContent-Type: message/rfc822\n\nA: b\n\nx\n--a--"),
            "f0 h0 -0 f1 h1 f2 h2 b2 =0",
        ),
        (
            "an encoded message is opaque",
            multipart("a", "--a\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQTogYg==\n--a--"),
            "f0 h0 -0 f1 f1 h1 b1 =0",
        ),
        (
            "a digest",
            "Content-Type: multipart/digest; boundary=a\n\n--a\n\nA: b\n\nx\n--a\nContent-Type: text/plain\n\ny\n--a--".into(),
            "f0 h0 -0 h1 f2 h2 b2 -0 f1 h1 b1 =0",
        ),
        ("white space first", "  \nA: b\n\nx".into(), "f0 f0 h0 b0"),
        ("a nameless field", ": a\nB: c\n\nx".into(), "h0 b0"),
        ("blanks before the colon", "A \t: b\n\nx".into(), "f0 h0 b0"),
        ("a bare CR is no line", "A: b\rC: d\n\rx\n\nx".into(), "f0 h0 b0"),
        ("a boundary without multipart", "Content-Type: text/plain; boundary=a\n\n--a\n\nx".into(), "f0 h0 b0"),
        ("an empty boundary", multipart("", "--\n\nx\n----"), "f0 h0 b0"),
    ] {
        assert_shape(name, &message, want);
    }
}

#[test]
fn mbox_lines_among_the_fields() {
    for (name, message, want) in [
        (
            "an mbox line",
            "From jane Mon Jan  1 00:00:00 2024\nA: b\n\nx".into(),
            "f0 f0 h0 b0",
        ),
        (
            "an mbox line later",
            "A: b\nFrom a@b\nC: d\n>From a@b\nFrom  - 1:00 00:00\n\nx".into(),
            "f0 f0 f0 f0 f0 h0 b0",
        ),
        (
            "an mbox line and its fold",
            "A: b\n>From a@b\n c\nD: e\n\nx".into(),
            "f0 f0 f0 h0 b0",
        ),
        (
            "nearly mbox lines",
            "From : a\n>From : b\n>From: c\n>>From a@b\n\nx".into(),
            "f0 f0 f0 h0 b0",
        ),
        ("no mbox line", "A: b\nfrom a@b\n\nx".into(), "f0 h0 b0"),
        ("no mbox line either", "A: b\n>From\ta@b\n\nx".into(), "f0 h0 b0"),
        (
            "an mbox line in an attached message",
            multipart(
                "a",
                "--a\nContent-Type: message/rfc822\n\n>From a@b\nA: b\nFrom a@b\nC: d\n\nx\n--a--",
            ),
            "f0 h0 -0 f1 h1 f2 f2 f2 f2 h2 b2 =0",
        ),
        (
            "an mbox line in a digest",
            "Content-Type: multipart/digest; boundary=a\n\n--a\n\nFrom a@b\nA: b\n\nx\n--a--".into(),
            "f0 h0 -0 h1 f2 f2 h2 b2 =0",
        ),
    ] {
        assert_shape(name, &message, want);
    }
}

/// Catches a line of text that is lost, where no empty line ends the header section.
#[test]
fn text_that_begins_like_an_mbox_line() {
    for (name, message, want) in [
        (
            "text that begins like an mbox line",
            "A: b\nFrom now on we open at 9, not a@b\n1:00\nC: d\n\nx".into(),
            "f0 h0 b0",
        ),
        ("an mbox line cut off", "A: b\nFrom jane 12:00".into(), "f0 f0 h0"),
        ("a text cut off", "A: b\nFrom jane 12:0".into(), "f0 h0 b0"),
        (
            "a time behind the longest line",
            format!("From {}12:00\n\nx", "a".repeat(994)),
            "h0 b0",
        ),
        (
            "a time on the longest line",
            format!("From {}12:00\n\nx", "a".repeat(989)),
            "f0 h0 b0",
        ),
        (
            "a text in a part that begins like one",
            multipart("a", "--a\nA: b\nFrom a@b at 12:00\n--a--"),
            "f0 h0 -0 f1 h1 b1 =0",
        ),
    ] {
        assert_shape(name, &message, want);
    }
}

#[test]
fn byte_order_marks_among_the_fields() {
    for (name, message, want) in [
        (
            "a byte order mark",
            "\u{feff}A: b\nC: d\n\nx".into(),
            "f0 f0 f0 h0 b0",
        ),
        (
            "byte order marks later",
            "A: b\n\u{feff}C: d\n\u{feff}\u{feff}E \t: f\n\nx".into(),
            "f0 f0 f0 f0 f0 h0 b0",
        ),
        (
            "a mark before an mbox line",
            "A: b\n\u{feff}From a@b\n c\n\u{feff}D: e\n\nx".into(),
            "f0 f0 f0 f0 f0 h0 b0",
        ),
        (
            "a mark before text",
            "A: b\n\u{feff}hello\n\nx".into(),
            "f0 h0 b0",
        ),
        ("a mark before white space", "\u{feff} A: b\n\nx".into(), "h0 b0"),
        (
            "a mark before an empty line",
            "A: b\n\u{feff}\nC: d\n\nx".into(),
            "f0 h0 b0",
        ),
        ("a mark at the end", "A: b\n\u{feff}".into(), "f0 h0 b0"),
        (
            "a part of a mark",
            "A: b\n\u{feff}\u{fec3}C: d\n\nx".into(),
            "f0 h0 b0",
        ),
        (
            "a mark before the fields of a part",
            multipart("a", "--a\n\u{feff}A: b\n\nx\n--a\n\u{feff}x\n--a--"),
            "f0 h0 -0 f1 f1 h1 b1 -0 h1 b1 =0",
        ),
        (
            "a mark in an attached message",
            multipart(
                "a",
                "--a\nContent-Type: message/rfc822\n\n\u{feff}Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--a--",
            ),
            "f0 h0 -0 f1 h1 f2 f2 h2 -2 h3 =0",
        ),
        (
            "a type behind a mark",
            "A: b\n\u{feff}Content-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n--a--".into(),
            "f0 f0 f0 h0 -0 h1 b1 =0",
        ),
        (
            "a boundary like a field",
            multipart("a: b", "--a: b\n\u{feff}--a: b\n\nx\n--a: b--"),
            "f0 h0 -0 f1 f1 h1 b1 =0",
        ),
    ] {
        assert_shape(name, &message, want);
    }
}

#[test]
fn messages_a_hundred_deep() {
    let mut message = String::new();
    for depth in 0..100 {
        write!(
            message,
            "Subject: {depth}\r\nContent-Type: message/rfc822\r\n\r\n"
        )
        .unwrap();
    }
    message += "Subject: the last\r\n\r\nbody";
    let told = whole(message.as_bytes());
    assert_eq!(
        told.last().map(|event| (event.kind, event.depth)),
        Some((Kind::Body, 100))
    );
    assert_eq!(told, scan(Limits::default(), message.as_bytes().chunks(7)));
}

#[test]
fn a_hundred_thousand_empty_parts() {
    let mut message = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n".to_vec();
    message.extend(b"--a\r\n".repeat(100_000));
    message.extend(b"--a--\r\n");
    let count = |kind| whole(&message).iter().filter(|event| event.kind == kind).count();
    assert_eq!(count(Kind::Delimiter), 100_000);
    assert_eq!(count(Kind::CloseDelimiter), 1);
    assert_eq!(whole(&message), scan(Limits::default(), message.chunks(3)));
    let mut parts = Parts::new();
    let mut scanner = Scanner::default();
    let mut rest = &message[..];
    while let Some(event) = scanner.next(&mut rest, true).unwrap() {
        parts.push(&event);
    }
    assert_eq!(parts.finish().len(), 100_001);
}

#[test]
fn near_misses_on_every_line_and_long_lines() {
    let head = "Content-Type: multipart/mixed; boundary=abc\r\n\r\n--abc\r\n\r\n";
    for body in [
        "\n--".repeat(50_000),
        "\r\n--ab".repeat(30_000),
        "\r\n--abc-".repeat(30_000),
        "\r\n--abc  x".repeat(30_000),
        "-".repeat(300_000),
        "\r".repeat(300_000),
        "x".repeat(8 << 20),
        format!("\r\n--abc{}x", " ".repeat(5_000)).repeat(20),
    ] {
        let message = [head, &body, "\r\n--abc--"].concat().into_bytes();
        let told = whole(&message);
        assert_eq!(joined(&told), message);
        assert_eq!(
            told.len(),
            6,
            "one body: {:?}",
            told.iter().map(|event| event.kind).collect::<Vec<_>>()
        );
        for size in [1, 3, 4096] {
            assert!(
                told == scan(Limits::default(), message.chunks(size)),
                "chunks of {size}"
            );
        }
    }
}

#[test]
fn past_its_limits_a_part_is_an_opaque_body() {
    let limits = Limits::default()
        .with_header(200)
        .with_field(20)
        .with_depth(2)
        .with_boundary(3)
        .with_boundaries(5);
    for (name, message, kinds) in [
        (
            "a boundary too long",
            "Content-Type: multipart/x; boundary=abcd\n\n--abcd\n\nx",
            "f0 h0 b0",
        ),
        (
            "all boundaries too long",
            "Content-Type: multipart/x; boundary=abc\n\n--abc\nContent-Type:\n multipart/x;\n boundary=abc\n\n--abc\n\nx",
            "f0 h0 -0 h1 b1 -0 h1 b1",
        ),
        (
            "too deep",
            "Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\nContent-Type: message/rfc822\n\nA: b",
            "f0 h0 h1 b1",
        ),
        (
            "a field too long below the top",
            "Content-Type: multipart/x; boundary=a\n\n--a\nA: 2345678901234567\nA: 23456789012345678\nB: c\n\nx\n--a--",
            "f0 h0 -0 f1 h1 b1 =0",
        ),
        (
            "marks too long below the top",
            "Content-Type: multipart/x; boundary=a\n\n--a\n\u{feff}\u{feff}A: b\n\u{feff}\u{feff}\u{feff}\u{feff}\u{feff}\u{feff}\u{feff}C: d\n--a--",
            "f0 h0 -0 f1 f1 h1 b1 =0",
        ),
        (
            "a field too long behind a mark, which begins like a delimiter",
            "Content-Type: multipart/x; boundary=\"a: \"\n\n--a:\n\u{feff}--a:                 \n--a:--",
            "f0 h0 -0 f1 h1 b1 =0",
        ),
    ] {
        let message = message.as_bytes();
        let told = scan(limits, [message]);
        assert_eq!(joined(&told), message, "{name}");
        let got: Vec<String> = told
            .iter()
            .map(|event| {
                let kind = format!("{:?}", event.kind);
                let letter = match event.kind {
                    Kind::Delimiter => "-".to_owned(),
                    Kind::CloseDelimiter => "=".to_owned(),
                    _ => kind[..1].to_ascii_lowercase(),
                };
                format!("{letter}{}", event.depth)
            })
            .collect();
        assert_eq!(got.join(" "), kinds, "{name}");
        for (how, chunks) in chunkings(message) {
            assert_eq!(scan(limits, chunks), told, "{name}, {how}");
        }
    }
}

/// Catches a part that is hidden by a limit, from a program that relies on the count.
#[test]
fn parts_that_a_limit_cuts_off_are_counted() {
    let limits = Limits::default()
        .with_field(40)
        .with_depth(2)
        .with_boundary(3)
        .with_boundaries(5);
    let nested = |levels| "Content-Type: message/rfc822\n\n".repeat(levels);
    let multipart = |head: &str| format!("Content-Type: multipart/x; boundary=a\n\n--a\n{head}\n\nx\n--a--");
    let long = "Subject: 2345678901234567890123456789012";
    for (message, cut_off) in [
        (nested(2) + "A: b\n\nx", 0),
        (nested(3) + "A: b\n\nx", 1),
        (
            "Content-Type: multipart/x; boundary=abcd\n\n--abcd\n\nx".to_owned(),
            1,
        ),
        (multipart("Content-Type: multipart/x"), 0),
        (multipart("Content-Type: multipart/x;boundary=abc"), 0),
        (multipart("Content-Type: multipart/x;boundary=abcd"), 1),
        (multipart(&long[..39]), 0),
        (multipart(long), 1),
        (multipart(&format!("Content-Type: text/html\n{long}")), 1),
        // Two limits, one part.
        (
            multipart(&format!("Content-Type: multipart/x;boundary=abcd\n{long}")),
            1,
        ),
        (multipart(&format!("{long}\n--a\n{long}")), 2),
    ] {
        for (how, chunks) in chunkings(message.as_bytes()) {
            let mut scanner = Scanner::new(limits);
            for mut chunk in chunks {
                while scanner.next(&mut chunk, false).unwrap().is_some() {}
            }
            while scanner.finish().unwrap().is_some() {}
            assert_eq!(scanner.parts_cut_off(), cut_off, "{message:?}, {how}");
        }
    }
}

/// Catches a scanner that keeps the input that somebody feeds after the end.
#[test]
fn after_the_end_there_is_nothing() {
    let mut scanner = Scanner::default();
    for chunk in ["A: b\n\nHello", "Hello"] {
        let mut chunk = chunk.as_bytes();
        while scanner.next(&mut chunk, true).unwrap().is_some() {}
        assert!(chunk.is_empty());
    }
    assert_eq!(scanner.next(&mut &b"\n"[..], false), Ok(None));
    assert_eq!(scanner.finish(), Ok(None));
}

/// The limits of whoever wants none. Catches sums that overflow, which a release build takes for a limit of 0.
#[test]
fn limits_may_be_the_greatest_numbers() {
    let limits = Limits::default()
        .with_header(usize::MAX)
        .with_field(usize::MAX)
        .with_depth(usize::MAX)
        .with_boundary(usize::MAX)
        .with_boundaries(usize::MAX);
    for (name, message) in fixtures() {
        let told = whole(&message);
        assert_eq!(scan(limits, [&message[..]]), told, "{name}");
        for size in common::CHUNK_SIZES {
            assert_eq!(
                scan(limits, message.chunks(size)),
                told,
                "{name}, chunks of {size}"
            );
        }
    }
}

#[test]
fn a_top_level_header_section_over_its_limit_is_an_error_and_stays_one() {
    let limits = Limits::default().with_header(20);
    let outcome = |chunks: Vec<&[u8]>| {
        let mut scanner = Scanner::new(limits);
        let mut seen = 0;
        for (mut chunk, last) in chunks
            .into_iter()
            .map(|chunk| (chunk, false))
            .chain([(&[][..], true)])
        {
            loop {
                match scanner.next(&mut chunk, last) {
                    Ok(None) => break,
                    Ok(Some(event)) => seen += event.bytes.len(),
                    Err(error) => {
                        assert_eq!(scanner.next(&mut &b"x"[..], true), Err(error), "it is told again");
                        return Err((seen, error));
                    }
                }
            }
        }
        Ok(())
    };
    for (message, want) in [
        ("A: 4567\nB: 23456789\n\nbody", Ok(())),
        (
            "A: 4567\nB: 234567890\n\nbody",
            Err((8, Error::HeaderTooLong { limit: 20 })),
        ),
        (
            "A: 4567\nB: 2345678901234567890",
            Err((8, Error::HeaderTooLong { limit: 20 })),
        ),
        (
            "A: 4567\n 23\n 78\n 234\nx",
            Err((0, Error::HeaderTooLong { limit: 20 })),
        ),
        ("A: 45678901\n\u{feff}B:90\nbody", Ok(())),
        (
            "A: 45678901\n\u{feff}B:901\nbody",
            Err((15, Error::HeaderTooLong { limit: 20 })),
        ),
        (
            "A: 456789012345678\n\u{feff}B:\n\nbody",
            Err((19, Error::HeaderTooLong { limit: 20 })),
        ),
    ] {
        for (how, chunks) in chunkings(message.as_bytes()) {
            assert_eq!(outcome(chunks), want, "{message:?}, {how}");
        }
    }
}

/// Messages made of the pieces that matter.
fn messages() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "\n", "\r\n", "\n", "\r\n", "\r", "-", "--", " ", "\t", ":", "--a", "--a--", "--ab", "--ab--", "--b",
            "From x", "From x@y", "From x 0", "0:00\n", "From : y", ">From x@", "\u{feff}", "\u{feff}A: b", "A: b", "A:", "x", "Content-Transfer-Encoding: base64",
        ]),
        2 => prop::sample::select(vec![
            "\n--a\n", "\r\n--a\r\n", "\n--a--\n", "\n--ab\n", "\n--b\n\n", "\n--b--\n",
            "Content-Type: multipart/mixed; boundary=a\n\n",
            "Content-Type: multipart/mixed; boundary=a\r\n\r\n",
            "Content-Type: multipart/mixed; boundary=ab\n",
            "Content-Type: multipart/digest; boundary=b\r\n\r\n",
            "Content-Type: message/rfc822\n\n",
            "Content-Type:\n text/plain\n", "Content-Type:\n", "Content-Type: (c) ;\n",
            "Content-Transfer-Encoding:\n", "Content-Transfer-Encoding: (c)7bit(c)\n",
            "Content-Transfer-Encoding: (7bit) base64;\n",
        ]),
        1 => "[\\x00-\\xff]{0,3}".prop_map(|s| Box::leak(s.into_boxed_str()) as &str),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn events_are_the_oracles_however_the_message_is_cut(
        message in messages(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let told = naive::scan(&message);
        prop_assert_eq!(&joined(&told), &message);
        prop_assert_eq!(&whole(&message), &told);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(message.len() + 1)).collect();
        cuts.extend([0, message.len()]);
        cuts.sort_unstable();
        let chunks = cuts.windows(2).map(|ends| &message[ends[0]..ends[1]]);
        prop_assert_eq!(&scan(Limits::default(), chunks), &told);
        prop_assert_eq!(&scan(Limits::default(), message.chunks(1)), &told);
    }
}
