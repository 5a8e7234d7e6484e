//! Encoded-words both ways: nothing decodes to a control character, and what is encoded decodes to what it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use readdress::header::encoded_word::{decode, encode_phrase, encode_unstructured};
use readdress::header::{FieldBody, write_field};

fuzz_target!(|body: &[u8]| {
    let text = decode(body);
    assert!(!text.contains(char::is_control), "{text:?}");
    let encoded = encode_unstructured(&text);
    assert!(encoded.bytes().all(|b| matches!(b, b' '..=b'~')), "{encoded:?}");
    assert_eq!(decode(encoded.as_bytes()), text, "{encoded:?}");

    let phrase = encode_phrase(&text);
    assert!(phrase.bytes().all(|b| matches!(b, b' '..=b'~')), "{phrase:?}");

    for body in [FieldBody::unstructured(&text), FieldBody::copy(body)] {
        let mut field = Vec::new();
        write_field(&mut field, "X-Fuzz", &body, b"\r\n");
        let field = String::from_utf8(field).expect("ASCII");
        let lines = field.strip_suffix("\r\n").expect("a line break").split("\r\n");
        for (index, line) in lines.enumerate() {
            assert!(line.len() <= 998 && !line.trim().is_empty() && line.starts_with(' ') == (index > 0), "{field:?}");
            assert!(line.bytes().all(|b| matches!(b, b' '..=b'~')), "{field:?}");
        }
    }
});
