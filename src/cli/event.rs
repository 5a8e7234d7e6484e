//! `readdress event`: the event for a mail of one's own.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use readdress::arrival::MessageId;
use readdress::header::mailbox::{Address, parse_address_list};
use readdress::rewrite::{Head, HeaderReader};

use super::{Failure, Input};

/// Write the event that SES would send for a message whose file is in a directory that stands in for the bucket
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// An address that received the message; may be repeated
    #[arg(long = "to", value_name = "ALIAS", required = true)]
    recipients: Vec<Address>,
    /// The envelope sender [default: the address in Return-Path, else that in From]
    #[arg(long, value_name = "ADDRESS")]
    envelope_sender: Option<Address>,
    /// What SES says of the sender: pass, fail or gray. An answer as an alias takes pass
    #[arg(long, value_name = "VERDICT", value_parser = verdict)]
    dmarc: Option<String>,
    /// Whether SES takes it for spam: pass, fail or gray
    #[arg(long, value_name = "VERDICT", value_parser = verdict)]
    spam: Option<String>,
    /// Whether SES has found a virus in it: pass, fail or gray
    #[arg(long, value_name = "VERDICT", value_parser = verdict)]
    virus: Option<String>,
    /// The messages. The name of a file is the id of its message
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

const EXAMPLE: &str = "Example:
  readdress event --to shop@example.com mail/hello.eml |
      readdress forward --email-bucket file:mail --alias-map-param file:aliases.json --outbox file:out";

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut records = Vec::with_capacity(arguments.files.len());
    for file in &arguments.files {
        records.push(record(arguments, file)?);
    }
    let event = json!({ "Records": records });
    let mut text =
        serde_json::to_string_pretty(&event).map_err(|error| Failure::failed("the event", error))?;
    text.push('\n');
    let written = io::stdout().write_all(text.as_bytes());
    written.map_err(|error| Failure::output(&error))?;
    Ok(ExitCode::SUCCESS)
}

/// A verdict, as SES writes it.
fn verdict(text: &str) -> Result<String, &'static str> {
    let verdict = text.to_ascii_uppercase();
    let is_known = ["PASS", "FAIL", "GRAY"].contains(&&*verdict);
    is_known.then_some(verdict).ok_or("write pass, fail or gray")
}

/// A record as SES's Lambda action writes it. It has no verdicts but those that are given: nobody has looked at the message.
fn record(arguments: &Arguments, file: &Path) -> Result<Value, Failure> {
    let shown = file.display();
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let message_id = MessageId::parse(name).map_err(|error| {
        let what = format!("{shown}: the name of the file would be the message id");
        Failure::failed(what, format!("{error}; give it another name"))
    })?;
    let head = read_head(file)?;
    let mut mail = json!({"messageId": message_id.as_str()});
    let sender = match &arguments.envelope_sender {
        Some(sender) => Some(sender.to_string()),
        None => first_address(&head, "return-path").or_else(|| first_address(&head, "from")),
    };
    if let Some(sender) = sender {
        mail["source"] = json!(sender);
    }
    let recipients: Vec<String> = arguments.recipients.iter().map(Address::to_string).collect();
    let mut receipt = json!({"recipients": recipients});
    for (name, verdict) in [
        ("dmarcVerdict", &arguments.dmarc),
        ("spamVerdict", &arguments.spam),
        ("virusVerdict", &arguments.virus),
    ] {
        if let Some(verdict) = verdict {
            receipt[name] = json!({"status": verdict});
        }
    }
    Ok(json!({
        "eventSource": "aws:ses",
        "eventVersion": "1.0",
        "ses": {"mail": mail, "receipt": receipt},
    }))
}

fn read_head(file: &Path) -> Result<Head, Failure> {
    let mut input = Input::open(Some(&file.to_owned()))?;
    let name = input.name.clone();
    let refused = |error| Failure::failed(&name, error);
    let mut reader = HeaderReader::default();
    while let Some(mut chunk) = input.next()? {
        if let Some(head) = reader.read(&mut chunk, false).map_err(refused)? {
            return Ok(head);
        }
    }
    let head = reader.read(&mut &[][..], true).map_err(refused)?;
    head.ok_or_else(|| Failure::failed(&name, "it has no end"))
}

/// The first address in the topmost field of this name.
fn first_address(head: &Head, name: &str) -> Option<String> {
    let field = head.header.first(name)?;
    let mailbox = parse_address_list(field.body()).into_iter().next();
    mailbox.map(|mailbox| mailbox.address.to_string())
}
