//! All that the rules of the policy look at, and what they answer.

use crate::header::mailbox::parse_address_list;
use crate::outbox::Cause;

/// Aliases that are noted of what one message says. An honest one names few; whoever writes more of them is a stranger.
const MAX_ALIASES: usize = 1000;

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

/// Addresses of aliases.
#[derive(Debug, Default)]
pub(super) struct Aliases(Vec<String>);

impl Aliases {
    /// Notes the aliases that the body of an X-Original-To names: every message that was forwarded says for whom.
    pub(super) fn note(&mut self, body: &[u8]) {
        let named = parse_address_list(body).into_iter();
        let room = MAX_ALIASES.saturating_sub(self.0.len());
        self.0
            .extend(named.map(|mailbox| mailbox.address.key()).take(room));
    }

    /// Whether the alias with this key was named.
    pub(super) fn contain(&self, key: &str) -> bool {
        self.0.iter().any(|alias| alias == key)
    }
}
