use super::*;
use crate::arrival::{Envelope, Order, Recipients};
use crate::executor::block_on;

fn arrival() -> Arrival {
    let envelope = Envelope::new(["shop@example.com".to_owned()]);
    Arrival {
        message_id: MessageId::parse("m1").unwrap(),
        recipients: Recipients::Envelope(envelope.unwrap()),
        envelope_sender: None,
        verdicts: None,
        order: Order::Forward,
        stored: None,
    }
}

fn targets() -> Vec<Address> {
    ["jane@example.org", "omar@example.org"]
        .map(|text| Address::parse(text).unwrap())
        .to_vec()
}

fn sent(targets: &[Address], id: &str) -> Delivery {
    Delivery::Sent {
        targets: targets.to_vec(),
        receipt: Receipt {
            id: id.to_owned(),
            bytes_in: 7,
            bytes_out: 9,
            body_sha256: None,
        },
    }
}

/// A directory with a ledger.
struct Trial(tempfile::TempDir);

impl Trial {
    fn new() -> Self {
        Trial(tempfile::tempdir().unwrap())
    }

    /// A ledger that remembers nothing, as another process has it.
    fn process(&self) -> Ledger {
        let pages = Pages::Directory(self.0.path().to_owned());
        Ledger::new(Some(pages), OnDoubt::default())
    }

    fn page(&self) -> Page {
        let json = std::fs::read(self.0.path().join("m1.json")).unwrap();
        serde_json::from_slice(&json).unwrap()
    }

    /// Makes the page older, and the claim in it with it.
    fn age(&self, by: Duration) {
        let path = self.0.path().join("m1.json");
        let file = std::fs::File::options().write(true).open(path).unwrap();
        let written = file.metadata().unwrap().modified().unwrap();
        file.set_modified(written - by).unwrap();
    }
}

async fn claimed(ledger: &Ledger) -> Claim {
    let mut claim = ledger.open(&arrival());
    ledger
        .claim(&mut claim, "shop@example.com", &targets(), Deadline::NEVER)
        .await
        .unwrap();
    claim
}

/// Catches a ledger that is written only at the end of an arrival, and forgets all if the process ends before.
#[test]
fn a_delivery_is_known_as_soon_as_it_is_recorded() {
    let trial = Trial::new();
    let targets = targets();
    block_on(async {
        for ledger in [Ledger::default(), trial.process()] {
            let mut claim = claimed(&ledger).await;
            assert_eq!(claim.deliveries().left(&targets), targets);
            let delivery = sent(&targets[..1], "1");
            ledger.record(&mut claim, delivery, None, Deadline::NEVER).await;
            assert_eq!(claim.deliveries().left(&targets), targets[1..]);
            let again = ledger.open(&arrival());
            assert_eq!(again.deliveries().left(&targets), targets[1..]);
        }
        assert_eq!(trial.page().sent.len(), 1);
        assert!(trial.page().claim.is_some(), "the other target is still claimed");
    });
}

/// Catches a claim that is taken although there is nothing to do, and so keeps others away.
#[test]
fn a_message_that_all_have_got_is_not_claimed() {
    let trial = Trial::new();
    let targets = targets();
    block_on(async {
        let ledger = trial.process();
        let mut claim = claimed(&ledger).await;
        let delivery = sent(&targets, "1");
        let last_of = Some("shop@example.com");
        ledger
            .record(&mut claim, delivery, last_of, Deadline::NEVER)
            .await;
        let page = trial.page();
        let claim = claimed(&trial.process()).await;
        assert_eq!(claim.deliveries().receipt(&targets).unwrap().id, "1");
        assert_eq!(claim.state, State::Unwritten);
        assert_eq!(trial.page(), page);
    });
}

/// Catches a claim that dies while its owner sends a large mail, and a renewal that leaves the version's name as it is.
#[cfg(feature = "aws")]
#[test]
fn a_claim_is_renewed_as_long_as_its_owner_works() {
    let trial = Trial::new();
    block_on(async {
        let mut ledger = trial.process();
        ledger.renewal = Duration::from_millis(20);
        let mut claim = claimed(&ledger).await;
        let first = claim.seen.clone().unwrap().etag;
        let done = ledger.keep(&mut claim, async {
            pause(Duration::from_millis(150)).await;
            7
        });
        assert_eq!(done.await, 7);
        let renewals = trial.page().claim.unwrap().renewals;
        assert!((2..=8).contains(&renewals), "{renewals}");
        assert_ne!(claim.seen.as_ref().unwrap().etag, first);
        assert!(!claim.is_lost());
    });
}

