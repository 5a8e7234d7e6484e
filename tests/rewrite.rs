//! The rewrite: laws L2 and L4 on the fixtures, every rule on its own, and whatever header sections chance makes.

mod common;

use common::sealed::{assert_sealed, cleaned, split};
use common::{address, chunkings, crlf, fixtures, rewrite, rules, scan};
use proptest::prelude::*;
use readdress::header::encoded_word::decode;
use readdress::header::mailbox::parse_address_list;
use readdress::mime::{Kind, Limits};
use readdress::rewrite::{Error, FromFormat, Repair, Rules, ToHeader};

#[test]
fn every_fixture_is_sealed_however_it_is_cut() {
    let all = Rules {
        subject_prefix: Some("[shop] ".to_owned()),
        from_format: FromFormat::Via,
        ..rules()
    };
    for (name, message) in fixtures() {
        for rules in [rules(), all.clone()] {
            let whole = rewrite(&rules, [&message[..]]);
            for (how, chunks) in chunkings(&message) {
                assert_eq!(rewrite(&rules, chunks), whole, "{name}, {how}");
            }
            match whole {
                Err(error) => assert_eq!((&*name, error), ("bare-cr.as-is", Error::BareCr)),
                Ok((out, octets)) => {
                    assert_sealed(&name, &message, &out);
                    assert_eq!(
                        out.len() as u64 + octets.before,
                        message.len() as u64 + octets.after,
                        "{name}"
                    );
                }
            }
        }
    }
}

#[test]
fn goldens() {
    for (name, message) in fixtures() {
        let Ok((out, octets)) = rewrite(&rules(), [&message[..]]) else {
            continue;
        };
        let header = &out[..usize::try_from(octets.after).unwrap()];
        let text: String = header
            .split_inclusive(|&b| b == b'\n')
            .map(|line| format!("{}\n", line.escape_ascii()))
            .collect();
        insta::with_settings!({snapshot_path => "goldens/rewrite", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(name, text);
        });
    }
}

/// The fields of this name in what goes out, unfolded, without the name.
fn sent(rules: &Rules, message: &str, name: &str) -> Vec<String> {
    let (out, _) = rewrite(rules, [message.as_bytes()]).unwrap();
    assert_sealed(name, message.as_bytes(), &out);
    let fields = split(&out).fields;
    fields
        .iter()
        .filter(|(field, _)| *field == name.to_lowercase())
        .map(|(_, raw)| {
            let text = String::from_utf8(raw.clone()).unwrap().replace(['\r', '\n'], "");
            text.split_once(':').unwrap().1.trim().to_owned()
        })
        .collect()
}

#[test]
fn from_is_the_alias_named_by_the_format() {
    let formats = [
        FromFormat::Full,
        FromFormat::Name,
        FromFormat::Via,
        FromFormat::Alias,
    ];
    for (from, want) in [
        (
            "From: Jane Example <jane@example.org>",
            [
                "\"Jane Example (jane at example.org)\" <shop@example.com>",
                "Jane Example <shop@example.com>",
                "\"Jane Example via example.com\" <shop@example.com>",
                "shop@example.com",
            ],
        ),
        (
            "From: jane@example.org",
            [
                "\"jane at example.org\" <shop@example.com>",
                "\"jane at example.org\" <shop@example.com>",
                "\"jane at example.org via example.com\" <shop@example.com>",
                "shop@example.com",
            ],
        ),
        (
            "From: \"jane@example.org\" <jane@example.org>, other@example.org",
            [
                "\"jane at example.org\" <shop@example.com>",
                "\"jane at example.org\" <shop@example.com>",
                "\"jane at example.org via example.com\" <shop@example.com>",
                "shop@example.com",
            ],
        ),
        ("From: <>", ["shop@example.com"; 4]),
        ("X: no From", ["shop@example.com"; 4]),
    ] {
        for (format, want) in formats.into_iter().zip(want) {
            let rules = Rules {
                from_format: format,
                ..rules()
            };
            let from = sent(&rules, &format!("{from}\nSubject: x\n\nbody"), "From");
            let same = |a: &str, b: &str| {
                let (a, b) = (parse_address_list(a.as_bytes()), parse_address_list(b.as_bytes()));
                assert_eq!(a, b);
            };
            assert_eq!(from.len(), 1);
            same(&from[0], want);
        }
    }
    let fixed = Rules {
        from_email: Some(address("forwarder@example.com")),
        ..rules()
    };
    assert_eq!(sent(&fixed, "From: <>\n\n", "From"), ["forwarder@example.com"]);
    assert_eq!(
        sent(&fixed, "From: <>\n\n", "X-Original-To"),
        ["shop@example.com"]
    );
}

