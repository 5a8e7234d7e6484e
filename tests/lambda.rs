//! The function as the program that Lambda runs, between stand-ins of the Runtime API, S3, SSM and SES.
#![cfg(feature = "aws")]

mod common;
#[path = "lambda/corpus.rs"]
mod corpus;
#[path = "lambda/events.rs"]
mod events;
#[path = "lambda/ledger.rs"]
mod ledger;
#[path = "lambda/map.rs"]
mod map;
#[path = "lambda/measured.rs"]
mod measured;
#[path = "lambda/reports.rs"]
mod reports;
#[path = "lambda/retries.rs"]
mod retries;
mod support;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use support::bootstrap::{Bootstrap, program};
use support::moto::Moto;
use support::raw_message;
use support::runtime_api::{Reply, RuntimeApi};
use support::s3::{self, S3};
use support::ses::SesEndpoint;
use support::ssm::Ssm;

const BUCKET: &str = "mail";
const PREFIX: &str = "inbound/";
const MAP: &str = "/readdress/aliases";
/// As SES writes them.
const ID: &str = "m3k8d1v6t9q2x5c7b4n0h8j1l6p3r5s2w7z9f401";
/// Octets of a mail that is surely not kept from the first pass.
const LARGE: usize = 12 << 20;
/// As the setting takes it: what SES v2 takes.
const SEND_ALL: (&str, &str) = ("MAX_SEND_BYTES", "41943040");
/// Longer than any program that is not hung takes to write a line.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything that the function needs.
struct Stands {
    api: RuntimeApi,
    s3: S3,
    ses: SesEndpoint,
    ssm: Ssm,
    delivered: Cell<u32>,
}

impl Stands {
    /// With a map of an alias of two targets, and one of 120.
    fn start() -> Self {
        let stands = Stands {
            api: RuntimeApi::start(),
            s3: S3::start(),
            ses: SesEndpoint::start(),
            ssm: Ssm::start(),
            delivered: Cell::new(0),
        };
        let many: Vec<String> = (0..120).map(|n| format!("target{n}@example.net")).collect();
        let map = json!({
            "shop@example.com": ["jane@example.net", "omar@example.net"],
            "many@example.com": many,
        });
        stands.ssm.put(MAP, &map.to_string());
        stands
    }

    /// The function, with these settings beside those that it always needs.
    fn function(&self, more: &[(&str, &str)]) -> Bootstrap {
        let (s3, ses, ssm) = (self.s3.url(), self.ses.url(), self.ssm.url());
        function(&self.api, [&s3, &ses, &ssm], more)
    }

    fn put(&self, id: &str, message: &[u8]) {
        self.s3.put(BUCKET, &format!("{PREFIX}{id}"), message);
    }

    /// Stores a message under an id of its own, and tells the function that it arrived for the alias of two targets.
    fn deliver(&self, message: &[u8]) -> Reply {
        let n = self.delivered.get();
        self.delivered.set(n + 1);
        let id = if n == 0 { ID.to_owned() } else { format!("{ID}{n}") };
        self.put(&id, message);
        self.api.invoke(&ses_event(&id, &["shop@example.com"]))
    }

    /// Checks that the message went out once, sealed, signed, and to these targets.
    fn assert_landed(&self, message: &[u8], targets: &[&str]) {
        self.ses.assert_signed();
        let sent = self.ses.messages();
        assert_eq!(sent.len(), 1, "sent once");
        assert_same(sent[0].body(), body_of(message));
        let to: BTreeSet<&str> = sent[0].to.iter().map(String::as_str).collect();
        assert_eq!(to, targets.iter().copied().collect());
        assert_eq!(sent[0].kept, [""; 0], "fields that steer SES");
    }

    /// The status of every request that SES had an answer for.
    fn statuses(&self) -> Vec<Option<u16>> {
        self.ses.attempts().iter().map(|attempt| attempt.status).collect()
    }
}

fn function(api: &RuntimeApi, [s3, ses, ssm]: [&str; 3], more: &[(&str, &str)]) -> Bootstrap {
    let mut env = vec![
        ("EMAIL_BUCKET", BUCKET),
        ("EMAIL_PREFIX", PREFIX),
        ("ALIAS_MAP_PARAM", MAP),
        ("OUTBOX", "ses"),
        ("AWS_ENDPOINT_URL_S3", s3),
        ("AWS_ENDPOINT_URL_SESV2", ses),
        ("AWS_ENDPOINT_URL_SSM", ssm),
    ];
    env.extend_from_slice(more);
    api.spawn_bootstrap(&program(env!("CARGO_BIN_EXE_bootstrap")), &env)
}

fn ses_record(id: &str, recipients: &[&str]) -> Value {
    json!({"eventSource": "aws:ses", "eventVersion": "1.0", "ses": {
        "mail": {"messageId": id, "source": "zoe@example.org", "destination": recipients},
        "receipt": {"recipients": recipients, "spamVerdict": {"status": "PASS"},
            "virusVerdict": {"status": "PASS"}, "spfVerdict": {"status": "PASS"},
            "dkimVerdict": {"status": "PASS"}, "dmarcVerdict": {"status": "PASS"},
            "action": {"type": "Lambda", "functionArn": "arn:aws:lambda:x", "invocationType": "Event"}}}})
}

