//! What could be changed without a test that failed, as mutation testing showed (see docs/fuzzing.md).

use readdress::arrival::MessageId;
use readdress::arrival::trace::{self, TraceError};
use readdress::header::Header;
use readdress::header::mailbox::Address;
use readdress::mime::{Limits, Part, Parts, Scanner};
use readdress::rewrite::{Error, FromFormat, HeaderReader, Rewriter, Rules, ToHeader};

fn traced(received: &str) -> Result<String, TraceError> {
    let mut header = Header::new();
    header.push(format!("Received: {received}\r\n").as_bytes());
    trace::recipient(&header, &MessageId::parse("m1").unwrap())
}

/// Catches a sender who says in a comment, as the name of the client, what SES says outside it.
#[test]
fn a_comment_says_nothing_however_it_is_written() {
    let by = "by inbound-smtp.eu-west-1.amazonaws.com";
    for comment in [
        "(x)",
        "(a (b) c)",
        r"(a \) b)",
        r"(a \( b)",
        r"(\\)",
        "(a)(b)",
        "()",
    ] {
        let received = format!("from mx {comment} {by} id m1 for shop@example.com; now");
        assert_eq!(traced(&received).as_deref(), Ok("shop@example.com"), "{comment}");
        let inside = format!("from mx {by} id m1 {comment} (for a@example.com); now");
        assert_eq!(traced(&inside), Err(TraceError::NoRecipient), "{comment}");
    }
    for received in [
        format!("from mx ({by} id m1 for a@example.com); now"),
        format!(r"from mx (x \) {by} id m1 for a@example.com; now"),
        format!("from mx (x (y) {by} id m1 for a@example.com; now"),
        format!("from mx x) {by} id m1 for a@example.com; now"),
    ] {
        assert_eq!(traced(&received), Err(TraceError::NotBySes), "{received}");
    }
    // A backslash outside a comment quotes nothing.
    let received = format!(r"from m\(x) {by} id m1 for a@example.com; now");
    assert_eq!(traced(&received).as_deref(), Ok("a@example.com"));
}

/// Catches a setting that is taken for another, and a wrong one that is taken at all.
#[test]
fn a_setting_has_its_word() {
    for (word, format) in [
        ("full", FromFormat::Full),
        ("name", FromFormat::Name),
        ("via", FromFormat::Via),
        ("alias", FromFormat::Alias),
    ] {
        assert_eq!(word.parse(), Ok(format));
        assert_eq!(format.as_str(), word);
    }
    for (word, to) in [
        ("targets", ToHeader::Targets),
        ("alias", ToHeader::Alias),
        ("keep", ToHeader::Keep),
    ] {
        assert_eq!(word.parse(), Ok(to));
        assert_eq!(to.as_str(), word);
    }
    for word in ["", "Full", "xyzzy"] {
        assert!(word.parse::<FromFormat>().is_err(), "{word}");
        assert!(word.parse::<ToHeader>().is_err(), "{word}");
    }
}

fn parts(limits: Limits, message: &str) -> Vec<Part> {
    let mut scanner = Scanner::new(limits);
    let mut parts = Parts::new();
    let mut rest = message.as_bytes();
    while let Some(event) = scanner.next(&mut rest, true).unwrap() {
        parts.push(&event);
    }
    parts.finish()
}

/// Path, type, encoding, file name.
fn told(message: &str) -> Vec<[String; 4]> {
    let parts = parts(Limits::default(), message).into_iter();
    parts
        .map(|part| {
            let filename = part.filename.unwrap_or_default();
            [part.path, part.content_type, part.encoding, filename]
        })
        .collect()
}

/// Catches parts that are counted or called wrongly: a digest's have another default (RFC 2046 5.1.5).
#[test]
fn a_part_is_called_what_it_says_or_what_it_is_taken_for() {
    for (container, default) in [
        ("multipart/digest", "message/rfc822"),
        ("multipart/mixed", "text/plain"),
        ("multipart/alternative", "text/plain"),
    ] {
        let message = format!(
            "Content-Type: {container}; boundary=b\n\n\
             --b\n\nSubject: x\n\nbody\n\
             --b\nContent-Type: Image/PNG; name=a.png\nContent-Transfer-Encoding: Base64\n\nAAAA\n\
             --b\nContent-Type: message/delivery-status\nContent-Disposition: attachment; filename=b\n\nA: b\n\
             --b\nContent-Type: text/rfc822\nContent-Transfer-Encoding:\n\nA: b\n\
             --b--\n"
        );
        let mut expected = vec![
            ["0", container, "7bit", ""],
            ["1", default, "7bit", ""],
            ["2", "image/png", "base64", "a.png"],
            ["3", "message/delivery-status", "7bit", "b"],
            ["4", "text/rfc822", "7bit", ""],
        ];
        if default == "message/rfc822" {
            expected.insert(2, ["1.1", "text/plain", "7bit", ""]);
        }
        assert_eq!(told(&message), expected, "{container}");
    }
}

