//! A conversation by reply addresses, in both directions, and those who try to take part in it.
#![cfg(feature = "forward")]

use std::fs;

use serde_json::{Value, json};

use readdress::arrival::parse_event;
use readdress::config::Settings;
use readdress::connect::connect;
use readdress::deadline::Deadline;
use readdress::executor::block_on;
use readdress::forward::{Ending, Forwarder, Outcome};
use readdress::header::mailbox::Address;
use readdress::signed::AliasKey;

#[path = "replies/conversation.rs"]
mod conversation;

const OWNER: &str = "zoe.private@home.example";
const JANE: &str = "jane@example.org";

/// A key that looks random enough.
fn key(first: u8) -> AliasKey {
    AliasKey::new(std::array::from_fn(|at| {
        first.wrapping_add(u8::try_from(at * 7).unwrap())
    }))
}

/// An owner's installation.
struct World {
    directory: tempfile::TempDir,
    forwarder: Forwarder,
    received: usize,
}

/// A mail that went out: its envelope and its octets.
#[derive(Debug)]
struct Sent {
    from: String,
    to: Vec<String>,
    octets: String,
}

impl Sent {
    fn header(&self) -> &str {
        self.octets.split("\r\n\r\n").next().unwrap()
    }

    fn field(&self, name: &str) -> Option<String> {
        let unfolded = self.header().replace("\r\n ", " ");
        let found = unfolded
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        found.map(str::to_owned)
    }
}

fn address_in(field: &str) -> String {
    let address = field.rsplit(['<', ' ']).next().unwrap();
    address.trim_end_matches('>').to_owned()
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| format!("file:{}", directory.path().join(name).display());
        fs::create_dir(directory.path().join("bucket")).unwrap();
        let map = json!({"shop@example.com": {"to": OWNER, "name": "The Shop"}});
        fs::write(directory.path().join("map.json"), map.to_string()).unwrap();
        fs::write(directory.path().join("key"), key(1).to_text()).unwrap();
        let settings = Settings::read(&|name| match name {
            "EMAIL_BUCKET" => Some(path("bucket")),
            "ALIAS_MAP_PARAM" => Some(path("map.json")),
            "OUTBOX" => Some(path("out")),
            "ALIAS_KEY_PARAM" => Some(path("key")),
            _ => None,
        });
        World {
            forwarder: block_on(connect(&settings.unwrap())).unwrap(),
            directory,
            received: 0,
        }
    }

    fn receive(&mut self, from: &str, to: &[&str], dmarc: &str, octets: &str) -> (Outcome, Vec<Sent>) {
        self.received += 1;
        let id = format!("m{}", self.received);
        fs::write(self.directory.path().join("bucket").join(&id), octets).unwrap();
        let event = json!({"Records": [{"eventSource": "aws:ses", "ses": {
            "mail": {"messageId": id, "source": from},
            "receipt": {"recipients": to, "dmarcVerdict": {"status": dmarc}}}}]});
        let mut records = parse_event(event.to_string().as_bytes()).unwrap();
        let arrival = records.remove(0).arrival().unwrap().unwrap();
        let mut outcomes = block_on(self.forwarder.forward(&arrival, Deadline::NEVER));
        let sent = (0..).map_while(|n| self.sent(&format!("{id}.{n}"))).collect();
        (outcomes.remove(0), sent)
    }

    fn sent(&self, name: &str) -> Option<Sent> {
        let path = self.directory.path().join("out").join(name);
        // The number is no extension.
        let file = |extension: &str| fs::read_to_string(format!("{}.{extension}", path.display())).ok();
        let envelope: Value = serde_json::from_str(&file("json")?).unwrap();
        Some(Sent {
            from: envelope["from"].as_str().unwrap().to_owned(),
            to: envelope["to"]
                .as_array()
                .unwrap()
                .iter()
                .map(|to| to.as_str().unwrap().to_owned())
                .collect(),
            octets: file("eml")?,
        })
    }

    /// What the owner's program writes, with all that it tells of itself.
    fn answer(&mut self, to: &str, dmarc: &str, text: &str) -> (Outcome, Vec<Sent>) {
        let mail = format!(
            "Received: from laptop.home.example by smtp.home.example; today\r\n\
             From: Zoe Private <{OWNER}>\r\nTo: Shop <{to}>\r\nCc: {OWNER}\r\nReply-To: {OWNER}\r\nSender: {OWNER}\r\n\
             Subject: Re: Order\r\nUser-Agent: HomeMail 7\r\nX-Originating-IP: 203.0.113.77\r\n\
             Message-ID: <a{}@home.example>\r\nIn-Reply-To: <0100-1@eu-west-1.amazonses.com>\r\n\
             References: <order@example.org> <0100-1@eu-west-1.amazonses.com> <x@home.example>\r\n\
             MIME-Version: 1.0 (HomeMail)\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n",
            self.received
        );
        self.receive(OWNER, &[to], dmarc, &mail)
    }

    /// A mail of the correspondent, and the reply address in what the owner gets.
    fn ask(&mut self, to: &str) -> (Sent, String) {
        let mail = format!(
            "From: Jane <{JANE}>\r\nTo: {to}\r\nSubject: Order\r\nMessage-ID: <order@example.org>\r\n\r\nHello\r\n"
        );
        let (outcome, mut sent) = self.receive(JANE, &[to], "PASS", &mail);
        assert_eq!(outcome.ending, Ending::Sent, "{:?}", outcome.error);
        let forwarded = sent.remove(0);
        let reply_to = address_in(&forwarded.field("Reply-To").unwrap());
        (forwarded, reply_to)
    }
}

