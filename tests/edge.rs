//! From S3 to SES: the pipeline between stand-ins that check what AWS checks, the signature first of all.
#![cfg(feature = "aws")]

#[path = "edge/ledger.rs"]
mod ledger;
mod support;
#[path = "edge/unforeseen.rs"]
mod unforeseen;

use std::path::Path;
use std::time::Duration;

use aws_sdk_sesv2::config::{Credentials, Region};
use serde_json::json;

use readdress::alias_store::{AliasCache, AliasStore};
use readdress::arrival::{Arrival, parse_event};
use readdress::aws::S3Bucket;
use readdress::bucket::Bucket;
use readdress::config::Settings;
use readdress::deadline::Deadline;
use readdress::executor::block_on;
use readdress::forward::{Ending, Forwarder, Outcome};
use readdress::header::mailbox::Address;
use readdress::outbox::{Cause, Outbox, SesOutbox};
use readdress::rewrite::{ROUTE, route_id};
use support::s3::{self, S3};
use support::ses::{self, SesEndpoint};

const LARGE: usize = 12 << 20;

/// The stand-ins, and a pipeline between them.
struct Edge {
    s3: S3,
    ses: SesEndpoint,
    client: aws_sdk_sesv2::Client,
    forwarder: Forwarder,
    /// Holds the alias map.
    directory: tempfile::TempDir,
}

impl Edge {
    fn start() -> Self {
        Edge::with(&[])
    }

    /// With these settings, which come before the usual ones.
    fn with(settings: &[(&str, &str)]) -> Self {
        let (s3, ses) = (S3::start(), SesEndpoint::start());
        let many: Vec<String> = (0..120).map(|n| format!("target{n}@example.net")).collect();
        let map =
            json!({"shop@example.com": ["jane@example.net", "omar@example.net"], "many@example.com": many});
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("map.json"), map.to_string()).unwrap();
        Edge {
            client: aws_sdk_sesv2::Client::from_conf(ses_config(&ses).build()),
            forwarder: process(&s3, &ses, directory.path(), settings),
            directory,
            s3,
            ses,
        }
    }

    /// Another pipeline, which remembers nothing.
    fn process(&self, settings: &[(&str, &str)]) -> Forwarder {
        process(&self.s3, &self.ses, self.directory.path(), settings)
    }

    fn forward(&self, message: &[u8], alias: &str) -> Outcome {
        let mut outcomes = self.forward_to(message, &[alias.to_owned()]);
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }

    fn forward_to(&self, message: &[u8], recipients: &[String]) -> Vec<Outcome> {
        self.s3.put("mail", "inbound/m1", message);
        let arrival = arrival(recipients);
        block_on(self.forwarder.forward(&arrival, Deadline::NEVER))
    }

    /// Sent in so many calls, each signed, with the body as it came.
    fn assert_landed(&self, message: &[u8], calls: usize) {
        self.ses.assert_signed();
        let sent = self.ses.messages();
        assert_eq!(sent.len(), calls);
        for sent in sent {
            assert!(
                sent.body() == body_of(message),
                "the body is not the one that was stored"
            );
        }
    }
}

fn credentials() -> Credentials {
    Credentials::new("AKIDTEST", "secret", None, None, "test")
}

fn ses_config(ses: &SesEndpoint) -> aws_sdk_sesv2::config::Builder {
    aws_sdk_sesv2::Config::builder()
        .behavior_version_latest()
        .region(Region::new("eu-west-1"))
        .credentials_provider(credentials())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(ses.url())
}

fn process(s3: &S3, ses: &SesEndpoint, directory: &Path, settings: &[(&str, &str)]) -> Forwarder {
    let s3_client = aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::Config::builder()
            .behavior_version_latest()
            .region(Region::new("eu-west-1"))
            .credentials_provider(credentials())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(s3.url())
            .force_path_style(true)
            .build(),
    );
    let usual = [
        ("EMAIL_BUCKET", "mail"),
        ("EMAIL_PREFIX", "inbound/"),
        ("ALIAS_MAP_PARAM", "unused"),
        ("MAX_SEND_BYTES", "41943040"),
        ("CONFIGURATION_SET", "main"),
        ("EMAIL_TAGS", "app=readdress"),
        ("FEEDBACK_EMAIL", "bounces@example.com"),
    ];
    let settings = Settings::read(&|name| {
        let mut named = settings.iter().chain(&usual).filter(|(other, _)| *other == name);
        named.next().map(|(_, value)| (*value).to_owned())
    });
    let settings = settings.unwrap();
    Forwarder::new(
        AliasCache::new(
            AliasStore::File(directory.join("map.json")),
            Duration::from_hours(1),
        ),
        Bucket::S3(S3Bucket::new(s3_client, "mail".to_owned())),
        Outbox::Ses(SesOutbox::new(ses_config(ses), settings.ses.clone())),
        &settings,
    )
}

