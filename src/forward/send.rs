//! The steps that read a planned message and send it.

use super::inbox::Message;
use super::outcome::Outcome;
use super::route::untagged;
use super::steps::{Attempt, Steps};
use super::stop::{IN_PROGRESS, Stop, not_sent};
use crate::header::mailbox::Address;
use crate::ledger::{Claim, Delivery, Failure, Receipt};
use crate::outbox::{Cause, Outgoing, SendError, Sending, Sent};
use crate::preflight::Checker;
use crate::rewrite::Repair;

impl Steps {
    /// Reads the message as it is to go out, and sends it.
    pub(super) async fn send(
        &self,
        attempt: &Attempt<'_>,
        message: &mut Message,
        outgoing: &Outgoing,
        claim: &mut Claim,
        outcome: &mut Outcome,
    ) -> Result<Receipt, Stop> {
        let reading = self.prepare(attempt, message, outgoing, outcome);
        let (sending, receipt) = self.ledger.keep(claim, reading).await?;
        self.send_all(attempt, sending, &outgoing.to, receipt, claim, outcome)
            .await
    }

    /// Reads the message as it is to go out. Nothing is sent yet.
    pub(super) async fn prepare<'o>(
        &'o self,
        attempt: &Attempt<'_>,
        message: &mut Message,
        outgoing: &'o Outgoing,
        outcome: &mut Outcome,
    ) -> Result<(Sending<'o>, Receipt), Stop> {
        outcome.planned(&outgoing.content);
        // The size here is a lower bound: a message that is too large whatever its parts become is not read.
        self.check_size(outgoing.content.octets(), "")?;
        let mut body = message.body(self.hashes_bodies, self.repair == Repair::Parts);
        let begun = self.outbox.begin(outgoing, &mut body, attempt.until).await;
        let sending = begun.map_err(|error| not_sent(&error, &outgoing.to, &outgoing.to))?;
        // If it was read for its findings alone, it was not hashed to its end.
        let is_for_findings = body.is_for_findings();
        if message.note(body.report()) || is_for_findings {
            return Err(Stop::Findings);
        }
        let octets = sending.message_octets();
        outcome.bytes_out = Some(octets);
        self.check_size(octets, "")?;
        let receipt = Receipt {
            id: String::new(),
            bytes_in: outgoing.content.source.octets(),
            bytes_out: octets,
            // With edits of parts the body is not the stored one.
            body_sha256: body.sha256().filter(|_| outgoing.content.plan.edits().len() == 1),
        };
        Ok((sending, receipt))
    }

    /// Decides whether a message that was refused goes out once more, in its plainest form, and makes it ready for that. It
    /// does not if it has been in that form already, if it may not be repaired, or if preflight knows the reason of the
    /// refusal.
    pub(super) async fn goes_plainer(
        &self,
        attempt: &Attempt<'_>,
        message: &mut Message,
        outgoing: &Outgoing,
        claim: &mut Claim,
    ) -> bool {
        if message.is_strict || self.repair == Repair::Off || message.is_beyond_repair() {
            return false;
        }
        if self.repair == Repair::Parts {
            let reading = attempt
                .until
                .race(message.check_with(Checker::default().strict()));
            if !matches!(self.ledger.keep(claim, reading).await, Some(Ok(()))) {
                return false;
            }
        }
        message.is_strict = true;
        tracing::warn!(
            message_id = outgoing.message_id.as_str(),
            "SES has refused the message although nothing was found in it; it goes out once more, in its plainest form. Please \
             report the words of its outcome's refusal"
        );
        true
    }

    /// Sends the message to all of its targets, and records each delivery before the next. The claim ends with the last
    /// delivery, unless more is to be recorded for the recipient.
    async fn send_all(
        &self,
        attempt: &Attempt<'_>,
        mut sending: Sending<'_>,
        all: &[Address],
        mut receipt: Receipt,
        claim: &mut Claim,
        outcome: &mut Outcome,
    ) -> Result<Receipt, Stop> {
        let (mut ids, mut failed): (_, Option<SendError>) = (Vec::new(), None);
        loop {
            self.ledger.refresh(claim).await;
            if claim.is_lost() {
                return Err(Stop::failed(Cause::InProgress, IN_PROGRESS));
            }
            match self.ledger.keep(claim, sending.next()).await {
                None => break,
                Some(Ok(Sent { to, id })) => {
                    ids.push(id.clone());
                    receipt.id = id;
                    let is_last = to.last().is_some_and(|last| last + 1 == all.len());
                    let ends = is_last && failed.is_none() && !attempt.holds;
                    let delivery = Delivery::Sent {
                        targets: to.into_iter().map(|at| all[at].clone()).collect(),
                        receipt: receipt.clone(),
                    };
                    let last_of = ends.then_some(attempt.recipient);
                    self.ledger
                        .record(claim, delivery, last_of, attempt.deadline)
                        .await;
                }
                Some(Err(error)) if error.cause == Cause::Rejected => {
                    outcome.refusal.get_or_insert_with(|| error.reason.clone());
                    failed = failed.or(Some(error));
                }
                // This error is the last item: nothing is sent after it. It may leave open whether a target has got the
                // message.
                Some(Err(error)) => {
                    if error.cause == Cause::Ambiguous {
                        claim.doubt(&all[sending.asked()]);
                    }
                    failed = Some(error);
                }
            }
        }
        receipt.id = ids.join(",");
        match failed {
            None => Ok(receipt),
            Some(error) => {
                let all = &attempt.route.targets;
                Err(not_sent(&error, all, &claim.deliveries().left(all)))
            }
        }
    }

    /// Records that the message cannot go out in this form: the next recipient with the same targets and options fails
    /// alike, without another request.
    pub(super) async fn record_failure(
        &self,
        claim: &mut Claim,
        attempt: &Attempt<'_>,
        outgoing: &Outgoing,
        stop: &Stop,
    ) {
        if let Stop::Failed { cause, error } = stop {
            let failure = Failure {
                targets: claim.deliveries().left(&outgoing.to),
                alias: untagged(&attempt.route.alias),
                options: attempt.route.options.clone(),
                cause: *cause,
                error: error.clone(),
            };
            let failed = Delivery::Failed(Box::new(failure));
            self.ledger.record(claim, failed, None, attempt.deadline).await;
        }
    }

    pub(super) fn check_size(&self, octets: u64, more_than: &str) -> Result<(), Stop> {
        if octets <= self.max_send_bytes {
            return Ok(());
        }
        Err(Stop::failed(
            Cause::TooLarge,
            format!(
                "the message would go out with {more_than}{octets} octets, {} are allowed (MAX_SEND_BYTES); \
                 it is still in the bucket",
                self.max_send_bytes
            ),
        ))
    }
}

/// Whether the outbox has refused the message itself, rather than the moment or the account.
pub(super) fn is_rejected(sent: &Result<Receipt, Stop>) -> bool {
    let rejected = Cause::Rejected;
    matches!(sent, Err(Stop::Failed { cause, .. }) if *cause == rejected)
}