/// No octet of the owner's mailbox, host or program.
fn assert_private(sent: &Sent) {
    let header = sent.header().to_lowercase();
    for secret in ["zoe", "home", "private", "203.0.113.77", "laptop"] {
        assert!(!header.contains(secret), "{secret}: {header}");
    }
    assert!(
        !sent
            .to
            .iter()
            .chain([&sent.from])
            .any(|address| address.contains("home"))
    );
}

#[test]
fn a_conversation_of_ten_messages() {
    let mut world = World::new();
    let mut to = "shop@example.com".to_owned();
    for round in 0..5 {
        let (forwarded, reply_to) = world.ask(&to);
        assert_eq!(forwarded.to, [OWNER]);
        assert!(reply_to.starts_with("shop+jane=example.org.") && reply_to.ends_with("@example.com"));
        assert_eq!(address_in(&forwarded.field("From").unwrap()), "shop@example.com");

        let (outcome, sent) = world.answer(&reply_to, "PASS", "Hello Jane");
        assert_eq!(outcome.ending, Ending::Sent, "{:?}", outcome.error);
        let [reply] = &sent[..] else { panic!("{sent:?}") };
        assert_eq!(
            (&reply.from[..], &reply.to[..]),
            ("shop@example.com", &[JANE.to_owned()][..])
        );
        assert_eq!(reply.field("From").unwrap(), "The Shop <shop@example.com>");
        assert_eq!(address_in(&reply.field("To").unwrap()), JANE);
        assert_eq!(reply.field("Subject").as_deref(), Some("Re: Order"));
        let references = reply.field("References").unwrap();
        assert!(references.contains("<order@example.org> <0100-1@eu-west-1.amazonses.com>"));
        assert!(reply.octets.ends_with("\r\n\r\nHello Jane\r\n"));
        assert_private(reply);
        // The correspondent answers to the alias, or to an address that it has from somebody's quote.
        to = if round % 2 == 0 {
            reply_to
        } else {
            "shop@example.com".to_owned()
        };
    }
}

/// Catches an answer that goes out in the owner's name and is not the owner's.
#[test]
fn nobody_but_the_owner_answers_as_the_alias() {
    let mut world = World::new();
    let (_, reply_to) = world.ask("shop@example.com");
    for (dmarc, reason) in [
        ("FAIL", "unproven"),
        ("GRAY", "unproven"),
        ("PROCESSING_FAILED", "no_verdict"),
        ("DISABLED", "no_verdict"),
    ] {
        let (outcome, sent) = world.answer(&reply_to, dmarc, "Forged");
        assert_eq!(
            (outcome.ending, outcome.reason),
            (Ending::RefusedReply, Some(reason)),
            "{dmarc}"
        );
        assert!(outcome.told);
        let [notice] = &sent[..] else { panic!("{sent:?}") };
        assert_eq!(notice.to, [OWNER]);
        assert!(notice.header().contains("X-Readdress-Notice: refused_reply"));
        assert!(notice.header().contains("Subject: Answer not sent: Re: Order"));
        let text = notice.octets.replace("=\r\n", "").replace("=3D", "=");
        assert!(
            text.contains("An answer from you as shop@example.com was not sent."),
            "{text}"
        );
        assert!(!text.contains("forwarded to you"), "{text}");
        assert_eq!(text.contains("p=none"), reason == "unproven", "{text}");
    }
    let other = |text: &str| Address::parse(text).unwrap();
    let of_other_alias = key(1)
        .reply_address(&other("sales@example.com"), &other(JANE))
        .unwrap();
    let of_other_key = key(2)
        .reply_address(&other("shop@example.com"), &other("victim@example.net"))
        .unwrap();
    // The signature of one address, in another.
    let signature = reply_to.split('@').next().unwrap().rsplit('.').next().unwrap();
    let moved = format!("shop+victim=example.net.{signature}@example.com");
    let cut = reply_to.replace(signature, &signature[..7]);
    for (address, reason) in [
        (of_other_key.to_string(), Some("forged")),
        (moved, Some("forged")),
        (cut, Some("forged")),
        (
            of_other_alias.to_string().replace("sales", "shop"),
            Some("forged"),
        ),
    ] {
        let (outcome, sent) = world.answer(&address, "PASS", "Hello");
        assert_eq!(
            (outcome.ending, outcome.reason),
            (Ending::RefusedReply, reason),
            "{address}"
        );
        assert!(sent.iter().all(|sent| sent.to == [OWNER]));
        let first = "An answer from you as shop@example.com was not sent.";
        assert!(sent[0].octets.contains(first), "{}", sent[0].octets);
    }
}

