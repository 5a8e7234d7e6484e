//! `readdress preflight`: why SES would refuse messages.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use readdress::preflight::{Checker, Report};

use super::{Failure, Input, counted, unbuffered};

/// Say why SES would refuse messages as they are; exit code 1 if it would refuse one
#[derive(Args)]
pub(super) struct Arguments {
    /// Write a line of JSON for each message
    #[arg(long)]
    json: bool,
    /// The messages [default: -, standard input]
    files: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut output = BufWriter::new(unbuffered(io::stdout())?);
    let standard_input = [PathBuf::from("-")];
    let files = match &arguments.files[..] {
        [] => &standard_input,
        files => files,
    };
    let mut refused = 0;
    for file in files {
        let input = Input::open(Some(file))?;
        let name = input.name.clone();
        let report = report(input)?;
        refused += usize::from(report.is_refused);
        if arguments.json {
            write_json(&mut output, &name, &report)
        } else {
            write_table(&mut output, &name, &report)
        }
        .map_err(|error| Failure::output(&error))?;
    }
    if !arguments.json {
        let messages = counted(files.len(), "message", "messages");
        writeln!(output, "{messages}, {refused} would be refused")
            .map_err(|error| Failure::output(&error))?;
    }
    output.flush().map_err(|error| Failure::output(&error))?;
    Ok(if refused > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn report(mut input: Input) -> Result<Report, Failure> {
    let mut checker = Checker::default();
    input.read(&mut |chunk| {
        checker.write(chunk);
        Ok(())
    })?;
    Ok(checker.finish())
}

fn write_json(output: &mut impl Write, file: &str, report: &Report) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        file: &'a str,
        #[serde(flatten)]
        report: &'a Report,
    }
    serde_json::to_writer(&mut *output, &Line { file, report })?;
    output.write_all(b"\n")
}

/// A line for each finding: the file, how the rule is known, the code, the part and the place in it, SES's words, the rung.
fn write_table(output: &mut impl Write, file: &str, report: &Report) -> io::Result<()> {
    for finding in &report.findings {
        let path = report
            .part_of(finding)
            .map_or("0", |affected| &affected.part.path);
        writeln!(
            output,
            "{file}  {:10}  {:26}  {path}  {}  at {}  {}  [{}]",
            finding.source.as_str(),
            finding.code,
            finding.within,
            finding.offset,
            finding.text,
            finding.rung.as_str(),
        )?;
    }
    match report.more {
        0 => Ok(()),
        more => writeln!(output, "{file}  and {more} more"),
    }
}
