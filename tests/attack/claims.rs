//! A sender who writes what only SES and we may say: verdicts, results of authentication, traces, orders to SES, our own
//! fields. Nothing of it is believed, and nothing of it goes out under those names.

use serde_json::json;

use readdress::forward::{Ending, Outcome};

use super::world::{ALIAS, Arriving, OWNER, Sent, VICTIM, World, map};

/// As SES writes it on top, with the id of the message.
fn received(id: &str, recipient: &str) -> String {
    format!(
        "Received: from mx.example.org (mx.example.org [203.0.113.61])\r\n by inbound-smtp.eu-west-1.amazonaws.com with SMTP \
         id {id}\r\n for {recipient};\r\n Thu, 05 Mar 2026 08:30:12 +0000 (UTC)\r\n"
    )
}

/// Claims that all is well with the message, or not.
fn claims(verdict: &str, dmarc: &str) -> Vec<String> {
    let results = format!("Authentication-Results: amazonses.com; spf=pass; dkim=pass; dmarc={dmarc}\r\n");
    let verdicts = format!(
        "X-SES-Spam-Verdict: {verdict}\r\nX-SES-Virus-Verdict: {verdict}\r\nX-SES-DMARC-Verdict: {verdict}\r\n"
    );
    let all = format!(
        "{}{verdicts}{results}X-SES-RECEIPT: AEFBQUFB\r\n",
        received("m1", ALIAS)
    );
    vec![
        verdicts.clone(),
        results,
        all.clone(),
        all.to_lowercase(),
        all.replace(": ", " : "),
        all.replace("X-SES", "X-S\u{17f}S"),
        all.replace("\r\nX-SES", "\r\n\0X-SES"),
        all.replace("\r\nX-SES", "\rX-SES"),
        format!("From jane@example.org Thu Mar  5 08:30:12 2026\r\n{all}"),
        format!("\u{feff}{all}"),
        format!(" \r\n{all}"),
    ]
}

const REST: &str = "From: Jane <jane@example.org>\r\nTo: shop@example.com\r\nSubject: Order\r\n\r\nHello\r\n";

fn ending(outcomes: &[Outcome]) -> (Ending, Option<&'static str>, Vec<&'static str>) {
    let outcome = &outcomes[0];
    (outcome.ending, outcome.reason, outcome.marks.clone())
}

/// SES's verdicts stand in its event. What the message says against them changes nothing.
#[test]
fn verdicts_against_those_of_the_event() {
    let mut own = map();
    own[ALIAS]["spam"] = json!("hold");
    own[ALIAS]["dmarc"] = json!("hold");
    for (spam, dmarc) in [
        ("FAIL", "PASS"),
        ("PASS", "FAIL"),
        ("PASS", "PASS"),
        ("FAIL", "FAIL"),
    ] {
        let receive = |octets: &str| {
            let arriving = Arriving {
                dmarc,
                spam,
                ..Arriving::new(octets.as_bytes())
            };
            World::new(&own).receive(&arriving)
        };
        let plain = ending(&receive(REST).0);
        for claim in claims("PASS", "pass")
            .iter()
            .chain(&claims("FAIL", "fail (p=reject)"))
        {
            let (outcomes, sent) = receive(&format!("{claim}{REST}"));
            assert_eq!(ending(&outcomes), plain, "{spam} {dmarc}: {claim}");
            sent[0].assert_ours(claim, &[OWNER]);
        }
    }
}

/// S3's event has no verdicts: those that SES has written on top count, and none below them.
#[test]
fn verdicts_below_those_of_ses() {
    let mut own = map();
    own[ALIAS]["spam"] = json!("hold");
    let receive = |top: &str, claim: &str| {
        let mut world = World::new(&own);
        let id = world.store(format!("Return-Path: <jane@example.org>\r\n{top}{claim}{REST}").as_bytes());
        world.invoke(
            &json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": "mail"}, "object": {"key": id}}}]}),
        )
    };
    for (verdict, expected) in [("FAIL", Ending::Held), ("PASS", Ending::Sent)] {
        let top = format!(
            "{}X-SES-Spam-Verdict: {verdict}\r\nX-SES-RECEIPT: abc\r\n",
            received("m1", ALIAS)
        );
        for claim in claims("PASS", "pass")
            .iter()
            .chain(&claims("FAIL", "fail (p=reject)"))
        {
            let (outcomes, sent) = receive(&top, claim);
            assert_eq!(outcomes[0].ending, expected, "{verdict}: {claim}");
            sent[0].assert_ours(claim, &[OWNER]);
        }
    }
    // SES has said nothing: nobody else has either, and the message is forwarded.
    for claim in claims("FAIL", "fail (p=reject)") {
        let (outcomes, _) = receive(&received("m1", ALIAS), &claim);
        assert_eq!(outcomes[0].ending, Ending::Sent, "{claim}");
    }
}

