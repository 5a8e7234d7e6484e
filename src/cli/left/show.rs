//! `readdress show`: a stored mail, or one part of it.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Args;

use readdress::arrival::{MessageId, Order, RecordedArrival};
use readdress::bucket::{Source, Stream};
use readdress::config::Places;
use readdress::connect::stored;
use readdress::executor::block_on;
use readdress::mime::{Part, TransferDecoder};
use readdress::rewrite::HeaderReader;

use super::super::forward::SettingArguments;
use super::super::inspect::{Parts, write_tree};
use super::super::{Failure, unbuffered};
use super::neutral::Neutral;

/// Show a stored mail: its header section and its parts, or the content of a part
///
/// On a terminal, controls of the mail are shown as escapes. Elsewhere its octets are written as they are.
// Settings that come from the environment would stand in it as if they were required.
#[derive(Args)]
#[command(override_usage = "readdress show [OPTIONS] <ID>")]
pub(in super::super) struct Arguments {
    /// Write the content of this part, without its transfer encoding: its path as the list of parts has it, such as 2.1
    #[arg(long, value_name = "PATH", conflicts_with = "raw")]
    part: Option<String>,
    /// Write the whole mail as it is stored
    #[arg(long)]
    raw: bool,
    /// The id of the message
    id: MessageId,
    #[command(flatten, next_help_heading = "Settings")]
    settings: SettingArguments,
}

pub(in super::super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    block_on(async {
        let places = Places::read(&|name| arguments.settings.setting(name))?;
        let (inbox, pages) = stored(&places).await?;
        // The ledger knows the key where an event named it.
        let recorded = match pages {
            Some(pages) => match pages.entry(&arguments.id).await {
                Ok(entry) => entry.map(|entry| entry.arrival),
                Err(error) => {
                    eprintln!("readdress: {error}");
                    None
                }
            },
            None => None,
        };
        let recorded = recorded.unwrap_or_else(RecordedArrival::default);
        let arrival = recorded.into_arrival(arguments.id.clone(), Order::Forward);
        let (source, stream) = inbox
            .find(&arrival)
            .await
            .map_err(|error| Failure::failed(&arguments.id, error))?;
        let mail = Mail {
            id: arguments.id.to_string(),
            source,
        };
        match &arguments.part {
            _ if arguments.raw => mail.raw(stream).await?,
            Some(path) => mail.part(stream, path).await?,
            None => mail.overview(stream).await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// A stored mail.
struct Mail {
    id: String,
    source: Source,
}

impl Mail {
    fn failed(&self, error: impl std::fmt::Display) -> Failure {
        Failure::failed(&self.id, error)
    }

    async fn raw(&self, mut stream: Stream) -> Result<(), Failure> {
        let mut output = Output::new()?;
        while let Some(chunk) = stream.next().await.map_err(|error| self.failed(error))? {
            output.write(chunk)?;
        }
        output.end()
    }

    async fn overview(&self, mut stream: Stream) -> Result<(), Failure> {
        let mut parts = Parts::new(&self.id);
        let mut reader = HeaderReader::default();
        let mut head = None;
        while let Some(mut chunk) = stream.next().await.map_err(|error| self.failed(error))? {
            parts.write(chunk)?;
            if head.is_none() {
                head = reader
                    .read(&mut chunk, false)
                    .map_err(|error| self.failed(error))?;
            }
        }
        if head.is_none() {
            head = reader
                .read(&mut &[][..], true)
                .map_err(|error| self.failed(error))?;
        }
        let (size, spool) = parts.end()?;
        let mut output = Output::new()?;
        if let Some(head) = head {
            output.write(head.header.raw())?;
        }
        output.write(b"\n")?;
        output.end()?;
        write_tree(&mut io::stdout(), size, spool).map_err(|error| Failure::output(&error))
    }

    /// Writes the content of a part. Its place is known after one reading, and its content is written in a second one.
    async fn part(&self, mut stream: Stream, path: &str) -> Result<(), Failure> {
        let mut parts = Parts::new(&self.id);
        while let Some(chunk) = stream.next().await.map_err(|error| self.failed(error))? {
            parts.write(chunk)?;
        }
        let (_, spool) = parts.end()?;
        let mut found: Option<Part> = None;
        spool
            .read(|part| {
                if part.path == path {
                    found = Some(part.clone());
                }
                Ok(())
            })
            .map_err(|error| self.failed(error))?;
        let Some(part) = found else {
            return Err(self.failed(format!(
                "it has no part {path:?}; readdress show {} lists its parts",
                self.id
            )));
        };
        // The transfer encoding of a multipart can only be that of nothing (RFC 2045 6.4).
        let encoding = if part.content_type.starts_with("multipart/") {
            "binary"
        } else {
            &part.encoding
        };
        let mut decoder = TransferDecoder::new(encoding);
        let mut output = Output::new()?;
        let mut written = Ok(());
        let mut write = |octets: &[u8]| {
            if written.is_ok() {
                written = output.write(octets);
            }
        };
        let mut left = part.body.end - part.body.start;
        let mut stream = self.source.stream(part.body.start);
        while left > 0
            && let Some(chunk) = stream.next().await.map_err(|error| self.failed(error))?
        {
            let taken = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
            left -= taken as u64;
            decoder.write(&chunk[..taken], &mut write);
        }
        decoder.end(&mut write);
        written?;
        output.end()
    }
}

/// Standard output, which may be a terminal.
enum Output {
    Terminal(Neutral<File>),
    Elsewhere(File),
}

impl Output {
    fn new() -> Result<Self, Failure> {
        let output = unbuffered(io::stdout())?;
        Ok(if output.is_terminal() {
            Output::Terminal(Neutral::new(output))
        } else {
            Output::Elsewhere(output)
        })
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        match self {
            Output::Terminal(output) => output.write(octets),
            Output::Elsewhere(output) => output.write_all(octets),
        }
        .map_err(|error| Failure::output(&error))
    }

    fn end(self) -> Result<(), Failure> {
        match self {
            Output::Terminal(output) => output.end().map_err(|error| Failure::output(&error)),
            Output::Elsewhere(_) => Ok(()),
        }
    }
}
