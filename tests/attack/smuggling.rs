//! Header smuggling: text that becomes a line, a field or a recipient of what goes out. Every input that reaches a field is
//! tried with every way that we know of to write a line break, an address or a field where none belongs.

use base64_simd::STANDARD;
use serde_json::{Value, json};

use readdress::forward::Ending;

use super::world::{ALIAS, Arriving, OWNER, Sent, VICTIM, World, key, map};

/// What the attacker wants to have read.
const BREAK: &str = "x\r\nBcc: victim@example.net\r\nX-SES-CONFIGURATION-SET: evil\r\n\r\nBody";

/// One payload in all its disguises. Each is a name, and the octets for an unstructured field.
fn payloads() -> Vec<(&'static str, Vec<u8>)> {
    let q = |text: &str| -> String {
        let coded = text.bytes().map(|octet| format!("={octet:02X}"));
        format!("=?utf-8?q?{}?=", coded.collect::<String>())
    };
    let b = |charset: &str, octets: &[u8]| format!("=?{charset}?b?{}?=", STANDARD.encode_to_string(octets));
    let utf16: Vec<u8> = BREAK.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let nested = q(&q(BREAK));
    let in_two = format!("{} {}", q("x\r"), q("\nBcc: victim@example.net"));
    let cut = format!(
        "{} {}",
        b("utf-8", b"x\r\nB"),
        b("utf-8", b"cc: victim@example.net")
    );
    let folding =
        "y ".repeat(36) + "Bcc: victim@example.net " + &"z".repeat(990) + " Sender: victim@example.net";
    vec![
        ("Q", q(BREAK).into_bytes()),
        ("B", b("utf-8", BREAK.as_bytes()).into_bytes()),
        ("LF alone", q("x\nBcc: victim@example.net").into_bytes()),
        ("CR alone", q("x\rBcc: victim@example.net").into_bytes()),
        ("NUL", q("x\0\r\n\0Bcc: victim@example.net").into_bytes()),
        ("next line", q("x\u{85}Bcc: victim@example.net").into_bytes()),
        (
            "line separator",
            q("x\u{2028}Bcc: victim@example.net").into_bytes(),
        ),
        (
            "vertical tab",
            q("x\u{b}Bcc: victim@example.net\u{c}").into_bytes(),
        ),
        ("UTF-16", b("utf-16be", &utf16).into_bytes()),
        (
            "UTF-7",
            b"=?utf-7?q?x+AA0ACg-Bcc:_victim+AEA-example.net?=".to_vec(),
        ),
        (
            "ISO-2022-JP",
            b("iso-2022-jp", b"\x1b$B\r\nBcc: victim\x1b(B").into_bytes(),
        ),
        ("encoded twice", nested.into_bytes()),
        ("in two words", in_two.into_bytes()),
        ("cut inside of a name", cut.into_bytes()),
        ("raw CR", b"x\rBcc: victim@example.net\r\rBody".to_vec()),
        ("raw NUL", b"x\0Bcc: victim@example.net\0\r \0".to_vec()),
        (
            "raw controls",
            b"x\x0bBcc: a\x0cb\x1c\x1d\x1e\x85\xc2\x85\xe2\x80\xa8Sender: c".to_vec(),
        ),
        ("blank fold", b"x\r\n \r\n\tBcc: victim@example.net".to_vec()),
        ("long words", folding.into_bytes()),
        ("closing brackets", q("x> <victim@example.net>, <").into_bytes()),
        ("closing quotes", q("x\" <victim@example.net>, \"y").into_bytes()),
        ("a list", q("x, victim@example.net; y:").into_bytes()),
        ("a comment", q("x) victim@example.net (").into_bytes()),
    ]
}

/// The fields in which a stranger's text reaches ours, with a place for it.
const FIELDS: [&str; 15] = [
    "From: \"%\" <jane@example.org>",
    "From: % <jane@example.org>",
    "From: jane@example.org (%)",
    "From: %",
    "Subject: %",
    "To: % <shop@example.com>",
    "To: \"%\" <shop@example.com>, % : ;",
    "Cc: % <ann@example.org>",
    "Reply-To: % <jane@example.org>",
    "Sender: % <jane@example.org>",
    "Date: Thu, 5 Mar 2026 09:30:08 +0100 (%)",
    "Message-ID: <%@example.org>",
    "References: <a@example.org> % <b@example.org>",
    "List-Unsubscribe: <mailto:%@example.org>, <https://example.org/%>",
    "Content-Type: text/plain; charset=utf-8; name=\"%\"",
];

