//! The deliveries of a message, as they are recorded.

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::target::TargetHash;
use crate::alias::Options;
use crate::header::mailbox::Address;
use crate::outbox::Cause;

/// How sending a message to some targets ended.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// These targets have got the message.
    Sent {
        /// All targets of one request.
        targets: Vec<Address>,
        /// The receipt of the message that they have got.
        receipt: Receipt,
    },
    /// These targets have not got it.
    Failed(Box<Failure>),
    /// These addresses were told why it is not forwarded.
    Told(Vec<Address>),
}

/// How a message ended for a recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// As it stands in the outcome.
    pub outcome: &'static str,
    /// Why it is held.
    pub reason: Option<&'static str>,
    /// The kind of the failure.
    pub cause: Option<Cause>,
    /// Whether somebody was told of it, now or before.
    pub is_told: bool,
    /// Those who were told just now.
    pub told: Vec<Address>,
}

impl End {
    /// The message was sent.
    pub(super) const SENT: End = End {
        outcome: "sent",
        reason: None,
        cause: None,
        is_told: false,
        told: Vec::new(),
    };
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The id that the outbox gave it.
    pub id: String,
    /// Octets of the stored message.
    pub bytes_in: u64,
    /// Octets of the message that went out.
    pub bytes_out: u64,
    /// SHA-256 of the body, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_sha256: Option<String>,
}

/// Why a message in one form was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// All targets that have not got it.
    pub targets: Vec<Address>,
    /// The alias without its tag. From has the alias, so another alias may fare differently if its domain is not verified.
    pub alias: String,
    /// The options of the alias: with other options the message would be a different one.
    pub options: Options,
    /// The kind of the failure.
    pub cause: Cause,
    /// The reason, for the log. No address is in it.
    pub error: String,
}

/// All that is known of the deliveries of one message.
#[derive(Clone, Debug, Default)]
pub struct Deliveries {
    sent: Vec<(HashSet<TargetHash>, Receipt)>,
    failed: Vec<Failure>,
    held: BTreeSet<TargetHash>,
    told: BTreeSet<TargetHash>,
}

