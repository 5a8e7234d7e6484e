use super::*;
use crate::alias::{AliasMap, Notify, OnDmarc, OnVerdict, Options};
use crate::arrival::{DmarcPolicy, Envelope, MessageId, Order, Recipients, Verdict, Verdicts};
use crate::cause::Cause;
use crate::executor::block_on;
use crate::rewrite::{HeaderReader, Mark, NOTICE, ROUTE, route_id};

/// A recipient, its alias and its arrival, to be asked about.
struct Asked {
    arrival: Arrival,
    alias: Address,
    targets: Vec<Address>,
    options: Options,
    defaults: Defaults,
    notify: Notify,
    map: AliasMap,
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

impl Asked {
    fn new() -> Self {
        let envelope = Envelope::new(["shop@example.com".to_owned()]).unwrap();
        Asked {
            arrival: Arrival {
                message_id: MessageId::parse("m1").unwrap(),
                recipients: Recipients::Envelope(envelope),
                envelope_sender: Some("jane@example.org".to_owned()),
                verdicts: Some(Verdicts::default()),
                order: Order::Forward,
                stored: None,
            },
            alias: address("shop@example.com"),
            targets: vec![address("zoe@example.net"), address("omar@example.net")],
            options: Options::default(),
            defaults: Defaults {
                spam: OnVerdict::Mark,
                virus: OnVerdict::Hold,
                dmarc: OnDmarc::Obey,
            },
            notify: Notify::Address(address("admin@ops.example")),
            map: AliasMap::parse(br#"{"sales@example.com": "ann@home.example"}"#).unwrap(),
        }
    }

    /// From the null sender.
    fn report() -> Self {
        let mut asked = Asked::new();
        asked.arrival.envelope_sender = None;
        asked
    }

    fn with(verdicts: Verdicts) -> Self {
        let mut asked = Asked::new();
        asked.arrival.verdicts = Some(verdicts);
        asked
    }

    fn released(mut self) -> Self {
        self.arrival.order = Order::Release;
        self
    }

    fn facts(&self, message: &str) -> Facts {
        let head = HeaderReader::default().read(&mut message.as_bytes(), true);
        let header = head.unwrap().unwrap().header;
        block_on(read(&self.arrival, &header, &Source::memory(message.into()))).unwrap()
    }

    fn ask(&self, message: &str) -> Result<Decision, Kept> {
        let case = Case {
            arrival: &self.arrival,
            alias: &self.alias,
            targets: &self.targets,
            options: &self.options,
            defaults: &self.defaults,
            key: None,
            notify: &self.notify,
            map: &self.map,
        };
        check(&self.facts(message), &case)
    }

    fn is_loop(&self, message: &str) -> bool {
        match self.ask(message) {
            Err(Kept::Refused(refusal)) => refusal.cause == Cause::Loop,
            _ => false,
        }
    }
}

fn message(fields: &[&str]) -> String {
    format!("{}\r\n\r\nHello.\r\n", fields.join("\r\n"))
}

fn route(alias: &str) -> String {
    format!("{ROUTE}: {}", route_id(&address(alias)))
}

#[allow(clippy::unnecessary_wraps)]
fn marked(marks: &[Mark]) -> Result<Decision, Kept> {
    Ok(Decision {
        marks: marks.to_vec(),
        ..Decision::default()
    })
}

const FROM: &str = "From: Jane <jane@example.org>";

fn dmarc(verdict: Verdict) -> Verdicts {
    Verdicts {
        dmarc: Some(verdict),
        ..Verdicts::default()
    }
}

#[test]
fn a_message_that_comes_back_is_told_from_others() {
    for (fields, is_loop) in [
        (vec![FROM.to_owned(), route("SHOP@example.com")], true),
        (vec![route("shop+1@example.com"), route("shop@example.com")], true),
        (
            vec![route("shop+1@example.com"), format!("{ROUTE}: shop@example.com")],
            false,
        ),
        // Postfix writes this field, but anybody can.
        (vec!["X-Original-To: shop@example.com".to_owned()], false),
        (vec!["Delivered-To: shop@example.com".to_owned()], false),
    ] {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        assert_eq!(Asked::new().is_loop(&message(&fields)), is_loop, "{fields:?}");
    }
}

#[test]
fn a_message_that_has_travelled_far_is_in_a_loop() {
    let passed = |times| Asked::new().is_loop(&message(&vec!["X-Readdress-Route: 0123"; times]));
    assert!(!passed(10) && passed(11));
    let received = |times| Asked::new().is_loop(&message(&vec!["Received: x"; times]));
    assert!(!received(100) && received(101));
}

fn fail(policy: Option<DmarcPolicy>) -> Verdicts {
    Verdicts {
        dmarc: Some(Verdict::Fail),
        dmarc_policy: policy,
        ..Verdicts::default()
    }
}

#[test]
fn verdicts_are_followed_as_the_settings_say() {
    let spam = Verdicts {
        spam: Some(Verdict::Fail),
        ..Verdicts::default()
    };
    let virus = Verdicts {
        virus: Some(Verdict::Fail),
        ..Verdicts::default()
    };
    let held = |hold| Err(Kept::Held(hold));
    let reject = fail(Some(DmarcPolicy::Reject));
    let quarantine = fail(Some(DmarcPolicy::Quarantine));
    for (verdicts, expected) in [
        (Verdicts::default(), marked(&[])),
        (spam, marked(&[Mark::Spam])),
        (virus, held(Hold::Virus)),
        (reject, held(Hold::Unverified)),
        (quarantine, marked(&[Mark::Unverified])),
        (fail(Some(DmarcPolicy::None)), marked(&[])),
        (fail(None), marked(&[])),
        (
            Verdicts {
                spam: Some(Verdict::Fail),
                ..quarantine
            },
            marked(&[Mark::Unverified, Mark::Spam]),
        ),
        (
            Verdicts {
                spam: Some(Verdict::Gray),
                virus: Some(Verdict::Gray),
                dmarc: Some(Verdict::Gray),
                dmarc_policy: None,
            },
            marked(&[]),
        ),
    ] {
        assert_eq!(
            Asked::with(verdicts).ask(&message(&[FROM])),
            expected,
            "{verdicts:?}"
        );
    }
    // The option of an alias goes before the setting.
    let mut asked = Asked::with(Verdicts {
        spam: Some(Verdict::Fail),
        virus: Some(Verdict::Fail),
        ..quarantine
    });
    asked.options = Options {
        spam: Some(OnVerdict::Forward),
        virus: Some(OnVerdict::Mark),
        dmarc: Some(OnDmarc::Always(OnVerdict::Forward)),
        ..Options::default()
    };
    assert_eq!(asked.ask(&message(&[FROM])), marked(&[Mark::Virus]));
    asked.options.spam = Some(OnVerdict::Hold);
    assert_eq!(asked.ask(&message(&[FROM])), held(Hold::Spam));
}

/// Catches a mail that claims the alias's own domain and goes out with that domain's signature.
#[test]
fn a_from_of_the_own_domain_has_to_be_proven() {
    let gray = Verdicts {
        dmarc: Some(Verdict::Gray),
        ..Verdicts::default()
    };
    let pass = Verdicts {
        dmarc: Some(Verdict::Pass),
        ..Verdicts::default()
    };
    let held = Err(Kept::Held(Hold::OwnDomain));
    for from in [
        "From: Payroll <payroll@example.com>",
        "From: x@EXAMPLE.com",
        "From: x@mail.example.com",
        "From: jane@example.org, x@example.com",
        "From: jane@example.org\r\nFrom: x@example.com",
    ] {
        let text = message(&[from]);
        for policy in [None, Some(DmarcPolicy::None), Some(DmarcPolicy::Reject)] {
            let mut asked = Asked::with(fail(policy));
            asked.options.dmarc = Some(OnDmarc::Always(OnVerdict::Forward));
            assert_eq!(asked.ask(&text), held, "{from}");
        }
        assert_eq!(
            Asked::with(gray).ask(&text),
            marked(&[Mark::Unverified]),
            "{from}"
        );
        assert_eq!(Asked::with(pass).ask(&text), marked(&[]), "{from}");
        assert_eq!(Asked::with(Verdicts::default()).ask(&text), marked(&[]), "{from}");
    }
    assert_eq!(
        Asked::with(gray).ask(&message(&["From: x@notexample.com"])),
        marked(&[])
    );
}

#[test]
fn a_released_message_goes_out_with_a_mark_but_for_a_virus() {
    let all = Verdicts {
        spam: Some(Verdict::Fail),
        ..fail(Some(DmarcPolicy::Reject))
    };
    let mut asked = Asked::with(all).released();
    asked.options.spam = Some(OnVerdict::Hold);
    let released = asked.ask(&message(&["From: x@example.com"]));
    assert_eq!(released, marked(&[Mark::Unverified, Mark::Spam]));
    let virus = Verdicts {
        virus: Some(Verdict::Fail),
        ..all
    };
    assert_eq!(
        Asked::with(virus).released().ask(&message(&[FROM])),
        Err(Kept::Held(Hold::Virus))
    );
}

/// Catches verdicts of S3's events, which have none, and those that a sender writes.
#[test]
fn verdicts_of_the_message_count_where_the_event_has_none() {
    let received =
        "Received: from a by inbound-smtp.eu-west-1.amazonaws.com with SMTP id m1 for shop@example.com; now";
    let fields = [
        received,
        "X-SES-Virus-Verdict: FAIL",
        "X-SES-RECEIPT: x",
        "X-SES-Spam-Verdict: FAIL",
    ];
    let mut asked = Asked::new();
    assert_eq!(asked.ask(&message(&fields)), marked(&[]));
    asked.arrival.verdicts = None;
    assert_eq!(asked.ask(&message(&fields)), Err(Kept::Held(Hold::Virus)));
    assert_eq!(asked.ask(&message(&fields[1..])), marked(&[]));
}

#[test]
fn senders_are_blocked_by_envelope_and_from() {
    let blocking = |pattern: &str| {
        let mut asked = Asked::new();
        let map = serde_json::json!({"shop@example.com": {"to": "zoe@example.net", "block": pattern}});
        let map = AliasMap::parse(map.to_string().as_bytes()).unwrap();
        let entry = map.resolve(&asked.alias).unwrap().entry.unwrap();
        asked.options = entry.options.clone();
        asked
    };
    let text = message(&["From: Ann <ann@news.example>"]);
    for pattern in ["ann@news.example", "news.example", "jane@example.org"] {
        assert_eq!(blocking(pattern).ask(&text), Err(Kept::Blocked), "{pattern}");
        assert!(blocking(pattern).released().ask(&text).is_ok());
    }
    assert_eq!(blocking("omar@example.org").ask(&text), marked(&[]));
}

/// Catches programs that answer each other.
#[test]
fn automatic_mail_of_a_target_is_not_forwarded() {
    let zoe = "From: Zoe <zoe@example.net>";
    let automatic = Err(Kept::Automatic);
    for sign in [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated (x)",
        "X-Autoreply: yes",
        "Precedence: bulk",
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
    ] {
        assert_eq!(Asked::new().ask(&message(&[zoe, sign])), automatic, "{sign}");
        // This answer is not from a target: the owner waits for it.
        assert!(Asked::new().ask(&message(&[FROM, sign])).is_ok(), "{sign}");
    }
    assert_eq!(Asked::report().ask(&message(&[zoe])), automatic);
    let mut envelope = Asked::new();
    envelope.arrival.envelope_sender = Some("zoe@example.net".to_owned());
    assert_eq!(
        envelope.ask(&message(&[FROM, "Auto-Submitted: auto-replied"])),
        automatic
    );
    for person in ["Auto-Submitted: no", "Precedence: list"] {
        assert!(Asked::new().ask(&message(&[zoe, person])).is_ok(), "{person}");
    }
    // SES's daemon passes on the answer of a program.
    let daemon = [
        "From: MAILER-DAEMON@amazonses.com",
        "Auto-Submitted: auto-replied",
    ];
    assert_eq!(Asked::report().ask(&message(&daemon)), automatic);
}

const DAEMON: &str = "From: MAILER-DAEMON@mx.example.net";

/// A delivery report with this in its delivery status, on a message with this header section.
fn report(status: &str, enclosed: &str) -> String {
    format!(
        "{DAEMON}\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\n\r\nNot delivered.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; x\r\n\r\n{status}\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{enclosed}\r\n\r\n--b--\r\n"
    )
}

/// Catches reports that are forwarded to the target that they are about, and those on other mail that are kept back.
#[test]
fn a_report_on_what_was_forwarded_is_not_forwarded() {
    let ours = route("shop@example.com");
    for (text, is_ours) in [
        (report("Action: failed", &ours), true),
        (report("Action: failed", &route("other@example.com")), false),
        (report("Final-Recipient: rfc822; ZOE@example.net", "A: b"), true),
        (report("Final-Recipient: rfc822; ann@example.net", "A: b"), false),
        (
            format!("{DAEMON}\r\n\r\nYour message to zoe@example.net failed.\r\n"),
            true,
        ),
        (
            format!(
                "{DAEMON}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n<Zoe@Example.net>: no\r\n--b--\r\n"
            ),
            true,
        ),
        (
            format!("{DAEMON}\r\n\r\nYour message to mary.zoe@example.net failed.\r\n"),
            false,
        ),
        (
            "From: MAILER-DAEMON@eu-west-1.amazonses.com\r\n\r\nNo.\r\n".to_owned(),
            true,
        ),
    ] {
        let asked = Asked::report().ask(&text);
        assert_eq!(
            asked == Err(Kept::Bounced(Vec::new())),
            is_ours,
            "{asked:?} {text}"
        );
    }
    // A person may write about the target.
    let person = format!("{FROM}\r\n\r\nIs zoe@example.net yours?\r\n");
    assert_eq!(Asked::new().ask(&person), marked(&[]));
}

/// Catches an owner who is told of somebody to whom no answer went, or reads a stranger's words.
#[test]
fn of_a_report_of_ses_on_an_answer_the_correspondents_are_named() {
    let ours = route("shop@example.com");
    let daemon = |text: String| text.replace("mx.example.net", "eu-west-1.amazonses.com");
    let jane = "Final-Recipient: rfc822; jane@example.org\r\nOriginal-Recipient: rfc822; Jane@example.org";
    for (text, named) in [
        (daemon(report(jane, "A: b")), vec![address("jane@example.org")]),
        // A notice to whom `notify` names, and mail to a former target that another alias still has.
        (
            daemon(report("Final-Recipient: rfc822; Admin@ops.example", "A: b")),
            Vec::new(),
        ),
        (
            daemon(report("Final-Recipient: rfc822; ann@home.example", "A: b")),
            Vec::new(),
        ),
        // A target that forwards what was forwarded to it.
        (daemon(report(jane, &ours)), Vec::new()),
        (
            daemon(report(
                &format!("{jane}\r\nFinal-Recipient: rfc822; zoe@example.net"),
                "A: b",
            )),
            Vec::new(),
        ),
    ] {
        let mut asked = Asked::report();
        asked.arrival.verdicts = Some(dmarc(Verdict::Pass));
        assert_eq!(asked.ask(&text), Err(Kept::Bounced(named)), "{text}");
    }
    // A stranger writes as SES, with words for the owner in the address.
    let words = "Final-Recipient: rfc822; \"your account is closed\"@evil.example";
    let forged = daemon(report(words, "A: b"));
    for verdicts in [Verdicts::default(), dmarc(Verdict::Gray), dmarc(Verdict::Fail)] {
        let mut asked = Asked::report();
        asked.arrival.verdicts = Some(verdicts);
        assert_eq!(asked.ask(&forged), Err(Kept::Bounced(Vec::new())), "{verdicts:?}");
    }
}

#[test]
fn a_target_does_not_get_back_what_it_wrote_into_a_thread() {
    let zoe = "From: Zoe <Zoe@example.net>";
    let in_thread = Asked::new().ask(&message(&[zoe, "In-Reply-To: <1@example.org>"]));
    let decision = in_thread.unwrap();
    assert!(decision.spares(&address("zoe@example.net")) && !decision.spares(&address("omar@example.net")));
    assert!(!decision.is_counted);
    let new = Asked::new().ask(&message(&[zoe, "References: "])).unwrap();
    assert!(new.spared.is_empty() && new.is_counted);
}

#[test]
fn a_notice_is_known_by_its_mark() {
    let is_of_notice = |text: &str| Asked::new().facts(text).is_of_notice;
    let mark = format!("{NOTICE}: held");
    assert!(is_of_notice(&message(&[FROM, &mark])));
    assert!(!is_of_notice(&message(&[FROM])));
    let report = format!(
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\n{mark}\r\n\r\n--b--\r\n"
    );
    assert!(is_of_notice(&report));
}
