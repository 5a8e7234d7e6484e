//! `readdress reply-address`: the address for a first mail to somebody.

use std::io::{self, Write};
use std::process::ExitCode;

use readdress::header::mailbox::Address;

use super::Failure;
use super::key::KeyArguments;

/// Print the address at which a mail from a target of an alias goes out to somebody as the alias
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    key: KeyArguments,
    /// The alias
    alias: Address,
    /// Whom to write to
    correspondent: Address,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Arguments {
        key,
        alias,
        correspondent,
    } = arguments;
    let Some(address) = key.required()?.reply_address(alias, correspondent) else {
        return Err(Failure::Failed(format!(
            "{correspondent} does not fit into an address of {alias}: with it the part before the @ would be longer than 64 \
             octets, or not one that mail programs take; a shorter alias may do"
        )));
    };
    writeln!(io::stdout(), "{address}").map_err(|error| Failure::output(&error))?;
    Ok(ExitCode::SUCCESS)
}
