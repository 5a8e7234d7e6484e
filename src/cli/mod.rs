//! The command line: arguments in, exit code out. Each command is in its own file, the reports of failures are here.

mod alias_addresses;
mod aliases;
#[cfg(feature = "doctor")]
mod doctor;
mod event;
mod explain;
mod forward;
mod header_diff;
mod inspect;
mod key;
mod left;
mod map;
mod part_spool;
mod preflight;
#[cfg(feature = "doctor")]
mod probe;
mod reply_address;
mod rewrite;
mod unsuppress;
mod visible;

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use readdress::config::SettingError;

/// Octets that are read at once.
const CHUNK: usize = 1 << 16;

/// Mail aliases for your own domain: forwards a mail by rewriting its top-level header section and passing every
/// other byte through unchanged.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Arguments {
    /// Log to stderr: -v what was done, -vv with addresses
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 success, 1 a step failed, or a mail was not forwarded and no notice of that went out, 2 wrong usage.\n\nThe settings, each a flag \
                          and a variable of the environment: readdress help forward";

#[derive(Subcommand)]
enum Command {
    Forward(Box<forward::Arguments>),
    Status(Box<left::status::Arguments>),
    Held(Box<left::list::HeldArguments>),
    List(Box<left::list::Arguments>),
    Show(Box<left::show::Arguments>),
    Release(Box<left::release::Arguments>),
    Redrive(Box<left::redrive::Arguments>),
    Settle(Box<left::settle::Arguments>),
    Event(event::Arguments),
    Explain(Box<explain::Arguments>),
    Rewrite(rewrite::Arguments),
    Inspect(inspect::Arguments),
    Preflight(preflight::Arguments),
    #[command(subcommand)]
    Aliases(aliases::Command),
    Unsuppress(unsuppress::Arguments),
    #[command(subcommand)]
    Key(key::Command),
    ReplyAddress(reply_address::Arguments),
    #[cfg(feature = "doctor")]
    Doctor(doctor::Arguments),
    #[cfg(feature = "doctor")]
    Probe(probe::Arguments),
    /// Not in this build
    #[cfg(not(feature = "doctor"))]
    #[command(hide = true, alias = "probe")]
    Doctor {
        #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
        ignored: Vec<String>,
    },
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

/// The command line as clap knows it.
pub(crate) fn command() -> clap::Command {
    Arguments::command()
}

/// Parses the arguments and runs the command.
pub(crate) fn run() -> ExitCode {
    let matches = command().get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let given = given(&matches);
    drop(matches);
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
        Command::Status(arguments) => left::status::run(&arguments),
        Command::Held(arguments) => left::list::run_held(&arguments),
        Command::List(arguments) => left::list::run(&arguments),
        Command::Show(arguments) => left::show::run(&arguments),
        Command::Release(arguments) => left::release::run(&arguments),
        Command::Redrive(arguments) => left::redrive::run(&arguments),
        Command::Settle(arguments) => left::settle::run(&arguments),
        Command::Event(arguments) => event::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Rewrite(arguments) => rewrite::run(arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Preflight(arguments) => preflight::run(&arguments),
        Command::Aliases(command) => aliases::run(&command),
        Command::Unsuppress(arguments) => unsuppress::run(&arguments),
        Command::Key(command) => key::run(&command),
        Command::ReplyAddress(arguments) => reply_address::run(&arguments),
        #[cfg(feature = "doctor")]
        Command::Doctor(arguments) => doctor::run(&arguments),
        #[cfg(feature = "doctor")]
        Command::Probe(arguments) => probe::run(&arguments),
        #[cfg(not(feature = "doctor"))]
        Command::Doctor { .. } => Err(Failure::Usage(
            "this build has no AWS services, and so neither doctor nor probe; cargo install --path . builds one that has".to_owned(),
        )),
    };
    match done {
        Ok(code) => code,
        Err(Failure::Failed(message)) => {
            eprintln!("readdress: {message}");
            ExitCode::FAILURE
        }
        Err(Failure::Setting(error)) => {
            eprintln!("readdress: {}", wrong_setting(&error, &given));
            ExitCode::from(2)
        }
        Err(Failure::Usage(message)) => {
            eprintln!("readdress: {message}");
            ExitCode::from(2)
        }
        Err(Failure::BrokenPipe) => ExitCode::FAILURE,
    }
}

/// The names of the command that was given, such as `aliases resolve`.
fn given(mut matches: &ArgMatches) -> Vec<String> {
    let mut names = Vec::new();
    while let Some((name, inner)) = matches.subcommand() {
        names.push(name.to_owned());
        matches = inner;
    }
    names
}

/// Says what is wrong with a setting, under the names that it has for the command that was given, and where these are listed.
fn wrong_setting(SettingError { name, reason }: &SettingError, given: &[String]) -> String {
    let mut command = command();
    for name in given {
        if let Some(subcommand) = command.find_subcommand(name) {
            command = subcommand.clone();
        }
    }
    let flag = name.to_ascii_lowercase().replace('_', "-");
    let has_flag = command
        .get_arguments()
        .any(|argument| argument.get_long() == Some(&flag));
    let flag = if has_flag {
        format!("--{flag} or ")
    } else {
        String::new()
    };
    let page = given.join(" ");
    format!("{flag}{name}: {reason}; see: readdress help {page}")
}

/// A number of things, in the words for one and for any other number.
fn counted(count: usize, one: &str, other: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { other })
}

/// A file, or standard input where there is no path or it is `-`.
struct Input {
    reader: File,
    name: String,
    chunk: Vec<u8>,
}

impl Input {
    fn open(path: Option<&PathBuf>) -> Result<Self, Failure> {
        match path.filter(|path| *path != Path::new("-")) {
            None => Ok(Input {
                reader: unbuffered(io::stdin())?,
                name: "standard input".to_owned(),
                chunk: Vec::new(),
            }),
            Some(path) => {
                let name = path.display().to_string();
                let reader = File::open(path).map_err(|error| Failure::failed(&name, error))?;
                Ok(Input {
                    reader,
                    name,
                    chunk: Vec::new(),
                })
            }
        }
    }

    /// Passes all of the input to `each`, in chunks of at least one octet.
    fn read(&mut self, each: &mut dyn FnMut(&[u8]) -> Result<(), Failure>) -> Result<(), Failure> {
        while let Some(chunk) = self.next()? {
            each(chunk)?;
        }
        Ok(())
    }

    /// The next chunk, of at least one octet. `None`: the end.
    fn next(&mut self) -> Result<Option<&[u8]>, Failure> {
        self.chunk.resize(CHUNK, 0);
        loop {
            match self.reader.read(&mut self.chunk) {
                Ok(0) => return Ok(None),
                Ok(read) => return Ok(Some(&self.chunk[..read])),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Failure::failed(&self.name, error)),
            }
        }
    }

    /// Reads an input of at most this many octets, and returns it with its name.
    fn read_all(mut self, at_most: u64) -> Result<(Vec<u8>, String), Failure> {
        let mut all = Vec::new();
        while let Some(chunk) = self.next()? {
            all.extend_from_slice(chunk);
            if all.len() as u64 > at_most {
                let reason = format!("it has more than {at_most} octets; is it another file?");
                return Err(Failure::failed(&self.name, reason));
            }
        }
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
