//! Encoded-words (RFC 2047): text other than ASCII in header fields.
//!
//! Reading accepts the flaws of real mail: white space and specials inside of encoded-words, characters split between them, raw
//! 8-bit text. Writing keeps to the RFC. Either way no control character comes out, so that decoded text can never begin a new
//! line of a header section.

use std::borrow::Cow;

use encoding_rs::{Encoding, WINDOWS_1252};
use memchr::{memchr, memchr_iter, memchr2};

use super::charset;
use super::encoded_text::{EncodedText, Octets};
use super::text::{MAX_WORD, MAX_WRITTEN_NAME, printable, without_controls};

/// Octets of an encoded-word at most (RFC 2047 2).
const MAX_ENCODED_WORD: usize = 75;

/// Octets of a charset that are looked at: an encoded-word holds no longer one.
const MAX_CHARSET: usize = MAX_ENCODED_WORD;

/// The octets around the text of each encoded-word written here; the `q` may be a `b`.
const FRAME: &str = "=?utf-8?q??=";

/// Octets of encoded text in one encoded-word.
const MAX_TEXT: usize = MAX_ENCODED_WORD - FRAME.len();

/// Octets of encoded text in the first one: a line with an encoded-word has 76 columns at most (RFC 2047 2), and the
/// first cannot be folded away from the field name.
const MAX_FIRST_TEXT: usize = 76 - MAX_WRITTEN_NAME - ": ".len() - FRAME.len();

/// Octets of a word that are left as they are in a phrase, so that it can be folded at 78 (RFC 5322 2.1.1).
const MAX_PHRASE_WORD: usize = 60;

/// Decodes unstructured text or a phrase, folded or not, to Unicode (RFC 2047 6.2).
///
/// White space between encoded-words vanishes, and the octets of neighbours of one charset are joined before they
/// are decoded. An encoded-word of an unknown charset stays as it is. Octets above 127 outside of encoded-words are
/// UTF-8 where they can be, else windows-1252. Every control character, also an encoded one, becomes a space.
///
/// ```
/// use readdress::header::encoded_word::decode;
///
/// assert_eq!(decode(b"=?utf-8?q?Gr=C3=BC=C3?=\r\n =?utf-8?b?n2U=?= an Jane"), "Gr\u{fc}\u{df}e an Jane");
/// assert_eq!(decode(b"=?utf-8?q?a=0D=0ABcc:_b?="), "a  Bcc: b");
/// ```
pub fn decode(body: &[u8]) -> String {
    let text = unfold(body);
    let mut decoded = Decoded::default();
    let mut words = Finder::new(&text);
    let (mut done, mut at) = (0, 0);
    while let Some(start) = find(&text, at, *b"=?") {
        let Some(word) = words.at(start) else {
            at = start + 2;
            continue;
        };
        at = word.end;
        if let Some(charset) = word.encoding() {
            decoded.between_words(&text[done..start]);
            decoded.word(charset, word.text);
            done = word.end;
        }
    }
    decoded.text(&text[done..]);
    decoded.out
}

/// Drops the line breaks of folds (RFC 5322 2.2.3), and no others.
fn unfold(body: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'\n', body).is_none() {
        return Cow::Borrowed(body);
    }
    let mut text: Vec<u8> = Vec::with_capacity(body.len());
    for (at, &byte) in body.iter().enumerate() {
        if byte == b'\n' && matches!(body.get(at + 1), Some(b' ' | b'\t')) {
            if at > 0 && body[at - 1] == b'\r' {
                text.pop();
            }
        } else {
            text.push(byte);
        }
    }
    Cow::Owned(text)
}

/// A well-formed encoded-word of any charset.
pub(super) struct EncodedWord<'a> {
    charset: &'a [u8],
    text: EncodedText<'a>,
    /// Its end in the searched text.
    pub(super) end: usize,
}

impl EncodedWord<'_> {
    fn encoding(&self) -> Option<&'static Encoding> {
        // The text after the asterisk is a language (RFC 2231 5).
        let label = self.charset.split(|&b| b == b'*').next()?;
        charset::encoding(label)
    }
}

/// Finds encoded-words in linear time: the next `?=` is searched for once, not for every `=?`.
pub(super) struct Finder<'a> {
    text: &'a [u8],
    /// The first `?=` from where the last search began, `usize::MAX` if there is none.
    closing: usize,
}

