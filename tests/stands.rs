//! The stand-ins of AWS, tested themselves: a stand-in that takes what AWS refuses hides a defect, one that refuses
//! what AWS takes invents one.

mod support;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use support::http::{self, Answer, Client, Head};
use support::raw_message::Rules;
use support::runtime_api::{Reply, RuntimeApi};
use support::s3::S3;
use support::ses::{Fault, Refusal, SesEndpoint};
use support::sigv4::{self, Credentials, Scope};
use support::ssm::Ssm;
use support::{moto::Moto, s3, ssm};

const SEND: &str = "/v2/email/outbound-emails";
const MAIL: &str = "From: Shop <shop@example.com>\r\nTo: jane@example.net\r\nSubject: hi\r\n\r\nbody\r\n";

fn request_of(raw: &[u8], to: &[&str]) -> Value {
    json!({
        "FromEmailAddress": "shop@example.com", "Destination": {"ToAddresses": to},
        "Content": {"Raw": {"Data": base64_simd::STANDARD.encode_to_string(raw)}},
    })
}

fn ask(ses: &SesEndpoint, request: &Value) -> Answer {
    ask_on(&mut Client::connect(ses.address()).unwrap(), request).unwrap()
}

fn ask_on(client: &mut Client, request: &Value) -> std::io::Result<Answer> {
    let fields = [("content-type", "application/json")];
    let body = request.to_string();
    sigv4::signed_request(client, "ses", "POST", SEND, &fields, body.as_bytes())
}

/// The answer to a mail: 200, or status, errortype and message.
fn outcome(ses: &SesEndpoint, mail: &str) -> String {
    told(&ask(ses, &request_of(mail.as_bytes(), &["jane@example.net"])))
}

fn told(answer: &Answer) -> String {
    if answer.status == 200 {
        return "200".to_owned();
    }
    let kind = answer.field("x-amzn-errortype").unwrap_or_default();
    let message = answer.json()["message"].as_str().unwrap_or_default().to_owned();
    format!("{} {kind} {message}", answer.status)
}

// --- The signature ---