#[test]
fn a_program_of_the_owner_does_not_answer() {
    let mut world = World::new();
    let (_, reply_to) = world.ask("shop@example.com");
    let vacation =
        format!("From: {OWNER}\r\nTo: {reply_to}\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\n");
    let (outcome, sent) = world.receive("", &[&reply_to], "PASS", &vacation);
    assert_eq!(outcome.ending, Ending::Automatic);
    assert!(sent.is_empty());
}

#[test]
fn an_answer_survives_a_mail_program_that_changes_case() {
    let mut world = World::new();
    let (_, reply_to) = world.ask("shop@example.com");
    let (outcome, sent) = world.answer(&reply_to.to_uppercase(), "PASS", "Hello");
    assert_eq!(outcome.ending, Ending::Sent, "{:?}", outcome.error);
    assert_eq!(sent[0].to, [JANE]);
    assert_private(&sent[0]);
}

/// A correspondent whose address does not fit is read from the stored message.
#[test]
fn a_long_address_is_found_in_the_message_that_names_it() {
    let mut world = World::new();
    let long = format!("{}@long-domain-of-a-correspondent.example.org", "x".repeat(40));
    let mail = format!("From: <{long}>\r\nTo: shop@example.com\r\nSubject: Order\r\n\r\nHello\r\n");
    let (_, sent) = world.receive(&long, &["shop@example.com"], "PASS", &mail);
    let reply_to = address_in(&sent[0].field("Reply-To").unwrap());
    assert!(reply_to.starts_with("shop+r"), "{reply_to}");
    let (outcome, sent) = world.answer(&reply_to, "PASS", "Hello");
    assert_eq!(outcome.ending, Ending::Sent, "{:?}", outcome.error);
    assert_eq!(sent[0].to, [long]);
    fs::remove_file(world.directory.path().join("bucket/m1")).unwrap();
    let (outcome, _) = world.answer(&reply_to, "PASS", "Hello again");
    assert_eq!(
        (outcome.ending, outcome.reason),
        (Ending::RefusedReply, Some("gone"))
    );
}

/// SES's own report that an answer to this recipient did not arrive.
fn report_on(recipient: &str) -> String {
    format!(
        "From: MAILER-DAEMON@eu-west-1.amazonses.com\r\nTo: shop@example.com\r\nSubject: Delivery Status Notification\r\n\
         Content-Type: multipart/report; boundary=b; report-type=delivery-status\r\n\r\n--b\r\n\r\nAn error occurred.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n\
         Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\nFrom: shop@example.com\r\nTo: {recipient}\r\n\r\nHello\r\n--b--\r\n"
    )
}

/// SES's own daemon reports to the alias that an answer did not arrive: the owner hears of it, and of whom it is about.
#[test]
fn a_report_on_an_answer_is_told() {
    let mut world = World::new();
    let (outcome, sent) = world.receive("", &["shop@example.com"], "PASS", &report_on(JANE));
    assert_eq!((outcome.ending, outcome.told), (Ending::Bounced, true));
    let [notice] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(notice.to, [OWNER]);
    let first = "An answer from shop@example.com did not reach jane@example.org.";
    assert!(notice.octets.contains(first), "{}", notice.octets);
    assert!(!notice.octets.contains("target"), "{}", notice.octets);
}

/// Catches a stranger who writes as SES, and whose words the owner reads in a notice.
#[test]
fn a_notice_has_no_words_of_a_stranger() {
    const WORDS: &str = "\"your account is closed: call 555\"@evil.example";
    let mut world = World::new();
    for dmarc in ["GRAY", "FAIL", "PROCESSING_FAILED"] {
        let (_, sent) = world.receive("", &["shop@example.com"], dmarc, &report_on(WORDS));
        assert!(
            sent.iter().all(|sent| !sent.octets.contains("call 555")),
            "{sent:?}"
        );
    }
    let (outcome, sent) = world.receive("", &["shop@example.com"], "PASS", &report_on(WORDS));
    let [notice] = &sent[..] else {
        panic!("{outcome:?}")
    };
    let first = "An answer from shop@example.com did not reach an address at evil.example.";
    assert!(notice.octets.contains(first), "{}", notice.octets);
    assert!(!notice.octets.contains("call 555"), "{}", notice.octets);
}
