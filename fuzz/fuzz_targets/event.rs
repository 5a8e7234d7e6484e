//! Any bytes for an event: total, and a message id can never name another file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use readdress::event;

fuzz_target!(|payload: &[u8]| {
    let Ok(records) = event::parse(payload) else { return };
    assert!(!records.is_empty());
    for arrival in records.into_iter().flatten() {
        let id = arrival.message_id.as_str();
        assert!(!id.is_empty() && !id.starts_with('.') && !id.contains(['/', '\\', '\0']), "{id:?}");
        assert!(!arrival.recipients.is_empty());
    }
});
