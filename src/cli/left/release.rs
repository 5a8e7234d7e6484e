//! `readdress release`: mail that was held, forwarded after all.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;

use readdress::arrival::{MessageId, Order};
use readdress::executor::block_on;
use readdress::ledger::{Entry, RecordedEnding};

use super::super::Failure;
use super::super::forward::SettingArguments;
use super::Ledger;
use super::concurrent::{Task, in_order};
use super::redrive::AT_ONCE;
use super::undone::{arrival_for, described, is_unfinished};
use super::worker::{Worker, WorkerArguments};

/// Forward mail that is held; its verdicts are noted in it, and no longer hold it
///
/// Mail with a virus stays held, since SES does not send it: readdress show writes it.
// Settings that come from the environment would stand in it as if they were required.
#[derive(Args)]
#[command(override_usage = "readdress release [OPTIONS] <ID>...")]
pub(in super::super) struct Arguments {
    /// The ids of the messages, as readdress held lists them
    #[arg(required = true, value_name = "ID")]
    ids: Vec<MessageId>,
    #[command(flatten)]
    worker: WorkerArguments,
    #[command(flatten, next_help_heading = "Settings")]
    settings: SettingArguments,
}

pub(in super::super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    block_on(async {
        let ledger = Ledger::open(&arguments.settings).await?;
        let worker = Worker::connect(&arguments.worker, &arguments.settings).await?;
        let (ledger, worker) = (&ledger, &worker);
        let ids = arguments.ids.iter();
        let releases =
            ids.map(|id| -> Task<'_, _> { Box::pin(async move { (id, release(ledger, worker, id).await) }) });
        let mut left = 0;
        in_order(AT_ONCE, releases, |(id, released)| {
            let said = match &released {
                Ok(said) => said,
                Err(said) => {
                    left += 1;
                    said
                }
            };
            writeln!(io::stdout(), "{id}  {said}").map_err(|error| Failure::output(&error))
        })
        .await?;
        Ok(if left == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    })
}

/// Says what became of a message; as an error, where it is still to be done.
async fn release(ledger: &Ledger, worker: &Worker, id: &MessageId) -> Result<String, String> {
    let entry = ledger.pages.entry(id).await.map_err(|error| error.to_string())?;
    let Some(entry) = entry else {
        return Err(
            "the ledger has no message with this id (OUTBOX, EMAIL_BUCKET, LEDGER): readdress held lists those that are held"
                .to_owned(),
        );
    };
    let held = reasons(&entry);
    if held.is_empty() && is_unfinished(&entry) {
        // Perhaps it was about to be held: that was not recorded.
        return Err(
            "an invocation ended without a record of it; readdress redrive tries it again".to_owned(),
        );
    }
    if held.is_empty() {
        let mut outcomes: Vec<String> = entry.endings.values().map(described).collect();
        outcomes.dedup();
        return Ok(format!("not held: {}", outcomes.join("; ")));
    }
    let arrival = arrival_for(&entry, Order::Release, is_held);
    worker.forward(&arrival).await?;
    // Somebody may have been told that it is held still, with which an invocation ends well.
    match ledger.pages.entry(id).await {
        Ok(Some(entry)) if !reasons(&entry).is_empty() => {
            Err(format!("still held ({})", reasons(&entry).join(", ")))
        }
        _ => Ok("released".to_owned()),
    }
}

fn is_held(ending: &RecordedEnding) -> bool {
    ending.outcome == "held"
}

/// Why it is held, for those recipients for whom it is.
fn reasons(entry: &Entry) -> Vec<String> {
    let held = entry.endings.values().filter(|ending| is_held(ending));
    let mut reasons: Vec<String> = held
        .map(|ending| ending.reason.clone().unwrap_or_default())
        .collect();
    reasons.sort();
    reasons.dedup();
    reasons
}
