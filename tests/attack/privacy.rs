//! What a sender can get back: nothing that goes to anybody but the owner names the owner's mailbox, host or program, in any
//! decoding. What the owner writes into the text of an answer is the owner's affair.

use serde_json::{Value, json};

use readdress::forward::Ending;

use super::everywhere::find;
use super::world::{ALIAS, Arriving, JANE, OWNER, Sent, World, key, map};

/// The second owner of an alias.
const OMAR: &str = "omar@work.example";

/// Of the owners: mailboxes, hosts, programs.
const SECRETS: [&str; 9] = [
    "zoe.private",
    "home.example",
    "omar@",
    "work.example",
    "laptop",
    "203.0.113.77",
    "HomeMail",
    "spare@backup.example",
    "admin@ops.example",
];

fn is_owner(address: &str) -> bool {
    [OWNER, OMAR, "spare@backup.example", "admin@ops.example"].contains(&address)
}

/// Looks at everything that went to others than the owners, and returns how many mails that were.
fn assert_private(sent: &[Sent], what: &str) -> usize {
    let theirs: Vec<&Sent> = sent
        .iter()
        .filter(|sent| !sent.to.iter().all(|to| is_owner(to)))
        .collect();
    for sent in &theirs {
        for secret in SECRETS {
            let found = find(&sent.octets, secret);
            assert_eq!(found, None, "{what}: {secret}: {}", sent.octets.escape_ascii());
        }
        assert!(!sent.from.contains("home.example"), "{what}");
    }
    theirs.len()
}

/// A world in which Jane has written, and the reply address that the owner has got.
fn asked(map: &Value) -> (World, String) {
    asked_in(World::with_key(map))
}

fn asked_in(mut world: World) -> (World, String) {
    let octets = "From: Jane <jane@example.org>\r\nTo: Shop <shop@example.com>\r\nSubject: Order\r\n\
         Message-ID: <order@example.org>\r\n\r\nHello\r\n";
    let (outcome, sent) = world.arrive(octets.as_bytes());
    assert_eq!(outcome.ending, Ending::Sent, "{:?}", outcome.error);
    let reply_to = sent[0].address_in("Reply-To");
    (world, reply_to)
}

/// An answer of this owner with these fields, for these recipients.
fn answer(world: &mut World, from: &str, to: &[&str], fields: &str, body: &str) -> (Ending, Vec<Sent>) {
    let octets = format!("From: Zoe <{from}>\r\nSubject: Re: Order\r\n{fields}\r\n{body}\r\n");
    let (outcomes, sent) = world.receive(&Arriving {
        from,
        to,
        ..Arriving::new(octets.as_bytes())
    });
    (outcomes[0].ending, sent)
}

