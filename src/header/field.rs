//! Fields as they came, byte for byte.

use memchr::memchr;

/// Octets of a usual header section: most messages need no more room than is made at once.
const USUAL_OCTETS: usize = 8 << 10;

/// Its fields.
const USUAL_FIELDS: usize = 64;

/// One header field, its folds and line break included (RFC 5322 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    raw: &'a [u8],
    cut: Cut,
}

/// Where a field is cut: octets of its name, and those before its body. What is no field has neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cut {
    name: usize,
    body: usize,
}

impl Cut {
    fn of(raw: &[u8]) -> Self {
        let name = raw
            .iter()
            .take_while(|&&b| matches!(b, b'!'..=b'9' | b';'..=b'~'))
            .count();
        let blanks = raw[name..]
            .iter()
            .take_while(|&&b| b == b' ' || b == b'\t')
            .count();
        let colon = name + blanks;
        if name > 0 && raw.get(colon) == Some(&b':') {
            Cut {
                name,
                body: colon + 1,
            }
        } else {
            Cut {
                name: 0,
                body: raw.len(),
            }
        }
    }
}

/// The body of `raw`, its last line break included, if it is a field of this name. Case does not count.
#[inline]
pub(crate) fn body_if_named<'a>(raw: &'a [u8], name: &str) -> Option<&'a [u8]> {
    // Most fields are others, and most of those show it at their first octet.
    let first = name.as_bytes().first()?;
    if !raw.first()?.eq_ignore_ascii_case(first) {
        return None;
    }
    let (head, tail) = raw.split_at_checked(name.len())?;
    if !head.eq_ignore_ascii_case(name.as_bytes()) {
        return None;
    }
    let blanks = tail.iter().take_while(|&&b| b == b' ' || b == b'\t').count();
    tail[blanks..].strip_prefix(b":")
}

impl<'a> Field<'a> {
    fn new(raw: &'a [u8]) -> Self {
        let cut = Cut::of(raw);
        Field { raw, cut }
    }

    /// All of its bytes.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The field name as written. Empty for what is in a header section but no field: white space before the
    /// first field, an mbox `From ` line.
    pub fn name(&self) -> &'a [u8] {
        &self.raw[..self.cut.name]
    }

    /// Is this its name? Case does not count.
    #[inline]
    pub fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name.as_bytes())
    }

    /// The field body as written: what follows the colon, folds included, without the last line break.
    pub fn body(&self) -> &'a [u8] {
        let body = &self.raw[self.cut.body..];
        let body = body.strip_suffix(b"\n").unwrap_or(body);
        body.strip_suffix(b"\r").unwrap_or(body)
    }

    /// The `From ` line that separates the messages of an mbox file (RFC 4155).
    pub fn is_mbox_line(&self) -> bool {
        self.cut.name == 0 && self.raw.starts_with(b"From ")
    }
}

/// A header section: its fields in order and the empty line, as they came.
#[derive(Clone, Debug, Default)]
pub struct Header {
    raw: Vec<u8>,
    /// Where each field ends in `raw`. Where it is cut is found anew: a hostile section has a field every four octets.
    ends: Vec<usize>,
}

impl Header {
    /// An empty header section.
    pub fn new() -> Self {
        Header::default()
    }

    /// Adds a field as the scanner tells it ([`Kind::Field`](crate::mime::Kind::Field)).
    pub fn push(&mut self, raw: &[u8]) {
        if self.ends.is_empty() {
            self.raw.reserve(USUAL_OCTETS);
            self.ends.reserve(USUAL_FIELDS);
        }
        self.raw.extend_from_slice(raw);
        self.ends.push(self.raw.len());
    }

    /// Adds the empty line ([`Kind::HeaderEnd`](crate::mime::Kind::HeaderEnd)); it may be missing.
    pub fn end(&mut self, empty_line: &[u8]) {
        self.raw.extend_from_slice(empty_line);
    }

