//! The owners of all aliases of a map.

use std::sync::Arc;

use super::{AliasMap, Notify};
use crate::rewrite::Owners;

impl AliasMap {
    /// The addresses that get mail of any alias of this map, or may answer as one, and the domains of the aliases. They are
    /// gathered at the first call.
    pub fn owners(&self) -> Arc<Owners> {
        let owners = self.owners.get_or_init(|| Arc::new(self.gathered()));
        Arc::clone(owners)
    }

    fn gathered(&self) -> Owners {
        let mut owners = Owners::default();
        for (key, alias) in &self.aliases {
            match key.rsplit_once('@').filter(|(_, domain)| !domain.is_empty()) {
                Some((_, domain)) => owners.add_alias_domain(domain),
                // A user on any domain, or everything else.
                None => owners.add_any_alias_domain(),
            }
            let Ok(entry) = &alias.entry else {
                continue;
            };
            let options = &entry.options;
            let addresses = entry
                .targets
                .iter()
                .chain(&options.repliers)
                .chain(&options.fallback);
            addresses.for_each(|address| owners.add(address));
            if let Some(Notify::Address(address)) = &options.notify {
                owners.add(address);
            }
            for domain in &entry.domains {
                owners.add_domain(domain);
            }
        }
        owners
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::mailbox::Address;

    #[test]
    fn everybody_who_gets_mail_of_an_alias_is_an_owner() {
        let map = br#"{
            "shop@example.com": {"to": "ann@private.example", "repliers": ["omar@work.example"],
                "fallback": "spare@backup.example", "notify": "admin@ops.example"},
            "off@example.net": {"to": "zoe@home.example", "enabled": false},
            "broken@example.com": {"to": 7},
            "@old.example": "@new.example",
            "x-*@*.example.org": "bob@work.example"
        }"#;
        let map = AliasMap::parse(map).unwrap();
        let owners = map.owners();
        let contains = |text: &str| owners.contains(&Address::parse(text).unwrap());
        for owner in [
            "ann@private.example",
            "omar@work.example",
            "spare@backup.example",
            "admin@ops.example",
            "zoe@home.example",
            "bob@work.example",
            "any@new.example",
        ] {
            assert!(contains(owner), "{owner}");
        }
        assert!(!contains("shop@example.com") && !contains("any@old.example"));
        for domain in ["example.com", "example.net", "old.example", "a.example.org"] {
            assert!(owners.is_alias_domain(domain), "{domain}");
        }
        assert!(!owners.is_alias_domain("home.example"));
    }
}
