//! Acts on SES's reports on sent messages: the fallback of an alias gets the message that a target did not get, and the owner
//! is told.

use super::inbox::Stored;
use super::lost::Lost;
use super::outcome::{Ending, Outcome};
use super::route::Route;
use super::steps::{Attempt, Steps, Work};
use super::stop::{OUT_OF_TIME, Stop};
use super::tell::Told;
use super::way::Way;
use crate::arrival::ReportKind;
use crate::header::mailbox::Address;
use crate::ledger::{Claim, End, Receipt};
use crate::outbox::Cause;

impl Steps {
    /// Acts on lost targets for one recipient of the message, and returns the recipient's outcome. `None`: the earlier outcome
    /// stands, since the alias no longer leads to any of the targets, or the message reached them. The targets of an answer are
    /// its correspondents.
    pub(super) async fn report(&self, work: &mut Work<'_>, text: &str, lost: &Lost) -> Option<Outcome> {
        let mut outcome = Outcome::new(&work.arrival.message_id, text, Ending::Sent);
        let Way { owner, direction } = match self.way(work, text).await {
            Ok(way) => way,
            Err(Stop::Failed { cause, error }) if cause != Cause::NotFound => {
                return Some(outcome.failed(cause, error));
            }
            Err(_) => return None,
        };
        let (route, reply, refused) = direction.parts(&owner);
        let lost = match (reply, refused) {
            (None, None) => lost.on(&route.targets, &route.options.fallback)?,
            (Some(_), None) => lost.on(&route.targets, &[])?.of_answer(),
            (_, Some(_)) => return None,
        };
        let Work {
            arrival,
            message,
            deadline,
            key,
            map,
            claim,
            ..
        } = work;
        outcome.targets = route.targets.iter().map(Address::to_string).collect();
        let attempt = Attempt {
            arrival,
            recipient: text,
            route,
            owner: &owner,
            reply,
            key: key.as_ref(),
            map,
            until: self.ledger.sends_until(*deadline),
            deadline: *deadline,
            holds: false,
        };
        let claim = claim.get_or_insert_with(|| self.ledger.open(arrival));
        let replaced = self
            .send_to_fallback(&attempt, message, claim, &lost, &mut outcome)
            .await;
        if let Some(Err((cause, error))) = replaced {
            return Some(outcome.failed(cause, error));
        }
        let receipt = replaced.and_then(Result::ok);

        let is_loss = lost.is_loss();
        let (class, is_answer) = (lost.class().as_str(), lost.is_answer);
        let stop = Stop::Lost(lost);
        let told = self.tell_of(&attempt, message, claim, &stop).await;
        outcome.told = told.is_told;
        self.record_loss(&attempt, claim, &stop, receipt.is_some(), told)
            .await;
        match receipt {
            Some(receipt) => Some(outcome.sent(receipt)),
            None if is_loss => Some(outcome.lost(class, is_answer)),
            None => None,
        }
    }

    /// Sends the message to the fallback of the alias, once, if a target did not get it. `None`: there is nobody to send it to,
    /// or SES will not take it for them either. An error means that a later attempt may succeed.
    async fn send_to_fallback(
        &self,
        attempt: &Attempt<'_>,
        message: &mut Stored<'_>,
        claim: &mut Claim,
        lost: &Lost,
        outcome: &mut Outcome,
    ) -> Option<Result<Receipt, (Cause, String)>> {
        let options = attempt.route.options;
        // An answer has none.
        let has_fallback =
            attempt.reply.is_none() && options.fallback.iter().any(|fallback| !lost.contains(fallback));
        if !has_fallback || !lost.is_loss() || lost.kind == ReportKind::Reject {
            return None;
        }
        let route = Route {
            alias: attempt.route.alias.clone(),
            targets: options.fallback.clone(),
            options,
        };
        let attempt = Attempt {
            route: &route,
            ..*attempt
        };
        let (is_claimed, sent) = self
            .claim_and_deliver(&attempt, None, message, claim, outcome)
            .await;
        let stop = match sent {
            Ok(receipt) | Err(Stop::Delivered(receipt)) => return Some(Ok(receipt)),
            Err(stop) => stop,
        };
        if let Some(end) = stop.end().filter(|_| is_claimed) {
            self.ledger
                .release(claim, attempt.recipient, &end, attempt.deadline)
                .await;
        }
        match stop {
            Stop::Failed { cause, error } if !cause.is_permanent() => Some(Err((cause, error))),
            _ => None,
        }
    }

    /// Tells the owner. Where the message cannot be read any more, nobody is told.
    async fn tell_of(
        &self,
        attempt: &Attempt<'_>,
        message: &mut Stored<'_>,
        claim: &mut Claim,
        stop: &Stop,
    ) -> Told {
        let reading = async {
            let message = message.open().await.map_err(|error| error.to_string())?;
            // This finds out whether the message is a notice of ours.
            let _ = message.facts(attempt.arrival).await;
            Ok::<_, String>(message)
        };
        let opened = attempt.until.race(reading).await;
        match opened.unwrap_or_else(|| Err(OUT_OF_TIME.to_owned())) {
            Ok(message) => self.tell(attempt, Some(message), claim, stop).await,
            Err(error) => {
                let message_id = attempt.arrival.message_id.as_str();
                tracing::warn!(message_id, error, "the owner could not be told of SES's report");
                Told::default()
            }
        }
    }

    async fn record_loss(
        &self,
        attempt: &Attempt<'_>,
        claim: &mut Claim,
        stop: &Stop,
        is_replaced: bool,
        told: Told,
    ) {
        let end = stop.end().unwrap_or_default();
        let sent = End {
            outcome: Ending::Sent.as_str(),
            ..End::default()
        };
        let end = End {
            is_told: told.is_told,
            told: told.now,
            ..if is_replaced { sent } else { end }
        };
        self.ledger
            .release(claim, attempt.recipient, &end, attempt.deadline)
            .await;
    }
}
