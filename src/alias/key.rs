//! The keys of the map: their forms, which of them a recipient matches, and which match nothing.

use std::fmt;

use crate::header::mailbox::Address;

/// Which form of key matched. The forms stand in the order of their precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyForm {
    /// `user@domain` or `user+tag@domain`, as the recipient is written.
    Exact,
    /// `user@domain` for a recipient `user+tag@domain`.
    WithoutTag,
    /// `shop-*@domain`.
    Pattern,
    /// `@domain`.
    Domain,
    /// `shop-*@*.domain` or `@*.domain`.
    DomainPattern,
    /// `user` or `user+tag`.
    User,
    /// `user` for a recipient `user+tag@domain`.
    UserWithoutTag,
    /// `shop-*`.
    UserPattern,
    /// `@`.
    Everything,
}

impl fmt::Display for KeyForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact address",
            Self::WithoutTag => "address without +tag",
            Self::Pattern => "pattern of the domain",
            Self::Domain => "catch-all of the domain",
            Self::DomainPattern => "pattern of domains",
            Self::User => "user on any domain",
            Self::UserWithoutTag => "user without +tag on any domain",
            Self::UserPattern => "pattern of users on any domain",
            Self::Everything => "everything else",
        })
    }
}

/// The key by which an entry is kept: without spaces around it and in small letters. A `*` that is a whole local part is
/// dropped, since it adds nothing, and so is a second `*` behind the first.
pub(super) fn fold(key: &str) -> String {
    let mut key = key.trim().to_ascii_lowercase();
    if key.contains('*') {
        key = one_star(&key);
        let (local, domain) = key.rsplit_once('@').unwrap_or((&key, "*"));
        let domain = if domain == "*" { "" } else { domain };
        let has_domain = key.contains('@') && !domain.is_empty();
        key = match local {
            "" | "*" => format!("@{domain}"),
            local if has_domain => format!("{local}@{domain}"),
            local => local.to_owned(),
        };
    }
    key
}

/// The form of a folded key, as the recipients that it matches are written.
pub(super) fn form_of(key: &str) -> KeyForm {
    let has_star = key.contains('*');
    match key.rsplit_once('@') {
        None if has_star => KeyForm::UserPattern,
        None => KeyForm::User,
        Some(("", "")) => KeyForm::Everything,
        Some((_, domain)) if domain.contains('*') => KeyForm::DomainPattern,
        Some(("", _)) => KeyForm::Domain,
        Some(_) if has_star => KeyForm::Pattern,
        Some(_) => KeyForm::Exact,
    }
}

/// The exact keys that a recipient can match, in the order of precedence. Patterns have their place in [`KeyForm`].
pub(super) fn lookups(recipient: &Recipient) -> Vec<(KeyForm, String)> {
    let Recipient { local, user, domain } = recipient;
    // A local part that is quoted may hold an `@`, and must not become another's address.
    let users = !local.contains('@');
    let mut lookups = Vec::with_capacity(6);
    let at_domain = |local: &str| [local, "@", domain].concat();
    lookups.push((KeyForm::Exact, at_domain(local)));
    lookups.extend(user.as_ref().map(|user| (KeyForm::WithoutTag, at_domain(user))));
    lookups.push((KeyForm::Domain, at_domain("")));
    if users {
        lookups.push((KeyForm::User, local.clone()));
        lookups.extend(user.clone().map(|user| (KeyForm::UserWithoutTag, user)));
    }
    lookups.push((KeyForm::Everything, "@".to_owned()));
    lookups
}

/// A recipient, as keys are compared with it: in small letters.
#[derive(Debug)]
pub(super) struct Recipient {
    pub(super) local: String,
    /// The local part without its tag, if it has one. Without a user before the tag the address would become the key of the
    /// catch-all.
    pub(super) user: Option<String>,
    pub(super) domain: String,
}

impl Recipient {
    pub(super) fn new(address: &Address) -> Self {
        let local = address.local().to_ascii_lowercase();
        let user = local.split_once('+').map(|(user, _)| user);
        Recipient {
            user: user.filter(|user| !user.is_empty()).map(str::to_owned),
            domain: address.domain().to_ascii_lowercase(),
            local,
        }
    }
}

/// The reason why no recipient can ever match a key, if there is one: the key is tried on the address that it would match.
pub(super) fn never_matches(key: &str) -> Option<String> {
    if !key.is_ascii() {
        return Some("matches nothing: SES receives for ASCII only; write a domain in its xn-- form".into());
    }
    // A pattern is tried on an address that it matches.
    let tried = key.replace('*', "x");
    let address = match tried.rsplit_once('@') {
        _ if key == "@" => return None,
        Some(("", _)) => format!("postmaster{tried}"),
        Some(_) => tried,
        None => format!("{tried}@example.com"),
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

/// The text with one `*` in place of several.
fn one_star(text: &str) -> String {
    let mut single = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '*' || !single.ends_with('*') {
            single.push(character);
        }
    }
    single
}

/// Whether this is probably a domain whose `@` was forgotten. A user's name may have a dot too.
pub(super) fn looks_like_a_domain(key: &str) -> bool {
    let last = key.rsplit_once('.').map(|(_, last)| last);
    let last = last.filter(|_| !key.contains('@')).unwrap_or_default();
    TOP_LEVEL.contains(&last)
        || last.starts_with("xn--")
        || last.len() == 2 && last.bytes().all(|b| b.is_ascii_lowercase())
}
