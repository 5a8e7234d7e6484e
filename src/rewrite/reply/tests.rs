//! Tests of the fields of an owner's answer, and of both directions together.

use super::*;
use crate::rewrite::{HeaderReader, Replies, Rules, correspondents};

const ID: &str = "o3vrnil0e2ic28trm6qo8rma1d4dl7kbo9b40b01";

fn addr(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn key() -> Arc<AliasKey> {
    Arc::new(AliasKey::new(std::array::from_fn(|at| u8::try_from(at).unwrap())))
}

fn tag(alias: &str, correspondent: &str) -> String {
    key()
        .reply_address(&addr(alias), &addr(correspondent))
        .unwrap()
        .to_string()
}

fn head(message: &str) -> Head {
    HeaderReader::default()
        .read(&mut message.as_bytes(), true)
        .unwrap()
        .unwrap()
}

fn reply(recipients: &[&str]) -> ReplyRules {
    let recipients = recipients
        .iter()
        .map(|text| (addr(&tag("shop@example.com", text)), addr(text)));
    ReplyRules {
        alias: addr("shop@example.com"),
        name: Some("The Shop".to_owned()),
        owners: vec![addr("owner@private.example"), addr("Second@private.example")],
        all_owners: Arc::default(),
        key: key(),
        recipients: recipients.collect(),
        repair: Repair::default(),
        strict: false,
    }
}

fn sent(rules: &ReplyRules, message: &str) -> String {
    let (header, _) = rules.new_header(&head(message), &PartEdits::default());
    String::from_utf8(header).unwrap().replace("\r\n ", " ")
}

fn forward(replies: Replies) -> Rules {
    Rules {
        key: Some(key()),
        replies,
        message_id: Some(ID.to_owned()),
        ..Rules::new(addr("shop@example.com"), vec![addr("owner@private.example")])
    }
}

fn forwarded(rules: &Rules, message: &str) -> String {
    String::from_utf8(rules.rewrite(&head(message)))
        .unwrap()
        .replace("\r\n ", " ")
}

fn field<'a>(header: &'a str, name: &str) -> &'a str {
    let found = header
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    found.unwrap_or_default()
}

/// The mail of a program that tells all it knows.
fn answer(to: &str, cc: &str) -> String {
    format!(
        "Return-Path: <owner@private.example>\r\n\
         Received: from host.private.example ([192.0.2.7]) by inbound-smtp.eu-west-1.amazonaws.com; now\r\n\
         X-SES-Receipt: x\r\n\
         X-Originating-IP: 192.0.2.7\r\n\
         DKIM-Signature: v=1; d=private.example\r\n\
         Authentication-Results: amazonses.com; spf=pass smtp.mailfrom=private.example\r\n\
         Message-ID: <m1@host.private.example>\r\n\
         Date: Thu, 26 Nov 2026 10:00:00 +0545\r\n\
         From: Olive Owner <owner@private.example>\r\n\
         Sender: owner@private.example\r\n\
         Reply-To: owner@private.example\r\n\
         To: {to}\r\n\
         Cc: {cc}\r\n\
         Bcc: secret@private.example\r\n\
         Subject: Re: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
         Mime-Version: 1.0 (Private Mail 16.0 \\(3696\\))\r\n\
         Content-Type: text/plain; charset=utf-8 (Private Mail)\r\n\
         Content-Transfer-Encoding: 8bit\r\n\
         Content-Language: ne\r\n\
         Content-ID: <part@host.private.example>\r\n\
         User-Agent: Private Mail/16\r\n\
         X-Mailer: Private Mail\r\n\
         X-Readdress-Route: 00112233445566778899\r\n\
         X-Anything: private\r\n\
         Organization: Private Ltd\r\n\
         Autocrypt: addr=owner@private.example\r\n\
         Thread-Index: private\r\n\
         Disposition-Notification-To: owner@private.example\r\n\
         In-Reply-To: <x1@eu-west-1.amazonses.com>\r\n\
         References: <old@host.private.example> <c1@example.org>\r\n <x1@eu-west-1.amazonses.com> <m0@host.private.example>\r\n\
         \r\nBody\r\n"
    )
}

/// Catches every field that tells of the owner's mailbox, host or program: nothing goes out that is not named here.
#[test]
fn only_what_is_named_goes_out() {
    let jane = tag("shop@example.com", "jane@example.org");
    let message = answer(
        &format!("\"jane at example.org\" <{jane}>, OWNER@private.example, shop+x@example.com"),
        &format!(
            "Omar <omar@example.net>, Owner <second@private.example>, {}",
            tag("other@example.com", "zoe@example.org")
        ),
    );
    assert_eq!(
        sent(&reply(&["jane@example.org"]), &message),
        "Subject: Re: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\
         From: The Shop <shop@example.com>\r\n\
         To: jane@example.org\r\n\
         Cc: Omar <omar@example.net>\r\n\
         In-Reply-To: <c1@example.org>\r\n\
         References: <c1@example.org> <x1@eu-west-1.amazonses.com>\r\n\
         MIME-Version: 1.0\r\n\
         \r\n"
    );
}