impl<'a> Finder<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Finder { text, closing: 0 }
    }

    /// The encoded-word that begins at `start`, which must not be smaller than at the last call.
    ///
    /// Text with a `=?` in it is not the text of an encoded-word: the `=?` before was not closed.
    pub(super) fn at(&mut self, start: usize) -> Option<EncodedWord<'a>> {
        let after = self.text[start..].strip_prefix(b"=?")?;
        let len = after
            .iter()
            .take(MAX_CHARSET)
            .position(|&b| !b.is_ascii_graphic() || b == b'?' || b == b'=')?;
        let (charset, after) = after.split_at(len);
        let base64 = match *after {
            [b'?', b'b' | b'B', b'?', ..] => true,
            [b'?', b'q' | b'Q', b'?', ..] => false,
            _ => return None,
        };
        let from = start + len + 5;
        if self.closing < from {
            self.closing = find(self.text, from, *b"?=").unwrap_or(usize::MAX);
        }
        let text = self.text.get(from..self.closing)?;
        let unclosed = find(text, 0, *b"=?").is_some();
        (!unclosed).then_some(EncodedWord {
            charset,
            text: EncodedText { base64, text },
            end: self.closing + 2,
        })
    }
}

/// The first place of these two octets from `from` on. In text as short as a field this is faster than a search that has to be
/// set up.
fn find(text: &[u8], from: usize, octets: [u8; 2]) -> Option<usize> {
    let found = memchr_iter(octets[0], &text[from..]).find(|at| text.get(from + at + 1) == Some(&octets[1]));
    found.map(|at| from + at)
}

/// The decoded text so far.
#[derive(Default)]
struct Decoded<'a> {
    out: String,
    /// The charset of the encoded-word that came last; `None` after other text.
    charset: Option<&'static Encoding>,
    /// The octets of its neighbours of that charset.
    octets: Octets,
    /// The encoded-words at the end that are not in `octets` yet, since each is cut.
    cut: Vec<EncodedText<'a>>,
}

impl<'a> Decoded<'a> {
    /// An encoded-word.
    fn word(&mut self, charset: &'static Encoding, text: EncodedText<'a>) {
        if self.charset != Some(charset) {
            self.finish_words();
        }
        self.charset = Some(charset);
        if self.cut.first().is_some_and(|cut| cut.base64 != text.base64) {
            self.finish_cut(charset);
        }
        if self.cut.is_empty() && !text.is_cut() {
            self.octets.push(&[text], charset);
            return;
        }
        self.cut.push(text);
        if !text.is_cut() {
            self.finish_cut(charset);
        }
    }

    fn finish_cut(&mut self, charset: &'static Encoding) {
        self.octets.push(&self.cut, charset);
        self.cut.clear();
    }

    /// Takes the text before an encoded-word.
    fn between_words(&mut self, text: &[u8]) {
        if self.charset.is_none() || !text.iter().all(u8::is_ascii_whitespace) {
            self.text(text);
        }
    }

    /// Text that is no encoded-word.
    fn text(&mut self, text: &[u8]) {
        self.finish_words();
        if let Ok(text) = std::str::from_utf8(text) {
            return self.push(text);
        }
        for run in text.chunk_by(|a, b| a.is_ascii() == b.is_ascii()) {
            match std::str::from_utf8(run) {
                Ok(run) => self.push(run),
                Err(_) => self.push(&WINDOWS_1252.decode_without_bom_handling(run).0),
            }
        }
    }

    fn finish_words(&mut self) {
        if let Some(charset) = self.charset.take() {
            self.finish_cut(charset);
            let octets = std::mem::take(&mut self.octets);
            self.push(&octets.decoded(charset));
        }
    }

    fn push(&mut self, text: &str) {
        if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
            self.out.push_str(text);
        } else {
            self.out.extend(text.chars().map(printable));
        }
    }
}

/// Writes unstructured text (RFC 5322 2.2.1) as printable ASCII, in encoded-words where it needs them (RFC 2047 5
/// rule (1)): words with other characters, with a `=?`, or too long to be folded. Control characters become spaces.
///
/// [`decode`] turns the result back into `text`. ASCII stays as it is.
///
/// ```
/// use readdress::header::encoded_word::encode_unstructured;
///
/// assert_eq!(encode_unstructured("Order 12, cheap"), "Order 12, cheap");
/// assert_eq!(encode_unstructured("Order 12 f\u{fc}r Jane"), "Order 12 =?utf-8?q?f=C3=BCr?= Jane");
/// ```
pub fn encode_unstructured(text: &str) -> String {
    let text = without_controls(text);
    let mut out = String::with_capacity(text.len());
    if text.split(|c| c != ' ').any(|spaces| spaces.len() > MAX_WORD) {
        push_encoded(&mut out, &text);
        return out;
    }
    // Neighbours are encoded as one, as the space between two encoded-words does not count.
    let mut span: Option<(usize, usize)> = None;
    let (mut done, mut start) = (0, 0);
    for word in text.split(' ') {
        let end = start + word.len();
        if !is_plain(word.as_bytes(), MAX_WORD) {
            span = Some((span.map_or(start, |(first, _)| first), end));
        } else if !word.is_empty()
            && let Some((first, last)) = span.take()
        {
            out.push_str(&text[done..first]);
            push_encoded(&mut out, &text[first..last]);
            done = last;
        }
        start = end + 1;
    }
    if let Some((first, last)) = span {
        out.push_str(&text[done..first]);
        push_encoded(&mut out, &text[first..last]);
        done = last;
    }
    out.push_str(&text[done..]);
    out
}

