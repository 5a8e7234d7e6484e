//! Lists of senders, for the options `allow` and `block`.

use std::fmt;
use std::str::FromStr;

use crate::header::mailbox::{Address, AddressError};

/// Senders that an entry of the map names: addresses, and domains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Senders(Vec<SenderPattern>);

impl Senders {
    pub(super) fn new(patterns: Vec<SenderPattern>) -> Self {
        Senders(patterns)
    }

    /// Whether the list names this sender, by address or by domain. Case does not matter.
    pub fn contain(&self, sender: &Address) -> bool {
        self.0.iter().any(|pattern| pattern.matches(sender))
    }

    /// Whether the list names nobody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Senders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = self.0.iter().map(SenderPattern::to_string);
        f.write_str(&written.collect::<Vec<_>>().join(", "))
    }
}

/// One element of such a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SenderPattern {
    /// `jane@example.org`: this address, in lower case.
    Address(String),
    /// `example.org` or `@example.org`: every address of this domain, and of no other.
    Domain(String),
    /// `*.example.org` or `@*.example.org`: every address of a domain below this one. The dot is kept.
    Subdomains(String),
}

impl SenderPattern {
    fn matches(&self, sender: &Address) -> bool {
        let domain = sender.domain();
        match self {
            Self::Address(address) => sender.key() == *address,
            Self::Domain(other) => domain.eq_ignore_ascii_case(other),
            Self::Subdomains(suffix) => {
                let (domain, suffix) = (domain.as_bytes(), suffix.as_bytes());
                let start = domain.len().checked_sub(suffix.len()).filter(|&start| start > 0);
                start.is_some_and(|start| domain[start..].eq_ignore_ascii_case(suffix))
            }
        }
    }
}

impl FromStr for SenderPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |error: AddressError| format!("{text:?} is neither an address nor a domain: {error}");
        let domain = |domain: &str| {
            let address = Address::parse(&format!("postmaster@{domain}")).map_err(wrong)?;
            Ok::<_, String>(address.domain().to_ascii_lowercase())
        };
        if text.contains('*') && !text.trim_start_matches('@').starts_with("*.") {
            return Err(format!(
                "{text:?} has a * that is not in place of a subdomain, as in *.example.org"
            ));
        }
        if text.contains('@') && !text.starts_with('@') {
            let address = Address::parse(text).map_err(|error| {
                if text.ends_with('>') {
                    format!("{text:?} has a name or <>: write the address alone, such as jane@example.org")
                } else {
                    wrong(error)
                }
            })?;
            return Ok(Self::Address(address.key()));
        }
        let text = text.strip_prefix('@').unwrap_or(text);
        match text.strip_prefix("*.") {
            Some(parent) => Ok(Self::Subdomains(format!(".{}", domain(parent)?))),
            None => domain(text).map(Self::Domain),
        }
    }
}

impl fmt::Display for SenderPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => f.write_str(address),
            Self::Domain(domain) => write!(f, "@{domain}"),
            Self::Subdomains(suffix) => write!(f, "@*{suffix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_are_named_by_address_and_domain() {
        let list = ["Jane@Example.org", "example.net", "@EXAMPLE.com", "*.example.com"];
        let senders = Senders::new(list.iter().map(|text| text.parse().unwrap()).collect());
        assert_eq!(
            senders.to_string(),
            "jane@example.org, @example.net, @example.com, @*.example.com"
        );
        for (sender, named) in [
            ("jane@EXAMPLE.org", true),
            ("JANE@example.org", true),
            ("jane+x@example.org", false),
            ("zoe@example.org", false),
            ("zoe@Example.NET", true),
            ("zoe@mail.example.net", false),
            ("zoe@notexample.net", false),
            ("zoe@example.com", true),
            ("zoe@a.b.example.com", true),
            ("zoe@notexample.com", false),
            ("\"zoe@example.net\"@example.org", false),
        ] {
            assert_eq!(
                senders.contain(&Address::parse(sender).unwrap()),
                named,
                "{sender}"
            );
        }
        assert!(!Senders::default().contain(&Address::parse("jane@example.org").unwrap()));
    }

    #[test]
    fn a_mistake_is_named() {
        for text in [
            "",
            "@",
            "*",
            "*.",
            "@*",
            "*@example.org",
            "@@example.org",
            "*.*.example.org",
            "jane@",
            "jane@*.example.org",
            "Jane <jane@example.org>",
            "example.org, example.net",
            "ex ample.org",
            "bücher.example",
            "a@b@example.org",
        ] {
            assert!(text.parse::<SenderPattern>().is_err(), "{text}");
        }
    }
}
