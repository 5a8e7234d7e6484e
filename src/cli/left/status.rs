//! `readdress status`: how much mail ended how, and what is not done.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use readdress::deadline::since_1970;
use readdress::executor::block_on;
use readdress::forward::Ending;
use readdress::ledger::{ClaimState, Entry};

use super::super::Failure;
use super::super::forward::SettingArguments;
use super::Ledger;
use super::moment::written;
use super::undone::{UNFINISHED, described, is_undone, is_unfinished};

/// Count what the ledger knows by outcome and age, and name the oldest mail that is not done; exit code 1 if there is any
#[derive(Args)]
pub(in super::super) struct Arguments {
    /// Write JSON
    #[arg(long)]
    json: bool,
    #[command(flatten, next_help_heading = "Settings")]
    settings: SettingArguments,
}

/// The upper ends of the bands of ages in seconds, and their names. The last has no end.
const BANDS: [(u64, &str); 4] = [
    (60 * 60, "1 hour"),
    (24 * 60 * 60, "1 day"),
    (7 * 24 * 60 * 60, "7 days"),
    (u64::MAX, "older"),
];

/// All that is counted.
#[derive(Default, Serialize)]
struct Status {
    messages: usize,
    /// By outcome; the ages are those of [`BANDS`].
    outcomes: BTreeMap<String, [usize; BANDS.len()]>,
    /// Recipients whose mail is not done, and messages without an end.
    undone: usize,
    oldest_undone: Option<Oldest>,
    /// Messages that are being sent now.
    in_progress: usize,
    unreadable: usize,
}

#[derive(Serialize)]
struct Oldest {
    message_id: String,
    outcome: String,
    at: u64,
}

pub(in super::super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let now = since_1970().as_secs();
    let mut status = Status::default();
    status.unreadable = block_on(async {
        let ledger = Ledger::open(&arguments.settings).await?;
        let mut entries = ledger.entries();
        while let Some(some) = entries.next().await? {
            for entry in &some {
                status.count(entry, now);
            }
        }
        Ok::<_, Failure>(entries.unreadable)
    })?;
    let written = if arguments.json {
        serde_json::to_writer(io::stdout(), &status)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(io::stdout()))
    } else {
        status.write(&mut io::stdout(), now)
    };
    written.map_err(|error| Failure::output(&error))?;
    Ok(if status.undone + status.unreadable == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Status {
    fn count(&mut self, entry: &Entry, now: u64) {
        self.messages += 1;
        for ending in entry.endings.values() {
            self.count_one(&ending.outcome, ending.at, now);
            if is_undone(ending) {
                self.undone(entry, described(ending), ending.at);
            }
        }
        if is_unfinished(entry) {
            self.count_one(UNFINISHED, entry.written_at, now);
            self.undone(entry, UNFINISHED.to_owned(), entry.written_at);
        }
        if entry.claim == Some(ClaimState::Alive) {
            self.in_progress += 1;
        }
    }

    fn count_one(&mut self, outcome: &str, at: u64, now: u64) {
        let age = now.saturating_sub(at);
        let band = BANDS.iter().position(|(end, _)| age < *end);
        let counts = self.outcomes.entry(outcome.to_owned()).or_default();
        counts[band.unwrap_or(BANDS.len() - 1)] += 1;
    }

    fn undone(&mut self, entry: &Entry, outcome: String, at: u64) {
        self.undone += 1;
        if self.oldest_undone.as_ref().is_none_or(|oldest| at < oldest.at) {
            self.oldest_undone = Some(Oldest {
                message_id: entry.message_id.to_string(),
                outcome,
                at,
            });
        }
    }

    fn write(&self, output: &mut impl Write, now: u64) -> io::Result<()> {
        write!(output, "{:12}", "")?;
        for (_, name) in BANDS {
            write!(output, "{name:>10}")?;
        }
        writeln!(output)?;
        let known: Vec<&str> = Ending::ALL.iter().map(|ending| ending.as_str()).collect();
        let of = |name: &&str| known.iter().position(|known| known == name);
        let mut names: Vec<&str> = self.outcomes.keys().map(String::as_str).collect();
        names.sort_by_key(|name| of(name).unwrap_or(usize::MAX));
        for name in names {
            write!(output, "{name:12}")?;
            for count in self.outcomes[name] {
                write!(output, "{count:>10}")?;
            }
            writeln!(output)?;
        }
        writeln!(
            output,
            "messages: {}, in progress: {}, unreadable records: {}",
            self.messages, self.in_progress, self.unreadable
        )?;
        match &self.oldest_undone {
            None => writeln!(output, "not done: 0"),
            Some(oldest) => {
                let hours = now.saturating_sub(oldest.at) / 3600;
                writeln!(
                    output,
                    "not done: {}, the oldest {} since {} ({hours} h), {}",
                    self.undone,
                    oldest.message_id,
                    written(oldest.at),
                    oldest.outcome
                )
            }
        }
    }
}