#[test]
#[allow(clippy::too_many_lines)]
fn to_and_cc_name_whom_the_correspondent_may_know() {
    let [jane, zoe] = ["jane@example.org", "zoe@example.org"].map(|text| tag("shop@example.com", text));
    let forged = jane.replace("jane=", "eve=");
    for (recipients, to, cc, expected) in [
        (
            &["jane@example.org"][..],
            format!("Jane <{jane}>"),
            String::new(),
            ("Jane <jane@example.org>", ""),
        ),
        // A program that writes all in capitals, and one that repeats the address for a name.
        (
            &["jane@example.org"],
            format!("\"{jane}\" <{}>", jane.to_uppercase()),
            String::new(),
            ("jane@example.org", ""),
        ),
        // Blind copies: to one, to two, and beside somebody.
        (
            &["jane@example.org"],
            "owner@private.example".to_owned(),
            String::new(),
            ("jane@example.org", ""),
        ),
        (
            &["jane@example.org", "zoe@example.org"],
            "undisclosed-recipients:;".to_owned(),
            String::new(),
            ("", ""),
        ),
        (
            &["jane@example.org", "zoe@example.org"],
            jane.clone(),
            String::new(),
            ("jane@example.org", ""),
        ),
        (
            &["jane@example.org", "zoe@example.org"],
            jane.clone(),
            format!("{zoe}, {jane}"),
            ("jane@example.org", "zoe@example.org"),
        ),
        // Neither a tag of another's making, nor one of a list that looks like ours.
        (
            &["jane@example.org"],
            format!("{jane}, {forged}"),
            "list+a=b@example.net".to_owned(),
            ("jane@example.org", "list+a=b@example.net"),
        ),
    ] {
        let header = sent(&reply(recipients), &answer(&to, &cc));
        assert_eq!(
            (field(&header, "To"), field(&header, "Cc")),
            expected,
            "{to} {cc}"
        );
        assert!(
            !header.contains("private") && !header.contains('+') || cc.starts_with("list"),
            "{header}"
        );
    }
    let nameless = ReplyRules {
        name: None,
        ..reply(&["jane@example.org"])
    };
    assert_eq!(
        field(&sent(&nameless, &answer(&jane, "")), "From"),
        "shop@example.com"
    );
}

#[test]
fn references_are_those_that_the_correspondent_knows() {
    for (in_reply_to, references, expected) in [
        ("", "", ("", "")),
        (
            "<x@email.amazonses.com>",
            "",
            ("<x@email.amazonses.com>", "<x@email.amazonses.com>"),
        ),
        ("<m@host.example>", "<m@host.example>", ("", "")),
        // The owner answers its own mail.
        (
            "<m2@host.example>",
            "<c@a.org> <x@email.amazonses.com> <m2@host.example>",
            ("", "<c@a.org> <x@email.amazonses.com>"),
        ),
        (
            "<z@us.amazonses.com>",
            "<c@a.org> <y@us.amazonses.com> <d@a.org> <z@us.amazonses.com>",
            (
                "<d@a.org>",
                "<c@a.org> <y@us.amazonses.com> <d@a.org> <z@us.amazonses.com>",
            ),
        ),
        (
            "<x@amazonses.com.evil.example>",
            "<m@host.example> <x@amazonses.com.evil.example>",
            ("", ""),
        ),
    ] {
        let message = format!("In-Reply-To: {in_reply_to}\r\nReferences: {references}\r\n\r\n");
        let header = sent(&reply(&["jane@example.org"]), &message);
        assert_eq!(
            (field(&header, "In-Reply-To"), field(&header, "References")),
            expected,
            "{message}"
        );
    }
}

