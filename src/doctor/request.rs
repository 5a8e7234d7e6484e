//! Signed requests to the dozen services that a set-up touches.
//!
//! The SDK has a crate for each of them, and together these take minutes to compile. The doctor only reads, some forty
//! requests in all, so it signs them with the SDK's own signer and sends them with the SDK's own HTTP client. Every answer
//! becomes a JSON value, whichever protocol its service speaks.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::Value;

use super::answer::{Refused, Reply, error_of, from_json, from_xml};

/// How long one request may take. The services answer within a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a request is made that is throttled or meets a fault of the service.
const ATTEMPTS: u32 = 4;

/// The pause before the second attempt; it doubles from then on. Many calls of SES are limited to one a second.
const PAUSE: Duration = Duration::from_millis(500);

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
    connector: Connector,
    credentials: Option<SharedCredentialsProvider>,
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
        let suffix = if region.starts_with("cn-") {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
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
        let region = config
            .region()
            .map(ToString::to_string)
            .filter(|region| !region.is_empty());
        let crypto = tls::rustls_provider::CryptoMode::AwsLc;
        Ok(Aws {
            connector: Connector::builder()
                .tls_provider(tls::Provider::Rustls(crypto))
                .build(),
            credentials: config.credentials_provider(),
            endpoint: config.endpoint_url().map(str::to_owned),
            region: region.ok_or("no region is set: set AWS_REGION, or one in the profile")?,
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
        let mut pause = PAUSE;
        for attempt in 1.. {
            let reply = match tokio::time::timeout(PATIENCE, self.send(draft)).await {
                Ok(reply) => reply,
                Err(_) => Err(format!("no answer within {} seconds", PATIENCE.as_secs())),
            };
            let again = match &reply {
                Ok(reply) => reply.status == 429 || reply.status >= 500 || error_of(reply).is_throttling(),
                Err(_) => true,
            };
            if again && attempt < ATTEMPTS {
                tokio::time::sleep(pause).await;
                pause *= 2;
                continue;
            }
            let reply = reply.map_err(|reason| Refused::Failed(format!("{permission}: {reason}")))?;
            return match reply.status {
                200..300 => Ok(reply),
                _ => Err(error_of(&reply).refused(permission)),
            };
        }
        unreachable!("the last attempt returns")
    }

    async fn send(&self, draft: &Draft<'_>) -> Result<Reply, String> {
        let credentials = self.credentials.as_ref().ok_or(NO_CREDENTIALS)?;
        let credentials = credentials
            .provide_credentials()
            .await
            .map_err(|_| NO_CREDENTIALS)?;
        let (endpoint, region) = draft.service.endpoint(&self.region);
        let endpoint = self.endpoint.as_deref().unwrap_or(&endpoint);
        let uri = format!("{}{}", endpoint.trim_end_matches('/'), draft.target);
        let mut request = http::Request::builder().method(draft.method).uri(&uri);
        for (name, value) in &draft.fields {
            request = request.header(*name, value);
        }
        let mut request = request
            .body(SdkBody::from(draft.body.clone()))
            .map_err(|error| error.to_string())?;
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&region)
            .name(draft.service.names().1)
            .time(SystemTime::now())
            .settings(settings(draft.service))
            .build()
            .map_err(|error| error.to_string())?;
        let fields = draft.fields.iter().map(|(name, value)| (*name, value.as_str()));
        let signable = SignableRequest::new(draft.method, &uri, fields, SignableBody::Bytes(&draft.body));
        let signed = signable.and_then(|signable| sign(signable, &parameters.into()));
        let (instructions, _) = signed.map_err(|error| error.to_string())?.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        let request = HttpRequest::try_from(request).map_err(|error| error.to_string())?;
        let reply = self
            .connector
            .call(request)
            .await
            .map_err(|error| cause(&error))?;
        let status = reply.status().as_u16();
        let fields = reply.headers().iter();
        let fields = fields
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let body = ByteStream::new(reply.into_body()).collect().await;
        let body = body.map_err(|error| cause(&error))?.to_vec();
        Ok(Reply { status, fields, body })
    }
}

const NO_CREDENTIALS: &str = "no credentials are found: set AWS_PROFILE, or sign in";

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

/// S3 signs the path as it is sent; the other services sign it encoded once more.
fn settings(service: Service) -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    if service == Service::S3 {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    settings
}

/// The innermost cause, which is the one that says something.
fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let innermost = std::iter::successors(Some(error), |error| error.source()).last();
    innermost.map(ToString::to_string).unwrap_or_default()
}

/// Percent-encodes everything that is not unreserved (RFC 3986, 2.3).
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(octet));
            }
            _ => encoded.extend(['%', digit(octet >> 4), digit(octet & 15)]),
        }
    }
    encoded
}

fn digit(value: u8) -> char {
    char::from(b"0123456789ABCDEF"[usize::from(value)])
}
