//! The word of a message's owner that it has arrived, where nobody else knows whether it was sent.

use std::collections::BTreeSet;
use std::time::Duration;

use super::claim::{LIFE, Seen};
use super::delivery::{End, Receipt};
use super::page::{Page, Sent};
use super::pages::Pages;
use super::target::TargetHash;
use crate::arrival::MessageId;
use crate::aws::{Condition, WriteError};
use crate::deadline::since_1970;
use crate::header::mailbox::Address;

/// Why nothing was settled. No address is in it.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// No event of the message was ever tried.
    #[error("the ledger has no message with this id (OUTBOX, EMAIL_BUCKET, LEDGER)")]
    Unknown,
    /// An invocation holds a claim that is younger than 50 seconds.
    #[error("it is being sent, or was less than a minute ago; try again in a minute")]
    InProgress,
    /// The page was written by somebody else in between.
    #[error("another process has just written its record; try again")]
    Changed,
    /// The page cannot be read or written.
    #[error("the ledger cannot be changed (LEDGER): {0}")]
    OutOfReach(String),
}

impl Pages {
    /// Records that the message has arrived at those of its targets to whom it may have been sent, or at these of them alone.
    /// It is not sent to them again. Returns their number.
    ///
    /// # Errors
    /// See [`SettleError`]. Nothing is recorded then.
    pub async fn settle(
        &self,
        message_id: &MessageId,
        only: Option<&[Address]>,
    ) -> Result<usize, SettleError> {
        let out_of_reach = |error: String| SettleError::OutOfReach(error);
        let seen = Seen::read(self, message_id).await;
        let seen = seen.map_err(|error| out_of_reach(error.to_string()))?;
        let mut seen = seen.ok_or(SettleError::Unknown)?;
        let only = only.map(|only| only.iter().map(TargetHash::from).collect());
        let settled = settle(&mut seen.page, seen.age, only.as_ref())?;
        if settled > 0 {
            seen.page.written_at = since_1970().as_secs();
            let condition = Condition::Unchanged(&seen.etag);
            let written = self.write(message_id, seen.page.to_json(), condition).await;
            written.map_err(|error| match error {
                WriteError::Changed | WriteError::Conflict => SettleError::Changed,
                WriteError::Other(error) => out_of_reach(error.to_string()),
            })?;
        }
        Ok(settled)
    }
}

