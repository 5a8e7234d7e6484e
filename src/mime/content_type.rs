//! Content-Type and Content-Disposition: just enough of RFC 2045 5.1 and RFC 2231.

use std::borrow::Cow;

use crate::header::{charset, encoded_word, without_controls};

/// Parameters of one field beyond which the rest are not looked at. Real fields have a handful; RFC 2231 cuts a
/// long file name in tens of pieces.
const MAX_PARAMETERS: usize = 256;

/// The value of a Content-Type field (RFC 2045 5.1) or, without its subtype, of a Content-Disposition (RFC 2183).
///
/// ```
/// use readdress::mime::ContentType;
///
/// let body = b" Application/PDF (of June); name*0*=utf-8''caf%C3%A9; name*1=\".pdf\"";
/// let content_type = ContentType::parse(body).expect("it names a type");
/// assert_eq!((content_type.type_(), content_type.subtype()), ("application", "pdf"));
/// assert_eq!(content_type.parameter("Name").as_deref(), Some("caf\u{e9}.pdf"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    main: String,
    sub: String,
    parameters: Vec<(String, Vec<u8>)>,
}

impl Default for ContentType {
    /// `text/plain`, which holds where none is given or understood (RFC 2045 5.2).
    fn default() -> Self {
        ContentType {
            main: "text".to_owned(),
            sub: "plain".to_owned(),
            parameters: Vec::new(),
        }
    }
}

