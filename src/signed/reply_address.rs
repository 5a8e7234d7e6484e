//! Reply addresses: each names an alias, and the correspondent that a mail to this address is for.
//!
//! ```text
//! shop+jane=example.org.k7f3q9xz@example.com    the correspondent is jane@example.org
//! shop+r0.o3vrnil0e2ic28tr.k7f3q9xz@example.com  the correspondent is the first of a message that is stored
//! ```
//!
//! Behind the last `+` stand the correspondent and, behind the last dot, the signature over the alias and the text before that
//! dot. In the local part of a correspondent, lower-case letters, digits, `-`, `_`, and a dot that follows no other dot stand for
//! themselves. `=` and a small letter is the capital of that letter; `=` and two hexadecimal digits, the first of them 2 to 7,
//! is that octet. The last `=` is the `@`; a domain has no `=`, and no case. So an address survives a program that writes it in
//! small letters or in capitals: it is read in small letters.

use super::key::{AliasKey, Purpose};
use crate::header::hexadecimal;
use crate::header::mailbox::Address;

/// Octets of a local part at most (RFC 5321 4.5.3.1.1).
pub const MAX_LOCAL_PART: usize = 64;

/// Letters of a signature: 40 bits. A guess is worthless without the owner's mailbox to send from.
const SIGNATURE: usize = 8;

/// The longest number of a correspondent in a stored message, in digits.
const MAX_INDEX_DIGITS: usize = 4;

/// A reply address whose signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyAddress {
    /// The alias, in lower case, with its own tag if it has one.
    pub alias: Address,
    /// Who gets mail to this address.
    pub correspondent: Correspondent,
}

/// Who gets mail to a reply address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Correspondent {
    /// This address.
    Address(Address),
    /// One of those that a stored message names: an address too long to be written into another.
    Stored {
        /// The id of the message.
        message_id: String,
        /// Which one, counted from 0, in the order in which they stand in it.
        index: usize,
    },
}

/// An address of the form of a reply address whose signature does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has the form of a reply address, but not our signature")]
pub struct Forged;

impl AliasKey {
    /// The reply address: mail to it is sent to this correspondent as the alias. `None`: it would be longer than an address may
    /// be, or the domain is an address literal.
    pub fn reply_address(&self, alias: &Address, correspondent: &Address) -> Option<Address> {
        let domain = correspondent.domain().to_ascii_lowercase();
        if domain.starts_with('[') {
            return None;
        }
        self.tagged(alias, &format!("{}={domain}", escaped(correspondent.local())))
    }

    /// The reply address of the second form: mail to it is sent as the alias to one of the correspondents of a stored message, as
    /// long as the message is stored. `None`: it would be too long, or the id has other octets than `a-z 0-9 - _`.
    pub fn stored_reply_address(&self, alias: &Address, message_id: &str, index: usize) -> Option<Address> {
        let named = format!("r{index}.{message_id}");
        let is_readable = matches!(stored(&named), Some(Correspondent::Stored { .. }));
        is_readable.then(|| self.tagged(alias, &named)).flatten()
    }

    /// Reads an address that may be a reply address. `None`: it has not the form of one.
    ///
    /// # Errors
    /// If it has the form, and the signature is not by this key.
    pub fn read_reply_address(&self, address: &Address) -> Option<Result<ReplyAddress, Forged>> {
        let (alias, tag) = alias_and_tag(address)?;
        let signed = tag.rsplit_once('.').filter(|(named, signature)| {
            self.verifies(
                Purpose::ReplyAddress,
                &[&alias.key(), named],
                signature,
                SIGNATURE,
            )
        });
        let correspondent = signed.and_then(|(named, _)| correspondent(named));
        Some(correspondent.map_or(Err(Forged), |correspondent| {
            Ok(ReplyAddress { alias, correspondent })
        }))
    }

