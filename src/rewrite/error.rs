//! Why a message cannot be rewritten.

/// Why a message cannot be rewritten. Two causes only: a header section over the limit, and bare CR as the only line ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The header section exceeds [`Limits::header`](crate::mime::Limits::header).
    #[error("the header section is longer than {limit} octets; no mail service would take it")]
    HeaderTooLong {
        /// The limit, in octets.
        limit: usize,
    },
    /// The message has CR but no LF anywhere: it has no lines (RFC 5322 2.1), so that no header field of it
    /// can be told from its body.
    #[error("the message ends its lines with bare CR and has no LF anywhere; convert it to CRLF or LF first")]
    BareCr,
}
