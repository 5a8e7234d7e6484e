//! Mail that programs write (RFC 3834).

use super::answer::{Answer, Kept};
use super::case::Case;
use super::facts::{Automatic, Facts};
use super::senders::from_target;
use crate::arrival::Arrival;
use crate::header::Header;
use crate::header::mailbox::Address;
use crate::mime::ContentType;

/// Fields by which programs marked their answers before there was Auto-Submitted.
const SIGNS: [&str; 5] = [
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply-from",
    "x-mail-autoreply",
];

/// Values of Precedence that programs write into mail of their own. Mailing lists write `list`.
const PRECEDENCES: [&str; 3] = ["auto_reply", "bulk", "junk"];

/// Reads whether a program wrote the message.
pub(super) fn read(arrival: &Arrival, header: &Header, facts: &mut Facts) {
    let is_daemon = |address: &Address| address.local().eq_ignore_ascii_case("mailer-daemon");
    let daemon = facts.from.iter().find(|address| is_daemon(address));
    let is_answer = auto_submitted(header)
        || SIGNS.iter().any(|name| header.first(name).is_some())
        || header.named("precedence").any(|field| {
            let value = String::from_utf8_lossy(field.body());
            PRECEDENCES.contains(&&*value.trim().to_ascii_lowercase())
        });
    let is_report = header.named("content-type").any(|field| {
        let content_type = ContentType::parse(field.body());
        content_type.is_some_and(|it| (it.type_(), it.subtype()) == ("multipart", "report"))
    });
    facts.automatic = if daemon.is_some_and(|address| is_of_ses(address.domain())) && !says_replied(header) {
        Some(Automatic::ReportOfSes)
    } else if is_report || (!is_answer && (daemon.is_some() || has_null_sender(arrival, header))) {
        Some(Automatic::Report)
    } else {
        is_answer.then_some(Automatic::Answer)
    };
}

/// The message says that a program wrote it, for whatever reason (RFC 3834 5).
fn auto_submitted(header: &Header) -> bool {
    header.named("auto-submitted").any(|field| {
        let value = String::from_utf8_lossy(field.body());
        let word = value.trim_start().split([';', ' ', '\t', '\r', '(']).next();
        !matches!(word, None | Some("")) && !word.is_some_and(|word| word.eq_ignore_ascii_case("no"))
    })
}

/// SES passes on the answer of a vacation program in the name of its own daemon.
fn says_replied(header: &Header) -> bool {
    header.named("auto-submitted").any(|field| {
        let value = field.body().trim_ascii_start();
        let word = value.get(..12).unwrap_or_default();
        word.eq_ignore_ascii_case(b"auto-replied")
    })
}

fn is_of_ses(domain: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    domain == "amazonses.com" || domain.ends_with(".amazonses.com")
}

/// The null sender of reports (RFC 5321 4.5.5): in the event, or as the receiving service has recorded it.
fn has_null_sender(arrival: &Arrival, header: &Header) -> bool {
    if arrival.recipients.known().is_some() {
        return arrival.envelope_sender.is_none();
    }
    let path = header.first("return-path");
    path.is_some_and(|path| path.body().trim_ascii() == b"<>")
}

/// The message is the answer of a target's program to a forwarded message, perhaps passed on by SES's daemon. It would go back
/// to the target.
pub(super) fn from_a_target(facts: &Facts, case: &Case<'_>) -> Option<Answer> {
    facts.automatic?;
    let from_daemon = facts.from.iter().any(|address| is_of_ses(address.domain()));
    let from_envelope = case
        .envelope_sender()
        .is_some_and(|sender| case.is_target(&sender));
    let is_answered = from_target(facts, case).is_some() || from_envelope || from_daemon;
    is_answered.then_some(Answer::Keep(Kept::Automatic))
}
