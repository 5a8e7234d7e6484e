//! Processes that die, and processes that have the same event.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::support::runtime_api::{Reply, RuntimeApi};
use super::support::ses;
use super::{BUCKET, ID, PATIENCE, PREFIX, Stands, TARGETS, function, message, ses_event};

/// Lambda gives an event to two processes at once, now and then. `READDRESS_EVENTS` says how many events are tried.
#[test]
fn of_two_processes_with_one_event_one_sends() {
    let asked = std::env::var("READDRESS_EVENTS").ok();
    let events: usize = asked.map_or(50, |asked| asked.parse().expect("a number"));
    let met = AtomicUsize::new(0);
    let (stands, other) = (Stands::start(), RuntimeApi::start());
    stands.s3.jitter(Duration::from_millis(1));
    let urls = [stands.s3.url(), stands.ses.url(), stands.ssm.url()];
    let [s3, ses, ssm] = urls.each_ref().map(String::as_str);
    let _one = stands.function(&[]);
    let _two = function(&other, [s3, ses, ssm], &[]);
    for n in 0..events {
        let id = format!("{ID}{n}");
        stands.s3.put(BUCKET, &format!("{PREFIX}{id}"), message(2_000));
        let event = ses_event(&id, &["shop@example.com"]);
        let invoke = |api: &RuntimeApi| {
            std::thread::sleep(Duration::from_micros(RandomState::new().hash_one(n) % 2_000));
            // Whoever comes second fails, and comes again.
            while let Reply::Err(error) = api.invoke(&event) {
                let text = error["errorMessage"].as_str().unwrap().to_owned();
                assert!(text.contains("another invocation is sending"), "{text}");
                met.fetch_add(1, Relaxed);
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| invoke(&stands.api));
            scope.spawn(|| invoke(&other));
        });
    }
    println!(
        "{events} events, {} attempts found the other's claim",
        met.into_inner()
    );
    assert_eq!(stands.ses.messages().len(), events);
}

/// The process is killed after SES has taken the first of two mails, and while it takes the second.
#[test]
fn what_a_process_sent_before_it_died_is_not_sent_again() {
    let stands = Stands::start();
    stands.put(ID, &message(2_000));
    let event = ses_event(ID, &["shop@example.com", "many@example.com"]);
    // The send for the second alias is never answered, nor is the invocation.
    let doomed = Arc::new(RuntimeApi::start());
    let urls = [stands.s3.url(), stands.ses.url(), stands.ssm.url()];
    let running = function(&doomed, urls.each_ref().map(String::as_str), &[]);
    stands
        .ses
        .script([ses::Fault::None, ses::Fault::Stall { after: 100 }]);
    let invoked = (Arc::clone(&doomed), event.clone());
    std::thread::spawn(move || invoked.0.invoke(&invoked.1));
    // The page says whom the first send has reached, and has the claim for the second.
    let has_both = || {
        let page = stands.s3.object(BUCKET, &format!("ledger/{ID}.json"));
        let page = String::from_utf8(page.unwrap_or_default()).unwrap();
        page.contains("\"claim\"") && page.contains("\"id\"")
    };
    let start = Instant::now();
    while !has_both() || stands.ses.script_left() > 0 {
        assert!(start.elapsed() < PATIENCE, "it does not come to the second");
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(running);

    let _running = stands.function(&[]);
    let error = stands.api.invoke(&event).unwrap_err();
    assert!(error.to_string().contains("another invocation"), "{error}");
    stands
        .s3
        .age(BUCKET, &format!("ledger/{ID}.json"), Duration::from_secs(51));
    stands.api.invoke(&event).unwrap();
    let sent = stands.ses.messages();
    let sizes: Vec<usize> = sent.iter().map(|message| message.to.len()).collect();
    assert_eq!(sizes, [TARGETS.len(), 50, 50, 20]);
}
