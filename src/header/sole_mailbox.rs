//! The one mailbox of a From that proves who wrote, read so strictly that no other reader finds somebody else in it.

use super::address::Address;
use super::encoded_word;
use super::plain_mailbox::PlainMailbox;

/// Octets of a field body at most: the longest address, and a long name in encoded-words.
const MAX_BODY: usize = 2000;

/// Specials that no unquoted name has (RFC 5322 3.2.3). The brackets, quotes and parentheses have a meaning of their own.
const NOT_IN_NAMES: &str = ">[]:;@\\,)";

/// Reads a field body that is one mailbox, `jane@example.org` or `Jane <jane@example.org>`, and nothing else. `None`: a group,
/// a route, a second address, anything behind the address, a control character, or a body that is too long.
pub(crate) fn sole_mailbox(body: &[u8]) -> Option<Address> {
    let address = read(body)?;
    (!hides_a_mailbox(body)).then_some(address)
}

/// Whether the encoded-words of a name have another mailbox in them for a reader that decodes before it parses.
fn hides_a_mailbox(body: &[u8]) -> bool {
    let (raw, decoded) = (String::from_utf8_lossy(body), encoded_word::decode(body));
    let has_more = |c: char| decoded.matches(c).count() > raw.matches(c).count();
    has_more('<') || has_more('@') && has_more(',')
}

fn read(body: &[u8]) -> Option<Address> {
    if let Some(plain) = PlainMailbox::read(body) {
        return Some(plain.to_mailbox().address);
    }
    let text = std::str::from_utf8(body)
        .ok()
        .filter(|text| text.len() <= MAX_BODY)?;
    let text = unfolded(text)?;
    let text = behind_comments(&text)?;
    let (word, rest) = first_word(text)?;
    if word.contains('@') && behind_comments(rest)?.is_empty() {
        return Address::parse(word).ok();
    }
    in_brackets(behind_name(text)?)
}

/// The text without folds. `None`: it has a control character that belongs to none.
fn unfolded(text: &str) -> Option<String> {
    let text = text.strip_suffix("\r\n").unwrap_or(text);
    let one_line = ["\r\n ", "\r\n\t", "\n ", "\n\t"]
        .iter()
        .fold(text.to_owned(), |text, fold| text.replace(fold, " "));
    (!one_line.contains(|c: char| c.is_control() && c != '\t')).then_some(one_line)
}

/// The text behind white space and comments. `None`: a comment has no end, or could be read as an address.
fn behind_comments(text: &str) -> Option<&str> {
    let mut text = text.trim_start_matches([' ', '\t']);
    while let Some(comment) = text.strip_prefix('(') {
        let (mut depth, mut is_escaped) = (1, false);
        let end = comment.find(|c| {
            match c {
                _ if is_escaped => {}
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            is_escaped = c == '\\' && !is_escaped;
            depth == 0
        })?;
        if comment[..end].contains('@') {
            return None;
        }
        text = comment[end + 1..].trim_start_matches([' ', '\t']);
    }
    Some(text)
}

/// A quoted-string at the front, its quotes included, and the text behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut is_escaped = false;
    let end = inside.find(|c| {
        let is_end = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    })?;
    Some(text.split_at(end + 2))
}

/// The text up to the first white space, comment or bracket that is not in quotes.
fn first_word(text: &str) -> Option<(&str, &str)> {
    let start = quoted(text).map_or(0, |(quoted, _)| quoted.len());
    let len = text[start..].find([' ', '\t', '(', '<']);
    (!text.is_empty()).then(|| text.split_at(len.map_or(text.len(), |len| start + len)))
}

/// The text from the bracket on, behind a name of words, quoted-strings and comments.
fn behind_name(mut text: &str) -> Option<&str> {
    loop {
        text = behind_comments(text)?;
        if text.starts_with('<') {
            return Some(text);
        }
        text = if text.starts_with('"') {
            let (string, rest) = quoted(text)?;
            // To a reader that knows no escapes the string ends early, and what follows is an address.
            if string.contains('\\') && string.contains('@') {
                return None;
            }
            rest
        } else {
            let end = text.find([' ', '\t', '(', '<', '"'])?;
            let (word, rest) = text.split_at(end);
            if word.contains(|c| NOT_IN_NAMES.contains(c)) {
                return None;
            }
            rest
        };
    }
}

