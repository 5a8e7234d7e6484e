//! References, by which mail programs thread (RFC 5322 3.6.4).

use super::apply::Change;
use super::original::OriginalFields;
use crate::header::{FieldBody, MAX_WORD};

/// Ids in References: the first names the thread, the last ones its branch.
const MAX_REFERENCES: usize = 1000;

/// The references with the message's own id at their end (RFC 5322 3.6.4): SES gives the message a new id, and
/// answers refer to the old one.
///
/// Without References, a single id of In-Reply-To comes first, as it does in a reply: programs that thread by
/// References look at In-Reply-To only where there are none.
pub(super) fn with_own_id(original: &OriginalFields<'_>) -> Change {
    let Some(id) = original.message_id.and_then(|body| message_ids(body).next()) else {
        return Change::Keep;
    };
    let mut words: Vec<&str> = if let Some(body) = original.references {
        body.split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty() && word.len() <= MAX_WORD)
            .filter(|word| word.iter().all(u8::is_ascii_graphic))
            .filter_map(|word| std::str::from_utf8(word).ok())
            .collect()
    } else {
        let answered = original.in_reply_to.into_iter().flat_map(message_ids);
        let answered: Vec<&str> = answered.take(2).collect();
        if answered.len() == 1 { answered } else { Vec::new() }
    };
    if words.last() != Some(&id) {
        words.push(id);
    } else if original.references.is_some() {
        return Change::Keep;
    }
    if words.len() > MAX_REFERENCES {
        words.drain(1..=words.len() - MAX_REFERENCES);
    }
    Change::Replace(FieldBody::words(words))
}

/// The domain of the message ids that SES makes, with the region, or `email`, before it.
const SES: &str = ".amazonses.com";

/// The ids that the correspondents know. These are the ids that SES made, and those directly before one of SES's: the
/// correspondents' own, which the forward direction appended before SES gave the message its id. Every other id names the host
/// or the program of an owner.
pub(super) fn shared<'a>(all: &[&'a str]) -> Vec<&'a str> {
    let followed = all.iter().skip(1).map(|next| is_by_ses(next)).chain([false]);
    let kept = all
        .iter()
        .zip(followed)
        .filter(|(id, followed)| *followed || is_by_ses(id));
    kept.map(|(id, _)| *id).collect()
}

/// Whether SES made the message id.
pub(super) fn is_by_ses(id: &str) -> bool {
    let domain = id
        .trim_end_matches('>')
        .rsplit_once('@')
        .map(|(_, domain)| domain);
    domain.is_some_and(|domain| domain.to_ascii_lowercase().ends_with(SES))
}

/// The References of an owner's message, without ids that the alias's other owners must not quote to a correspondent.
pub(super) fn without_ids_of_owners(original: &OriginalFields<'_>) -> Change {
    only(original.references, shared)
}

/// The In-Reply-To of an owner's message. Only SES's ids are kept: an id before one of them was not put there by us.
pub(super) fn answered_by_ses(original: &OriginalFields<'_>) -> Change {
    only(original.in_reply_to, |all| {
        all.iter().copied().filter(|id| is_by_ses(id)).collect()
    })
}

/// The field with those of its ids that are chosen.
fn only<'a>(body: Option<&'a [u8]>, choose: impl Fn(&[&'a str]) -> Vec<&'a str>) -> Change {
    let Some(body) = body else {
        return Change::Keep;
    };
    let all: Vec<&str> = message_ids(body).collect();
    let chosen = choose(&all);
    if chosen.is_empty() {
        Change::Drop
    } else if chosen == all {
        Change::Keep
    } else {
        Change::Replace(FieldBody::words(chosen))
    }
}

/// The message ids of a field body (RFC 5322 3.6.4), in order; comments and other text between them are passed over.
pub(super) fn message_ids(body: &[u8]) -> impl Iterator<Item = &str> {
    body.split_inclusive(|&b| b == b'>').filter_map(|piece| {
        let id = &piece[piece.iter().rposition(|&b| b == b'<')?..];
        let inner = id.strip_prefix(b"<")?.strip_suffix(b">")?;
        let plain = !inner.is_empty() && inner.iter().all(u8::is_ascii_graphic);
        (plain && id.len() <= MAX_WORD)
            .then(|| std::str::from_utf8(id).ok())
            .flatten()
    })
}