fn ses_event(id: &str, recipients: &[&str]) -> Value {
    json!({"Records": [ses_record(id, recipients)]})
}

/// A message of so many octets, of which no two lines are the same.
fn message(octets: usize) -> Vec<u8> {
    let mut message = format!(
        "Return-Path: <zoe@example.org>\r\n\
         Received: from mx.example.org (mx.example.org [203.0.113.61])\r\n \
         by inbound-smtp.eu-west-1.amazonaws.com with SMTP id {ID}\r\n \
         for shop@example.com;\r\n Thu, 05 Mar 2026 08:30:12 +0000 (UTC)\r\n\
         X-SES-Spam-Verdict: PASS\r\nDKIM-Signature: v=1; d=example.org\r\n\
         From: Zoe <zoe@example.org>\r\nTo: shop@example.com\r\nSubject: unmistakable lamp\r\n\
         Date: Thu, 5 Mar 2026 09:30:08 +0100\r\nMessage-ID: <1@example.org>\r\n\r\n"
    )
    .into_bytes();
    let mut line = 0_u64;
    while message.len() < octets {
        message.extend_from_slice(format!("{line:>074}\r\n").as_bytes());
        line += 1;
    }
    message.truncate(octets.max(600));
    message
}

fn body_of(message: &[u8]) -> &[u8] {
    raw_message::split(message).expect("a header section").1
}

/// Equal, without forty megabytes in the report if not.
fn assert_same(got: &[u8], expected: &[u8]) {
    let differs = got.iter().zip(expected).position(|(a, b)| a != b);
    assert!(
        got == expected,
        "{} octets for {}, the first that differs is {differs:?}",
        got.len(),
        expected.len()
    );
}

