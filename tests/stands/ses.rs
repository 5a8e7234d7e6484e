//! The SES endpoint: its rules and its faults.

use std::thread;
use std::time::{Duration, Instant};

use super::support::http::Client;
use super::support::raw_message::Rules;
use super::support::ses::{Fault, Refusal, SesEndpoint};
use super::{MAIL, ask, ask_on, outcome, request_of, told};
use serde_json::{Value, json};

/// A mail of so many octets, in lines.
fn mail(octets: usize) -> String {
    let line = format!("{}\r\n", "b".repeat(76));
    let mut mail = MAIL.to_owned() + &line.repeat(octets / line.len());
    mail.truncate(octets);
    mail
}

/// A mail with a field more, or another From.
#[test]
#[allow(clippy::too_many_lines)] // A table.
fn each_rule_refuses_what_breaks_it() {
    let ses = SesEndpoint::start();
    let local = "a".repeat(310);
    let long = format!("X-Long: {}\r\n{MAIL}", "a".repeat(991));
    for (mail, expected) in [
        (MAIL.to_owned(), "200"),
        (MAIL.replace("\r\n", "\n"), "200"),
        (
            format!("Received: a\r\nReceived: b\r\nX-A: 1\r\nX-A: 2\r\n{MAIL}"),
            "200",
        ),
        (
            format!("subject: again\r\n{MAIL}"),
            "400 BadRequestException: Duplicate header 'Subject'.",
        ),
        (
            format!("Date: 1\r\nDate: 2\r\n{MAIL}"),
            "400 BadRequestException: Duplicate header 'Date'.",
        ),
        (
            format!("DKIM-Signature: v=1\r\n{MAIL}"),
            "400 BadRequestException: Duplicate header 'DKIM-Signature'.",
        ),
        (format!("To: omar@example.net\r\n{MAIL}"), "200"),
        (
            format!("From: shop@example.com\r\n{MAIL}"),
            "400 BadRequestException: Duplicate header 'From'.",
        ),
        (
            MAIL.replace("From:", "X-From:"),
            "400 BadRequestException: Missing required header 'From'.",
        ),
        (
            MAIL.replace("<shop@", "<a@example.com>, <shop@"),
            "400 BadRequestException: From has to be exactly one address",
        ),
        (
            MAIL.replace("shop@example.com", "shop@sub.example.com"),
            "400 MessageRejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: shop@sub.example.com",
        ),
        (
            format!("Sender: a@example.org\r\n{MAIL}"),
            "400 MessageRejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: a@example.org",
        ),
        (
            format!("Return-Path: <a@example.org>\r\n{MAIL}"),
            "400 MessageRejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: a@example.org",
        ),
        (
            format!("Return-Path: <>\r\nSender: b@EXAMPLE.com\r\n{MAIL}"),
            "200",
        ),
        (format!("Reply-To: a@example.org\r\n{MAIL}"), "200"),
        (format!("Reply-To: Zo\u{eb} <a@example.org>\r\n{MAIL}"), "200"),
        (
            format!("Reply-To: zo\u{eb}@example.org\r\n{MAIL}"),
            "400 BadRequestException: Local address contains illegal character",
        ),
        (
            format!("Reply-To: a@b\u{fc}ro.example.org\r\n{MAIL}"),
            "400 BadRequestException: Domain contains illegal character",
        ),
        (
            format!("Cc: nobody\r\n{MAIL}"),
            "400 BadRequestException: Missing final '@domain'",
        ),
        (
            format!("Cc: <a@example.org\r\n{MAIL}"),
            "400 BadRequestException: Missing '>'",
        ),
        (
            format!("Cc: a b@example.org\r\n{MAIL}"),
            "400 BadRequestException: Local address contains control or whitespace",
        ),
        (
            format!("Cc: {local}@example.org\r\n{MAIL}"),
            "400 BadRequestException: Address length is more than 320 bytes long",
        ),
        (format!("Cc: undisclosed-recipients:;\r\n{MAIL}"), "200"),
        (
            format!("Cc: A: b@example.org, \"c, d\" <e@example.org>;\r\n{MAIL}"),
            "200",
        ),
        (
            format!("Cc: \"a \\\" b\" <c@example.org> (d, (e) \\) f),\r\n\tg@example.org\r\n{MAIL}"),
            "200",
        ),
        (
            long.clone(),
            "400 BadRequestException: 552 message line is too long",
        ),
        (long.replacen('a', "", 1), "200"),
        (
            format!(" folded: first\r\n{MAIL}"),
            "400 BadRequestException: Empty header names are illegal",
        ),
        (
            format!(": nameless\r\n{MAIL}"),
            "400 BadRequestException: Empty header names are illegal",
        ),
        (
            format!("no field\r\n{MAIL}"),
            "400 BadRequestException: Expected ':' in the header section",
        ),
        (format!("{MAIL}{}\r\n", "b".repeat(998)), "200"),
        (
            format!("{MAIL}{}\r\n", "b".repeat(999)),
            "400 BadRequestException: 552 message line is too long",
        ),
    ] {
        let got = outcome(&ses, &mail);
        assert_eq!(got, expected, "{mail}");
    }
}