/// RFC 4231, cases 2 and 6: a short key, and one longer than a block.
#[test]
fn hmac_is_as_the_rfc_says() {
    for (key, message, expected) in [
        (
            b"Jefe".to_vec(),
            "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            vec![0xaa; 131],
            "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ] {
        assert_eq!(sigv4::hex(&sigv4::hmac(&key, message.as_bytes())), expected);
    }
}

fn head(method: &str, target: &str, fields: &[(&str, &str)]) -> Head {
    let fields = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    Head {
        method: method.to_owned(),
        target: target.to_owned(),
        fields: fields.collect(),
        connection: 0,
    }
}

fn scope(date: &str, service: &str) -> Scope {
    Scope {
        date: date.to_owned(),
        region: "us-east-1".to_owned(),
        service: service.to_owned(),
    }
}

/// The worked example of the AWS General Reference: `ListUsers` of IAM.
#[test]
fn the_example_of_iam_comes_out() {
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    let head = head(
        "GET",
        "/?Action=ListUsers&Version=2010-05-08",
        &[
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("host", "iam.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
        ],
    );
    let scope = scope("20150830", "iam");
    assert_eq!(
        sigv4::hex(&scope.key(secret)),
        "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
    );
    let signed = ["content-type", "host", "x-amz-date"];
    let canonical = sigv4::canonical_request(&head, &signed, &sigv4::sha256_hex(b""), "iam").unwrap();
    assert_eq!(
        sigv4::sha256_hex(canonical.as_bytes()),
        "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
    );
    assert_eq!(
        sigv4::signature(&canonical, "20150830T123600Z", &scope, secret),
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    );
}

/// The worked example of the S3 API reference: a GET of a range.
#[test]
fn the_example_of_s3_comes_out() {
    let empty = sigv4::sha256_hex(b"");
    let head = head(
        "GET",
        "/test.txt",
        &[
            ("host", "examplebucket.s3.amazonaws.com"),
            ("range", "bytes=0-9"),
            ("x-amz-content-sha256", &empty),
            ("x-amz-date", "20130524T000000Z"),
        ],
    );
    let signed = ["host", "range", "x-amz-content-sha256", "x-amz-date"];
    let canonical = sigv4::canonical_request(&head, &signed, &empty, "s3").unwrap();
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    assert_eq!(
        sigv4::signature(&canonical, "20130524T000000Z", &scope("20130524", "s3"), secret),
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    );
}

#[test]
fn dates_are_written_as_the_calendar_has_them() {
    for (seconds, expected) in [
        (0, "19700101T000000Z"),
        (68_169_600, "19720229T000000Z"),
        (1_440_938_160, "20150830T123600Z"),
        (1_709_251_199, "20240229T235959Z"),
        (1_767_225_600, "20260101T000000Z"),
    ] {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(sigv4::format_amz_date(at), expected);
    }
}

/// A signed head for a body, changed after signing or before.
struct Signed {
    head: Head,
    body: Vec<u8>,
}

impl Signed {
    fn new() -> Self {
        Self::with(&Credentials::test(), "ses", SystemTime::now(), &[])
    }

    fn with(credentials: &Credentials, service: &str, at: SystemTime, more: &[(&str, &str)]) -> Self {
        let body = request_of(MAIL.as_bytes(), &["jane@example.net"])
            .to_string()
            .into_bytes();
        let length = body.len().to_string();
        let mut fields = vec![
            ("host", "127.0.0.1"),
            ("content-length", length.as_str()),
            ("content-type", "application/json"),
        ];
        fields.extend_from_slice(more);
        let mut head = head("POST", SEND, &fields);
        sigv4::sign(&mut head, &sigv4::sha256_hex(&body), credentials, service, at);
        Signed { head, body }
    }

    fn set(mut self, name: &str, change: impl FnOnce(&str) -> String) -> Self {
        let field = self.head.fields.iter_mut().find(|(known, _)| known == name);
        let value = &mut field.unwrap().1;
        *value = change(value);
        self
    }

    fn send(&self, ses: &SesEndpoint) -> Answer {
        let mut client = Client::connect(ses.address()).unwrap();
        client
            .send(
                &self.head.method,
                &self.head.target,
                &self.head.fields,
                &self.body,
            )
            .unwrap()
    }
}

#[test]
fn a_signed_request_is_taken_and_stored_whole() {
    let ses = SesEndpoint::start();
    let mail = format!("X-SES-Source-ARN: a\r\nFeedback-ID: 1\r\n{MAIL}");
    let mut request = request_of(mail.as_bytes(), &["jane@example.net"]);
    request["Destination"]["BccAddresses"] = json!(["omar@example.net"]);
    request["ConfigurationSetName"] = "main".into();
    request["EmailTags"] = json!([{"Name": "alias", "Value": "shop_1"}]);
    request["FeedbackForwardingEmailAddress"] = "bounce@example.com".into();
    let answer = ask(&ses, &request);
    assert_eq!(told(&answer), "200");

    let message = ses.messages().remove(0);
    assert_eq!(answer.json()["MessageId"], message.id.as_str());
    assert_eq!(message.raw, mail.as_bytes());
    assert_eq!(message.body(), b"body\r\n");
    assert_eq!(message.from.as_deref(), Some("shop@example.com"));
    assert_eq!(message.to, ["jane@example.net", "omar@example.net"]);
    assert_eq!(message.configuration_set.as_deref(), Some("main"));
    assert_eq!(message.tags, [("alias".to_owned(), "shop_1".to_owned())]);
    assert_eq!(message.feedback.as_deref(), Some("bounce@example.com"));
    assert_eq!(message.kept, ["X-SES-Source-ARN", "Feedback-ID"]);
    let (before, after) = message.around;
    let data = base64_simd::STANDARD.encode_to_string(mail.as_bytes());
    assert_eq!(
        [before.as_slice(), data.as_bytes(), &after].concat(),
        request.to_string().into_bytes()
    );

    let attempt = ses.attempts().remove(0);
    assert_eq!((attempt.status, attempt.signature), (Some(200), Some(Ok(()))));
    assert_eq!(attempt.bytes_read, request.to_string().len() as u64);
    ses.assert_signed();
}

#[test]
fn every_kind_of_tampering_is_refused() {
    let ses = SesEndpoint::start();
    assert_eq!(told(&Signed::new().send(&ses)), "200");

    let now = SystemTime::now();
    let mut other_body = Signed::new();
    let at = other_body.body.len() / 2;
    other_body.body[at] ^= 1;
    let mut other_target = Signed::new();
    other_target.head.target.push_str("?a=b");
    let mut unsigned_field = Signed::new();
    unsigned_field
        .head
        .fields
        .push(("x-amz-meta".to_owned(), "a".to_owned()));
    let mut twice = Signed::new();
    twice.head.fields.push(("host".to_owned(), "other".to_owned()));
    let mut bare = Signed::new();
    bare.head.fields.retain(|(name, _)| name != "authorization");
    let mut no_date = Signed::new();
    no_date.head.fields.retain(|(name, _)| name != "x-amz-date");
    let credentials = |access_key: &str, secret: &str, token: Option<&str>| Credentials {
        access_key: access_key.to_owned(),
        secret: secret.to_owned(),
        session_token: token.map(str::to_owned),
    };
    let by = |credentials: &Credentials| Signed::with(credentials, "ses", now, &[]);
    let payload = |text| {
        Signed::with(
            &Credentials::test(),
            "ses",
            now,
            &[("x-amz-content-sha256", text)],
        )
    };
    let minutes = Duration::from_mins(6);
    for (name, signed, why) in [
        ("another body", other_body, "the signature is not"),
        ("another query", other_target, "the signature is not"),
        (
            "another host",
            Signed::new().set("host", |_| "other".to_owned()),
            "the signature is not",
        ),
        ("a second host", twice, "the signature is not"),
        (
            "another type",
            Signed::new().set("content-type", |_| "text/plain".to_owned()),
            "the signature is not",
        ),
        ("a field not signed", unsigned_field, "x-amz-meta is not signed"),
        ("no signature", bare, "no Authorization"),
        ("no date", no_date, "no X-Amz-Date"),
        (
            "another signature",
            Signed::new().set("authorization", |old| format!("{old}0")),
            "the signature is not",
        ),
        (
            "another region",
            Signed::new().set("authorization", |old| old.replace("eu-", "us-")),
            "the signature is not",
        ),
        (
            "host taken out",
            Signed::new().set("authorization", |old| old.replace(";host", "")),
            "host is not signed",
        ),
        (
            "a field that is not there",
            Signed::new().set("authorization", |old| old.replace(";host", ";from;host")),
            "from is missing",
        ),
        (
            "not sorted",
            Signed::new().set("authorization", |old| {
                old.replace("content-type;host", "host;content-type")
            }),
            "not sorted",
        ),
        (
            "another algorithm",
            Signed::new().set("authorization", |old| old.replace("AWS4-", "AWS5-")),
            "another algorithm",
        ),
        (
            "another service",
            Signed::with(&Credentials::test(), "email", now, &[]),
            "signed for email",
        ),
        (
            "another key",
            by(&credentials("AKIDOTHER", "secret", None)),
            "unknown access key",
        ),
        (
            "another secret",
            by(&credentials("AKIDTEST", "other", None)),
            "the signature is not",
        ),
        (
            "a token nobody gave",
            by(&credentials("AKIDTEST", "secret", Some("t"))),
            "session token",
        ),
        (
            "a slow clock",
            Signed::with(&Credentials::test(), "ses", now - minutes, &[]),
            "the clock is off",
        ),
        (
            "a fast clock",
            Signed::with(&Credentials::test(), "ses", now + minutes, &[]),
            "the clock is off",
        ),
        (
            "unsigned payload",
            payload("UNSIGNED-PAYLOAD"),
            "is UNSIGNED-PAYLOAD",
        ),
        ("a false hash", payload("00"), "X-Amz-Content-Sha256 is 00"),
    ] {
        let answer = signed.send(&ses);
        assert_eq!(answer.status, 403, "{name}: {}", answer.text());
        assert!(answer.text().contains(why), "{name}: {}", answer.text());
    }
    assert_eq!(ses.messages().len(), 1);

    // With the hash told, as S3 wants it, and with a session token, it holds.
    let hash = sigv4::sha256_hex(&Signed::new().body);
    assert_eq!(told(&payload(&hash).send(&ses)), "200");
    ses.credentials(credentials("AKIDTEST", "secret", Some("t")));
    assert_eq!(
        told(&by(&credentials("AKIDTEST", "secret", Some("t"))).send(&ses)),
        "200"
    );
    assert_eq!(Signed::new().send(&ses).status, 403);
}

/// The SDK signs an unsigned payload by its literal, without a field that tells so.
#[test]
fn an_unsigned_payload_is_refused_without_the_field_too() {
    let ses = SesEndpoint::start();
    let mut signed = Signed::new();
    signed
        .head
        .fields
        .retain(|(name, _)| !matches!(name.as_str(), "authorization" | "x-amz-date"));
    let now = SystemTime::now();
    sigv4::sign(
        &mut signed.head,
        "UNSIGNED-PAYLOAD",
        &Credentials::test(),
        "ses",
        now,
    );
    assert_eq!(signed.send(&ses).status, 403);
}

#[test]
fn length_has_to_be_told_and_nothing_expected() {
    let ses = SesEndpoint::start();
    let credentials = Credentials::test();
    for more in [("transfer-encoding", "chunked"), ("expect", "100-continue")] {
        let signed = Signed::with(&credentials, "ses", SystemTime::now(), &[more]);
        assert_eq!(signed.send(&ses).status, 400, "{more:?}");
    }
    let mut signed = Signed::new();
    signed.head.fields.retain(|(name, _)| name != "content-length");
    assert_eq!(signed.send(&ses).status, 400);
    signed.head.target = "/v2/email/identities".to_owned();
    assert_eq!(signed.send(&ses).status, 404);
    assert!(ses.attempts().iter().all(|attempt| attempt.bytes_read == 0));
}

// --- The rules of a raw message ---

/// `{MAIL}` with a field more, or another one in place of From.
#[test]
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
        (format!("{MAIL}{}\r\n", "b".repeat(5_000)), "200"),
    ] {
        let got = outcome(&ses, &mail);
        assert_eq!(got, expected, "{mail}");
    }
}

