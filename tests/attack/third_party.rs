//! Attempts to make the owner's account mail somebody who is not in the map: forged senders, whom a less careful program would
//! answer or bounce to, and forged reports, of which notices come.

use serde_json::{Value, json};

use readdress::forward::{Ending, Outcome};

use super::world::{ALIAS, Arriving, OWNER, Sent, VICTIM, World, key, map};

/// The second target, who is told what becomes of the first.
const ANN: &str = "ann@home.example";

/// Every field in which a program may find whom to answer.
fn forged(fields: &str, body: &str) -> String {
    format!(
        "Return-Path: <{VICTIM}>\r\nFrom: Victim <{VICTIM}>\r\nSender: {VICTIM}\r\nReply-To: {VICTIM}\r\n\
         To: shop@example.com, {VICTIM}\r\nCc: {VICTIM}\r\nBcc: {VICTIM}\r\nErrors-To: {VICTIM}\r\n\
         Return-Receipt-To: {VICTIM}\r\nDisposition-Notification-To: {VICTIM}\r\nX-Confirm-Reading-To: {VICTIM}\r\n\
         Resent-To: {VICTIM}\r\nResent-Bcc: {VICTIM}\r\nMail-Followup-To: {VICTIM}\r\nApparently-To: {VICTIM}\r\n\
         Subject: Order\r\n{fields}\r\n{body}\r\n"
    )
}

/// A delivery report on what the alias sent to this address.
fn report(of: &str, encloses: &str) -> String {
    let fields = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n";
    let body = format!(
        "--b\r\n\r\nNot delivered: {of}\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; {of}\r\nOriginal-Recipient: rfc822; {VICTIM}\r\n\
         Action: failed\r\nStatus: 5.1.1\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: {VICTIM}\r\n{encloses}\r\n\r\nx\r\n--b--"
    );
    forged(fields, &body)
}

fn assert_only(sent: &[Sent], allowed: &[&str], what: &str) {
    for sent in sent {
        assert!(
            sent.to.iter().all(|to| allowed.contains(&&**to)),
            "{what}: {:?}",
            sent.to
        );
    }
}

/// Every way in which a message is not forwarded: nobody but the owner hears of it.
#[test]
fn nothing_goes_to_a_forged_sender() {
    let map = json!({ALIAS: {"to": [OWNER, ANN], "spam": "hold", "dmarc": "hold"},
        "off@example.com": {"to": OWNER, "enabled": false}, "blocks@example.com": {"to": OWNER, "block": ["example.net"]},
        "broken@example.com": "x <", "old@example.com": {"to": OWNER, "until": "2020-01-01"}});
    let signed = "--b\r\nContent-Type: text/plain\r\n\r\n".to_owned() + &"x".repeat(1500) + "\r\n--b--";
    let messages = [
        ("plain", forged("", "Hello"), Ending::Sent),
        (
            "automatic",
            forged("Auto-Submitted: auto-replied\r\n", "Away"),
            Ending::Sent,
        ),
        ("large", forged("", &"x".repeat(300_000)), Ending::TooLarge),
        (
            "loop",
            forged(&"X-Readdress-Route: 1\r\n".repeat(12), "x"),
            Ending::Failed,
        ),
        (
            "refused",
            forged("Content-Type: multipart/signed; boundary=b\r\n", &signed),
            Ending::Sent,
        ),
        ("report", report(OWNER, "A: b"), Ending::Bounced),
        ("report on a stranger", report(VICTIM, "A: b"), Ending::Sent),
        (
            "SES's daemon",
            forged("", "x").replace("From: Victim", "From: MAILER-DAEMON@amazonses.com, V"),
            Ending::Bounced,
        ),
    ];
    for (name, octets, ending) in &messages {
        for (spam, dmarc) in [("PASS", "PASS"), ("FAIL", "PASS"), ("PASS", "FAIL")] {
            for envelope in [VICTIM, "", "\"x\"@example.net", OWNER] {
                let mut world =
                    World::with(&map, &[("MAX_SEND_BYTES", "200000"), ("key", &key(1).to_text())]);
                for to in [
                    ALIAS,
                    "off@example.com",
                    "blocks@example.com",
                    "broken@example.com",
                    "old@example.com",
                    "no@example.com",
                ] {
                    let arriving = Arriving {
                        from: envelope,
                        to: &[to],
                        dmarc,
                        spam,
                        octets: octets.as_bytes(),
                    };
                    let (outcomes, sent) = world.receive(&arriving);
                    let what = format!("{name} {spam} {dmarc} {envelope:?} {to}");
                    assert_only(&sent, &[OWNER, ANN], &what);
                    if (to, spam, dmarc, envelope) == (ALIAS, "PASS", "PASS", VICTIM) {
                        assert_eq!(outcomes[0].ending, *ending, "{what}: {:?}", outcomes[0].error);
                    }
                }
            }
        }
    }
}

