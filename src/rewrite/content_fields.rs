//! Writes Content-Type and Content-Disposition anew: where a strict parser cannot read them, so that every reader sees what our
//! scanner sees, and in answers without what tells of the owner.

use crate::header::{FieldBody, MAX_WORD, hexadecimal};
use crate::mime::{ContentType, transfer_encoding};
use crate::preflight::{check_content_disposition, check_content_type};

/// The body that replaces a Content-Type. `None`: the old one can go out, or has to. `came` is the same with its controls:
/// without them a parameter could have another name than our scanner has read.
pub(super) fn repaired_type(body: &[u8], came: &[u8]) -> Option<FieldBody> {
    if body == came && check_content_type(body).is_ok() {
        return None;
    }
    // Without its boundary the body would be another. One with a control in it cannot be written; then at least SES takes it.
    let boundary = |body: &[u8]| ContentType::parse(body).and_then(|parsed| parsed.boundary());
    let mut new = [came, body]
        .into_iter()
        .map(|body| (boundary(body), new_type(body, any)));
    let (_, new) = new.find(|(before, new)| *before == boundary(new.as_str().as_bytes()))?;
    Some(new)
}

/// The body that stands in place of a Content-Disposition, `None` if it can go out as it came.
pub(super) fn repaired_disposition(body: &[u8]) -> Option<FieldBody> {
    check_content_disposition(body)
        .is_err()
        .then(|| plain_disposition(body))
}

/// A Content-Type in its plainest form. `None`: its boundary cannot be written.
pub(super) fn plain_type(body: &[u8]) -> Option<FieldBody> {
    let boundary = |body: &[u8]| ContentType::parse(body).and_then(|parsed| parsed.boundary());
    let new = new_type(body, any);
    (boundary(body) == boundary(new.as_str().as_bytes())).then_some(new)
}

/// A Content-Disposition in its plainest form.
pub(super) fn plain_disposition(body: &[u8]) -> FieldBody {
    let parsed = ContentType::parse_disposition(body);
    let disposition = Some(parsed.type_()).filter(|type_| is_token(type_));
    with_parameters(disposition.unwrap_or("attachment").to_owned(), &parsed, any)
}

/// Parameters without which the body would be another, or would have another name or charset. Any other may name a host or a
/// program; `start` has the Content-ID of a part, and the first part is the root without it (RFC 2387 3.2).
const OF_THE_BODY: [&str; 13] = [
    "boundary",
    "charset",
    "component",
    "delsp",
    "filename",
    "format",
    "method",
    "micalg",
    "name",
    "protocol",
    "report-type",
    "smime-type",
    "type",
];

/// The Content-Type without comments, and with the parameters of the body alone. `None`: a strict parser reads it and it has
/// neither comments nor other parameters, or its boundary cannot be written, without which the body would be another.
pub(super) fn private_type(body: &[u8]) -> Option<FieldBody> {
    let parsed = ContentType::parse(body);
    let is_private = check_content_type(body).is_ok()
        && !body.contains(&b'(')
        && parsed.as_ref().is_some_and(has_no_other);
    let new = (!is_private).then(|| new_type(body, is_of_the_body))?;
    let boundary = |parsed: Option<ContentType>| parsed.and_then(|parsed| parsed.boundary());
    (boundary(parsed) == boundary(ContentType::parse(new.as_str().as_bytes()))).then_some(new)
}

/// The same of a Content-Disposition.
pub(super) fn private_disposition(body: &[u8]) -> Option<FieldBody> {
    let parsed = ContentType::parse_disposition(body);
    let is_private =
        check_content_disposition(body).is_ok() && !body.contains(&b'(') && has_no_other(&parsed);
    let disposition = Some(parsed.type_()).filter(|type_| is_token(type_));
    let disposition = disposition.unwrap_or("attachment").to_owned();
    (!is_private).then(|| with_parameters(disposition, &parsed, is_of_the_body))
}

fn has_no_other(parsed: &ContentType) -> bool {
    // Of very many the rest is not read.
    let parameters = parsed.parameters();
    parameters.len() <= 2 * OF_THE_BODY.len() && parameters.iter().all(|(name, _)| is_of_the_body(name))
}