#[test]
fn what_no_source_settles_can_be_switched() {
    let lines = format!("{MAIL}{}\r\n", "b".repeat(999));
    let many = format!("Cc: {}\r\n{MAIL}", vec!["a@example.org"; 49].join(",\r\n "));
    let twice = format!("To: omar@example.net\r\n{MAIL}");
    let syntax = format!("Cc: nobody\r\n{MAIL}");
    type Switch = fn(&mut Rules);
    let cases: [(&str, &str, Switch, &str, &str); 4] = [
        ("lines", &lines, |rules| rules.body_lines = true, "200", "552"),
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
    let mail = |octets: usize| format!("{MAIL}{}", "b".repeat(octets - MAIL.len()));
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
    let mut mail = MAIL.as_bytes().to_vec();
    mail.resize(40 << 20, b'x');
    assert_eq!(told(&ask(&ses, &request_of(&mail, &["jane@example.net"]))), "200");
    assert!(ses.take_messages().remove(0).raw == mail);
    assert!(ses.messages().is_empty());
}

// --- Faults ---

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
    let mail = format!("{MAIL}{}", "b".repeat(8 << 20));
    let got = outcome(&ses, &mail);
    assert_eq!(got, "500 InternalServiceErrorException: before the body");
    let attempt = ses.attempts().remove(0);
    assert_eq!((attempt.bytes_read, attempt.signature), (0, None));
}