/// Catches a multipart or message that is not looked into, or that is though it is encoded (RFC 2045 6.4).
#[test]
fn an_encoding_that_leaves_the_bytes_hides_nothing() {
    for (encoding, seen) in [
        ("7bit", true),
        ("8BIT", true),
        ("binary", true),
        ("", true),
        ("base64", false),
    ] {
        let message = format!(
            "Content-Type: message/rfc822\nContent-Transfer-Encoding: {encoding}\n\nSubject: x\n\nbody\n"
        );
        assert_eq!(told(&message).len() == 2, seen, "{encoding}");
    }
}

/// Catches a limit of memory that is none: boundaries that are open together count together.
#[test]
fn open_boundaries_count_together() {
    let message = "Content-Type: multipart/mixed; boundary=1234\n\n--1234\n\
                   Content-Type: multipart/mixed; boundary=abcd\n\n--abcd\n\n--abcd--\n--1234--\n";
    let deepest = |boundaries| {
        let limits = Limits::default().with_boundaries(boundaries);
        parts(limits, message).iter().map(|part| part.depth).max()
    };
    assert_eq!(deepest(8), Some(2));
    assert_eq!(deepest(7), Some(1));
    assert_eq!(deepest(3), Some(0));
}

/// Catches boundaries that still count when they are closed.
#[test]
fn closed_boundaries_do_not_count() {
    let inner = "--1234\nContent-Type: multipart/mixed; boundary=abcd\n\n--abcd\n\n--abcd--\n";
    let unclosed = inner.replace("--abcd--\n", "");
    let too_long = inner.replace("abcd", "abcde");
    let message = format!(
        "Content-Type: multipart/mixed; boundary=1234\n\n{}{too_long}--1234--\n",
        [inner, &unclosed].concat().repeat(3)
    );
    let limits = Limits::default().with_boundaries(8);
    let depths: Vec<usize> = parts(limits, &message).iter().map(|part| part.depth).collect();
    assert_eq!(depths, [0, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]);
}

/// Catches a delimiter that is taken for a field, since it has a colon in it.
#[test]
fn a_delimiter_ends_a_header_section_whatever_it_looks_like() {
    let message = "Content-Type: multipart/mixed; boundary=\"a:b\"\n\n\
                   --a:b\nX: y\n--a:b\nZ: w\n\nbody\n--a:b--\n";
    let paths: Vec<String> = parts(Limits::default(), message)
        .into_iter()
        .map(|part| part.path)
        .collect();
    assert_eq!(paths.len(), 3, "{paths:?}");
}

/// Catches limits that are off by one.
#[test]
fn limits_are_exact() {
    let nested = "Content-Type: message/rfc822\n\n".repeat(4);
    for depth in 0..4 {
        let limits = Limits::default().with_depth(depth);
        let deepest = parts(limits, &nested).iter().map(|part| part.depth).max();
        assert_eq!(deepest, Some(depth));
    }
    for (header, fits) in [(9, false), (10, true)] {
        let limits = Limits::default().with_header(header);
        let end = Scanner::new(limits)
            .next(&mut &b"A: bcdefgh"[..], true)
            .map(|_| ());
        assert_eq!(end.is_ok(), fits, "{header}");
    }
}

/// Catches an octet that is lost at the end: a CR that no LF follows.
#[test]
fn a_lone_cr_at_the_end_is_told() {
    for message in ["\r", "A: b\r\n\r", "A: b\n\r"] {
        let mut scanner = Scanner::default();
        let (mut rest, mut told) = (message.as_bytes(), 0);
        while let Some(event) = scanner.next(&mut rest, true).unwrap() {
            told += event.bytes.len();
        }
        assert_eq!(told, message.len(), "{message:?}");
    }
}

