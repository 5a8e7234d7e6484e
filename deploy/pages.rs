//! Writes the man pages and the shell completions of the command line, as clap knows it:
//!
//! ```sh
//! cargo run --example pages -- DIR
//! ```
//!
//! They are made for a release, and are no part of any program.

#[allow(dead_code)] // No command is run.
#[path = "../src/cli/mod.rs"]
mod cli;

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap_complete::Shell;

const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Fish, Shell::Zsh];

/// Writes `man1` and `completions` below this directory.
pub(crate) fn write(directory: &Path) -> io::Result<()> {
    let (pages, completions) = (directory.join("man1"), directory.join("completions"));
    fs::create_dir_all(&pages)?;
    clap_mangen::generate_to(cli::command(), &pages)?;
    fs::create_dir_all(&completions)?;
    for shell in SHELLS {
        clap_complete::generate_to(shell, &mut cli::command(), "readdress", &completions)?;
    }
    Ok(())
}

#[allow(dead_code)] // A test uses the rest.
fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(directory), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: pages DIR");
        return ExitCode::from(2);
    };
    match write(Path::new(&directory)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pages: {}: {error}", directory.display());
            ExitCode::FAILURE
        }
    }
}
