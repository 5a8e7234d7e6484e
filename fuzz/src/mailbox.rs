//! Whatever a stranger writes for an address list: what is found can be written, and reads as what it was.

use readdress::header::FieldBody;
use readdress::header::mailbox::{Address, MAX_MAILBOX, MAX_MAILBOXES, parse_address_list};

/// `input`: the body of a field.
pub fn mailbox(body: &[u8]) {
    let list = parse_address_list(body);
    assert!(list.len() <= MAX_MAILBOXES);
    for mailbox in &list {
        let written = mailbox.to_string();
        assert!(
            written.len() <= MAX_MAILBOX && written.bytes().all(|b| matches!(b, b' '..=b'~')),
            "{written:?}"
        );
        assert_eq!(
            Address::parse(&mailbox.address.to_string()).as_ref(),
            Ok(&mailbox.address)
        );
        let again = parse_address_list(written.as_bytes());
        assert_eq!(again.len(), 1, "{written:?}");
        assert_eq!(again[0].address, mailbox.address, "{written:?}");
        // Written again it is the same: a name that was cut stays as it was cut.
        assert_eq!(again[0].to_string(), written);
    }
    let written = FieldBody::list(&list);
    let again = parse_address_list(written.as_str().as_bytes());
    let addresses = |list: &[_]| -> Vec<Address> { list.iter().map(address).collect() };
    assert_eq!(addresses(&again), addresses(&list), "{written:?}");

    if let Ok(text) = std::str::from_utf8(body)
        && let Ok(address) = Address::parse(text)
    {
        assert_eq!(Address::parse(&address.to_string()), Ok(address));
    }
}

fn address(mailbox: &readdress::header::mailbox::Mailbox) -> Address {
    mailbox.address.clone()
}
