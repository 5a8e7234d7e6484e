//! The command line: arguments in, exit code out. Each command is in its own file, the reports of failures are here.

mod aliases;
mod forward;
mod inspect;
mod part_spool;
mod preflight;
mod rewrite;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use readdress::config::SettingError;

/// Octets that are read at once.
const CHUNK: usize = 1 << 16;

/// Mail aliases for your own domain: forwards a mail by rewriting its top-level header section and passing every
/// other byte through unchanged.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Arguments {
    /// Say more on stderr: -v what was done, -vv with addresses
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 all done, 1 something failed or must be looked at, 2 wrong usage.";

#[derive(Subcommand)]
enum Command {
    Forward(Box<forward::Arguments>),
    Rewrite(rewrite::Arguments),
    Inspect(inspect::Arguments),
    Preflight(preflight::Arguments),
    #[command(subcommand)]
    Aliases(aliases::Command),
}

/// The reason for which a command ends early.
enum Failure {
    /// The command failed: exit code 1.
    Failed(String),
    /// A setting is missing or wrong: exit code 2.
    Setting(SettingError),
    /// The arguments do not fit together: exit code 2.
    Usage(String),
    /// The output is not read any more.
    BrokenPipe,
}

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        Failure::Setting(error)
    }
}

impl Failure {
    fn failed(what: impl fmt::Display, error: impl fmt::Display) -> Self {
        Failure::Failed(format!("{what}: {error}"))
    }

    fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::BrokenPipe,
            _ => Failure::failed("the output cannot be written", error),
        }
    }
}

/// Parses the arguments and runs the command.
pub(crate) fn run() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(match arguments.verbose {
            0 => tracing::Level::WARN,
            1 => tracing::Level::INFO,
            _ => tracing::Level::DEBUG,
        })
        .without_time()
        .with_target(false)
        .with_ansi(false)
        .init();
    let done = match arguments.command {
        Command::Forward(arguments) => forward::run(&arguments),
        Command::Rewrite(arguments) => rewrite::run(arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Preflight(arguments) => preflight::run(&arguments),
        Command::Aliases(command) => aliases::run(&command),
    };
    match done {
        Ok(code) => code,
        Err(Failure::Failed(message)) => {
            eprintln!("readdress: {message}");
            ExitCode::FAILURE
        }
        Err(Failure::Setting(SettingError { name, reason })) => {
            let flag = name.to_ascii_lowercase().replace('_', "-");
            eprintln!("readdress: --{flag} or {name}: {reason}; see: readdress help");
            ExitCode::from(2)
        }
        Err(Failure::Usage(message)) => {
            eprintln!("readdress: {message}");
            ExitCode::from(2)
        }
        Err(Failure::BrokenPipe) => ExitCode::FAILURE,
    }
}

/// A file, or standard input where there is no path or it is `-`.
struct Input {
    reader: Box<dyn Read>,
    name: String,
}

impl Input {
    fn open(path: Option<&PathBuf>) -> Result<Self, Failure> {
        match path.filter(|path| *path != Path::new("-")) {
            None => Ok(Input {
                reader: Box::new(unbuffered(io::stdin())?),
                name: "standard input".to_owned(),
            }),
            Some(path) => {
                let name = path.display().to_string();
                let file = File::open(path).map_err(|error| Failure::failed(&name, error))?;
                Ok(Input {
                    reader: Box::new(file),
                    name,
                })
            }
        }
    }

    /// Passes all of the input to `each`, in chunks of at least one octet.
    fn read(&mut self, each: &mut dyn FnMut(&[u8]) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut chunk = vec![0; CHUNK];
        loop {
            match self.reader.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(read) => each(&chunk[..read])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Failure::failed(&self.name, error)),
            }
        }
    }

    fn read_all(mut self) -> Result<(Vec<u8>, String), Failure> {
        let mut all = Vec::new();
        self.read(&mut |chunk| {
            all.extend_from_slice(chunk);
            Ok(())
        })?;
        Ok((all, self.name))
    }
}

/// The stream without the buffer of the standard library, which mail does not need.
fn unbuffered(stream: impl AsFd) -> Result<File, Failure> {
    match stream.as_fd().try_clone_to_owned() {
        Ok(descriptor) => Ok(File::from(descriptor)),
        Err(error) => Err(Failure::failed("standard input or output is closed", error)),
    }
}