    fn tagged(&self, alias: &Address, named: &str) -> Option<Address> {
        let signature = self.sign(Purpose::ReplyAddress, &[&alias.key(), named], SIGNATURE);
        let local = format!("{}+{named}.{signature}", alias.local());
        let address = Address::parse(&format!("{local}@{}", alias.domain())).ok()?;
        // An alias like `.shop` would need quotes, and programs differ in how they read them.
        let is_plain = !address.to_string().starts_with('"');
        (local.len() <= MAX_LOCAL_PART && is_plain).then_some(address)
    }
}

impl ReplyAddress {
    /// The correspondent that an address of the form of a reply address names, whoever has made it up: nothing is proven.
    pub(crate) fn claimed(address: &Address) -> Option<Address> {
        let (_, tag) = alias_and_tag(address)?;
        match correspondent(tag.rsplit_once('.')?.0)? {
            Correspondent::Address(address) => Some(address),
            Correspondent::Stored { .. } => None,
        }
    }

    /// Whether the last label of its tag is as long as a signature of ours, whoever has made it up.
    pub(crate) fn looks_signed(address: &Address) -> bool {
        let label = address.local().rsplit_once('.').map(|(_, label)| label);
        label
            .is_some_and(|label| label.len() == SIGNATURE && label.bytes().all(|b| b.is_ascii_alphanumeric()))
    }
}

/// Cuts an address of the form of a reply address into the alias and our tag, both in small letters.
fn alias_and_tag(address: &Address) -> Option<(Address, String)> {
    let local = address.local().to_ascii_lowercase();
    let (alias, tag) = local.rsplit_once('+')?;
    if !tag.contains('=') && stored(tag.rsplit_once('.')?.0).is_none() {
        return None;
    }
    let alias = Address::parse(&format!("{alias}@{}", address.domain().to_ascii_lowercase())).ok()?;
    Some((alias, tag.to_owned()))
}

fn correspondent(named: &str) -> Option<Correspondent> {
    match named.rsplit_once('=') {
        Some((local, domain)) => address(&unescaped(local)?, domain).map(Correspondent::Address),
        None => stored(named),
    }
}

/// `r<index>.<id>`
fn stored(named: &str) -> Option<Correspondent> {
    let (index, message_id) = named.strip_prefix('r')?.split_once('.')?;
    let is_index = (1..=MAX_INDEX_DIGITS).contains(&index.len())
        && index.bytes().all(|octet| octet.is_ascii_digit())
        && (index.len() == 1 || !index.starts_with('0'));
    let of_an_id =
        |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || matches!(octet, b'-' | b'_');
    (is_index && !message_id.is_empty() && message_id.bytes().all(of_an_id)).then_some(())?;
    Some(Correspondent::Stored {
        message_id: message_id.to_owned(),
        index: index.parse().ok()?,
    })
}

/// The address with this local part, whose quotes are gone.
fn address(local: &str, domain: &str) -> Option<Address> {
    let escaped = local.replace('\\', "\\\\").replace('"', "\\\"");
    Address::parse(&format!("\"{escaped}\"@{domain}")).ok()
}

fn escaped(local: &str) -> String {
    let mut escaped = String::with_capacity(local.len());
    for octet in local.bytes() {
        match octet {
            b'A'..=b'Z' => escaped.extend(['=', char::from(octet.to_ascii_lowercase())]),
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => escaped.push(char::from(octet)),
            b'.' if !escaped.ends_with('.') => escaped.push('.'),
            _ => escaped.extend(["=", &hexadecimal(&[octet])]),
        }
    }
    escaped
}

