//! `readdress forward`: the work of the Lambda function, from the command line.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use readdress::arrival::{Event, Record, parse_event};
use readdress::config::Settings;
use readdress::connect::connect;
use readdress::deadline::Deadline;
use readdress::executor::block_on;
use readdress::forward::{Forwarder, Outcome};

use super::rewrite::StyleArguments;
use super::{Failure, Input, map};

/// Forward the messages named in an SES event; one JSON line for each outcome
#[derive(Args)]
pub(super) struct Arguments {
    /// The event [default: -, standard input]
    event: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingArguments,
}

/// The settings, as flags. Those that have none come from the environment.
#[derive(Args)]
pub(super) struct SettingArguments {
    /// Where the mail is stored: the name of an S3 bucket, or file:DIR
    #[arg(long, env = "EMAIL_BUCKET", value_name = "BUCKET")]
    email_bucket: Option<String>,
    /// The alias map: a file, s3://BUCKET/KEY or an SSM parameter (a path of them if it ends in /)
    #[arg(
        long,
        visible_alias = "alias-map",
        env = "ALIAS_MAP_PARAM",
        value_name = "MAP"
    )]
    alias_map_param: Option<String>,
    /// The key of reply addresses and signed aliases: an SSM parameter, or file:PATH
    #[arg(
        long,
        visible_alias = "alias-key",
        env = "ALIAS_KEY_PARAM",
        value_name = "KEY"
    )]
    alias_key_param: Option<String>,
    /// Where the mail goes: ses, or file:DIR [default: ses]
    #[arg(long, env = "OUTBOX")]
    outbox: Option<String>,
    /// The prefix of the message id in the bucket, such as inbound/
    #[arg(long, env = "EMAIL_PREFIX", value_name = "PREFIX")]
    email_prefix: Option<String>,
    /// The prefix of the record of what was sent, in the bucket or in the directory of --outbox file:DIR; off: no record
    /// [default: ledger/]
    #[arg(long, env = "LEDGER", value_name = "PREFIX")]
    ledger: Option<String>,
    /// The treatment of a message that may have been sent before, without a record of it: resend or hold [default: resend]
    #[arg(long, env = "ON_DOUBT", value_name = "WHAT")]
    on_doubt: Option<String>,
    /// The largest outgoing message: octets, or with a unit such as 10MB or 10MiB [default: 10MiB]
    #[arg(long, env = "MAX_SEND_BYTES", value_name = "SIZE")]
    max_send_bytes: Option<String>,
    /// SES's configuration set for outgoing mail
    #[arg(long, env = "CONFIGURATION_SET", value_name = "NAME")]
    configuration_set: Option<String>,
    /// Tags of outgoing mail: NAME=VALUE,NAME=VALUE
    #[arg(long, env = "EMAIL_TAGS", value_name = "TAGS")]
    email_tags: Option<String>,
    /// The verified address that gets the bounces of outgoing mail
    #[arg(long, env = "FEEDBACK_EMAIL", value_name = "ADDRESS")]
    feedback_email: Option<String>,
    /// Where SES's reports on what was sent come from: the ARNs of SNS topics, or eventbridge, with commas between them
    #[arg(long, env = "EVENTS_TOPIC", value_name = "ARN")]
    events_topic: Option<String>,
    /// How far a message is mended so that SES takes it: parts, header, off [default: parts]
    #[arg(long, env = "REPAIR", value_name = "HOW")]
    repair: Option<String>,
    #[command(flatten)]
    policy: PolicyArguments,
    #[command(flatten)]
    style: StyleArguments,
}

/// The largest event in octets: more than Lambda passes to a function (6 MB), and than a record of its failure holds.
pub(super) const MAX_EVENT: u64 = 8 << 20;

/// The choices that an alias can make for itself, but for those of the rewrite.
#[derive(Args)]
pub(super) struct PolicyArguments {
    /// Mail that SES takes for spam: forward, mark (in the subject) or hold [default: mark]
    #[arg(long, env = "ON_SPAM", value_name = "HOW")]
    on_spam: Option<String>,
    /// Mail in which SES has found a virus: forward, mark or hold [default: hold]
    #[arg(long, env = "ON_VIRUS", value_name = "HOW")]
    on_virus: Option<String>,
    /// Mail whose sender is not proven: obey (as the sender's domain asks), forward, mark or hold [default: obey]
    #[arg(long, env = "ON_DMARC", value_name = "HOW")]
    on_dmarc: Option<String>,
    /// The recipients of notices about mail that was held, bounced or refused: targets, an address, or off [default: targets]
    #[arg(long, env = "NOTIFY", value_name = "WHOM")]
    notify: Option<String>,
}