/// The message `m1` arrived for these.
fn arrival(recipients: &[String]) -> Arrival {
    let event = json!({"Records": [{"eventSource": "aws:ses", "ses": {
        "mail": {"messageId": "m1", "source": "jane@example.org"}, "receipt": {"recipients": recipients}}}]});
    let mut records = parse_event(event.to_string().as_bytes()).unwrap();
    records.remove(0).arrival().unwrap().unwrap()
}

fn message(octets: usize) -> Vec<u8> {
    let mut message =
        b"Return-Path: <jane@example.org>\r\nFrom: Jane <jane@example.org>\r\nTo: shop@example.com\r\n\
        Subject: Hello\r\nDKIM-Signature: v=1\r\nX-SES-Receipt: x\r\nMessage-ID: <1@example.org>\r\n\r\n"
            .to_vec();
    while message.len() < octets {
        message.extend_from_slice(b"The quick brown fox jumps over the lazy d\xf6g, again and again.\r\n");
    }
    message
}

fn body_of(message: &[u8]) -> &[u8] {
    let at = message
        .windows(4)
        .position(|octets| octets == b"\r\n\r\n")
        .unwrap();
    &message[at + 4..]
}

#[test]
fn a_small_mail_is_read_once_and_a_large_one_twice() {
    for (octets, gets) in [(2_000, 1), (LARGE, 2)] {
        let edge = Edge::start();
        let message = message(octets);
        let outcome = edge.forward(&message, "shop@example.com");
        assert_eq!(outcome.ending, Ending::Sent, "{outcome:?}");
        edge.assert_landed(&message, 1);
        assert_eq!(edge.s3.reads().len(), gets);
    }
}

#[test]
fn every_batch_has_its_own_valid_signature() {
    for octets in [2_000, LARGE] {
        let edge = Edge::start();
        let message = message(octets);
        let outcome = edge.forward(&message, "many@example.com");
        assert_eq!(outcome.ending, Ending::Sent, "{outcome:?}");
        edge.assert_landed(&message, 3);
        let recipients: usize = edge.ses.messages().iter().map(|message| message.to.len()).sum();
        assert_eq!(recipients, 120);
    }
}

#[test]
fn a_refusal_for_now_is_tried_again_and_one_for_good_is_not() {
    let edge = Edge::start();
    let large = message(LARGE);
    edge.ses
        .script([ses::Fault::Throttle, ses::Fault::ErrorBeforeBody]);
    let outcome = edge.forward(&large, "shop@example.com");
    assert_eq!(outcome.ending, Ending::Sent, "{outcome:?}");
    edge.assert_landed(&large, 1);
    assert_eq!(edge.ses.attempts().len(), 3);

    let edge = Edge::start();
    edge.ses.script([ses::Fault::Rejected]);
    let outcome = edge.forward(&message(2_000), "shop@example.com");
    assert_eq!(
        (outcome.ending, outcome.cause),
        (Ending::Failed, Some(Cause::Configuration)),
        "{outcome:?}"
    );
    assert_eq!(edge.ses.attempts().len(), 1);
    assert!(!outcome.error.unwrap().contains('@'));
}

#[test]
fn a_cut_stream_is_taken_up_again() {
    let edge = Edge::start();
    let large = message(LARGE);
    // The first reading is cut once, the second, which is the request's body, later.
    edge.s3.script([
        s3::Fault::Cut { after: 1 << 20 },
        s3::Fault::None,
        s3::Fault::Cut { after: 3 << 20 },
    ]);
    let outcome = edge.forward(&large, "shop@example.com");
    assert_eq!(outcome.ending, Ending::Sent, "{outcome:?}");
    edge.assert_landed(&large, 1);
}

