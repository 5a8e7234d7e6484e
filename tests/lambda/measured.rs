//! What it costs: memory, time. What ships is held to it:
//! `cargo build --profile dist --bin bootstrap` and
//! `READDRESS_BOOTSTRAP=target/dist/bootstrap cargo test --test lambda measured -- --nocapture`.

use std::hint::black_box;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::support::bootstrap::user_cpu_of_thread;
use super::{SEND_ALL, Stands, TARGETS, assert_same, body_of, message};

/// KiB that a mail of 40 MB may take.
const MAX_PEAK: u64 = 16_000_000 >> 10;
/// KiB that it may take more than one of 1 MB.
const MAX_GROWTH: u64 = 3_000_000 >> 10;
/// From the start of the program to its first poll.
const MAX_INIT: Duration = Duration::from_millis(25);
/// User CPU, in terms of hashing the same request once.
const MAX_CPU: f64 = 2.2;
/// The same where a part of 40 MB is recoded, which takes a third reading.
const MAX_RECODED_CPU: f64 = 3.5;
/// Mails in a row: /proc counts in hundredths of a second.
const ROUNDS: u32 = 8;
/// How often mails and hashes are measured, by turns. The least ratio counts: what else a machine does falls on one of the two
/// sooner than on both, and not on every turn.
const TURNS: u32 = 3;
const FORTY: usize = 40_000_000;
const ONE: usize = 1_000_000;

/// Is the program held to the limits? One that is built for debugging is not.
fn is_held(what: &str) -> bool {
    let held = std::env::var_os("READDRESS_BOOTSTRAP").is_some() || !cfg!(debug_assertions);
    if !held {
        eprintln!("{what}: not asserted of a debug build; see the head of this file");
    }
    held
}

/// KiB at most, for one mail in a process of its own.
fn peak(message: &[u8], assert_landed: impl FnOnce(&Stands)) -> u64 {
    let stands = Stands::start();
    let running = stands.function(&[SEND_ALL]);
    stands.deliver(message).unwrap();
    assert_landed(&stands);
    running.peak_rss_kib()
}

/// KiB at most, for one mail of this size that goes out as it came.
fn sealed_peak(octets: usize) -> u64 {
    let message = message(octets);
    peak(&message, |stands| stands.assert_landed(&message, &TARGETS))
}

/// A message with a part of so many octets in one line: SES takes it recoded only.
fn unbroken(part_header: &str, octets: usize) -> Vec<u8> {
    let text = message(octets / 74 * 76);
    let body = body_of(&text);
    let header = text[..text.len() - body.len()].strip_suffix(b"\r\n").unwrap();
    let start = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{part_header}\r\n");
    let digits: Vec<u8> = body.iter().copied().filter(u8::is_ascii_digit).collect();
    [header, start.as_bytes(), &digits, b"\r\n--b--\r\n"].concat()
}

const BASE64: &str = "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n";
const TEXT: &str = "Content-Type: text/plain\r\n";

/// KiB at most, for one mail with a part of so many octets that is recoded.
fn recoded_peak(part_header: &str, octets: usize) -> u64 {
    let message = unbroken(part_header, octets);
    peak(&message, |stands| {
        // The stand-in has found no line of over 998 octets; soft line breaks aside, the content is the same.
        let sent = stands.ses.messages().remove(0);
        let digits = |message: &[u8]| -> Vec<u8> {
            body_of(message)
                .iter()
                .copied()
                .filter(u8::is_ascii_digit)
                .collect()
        };
        assert_same(&digits(&sent.raw), &digits(&message));
    })
}

#[test]
fn memory_is_flat() {
    let sizes = [ONE, FORTY];
    let peaks = [
        ("as it came", sizes.map(sealed_peak)),
        ("base64 broken", sizes.map(|octets| recoded_peak(BASE64, octets))),
        ("quoted-printable", sizes.map(|octets| recoded_peak(TEXT, octets))),
    ];
    for (form, [small, large]) in peaks {
        println!("peak RSS: {small} KiB for 1 MB, {large} KiB for 40 MB, {form}");
        // However it is built.
        assert!(
            large.saturating_sub(small) <= MAX_GROWTH,
            "{small} KiB, {large} KiB, {form}"
        );
        if is_held("peak RSS") {
            assert!(large <= MAX_PEAK, "{large} KiB, {form}");
        }
    }
}

#[test]
fn init_is_short() {
    let times: Vec<Duration> = (0..10)
        .map(|_| {
            let stands = Stands::start();
            let running = stands.function(&[]);
            stands.api.wait_for_poll(super::PATIENCE) - running.started()
        })
        .collect();
    println!("init: {times:?}");
    // The shortest: what else the machine does is not in it.
    if is_held("init") {
        assert!(times.iter().min().unwrap() <= &MAX_INIT, "{times:?}");
    }
}

