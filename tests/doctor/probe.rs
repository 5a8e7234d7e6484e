//! `readdress probe` against SES's answers, both ways.

use std::time::Duration;

use readdress::doctor::probe::questions::{Addresses, QUESTIONS, Question};
use readdress::doctor::probe::{Bucket, Said, ask};
use readdress::executor::block_on;

use crate::config;
use crate::support::account::{Account, Answers};

const SEND: &str = "ses POST /v2/email/outbound-emails";

/// What SES stores of a mail to the alias, and the report of a bounce.
const STORED: &str = "Return-Path: <jane@example.org>\r\nReceived: from a8-30.smtp-out.amazonses.com (a8-30.smtp-out.amazonses.com [192.0.2.30])\r\n by inbound-smtp.eu-west-1.amazonaws.com with SMTP id abc for alias@example.com;\r\n Thu, 26 Nov 2026 10:00:00 +0000 (UTC)\r\nX-SES-Spam-Verdict: PASS\r\nAuthentication-Results: amazonses.com;\r\n spf=pass client-ip=192.0.2.30; dkim=pass header.i=@example.com;\r\nX-SES-RECEIPT: AEFBQUFB\r\nFrom: probe@example.com\r\nX-Readdress-Probe: t0k3n verdicts\r\n\r\nHello.\r\n";
const REPORT: &str = "From: MAILER-DAEMON@amazonses.com\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; bounce@simulator.amazonses.com\r\nStatus: 5.1.1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nX-Readdress-Probe: t0k3n bounce\r\n\r\nHello.\r\n--b--\r\n";

/// A bucket with both, and an SES that takes everything.
fn answers() -> Answers {
    let mut answers = Answers::new();
    let mut answer = |asked: &str, answer: &str| answers.insert(asked.to_owned(), (200, answer.to_owned()));
    answer(SEND, r#"{"MessageId": "m1"}"#);
    let list = "<R><Contents><Key>inbound/m1</Key><LastModified>2026-11-26T10:00:00.000Z</LastModified></Contents>\
        <Contents><Key>inbound/m2</Key><LastModified>2026-11-26T10:00:05.000Z</LastModified></Contents></R>";
    answer("s3 GET /mail?list-type=2&prefix=inbound%2F", list);
    answer("s3 GET /mail/inbound/m1", STORED);
    answer("s3 GET /mail/inbound/m2", REPORT);
    answers
}

fn probe(answers: Answers) -> (Vec<Said>, Vec<String>) {
    let account = Account::start(answers);
    let config = config(&account);
    let addresses = Addresses {
        from: "probe@example.com".to_owned(),
        to: "jane@example.net".to_owned(),
        through: Some("alias@example.com".to_owned()),
        token: "t0k3n".to_owned(),
    };
    let bucket = Bucket {
        name: "mail".to_owned(),
        prefix: "inbound/".to_owned(),
        patience: Duration::ZERO,
    };
    let questions: Vec<&Question> = QUESTIONS.iter().filter(|question| !question.on_request).collect();
    let said = block_on(ask(&config, &addresses, Some(&bucket), &questions, &mut |_| {})).unwrap();
    (said, account.requests())
}

fn said<'a>(all: &'a [Said], question: &str) -> &'a Said {
    all.iter().find(|said| said.question == question).unwrap()
}

/// SES takes everything: the answers are what arrived.
#[test]
fn everything_is_taken() {
    let (all, requests) = probe(answers());
    assert!(
        requests.iter().all(|asked| !asked.starts_with('?')),
        "{requests:#?}"
    );
    assert_eq!(requests.iter().filter(|asked| *asked == SEND).count(), all.len());
    let (arrived, accepted): (Vec<_>, Vec<_>) = all.iter().partition(|said| said.answer == "arrived");
    assert!(
        accepted.iter().all(|said| said.answer == "accepted"),
        "{accepted:#?}"
    );
    assert_eq!(arrived.len(), 2, "{all:#?}");
    let verdicts = said(&all, "verdicts").seen.join("\n");
    assert!(
        verdicts.contains(
            "Authentication-Results: amazonses.com; spf=pass client-ip=IP; dkim=pass header.i=ADDRESS;"
        ),
        "{verdicts}"
    );
    assert!(
        verdicts.contains("X-SES-Spam-Verdict: PASS") && verdicts.contains("X-SES-RECEIPT: …"),
        "{verdicts}"
    );
    let bounce = said(&all, "bounce").seen.join("\n");
    assert!(
        bounce.contains("Content-Type: message/rfc822") && bounce.contains("Status: 5.1.1"),
        "{bounce}"
    );
}

/// SES refuses everything odd, and stores nothing: the answers are its words, without addresses.
#[test]
fn everything_odd_is_refused() {
    let mut answers = answers();
    let refusal = r#"{"message": "Missing final '@domain' in jane@example.net"}"#;
    let refusal = (
        400,
        refusal.replacen('{', r#"{"__type": "BadRequestException", "#, 1),
    );
    for question in QUESTIONS
        .iter()
        .filter(|question| !["plain", "verdicts", "bounce"].contains(&question.name))
    {
        answers.insert(format!("{SEND} {}", question.name), refusal.clone());
    }
    answers.insert(
        "s3 GET /mail?list-type=2&prefix=inbound%2F".to_owned(),
        (200, "<R><KeyCount>0</KeyCount></R>".to_owned()),
    );
    let (all, _) = probe(answers);
    let expected = |name: &str| match name {
        "plain" => "accepted",
        "verdicts" | "bounce" => "missing",
        _ => "refused",
    };
    for said in &all {
        assert_eq!(said.answer, expected(said.question), "{all:#?}");
    }
    let words = &said(&all, "bare-cr-field").seen;
    assert_eq!(
        words,
        &["BadRequestException: Missing final 'ADDRESS' in ADDRESS"]
    );
}

/// Where not even a plain mail is taken, the others would say nothing.
#[test]
fn an_account_that_cannot_send_is_asked_once() {
    let mut answers = answers();
    let refusal = r#"{"__type": "MessageRejected", "message": "Email address is not verified."}"#;
    answers.insert(SEND.to_owned(), (400, refusal.to_owned()));
    let (all, requests) = probe(answers);
    assert_eq!(requests, [SEND]);
    assert_eq!(all[0].answer, "refused");
    assert!(all[1..].iter().all(|said| said.answer == "not asked"), "{all:#?}");
}
