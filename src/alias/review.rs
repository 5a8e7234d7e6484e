//! Probable mistakes in a map whose entries are each valid. They are looked for when a map is checked, not for each mail.

use std::collections::HashSet;

use super::key::{Recipient, form_of};
use super::{AliasMap, KeyForm, Problem, Severity};
use crate::header::mailbox::Address;

/// The longest chain of aliases that is followed, each a target of the one before. Nobody means to have a longer one.
const MAX_STEPS: usize = 20;

/// Pairs of patterns that are compared: those of a thousand patterns.
const MAX_PAIRS: usize = 500_000;

impl AliasMap {
    /// The probable mistakes in a map whose entries are each valid: targets that are aliases themselves, and loops of them;
    /// keys that no address reaches, since other keys take them all; patterns that overlap, so that either may be meant. They
    /// come in the order of the keys.
    ///
    /// It takes longer than reading a map does, so it is for whoever checks one.
    pub fn review(&self) -> Vec<Problem> {
        let mut found = self.returning_targets();
        found.extend(self.unreached_keys());
        found.extend(self.overlaps());
        let warning = |(key, reason)| Problem {
            key,
            severity: Severity::Warning,
            reason,
        };
        found.into_iter().map(warning).collect()
    }

    /// Targets that are aliases themselves: mail sent there comes back, and in the worst case goes round for ever. Only domains
    /// that a key names are surely ours; a bare `user` or `@` matches every address there is.
    fn returning_targets(&self) -> Vec<(String, String)> {
        let ours: HashSet<&str> = self.aliases.keys().filter_map(|key| domain_of(key)).collect();
        let mut returning = Vec::new();
        for (key, alias) in self.sorted() {
            let Some(recipient) = self.address_of(key) else {
                continue;
            };
            for target in self.targets(&recipient) {
                let Some(other) = self.resolve(&target).filter(|_| is_ours(&ours, &target)) else {
                    continue;
                };
                let reason = match self.way_back(key, &target, &ours) {
                    Some(way) => format!("a loop: {way}: what arrives is never delivered"),
                    None => format!(
                        "the target {target} is itself an alias of this map, through {:?} ({}): what is sent there \
                         comes back here",
                        other.key, other.form
                    ),
                };
                returning.push((alias.written.clone(), reason));
            }
        }
        returning
    }

    /// The aliases that mail to this target passes until it is back at the key where it began, if it gets there.
    fn way_back(&self, start: &str, target: &Address, ours: &HashSet<&str>) -> Option<String> {
        let mut seen = HashSet::new();
        let mut left = vec![(target.clone(), start.to_owned())];
        while let Some((address, way)) = left.pop() {
            if seen.len() == MAX_STEPS || !is_ours(ours, &address) || !seen.insert(address.key()) {
                continue;
            }
            let Some((_, key)) = self.deciding_key(&address) else {
                continue;
            };
            let way = format!("{way} -> {key}");
            if key == start {
                return Some(way);
            }
            let next = self.targets(&address).into_iter();
            left.extend(next.map(|target| (target, way.clone())));
        }
        None
    }

    fn targets(&self, recipient: &Address) -> Vec<Address> {
        let entry = self.resolve(recipient).and_then(|resolved| resolved.entry.ok());
        let entry = entry.filter(|entry| entry.options.enabled);
        entry.map(|entry| entry.targets_of(recipient)).unwrap_or_default()
    }

    /// Keys whose addresses all go to another key.
    fn unreached_keys(&self) -> Vec<(String, String)> {
        let mut unreached = Vec::new();
        for (key, alias) in self.sorted().into_iter().filter(|(key, _)| key.contains('*')) {
            let other = self
                .address_of(key)
                .and_then(|address| Some((self.deciding_key(&address)?, address)));
            if let Some(((form, other), address)) = other.filter(|((_, other), _)| other != key) {
                let reason = format!("mail to such an address, as {address}, goes to {other:?} ({form})");
                unreached.push((alias.written.clone(), reason));
            }
        }
        unreached
    }

    /// Patterns that fit a common address, of which the order of precedence picks one that may not be meant.
    fn overlaps(&self) -> Vec<(String, String)> {
        let mut overlaps = Vec::new();
        let pairs = self.patterns.iter().enumerate();
        let pairs =
            pairs.flat_map(|(at, first)| self.patterns[at + 1..].iter().map(move |second| (first, second)));
        for (first, second) in pairs.take(MAX_PAIRS) {
            if let Some(address) = first.overlap(second) {
                let reason = format!("{:?} fits {address:?}, too: this pattern counts", second.key);
                overlaps.push((first.key.clone(), reason));
            }
        }
        overlaps
    }

    /// An address that the key matches and, as far as the pattern allows, no other key is written for.
    fn address_of(&self, key: &str) -> Option<Address> {
        let mut filling = (0..).map(|number| format!("x{number}"));
        let unused = filling.find(|text| self.aliases.keys().all(|key| !key.contains(text)))?;
        let key = key.replace('*', &unused);
        let address = match (form_of(&key), key.as_str()) {
            (_, "@") => format!("{unused}@{unused}.example"),
            (KeyForm::Domain, _) => format!("{unused}{key}"),
            (KeyForm::User, _) => format!("{key}@{unused}.example"),
            _ => key,
        };
        Address::parse(&address).ok()
    }

    /// The folded key that counts for an address.
    fn deciding_key(&self, address: &Address) -> Option<(KeyForm, String)> {
        let candidates = self.candidates(&Recipient::new(address)).into_iter();
        let mut found = candidates.filter(|(_, key)| self.aliases.contains_key(key));
        found.next()
    }
}

fn domain_of(key: &str) -> Option<&str> {
    key.rsplit_once('@')
        .map(|(_, domain)| domain)
        .filter(|domain| !domain.is_empty())
}

/// Whether a key names the domain of this address. A pattern of domains names all those below its own.
fn is_ours(ours: &HashSet<&str>, address: &Address) -> bool {
    let domain = address.domain().to_ascii_lowercase();
    let mut parents = domain
        .match_indices('.')
        .map(|(at, _)| format!("*{}", &domain[at..]));
    ours.contains(&*domain) || parents.any(|pattern| ours.contains(&*pattern))
}
