//! The sign by which a message that comes back is known.

use sha2::{Digest, Sha256};

use crate::header::hexadecimal;
use crate::header::mailbox::Address;

/// The field that names the aliases a message was forwarded for, one after the other. Nobody else writes it.
pub const ROUTE: &str = "X-Readdress-Route";

/// The field that tells our notices to the owner from other mail.
pub const NOTICE: &str = "X-Readdress-Notice";

/// Octets of the hash that are shown. A loop needs no more to be told from chance.
const ID_OCTETS: usize = 10;

/// What [`ROUTE`] says of an alias: a hash, so that the private name of one alias is not told to the next.
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