/// Catches a wait for ever, which ends with the function's time and without an outcome.
#[test]
fn a_stream_from_which_nothing_comes_is_taken_up_again() {
    let edge = Edge::start();
    let large = message(LARGE);
    edge.s3
        .script([s3::Fault::None, s3::Fault::Stall { after: 3 << 20 }]);
    let outcome = edge.forward(&large, "shop@example.com");
    assert_eq!(outcome.ending, Ending::Sent, "{outcome:?}");
    edge.assert_landed(&large, 1);
    let attempts = edge.s3.reads();
    assert_eq!(attempts.len(), 3);
    assert!(attempts[2].range.is_some(), "{attempts:?}");
}

#[test]
fn an_object_that_changes_between_the_readings_is_not_sent() {
    let edge = Edge::start();
    edge.s3
        .script([s3::Fault::None, s3::Fault::Change(message(LARGE / 2))]);
    let outcome = edge.forward(&message(LARGE), "shop@example.com");
    assert_eq!(
        (outcome.ending, outcome.cause),
        (Ending::Failed, Some(Cause::Unreadable)),
        "{outcome:?}"
    );
    assert!(edge.ses.messages().is_empty());
}

#[test]
fn a_message_over_the_limit_costs_one_get_of_its_head() {
    let edge = Edge::with(&[("NOTIFY", "off")]);
    // Seconds to go for a client that has seen enough.
    edge.s3.pace(4 << 20);
    let outcome = edge.forward(&message(45 << 20), "shop@example.com");
    assert_eq!(
        (outcome.ending, outcome.cause),
        (Ending::TooLarge, Some(Cause::TooLarge))
    );
    assert!(edge.ses.attempts().is_empty());
    assert_eq!(edge.s3.reads().len(), 1);
    assert!(
        edge.s3.bytes_sent() < 8 << 20,
        "{} octets were read",
        edge.s3.bytes_sent()
    );
}

/// Catches mail that a stranger sends to a hundred tags of one alias, and that is paid for a hundred times.
#[test]
fn a_message_costs_the_same_for_one_recipient_and_for_a_hundred() {
    let recipients: Vec<String> = (0..100).map(|n| format!("shop+{n}@example.com")).collect();
    // Nothing in a signed part can be mended.
    let signed = "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n";
    let long_line = "x".repeat(1000);
    let refused = [
        signed.as_bytes(),
        &message(LARGE),
        long_line.as_bytes(),
        b"\r\n--b--\r\n",
    ]
    .concat();
    let report = report("shop@example.com");
    for (message, ending, cause, gets, sends) in [
        (message(LARGE), Ending::Sent, None, 2, 1),
        (refused, Ending::Failed, Some(Cause::Rejected), 2, 1),
        (message(45 << 20), Ending::TooLarge, Some(Cause::TooLarge), 1, 0),
        // Read once to find out what it reports on, and twice to be sent.
        (report, Ending::Sent, None, 3, 1),
    ] {
        let edge = Edge::with(&[("NOTIFY", "off")]);
        let outcomes = edge.forward_to(&message, &recipients);
        assert_eq!(outcomes.len(), 100);
        for (outcome, recipient) in outcomes.iter().zip(&recipients) {
            assert_eq!((outcome.ending, outcome.cause), (ending, cause), "{outcome:?}");
            assert_eq!(outcome.alias.as_ref(), Some(recipient));
        }
        let requests = || (edge.s3.reads().len(), edge.ses.attempts().len());
        assert_eq!(requests(), (gets, sends), "{ending:?}");
        // Lambda repeats what failed. SES is not asked again for what it has refused for good.
        let again = edge.forward_to(&message, &recipients);
        assert!(again.iter().all(|outcome| outcome.ending == ending), "{again:?}");
        assert_eq!(requests().1, sends, "{ending:?}, again");
    }
}

/// Catches a message that goes out twice, since it leads to the same target by two recipients and SES's answer was lost.
#[test]
fn what_may_have_been_sent_is_not_sent_for_the_next_recipient() {
    let edge = Edge::start();
    edge.ses.script([ses::Fault::CutAfterTaking]);
    let recipients = ["shop+a@example.com", "shop+b@example.com"].map(str::to_owned);
    for outcome in edge.forward_to(&message(2_000), &recipients) {
        assert_eq!(outcome.cause, Some(Cause::Ambiguous), "{outcome:?}");
    }
    assert_eq!(edge.ses.messages().len(), 1);
    // Whoever repeats the arrival has decided that twice is better than never.
    let again = edge.forward_to(&message(2_000), &recipients);
    assert!(
        again.iter().all(|outcome| outcome.ending == Ending::Sent),
        "{again:?}"
    );
    assert_eq!(edge.ses.messages().len(), 2);
}