#[test]
fn a_long_display_name_is_cut_and_the_senders_address_is_not() {
    for name in ["x".repeat(5_000), "wörd ".repeat(200), "😀".repeat(400)] {
        let from = &sent(
            &rules(),
            &format!("From: \"{name}\" <jane@example.org>\n\n"),
            "From",
        )[0];
        assert!(from.len() <= 320, "{from}");
        let mailbox = &parse_address_list(from.as_bytes())[0];
        assert_eq!(mailbox.address, address("shop@example.com"));
        assert!(
            mailbox.name.as_ref().unwrap().ends_with("(jane at example.org)"),
            "{mailbox:?}"
        );
    }
}

#[test]
fn to_names_the_targets_the_alias_or_what_it_named() {
    let message = "To: shop@example.com, all@example.org\nTo: second@example.org\n\n";
    let to = |to_header| sent(&Rules { to_header, ..rules() }, message, "To");
    assert_eq!(to(ToHeader::Targets), ["owner@example.net, office@example.net"]);
    assert_eq!(to(ToHeader::Alias), ["shop@example.com"]);
    let both = ["shop@example.com, all@example.org, second@example.org"];
    assert_eq!(to(ToHeader::Keep), both);
    assert_eq!(
        sent(&rules(), message, "To"),
        both,
        "what the sender wrote, by default"
    );
    // Of no use to a reader is a To that names nobody.
    for nobody in [
        "X: y\n\n",
        "To: undisclosed-recipients:;\n\n",
        "To: jane\n\n",
        "To: a@ex_ample.org\n\n",
    ] {
        assert_eq!(sent(&rules(), nobody, "To"), ["shop@example.com"], "{nobody}");
    }
}

#[test]
fn replies_go_to_the_sender() {
    let reply_to = |header: &str| sent(&rules(), &format!("{header}\n\nbody"), "Reply-To");
    let from = "From: Jane <jane@example.org>, joe@example.org";
    assert_eq!(reply_to(from), ["Jane <jane@example.org>, joe@example.org"]);
    assert_eq!(
        reply_to(&format!("{from}\nReply-To: Desk <desk@example.org>")),
        ["Desk <desk@example.org>"]
    );
    assert_eq!(
        reply_to(&format!(
            "Reply-To: a@example.org\n{from}\nReply-To: b@example.org"
        )),
        ["a@example.org"]
    );
    for hopeless in ["", "<>", "nobody in particular", "undisclosed-recipients:;"] {
        assert_eq!(reply_to(&format!("{from}\nReply-To: {hopeless}")).len(), 1);
        assert_eq!(
            reply_to(&format!(
                "From: {hopeless}\nReply-To: {hopeless}\nReturn-Path: <bounce@example.org>"
            )),
            ["bounce@example.org"]
        );
    }
    let told = Rules {
        envelope_sender: Some(address("envelope@example.org")),
        ..rules()
    };
    assert_eq!(
        sent(
            &told,
            "From: <>\nReturn-Path: <bounce@example.org>\n\n",
            "Reply-To"
        ),
        ["envelope@example.org"]
    );
    assert!(sent(&rules(), "From: <>\nReturn-Path: <>\n\n", "Reply-To").is_empty());
}

