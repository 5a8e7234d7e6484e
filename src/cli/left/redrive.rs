//! `readdress redrive`: all that is not done, tried again.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;

use readdress::arrival::{Arrival, MessageId, Order};
use readdress::aws::QueueMessage;
use readdress::executor::block_on;
use readdress::ledger::{ClaimState, Entry, RecordedEnding};

use super::super::Failure;
use super::super::forward::SettingArguments;
use super::Ledger;
use super::concurrent::{Task, in_order};
use super::dead_letters::{Contents, DeadLetter, DeadLetters};
use super::moment::Since;
use super::progress::Progress;
use super::undone::{UNFINISHED, arrival_for, is_undone, is_unfinished, outcome};
use super::worker::{Worker, WorkerArguments};

/// Messages that are forwarded at once: as many as a small account of SES sends in a second, and a function has instances for.
pub(super) const AT_ONCE: usize = 4;

/// Forward all mail that the ledger, or a queue of failed events, says is not done; exit code 1 if some still is not
///
/// It may be ended at any moment and run again: a target that has the message does not get it again.
#[derive(Args)]
pub(in super::super) struct Arguments {
    /// Of the ledger, only mail that ended within this time, such as 12h or 7d, or since a day such as 2026-01-31
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// From the ledger, only mail with these outcomes, even if somebody was told of it [default: all that is not done]
    #[arg(long, value_name = "OUTCOME", value_delimiter = ',', value_parser = outcome)]
    outcome: Vec<String>,
    /// First the events in this queue, the function's on-failure destination; a message is deleted once its mail is settled
    #[arg(long, value_name = "URL")]
    queue: Option<String>,
    /// List what would be tried, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    worker: WorkerArguments,
    #[command(flatten, next_help_heading = "Settings")]
    settings: SettingArguments,
}

/// What is being done, and how it goes.
struct Redrive<'a> {
    arguments: &'a Arguments,
    ledger: Ledger,
    /// `None`: nothing is done.
    worker: Option<Worker>,
    done: usize,
    left: usize,
    /// The messages that the queue had. They are not tried twice.
    tried: BTreeSet<MessageId>,
}