/// Whether a parameter, or a piece of one (RFC 2231 3), says how the body is to be read.
fn is_of_the_body(name: &str) -> bool {
    let name = name.split('*').next().unwrap_or_default();
    OF_THE_BODY.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether a parameter may go out where nothing is private.
fn any(_: &str) -> bool {
    true
}

/// A Content-Transfer-Encoding in its plainest form. `None`: it says nothing.
pub(super) fn plain_encoding(body: &[u8]) -> Option<FieldBody> {
    let token = transfer_encoding(body).map(String::from_utf8_lossy);
    let token = token.filter(|token| is_token(token) && token.len() <= MAX_WORD);
    token.map(|token| FieldBody::words([&*token]))
}

/// The Content-Type of a text that was called a multipart and has no parts.
pub(super) fn type_of_text(body: &[u8]) -> FieldBody {
    let charset = ContentType::parse(body).and_then(|parsed| parsed.text("charset"));
    match charset.filter(|charset| is_token(charset) && charset.len() <= MAX_WORD) {
        Some(charset) => FieldBody::words(["text/plain;", &format!("charset={charset}")]),
        None => FieldBody::words(["text/plain"]),
    }
}

fn new_type(body: &[u8], may_go_out: fn(&str) -> bool) -> FieldBody {
    let Some(parsed) = ContentType::parse(body) else {
        // To our scanner it is a text; others may find a name in it, so that stays.
        return with_parameters(
            "text/plain".to_owned(),
            &ContentType::parse_disposition(body),
            may_go_out,
        );
    };
    let subtype: String = parsed
        .subtype()
        .chars()
        .take_while(|&c| is_token_octet(c))
        .collect();
    // A multipart's or message's subtype is not cut: the rest could be another known subtype, and the parts would be others.
    let is_whole = subtype.len() == parsed.subtype().len();
    let may_be_cut = !matches!(parsed.type_(), "multipart" | "message");
    let type_ = if is_token(parsed.type_()) && !subtype.is_empty() && (is_whole || may_be_cut) {
        format!("{}/{subtype}", parsed.type_())
    } else if parsed.type_() == "multipart" {
        // A multipart of an unknown subtype is read as this (RFC 2046 5.1.3).
        "multipart/mixed".to_owned()
    } else {
        "application/octet-stream".to_owned()
    };
    with_parameters(type_, &parsed, may_go_out)
}

/// The first of each parameter that can be written and may go out, in its order.
fn with_parameters(value: String, parsed: &ContentType, may_go_out: fn(&str) -> bool) -> FieldBody {
    let mut words = vec![value];
    let mut names: Vec<&str> = Vec::new();
    for (name, octets) in parsed.parameters() {
        if !is_token(name) || !may_go_out(name) || names.contains(&&**name) {
            continue;
        }
        if let Some(word) = parameter(name, octets, parsed).filter(|word| word.len() <= MAX_WORD) {
            names.push(name);
            if let Some(before) = words.last_mut() {
                before.push(';');
            }
            words.push(word);
        }
    }
    FieldBody::words(words.iter().map(|word| &**word))
}

/// `name=value`: a token as it is, text in quotes, and text other than ASCII in the form of RFC 2231.
fn parameter(name: &str, octets: &[u8], parsed: &ContentType) -> Option<String> {
    let text = std::str::from_utf8(octets).ok();
    if let Some(text) = text.filter(|text| is_token(text)) {
        return Some(format!("{name}={text}"));
    }
    if let Some(text) = text.filter(|text| text.bytes().all(|b| matches!(b, b' '..=b'~'))) {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
        return Some(format!("{name}=\"{escaped}\""));
    }
    if name.contains('*') || name == "boundary" {
        return None;
    }
    let decoded = parsed.text(name)?;
    let mut word = format!("{name}*=utf-8''");
    for octet in decoded.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._".contains(&octet) {
            word.push(char::from(octet));
        } else {
            word.extend(["%", &hexadecimal(&[octet]).to_ascii_uppercase()]);
        }
    }
    Some(word)
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_token_octet)
}

