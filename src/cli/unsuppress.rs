//! `readdress unsuppress`: a target whose mailbox is mended gets mail again.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;

use readdress::aws::{Suppressed, SuppressionList};
use readdress::connect::suppression_list;
use readdress::executor::block_on;
use readdress::header::mailbox::Address;

use super::Failure;

/// Take targets off the suppression list of the AWS account, where a bounce has put them
///
/// After a bounce SES sends nothing more to an address, from any program of the account. Run this once the mailbox is
/// mended. It needs credentials that may do ses:GetSuppressedDestination and ses:DeleteSuppressedDestination, and the region
/// that mail is sent from.
#[derive(Args)]
pub(super) struct Arguments {
    /// The targets
    #[arg(required = true)]
    targets: Vec<Address>,
}

const COMPLAINT: &str = "somebody there has reported a message as spam, so it is left on the list: mail to it would count against your \
     account again. Ask there first; whoever wants the mail can be taken off the list in the console of SES";

const OTHER: &str = "it is on the list for a reason that this program does not know, and is left there";

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    block_on(async {
        let list = suppression_list().await;
        let list = list.map_err(|error| Failure::failed("unsuppress", error))?;
        let mut is_done = true;
        for target in &arguments.targets {
            match unsuppress(&list, target).await {
                Ok(said) => {
                    let written = writeln!(io::stdout(), "{target}: {said}");
                    written.map_err(|error| Failure::output(&error))?;
                }
                Err(error) => {
                    is_done = false;
                    eprintln!("readdress: {target}: {error}");
                }
            }
        }
        Ok(if is_done {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    })
}

async fn unsuppress(list: &SuppressionList, target: &Address) -> Result<&'static str, String> {
    // As mail is sent to it.
    let address = target.to_string();
    match list.look_up(&address).await? {
        None => Ok("it is not on the list"),
        Some(Suppressed::Complaint) => Err(COMPLAINT.to_owned()),
        Some(Suppressed::Other) => Err(OTHER.to_owned()),
        Some(Suppressed::Bounce) => {
            list.remove(&address).await?;
            Ok("it is taken off the list, and gets mail again")
        }
    }
}