/// Fields that a mail program, a provider or a list may write, and each form of the owner's own address among the recipients.
const FIELDS: [&str; 77] = [
    "Received: from laptop.home.example ([203.0.113.77]) by smtp.home.example with ESMTPSA; today",
    "Received: from laptop (home.example [203.0.113.77])\r\n\tby mx.google.com",
    "Return-Path: <zoe.private@home.example>",
    "Sender: Zoe <zoe.private@home.example>",
    "Reply-To: zoe.private@home.example",
    "X-Sender: zoe.private@home.example",
    "X-Originating-IP: [203.0.113.77]",
    "X-Mailer: HomeMail 7",
    "User-Agent: HomeMail/7 (laptop)",
    "Message-ID: <a1@laptop.home.example>",
    "In-Reply-To: <a0@laptop.home.example>",
    "References: <order@example.org> <a0@laptop.home.example> <b@home.example>",
    "Resent-From: zoe.private@home.example",
    "Resent-Message-ID: <r@home.example>",
    "Bcc: zoe.private@home.example",
    "Delivered-To: zoe.private@home.example",
    "Disposition-Notification-To: zoe.private@home.example",
    "DKIM-Signature: v=1; d=home.example; s=x; h=from; b=eA==",
    "Authentication-Results: mx.home.example; dkim=pass",
    "ARC-Seal: i=1; d=home.example",
    "Autocrypt: addr=zoe.private@home.example; keydata=eA==",
    "Organization: laptop of home.example",
    "List-Unsubscribe: <mailto:zoe.private@home.example>",
    "Thread-Topic: home.example",
    "X-Gm-Message-State: zoe.private",
    "Date: Thu, 5 Mar 2026 09:30:08 +0100 (laptop)",
    "Comments: sent by HomeMail",
    "Keywords: home.example",
    "MIME-Version: 1.0 (HomeMail 7)",
    "Content-Type: text/plain; charset=utf-8 (HomeMail)",
    "Content-Type: text/plain (laptop.home.example); charset=utf-8",
    "Content-Type: (HomeMail)",
    "Content-Type: (laptop) text (HomeMail)",
    "Content-Type: text/plain; charset=utf-8; (home.example) (",
    "Content-Type: text/plain; charset=utf-8; x-host=laptop.home.example",
    "Content-Type: text/plain; x-by*0*=utf-8''Home; x-by*1=Mail; charset=utf-8",
    "Content-Type: text/plain; laptop.home.example; charset=utf-8",
    "Content-Type: laptop.home.example",
    "Content-Type: multipart/related; boundary=b; start=\"<p1@laptop.home.example>\"; start-info=HomeMail; type=\"text/html\"",
    "Content-Disposition: inline; x-by=HomeMail; modification-date=\"today (home.example)\"",
    "Content-Disposition: inline (HomeMail)",
    "Content-Disposition: (HomeMail)",
    "Content-Transfer-Encoding: (HomeMail)",
    "Content-Transfer-Encoding: (laptop) 8bit (",
    "Content-Transfer-Encoding: 7bit HomeMail",
    "Content-Transfer-Encoding: 7bit (HomeMail)",
    "Content-Description: from laptop",
    "Content-ID: <c@laptop.home.example>",
    "Content-Location: file://laptop/home/zoe.private",
    "Content-Base: http://home.example/",
    "X-Readdress-Notes: home.example",
    "X-SES-CONFIGURATION-SET: home.example",
    "X-Original-From: zoe.private@home.example",
    "X-Forwarded-For: zoe.private@home.example",
    "Cc: zoe.private@home.example",
    "Cc: Zoe <ZOE.PRIVATE@Home.Example>",
    "Cc: \"zoe.private\"@home.example",
    "Cc: \"zoe.private\"@home.example.",
    "Cc: zoe.private (home.example) @home.example, ann@example.org",
    "Cc: me: zoe.private@home.example;, ann@example.org",
    "Cc: <@laptop.home.example:zoe.private@home.example>",
    "Cc: zoe.private+shop@home.example",
    "Cc: zoe.private@home.example jane",
    "Cc: =?utf-8?q?zoe=2Eprivate=40home=2Eexample?= <shop@example.com>",
    "Cc: =?utf-8?b?em9lLnByaXZhdGVAaG9tZS5leGFtcGxl?= <zoe.private@home.example>",
    "Cc: \"zoe.private@home.example\" <ann@example.org>",
    "Cc: ann@example.org (zoe.private@home.example)",
    "Cc: \"zoe.private@home.example",
    "Cc: \"Zoe (zoe.private at home.example)\" <other@example.com>",
    "Cc: \"Zoe via home.example\" <other@example.com>",
    "Cc: \"ZOE.PRIVATE AT HOME.EXAMPLE\" <ann@example.org>",
    "Cc: =?utf-8?q?zoe=2Eprivate_at_home=2Eexample?= <ann@example.org>",
    "Cc: zoe.private at home.example <ann@example.org>",
    "Cc: ann@example.org (zoe.private at home.example)",
    "Cc: zoe.private%home.example@relay.example",
    "Cc: zoe.private=home.example@example.com",
    "Cc: SRS0=x=y=home.example=zoe.private@srs.example",
];

