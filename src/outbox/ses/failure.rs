//! The meaning of SES's answers for the mail. No other file knows its errors.

use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;

use super::request::Progress;
use crate::outbox::error::{Cause, SendError};

/// Why an attempt failed, and whether another one may follow.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: SendError,
    pub(super) repeat: bool,
}

impl Failure {
    fn of(cause: Cause, repeat: bool, reason: String) -> Self {
        let error = SendError { cause, reason };
        Failure { error, repeat }
    }

    /// The deadline came before the answer.
    pub(super) fn out_of_time(progress: &Progress) -> Self {
        if progress.is_complete() {
            return Self::ambiguous("the time ended before SES answered");
        }
        let reason = "the time ended before SES had all of the message".to_owned();
        Self::of(Cause::Deadline, false, reason)
    }

    fn ambiguous(what: &str) -> Self {
        let reason =
            format!("all of the message was handed to SES, then {what}: it may have been sent or not");
        Self::of(Cause::Ambiguous, false, reason)
    }

    pub(super) fn new(error: &SdkError<SendEmailError>, progress: &Progress) -> Self {
        if let Some(broken) = progress.broken() {
            let broken = broken.while_trying("the message could not be read again");
            return Self::of(broken.cause, false, broken.reason);
        }
        let status = error.raw_response().map(|response| response.status().as_u16());
        match (error, status) {
            (SdkError::ServiceError(service), Some(status)) => {
                let code = service.err().code().unwrap_or("Unknown");
                let message = service.err().message().unwrap_or_default();
                answered(status, code, message, progress.is_complete())
            }
            (_, Some(status)) => {
                let message = "an answer that is not understood";
                answered(status, "Unknown", message, progress.is_complete())
            }
            (SdkError::ConstructionFailure(_), None) => {
                let reason = format!("the request could not be made: {}", chain(error));
                Self::of(Cause::Configuration, false, reason)
            }
            _ if progress.is_complete() => {
                Self::ambiguous(&format!("the connection failed ({})", chain(error)))
            }
            // A connection that breaks counts as "other" too, but then some of the body was asked for.
            (SdkError::DispatchFailure(failure), None)
                if !progress.is_begun() && (failure.is_user() || failure.is_other()) =>
            {
                // Without credentials or region nothing was tried.
                Self::of(
                    Cause::Configuration,
                    false,
                    format!("SES could not be asked: {}", chain(error)),
                )
            }
            _ => Self::of(
                Cause::Unavailable,
                true,
                format!("SES could not be reached: {}", chain(error)),
            ),
        }
    }
}

/// An answer that is an error. Its text comes first: SES has few codes for many reasons.
fn answered(status: u16, code: &str, message: &str, has_message: bool) -> Failure {
    tracing::debug!(status, code, message, "SES answers");
    let reason = format!("SES answers {status} {code}: {}", without_addresses(message));
    let says = |text: &str| message.to_ascii_lowercase().contains(text);
    let (cause, repeat) = match code {
        _ if says("message length is more than") => (Cause::TooLarge, false),
        _ if says("daily message quota exceeded") => (Cause::Paused, false),
        _ if says("maximum sending rate exceeded") => (Cause::Throttled, true),
        "TooManyRequestsException" | "LimitExceededException" | "ThrottlingException" | "Throttling" => {
            (Cause::Throttled, true)
        }
        "SendingPausedException" | "AccountSuspendedException" => (Cause::Paused, false),
        "MailFromDomainNotVerifiedException" | "NotFoundException" => (Cause::Configuration, false),
        "MessageRejected" if says("not verified") => (Cause::Configuration, false),
        _ if status == 429 => (Cause::Throttled, true),
        // SES had no time for the message, or not all of it.
        _ if status >= 500 && (status == 503 || !has_message) => (Cause::Unavailable, true),
        // Something broke in SES, before it sent the message or after. Each further request could be a further copy.
        _ if status >= 500 => {
            let says = without_addresses(message);
            return Failure::ambiguous(&format!("it answered {status} {code} ({says})"));
        }
        // The request as a whole is too large.
        _ if status == 413 => (Cause::TooLarge, false),
        _ if matches!(status, 401 | 403) => (Cause::Denied, false),
        _ if status == 404 => (Cause::Configuration, false),
        _ => (Cause::Rejected, false),
    };
    Failure::of(cause, repeat, reason)
}

fn chain(error: &dyn std::error::Error) -> String {
    without_addresses(&crate::aws::chain(error))
}

/// The words of SES's answers that mailboxes follow, display names and all. The answers go to the log.
const IDENTITIES: &str = "identities failed";

fn without_addresses(text: &str) -> String {
    // "The following identities failed the check in region EU-WEST-1: …"
    let listed = text.find(IDENTITIES);
    let list = listed.and_then(|at| text[at..].find(": ").map(|colon| at + colon));
    let (text, rest) = match list {
        Some(list) => (&text[..list], ": (addresses)"),
        None => (text, ""),
    };
    let text = without_quoted(text);
    let lower = text.to_ascii_lowercase();
    let file_name = FILE_NAMES
        .iter()
        .find_map(|name| Some(lower.find(name)? + name.len()));
    let (text, hidden) = match file_name {
        Some(end) if !text[end..].trim().is_empty() => (&text[..end], " (a file name)"),
        _ => (&text[..], ""),
    };
    // "Missing final '@domain'" is SES's own text.
    let hide = |word| match word {
        word if str::contains(word, '@') && !word.starts_with("'@domain'") => "(an address)",
        word => word,
    };
    text.split(' ').map(hide).collect::<Vec<_>>().join(" ") + hidden + rest
}