    /// The fields in order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        self.uncut().map(Field::new)
    }

    /// The first field of this name.
    pub fn first(&self, name: &str) -> Option<Field<'_>> {
        self.named(name).next()
    }

    /// The fields of this name in order. Case does not count.
    pub fn named(&self, name: &str) -> impl Iterator<Item = Field<'_>> {
        let alike = self.uncut().filter(|raw| body_if_named(raw, name).is_some());
        alike.map(Field::new)
    }

    fn uncut(&self) -> impl Iterator<Item = &[u8]> {
        self.ends.iter().scan(0, |start, &end| {
            Some(&self.raw[std::mem::replace(start, end)..end])
        })
    }

    /// Octets of the section, the empty line included: the offset of the message's body.
    pub fn octets(&self) -> usize {
        self.raw.len()
    }

    /// All bytes of the section, the empty line included.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The empty line, CRLF or LF. Empty where the section ended without one.
    pub fn empty_line(&self) -> &[u8] {
        &self.raw[self.ends.last().copied().unwrap_or(0)..]
    }

    /// The line ending of its first line. `None`: it has no line break.
    pub fn line_ending(&self) -> Option<&'static [u8]> {
        line_ending(&self.raw)
    }
}

/// The line ending of the first line of `bytes`.
pub(crate) fn line_ending(bytes: &[u8]) -> Option<&'static [u8]> {
    let at = memchr(b'\n', bytes)?;
    Some(if at > 0 && bytes[at - 1] == b'\r' {
        b"\r\n"
    } else {
        b"\n"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_cut_at_its_colon() {
        for (raw, name, body) in [
            ("Subject: a\r\n b\r\n", "Subject", " a\r\n b"),
            ("Subject \t:a\n", "Subject", "a"),
            ("X:", "X", ""),
            ("X:\r\n", "X", ""),
            ("   \r\n", "", ""),
            (" X: a\r\n", "", ""),
            (": a\r\n", "", ""),
            ("From jane Mon Jan  1 00:00:00 2024\n", "", ""),
        ] {
            let field = Field::new(raw.as_bytes());
            assert_eq!(field.name(), name.as_bytes(), "{raw:?}");
            assert_eq!(field.body(), body.as_bytes(), "{raw:?}");
        }
        assert!(Field::new(b"From jane").is_mbox_line());
        assert!(!Field::new(b"From : jane").is_mbox_line());
    }

    #[test]
    fn fields_are_found_by_name() {
        for (raw, body) in [
            ("Content-Type: a\r\n", Some(" a\r\n")),
            ("content-type \t:a", Some("a")),
            ("Content-Type-X: a", None),
            ("Content-Typo: a", None),
            ("Content-Type\n: a", None),
            ("Content-Type", None),
            ("Cont", None),
            ("X: Content-Type: a", None),
            ("", None),
        ] {
            let found = body_if_named(raw.as_bytes(), "content-type");
            assert_eq!(found, body.map(str::as_bytes), "{raw:?}");
        }
        assert_eq!(body_if_named(b": a", ""), None, "no field is without a name");
    }

    #[test]
    fn a_header_keeps_its_bytes() {
        let mut header = Header::new();
        assert_eq!(header.line_ending(), None);
        for raw in [&b"A: 1\r\n"[..], b"b: 2\r\n 3\r\n", b"a: 4\r\n"] {
            header.push(raw);
        }
        header.end(b"\r\n");
        assert_eq!(header.raw(), b"A: 1\r\nb: 2\r\n 3\r\na: 4\r\n\r\n");
        assert_eq!(header.empty_line(), b"\r\n");
        assert_eq!(header.first("a").unwrap().body(), b" 1");
        assert_eq!(
            header.fields().map(|field| field.raw().len()).sum::<usize>() + 2,
            header.octets()
        );
        assert_eq!(header.line_ending(), Some(&b"\r\n"[..]));
    }
}
