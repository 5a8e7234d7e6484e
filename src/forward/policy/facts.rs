//! All that the rules of the policy look at, and what they answer.

use crate::outbox::Cause;

/// Aliases that are noted of what one message says. An honest one names few; whoever writes more of them is a stranger.
const MAX_ALIASES: usize = 1000;

/// Octets of an id that is noted. Ours are shorter, now and with a key.
const MAX_ROUTE_ID: usize = 64;

/// Why a message is not forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::forward) struct Refusal {
    pub(in crate::forward) cause: Cause,
    pub(in crate::forward) reason: String,
}

/// The places that a message says it has been at. A sender can write all of it, and so keep a message of its own from being
/// forwarded; nobody else's.
#[derive(Debug, Default)]
pub(in crate::forward) struct Facts {
    /// The aliases that the message was forwarded for before.
    pub(super) forwarded_for: Aliases,
    /// The aliases that the messages were forwarded for whose delivery it reports on.
    pub(super) reported_for: Aliases,
    /// The number of its Received fields.
    pub(super) received: usize,
}

/// Aliases, as the routes of messages name them.
#[derive(Debug, Default)]
pub(super) struct Aliases(Vec<String>);

impl Aliases {
    /// Notes the alias that the body of an X-Readdress-Route names: every message that was forwarded says for whom.
    pub(super) fn note(&mut self, body: &[u8]) {
        let id = body.trim_ascii();
        if id.len() <= MAX_ROUTE_ID && self.0.len() < MAX_ALIASES {
            self.0.push(String::from_utf8_lossy(id).into_owned());
        }
    }

    /// Whether the alias with this id was named.
    pub(super) fn contain(&self, id: &str) -> bool {
        self.0.iter().any(|alias| alias.eq_ignore_ascii_case(id))
    }

    /// The number of aliases that were named.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}
