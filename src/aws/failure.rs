//! The meaning of the SDK's errors for what is stored: their causes, in words without the SDK's dumps.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::cause::{Cause, StorageError};

const NO_REGION: &str = "no region is set: set AWS_REGION, or a region in the profile";

const LOG_IN: &str =
    "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in (aws sso login)";

/// What a service was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    /// The name of the service.
    pub(super) service: &'static str,
    /// Whether the client has a region.
    pub(super) has_region: bool,
    /// The advice to somebody who is refused.
    pub(super) if_denied: &'static str,
}

impl Request {
    /// Returns why the request failed. No address is in the text: the names of sessions can be addresses.
    pub(super) fn explain<E>(self, error: &SdkError<E>) -> StorageError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let service = self.service;
        let status = error.raw_response().map(|response| response.status().as_u16());
        let (cause, reason) = match (status, error) {
            (Some(status), _) => {
                let code = error.code().unwrap_or("without a code");
                self.answered(status, code, error.message().unwrap_or_default())
            }
            _ if !self.has_region => (Cause::Configuration, NO_REGION.to_owned()),
            (None, SdkError::TimeoutError(_)) => {
                (Cause::Unavailable, format!("{service} did not answer in time"))
            }
            (None, _) => {
                let chain = chain(error);
                if chain.contains("credential") || chain.contains("identity") {
                    let reason = format!("there are no working AWS credentials ({chain}); {LOG_IN}");
                    (Cause::Configuration, reason)
                } else if matches!(error, SdkError::ConstructionFailure(_)) {
                    let reason = format!("the request to {service} could not be made: {chain}");
                    (Cause::Configuration, reason)
                } else {
                    (
                        Cause::Unavailable,
                        format!("{service} could not be reached: {chain}"),
                    )
                }
            }
        };
        StorageError::new(cause, without_addresses(&reason))
    }

    fn answered(self, status: u16, code: &str, message: &str) -> (Cause, String) {
        let cause = cause_of(status, code);
        let advice = match (cause, code) {
            (Cause::NotFound, "NoSuchKey") => {
                return (cause, "there is no such object (NoSuchKey)".to_owned());
            }
            (Cause::NotFound, "ParameterNotFound") => {
                let reason = "there is no such parameter (ParameterNotFound) in this region and account";
                return (cause, reason.to_owned());
            }
            (Cause::Configuration, "NoSuchBucket") => {
                return (cause, "there is no bucket of this name (NoSuchBucket)".to_owned());
            }
            (Cause::Denied, _) => self.if_denied,
            (Cause::Configuration, code) if BAD_CREDENTIALS.contains(&code) => LOG_IN,
            (Cause::Configuration, code) if ELSEWHERE.contains(&code) => {
                "the bucket is in another region: set AWS_REGION to that"
            }
            (Cause::Unreadable, _) => "it was moved to an archive: restore it first",
            _ => "",
        };
        let message = if message.is_empty() {
            String::new()
        } else {
            format!(": {message}")
        };
        let advice = if advice.is_empty() {
            String::new()
        } else {
            format!("; {advice}")
        };
        let reason = format!("{} answers {status} {code}{message}{advice}", self.service);
        (cause, reason)
    }
}

/// The credentials are wrong, have expired, or the clock is off.
const BAD_CREDENTIALS: [&str; 11] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// The bucket is in another region than the one that was asked.
const ELSEWHERE: [&str; 3] = [
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "PermanentRedirect",
];

fn cause_of(status: u16, code: &str) -> Cause {
    match code {
        "NoSuchKey" | "ParameterNotFound" => Cause::NotFound,
        "InvalidObjectState" => Cause::Unreadable,
        "SlowDown" | "Throttling" | "ThrottlingException" | "RequestLimitExceeded" => Cause::Throttled,
        // SSM says this with 400.
        "AccessDeniedException" => Cause::Denied,
        code if BAD_CREDENTIALS.contains(&code) => Cause::Configuration,
        _ if matches!(status, 401 | 403) => Cause::Denied,
        _ if status == 429 => Cause::Throttled,
        _ if status >= 500 => Cause::Unavailable,
        _ => Cause::Configuration,
    }
}

/// The texts of an error and of those behind it. The SDK's outermost error says almost nothing, and its `Debug` dumps all of
/// the request.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut chain = error.to_string();
    let mut inner = error.source();
    while let Some(error) = inner {
        let text = error.to_string();
        if !chain.ends_with(&text) {
            chain = format!("{chain}: {text}");
        }
        inner = error.source();
    }
    chain
}

fn without_addresses(text: &str) -> String {
    let hide = |word| match word {
        word if str::contains(word, '@') => "(an address)",
        word => word,
    };
    text.split(' ').map(hide).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const S3: Request = Request {
        service: "S3",
        has_region: true,
        if_denied: "ask for s3:GetObject",
    };

    /// The error table. Catches a passing fault that its owner is told to mend, and one of the settings that is waited out.
    #[test]
    fn each_answer_has_its_cause_and_its_advice() {
        for (status, code, cause, says) in [
            (404, "NoSuchKey", Cause::NotFound, "no such object"),
            (
                404,
                "NoSuchBucket",
                Cause::Configuration,
                "no bucket of this name",
            ),
            (400, "ParameterNotFound", Cause::NotFound, "no such parameter"),
            (403, "AccessDenied", Cause::Denied, "s3:GetObject"),
            (400, "AccessDeniedException", Cause::Denied, "s3:GetObject"),
            (403, "InvalidAccessKeyId", Cause::Configuration, "AWS_PROFILE"),
            (400, "ExpiredToken", Cause::Configuration, "AWS_PROFILE"),
            (301, "PermanentRedirect", Cause::Configuration, "another region"),
            (403, "InvalidObjectState", Cause::Unreadable, "archive"),
            (503, "SlowDown", Cause::Throttled, "S3 answers 503 SlowDown"),
            (500, "InternalError", Cause::Unavailable, "S3 answers 500"),
            (400, "KMS.DisabledException", Cause::Configuration, "KMS.Disabled"),
        ] {
            let (told, reason) = S3.answered(status, code, "as it is");
            assert_eq!(told, cause, "{code}");
            assert!(reason.contains(says), "{reason}");
        }
    }

    /// The name of a session, which AWS repeats, is often its user's address.
    #[test]
    fn no_address_is_in_the_text() {
        let text =
            without_addresses("User: arn:aws:sts::1:assumed-role/R/jane@example.org is not authorized");
        assert_eq!(text, "User: (an address) is not authorized");
    }
}
