//! Work on single fields and on the alias map.

use std::hint::black_box;

use readdress::alias::AliasMap;
use readdress::header::encoded_word::{decode, encode_unstructured};
use readdress::header::mailbox::parse_address_list;

use super::engine::address;

/// Work that can be done again.
pub type Work = Box<dyn FnMut()>;

type Ready = fn() -> Work;

/// What both benches measure: a name, and how to get ready.
pub const FIELDS: [(&str, Ready); 7] = [
    ("parse a mailbox", || {
        reading_list(b" \"Jane Q. Example\" <jane@example.org>")
    }),
    ("parse an encoded mailbox", || {
        reading_list(b" =?utf-8?Q?J=C3=A4ne?= Example <jane@example.org>")
    }),
    ("parse a list of mailboxes", || reading_list(&list_of(10_000))),
    ("decode a plain subject", || {
        decoding(b"Ten things that are new, and one that is not")
    }),
    ("decode an encoded subject", || {
        decoding(b"=?utf-8?Q?gr=C3=BC=C3=9Fe?=\r\n =?utf-8?B?w7xiZXI=?= all")
    }),
    ("encode a subject", || {
        encoding("Zehn neue Dinge \u{2013} und eines f\u{fc}r J\u{fc}rgen")
    }),
    ("look up aliases", looking_up),
];

fn reading_list(body: &[u8]) -> Work {
    let body = body.to_vec();
    Box::new(move || {
        black_box(parse_address_list(black_box(&body)));
    })
}

/// About so many octets.
fn list_of(octets: usize) -> Vec<u8> {
    b" \"Example, Jane\" <jane@example.org>,\r\n =?utf-8?q?J=C3=BC?= <j@example.org>, omar@example.net (Omar),"
        .repeat(octets / 100)
}

fn decoding(body: &[u8]) -> Work {
    let body = body.to_vec();
    Box::new(move || {
        black_box(decode(black_box(&body)));
    })
}

fn encoding(text: &str) -> Work {
    let text = text.to_owned();
    Box::new(move || {
        black_box(encode_unstructured(black_box(&text)));
    })
}

/// A recipient of each form of key in a map of a hundred.
fn looking_up() -> Work {
    let entries: Vec<String> = (0..97)
        .map(|n| format!(r#""alias{n}@example.com":"jane@example.net""#))
        .collect();
    let json = format!(
        r#"{{{},"@example.org":"jane@example.net","user":"jane@example.net","@":"jane@example.net"}}"#,
        entries.join(",")
    );
    let map = AliasMap::parse(json.as_bytes()).expect("a map");
    let recipients = [
        "alias50@example.com",
        "alias50+tag@example.com",
        "jane@example.org",
        "user+tag@x",
        "a@x",
    ];
    let recipients = recipients.map(address);
    Box::new(move || {
        for recipient in &recipients {
            black_box(map.resolve(black_box(recipient)));
        }
    })
}
