//! The life of a mail with a fault in it: the first try, Lambda's repetitions, the queue, and what its owner does about it.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::fault::{Fault, Kind, Span};
use super::gate::{Act, Latch, Plan};
use super::step::{Step, Way};
use super::support::http::Stage;
use super::support::runtime_api::Reply;
use super::world::{KEY_TEXT, Process, World, map};
use super::{ID, KEY, MAP, OTHER, TARGET};

/// Lambda gives an event to the function so often.
const TRIES: usize = 3;

/// How long a request is waited for that is to be held.
const PATIENCE: Duration = Duration::from_secs(30);

/// The answer that comes late comes after this time.
const LATE: Duration = Duration::from_secs(1);

/// One cell of the matrix.
#[derive(Clone, Debug)]
pub struct Cell {
    pub way: Way,
    pub step: Step,
    pub fault: Fault,
    pub span: Span,
}

/// When the mail, or the notice, was with its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Try(usize),
    /// By `readdress redrive`.
    Redrive,
    /// By the same, after the owner has set `ON_DOUBT=resend`.
    Order,
    /// The owner's map does not want it.
    Never,
}

/// What became of the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub when: When,
    /// The cause with which its event came into the queue.
    pub queued: Option<String>,
    pub copies: usize,
}

/// A request to the ledger is given up after five seconds: whoever is to wait for less is not held for longer than this.
const HELD: Duration = Duration::from_secs(4);

/// The machine is too slow: the fault was not reached in the time of the invocation, or a request was held for too long.
#[derive(Debug)]
pub struct NotReached;

/// A mail on its way.
struct Life<'a> {
    cell: &'a Cell,
    world: World,
    when: Option<When>,
    /// How many copies there were when the ledger first said that it was sent.
    recorded: Option<usize>,
    /// Sends stop 3.75 seconds before the end of this time, where it is to be over.
    time: Duration,
}

/// Lives the life of a mail with this fault.
///
/// # Errors
/// If the fault was not met.
///
/// # Panics
/// If a law is broken.
pub fn live(cell: &Cell, time: Duration) -> Result<Verdict, NotReached> {
    let mut life = Life {
        cell,
        world: World::start(cell.way),
        when: None,
        recorded: None,
        time,
    };
    if let Kind::Clock { is_ahead } = cell.fault.kind {
        let hour = Duration::from_hours(1);
        if is_ahead {
            life.world.s3.set_ahead(hour);
        } else {
            life.world.s3.set_behind(hour);
        }
    }
    let queued = life.tries()?;
    if let Some((cause, error)) = &queued {
        assert!(!cause.is_empty() && !error["errorMessage"].as_str().unwrap_or_default().is_empty());
        life.redrive(error);
    }
    life.once_more();
    let copies = life.copies();
    if cell.way == Way::Notice {
        life.release();
    }
    let when = life.when.unwrap_or(When::Never);
    let queued = queued.map(|(cause, _)| cause);
    let verdict = Verdict { when, queued, copies };
    life.judge(&verdict);
    Ok(verdict)
}

