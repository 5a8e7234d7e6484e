//! Why a mail server did not take a message, as far as SES's report says it.
//!
//! Three sources are asked in this order: SES's own subtype, the enhanced status code (RFC 3463), and the words of the
//! server's answer. Servers write both of the latter as they like, so the words overrule a status code that says no more
//! than "refused" (`x.0.0`, `x.5.0`, `x.7.1`).

use std::fmt;
use std::str::FromStr;

/// Why a message was not delivered to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// There is no such mailbox, or no such domain.
    Gone,
    /// SES did not try: the target is on the account's suppression list, or on SES's own.
    Suppressed,
    /// The mailbox is full.
    Full,
    /// The message is too large for the target's server.
    TooLarge,
    /// The target's server, or its reader, takes the message for spam.
    Spam,
    /// A rule of the target's server refuses the message or its sender.
    Policy,
    /// None of these, or the report does not say.
    Other,
}

impl Class {
    /// The class as it is written in the log and in outcomes.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Gone => "gone",
            Class::Suppressed => "suppressed",
            Class::Full => "full",
            Class::TooLarge => "too_large",
            Class::Spam => "spam",
            Class::Policy => "policy",
            Class::Other => "other",
        }
    }
}

/// An enhanced status code: class, subject and detail (RFC 3463 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    class: u8,
    subject: u16,
    detail: u16,
}

impl FromStr for Status {
    type Err = ();

