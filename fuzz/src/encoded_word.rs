//! Encoded-words both ways: nothing decodes to a control character, and what is encoded decodes to what it was.

use readdress::header::encoded_word::{decode, encode_phrase, encode_unstructured};
use readdress::header::{FieldBody, write_field};

/// `input`: the body of a field.
pub fn encoded_word(body: &[u8]) {
    let text = decode(body);
    assert!(!text.contains(char::is_control), "{text:?}");
    let encoded = encode_unstructured(&text);
    assert!(is_printable(&encoded), "{encoded:?}");
    assert_eq!(decode(encoded.as_bytes()), text, "{encoded:?}");

    let phrase = encode_phrase(&text);
    assert!(is_printable(&phrase), "{phrase:?}");
    if !phrase.starts_with('"') {
        let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
        assert_eq!(decode(phrase.as_bytes()), words.join(" "), "{phrase:?}");
    }

    for body in [FieldBody::unstructured(&text), FieldBody::copy(body)] {
        let mut field = Vec::new();
        write_field(&mut field, "X-Fuzz", &body, b"\r\n");
        let field = String::from_utf8(field).expect("ASCII");
        let lines: Vec<&str> = field
            .strip_suffix("\r\n")
            .expect("a line break")
            .split("\r\n")
            .collect();
        for (index, line) in lines.iter().enumerate() {
            assert!(
                line.len() <= 998 && !line.trim().is_empty() && line.starts_with(' ') == (index > 0),
                "{field:?}"
            );
            assert!(is_printable(line), "{field:?}");
        }
        let unfolded = lines.concat();
        assert_eq!(
            unfolded.strip_prefix("X-Fuzz:").map(str::trim_start),
            Some(body.as_str()),
            "{field:?}"
        );
    }
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' '..=b'~'))
}