/// Catches a ledger that is written when an arrival has ended, and so forgets all that was sent where it does not.
#[test]
fn what_was_sent_is_known_when_the_invocation_breaks_off() {
    let edge = Edge::start();
    edge.s3.put("mail", "inbound/m1", message(2_000));
    let arrival = arrival(&["shop@example.com", "many@example.com"].map(str::to_owned));
    // Of the second alias's three batches, SES takes the first and hangs at the second.
    edge.ses.script([
        ses::Fault::None,
        ses::Fault::None,
        ses::Fault::Stall { after: 100 },
    ]);
    block_on(async {
        let forward = edge.forwarder.forward(&arrival, Deadline::NEVER);
        let broken_off = tokio::time::timeout(Duration::from_secs(2), forward).await;
        assert!(broken_off.is_err());
    });
    // Its claim is not dead yet: it may be sending.
    let outcomes = block_on(edge.forwarder.forward(&arrival, Deadline::NEVER));
    let causes: Vec<_> = outcomes.iter().map(|outcome| outcome.cause).collect();
    assert_eq!(causes, [None, Some(Cause::InProgress)], "{outcomes:?}");
    edge.s3.age("mail", "ledger/m1.json", Duration::from_secs(51));
    let outcomes = block_on(edge.forwarder.forward(&arrival, Deadline::NEVER));
    assert!(
        outcomes.iter().all(|it| it.ending == Ending::Sent),
        "{outcomes:?}"
    );
    let sent = edge.ses.messages();
    let sizes: Vec<usize> = sent.iter().map(|message| message.to.len()).collect();
    assert_eq!(sizes, [2, 50, 50, 20]);
}

/// Catches a send that is given up from outside, so that nobody knows which batches went out.
#[test]
fn at_the_deadline_it_is_known_what_was_sent() {
    let edge = Edge::start();
    edge.s3.put("mail", "inbound/m1", message(2_000));
    let arrival = arrival(&["many@example.com".to_owned()]);
    edge.ses
        .script([ses::Fault::None, ses::Fault::Stall { after: 100 }]);
    // Sending stops 3 seconds earlier.
    let deadline = Deadline::after(Duration::from_secs(5));
    let outcome = block_on(edge.forwarder.forward(&arrival, deadline)).remove(0);
    // The kernel has taken what was left of the request.
    assert_eq!(outcome.cause, Some(Cause::Ambiguous), "{outcome:?}");
    assert!(outcome.error.unwrap().contains("50 of 120 targets"));
    block_on(edge.forwarder.forward(&arrival, Deadline::NEVER));
    let sent = edge.ses.messages();
    let sizes: Vec<usize> = sent.iter().map(|message| message.to.len()).collect();
    assert_eq!(sizes, [50, 50, 20]);
}

/// As SES reports that a forwarded mail did not reach a target: the mail is in it.
fn report(forwarded_for: &str) -> Vec<u8> {
    let mut report = format!(
        "From: MAILER-DAEMON@amazonses.example\r\nTo: shop@example.com\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\n{ROUTE}: {}\r\n",
        route_id(&Address::parse(forwarded_for).unwrap())
    )
    .into_bytes();
    report.extend_from_slice(&message(LARGE));
    report.extend_from_slice(b"--b--\r\n");
    report
}

#[test]
fn a_report_on_what_was_forwarded_does_not_bring_forth_the_next() {
    let edge = Edge::with(&[("NOTIFY", "off")]);
    edge.s3.pace(4 << 20);
    let outcome = edge.forward(&report("shop@example.com"), "shop@example.com");
    assert_eq!(
        (outcome.ending, outcome.cause),
        (Ending::Bounced, None),
        "{outcome:?}"
    );
    assert!(edge.ses.attempts().is_empty());
    assert!(
        edge.s3.bytes_sent() < 8 << 20,
        "{} octets were read",
        edge.s3.bytes_sent()
    );

    edge.s3.pace(0);
    let other = report("many@example.com");
    let outcome = edge.forward(&other, "shop@example.com");
    assert_eq!(outcome.ending, Ending::Sent, "{outcome:?}");
    edge.assert_landed(&other, 1);
}

