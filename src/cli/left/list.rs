//! `readdress list` and `readdress held`: which mail ended how.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use readdress::arrival::Order;
use readdress::executor::block_on;
use readdress::ledger::{Entry, RecordedEnding};

use super::super::Failure;
use super::super::forward::SettingArguments;
use super::concurrent::{Task, in_order};
use super::facts::Facts;
use super::moment::{Since, written};
use super::undone::{UNFINISHED, described, is_unfinished, outcome};
use super::{Ledger, READS};

/// List mail by its outcome: when, for whom, how large, who wrote, about what
#[derive(Args)]
pub(in super::super) struct Arguments {
    /// Only mail with one of these outcomes, such as held, failed, too_large, or unfinished for a send without a record
    #[arg(long, value_name = "OUTCOME", value_delimiter = ',', value_parser = outcome)]
    outcome: Vec<String>,
    #[command(flatten)]
    held: HeldArguments,
}

/// List the mail that is held: when, for whom, why, how large, who wrote, about what
#[derive(Args)]
pub(in super::super) struct HeldArguments {
    /// Only mail that ended so within this time, such as 12h or 7d, or since a day such as 2026-01-31
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Write a line of JSON for each
    #[arg(long)]
    json: bool,
    #[command(flatten, next_help_heading = "Settings")]
    settings: SettingArguments,
}

/// A message, and one of its recipients.
#[derive(Serialize)]
struct Row<'a> {
    message_id: &'a str,
    alias: Option<&'a str>,
    #[serde(flatten)]
    ending: &'a RecordedEnding,
    #[serde(flatten)]
    facts: Option<&'a Facts>,
    /// Why the mail cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

pub(in super::super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    list(&arguments.outcome, &arguments.held)
}

pub(in super::super) fn run_held(arguments: &HeldArguments) -> Result<ExitCode, Failure> {
    list(&["held".to_owned()], arguments)
}

fn list(outcomes: &[String], arguments: &HeldArguments) -> Result<ExitCode, Failure> {
    let is_listed = |ending: &RecordedEnding| {
        let is_chosen = outcomes.is_empty() || outcomes.contains(&ending.outcome);
        is_chosen && arguments.since.is_none_or(|since| since.has(ending.at))
    };
    block_on(async {
        let ledger = Ledger::open(&arguments.settings).await?;
        let mut entries = ledger.entries();
        while let Some(some) = entries.next().await? {
            let found = some.into_iter().map(|entry| Found {
                endings: endings(&entry, &is_listed),
                entry,
            });
            let found: Vec<Found> = found.filter(|found| !found.endings.is_empty()).collect();
            write_some(&ledger, &found, arguments.json).await?;
        }
        Ok(if entries.unreadable == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    })
}

/// A message that is listed, and why.
struct Found {
    entry: Entry,
    endings: Vec<(Option<String>, RecordedEnding)>,
}

fn endings(
    entry: &Entry,
    is_listed: &dyn Fn(&RecordedEnding) -> bool,
) -> Vec<(Option<String>, RecordedEnding)> {
    let ended = entry.endings.iter();
    let mut endings: Vec<_> = ended
        .map(|(recipient, ending)| (Some(recipient.clone()), ending.clone()))
        .collect();
    if is_unfinished(entry) {
        let unfinished = RecordedEnding {
            outcome: UNFINISHED.to_owned(),
            reason: None,
            cause: None,
            told: false,
            at: entry.written_at,
        };
        endings.push((None, unfinished));
    }
    endings.retain(|(_, ending)| is_listed(ending));
    endings
}

async fn write_some(ledger: &Ledger, some: &[Found], json: bool) -> Result<(), Failure> {
    let reads = some.iter().map(|found| -> Task<'_, _> {
        let arrival = found.entry.arrival.clone();
        let arrival = arrival.into_arrival(found.entry.message_id.clone(), Order::Forward);
        Box::pin(async move { (found, Facts::read(&ledger.inbox, &arrival).await) })
    });
    in_order(READS, reads, |(found, facts)| {
        for (alias, ending) in &found.endings {
            let row = Row {
                message_id: found.entry.message_id.as_str(),
                alias: alias.as_deref(),
                ending,
                facts: facts.as_ref().ok(),
                error: facts.as_ref().err().map(String::as_str),
            };
            row.write(&mut io::stdout(), json)
                .map_err(|error| Failure::output(&error))?;
        }
        Ok(())
    })
    .await
}

impl Row<'_> {
    fn write(&self, output: &mut impl Write, json: bool) -> io::Result<()> {
        if json {
            let line = serde_json::to_string(self)?;
            return writeln!(output, "{line}");
        }
        let size = self
            .facts
            .map_or(String::new(), |facts| format!("  {} octets", facts.bytes));
        let alias = self.alias.unwrap_or_default().escape_debug();
        writeln!(
            output,
            "{}  {}  {}{size}  {alias}",
            self.message_id,
            written(self.ending.at),
            described(self.ending),
        )?;
        match (self.facts, self.error) {
            (Some(facts), _) => writeln!(output, "    {}: {}", facts.from, facts.subject),
            (None, error) => writeln!(output, "    {}", error.unwrap_or_default()),
        }
    }
}
