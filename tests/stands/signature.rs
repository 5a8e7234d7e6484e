//! The signature: the worked examples of AWS, and every kind of tampering.

use std::time::{Duration, SystemTime};

use super::support::http::{Answer, Client, Head};
use super::support::ses::SesEndpoint;
use super::support::sigv4::{self, Credentials, Scope};
use super::{MAIL, SEND, ask, head, request_of, told};
use serde_json::json;

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
#[allow(clippy::too_many_lines)] // A table.
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
