//! Whoever forwards what is left: the function, or this process.

use clap::Args;
use serde_json::Value;

use readdress::arrival::{Arrival, event_of};
use readdress::aws::{Clients, Function};
use readdress::config::{BucketPlace, Places, Settings};
use readdress::connect::connect;
use readdress::deadline::Deadline;
use readdress::forward::{Forwarder, Outcome};

use super::super::Failure;
use super::super::forward::SettingArguments;

/// Who does the work.
#[derive(Args)]
pub(super) struct WorkerArguments {
    /// Have it done by this function: its name or ARN
    #[arg(long, env = "READDRESS_FUNCTION", value_name = "NAME")]
    function: Option<String>,
    /// Do it here, as readdress forward does. Mail of a file: bucket is always forwarded here
    #[arg(long)]
    here: bool,
}

pub(super) enum Worker {
    Here(Box<Forwarder>),
    Function(Function),
}

impl Worker {
    pub(super) async fn connect(
        worker: &WorkerArguments,
        settings: &SettingArguments,
    ) -> Result<Self, Failure> {
        let lookup = |name: &str| settings.setting(name);
        let is_local = matches!(Places::read(&lookup)?.email_bucket, BucketPlace::Directory(_));
        if worker.here || is_local {
            let forwarder = connect(&Settings::read(&lookup)?).await?;
            // A mistake in the map is not a matter of a single message.
            forwarder.read_aliases().await?;
            return Ok(Worker::Here(Box::new(forwarder)));
        }
        let Some(name) = &worker.function else {
            return Err(Failure::Usage(
                "say who forwards the mail: --function NAME, or --here with the function's settings"
                    .to_owned(),
            ));
        };
        let function = Clients::default().function(name).await;
        Ok(Worker::Function(function.map_err(Failure::Usage)?))
    }

    /// Passes on an event that is not about an arrival alone.
    ///
    /// # Errors
    /// Why it is still not done.
    pub(super) async fn pass_on(&self, event: &Value) -> Result<(), String> {
        match self {
            Worker::Function(function) => function.invoke(event).await,
            Worker::Here(_) => Err(
                "it has a report of SES on a message that was sent; only the function takes it: --function NAME"
                    .to_owned(),
            ),
        }
    }

    /// Has an arrival forwarded.
    ///
    /// # Errors
    /// What is still not done, and why.
    pub(super) async fn forward(&self, arrival: &Arrival) -> Result<(), String> {
        let forwarder = match self {
            Worker::Function(function) => return function.invoke(&event_of(arrival)).await,
            Worker::Here(forwarder) => forwarder,
        };
        let outcomes = forwarder.forward(arrival, Deadline::NEVER).await;
        if outcomes.is_empty() {
            return Err("it is an object of the ledger, not a mail".to_owned());
        }
        let left: Vec<String> = outcomes
            .iter()
            .filter(|outcome| !outcome.is_settled())
            .map(reason)
            .collect();
        if left.is_empty() {
            Ok(())
        } else {
            Err(left.join("; "))
        }
    }
}

fn reason(outcome: &Outcome) -> String {
    let ending = outcome.ending.as_str();
    match (&outcome.reason, &outcome.error) {
        (Some(reason), _) => format!("{ending} ({reason})"),
        (None, Some(error)) => format!("{ending}: {error}"),
        (None, None) => ending.to_owned(),
    }
}
