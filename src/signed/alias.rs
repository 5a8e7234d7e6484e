//! Signed aliases: local parts that anybody with the key makes up, and nobody else.
//!
//! In `shop.k7f3q@example.com` the last label of the local part is the signature over the rest and the domain.

use std::ops::RangeInclusive;

use super::key::{AliasKey, Purpose};
use super::reply_address::MAX_LOCAL_PART;
use crate::header::mailbox::{Address, AddressError};

/// How many letters the signature of a signed alias can have. Four are guessed once in about a million times.
pub const SIGNATURE_LENGTHS: RangeInclusive<u8> = 4..=10;

/// How many letters the signature of a signed alias has by default.
pub const DEFAULT_SIGNATURE_LENGTH: u8 = 5;

/// Why an alias cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The local part or the domain is not one.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A `+` in the local part: anybody who writes to the alias may choose the text behind it.
    #[error("the alias has a + in it: what is behind a + is not signed")]
    Tag,
    /// A local part that has to be quoted.
    #[error("the alias would have to be written in quotes, which many programs do not take")]
    Quoted,
    /// A local part over [`MAX_LOCAL_PART`] octets.
    #[error("the alias with its signature is longer than {MAX_LOCAL_PART} octets")]
    TooLong,
}

impl AliasKey {
    /// The signed alias of this name, in lower case.
    ///
    /// # Errors
    /// If it would not be an address that everybody can write to.
    pub fn signed_alias(&self, name: &str, domain: &str, length: u8) -> Result<Address, SignError> {
        let (name, domain) = (name.to_ascii_lowercase(), domain.to_ascii_lowercase());
        if name.contains('+') {
            return Err(SignError::Tag);
        }
        let domain = Address::parse(&format!("{name}@{domain}"))?.domain().to_owned();
        let signature = self.sign(Purpose::SignedAlias, &[&name, &domain], usize::from(length));
        let local = format!("{name}.{signature}");
        if local.len() > MAX_LOCAL_PART {
            return Err(SignError::TooLong);
        }
        let address = Address::parse(&format!("{local}@{domain}"))?;
        if address.to_string().starts_with('"') {
            return Err(SignError::Quoted);
        }
        Ok(address)
    }

    /// Whether the local part, up to its `+` if it has one, ends in a signature of so many letters. Case does not matter.
    pub fn has_signed(&self, alias: &Address, length: u8) -> bool {
        let local = alias.untagged_local().to_ascii_lowercase();
        let domain = alias.domain().to_ascii_lowercase();
        let parts = local.rsplit_once('.').filter(|(name, _)| !name.is_empty());
        parts.is_some_and(|(name, signature)| {
            self.verifies(
                Purpose::SignedAlias,
                &[name, &domain],
                signature,
                usize::from(length),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(first: u8) -> AliasKey {
        AliasKey::new(std::array::from_fn(|at| first + u8::try_from(at).unwrap()))
    }

    fn has_signed(alias: &str, length: u8) -> bool {
        key(0).has_signed(&Address::parse(alias).unwrap(), length)
    }

    #[test]
    fn what_is_signed_is_known_again() {
        for length in SIGNATURE_LENGTHS {
            for (name, written) in [("shop", "shop."), ("Web.Shop-1", "web.shop-1.")] {
                let alias = key(0)
                    .signed_alias(name, "Example.COM", length)
                    .unwrap()
                    .to_string();
                assert!(
                    alias.starts_with(written) && alias.ends_with("@example.com"),
                    "{alias}"
                );
                assert_eq!(alias.find('@'), Some(written.len() + usize::from(length)));
                for alias in [alias.clone(), alias.to_uppercase(), alias.replace('@', "+tag@")] {
                    assert!(has_signed(&alias, length), "{alias}");
                }
                for other in SIGNATURE_LENGTHS.filter(|&other| other != length) {
                    assert!(!has_signed(&alias, other), "{alias} {other}");
                }
                for forged in [
                    alias.replace("shop", "shoq"),
                    alias.replace("@example", "@sub.example"),
                    alias.replace(written, "."),
                    alias.replace(written, &format!("x{written}")),
                    alias.replace(written, ""),
                    format!("other+{alias}"),
                ] {
                    assert!(!has_signed(&forged, length), "{forged}");
                }
                assert!(!key(1).has_signed(&Address::parse(&alias).unwrap(), length));
            }
        }
        assert!(!has_signed("shop@example.com", 5));
    }

    #[test]
    fn a_name_that_cannot_be_signed_has_a_reason() {
        let error = |name: &str, domain: &str| key(0).signed_alias(name, domain, 5).unwrap_err();
        assert_eq!(error("shop+x", "example.com"), SignError::Tag);
        assert_eq!(error("sh..op", "example.com"), SignError::Quoted);
        assert_eq!(
            error("", "example.com"),
            SignError::Address(AddressError::EmptyLocal)
        );
        assert_eq!(error("shop", ""), SignError::Address(AddressError::EmptyDomain));
        assert!(matches!(error("sh op", "example.com"), SignError::Address(_)));
        assert!(matches!(error("shop\n", "example.com"), SignError::Address(_)));
        assert_eq!(
            error(&"s".repeat(MAX_LOCAL_PART - 5), "example.com"),
            SignError::TooLong
        );
        assert!(
            key(0)
                .signed_alias(&"s".repeat(MAX_LOCAL_PART - 6), "example.com", 5)
                .is_ok()
        );
    }
}