/// Catches a field, or a form of one, that gets past the allow-list.
#[test]
fn fields_of_an_answer() {
    let (mut world, reply_to) = asked(&map());
    // Privacy is no repair.
    let settings = [("key", &*key(1).to_text()), ("REPAIR", "off")];
    let (mut unrepaired, _) = asked_in(World::with(&map(), &settings));
    for field in FIELDS {
        // Once as it is, once behind another of its name, once with blanks before the colon.
        let name = field.split(':').next().unwrap();
        for field in [
            format!("{field}\r\n"),
            format!("{name}: \r\n{field}\r\n"),
            format!("{}\r\n", field.replacen(':', " \t:", 1)),
        ] {
            let to = if name == "To" {
                String::new()
            } else {
                format!("To: Jane <{reply_to}>\r\n")
            };
            for world in [&mut world, &mut unrepaired] {
                let (ending, sent) = answer(world, OWNER, &[&reply_to], &format!("{to}{field}"), "Hello");
                assert_eq!(ending, Ending::Sent, "{field}");
                assert_eq!(assert_private(&sent, &field), 1, "{field}");
            }
        }
    }
}

/// Names beside the reply address, as the owner's program has them from us or from an address book.
#[test]
fn names_in_an_answer() {
    let (mut world, reply_to) = asked(&map());
    for to in [
        format!("\"zoe.private@home.example\" <{reply_to}>"),
        format!("=?utf-8?q?zoe=2Eprivate=40home=2Eexample?= <{reply_to}>"),
        format!("{reply_to} (zoe.private@home.example)"),
        format!("{reply_to}, \"zoe.private at home.example\" <shop@example.com>"),
        format!("{reply_to}, {OWNER}"),
        format!("a: {reply_to}, {OWNER};"),
        OWNER.to_owned(),
        String::new(),
    ] {
        let (ending, sent) = answer(&mut world, OWNER, &[&reply_to], &format!("To: {to}\r\n"), "Hello");
        assert_eq!(ending, Ending::Sent, "{to}");
        assert_eq!(assert_private(&sent, &to), 1, "{to}");
    }
}

/// The addresses that get an alias's mail besides its targets: whoever reads there may answer to all.
#[test]
fn other_addresses_of_the_owner() {
    let mut map = map();
    map[ALIAS]["fallback"] = json!("spare@backup.example");
    map[ALIAS]["notify"] = json!("admin@ops.example");
    map[ALIAS]["repliers"] = json!(OMAR);
    let (mut world, reply_to) = asked(&map);
    for from in [OWNER, OMAR] {
        let fields = format!(
            "To: {reply_to}, {OMAR}\r\nCc: {OWNER}, Spare <spare@backup.example>, admin@ops.example, ann@example.org\r\n"
        );
        let (ending, sent) = answer(&mut world, from, &[&reply_to], &fields, "Hello");
        assert_eq!(ending, Ending::Sent);
        assert_eq!(assert_private(&sent, from), 1);
        assert_eq!(sent[0].mailboxes("Cc"), ["ann@example.org"]);
    }
}

/// Reply addresses of other aliases that a key made which is no longer kept, or that somebody made up: they say who the
/// correspondent was, and that may have been an owner.
#[test]
fn reply_addresses_whose_signatures_do_not_hold() {
    let map = json!({ALIAS: OWNER, "bob@example.com": OMAR, "@*.other.example": OMAR, "old.example": OMAR});
    let (mut world, reply_to) = asked(&map);
    for other in [
        "bob+zoe.private=home.example.00000000@example.com",
        "bob+someone=example.org.00000000@example.com",
        "bob+r0.m1.00000000@a.other.example",
        "bob+zoe.private=home.example.00000000@unknown.example",
        "bob+=omar=work.example.00000000@unknown.example",
        "bob+omar=2bx=work.example.00000000@unknown.example",
        // The map has an alias on any domain.
        "bank+someone=example.org.00000000@another.example",
    ] {
        let fields = format!("To: {reply_to}\r\nCc: {other}, ann@example.org\r\n");
        let (ending, sent) = answer(&mut world, OWNER, &[&reply_to], &fields, "Hello");
        assert_eq!(ending, Ending::Sent, "{other}");
        assert_eq!(assert_private(&sent, other), 1, "{other}");
        assert_eq!(sent[0].mailboxes("Cc"), ["ann@example.org"], "{other}");
    }
    // Another program's address of this form.
    let fields = format!("To: {reply_to}\r\nCc: bounce+ann=example.org@lists.example\r\n");
    let (_, sent) = answer(&mut world, OWNER, &[&reply_to], &fields, "Hello");
    assert_eq!(sent[0].mailboxes("Cc"), ["bounce+ann=example.org@lists.example"]);
}

