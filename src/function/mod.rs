//! The Lambda function: an event in, an answer out.
//!
//! An invocation succeeds only if the outcome of every recipient of every message in its event is settled: see
//! [`Outcome::is_settled`](crate::forward::Outcome::is_settled). Otherwise it fails, so that Lambda repeats it and at last
//! hands it to the on-failure destination. If the event comes from a queue, the answer instead names the messages of the queue
//! that failed, and only they come again. Every delivery made by then is recorded in the [`Forwarder`]'s ledger, and is not
//! sent again.

mod metrics;

use std::fmt;
use std::time::Instant;

use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

use crate::arrival::{Event, EventError, Record, read_event};
use crate::config::{OutboxPlace, SettingError, Settings};
use crate::connect::connect;
use crate::deadline::{Deadline, since_1970};
use crate::forward::{Forwarder, Outcome};

use metrics::Metrics;

/// The pipeline, as Lambda calls it.
#[derive(Debug)]
pub struct Function {
    forwarder: Forwarder,
    namespace: String,
    name: String,
}

/// Why an invocation failed. It names no address.
#[derive(Clone, Debug, thiserror::Error)]
pub enum InvocationError {
    /// The function's settings are wrong.
    #[error("the function's environment is wrong: {0}; mend it, then send what failed again")]
    Settings(#[from] SettingError),
    /// The event is not about mail.
    #[error("{0}")]
    Event(#[from] EventError),
    /// Some mail was not forwarded.
    #[error("{0}")]
    NotForwarded(Summary),
}

impl InvocationError {
    fn kind(&self) -> &'static str {
        match self {
            InvocationError::Settings(_) => "Settings",
            InvocationError::Event(_) => "Event",
            InvocationError::NotForwarded(_) => "NotForwarded",
        }
    }
}

impl From<InvocationError> for Diagnostic {
    fn from(error: InvocationError) -> Self {
        Diagnostic {
            error_type: error.kind().to_owned(),
            error_message: error.to_string(),
        }
    }
}

/// The outcomes of an event, for whoever finds it at the on-failure destination.
#[derive(Clone)]
pub struct Summary(Vec<Outcome>);

/// The same as its text: the runtime logs this form of an error, and outcomes hold addresses.
impl fmt::Debug for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (settled, failed): (Vec<_>, Vec<_>) = self.0.iter().partition(|o| o.is_settled());
        write!(
            f,
            "{} of {} recipients did not get their mail",
            failed.len(),
            self.0.len()
        )?;
        for outcome in failed {
            let id = outcome.message_id.as_deref().unwrap_or("unknown");
            let reason = outcome.error.as_deref().unwrap_or("no reason is known");
            write!(f, "; message {id} {}: {reason}", outcome.ending.as_str())?;
        }
        for outcome in settled {
            let id = outcome.message_id.as_deref().unwrap_or("unknown");
            write!(f, "; message {id} {}", outcome.ending.as_str())?;
        }
        Ok(())
    }
}

impl Function {
    /// The function with these settings. Its metrics carry `name`, its own.
    ///
    /// # Errors
    /// If a setting is wrong.
    pub async fn new(settings: &Settings, name: String) -> Result<Self, SettingError> {
        if let OutboxPlace::Directory(_) = settings.outbox {
            let reason = "a directory of the function is gone with it, and the mail in it; write ses";
            return Err(SettingError::new("OUTBOX", reason));
        }
        Ok(Function {
            forwarder: connect(settings).await?,
            namespace: settings.metrics_namespace.clone(),
            name,
        })
    }

    /// Forwards all messages that the event names. `end` is when Lambda ends the invocation, in milliseconds since 1970.
    ///
    /// # Errors
    /// If anything is left to be done: see [`InvocationError`].
    pub async fn invoke(&self, event: &Value, end: u64) -> Result<Value, InvocationError> {
        let started = Instant::now();
        let mut metrics = Metrics::default();
        let deadline = Deadline::of_invocation(end);
        let answer = self.forward(event, deadline, &mut metrics).await;
        if let Err(error @ InvocationError::Event(_)) = &answer {
            tracing::error!(%error, "nothing was forwarded");
            metrics.failed += 1;
        }
        metrics.duration = started.elapsed();
        // CloudWatch reads metrics from the log: this is a line in their format beside those of tracing.
        let now = u64::try_from(since_1970().as_millis()).unwrap_or(u64::MAX);
        println!("{}", metrics.embedded(&self.namespace, &self.name, now));
        answer
    }

    async fn forward(
        &self,
        event: &Value,
        deadline: Deadline,
        metrics: &mut Metrics,
    ) -> Result<Value, InvocationError> {
        let records = read_event(event)?;
        let mut all = Vec::new();
        let mut items = Items::default();
        for Record { queue_item, event } in records {
            let outcomes = self.take(event, deadline, metrics).await;
            if let Some(item) = queue_item {
                items.add(item, outcomes.iter().all(Outcome::is_settled));
            }
            all.extend(outcomes);
        }
        if all.iter().all(Outcome::is_settled) || items.any_succeeded() {
            return Ok(items.answer());
        }
        Err(InvocationError::NotForwarded(Summary(all)))
    }

    async fn take(
        &self,
        event: Result<Event, EventError>,
        deadline: Deadline,
        metrics: &mut Metrics,
    ) -> Vec<Outcome> {
        let outcomes = match event {
            Ok(Event::Arrival(arrival)) => self.forwarder.forward(&arrival, deadline).await,
            Ok(Event::Report(report)) => {
                let reported = self.forwarder.report(&report, deadline).await;
                metrics.count_report(reported.believed);
                reported.outcomes
            }
            Err(error) => {
                let outcome = Outcome::of_bad_record(error.message_id(), error.to_string());
                outcome.log();
                vec![outcome]
            }
        };
        for outcome in &outcomes {
            metrics.count(outcome);
        }
        outcomes
    }
}

/// The messages of the queue that the event came from, if any.
#[derive(Default)]
struct Items {
    failed: Vec<String>,
    settled: Vec<String>,
}

impl Items {
    fn add(&mut self, item: String, settled: bool) {
        let list = if settled {
            &mut self.settled
        } else {
            &mut self.failed
        };
        if !list.contains(&item) {
            list.push(item);
        }
    }

    /// Whether any message of the queue is done, so that the others have to come again alone. If none is, the invocation
    /// fails as a whole: that is safe even if the queue's trigger does not read the answer (`ReportBatchItemFailures`).
    fn any_succeeded(&self) -> bool {
        self.settled.iter().any(|item| !self.failed.contains(item))
    }

    fn answer(&self) -> Value {
        let failed = self.failed.iter().map(|item| json!({"itemIdentifier": item}));
        json!({"batchItemFailures": failed.collect::<Vec<_>>()})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Catches an item that has two records, of which one failed, and is taken out of the queue.
    #[test]
    fn an_item_fails_with_any_of_its_records() {
        let mut items = Items::default();
        items.add("a".to_owned(), true);
        items.add("a".to_owned(), false);
        assert!(!items.any_succeeded());
        items.add("b".to_owned(), true);
        assert!(items.any_succeeded());
        assert_eq!(
            items.answer(),
            json!({"batchItemFailures": [{"itemIdentifier": "a"}]})
        );
    }
}