#[test]
#[allow(clippy::too_many_lines)] // A table.
fn a_prefix_comes_before_the_subject_once() {
    let subject = |prefix: &str, field: &str| {
        let rules = Rules {
            subject_prefix: Some(prefix.to_owned()),
            ..rules()
        };
        sent(&rules, &format!("{field}\n\nbody"), "Subject")
    };
    for (prefix, field, want) in [
        ("[shop] ", "Subject: Hello", "[shop] Hello"),
        ("[shop] ", "Subject: Re: [shop] Hello", "Re: [shop] Hello"),
        ("[shop] ", "Subject: [shop] Hello", "[shop] Hello"),
        (
            "[shop] ",
            "Subject: AW: Re[2]:FWD:[shop] Hello",
            "AW: Re[2]:FWD:[shop] Hello",
        ),
        // A sender must not suppress a mark by writing it where nobody looks.
        ("[shop] ", "Subject: Hello [shop]", "[shop] Hello [shop]"),
        (
            "[shop] ",
            "Subject: Re: Hello: [shop] x",
            "[shop] Re: Hello: [shop] x",
        ),
        ("[shop] ", "Subject: now: [shop] x", "[shop] now: [shop] x"),
        (
            "[shop] ",
            "Subject: =?utf-8?q?Re=3A_=5Bshop=5D_Gr=C3=BC=C3=9Fe?=",
            "=?utf-8?q?Re=3A_=5Bshop=5D_Gr=C3=BC=C3=9Fe?=",
        ),
        (
            "[shop] ",
            "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
            "[shop] =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
        ),
        (
            "[shop] ",
            "Subject: =?x-unknown?q?a=FF?=",
            "[shop] =?x-unknown?q?a=FF?=",
        ),
        ("Fwd:", "Subject: Hello", "Fwd:Hello"),
        ("[shop] ", "Subject:", "[shop]"),
        ("[shop] ", "X: y", "[shop]"),
        ("[shop] ", "Subject: a\nSubject: b", "[shop] a"),
        ("  ", "Subject: a", "a"),
    ] {
        assert_eq!(subject(prefix, field), [want], "{prefix:?} {field:?}");
    }
    let decoded = |prefix: &str, field: &str| {
        readdress::header::encoded_word::decode(subject(prefix, field)[0].as_bytes())
    };
    for (prefix, field, want) in [
        ("[Büro] ", "Subject: Hello", "[Büro] Hello"),
        ("[Büro] ", "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=", "[Büro] Grüße"),
        ("Weiter:", "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Weiter:Grüße"),
        ("[shop] ", "Subject: Grüße", "[shop] Grüße"),
        (
            "[shop] ",
            "Subject: =?utf-8?q?a=0D=0ABcc=3A_evil=40example=2Eorg?=",
            "[shop] a  Bcc: evil@example.org",
        ),
    ] {
        assert_eq!(decoded(prefix, field), want, "{prefix:?} {field:?}");
    }
}

#[test]
fn threads_hold() {
    let references = |header: &str| sent(&rules(), &format!("{header}\n\nbody"), "References");
    assert_eq!(
        references("Message-ID: <2@x>\nReferences: <0@x>\n <1@x>"),
        ["<0@x> <1@x> <2@x>"]
    );
    assert_eq!(references("Message-ID: <2@x>"), ["<2@x>"]);
    assert_eq!(
        references("Message-ID: <2@x>\nIn-Reply-To: <1@x>"),
        ["<1@x> <2@x>"]
    );
    assert_eq!(
        references("Message-ID: <2@x>\nIn-Reply-To: <1@x> <0@x>"),
        ["<2@x>"]
    );
    assert_eq!(
        references("Message-ID: (x) <2@x> (added by mail.example.org)\nReferences: <1@x>"),
        ["<1@x> <2@x>"]
    );
    assert_eq!(
        references("Message-ID: <2@x>\nIn-Reply-To: <1@x> (Jane's message)"),
        ["<1@x> <2@x>"]
    );
    assert_eq!(references("References: <1@x>"), ["<1@x>"]);
    assert_eq!(references("Message-ID: <1@x>\nReferences: <1@x>"), ["<1@x>"]);
    assert_eq!(references("Message-ID: nonsense\nReferences: <1@x>"), ["<1@x>"]);
    assert!(references("Message-ID: <a b@x>").is_empty());
    let many: String = (0..500).map(|n| format!(" <{n}@example.org>\n")).collect();
    assert!(
        references(&format!("Message-ID: <last@x>\nReferences:{many}"))[0]
            .ends_with("<499@example.org> <last@x>")
    );
}

#[test]
fn what_the_message_said_is_kept_beside() {
    let message = "From: J. <jane@example.org>\nSender: list@example.org\nDate: Tue, 24 Nov 2026 10:00:00 +0000\n\
                   Date: never\nMessage-ID: <1@example.org>\nMessage-ID: <2@example.org>\n\nbody";
    for (name, want) in [
        ("X-Original-From", "J. <jane@example.org>"),
        ("X-Original-To", "shop@example.com"),
        ("X-Original-Message-ID", "<1@example.org>"),
        ("X-Original-Date", "Tue, 24 Nov 2026 10:00:00 +0000"),
        ("X-Original-Sender", "list@example.org"),
        ("Date", "Tue, 24 Nov 2026 10:00:00 +0000"),
    ] {
        assert_eq!(sent(&rules(), message, name), [want], "{name}");
    }
    // Nobody but us writes these.
    for name in [
        "X-Original-From",
        "X-Original-Message-ID",
        "X-Original-Date",
        "X-Original-Sender",
    ] {
        let forged = format!("X: y\n{name}: forged\n{} : forged\n\n", name.to_uppercase());
        assert!(sent(&rules(), &forged, name).is_empty(), "{name}");
    }
}