type Switch = fn(&mut Rules);

#[test]
fn what_no_source_settles_can_be_switched() {
    let lines = format!("{MAIL}{}\r\n", "b".repeat(999));
    let many = format!("Cc: {}\r\n{MAIL}", vec!["a@example.org"; 49].join(",\r\n "));
    let twice = format!("To: omar@example.net\r\n{MAIL}");
    let syntax = format!("Cc: nobody\r\n{MAIL}");
    let cases: [(&str, &str, Switch, &str, &str); 4] = [
        ("lines", &lines, |rules| rules.body_lines = false, "552", "200"),
        (
            "header recipients",
            &many,
            |rules| rules.count_header_recipients = true,
            "200",
            "exceeds 50",
        ),
        (
            "To twice",
            &twice,
            |rules| rules.destinations_once = true,
            "200",
            "Duplicate header 'To'",
        ),
        (
            "syntax",
            &syntax,
            |rules| rules.address_syntax = false,
            "Missing final",
            "200",
        ),
    ];
    for (name, mail, switch, before, after) in cases {
        let ses = SesEndpoint::start();
        let got = outcome(&ses, mail);
        assert!(got.contains(before), "{name}: {got}");
        ses.rules(switch);
        let got = outcome(&ses, mail);
        assert!(got.contains(after), "{name}: {got}");
    }
}

#[test]
#[allow(clippy::too_many_lines)] // A table.
fn requests_are_checked_besides_their_message() {
    let ses = SesEndpoint::start();
    let many = |count| vec!["jane@example.net"; count];
    let mail = MAIL.as_bytes();
    assert_eq!(told(&ask(&ses, &request_of(mail, &many(50)))), "200");
    let with = |pointer: &str, value: Value| {
        let mut request = request_of(mail, &["jane@example.net"]);
        request[pointer] = value;
        request
    };
    ses.rules(|rules| rules.configuration_sets = Some(vec!["main".to_owned()]));
    assert_eq!(
        told(&ask(&ses, &with("ConfigurationSetName", "main".into()))),
        "200"
    );
    let mut over = request_of(mail, &many(40));
    over["Destination"]["CcAddresses"] = json!(many(6));
    over["Destination"]["BccAddresses"] = json!(many(5));
    for (name, request, why) in [
        (
            "51 in To",
            request_of(mail, &many(51)),
            "Recipient count exceeds 50.",
        ),
        ("51 in all", over, "Recipient count exceeds 50."),
        ("none", request_of(mail, &[]), "Destination is missing"),
        (
            "one is malformed",
            request_of(mail, &["jane@example.net", "jane"]),
            "Missing final '@domain'",
        ),
        (
            "two in one",
            request_of(mail, &["a@example.net, b@example.net"]),
            "Missing final '@domain'",
        ),
        (
            "not in ASCII",
            request_of(mail, &["zo\u{eb}@example.net"]),
            "illegal character",
        ),
        (
            "sender",
            with("FromEmailAddress", "a@example.org".into()),
            "is not verified",
        ),
        (
            "feedback",
            with("FeedbackForwardingEmailAddress", "a@example.org".into()),
            "is not verified",
        ),
        (
            "set",
            with("ConfigurationSetName", "other".into()),
            "Configuration set <other> does not exist.",
        ),
        (
            "tag",
            with("EmailTags", json!([{"Name": "a", "Value": "b c"}])),
            "Invalid tag",
        ),
        (
            "no content",
            json!({"Destination": {"ToAddresses": ["jane@example.net"]}}),
            "Data is missing",
        ),
        (
            "no base64",
            with("Content", json!({"Raw": {"Data": "*"}})),
            "is no base64",
        ),
        ("no JSON", "x".into(), "Data is missing"),
    ] {
        let answer = ask(&ses, &request);
        assert!((400..=404).contains(&answer.status), "{name}: {}", answer.text());
        assert!(answer.text().contains(why), "{name}: {}", answer.text());
    }
    assert_eq!(ses.messages().len(), 2);
}