impl Deliveries {
    /// Takes note of a delivery.
    pub fn add(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Sent { targets, receipt } => {
                self.reached(targets.iter().map(TargetHash::from).collect(), receipt);
            }
            Delivery::Failed(failure) => self.failed.push(*failure),
            Delivery::Told(addresses) => self.told.extend(addresses.iter().map(TargetHash::from)),
        }
    }

    /// Takes note of targets that have got the message, once.
    pub(super) fn reached(&mut self, targets: HashSet<TargetHash>, receipt: Receipt) {
        let known =
            |(others, other): &(HashSet<TargetHash>, Receipt)| other.id == receipt.id && *others == targets;
        if !self.sent.iter().any(known) {
            self.sent.push((targets, receipt));
        }
    }

    /// All that was sent.
    pub(super) fn sent(&self) -> impl Iterator<Item = (BTreeSet<TargetHash>, &Receipt)> {
        let sent = self.sent.iter();
        sent.map(|(targets, receipt)| (targets.iter().cloned().collect(), receipt))
    }

    /// Takes note of targets that the message is kept from, since they may have got it.
    pub(super) fn hold(&mut self, targets: &BTreeSet<TargetHash>) {
        self.held.extend(targets.iter().cloned());
    }

    /// Takes note of addresses that were told of the message.
    pub(super) fn tell(&mut self, told: &BTreeSet<TargetHash>) {
        self.told.extend(told.iter().cloned());
    }

    /// Whether this address was told of the message.
    pub fn was_told(&self, address: &Address) -> bool {
        !self.told.is_empty() && self.told.contains(&TargetHash::from(address))
    }

    /// Those of these targets that have not got the message.
    pub fn left(&self, targets: &[Address]) -> Vec<Address> {
        // Hashes are only made if there is something to compare them with.
        if self.sent.is_empty() {
            return targets.to_vec();
        }
        let has_got_it = |target: &Address| {
            let target = TargetHash::from(target);
            self.sent.iter().any(|(reached, _)| reached.contains(&target))
        };
        let left = targets.iter().filter(|target| !has_got_it(target));
        left.cloned().collect()
    }

    /// Those of these targets that have not got the message for sure and must not get it again: `ON_DOUBT` is `hold`.
    pub fn held(&self, targets: &[Address]) -> Vec<Address> {
        if self.held.is_empty() {
            return Vec::new();
        }
        let mut held = self.left(targets);
        held.retain(|target| self.held.contains(&TargetHash::from(target)));
        held
    }

    /// The message that these targets have got; where it went out in several, the ids of all that reached one of them.
    pub fn receipt(&self, targets: &[Address]) -> Option<Receipt> {
        if self.sent.is_empty() {
            return None;
        }
        let hashes: Vec<TargetHash> = targets.iter().map(TargetHash::from).collect();
        let reached = self
            .sent
            .iter()
            .filter(|(reached, _)| hashes.iter().any(|hash| reached.contains(hash)));
        let receipts: Vec<&Receipt> = reached.map(|(_, receipt)| receipt).collect();
        let first = *receipts.first()?;
        let ids: Vec<&str> = receipts.iter().map(|receipt| receipt.id.as_str()).collect();
        Some(Receipt {
            id: ids.join(","),
            ..first.clone()
        })
    }

    /// Why sending for this alias to just these targets with just these options failed before.
    pub fn failure(&self, alias: &str, targets: &[Address], options: &Options) -> Option<&Failure> {
        let mut failed = self.failed.iter();
        failed.find(|failure| {
            failure.alias == alias && failure.targets == targets && failure.options == *options
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rewrite::Style;

    const SHOP: &str = "shop@example.com";

    fn addresses(texts: &[&str]) -> Vec<Address> {
        texts.iter().map(|text| Address::parse(text).unwrap()).collect()
    }

    fn sent(targets: &[&str], id: &str) -> Delivery {
        Delivery::Sent {
            targets: addresses(targets),
            receipt: Receipt {
                id: id.to_owned(),
                bytes_in: 7,
                bytes_out: 9,
                body_sha256: None,
            },
        }
    }

    #[test]
    fn a_target_has_got_the_message_in_any_case() {
        let mut deliveries = Deliveries::default();
        deliveries.add(sent(&["Jane@example.org"], "1"));
        let targets = addresses(&["jane@EXAMPLE.org", "omar@example.org"]);
        assert_eq!(deliveries.left(&targets), addresses(&["omar@example.org"]));
        deliveries.add(sent(&["omar@example.org"], "2"));
        deliveries.add(sent(&["zoe@example.org"], "3"));
        assert!(deliveries.left(&targets).is_empty());
        assert_eq!(deliveries.receipt(&targets).unwrap().id, "1,2");
        assert_eq!(deliveries.receipt(&addresses(&["ann@example.org"])), None);
    }

    /// Catches a message that is not tried in another form, in which SES may take it.
    #[test]
    fn a_failure_is_one_of_these_targets_and_options() {
        let (one, two) = (
            addresses(&["a@example.org"]),
            addresses(&["a@example.org", "b@example.org"]),
        );
        let failure = Failure {
            targets: one.clone(),
            alias: SHOP.to_owned(),
            options: Options::default(),
            cause: Cause::Rejected,
            error: "no".to_owned(),
        };
        let mut deliveries = Deliveries::default();
        deliveries.add(Delivery::Failed(Box::new(failure.clone())));
        assert_eq!(
            deliveries.failure(SHOP, &one, &Options::default()),
            Some(&failure)
        );
        assert_eq!(
            deliveries.failure("b@example.com", &one, &Options::default()),
            None
        );
        assert_eq!(deliveries.failure(SHOP, &two, &Options::default()), None);
        let prefixed = Options {
            style: Style {
                subject_prefix: Some("[x]".to_owned()),
                ..Style::default()
            },
            ..Options::default()
        };
        assert_eq!(deliveries.failure(SHOP, &one, &prefixed), None);
        assert_eq!(deliveries.left(&one), one);
    }
}