/// Two owners answer to all, and one of them its own answer: what their programs refer to must not reach the correspondent.
#[test]
fn references_between_owners() {
    let (mut world, reply_to) = asked(&json!({ALIAS: [OWNER, OMAR]}));
    let both = [&reply_to, ALIAS];
    let of_ses = "<0100-1@eu-west-1.amazonses.com>";
    for (zoe, then) in [
        // Zoe answers Jane; then her own answer; then with nothing but In-Reply-To.
        (
            format!("In-Reply-To: {of_ses}\r\nReferences: <order@example.org> {of_ses}\r\n"),
            "an answer",
        ),
        (
            format!(
                "In-Reply-To: <z1@laptop.home.example>\r\nReferences: <order@example.org> {of_ses} <z1@laptop.home.example>\r\n"
            ),
            "an answer to her own",
        ),
        (
            "In-Reply-To: <z1@laptop.home.example>\r\n".to_owned(),
            "without references",
        ),
        (
            "References: <z1@laptop.home.example>\r\n".to_owned(),
            "references alone",
        ),
        (
            format!(
                "In-Reply-To: <z1@laptop.home.example> {of_ses}\r\nReferences: z2@laptop.home.example <z1@laptop.home.example>\r\n"
            ),
            "several",
        ),
    ] {
        let fields =
            format!("To: {reply_to}\r\nCc: {ALIAS}\r\nMessage-ID: <z2@laptop.home.example>\r\n{zoe}");
        let (_, sent) = answer(&mut world, OWNER, &both, &fields, "Hello");
        assert_eq!(assert_private(&sent, then), 1, "{then}");
        let to_omar = sent.iter().find(|sent| sent.to == [OMAR]).expect(then);
        // Omar's program writes references as RFC 5322 3.6.4 says.
        let parent = "<0100-2@eu-west-1.amazonses.com>";
        let before = to_omar.field("References").or(to_omar.field("In-Reply-To"));
        let fields = format!(
            "To: {reply_to}\r\nIn-Reply-To: {parent}\r\nReferences: {} {parent}\r\n",
            before.unwrap_or_default()
        );
        let (ending, sent) = answer(&mut world, OMAR, &[&reply_to], &fields, "Hello");
        assert_eq!(ending, Ending::Sent, "{then}");
        assert_eq!(assert_private(&sent, then), 1, "{then}");
    }
}

/// An owner's answer with the alias of another owner in Cc, who gets it by that alias and answers to all.
#[test]
fn references_between_owners_of_different_aliases() {
    let map = json!({ALIAS: [OWNER, OMAR], "bob@example.com": OMAR, "spare@example.com": "@work.example"});
    for cc in ["bob@example.com", "spare@example.com"] {
        let (mut world, reply_to) = asked(&map);
        let of_ses = "<0100-1@eu-west-1.amazonses.com>";
        let fields = format!(
            "To: {reply_to}\r\nCc: {cc}\r\nMessage-ID: <o1@laptop.home.example>\r\nIn-Reply-To: {of_ses}\r\n\
             References: <order@example.org> {of_ses}\r\n"
        );
        let (_, sent) = answer(&mut world, OWNER, &[&reply_to, cc], &fields, "Hello");
        let to_omar = sent.iter().find(|sent| sent.to != [JANE]).unwrap();
        let parent = "<0100-2@eu-west-1.amazonses.com>";
        let before = to_omar.field("References").unwrap_or_default();
        let fields = format!("To: {reply_to}\r\nIn-Reply-To: {parent}\r\nReferences: {before} {parent}\r\n");
        let (ending, sent) = answer(&mut world, OMAR, &[&reply_to], &fields, "Hello");
        assert_eq!(ending, Ending::Sent);
        assert_eq!(assert_private(&sent, cc), 1);
    }
}

