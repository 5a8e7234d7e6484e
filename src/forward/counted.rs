//! Counts, in this process, the kind of messages of which an alias forwards only so many in an hour.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Threads that the targets of an alias may begin in an hour. People try their alias a few times; a program that sends back its
/// mail does so at once, and without end.
const MAX_AN_HOUR: usize = 10;

const HOUR: Duration = Duration::from_hours(1);

/// Aliases that are counted. The owner's map has fewer, but a catch-all has any number.
const MAX_ALIASES: usize = 1000;

/// The times at which messages of each alias were counted.
#[derive(Debug, Default)]
pub(super) struct Counted(Mutex<HashMap<String, VecDeque<Instant>>>);

impl Counted {
    /// Counts a message for the alias with this key. Returns whether it is within the limit, so that it is forwarded.
    pub(super) fn admit(&self, alias: &str) -> bool {
        self.admit_at(alias, Instant::now())
    }

    fn admit_at(&self, alias: &str, now: Instant) -> bool {
        let mut aliases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if aliases.len() >= MAX_ALIASES && !aliases.contains_key(alias) {
            aliases.clear();
        }
        let times = aliases.entry(alias.to_owned()).or_default();
        while times.front().is_some_and(|&at| now.duration_since(at) >= HOUR) {
            times.pop_front();
        }
        if times.len() >= MAX_AN_HOUR {
            return false;
        }
        times.push_back(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_an_hour_are_admitted_for_each_alias() {
        let counted = Counted::default();
        let now = Instant::now();
        for _ in 0..MAX_AN_HOUR {
            assert!(counted.admit_at("a@example.com", now));
        }
        assert!(!counted.admit_at("a@example.com", now + HOUR / 2));
        assert!(counted.admit_at("b@example.com", now));
        assert!(counted.admit_at("a@example.com", now + HOUR));
    }

    /// Catches memory that grows with the addresses that strangers make up.
    #[test]
    fn only_so_many_aliases_are_counted() {
        let counted = Counted::default();
        for n in 0..3 * MAX_ALIASES {
            assert!(counted.admit(&format!("{n}@example.com")));
        }
        assert!(counted.0.lock().unwrap().len() <= MAX_ALIASES);
    }
}