#[test]
fn size_is_limited_on_both_sides_of_the_encoding() {
    let ses = SesEndpoint::start();
    ses.rules(|rules| rules.max_raw = 2_000);
    assert_eq!(outcome(&ses, &mail(2_000)), "200");
    let over = outcome(&ses, &mail(2_001));
    assert!(
        over.contains("Message length is more than 2000 bytes long: '2001'"),
        "{over}"
    );
    // So large that it is not even read.
    assert!(outcome(&ses, &mail(80_000)).starts_with("413"));
    assert_eq!(ses.attempts().last().unwrap().bytes_read, 0);
}

#[test]
fn forty_megabytes_are_taken() {
    let ses = SesEndpoint::start();
    let mail = mail(40 << 20);
    assert_eq!(outcome(&ses, &mail), "200");
    assert!(ses.take_messages().remove(0).raw == mail.as_bytes());
    assert!(ses.messages().is_empty());
}

#[test]
fn faults_come_in_order_and_on_one_connection() {
    let ses = SesEndpoint::start();
    let other = Refusal::new(400, "AccountSuspendedException", "suspended");
    ses.script([
        Fault::Throttle,
        Fault::LimitExceeded,
        Fault::ErrorAfterBody,
        Fault::Rejected,
        Fault::TooLong,
        Fault::Refuse(other),
        Fault::ErrorAfterTaking,
        Fault::None,
    ]);
    let mut client = Client::connect(ses.address()).unwrap();
    let request = request_of(MAIL.as_bytes(), &["jane@example.net"]);
    let got: Vec<String> = (0..8)
        .map(|_| told(&ask_on(&mut client, &request).unwrap()))
        .collect();
    assert_eq!(
        got,
        [
            "429 TooManyRequestsException: Maximum sending rate exceeded.",
            "400 LimitExceededException: Limit exceeded",
            "500 InternalServiceErrorException: after the body",
            "400 MessageRejected: Email address is not verified.",
            "400 BadRequestException: Message length is more than 10485760 bytes long: '12078147'.",
            "400 AccountSuspendedException: suspended",
            "500 InternalServiceErrorException: taken",
            "200",
        ]
    );
    assert_eq!(ses.messages().len(), 2, "one was taken and denied");
    assert!(ses.attempts().iter().all(|attempt| attempt.connection == 0));
    ses.assert_signed();

    ses.stand(Fault::Throttle);
    assert_eq!(ask_on(&mut client, &request).unwrap().status, 429);
    assert_eq!(ask_on(&mut client, &request).unwrap().status, 429);
}

#[test]
fn a_failure_before_the_body_is_answered_while_the_client_still_sends() {
    let ses = SesEndpoint::start();
    ses.script([Fault::ErrorBeforeBody]);
    let got = outcome(&ses, &mail(8 << 20));
    assert_eq!(got, "503 ServiceUnavailable: before the body");
    let attempt = ses.attempts().remove(0);
    assert_eq!((attempt.bytes_read, attempt.signature), (0, None));
}

#[test]
fn cuts_stalls_and_slowness_are_what_they_say() {
    let ses = SesEndpoint::start();
    let request = request_of(mail(1 << 20).as_bytes(), &["jane@example.net"]);
    let attempt = |fault| {
        ses.script([fault]);
        let start = Instant::now();
        let answer = ask_on(&mut Client::connect(ses.address()).unwrap(), &request);
        (answer.ok().map(|answer| answer.status), start.elapsed())
    };
    assert_eq!(attempt(Fault::Cut { after: 100_000 }).0, None);
    assert_eq!(ses.attempts()[0].bytes_read, 100_000);
    assert_eq!(ses.messages().len(), 0);
    assert_eq!(attempt(Fault::CutAfterTaking).0, None);
    assert_eq!(ses.messages().len(), 1);
    let (status, time) = attempt(Fault::Slow { rate: 4 << 20 });
    assert_eq!(status, Some(200));
    assert!(time > Duration::from_millis(250), "{time:?}");
    assert_eq!(ses.attempts()[2].signature, Some(Ok(())));

    ses.script([Fault::Stall { after: 10 }]);
    let (address, stalling) = (ses.address(), request.clone());
    let stalled = thread::spawn(move || ask_on(&mut Client::connect(address).unwrap(), &stalling).is_err());
    while ses.attempts().len() < 4 {
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(ses.attempts()[3].bytes_read, 10);
    assert_eq!(outcome(&ses, MAIL), "200", "others are served meanwhile");
    assert!(!stalled.is_finished());
    drop(ses);
    assert!(stalled.join().unwrap(), "stopping ends it");
}

#[test]
fn many_connections_are_served_at_once() {
    let ses = SesEndpoint::start();
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(outcome(&ses, MAIL), "200"));
        }
    });
    let mut ids: Vec<String> = ses.messages().into_iter().map(|message| message.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}
