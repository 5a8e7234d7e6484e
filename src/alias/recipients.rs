//! The recipients that a receipt rule of SES has to accept so that all aliases of a map receive.

use std::collections::BTreeSet;

use super::key::form_of;
use super::{AliasMap, KeyForm};

impl AliasMap {
    /// The recipients of a receipt rule, in the forms that SES has for them: `user@domain`, which takes any `+tag` too if the
    /// user has none of its own; `domain`; and `.domain` for all domains below it. None is covered by another. Keys without a
    /// domain stand for their addresses on each of `domains`.
    ///
    /// # Errors
    /// The first key without a domain, if there are no `domains`.
    pub fn recipients(&self, domains: &[String]) -> Result<BTreeSet<String>, String> {
        let mut all = BTreeSet::new();
        for (key, alias) in self.sorted() {
            if alias.entry.as_ref().is_ok_and(|entry| !entry.options.enabled) {
                continue;
            }
            match (form_of(key), key.rsplit_once('@')) {
                (KeyForm::Exact, Some(_)) => {
                    all.insert(key.clone());
                }
                (KeyForm::Pattern | KeyForm::Domain, Some((_, domain))) => {
                    all.insert(domain.to_owned());
                }
                (KeyForm::DomainPattern, Some((_, pattern))) => all.extend(below(pattern)),
                (form, _) => {
                    if domains.is_empty() {
                        return Err(alias.written.clone());
                    }
                    let is_one = form == KeyForm::User;
                    all.extend(domains.iter().map(|domain| {
                        let domain = domain.trim_start_matches('@').to_ascii_lowercase();
                        if is_one { format!("{key}@{domain}") } else { domain }
                    }));
                }
            }
        }
        let covering = all.clone();
        all.retain(|recipient| !is_covered(recipient, &covering));
        Ok(all)
    }
}

/// All domains that a pattern can match: those below the text from the first dot after its last `*` on.
fn below(pattern: &str) -> Option<String> {
    let rest = pattern.rsplit_once('*').map_or(pattern, |(_, rest)| rest);
    rest.find('.').map(|dot| rest[dot..].to_owned())
}

fn is_covered(recipient: &str, by: &BTreeSet<String>) -> bool {
    let domain = match recipient.rsplit_once('@') {
        Some((_, domain)) if by.contains(domain) => return true,
        Some((_, domain)) => domain,
        None => recipient,
    };
    let parents = domain.match_indices('.').map(|(at, _)| &domain[at..]);
    parents
        .into_iter()
        .any(|parent| parent != recipient && by.contains(parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str, domains: &[&str]) -> Result<String, String> {
        let aliases = AliasMap::parse(json.as_bytes()).unwrap();
        let domains: Vec<String> = domains.iter().map(|&domain| domain.to_owned()).collect();
        let all = aliases.recipients(&domains)?;
        Ok(all.into_iter().collect::<Vec<_>>().join(" "))
    }

    /// Catches an alias whose mail SES never takes, and a rule full of addresses that its domain covers anyway.
    #[test]
    fn all_aliases_are_received() {
        for (json, expected) in [
            (
                r#"{"Shop+x@a.org": "t@z.org", "shop@a.org": "t@z.org", "b@a.org": "t@z.org"}"#,
                "b@a.org shop+x@a.org shop@a.org",
            ),
            (r#"{"shop@a.org": "t@z.org", "@a.org": "t@z.org"}"#, "a.org"),
            (
                r#"{"shop@a.org": "t@z.org", "x-*@a.org": "t@z.org", "b@c.org": "t@z.org"}"#,
                "a.org b@c.org",
            ),
            (
                r#"{"@*.a.org": "t@z.org", "b@c.a.org": "t@z.org", "@d.a.org": "t@z.org", "@a.org": "t@z.org"}"#,
                ".a.org a.org",
            ),
            (r#"{"x@*shop.a.org": "t@z.org"}"#, ".a.org"),
            (r#"{"x@a*b.org": "t@z.org"}"#, ".org"),
            (
                r#"{"off@a.org": {"enabled": false}, "bad@a.org": 7}"#,
                "bad@a.org",
            ),
            ("{}", ""),
        ] {
            assert_eq!(of(json, &[]).as_deref(), Ok(expected), "{json}");
        }
        for key in ["Shop", "shop-*", "@"] {
            assert_eq!(
                of(&format!("{{\"{key}\": \"t@z.org\"}}"), &[]),
                Err(key.to_owned())
            );
        }
        let bare = r#"{"shop": "t@z.org", "x@c.org": "t@z.org"}"#;
        assert_eq!(
            of(bare, &["@a.org", "B.org"]).as_deref(),
            Ok("shop@a.org shop@b.org x@c.org")
        );
        assert_eq!(
            of(r#"{"@": "t@z.org", "x@a.org": "t@z.org"}"#, &["a.org"]).as_deref(),
            Ok("a.org")
        );
    }
}