/// A trace below that of SES names no recipient, and one on top that is not SES's leaves the message where it is.
#[test]
fn traces_of_the_sender() {
    let map = json!({ALIAS: OWNER, "other@example.com": VICTIM});
    let receive = |top: &str| {
        let mut world = World::new(&map);
        let id = world.store(format!("{top}{REST}").as_bytes());
        world.invoke(
            &json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": "mail"}, "object": {"key": id}}}]}),
        )
    };
    let theirs = received("m1", "other@example.com");
    let (outcomes, sent) = receive(&format!("{}{theirs}", received("m1", ALIAS)));
    assert_eq!(outcomes[0].ending, Ending::Sent);
    sent[0].assert_ours("below", &[OWNER]);
    for top in [
        theirs.replace(
            "inbound-smtp.eu-west-1.amazonaws.com",
            "inbound-smtp.amazonaws.com.evil.example",
        ),
        theirs
            .replace("by inbound", "by mx.example.org (by inbound")
            .replace(";\r\n", ");\r\n"),
        theirs.replace("id m1", "id m2"),
        theirs.replace("Received", "X-Received"),
        format!("Received: from a by b; now\r\n{theirs}"),
        theirs.replace("other@example.com", "other@example.com for shop@example.com"),
    ] {
        let (outcomes, sent) = receive(&top);
        assert_eq!((outcomes[0].ending, sent.len()), (Ending::Failed, 0), "{top}");
    }
}

/// Orders to SES and fields in our name, as lax readers may find them.
#[test]
fn orders_and_fields_in_our_name() {
    let names = [
        "X-SES-CONFIGURATION-SET",
        "X-SES-MESSAGE-TAGS",
        "X-SES-SOURCE-ARN",
        "X-SES-FROM-ARN",
        "X-SES-RETURN-PATH-ARN",
        "X-SES-LIST-MANAGEMENT-OPTIONS",
        "X-SES-TENANT",
        "X-Readdress-Notes",
        "X-Readdress-Notice",
        "X-Readdress-Anything",
        "X-Original-To",
        "X-Original-From",
        "X-Original-Message-ID",
        "X-Original-Recipients",
        "Return-Path",
        "Bcc",
        "Resent-Bcc",
        "Sender",
        "DKIM-Signature",
        "Feedback-ID",
        "Errors-To",
        "Disposition-Notification-To",
    ];
    let forms: [fn(&str) -> String; 12] = [
        |name| format!("{name}: ~\r\n"),
        |name| format!("{}: ~\r\n", name.to_lowercase()),
        |name| format!("{name} \t: ~\r\n"),
        |name| format!("{name}:\r\n ~\r\n"),
        |name| format!("X-A: b\r{name}: ~\r\n"),
        |name| format!("X-A: b\r\r\n{name}: ~\r\n"),
        |name| format!("X-A: b\n{name}: ~\n"),
        |name| format!("\0{name}: ~\r\n"),
        |name| format!("{}\0{}: ~\r\n", &name[..3], &name[3..]),
        |name| format!("\u{b}{name}\u{c}: ~\r\n"),
        |name| format!("{}: ~\r\n", name.replacen(['S', 's'], "\u{17f}", 1)),
        |name| format!(">From a@example.org\r\n{name}: ~\r\n"),
    ];
    let mut world = World::new(&map());
    for name in names {
        for (at, form) in forms.iter().enumerate() {
            // One that no sender of ours would write by chance.
            let field = form(name).replace('~', "evil-4711@example.net");
            let (outcome, sent) = world.arrive(format!("{field}{REST}").as_bytes());
            let what = format!("{name}, form {at}");
            assert_eq!(outcome.ending, Ending::Sent, "{what}: {:?}", outcome.error);
            sent[0].assert_ours(&what, &[OWNER]);
            assert_unsaid(&sent[0], name, &what);
        }
    }
}

/// The attacker's words are under no such name, unless it is the copy of what the message said, as in X-Original-Sender.
fn assert_unsaid(sent: &Sent, name: &str, what: &str) {
    for field in sent.fields(name) {
        let is_copy = name == "X-Original-From";
        assert!(is_copy || !field.contains("evil-4711"), "{what}: {field}");
    }
}

/// The sign of a loop is the one field of ours that passes: who writes it keeps only its own mail from being forwarded.
#[test]
fn the_sign_of_a_loop() {
    let mut world = World::new(&map());
    let (_, sent) = world.arrive(REST.as_bytes());
    let ours = sent[0].field("X-Readdress-Route").unwrap();
    for (route, ending) in [
        (format!("X-Readdress-Route: {ours}\r\n"), Ending::Failed),
        (
            format!("X-Readdress-Route: {}\r\n", ours.to_uppercase()),
            Ending::Failed,
        ),
        ("X-Readdress-Route: 0\r\n".repeat(11), Ending::Failed),
        ("X-Readdress-Route: 0\r\n".to_owned(), Ending::Sent),
    ] {
        let (outcome, sent) = world.arrive(format!("{route}{REST}").as_bytes());
        assert_eq!(outcome.ending, ending, "{route}");
        assert!(sent.iter().all(|sent| sent.to == [OWNER]));
    }
    // The next mail is not held against its sender.
    assert_eq!(world.arrive(REST.as_bytes()).0.ending, Ending::Sent);
}
