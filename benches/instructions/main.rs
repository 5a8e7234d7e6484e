//! Instructions instead of time: the same at every run but for hash tables (2 %), so that a check can hold a change to
//! them.
//!
//! ```sh
//! cargo bench --no-default-features --bench instructions               # check, in about a minute
//! cargo bench --no-default-features --bench instructions -- --renew    # write the baseline anew
//! ```
//!
//! Two checks, by valgrind's callgrind. No case of a fixed set may take 5 % more instructions than
//! `baseline.txt` says; what takes less is told, so that the baseline can be renewed. And the work on no shape of
//! input, hostile ones included, may grow faster than its size.
//!
//! The code that runs depends on the compiler, the C library and what the processor can do, so the baseline names
//! them. On another machine its check is skipped, and without valgrind both are. To compare two commits on any machine, renew
//! at the older one and check at the newer one: `--renew FILE` and `--against FILE` name another baseline.

#[path = "../common/mod.rs"]
mod common;

mod cases;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use cases::{FIXED, GROWING};
use common::fields::{FIELDS, Work};

/// Growth of a case that fails the check, in percent: more than another layout of the code makes of the same source.
const TOLERANCE: u64 = 5;

/// How much larger each of three inputs is than the one before, and the exponent of growth that fails.
const FACTOR: u32 = 4;
const MAX_EXPONENT: f64 = 1.05;

/// Octets for an instruction: where one more costs less, nothing looks at them, and what is counted is by chance.
const UNSEEN: u64 = 16;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let committed = || PathBuf::from("benches/instructions/baseline.txt");
    match &args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--run", set, name, octets] => run(set, name, octets.parse().expect("a number")),
        // `cargo test --benches` calls it without `--bench`.
        _ if env::args().all(|arg| arg != "--bench") => ExitCode::SUCCESS,
        _ if Command::new("valgrind").arg("--version").output().is_err() => {
            println!("instructions: skipped, there is no valgrind here");
            ExitCode::SUCCESS
        }
        ["--renew"] => renew(&committed()),
        ["--renew", file] => renew(Path::new(file)),
        [] => check(&committed(), "  NOT IN THE BASELINE"),
        // The older commit need not have every case.
        ["--against", file] => check(Path::new(file), "  new"),
        _ => {
            eprintln!("instructions: --renew [FILE], --against FILE, or nothing");
            ExitCode::from(2)
        }
    }
}

/// In a process of its own under callgrind, so that no case knows what another has left in memory.
fn run(set: &str, name: &str, octets: usize) -> ExitCode {
    let set: &[_] = if set == "fixed" { &FIXED } else { &GROWING };
    let of_a_message = set.iter().find(|(known, ..)| *known == name);
    let of_a_field = || FIELDS.iter().find(|(known, _)| *known == name).expect("a case").1();
    let mut work = of_a_message.map_or_else(of_a_field, |(_, ready, _)| ready(octets));
    // What happens at the first call only, such as the binding of symbols, is no part of the work.
    work();
    measured(&mut work);
    ExitCode::SUCCESS
}

/// The only function whose instructions are counted.
#[inline(never)]
fn measured(work: &mut Work) {
    work();
}

fn count(set: &str, name: &str, octets: usize) -> u64 {
    let told = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--toggle-collect=*instructions*measured*",
        ])
        .arg(env::current_exe().expect("a path"))
        .args(["--run", set, name, &octets.to_string()])
        .output()
        .expect("valgrind");
    let told = String::from_utf8_lossy(&told.stderr);
    let collected = told.lines().find_map(|line| line.split_once("Collected :"));
    let collected = collected.and_then(|(_, number)| number.trim().parse().ok());
    collected
        .filter(|&number| number > 0)
        .unwrap_or_else(|| panic!("nothing was counted:\n{told}"))
}