/// Writes a phrase (RFC 5322 3.2.5), such as a display-name: atoms, one quoted-string, or encoded-words (RFC 2047 5 rule (3)).
/// Runs of white space become one space, and vanish at the ends. The result is empty if nothing remains.
///
/// ```
/// use readdress::header::encoded_word::encode_phrase;
///
/// assert_eq!(encode_phrase("Jane Example"), "Jane Example");
/// assert_eq!(encode_phrase("Example, Jane"), r#""Example, Jane""#);
/// assert_eq!(encode_phrase("J\u{fc}rgen"), "=?utf-8?q?J=C3=BCrgen?=");
/// ```
pub fn encode_phrase(text: &str) -> String {
    let text = collapse(text);
    let mut words = text.as_bytes().split(|&b| b == b' ');
    if !words.all(|word| is_plain(word, MAX_PHRASE_WORD)) {
        let mut out = String::new();
        push_encoded(&mut out, &text);
        return out;
    }
    if text.bytes().all(|b| b == b' ' || is_atext(b)) {
        return text.into_owned();
    }
    quoted(&text)
}

/// Writes a quoted-string (RFC 5322 3.2.4).
pub(super) fn quoted(text: &str) -> String {
    if memchr2(b'"', b'\\', text.as_bytes()).is_none() {
        return ["\"", text, "\""].concat();
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// One space in place of every run of white space and controls, none at the ends.
pub(super) fn collapse(text: &str) -> Cow<'_, str> {
    if is_collapsed(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for word in text
        .split(|c| printable(c) == ' ')
        .filter(|word| !word.is_empty())
    {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    Cow::Owned(out)
}

/// Whether the text is words of ASCII with one space between them.
fn is_collapsed(text: &str) -> bool {
    let mut after_space = true;
    let words = text.bytes().all(|b| {
        let doubled = std::mem::replace(&mut after_space, b == b' ') && b == b' ';
        matches!(b, b' '..=b'~') && !doubled
    });
    words && (!after_space || text.is_empty())
}

/// Whether this word can be written as it is.
fn is_plain(word: &[u8], longest: usize) -> bool {
    word.len() <= longest && word.iter().all(u8::is_ascii_graphic) && !has_start(word)
}

/// Whether some program might see an encoded-word in the text.
pub(super) fn has_start(text: &[u8]) -> bool {
    find(text, 0, *b"=?").is_some()
}

/// The characters of an atom (RFC 5322 3.2.3).
pub(super) fn is_atext(byte: u8) -> bool {
    const IS_ATEXT: [bool; 256] = {
        let mut table = [false; 256];
        let mut octet = b'!';
        while octet <= b'~' {
            table[octet as usize] = !matches!(
                octet,
                b'"' | b'(' | b')' | b',' | b'.' | b':' | b';' | b'<' | b'>' | b'@' | b'[' | b'\\' | b']'
            );
            octet += 1;
        }
        table
    };
    IS_ATEXT[usize::from(byte)]
}

/// Appends `text` as encoded-words with a space between them.
fn push_encoded(out: &mut String, text: &str) {
    let base64 = text.len().div_ceil(3) * 4 < text.chars().map(q_len).sum();
    let (mark, cost) = if base64 {
        ('b', char::len_utf8 as fn(char) -> usize)
    } else {
        ('q', q_len as fn(char) -> usize)
    };
    let mut rest = text;
    let mut room = MAX_FIRST_TEXT;
    while !rest.is_empty() {
        // Four letters of base64 stand for three octets (RFC 2045 6.8).
        let room = std::mem::replace(&mut room, MAX_TEXT);
        let room = if base64 { room / 4 * 3 } else { room };
        let mut used = 0;
        let fitting = rest.char_indices().find(|&(_, c)| {
            used += cost(c);
            used > room
        });
        let (piece, after) = rest.split_at(fitting.map_or(rest.len(), |(end, _)| end));
        out.push_str("=?utf-8?");
        out.push(mark);
        out.push('?');
        if base64 {
            base64_simd::STANDARD.encode_append(piece, out);
        } else {
            push_q(out, piece);
        }
        out.push_str(if after.is_empty() { "?=" } else { "?= " });
        rest = after;
    }
}

/// The characters that stand for themselves in the Q encoding wherever it is allowed (RFC 2047 5 rule (3)).
fn stands_for_itself(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!*+-/".contains(&byte)
}

/// Octets of a character in the Q encoding.
fn q_len(c: char) -> usize {
    let bare = c == ' ' || u8::try_from(c).is_ok_and(stands_for_itself);
    if bare { 1 } else { 3 * c.len_utf8() }
}

fn push_q(out: &mut String, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('_'),
            _ if stands_for_itself(byte) => out.push(char::from(byte)),
            _ => {
                let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
                out.extend(['=', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
}

#[cfg(test)]
mod tests;