/// Our request is written by hand. Catches an update of the SDK, or a slip of ours, by which it says something else.
#[test]
fn the_request_is_the_one_that_the_sdk_would_make() {
    use aws_sdk_sesv2::primitives::Blob;
    use aws_sdk_sesv2::types::{Destination, EmailContent, MessageTag, RawMessage};

    let edge = Edge::start();
    edge.forward(&message(2_000), "shop@example.com");
    let ours = edge.ses.take_messages().remove(0);

    let raw = RawMessage::builder()
        .data(Blob::new(ours.raw.clone()))
        .build()
        .unwrap();
    let tag = |name: &str, value: &str| {
        let tag = MessageTag::builder().name(name).value(value).build();
        tag.unwrap()
    };
    let destination = Destination::builder()
        .to_addresses("jane@example.net")
        .to_addresses("omar@example.net");
    let send = edge
        .client
        .send_email()
        .from_email_address("shop@example.com")
        .destination(destination.build())
        .content(EmailContent::builder().raw(raw).build())
        .feedback_forwarding_email_address("bounces@example.com")
        .email_tags(tag("app", "readdress"))
        .email_tags(tag("readdress", "m1"))
        .configuration_set_name("main");
    block_on(send.send()).unwrap();
    let theirs = edge.ses.take_messages().remove(0);
    assert_eq!(ours.json, theirs.json);
    assert!(ours.raw == theirs.raw);
}

/// The program with the settings of the function.
#[test]
#[cfg(feature = "cli")]
fn the_command_line_reaches_s3_ssm_and_ses() {
    let edge = Edge::start();
    let ssm = support::ssm::Ssm::start();
    ssm.put(
        "/readdress/aliases",
        r#"{"shop@example.com": "jane@example.net"}"#,
    );
    let large = message(LARGE);
    edge.s3.put("mail", "inbound/m1", large.clone());
    let event = tempfile::NamedTempFile::new().unwrap();
    let record = json!({"eventSource": "aws:ses", "ses": {
        "mail": {"messageId": "m1"}, "receipt": {"recipients": ["shop@example.com"]}}});
    std::fs::write(event.path(), json!({"Records": [record]}).to_string()).unwrap();
    let run = |arguments: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_readdress"))
            .args(arguments)
            .env_clear()
            .env("AWS_ENDPOINT_URL_S3", edge.s3.url())
            .env("AWS_ENDPOINT_URL_SESV2", edge.ses.url())
            .env("AWS_ENDPOINT_URL_SSM", ssm.url())
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("EMAIL_BUCKET", "mail")
            .env("EMAIL_PREFIX", "inbound/")
            .env("ALIAS_MAP_PARAM", "/readdress/aliases")
            .env("MAX_SEND_BYTES", "41943040")
            .output()
            .unwrap()
    };
    let forwarded = run(&["forward", event.path().to_str().unwrap()]);
    assert!(forwarded.status.success(), "{forwarded:?}");
    let outcome: serde_json::Value = serde_json::from_slice(&forwarded.stdout).unwrap();
    assert_eq!(outcome["outcome"], "sent");
    assert_eq!(
        outcome["body_sha256"],
        support::sigv4::sha256_hex(body_of(&large))
    );
    edge.assert_landed(&large, 1);

    let calls = (edge.ses.attempts().len(), edge.s3.of_ledger().len());
    let event = event.path().to_str().unwrap();
    let explained = run(&["explain", "--json", "--event", event, "shop@example.com"]);
    let line: serde_json::Value = serde_json::from_slice(&explained.stdout).unwrap();
    assert_eq!(
        (explained.status.code(), &line["goes_out"]),
        (Some(0), &json!(true))
    );
    assert_eq!(line["bytes_out"], outcome["bytes_out"]);
    assert_eq!((edge.ses.attempts().len(), edge.s3.of_ledger().len()), calls);

    let resolved = run(&["aliases", "resolve", "shop@example.com"]);
    let text = String::from_utf8(resolved.stdout).unwrap();
    assert!(text.contains("shop@example.com -> jane@example.net"), "{text}");
}