impl PolicyArguments {
    pub(super) fn setting(&self, name: &str) -> Option<String> {
        match name {
            "ON_SPAM" => self.on_spam.clone(),
            "ON_VIRUS" => self.on_virus.clone(),
            "ON_DMARC" => self.on_dmarc.clone(),
            "NOTIFY" => self.notify.clone(),
            _ => None,
        }
    }
}

impl SettingArguments {
    pub(super) fn setting(&self, name: &str) -> Option<String> {
        match name {
            "EMAIL_BUCKET" => self.email_bucket.clone(),
            "ALIAS_MAP_PARAM" => self.alias_map_param.as_deref().map(map::setting),
            "ALIAS_KEY_PARAM" => self.alias_key_param.clone(),
            "OUTBOX" => self.outbox.clone(),
            "EMAIL_PREFIX" => self.email_prefix.clone(),
            "LEDGER" => self.ledger.clone(),
            "ON_DOUBT" => self.on_doubt.clone(),
            "MAX_SEND_BYTES" => self.max_send_bytes.clone(),
            "CONFIGURATION_SET" => self.configuration_set.clone(),
            "EMAIL_TAGS" => self.email_tags.clone(),
            "REPAIR" => self.repair.clone(),
            "FEEDBACK_EMAIL" => self.feedback_email.clone(),
            "EVENTS_TOPIC" => self.events_topic.clone(),
            // They are the function's alone: a mistake in them is none here.
            "ALIAS_MAP_TTL" | "METRICS_NAMESPACE" => None,
            name => self.policy.setting(name).or_else(|| self.style.setting(name)),
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let settings = Settings::read(&|name| arguments.settings.setting(name))?;
    let (payload, name) = Input::open(arguments.event.as_ref())?.read_all(MAX_EVENT)?;
    block_on(async {
        let forwarder = connect(&settings).await?.hashing_bodies();
        // Read ahead: a mistake in the map is not a matter of a single message.
        forwarder.read_aliases().await?;
        if payload.trim_ascii().is_empty() {
            return Err(Failure::Failed(format!(
                "{name} is empty: give an event, such as readdress event writes"
            )));
        }
        let records = parse_event(&payload).map_err(|error| Failure::failed(&name, error))?;
        forward(&forwarder, records, &name).await
    })
}

async fn forward(forwarder: &Forwarder, records: Vec<Record>, event: &str) -> Result<ExitCode, Failure> {
    let (mut settled, mut count) = (true, 0);
    let mut written = Ok(());
    for record in records {
        let outcomes = match record.event {
            Ok(Event::Arrival(arrival)) => forwarder.forward(&arrival, Deadline::NEVER).await,
            Ok(Event::Report(report)) => forwarder.report(&report, Deadline::NEVER).await.outcomes,
            Err(error) => vec![Outcome::of_bad_record(error.message_id(), error.to_string())],
        };
        for outcome in outcomes {
            settled &= outcome.is_settled();
            count += 1;
            // The mail is forwarded even if the outcomes are not read any more.
            let line = serde_json::to_string(&outcome).map_err(io::Error::from);
            written = written.and(line.and_then(|line| writeln!(io::stdout(), "{line}")));
        }
    }
    written.map_err(|error| Failure::failed("not every outcome could be written", error))?;
    if count == 0 {
        eprintln!(
            "readdress: {event}: it tells of no mail (it is a trial of SES or S3, or about the ledger): nothing to do"
        );
    }
    Ok(if settled {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches, Parser};

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        settings: SettingArguments,
    }

    /// Catches a flag that the help has and nobody reads.
    #[test]
    fn each_flag_is_a_setting() {
        let mut count = 0;
        for argument in Flags::command().get_arguments() {
            let (Some(flag), Some(name)) = (argument.get_long(), argument.get_env()) else {
                continue;
            };
            let given = ["readdress".to_owned(), format!("--{flag}=file:some-value")];
            let matches = Flags::command().try_get_matches_from(given).unwrap();
            let flags = Flags::from_arg_matches(&matches).unwrap();
            let setting = flags.settings.setting(name.to_str().unwrap());
            assert_eq!(setting.as_deref(), Some("file:some-value"), "--{flag}");
            count += 1;
        }
        assert!(count > 15, "{count}");
    }
}