#[test]
fn a_sender_gives_no_orders() {
    for field in [
        "X-SES-SOURCE-ARN: arn:aws:ses:x",
        "x-ses-configuration-set : evil",
        "X-Readdress-Loop: x",
        "Bcc: b@example.org",
        "Feedback-ID: x",
        "DKIM-Signature: v=1;\n b=x",
        "DomainKey-Signature: x",
        "Errors-To: e@example.org",
        "Delivered-To: d@example.org",
        "Return-Path: <r@example.org>",
        "Sender: s@example.org",
        "Resent-Bcc: b@example.org",
        "Disposition-Notification-To: b@example.org",
        "Return-Receipt-To: b@example.org",
        "X-Confirm-Reading-To: b@example.org",
        "Generate-Delivery-Report: yes",
    ] {
        let message = format!("From: jane@example.org\n{field}\nX-Kept: 1\n\nbody");
        let (out, _) = rewrite(&rules(), [message.as_bytes()]).unwrap();
        let name = field.split([':', ' ']).next().unwrap().to_lowercase();
        assert!(
            split(&out).fields.iter().all(|(field, _)| *field != name),
            "{field}"
        );
        assert_sealed(field, message.as_bytes(), &out);
    }
}

#[test]
fn a_message_without_lines_is_refused() {
    let bare = "From: jane@example.org\rSubject: x\r\rbody\r".to_owned();
    let body = "no header\rat all\r".to_owned();
    let long = format!("{}\r", "x ".repeat(100_000));
    let late = format!("{}\r{}", "x ".repeat(100_000), "y".repeat(100_000));
    let endless = format!("A: {}\r", "x".repeat(2 << 20)) + "\r";
    for message in [bare, body, long, late] {
        for size in [1, 1000, 1 << 30] {
            assert_eq!(
                rewrite(&rules(), message.as_bytes().chunks(size)),
                Err(Error::BareCr)
            );
        }
    }
    let limit = Limits::default().header;
    assert_eq!(
        rewrite(&rules(), [endless.as_bytes()]),
        Err(Error::HeaderTooLong { limit })
    );
    // No CR, no LF: one line, which is fine.
    let message = "x".repeat(200_000);
    for size in [999, 1 << 30] {
        assert!(
            rewrite(&rules(), message.as_bytes().chunks(size))
                .unwrap()
                .0
                .ends_with(message.as_bytes())
        );
    }
}

