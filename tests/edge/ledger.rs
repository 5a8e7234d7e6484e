//! What was sent is known to every process.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use readdress::arrival::{Arrival, parse_event};
use readdress::deadline::Deadline;
use readdress::executor::block_on;
use readdress::forward::{Ending, Forwarder, Outcome};
use readdress::outbox::Cause;

use super::support::s3::PutFault;
use super::support::ses;
use super::{Edge, arrival, message};

const PAGE: &str = "ledger/m1.json";
const HOLD: [(&str, &str); 1] = [("ON_DOUBT", "hold")];
/// Longer than a claim lives.
const DEAD: Duration = Duration::from_secs(51);

fn shop() -> Arrival {
    arrival(&["shop@example.com".to_owned()])
}

fn forward(forwarder: &Forwarder, arrival: &Arrival) -> Outcome {
    block_on(forwarder.forward(arrival, Deadline::NEVER)).remove(0)
}

fn requests(edge: &Edge) -> Vec<String> {
    let requests = edge.s3.of_ledger().into_iter();
    requests
        .map(|(method, status)| format!("{method} {status}"))
        .collect()
}

fn page(edge: &Edge) -> Value {
    serde_json::from_slice(&edge.s3.object("mail", PAGE).unwrap()).unwrap()
}

/// Stores a claim of another process, for these targets.
fn put_claim(edge: &Edge, token: &str) {
    let target = super::support::sigv4::sha256_hex(b"jane@example.net");
    let page = json!({
        "message_id": "m1", "arrival": {"recipients": ["shop@example.com"], "envelope_sender": null},
        "claim": {"token": token, "targets": [target], "renewals": 0}, "sent": [], "written_at": 0,
    });
    edge.s3.put("mail", PAGE, page.to_string());
}

#[test]
fn a_mail_in_one_send_costs_two_writes_and_no_reading() {
    for recipients in [
        &["shop@example.com"][..],
        // A target gets a message once, and there is nothing to write about whom the map does not know.
        &["shop@example.com", "nobody@example.com", "shop+a@example.com"],
    ] {
        let edge = Edge::start();
        let recipients: Vec<String> = recipients.iter().map(ToString::to_string).collect();
        edge.forward_to(&message(2_000), &recipients);
        assert_eq!(edge.ses.messages().len(), 1);
        assert_eq!(requests(&edge), ["PUT 200", "PUT 200"]);
        assert_eq!(edge.s3.reads().len(), 1);
    }
    // Of three sends each is recorded before the next.
    let edge = Edge::start();
    edge.forward(&message(2_000), "many@example.com");
    assert_eq!(requests(&edge), ["PUT 200"; 4]);
}

#[test]
fn a_page_says_what_arrived_and_who_was_reached_without_naming_a_target() {
    let edge = Edge::start();
    let outcome = edge.forward(&message(2_000), "shop@example.com");
    let page = page(&edge);
    assert!(!page.to_string().contains("@example.net"), "{page}");
    assert_eq!(page["message_id"], "m1");
    assert_eq!(page["arrival"]["recipients"], json!(["shop@example.com"]));
    assert_eq!(page["sent"][0]["id"], outcome.sent_id.unwrap());
    assert_eq!(page["sent"][0]["targets"].as_array().unwrap().len(), 2);
    assert_eq!(page["outcomes"]["shop@example.com"]["outcome"], "sent");
    assert!(page.get("claim").is_none(), "{page}");
}

#[test]
fn another_process_sends_only_what_is_left() {
    let edge = Edge::start();
    // Of three batches the second is refused for now.
    let paused = ses::Refusal::new(400, "SendingPausedException", "Sending is paused.");
    edge.ses.script([ses::Fault::None, ses::Fault::Refuse(paused)]);
    let outcome = edge.forward(&message(2_000), "many@example.com");
    assert_eq!(outcome.cause, Some(Cause::Paused), "{outcome:?}");
    assert_eq!(page(&edge)["outcomes"]["many@example.com"]["cause"], "paused");

    // The failure has released the message, so that nobody has to wait.
    let many = arrival(&["many@example.com".to_owned()]);
    let outcome = forward(&edge.process(&[]), &many);
    assert_eq!(outcome.ending, Ending::Sent, "{outcome:?}");
    let outcome = forward(&edge.process(&[]), &many);
    assert_eq!(outcome.ending, Ending::Sent, "{outcome:?}");
    assert_eq!(outcome.sent_id.unwrap().split(',').count(), 3);
    let sent = edge.ses.messages();
    let sizes: Vec<usize> = sent.iter().map(|message| message.to.len()).collect();
    assert_eq!(sizes, [50, 50, 20]);
    let all: BTreeSet<&String> = sent.iter().flat_map(|message| &message.to).collect();
    assert_eq!(all.len(), 120);
}

