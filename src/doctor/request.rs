//! Signed requests to the dozen services that a set-up touches.
//!
//! The SDK has a crate for each of them, and together these take minutes to compile. The doctor only reads, some forty
//! requests in all, so it signs them with the SDK's own signer and sends them with the SDK's own HTTP client. Every answer
//! becomes a JSON value, whichever protocol its service speaks.

use std::time::Duration;

use aws_config::SdkConfig;
use serde_json::Value;

use super::answer::{Refused, error_of, from_json, from_xml};
pub(super) use crate::aws::signed::encode;
use crate::aws::signed::{Place, Reply, Request, Signer, Unanswered, domain_of, region_of};

/// How long one request may take. The services answer within a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// A service, and the name that its requests are signed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    CloudWatch,
    Iam,
    Kms,
    Lambda,
    S3,
    Ses,
    Sns,
    Sqs,
    Ssm,
    Sts,
}

/// The account, as the credentials of the environment or the profile see it.
pub(super) struct Aws {
    signer: Signer,
    endpoint: Option<String>,
    pub(super) region: String,
}

struct Draft<'a> {
    service: Service,
    method: &'a str,
    /// The path and the query, percent-encoded.
    target: String,
    fields: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Service {
    /// The first label of the service's host, and the name in the scope of a signature.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Service::CloudWatch => ("monitoring", "monitoring"),
            Service::Iam => ("iam", "iam"),
            Service::Kms => ("kms", "kms"),
            Service::Lambda => ("lambda", "lambda"),
            Service::S3 => ("s3", "s3"),
            Service::Ses => ("email", "ses"),
            Service::Sns => ("sns", "sns"),
            Service::Sqs => ("sqs", "sqs"),
            Service::Ssm => ("ssm", "ssm"),
            Service::Sts => ("sts", "sts"),
        }
    }

    /// The endpoint, and the region that requests to it are signed for. IAM has one endpoint for each partition.
    fn endpoint(self, region: &str) -> (String, String) {
        let (host, _) = self.names();
        let suffix = domain_of(region);
        match (self, region) {
            (Service::Iam, region) if region.starts_with("cn-") => (
                format!("https://iam.cn-north-1.{suffix}"),
                "cn-north-1".to_owned(),
            ),
            (Service::Iam, region) if region.starts_with("us-gov-") => {
                (format!("https://iam.us-gov.{suffix}"), "us-gov-west-1".to_owned())
            }
            (Service::Iam, _) => (format!("https://iam.{suffix}"), "us-east-1".to_owned()),
            _ => (format!("https://{host}.{region}.{suffix}"), region.to_owned()),
        }
    }
}

impl Aws {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// If no region is set.
    pub(super) fn new(config: &SdkConfig) -> Result<Self, String> {
        Ok(Aws {
            signer: Signer::new(config),
            endpoint: config.endpoint_url().map(str::to_owned),
            region: region_of(config)?,
        })
    }

    /// A call in the query protocol; the action is the permission's name after the colon.
    pub(super) async fn query(
        &self,
        service: Service,
        version: &str,
        permission: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Value, Refused> {
        let action = permission.rsplit(':').next().unwrap_or_default();
        let all = [("Action", action), ("Version", version)];
        let pairs = all.iter().chain(parameters);
        let form: Vec<String> = pairs
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        let kind = "application/x-www-form-urlencoded; charset=utf-8".to_owned();
        let draft = Draft {
            service,
            method: "POST",
            target: "/".to_owned(),
            fields: vec![("content-type", kind)],
            body: form.join("&").into_bytes(),
        };
        self.ask(&draft, permission)
            .await
            .and_then(|reply| from_xml(&reply.body))
    }

    /// A call in the JSON protocol.
    pub(super) async fn json(
        &self,
        service: Service,
        target: &str,
        permission: &str,
        body: &Value,
    ) -> Result<Value, Refused> {
        let version = if service == Service::Sqs { "1.0" } else { "1.1" };
        let draft = Draft {
            service,
            method: "POST",
            target: "/".to_owned(),
            fields: vec![
                ("content-type", format!("application/x-amz-json-{version}")),
                ("x-amz-target", target.to_owned()),
            ],
            body: body.to_string().into_bytes(),
        };
        self.ask(&draft, permission)
            .await
            .and_then(|reply| from_json(&reply.body))
    }

    /// A GET of a service that answers in JSON. The target is percent-encoded already.
    pub(super) async fn get(
        &self,
        service: Service,
        permission: &str,
        target: &str,
    ) -> Result<Value, Refused> {
        let draft = Draft::get(service, "GET", target);
        self.ask(&draft, permission)
            .await
            .and_then(|reply| from_json(&reply.body))
    }

    /// A GET or HEAD of S3, whose answer may be XML, JSON or an object.
    pub(super) async fn s3(&self, method: &str, permission: &str, target: &str) -> Result<Reply, Refused> {
        self.ask(&Draft::get(Service::S3, method, target), permission)
            .await
    }

    async fn ask(&self, draft: &Draft<'_>, permission: &str) -> Result<Reply, Refused> {
        let (endpoint, region) = draft.service.endpoint(&self.region);
        let endpoint = self.endpoint.as_deref().unwrap_or(&endpoint);
        let place = Place {
            service: draft.service.names().1,
            region,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
        };
        let fields = draft.fields.iter().map(|(name, value)| (*name, value.as_str()));
        let request = Request {
            method: draft.method,
            target: &draft.target,
            fields: &fields.collect::<Vec<_>>(),
            body: &draft.body,
            patience: PATIENCE,
        };
        let is_passing = |reply: &Result<Reply, Unanswered>| match reply {
            Ok(reply) => reply.is_passing() || error_of(reply).is_throttling(),
            Err(_) => true,
        };
        let reply = self.signer.ask(&place, &request, is_passing).await;
        let reply = reply.map_err(|error| Refused::Failed(format!("{permission}: {error}")))?;
        match reply.status {
            200..300 => Ok(reply),
            _ => Err(error_of(&reply).refused(permission)),
        }
    }
}

impl Draft<'_> {
    fn get<'a>(service: Service, method: &'a str, target: &str) -> Draft<'a> {
        Draft {
            service,
            method,
            target: target.to_owned(),
            fields: Vec::new(),
            body: Vec::new(),
        }
    }
}