#[test]
fn cuts_stalls_and_slowness_are_what_they_say() {
    let ses = SesEndpoint::start();
    let request = request_of(
        format!("{MAIL}{}", "b".repeat(1 << 20)).as_bytes(),
        &["jane@example.net"],
    );
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

// --- S3 ---

fn get(s3: &S3, method: &str, key: &str, fields: &[(&str, &str)]) -> std::io::Result<Answer> {
    let mut client = Client::connect(s3.address())?;
    sigv4::signed_request(&mut client, "s3", method, &format!("/mail/{key}"), fields, &[])
}

#[test]
fn objects_are_read_whole_in_ranges_and_on_condition() {
    let s3 = S3::start();
    let etag = s3.put_with("mail", "in/a b", "0123456789", &[("x-amz-iv", "iv")]);
    let whole = get(&s3, "GET", "in/a%20b?x-id=GetObject", &[]).unwrap();
    assert_eq!((whole.status, whole.text().as_str()), (200, "0123456789"));
    assert_eq!(whole.field("etag"), Some(etag.as_str()));
    assert_eq!(whole.field("content-length"), Some("10"));
    assert_eq!(whole.field("x-amz-meta-x-amz-iv"), Some("iv"));
    let head = get(&s3, "HEAD", "in/a%20b", &[]).unwrap();
    assert_eq!((head.status, head.field("content-length")), (200, Some("10")));

    let part = |range: &str| get(&s3, "GET", "in/a%20b", &[("range", range)]).unwrap();
    for (range, expected, of) in [
        ("bytes=0-3", "0123", "bytes 0-3/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=8-99", "89", "bytes 8-9/10"),
    ] {
        let part = part(range);
        assert_eq!((part.status, part.text().as_str()), (206, expected), "{range}");
        assert_eq!(part.field("content-range"), Some(of), "{range}");
    }
    assert_eq!(part("bytes=10-").status, 416);

    let matching = |etag: &str| get(&s3, "GET", "in/a%20b", &[("if-match", etag)]).unwrap();
    assert_eq!(matching(&etag).status, 200);
    assert_eq!(matching("\"other\"").status, 412);
    let missing = get(&s3, "GET", "none", &[]).unwrap();
    assert!(missing.status == 404 && missing.text().contains("<Code>NoSuchKey</Code>"));
    let unsigned = http::request(s3.address(), "GET", "/mail/in/a%20b", &[], &[]).unwrap();
    assert_eq!(unsigned.status, 403);
}

#[test]
fn streams_are_cut_shortened_and_changed() {
    let s3 = S3::start();
    let etag = s3.put("mail", "a", vec![b'x'; 1 << 20]);
    s3.script([
        s3::Fault::Cut { after: 1_000 },
        s3::Fault::Short { by: 24 },
        s3::Fault::Refuse(503, "SlowDown".to_owned()),
        s3::Fault::Change(b"another".to_vec()),
    ]);
    let cut = get(&s3, "GET", "a", &[]);
    assert!(cut.is_err(), "the end is missed");
    let short = get(&s3, "GET", "a", &[]).unwrap();
    assert_eq!(
        (short.body.len(), short.field("etag")),
        ((1 << 20) - 24, Some(etag.as_str()))
    );
    assert_eq!(get(&s3, "GET", "a", &[]).unwrap().status, 503);
    let changed = get(&s3, "GET", "a", &[("if-match", &etag)]).unwrap();
    assert_eq!(changed.status, 412);
    assert_eq!(get(&s3, "GET", "a", &[]).unwrap().text(), "another");
    let attempts = s3.attempts();
    assert_eq!(attempts[0].bytes_sent, 1_000);
    assert_eq!(attempts[3].if_match.as_deref(), Some(etag.as_str()));
    assert_eq!(attempts[4].path, "mail/a");
    assert_eq!(s3.bytes_sent(), 1_000 + (1 << 20) - 24 + 7);
}

/// Without a rate a client that goes after the header section has cost some megabytes.
#[test]
fn a_paced_stream_shows_who_goes_early() {
    let s3 = S3::start();
    s3.put("mail", "a", vec![b'x'; 20 << 20]);
    s3.pace(4 << 20);
    let mut head = head("GET", "/mail/a", &[("host", "127.0.0.1")]);
    let empty = sigv4::sha256_hex(b"");
    sigv4::sign(&mut head, &empty, &Credentials::test(), "s3", SystemTime::now());
    let mut text = String::from("GET /mail/a HTTP/1.1\r\n");
    for (name, value) in &head.fields {
        text.extend([name, ": ", value, "\r\n"]);
    }
    let mut stream = std::net::TcpStream::connect(s3.address()).unwrap();
    std::io::Write::write_all(&mut stream, format!("{text}\r\n").as_bytes()).unwrap();
    let mut chunk = [0; 4_096];
    assert!(std::io::Read::read(&mut stream, &mut chunk).unwrap() > 0);
    drop(stream);
    let sent = s3.bytes_sent();
    assert!(sent < 512 << 10, "{sent}");
}

// --- SSM ---

fn ask_ssm(ssm: &Ssm, operation: &str, request: &Value) -> (u16, Value) {
    let target = format!("AmazonSSM.{operation}");
    let fields = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", target.as_str()),
    ];
    let mut client = Client::connect(ssm.address()).unwrap();
    let body = request.to_string();
    let answer = sigv4::signed_request(&mut client, "ssm", "POST", "/", &fields, body.as_bytes()).unwrap();
    (answer.status, answer.json())
}

