//! The keys of the map: their forms, which of them a recipient matches, and which match nothing.

use std::fmt;

use crate::header::mailbox::Address;

/// Which form of key matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyForm {
    /// `user@domain` or `user+tag@domain`, as the recipient is written.
    Exact,
    /// `user@domain` for a recipient `user+tag@domain`.
    WithoutTag,
    /// `@domain`.
    Domain,
    /// `user` or `user+tag`.
    User,
    /// `user` for a recipient `user+tag@domain`.
    UserWithoutTag,
    /// `@`.
    Everything,
}

impl fmt::Display for KeyForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact address",
            Self::WithoutTag => "address without +tag",
            Self::Domain => "catch-all of the domain",
            Self::User => "user on any domain",
            Self::UserWithoutTag => "user without +tag on any domain",
            Self::Everything => "everything else",
        })
    }
}

pub(super) fn fold(key: &str) -> String {
    key.trim().to_ascii_lowercase()
}

/// The order of precedence, and the only place that knows it.
pub(super) fn lookups(recipient: &Address) -> Vec<(KeyForm, String)> {
    let address = recipient.key();
    let (local, domain) = address.rsplit_once('@').unwrap_or((&address, ""));
    // Without a user before the tag the address would become the key of the catch-all.
    let user = local.split_once('+').map(|(user, _)| user);
    let user = user.filter(|user| !user.is_empty());
    // A local part that is quoted may hold an `@`, and must not become another's address.
    let users = !local.contains('@');
    let mut lookups = vec![(KeyForm::Exact, address.clone())];
    lookups.extend(user.map(|user| (KeyForm::WithoutTag, format!("{user}@{domain}"))));
    lookups.push((KeyForm::Domain, format!("@{domain}")));
    if users {
        lookups.push((KeyForm::User, local.to_owned()));
        lookups.extend(user.map(|user| (KeyForm::UserWithoutTag, user.to_owned())));
    }
    lookups.push((KeyForm::Everything, "@".to_owned()));
    lookups
}

/// Why no recipient can ever match a key, if that is so: it is tried on the address that it would match.
pub(super) fn never_matches(key: &str) -> Option<String> {
    if !key.is_ascii() {
        return Some("matches nothing: SES receives for ASCII only; write a domain in its xn-- form".into());
    }
    let address = match key.rsplit_once('@') {
        _ if key == "@" => return None,
        None if key == "*" => return Some("a * is no wildcard; everything else is \"@\"".into()),
        Some(("*", domain)) => return Some(format!("a * is no wildcard; the catch-all is \"@{domain}\"")),
        Some(("", _)) => format!("postmaster{key}"),
        Some(_) => key.to_owned(),
        None => format!("{key}@example.com"),
    };
    match Address::parse(&address) {
        Ok(parsed) if parsed.key() == address => None,
        Ok(_) => Some("matches nothing: no address is written like this".into()),
        Err(error) => Some(format!("matches nothing: {error}")),
    }
}

/// Top-level domains of three letters or more that aliases are often below, and the reserved ones, which people try things
/// with (RFC 2606).
const TOP_LEVEL: [&str; 30] = [
    "app", "biz", "blog", "cloud", "club", "com", "dev", "edu", "email", "example", "gov", "info", "invalid",
    "life", "live", "local", "name", "net", "online", "org", "page", "pro", "shop", "site", "space", "store",
    "tech", "test", "world", "xyz",
];

/// Is this probably a domain whose `@` was forgotten? A user's name may have a dot too.
pub(super) fn looks_like_a_domain(key: &str) -> bool {
    let last = key.rsplit_once('.').map(|(_, last)| last);
    let last = last.filter(|_| !key.contains('@')).unwrap_or_default();
    TOP_LEVEL.contains(&last)
        || last.starts_with("xn--")
        || last.len() == 2 && last.bytes().all(|b| b.is_ascii_lowercase())
}
