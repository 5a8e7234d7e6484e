//! Any bytes for an alias map, and any recipient: total, and what resolves is what `explain` says.

use readdress::alias::{AliasMap, Severity};
use readdress::header::mailbox::Address;

/// `input`: a line with a recipient, the map.
pub fn alias_map(input: &[u8]) {
    let at = input.iter().position(|&b| b == b'\n').unwrap_or(0);
    let (recipient, json) = input.split_at(at);
    let Ok(aliases) = AliasMap::parse(json) else {
        return;
    };
    let is_error = |key: &str| {
        let mut problems = aliases.problems().iter();
        problems.any(|problem| problem.key == key && problem.severity == Severity::Error)
    };
    for (key, entry) in aliases.entries() {
        match entry {
            Ok(entry) => {
                assert!(
                    !entry.options.enabled || !entry.targets.is_empty() || !entry.domains.is_empty(),
                    "{key:?} leads nowhere"
                );
                assert!(!is_error(key), "{key:?} is said to be broken");
            }
            Err(reason) => assert!(
                is_error(key) && !reason.is_empty(),
                "{key:?} is broken and nobody says so"
            ),
        }
    }
    assert_eq!(aliases.entries().count(), aliases.len());
    let problems = [aliases.problems(), &aliases.review()].concat();
    for problem in problems {
        let line = problem.to_string();
        assert!(!line.contains(char::is_control), "{line:?} is more than a line");
    }
    let written = std::str::from_utf8(recipient).unwrap_or_default();
    for recipient in [written, "shop@example.com", "shop+tag@example.com"] {
        let Ok(recipient) = Address::parse(recipient) else {
            continue;
        };
        let found = aliases
            .explain(&recipient)
            .into_iter()
            .find(|(_, _, found)| *found);
        let resolved = aliases.resolve(&recipient);
        assert_eq!(
            resolved.map(|resolved| resolved.form),
            found.as_ref().map(|(form, ..)| *form)
        );
        if let (Some(resolved), Some((_, key, _))) = (resolved, found) {
            let written = resolved.key.trim().to_ascii_lowercase();
            assert!(written == key || written.contains('*'), "{written:?} {key:?}");
        }
    }
}