#[test]
fn parameters_are_told_decrypted_on_demand_and_by_path() {
    let ssm = Ssm::start();
    ssm.put("/map", "{}");
    ssm.put_plain("/plain", "text");
    let get = |request: Value| ask_ssm(&ssm, "GetParameter", &request);
    let (status, answer) = get(json!({"Name": "/map", "WithDecryption": true}));
    assert_eq!((status, &answer["Parameter"]["Value"]), (200, &json!("{}")));
    assert_eq!(answer["Parameter"]["Version"], 1);
    assert_ne!(get(json!({"Name": "/map"})).1["Parameter"]["Value"], "{}");
    assert_eq!(get(json!({"Name": "/plain"})).1["Parameter"]["Value"], "text");
    let (status, answer) = get(json!({"Name": "/none"}));
    assert_eq!((status, &answer["__type"]), (400, &json!("ParameterNotFound")));

    for n in 0..12 {
        ssm.put(&format!("/maps/{n:02}"), "{}");
    }
    ssm.put("/maps/below/1", "{}");
    let by_path = |request: Value| ask_ssm(&ssm, "GetParametersByPath", &request).1;
    let first = by_path(json!({"Path": "/maps/", "WithDecryption": true}));
    assert_eq!(first["Parameters"].as_array().unwrap().len(), 10);
    let second = by_path(json!({"Path": "/maps", "NextToken": first["NextToken"]}));
    assert_eq!(second["Parameters"].as_array().unwrap().len(), 2);
    assert_eq!(second["NextToken"], Value::Null);
    let names = by_path(json!({"Path": "/maps", "Recursive": true, "NextToken": "10"}));
    assert_eq!(names["Parameters"].as_array().unwrap().len(), 3);
}

