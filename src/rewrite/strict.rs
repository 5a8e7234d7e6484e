//! The plainest form of a header section and of its fields, for a message that SES has refused although preflight found
//! nothing. Nobody knows then why SES objects, so nothing is kept that a reader of mail can do without: folds, comments,
//! quotes, octets that are not ASCII, fields that come twice.

use std::collections::HashSet;

use super::addresses;
use super::content_fields;
use super::long_lines;
use super::reader::HeaderReader;
use super::route::ROUTE;
use crate::header::mailbox::parse_address_list;
use crate::header::{Field, FieldBody, Header, encoded_word, has_long_word, unfolded, write_field};
use crate::mime::transfer_encoding;

/// Octets of the longest field name that goes out. An encoded-word behind a longer one would have no line to itself.
const MAX_NAME: usize = 76;

/// Fields that are lists of addresses (RFC 5322 3.6.2, 3.6.3, 3.6.6).
const ADDRESSES: [&str; 10] = [
    "from",
    "sender",
    "to",
    "cc",
    "reply-to",
    "resent-from",
    "resent-sender",
    "resent-to",
    "resent-cc",
    "resent-reply-to",
];

/// Fields that may come more than once: without them a loop would not be seen.
const REPEATED: [&str; 2] = ["received", ROUTE];

/// Returns a header section, its empty line included, in the plainest form: one field of each name, as [`plain_field`] writes
/// it. A section that cannot be read stays as it is.
pub(super) fn plain_section(section: Vec<u8>, line_ending: &[u8]) -> Vec<u8> {
    let read = HeaderReader::default().read(&mut &section[..], true);
    let Some(head) = read.ok().flatten().filter(|head| head.body.is_empty()) else {
        return section;
    };
    let mut seen: HashSet<Vec<u8>> = HashSet::new();
    let mut out = Vec::with_capacity(section.len());
    for field in head.header.fields() {
        let may_repeat = REPEATED.iter().any(|name| field.is(name));
        if may_repeat || seen.insert(field.name().to_ascii_lowercase()) {
            write(&mut out, &field, line_ending);
        }
    }
    out.extend_from_slice(head.header.empty_line());
    out
}

/// Returns a field, its line break included, in the plainest form: folded anew, in ASCII, without comments where they say
/// nothing. The result is empty for a field that says nothing, or that cannot be written in ASCII without changing its meaning.
pub(super) fn plain_field(raw: &[u8], line_ending: &[u8]) -> Vec<u8> {
    let mut header = Header::new();
    header.push(raw);
    let mut out = Vec::new();
    for field in header.fields() {
        write(&mut out, &field, line_ending);
    }
    out
}

/// Returns a Content-Type, its line break included, that says text where this one says multipart.
pub(super) fn type_of_text(raw: &[u8], line_ending: &[u8]) -> Vec<u8> {
    let mut header = Header::new();
    header.push(raw);
    let mut out = Vec::new();
    for field in header.fields() {
        let body = content_fields::type_of_text(field.body());
        write_field(&mut out, "Content-Type", &body, line_ending);
    }
    out
}

fn write(out: &mut Vec<u8>, field: &Field<'_>, line_ending: &[u8]) {
    let is_plain = |&b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let name = std::str::from_utf8(field.name()).unwrap_or_default();
    if name.is_empty() || name.len() > MAX_NAME || !name.as_bytes().iter().all(is_plain) {
        return;
    }
    match plain_body(field) {
        Plain::Body(body) if body.as_str().is_empty() => {}
        Plain::Body(body) => write_field(out, name, &body, line_ending),
        Plain::AsItIs => out.extend_from_slice(field.raw()),
        Plain::Nothing => {}
    }
}

/// The plainest form of a field.
enum Plain {
    Body(FieldBody),
    /// As it came: without the field, or with another body, the message would be read differently.
    AsItIs,
    Nothing,
}

