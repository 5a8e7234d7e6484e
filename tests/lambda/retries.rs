//! What SES refuses, or cannot take now.

use std::time::{Duration, Instant};

use super::support::ses;
use super::{ID, LARGE, SEND_ALL, Stands, TARGETS, message, ses_event};

fn unavailable() -> ses::Fault {
    ses::Fault::Refuse(ses::Refusal::new(503, "ServiceUnavailable", "try again"))
}

#[test]
fn what_passes_is_tried_again() {
    let cut = |after| ses::Fault::Cut { after };
    for octets in [20_000, LARGE] {
        for (name, faults) in [
            ("503 early", vec![ses::Fault::ErrorBeforeBody]),
            ("503 twice", vec![unavailable(), ses::Fault::ErrorBeforeBody]),
            ("throttled", vec![ses::Fault::Throttle]),
            ("limit", vec![ses::Fault::LimitExceeded]),
            ("cut", vec![cut(10_000)]),
        ] {
            if name == "cut" && octets < LARGE {
                // All of it is handed over at once: see the next test.
                continue;
            }
            let stands = Stands::start();
            let _running = stands.function(&[SEND_ALL]);
            let count = faults.len() + 1;
            stands.ses.script(faults);
            let message = message(octets);
            stands.deliver(&message).unwrap();
            stands.assert_landed(&message, &TARGETS);
            let statuses = stands.statuses();
            assert_eq!(statuses.len(), count, "{name}, {octets} octets: {statuses:?}");
        }
    }
}

/// Nobody can tell whether it was sent: that is said, and Lambda's own repetition decides.
#[test]
fn what_may_have_been_sent_is_not_sent_again_at_once() {
    for fault in [
        ses::Fault::Cut { after: 10_000 },
        ses::Fault::CutAfterTaking,
        ses::Fault::ErrorAfterBody,
        ses::Fault::ErrorAfterTaking,
    ] {
        let stands = Stands::start();
        let _running = stands.function(&[]);
        stands.ses.script([fault]);
        let error = stands.deliver(&message(20_000)).unwrap_err();
        let text = error["errorMessage"].as_str().unwrap();
        assert!(text.contains("may have been sent or not"), "{text}");
        assert_eq!(stands.ses.attempts().len(), 1);
    }
}

/// SES has said 200. Catches a second copy for an answer whose rest is missing.
#[test]
fn what_was_taken_is_sent_whatever_the_answer_says() {
    let stands = Stands::start();
    let _running = stands.function(&[]);
    stands.ses.script([ses::Fault::BrokenAnswer]);
    stands.deliver(&message(2_000)).unwrap();
    stands.assert_landed(&message(2_000), &TARGETS);
    assert_eq!(stands.statuses(), [Some(200)]);
}

#[test]
fn what_is_permanent_fails_at_once() {
    for fault in [ses::Fault::Rejected, ses::Fault::TooLong] {
        let stands = Stands::start();
        let _running = stands.function(&[("NOTIFY", "off")]);
        stands.ses.stand(fault.clone());
        stands.deliver(&message(2_000)).unwrap_err();
        assert_eq!(stands.statuses(), [Some(400)], "{fault:?} is not tried again");

        // And nothing of it is remembered.
        stands.ses.stand(ses::Fault::None);
        stands.deliver(&message(3_000)).unwrap();
        stands.assert_landed(&message(3_000), &TARGETS);
    }
}

#[test]
fn one_of_several_batches_fails_the_invocation() {
    let stands = Stands::start();
    let _running = stands.function(&[]);
    stands.ses.script([ses::Fault::None, ses::Fault::Rejected]);
    stands.put(ID, &message(2_000));
    stands
        .api
        .invoke(&ses_event(ID, &["many@example.com"]))
        .unwrap_err();
    stands.ses.assert_signed();
}

