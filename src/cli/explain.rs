//! `readdress explain`: what would be done with a message, and why.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use readdress::arrival::{Arrival, MessageId, Order, Recipients, parse_event};
use readdress::config::Settings;
use readdress::connect::explainer;
use readdress::executor::block_on;
use readdress::forward::{Explanation, Outcome, Trace, Traces};
use readdress::preflight::Report;
use readdress::rewrite::{Edit, Form, Replacement};

use super::forward::{MAX_EVENT, SettingArguments};
use super::header_diff::{Difference, compare, read};
use super::visible::visible;
use super::{Failure, Input};

/// An arrival, and its message if that is given.
type Explained = (Arrival, Option<Vec<u8>>);

/// The most octets of a message that is given: twice what SES receives.
const MAX_MESSAGE: u64 = 80 << 20;

/// Say what would be done with a message for an address, and why; nothing is sent. Exit code 1 if it would not go out
#[derive(Args)]
pub(super) struct Arguments {
    /// The event of the message, which then is read from the bucket
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
    /// Write a line of JSON
    #[arg(long)]
    json: bool,
    /// The address that receives
    address: String,
    /// The message, where there is no event [default: -, standard input]
    file: Option<PathBuf>,
    #[command(flatten, next_help_heading = "Settings")]
    settings: SettingArguments,
}

impl Arguments {
    fn setting(&self, name: &str) -> Option<String> {
        match name {
            // Without an event no bucket is read.
            "EMAIL_BUCKET" if self.event.is_none() => Some("file:.".to_owned()),
            "EMAIL_PREFIX" if self.event.is_none() => None,
            // Nothing is sent or recorded, and there are settings of that alone.
            "OUTBOX" | "ON_DOUBT" | "EVENTS_TOPIC" => None,
            "LEDGER" => Some("off".to_owned()),
            name => self.settings.setting(name),
        }
    }

