//! Many mails of all shapes through the function's own process, between stand-ins that fail by chance: each mail is accounted
//! for, none goes out twice but where it may, the ledger says what SES has seen, and the memory does not grow.
//!
//! `cargo test` runs two hundred. The long run is a command:
//!
//! ```sh
//! READDRESS_SOAK=50000 cargo test --release --test soak -- --nocapture
//! ```
//!
//! `READDRESS_SOAK_SEED` gives other mails and faults; the number is printed.
#![cfg(feature = "aws")]

#[path = "soak/books.rs"]
mod books;
#[path = "soak/faults.rs"]
mod faults;
#[path = "soak/lane.rs"]
mod lane;
#[path = "soak/mails.rs"]
mod mails;
#[path = "soak/random.rs"]
mod random;
mod support;

use std::thread;
use std::time::Instant;

use books::Books;
use lane::Lane;

/// Mails of the short run.
const SHORT: usize = 200;

/// Functions at work, each between stand-ins of its own. Every other one is killed now and then; the memory of the rest is
/// measured.
const LANES: usize = 4;

/// Mails in a lane from which on its memory is judged: in fewer, the buffers of the first large mails are all of the slope.
const ENOUGH: usize = 2_000;

/// How many percent more the memory may be in the last quarter than in the second: the median of one, of samples after each tenth mail,
/// against that of the other. A hundred octets lost with each of 12,500 mails are 5 % of 12 MB.
const GROWTH_PERCENT: u64 = 5;

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is not a number: {text}")),
    )
}

#[test]
fn all_is_accounted_for() {
    let count = setting("READDRESS_SOAK").map_or(SHORT, |count| usize::try_from(count).unwrap());
    let seed = setting("READDRESS_SOAK_SEED").unwrap_or(1);
    println!("READDRESS_SOAK_SEED={seed}");
    let started = Instant::now();
    let lanes: Vec<_> = (0..LANES)
        .map(|n| {
            let mails = count / LANES + usize::from(n < count % LANES);
            thread::spawn(move || Lane::new(n, seed, n % 2 == 1).run(mails))
        })
        .collect();
    let books: Vec<Books> = lanes
        .into_iter()
        .map(|lane| {
            lane.join()
                .unwrap_or_else(|_| panic!("again with READDRESS_SOAK_SEED={seed}"))
        })
        .collect();
    let mut all = Books::default();
    for lane in books {
        let quarters = lane.quarters();
        println!(
            "memory by quarters: {quarters:?} KiB{}",
            if lane.kills > 0 { " (restarted)" } else { "" }
        );
        if lane.kills == 0 && lane.mails >= ENOUGH {
            let most = quarters[1] * (100 + GROWTH_PERCENT) / 100;
            assert!(quarters[3] <= most, "the memory has grown: {quarters:?} KiB");
        }
        all.add(&lane);
    }
    println!("{all}\n{:.0?}", started.elapsed());
    assert_eq!(all.mails, count);
    assert_eq!(
        all.delivered + all.told + all.unwanted + all.queued,
        all.recipients
    );
    // Catches a run in which nothing happens.
    assert!(
        all.delivered > all.recipients / 2 && all.told > 0 && all.unwanted > 0 && all.faults > count / 50
    );
}