/// A message with this field in place of its own.
fn message(field: &str, text: &[u8]) -> Vec<u8> {
    let name = field.split(':').next().unwrap();
    let mut message = Vec::new();
    for usual in [
        "From: Jane <jane@example.org>",
        "To: shop@example.com",
        "Subject: Order",
        "Message-ID: <1@example.org>",
        "Date: Thu, 5 Mar 2026 09:30:08 +0100",
    ] {
        if !usual.starts_with(&format!("{name}:")) {
            message.extend_from_slice(usual.as_bytes());
            message.extend_from_slice(b"\r\n");
        }
    }
    let mut pieces = field.split('%');
    message.extend_from_slice(pieces.next().unwrap().as_bytes());
    for piece in pieces {
        message.extend_from_slice(text);
        message.extend_from_slice(piece.as_bytes());
    }
    message.extend_from_slice(b"\r\n\r\nHello\r\n");
    message
}

/// No mailbox but those that stand in the text's structure.
fn assert_no_recipient(sent: &Sent, what: &str) {
    // A whole From of raw text is its writer's, and answers go to whomever it names.
    let is_raw_from = ["raw", "blank", "long"]
        .iter()
        .any(|of| what.starts_with(&format!("From: %: {of}")));
    let fields = ["To", "Cc", "From", "Reply-To"];
    for field in &fields[..fields.len() - usize::from(is_raw_from)] {
        let named = sent.mailboxes(field);
        assert!(!named.iter().any(|it| it == VICTIM), "{what}: {field}: {named:?}");
    }
}

#[test]
fn fields_of_a_forwarded_mail() {
    for key_text in [None, Some(key(1).to_text())] {
        let settings: Vec<(&str, &str)> = key_text.iter().map(|text| ("key", &**text)).collect();
        let mut world = World::with(&map(), &settings);
        for field in FIELDS {
            let plain = world.arrive(&message(field, b"plain")).1.remove(0);
            for (name, payload) in payloads() {
                let what = format!("{field}: {name}");
                let (outcome, sent) = world.arrive(&message(field, &payload));
                assert_eq!(outcome.ending, Ending::Sent, "{what}: {:?}", outcome.error);
                sent[0].assert_ours(&what, &[OWNER]);
                assert_no_recipient(&sent[0], &what);
                if !matches!(
                    field.split(':').next(),
                    Some("Reply-To" | "List-Unsubscribe" | "To" | "From" | "Cc")
                ) {
                    sent[0].assert_fields_of(&plain, &what);
                }
            }
        }
    }
}

/// The owner answers a mail whose subject and names are an attacker's: the correspondent's program quotes them.
#[test]
fn fields_of_an_answer() {
    let mut world = World::with_key(&map());
    let hello = message("Subject: %", b"plain");
    let reply_to = world.arrive(&hello).1.remove(0).address_in("Reply-To");
    for (name, payload) in payloads() {
        for place in [
            "Subject: Re: %",
            "To: % <{}>",
            "Content-Disposition: inline; filename=\"%\"",
        ] {
            let field = place.replace("{}", &reply_to);
            let mut octets = message(&field, &payload);
            let from = octets.windows(4).position(|it| it == b"jane").unwrap();
            octets.splice(from..from + 16, OWNER.bytes());
            let answer = Arriving {
                from: OWNER,
                to: &[&reply_to],
                ..Arriving::new(&octets)
            };
            let (outcomes, sent) = world.receive(&answer);
            let what = format!("{place}: {name}");
            assert_eq!(
                outcomes[0].ending,
                Ending::Sent,
                "{what}: {:?}",
                outcomes[0].error
            );
            sent[0].assert_ours(&what, &["jane@example.org"]);
            assert_no_recipient(&sent[0], &what);
        }
    }
}

/// A notice repeats who wrote, when, and the subject.
#[test]
fn fields_and_lines_of_a_notice() {
    let mut map = map();
    map[ALIAS]["spam"] = json!("hold");
    let held = |octets: &[u8]| {
        // Another world for each: an address is told twenty times in an hour.
        let (outcomes, mut sent) = World::new(&map).receive(&Arriving {
            spam: "FAIL",
            ..Arriving::new(octets)
        });
        assert!(outcomes[0].told, "{outcomes:?}");
        sent.remove(0)
    };
    let lines = |notice: &Sent| {
        let parsed = mailparse::parse_mail(&notice.octets).unwrap();
        assert_eq!(parsed.subparts.len(), 2);
        parsed.subparts[0].get_body().unwrap().lines().count()
    };
    for field in [
        "From: % <jane@example.org>",
        "Subject: %",
        "Date: %",
        "Message-ID: %",
    ] {
        let plain = held(&message(field, b"plain"));
        for (name, payload) in payloads() {
            let what = format!("{field}: {name}");
            let notice = held(&message(field, &payload));
            notice.assert_ours(&what, &[OWNER]);
            assert_eq!(notice.lax_names(), plain.lax_names(), "{what}");
            assert_eq!(lines(&notice), lines(&plain), "{what}");
            assert_eq!(notice.mailboxes("To"), [ALIAS], "{what}");
        }
    }
}

