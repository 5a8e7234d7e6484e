//! Mail loops, run until they end: a small world of aliases, targets and programs that answer, forward and send back.
#![cfg(feature = "forward")]

use std::collections::{BTreeSet, VecDeque};
use std::fs;

use serde_json::{Value, json};

use readdress::arrival::parse_event;
use readdress::config::Settings;
use readdress::connect::connect;
use readdress::deadline::Deadline;
use readdress::executor::block_on;
use readdress::forward::{Ending, Forwarder, Outcome};

/// A loop that has not ended after so many mails has no end.
const ENDLESS: usize = 200;

/// A mail on its way.
#[derive(Clone, Debug)]
struct Mail {
    /// The envelope sender; empty for reports.
    from: String,
    to: String,
    octets: String,
}

/// What lives at an address: the mail that it sends for one that it gets.
type Program = fn(&Mail) -> Vec<Mail>;

/// One owner's bucket, outbox and aliases.
struct Installation {
    forwarder: Forwarder,
    directory: tempfile::TempDir,
    domain: &'static str,
    seen: BTreeSet<String>,
}

impl Installation {
    fn new(domain: &'static str, map: &Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| format!("file:{}", directory.path().join(name).display());
        fs::create_dir(directory.path().join("bucket")).unwrap();
        fs::write(directory.path().join("map.json"), map.to_string()).unwrap();
        let settings = Settings::read(&|name| match name {
            "EMAIL_BUCKET" => Some(path("bucket")),
            "ALIAS_MAP_PARAM" => Some(path("map.json")),
            "OUTBOX" => Some(path("out")),
            _ => None,
        });
        let forwarder = block_on(connect(&settings.unwrap())).unwrap();
        Installation {
            forwarder,
            directory,
            domain,
            seen: BTreeSet::new(),
        }
    }

    /// Takes a mail as SES does, and returns the outcome and all that went out.
    fn receive(&mut self, mail: &Mail, number: usize) -> (Outcome, Vec<Mail>) {
        let id = format!("m{number}");
        fs::write(self.directory.path().join("bucket").join(&id), &mail.octets).unwrap();
        let event = json!({"Records": [{"eventSource": "aws:ses", "ses": {
            "mail": {"messageId": id, "source": mail.from}, "receipt": {"recipients": [mail.to]}}}]});
        let mut records = parse_event(event.to_string().as_bytes()).unwrap();
        let arrival = records.remove(0).arrival().unwrap().unwrap();
        let mut outcomes = block_on(self.forwarder.forward(&arrival, Deadline::NEVER));
        (outcomes.remove(0), self.sent())
    }

    fn sent(&mut self) -> Vec<Mail> {
        let mut sent = Vec::new();
        let Ok(files) = fs::read_dir(self.directory.path().join("out")) else {
            return sent;
        };
        for path in files.map(|file| file.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.extension().is_none_or(|it| it != "json") || !self.seen.insert(name) {
                continue;
            }
            let envelope: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let octets = fs::read_to_string(path.with_extension("eml")).unwrap();
            for to in envelope["to"].as_array().unwrap() {
                sent.push(Mail {
                    from: envelope["from"].as_str().unwrap().to_owned(),
                    to: to.as_str().unwrap().to_owned(),
                    octets: octets.clone(),
                });
            }
        }
        sent
    }
}

/// Runs until no mail is on its way, and returns all outcomes.
fn run(installations: &mut [Installation], programs: &[(&str, Program)], first: Mail) -> Vec<Outcome> {
    let mut queue = VecDeque::from([first]);
    let mut outcomes = Vec::new();
    let mut number = 0;
    while let Some(mail) = queue.pop_front() {
        number += 1;
        assert!(number < ENDLESS, "it does not end: {mail:?}");
        let domain = mail.to.rsplit('@').next().unwrap();
        if let Some(installation) = installations.iter_mut().find(|it| it.domain == domain) {
            let (outcome, sent) = installation.receive(&mail, number);
            outcomes.push(outcome);
            queue.extend(sent);
        } else if let Some((_, program)) = programs.iter().find(|(address, _)| *address == mail.to) {
            queue.extend(program(&mail));
        }
    }
    outcomes
}

fn field<'a>(mail: &'a Mail, name: &str) -> Option<&'a str> {
    let header = mail.octets.split("\r\n\r\n").next().unwrap();
    let mut lines = header.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// The address in the From of a mail.
fn author(mail: &Mail) -> String {
    let from = field(mail, "From").unwrap();
    let address = from.rsplit(['<', ' ']).next().unwrap();
    address.trim_end_matches('>').to_owned()
}

fn mail(from: &str, to: &str, fields: &str, body: &str) -> Mail {
    Mail {
        from: from.to_owned(),
        to: to.to_owned(),
        octets: format!(
            "From: {from}\r\nTo: {to}\r\nSubject: Hi\r\nMessage-ID: <1@example.org>\r\n{fields}\r\n{body}\r\n"
        ),
    }
}

fn from_jane() -> Mail {
    mail("jane@example.org", "a1@one.example", "", "Hello")
}

/// A report from the null sender to whoever is in From.
fn report(mail: &Mail, fields: &str, body: &str) -> Vec<Mail> {
    let to = author(mail);
    let octets = format!(
        "From: MAILER-DAEMON@mx.example.net\r\nTo: {to}\r\nSubject: Undelivered\r\n{fields}\r\n{body}\r\n"
    );
    vec![Mail {
        from: String::new(),
        to,
        octets,
    }]
}

