use proptest::prelude::*;

use super::*;

#[test]
fn encoded_words_are_decoded() {
    let cases: &[(&[u8], &str)] = &[
        (b"", ""),
        (b"plain  text", "plain  text"),
        (b"a =?utf-8?q?b?= c", "a b c"),
        // RFC 2047 8.
        (b"=?ISO-8859-1?Q?a?= b", "a b"),
        (b"=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=", "ab"),
        (b"=?ISO-8859-1?Q?a?=\r\n \t=?ISO-8859-1?Q?b?=", "ab"),
        (b"=?ISO-8859-1?Q?a_b?=", "a b"),
        (b"=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"),
        // A character split between encoded-words, also of different encodings.
        (b"=?utf-8?Q?M=C3?= =?UTF-8?B?vGxsZXI=?=", "M\u{fc}ller"),
        (b"=?gb2312?B?xOM=?= =?gb2312?B?usM=?=", "\u{4f60}\u{597d}"),
        // A label that only mail has.
        (b"=?cp932?B?k/qWe4zq?=", "\u{65e5}\u{672c}\u{8a9e}"),
        // One letter too many says nothing; the others do.
        (b"=?utf-8?B?YWJjZ?=", "abc"),
        (
            b"=?iso-2022-jp?B?GyRCJDMbKEI=?= =?iso-2022-jp?B?GyRCJHMbKEI=?=",
            "\u{3053}\u{3093}",
        ),
        // Glued.
        (b"abc=?utf-8?q?x?=def=?utf-8?q?y?==?utf-8?q?z?=", "abcxdefyz"),
        // RFC 2231 5.
        (b"=?us-ascii*en-us?q?hi?=", "hi"),
        // Raw spaces, quotes, question marks and invalid escapes.
        (b"=?UTF-8?Q?\"Peter M=C3=BCller\"?= x", "\"Peter M\u{fc}ller\" x"),
        (b"=?utf-8?q?100=% =4 = who? a=?=", "100=% =4 = who? a="),
        (b"=?utf-8?q?fol\r\n ded?=", "fol ded"),
        (b"=?utf-8?q??=", ""),
        // Base64 that is padded wrongly or dirty.
        (b"=?utf-8?b?YWI?= =?utf-8?b?YQ==Yg==?=", "abab"),
        (b"=?utf-8?b?Y W\r\n I*=?= =?utf-8?B?A?= =?utf-8?B?=?=", "ab"),
        (b"=?utf-8?b?YWJj=ZGVm?=", "abcdef"),
        // Charsets that nobody knows, and the one that browsers refuse.
        (b"=?x-unknown?q?a_b?= =?utf-8?q?c?=", "=?x-unknown?q?a_b?= c"),
        (b"=?iso-2022-kr?q?a?=", "=?iso-2022-kr?q?a?="),
        (b"=??q?a?=", "=??q?a?="),
        // Not well-formed.
        (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
        (b"=?utf-8?q?a", "=?utf-8?q?a"),
        (b"a =? b ?= c =?= d", "a =? b ?= c =?= d"),
        (b"=?utf-8?q?a =?utf-8?q?b?=", "=?utf-8?q?a b"),
        (b"=?utf 8?q?a?=", "=?utf 8?q?a?="),
        // Raw 8-bit: UTF-8, else windows-1252.
        ("gr\u{fc}n".as_bytes(), "gr\u{fc}n"),
        (b"gr\xfcn \x80 \xc3\xbc", "gr\u{fc}n \u{20ac} \u{fc}"),
        // Controls, raw and encoded.
        (b"a\tb\0c\rd\ne\x7f\xc2\x85\xe2\x80\xa8f\x81", "a b c d e   f "),
        (b"=?utf-8?q?a=0D=0Ab=00=C2=85=E2=80=A9c?=", "a  b   c"),
        (b"a\r\n\tb\r\nc", "a b  c"),
    ];
    for (body, text) in cases {
        assert_eq!(decode(body), *text, "{}", body.escape_ascii());
    }
}

#[test]
fn neighbours_that_are_cut_are_joined() {
    let cases: &[(&[u8], &str)] = &[
        // A group of base64 that is cut between encoded-words, glued ones too, in each place.
        (b"=?utf-8?B?5?= =?utf-8?B?Lit5paH?=", "\u{4e2d}\u{6587}"),
        (b"=?utf-8?B?5L?= =?utf-8?B?it5paH?=", "\u{4e2d}\u{6587}"),
        (b"=?utf-8?B?5Lit5?= =?utf-8?B?paH?=", "\u{4e2d}\u{6587}"),
        (b"=?utf-8?B?5Lit5p?=\r\n =?UTF8?b?aH?=", "\u{4e2d}\u{6587}"),
        (b"=?utf-8*zh?B?5Lit5pa?==?utf-8?B?H?= x", "\u{4e2d}\u{6587} x"),
        (
            b"=?utf-8?B?5Li?= =?utf-8?B?t?= =?utf-8?B?5?= =?utf-8?B?p?= =?utf-8?B?aH?=",
            "\u{4e2d}\u{6587}",
        ),
        (b"=?us-ascii?B?SGVsb?= =?us-ascii?B?G8=?=", "Hello"),
        // One that is not padded, but not cut either.
        (b"=?utf-8?B?YWI?= =?utf-8?B?YWI?=", "abab"),
        (b"=?utf-8?B?YQ?= =?utf-8?B?Yg?=", "ab"),
        // A shift back to ASCII stands before a cut, and another shift follows.
        (
            b"=?iso-2022-jp?B?GyRCJDMbKEI=?= =?iso-2022-jp?B?GyRCJHM?= =?iso-2022-jp?B?bKEI=?=",
            "\u{3053}\u{3093}",
        ),
        // An escape that is cut, and one that is not.
        (b"=?utf-8?Q?gr=C3=B?= =?utf-8?Q?Cn?=", "gr\u{fc}n"),
        (b"=?utf-8?Q?gr=C3=?= =?utf-8?Q?BCn?=", "gr\u{fc}n"),
        (b"=?utf-8?Q?a=?= =?utf-8?B?Yg==?=", "a=b"),
    ];
    for (body, text) in cases {
        assert_eq!(decode(body), *text, "{}", body.escape_ascii());
    }
}

#[test]
fn white_space_collapses() {
    for (text, want) in [
        ("", ""),
        ("a", "a"),
        ("a b", "a b"),
        (" a", "a"),
        ("a ", "a"),
        ("a  b", "a b"),
        ("a\tb", "a b"),
        ("\u{e9} b", "\u{e9} b"),
        ("\u{e9}  b", "\u{e9} b"),
        ("~!", "~!"),
        (" ", ""),
    ] {
        assert_eq!(collapse(text), want, "{text:?}");
    }
}

/// Spaces that no line can be folded at, and text that fills its encoded-words to the last octet.
#[test]
fn limits_are_reached_and_not_passed() {
    let apart = |count: usize| format!("a{}b", " ".repeat(count));
    assert_eq!(encode_unstructured(&apart(MAX_WORD)), apart(MAX_WORD));
    let encoded = encode_unstructured(&apart(MAX_WORD + 1));
    assert!(encoded.starts_with("=?utf-8?q?a_"), "{encoded}");
    assert_eq!(decode(encoded.as_bytes()), apart(MAX_WORD + 1));

    let count = |letters: usize| {
        let text = format!("\u{e9}{}", "x".repeat(letters));
        encode_unstructured(&text).matches("=?utf-8?q?").count()
    };
    let first = MAX_FIRST_TEXT - "=C3=A9".len();
    assert_eq!([count(first), count(first + 1)], [1, 2]);
    assert_eq!([count(first + MAX_TEXT), count(first + MAX_TEXT + 1)], [2, 3]);
}

#[test]
fn text_is_encoded_only_where_it_must_be() {
    for (text, body) in [
        ("", ""),
        (" Re:  a ?= b_\u{7e} ", " Re:  a ?= b_\u{7e} "),
        ("a\r\nBcc: b\0", "a  Bcc: b "),
        ("a \u{fc}  \u{e4} b", "a =?utf-8?b?w7wgIMOk?= b"),
        ("\u{fc} b \u{fc}", "=?utf-8?b?w7w=?= b =?utf-8?b?w7w=?="),
        ("a=?b c", "=?utf-8?q?a=3D=3Fb?= c"),
        ("\u{4f60}\u{597d}", "=?utf-8?b?5L2g5aW9?="),
    ] {
        assert_eq!(encode_unstructured(text), body, "{text:?}");
    }
    let word = "x".repeat(MAX_WORD);
    assert_eq!(encode_unstructured(&word), word);
    assert!(encode_unstructured(&format!("{word}x")).starts_with("=?utf-8?q?x"));
    // Spaces cannot be folded for ever either.
    let spaces = format!("a{}b", " ".repeat(5000));
    assert!(
        encode_unstructured(&spaces)
            .split(' ')
            .all(|word| word.len() <= MAX_ENCODED_WORD)
    );
    assert_eq!(decode(encode_unstructured(&spaces).as_bytes()), spaces);
}

#[test]
fn phrases_are_atoms_quoted_or_encoded() {
    for (text, phrase) in [
        ("", ""),
        ("  Jane \r\n Example ", "Jane Example"),
        ("Jane Q. Example", "\"Jane Q. Example\""),
        (r#"a "b" \c"#, r#""a \"b\" \\c""#),
        ("=?utf-8?q?a?=", "=?utf-8?b?PT91dGYtOD9xP2E/PQ==?="),
        ("J\u{fc} <a@b>, \"(c)\".", "=?utf-8?b?SsO8IDxhQGI+LCAiKGMpIi4=?="),
    ] {
        assert_eq!(encode_phrase(text), phrase, "{text:?}");
    }
    assert!(encode_phrase(&"x".repeat(MAX_PHRASE_WORD + 1)).starts_with("=?"));
}

fn is_well_written(body: &str) -> bool {
    body.bytes().all(|b| matches!(b, b' '..=b'~'))
        && body
            .split(' ')
            .all(|word| !word.starts_with("=?") || word.len() <= MAX_ENCODED_WORD)
}

proptest! {
    #[test]
    fn anything_decodes_without_controls(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        pieces in proptest::collection::vec("=\\?|\\?=|utf-8|\\?q\\?|\\?B\\?|=|\\?|_|YQ|[ \r\n\0]", 0..30),
    ) {
        for body in [body, pieces.concat().into_bytes()] {
            prop_assert!(decode(&body).chars().all(|c| printable(c) == c));
        }
    }

    #[test]
    fn what_is_encoded_decodes_to_itself(
        text in "\\PC{0,200}",
        words in proptest::collection::vec("[a=?_]{0,4}|[\u{fc}\u{4f60}]{1,40}| {1,3}|[a-z]{50,120}", 0..12),
    ) {
        for text in [text, words.join(" "), words.concat()] {
            let text = without_controls(&text);
            let body = encode_unstructured(&text);
            prop_assert!(is_well_written(&body), "{:?}", body);
            prop_assert_eq!(decode(body.as_bytes()), text.as_str(), "{:?}", body);

            let phrase = encode_phrase(&text);
            prop_assert!(is_well_written(&phrase), "{:?}", phrase);
            let bare = match phrase.strip_prefix('"').and_then(|quoted| quoted.strip_suffix('"')) {
                Some(quoted) => quoted.replace("\\\"", "\"").replace("\\\\", "\\"),
                None => decode(phrase.as_bytes()),
            };
            prop_assert_eq!(bare, collapse(&text), "{:?}", phrase);
        }
    }
}