/// Catches a frozen process that wakes up and goes on sending a message which another has taken over; and a record that is lost
/// with the claim.
#[test]
fn a_claim_that_was_taken_over_is_lost_and_what_was_sent_is_recorded_all_the_same() {
    let trial = Trial::new();
    let targets = targets();
    block_on(async {
        let mut frozen = trial.process();
        let mut lost = claimed(&frozen).await;
        let busy = trial.process();
        let mut claim = busy.open(&arrival());
        let refused = busy.claim(&mut claim, "shop@example.com", &targets, Deadline::NEVER);
        let refused = refused.await;
        assert_eq!(refused, Err(InProgress));
        trial.age(LIFE + Duration::from_secs(1));
        let other = trial.process();
        let mut claim = claimed(&other).await;
        assert!(trial.page().is_claimed_by(&claim.token));
        assert_eq!(trial.page().in_doubt.len(), 2);

        frozen.renewal = Duration::ZERO;
        frozen.refresh(&mut lost).await;
        assert!(lost.is_lost());
        frozen
            .record(&mut lost, sent(&targets[..1], "1"), None, Deadline::NEVER)
            .await;
        assert!(
            trial.page().is_claimed_by(&claim.token),
            "the claim is not touched"
        );
        // The other learns of it with its next write.
        let last_of = Some("shop@example.com");
        other
            .record(&mut claim, sent(&targets[1..], "2"), last_of, Deadline::NEVER)
            .await;
        let page = trial.page();
        let ids: Vec<&str> = page.sent.iter().map(|sent| &*sent.receipt.id).collect();
        assert_eq!(ids, ["1", "2"]);
        assert!(page.claim.is_none());
    });
}

/// Catches a page that is deleted while its message is sent, and with it the record.
#[test]
fn a_page_that_is_gone_is_written_anew() {
    let trial = Trial::new();
    block_on(async {
        let ledger = trial.process();
        let mut claim = claimed(&ledger).await;
        std::fs::remove_file(trial.0.path().join("m1.json")).unwrap();
        let last_of = Some("shop@example.com");
        ledger
            .record(&mut claim, sent(&targets(), "1"), last_of, Deadline::NEVER)
            .await;
        assert_eq!(trial.page().sent[0].receipt.id, "1");
    });
}

fn paused() -> End {
    End {
        outcome: "failed",
        cause: Some(Cause::Paused),
        ..End::default()
    }
}

/// Catches a page that says for ever that a recipient failed who has the message by now.
#[test]
fn a_failure_is_settled_when_all_targets_have_got_the_message() {
    let trial = Trial::new();
    block_on(async {
        let ledger = trial.process();
        let mut claim = claimed(&ledger).await;
        ledger
            .release(&mut claim, "shop@example.com", &paused(), Deadline::NEVER)
            .await;
        let outcomes = || String::from_utf8(trial.page().to_json()).unwrap();
        assert!(outcomes().contains(r#""cause":"paused""#));
        let mut other = claimed(&trial.process()).await;
        let last_of = Some("sales@example.com");
        let delivery = sent(&targets(), "1");
        trial
            .process()
            .record(&mut other, delivery, last_of, Deadline::NEVER)
            .await;
        assert!(outcomes().contains(r#""cause":"paused""#));
        claimed(&trial.process()).await;
        assert!(!outcomes().contains("paused"), "{}", outcomes());
    });
}

/// Catches a delivery made while the ledger was out of reach that is never written afterwards.
#[test]
fn what_this_process_remembers_is_written_later() {
    let trial = Trial::new();
    block_on(async {
        let mut ledger = trial.process();
        let pages = ledger.pages.replace(Pages::Directory("/dev/null/ledger".into()));
        let mut claim = claimed(&ledger).await;
        let last_of = Some("shop@example.com");
        let delivery = sent(&targets(), "1");
        ledger
            .record(&mut claim, delivery, last_of, Deadline::NEVER)
            .await;
        ledger.pages = pages;
        claimed(&ledger).await;
        assert_eq!(trial.page().sent[0].receipt.id, "1");
        assert!(trial.page().claim.is_none());
    });
}