fn one_alias() -> [Installation; 1] {
    [Installation::new(
        "one.example",
        &json!({"a1@one.example": "desk@example.net"}),
    )]
}

#[test]
fn aliases_that_lead_to_each_other() {
    for length in 3..=6 {
        let mut map = serde_json::Map::new();
        for n in 1..=length {
            let next = n % length + 1;
            map.insert(format!("a{n}@one.example"), json!(format!("a{next}@one.example")));
        }
        let outcomes = run(
            &mut [Installation::new("one.example", &map.into())],
            &[],
            from_jane(),
        );
        assert_eq!(outcomes.len(), length + 1);
        assert_eq!(outcomes.last().unwrap().ending, Ending::Failed);
    }
}

#[test]
fn aliases_of_two_owners_that_lead_to_each_other() {
    let one = Installation::new("one.example", &json!({"@one.example": "b@two.example"}));
    let two = Installation::new("two.example", &json!({"b@two.example": "a1@one.example"}));
    let outcomes = run(&mut [one, two], &[], from_jane());
    // The second owner's alias leads to the address that the mail comes from.
    assert!(outcomes.len() <= 3 && outcomes.last().unwrap().ending != Ending::Sent);
}

#[test]
fn a_target_that_sends_back_with_all_fields_stripped() {
    let back: Program = |got| {
        let body = got.octets.split("\r\n\r\n").nth(1).unwrap_or_default();
        vec![mail(&got.to, &author(got), "", body)]
    };
    let outcomes = run(&mut one_alias(), &[("desk@example.net", back)], from_jane());
    assert!(outcomes.len() <= 12, "{}", outcomes.len());
    let cause = outcomes
        .last()
        .unwrap()
        .cause
        .map(readdress::outbox::Cause::as_str);
    assert_eq!(cause, Some("loop"));
}

#[test]
fn a_help_desk_that_acknowledges_every_mail() {
    let plain: Program = |got| vec![mail(&got.to, &author(got), "", "We have got your mail.")];
    let threaded: Program = |got| {
        let fields = format!(
            "In-Reply-To: {}\r\n",
            field(got, "Message-ID").unwrap_or("<2@example.org>")
        );
        vec![mail(&got.to, &author(got), &fields, "We have got your mail.")]
    };
    for (program, most) in [(plain, 12), (threaded, 2)] {
        let outcomes = run(&mut one_alias(), &[("desk@example.net", program)], from_jane());
        assert!(outcomes.len() <= most, "{}", outcomes.len());
    }
}

#[test]
fn bounces_of_every_form() {
    let text: Program = |got| {
        report(
            got,
            "",
            &format!("Sorry, no mailbox here by that name: {}.", got.to),
        )
    };
    let mixed: Program = |got| {
        let body = format!("--b\r\n\r\nFailed: <{}>\r\n--b--", got.to);
        report(got, "Content-Type: multipart/mixed; boundary=b\r\n", &body)
    };
    let without_original: Program = |got| {
        let body = format!(
            "--b\r\n\r\nFailed.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n\
             Final-Recipient: rfc822; {}\r\nAction: failed\r\n--b--",
            got.to
        );
        let fields = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n";
        report(got, fields, &body)
    };
    let of_ses: Program = |got| {
        let mut report = report(got, "", "An error occurred.");
        report[0].octets = report[0].octets.replace("mx.example.net", "amazonses.com");
        report
    };
    for program in [text, mixed, without_original, of_ses] {
        let outcomes = run(&mut one_alias(), &[("desk@example.net", program)], from_jane());
        let endings: Vec<Ending> = outcomes.iter().map(|outcome| outcome.ending).collect();
        assert_eq!(endings, [Ending::Sent, Ending::Bounced]);
    }
}

/// The notice about a target that is gone goes to the other one, and that one is gone as well.
#[test]
fn bounces_of_notices() {
    let gone: Program = |got| report(got, "", &format!("No mailbox: {}", got.to));
    let map = json!({"a1@one.example": ["desk@example.net", "ann@example.net"]});
    let mut installations = [Installation::new("one.example", &map)];
    let outcomes = run(
        &mut installations,
        &[("desk@example.net", gone), ("ann@example.net", gone)],
        from_jane(),
    );
    assert!(outcomes.len() <= 5, "{}", outcomes.len());
}

#[test]
fn two_autoresponders() {
    let vacation: Program = |got| {
        let fields = "Auto-Submitted: auto-replied\r\n";
        let to = field(got, "Reply-To").map_or_else(|| author(got), str::to_owned);
        vec![mail(&got.to, &to, fields, "I am away.")]
    };
    let to_from: Program = |got| vec![mail(&got.to, &author(got), "X-Autoreply: yes\r\n", "I am away.")];
    let mut installations = [
        Installation::new("one.example", &json!({"a1@one.example": "desk@example.net"})),
        Installation::new("two.example", &json!({"b@two.example": "ann@example.net"})),
    ];
    // From one alias to the other: the answer of each target goes to its own alias's correspondent or to its own alias.
    let first = mail("b@two.example", "a1@one.example", "", "Hello");
    let programs = [("desk@example.net", to_from), ("ann@example.net", vacation)];
    let outcomes = run(&mut installations, &programs, first);
    assert!(outcomes.len() <= 3, "{}", outcomes.len());
    let first = mail("b@two.example", "a1@one.example", "", "Hello");
    let programs = [("desk@example.net", vacation), ("ann@example.net", to_from)];
    let outcomes = run(&mut installations, &programs, first);
    assert!(outcomes.len() <= 4, "{}", outcomes.len());
}
