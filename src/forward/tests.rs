use super::counted::Counted;
use super::policy::Defaults;
use super::route::tests::map;
use super::*;
use crate::alias::{Notify, OnDmarc, OnVerdict};
use crate::arrival::{Envelope, MessageId, Order, Verdict, Verdicts};
use crate::executor::block_on;
use crate::header::mailbox::Address;
use crate::outbox::Outbox;
use crate::rewrite::{NOTICE, ROUTE, Repair, Style, route_id};

fn arrival() -> Arrival {
    Arrival {
        message_id: MessageId::parse("m1").unwrap(),
        recipients: Recipients::Unknown,
        envelope_sender: None,
        verdicts: None,
        order: Order::Forward,
        stored: None,
    }
}

/// A bucket with the message, an outbox, and steps with this limit.
struct Trial {
    directory: tempfile::TempDir,
    inbox: Inbox,
    steps: Steps,
}

impl Trial {
    fn new(message: &[u8], max_send_bytes: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("m1"), message).unwrap();
        let steps = Steps {
            outbox: Outbox::Directory(directory.path().join("out")),
            ledger: Ledger::default(),
            max_send_bytes,
            repair: Repair::default(),
            style: Style::default(),
            defaults: Defaults {
                spam: OnVerdict::Mark,
                virus: OnVerdict::Hold,
                dmarc: OnDmarc::Obey,
            },
            notify: Notify::Off,
            counted: Counted::default(),
            hashes_bodies: false,
        };
        let bucket = Bucket::Directory(directory.path().to_owned());
        Trial {
            inbox: Inbox::new(bucket, String::new()),
            directory,
            steps,
        }
    }

    /// With a ledger beside the mail, and notices to the targets.
    fn telling(message: &str, max_send_bytes: u64) -> Self {
        let mut trial = Trial::new(message.as_bytes(), max_send_bytes);
        let pages = Pages::Directory(trial.directory.path().join("ledger"));
        trial.steps.ledger = Ledger::new(Some(pages), crate::config::OnDoubt::default());
        trial.steps.notify = Notify::Targets;
        trial
    }

    fn forward(&self, recipients: &[&str]) -> Vec<Outcome> {
        self.forward_arrival(&arrival(), recipients)
    }

    fn forward_arrival(&self, arrival: &Arrival, recipients: &[&str]) -> Vec<Outcome> {
        let map = map();
        let mut work = Work::new(arrival, &map, None, self.inbox.stored(arrival), Deadline::NEVER);
        let mut outcomes = Vec::new();
        for recipient in recipients {
            outcomes.push(block_on(self.steps.forward(&mut work, recipient)));
        }
        outcomes
    }

    /// The sent message with this number, and its envelope.
    fn sent_mail(&self, number: usize) -> (String, String) {
        let read = |extension: &str| {
            let path = format!("out/m1.{number}.{extension}");
            std::fs::read_to_string(self.directory.path().join(path)).unwrap()
        };
        (read("eml"), read("json"))
    }

    fn sent(&self) -> usize {
        std::fs::read_dir(self.directory.path().join("out")).map_or(0, |files| files.count() / 2)
    }
}

#[test]
fn two_recipients_with_the_same_targets_cost_one_message() {
    let trial = Trial::new(b"From: jane@example.org\n\nHello\n", 10_000);
    let outcomes = trial.forward(&["shop+a@example.com", "shop+b@example.com"]);
    assert!(
        outcomes.iter().all(|it| it.ending == Ending::Sent),
        "{outcomes:?}"
    );
    assert_eq!(outcomes[0].sent_id, outcomes[1].sent_id);
    assert_eq!(trial.sent(), 1);
}

