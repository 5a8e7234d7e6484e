//! `readdress forward`: what the Lambda function does, from the command line.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use readdress::alias::{AliasMap, Severity};
use readdress::bucket::Bucket;
use readdress::config::{self, Defaults};
use readdress::event;
use readdress::executor::block_on;
use readdress::forward::{Forwarder, Outcome};
use readdress::outbox::Outbox;

use super::rewrite::Options;
use super::{Failure, Input};

/// Forward the messages that an SES event tells of; one JSON line for each outcome
#[derive(Args)]
pub(super) struct Arguments {
    /// Where the mail lies: file:DIR
    #[arg(long, env = "EMAIL_BUCKET", value_name = "BUCKET", value_parser = config::bucket)]
    email_bucket: Bucket,
    /// Who forwards where: file:PATH of the alias map
    #[arg(long, visible_alias = "alias-map", env = "ALIAS_MAP_PARAM", value_name = "MAP", value_parser = config::alias_map)]
    alias_map_param: PathBuf,
    /// Where the mail goes: file:DIR
    #[arg(long, env = "OUTBOX", value_parser = config::outbox)]
    outbox: Outbox,
    /// What precedes the message id in the bucket, such as inbound/
    #[arg(long, env = "EMAIL_PREFIX", value_name = "PREFIX", default_value = "", value_parser = config::email_prefix)]
    email_prefix: String,
    /// Octets that an outgoing message may have
    #[arg(long, env = "MAX_SEND_BYTES", value_name = "OCTETS", default_value_t = config::DEFAULT_MAX_SEND_BYTES)]
    max_send_bytes: u64,
    #[command(flatten)]
    options: Options,
    /// The event; standard input if there is none or it is -
    event: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let options = &arguments.options;
    let forwarder = Forwarder {
        bucket: arguments.email_bucket.clone(),
        prefix: arguments.email_prefix.clone(),
        outbox: arguments.outbox.clone(),
        max_send_bytes: arguments.max_send_bytes,
        defaults: Defaults {
            from_format: options.from_format,
            from_email: options.from_email.clone(),
            to_header: options.to_header,
            subject_prefix: options.subject_prefix.clone(),
        },
    };
    let aliases = read_aliases(&arguments.alias_map_param)?;
    let (payload, name) = Input::open(arguments.event.as_ref())?.read_all()?;
    let records = event::parse(&payload).map_err(|error| Failure::failed(name, error))?;
    let mut settled = true;
    let mut told = Ok(());
    for record in records {
        let outcomes = match record.arrival {
            Ok(arrival) => block_on(forwarder.forward(&arrival, &aliases, None)),
            Err(error) => vec![Outcome::of_bad_record(error.message_id(), error.to_string())],
        };
        for outcome in outcomes {
            settled &= outcome.outcome.is_settled();
            // Whoever reads the outcomes may go; the mail is forwarded all the same.
            let line = serde_json::to_string(&outcome).map_err(io::Error::from);
            told = told.and(line.and_then(|line| writeln!(io::stdout(), "{line}")));
        }
    }
    told.map_err(|error| Failure::failed("not every outcome could be written", error))?;
    Ok(if settled {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Reads an alias map and warns of what is wrong with single entries: they must not stop the others.
pub(super) fn read_aliases(path: &PathBuf) -> Result<AliasMap, Failure> {
    let name = path.display();
    let json = std::fs::read(path).map_err(|error| Failure::failed(format!("alias map {name}"), error))?;
    let aliases =
        AliasMap::parse(&json).map_err(|error| Failure::failed(format!("alias map {name}"), error))?;
    let broken = aliases
        .problems()
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .count();
    if broken > 0 && aliases.entries().all(|(_, entry)| entry.is_err()) {
        return Err(Failure::Failed(format!(
            "no entry of the alias map {name} can be used; is it another file?"
        )));
    }
    if aliases.is_empty() {
        tracing::warn!("the alias map {name} is empty: no mail is forwarded");
    }
    if broken > 0 {
        tracing::warn!(
            "{broken} entries of the alias map cannot be used; see: readdress aliases check {name}"
        );
    }
    Ok(aliases)
}