impl ContentType {
    /// Reads the body of a Content-Type field, folded or not. `None`: it names no type.
    ///
    /// Accepts the irregular forms of real mail: comments, a missing `;`, values that should have been quoted.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let mut rest = Cursor::new(body);
        let main = rest.token(b"/;")?;
        rest.blanks();
        if !rest.eat(b'/') {
            return None;
        }
        rest.blanks();
        let sub = rest.token(b"/;")?;
        Some(ContentType {
            main,
            sub,
            parameters: rest.parameters(),
        })
    }

    /// Reads the body of a Content-Type field among several, of which the first that says anything counts. `None`: it says
    /// nothing. A body that says something but names no type is read as `text/plain`.
    pub(super) fn stated(body: &[u8]) -> Option<Self> {
        ContentType::parse(body).or_else(|| says_anything(body).then(ContentType::default))
    }

    /// Reads the body of a Content-Disposition field (RFC 2183 2); the type is in [`ContentType::type_`].
    pub fn parse_disposition(body: &[u8]) -> Self {
        let mut rest = Cursor::new(body);
        let main = rest.token(b"/;").unwrap_or_default();
        ContentType {
            main,
            sub: String::new(),
            parameters: rest.parameters(),
        }
    }

    /// The type, in lower case: `text` of `text/plain`.
    pub fn type_(&self) -> &str {
        &self.main
    }

    /// The subtype, in lower case: `plain` of `text/plain`.
    pub fn subtype(&self) -> &str {
        &self.sub
    }

    /// `message/rfc822` (RFC 2046 5.2.1) or `message/global` (RFC 6532 3.7): the body is a message.
    pub(super) fn is_message(&self) -> bool {
        self.main == "message" && matches!(&*self.sub, "rfc822" | "global")
    }

    /// The boundary of a multipart (RFC 2046 5.1.1). `None`: it is not a multipart, or has no boundary.
    ///
    /// Trailing blanks are dropped, as a boundary cannot end in one.
    pub fn boundary(&self) -> Option<Vec<u8>> {
        if self.main != "multipart" {
            return None;
        }
        let boundary = self.raw_parameter("boundary")?;
        let boundary = boundary.trim_ascii_end();
        (!boundary.is_empty()).then(|| boundary.to_vec())
    }

    /// A parameter's value as text: continuations joined, RFC 2231 percent-octets and charset decoded, RFC 2047
    /// encoded-words too, since many programs write them here. Case does not count in `name`. Only the first 256 parameters of a
    /// field are looked at.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.text(&name.to_ascii_lowercase())
    }

    /// As [`ContentType::parameter`], for a name in lower case.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let Some((label, octets)) = self.extended(name) else {
            return Some(encoded_word::decode(&self.raw_parameter(name)?));
        };
        Some(match charset::encoding(&label) {
            Some(encoding) => without_controls(&encoding.decode_without_bom_handling(&octets).0),
            None => encoded_word::decode(&octets),
        })
    }

    /// The parameters in their order, each by its name in lower case.
    pub(crate) fn parameters(&self) -> &[(String, Vec<u8>)] {
        &self.parameters
    }

    /// The octets of every parameter of this name that is whole: `name`, and `name*` with its percent-octets decoded.
    pub(crate) fn whole_parameters(&self, name: &str) -> impl Iterator<Item = Cow<'_, [u8]>> {
        self.parameters
            .iter()
            .filter_map(move |(parameter, octets)| match parameter.strip_prefix(name)? {
                "" => Some(Cow::Borrowed(&octets[..])),
                "*" => {
                    let mut decoded = Vec::new();
                    percent_decode(octets, &mut decoded);
                    Some(Cow::Owned(decoded))
                }
                _ => None,
            })
    }

    /// A parameter's octets, continuations joined (RFC 2231 3) and percent-octets decoded.
    fn raw_parameter(&self, name: &str) -> Option<Vec<u8>> {
        let plain = self.parameters.iter().find(|(parameter, _)| parameter == name);
        match plain {
            Some((_, octets)) => Some(octets.clone()),
            None => self.extended(name).map(|(_, octets)| octets),
        }
    }

    /// The RFC 2231 form of a parameter, `name*`, `name*0`, `name*0*`: its charset and octets.
    fn extended(&self, name: &str) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut sections: Vec<(u16, bool, &[u8])> = Vec::new();
        for (parameter, octets) in &self.parameters {
            let Some(suffix) = parameter
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('*'))
            else {
                continue;
            };
            let (number, percent) = match suffix.strip_suffix('*') {
                Some(number) => (number, true),
                None => (suffix, suffix.is_empty()),
            };
            let number = if number.is_empty() {
                Some(0)
            } else {
                number.parse().ok()
            };
            if let Some(number) = number {
                sections.push((number, percent, octets));
            }
        }
        sections.sort_by_key(|&(number, ..)| number);
        sections.dedup_by_key(|&mut (number, ..)| number);
        if sections.first()?.0 != 0 {
            return None;
        }
        let mut charset = Vec::new();
        let mut octets = Vec::new();
        for (expected, (number, percent, mut section)) in (0..).zip(sections) {
            if number != expected {
                break;
            }
            if number == 0 && percent {
                // charset'language'octets
                let mut parts = section.splitn(3, |&b| b == b'\'');
                if let (Some(label), Some(_), Some(rest)) = (parts.next(), parts.next(), parts.next()) {
                    charset = label.to_vec();
                    section = rest;
                }
            }
            if percent {
                percent_decode(section, &mut octets);
            } else {
                octets.extend_from_slice(section);
            }
        }
        Some((charset, octets))
    }
}

/// Whether the body of a Content-* field holds more than white space, comments and separators.
pub(crate) fn says_anything(body: &[u8]) -> bool {
    let mut rest = Cursor::new(body);
    rest.separators();
    !rest.rest.is_empty()
}

/// The token of a Content-Transfer-Encoding field as written (RFC 2045 6.1), without comments (3). `None`: it says nothing.
pub(crate) fn transfer_encoding(body: &[u8]) -> Option<&[u8]> {
    Cursor::new(body).word(b";")
}

fn percent_decode(mut section: &[u8], octets: &mut Vec<u8>) {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        b'A'..=b'F' => Some(b - b'A' + 10),
        _ => None,
    };
    while let [first, rest @ ..] = section {
        if let (b'%', [high, low, after @ ..]) = (first, rest)
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            octets.push(high * 16 + low);
            section = after;
            continue;
        }
        octets.push(*first);
        section = rest;
    }
}