/// Catches a claim whose age is told by the clock of whoever finds it.
#[test]
fn a_claim_lives_for_fifty_seconds_of_the_buckets_own_clock() {
    for ahead in [0, 3_600] {
        let edge = Edge::start();
        edge.s3.put("mail", "inbound/m1", message(2_000));
        edge.s3.set_ahead(Duration::from_secs(ahead));
        put_claim(&edge, "another");
        let outcome = edge.forward(&message(2_000), "shop@example.com");
        assert_eq!(
            (outcome.ending, outcome.cause),
            (Ending::Failed, Some(Cause::InProgress)),
            "{outcome:?}"
        );
        assert_eq!(page(&edge)["claim"]["token"], "another");
        edge.s3.age("mail", PAGE, Duration::from_secs(45));
        assert_eq!(
            forward(&edge.process(&[]), &shop()).cause,
            Some(Cause::InProgress)
        );
        assert!(edge.ses.attempts().is_empty());

        edge.s3.age("mail", PAGE, Duration::from_secs(6));
        assert_eq!(forward(&edge.process(&[]), &shop()).ending, Ending::Sent);
        assert_eq!(edge.ses.messages().len(), 1);
        assert!(page(&edge).get("claim").is_none());
    }
}

/// Of jane, whom the dead claim names, it is not known whether she has got the message; omar has not.
#[test]
fn on_doubt_decides_what_becomes_of_a_dead_claims_targets() {
    let edge = Edge::start();
    edge.s3.put("mail", "inbound/m1", message(2_000));
    put_claim(&edge, "dead");
    edge.s3.age("mail", PAGE, DEAD);
    let outcome = forward(&edge.process(&HOLD), &shop());
    assert_eq!(outcome.cause, Some(Cause::Ambiguous), "{outcome:?}");
    assert!(outcome.error.unwrap().contains("ON_DOUBT"));
    let sent = edge.ses.take_messages();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].to, ["omar@example.net"]);
    // Now nobody is left but her.
    let outcome = forward(&edge.process(&HOLD), &shop());
    assert_eq!(outcome.cause, Some(Cause::Ambiguous), "{outcome:?}");
    assert!(edge.ses.take_messages().is_empty());

    assert_eq!(forward(&edge.process(&[]), &shop()).ending, Ending::Sent);
    assert_eq!(edge.ses.take_messages()[0].to, ["jane@example.net"]);
    // And that is known to those who hold.
    assert_eq!(forward(&edge.process(&HOLD), &shop()).ending, Ending::Sent);
    assert!(edge.ses.messages().is_empty());
}

#[test]
fn on_doubt_decides_what_becomes_of_a_send_without_an_answer() {
    let edge = Edge::start();
    edge.ses.script([ses::Fault::CutAfterTaking]);
    let outcome = edge.forward(&message(2_000), "shop@example.com");
    assert_eq!(outcome.cause, Some(Cause::Ambiguous));
    let held = forward(&edge.process(&HOLD), &shop());
    assert_eq!(held.cause, Some(Cause::Ambiguous), "{held:?}");
    assert_eq!(edge.ses.messages().len(), 1);
    assert_eq!(forward(&edge.process(&[]), &shop()).ending, Ending::Sent);
    assert_eq!(edge.ses.messages().len(), 2);
}

/// Catches targets that count as in doubt although SES was never asked to take the message for them.
#[test]
fn only_those_who_may_have_got_it_are_in_doubt() {
    let edge = Edge::start();
    edge.ses.script([ses::Fault::None, ses::Fault::ErrorAfterTaking]);
    let outcome = edge.forward(&message(2_000), "many@example.com");
    assert_eq!(outcome.cause, Some(Cause::Ambiguous), "{outcome:?}");
    let page = page(&edge);
    assert_eq!(page["sent"][0]["targets"].as_array().unwrap().len(), 50);
    assert_eq!(page["in_doubt"].as_array().unwrap().len(), 50);
    assert!(page.get("claim").is_none(), "{page}");
}