/// Whether a token may have this character (RFC 2045 5.1).
fn is_token_octet(c: char) -> bool {
    matches!(c, '!'..='~') && !"()<>@,;:\\\"/[]?=".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_strict_parser_reads_stays() {
        for body in [
            "text/plain; charset=utf-8",
            "multipart/mixed; boundary=\"a b\"",
            "text/plain;",
        ] {
            assert_eq!(repaired_type(body.as_bytes(), body.as_bytes()), None, "{body}");
        }
        assert_eq!(repaired_disposition(b"attachment; filename=\"a b.txt\""), None);
    }

    /// Catches an answer whose parts or text nobody can read any more, and one that names its program.
    #[test]
    fn what_says_how_the_body_is_read_stays() {
        for body in [
            "text/plain; charset=\"utf-8\"; format=flowed; delsp=yes",
            "multipart/signed; boundary=\"Apple-Mail=_1\"; protocol=\"application/pgp-signature\"; micalg=pgp-sha512",
            "multipart/alternative;\r\n\tboundary=\"----=_Part_1\"",
            "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m",
            "text/calendar; method=REPLY; component=VEVENT; charset=utf-8",
            "application/pdf; name*0*=utf-8''M%C3%A4; name*1=rz.pdf",
        ] {
            assert_eq!(private_type(body.as_bytes()), None, "{body}");
        }
        for (body, want) in [
            (
                "multipart/related; boundary=\"b c\"; type=\"text/html\"; start=\"<p1@laptop.example>\"; x-host=laptop",
                "multipart/related; boundary=\"b c\"; type=\"text/html\"",
            ),
            (
                "text/plain; x-mac-type=0; charset=utf-8 (Mail)",
                "text/plain; charset=utf-8",
            ),
            (
                "text/plain; x*0=a; x*1=b; name*=utf-8''a",
                "text/plain; name*=utf-8''a",
            ),
        ] {
            let new = private_type(body.as_bytes()).unwrap();
            assert_eq!(new.as_str(), want, "{body}");
        }
        for boundary in ["=_\u{e9}", &"x".repeat(950)] {
            let body = format!("multipart/mixed; boundary=\"{boundary}\"; x=y");
            assert_eq!(private_type(body.as_bytes()), None, "{boundary}");
        }
        let body = b"attachment; filename=a.txt; modification-date=\"now\"";
        assert_eq!(
            private_disposition(body).unwrap().as_str(),
            "attachment; filename=a.txt"
        );
        assert_eq!(private_disposition(b"attachment; filename=\"a b.txt\""), None);
    }

    #[test]
    fn a_type_is_written_as_our_scanner_reads_it() {
        for (body, want) in [
            ("text", "text/plain"),
            ("", "text/plain"),
            ("; name=\"a.zip\"", "text/plain; name=a.zip"),
            ("text/html; charset", "text/html"),
            ("text/html;; charset=utf-8", "text/html; charset=utf-8"),
            ("text/html charset=utf-8", "text/html; charset=utf-8"),
            (
                "multipart/mixed; boundary=----=_a",
                "multipart/mixed; boundary=\"----=_a\"",
            ),
            ("multipart/mixed; boundary=\"a", "multipart/mixed; boundary=a"),
            (
                "multipart/mixed; boundary=a; boundary=b; x",
                "multipart/mixed; boundary=a",
            ),
            (
                "image/png; name=M\u{e4}rz.png",
                "image/png; name*=utf-8''M%C3%A4rz.png",
            ),
            ("text/html>", "text/html"),
            ("multipart/[x]; boundary=a", "multipart/mixed; boundary=a"),
            ("x[/y; boundary=a", "application/octet-stream; boundary=a"),
            ("multipart/digest>; boundary=a", "multipart/mixed; boundary=a"),
            ("message/rfc822>", "application/octet-stream"),
        ] {
            let new = repaired_type(body.as_bytes(), body.as_bytes()).unwrap_or_else(|| panic!("{body}"));
            assert_eq!(new.as_str(), want, "{body}");
            assert_eq!(check_content_type(new.as_str().as_bytes()), Ok(()), "{body}");
            let (ours, theirs) = (
                ContentType::parse(body.as_bytes()),
                ContentType::parse(want.as_bytes()),
            );
            let boundary = |it: &Option<ContentType>| it.as_ref().and_then(ContentType::boundary);
            assert_eq!(boundary(&ours), boundary(&theirs), "{body}");
        }
        let hidden =
            repaired_type(b"multipart/mixed; boundary=b", b"multipart/mixed; bounda\x05ry=b").unwrap();
        assert_eq!(
            hidden.as_str(),
            "multipart/mixed",
            "no parts that our scanner has not seen"
        );
        let new = repaired_disposition(b"attachment; filename=a b.txt").unwrap();
        assert_eq!(check_content_disposition(new.as_str().as_bytes()), Ok(()));
    }
}
