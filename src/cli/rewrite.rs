//! `readdress rewrite`: a Unix filter.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use readdress::config;
use readdress::header::mailbox::Address;
use readdress::rewrite::{Repair, Rewriter, Rules};

use super::{Failure, Input, unbuffered};

/// Rewrite one message from FILE or standard input to standard output, as it streams
#[derive(Args)]
pub(super) struct Arguments {
    /// The address that received the message
    #[arg(long, value_name = "ADDRESS")]
    alias: Address,
    /// An address that it goes to; may be repeated
    #[arg(long = "target", value_name = "ADDRESS", required = true)]
    targets: Vec<Address>,
    /// The envelope sender [default: the address in Return-Path]
    #[arg(long, value_name = "ADDRESS")]
    envelope_sender: Option<Address>,
    /// How far the header section is mended so that SES takes it: header or off [default: header]
    #[arg(long, env = "REPAIR", value_name = "HOW")]
    repair: Option<Repair>,
    #[command(flatten)]
    style: StyleArguments,
    /// The message [default: -, standard input]
    file: Option<PathBuf>,
}

/// The settings of the rewrite.
#[derive(Args)]
pub(super) struct StyleArguments {
    /// Display name of the new From: full, name, via, alias [default: full]
    #[arg(long, env = "FROM_FORMAT", value_name = "FORMAT")]
    from_format: Option<String>,
    /// A fixed verified address for the new From, in place of the alias
    #[arg(long, env = "FROM_EMAIL", value_name = "ADDRESS")]
    from_email: Option<String>,
    /// The addresses in the new To: targets, alias, keep [default: targets]
    #[arg(long, env = "TO_HEADER", value_name = "TO")]
    to_header: Option<String>,
    /// Put before the subject, unless it stands at the front already
    #[arg(long, env = "SUBJECT_PREFIX", value_name = "TEXT")]
    subject_prefix: Option<String>,
}

impl StyleArguments {
    pub(super) fn setting(&self, name: &str) -> Option<String> {
        match name {
            "FROM_FORMAT" => self.from_format.clone(),
            "FROM_EMAIL" => self.from_email.clone(),
            "TO_HEADER" => self.to_header.clone(),
            "SUBJECT_PREFIX" => self.subject_prefix.clone(),
            // It has no flag of its own.
            name => std::env::var(name).ok(),
        }
    }
}

pub(super) fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let style = config::style(&|name| arguments.style.setting(name))?;
    let rules = Rules {
        envelope_sender: arguments.envelope_sender,
        repair: arguments.repair.unwrap_or_default(),
        ..Rules::new(arguments.alias, arguments.targets).with_style(style)
    };
    let mut input = Input::open(arguments.file.as_ref())?;
    let name = input.name.clone();
    let mut output = unbuffered(io::stdout())?;
    let mut rewriter = Rewriter::new(rules);
    let refused = |error| Failure::failed(&name, error);
    input.read(&mut |chunk| {
        let mut written = Ok(());
        rewriter
            .write(chunk, &mut sink(&mut output, &mut written))
            .map_err(refused)?;
        written.map_err(|error| Failure::output(&error))
    })?;
    let mut written = Ok(());
    rewriter
        .end(&mut sink(&mut output, &mut written))
        .map_err(refused)?;
    written.map_err(|error| Failure::output(&error))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes until the first error, which is kept.
fn sink<'a>(output: &'a mut impl Write, written: &'a mut io::Result<()>) -> impl FnMut(&[u8]) + 'a {
    move |bytes| {
        if written.is_ok() {
            *written = output.write_all(bytes);
        }
    }
}
