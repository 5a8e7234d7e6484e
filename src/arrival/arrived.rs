//! A message that arrived.

use super::message_id::MessageId;
use super::recipients::Recipients;
use super::verdicts::Verdicts;

/// One message that arrived, for one or more recipients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Names the message in the bucket.
    pub message_id: MessageId,
    /// The recipients, as SES wrote them but for spaces around. S3's own event does not name them.
    pub recipients: Recipients,
    /// The envelope sender. `None`: the null sender of bounces, or the event does not say.
    pub envelope_sender: Option<String>,
    /// SES's verdicts. `None`: the event has none; the message itself may, see [`from_header`](super::verdicts::from_header).
    pub verdicts: Option<Verdicts>,
    /// The order for it.
    pub order: Order,
    /// The place of the message, if the event says it. Otherwise the key is the prefix of the settings and the id.
    pub stored: Option<Stored>,
}

/// An order for an arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// It is forwarded, if the policy lets it.
    #[default]
    Forward,
    /// The owner has looked at it: it is forwarded although the verdicts are against it.
    Release,
}

/// The place of a message, as the event says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The bucket.
    pub bucket: Option<String>,
    /// The whole key.
    pub key: String,
}
