//! A conversation between two people whose programs are Python's `email`, over a stand-in of what SES does to each mail.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::*;

/// What names the owner's mailbox, host or program, or the way of a mail to them.
const SECRETS: [&str; 8] = [
    "zoe",
    "private",
    "home.example",
    "homemail",
    "laptop",
    "203.0.113",
    "dkim",
    "autocrypt",
];

fn program(arguments: &[&str], input: &[u8]) -> (i32, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common/mail_program.py");
    let mut child = Command::new("python3")
        .arg(script)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

/// The mailbox of one of the two: what has arrived, and what was sent.
struct Mailbox {
    directory: tempfile::TempDir,
    who: &'static str,
    name: &'static str,
    address: &'static str,
    files: Vec<PathBuf>,
}

impl Mailbox {
    fn new(who: &'static str, name: &'static str, address: &'static str) -> Self {
        Mailbox {
            directory: tempfile::tempdir().unwrap(),
            who,
            name,
            address,
            files: Vec::new(),
        }
    }

    fn keep(&mut self, mail: &str) {
        let path = self.directory.path().join(self.files.len().to_string());
        fs::write(&path, mail).unwrap();
        self.files.push(path);
    }

    /// Answers a mail of this mailbox, and keeps the answer, as the folder of what was sent does.
    fn answer(&mut self, mail: &str, to_all: bool) -> String {
        let host = self.address.split_once('@').unwrap().1;
        let id = format!("<{}.{}@{host}>", self.who, self.files.len());
        let mut arguments = vec!["answer"];
        arguments.extend(to_all.then_some("--all"));
        arguments.extend([self.who, self.name, self.address, &id]);
        let (code, answer) = program(&arguments, mail.as_bytes());
        assert_eq!(code, 0);
        self.keep(&answer);
        answer
    }

    /// The first message of the thread of each mail, each named once.
    fn threads(&self) -> Vec<String> {
        let files: Vec<&str> = self.files.iter().map(|path| path.to_str().unwrap()).collect();
        let (code, roots) = program(&[&["threads"], &files[..]].concat(), b"");
        assert_eq!(code, 0);
        let mut roots: Vec<String> = roots.lines().map(str::to_owned).collect();
        roots.sort();
        roots.dedup();
        roots
    }
}

/// SES gives each mail an id of its own, and takes the sender's away.
fn by_ses(sent: &Sent, at: usize) -> String {
    let (header, body) = sent.octets.split_once("\r\n\r\n").unwrap();
    let has_date = sent.field("Date").is_some();
    assert!(sent.field("Message-ID").is_none(), "{header}");
    let date = if has_date {
        ""
    } else {
        "\r\nDate: Thu, 26 Nov 2026 10:00:00 +0000"
    };
    format!("{header}\r\nMessage-ID: <0102-{at}@eu-west-1.amazonses.com>{date}\r\n\r\n{body}")
}

fn to_of(mail: &str) -> Vec<String> {
    let unfolded = mail.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
    let line = unfolded
        .lines()
        .find_map(|line| line.strip_prefix("To: "))
        .unwrap();
    line.split(',').map(address_in).collect()
}

/// Through the installation and SES, to the one that it is for.
fn deliver(world: &mut World, mail: &str, from: &str) -> (String, Sent) {
    let to = to_of(mail);
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let (outcome, mut sent) = world.receive(from, &to, "PASS", mail);
    assert_eq!(
        (outcome.ending, sent.len()),
        (Ending::Sent, 1),
        "{:?}",
        outcome.error
    );
    let sent = sent.remove(0);
    (by_ses(&sent, world.received), sent)
}

/// Catches a thread that falls apart on one side, and anything of the owner's that gets to the other.
#[test]
fn two_programs_keep_one_thread_and_one_secret() {
    let mut world = World::new();
    let mut jane = Mailbox::new("correspondent", "Jane", JANE);
    let mut zoe = Mailbox::new("owner", "Zo\u{eb} Private", OWNER);
    let first = format!(
        "From: Jane <{JANE}>\r\nTo: shop@example.com\r\nSubject: =?utf-8?q?Caf=C3=A9?=\r\nMessage-ID: <order@example.org>\r\n\
         Date: Thu, 26 Nov 2026 09:00:00 +0000\r\n\r\nHello\r\n"
    );
    jane.keep(&first);
    let mut from_jane = first;
    for round in 0..5 {
        let (arrived, forwarded) = deliver(&mut world, &from_jane, JANE);
        assert_eq!(forwarded.to, [OWNER]);
        zoe.keep(&arrived);

        let mut answer = zoe.answer(&arrived, round % 2 == 1);
        if round == 3 {
            // She has forgotten something, and answers her own mail.
            let (arrived, sent) = deliver(&mut world, &answer, OWNER);
            assert_eq!(sent.to, [JANE]);
            jane.keep(&arrived);
            answer = zoe.answer(&answer, false);
        }
        let (arrived, sent) = deliver(&mut world, &answer, OWNER);
        assert_eq!(
            (&sent.from[..], &sent.to[..]),
            ("shop@example.com", &[JANE.to_owned()][..])
        );
        assert_eq!(sent.field("From").unwrap(), "The Shop <shop@example.com>");
        let (code, found) = program(&[&["find"], &SECRETS[..]].concat(), arrived.as_bytes());
        assert_eq!(code, 0, "{found}");
        jane.keep(&arrived);
        from_jane = jane.answer(&arrived, round % 2 == 0);
    }
    assert_eq!(jane.threads(), ["<order@example.org>"]);
    assert_eq!(zoe.threads(), ["<order@example.org>"]);
}

/// The search finds what is there, in each of its decodings: a search that finds nothing proves nothing.
#[test]
fn the_search_finds_a_secret_in_any_decoding() {
    for field in [
        "X: zoe.private@home.example",
        "X: zoe%2Eprivate",
        "X: zoe=2Eprivate",
        "X: =?utf-8?b?em9lLnByaXZhdGU=?=",
        "X: em9lLnByaXZhdGVAaG9tZQ",
        "X: <7a6f652e70726976617465@x>",
        "X: a\r\n zoe.private",
    ] {
        let mail = format!("From: Jane <{JANE}>\r\n{field}\r\n\r\nHello\r\n");
        let (code, found) = program(&["find", "zoe.private"], mail.as_bytes());
        assert_eq!(code, 1, "{field}");
        assert!(!found.contains("Jane"), "{found}");
    }
}