#[test]
fn parameters_fail_as_told() {
    let ssm = Ssm::start();
    ssm.put("/map", "{}");
    ssm.script([ssm::Fault::Throttle, ssm::Fault::Error]);
    let request = json!({"Name": "/map"});
    let get = || ask_ssm(&ssm, "GetParameter", &request);
    assert_eq!(get().1["__type"], "ThrottlingException");
    assert_eq!(get().0, 500);
    assert_eq!(get().0, 200);
    ssm.stand(ssm::Fault::Refuse(400, "AccessDeniedException".to_owned()));
    assert_eq!(get().1["__type"], "AccessDeniedException");
    let unsigned = http::request(ssm.address(), "POST", "/", &[], b"{}").unwrap();
    assert_eq!(unsigned.json()["__type"], "InvalidSignatureException");
    assert_eq!(ssm.attempts().len(), 5);
}

// --- The Runtime API ---

#[test]
fn invocations_are_polled_and_answered() {
    let api = RuntimeApi::start();
    let address = api.address();
    let base = "/2018-06-01/runtime/invocation";
    thread::scope(|scope| {
        scope.spawn(|| {
            for end in ["response", "error"] {
                let next = http::request(address, "GET", &format!("{base}/next"), &[], &[]).unwrap();
                let id = next.field("lambda-runtime-aws-request-id").unwrap().to_owned();
                let deadline: u128 = next.field("lambda-runtime-deadline-ms").unwrap().parse().unwrap();
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
                assert!((deadline - now.as_millis()).abs_diff(5_000) < 1_000, "epoch ms");
                assert!(next.field("lambda-runtime-invoked-function-arn").is_some());
                assert!(next.field("lambda-runtime-trace-id").is_some());
                let answer = http::request(address, "POST", &format!("{base}/{id}/{end}"), &[], &next.body);
                assert_eq!(answer.unwrap().status, 202);
                let again = http::request(address, "POST", &format!("{base}/{id}/{end}"), &[], b"{}");
                assert_eq!(again.unwrap().status, 400, "answered already");
            }
        });
        let time = Duration::from_secs(5);
        assert_eq!(
            api.invoke_within(&json!({"a": 1}), time),
            Reply::Ok(json!({"a": 1}))
        );
        assert_eq!(
            api.invoke_within(&json!({"a": 2}), time),
            Reply::Err(json!({"a": 2}))
        );
    });
    let first = api.wait_for_poll(Duration::from_secs(1));
    assert!(first.elapsed() < Duration::from_secs(10));
    assert_eq!(api.init_error(Duration::ZERO), None);
    let error = br#"{"errorType": "Settings"}"#;
    http::request(address, "POST", "/2018-06-01/runtime/init/error", &[], error).unwrap();
    assert_eq!(
        api.init_error(Duration::from_secs(1)),
        Some(json!({"errorType": "Settings"}))
    );
}

