//! The rules about SES's verdicts on a message.

use super::answer::{Answer, Hold, Kept};
use super::case::Case;
use super::facts::Facts;
use crate::alias::{OnDmarc, OnVerdict};
use crate::arrival::verdicts::from_header;
use crate::arrival::{Arrival, DmarcPolicy, Verdict};
use crate::header::Header;
use crate::rewrite::Mark;

/// Takes the verdicts of the event or, if it has none, those that SES wrote into the message.
pub(super) fn read(arrival: &Arrival, header: &Header, facts: &mut Facts) {
    let verdicts = arrival
        .verdicts
        .or_else(|| from_header(header, &arrival.message_id));
    facts.verdicts = verdicts.unwrap_or_default();
}

/// SES has found a virus. A message with a virus is not released either: SES does not send it.
pub(super) fn virus(facts: &Facts, case: &Case<'_>) -> Option<Answer> {
    let choice = case.options.virus.unwrap_or(case.defaults.virus);
    let is_against = facts.verdicts.virus == Some(Verdict::Fail);
    is_against.then(|| answer(choice, Mark::Virus, Hold::Virus))?
}

/// The From claims the alias's own domain and is not proven. This holds whatever the alias's `dmarc` says, since a forgery of
/// one's own domain is the most convincing. If the domain has no policy the message is only marked, since the web forms of
/// small sites send such mail.
pub(super) fn own_domain(facts: &Facts, case: &Case<'_>) -> Option<Answer> {
    let own = case.alias.domain().to_ascii_lowercase();
    let is_own = |domain: &str| {
        let domain = domain.to_ascii_lowercase();
        domain == own || domain.strip_suffix(&own).is_some_and(|sub| sub.ends_with('.'))
    };
    if !facts.from.iter().any(|address| is_own(address.domain())) {
        return None;
    }
    let choice = match facts.verdicts.dmarc? {
        Verdict::Pass => return None,
        Verdict::Gray => OnVerdict::Mark,
        Verdict::Fail if case.is_released() => OnVerdict::Mark,
        Verdict::Fail => OnVerdict::Hold,
    };
    answer(choice, Mark::Unverified, Hold::OwnDomain)
}

/// The From is not proven.
pub(super) fn dmarc(facts: &Facts, case: &Case<'_>) -> Option<Answer> {
    if facts.verdicts.dmarc != Some(Verdict::Fail) {
        return None;
    }
    let choice = match case.options.dmarc.unwrap_or(case.defaults.dmarc) {
        OnDmarc::Always(choice) => choice,
        OnDmarc::Obey => match facts.verdicts.dmarc_policy {
            Some(DmarcPolicy::Reject) => OnVerdict::Hold,
            Some(DmarcPolicy::Quarantine) => OnVerdict::Mark,
            Some(DmarcPolicy::None) | None => OnVerdict::Forward,
        },
    };
    answer(unless_released(choice, case), Mark::Unverified, Hold::Unverified)
}

/// SES takes the message for spam.
pub(super) fn spam(facts: &Facts, case: &Case<'_>) -> Option<Answer> {
    let choice = case.options.spam.unwrap_or(case.defaults.spam);
    let is_against = facts.verdicts.spam == Some(Verdict::Fail);
    is_against.then(|| answer(unless_released(choice, case), Mark::Spam, Hold::Spam))?
}

/// A message that its owner has looked at goes out with a mark.
fn unless_released(choice: OnVerdict, case: &Case<'_>) -> OnVerdict {
    match choice {
        OnVerdict::Hold if case.is_released() => OnVerdict::Mark,
        choice => choice,
    }
}

fn answer(choice: OnVerdict, mark: Mark, hold: Hold) -> Option<Answer> {
    match choice {
        OnVerdict::Forward => None,
        OnVerdict::Mark => Some(Answer::Mark(mark)),
        OnVerdict::Hold => Some(Answer::Keep(Kept::Held(hold))),
    }
}