/// A file that SES does not send gives way to a part of ours that names it.
#[test]
fn names_of_files() {
    let attached = |disposition: &[u8]| {
        [
            &b"From: jane@example.org\r\nTo: shop@example.com\r\nMIME-Version: 1.0\r\n\
              Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n--b\r\n\
              Content-Type: application/octet-stream\r\nContent-Disposition: attachment; "[..],
            disposition,
            b"\r\n\r\nMZ\r\n--b--\r\n",
        ]
        .concat()
    };
    let note = |sent: &Sent| {
        let parsed = mailparse::parse_mail(&sent.octets).unwrap();
        assert_eq!(parsed.subparts.len(), 2, "{}", sent.octets.escape_ascii());
        let part = &parsed.subparts[1];
        let names: Vec<String> = part.headers.iter().map(mailparse::MailHeader::get_key).collect();
        (names, part.get_body().unwrap().lines().count())
    };
    let mut world = World::new(&map());
    let plain = note(&world.arrive(&attached(b"filename=a.exe")).1[0]);
    let coded = "a%0D%0A--b--%0D%0AX-SES-A: b%0D%0A%0D%0A%00%C2%85%E2%80%A8.exe";
    let mut names: Vec<(&str, Vec<u8>)> = vec![
        ("RFC 2231", format!("filename*=utf-8''{coded}").into_bytes()),
        (
            "in pieces",
            format!("filename*0*=utf-8''{coded}; filename*1=\".exe\"").into_bytes(),
        ),
        ("escaped", b"filename=\"a\\\r\\\n --b--\\\0.exe\"".to_vec()),
        (
            "long",
            format!("filename=\"{}.exe\"", "--b ".repeat(300)).into_bytes(),
        ),
    ];
    for (name, payload) in payloads() {
        names.push((name, [&b"filename=\""[..], &payload, b".exe\""].concat()));
    }
    for (name, disposition) in names {
        let (outcome, sent) = world.arrive(&attached(&disposition));
        assert_eq!(outcome.ending, Ending::Sent, "{name}: {:?}", outcome.error);
        sent[0].assert_ours(name, &[OWNER]);
        assert!(
            !sent[0].octets.windows(4).any(|it| it == b"\nMZ\r"),
            "{name}: the file went out"
        );
        assert_eq!(note(&sent[0]), plain, "{name}");
    }
}

/// Values of the map are its owner's; whoever else can write some of them must not write more.
#[test]
fn values_of_the_map() {
    let hostile = [
        "x\r\nBcc: victim@example.net",
        "x\nBcc: victim@example.net",
        "x\rBcc: victim@example.net",
        "x\0",
        "x\u{85}Bcc: victim@example.net",
        "x\u{2028}Bcc: victim@example.net",
        "=?utf-8?q?x=0D=0ABcc:_victim?=",
        "\"x\r\nBcc: y\"@home.example",
        "\" <victim@example.net>, \"",
        "> <victim@example.net",
    ];
    for text in hostile {
        for option in [
            "to",
            "name",
            "subject_prefix",
            "from_email",
            "from_format",
            "notify",
            "fallback",
            "repliers",
        ] {
            let mut map = map();
            map[ALIAS][option] = json!(text);
            let mut world = World::with_key(&map);
            let (outcome, mut sent) = world.arrive(&message("Subject: %", b"plain"));
            let what = format!("{option}: {text:?}");
            if outcome.ending == Ending::Failed {
                assert!(sent.is_empty(), "{what}");
                continue;
            }
            assert_eq!(outcome.ending, Ending::Sent, "{what}");
            let reply_to = sent[0].address_in("Reply-To");
            let octets = message("Subject: %", b"plain");
            let octets = String::from_utf8(octets)
                .unwrap()
                .replace("jane@example.org", OWNER);
            let answer = Arriving {
                from: OWNER,
                to: &[&reply_to],
                ..Arriving::new(octets.as_bytes())
            };
            sent.extend(world.receive(&answer).1);
            assert_eq!(sent.len(), 2, "{what}");
            sent[0].assert_ours(&what, &[OWNER]);
            sent[1].assert_ours(&what, &["jane@example.org"]);
            for sent in &sent {
                assert_no_recipient(sent, &what);
            }
        }
    }
}

