//! Fields as they came, byte for byte.

use memchr::memchr;

/// Octets of a usual header section: memory for this many is reserved at the start, and most messages need no more.
const USUAL_OCTETS: usize = 8 << 10;

/// Fields of a usual header section.
const USUAL_FIELDS: usize = 64;

/// One header field, its folds and line break included (RFC 5322 2.2).
///
/// The scanner hands out each as one event, however the chunks cut it:
///
/// ```
/// use readdress::header::Field;
/// use readdress::mime::{Kind, Scanner};
///
/// let mut scanner = Scanner::default();
/// let mut subject = None;
/// for mut chunk in [&b"Subj"[..], b"ect : Hello\r\n again\r\n\r\n"] {
///     while let Some(event) = scanner.next(&mut chunk, false)? {
///         if event.kind == Kind::Field {
///             let field = Field::new(event.bytes);
///             assert!(field.is("subject"));
///             subject = Some((field.name().to_owned(), field.body().to_owned()));
///         }
///     }
/// }
/// assert_eq!(subject, Some((b"Subject".to_vec(), b" Hello\r\n again".to_vec())));
/// # Ok::<(), readdress::mime::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    raw: &'a [u8],
}

/// The body of `raw`, its last line break included, if it is a field of this name. Case does not count.
#[inline]
pub(crate) fn body_if_named<'a>(raw: &'a [u8], name: &str) -> Option<&'a [u8]> {
    // Most fields have another name. The first octet and the length of the name show that at once.
    let first = name.as_bytes().first()?;
    let may_be =
        raw.first()?.eq_ignore_ascii_case(first) && matches!(raw.get(name.len())?, b':' | b' ' | b'\t');
    if !may_be {
        return None;
    }
    let (head, tail) = raw.split_at(name.len());
    let is_named = head.eq_ignore_ascii_case(name.as_bytes());
    is_named.then(|| after_colon(tail)).flatten()
}

impl<'a> Field<'a> {
    /// The field with these bytes: those of an event of [`Kind::Field`](crate::mime::Kind::Field). Any bytes are accepted; a
    /// line that is no field has an empty name.
    pub fn new(raw: &'a [u8]) -> Self {
        Field { raw }
    }

    /// All of its bytes.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The field name as written. Empty for the things in a header section that are no fields: white space before the first
    /// field, an mbox line, a byte order mark.
    pub fn name(&self) -> &'a [u8] {
        self.cut().map_or(&[], |(name, _)| name)
    }

    /// The text before the first colon, without the blanks in front of it: the field name, if it is a valid one. `None`: there
    /// is no colon.
    #[inline]
    pub(crate) fn up_to_colon(&self) -> Option<&'a [u8]> {
        let mut name = &self.raw[..memchr(b':', self.raw)?];
        while let [before @ .., b' ' | b'\t'] = name {
            name = before;
        }
        Some(name)
    }

    /// Whether this is the field's name. `name` is one that a field can have: printable ASCII without a colon. Case does not
    /// count.
    #[inline]
    pub fn is(&self, name: &str) -> bool {
        body_if_named(self.raw, name).is_some()
    }

    /// The field body as written: the text after the colon, folds included, without the last line break. Empty if this is no
    /// field.
    pub fn body(&self) -> &'a [u8] {
        without_line_break(self.cut().map_or(&[][..], |(_, body)| body))
    }

    /// As [`Field::body`], but cheaper: the name is known to have this many octets.
    #[inline]
    pub(crate) fn body_behind(&self, name: usize) -> &'a [u8] {
        let rest = self.raw.get(name..).unwrap_or_default();
        without_line_break(after_colon(rest).unwrap_or_default())
    }

    /// The `From ` line that separates the messages of an mbox file (RFC 4155), or `>From `, as which it is escaped.
    pub fn is_mbox_line(&self) -> bool {
        after_mbox_mark(self.raw).is_some() && self.cut().is_none()
    }

    /// The name, and the text after the colon. `None`: it is no field.
    fn cut(&self) -> Option<(&'a [u8], &'a [u8])> {
        let (name, rest) = self.raw.split_at(name_len(self.raw));
        let body = after_colon(rest)?;
        (!name.is_empty()).then_some((name, body))
    }
}

fn without_line_break(body: &[u8]) -> &[u8] {
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    body.strip_suffix(b"\r").unwrap_or(body)
}