#[allow(clippy::too_many_lines)] // A table.
fn headers() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "From",
        "from ",
        "To",
        "Reply-To",
        "Subject",
        "References",
        "Message-ID",
        "Date",
        "Sender",
        "Bcc",
        "X-SES-X",
        "X-A",
        "In-Reply-To",
        "Return-Path",
        "Content-Type",
        "",
        " ",
        "From jane",
        "From jane@example.org",
        ">From jane 00:00",
        "\u{feff}",
        "\u{feff}From",
        "\u{feff}X-SES-X",
    ]);
    let piece = prop::sample::select(vec![
        " ",
        "\n ",
        "\r\n\t",
        "a",
        "jane@example.org",
        "<",
        ">",
        "\"",
        "(",
        ")",
        ",",
        ";",
        ":",
        "\\",
        "\r",
        "\0",
        "é",
        "=?utf-8?q?=0D=0ABcc:_x?=",
        "=?utf-8?b?",
        "?=",
        "<1@x>",
        "multipart/mixed; boundary=a",
        "\u{feff}",
        "\x7f",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]);
    let body = prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat());
    let field = (
        name,
        prop::sample::select(vec![":", ": ", ""]),
        body,
        prop::sample::select(vec!["\n", "\r\n", "\n", ""]),
    )
        .prop_map(|(name, colon, body, end)| format!("{name}{colon}{body}{end}"));
    let tail = prop::sample::select(vec![
        "",
        "\n",
        "\r\n",
        "\nbody",
        "\r\n\r\nbody\r\n",
        "\n--a\n\nx\n--a--",
    ]);
    (prop::collection::vec(field, 0..8), tail).prop_map(|(fields, tail)| fields.concat() + tail)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn any_header_section_goes_out_sealed(message in headers(), size in 1_usize..9, prefix in any::<bool>()) {
        let rules = Rules { subject_prefix: prefix.then(|| "[é] ".to_owned()), ..rules() };
        for message in [message.clone().into_bytes(), crlf(message.as_bytes())] {
            let whole = rewrite(&rules, [&message[..]]);
            prop_assert_eq!(&rewrite(&rules, message.chunks(size)), &whole);
            let Ok((out, _)) = whole else { continue };
            assert_sealed("random", &message, &out);
            // Controls in a Content-Type do not go out, and with them, perhaps, the boundary.
            let mut fields = split(&message).fields.into_iter();
            if fields.any(|(name, raw)| name.starts_with("content-") && cleaned(&raw) != Some(raw)) {
                continue;
            }
            // Below the header section nothing has changed for a reader of the output either.
            let body = |message: &[u8]| {
                let told = scan(Limits::default(), [message]);
                let at = told.iter().position(|event| event.kind == Kind::HeaderEnd).unwrap();
                told[at + 1..].iter().map(|event| (event.kind, event.depth, event.bytes.clone())).collect::<Vec<_>>()
            };
            if !split(&message).empty_line.is_empty() {
                prop_assert_eq!(body(&message), body(&out));
            }
        }
    }
}

/// The header section that goes out, as text.
fn header_sent(message: &[u8]) -> String {
    let (out, octets) = rewrite(&rules(), [message]).unwrap();
    assert_sealed("hostile", message, &out);
    String::from_utf8_lossy(&out[..usize::try_from(octets.after).unwrap()]).into_owned()
}

/// Some programs end a line at a bare CR, trim names of controls, or decode UTF-8 before they look at a name. Catches a
/// field that only these see: an order to SES, a second From, the end of the header section.
#[test]
fn no_field_hides_behind_a_bare_cr() {
    let sent = header_sent(
        b" X-SES-A: first line\r\n Bcc: fold\r\nFrom: jane@example.org\rX-SES-FROM-ARN: a\r\nSubject: s\rx-ses-a: b\r\n\
        X-A: b\r\x01\r\n X-SES-CONFIGURATION-SET: other\r\nX-B: d\r\x01\x0c X-SE\xc5\xbf-E: f\r\n\
        X-C: c\rReturn-Path: <ceo@example.com>\rFrom: ceo@example.com\r\rbody\r\nX-D: a\r\r\r\n\
        Reply-To: a@example.org,\rx-ses-b\r\n\r\nbody\r\n",
    );
    assert!(!sent.contains("first line") && !sent.contains("Bcc"), "{sent}");
    for kept in [
        "X-A: b \r\n X-SES-CONFIGURATION-SET: other\r\n",
        "X-B: d  X-SE\u{17f}-E: f\r\n",
        "X-C: c Return-Path: <ceo@example.com> From: ceo@example.com  body\r\n",
        "X-D: a  \r\n",
        "Reply-To: a@example.org, x-ses-b\r\n",
        "Subject: s x-ses-a: b\r\n",
    ] {
        assert!(sent.contains(kept), "{kept:?} in {sent}");
    }
}

/// Catches Japanese that is torn where its escape sequences are taken out.
#[test]
fn raw_iso_2022_jp_arrives() {
    let sent = header_sent(
        b"From: \x1b$B$3$s\x1b(B <jane@example.org>\r\nSubject: \x1b$B$3$s\x1b(B\r\n\
        Cc: \x1b$B$3\x1b(B <a@example.org>\r\n\r\n",
    );
    let header = decode(sent.as_bytes());
    assert!(
        header.contains("\u{3053}\u{3093} (jane at example.org)"),
        "{header}"
    );
    assert!(sent.contains("\r\nSubject: =?utf-8?b?44GT44KT?=\r\n"), "{sent}");
    assert!(
        sent.contains("\r\nCc: =?utf-8?b?44GT?= <a@example.org>\r\n"),
        "{sent}"
    );
}