/// Catches a header section that is rewritten for each of many recipients only to find each time that it is too large.
#[test]
fn a_message_that_is_too_large_is_planned_once() {
    let message = format!("From: jane@example.org\n\n{}\n", "x".repeat(90));
    let trial = Trial::new(message.as_bytes(), 120);
    let outcomes = trial.forward(&["shop+a@example.com", "shop+b@example.com"]);
    // The size of the outgoing message is known once there is a plan.
    let planned: Vec<bool> = outcomes.iter().map(|it| it.bytes_out.is_some()).collect();
    assert_eq!(planned, [true, false]);
    for outcome in outcomes {
        assert_eq!(
            (outcome.ending, outcome.cause),
            (Ending::TooLarge, Some(Cause::TooLarge))
        );
    }
    assert_eq!(trial.sent(), 0);
}

/// Catches a message that is looked at further although its body alone is over the limit.
#[test]
fn a_body_over_the_limit_is_enough() {
    let message = format!("From: jane@example.org\n\n{}\n", "x".repeat(500));
    let trial = Trial::new(message.as_bytes(), 120);
    let outcome = trial.forward(&["shop@example.com"]).remove(0);
    assert_eq!((outcome.bytes_in, outcome.bytes_out), (Some(525), None));
    assert!(outcome.error.unwrap().contains("more than 501 octets"));
}

#[test]
fn the_policy_is_asked_for_each_alias() {
    let passed = route_id(&Address::parse("shop+a@example.com").unwrap());
    let message = format!("{ROUTE}: {passed}\n\nHello\n");
    let trial = Trial::new(message.as_bytes(), 10_000);
    let outcomes = trial.forward(&["shop+a@example.com", "shop+b@example.com"]);
    assert_eq!(outcomes[0].cause, Some(Cause::Loop));
    assert_eq!(outcomes[1].ending, Ending::Sent);
    assert_eq!(trial.sent(), 1);
}

fn spam(verdict: Verdict) -> Arrival {
    Arrival {
        recipients: Recipients::Envelope(Envelope::new(["shop@example.com".to_owned()]).unwrap()),
        envelope_sender: Some("jane@example.org".to_owned()),
        verdicts: Some(Verdicts {
            virus: Some(verdict),
            ..Verdicts::default()
        }),
        ..arrival()
    }
}

const MAIL: &str = "From: Jane <jane@example.org>\r\nSubject: Hi\r\n\r\nHello\r\n";

/// Catches an owner who is not told, and one who is told again with each repetition.
#[test]
fn the_owner_is_told_once_of_a_message_that_is_held() {
    let trial = Trial::telling(MAIL, 10_000);
    let held = spam(Verdict::Fail);
    for _ in 0..3 {
        let outcomes = trial.forward_arrival(&held, &["shop@example.com", "shop+a@example.com"]);
        for outcome in outcomes {
            assert_eq!((outcome.ending, outcome.reason), (Ending::Held, Some("virus")));
            assert!(outcome.told && outcome.is_settled());
        }
    }
    assert_eq!(trial.sent(), 1);
    let (notice, envelope) = trial.sent_mail(0);
    assert!(envelope.contains("jane@example.net") && envelope.contains("omar@example.net"));
    let header = notice.split("\r\n\r\n").next().unwrap();
    for field in [
        "From: readdress <shop@example.com>",
        "To: shop@example.com",
        "Subject: Held: Hi",
        "Auto-Submitted: auto-generated",
        "X-Readdress-Notice: held",
    ] {
        assert!(header.lines().any(|line| line == field), "{header}");
    }
    // SES would not take it: it cannot be released.
    assert!(
        notice.contains("readdress show m1") && !notice.contains("readdress release"),
        "{notice}"
    );
    assert!(notice.contains("From: Jane <jane@example.org>"));
    assert!(!notice.contains("Hello"));
    // Another process learns of it from the ledger.
    let pages = Pages::Directory(trial.directory.path().join("ledger"));
    let mut other = trial;
    other.steps.ledger = Ledger::new(Some(pages), crate::config::OnDoubt::default());
    let again = other.forward_arrival(&held, &["shop@example.com"]);
    assert!(again[0].told);
    assert_eq!(other.sent(), 1);
}