pub(in super::super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    block_on(async {
        let mut redrive = Redrive {
            arguments,
            ledger: Ledger::open(&arguments.settings).await?,
            worker: if arguments.dry_run {
                None
            } else {
                Some(Worker::connect(&arguments.worker, &arguments.settings).await?)
            },
            done: 0,
            left: 0,
            tried: BTreeSet::new(),
        };
        if let Some(url) = &arguments.queue {
            let mut letters = DeadLetters::connect(url).await?;
            let worked = redrive.queue(&mut letters).await;
            letters.give_back().await;
            worked?;
        }
        let unreadable = redrive.ledger().await?;
        let Redrive { done, left, .. } = redrive;
        let verb = if arguments.dry_run { "to be done" } else { "done" };
        let still = if arguments.dry_run {
            "not understood"
        } else {
            "not done"
        };
        eprintln!("{done} {verb}, {left} {still}, {unreadable} unreadable records in the ledger");
        Ok(if left + unreadable == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    })
}

impl Redrive<'_> {
    /// Works off the queue. Messages that are not done come again only when they are given back.
    async fn queue(&mut self, letters: &mut DeadLetters) -> Result<(), Failure> {
        let mut progress = Progress::new(0);
        loop {
            let some = letters.next().await?;
            if some.is_empty() {
                return Ok(());
            }
            for DeadLetter { message, contents } in some {
                let worked = match contents {
                    Ok(Contents::Arrivals(arrivals)) => self.work(&arrivals, &mut progress).await?,
                    Ok(Contents::Report(event)) => {
                        let passed_on = match &self.worker {
                            Some(worker) => worker.pass_on(&event).await.map(|()| "done"),
                            None => Ok("would be tried"),
                        };
                        self.count(&progress, &message, passed_on)?
                    }
                    Err(reason) => self.count(&progress, &message, Err(reason))?,
                };
                if self.worker.is_none() || !worked {
                    letters.keep(message);
                } else if let Err(error) = letters.delete(message).await {
                    eprintln!("readdress: {error}");
                }
            }
        }
    }

    /// Counts a message of the queue, and says what became of it.
    fn count(
        &mut self,
        progress: &Progress,
        message: &QueueMessage,
        worked: Result<&str, String>,
    ) -> Result<bool, Failure> {
        let what = format!("queue {}", message.id);
        match worked {
            Ok(said) => {
                self.done += 1;
                say(progress, &what, said)?;
                Ok(true)
            }
            Err(reason) => {
                self.left += 1;
                say(progress, &what, &format!("not done: {reason}"))?;
                Ok(false)
            }
        }
    }

    /// Works off the ledger, and returns how many of its pages cannot be read.
    async fn ledger(&mut self) -> Result<usize, Failure> {
        let mut ids = Vec::new();
        let mut entries = self.ledger.entries();
        while let Some(some) = entries.next().await? {
            let chosen = some.into_iter().filter(|entry| self.is_chosen(entry));
            let left = chosen.filter(|entry| !self.tried.contains(&entry.message_id));
            ids.extend(left.map(|entry| entry.message_id));
        }
        let unreadable = entries.unreadable;
        let mut progress = Progress::new(if self.worker.is_some() { ids.len() } else { 0 });
        for some in ids.chunks(super::SOME) {
            let mut arrivals = Vec::with_capacity(some.len());
            for id in some {
                // Read again: somebody may have done it meanwhile.
                match self.ledger.pages.entry(id).await {
                    Ok(Some(entry)) if self.is_chosen(&entry) => arrivals.push(self.arrival(&entry)),
                    _ => progress.step(true),
                }
            }
            self.work(&arrivals, &mut progress).await?;
        }
        progress.clear();
        Ok(unreadable)
    }

    /// Has arrivals forwarded. Returns whether all are settled.
    async fn work(&mut self, arrivals: &[Arrival], progress: &mut Progress) -> Result<bool, Failure> {
        let by = self.worker.as_ref();
        let tasks = arrivals.iter().map(|arrival| -> Task<'_, _> {
            Box::pin(async move {
                let worked = match by {
                    Some(worker) => worker.forward(arrival).await.map(|()| "done"),
                    None => Ok("would be tried"),
                };
                (&arrival.message_id, worked)
            })
        });
        let (mut done, mut left) = (0, 0);
        let tried = &mut self.tried;
        in_order(AT_ONCE, tasks, |(id, worked)| {
            tried.insert(id.clone());
            progress.step(worked.is_ok());
            match worked {
                Ok(said) => {
                    done += 1;
                    say(progress, id.as_str(), said)
                }
                Err(reason) => {
                    left += 1;
                    say(progress, id.as_str(), &format!("not done: {reason}"))
                }
            }
        })
        .await?;
        self.done += done;
        self.left += left;
        Ok(left == 0)
    }

    fn is_chosen(&self, entry: &Entry) -> bool {
        if entry.claim == Some(ClaimState::Alive) {
            return false;
        }
        let is_unfinished = is_unfinished(entry)
            && (self.arguments.outcome.is_empty()
                || self.arguments.outcome.iter().any(|text| text == UNFINISHED))
            && self
                .arguments
                .since
                .is_none_or(|since| since.has(entry.written_at));
        is_unfinished || entry.endings.values().any(|ending| self.is_ending_chosen(ending))
    }

    fn is_ending_chosen(&self, ending: &RecordedEnding) -> bool {
        let is_chosen = if self.arguments.outcome.is_empty() {
            is_undone(ending)
        } else {
            self.arguments.outcome.contains(&ending.outcome)
        };
        is_chosen && self.arguments.since.is_none_or(|since| since.has(ending.at))
    }

    fn arrival(&self, entry: &Entry) -> Arrival {
        if is_unfinished(entry) {
            return entry
                .arrival
                .clone()
                .into_arrival(entry.message_id.clone(), Order::Forward);
        }
        arrival_for(entry, Order::Forward, |ending| self.is_ending_chosen(ending))
    }
}

fn say(progress: &Progress, what: &str, said: &str) -> Result<(), Failure> {
    progress.clear();
    writeln!(io::stdout(), "{what}  {said}").map_err(|error| Failure::output(&error))
}