/// Catches the wrong reason: only a message without any LF is told that it has no lines.
#[test]
fn too_long_a_header_section_is_not_one_without_lines() {
    let limit = 100;
    let limits = Limits::default().with_header(limit);
    let too_long = Err(Error::HeaderTooLong { limit });
    let x = "x".repeat(200);
    for (message, expected) in [
        (format!("A: b\nB: \r{x}"), too_long),
        (format!("B: \r{x}"), Err(Error::BareCr)),
        (format!("B: \r\n {x}"), too_long),
        (format!("B: {x}\r"), too_long),
        (format!("B: {x}"), too_long),
    ] {
        for size in [1, 7, 1000] {
            let mut reader = HeaderReader::new(limits);
            let mut found = Ok(None);
            for mut chunk in message.as_bytes().chunks(size) {
                while found.as_ref().is_ok_and(Option::is_none) && !chunk.is_empty() {
                    found = reader.read(&mut chunk, false);
                }
            }
            assert_eq!(
                found.map(|head| head.is_some()),
                expected,
                "{message:?} by {size}"
            );
        }
    }
}

/// Catches spans that are not those of the message.
#[test]
fn spans_are_octets_of_the_message() {
    let message = "A: b\nC: d\n\nbody\n";
    let part = parts(Limits::default(), message).remove(0);
    assert_eq!((part.header.start, part.header.end), (0, 10));
    assert_eq!((part.body.start, part.body.end), (11, 16));
}

fn fixture(name: &str) -> String {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/messages");
    std::fs::read_to_string(format!("{directory}/{name}.eml")).unwrap()
}

/// Catches parts that are described by other fields than those that the scanner goes by.
#[test]
fn a_part_is_described_by_the_first_field_that_says_anything() {
    assert_eq!(
        told(&fixture("content-type-empty-first")),
        [
            ["0", "multipart/alternative", "7bit", ""],
            ["1", "text/html", "quoted-printable", "hours.html"],
        ]
    );
    assert_eq!(
        told(&fixture("transfer-encoding-comment")),
        [
            ["0", "multipart/mixed", "7bit", ""],
            ["1", "message/rfc822", "7bit", ""],
            ["1.1", "text/plain", "7bit", ""],
            ["2", "message/rfc822", "base64", ""],
            ["3", "application/zip", "base64", "lamp.zip"],
        ]
    );
}

/// Catches names of files that are read by the labels of the WHATWG alone, or piece by piece.
#[test]
fn names_of_files_are_decoded() {
    assert_eq!(
        told(&fixture("charset-labels")),
        [["0", "text/plain", "7bit", "\u{6c49}.txt"]]
    );
    assert_eq!(
        told(&fixture("encoded-words-cut")),
        [
            ["0", "multipart/mixed", "7bit", ""],
            ["1", "text/plain", "7bit", "gr\u{fc}n \u{1f601}\u{1f601}.txt"],
        ]
    );
}

fn rewritten(rules: &Rules, message: &str) -> String {
    let mut rewriter = Rewriter::new(rules.clone());
    let mut out = Vec::new();
    let mut sink = |bytes: &[u8]| out.extend_from_slice(bytes);
    rewriter.write(message.as_bytes(), &mut sink).unwrap();
    rewriter.end(&mut sink).unwrap();
    String::from_utf8(out).unwrap()
}

/// Catches a name that is cut for ever, since the address alone leaves no room for one.
#[test]
fn an_address_may_leave_no_room_for_a_name() {
    let alias = Address::parse(&format!("shop@{}", "x".repeat(314))).unwrap();
    let rules = Rules::new(alias.clone(), vec![Address::parse("owner@example.net").unwrap()]);
    for name in ["", "J", "Jane Example"] {
        let out = rewritten(&rules, &format!("From: {name} <jane@example.org>\n\n"));
        assert!(out.starts_with(&format!("From: {alias}\n")), "{out}");
    }
}

/// Catches an empty To.
#[test]
fn without_targets_there_is_no_to() {
    let rules = Rules {
        to_header: ToHeader::Targets,
        ..Rules::new(Address::parse("shop@example.com").unwrap(), Vec::new())
    };
    let out = rewritten(&rules, "From: jane@example.org\nTo: shop@example.com\n\n");
    assert!(!out.contains("\nTo:"));
}

/// Catches a size that is foretold to nobody.
#[test]
fn the_size_is_known_when_the_header_section_ends() {
    let mut rewriter = Rewriter::new(Rules::new(
        Address::parse("shop@example.com").unwrap(),
        vec![Address::parse("owner@example.net").unwrap()],
    ));
    rewriter.write(b"From: jane@example.org\n", &mut |_| {}).unwrap();
    assert_eq!(rewriter.header_octets(), None);
    rewriter.write(b"\nbody\n", &mut |_| {}).unwrap();
    let octets = rewriter.header_octets();
    assert_eq!(octets.map(|octets| octets.before), Some(24));
    assert_eq!(octets, Some(rewriter.end(&mut |_| {}).unwrap()));
}