/// Parts of an answer that SES does not take: what is written in their place tells nothing.
#[test]
fn an_answer_that_is_repaired() {
    let (mut world, reply_to) = asked(&map());
    let mixed = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n";
    let blocked =
        "--b\r\n\r\nHello\r\n--b\r\nContent-Type: application/octet-stream; name=a.exe\r\n\r\nMZ\r\n--b--";
    let long = format!("--b\r\n\r\nHello\r\n{}\r\n--b--", "x".repeat(1500));
    for body in [blocked, &long] {
        let fields = format!("To: {reply_to}\r\n{mixed}");
        let (ending, sent) = answer(&mut world, OWNER, &[&reply_to], &fields, body);
        assert_eq!(ending, Ending::Sent);
        assert_eq!(assert_private(&sent, body), 1);
        assert_eq!(find(&sent[0].octets, "bucket"), None);
    }
}

/// What is not sent is told to the owner alone, and an owner's program answers nobody.
#[test]
fn what_is_not_sent() {
    let (mut world, reply_to) = asked(&map());
    let large = "x".repeat(11 << 20);
    let forged = reply_to.replace("jane", "joan");
    let away = "Auto-Submitted: auto-replied\r\n";
    for (to, fields, body) in [
        (&reply_to, away, "I am away."),
        (&reply_to, "Precedence: bulk\r\n", "I am away."),
        (
            &reply_to,
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n",
            "x",
        ),
        (&forged, "", "Hello"),
        (&reply_to, "no field\r\nUser-Agent: HomeMail\r\n", "Hello"),
        (&reply_to, "", &large),
    ] {
        let (ending, sent) = answer(&mut world, OWNER, &[to], fields, body);
        assert_ne!(ending, Ending::Sent, "{fields}");
        assert_eq!(assert_private(&sent, fields), 0, "{fields}");
    }
}

/// Catches fields of the owner that go out as text, and an owner who believes that the answer went out.
#[test]
fn a_header_section_that_ends_in_a_line_that_is_no_field() {
    let (mut world, reply_to) = asked(&map());
    for line in [
        "this line is no field",
        ": x",
        "no field\r\n\r\nUser-Agent: HomeMail",
    ] {
        let fields = format!(
            "To: {reply_to}\r\n{line}\r\nUser-Agent: HomeMail\r\nMessage-ID: <a@laptop.home.example>\r\n"
        );
        let octets = format!("From: {OWNER}\r\nSubject: Re: Order\r\n{fields}\r\nHello\r\n");
        let (outcomes, sent) = world.receive(&Arriving {
            from: OWNER,
            to: &[&reply_to],
            ..Arriving::new(octets.as_bytes())
        });
        assert_eq!(
            (outcomes[0].reason, outcomes[0].told),
            (Some("malformed"), true),
            "{line}"
        );
        assert_eq!(assert_private(&sent, line), 0, "{line}");
    }
}

/// Whatever Jane sends, nothing comes back to her.
#[test]
fn nothing_comes_back_to_a_sender() {
    let map = json!({ALIAS: {"to": [OWNER, OMAR], "spam": "hold"}, "gone@example.com": {"to": OWNER, "enabled": false}});
    let mut world = World::with(&map, &[("MAX_SEND_BYTES", "200000"), ("key", &key(1).to_text())]);
    let large = "x".repeat(300_000);
    for (to, spam, fields, body) in [
        (ALIAS, "PASS", "", "Hello"),
        (ALIAS, "FAIL", "", "Hello"),
        (ALIAS, "PASS", "", &*large),
        (ALIAS, "PASS", "Auto-Submitted: auto-replied\r\n", "Away"),
        (
            ALIAS,
            "PASS",
            "Return-Receipt-To: jane@example.org\r\nDisposition-Notification-To: jane@example.org\r\n",
            "x",
        ),
        ("gone@example.com", "PASS", "", "Hello"),
        ("nobody@example.com", "PASS", "", "Hello"),
        ("shop+jane=example.org.00000000@example.com", "PASS", "", "Hello"),
    ] {
        let octets = format!("From: Jane <{JANE}>\r\nTo: {to}\r\nSubject: Order\r\n{fields}\r\n{body}\r\n");
        let (_, sent) = world.receive(&Arriving {
            to: &[to],
            spam,
            ..Arriving::new(octets.as_bytes())
        });
        assert!(
            sent.iter().all(|sent| sent.to.iter().all(|to| is_owner(to))),
            "{to} {fields}"
        );
    }
}
