//! Why an event is not understood.

use std::fmt;

use super::message_id::{MessageId, MessageIdError};

/// The reason why an event, or one record of it, is not understood, and the advice for its reader.
///
/// Its text goes to the log, so it holds no address, no subject and nothing else of the event but a valid message id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventError {
    message_id: Option<MessageId>,
    pub(super) problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    // serde_json's words for a syntax error are a place and a rule; they quote nothing of the text.
    #[error(
        "the payload is not JSON ({0}); let the Lambda action of an SES receipt rule invoke the function"
    )]
    NotJson(String),
    #[error("this is a message, not an event; to make the event for it: readdress event --to ALIAS FILE")]
    Message,
    #[error(
        "the payload has no list of Records, so it is no SES event; let the Lambda action of an SES receipt rule \
         invoke the function, and test it in the console with the template for SES"
    )]
    NoRecords,
    #[error("the list of Records is empty: the event names no message, so nothing was forwarded")]
    EmptyRecords,
    #[error(
        "the record comes from {0}; events of SES and S3 are understood, and those of SNS and SQS that have one of these \
         inside"
    )]
    OtherSource(&'static str),
    #[error(
        "the message of SNS or SQS has no notification of SES or S3 inside ({0}); let SES's S3 action publish to the \
         topic"
    )]
    NoNotification(&'static str),
    #[error(
        "the notification is of a receipt rule's {0} action, which stores nothing; let the rule's S3 action store the mail and \
         publish to the topic"
    )]
    NotStored(&'static str),
    #[error("the S3 event is no ObjectCreated; take the others out of the bucket's notification")]
    NotCreated,
    #[error(
        "the object key is missing or ends in no message id: {0}; let the event come from the prefix of mail alone"
    )]
    BadKey(&'static str),
    #[error(
        "ses.mail.messageId is missing or no string, so the message cannot be found; look in the bucket for one that \
         arrived at this time"
    )]
    NoMessageId,
    #[error(
        "ses.mail.messageId is no message id: {0}; look in the bucket for a message that arrived at this time, and \
         do not invoke the function with events of other origin"
    )]
    BadMessageId(MessageIdError),
    #[error(
        "ses.receipt.recipients is missing or empty, so there is nobody to forward to; the message is still in the \
         bucket: check the receipt rule's recipient conditions, then forward it again"
    )]
    NoRecipients,
    #[error(
        "ses.receipt.recipients is not a list of non-empty strings; the message is still in the bucket: forward it \
         again with its recipients corrected"
    )]
    BadRecipients,
    #[error(
        "the record is none that readdress has recorded: order must be forward or release, and arrival what the ledger has of \
         the message; make it from the message's page in the ledger"
    )]
    BadOrder,
    #[error(
        "the report of SES on a message that was sent is not understood: {0}; let nothing but a configuration set's event \
         destination publish to the topic (EVENTS_TOPIC)"
    )]
    BadReport(&'static str),
}

impl EventError {
    /// The message that the record is about, where that much was understood.
    pub fn message_id(&self) -> Option<&MessageId> {
        self.message_id.as_ref()
    }
}

impl Problem {
    pub(super) fn of(self, message_id: MessageId) -> EventError {
        EventError {
            message_id: Some(message_id),
            problem: self,
        }
    }
}

impl From<Problem> for EventError {
    fn from(problem: Problem) -> Self {
        Self {
            message_id: None,
            problem,
        }
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(id) = &self.message_id {
            write!(f, "message {id}: ")?;
        }
        self.problem.fmt(f)
    }
}

impl std::error::Error for EventError {}