/// The trial message of the README: non-ASCII names, folded fields, several parts.
fn trial_message() -> Vec<u8> {
    let path = format!(
        "{}/fixtures/trial/bucket/inbound/{ID}",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read(path).unwrap()
}

const TARGETS: [&str; 2] = ["jane@example.net", "omar@example.net"];

// --- What arrives goes out ---

#[test]
fn a_mail_lands_sealed_and_the_log_names_nobody() {
    let stands = Stands::start();
    let running = stands.function(&[("CONFIGURATION_SET", "main")]);
    let message = trial_message();
    stands.deliver(&message).unwrap();
    stands.assert_landed(&message, &TARGETS);
    let sent = stands.ses.messages().remove(0);
    assert_eq!(sent.configuration_set.as_deref(), Some("main"));
    assert_eq!(sent.from.as_deref(), Some("shop@example.com"));
    assert_eq!(stands.s3.reads().len(), 1, "a small mail is fetched once");

    assert!(
        running.wait_for_line(ID, PATIENCE).is_some(),
        "a line for the outcome"
    );
    for line in running.lines() {
        assert!(serde_json::from_str::<Value>(&line).is_ok(), "no JSON: {line}");
        for personal in ["zoe@", "jane@", "omar@", "shop@", "lamp"] {
            assert!(!line.contains(personal), "{personal} in {line}");
        }
    }
    let metrics = running.wait_for_line("CloudWatchMetrics", PATIENCE);
    let metrics: Value = serde_json::from_str(&metrics.expect("a line of metrics")).unwrap();
    assert_eq!(metrics["forwarded"], 1, "{metrics}");
}

#[test]
fn a_large_mail_is_streamed_twice() {
    let stands = Stands::start();
    let _running = stands.function(&[SEND_ALL]);
    let message = message(LARGE);
    stands.deliver(&message).unwrap();
    stands.assert_landed(&message, &TARGETS);
    let attempts = stands.s3.reads();
    assert!(
        attempts.len() > 1 && attempts[1].if_match.is_some(),
        "{attempts:?}"
    );
}

#[test]
fn a_hundred_and_twenty_targets_are_three_requests() {
    for octets in [2_000, LARGE] {
        let stands = Stands::start();
        let _running = stands.function(&[SEND_ALL]);
        let message = message(octets);
        stands.put(ID, &message);
        stands.api.invoke(&ses_event(ID, &["many@example.com"])).unwrap();
        stands.ses.assert_signed();
        let sent = stands.ses.messages();
        let sizes: Vec<usize> = sent.iter().map(|message| message.to.len()).collect();
        assert_eq!(sizes, [50, 50, 20]);
        let all: BTreeSet<&String> = sent.iter().flat_map(|message| &message.to).collect();
        assert_eq!(all.len(), 120, "every target once");
        for part in &sent {
            assert_same(part.body(), body_of(&message));
            assert_same(&part.raw, &sent[0].raw);
        }
    }
}

// --- What S3 may do ---

#[test]
fn cut_streams_are_resumed_in_both_passes() {
    let stands = Stands::start();
    let _running = stands.function(&[SEND_ALL]);
    let cut = |after| s3::Fault::Cut { after };
    stands
        .s3
        .script([cut(3 << 20), s3::Fault::None, cut(5 << 20), cut(1 << 20)]);
    let message = message(LARGE);
    stands.deliver(&message).unwrap();
    stands.assert_landed(&message, &TARGETS);
    let resumed: Vec<_> = stands
        .s3
        .attempts()
        .into_iter()
        .filter(|a| a.range.is_some())
        .collect();
    assert!(resumed.len() >= 3, "{resumed:?}");
    assert!(
        resumed.iter().all(|attempt| attempt.if_match.is_some()),
        "{resumed:?}"
    );
}

#[test]
fn an_object_that_changes_is_never_sent() {
    let other = message(LARGE + 7);
    let mut same_length = message(LARGE);
    same_length[LARGE / 2] ^= 1;
    let cut = |after| s3::Fault::Cut { after };
    for (name, faults) in [
        (
            "between the passes",
            vec![s3::Fault::None, s3::Fault::Change(other.clone())],
        ),
        (
            "to one as long",
            vec![s3::Fault::None, s3::Fault::Change(same_length)],
        ),
        ("in the first pass", vec![cut(3 << 20), s3::Fault::Change(other)]),
        ("short at last", vec![s3::Fault::None, s3::Fault::Short { by: 9 }]),
    ] {
        let stands = Stands::start();
        let _running = stands.function(&[SEND_ALL]);
        stands.s3.script(faults);
        let Reply::Err(_) = stands.deliver(&message(LARGE)) else {
            panic!("{name}: the invocation did not fail");
        };
        assert!(stands.ses.messages().is_empty(), "{name}");
        assert_eq!(stands.s3.script_left(), 0, "{name}: it came to that");
    }
}

#[test]
fn an_oversize_mail_costs_its_header_section() {
    let stands = Stands::start();
    let running = stands.function(&[]);
    // Seconds to go for a function that has seen enough.
    stands.s3.pace(1 << 20);
    stands.deliver(&message(30 << 20)).unwrap();
    let read = stands.s3.bytes_sent();
    assert!(read < 2 << 20, "{read} octets were read");
    // The owner is told.
    stands.ses.assert_signed();
    let sent = stands.ses.messages();
    assert_eq!(sent.len(), 1);
    let notice = String::from_utf8_lossy(&sent[0].raw);
    assert!(notice.contains("X-Readdress-Notice: too_large") && notice.len() < 10_000);
    assert!(running.wait_for_line("too_large", PATIENCE).is_some());
}

#[test]
fn what_only_ses_can_decrypt_is_refused() {
    let stands = Stands::start();
    let _running = stands.function(&[]);
    let metadata = [
        ("x-amz-key-v2", "AQIDAHg="),
        ("x-amz-iv", "AAAAAAAAAAAAAAAA"),
        ("x-amz-cek-alg", "AES/GCM/NoPadding"),
        ("x-amz-tag-len", "128"),
        ("x-amz-wrap-alg", "kms"),
    ];
    let key = format!("{PREFIX}{ID}");
    stands.s3.put_with(BUCKET, &key, message(2_000), &metadata);
    let event = ses_event(ID, &["shop@example.com"]);
    let error = stands.api.invoke(&event).unwrap_err();
    assert!(error.to_string().contains("encrypt"), "{error}");
    assert!(stands.ses.attempts().is_empty());
}

// --- moto ---

#[test]
fn it_works_with_moto_too() {
    let (moto, api) = (Moto::start(), RuntimeApi::start());
    moto.verify_identity("example.com");
    moto.put_parameter(MAP, r#"{"shop@example.com": "jane@example.net"}"#);
    let message = message(5_000);
    moto.put_object(BUCKET, &format!("{PREFIX}{ID}"), &message);
    let url = moto.url();
    let _running = function(&api, [&url, &url, &url], &[]);
    api.invoke(&ses_event(ID, &["shop@example.com"])).unwrap();
    let sent = moto.sent_messages();
    assert_eq!(sent.len(), 1);
    let raw = sent[0]["raw_data"].as_str().unwrap();
    assert_same(body_of(raw.as_bytes()), body_of(&message));

    // Another process reads in the ledger that it was sent: moto takes conditional writes too.
    let other = RuntimeApi::start();
    let running = function(&other, [&url, &url, &url], &[]);
    other.invoke(&ses_event(ID, &["shop@example.com"])).unwrap();
    assert_eq!(moto.sent_messages().len(), 1);
    assert!(!running.lines().iter().any(|line| line.contains("WARN")));
    let page = moto.object(BUCKET, &format!("ledger/{ID}.json")).unwrap();
    let page: Value = serde_json::from_slice(&page).unwrap();
    assert_eq!(page["arrival"]["envelope_sender"], "zoe@example.org");
    assert_eq!(page["sent"].as_array().unwrap().len(), 1);
}