/// Catches a failure that ends well although nobody knows of it.
#[test]
fn where_nobody_can_be_told_the_outcome_is_a_failure() {
    let mut trial = Trial::telling(MAIL, 10_000);
    trial.steps.notify = Notify::Off;
    let outcome = trial
        .forward_arrival(&spam(Verdict::Fail), &["shop@example.com"])
        .remove(0);
    assert_eq!((outcome.ending, outcome.told), (Ending::Held, false));
    assert!(!outcome.is_settled());
    let trial = Trial::telling(MAIL, 10_000);
    std::fs::write(trial.directory.path().join("out"), "no directory").unwrap();
    let outcome = trial
        .forward_arrival(&spam(Verdict::Fail), &["shop@example.com"])
        .remove(0);
    assert!(!outcome.is_settled(), "{outcome:?}");
}

/// Catches notices about notices.
#[test]
fn nobody_is_told_of_what_a_notice_caused() {
    let returned = format!("{NOTICE}: held\r\n{MAIL}");
    let trial = Trial::telling(&returned, 10_000);
    let outcome = trial
        .forward_arrival(&spam(Verdict::Fail), &["shop@example.com"])
        .remove(0);
    assert!(!outcome.is_settled());
    assert_eq!(trial.sent(), 0);
}

#[test]
fn of_a_target_that_is_gone_the_others_are_told() {
    let bounce = "From: MAILER-DAEMON@mx.example.net\r\n\r\n<omar@example.net>: gone\r\n";
    let trial = Trial::telling(bounce, 10_000);
    let report = Arrival {
        envelope_sender: None,
        ..spam(Verdict::Pass)
    };
    let outcome = trial.forward_arrival(&report, &["shop@example.com"]).remove(0);
    assert_eq!((outcome.ending, outcome.told), (Ending::Bounced, true));
    let (notice, envelope) = trial.sent_mail(0);
    assert!(notice.contains("X-Readdress-Notice: bounced"));
    assert!(envelope.contains("jane@example.net") && !envelope.contains("omar@example.net"));
}

#[test]
fn a_message_over_the_limit_is_told_of() {
    let trial = Trial::telling(&format!("{MAIL}{}", "x".repeat(20_000)), 10_000);
    let outcome = trial.forward(&["shop@example.com"]).remove(0);
    assert_eq!((outcome.ending, outcome.told), (Ending::TooLarge, true));
    let notice = trial.sent_mail(0).0;
    assert!(
        notice.contains("readdress show m1") && !notice.contains("readdress release"),
        "{notice}"
    );
}

/// Catches a flood of spam that becomes a flood of notices.
#[test]
fn an_address_is_told_of_twenty_messages_in_an_hour() {
    let trial = Trial::telling(MAIL, 10_000);
    for _ in 0..18 {
        block_on(
            trial
                .steps
                .ledger
                .count_notice("jane@example.net", Deadline::NEVER),
        );
    }
    for n in 0..4 {
        let id = format!("m1.{n}");
        std::fs::write(trial.directory.path().join(&id), MAIL).unwrap();
        let mail = Arrival {
            message_id: MessageId::parse(&id).unwrap(),
            ..spam(Verdict::Fail)
        };
        let outcome = trial.forward_arrival(&mail, &["shop@example.com"]).remove(0);
        assert!(outcome.told, "{n}");
    }
    // The other target has had four.
    let envelopes: Vec<String> = (0..4)
        .map(|n| std::fs::read_to_string(trial.directory.path().join(format!("out/m1.{n}.0.json"))).unwrap())
        .collect();
    let to_jane: Vec<bool> = envelopes.iter().map(|it| it.contains("jane")).collect();
    assert_eq!(to_jane, [true, true, false, false]);
    assert!(envelopes.iter().all(|it| it.contains("omar")));
    let last = std::fs::read_to_string(trial.directory.path().join("out/m1.1.0.eml")).unwrap();
    assert!(last.contains("in this hour"));
}