fn settle(page: &mut Page, age: Duration, only: Option<&BTreeSet<TargetHash>>) -> Result<usize, SettleError> {
    if let Some(claim) = page.claim.clone() {
        if age < LIFE {
            return Err(SettleError::InProgress);
        }
        page.doubt(&claim.targets);
        // Where the recipients are not known, the dead claim alone says that the message is not done.
        if page.arrival.recipients.is_some() {
            page.claim = None;
            page.end_unknown();
        }
    }
    let is_settled = |target: &&TargetHash| only.is_none_or(|only| only.contains(*target));
    let targets: BTreeSet<TargetHash> = page.in_doubt.iter().filter(is_settled).cloned().collect();
    let count = targets.len();
    if count > 0 {
        // SES's id for it is not known. Its reports on the message are believed for these targets all the same.
        let receipt = Receipt {
            id: String::new(),
            bytes_in: 0,
            bytes_out: 0,
            body_sha256: None,
        };
        page.add(&Sent::new(targets, &receipt));
    }
    if page.in_doubt.is_empty() {
        page.end_doubt(&End::SENT);
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::super::page::Mark;
    use super::*;
    use crate::arrival::{Arrival, Envelope, Order, Recipients};
    use crate::outbox::Cause;

    const SHOP: &str = "shop@example.com";

    fn addresses(texts: &[&str]) -> Vec<Address> {
        texts.iter().map(|text| Address::parse(text).unwrap()).collect()
    }

    fn hashes(texts: &[&str]) -> BTreeSet<TargetHash> {
        addresses(texts).iter().map(TargetHash::from).collect()
    }

    fn unclaimed(recipients: Recipients) -> Page {
        Page::new(&Arrival {
            message_id: MessageId::parse("m1").unwrap(),
            recipients,
            envelope_sender: None,
            verdicts: None,
            order: Order::Forward,
            stored: None,
        })
    }

    /// Somebody was sending to Jane and Omar, and has not recorded it.
    fn claim() -> Mark {
        Mark {
            token: "t".to_owned(),
            targets: hashes(&["jane@example.net", "omar@example.net"]),
            renewals: 0,
        }
    }

    /// A page with this claim, after a try whose end is in doubt too.
    fn page() -> Page {
        let envelope = Envelope::new([SHOP.to_owned()]);
        let mut page = unclaimed(Recipients::Envelope(envelope.unwrap()));
        let failed = End {
            outcome: "failed",
            cause: Some(Cause::Ambiguous),
            ..End::default()
        };
        page.end(SHOP, &failed);
        page.claim = Some(claim());
        page
    }

    fn outcomes(page: &Page) -> serde_json::Value {
        let page: serde_json::Value = serde_json::from_slice(&page.to_json()).unwrap();
        let outcomes = page["outcomes"].as_object().unwrap().iter();
        outcomes
            .map(|(recipient, end)| (recipient.clone(), end["outcome"].clone()))
            .collect()
    }

    /// Catches mail that is in no list any more, since its claim was all that said that it is not done.
    #[test]
    fn what_is_not_settled_is_still_to_be_done() {
        let claimed = |recipients: &[&str]| {
            let envelope = Envelope::new(recipients.iter().map(|&recipient| recipient.to_owned()));
            let mut page = unclaimed(Recipients::Envelope(envelope.unwrap()));
            page.claim = Some(claim());
            page
        };
        let jane = hashes(&["jane@example.net"]);
        let mut one = claimed(&[SHOP]);
        settle(&mut one, LIFE, Some(&jane)).unwrap();
        assert_eq!(outcomes(&one), serde_json::json!({SHOP: "failed"}));
        settle(&mut one, LIFE, None).unwrap();
        assert_eq!(outcomes(&one), serde_json::json!({SHOP: "sent"}));

        let mut two = claimed(&[SHOP, "team@example.com"]);
        settle(&mut two, LIFE, None).unwrap();
        let failed = serde_json::json!({SHOP: "failed", "team@example.com": "failed"});
        assert_eq!(outcomes(&two), failed, "the next try finds out who has it");
    }

    fn outcome(page: &Page) -> String {
        let page: serde_json::Value = serde_json::from_slice(&page.to_json()).unwrap();
        page["outcomes"][SHOP]["outcome"].as_str().unwrap().to_owned()
    }

    #[test]
    fn who_has_found_it_does_not_get_it_again() {
        let mut page = page();
        let all = hashes(&["jane@example.net", "omar@example.net"]);
        assert!(matches!(
            settle(&mut page.clone(), Duration::from_secs(49), None),
            Err(SettleError::InProgress)
        ));
        let jane = hashes(&["Jane@example.net", "zoe@example.net"]);
        assert_eq!(settle(&mut page, LIFE, Some(&jane)).unwrap(), 1);
        assert_eq!(page.left(&all), hashes(&["omar@example.net"]));
        assert_eq!(page.in_doubt, hashes(&["omar@example.net"]));
        assert_eq!((outcome(&page), page.claim.clone()), ("failed".to_owned(), None));

        assert_eq!(settle(&mut page, Duration::ZERO, None).unwrap(), 1);
        assert!(page.left(&all).is_empty() && page.in_doubt.is_empty());
        assert_eq!(outcome(&page), "sent");
        assert_eq!(settle(&mut page, Duration::ZERO, None).unwrap(), 0);
    }

    /// Catches a mail that is taken for sent because of another that was in doubt.
    #[test]
    fn what_failed_otherwise_is_left_as_it_is() {
        let mut page = page();
        page.claim = None;
        let held = End {
            outcome: "held",
            ..End::default()
        };
        page.end(SHOP, &held);
        assert_eq!(settle(&mut page, LIFE, None).unwrap(), 0);
        assert_eq!(outcome(&page), "held");
    }
}
