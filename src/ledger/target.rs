//! Targets, as a ledger names them.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::header::hexadecimal;
use crate::header::mailbox::Address;

/// The SHA-256 of a target's address in small letters. Whoever guesses an address can find out whether it is the target's,
/// and no more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct TargetHash(String);

impl From<&Address> for TargetHash {
    fn from(target: &Address) -> Self {
        TargetHash(sha256(target.key().as_bytes()))
    }
}

/// The SHA-256 in hexadecimal digits.
pub(super) fn sha256(octets: &[u8]) -> String {
    hexadecimal(&Sha256::digest(octets))
}
