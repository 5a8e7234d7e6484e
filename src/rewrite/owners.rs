//! The owners of all aliases: whatever one of them writes to another may end up with a correspondent.

use std::collections::HashSet;

use crate::header::mailbox::Address;

/// The addresses at which the mail of an alias map arrives in the end, and the domains of its aliases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    /// In lower case, without tags.
    addresses: HashSet<String>,
    /// Domains at which every address is an owner's.
    domains: HashSet<String>,
    /// The domains of aliases.
    alias_domains: HashSet<String>,
    /// The domains below which there are aliases, with a dot before each.
    parents: Vec<String>,
    /// There are aliases on any domain that mail arrives for.
    has_any: bool,
}

impl Owners {
    /// Adds an address that gets mail of an alias, or may answer as one.
    pub fn add(&mut self, address: &Address) {
        self.addresses.insert(untagged(address));
    }

    /// Adds a domain of which every address gets mail of an alias.
    pub fn add_domain(&mut self, domain: &str) {
        self.domains.insert(domain.to_ascii_lowercase());
    }

    /// Adds a domain of aliases, or, with `*.` at its front, all domains below one.
    pub fn add_alias_domain(&mut self, domain: &str) {
        let domain = domain.to_ascii_lowercase();
        match domain.strip_prefix('*') {
            Some(parent) => self.parents.push(parent.to_owned()),
            None => {
                self.alias_domains.insert(domain);
            }
        }
    }

    /// Adds whatever domain mail arrives for.
    pub fn add_any_alias_domain(&mut self) {
        self.has_any = true;
    }

    /// Whether there are aliases of which only the local part is known.
    pub fn has_alias_on_any_domain(&self) -> bool {
        self.has_any
    }

    /// Whether mail to this address reaches an owner, whatever its `+tag`.
    pub fn contains(&self, address: &Address) -> bool {
        self.addresses.contains(&untagged(address))
            || self.domains.contains(&address.domain().to_ascii_lowercase())
    }

    /// Whether aliases have this domain.
    pub fn is_alias_domain(&self, domain: &str) -> bool {
        let domain = domain.to_ascii_lowercase();
        self.alias_domains.contains(&domain) || self.parents.iter().any(|parent| domain.ends_with(parent))
    }
}

fn untagged(address: &Address) -> String {
    format!("{}@{}", address.untagged_local(), address.domain()).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn an_owner_has_any_tag_and_case() {
        let mut owners = Owners::default();
        owners.add(&addr("Zoe+mail@Home.example"));
        owners.add_domain("New.example");
        for owner in [
            "zoe@home.example",
            "ZOE+x@HOME.EXAMPLE",
            "zoe+mail@home.example",
            "any@new.example",
        ] {
            assert!(owners.contains(&addr(owner)), "{owner}");
        }
        for other in ["zo@home.example", "zoe@example", "any@sub.new.example"] {
            assert!(!owners.contains(&addr(other)), "{other}");
        }
    }

    #[test]
    fn aliases_have_domains_and_domains_below_one() {
        let mut owners = Owners::default();
        owners.add_alias_domain("Example.com");
        owners.add_alias_domain("*.example.net");
        for domain in ["example.COM", "a.example.net", "a.b.example.net"] {
            assert!(owners.is_alias_domain(domain), "{domain}");
        }
        for domain in ["example.net", "a.example.com", "badexample.net", "com"] {
            assert!(!owners.is_alias_domain(domain), "{domain}");
        }
    }
}