/// Catches a process that takes its own claim for another's, or forgets what it has sent.
#[test]
fn lost_answers_and_conflicts_cost_a_few_requests_more() {
    let (lost, request) = (PutFault::LoseAnswer, PutFault::LoseRequest);
    for faults in [
        vec![lost.clone()],
        vec![PutFault::None, lost.clone()],
        vec![lost.clone(), lost],
        vec![request.clone(), PutFault::None, request],
        vec![PutFault::conflict(), PutFault::conflict()],
        vec![PutFault::None, PutFault::conflict()],
        vec![PutFault::Refuse(503, "SlowDown".to_owned())],
    ] {
        let edge = Edge::start();
        edge.s3.script_puts(faults.clone());
        let outcome = edge.forward(&message(2_000), "shop@example.com");
        assert_eq!(outcome.ending, Ending::Sent, "{faults:?}: {outcome:?}");
        let again = forward(&edge.process(&[]), &shop());
        assert_eq!(again.sent_id, outcome.sent_id, "{faults:?}");
        assert_eq!(edge.ses.messages().len(), 1, "{faults:?}");
        assert_eq!(page(&edge)["sent"].as_array().unwrap().len(), 1, "{faults:?}");
        assert!(page(&edge).get("claim").is_none(), "{faults:?}");
    }
}

/// Catches mail that is kept back, or sent twice by one process, for want of a record.
#[test]
fn mail_goes_out_once_where_the_ledger_is_out_of_reach() {
    for fault in [
        PutFault::Refuse(403, "AccessDenied".to_owned()),
        PutFault::Precede(b"not a page".to_vec()),
    ] {
        let edge = Edge::start();
        edge.s3.stand_puts(fault.clone());
        for _ in 0..2 {
            let outcome = edge.forward(&message(2_000), "shop@example.com");
            assert_eq!(outcome.ending, Ending::Sent, "{fault:?}: {outcome:?}");
        }
        assert_eq!(edge.ses.messages().len(), 1, "{fault:?}");
    }
    // S3 is back for the record.
    let edge = Edge::start();
    edge.s3
        .script_puts([PutFault::Refuse(403, "AccessDenied".to_owned())]);
    edge.forward(&message(2_000), "shop@example.com");
    assert_eq!(forward(&edge.process(&[]), &shop()).ending, Ending::Sent);
    assert_eq!(edge.ses.messages().len(), 1);
}

/// Catches mail that waits as long as S3 keeps silent.
#[test]
fn a_ledger_that_is_silent_is_out_of_reach() {
    let edge = Edge::start();
    edge.s3.script_puts([PutFault::Hang]);
    let start = Instant::now();
    let outcome = edge.forward(&message(2_000), "shop@example.com");
    assert_eq!(outcome.ending, Ending::Sent, "{outcome:?}");
    assert!(start.elapsed() < Duration::from_secs(9), "{:?}", start.elapsed());
}

/// Another process has claimed the message in the moment between two requests.
#[test]
fn whoever_comes_second_waits() {
    let edge = Edge::start();
    let other = json!({
        "message_id": "m1", "arrival": {"recipients": ["shop@example.com"], "envelope_sender": null},
        "claim": {"token": "another", "targets": [], "renewals": 0}, "sent": [], "written_at": 0,
    });
    edge.s3
        .script_puts([PutFault::Precede(other.to_string().into_bytes())]);
    let outcome = edge.forward(&message(2_000), "shop@example.com");
    assert_eq!(outcome.cause, Some(Cause::InProgress), "{outcome:?}");
    assert!(edge.ses.attempts().is_empty());
    assert_eq!(requests(&edge), ["PUT 412", "GET 200"]);
}