/// Catches answers that come back round, to the alias and so to whoever wrote them.
#[test]
fn answers_do_not_go_to_the_alias() {
    for (header, want) in [
        (
            "From: jane@example.org\nReply-To: Shop <SHOP@Example.com>",
            Some("jane@example.org"),
        ),
        (
            "From: jane@example.org\nReply-To: shop+x@example.com, a@example.org",
            Some("a@example.org"),
        ),
        (
            "From: shop@example.com\nReturn-Path: <b@example.org>",
            Some("b@example.org"),
        ),
        ("From: shop@example.com\nReturn-Path: <shop@example.com>", None),
        (
            "From: jane@example.org\nReply-To: shop@example.org",
            Some("shop@example.org"),
        ),
    ] {
        let reply_to = sent(&rules(), &format!("{header}\n\nbody"), "Reply-To");
        assert_eq!(reply_to.first().map(String::as_str), want, "{header}");
    }
}

/// Catches a From whose cost grows with what nobody reads, and an address that the limit has cut in two.
#[test]
fn a_sender_is_read_up_to_a_limit() {
    let many = "a@example.org, ".repeat(10_000);
    let reply_to = &sent(&rules(), &format!("From: {many}\n\nbody"), "Reply-To")[0];
    assert_eq!(reply_to.matches("a@example.org").count(), 50);
    let long = format!(
        "From: jane@example.org, {} x@example.org\n\n",
        "x".repeat(1 << 16)
    );
    assert_eq!(sent(&rules(), &long, "Reply-To"), ["jane@example.org"]);
    let ids: String = (0..3000).map(|n| format!(" <{n}@x>\n")).collect();
    let references = &sent(
        &rules(),
        &format!("Message-ID: <last@x>\nReferences:{ids}\n"),
        "References",
    )[0];
    assert!(references.starts_with("<0@x> <2002@x> ") && references.ends_with("<2999@x> <last@x>"));
}

/// What goes out of the field, and the codes of what was mended.
fn mended(header: &str, field: &str) -> (String, String) {
    let header = format!("From: Jane <jane@example.org>\nTo: shop@example.com\n{header}\n\nHello.\n");
    let one = |name| sent(&rules(), &header, name).join(" | ");
    (one(field), one("X-Readdress-Notes"))
}

