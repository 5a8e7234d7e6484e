//! `readdress aliases`: what an alias map says.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use readdress::alias::{AliasMap, Severity};
use readdress::config;
use readdress::header::mailbox::Address;

use super::{Failure, Input, forward};

/// Check an alias map, or ask it where an address leads
#[derive(Subcommand)]
pub(super) enum Command {
    /// Say what is wrong with an alias map; exit code 1 if an entry of it cannot be used
    Check {
        /// The alias map; standard input if it is -
        file: PathBuf,
    },
    /// Say where mail to an address goes, and which entry of the alias map says so
    Resolve {
        /// The alias map: file:PATH
        #[arg(long, visible_alias = "alias-map-param", env = "ALIAS_MAP_PARAM", value_name = "MAP", value_parser = config::alias_map)]
        alias_map: PathBuf,
        /// The address that receives
        address: Address,
    },
}

pub(super) fn run(command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Check { file } => check(file),
        Command::Resolve { alias_map, address } => Ok(resolve(&forward::read_aliases(alias_map)?, address)),
    }
}

fn check(file: &PathBuf) -> Result<ExitCode, Failure> {
    let (json, name) = Input::open(Some(file))?.read_all()?;
    let aliases = AliasMap::parse(&json).map_err(|error| Failure::failed(&name, error))?;
    for problem in aliases.problems() {
        println!("{problem}");
    }
    let errors = aliases
        .problems()
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .count();
    let warnings = aliases.problems().len() - errors;
    println!(
        "{name}: {} aliases, {errors} errors, {warnings} warnings",
        aliases.len()
    );
    Ok(if errors == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn resolve(aliases: &AliasMap, address: &Address) -> ExitCode {
    for (form, key, found) in aliases.explain(address) {
        println!("{} {key:?} ({form})", if found { "found " } else { "no    " });
    }
    let Some(resolved) = aliases.resolve(address) else {
        println!("{address} matches nothing: its mail is not forwarded (no_alias)");
        return ExitCode::FAILURE;
    };
    match resolved.entry {
        Err(reason) => {
            println!(
                "{address} -> the entry {:?} cannot be used: {reason}",
                resolved.key
            );
            return ExitCode::FAILURE;
        }
        Ok(entry) if !entry.options.enabled => {
            println!("{address} -> switched off by {:?} (disabled)", resolved.key);
        }
        Ok(entry) => {
            for target in &entry.targets {
                println!("{address} -> {target}");
            }
            let options = &entry.options;
            let option = |name: &str, value: Option<String>| {
                if let Some(value) = value {
                    println!("{name}: {value}");
                }
            };
            option(
                "from_format",
                options.from_format.map(|format| format.as_str().to_owned()),
            );
            option("from_email", options.from_email.as_ref().map(Address::to_string));
            option(
                "to_header",
                options.to_header.map(|header| header.as_str().to_owned()),
            );
            option("subject_prefix", options.subject_prefix.clone());
        }
    }
    ExitCode::SUCCESS
}
