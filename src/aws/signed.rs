//! Signed requests to services for which the SDK's own crate would be too much: the command line makes two kinds of requests to
//! Lambda and SQS. The function makes none, and has none of this in it.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::Value;

/// How often a request is made that is throttled or meets a fault of the service.
const ATTEMPTS: u32 = 4;

/// The pause before the second attempt; it doubles from then on.
const PAUSE: Duration = Duration::from_millis(500);

const NO_CREDENTIALS: &str = "no credentials are found: set AWS_PROFILE, or sign in";

/// One service, in one region, as the credentials of the environment or the profile reach it.
#[derive(Debug)]
pub(super) struct Signed {
    connector: Connector,
    credentials: Option<SharedCredentialsProvider>,
    service: &'static str,
    endpoint: String,
    region: String,
}

/// The request's path and header fields, beyond those of the signature, and its body.
pub(super) struct Post<'a> {
    /// Percent-encoded.
    pub(super) path: &'a str,
    pub(super) fields: &'a [(&'static str, &'static str)],
    pub(super) body: Vec<u8>,
    /// How long the answer may take.
    pub(super) patience: Duration,
}

/// An answer of the service that is not an error.
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    /// The field `X-Amz-Function-Error` is there.
    pub(super) is_of_failed_function: bool,
    status: u16,
}

impl Signed {
    /// Nothing is asked yet. The endpoint has no path.
    pub(super) fn new(config: &SdkConfig, service: &'static str, endpoint: String, region: String) -> Self {
        let crypto = tls::rustls_provider::CryptoMode::AwsLc;
        Signed {
            connector: Connector::builder()
                .tls_provider(tls::Provider::Rustls(crypto))
                .build(),
            credentials: config.credentials_provider(),
            service,
            endpoint,
            region,
        }
    }

    /// Posts a request, again where the service is throttling or has a fault.
    ///
    /// # Errors
    /// The service's own words, or why there is no answer.
    pub(super) async fn post(&self, post: &Post<'_>) -> Result<Answer, String> {
        let mut pause = PAUSE;
        for attempt in 1.. {
            let Ok(answer) = tokio::time::timeout(post.patience, self.send(post)).await else {
                return Err(format!("no answer within {} s", post.patience.as_secs()));
            };
            let is_passing = match &answer {
                Ok(answer) => answer.status == 429 || answer.status >= 500,
                Err(_) => true,
            };
            if is_passing && attempt < ATTEMPTS {
                tokio::time::sleep(pause).await;
                pause *= 2;
                continue;
            }
            let answer = answer?;
            return match answer.status {
                200..300 => Ok(answer),
                status => Err(format!("it answers {status} {}", error_of(&answer.body))),
            };
        }
        unreachable!("the last attempt returns")
    }

    async fn send(&self, post: &Post<'_>) -> Result<Answer, String> {
        let credentials = self.credentials.as_ref().ok_or(NO_CREDENTIALS)?;
        let credentials = credentials.provide_credentials().await;
        let identity = credentials.map_err(|_| NO_CREDENTIALS)?.into();
        let uri = format!("{}{}", self.endpoint, post.path);
        let mut request = http::Request::builder().method("POST").uri(&uri);
        for (name, value) in post.fields {
            request = request.header(*name, *value);
        }
        let body = SdkBody::from(post.body.clone());
        let mut request = request.body(body).map_err(|error| error.to_string())?;
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(|error| error.to_string())?;
        let fields = post.fields.iter().copied();
        let signable = SignableRequest::new("POST", &uri, fields, SignableBody::Bytes(&post.body));
        let signed = signable.and_then(|signable| sign(signable, &parameters.into()));
        let (instructions, _) = signed.map_err(|error| error.to_string())?.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        let request = HttpRequest::try_from(request).map_err(|error| error.to_string())?;
        let response = self.connector.call(request).await;
        let response = response.map_err(|error| cause(&error))?;
        let status = response.status().as_u16();
        let is_of_failed_function = response.headers().get("x-amz-function-error").is_some();
        let body = ByteStream::new(response.into_body()).collect().await;
        Ok(Answer {
            body: body.map_err(|error| cause(&error))?.to_vec(),
            is_of_failed_function,
            status,
        })
    }
}

/// The code and the message of an error.
fn error_of(body: &[u8]) -> String {
    let error: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |names: [&str; 2]| names.iter().find_map(|name| error[*name].as_str());
    let code = text(["__type", "code"]).unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or_default();
    let message = text(["message", "Message"]).unwrap_or_default();
    format!("{code} {message}").trim().to_owned()
}

/// The innermost cause, which is the one that says something.
fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let innermost = std::iter::successors(Some(error), |error| error.source()).last();
    innermost.map(ToString::to_string).unwrap_or_default()
}
