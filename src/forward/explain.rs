//! Explains the outcome of an arrival for one recipient without sending. The steps are those of [`super::recipient`]; nothing
//! is claimed, sent, told or recorded.

use std::sync::Arc;

use super::inbox::{Inbox, Stored};
use super::outcome::{Ending, Outcome};
use super::steps::{Attempt, Steps, Work};
use super::stop::Stop;
use super::traces::{self, Traces};
use super::way::Way;
use crate::alias_key::{KeyCache, KeyReadError};
use crate::alias_store::{AliasCache, ReadError};
use crate::arrival::{Arrival, Recipients};
use crate::bucket::Bucket;
use crate::config::Settings;
use crate::deadline::Deadline;
use crate::header::mailbox::Address;
use crate::ledger::{Ledger, Receipt};
use crate::outbox::{Cause, Outbox, Sending};
use crate::preflight::{Checker, Report};
use crate::rewrite::Plan;

const REFUSED: &str =
    "SES would refuse the message as it is planned: some findings are left, which no edit mends";

/// Explains the outcome that the pipeline would have for a message.
#[derive(Debug)]
pub struct Explainer {
    aliases: AliasCache,
    inbox: Inbox,
    steps: Steps,
    key: Option<KeyCache>,
}

/// The reason why no message can be explained.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// There is no alias map.
    #[error(transparent)]
    Map(#[from] ReadError),
    /// There is no key.
    #[error(transparent)]
    Key(#[from] KeyReadError),
}

/// The explanation of a message for one recipient. Fields of steps that the message does not reach are `None`.
#[derive(Debug)]
pub struct Explanation {
    /// The outcome that forwarding would have, without an id: nothing has been sent.
    pub outcome: Outcome,
    /// The key of the alias map that matches, and the form of the key in words.
    pub key: Option<(String, String)>,
    /// The mistake for which the entry of that key cannot be used.
    pub mistake: Option<String>,
    /// The most octets that may go out.
    pub max_send_bytes: u64,
    /// The header section as it is stored, its empty line included.
    pub header: Option<Vec<u8>>,
    /// The edits.
    pub plan: Option<Arc<Plan>>,
    /// The reasons for which SES would refuse the stored message, or might.
    pub found: Option<Report>,
    /// The reasons for which SES would refuse the outgoing message, or might.
    pub left: Option<Report>,
    /// If it is an answer, what its body tells of its owner.
    pub traces: Option<Traces>,
    /// Whether it is taken as proven that the owner wrote the answer, since there is no event to say so.
    pub assumes_dmarc: bool,
}

impl Explainer {
    pub(crate) fn new(aliases: AliasCache, bucket: Bucket, settings: &Settings) -> Self {
        Explainer {
            aliases,
            inbox: Inbox::new(bucket, settings.email_prefix.clone()),
            steps: Steps::new(Outbox::Nowhere, Ledger::default(), settings),
            key: None,
        }
    }

    pub(crate) fn with_key(self, key: KeyCache) -> Self {
        Explainer {
            key: Some(key),
            ..self
        }
    }

    /// Explains the outcome for this recipient, of the stored message of the arrival or of the one that is given.
    ///
    /// # Errors
    /// If the alias map or the key cannot be read.
    pub async fn explain(
        &self,
        arrival: &Arrival,
        message: Option<Vec<u8>>,
        recipient: &str,
    ) -> Result<Explanation, NotReady> {
        let map = self.aliases.for_recipients(&Recipients::Unknown).await?;
        let assumes_dmarc = message.is_some() && arrival.verdicts.is_none();
        let stored = match message {
            Some(message) => self.inbox.at_hand(arrival, message).await,
            None => self.inbox.stored(arrival),
        };
        let key = match &self.key {
            Some(key) => Some(key.current().await?),
            None => None,
        };
        let mut work = Work::new(arrival, &map, key, stored, Deadline::NEVER);
        work.assumes_dmarc = assumes_dmarc;
        let outcome = Outcome::new(&arrival.message_id, recipient, Ending::Sent);
        let mut explanation = Explanation {
            outcome: outcome.clone(),
            key: None,
            mistake: None,
            max_send_bytes: self.steps.max_send_bytes,
            header: None,
            plan: None,
            found: None,
            left: None,
            traces: None,
            assumes_dmarc: false,
        };
        if let Some(resolved) = Address::parse(recipient)
            .ok()
            .as_ref()
            .and_then(|alias| map.aliases.resolve(alias))
        {
            explanation.key = Some((resolved.key.to_owned(), resolved.form.to_string()));
            explanation.mistake = resolved.entry.err().map(str::to_owned);
        }
        let taken = self.steps.examine(&mut work, recipient, &mut explanation).await;
        explanation.outcome = Steps::conclude(explanation.outcome, taken);
        explanation.outcome.sent_id = None;
        if explanation.outcome.bytes_in.is_some()
            && let Ok(message) = work.message.open().await
        {
            explanation.header = Some(message.head.header.raw().to_vec());
            // The findings are missing where nothing may be repaired, or not all was read.
            let is_read = message.found.is_some() || message.check_with(Checker::default()).await.is_ok();
            explanation.found = message.found.take().filter(|_| is_read);
        }
        Ok(explanation)
    }
}

impl Explanation {
    /// Whether the message would go out as it is planned.
    pub fn goes_out(&self) -> bool {
        self.outcome.ending == Ending::Sent
    }
}

impl Steps {
    /// Takes all steps for a recipient that come before the send, as if nothing had been sent yet.
    async fn examine(
        &self,
        work: &mut Work<'_>,
        text: &str,
        explanation: &mut Explanation,
    ) -> Result<Receipt, Stop> {
        let Way { owner, direction } = self.way(work, text).await?;
        let (route, reply, refused) = direction.parts(&owner);
        if let Some(stop) = refused {
            return Err(stop.clone());
        }
        explanation.outcome.targets = route.targets.iter().map(Address::to_string).collect();
        let attempt = Attempt {
            arrival: work.arrival,
            recipient: text,
            route,
            owner: &owner,
            reply,
            key: work.key.as_ref(),
            map: work.map,
            until: work.deadline,
            deadline: work.deadline,
            holds: false,
        };
        let ready = self.make_ready(&attempt, &mut work.message, explanation).await;
        if let (Some(rules), Some(message)) = (reply, work.message.opened()) {
            explanation.traces = traces::read(&message.source, &rules.owners).await.ok();
            explanation.assumes_dmarc = work.assumes_dmarc;
        }
        ready
    }

    /// Asks the policy, plans the message, and reads it in the form in which it would go out.
    async fn make_ready(
        &self,
        attempt: &Attempt<'_>,
        message: &mut Stored<'_>,
        explanation: &mut Explanation,
    ) -> Result<Receipt, Stop> {
        let outcome = &mut explanation.outcome;
        let (message, decision) = self.policy(message, attempt, outcome).await?;
        let mut targets = attempt.route.targets.clone();
        targets.retain(|target| !decision.spares(target));
        if targets.is_empty() {
            return Err(Stop::Ended(Ending::Automatic));
        }
        // The body is read with the first plan, and the findings in it may need another plan.
        let mut may_plan_again = true;
        loop {
            let outgoing = self.plan(message, attempt, &decision, targets.clone());
            explanation.plan = Some(Arc::clone(&outgoing.content.plan));
            match self.prepare(attempt, message, &outgoing, outcome).await {
                Err(Stop::Findings) if std::mem::take(&mut may_plan_again) => {}
                Err(stop) => return Err(stop),
                Ok((Sending::Nowhere(sending), receipt)) => {
                    let is_refused = sending.report.is_refused;
                    explanation.left = Some(sending.report);
                    return if is_refused {
                        Err(Stop::failed(Cause::Rejected, REFUSED))
                    } else {
                        Ok(receipt)
                    };
                }
                Ok((_, receipt)) => return Ok(receipt),
            }
        }
    }
}
