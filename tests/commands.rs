//! The commands for what is left, as an operator meets them.
#![cfg(feature = "cli")]

#[cfg(feature = "aws")]
#[path = "commands/account.rs"]
mod account;
#[path = "common/command_line.rs"]
mod command_line;
#[cfg(feature = "aws")]
mod support;

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tempfile::TempDir;

const MESSAGE: &str = "From: =?utf-8?q?Zo=C3=AB?= <zoe@example.org>\r\nTo: shop@example.com\r\n\
    Subject: Lamp\x1b[2J\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\
    Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\n/w==\r\n--b--\r\n";

/// A bucket, a map and an outbox in a directory.
struct Trial(TempDir);

struct Done {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Done {
    fn json(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn run(command: &mut Command) -> Done {
    let output = command.output().unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    Done {
        code: output.status.code().unwrap(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

fn readdress(arguments: &[&str]) -> Command {
    command_line::readdress(env!("CARGO_BIN_EXE_readdress"), arguments)
}

impl Trial {
    fn new() -> Self {
        let trial = Trial(tempfile::tempdir().unwrap());
        fs::create_dir_all(trial.path("bucket/inbound")).unwrap();
        fs::write(
            trial.path("aliases.json"),
            r#"{"shop@example.com": "owner@example.net"}"#,
        )
        .unwrap();
        trial.store("m1");
        trial
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn store(&self, id: &str) {
        fs::write(self.path("bucket/inbound").join(id), MESSAGE).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Done {
        let file = |name: &str| format!("file:{}", self.path(name).display());
        run(readdress(arguments)
            .env("EMAIL_BUCKET", file("bucket"))
            .env("EMAIL_PREFIX", "inbound/")
            .env("ALIAS_MAP_PARAM", file("aliases.json"))
            .env("OUTBOX", file("outbox")))
    }

    /// Forwards a message that SES has judged so.
    fn forward(&self, id: &str, verdict: &str, more: &[&str]) -> Done {
        let event = json!({"Records": [{"eventSource": "aws:ses", "ses": {
            "mail": {"messageId": id, "source": "zoe@example.org"},
            "receipt": {"recipients": ["shop@example.com"], verdict: {"status": "FAIL"}},
        }}]});
        let path = self.path("event.json");
        fs::write(&path, event.to_string()).unwrap();
        let path = path.to_str().unwrap().to_owned();
        self.command(&[&["forward", &path], more].concat())
    }

    /// The messages in the outbox.
    fn sent(&self) -> usize {
        let entries = fs::read_dir(self.path("outbox")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.extension().is_some_and(|name| name == "eml"))
            .count()
    }

    fn write_page(&self, name: &str, page: &str, age: Duration) {
        let path = self.path("outbox/ledger").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, page).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }
}

const UNTOLD: [&str; 4] = ["--on-spam", "hold", "--notify", "off"];

#[test]
fn held_mail_is_listed_and_released_once() {
    let trial = Trial::new();
    assert_eq!(trial.forward("m1", "spamVerdict", &UNTOLD).code, 1);
    let held = trial.command(&["held", "--json"]);
    assert_eq!(held.code, 0, "{}", held.stderr);
    let row = &held.json()[0];
    assert_eq!(row["message_id"], "m1");
    assert_eq!(row["alias"], "shop@example.com");
    assert_eq!(
        (&row["outcome"], &row["reason"]),
        (&json!("held"), &json!("spam"))
    );
    assert_eq!(row["bytes"], MESSAGE.len());
    assert_eq!(row["from"], "Zo\u{eb} <zoe@example.org>");
    let text = trial.command(&["held"]).stdout;
    assert!(
        text.contains("held (spam)") && text.contains("Lamp") && !text.contains('\x1b'),
        "{text}"
    );
    assert!(
        trial
            .command(&["held", "--since", "2999-01-01"])
            .stdout
            .is_empty()
    );
    assert_eq!(trial.command(&["status"]).code, 1);

    let released = trial.command(&["release", "m1"]);
    assert_eq!(
        (released.code, &*released.stdout),
        (0, "m1  released\n"),
        "{}",
        released.stderr
    );
    assert_eq!(trial.sent(), 1);
    let again = trial.command(&["release", "m1"]);
    assert_eq!((again.code, &*again.stdout), (0, "m1  not held: sent\n"));
    assert_eq!(trial.sent(), 1);
    assert!(trial.command(&["held"]).stdout.is_empty());
    let status = trial.command(&["status", "--json"]);
    assert_eq!(status.code, 0);
    let status = &status.json()[0];
    assert_eq!(status["outcomes"], json!({"sent": [1, 0, 0, 0]}));
    assert_eq!(status["oldest_undone"], Value::Null);
}

/// Catches an empty list, which looks as if all were well, where the ledger is looked for in the wrong place.
#[test]
fn a_ledger_that_is_not_there_is_named() {
    let trial = Trial::new();
    for command in ["status", "held", "list", "redrive"] {
        let done = trial.command(&[command]);
        let place = trial.path("outbox/ledger").display().to_string();
        assert!(done.stderr.contains(&place), "{command}: {}", done.stderr);
        assert_eq!(done.code, 0, "{command}");
    }
    trial.forward("m1", "none", &[]);
    assert_eq!(trial.command(&["held"]).stderr, "");
    // The settings come from the environment, and are not what is missing.
    let usage = trial.command(&["release"]);
    assert!(
        usage
            .stderr
            .contains("Usage: readdress release [OPTIONS] <ID>..."),
        "{}",
        usage.stderr
    );
    let nothing = trial.command(&["forward"]);
    assert!(nothing.stderr.contains("readdress event"), "{}", nothing.stderr);
}

/// Catches a notice whose command its reader would look for in vain.
#[test]
fn the_notice_names_the_command_that_releases() {
    let trial = Trial::new();
    let hold = ["--on-spam", "hold"];
    assert_eq!(trial.forward("m1", "spamVerdict", &hold).code, 0);
    let mut entries = fs::read_dir(trial.path("outbox")).unwrap();
    let notice = entries.find_map(|entry| {
        let path = entry.unwrap().path();
        let is_mail = path.extension().is_some_and(|name| name == "eml");
        is_mail.then(|| fs::read_to_string(path).unwrap())
    });
    let notice = notice.unwrap();
    let line = notice
        .lines()
        .find_map(|line| line.strip_prefix("To have it forwarded:"));
    let command: Vec<&str> = line.unwrap().split_whitespace().skip(1).collect();
    assert_eq!(trial.command(&command).stdout, "m1  released\n");
    assert_eq!(trial.sent(), 2);
}

/// Catches a release that ends well since somebody was told that the mail is held still.
#[test]
fn a_virus_is_not_released() {
    let trial = Trial::new();
    trial.forward("m1", "virusVerdict", &[]);
    let released = trial.command(&["release", "m1", "unknown"]);
    assert_eq!(released.code, 1);
    assert!(
        released.stdout.contains("m1  still held (virus)"),
        "{}",
        released.stdout
    );
    assert!(
        released
            .stdout
            .contains("unknown  the ledger has no message with this id")
    );
}

#[test]
fn what_failed_is_tried_again_and_only_that() {
    let trial = Trial::new();
    trial.store("m2");
    assert_eq!(trial.forward("m2", "spamVerdict", &[]).code, 0);
    let too_large = ["--max-send-bytes", "10", "--notify", "off"];
    assert_eq!(trial.forward("m1", "none", &too_large).code, 1);
    let status = trial.command(&["status"]);
    assert!(
        status.stdout.contains("not done: 1, the oldest m1 since"),
        "{}",
        status.stdout
    );

    let dry = trial.command(&["redrive", "--dry-run"]);
    assert_eq!((dry.code, &*dry.stdout), (0, "m1  would be tried\n"));
    let none = trial.command(&["redrive", "--outcome", "held,failed"]);
    assert!(
        none.stdout.is_empty() && none.stderr.contains("0 done"),
        "{}",
        none.stderr
    );
    assert_eq!(trial.sent(), 1);
    let still = trial.command(&[&["redrive"][..], &too_large].concat());
    assert_eq!(still.code, 1);
    assert!(
        still.stdout.contains("m1  not done: too_large"),
        "{}",
        still.stdout
    );

    let done = trial.command(&["redrive"]);
    assert_eq!((done.code, &*done.stdout), (0, "m1  done\n"), "{}", done.stderr);
    assert!(done.stderr.contains("1 done, 0 not done"));
    assert!(trial.command(&["redrive"]).stdout.is_empty());
    assert_eq!(trial.sent(), 2);
    let again = trial.command(&["redrive", "--outcome", "sent"]);
    assert_eq!(
        (again.code, trial.sent()),
        (0, 2),
        "who has a message does not get it again"
    );
}

/// Catches a send that died without a record and is passed over, and one that is under way and is disturbed.
#[test]
fn a_claim_without_an_end_is_undone() {
    let trial = Trial::new();
    let page = json!({
        "message_id": "m1", "arrival": {"recipients": ["shop@example.com"], "envelope_sender": null},
        "claim": {"token": "t", "targets": [], "renewals": 0}, "sent": [], "written_at": 0,
    });
    trial.write_page("m1.json", &page.to_string(), Duration::ZERO);
    let status = trial.command(&["status"]);
    assert!(
        status.code == 0 && status.stdout.contains("in progress: 1"),
        "{}",
        status.stdout
    );
    assert!(trial.command(&["redrive"]).stdout.is_empty());
    trial.write_page("m1.json", &page.to_string(), Duration::from_mins(2));
    assert_eq!(trial.command(&["status"]).code, 1);
    let listed = trial.command(&["list", "--outcome", "unfinished"]).stdout;
    assert!(
        listed.starts_with("m1  1970-01-01 00:00 UTC  unfinished"),
        "{listed}"
    );
    assert_eq!(trial.command(&["redrive"]).stdout, "m1  done\n");
    assert_eq!(trial.sent(), 1);
}

/// Catches mail that ON_DOUBT=hold keeps for ever although its owner has it.
#[test]
fn what_its_owner_has_found_is_not_sent_again() {
    let trial = Trial::new();
    // The SHA-256 of owner@example.net.
    let owner = "e87d02e0d340f769b3c84e400e37826c838c39feae71e788f3f910c74d5c65e7";
    let page = json!({
        "message_id": "m1", "arrival": {"recipients": ["shop@example.com"], "envelope_sender": null},
        "claim": {"token": "t", "targets": [owner], "renewals": 0}, "sent": [], "written_at": 0,
    });
    trial.write_page("m1.json", &page.to_string(), Duration::ZERO);
    let settle = |more: &[&str]| trial.command(&[&["settle", "m1"], more].concat());
    let alive = settle(&[]);
    assert!(
        alive.code == 1 && alive.stdout.contains("it is being sent"),
        "{}",
        alive.stdout
    );
    trial.write_page("m1.json", &page.to_string(), Duration::from_mins(2));
    let unfinished = trial.command(&["release", "m1"]);
    assert!(
        unfinished.code == 1 && unfinished.stdout.contains("readdress redrive"),
        "{}",
        unfinished.stdout
    );
    let kept = trial.command(&["redrive", "--on-doubt", "hold"]);
    assert!(
        kept.code == 1 && kept.stdout.contains("readdress settle"),
        "{}",
        kept.stdout
    );
    assert_eq!(
        settle(&["--target", "omar@example.net"]).stdout,
        "m1  none of these targets is in doubt\n"
    );
    let settled = settle(&["--target", "Owner@example.net"]);
    assert_eq!(
        (settled.code, &*settled.stdout),
        (0, "m1  settled for 1 target\n")
    );
    assert_eq!(trial.command(&["status"]).code, 0);
    assert_eq!(trial.forward("m1", "none", &["--on-doubt", "hold"]).code, 0);
    assert_eq!(trial.sent(), 0);
    assert_eq!(trial.command(&["settle", "m2"]).code, 1);
}

#[test]
fn a_page_that_cannot_be_read_is_named_and_the_others_are_read() {
    let trial = Trial::new();
    trial.write_page("m0.json", "{", Duration::ZERO);
    trial.write_page(".told-x.json", "{}", Duration::ZERO);
    assert_eq!(trial.forward("m1", "none", &[]).code, 0);
    let list = trial.command(&["list", "--json"]);
    assert_eq!((list.code, list.json().len()), (1, 1));
    assert!(list.stderr.contains("m0.json"), "{}", list.stderr);
    assert_eq!(trial.command(&["status"]).code, 1);
    let wrong = trial.command(&["list", "--outcome", "lost"]);
    assert!(
        wrong.code == 2 && wrong.stderr.contains("held"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn a_mail_is_shown_whole_and_in_parts() {
    let trial = Trial::new();
    let shown = trial.command(&["show", "m1"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.stdout.contains("Message-ID: <1@example.org>"));
    assert!(
        shown.stdout.contains("2  application/pdf  base64"),
        "{}",
        shown.stdout
    );
    assert_eq!(trial.command(&["show", "m1", "--raw"]).stdout, MESSAGE);
    let part = |path: &str| {
        let bucket = format!("file:{}", trial.path("bucket/inbound").display());
        let mut command = readdress(&["show", "m1", "--part", path, "--email-bucket", &bucket]);
        command.output().unwrap().stdout
    };
    assert_eq!(part("1"), b"Hello");
    assert_eq!(part("2"), [0, 1, 2, 255]);
    assert!(part("0").starts_with(b"--b\r\n"));
    let missing = trial.command(&["show", "m1", "--part", "3"]);
    assert!(
        missing.code == 1 && missing.stderr.contains("no part \"3\""),
        "{}",
        missing.stderr
    );
    for id in ["../m1", ".m1", "a/b"] {
        assert_eq!(trial.command(&["show", id]).code, 2, "{id}");
        assert_eq!(trial.command(&["release", id]).code, 2, "{id}");
    }
    let off = trial.command(&["held", "--ledger", "off"]);
    assert!(off.code == 2 && off.stderr.contains("LEDGER"), "{}", off.stderr);
}
