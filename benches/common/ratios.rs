//! A table of what criterion measured in this run, as ratios: they travel to other machines, times do not.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// The fastest sample of a bench: what else the machine does can only add to it.
struct Measured {
    name: String,
    nanoseconds: f64,
}

/// As criterion writes it: the time of each sample, and how many iterations it has.
#[derive(serde::Deserialize)]
struct Sample {
    iters: Vec<f64>,
    times: Vec<f64>,
}

/// A table for each group: times, also as multiples of that of `unit`. What was measured before `started` is
/// of another run and left out. `false`: nothing else was.
pub fn print(started: SystemTime, unit: &str, groups: &[&str]) -> bool {
    let mut any = false;
    for group in groups {
        // Where criterion puts it: beside the directory that cargo gives to benches.
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("criterion");
        let mut benches = measured(&directory.join(group), started);
        any |= !benches.is_empty();
        benches.sort_by(|a, b| a.nanoseconds.total_cmp(&b.nanoseconds));
        let Some(one) = benches.iter().find(|bench| bench.name == unit) else {
            continue;
        };
        println!("\n{group}, times of {unit}");
        for bench in &benches {
            let Measured { name, nanoseconds } = bench;
            println!(
                "{:12.2}  {name} ({:.3} us)",
                nanoseconds / one.nanoseconds,
                nanoseconds / 1000.0
            );
        }
    }
    any
}

fn measured(group: &Path, started: SystemTime) -> Vec<Measured> {
    let benches = fs::read_dir(group).into_iter().flatten().flatten();
    benches.filter_map(|bench| read(&bench.path(), started)).collect()
}

fn read(bench: &Path, started: SystemTime) -> Option<Measured> {
    let sample = bench.join("new/sample.json");
    if fs::metadata(&sample).ok()?.modified().ok()? < started {
        return None;
    }
    let sample: Sample = serde_json::from_slice(&fs::read(sample).ok()?).ok()?;
    let means = sample
        .times
        .iter()
        .zip(&sample.iters)
        .map(|(time, iterations)| time / iterations);
    Some(Measured {
        name: bench.file_name()?.to_str()?.to_owned(),
        nanoseconds: means.min_by(f64::total_cmp)?,
    })
}
