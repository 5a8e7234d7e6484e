//! Signed requests to services for which the SDK's own crate would be too much: the command line invokes the function, reads a
//! queue, and lets the doctor look at a dozen services. The function makes none of these requests.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

use super::https;

/// How often a request is made that is throttled or meets a fault of the service.
const ATTEMPTS: u32 = 4;

/// The pause before the second attempt; it doubles from then on. Many calls of SES are limited to one a second.
const PAUSE: Duration = Duration::from_millis(500);

const NO_CREDENTIALS: &str = "no credentials are found: set AWS_PROFILE, or sign in";

/// Signs requests with the credentials of the environment or the profile, and sends them.
#[derive(Debug)]
pub(crate) struct Signer {
    connector: Connector,
    credentials: Option<SharedCredentialsProvider>,
}

/// A service in a region.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The name in the scope of a signature.
    pub(crate) service: &'static str,
    pub(crate) region: String,
    /// The endpoint, without a path.
    pub(crate) endpoint: String,
}

/// A request, without the fields of its signature.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    /// The path and the query, percent-encoded.
    pub(crate) target: &'a str,
    pub(crate) fields: &'a [(&'static str, &'a str)],
    pub(crate) body: &'a [u8],
    /// How long the answer may take.
    pub(crate) patience: Duration,
}

/// The octets of an answer, its status and its header fields.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The first field of this name, which is written in lower case.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        let found = fields.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the service asks for the request later, or has a fault.
    pub(crate) fn is_passing(&self) -> bool {
        self.status == 429 || self.status >= 500
    }
}

/// The reason why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    #[error("no answer within {} seconds", .0.as_secs())]
    Late(Duration),
    #[error("{0}")]
    Failed(String),
}

impl Signer {
    /// Nothing is asked yet.
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Signer {
            connector: https::connector(),
            credentials: config.credentials_provider(),
        }
    }

    /// Makes a request, and makes it again a few times where `is_passing` says that the result may change.
    ///
    /// # Errors
    /// Why there is no answer. An answer that is an error of the service is an answer.
    pub(crate) async fn ask(
        &self,
        place: &Place,
        request: &Request<'_>,
        is_passing: impl Fn(&Result<Reply, Unanswered>) -> bool,
    ) -> Result<Reply, Unanswered> {
        let mut pause = PAUSE;
        for _ in 1..ATTEMPTS {
            let reply = self.ask_once(place, request).await;
            if !is_passing(&reply) {
                return reply;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.ask_once(place, request).await
    }

    async fn ask_once(&self, place: &Place, request: &Request<'_>) -> Result<Reply, Unanswered> {
        match tokio::time::timeout(request.patience, self.send(place, request)).await {
            Ok(reply) => reply.map_err(Unanswered::Failed),
            Err(_) => Err(Unanswered::Late(request.patience)),
        }
    }

    async fn send(&self, place: &Place, request: &Request<'_>) -> Result<Reply, String> {
        let credentials = self.credentials.as_ref().ok_or(NO_CREDENTIALS)?;
        let credentials = credentials.provide_credentials().await;
        let identity = credentials.map_err(|_| NO_CREDENTIALS)?.into();
        let uri = format!("{}{}", place.endpoint, request.target);
        let mut message = http::Request::builder().method(request.method).uri(&uri);
        for (name, value) in request.fields {
            message = message.header(*name, *value);
        }
        let body = SdkBody::from(request.body);
        let mut message = message.body(body).map_err(|error| error.to_string())?;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&place.region)
            .name(place.service)
            .time(SystemTime::now())
            .settings(settings(place.service))
            .build()
            .map_err(|error| error.to_string())?;
        let fields = request.fields.iter().copied();
        let body = SignableBody::Bytes(request.body);
        let signable = SignableRequest::new(request.method, &uri, fields, body);
        let signed = signable.and_then(|signable| sign(signable, &parameters.into()));
        let (instructions, _) = signed.map_err(|error| error.to_string())?.into_parts();
        instructions.apply_to_request_http1x(&mut message);
        let message = HttpRequest::try_from(message).map_err(|error| error.to_string())?;
        let response = self.connector.call(message).await;
        let response = response.map_err(|error| cause(&error))?;
        let status = response.status().as_u16();
        let fields = response.headers().iter();
        let fields = fields
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let body = ByteStream::new(response.into_body()).collect().await;
        let body = body.map_err(|error| cause(&error))?.to_vec();
        Ok(Reply { status, fields, body })
    }
}

/// S3 signs the path as it is sent; the other services sign it encoded once more.
fn settings(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    if service == "s3" {
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

/// The region of the environment or the profile.
///
/// # Errors
/// If none is set.
pub(crate) fn region_of(config: &SdkConfig) -> Result<String, String> {
    let region = config.region().map(ToString::to_string);
    let region = region.filter(|region| !region.is_empty());
    region.ok_or_else(|| "no region is set: set AWS_REGION, or one in the profile".to_owned())
}

/// The domain of the endpoints in a region.
pub(crate) fn domain_of(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    }
}

/// Percent-encodes everything that is not unreserved (RFC 3986, 2.3).
pub(crate) fn encode(text: &str) -> String {
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