fn unescaped(text: &str) -> Option<String> {
    let mut octets = text.bytes();
    let mut local = String::with_capacity(text.len());
    while let Some(octet) = octets.next() {
        let octet = match octet {
            b'=' => match octets.next()? {
                small @ b'a'..=b'z' => small.to_ascii_uppercase(),
                first @ b'2'..=b'7' => {
                    let second = char::from(octets.next()?).to_digit(16)?;
                    (first - b'0') << 4 | u8::try_from(second).ok()?
                }
                _ => return None,
            },
            octet => octet,
        };
        local.push(char::from(octet));
    }
    Some(local)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(first: u8) -> AliasKey {
        AliasKey::new(std::array::from_fn(|at| first + u8::try_from(at).unwrap()))
    }

    fn addr(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn reply_address(alias: &str, correspondent: &str) -> Option<String> {
        let address = key(0).reply_address(&addr(alias), &addr(correspondent));
        address.map(|address| address.to_string())
    }

    /// The correspondent of the form that an address has without its signature.
    fn named(address: &str) -> &str {
        address.rsplit_once('.').unwrap().0.rsplit_once('.').unwrap().0
    }

    #[test]
    fn a_correspondent_stands_in_the_tag() {
        for (alias, correspondent, tagged) in [
            ("shop@example.com", "jane@example.org", "shop+jane=example.org"),
            (
                "Shop+x@Example.com",
                "jane@Example.ORG",
                "Shop+x+jane=example.org",
            ),
            (
                "shop@example.com",
                "Jane.Doe@example.org",
                "shop+=jane.=doe=example.org",
            ),
            (
                "shop@example.com",
                "a+b=c@example.org",
                "shop+a=2bb=3dc=example.org",
            ),
            (
                "shop@example.com",
                "\"a b\"@example.org",
                "shop+a=20b=example.org",
            ),
            (
                "shop@example.com",
                "\"a@b\\\"\\\\\"@example.org",
                "shop+a=40b=22=5c=example.org",
            ),
            (
                "shop@example.com",
                ".a..b.@example.org",
                "shop+.a.=2eb.=example.org",
            ),
            (
                "shop@example.com",
                "o'neil_x-y@xn--bcher-kva.example",
                "shop+o=27neil_x-y=xn--bcher-kva.example",
            ),
        ] {
            let written = reply_address(alias, correspondent).expect(correspondent);
            assert_eq!(
                written.rsplit_once('@').unwrap().0.rsplit_once('.').unwrap().0,
                tagged
            );
            for text in [written.clone(), written.to_lowercase(), written.to_uppercase()] {
                let read = key(0).read_reply_address(&addr(&text)).unwrap().unwrap();
                assert_eq!(read.alias, addr(&alias.to_lowercase()));
                let (local, domain) = correspondent.rsplit_once('@').unwrap();
                let correspondent = addr(&format!("{local}@{}", domain.to_lowercase()));
                assert_eq!(
                    read.correspondent,
                    Correspondent::Address(correspondent),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn an_address_that_does_not_fit_has_none() {
        let fitting = "j".repeat(MAX_LOCAL_PART - "shop+=example.org.12345678".len());
        assert_eq!(
            reply_address("shop@example.com", &format!("{fitting}@example.org")).map(|it| it.find('@')),
            Some(Some(MAX_LOCAL_PART))
        );
        for (alias, correspondent) in [
            ("shop@example.com", &*format!("{fitting}j@example.org")),
            ("shop@example.com", "jane@[192.0.2.1]"),
            (".shop@example.com", "jane@example.org"),
            ("\"a b\"@example.com", "jane@example.org"),
        ] {
            assert_eq!(
                reply_address(alias, correspondent),
                None,
                "{alias} {correspondent}"
            );
        }
    }

    #[test]
    fn a_stored_message_names_the_correspondent() {
        let shop = addr("shop@example.com");
        let id = "o3vrnil0e2ic28trm6qo8rma1d4dl7kbo9b40b01";
        let address = key(0).stored_reply_address(&shop, id, 12).unwrap();
        assert!(
            address.to_string().starts_with(&format!("shop+r12.{id}.")),
            "{address}"
        );
        let read = key(0).read_reply_address(&addr(&address.to_string().to_uppercase()));
        let correspondent = Correspondent::Stored {
            message_id: id.to_owned(),
            index: 12,
        };
        let alias = shop.clone();
        assert_eq!(read, Some(Ok(ReplyAddress { alias, correspondent })));
        for (id, index) in [
            ("", 0),
            ("Abc", 0),
            ("a.b", 0),
            ("a=b", 0),
            ("a+b", 0),
            ("a@b", 0),
            ("a b", 0),
            (&*"a".repeat(60), 0),
            ("a", 10_000),
        ] {
            assert_eq!(key(0).stored_reply_address(&shop, id, index), None, "{id}");
        }
        assert!(key(0).stored_reply_address(&shop, "a", 9999).is_some());
    }

    /// Each row is an attack: a tag that we did not write.
    #[test]
    fn nothing_else_is_a_reply_address() {
        let read = |text: &str| key(0).read_reply_address(&addr(text));
        let good = reply_address("shop@example.com", "jane@example.org").unwrap();
        assert!(matches!(read(&good), Some(Ok(_))));
        let stored = key(0)
            .stored_reply_address(&addr("shop@example.com"), "abc", 0)
            .unwrap();
        let signature = named(&good).len() + 1..good.rfind('@').unwrap();
        let signature = good[signature].rsplit('.').next().unwrap().to_owned();
        for forged in [
            good.replace("shop+", "other+"),
            good.replace("@example.com", "@example.net"),
            good.replace("jane=", "eve="),
            good.replace("=example.org", "=example.net"),
            good.replace("jane=", "=jane="),
            good.replace("shop+", "shop+x+"),
            good.replace(&format!(".{signature}"), ""),
            good.replace(&signature, &signature[..7]),
            good.replace(&signature, &format!("{signature}0")),
            good.replace(&signature, "00000000"),
            good.replace(&format!(".{signature}"), &format!("..{signature}")),
            stored.to_string().replace("+r0.", "+r1."),
            stored.to_string().replace(".abc.", ".abd."),
            "shop+=@example.com".to_owned(),
            "shop+jane=example.org@example.com".to_owned(),
            reply_address("shop@example.com", "jane@example.org")
                .and_then(|_| key(1).reply_address(&addr("shop@example.com"), &addr("jane@example.org")))
                .unwrap()
                .to_string(),
        ] {
            assert_eq!(read(&forged), Some(Err(Forged)), "{forged}");
        }
        for other in [
            "shop@example.com",
            "shop+@example.com",
            "shop+news@example.com",
            "shop+r0@example.com",
            "shop+r0.abc@example.com",
            "shop+r00.abc.12345678@example.com",
            "shop+rx.abc.12345678@example.com",
            "jane=example.org.12345678@example.com",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    proptest! {
        /// Every address comes back as it was, whatever it is made of and whatever a program does to its case.
        #[test]
        fn round_trip(local in "[a-zA-Z0-9.+=@ \"\\\\_!#'-]{1,20}", domain in "[a-zA-Z0-9-]{1,6}(\\.[a-z0-9_]{1,4}){0,2}") {
            if let Some(correspondent) = address(&local, &domain)
                && let Some(written) = key(0).reply_address(&addr("shop+x@example.com"), &correspondent)
            {
                let text = written.to_string();
                prop_assert!(text.len() <= MAX_LOCAL_PART + "@example.com".len());
                for text in [text.to_ascii_uppercase(), text] {
                    let read = key(0).read_reply_address(&addr(&text)).unwrap().unwrap();
                    prop_assert_eq!(&read.alias, &addr("shop+x@example.com"));
                    let expected = address(&local, &domain.to_ascii_lowercase()).unwrap();
                    prop_assert_eq!(read.correspondent, Correspondent::Address(expected));
                }
            }
        }

        /// No foreign address passes for a reply address, and none causes a panic.
        #[test]
        fn total(local in "[a-z=+.r0-9@]{1,40}|shop\\+[a-z]{1,4}=[a-z]{1,4}\\.[0-9a-z]{8}") {
            if let Some(address) = address(&local, "example.com") {
                prop_assert!(!matches!(key(0).read_reply_address(&address), Some(Ok(_))));
            }
        }
    }
}