#[test]
fn a_program_is_started_measured_and_ended() {
    let api = RuntimeApi::start();
    let script =
        "env; echo seen >&2; i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; read forever <&1";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bootstrap");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\nexec /bin/sleep 60\n")).unwrap();
    let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    std::fs::set_permissions(&path, mode).unwrap();
    let mut running = api.spawn_bootstrap(&path, &[("OUTBOX", "ses")]);
    let patience = Duration::from_secs(20);
    assert!(running.wait_for_line("done", patience).is_some());
    assert!(running.wait_for_line("seen", patience).is_some());
    let lines = running.lines();
    let api_line = format!("AWS_LAMBDA_RUNTIME_API={}", api.address());
    for line in [
        api_line.as_str(),
        "OUTBOX=ses",
        "AWS_REGION=eu-west-1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
    ] {
        assert!(lines.iter().any(|have| have == line), "{line}");
    }
    assert!(
        !lines.iter().any(|line| line.starts_with("HOME=")),
        "nothing is inherited"
    );
    assert!(running.peak_rss_kib() > 100);
    assert!(
        running.user_cpu() > Duration::from_millis(10),
        "{:?}",
        running.user_cpu()
    );
    assert!(running.started().elapsed() < patience);
    assert_eq!(running.wait(Duration::ZERO), None, "still there");
    let mut ended = api.spawn_bootstrap(Path::new("/bin/true"), &[]);
    assert!(ended.wait(patience).is_some_and(|status| status.success()));
}

// --- moto ---

#[test]
fn moto_keeps_what_it_is_given() {
    let moto = Moto::start();
    moto.put_object("mail", "in/a", b"abc\xff");
    moto.put_object("mail", "in/b", b"more");
    assert_eq!(moto.object("mail", "in/a").unwrap(), b"abc\xff");
    assert_eq!(moto.object("mail", "none"), None);
    moto.put_parameter("/map", "{}");
    moto.put_parameter("/map", "{\"a\": []}");
    let fields = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "AmazonSSM.GetParameter"),
    ];
    let body = json!({"Name": "/map", "WithDecryption": true}).to_string();
    let mut client = Client::connect(moto.address()).unwrap();
    let told = sigv4::signed_request(&mut client, "ssm", "POST", "/", &fields, body.as_bytes()).unwrap();
    assert_eq!(told.json()["Parameter"]["Value"], "{\"a\": []}");

    let send = || {
        let request = request_of(MAIL.as_bytes(), &["omar@example.net"]).to_string();
        let mut client = Client::connect(moto.address()).unwrap();
        let fields = [("content-type", "application/json")];
        sigv4::signed_request(&mut client, "ses", "POST", SEND, &fields, request.as_bytes()).unwrap()
    };
    assert_eq!(send().status, 400, "nobody is verified yet");
    moto.verify_identity("example.com");
    moto.verify_identity("jane@example.org");
    assert_eq!(send().status, 200);
    let sent = moto.sent_messages();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["raw_data"], MAIL);
    // moto adds those of the header section.
    assert_eq!(
        sent[0]["destinations"],
        json!(["omar@example.net", "jane@example.net"])
    );
}