/// User CPU of a forward, in terms of hashing its request once: the least of some turns.
fn times_of_the_hash(message: &[u8], rounds: u32, turns: u32) -> f64 {
    let stands = Stands::start();
    let running = stands.function(&[SEND_ALL]);
    stands.deliver(&super::message(1_000)).unwrap();
    let mut least = f64::INFINITY;
    for _ in 0..turns {
        let before = running.user_cpu();
        for _ in 0..rounds {
            stands.deliver(message).unwrap();
            stands.ses.take_messages();
        }
        let forward = running.user_cpu().saturating_sub(before) / rounds;

        let octets = stands.ses.attempts().last().unwrap().bytes_read;
        let body = vec![b'Q'; usize::try_from(octets).unwrap()];
        let before = user_cpu_of_thread();
        for _ in 0..rounds {
            black_box(Sha256::digest(black_box(&body)));
        }
        let hash = user_cpu_of_thread().saturating_sub(before) / rounds;
        println!("user CPU: {forward:?}, {hash:?} for the hash of the request of {octets} octets");
        least = least.min(forward.as_secs_f64() / hash.as_secs_f64());
    }
    least
}

#[test]
fn cpu_time_is_near_that_of_the_hash() {
    let held = is_held("user CPU");
    let (turns, rounds, octets) = if held { (TURNS, ROUNDS, FORTY) } else { (1, 1, ONE) };
    for (form, message, limit) in [
        ("as it came", message(octets), MAX_CPU),
        ("base64 broken", unbroken(BASE64, octets), MAX_RECODED_CPU),
        ("quoted-printable", unbroken(TEXT, octets), MAX_RECODED_CPU),
    ] {
        let times = times_of_the_hash(&message, rounds, turns);
        println!("{times:.2} times the hash, {form}");
        assert!(!held || times <= limit, "{times:.2}, {form}");
    }
}

/// Mails in a row, of which each alone is too short to be measured.
const SMALL_MAILS: u32 = 300;
/// User CPU of a warm forward with a ledger, in terms of one without: two signed requests beside the two that there are. Most
/// of a small mail's CPU time is the SDK's, which makes and signs them. 1.4 to 1.9 times were measured; the bound leaves room
/// for a busy machine.
const MAX_LEDGER: f64 = 3.0;

/// User CPU of a warm forward with a key, in terms of one without: a signature and the reply addresses.
const MAX_KEY: f64 = 1.25;

/// User CPU of a small mail in a process that has had one.
fn warm(settings: &[(&str, &str)]) -> Duration {
    let stands = Stands::start();
    stands
        .ssm
        .put("/readdress/key", "MdtECwg2GAle0VL6/vt3xS3XxGDpOWujjf8tkaZb+38=");
    let running = stands.function(settings);
    let message = message(10_000);
    stands.deliver(&message).unwrap();
    let before = running.user_cpu();
    for _ in 0..SMALL_MAILS {
        stands.deliver(&message).unwrap();
    }
    running.user_cpu().saturating_sub(before) / SMALL_MAILS
}

#[test]
fn a_key_costs_next_to_nothing() {
    // By turns, so that what else the machine does falls on both.
    let [mut without, mut with] = [Duration::ZERO; 2];
    for _ in 0..3 {
        without += warm(&[]);
        with += warm(&[("ALIAS_KEY_PARAM", "/readdress/key")]);
    }
    let times = with.as_secs_f64() / without.as_secs_f64();
    println!(
        "user CPU of three warm forwards: {without:?} without a key, {with:?} with one, {times:.2} times"
    );
    if is_held("the key's part") {
        assert!(times <= MAX_KEY, "{times:.2}");
    }
}

#[test]
fn the_ledger_costs_less_than_the_forward() {
    let (off, on) = (warm(&[("LEDGER", "off")]), warm(&[]));
    let times = on.as_secs_f64() / off.as_secs_f64();
    println!("user CPU of a warm forward: {off:?} without a ledger, {on:?} with one, {times:.2} times");
    if is_held("the ledger's part") {
        assert!(times <= MAX_LEDGER, "{times:.2}");
    }
}

/// What the plot of `benches/peers` draws of the function.
#[test]
#[ignore = "prints lines for benches/peers/run --lambda, and asserts nothing"]
fn memory_over_size() {
    for octets in [10_000, 100_000, 1_000_000, 10_000_000, FORTY] {
        println!("\n{octets}\t{}", sealed_peak(octets));
    }
}