/// A notice goes to whom the map or the setting names, also where the alias's only target is gone.
#[test]
fn a_forged_report_is_told_to_nobody_else() {
    for (to, notify, allowed) in [
        (json!(OWNER), Value::Null, &[][..]),
        (json!([OWNER, ANN]), Value::Null, &[ANN][..]),
        (
            json!(OWNER),
            json!("admin@example.com"),
            &["admin@example.com"][..],
        ),
        (json!([OWNER, ANN]), json!("off"), &[][..]),
    ] {
        let map = json!({ALIAS: {"to": to, "notify": notify}});
        let mut world = World::new(&map);
        let route = world.arrive(forged("", "x").as_bytes()).1[0]
            .field("X-Readdress-Route")
            .unwrap();
        for octets in [
            report(OWNER, "A: b"),
            report(OWNER, &format!("X-Readdress-Route: {route}")),
        ] {
            let arriving = Arriving {
                from: "",
                ..Arriving::new(octets.as_bytes())
            };
            let (outcomes, sent) = world.receive(&arriving);
            assert_eq!(outcomes[0].ending, Ending::Bounced, "{map}");
            assert_only(&sent, allowed, &map.to_string());
        }
    }
}

/// Whoever makes the account tell its owner something does so twenty times in an hour, with whatever mail.
#[test]
fn a_flood_of_notices() {
    let mut map = map();
    map[ALIAS]["spam"] = json!("hold");
    map[ALIAS]["to"] = json!([OWNER, ANN]);
    let mut world = World::with(&map, &[("MAX_SEND_BYTES", "200000"), ("key", &key(1).to_text())]);
    let large = forged("", &"x".repeat(300_000));
    let mut told = [0, 0];
    for n in 0..40 {
        let forged_reply = "shop+victim=example.net.00000000@example.com";
        let answer = format!("From: {OWNER}\r\nTo: {forged_reply}\r\nSubject: {n}\r\n\r\nx\r\n");
        let spam = forged(&format!("X-N: {n}\r\n"), "x");
        let bounce = report(OWNER, &format!("X-N: {n}"));
        for (octets, to, spam) in [
            (&spam, ALIAS, "FAIL"),
            (&large, ALIAS, "PASS"),
            (&answer, forged_reply, "PASS"),
            (&bounce, ALIAS, "PASS"),
        ] {
            let (outcomes, sent) = world.receive(&Arriving {
                to: &[to],
                spam,
                ..Arriving::new(octets.as_bytes())
            });
            assert_only(&sent, &[OWNER, ANN], to);
            assert!(outcomes.iter().all(Outcome::is_settled), "{outcomes:?}");
            for sent in &sent {
                for (at, owner) in [OWNER, ANN].into_iter().enumerate() {
                    told[at] += usize::from(sent.to.iter().any(|to| to == owner));
                }
            }
        }
    }
    assert_eq!(told, [20, 20]);
}