/// The rest of a field body. Line breaks of folds are skipped as blanks.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn new(rest: &'a [u8]) -> Self {
        Cursor { rest }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.rest.first() == Some(&byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    /// Skips white space and comments (RFC 5322 3.2.2); a comment without its end runs to the end.
    fn blanks(&mut self) {
        loop {
            self.rest = self.rest.trim_ascii_start();
            if self.rest.first() != Some(&b'(') {
                return;
            }
            let mut depth = 0_usize;
            let mut end = self.rest.len();
            let mut escaped = false;
            for (at, &b) in self.rest.iter().enumerate() {
                match b {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = true,
                    b'(' => depth += 1,
                    b')' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    end = at + 1;
                    break;
                }
            }
            self.rest = &self.rest[end..];
        }
    }

    /// Skips blanks and semicolons.
    fn separators(&mut self) {
        self.blanks();
        while self.eat(b';') {
            self.blanks();
        }
    }

    /// Bytes up to white space, `(`, or one of `stops`.
    #[inline]
    fn word(&mut self, stops: &[u8]) -> Option<&'a [u8]> {
        self.blanks();
        let end = self.until(|b| b.is_ascii_whitespace() || b == b'(' || stops.contains(&b));
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    /// The same, in lower case.
    fn token(&mut self, stops: &[u8]) -> Option<String> {
        self.word(stops)
            .map(|word| String::from_utf8_lossy(word).to_ascii_lowercase())
    }

    fn until(&self, stop: impl Fn(u8) -> bool) -> usize {
        self.rest.iter().position(|&b| stop(b)).unwrap_or(self.rest.len())
    }

    fn parameters(&mut self) -> Vec<(String, Vec<u8>)> {
        let mut parameters = Vec::new();
        while parameters.len() < MAX_PARAMETERS {
            self.separators();
            if self.rest.is_empty() {
                break;
            }
            let Some(name) = self.token(b"=;") else {
                self.rest = &self.rest[1..];
                continue;
            };
            self.blanks();
            if self.eat(b'=') {
                self.blanks();
                let octets = self.value(&name);
                parameters.push((name, octets));
            }
        }
        parameters
    }

    fn value(&mut self, name: &str) -> Vec<u8> {
        if self.eat(b'"') {
            return self.quoted();
        }
        // A value with blanks should have been quoted; file names often are not. A boundary is one word.
        let word = name.starts_with("boundary") || name.starts_with("charset");
        let end = self.until(|b| b == b';' || b == b'\r' || b == b'\n' || (word && b.is_ascii_whitespace()));
        let (octets, rest) = self.rest.split_at(end);
        self.rest = rest;
        octets.trim_ascii_end().to_vec()
    }

    /// The rest of a quoted-string, unfolded and without its escapes; without its end it runs to the end.
    fn quoted(&mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        let mut escaped = false;
        for (at, &b) in self.rest.iter().enumerate() {
            match b {
                b'\r' | b'\n' => {}
                _ if escaped => {
                    octets.push(b);
                    escaped = false;
                }
                b'\\' => escaped = true,
                b'"' => {
                    self.rest = &self.rest[at + 1..];
                    return octets;
                }
                _ => octets.push(b),
            }
        }
        self.rest = &[];
        octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boundary(body: &str) -> Option<String> {
        let boundary = ContentType::parse(body.as_bytes())?.boundary()?;
        Some(String::from_utf8(boundary).unwrap())
    }

    #[test]
    fn boundaries_as_strangers_write_them() {
        for (body, want) in [
            (" multipart/mixed; boundary=abc\r\n", Some("abc")),
            ("multipart/mixed;\r\n boundary=\"a b \"\r\n", Some("a b")),
            ("MULTIPART/Mixed; BOUNDARY=\"a\\\"b\"", Some("a\"b")),
            (
                "multipart/mixed; charset=x; boundary=----=_Part.1 ; x=y",
                Some("----=_Part.1"),
            ),
            ("multipart/mixed boundary=\"abc\"", Some("abc")),
            (
                "multipart/mixed; boundary = abc (a comment; boundary=no)",
                Some("abc"),
            ),
            (
                "multipart (odd) / (odder) mixed; (x) boundary (y) = \"z\"",
                Some("z"),
            ),
            (r"multipart (a \( b) / mixed; boundary=a", Some("a")),
            (r"multipart (a \\) / mixed; boundary=a", Some("a")),
            ("multipart/mixed; boundary=a b; x=y", Some("a")),
            ("multipart/mixed; charset=utf-8 boundary=a", Some("a")),
            ("multipart/mixed; x=\"1\"boundary=a", Some("a")),
            ("multipart/mixed; boundary*=us-ascii'en'a%20b", Some("a b")),
            ("multipart/mixed; boundary*1=cd; boundary*0=\"ab\"", Some("abcd")),
            ("multipart/mixed; boundary=\"abc", Some("abc")),
            ("multipart/mixed; boundary=\"ab\r\n c\"", Some("ab c")),
            ("multipart/mixed; boundary=a; boundary=b", Some("a")),
            ("multipart/mixed;; ;boundary=a", Some("a")),
            ("multipart/mixed; boundary=\"\"", None),
            ("multipart/mixed; boundary=\"  \"", None),
            ("multipart/mixed", None),
            ("multipart; boundary=a", None),
            ("text/plain; boundary=a", None),
            ("", None),
            ("(((", None),
        ] {
            assert_eq!(boundary(body).as_deref(), want, "{body:?}");
        }
    }

    #[test]
    fn parameters_are_bounded() {
        let after = |others: usize| format!("multipart/mixed{}; boundary=a", "; x=y".repeat(others));
        assert_eq!(boundary(&after(MAX_PARAMETERS - 1)).as_deref(), Some("a"));
        assert_eq!(boundary(&after(MAX_PARAMETERS)), None);
    }

    #[test]
    fn parameters_are_decoded() {
        for (body, want) in [
            ("a/b; name=plain.txt", "plain.txt"),
            ("a/b; name=my file.pdf; x=y", "my file.pdf"),
            ("a/b; name=my.pdf\r\n x=y", "my.pdf"),
            ("a/b; name=my.pdf\n x=y", "my.pdf"),
            ("a/b; name=\"my \\\"file\\\".pdf\"", "my \"file\".pdf"),
            ("a/b; name*=utf-8''%e2%82%ac%20rates.txt", "€ rates.txt"),
            ("a/b; name*0*=iso-8859-1'de'gr%FC; name*1=\"n.txt\"", "grün.txt"),
            ("a/b; name=fallback.txt; name*=utf-8''better.txt", "better.txt"),
            ("a/b; name*0*=utf-8''a; name*1*=b'c'd", "ab'c'd"),
            ("a/b; name*0=\"a'b'c\"; name*1=d", "a'b'cd"),
            ("a/b; name=\"=?utf-8?B?4oKs?=.txt\"", "€.txt"),
            ("a/b; name*=utf-8''100%", "100%"),
            ("a/b; name*=utf-8''a%0D%0Ab%00; name=c", "a  b "),
            (
                "a/b; name*0=\"=?UTF-8?Q?gr=C3=B\"; name*1=\"Cn.txt?=\"",
                "gr\u{fc}n.txt",
            ),
            ("a/b; name*=utf-8''%3D?utf-8?q?a?=", "=?utf-8?q?a?="),
            ("a/b; name*=cp932''%93%FA%96%7B", "\u{65e5}\u{672c}"),
        ] {
            let content_type = ContentType::parse(body.as_bytes()).unwrap();
            assert_eq!(content_type.parameter("name").as_deref(), Some(want), "{body:?}");
        }
    }

    #[test]
    fn hostile_values_are_read_in_one_pass() {
        for piece in ["(", "\"", ";", "=", "a=", "a=b;", "\\", "name*0=x;", " ", "()"] {
            let body = format!("multipart/mixed; {}", piece.repeat(100_000));
            let _ = ContentType::parse(body.as_bytes()).unwrap().parameter("name");
        }
    }
}