    /// Takes exactly `class.subject.detail`: the class is 2, 4 or 5, and the others have one to three digits.
    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |text: &str| {
            let is_number = (1..=3).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
            is_number.then(|| text.parse().ok()).flatten()
        };
        let mut numbers = text.split('.');
        let (Some(class), Some(subject), Some(detail), None) =
            (numbers.next(), numbers.next(), numbers.next(), numbers.next())
        else {
            return Err(());
        };
        let class = match class {
            "2" => 2,
            "4" => 4,
            "5" => 5,
            _ => return Err(()),
        };
        match (number(subject), number(detail)) {
            (Some(subject), Some(detail)) => Ok(Status {
                class,
                subject,
                detail,
            }),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// The first status code among the words of an answer, such as `smtp; 550 5.1.1 user unknown`.
pub(super) fn status_in(diagnostic: &str) -> Option<Status> {
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    let mut words = diagnostic
        .split(|c: char| !is_part(c))
        .filter(|word| word.len() >= 5);
    words.find_map(|word| word.parse().ok())
}

/// The class of a refusal with this subtype of SES, status code and answer.
pub(super) fn classify(subtype: &str, status: Option<Status>, diagnostic: &str) -> Class {
    match subtype {
        "Suppressed" | "OnAccountSuppressionList" => return Class::Suppressed,
        "NoEmail" => return Class::Gone,
        "MailboxFull" => return Class::Full,
        "MessageTooLarge" => return Class::TooLarge,
        "SpamDetected" => return Class::Spam,
        "AttachmentRejected" | "UnsubscribedRecipient" | "IPFailure" => return Class::Policy,
        // General, ContentRejected and others say too little.
        _ => {}
    }
    let told = of_words(diagnostic);
    match status.map(|status| (status.class, status.subject, status.detail)) {
        // Bad mailbox, bad system, bad syntax, moved without a trace, null MX (RFC 7505), mailbox disabled for good.
        Some((5, 1, 1..=3 | 6 | 10) | (5, 2, 1)) => Class::Gone,
        Some((_, 2, 2)) => Class::Full,
        Some((_, 2, 3) | (_, 3, 4)) => Class::TooLarge,
        Some((_, 7, _)) => told.unwrap_or(Class::Policy),
        _ if subtype == "ContentRejected" => told.unwrap_or(Class::Policy),
        _ => told.unwrap_or(Class::Other),
    }
}

/// Words of answers, in small letters, and their meaning. The first that is found decides, so special words stand before
/// general ones.
const WORDS: &[(Class, &[&str])] = &[
    (
        Class::Full,
        &[
            "mailbox full",
            "mailbox is full",
            "over quota",
            "quota exceeded",
            "exceeded quota",
            "out of storage",
            "overquota",
        ],
    ),
    (
        Class::TooLarge,
        &[
            "too large",
            "too big",
            "size limit",
            "exceeds size",
            "maximum message size",
            "exceeds fixed maximum",
        ],
    ),
    (
        Class::Spam,
        &[
            "spam",
            "unsolicited",
            "bulk mail",
            "junk mail",
            "blocked content",
            "spamhaus",
            "spamcop",
        ],
    ),
    (
        Class::Policy,
        &[
            "sender address",
            "sender domain",
            "domain of sender",
            "sender policy",
            "spf",
            "dkim",
            "dmarc",
            "unauthenticated",
        ],
    ),
    (
        Class::Gone,
        &[
            "user unknown",
            "unknown user",
            "no such user",
            "no such recipient",
            "no such mailbox",
            "unknown recipient",
            "recipient unknown",
            "invalid recipient",
            "invalid mailbox",
            "recipient address rejected",
            "recipient rejected",
            "recipient not found",
            "does not exist",
            "doesn't exist",
            "mailbox not found",
            "mailbox unavailable",
            "mailbox disabled",
            "account disabled",
            "account is disabled",
            "account has been disabled",
            "account is inactive",
            "doesn't have a",
            "user not found",
            "address unknown",
            "no mailbox here",
            "nullmx",
            "null mx",
            "domain not found",
            "host not found",
        ],
    ),
    (
        Class::Policy,
        &[
            "policy",
            "blocked",
            "blocklist",
            "blacklist",
            "block list",
            "denied",
            "reputation",
            "not authorized",
            "prohibited",
            "not allowed",
        ],
    ),
];

fn of_words(diagnostic: &str) -> Option<Class> {
    let told = diagnostic.to_ascii_lowercase();
    let found = |(_, words): &&(Class, &[&str])| words.iter().any(|words| told.contains(words));
    WORDS.iter().find(found).map(|(class, _)| *class)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers as servers give them, the addresses invented.
    #[test]
    #[allow(clippy::too_many_lines)] // A table.
    fn real_answers() {
        let cases = [
            ("General", "5.1.1", "smtp; 550 5.1.1 user unknown", Class::Gone),
            ("NoEmail", "5.0.0", "", Class::Gone),
            (
                "General",
                "5.1.10",
                "smtp; 556 5.1.10 Recipient address has null MX",
                Class::Gone,
            ),
            (
                "General",
                "5.4.1",
                "smtp; 550 5.4.1 Recipient address rejected: Access denied. For more information see https://aka.ms/EXOSmtpErrors",
                Class::Gone,
            ),
            (
                "General",
                "5.5.0",
                "smtp; 550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).",
                Class::Gone,
            ),
            (
                "General",
                "",
                "smtp; 554 delivery error: dd This user doesn't have a yahoo account (jane@example.net) [0]",
                Class::Gone,
            ),
            (
                "General",
                "5.2.1",
                "smtp; 550 5.2.1 The email account that you tried to reach is inactive.",
                Class::Gone,
            ),
            (
                "General",
                "4.2.1",
                "smtp; 450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional \
                 messages from being delivered.",
                Class::Other,
            ),
            (
                "Suppressed",
                "5.1.1",
                "Amazon SES has suppressed sending to this address",
                Class::Suppressed,
            ),
            ("OnAccountSuppressionList", "", "", Class::Suppressed),
            ("MailboxFull", "", "", Class::Full),
            (
                "General",
                "5.2.2",
                "smtp; 552 5.2.2 The email account that you tried to reach is over quota.",
                Class::Full,
            ),
            ("General", "", "smtp; 552 mailbox full", Class::Full),
            ("MessageTooLarge", "", "", Class::TooLarge),
            (
                "General",
                "5.3.4",
                "smtp; 552 5.3.4 Your message exceeded Google's message size limits.",
                Class::TooLarge,
            ),
            (
                "General",
                "",
                "smtp; 552 Message size exceeds fixed maximum message size",
                Class::TooLarge,
            ),
            (
                "General",
                "5.7.1",
                "smtp; 550-5.7.1 Our system has detected that this message is likely unsolicited mail.",
                Class::Spam,
            ),
            (
                "ContentRejected",
                "5.7.1",
                "smtp; 554 5.7.1 Message rejected as spam",
                Class::Spam,
            ),
            ("ContentRejected", "", "", Class::Policy),
            ("SpamDetected", "", "", Class::Spam),
            (
                "General",
                "5.7.26",
                "smtp; 550-5.7.26 This mail has been blocked because the sender is unauthenticated.",
                Class::Policy,
            ),
            (
                "General",
                "5.7.1",
                "smtp; 550 5.7.1 Domain of sender address jane@example.org does not exist",
                Class::Policy,
            ),
            (
                "General",
                "5.7.1",
                "smtp; 550 5.7.1 Command rejected",
                Class::Policy,
            ),
            ("AttachmentRejected", "", "", Class::Policy),
            (
                "General",
                "4.4.7",
                "smtp; 554 4.4.7 Message expired: unable to deliver in 840 minutes.",
                Class::Other,
            ),
            ("Undetermined", "", "", Class::Other),
            ("", "5.0.0", "smtp; 550 no", Class::Other),
        ];
        for (subtype, status, diagnostic, expected) in cases {
            assert_eq!(
                classify(subtype, status.parse().ok(), diagnostic),
                expected,
                "{subtype} {status} {diagnostic}"
            );
        }
    }

    #[test]
    fn a_status_code_is_three_numbers() {
        for good in ["5.1.1", "4.7.650", "2.0.0"] {
            assert_eq!(good.parse::<Status>().unwrap().to_string(), good);
        }
        for bad in [
            "", "5", "5.1", "5.1.1.1", "3.1.1", "5.1.1000", "5.+1.1", "5..1", "a.b.c", "٥.1.1",
        ] {
            assert_eq!(bad.parse::<Status>(), Err(()), "{bad:?}");
        }
        let status = status_in("smtp; 550-5.7.26 from 192.0.2.25, version 1.2: 5.1.1");
        assert_eq!(status, "5.7.26".parse().ok());
        assert_eq!(status_in("smtp; 550 no"), None);
    }
}