/// An event of SES in which this member says this.
fn event(id: &str, name: &str, text: &str) -> Value {
    let mut event = json!({"Records": [{"eventSource": "aws:ses", "ses": {
        "mail": {"messageId": id, "source": "jane@example.org"}, "receipt": {"recipients": [ALIAS],
            "spamVerdict": {"status": "PASS"}, "virusVerdict": {"status": "PASS"},
            "dmarcVerdict": {"status": "PASS"}, "dmarcPolicy": "none"}}}]});
    let ses = &mut event["Records"][0]["ses"];
    match name {
        "messageId" | "source" => ses["mail"][name] = json!(text),
        "recipients" => ses["receipt"][name] = json!([text]),
        "dmarcPolicy" => ses["receipt"][name] = json!(text),
        _ => ses["receipt"][name]["status"] = json!(text),
    }
    event
}

/// Values of an event come from SES, and some of them from the sender's SMTP client.
#[test]
fn values_of_an_event() {
    // Without a From, answers go to the envelope sender.
    let octets = b"To: shop@example.com\r\nSubject: Order\r\n\r\nHello\r\n";
    let hostile = |of: &str| {
        [
            "\r\n",
            "\n",
            "\r",
            "\0",
            "\u{85}",
            "\u{2028}",
            ", ",
            "> ",
            "=?utf-8?q?=0D=0A?=",
        ]
        .map(|by| format!("{of}{by}Bcc: victim@example.net"))
        .into_iter()
        .chain([
            format!("\"{of}\r\nBcc: x\"@example.com"),
            format!("\"{of}\\\r\\\nBcc: x\"@example.com"),
        ])
        .collect::<Vec<String>>()
    };
    let mut world = World::with_key(&map());
    for (name, of) in [
        ("messageId", "m1"),
        ("source", "jane@example.org"),
        ("source", "jane"),
        ("recipients", ALIAS),
        ("recipients", "shop+x"),
        ("spamVerdict", "PASS"),
        ("dmarcVerdict", "PASS"),
        ("dmarcPolicy", "none"),
    ] {
        for text in hostile(of) {
            let id = world.store(octets);
            let (outcomes, sent) = world.invoke(&event(&id, name, &text));
            let what = format!("{name}: {text:?}");
            match name {
                "messageId" => assert!(outcomes.is_empty() && sent.is_empty(), "{what}"),
                "recipients" => assert!(sent.is_empty(), "{what}: {outcomes:?}"),
                _ => assert_eq!(sent.len(), 1, "{what}: {outcomes:?}"),
            }
            for sent in sent {
                sent.assert_ours(&what, &[OWNER]);
                assert_no_recipient(&sent, &what);
            }
        }
    }
}

/// A key that cannot be read fails the mail: an answer must not go to the stranger's Reply-To from the private mailbox.
#[test]
fn a_key_that_is_not_one() {
    let good = key(1).to_text();
    for text in [
        "",
        "\r\n",
        "x\r\nBcc: victim@example.net",
        &good[..good.len() - 2],
        &format!("{good}\r\nBcc: victim@example.net"),
        &good.replace(|c: char| c.is_ascii_alphanumeric(), "="),
    ] {
        let mut world = World::with(&map(), &[("key", text)]);
        let octets = message("Reply-To: %", b"Victim <victim@example.net>");
        let (outcomes, sent) = world.receive(&Arriving::new(&octets));
        assert_eq!(outcomes[0].ending, Ending::Failed, "{text:?}");
        assert!(sent.is_empty(), "{text:?}");
    }
}

/// Catches a map that names an attacker's target by a second key of the same name, in another case or with other spaces.
#[test]
fn keys_of_the_map() {
    let hostile: Value = json!({
        "shop@example.com\r\nBcc: x": VICTIM, "shop@example.com\0": VICTIM, "\u{17f}hop@example.com": VICTIM,
        "<shop@example.com>": VICTIM, ALIAS: OWNER,
    });
    let (outcome, sent) = World::new(&hostile).arrive(&message("Subject: %", b"plain"));
    assert_eq!(outcome.ending, Ending::Sent);
    sent[0].assert_ours("keys", &[OWNER]);
}