/// What decides which instructions run, beside the source.
fn machine() -> String {
    let told = |program: &str, arg| {
        let output = Command::new(program).arg(arg).output();
        let output = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        output.unwrap_or_else(|_| format!("no {program}"))
    };
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    #[cfg(target_arch = "x86_64")]
    let vectors = if is_x86_feature_detected!("avx2") {
        "avx2"
    } else {
        "no avx2"
    };
    #[cfg(not(target_arch = "x86_64"))]
    let vectors = "";
    format!(
        "{}, {}, {}, {} {vectors}",
        told(&rustc, "-V"),
        told("getconf", "GNU_LIBC_VERSION"),
        told("valgrind", "--version"),
        env::consts::ARCH
    )
}

/// Names and octets of the cases with a baseline.
fn fixed() -> impl Iterator<Item = (&'static str, usize)> {
    let messages = FIXED.into_iter().map(|(name, _, octets)| (name, octets));
    messages.chain(FIELDS.into_iter().map(|(name, _)| (name, 0)))
}

fn renew(baseline: &Path) -> ExitCode {
    let mut text = format!("{}\n", machine());
    for (name, octets) in fixed() {
        let line = format!("{:>12} {name}\n", count("fixed", name, octets));
        print!("{line}");
        text += &line;
    }
    fs::write(baseline, text).expect("to write the baseline");
    ExitCode::SUCCESS
}

/// `unknown`: what is said of a case that the baseline does not have; in capitals it fails the check.
fn check(baseline: &Path, unknown: &str) -> ExitCode {
    // Both, whatever the first gives.
    let checks = [against(baseline, unknown), growth()];
    if checks.contains(&false) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn against(baseline: &Path, unknown: &str) -> bool {
    let text = fs::read_to_string(baseline).expect("to read the baseline");
    let mut lines = text.lines();
    let (there, here) = (lines.next().unwrap_or_default(), machine());
    if there != here {
        println!("instructions: the baseline is skipped. It is of\n  {there}\nand this is\n  {here}");
        return true;
    }
    let baseline: HashMap<&str, u64> = lines
        .filter_map(|line| line.trim().split_once(' '))
        .filter_map(|(number, name)| Some((name, number.parse().ok()?)))
        .collect();
    let (mut good, mut less) = (true, false);
    for (name, octets) in fixed() {
        let now = count("fixed", name, octets);
        let verdict = match baseline.get(name) {
            None => unknown,
            Some(then) if now * 100 > then * (100 + TOLERANCE) => "  MORE",
            Some(then) if now * 100 < then * (100 - TOLERANCE) => "  less",
            Some(_) => "",
        };
        let then = baseline.get(name).copied().unwrap_or_default();
        println!("{now:>12} was {then:>12}  {name}{verdict}");
        good &= !verdict.ends_with(|c: char| c.is_uppercase());
        less |= verdict.ends_with("less");
    }
    if !good {
        println!("instructions: more than {TOLERANCE} % above the baseline; if that is meant, renew it");
    } else if less {
        println!("instructions: renew the baseline, so that what was won is kept");
    }
    good
}

fn growth() -> bool {
    let mut good = true;
    for (name, _, octets) in GROWING {
        let sizes = [1, FACTOR, FACTOR * FACTOR].map(|times| octets * times as usize);
        let [small, medium, large] = sizes.map(|octets| count("growing", name, octets));
        // By what each step adds, so that what is the same for all of them does not hide it.
        let (first, second) = (medium.saturating_sub(small), large.saturating_sub(medium));
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let exponent = (second as f64 / first.max(1) as f64).log(f64::from(FACTOR));
        let is_seen = second * UNSEEN > (sizes[2] - sizes[1]) as u64;
        let linear = !is_seen || exponent <= MAX_EXPONENT;
        let verdict = if linear { "" } else { "  SUPERLINEAR" };
        println!("{small:>10} + {first:>10} + {second:>10}  n^{exponent:.2}  {name}{verdict}");
        good &= linear;
    }
    good
}