/// Catches an end of the invocation between a send and its record.
#[test]
fn nothing_is_sent_in_the_last_three_seconds() {
    let edge = Edge::start();
    edge.s3.put("mail", "inbound/m1", message(2_000));
    let deadline = Deadline::after(Duration::from_millis(2_900));
    let outcome = block_on(edge.forwarder.forward(&shop(), deadline)).remove(0);
    assert_eq!(outcome.cause, Some(Cause::Deadline), "{outcome:?}");
    assert!(edge.ses.attempts().is_empty());
    // Without a ledger the time is used.
    let off = edge.process(&[("LEDGER", "off")]);
    let deadline = Deadline::after(Duration::from_millis(2_900));
    let outcome = block_on(off.forward(&shop(), deadline)).remove(0);
    assert_eq!(outcome.ending, Ending::Sent, "{outcome:?}");
}

#[test]
fn without_a_ledger_nothing_is_written() {
    let edge = Edge::with(&[("LEDGER", "off")]);
    edge.forward(&message(2_000), "shop@example.com");
    edge.forward(&message(2_000), "shop@example.com");
    assert_eq!(edge.ses.messages().len(), 1, "the process remembers");
    assert_eq!(requests(&edge), [""; 0]);
    forward(&edge.process(&[("LEDGER", "off")]), &shop());
    assert_eq!(edge.ses.messages().len(), 2, "another does not");
}

/// Catches an invocation for each page that fails, where S3 tells of all objects of the bucket; and a mail that is not
/// forwarded, since another bucket's event is taken for ours.
#[test]
fn events_of_the_ledger_are_ignored() {
    let created = |bucket: &str, key: &str| {
        let event = json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}]});
        let mut records = parse_event(event.to_string().as_bytes()).unwrap();
        records.remove(0).arrival().unwrap().unwrap()
    };
    for prefix in ["", "inbound/"] {
        let edge = Edge::with(&[("EMAIL_PREFIX", prefix)]);
        let outcomes = |bucket, key| {
            let arrival = created(bucket, key);
            block_on(edge.forwarder.forward(&arrival, Deadline::NEVER))
        };
        assert!(outcomes("mail", PAGE).is_empty());
        assert!(edge.s3.attempts().is_empty());
        assert_eq!(outcomes("other", PAGE)[0].ending, Ending::Failed);
        let off = edge.process(&[("EMAIL_PREFIX", prefix), ("LEDGER", "off")]);
        let arrival = created("mail", PAGE);
        assert_eq!(block_on(off.forward(&arrival, Deadline::NEVER)).len(), 1);
    }
}

/// Two processes have the same event at the same moment, a thousand times: each mail goes out once. Whoever comes second
/// fails, and comes again, as Lambda does it after a minute.
#[test]
fn of_two_processes_with_one_event_one_sends() {
    const EVENTS: usize = 1_000;
    let edge = Edge::start();
    edge.s3.jitter(Duration::from_millis(1));
    for n in 0..EVENTS {
        edge.s3.put("mail", &format!("inbound/m{n}"), message(700));
    }
    let (start, in_progress) = (Barrier::new(2), std::sync::atomic::AtomicUsize::new(0));
    let run = || {
        let forwarder = edge.process(&[]);
        block_on(async {
            for n in 0..EVENTS {
                let event = json!({"Records": [{"eventSource": "aws:ses", "ses": {
                    "mail": {"messageId": format!("m{n}")}, "receipt": {"recipients": ["shop@example.com"]}}}]});
                let arrival = parse_event(event.to_string().as_bytes())
                    .unwrap()
                    .remove(0)
                    .arrival()
                    .unwrap()
                    .unwrap();
                start.wait();
                let random = RandomState::new().hash_one(n) % 2_000;
                tokio::time::sleep(Duration::from_micros(random)).await;
                loop {
                    let outcome = forwarder.forward(&arrival, Deadline::NEVER).await.remove(0);
                    match (outcome.ending, outcome.cause) {
                        (Ending::Sent, _) => break,
                        (_, Some(Cause::InProgress)) => {
                            in_progress.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                            tokio::time::sleep(Duration::from_millis(2)).await;
                        }
                        _ => panic!("{outcome:?}"),
                    }
                }
            }
        });
    };
    thread::scope(|scope| {
        let two = [scope.spawn(run), scope.spawn(run)];
        for process in two {
            process.join().unwrap();
        }
    });
    assert_eq!(edge.ses.messages().len(), EVENTS);
    // They have met, or nothing was tried.
    let met = in_progress.into_inner();
    println!("{met} attempts found the other's claim");
    assert!(met > EVENTS / 10, "{met}");
}