/// Refusals of SES as people report them, each a kind, with the outcome.
#[test]
#[allow(clippy::too_many_lines)] // A table.
fn what_ses_would_refuse_is_mended() {
    let long_name = "n".repeat(400);
    let long_cc = "person@example.org, ".repeat(60);
    for (header, field, want, notes) in [
        (
            "MIME-Version: 1.0\nMime-version: 1.0",
            "MIME-Version",
            "1.0",
            "duplicate-field",
        ),
        (
            "List-Id: \nList-Id: <a.example.org>",
            "List-Id",
            "<a.example.org>",
            "duplicate-field",
        ),
        (
            "Cc: a@example.org\nCc: b@example.org",
            "Cc",
            "a@example.org, b@example.org",
            "duplicate-field",
        ),
        (
            "Reply-To: Example, Jane <jane@example.org>",
            "Reply-To",
            "\"Example, Jane\" <jane@example.org>",
            "address-syntax",
        ),
        (
            "Reply-To: Jane <jane@example.org> <j@example.net>",
            "Reply-To",
            "Jane <jane@example.org>, j@example.net",
            "address-syntax",
        ),
        (
            "Reply-To: Desk, jane@example.org",
            "Reply-To",
            "jane@example.org",
            "address-syntax",
        ),
        (
            "Cc: <mailto:jane@example.org>",
            "Cc",
            "jane@example.org",
            "address-syntax",
        ),
        (
            "Cc: jane@example.org; joe@example.org",
            "Cc",
            "jane@example.org, joe@example.org",
            "address-syntax",
        ),
        (
            "Cc: Jane <jane@example.org",
            "Cc",
            "Jane <jane@example.org>",
            "address-syntax",
        ),
        (
            "Cc: jane@example.org.",
            "Cc",
            "jane@example.org",
            "address-syntax",
        ),
        (
            "Cc: joe@ex_ample.org, jane@example.org",
            "Cc",
            "jane@example.org",
            "address-syntax",
        ),
        (
            "Cc: joe@ex_ample.org, jane@example.org",
            "X-Original-Cc",
            "joe@ex_ample.org, jane@example.org",
            "address-syntax",
        ),
        (
            "Cc: Zo\u{eb} <zoe@example.org>",
            "Cc",
            "=?utf-8?q?Zo=C3=AB?= <zoe@example.org>",
            "address-not-ascii",
        ),
        (
            "Cc: zoe@b\u{fc}cher.example",
            "Cc",
            "zoe@xn--bcher-kva.example",
            "address-not-ascii",
        ),
        (
            "Cc: =?cp-850?q?x?= <jane@example.org>",
            "Cc",
            "jane@example.org",
            "unknown-charset",
        ),
        (
            "Cc: =?x-nobody-knows?q?x?= <jane@example.org>",
            "Cc",
            "jane@example.org",
            "unknown-charset",
        ),
        (
            "Resent-To: Example, Jane <jane@example.org>",
            "Resent-To",
            "\"Example, Jane\" <jane@example.org>",
            "address-syntax",
        ),
        ("Resent-To: nobody", "Resent-To", "", "address-syntax"),
        (
            "Resent-To: nobody",
            "X-Original-Resent-To",
            "nobody",
            "address-syntax",
        ),
        (
            "Content-Type: text/html; charset",
            "Content-Type",
            "text/html",
            "content-type-syntax",
        ),
        (
            "Content-Disposition: inline; filename=a b.txt",
            "Content-Disposition",
            "inline; filename=\"a b.txt\"",
            "content-disposition-syntax",
        ),
        ("ARC-Seal: i=1", "ARC-Seal", "", ""),
        (
            "List-Unsubscribe: <mailto:u@example.org>",
            "List-Unsubscribe",
            "",
            "",
        ),
        (
            "X-Original-To: shop@example.com",
            "X-Original-To",
            "shop@example.com",
            "",
        ),
        (
            "Cc: Friends: jane@example.org;",
            "Cc",
            "Friends: jane@example.org;",
            "",
        ),
    ] {
        let (text, codes) = mended(header, field);
        assert_eq!((&*text, &*codes), (want, notes), "{header}");
    }
    let (cc, codes) = mended(&format!("Cc: {long_name} <jane@example.org>"), "Cc");
    assert!(cc.len() <= 320 && cc.ends_with(" <jane@example.org>"), "{cc}");
    assert_eq!(codes, "address-too-long");
    let (cc, codes) = mended(&format!("Cc: {}", long_cc.trim_end_matches(", ")), "Cc");
    assert_eq!(cc.matches("person@example.org").count(), 49, "fifty with To");
    assert_eq!(codes, "too-many-addresses");
}

/// Catches a body that goes out as something else than what our scanner took it for.
#[test]
fn the_content_field_counts_that_the_scanner_follows() {
    for nothing in ["", " ", " (c)", " ;"] {
        let type_ = format!("Content-Type:{nothing}\nContent-Type: multipart/mixed; boundary=b");
        assert_eq!(
            mended(&type_, "Content-Type").0,
            "multipart/mixed; boundary=b",
            "{nothing:?}"
        );
        let encoding = format!("Content-Transfer-Encoding:{nothing}\nContent-Transfer-Encoding: base64");
        assert_eq!(
            mended(&encoding, "Content-Transfer-Encoding").0,
            "base64",
            "{nothing:?}"
        );
    }
}

/// Catches a header section that ends at a fold before a colon.
#[test]
fn a_long_field_is_not_folded_before_its_colon() {
    let pad = format!("X-Pad{}: {}", " ".repeat(80), "ab ".repeat(400));
    let (text, codes) = mended(&pad, "X-Pad");
    assert_eq!(
        (text.trim_end(), &*codes),
        ("ab ".repeat(400).trim_end(), "line-too-long")
    );
}

/// Catches a repair where the owner wants none.
#[test]
fn nothing_is_mended_where_repairs_are_off() {
    let message = "From: jane@example.org\nCc: Example, Jane <jane@example.org>\nComments: a\nComments: b\n\
        Content-Type: text\n\nHello.\n";
    let off = Rules {
        repair: Repair::Off,
        ..rules()
    };
    let (out, _) = rewrite(&off, [message.as_bytes()]).unwrap();
    let out = String::from_utf8(out).unwrap();
    for kept in [
        "\nCc: Example, Jane <jane@example.org>\n",
        "\nComments: a\nComments: b\n",
        "\nContent-Type: text\n",
    ] {
        assert!(out.contains(kept), "{out}");
    }
    assert!(!out.contains("X-Readdress-Notes"), "{out}");
}
