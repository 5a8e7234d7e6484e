//! `readdress rewrite`: a Unix filter.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use readdress::config;
use readdress::header::mailbox::Address;
use readdress::preflight::{Checker, Report, Rung, Source};
use readdress::rewrite::{HeaderReader, Repair, Rewriter, Rules};

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
    repair: Option<String>,
    /// Mend parts that SES would refuse too: lines that are too long, attachments that it does not send
    #[arg(long)]
    parts: bool,
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
    /// The addresses in the new To: targets, alias, keep [default: keep]
    #[arg(long, env = "TO_HEADER", value_name = "TO")]
    to_header: Option<String>,
    /// Text to put before the subject, unless it is already there
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
    let repair = config::repair(&|_| arguments.repair.clone())?;
    let rules = Rules {
        envelope_sender: arguments.envelope_sender,
        repair,
        ..Rules::new(arguments.alias, arguments.targets).with_style(style)
    };
    match (&arguments.file, arguments.parts) {
        (Some(file), true) => with_parts(file, &rules),
        (None, true) => Err(Failure::Usage(
            "--parts reads the message twice: give it as a FILE".to_owned(),
        )),
        (file, false) => in_one_pass(file.as_ref(), rules),
    }
}

/// Rewrites the header section as the message passes. Faults of the body for which SES would refuse the message are named on
/// stderr, and make the exit code 1; where nothing is to be repaired, nobody looks for them.
fn in_one_pass(file: Option<&PathBuf>, rules: Rules) -> Result<ExitCode, Failure> {
    let mut input = Input::open(file)?;
    let name = input.name.clone();
    let mut output = unbuffered(io::stdout())?;
    let mut checker = (rules.repair != Repair::Off).then(Checker::default);
    let mut rewriter = Rewriter::new(rules);
    let refused = |error| Failure::failed(&name, error);
    input.read(&mut |chunk| {
        if let Some(checker) = &mut checker {
            checker.write(chunk);
        }
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
    Ok(match checker {
        Some(checker) => tell(&checker.finish(), "--parts FILE mends it"),
        None => ExitCode::SUCCESS,
    })
}

/// Rewrites the header section, and the parts that SES would refuse. The file is read twice.
fn with_parts(file: &PathBuf, rules: &Rules) -> Result<ExitCode, Failure> {
    let mut input = Input::open(Some(file))?;
    let name = input.name.clone();
    let refused = |error| Failure::failed(&name, error);
    let mut checker = Checker::default();
    let mut reader = HeaderReader::default();
    let mut head = None;
    input.read(&mut |mut chunk| {
        checker.write(chunk);
        if head.is_none() {
            head = reader.read(&mut chunk, false).map_err(refused)?;
        }
        Ok(())
    })?;
    let head = match head {
        Some(head) => head,
        None => match reader.read(&mut &[][..], true).map_err(refused)? {
            Some(head) => head,
            None => return Err(Failure::Failed(format!("{name}: it has no end"))),
        },
    };
    let plan = rules.plan_with_parts(
        &head,
        &checker.finish(),
        "The whole message is where it was stored.",
    );
    let mut output = unbuffered(io::stdout())?;
    let mut out = Checker::default();
    let mut writer = plan.writer();
    let mut written = Ok(());
    Input::open(Some(file))?.read(&mut |chunk| {
        writer.write(chunk, &mut |octets| {
            out.write(octets);
            sink(&mut output, &mut written)(octets);
        });
        std::mem::replace(&mut written, Ok(())).map_err(|error| Failure::output(&error))
    })?;
    writer.end(&mut |octets| {
        out.write(octets);
        sink(&mut output, &mut written)(octets);
    });
    written.map_err(|error| Failure::output(&error))?;
    Ok(tell(&out.finish(), "nothing that is known mends it"))
}

/// Tells what SES would refuse below the top-level header section.
fn tell(report: &Report, hint: &str) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for finding in &report.findings {
        if finding.source > Source::Suspected && finding.rung > Rung::Header {
            let path = report
                .part_of(finding)
                .map_or("0", |affected| &affected.part.path);
            eprintln!(
                "readdress: SES would refuse part {path} at octet {}: {} ({}); {hint}",
                finding.offset, finding.text, finding.code
            );
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// Writes until the first error, which is kept.
fn sink<'a>(output: &'a mut impl Write, written: &'a mut io::Result<()>) -> impl FnMut(&[u8]) + 'a {
    move |bytes| {
        if written.is_ok() {
            *written = output.write_all(bytes);
        }
    }
}
