//! Any bytes for an alias map, and any recipient: total, and what resolves is what `explain` says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use readdress::alias::AliasMap;
use readdress::header::mailbox::Address;

fuzz_target!(|input: (&str, &[u8])| {
    let (recipient, json) = input;
    let Ok(aliases) = AliasMap::parse(json) else { return };
    for (key, entry) in aliases.entries() {
        if let Ok(entry) = entry {
            assert!(!entry.options.enabled || !entry.targets.is_empty(), "{key:?} leads nowhere");
        } else {
            assert!(!aliases.problems().is_empty(), "{key:?} is broken and nobody says so");
        }
    }
    for recipient in [recipient, "shop@example.com", "shop+tag@example.com"] {
        let Ok(recipient) = Address::parse(recipient) else { continue };
        let first = aliases.explain(&recipient).into_iter().find(|(_, _, found)| *found);
        let resolved = aliases.resolve(&recipient);
        assert_eq!(resolved.map(|resolved| resolved.form), first.map(|(form, ..)| form));
    }
});
