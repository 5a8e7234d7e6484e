//! `readdress settle`: mail that may have been sent, and has been found at its target.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;

use readdress::arrival::MessageId;
use readdress::executor::block_on;
use readdress::header::mailbox::Address;

use super::super::Failure;
use super::super::forward::SettingArguments;
use super::Ledger;

/// Record that mail which may have been sent has arrived, so that it is not sent again
///
/// This is for mail with the cause "ambiguous", or "unfinished", that its owner has found in the target's mailbox. Mail that is not
/// there is sent by readdress redrive --here --on-doubt resend.
// Settings that come from the environment would stand in it as if they were required.
#[derive(Args)]
#[command(override_usage = "readdress settle [OPTIONS] <ID>...")]
pub(in super::super) struct Arguments {
    /// The ids of the messages, as readdress list has them
    #[arg(required = true, value_name = "ID")]
    ids: Vec<MessageId>,
    /// Only for this target; may be given several times [default: all to whom it may have been sent]
    #[arg(long, value_name = "ADDRESS")]
    target: Vec<Address>,
    #[command(flatten, next_help_heading = "Settings")]
    settings: SettingArguments,
}

pub(in super::super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let only = Some(&arguments.target[..]).filter(|targets| !targets.is_empty());
    block_on(async {
        let ledger = Ledger::open(&arguments.settings).await?;
        let mut code = ExitCode::SUCCESS;
        for id in &arguments.ids {
            let said = match ledger.pages.settle(id, only).await {
                Ok(0) if only.is_some() => {
                    code = ExitCode::FAILURE;
                    "none of these targets is in doubt".to_owned()
                }
                Ok(0) => "not in doubt".to_owned(),
                Ok(1) => "settled for 1 target".to_owned(),
                Ok(targets) => format!("settled for {targets} targets"),
                Err(error) => {
                    code = ExitCode::FAILURE;
                    error.to_string()
                }
            };
            let written = writeln!(io::stdout(), "{id}  {said}");
            written.map_err(|error| Failure::output(&error))?;
        }
        Ok(code)
    })
}
