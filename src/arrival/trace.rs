//! The recipient in a message's own trace (RFC 5321 4.4), for events that do not name one.
//!
//! The sender writes all of a message except the fields that the receiving service puts on top. So only the topmost Received
//! field counts, only if it is that of SES, with the id under which the message is stored, and only if it leaves no doubt: SES
//! names one recipient in it, however many there were.

use super::message_id::MessageId;
use crate::header::Header;
use crate::header::mailbox::{Address, parse_address_list};

/// Why the trace does not name the recipients. It names no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// There is no Received field.
    #[error("it has no Received field; {HINT}")]
    NoTrace,
    /// The topmost Received field is not by SES.
    #[error("its topmost Received field is not that of SES; {HINT}")]
    NotBySes,
    /// The topmost Received field is that of another message.
    #[error("its topmost Received field has another id than the object's key; {HINT}")]
    OtherId,
    /// No recipient, or more than one, or something else.
    #[error("its topmost Received field names no single recipient; {HINT}")]
    NoRecipient,
    /// To or Cc name others of the same domain.
    #[error("To and Cc name others of the same domain, for whom it may have arrived as well; {HINT}")]
    Others,
}

const HINT: &str =
    "let SES's Lambda action or its S3 action's topic invoke the function: these tell the recipients";

/// Finds the one recipient that the trace names beyond doubt.
///
/// # Errors
/// If there is any doubt.
pub fn recipient(header: &Header, message_id: &MessageId) -> Result<String, TraceError> {
    let received = header.first("received").ok_or(TraceError::NoTrace)?;
    let clauses = clauses_of_ses(received.body(), message_id)?;
    let words: Vec<&str> = clauses.split_ascii_whitespace().collect();
    let [recipient] = after(&words, "for")[..] else {
        return Err(TraceError::NoRecipient);
    };
    let end = words.last() == Some(&recipient);
    let recipient = recipient
        .strip_prefix('<')
        .and_then(|r| r.strip_suffix('>'))
        .unwrap_or(recipient);
    let address = match Address::parse(recipient) {
        Ok(address) if end => address,
        _ => return Err(TraceError::NoRecipient),
    };
    let named = header.fields().filter(|field| field.is("to") || field.is("cc"));
    let mut named = named.flat_map(|field| parse_address_list(field.body()));
    let others = |other: &Address| {
        other.domain().eq_ignore_ascii_case(address.domain()) && other.key() != address.key()
    };
    if named.any(|mailbox| others(&mailbox.address)) {
        return Err(TraceError::Others);
    }
    Ok(recipient.to_owned())
}

/// The clauses of a Received field that SES wrote for this message, without comments and date (RFC 5321 4.4).
///
/// # Errors
/// If it is another's, or that of another message.
pub(super) fn clauses_of_ses(received: &[u8], message_id: &MessageId) -> Result<String, TraceError> {
    let body = String::from_utf8_lossy(received);
    // The date follows the last semicolon. Comments, such as the name that the client gave itself, are the sender's.
    let (clauses, _) = body.rsplit_once(';').ok_or(TraceError::NotBySes)?;
    let clauses = without_comments(clauses).ok_or(TraceError::NotBySes)?;
    let words: Vec<&str> = clauses.split_ascii_whitespace().collect();
    let is_ses = |host: &str| {
        let region = host.strip_prefix("inbound-smtp.");
        region.is_some_and(|rest| rest.ends_with(".amazonaws.com") || rest.ends_with(".amazonaws.com.cn"))
    };
    if !matches!(after(&words, "by")[..], [host] if is_ses(host)) {
        return Err(TraceError::NotBySes);
    }
    if after(&words, "id") != [message_id.as_str()] {
        return Err(TraceError::OtherId);
    }
    Ok(clauses)
}

/// All words that stand behind this one.
fn after<'a>(words: &[&'a str], keyword: &str) -> Vec<&'a str> {
    let pairs = words
        .windows(2)
        .filter(|pair| pair[0].eq_ignore_ascii_case(keyword));
    pairs.map(|pair| pair[1]).collect()
}

/// The text without its comments. `None`: one of them is not closed.
fn without_comments(text: &str) -> Option<String> {
    let mut depth = 0_u32;
    let mut kept = String::with_capacity(text.len());
    let mut escaped = false;
    for character in text.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if depth > 0 => escaped = true,
            '(' => depth += 1,
            ')' => {
                depth = depth.checked_sub(1)?;
                // A comment parts words as white space does (RFC 5322 3.2.2).
                kept.push(' ');
            }
            _ if depth == 0 => kept.push(character),
            _ => {}
        }
    }
    (depth == 0).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(received: &str, to: &str) -> Result<String, TraceError> {
        let mut header = Header::new();
        header.push(b"Return-Path: <jane@example.org>\r\n");
        header.push(format!("Received: {received}\r\n").as_bytes());
        header.push(b"Received: from x by inbound-smtp.a.amazonaws.com id m1 for evil@example.com; now\r\n");
        header.push(format!("To: {to}\r\n").as_bytes());
        recipient(&header, &MessageId::parse("m1").unwrap())
    }

    /// Catches a sender who chooses where mail goes, and mail that is forwarded for one recipient of several and lost for the
    /// rest.
    #[test]
    fn only_what_leaves_no_doubt() {
        let by = "from mx.example.org (mx.example.org [203.0.113.25])\r\n by inbound-smtp.eu-west-1.amazonaws.com with SMTP";
        let is = |received: &str| ask(received, "shop@example.com, x@example.net");
        let good = format!("{by} id m1\r\n for shop@example.com;\r\n Wed, 04 Mar 2026 10:11:12 +0000 (UTC)");
        assert_eq!(is(&good).as_deref(), Ok("shop@example.com"));
        assert_eq!(
            ask(&good, "shop@example.com, Other <b@Example.com>"),
            Err(TraceError::Others)
        );
        for (received, error) in [
            (
                "from mx by mail.example.com id m1 for a@example.com; now".to_owned(),
                TraceError::NotBySes,
            ),
            (format!("{by} id m2 for a@example.com; now"), TraceError::OtherId),
            (format!("{by} id m1; now"), TraceError::NoRecipient),
            (
                format!("{by} id m1 for a@example.com,b@example.com; now"),
                TraceError::NoRecipient,
            ),
            (
                format!("{by} id m1 for a@example.com b@example.com; now"),
                TraceError::NoRecipient,
            ),
            (
                format!("{by} id m1 for a@example.com for b@example.com; now"),
                TraceError::NoRecipient,
            ),
            (
                format!("from for a@example.com {by} id m1 for b@example.com; now"),
                TraceError::NoRecipient,
            ),
            (
                format!("from (x {by} id m1 for b@example.com; now"),
                TraceError::NotBySes,
            ),
            (
                "from mx by inbound-(x)smtp.a.amazonaws.com id m1 for b@example.com; now".to_owned(),
                TraceError::NotBySes,
            ),
        ] {
            assert_eq!(is(&received), Err(error), "{received}");
        }
    }
}
