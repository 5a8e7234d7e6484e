//! SES as the outbox: messages go out by `SendEmail` of the v2 API, in memory that does not grow with the message.
//!
//! The SDK's client signs, connects and reads the answer. Its own body of a request, a copy of the message in a buffer,
//! is replaced before each attempt by one that is written from the stored message while it is sent.
//!
//! # Retries
//! Retries are decided here and not by the SDK, which would take every send for one that can be repeated.
//! - After throttling, 503, and a 5xx or a broken connection before all of the message was handed over, the request is made
//!   again, after a pause that doubles each time, as long as attempts and time are left.
//! - After any other 5xx, or without an answer, once all of the message was handed over, the request is **not** made again. SES
//!   may have sent the message, and has no token to find out. The error says so ([`Cause::Ambiguous`]), and whoever repeats the
//!   arrival decides.
//! - After any other error the request is not made again: it would fail again.

mod failure;
mod measure;
mod request;

use std::ops::Range;
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

use crate::arrival::TAG;
use crate::aws::SesConfig;
use crate::config::SesSettings;
use crate::deadline::Deadline;
use crate::header::mailbox::Address;
use crate::outbox::error::{Cause, SendError};
use crate::outbox::message::{BodyReader, Content, Outgoing, Sent};
use crate::rewrite::PlanWriter;

use failure::Failure;
use measure::{Measure, Measured};
use request::{Destination, EmailTag, Progress, Request, Tail};

/// The most recipients that SES takes in one call.
pub const MAX_RECIPIENTS: usize = 50;

/// The most attempts to send one batch. With the pauses between them they last 8 seconds, in which a rate of one message
/// a second, that of a new account, has room for a few.
const MAX_ATTEMPTS: u32 = 6;

/// The pause after the first attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// SES, as a place to send to.
#[derive(Clone, Debug)]
pub struct SesOutbox {
    client: Client,
    settings: SesSettings,
}

/// A message whose requests have the same beginning.
#[derive(Debug)]
pub struct Sending<'a> {
    outbox: &'a SesOutbox,
    /// Boxed: ring holds a state of any of its hashes.
    measured: Box<Measured>,
    message_octets: u64,
    content: Arc<Content>,
    from: String,
    /// The value of the tag that names the message in SES's reports. `None`: no tag can hold its id.
    id_tag: Option<String>,
    to: Vec<String>,
    /// Where the next batch begins in `to`. One address that SES does not like makes it refuse the batch and only that;
    /// after any other error there is no next batch.
    next: usize,
    /// The last batch that SES was asked to take.
    asked: Range<usize>,
    deadline: Deadline,
}

impl SesOutbox {
    /// An outbox whose client has this configuration, except that it neither retries, which is decided here, nor is protected
    /// against stalled streams: the protection took a slow receiver for dead after 5 seconds, and the message was sent
    /// again.
    pub fn new(config: SesConfig, settings: SesSettings) -> Self {
        let config = config
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        SesOutbox {
            client: Client::from_conf(config.build()),
            settings,
        }
    }

    /// Hashes and counts the message, which all requests begin with.
    pub(super) async fn begin<'a>(
        &'a self,
        outgoing: &'a Outgoing,
        body: &mut BodyReader,
        deadline: Deadline,
    ) -> Result<Sending<'a>, SendError> {
        let mut measure = Measure::new();
        let mut writer = PlanWriter::new(&*outgoing.content.plan, body.from());
        let mut message_octets = 0;
        let mut write = |octets: &[u8]| {
            message_octets += octets.len() as u64;
            measure.write(octets);
        };
        // Hashing is the most of this reading: what will not go out so is not hashed.
        loop {
            let is_for_findings = body.is_for_findings();
            let Some(chunk) = body.next().await? else {
                break;
            };
            if !is_for_findings {
                writer.write(chunk, &mut write);
            }
        }
        writer.end(&mut write);
        Ok(Sending {
            message_octets,
            outbox: self,
            measured: Box::new(measure.end()),
            content: Arc::clone(&outgoing.content),
            from: outgoing.from.to_string(),
            id_tag: outgoing.message_id.to_tag(),
            to: outgoing.to.iter().map(Address::to_string).collect(),
            next: 0,
            asked: 0..0,
            deadline,
        })
    }

    async fn send_batch(&self, request: &Request, deadline: Deadline) -> Result<String, SendError> {
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
        // `Replace` puts the message in its place.
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
            // The answer broke off or cannot be read, but its status says that SES has taken the message.
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

impl Sending<'_> {
    pub(super) fn message_octets(&self) -> u64 {
        self.message_octets
    }

    pub(super) async fn next(&mut self) -> Option<Result<Sent, SendError>> {
        let begin = self.next;
        let end = self.to.len().min(begin + MAX_RECIPIENTS);
        if begin == end {
            return None;
        }
        self.next = end;
        self.asked = begin..end;
        let request = self.request(&self.to[begin..end]);
        let answer = self.outbox.send_batch(&request, self.deadline).await;
        if let Err(error) = &answer
            && error.cause != Cause::Rejected
        {
            self.next = self.to.len();
        }
        let to = (begin..end).collect();
        Some(answer.map(|id| Sent { to, id }))
    }

    /// The targets of the last request.
    pub(super) fn asked(&self) -> Range<usize> {
        self.asked.clone()
    }

    fn request(&self, to_addresses: &[String]) -> Request {
        let settings = &self.outbox.settings;
        let feedback = settings.feedback_email.as_ref().map(Address::to_string);
        let id_tag = self.id_tag.as_deref().map(|value| EmailTag { name: TAG, value });
        let tail = Tail {
            from_email_address: &self.from,
            destination: Destination { to_addresses },
            feedback_forwarding_email_address: feedback.as_deref(),
            email_tags: settings.tags.iter().map(EmailTag::from).chain(id_tag).collect(),
            configuration_set_name: settings.configuration_set.as_deref(),
        };
        self.measured.request(&self.content, &tail)
    }
}

/// Replaces the body of a request in each attempt, before it is signed.
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