/// The rest of an mbox line after its mark, `From ` or `>From `.
pub(crate) fn after_mbox_mark(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_prefix(b">").unwrap_or(line);
    line.strip_prefix(b"From ")
}

/// Octets at the front of a line that a field name is made of: printable ASCII without the colon (RFC 5322 2.2).
#[inline]
pub(crate) fn name_len(line: &[u8]) -> usize {
    const IS_OF_A_NAME: [bool; 256] = {
        let mut table = [false; 256];
        let mut octet = b'!';
        while octet <= b'~' {
            table[octet as usize] = octet != b':';
            octet += 1;
        }
        table
    };
    let other = line.iter().position(|&b| !IS_OF_A_NAME[usize::from(b)]);
    other.unwrap_or(line.len())
}

/// The text after the colon; blanks may stand before the colon (RFC 5322 4.5).
#[inline]
fn after_colon(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        match rest {
            [b':', body @ ..] => return Some(body),
            [b' ' | b'\t', after @ ..] => rest = after,
            _ => return None,
        }
    }
}

/// A header section: its fields in order and the empty line, as they came.
///
/// ```
/// use readdress::header::Header;
/// use readdress::mime::{Kind, Scanner};
///
/// let mut scanner = Scanner::default();
/// let mut header = Header::new();
/// for mut chunk in [&b"To: shop@example.com\r\nto: sa"[..], b"les@example.com\r\n\r\nHello"] {
///     while let Some(event) = scanner.next(&mut chunk, false)? {
///         match event.kind {
///             Kind::Field => header.push(event.bytes),
///             Kind::HeaderEnd => header.end(event.bytes),
///             _ => {}
///         }
///     }
/// }
/// let all: Vec<&[u8]> = header.named("To").map(|field| field.body()).collect();
/// assert_eq!(all, [b" shop@example.com", b" sales@example.com".as_slice()]);
/// assert_eq!(header.octets(), header.raw().len());
/// # Ok::<(), readdress::mime::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Header {
    raw: Vec<u8>,
    /// Where each field ends in `raw`. Nothing more is kept of a field: a hostile section has one every three octets.
    ends: Vec<usize>,
}

impl Header {
    /// An empty header section.
    pub fn new() -> Self {
        Header::default()
    }

    /// Adds a field: the bytes of an event of [`Kind::Field`](crate::mime::Kind::Field).
    pub fn push(&mut self, raw: &[u8]) {
        if self.ends.is_empty() {
            self.raw.reserve(USUAL_OCTETS);
            self.ends.reserve(USUAL_FIELDS);
        }
        self.raw.extend_from_slice(raw);
        self.ends.push(self.raw.len());
    }

    /// Adds the empty line: the bytes of the event of [`Kind::HeaderEnd`](crate::mime::Kind::HeaderEnd), which may be empty. Need not
    /// be called if there is none.
    pub fn end(&mut self, empty_line: &[u8]) {
        self.raw.extend_from_slice(empty_line);
    }

    /// The fields in order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        let mut start = 0;
        self.ends.iter().map(move |&end| Field {
            raw: &self.raw[std::mem::replace(&mut start, end)..end],
        })
    }

    /// The field at this index.
    pub(crate) fn field(&self, index: usize) -> Option<Field<'_>> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        let raw = &self.raw[start..end];
        Some(Field { raw })
    }

    /// The first field of this name.
    pub fn first(&self, name: &str) -> Option<Field<'_>> {
        self.named(name).next()
    }

    /// The fields of this name in order. Case does not count.
    pub fn named(&self, name: &str) -> impl Iterator<Item = Field<'_>> {
        self.fields().filter(move |field| field.is(name))
    }

    /// Octets of the section, the empty line included: the offset at which the message's body begins.
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
            let field = Field { raw: raw.as_bytes() };
            assert_eq!(field.name(), name.as_bytes(), "{raw:?}");
            assert_eq!(field.body(), body.as_bytes(), "{raw:?}");
        }
        assert!(Field { raw: b"From jane" }.is_mbox_line());
        assert!(Field { raw: b">From jane" }.is_mbox_line());
        for raw in [
            "From : jane",
            ">From : jane",
            ">From: jane",
            ">>From jane",
            "from jane",
            "From\tjane",
        ] {
            let field = Field { raw: raw.as_bytes() };
            assert!(!field.is_mbox_line(), "{raw}");
        }
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
