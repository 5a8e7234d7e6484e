//! The fields by which readdress recognises a message that comes back, and its own notices.

use sha2::{Digest, Sha256};

use crate::header::hexadecimal;
use crate::header::mailbox::Address;
use crate::signed::{AliasKey, Purpose};

/// The field that names the aliases for which a message was forwarded, by their ids. No other program writes it.
pub const ROUTE: &str = "X-Readdress-Route";

/// The field that marks our notices to the owner.
pub const NOTICE: &str = "X-Readdress-Notice";

/// Octets of the hash that are shown. A loop needs no more to be told from chance.
const ID_OCTETS: usize = 10;

/// The id of an alias in [`ROUTE`]: a hash, so that the next alias does not learn the private name of this one.
///
/// ```
/// use readdress::header::mailbox::Address;
/// use readdress::rewrite::route_id;
///
/// let shop = Address::parse("Shop@example.com")?;
/// assert_eq!(route_id(&shop), route_id(&Address::parse("shop@EXAMPLE.com")?));
/// assert_eq!(route_id(&shop).len(), 20);
/// # Ok::<(), readdress::header::mailbox::AddressError>(())
/// ```
pub fn route_id(alias: &Address) -> String {
    let mut hash = Sha256::new();
    // Another use of the same hash would be another text.
    hash.update(b"readdress route\n");
    hash.update(alias.key());
    let digits = hash.finalize();
    hexadecimal(&digits[..ID_OCTETS])
}

/// All ids that an alias may have in [`ROUTE`]. The first is the one written now: with a key, a signature of the alias, so that
/// nobody can try out names. The ids of older keys, or of no key, follow: messages with these may still be under way.
pub fn route_ids(alias: &Address, key: Option<&AliasKey>) -> Vec<String> {
    let name = alias.key();
    let signed = key.into_iter().flat_map(|key| {
        let digests = key.digests(Purpose::Route, &[&name]);
        digests
            .into_iter()
            .map(|digest| hexadecimal(&digest[..ID_OCTETS]))
    });
    let mut ids: Vec<String> = signed.collect();
    ids.push(route_id(alias));
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Catches a loop that is not known again after a key was set or rotated.
    #[test]
    fn a_route_is_known_again() {
        let alias = |text| Address::parse(text).unwrap();
        let key = |first| AliasKey::new(std::array::from_fn(|at| first + u8::try_from(at).unwrap()));
        let ids = |text, key: Option<&AliasKey>| route_ids(&alias(text), key);
        let without = ids("shop@example.com", None);
        assert_eq!(without, [route_id(&alias("shop@example.com"))]);
        let first = ids("Shop@Example.com", Some(&key(1)));
        assert_eq!(first[1..], without);
        assert!(first[0] != without[0] && first[0].len() == without[0].len());
        let rotated = ids("shop@example.com", Some(&key(2).in_place_of(&key(1))));
        assert_eq!(rotated[1..], first);
        assert_ne!(ids("shop+x@example.com", Some(&key(1)))[0], first[0]);
    }
}
