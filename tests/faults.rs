//! The matrix of faults: at each step of the pipeline everything goes wrong once, and the mail is not lost.
//!
//! `READDRESS_FAULTS=all` runs all of it, `READDRESS_FAULTS=write` writes docs/faults.md from it, `READDRESS_FAULTS='6 |'` runs the
//! cells whose names contain that, and `READDRESS_FAULTS='write 6 |'` writes those alone anew.
#![cfg(all(feature = "aws", feature = "cli"))]

#[path = "faults/fault.rs"]
mod fault;
#[path = "faults/gate.rs"]
mod gate;
#[path = "faults/life.rs"]
mod life;
#[path = "faults/step.rs"]
mod step;
mod support;
#[path = "faults/table.rs"]
mod table;
#[path = "faults/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use life::{Cell, live};
use step::{Step, Way};
use support::lock;
use support::runtime_api::Reply;
use world::World;

const BUCKET: &str = "mail";
const MAP: &str = "/readdress/aliases";
const KEY: &str = "/readdress/key";
/// As SES writes them.
const ID: &str = "m3k8d1v6t9q2x5c7b4n0h8j1l6p3r5s2w7z9f401";
const ALIAS: &str = "shop@example.com";
const TARGET: &str = "jane@example.net";
const OTHER: &str = "omar@example.net";

/// Cells that are run at once. They mostly wait: for a pause between two requests, or for the end of a time.
const AT_ONCE: usize = 12;

/// The time of an invocation whose time is to be over. Sending stops 3.75 seconds before it, and that is before a silent ledger is
/// given up.
const TIME: Duration = Duration::from_millis(8_500);

/// How often a cell is tried for which the machine is too slow.
const TRIALS: u32 = 6;

/// A mail that is larger than what is kept of the first reading, so that it is read again as it is sent.
fn mail() -> Vec<u8> {
    let line = format!("{}\r\n", "a".repeat(74));
    [
        head("A long letter").into_bytes(),
        line.repeat(13_900).into_bytes(),
    ]
    .concat()
}

/// Another mail under the same key.
fn other_mail() -> Vec<u8> {
    let line = format!("{}\r\n", "b".repeat(74));
    [
        head("Another letter").into_bytes(),
        line.repeat(13_900).into_bytes(),
    ]
    .concat()
}

fn small_mail() -> Vec<u8> {
    (head("A short letter") + "Hello\r\n").into_bytes()
}

fn head(subject: &str) -> String {
    format!(
        "Received: from mx.example.org (mx.example.org [203.0.113.61])\r\n \
         by inbound-smtp.eu-west-1.amazonaws.com with SMTP id {ID}\r\n \
         for {ALIAS};\r\n Thu, 05 Mar 2026 08:30:12 +0000 (UTC)\r\n\
         From: Zoe <zoe@example.org>\r\nTo: {ALIAS}\r\nSubject: {subject}\r\n\
         Date: Thu, 5 Mar 2026 09:30:08 +0100\r\nMessage-ID: <1@example.org>\r\n\r\n"
    )
}

/// Catches a list of steps that is no longer that of the function.
#[test]
fn the_steps_are_the_requests_of_a_faultless_run() {
    for way in Way::ALL {
        let world = World::start(way);
        let process = world.process("resend");
        world.gate.begin(None);
        let reply = process.invoke(&world.event());
        assert!(matches!(reply, Reply::Ok(_)), "{reply:?}");
        assert_eq!(world.gate.seen(), way.steps(), "{way}");
        assert_eq!(world.ses.messages().len(), 1);
    }
}

#[test]
fn no_fault_loses_a_mail() {
    let asked = std::env::var("READDRESS_FAULTS").unwrap_or_default();
    let (is_written, part) = match asked.strip_prefix("write") {
        Some(part) => (true, part.trim()),
        None => (false, &*asked),
    };
    let is_asked = |cell: &Cell| match part {
        "" => is_written || cell.fault.is_of_short_run(cell.way, cell.step, cell.span),
        "all" => true,
        part => table::name(cell).contains(part),
    };
    let cells: Vec<Cell> = table::cells().into_iter().filter(is_asked).collect();
    assert!(!cells.is_empty(), "no cell has this in its name");
    let (verdicts, failed) = run(&cells, !asked.is_empty());
    let known = table::read(&std::fs::read_to_string(table::path()).unwrap_or_default());
    if is_written {
        let mut all = known.clone();
        all.extend(verdicts.clone());
        std::fs::write(table::path(), table::page(&all)).unwrap();
    }
    assert!(
        failed.is_empty(),
        "{} cells break a law:\n{}",
        failed.len(),
        failed.join("\n")
    );
    if is_written {
        return;
    }
    let is_other = |(name, text): &(&String, &String)| known.get(*name) != Some(*text);
    let differ = verdicts.iter().filter(is_other);
    let differ: Vec<String> = differ
        .map(|(name, text)| format!("{name}: {text}, and on the page: {:?}", known.get(name)))
        .collect();
    assert!(
        differ.is_empty(),
        "docs/faults.md differs:\n{}",
        differ.join("\n")
    );
}

/// Catches a page that was written by hand, or before its cells changed.
#[test]
fn the_page_has_all_cells_and_is_as_it_was_written() {
    let page = std::fs::read_to_string(table::path()).unwrap();
    let known = table::read(&page);
    let names: BTreeSet<String> = table::cells().iter().map(table::name).collect();
    assert_eq!(known.keys().cloned().collect::<BTreeSet<_>>(), names);
    assert!(
        page == table::page(&known),
        "the text around the tables is another"
    );
}

/// Runs cells, and returns their verdicts, and those that broke a law.
fn run(cells: &[Cell], is_long: bool) -> (BTreeMap<String, String>, Vec<String>) {
    let (verdicts, failed) = (Mutex::new(BTreeMap::new()), Mutex::new(Vec::new()));
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(cells.len()) {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Relaxed)) {
                    let name = table::name(cell);
                    match catch_unwind(AssertUnwindSafe(|| patiently(cell))) {
                        Ok(text) => {
                            if is_long {
                                // Not by a macro: what those print is shown at the end, if at all.
                                let _ = writeln!(io::stderr(), "{name}: {text}");
                            }
                            lock(&verdicts).insert(name, text);
                        }
                        Err(panic) => {
                            let text = panic.downcast_ref::<String>().cloned();
                            let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
                            lock(&failed).push(format!("{name}: {}", text.unwrap_or_default()));
                        }
                    }
                }
            });
        }
    });
    (
        std::mem::take(&mut *lock(&verdicts)),
        std::mem::take(&mut *lock(&failed)),
    )
}

/// Runs a cell, with more time where its fault does not come up. A ledger that is silent for five seconds is done without, so
/// there the time must not be longer than that.
fn patiently(cell: &Cell) -> String {
    let verdict = (0..TRIALS).find_map(|n| {
        let time = match cell.step {
            Step::Claim | Step::Count => TIME,
            // What is recorded has to be sent before.
            Step::Record => TIME * (n + 2),
            _ => TIME * (n + 1),
        };
        live(cell, time).ok()
    });
    verdict.expect("the fault comes up").text(cell.way)
}
