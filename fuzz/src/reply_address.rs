//! Any alias and any correspondent: the reply address reads as both, whatever a program does to its case; and no address of
//! another's making is one.

use readdress::header::mailbox::Address;
use readdress::signed::{AliasKey, Correspondent, MAX_LOCAL_PART, ReplyAddress};

/// `input`: lines with an alias, a correspondent or the id of a message, and a stranger's address.
pub fn reply_address(input: &[u8]) {
    let text = std::str::from_utf8(input).unwrap_or_default();
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let (alias, correspondent, stranger) = (next(), next(), next());
    let key = AliasKey::new(std::array::from_fn(|at| u8::try_from(at).unwrap_or_default()));

    let stranger = Address::parse(stranger);
    if let Ok(stranger) = &stranger {
        let read = key.read_reply_address(stranger);
        assert!(!matches!(read, Some(Ok(_))), "{stranger} is of another's making");
        assert!(!key.has_signed(stranger, 10), "{stranger} is of another's making");
    }
    let Ok(alias) = Address::parse(alias) else {
        return;
    };
    if let Ok(correspondent) = Address::parse(correspondent)
        && let Some(written) = key.reply_address(&alias, &correspondent)
    {
        let domain = correspondent.domain().to_ascii_lowercase();
        let expected = correspondent.with_domain(&domain).expect("an address");
        check(&key, &alias, &written, &Correspondent::Address(expected));
    }
    if let Some(written) = key.stored_reply_address(&alias, correspondent, input.len() % 10_000) {
        let expected = Correspondent::Stored {
            message_id: correspondent.to_owned(),
            index: input.len() % 10_000,
        };
        check(&key, &alias, &written, &expected);
    }
}

/// The address can be written without quotes and within the limit, and reads as what it was made of.
fn check(key: &AliasKey, alias: &Address, written: &Address, correspondent: &Correspondent) {
    let text = written.to_string();
    assert!(
        written.local().len() <= MAX_LOCAL_PART && !text.starts_with('"'),
        "{text}"
    );
    for text in [text.to_ascii_lowercase(), text.to_ascii_uppercase(), text] {
        let address = Address::parse(&text).expect("an address");
        let Some(Ok(read)) = key.read_reply_address(&address) else {
            panic!("{text} is not known again");
        };
        let ReplyAddress {
            alias: read,
            correspondent: found,
        } = read;
        assert_eq!(read.key(), alias.key(), "{text}");
        assert_eq!(&found, correspondent, "{text}");
        // A letter of the signature that is another is another signature.
        let forged = forged(&text);
        let forged = Address::parse(&forged).expect("an address");
        assert!(
            matches!(key.read_reply_address(&forged), Some(Err(_))),
            "{forged}"
        );
    }
}

/// The address with another last letter of the signature.
fn forged(text: &str) -> String {
    let at = text.rfind('@').expect("an address");
    let last = if text[..at].ends_with('2') { "3" } else { "2" };
    [&text[..at - 1], last, &text[at..]].concat()
}
