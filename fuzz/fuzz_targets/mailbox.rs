//! Whatever a stranger writes for an address list: what is found can be written, and reads as what it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use readdress::header::mailbox::{Address, MAX_MAILBOX, parse_address_list};

fuzz_target!(|body: &[u8]| {
    for mailbox in parse_address_list(body) {
        let written = mailbox.to_string();
        assert!(written.len() <= MAX_MAILBOX && written.bytes().all(|b| matches!(b, b' '..=b'~')), "{written:?}");
        assert_eq!(Address::parse(&mailbox.address.to_string()).as_ref(), Ok(&mailbox.address));
        let again = parse_address_list(written.as_bytes());
        assert_eq!(again.len(), 1, "{written:?}");
        assert_eq!(again[0].address, mailbox.address, "{written:?}");
    }
    if let Ok(text) = std::str::from_utf8(body)
        && let Ok(address) = Address::parse(text)
    {
        assert_eq!(Address::parse(&address.to_string()), Ok(address));
    }
});
