//! `readdress aliases`: questions to an alias map.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Subcommand;

use readdress::alias::{AliasMap, Closed, Date, Problem, Severity};
use readdress::header::mailbox::Address;
use readdress::signed::AliasKey;

use super::key::KeyArguments;
use super::{Failure, alias_addresses, counted, map};

/// Check an alias map, or ask it where mail to an address goes
#[derive(Subcommand)]
pub(super) enum Command {
    /// List the mistakes of an alias map; exit code 1 if one of its entries cannot be used
    Check {
        /// The alias map: a file, s3://BUCKET/KEY, an SSM parameter (a path of them if it ends in /), or - for standard input
        map: String,
    },
    /// Show where mail to an address goes, and which entry of the alias map decides it
    Resolve {
        /// The alias map: a file, s3://BUCKET/KEY, an SSM parameter (a path of them if it ends in /), or - for standard input
        #[arg(
            long,
            visible_alias = "alias-map-param",
            env = "ALIAS_MAP_PARAM",
            value_name = "MAP"
        )]
        alias_map: String,
        #[command(flatten)]
        key: KeyArguments,
        /// The address that receives
        address: Address,
    },
    New(alias_addresses::New),
    Recipients(alias_addresses::Recipients),
}

pub(super) fn run(command: &Command) -> Result<ExitCode, Failure> {
    let mut text = Vec::new();
    let code = match command {
        Command::Check { map } => {
            let map = map::read(map)?;
            check(&mut text, &map.aliases, &map.name)
        }
        Command::Resolve {
            alias_map,
            key,
            address,
        } => {
            let aliases = map::read(alias_map)?.aliases;
            resolve(&mut text, &aliases, address, key.read()?.as_ref())
        }
        Command::New(arguments) => return alias_addresses::new(arguments),
        Command::Recipients(arguments) => return alias_addresses::print_recipients(arguments),
    };
    io::stdout()
        .write_all(&text)
        .map_err(|error| Failure::output(&error))?;
    code.map_err(|error| Failure::output(&error))
}

fn check(text: &mut impl Write, aliases: &AliasMap, name: &str) -> io::Result<ExitCode> {
    let problems = [aliases.problems(), &aliases.review()].concat();
    for problem in &problems {
        writeln!(text, "{problem}")?;
    }
    let is_error = |problem: &&Problem| problem.severity == Severity::Error;
    let errors = problems.iter().filter(is_error).count();
    let warnings = problems.len() - errors;
    writeln!(
        text,
        "{name}: {}, {}, {}",
        counted(aliases.len(), "alias", "aliases"),
        counted(errors, "error", "errors"),
        counted(warnings, "warning", "warnings"),
    )?;
    if aliases.is_empty() {
        writeln!(text, "{name}: there is no alias, so no mail would be forwarded")?;
    }
    Ok(if errors == 0 && !aliases.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn resolve(
    text: &mut impl Write,
    aliases: &AliasMap,
    address: &Address,
    alias_key: Option<&AliasKey>,
) -> io::Result<ExitCode> {
    let mut decided = false;
    for (form, key, found) in aliases.explain(address) {
        let how = match (found, decided) {
            (false, _) => "no   ",
            (true, false) => "wins ",
            (true, true) => "found",
        };
        decided |= found;
        writeln!(text, "{how} {key:?} ({form})")?;
    }
    let Some(resolved) = aliases.resolve(address) else {
        writeln!(
            text,
            "{address} matches nothing: its mail is not forwarded (no_alias)"
        )?;
        return Ok(ExitCode::FAILURE);
    };
    let key = resolved.key;
    let reason = match resolved.open(address, today(), alias_key) {
        Ok(open) => {
            for target in &open.targets {
                writeln!(text, "{address} -> {target}")?;
            }
            for (name, choice) in open.options.choices() {
                writeln!(text, "{name}: {choice}")?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        Err(Closed::Disabled) => {
            writeln!(text, "{address} -> switched off by {key:?} (disabled)")?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(Closed::Expired(last)) => {
            writeln!(text, "{address} -> {key:?} has received until {last} (expired)")?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(Closed::NotSigned) => {
            "takes signed addresses alone, and this one has not our signature (no_alias)".to_owned()
        }
        Err(Closed::NoKey) => "takes signed addresses alone: name the key by --alias-key".to_owned(),
        Err(Closed::Broken(reason)) => format!("cannot be used: {reason}"),
    };
    writeln!(text, "{address} -> the entry {key:?} {reason}")?;
    Ok(ExitCode::FAILURE)
}

fn today() -> Date {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Date::from_unix_time(since_1970.as_secs())
}
