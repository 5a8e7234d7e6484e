//! `readdress inspect`: the part tree of a message.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use readdress::mime::{Limits, Part, Parts, Scanner};

use super::{Failure, Input, unbuffered};

/// Show the parts of a message: where they are and what they are
#[derive(Args)]
pub(super) struct Arguments {
    /// Write JSON with the byte offsets of every part
    #[arg(long)]
    json: bool,
    /// The message; standard input if there is none or it is -
    file: Option<PathBuf>,
}

/// What `--json` writes.
#[derive(Serialize)]
struct Tree<'a> {
    size: u64,
    parts: &'a [Part],
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut input = Input::open(arguments.file.as_ref())?;
    let name = input.name.clone();
    let mut scanner = Scanner::new(Limits::default());
    let mut parts = Parts::new();
    let mut size = 0;
    let mut scan = |mut chunk: &[u8], last: bool| {
        size += chunk.len() as u64;
        while let Some(event) = scanner
            .next(&mut chunk, last)
            .map_err(|error| Failure::failed(&name, error))?
        {
            parts.push(&event);
        }
        Ok(())
    };
    input.read(&mut |chunk| scan(chunk, false))?;
    scan(&[], true)?;
    let parts = parts.finish();
    // Every part is a line or an object of its own: a message may have a million.
    let mut output = BufWriter::new(unbuffered(io::stdout())?);
    if arguments.json {
        write_json(&mut output, size, &parts)
    } else {
        write_tree(&mut output, size, &parts)
    }
    .and_then(|()| output.flush())
    .map_err(|error| Failure::output(&error))?;
    Ok(ExitCode::SUCCESS)
}

fn write_json(output: &mut impl Write, size: u64, parts: &[Part]) -> io::Result<()> {
    serde_json::to_writer(&mut *output, &Tree { size, parts })?;
    writeln!(output)
}

fn write_tree(output: &mut impl Write, size: u64, parts: &[Part]) -> io::Result<()> {
    writeln!(output, "{size} octets, {} parts", parts.len())?;
    for part in parts {
        let indent = "  ".repeat(part.depth);
        let octets = part.body.end - part.body.start;
        // Names are written by strangers: nothing of them may reach the terminal as a control.
        let name = part
            .filename
            .as_ref()
            .map(|name| format!("  {name:?}"))
            .unwrap_or_default();
        let type_ = part.content_type.escape_debug();
        let encoding = part.encoding.escape_debug();
        writeln!(
            output,
            "{indent}{}  {type_}  {encoding}  {octets} octets{name}",
            part.path
        )?;
    }
    Ok(())
}