impl Life<'_> {
    /// The first try and the repetitions. Returns the failure with which the event goes to the queue, if it does.
    fn tries(&mut self) -> Result<Option<(String, Value)>, NotReached> {
        let mut failed = None;
        for n in 1..=TRIES {
            let is_struck = n == 1 || self.cell.span == Span::All;
            failed = self.attempt(is_struck)?;
            let is_met = self.world.gate.hits() > 0 || matches!(self.cell.fault.kind, Kind::Text(_));
            // In a later try nothing may be left to be done.
            if is_struck && !is_met && (n == 1 || failed.is_some()) {
                return Err(NotReached);
            }
            self.look(When::Try(n));
            if failed.is_none() {
                return Ok(None);
            }
            self.world.pass_a_minute();
        }
        self.world.gate.begin(None);
        Ok(failed)
    }

    fn is_on_hold(&self) -> bool {
        self.cell.span == Span::FirstOnHold
    }

    fn on_doubt(&self) -> &'static str {
        if self.is_on_hold() { "hold" } else { "resend" }
    }

    /// One invocation; two, where two processes have the event at once. Returns how it failed.
    fn attempt(&self, is_struck: bool) -> Result<Option<(String, Value)>, NotReached> {
        let process = self.world.process(self.on_doubt());
        let is_two = matches!(self.cell.fault.kind, Kind::Two(_)) && is_struck;
        let other = is_two.then(|| self.world.process(self.on_doubt()));
        let event = self.world.event();
        self.put_texts(is_struck);
        if !is_struck {
            self.world.gate.begin(None);
            return Ok(failure(&process, process.invoke(&event)));
        }
        let latch = Arc::new(Latch::default());
        self.world.gate.begin(self.plan(&process, &latch));
        if let Some(other) = other {
            let (first, second, held) = thread::scope(|scope| {
                let first = scope.spawn(|| failure(&process, process.invoke(&event)));
                latch.wait(PATIENCE);
                let start = Instant::now();
                let second = failure(&other, other.invoke(&event));
                latch.open();
                let held = start.elapsed();
                (first.join().expect("the first process"), second, held)
            });
            return if held < HELD {
                Ok(first.or(second))
            } else {
                Err(NotReached)
            };
        }
        let reply = if let Kind::Over(_) = self.cell.fault.kind {
            let reply = process.invoke_within(&event, self.time);
            latch.open();
            reply
        } else {
            process.invoke(&event)
        };
        Ok(failure(&process, reply))
    }

    /// Puts the parameters that the fault says, or the right ones.
    fn put_texts(&self, is_struck: bool) {
        if let Kind::Text(text) = &self.cell.fault.kind {
            let (name, right) = if self.cell.step == Step::Map {
                (MAP, map())
            } else {
                (KEY, KEY_TEXT.to_owned())
            };
            self.world.ssm.put(name, if is_struck { text } else { &right });
        }
    }

    fn plan(&self, process: &Process, latch: &Arc<Latch>) -> Option<Plan> {
        let Cell {
            step,
            ref fault,
            span,
            ..
        } = *self.cell;
        let cut = || io::Error::other("the connection is given up");
        let mut plan = Plan {
            step,
            stage: Stage::Arrived,
            method: None,
            is_once: span == Span::Once,
            spoils: true,
            act: Arc::new(|| Ok(())),
        };
        let (s3, ses, ssm) = (&self.world.s3, &self.world.ses, &self.world.ssm);
        let (s3, ses, ssm) = (Arc::clone(s3), Arc::clone(ses), Arc::clone(ssm));
        match fault.kind.clone() {
            Kind::Text(_) => return None,
            Kind::Ssm(fault) => plan.act = does(move || ssm.script([fault.clone()])),
            Kind::Get(fault) => plan.act = does(move || s3.script([fault.clone()])),
            Kind::Put(fault) => {
                plan.method = Some("PUT");
                plan.act = does(move || s3.script_puts([fault.clone()]));
            }
            Kind::Ses(fault) => {
                plan.stage = Stage::Begun;
                plan.act = does(move || ses.script([fault.clone()]));
            }
            Kind::Late => {
                plan.spoils = false;
                plan.act = does(|| thread::sleep(LATE));
            }
            Kind::Killed(_) | Kind::Clock { .. } => {
                if let Kind::Killed(stage) = fault.kind {
                    plan.stage = stage;
                }
                let process = process.clone();
                plan.act = Arc::new(move || {
                    process.kill();
                    Err(cut())
                });
            }
            Kind::Over(stage) => {
                let latch = Arc::clone(latch);
                plan.stage = stage;
                plan.act = Arc::new(move || {
                    latch.hold();
                    Err(cut())
                });
            }
            Kind::Two(stage) => {
                let latch = Arc::clone(latch);
                (plan.stage, plan.is_once, plan.spoils) = (stage, true, false);
                plan.act = does(move || latch.hold());
            }
        }
        Some(plan)
    }

    /// Works off the queue as its owner does.
    fn redrive(&mut self, error: &Value) {
        self.world.sqs.send(&json!({
            "version": "1.0", "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": TRIES},
            "requestPayload": self.world.event(), "responsePayload": error,
        }));
        let url = self.world.sqs.url();
        let redrive = ["redrive", "--queue", &url];
        let (code, text) = self.world.command(&redrive, self.on_doubt());
        if code == 0 {
            self.look(When::Redrive);
        } else {
            assert!(self.is_on_hold() && text.contains("ON_DOUBT"), "{text}");
            assert_eq!(self.world.sqs.queued().len(), 1, "{text}");
            // The owner looks whether the target has it.
            let is_there = self.copies() > 0;
            if is_there {
                let (code, text) = self.world.command(&["settle", ID], "hold");
                assert!(code == 0 && text.contains("settled"), "{text}");
            }
            let on_doubt = if is_there { "hold" } else { "resend" };
            let (code, text) = self.world.command(&redrive, on_doubt);
            assert_eq!(code, 0, "{text}");
            self.look(When::Order);
        }
        assert!(self.world.sqs.queued().is_empty(), "{text}");
    }

    /// Lambda may give an event to the function again although it ended well.
    fn once_more(&mut self) {
        self.world.pass_a_minute();
        self.world.gate.begin(None);
        let process = self.world.process(self.on_doubt());
        let mut failed = failure(&process, process.invoke(&self.world.event()));
        if self.is_on_hold() && failed.is_some() {
            // Its send was never recorded.
            assert_eq!(failed.map(|(cause, _)| cause).as_deref(), Some("ambiguous"));
            let (code, text) = self.world.command(&["settle", ID], "hold");
            assert_eq!(code, 0, "{text}");
            failed = failure(&process, process.invoke(&self.world.event()));
        }
        assert_eq!(failed, None);
        self.check_record();
    }

    /// The held mail is to be had.
    fn release(&self) {
        let before = self.world.ses.messages().len();
        let (code, text) = self.world.command(&["release", ID], "resend");
        assert_eq!(code, 0, "{text}");
        assert_eq!(self.world.ses.messages().len(), before + 1, "{text}");
    }

    /// How often the target got it.
    fn copies(&self) -> usize {
        let messages = self.world.ses.messages();
        let to = |target: &str| messages.iter().filter(|message| message.to == [target]).count();
        assert_eq!(to(TARGET) + to(OTHER), messages.len(), "somebody else got it");
        to(TARGET).max(to(OTHER))
    }

    /// Looks whether the target has got it, and whether that is recorded.
    fn look(&mut self, now: When) {
        let copies = self.copies();
        if copies > 0 {
            self.when.get_or_insert(now);
        }
        self.check_record();
        let is_recorded = self.world.page().is_some_and(|page| {
            let is_full = |name: &str| page[name].as_array().is_some_and(|list| !list.is_empty());
            is_full("sent") || is_full("told")
        });
        if is_recorded {
            self.recorded.get_or_insert(copies);
        }
    }

    /// Nobody gets again what is recorded.
    fn check_record(&self) {
        if let Some(recorded) = self.recorded {
            assert_eq!(
                self.copies(),
                recorded,
                "it was sent again although that was recorded"
            );
        }
    }

    /// Holds the end of it to the laws.
    fn judge(&self, verdict: &Verdict) {
        let Cell { step, ref fault, .. } = *self.cell;
        if verdict.when == When::Never {
            assert!(matches!(fault.kind, Kind::Text(_)), "it is lost");
            return;
        }
        assert!(verdict.copies > 0, "it is lost");
        let is_in_window = matches!(step, Step::Send | Step::Record) && !self.is_on_hold();
        assert!(verdict.copies == 1 || is_in_window, "{} copies", verdict.copies);
        let page = self.world.page().expect("a page of the ledger");
        assert!(page.get("claim").is_none(), "nobody ends the claim: {page}");
        let ends = page["outcomes"].as_object().expect("outcomes");
        assert!(ends.values().all(|end| end["outcome"] == "sent"), "{page}");
    }
}

/// An act after which the request goes on.
fn does(act: impl Fn() + Send + Sync + 'static) -> Act {
    Arc::new(move || {
        act();
        Ok(())
    })
}

/// How an invocation failed: its cause, and what Lambda has of it.
fn failure(process: &Process, reply: Reply) -> Option<(String, Value)> {
    match reply {
        Reply::Ok(_) => None,
        Reply::Err(error) if error["errorType"] == "Runtime.ExitError" => Some(("killed".to_owned(), error)),
        Reply::Err(error) => Some((process.cause().unwrap_or_default(), error)),
    }
}