/// There and back: the owner's answer turns the addresses that the forward direction showed into the original ones.
#[test]
fn an_answer_to_a_forwarded_mail_reaches_its_sender() {
    let long = format!("{}@example.org", "bounce-".repeat(8));
    for (message, reply_to) in [
        (
            "From: Jane <jane@example.org>\r\n\r\n".to_owned(),
            format!("Jane <{}>", tag("shop@example.com", "jane@example.org")),
        ),
        (
            "From: a@example.org\r\nReply-To: jane@example.org, Zoe <zoe@example.org>\r\n\r\n".to_owned(),
            format!(
                "\"jane at example.org\" <{}>, Zoe <{}>",
                tag("shop@example.com", "jane@example.org"),
                tag("shop@example.com", "zoe@example.org")
            ),
        ),
        (
            format!("Return-Path: <r@example.org>\r\nFrom: Long <{long}>\r\n\r\n"),
            format!(
                "Long <{}>",
                key()
                    .stored_reply_address(&addr("shop@example.com"), ID, 0)
                    .unwrap()
            ),
        ),
    ] {
        let header = forwarded(&forward(Replies::Sender), &message);
        assert_eq!(field(&header, "Reply-To"), reply_to);
        assert_eq!(field(&header, "X-Readdress-Notes"), "");
        assert!(field(&header, "X-Original-From").contains('@'));
    }
    let stored = key()
        .stored_reply_address(&addr("shop@example.com"), ID, 0)
        .unwrap();
    assert_eq!(
        correspondents(&head(&format!("From: Long <{long}>\r\n\r\n")))[0],
        addr(&long)
    );
    let rules = ReplyRules {
        recipients: vec![(stored.clone(), addr(&long))],
        ..reply(&[])
    };
    let header = sent(&rules, &answer(&stored.to_string(), ""));
    assert_eq!(field(&header, "To"), long);
    assert_eq!(rules.targets(), [addr(&long)]);
}

#[test]
fn answers_go_as_today_where_there_is_no_reply_address() {
    let many = (0..=10)
        .map(|n| format!("a{n}@example.org"))
        .collect::<Vec<_>>()
        .join(", ");
    let literal = "jane@[192.0.2.1]";
    let capital = Rules {
        message_id: Some("Capital".to_owned()),
        ..forward(Replies::Sender)
    };
    let long = format!("{}@example.org", "x".repeat(60));
    for (rules, reply_to, expected) in [
        (forward(Replies::Sender), many.clone(), many.clone()),
        (
            Rules {
                message_id: None,
                ..forward(Replies::Sender)
            },
            literal.to_owned(),
            literal.to_owned(),
        ),
        (capital, long.clone(), long),
    ] {
        let header = forwarded(
            &rules,
            &format!("From: jane@example.org\r\nReply-To: {reply_to}\r\n\r\n"),
        );
        assert_eq!(field(&header, "Reply-To"), expected);
        assert_eq!(field(&header, "X-Readdress-Notes"), "no-reply-address");
    }
    let message = "From: jane@example.org\r\nTo: shop@example.com, zoe@example.org\r\n\r\n";
    let off = forwarded(&forward(Replies::Off), message);
    assert_eq!(field(&off, "Reply-To"), "jane@example.org");
    // The loop marker is signed all the same.
    assert_ne!(
        off,
        forwarded(
            &Rules {
                key: None,
                ..forward(Replies::Off)
            },
            message
        )
    );
}

#[test]
fn an_answer_to_all_stays_private_where_that_is_wanted() {
    let message = "From: jane@example.org\r\nTo: Shop <shop@example.com>, Zoe <zoe@example.org>, owner@private.example\r\n\
                   Cc: omar@example.net\r\nList-Unsubscribe: <mailto:u@example.org>, <https://example.org/u>\r\n\r\n";
    let all = forwarded(&forward(Replies::All), message);
    assert_eq!(
        field(&all, "To"),
        format!(
            "Shop <shop@example.com>, Zoe <{}>, owner@private.example",
            tag("shop@example.com", "zoe@example.org")
        )
    );
    assert_eq!(
        field(&all, "Cc"),
        format!(
            "\"omar at example.net\" <{}>",
            tag("shop@example.com", "omar@example.net")
        )
    );
    assert_eq!(field(&all, "X-Original-Cc"), "omar@example.net");
    let unsubscribe = tag("shop@example.com", "u@example.org")
        .replace('+', "%2B")
        .replace('=', "%3D");
    assert_eq!(
        field(&all, "List-Unsubscribe"),
        format!("<mailto:{unsubscribe}>, <https://example.org/u>")
    );
    let sender = forwarded(&forward(Replies::Sender), message);
    assert_eq!(field(&sender, "Cc"), "omar@example.net");
}

/// Catches the owner's own message id on its way to a correspondent: in a message that one target wrote to the alias and
/// another answers.
#[test]
fn ids_of_owners_do_not_become_references() {
    let message = "From: Owner <OWNER@private.example>\r\nMessage-ID: <m@host.private.example>\r\n\r\n";
    let references =
        |rules: &Rules, message: &str| field(&forwarded(rules, message), "References").to_owned();
    assert_eq!(references(&forward(Replies::Sender), message), "");
    let other = message.replace("OWNER", "second");
    assert_eq!(
        references(&forward(Replies::Sender), &other),
        "<m@host.private.example>"
    );
    let owners = vec![addr("second@private.example")];
    assert_eq!(
        references(
            &Rules {
                owners,
                ..forward(Replies::Sender)
            },
            &other
        ),
        ""
    );
    let without = Rules {
        key: None,
        ..forward(Replies::Sender)
    };
    assert_eq!(references(&without, message), "<m@host.private.example>");
}
