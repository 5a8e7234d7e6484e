//! `readdress probe`: sends SES small mails to find out what its documentation leaves open, and writes down the answers.
//!
//! The mails go from a verified identity to the operator's own address, to an alias of the operator's own, and to SES's
//! mailbox simulator. The report has SES's words without addresses, so that it can be shown to others.

mod mailbox;
pub mod questions;
mod redact;

use aws_config::SdkConfig;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Destination, EmailContent, RawMessage};
use serde::Serialize;

pub use mailbox::Bucket;
use mailbox::wait_for;
use questions::{Addresses, Question, To};
use redact::Redact;

use super::request::Aws;
use crate::aws::shared_config;

/// What SES said to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Said {
    /// The question's name.
    pub question: &'static str,
    /// The question.
    pub asks: &'static str,
    /// `accepted`, `refused`, `failed`, `arrived`, `missing`, `not asked`.
    pub answer: &'static str,
    /// SES's words, or what arrived, without addresses.
    pub seen: Vec<String>,
}

/// Asks with the credentials and the region of the environment or the profile.
///
/// # Errors
/// As [`ask`].
pub async fn ask_ses(
    addresses: &Addresses,
    bucket: Option<&Bucket>,
    asked: &[&Question],
    tell: &mut dyn FnMut(&str),
) -> Result<Vec<Said>, String> {
    let config = shared_config().await;
    ask(&config, addresses, bucket, asked, tell).await
}

/// Asks all questions in their order. If SES does not even take a plain mail, the rest is not asked.
///
/// # Errors
/// If no region is set.
pub async fn ask(
    config: &SdkConfig,
    addresses: &Addresses,
    bucket: Option<&Bucket>,
    asked: &[&Question],
    tell: &mut dyn FnMut(&str),
) -> Result<Vec<Said>, String> {
    let aws = Aws::new(config)?;
    // Each answer is to be the answer to one request.
    let settings = aws_sdk_sesv2::config::Builder::from(config).retry_config(RetryConfig::disabled());
    let client = Client::from_conf(settings.build());
    let redact = Redact::new(addresses);
    let mut all = Vec::new();
    let mut is_useless = false;
    for question in asked {
        tell(question.name);
        let mut said = Said {
            question: question.name,
            asks: question.asks,
            answer: "not asked",
            seen: Vec::new(),
        };
        let reaches_bucket = question.to != To::Operator;
        match (is_useless, reaches_bucket, bucket) {
            (true, ..) => said.seen.push("SES does not take the plain mail".to_owned()),
            (false, true, None) => said.seen.push("no bucket is known".to_owned()),
            (false, ..) => one(&aws, &client, addresses, bucket, question, &redact, &mut said).await,
        }
        is_useless |= question.name == questions::PLAIN && said.answer != "accepted";
        all.push(said);
    }
    Ok(all)
}

async fn one(
    aws: &Aws,
    client: &Client,
    addresses: &Addresses,
    bucket: Option<&Bucket>,
    question: &Question,
    redact: &Redact,
    said: &mut Said,
) {
    (said.answer, said.seen) = match send(client, addresses, question).await {
        Ok(()) => ("accepted", Vec::new()),
        Err(Refusal::Said(text)) => ("refused", vec![redact.text(&text)]),
        Err(Refusal::Failed(text)) => ("failed", vec![redact.text(&text)]),
    };
    let Some(bucket) = bucket.filter(|_| said.answer == "accepted" && question.to != To::Operator) else {
        return;
    };
    match wait_for(aws, bucket, &addresses.token, question).await {
        Ok(Some(message)) => {
            said.answer = "arrived";
            said.seen = (question.seen)(&message)
                .iter()
                .map(|line| redact.text(line))
                .collect();
        }
        Ok(None) => said.answer = "missing",
        Err(reason) => {
            said.answer = "failed";
            said.seen = vec![redact.text(&reason)];
        }
    }
}

enum Refusal {
    /// SES's answer: the code and the message.
    Said(String),
    /// There is none.
    Failed(String),
}

async fn send(client: &Client, addresses: &Addresses, question: &Question) -> Result<(), Refusal> {
    let raw = RawMessage::builder()
        .data(Blob::new(question.mail(addresses)))
        .build();
    let raw = raw.map_err(|error| Refusal::Failed(error.to_string()))?;
    let to = addresses.envelope(question.to);
    let mut request = client
        .send_email()
        .from_email_address(&addresses.from)
        .destination(Destination::builder().to_addresses(to).build())
        .content(EmailContent::builder().raw(raw).build());
    if question.to == To::BouncingSimulator {
        request = request.set_feedback_forwarding_email_address(addresses.through.clone());
    }
    match request.send().await {
        Ok(_) => Ok(()),
        Err(error) => match (error.code(), error.message()) {
            (Some(code), message) => Err(Refusal::Said(format!("{code}: {}", message.unwrap_or_default()))),
            (None, _) => Err(Refusal::Failed(DisplayErrorContext(&error).to_string())),
        },
    }
}