/// The address in brackets, behind which there is nothing.
fn in_brackets(text: &str) -> Option<Address> {
    let inside = text.strip_prefix('<')?.trim_start_matches([' ', '\t']);
    // No quotes of an address have a bracket in them.
    let end = inside.find('>')?;
    let is_last = behind_comments(&inside[end + 1..])?.is_empty();
    let address = Address::parse(inside[..end].trim_end_matches([' ', '\t'])).ok()?;
    is_last.then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::mailbox::parse_address_list;
    use proptest::prelude::*;

    fn read(body: &str) -> Option<String> {
        sole_mailbox(body.as_bytes()).map(|address| address.to_string())
    }

    /// As programs write it.
    #[test]
    fn a_mailbox() {
        for body in [
            "zoe@home.example",
            "<zoe@home.example>",
            "Zoe <zoe@home.example>",
            "Zoe<zoe@home.example>",
            "Zoe Q. Private <zoe@home.example>",
            "\"Private, Zoe\" <zoe@home.example>",
            "\"zoe@home.example\" <zoe@home.example>",
            "\"Zoe \\\"Q\\\" Private\" <zoe@home.example>",
            "'zoe' <zoe@home.example>",
            "=?utf-8?Q?Zo=C3=AB_Private?= <zoe@home.example>",
            "=?UTF-8?B?Wm/DqyBQcml2YXRl?=\r\n =?UTF-8?B?IGF0IGhvbWU=?= <zoe@home.example>",
            "Zo\u{eb} \u{79c1}\u{5bb6} <zoe@home.example>",
            "\"Zo\u{eb}\" <zoe@home.example>",
            "Zoe\r\n\t<zoe@home.example>",
            "Zoe\n <zoe@home.example>\r\n",
            "zoe@home.example (Zoe Private)",
            "(Zoe) zoe@home.example",
            "Zoe (at home) <zoe@home.example> (\\) mobile)",
            "Zoe < zoe@home.example >",
            "=?utf-8?q?Private=2C_Zoe?= <zoe@home.example>",
            "=?utf-8?q?zoe=40home.example?= <zoe@home.example>",
        ] {
            assert_eq!(read(body).as_deref(), Some("zoe@home.example"), "{body}");
        }
        assert_eq!(
            read("\"z @ e\"@home.example").as_deref(),
            Some("\"z @ e\"@home.example")
        );
        assert_eq!(
            read("Z <\"z @ e\"@home.example>").as_deref(),
            Some("\"z @ e\"@home.example")
        );
    }

    /// Each is an attack: some reader finds another mailbox in it, or more than one.
    #[test]
    fn anything_else() {
        for body in [
            "",
            "zoe",
            "Zoe <zoe@home.example>, eve@evil.example",
            "Zoe <zoe@home.example>,",
            "\"x\\\" <eve@evil.example>, \\\"\" <zoe@home.example>",
            "=?utf-8?q?=3Ceve=40evil.example=3E=2C?= <zoe@home.example>",
            "=?utf-8?q?eve=40evil.example=2C?= <zoe@home.example>",
            "zoe@home.example zoe@home.example",
            "\u{e9}v\u{e9}@evil.example, zoe@home.example",
            "=?utf-8?q?eve?=@evil.example, zoe@home.example",
            "eve@evil.example:; zoe@home.example",
            "eve@evil.example: zoe@home.example;",
            "Zoe: zoe@home.example;",
            "<@evil.example:zoe@home.example>",
            "@evil.example:zoe@home.example",
            "Eve <eve@evil.example x>, zoe@home.example",
            "eve@evil.example <zoe@home.example>",
            "eve@evil.example(<) <zoe@home.example>",
            "<zoe@home.example> eve@evil.example",
            "<eve@evil.example> <zoe@home.example>",
            "<<zoe@home.example>>",
            "zoe@home.example (eve@evil.example)",
            "zoe@home.example (",
            "zoe@home.example )",
            "\"Zoe <zoe@home.example>",
            "\"Zoe\\\" <zoe@home.example>",
            "Zoe <zoe@home.example",
            "zoe@home.example@x.example",
            "eve@evil.example\rzoe@home.example",
            "zoe@home.example\r\neve@evil.example",
            "zoe@home.example\0",
            "[zoe@home.example]",
            "mailto:zoe@home.example",
            "zoe @ home.example",
        ] {
            assert_eq!(read(body), None, "{body}");
        }
        let padded = format!("zoe@home.example ({})", "x".repeat(MAX_BODY));
        assert_eq!(read(&padded), None);
    }

    proptest! {
        /// The reader of lists finds the same mailbox in it, and no other.
        #[test]
        fn the_lenient_reader_agrees(body in "[a-c@<>\"(), .:;\\\\\r\n\t=?é]{0,24}|[a-z]{0,4} ?<?[a-z]{1,3}@[a-z]{1,3}>?[ (),;a-z]{0,4}") {
            if let Some(address) = sole_mailbox(body.as_bytes()) {
                let found: Vec<Address> = parse_address_list(body.as_bytes())
                    .into_iter()
                    .map(|mailbox| mailbox.address)
                    .collect();
                prop_assert_eq!(found, [address]);
            }
        }
    }
}
