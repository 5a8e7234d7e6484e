//! SES: sends a message with `SendEmail` of the v2 API, in memory that does not grow with the message.
//!
//! The SDK's client signs, connects and reads the answer. Its own idea of the body, a copy of the message in a buffer,
//! is replaced before each attempt by one that is written from the stored message as it is sent.
//!
//! # Retries
//! They are decided here and not by the SDK, which would take every send for one that can be repeated.
//! - Throttling, 5xx, and a connection that fails before all of the message was handed over: again, after a pause that
//!   doubles each time, as long as attempts and time are left.
//! - No answer after all of the message was handed over: **not** again. SES may have sent it, and has no token to find
//!   out. The outcome says so ([`Cause::Ambiguous`]), and whoever repeats the arrival decides.
//! - Everything else stays as it is and is not repeated.

mod failure;
mod measure;
mod request;

use std::sync::Arc;
use std::time::Duration;

use aws_runtime::auth::PayloadSigningOverride;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::StalledStreamProtectionConfig;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{EmailContent, RawMessage};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;

use crate::aws::SesConfig;
use crate::config::SesSettings;
use crate::deadline::Deadline;
use crate::header::mailbox::Address;
use crate::outbox::{Batch, Cause, FirstReading, Outgoing, SendError};

use failure::Failure;
use measure::{Measure, Measured};
use request::{Destination, Message, Progress, Request, Tail};

/// Recipients that SES takes in one call.
pub const MAX_RECIPIENTS: usize = 50;

/// Attempts to send one batch. With the pauses between them they last 8 seconds, in which a rate of one message a
/// second, that of a new account, has room for a few.
const MAX_ATTEMPTS: u32 = 6;

/// The pause after the first attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// An attempt is given up this long before the deadline, to leave time to report which batches have been sent.
const REPORTING_MARGIN: Duration = Duration::from_millis(250);

/// SES, as a place to send to.
#[derive(Clone, Debug)]
pub struct SesOutbox {
    client: Client,
    settings: SesSettings,
}

impl SesOutbox {
    /// An outbox whose client has this configuration, but for what must not be left to the SDK: retries, which are decided
    /// here, and the protection against stalled streams. A receiver may be slow; the protection took one for dead after 5
    /// seconds, and the message was sent again.
    pub fn new(config: SesConfig, settings: SesSettings) -> Self {
        let config = config
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        SesOutbox {
            client: Client::from_conf(config.build()),
            settings,
        }
    }

    pub(crate) async fn send(
        &self,
        outgoing: Outgoing<'_>,
        body: &mut FirstReading,
        deadline: Deadline,
    ) -> Result<String, SendError> {
        let mut measure = Measure::new();
        measure.write(&outgoing.header);
        while let Some(chunk) = body.next().await? {
            measure.write(chunk);
        }
        let measured = measure.end();
        let message = Arc::new(Message {
            header: outgoing.header,
            source: outgoing.source.clone(),
            body_at: outgoing.body_at,
        });
        let from = outgoing.from.to_string();
        let to: Vec<String> = outgoing.to.iter().map(Address::to_string).collect();
        let mut sent: Vec<Batch> = Vec::new();
        let mut failed: Option<SendError> = None;
        for (n, batch) in to.chunks(MAX_RECIPIENTS).enumerate() {
            let request = self.request(&measured, &message, &from, batch);
            match self.send_batch(&request, deadline).await {
                Ok(id) => {
                    let first = n * MAX_RECIPIENTS;
                    let to = first..first + batch.len();
                    sent.push(Batch { to, id });
                }
                Err(error) => {
                    // One address that SES does not like makes it refuse the batch, and only that.
                    let goes_on = error.cause == Cause::Rejected;
                    failed.get_or_insert(error);
                    if !goes_on {
                        break;
                    }
                }
            }
        }
        match failed {
            None => {
                let ids: Vec<String> = sent.into_iter().map(|batch| batch.id).collect();
                Ok(ids.join(","))
            }
            Some(error) => Err(partly_sent(error, sent, to.len())),
        }
    }

    fn request(
        &self,
        measured: &Measured,
        message: &Arc<Message>,
        from: &str,
        to_addresses: &[String],
    ) -> Request {
        let feedback = self.settings.feedback_email.as_ref().map(Address::to_string);
        let tail = Tail {
            from_email_address: from,
            destination: Destination { to_addresses },
            feedback_forwarding_email_address: feedback.as_deref(),
            email_tags: &self.settings.tags,
            configuration_set_name: self.settings.configuration_set.as_deref(),
        };
        measured.request(message, &tail)
    }

    async fn send_batch(&self, request: &Request, deadline: Deadline) -> Result<String, SendError> {
        let deadline = deadline.earlier(REPORTING_MARGIN);
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            let failure = match self.attempt(request, deadline).await {
                Ok(id) => return Ok(id),
                Err(failure) => failure,
            };
            if !failure.repeat || attempt == MAX_ATTEMPTS || !deadline.leaves(pause) {
                let mut error = failure.error;
                if attempt > 1 {
                    error.reason = format!("{} (attempt {attempt})", error.reason);
                }
                return Err(error);
            }
            tracing::warn!(
                attempt,
                cause = failure.error.cause.as_str(),
                reason = failure.error.reason,
                "SES is asked again"
            );
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        unreachable!("the last attempt returns")
    }

    async fn attempt(&self, request: &Request, deadline: Deadline) -> Result<String, Failure> {
        let progress = Arc::new(Progress::default());
        // The message proper is put in its place by `Replace`.
        let raw = RawMessage::builder().data(Blob::new([])).build();
        let content = EmailContent::builder().raw(raw.expect("it has data")).build();
        let send = self
            .client
            .send_email()
            .content(content)
            .customize()
            .interceptor(Replace {
                request: request.clone(),
                progress: Arc::clone(&progress),
            })
            .send();
        let Some(answer) = deadline.race(send).await else {
            return Err(Failure::out_of_time(&progress));
        };
        match answer {
            Ok(output) => Ok(output.message_id.unwrap_or_default()),
            // The answer broke off or cannot be read, but says that SES has taken the message.
            Err(error)
                if error
                    .raw_response()
                    .is_some_and(|answer| answer.status().is_success()) =>
            {
                Ok(String::new())
            }
            Err(error) => Err(Failure::new(&error, &progress)),
        }
    }
}

fn partly_sent(mut error: SendError, sent: Vec<Batch>, all: usize) -> SendError {
    let reached: usize = sent.iter().map(|batch| batch.to.len()).sum();
    if reached > 0 {
        let missed = all - reached;
        error.reason = format!(
            "it has been sent to {reached} of {all} targets and not to the other {missed}: {}",
            error.reason
        );
    }
    error.sent = sent;
    error
}

/// Replaces the body of a request before it is signed, in each attempt.
#[derive(Debug)]
struct Replace {
    request: Request,
    progress: Arc<Progress>,
}

impl Intercept for Replace {
    fn name(&self) -> &'static str {
        "Replace"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        *request.body_mut() = SdkBody::from_body_1_x(self.request.body(Arc::clone(&self.progress)));
        request
            .headers_mut()
            .insert("content-length", self.request.octets.to_string());
        let signed = PayloadSigningOverride::Precomputed(self.request.sha256.clone());
        config.interceptor_state().store_put(signed);
        Ok(())
    }
}