/// Without an end before Lambda's own, the invocation is killed and no outcome is told.
#[test]
fn the_deadline_is_kept() {
    let stands = Stands::start();
    let _running = stands.function(&[]);
    stands.ses.stand(ses::Fault::Stall { after: 1_000 });
    stands.put(ID, &message(50_000));
    let event = ses_event(ID, &["shop@example.com"]);
    let time = Duration::from_secs(3);
    // The best of three: the answer has half a second to arrive, and what else the machine does is not the function's.
    let kept = (0..3).any(|_| {
        let start = Instant::now();
        stands.api.invoke_within(&event, time).unwrap_err();
        start.elapsed() < time
    });
    assert!(kept, "no answer within {time:?}");
}

/// Catches the SDK's protection against stalled streams, which took such a receiver for dead after 5 s.
#[test]
fn a_slow_receiver_gets_one_copy() {
    let stands = Stands::start();
    let _running = stands.function(&[SEND_ALL]);
    stands.ses.script([ses::Fault::Slow { rate: 200_000 }]);
    let message = message(1_200_000);
    stands.deliver(&message).unwrap();
    stands.assert_landed(&message, &TARGETS);
    assert_eq!(stands.statuses(), [Some(200)]);
}

/// Lambda repeats an event whose invocation failed. Who has got the mail by then must not get it again.
#[test]
fn a_repeated_event_sends_only_what_is_left() {
    let stands = Stands::start();
    let running = stands.function(&[]);
    // The first alias takes one call, the second three: of these the second is refused for now.
    let paused = ses::Refusal::new(400, "SendingPausedException", "Sending is paused.");
    stands
        .ses
        .script([ses::Fault::None, ses::Fault::None, ses::Fault::Refuse(paused)]);
    stands.put(ID, &message(2_000));
    let event = ses_event(ID, &["shop@example.com", "many@example.com"]);
    let error = stands.api.invoke(&event).unwrap_err();
    let text = error["errorMessage"].as_str().unwrap();
    assert!(
        text.contains("1 of 2 recipients") && text.contains("50 of 120 targets"),
        "{text}"
    );
    for line in running.lines() {
        assert!(!line.contains("@example"), "an address: {line}");
    }

    stands.api.invoke(&event).unwrap();
    stands.api.invoke(&event).unwrap();
    let sent = stands.ses.messages();
    let sizes: Vec<usize> = sent.iter().map(|message| message.to.len()).collect();
    assert_eq!(sizes, [2, 50, 50, 20]);
    let mut all: Vec<&String> = sent.iter().flat_map(|message| &message.to).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 122, "every target once");
}

/// Catches a refusal that is paid for again at each of Lambda's repetitions, and batches that go out again beside it.
#[test]
fn a_refusal_for_good_is_not_asked_for_again() {
    let stands = Stands::start();
    let _running = stands.function(&[("NOTIFY", "off"), ("REPAIR", "off")]);
    // Of three batches the first is refused for one address in it.
    let refusal = ses::Refusal::bad_request("Missing final '@domain'");
    stands.ses.script([ses::Fault::Refuse(refusal)]);
    stands.put(ID, &message(2_000));
    let event = ses_event(ID, &["many@example.com"]);
    for _ in 0..3 {
        let error = stands.api.invoke(&event).unwrap_err();
        let text = error["errorMessage"].as_str().unwrap();
        assert!(text.contains("Missing final '@domain'"), "{text}");
    }
    let sizes: Vec<usize> = stands
        .ses
        .messages()
        .iter()
        .map(|message| message.to.len())
        .collect();
    assert_eq!(sizes, [50, 20]);
    assert_eq!(stands.ses.attempts().len(), 3);
}

/// Catches an event that comes once more and ends in the queue, although the owner knows.
#[test]
fn a_repeated_event_of_a_refusal_ends_well_where_somebody_was_told() {
    let stands = Stands::start();
    let _running = stands.function(&[("REPAIR", "off")]);
    let refusal = ses::Refusal::bad_request("Missing final '@domain'");
    stands.ses.script([ses::Fault::Refuse(refusal)]);
    stands.put(ID, &message(2_000));
    let event = ses_event(ID, &["shop@example.com"]);
    for _ in 0..3 {
        stands.api.invoke(&event).unwrap();
    }
    // The refused one, and the notice.
    assert_eq!(stands.ses.attempts().len(), 2);
    assert_eq!(stands.ses.messages().len(), 1);
}