/// The words that the name of an attachment follows.
const FILE_NAMES: [&str; 2] = ["filename", "file name"];

/// The text without quotations of the message: file names, local parts, names of people. Names of fields and sizes stay,
/// since an operator looks for them: `Duplicate header 'Subject'`.
fn without_quoted(text: &str) -> String {
    // JavaMail, whose texts some of SES's are, quotes ``so''.
    let text = text.replace("``", "\"").replace("''", "\"");
    let mut out = String::with_capacity(text.len());
    let mut rest = &text[..];
    while let Some(open) = rest.find(['\'', '"', '`']) {
        let (before, quoted) = rest.split_at(open);
        out.push_str(before);
        let quote = &quoted[..1];
        let inner = &quoted[1..];
        if out.ends_with(char::is_alphanumeric) {
            // An apostrophe.
            out.push_str(quote);
            rest = inner;
            continue;
        }
        let closing = if quote == "`" { "'" } else { quote };
        let ends = inner.match_indices(closing).map(|(at, _)| at);
        let mut ends = ends.filter(|at| !inner[at + 1..].starts_with(char::is_alphanumeric));
        let end = ends.next().unwrap_or(inner.len());
        let content = &inner[..end];
        let shown = if is_harmless(content) { content } else { "(hidden)" };
        out.extend([quote, shown, closing]);
        rest = inner.get(end + 1..).unwrap_or_default();
    }
    out + rest
}

/// Whether a quotation is a field name, a number, or a piece of syntax that SES missed.
fn is_harmless(quoted: &str) -> bool {
    let is_name = quoted.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    quoted.len() <= 40 && is_name || matches!(quoted, "@domain" | "=" | "<" | ">" | ";" | "," | ":")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error table. Catches a permanent error that is repeated, and a passing one that is not.
    #[test]
    fn each_answer_is_understood() {
        for (status, code, message, cause, repeat) in [
            (429, "TooManyRequestsException", "", Cause::Throttled, true),
            (400, "LimitExceededException", "", Cause::Throttled, true),
            (
                429,
                "TooManyRequestsException",
                "Daily message quota exceeded.",
                Cause::Paused,
                false,
            ),
            (400, "X", "Maximum sending rate exceeded.", Cause::Throttled, true),
            (500, "InternalServiceErrorException", "", Cause::Ambiguous, false),
            (502, "Unknown", "", Cause::Ambiguous, false),
            (503, "Unknown", "", Cause::Unavailable, true),
            (
                400,
                "MessageRejected",
                "Email address is not verified.",
                Cause::Configuration,
                false,
            ),
            (400, "MessageRejected", "Illegal filename", Cause::Rejected, false),
            (
                400,
                "BadRequestException",
                "Missing final '@domain'",
                Cause::Rejected,
                false,
            ),
            (404, "NotFoundException", "", Cause::Configuration, false),
            (403, "AccessDeniedException", "", Cause::Denied, false),
            (400, "SendingPausedException", "", Cause::Paused, false),
            (
                400,
                "BadRequestException",
                "Message length is more than 10485760 bytes long: '12078147'.",
                Cause::TooLarge,
                false,
            ),
        ] {
            let failure = answered(status, code, message, true);
            assert_eq!(
                (failure.error.cause, failure.repeat),
                (cause, repeat),
                "{status} {code} {message}"
            );
        }
        let early = answered(500, "InternalServiceErrorException", "", false);
        assert_eq!((early.error.cause, early.repeat), (Cause::Unavailable, true));
    }

    #[test]
    fn an_address_is_not_repeated() {
        for (says, told) in [
            (
                "Email address is not verified. The following identities failed the check in region EU-WEST-1: \
                 \"Jane (jane at example.org)\" <shop@example.com>",
                "Email address is not verified. The following identities failed the check in region EU-WEST-1: \
                 (addresses)",
            ),
            (
                "Illegal address <jane@example.org> x",
                "Illegal address (an address) x",
            ),
            ("Missing final '@domain'", "Missing final '@domain'"),
            ("Duplicate header 'Subject'.", "Duplicate header 'Subject'."),
            ("Expected '=', got 'null'", "Expected '=', got 'null'"),
            (
                "Local address contains control or whitespace in string ``Jane Doe'' at \"jane doe\"@example.org",
                "Local address contains control or whitespace in string \"(hidden)\" at (an address)",
            ),
            (
                "SES can't send 'my plans.js' now",
                "SES can't send '(hidden)' now",
            ),
            (
                "Illegal filename: it's my plans.js",
                "Illegal filename (a file name)",
            ),
            ("Illegal filename", "Illegal filename"),
            ("it ends in 'an open quote", "it ends in '(hidden)'"),
        ] {
            let failure = answered(400, "MessageRejected", says, true);
            assert_eq!(
                failure.error.reason,
                format!("SES answers 400 MessageRejected: {told}")
            );
        }
    }
}