    /// The arrivals that the event tells of, or one of the message that is given.
    fn arrivals(&self) -> Result<Vec<Explained>, Failure> {
        let Some(event) = &self.event else {
            let (message, _) = Input::open(self.file.as_ref())?.read_all(MAX_MESSAGE)?;
            let file = self.file.as_deref().filter(|file| *file != Path::new("-"));
            let name = file.and_then(Path::file_name);
            let id = name.and_then(|name| MessageId::parse(name.to_str()?).ok());
            let arrival = Arrival {
                message_id: id
                    .map_or_else(|| MessageId::parse("message"), Ok)
                    .map_err(|error| Failure::failed("the message", error))?,
                recipients: Recipients::Unknown,
                envelope_sender: None,
                verdicts: None,
                order: Order::default(),
                stored: None,
            };
            return Ok(vec![(arrival, Some(message))]);
        };
        if self.file.is_some() {
            let reason = "give an event or a message, not both: the event says where its message lies";
            return Err(Failure::Usage(reason.to_owned()));
        }
        let (payload, name) = Input::open(Some(event))?.read_all(MAX_EVENT)?;
        let failed = |error| Failure::failed(&name, error);
        let records = parse_event(&payload).map_err(failed)?;
        let arrivals = records
            .into_iter()
            .filter_map(|record| record.arrival().map_err(failed).transpose());
        arrivals.map(|arrival| Ok((arrival?, None))).collect()
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let settings = Settings::read(&|name| arguments.setting(name))?;
    let arrivals = arguments.arrivals()?;
    let mut goes_out = !arrivals.is_empty();
    let mut out = BufWriter::new(io::stdout());
    let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
    block_on(async {
        let pipeline = explainer(&settings).await?;
        for (arrival, message) in arrivals {
            let explained = pipeline
                .explain(&arrival, message, &arguments.address)
                .await
                .map_err(|error| Failure::Failed(error.to_string()))?;
            goes_out &= explained.goes_out();
            if arguments.json {
                write_json(&mut out, &explained)
            } else {
                write_text(&mut out, &explained, colours)
            }
            .map_err(|error| Failure::output(&error))?;
        }
        out.flush().map_err(|error| Failure::output(&error))
    })?;
    Ok(if goes_out {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// An edit as it is shown.
#[derive(Serialize)]
struct ShownEdit {
    start: u64,
    end: u64,
    with: &'static str,
    octets: Option<usize>,
}

impl ShownEdit {
    fn of(edit: &Edit) -> Self {
        let (with, octets) = match &edit.with {
            Replacement::Octets(octets) => ("octets", Some(octets.len())),
            Replacement::Encoded(recoding) => (form_name(recoding.form), None),
            _ => ("other", None),
        };
        ShownEdit {
            start: edit.range.start,
            end: edit.range.end,
            with,
            octets,
        }
    }
}

fn form_name(form: Form) -> &'static str {
    match form {
        Form::Base64Lines => "base64-lines",
        Form::SoftBreaks => "soft-breaks",
        Form::QuotedPrintable => "quoted-printable",
        Form::Base64 => "base64",
        Form::HardBreaks => "hard-breaks",
        Form::Folded => "folded",
        Form::PlainField => "plain-field",
        Form::TextType => "text-type",
    }
}

/// The header sections before and after, where there is a plan.
fn sections(explained: &Explanation) -> Option<(&[u8], &[u8])> {
    let before = explained.header.as_deref()?;
    match &explained.plan.as_ref()?.edits().first()?.with {
        Replacement::Octets(after) => Some((before, after)),
        _ => None,
    }
}

#[derive(Serialize)]
struct ShownField {
    is: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

impl ShownField {
    fn of(difference: Difference<'_>) -> Self {
        let text = |field: &[u8]| Some(String::from_utf8_lossy(field).trim_end().to_owned());
        let (is, before, after) = match difference {
            Difference::Kept(field) => ("kept", text(field), None),
            Difference::Changed(was, is) => ("changed", text(was), text(is)),
            Difference::Removed(field) => ("removed", text(field), None),
            Difference::Added(field) => ("added", None, text(field)),
        };
        ShownField { is, before, after }
    }
}

fn write_json(out: &mut impl Write, explained: &Explanation) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        goes_out: bool,
        #[serde(flatten)]
        outcome: &'a Outcome,
        key: Option<&'a str>,
        key_form: Option<&'a str>,
        mistake: Option<&'a str>,
        max_send_bytes: u64,
        edits: Vec<ShownEdit>,
        header: Vec<ShownField>,
        found: Option<&'a Report>,
        left: Option<&'a Report>,
        assumes_dmarc: bool,
        tells: Option<&'a Traces>,
    }
    let mut header = Vec::new();
    if let Some((before, after)) = sections(explained) {
        let (before, after) = (read(before), read(after));
        compare(&before, &after, &mut |difference| {
            header.push(ShownField::of(difference));
        });
    }
    let edits = explained.plan.iter().flat_map(|plan| plan.edits());
    let line = Line {
        goes_out: explained.goes_out(),
        outcome: &explained.outcome,
        key: explained.key.as_ref().map(|(key, _)| &**key),
        key_form: explained.key.as_ref().map(|(_, form)| &**form),
        mistake: explained.mistake.as_deref(),
        max_send_bytes: explained.max_send_bytes,
        edits: edits.map(ShownEdit::of).collect(),
        header,
        found: explained.found.as_ref(),
        left: explained.left.as_ref(),
        assumes_dmarc: explained.assumes_dmarc,
        tells: explained.traces.as_ref(),
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

fn write_text(out: &mut impl Write, explained: &Explanation, colours: bool) -> io::Result<()> {
    let outcome = &explained.outcome;
    let shown = |text: &str| visible(text.as_bytes());
    writeln!(
        out,
        "message   {}",
        outcome.message_id.as_deref().unwrap_or_default()
    )?;
    writeln!(
        out,
        "address   {}",
        shown(outcome.alias.as_deref().unwrap_or_default())
    )?;
    match &explained.key {
        Some((key, form)) => writeln!(out, "key       \"{}\" ({form})", shown(key))?,
        None => writeln!(out, "key       none of the alias map matches")?,
    }
    if let Some(mistake) = &explained.mistake {
        writeln!(out, "mistake   {}", shown(mistake))?;
    }
    for target in &outcome.targets {
        writeln!(out, "target    {}", shown(target))?;
    }
    write_decision(out, explained)?;
    if let (Some(stored), Some(outgoing)) = (outcome.bytes_in, outcome.bytes_out) {
        let most = explained.max_send_bytes;
        writeln!(
            out,
            "octets    {stored} stored, {outgoing} to go out, {most} at most (MAX_SEND_BYTES)"
        )?;
    }
    for code in &outcome.repairs {
        writeln!(out, "repaired  {code}")?;
    }
    write_findings(out, "found", explained.found.as_ref())?;
    write_findings(out, "left", explained.left.as_ref())?;
    write_traces(out, explained.traces.as_ref())?;
    for edit in explained.plan.iter().flat_map(|plan| plan.edits()) {
        let ShownEdit {
            start,
            end,
            with,
            octets,
        } = ShownEdit::of(edit);
        let octets = octets.map_or(String::new(), |octets| format!("{octets} "));
        writeln!(out, "edit      octets {start} to {end}: {octets}{with}")?;
    }
    write_difference(out, explained, colours)
}

fn write_decision(out: &mut impl Write, explained: &Explanation) -> io::Result<()> {
    if explained.assumes_dmarc {
        writeln!(
            out,
            "assumed   DMARC has passed: without an event there is no verdict of SES"
        )?;
    }
    if explained.goes_out() {
        return writeln!(out, "decision  it would be sent");
    }
    let outcome = &explained.outcome;
    write!(out, "decision  it would not be sent: {}", outcome.ending.as_str())?;
    for reason in [outcome.reason, outcome.error.as_deref()].into_iter().flatten() {
        write!(out, ": {}", visible(reason.as_bytes()))?;
    }
    writeln!(out)
}

fn write_traces(out: &mut impl Write, traces: Option<&Traces>) -> io::Result<()> {
    let Some(traces) = traces else {
        return Ok(());
    };
    for Trace {
        part,
        place,
        offset,
        text,
    } in &traces.found
    {
        let text = visible(text.as_bytes());
        writeln!(out, "tells     {place} in part {part}, at octet {offset}: {text}")?;
    }
    match traces.more {
        0 => Ok(()),
        more => writeln!(out, "tells     and {more} more"),
    }
}

fn write_findings(out: &mut impl Write, label: &str, report: Option<&Report>) -> io::Result<()> {
    let Some(report) = report else {
        return Ok(());
    };
    for finding in &report.findings {
        let path = report
            .part_of(finding)
            .map_or("0", |affected| &affected.part.path);
        let place = visible(finding.within.to_string().as_bytes());
        writeln!(
            out,
            "{label:8}  {} in part {path}, {place}, at octet {}: {} ({}, cured by: {})",
            finding.code,
            finding.offset,
            finding.text,
            finding.source.as_str(),
            finding.rung.as_str(),
        )?;
    }
    match report.more {
        0 => Ok(()),
        more => writeln!(out, "{label:8}  and {more} more"),
    }
}

/// Writes the header section as a difference: `-` what came, `+` what goes out.
fn write_difference(out: &mut impl Write, explained: &Explanation, colours: bool) -> io::Result<()> {
    let Some((before, after)) = sections(explained) else {
        return Ok(());
    };
    writeln!(
        out,
        "\n--- header section as it is stored\n+++ header section as it goes out"
    )?;
    let (before, after) = (read(before), read(after));
    let mut written = Ok(());
    compare(&before, &after, &mut |difference| {
        let lines = match difference {
            Difference::Kept(field) => [Some((' ', field)), None],
            Difference::Changed(was, is) => [Some(('-', was)), Some(('+', is))],
            Difference::Removed(field) => [Some(('-', field)), None],
            Difference::Added(field) => [Some(('+', field)), None],
        };
        for (mark, field) in lines.into_iter().flatten() {
            if written.is_ok() {
                written = write_field(out, mark, field, colours);
            }
        }
    });
    written
}

fn write_field(out: &mut impl Write, mark: char, field: &[u8], colours: bool) -> io::Result<()> {
    let (on, off) = match mark {
        '-' if colours => ("\x1b[31m", "\x1b[0m"),
        '+' if colours => ("\x1b[32m", "\x1b[0m"),
        _ => ("", ""),
    };
    for line in field.split_inclusive(|&b| b == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        writeln!(out, "{on}{mark}{}{off}", visible(line))?;
    }
    Ok(())
}
