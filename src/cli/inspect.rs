//! `readdress inspect`: the part tree of a message.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use readdress::mime::{Limits, Part, Parts, Scanner, Span};

use super::{Failure, Input};

/// Show the parts of a message: where they are and what they are
#[derive(Args)]
pub(super) struct Arguments {
    /// Write JSON with the byte offsets of every part
    #[arg(long)]
    json: bool,
    /// The message; standard input if there is none or it is -
    file: Option<PathBuf>,
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
    let text = if arguments.json {
        as_json(size, &parts)
    } else {
        as_tree(size, &parts)
    };
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| Failure::output(&error))?;
    Ok(ExitCode::SUCCESS)
}

fn as_json(size: u64, parts: &[Part]) -> String {
    let span = |span: Span| json!({"start": span.start, "end": span.end});
    let parts: Vec<_> = parts
        .iter()
        .map(|part| {
            json!({
                "path": part.path,
                "depth": part.depth,
                "content_type": part.content_type,
                "encoding": part.encoding,
                "filename": part.filename,
                "header": span(part.header),
                "body": span(part.body),
            })
        })
        .collect();
    format!("{}\n", json!({"size": size, "parts": parts}))
}

fn as_tree(size: u64, parts: &[Part]) -> String {
    let mut lines = vec![format!("{size} octets, {} parts", parts.len())];
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
        let path = &part.path;
        lines.push(format!(
            "{indent}{path}  {type_}  {encoding}  {octets} octets{name}"
        ));
    }
    lines.join("\n") + "\n"
}
