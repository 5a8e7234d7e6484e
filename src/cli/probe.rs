//! `readdress probe`: asks SES what its documentation leaves open.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use serde_json::json;

use readdress::doctor::probe::questions::{Addresses, QUESTIONS, Question, To};
use readdress::doctor::probe::{Bucket, Said, ask_ses};
use readdress::executor::block_on;
use readdress::header::mailbox::Address;

use super::Failure;

/// Sends a dozen odd mails by SES and reports what it says to each, without addresses
///
/// SES's documentation does not say what SES does with a bare CR, 51 addresses in To, 8-bit fields and the like. This asks
/// it, from a verified identity to an address of your own, and writes a report that you can attach to an issue. With
/// --through and --bucket it also reads what SES stored: which fields it adds, and what the report of a bounce encloses.
#[derive(Args)]
#[command(after_help = "Exit codes: 0 all were asked, 1 something failed, 2 wrong usage.")]
pub(super) struct Arguments {
    /// The sender, an address of a verified identity
    #[arg(long, value_name = "ADDRESS")]
    from: Address,
    /// An address of your own, which gets the mails that SES takes; verified, if the account is in the sandbox
    #[arg(long, value_name = "ADDRESS")]
    to: Address,
    /// An alias whose mail a receipt rule stores in the bucket; its domain must be verified
    #[arg(long, value_name = "ADDRESS", requires = "bucket")]
    through: Option<Address>,
    /// The bucket of the receipt rule, if there is --through
    #[arg(long, value_name = "NAME", env = "EMAIL_BUCKET")]
    bucket: Option<String>,
    /// What precedes the message id in the bucket
    #[arg(long, value_name = "PREFIX", env = "EMAIL_PREFIX", default_value = "")]
    prefix: String,
    /// Seconds to wait for a mail to arrive in the bucket
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
    /// Ask only these questions; `large`, which sends 35 MiB, is asked only if it is named here
    #[arg(long, value_name = "QUESTION", value_delimiter = ',')]
    only: Vec<String>,
    /// Send without asking for your word
    #[arg(long)]
    yes: bool,
    /// Write the report to this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let questions = questions(arguments)?;
    let through = arguments.through.as_ref().map(ToString::to_string);
    let mails = questions
        .iter()
        .filter(|question| through.is_some() || question.to == To::Operator)
        .count();
    consent(arguments, mails)?;
    let addresses = Addresses {
        from: arguments.from.to_string(),
        to: arguments.to.to_string(),
        through,
        token: token(),
    };
    let bucket = arguments.bucket.as_ref().filter(|_| arguments.through.is_some());
    let bucket = bucket.map(|name| Bucket {
        name: name.clone(),
        prefix: arguments.prefix.clone(),
        patience: Duration::from_secs(arguments.wait),
    });
    let is_terminal = io::stderr().is_terminal();
    let mut tell = |question: &str| {
        if is_terminal {
            let _ = write!(io::stderr(), "\r\x1b[Kasking: {question} …");
        }
    };
    let said = block_on(ask_ses(&addresses, bucket.as_ref(), &questions, &mut tell));
    if is_terminal {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
    let said = said.map_err(Failure::Usage)?;
    let report = json!({"readdress": env!("CARGO_PKG_VERSION"), "answers": said});
    let report = format!("{report:#}\n");
    match &arguments.report {
        Some(path) => fs::write(path, report).map_err(|error| Failure::failed(path.display(), error))?,
        None => io::stdout()
            .write_all(report.as_bytes())
            .map_err(|error| Failure::output(&error))?,
    }
    let failed = |said: &Said| matches!(said.answer, "failed" | "missing");
    Ok(
        if said.iter().any(failed) || said.iter().all(|said| said.answer == "refused") {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        },
    )
}

fn questions(arguments: &Arguments) -> Result<Vec<&'static Question>, Failure> {
    if let Some(other) = arguments
        .only
        .iter()
        .find(|name| QUESTIONS.iter().all(|question| question.name != *name))
    {
        let names: Vec<&str> = QUESTIONS.iter().map(|question| question.name).collect();
        return Err(Failure::Usage(format!(
            "--only: there is no question {other:?}; there are {}",
            names.join(", ")
        )));
    }
    let wanted = |question: &&Question| match &*arguments.only {
        [] => !question.on_request,
        only => only.iter().any(|name| name == question.name),
    };
    Ok(QUESTIONS.iter().filter(wanted).collect())
}

/// Nothing is sent without the operator's word.
fn consent(arguments: &Arguments, mails: usize) -> Result<(), Failure> {
    let Arguments { from, to, .. } = arguments;
    if arguments.yes {
        return Ok(());
    }
    let plan = format!("this sends up to {mails} mails by SES from {from}, most of them to {to}");
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(format!("{plan}; say --yes if you want that")));
    }
    eprint!("readdress: {plan}. Send them? [y/N] ");
    let mut word = String::new();
    let read = io::stdin().lock().read_line(&mut word);
    read.map_err(|error| Failure::failed("standard input", error))?;
    match word.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::Usage("nothing was sent".to_owned())),
    }
}

/// A word that no other run has.
fn token() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{:x}", now.as_nanos(), std::process::id())
}
