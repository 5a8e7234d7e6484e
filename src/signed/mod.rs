//! Addresses that readdress makes and later recognises without a table: they carry a signature that nobody can make without the
//! key.
//!
//! ```
//! use readdress::header::mailbox::Address;
//! use readdress::signed::{AliasKey, Correspondent};
//!
//! let key = AliasKey::new(std::array::from_fn(|at| at as u8));
//! let (shop, jane) = (Address::parse("shop@example.com")?, Address::parse("jane@example.org")?);
//! let address = key.reply_address(&shop, &jane).unwrap();
//! assert!(address.to_string().starts_with("shop+jane=example.org."));
//!
//! let read = key.read_reply_address(&address).unwrap()?;
//! assert_eq!((read.alias, read.correspondent), (shop, Correspondent::Address(jane)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alias;
mod key;
mod reply_address;

pub use alias::{DEFAULT_SIGNATURE_LENGTH, SIGNATURE_LENGTHS, SignError};
pub(crate) use key::Purpose;
pub use key::{AliasKey, KEY_OCTETS, KeyError, MAX_KEYS};
pub use reply_address::{Correspondent, Forged, MAX_LOCAL_PART, ReplyAddress};
