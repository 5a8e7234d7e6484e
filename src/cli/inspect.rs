//! `readdress inspect`: the part tree of a message.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use readdress::mime::{Limits, Part, PartChange, PartTree, Scanner};

use super::part_spool::PartSpool;
use super::{Failure, Input, counted, unbuffered};

/// Show the parts of a message: their places, types and names
#[derive(Args)]
pub(super) struct Arguments {
    /// Write JSON with the byte offsets of every part
    #[arg(long)]
    json: bool,
    /// The message [default: -, standard input]
    file: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut input = Input::open(arguments.file.as_ref())?;
    let mut parts = Parts::new(&input.name);
    input.read(&mut |chunk| parts.write(chunk))?;
    let (size, spool) = parts.end()?;
    let mut output = BufWriter::new(unbuffered(io::stdout())?);
    if arguments.json {
        write_json(&mut output, size, spool)
    } else {
        write_tree(&mut output, size, spool)
    }
    .and_then(|()| output.flush())
    .map_err(|error| Failure::output(&error))?;
    Ok(ExitCode::SUCCESS)
}

/// The parts of a message that is being read.
pub(super) struct Parts {
    name: String,
    scanner: Scanner,
    tree: PartTree,
    /// The line of a part comes before those of its children, and says where they all end.
    spool: PartSpool,
    spooled: io::Result<()>,
    size: u64,
}

impl Parts {
    /// The parts of the message that errors call so.
    pub(super) fn new(name: &str) -> Self {
        Parts {
            name: name.to_owned(),
            scanner: Scanner::new(Limits::default()),
            tree: PartTree::default(),
            spool: PartSpool::default(),
            spooled: Ok(()),
            size: 0,
        }
    }

    pub(super) fn write(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        self.scan(chunk, false)
    }

    /// The size of the message, and its parts.
    pub(super) fn end(mut self) -> Result<(u64, PartSpool), Failure> {
        self.scan(&[], true)?;
        let (spool, spooled) = (&mut self.spool, &mut self.spooled);
        self.tree.finish(&mut |change| keep(spool, spooled, change));
        self.spooled
            .map_err(|error| Failure::failed("the parts cannot be kept in a temporary file", error))?;
        Ok((self.size, self.spool))
    }

    fn scan(&mut self, mut chunk: &[u8], last: bool) -> Result<(), Failure> {
        self.size += chunk.len() as u64;
        let (spool, spooled) = (&mut self.spool, &mut self.spooled);
        while let Some(event) = self
            .scanner
            .next(&mut chunk, last)
            .map_err(|error| Failure::failed(&self.name, error))?
        {
            self.tree.push(&event, &mut |change| keep(spool, spooled, change));
        }
        Ok(())
    }
}

fn keep(spool: &mut PartSpool, spooled: &mut io::Result<()>, change: PartChange<'_>) {
    if spooled.is_ok() {
        *spooled = match change {
            PartChange::Begun { part, .. } => spool.begin(part),
            PartChange::Ended { index, end } => spool.end(index, end),
        };
    }
}

fn write_json(output: &mut impl Write, size: u64, spool: PartSpool) -> io::Result<()> {
    write!(output, "{{\"size\":{size},\"parts\":[")?;
    let mut first = true;
    spool.read(|part| {
        if !std::mem::take(&mut first) {
            output.write_all(b",")?;
        }
        serde_json::to_writer(&mut *output, part).map_err(io::Error::from)
    })?;
    writeln!(output, "]}}")
}

pub(super) fn write_tree(output: &mut impl Write, size: u64, spool: PartSpool) -> io::Result<()> {
    let parts = counted(spool.parts(), "part", "parts");
    writeln!(output, "{size} octets, {parts}")?;
    spool.read(|part| write_line(output, part))
}

fn write_line(output: &mut impl Write, part: &Part) -> io::Result<()> {
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
    )
}
