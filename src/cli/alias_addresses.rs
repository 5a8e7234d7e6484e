//! `readdress aliases new` and `readdress aliases recipients`: addresses of a map.

use std::io::{self, Write};
use std::process::ExitCode;

use readdress::signed::DEFAULT_SIGNATURE_LENGTH;

use super::key::KeyArguments;
use super::{Failure, map};

/// Recipients of a receipt rule at most (SES's quota).
const MAX_RECIPIENTS: usize = 100;

/// Make a signed alias, which the map's entry of its domain takes without being changed ("signed")
#[derive(clap::Args)]
pub(super) struct New {
    #[command(flatten)]
    key: KeyArguments,
    /// The number of letters of the signature, as the entry says it
    #[arg(long, default_value_t = DEFAULT_SIGNATURE_LENGTH, value_parser = clap::value_parser!(u8).range(4..=10))]
    letters: u8,
    /// The domain
    domain: String,
    /// The name of the alias, such as shop
    name: String,
}

/// Print the recipients of an alias map as SES's receipt rule takes them, one a line
#[derive(clap::Args)]
pub(super) struct Recipients {
    /// A domain of yours, for keys without one; may be given several times
    #[arg(long = "domain", value_name = "DOMAIN")]
    domains: Vec<String>,
    /// The alias map: a file, s3://BUCKET/KEY, an SSM parameter (a path of them if it ends in /), or - for standard input
    map: String,
}

pub(super) fn new(arguments: &New) -> Result<ExitCode, Failure> {
    let New {
        key,
        letters,
        domain,
        name,
    } = arguments;
    let domain = domain.strip_prefix('@').unwrap_or(domain);
    let alias = key.required()?.signed_alias(name, domain, *letters);
    let alias = alias.map_err(|error| Failure::Usage(format!("{name:?} at {domain:?}: {error}")))?;
    writeln!(io::stdout(), "{alias}").map_err(|error| Failure::output(&error))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn print_recipients(arguments: &Recipients) -> Result<ExitCode, Failure> {
    let map = map::read(&arguments.map)?;
    let recipients = map.aliases.recipients(&arguments.domains).map_err(|key| {
        let reason = format!("the key {key:?} stands for addresses of any domain: name yours by --domain");
        Failure::Usage(reason)
    })?;
    if recipients.len() > MAX_RECIPIENTS {
        eprintln!(
            "readdress: these are {} recipients, and a receipt rule takes {MAX_RECIPIENTS}: use the domain in place of its \
             addresses, or spread them over several rules",
            recipients.len()
        );
    }
    let lines: String = recipients
        .iter()
        .map(|recipient| format!("{recipient}\n"))
        .collect();
    io::stdout()
        .write_all(lines.as_bytes())
        .map_err(|error| Failure::output(&error))?;
    Ok(ExitCode::SUCCESS)
}
