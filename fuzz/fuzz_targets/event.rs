//! Any bytes for an event: total, and a message id can never name another file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use readdress::event;

fuzz_target!(|payload: &[u8]| {
    let Ok(records) = event::parse(payload) else { return };
    for arrival in records.into_iter().filter_map(|record| record.arrival.ok()) {
        let id = arrival.message_id.as_str();
        assert!(!id.is_empty() && !id.starts_with('.') && !id.contains(['/', '\\', '\0']), "{id:?}");
        match arrival.stored {
            None => assert!(!arrival.recipients.is_empty()),
            Some(stored) => assert!(!stored.key.starts_with('/') && stored.key.split('/').all(|step| step != "..")),
        }
    }
});