fn plain_body(field: &Field<'_>) -> Plain {
    let body = field.body();
    if ADDRESSES.iter().any(|name| field.is(name)) {
        let mailboxes = parse_address_list(body);
        return Plain::Body(FieldBody::list(addresses::taken(&mailboxes)));
    }
    if field.is("content-type") {
        return content_fields::plain_type(body).map_or(Plain::AsItIs, Plain::Body);
    }
    if field.is("content-disposition") {
        return Plain::Body(content_fields::plain_disposition(body));
    }
    if field.is("content-transfer-encoding") {
        let token = transfer_encoding(body).and_then(|token| std::str::from_utf8(token).ok());
        let token = token.filter(|token| token.bytes().all(|b| b.is_ascii_graphic()));
        return token.map_or(Plain::AsItIs, |token| Plain::Body(FieldBody::words([token])));
    }
    if field.is("mime-version") {
        // There is no other version (RFC 2045 4).
        return Plain::Body(FieldBody::words(["1.0"]));
    }
    let unfolded = unfolded(body);
    if long_lines::is_text(field) {
        let text = encoded_word::decode(&unfolded);
        return Plain::Body(FieldBody::unstructured(text.trim()));
    }
    match String::from_utf8(unfolded) {
        Ok(text) if text.is_ascii() && !has_long_word(text.as_bytes()) => {
            Plain::Body(FieldBody::written(text))
        }
        _ => Plain::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::header::mailbox::Address;
    use crate::preflight::{Checker, Report};
    use crate::rewrite::{Repair, Rules};

    fn plain(raw: &str) -> String {
        String::from_utf8(plain_field(raw.as_bytes(), b"\r\n")).unwrap()
    }

    #[test]
    fn a_field_is_written_in_its_plainest_form() {
        for (raw, want) in [
            (
                "To: \"Jane\" <jane@example.org> (home),\r\n\tteam: omar@example.org;\r\n",
                "To: Jane <jane@example.org>, omar@example.org\r\n",
            ),
            (
                "Subject: M\u{e4}rz\r\n 2026\r\n",
                "Subject: =?utf-8?b?TcOkcno=?= 2026\r\n",
            ),
            (
                "Content-Type: (a page) Text/HTML ;charset=\"utf-8\"; x\r\n",
                "Content-Type: text/html; charset=utf-8\r\n",
            ),
            (
                "Content-Disposition: inline (here); filename=\"a.txt\"\r\n",
                "Content-Disposition: inline; filename=a.txt\r\n",
            ),
            (
                "Content-Transfer-Encoding: (as it is) 8bit\r\n",
                "Content-Transfer-Encoding: 8bit\r\n",
            ),
            ("MIME-Version: 1.0 (a program)\r\n", "MIME-Version: 1.0\r\n"),
            (
                "In-Reply-To:\t<1@example.org>\r\n",
                "In-Reply-To: <1@example.org>\r\n",
            ),
            ("Keywords: M\u{e4}rz\r\n", ""),
            ("X-Empty:\r\n", ""),
            ("Resent-To: nobody at all\r\n", ""),
            ("X-{name}: x\r\n", ""),
        ] {
            assert_eq!(plain(raw), want, "{raw}");
        }
    }

    #[test]
    fn each_field_goes_out_once_but_those_that_show_a_loop() {
        let section = "Received: a\r\nX-Spam: 1\r\nReceived: b\r\nx-spam: 2\r\nX-Readdress-Route: c\r\n\
            X-Readdress-Route: d\r\n\r\n";
        let out = plain_section(section.as_bytes().to_vec(), b"\r\n");
        assert_eq!(
            String::from_utf8(out).unwrap(),
            section.replace("x-spam: 2\r\n", "")
        );
    }

    fn strictly(message: &[u8]) -> Report {
        let mut checker = Checker::default().strict();
        checker.write(message);
        checker.finish()
    }

    fn sent(message: &[u8], repair: Repair) -> Vec<u8> {
        let address = |text: &str| Address::parse(text).unwrap();
        let rules = Rules {
            strict: true,
            repair,
            ..Rules::new(address("shop@example.com"), vec![address("owner@example.net")])
        };
        let head = HeaderReader::default().read(&mut &message[..], true);
        let plan = rules.plan_with_parts(
            &head.unwrap().unwrap(),
            &strictly(message),
            "It is in the bucket.",
        );
        let mut out = Vec::new();
        let mut writer = plan.writer();
        writer.write(message, &mut |octets| out.extend_from_slice(octets));
        writer.end(&mut |octets| out.extend_from_slice(octets));
        out
    }

    const MESSAGE: &str = "From: Jane <jane@example.org>\r\nTo: shop@example.com (the shop)\r\n\
        X-Campaign: M\u{e4}rz\r\nX-Campaign: April\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\r\nGr\u{fc}\u{df}e\r\n--b\r\n\
        Content-Type: image/png; name=M\u{e4}rz.png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b\r\n\
        Content-Type: text/plain\r\n\r\nHello.\r\n--b--\r\n";

    #[test]
    fn a_strict_plan_leaves_no_octet_that_is_not_ascii_and_touches_no_other_part() {
        let out = sent(MESSAGE.as_bytes(), Repair::Parts);
        assert!(strictly(&out).is_clean(), "{:?}", strictly(&out).findings);
        let text = String::from_utf8(out).unwrap();
        assert!(text.is_ascii(), "{text}");
        for kept in [
            "\r\nX-Campaign: =?utf-8?b?TcOkcno=?=\r\n",
            "\r\nTo: the shop <shop@example.com>\r\n",
            "\r\nX-Readdress-Notes: content-type-syntax, eight-bit, unforeseen\r\n",
            "charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n--b\r\n",
            "\r\n\r\nAAAA\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello.\r\n--b--\r\n",
        ] {
            assert!(text.contains(kept), "{kept}: {text}");
        }
        assert!(!text.contains("April"), "{text}");
    }

    #[test]
    fn a_body_stays_as_it_came_where_only_the_header_section_may_be_repaired() {
        let out = sent(MESSAGE.as_bytes(), Repair::Header);
        let body = |message: &[u8]| {
            let at = message
                .windows(4)
                .position(|octets| octets == b"\r\n\r\n")
                .unwrap();
            message[at..].to_vec()
        };
        assert_eq!(body(&out), body(MESSAGE.as_bytes()));
        assert!(out[..out.len() - body(&out).len()].is_ascii());
    }

    #[test]
    fn a_multipart_without_parts_goes_out_as_a_text() {
        let message = b"From: jane@example.org\r\nContent-Type: multipart/mixed; boundary=b; charset=utf-8\r\n\r\nHello.\r\n";
        let text = String::from_utf8(sent(message, Repair::Parts)).unwrap();
        assert!(
            text.contains("\r\nContent-Type: text/plain; charset=utf-8\r\n"),
            "{text}"
        );
        assert!(text.ends_with("\r\n\r\nHello.\r\n"));
    }

    #[test]
    fn a_multipart_without_parts_inside_of_another_goes_out_as_a_text() {
        let inner = "Content-Type: multipart/alternative; boundary=\"M\u{e4}rz\"; charset=utf-8\r\nX-Kept: yes\r\n\r\nHello.";
        for (fields, also) in [("", ""), ("Content-Type:\r\n", "content-type-syntax, ")] {
            let message = format!(
                "From: jane@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHi.\r\n\
                 --b\r\n{fields}{inner}\r\n--b--\r\n"
            );
            let out = sent(message.as_bytes(), Repair::Parts);
            assert!(strictly(&out).is_clean(), "{:?}", strictly(&out).findings);
            let text = String::from_utf8(out).unwrap();
            let end = "Content-Type: text/plain; charset=utf-8\r\nX-Kept: yes\r\n\r\nHello.\r\n--b--\r\n";
            assert!(text.ends_with(end), "{text}");
            let notes = format!("X-Readdress-Notes: {also}no-start-boundary, unforeseen\r\n");
            assert!(text.contains(&notes), "{text}");
        }
    }

    /// Catches an edit inside of a part that a signature covers.
    #[test]
    fn a_signed_multipart_without_parts_stays_as_it_is() {
        let signed = "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\nHello.\r\n--b\r\n\r\nsignature\r\n--b--\r\n";
        let message =
            format!("From: jane@example.org\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n{signed}");
        let text = String::from_utf8(sent(message.as_bytes(), Repair::Parts)).unwrap();
        assert!(text.ends_with(signed), "{text}");
    }

    const PIECES: [&[u8]; 16] = [
        b"jane@example.org",
        b"<",
        b">",
        b",",
        b"\"",
        b" ",
        b"(a)",
        b"multipart/mixed",
        b"; boundary=b",
        b"\xe4",
        b"=?utf-8?Q?a=20?=",
        b"\r\n ",
        b"=?x?Q?a?=",
        b"\xc3\xbc",
        b"x",
        b"\t",
    ];

    proptest! {
        #[test]
        fn what_is_plain_stays_as_it_is(
            fields in proptest::collection::vec((
                prop_oneof![
                    Just("To"), Just("Subject"), Just("X-Test"), Just("References"), Just("Content-Type"),
                    Just("Content-Disposition"), Just("Content-Transfer-Encoding"), Just("Received"), Just("x-test"),
                ],
                proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..8),
            ), 1..6),
        ) {
            let mut section = Vec::new();
            for (name, pieces) in &fields {
                section.extend_from_slice(&[name.as_bytes(), b": ", &pieces.concat(), b"\r\n"].concat());
            }
            section.extend_from_slice(b"\r\n");
            let once = plain_section(section.clone(), b"\r\n");
            let twice = plain_section(once.clone(), b"\r\n");
            prop_assert_eq!(
                String::from_utf8_lossy(&twice), String::from_utf8_lossy(&once), "{}", String::from_utf8_lossy(&section)
            );
        }
    }
}
