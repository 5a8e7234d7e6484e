//! The command line as its users meet it: files, standard streams, exit codes.
#![cfg(feature = "cli")]

#[path = "cli/aliases.rs"]
mod aliases;
#[path = "common/command_line.rs"]
mod command_line;
#[path = "cli/events.rs"]
mod events;
#[path = "cli/filters.rs"]
mod filters;
#[path = "cli/forward.rs"]
mod forward;
#[path = "cli/keys.rs"]
mod keys;
#[path = "cli/memory.rs"]
mod memory;
#[path = "cli/pages.rs"]
mod pages;
#[path = "cli/storage.rs"]
mod storage;
#[cfg(feature = "aws")]
mod support;
#[path = "cli/usage.rs"]
mod usage;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

fn readdress(arguments: &[&str]) -> Command {
    command_line::readdress(env!("CARGO_BIN_EXE_readdress"), arguments)
}

fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = readdress(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that ends early closes its input.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// `printf 'body\xff\0\r\nno last line break' | sha256sum`
const BODY_SHA256: &str = "ac30580174cb08464a99b151f6281e1e8f492983d1eb1b52ba0f02782b9ce236";

/// A bucket, an alias map and an outbox in a directory of their own.
struct Trial {
    directory: TempDir,
}

const MESSAGE: &[u8] = b"Return-Path: <jane@example.org>\r\nFrom: Jane Example <jane@example.org>\r\n\
    To: shop@example.com\r\nSubject: Hello\r\nMessage-ID: <1@example.org>\r\n\r\nbody\xff\0\r\nno last line break";

impl Trial {
    fn new(aliases: &Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("bucket/inbound")).unwrap();
        let trial = Trial { directory };
        fs::write(trial.path("aliases.json"), aliases.to_string()).unwrap();
        trial.store("m1", MESSAGE);
        trial
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn store(&self, message_id: &str, message: &[u8]) {
        fs::write(self.path("bucket/inbound").join(message_id), message).unwrap();
    }

    fn command(&self, more: &[&str]) -> Command {
        let file = |name: &str| format!("file:{}", self.path(name).display());
        let mut command = readdress(&["forward"]);
        let usual = [
            ("--email-bucket", file("bucket")),
            ("--alias-map", file("aliases.json")),
            ("--outbox", file("outbox")),
            ("--email-prefix", "inbound/".to_owned()),
        ];
        for (flag, value) in usual {
            if !more.contains(&flag) {
                command.args([flag, &value]);
            }
        }
        command.args(more);
        command
    }

    /// The exit code and the outcomes of an event.
    fn forward(&self, event: &Value, more: &[&str]) -> (i32, Vec<Value>) {
        fs::write(self.path("event.json"), event.to_string()).unwrap();
        let output = self.command(more).arg(self.path("event.json")).output().unwrap();
        let outcomes = text(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        (output.status.code().unwrap(), outcomes)
    }

    fn sent(&self, name: &str) -> Vec<u8> {
        fs::read(self.path("outbox").join(name)).unwrap()
    }

    /// The files of the outbox, without its ledger.
    fn outbox(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path("outbox")) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "ledger")
            .collect();
        names.sort();
        names
    }
}

fn record(message_id: &str, recipients: &[&str]) -> Value {
    json!({"eventSource": "aws:ses", "ses": {
        "mail": {"messageId": message_id, "source": "jane@example.org"},
        "receipt": {"recipients": recipients},
    }})
}

fn event(message_id: &str, recipients: &[&str]) -> Value {
    json!({"Records": [record(message_id, recipients)]})
}

fn outcomes_of(outcomes: &[Value]) -> Vec<&str> {
    outcomes
        .iter()
        .map(|outcome| outcome["outcome"].as_str().unwrap())
        .collect()
}

fn body(message: &[u8]) -> &[u8] {
    let at = message.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    &message[at + 4..]
}
