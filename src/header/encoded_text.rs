//! The text inside of encoded-words (RFC 2047 4), back to octets.
//!
//! Each encoded-word should be complete in itself (RFC 2047 5). Some programs encode the whole text first and cut it
//! then, inside a group of base64 or an escape, so that neighbours have to be joined before they are decoded.

use std::borrow::Cow;

use encoding_rs::{Encoding, ISO_2022_JP};

use super::text::{hex_value, printable};

/// The encoded text of an encoded-word.
#[derive(Clone, Copy)]
pub(super) struct EncodedText<'a> {
    /// In the B encoding (RFC 2047 4.1), else in Q (4.2).
    pub(super) base64: bool,
    pub(super) text: &'a [u8],
}

impl EncodedText<'_> {
    /// Whether it ends inside a group of base64 or an escape, so that the next encoded-word may go on there.
    pub(super) fn is_cut(&self) -> bool {
        if self.base64 {
            let last = self.text.rsplit(|&b| b == b'=').next().unwrap_or_default();
            return !base64_letters(last).count().is_multiple_of(4);
        }
        match self.text {
            [.., b'='] => true,
            [.., b'=', digit] => hex_value(*digit).is_some(),
            _ => false,
        }
    }

    /// Whether a group of base64 has bits that belong to no octet and are not zero, as they are before padding
    /// (RFC 4648 3.5).
    fn has_bits_left(&self) -> bool {
        self.text.split(|&b| b == b'=').any(|part| {
            let (mut count, mut last) = (0_usize, b'A');
            for letter in base64_letters(part) {
                count += 1;
                last = letter;
            }
            match count % 4 {
                1 => true,
                2 => !b"AQgw".contains(&last),
                3 => !b"AEIMQUYcgkosw048".contains(&last),
                _ => false,
            }
        })
    }

    fn decode(&self) -> Vec<u8> {
        if self.base64 {
            decode_base64(self.text)
        } else {
            decode_q(self.text)
        }
    }
}

/// The octets of neighbouring encoded-words of one charset.
#[derive(Default)]
pub(super) struct Octets(Vec<u8>);

impl Octets {
    /// Appends neighbours of one encoding, of which each but the last [is cut](EncodedText::is_cut).
    pub(super) fn push(&mut self, texts: &[EncodedText<'_>], charset: &'static Encoding) {
        if texts.len() > 1 {
            return self.push_cut(texts, charset);
        }
        for text in texts {
            self.push_decoded(text, charset);
        }
    }

    /// Joins neighbours before they are decoded. In base64 they may just lack their padding, and then have to be decoded
    /// one by one: the reading with fewer flaws is taken.
    #[cold]
    fn push_cut(&mut self, texts: &[EncodedText<'_>], charset: &'static Encoding) {
        let base64 = texts[0].base64;
        let text: Vec<u8> = texts.iter().flat_map(|text| text.text).copied().collect();
        let joined = [EncodedText { base64, text: &text }];
        let is_unpadded = base64 && flaws(texts, charset) < flaws(&joined, charset);
        for text in if is_unpadded { texts } else { &joined } {
            self.push_decoded(text, charset);
        }
    }

    fn push_decoded(&mut self, text: &EncodedText<'_>, charset: &'static Encoding) {
        let octets = text.decode();
        // A decoder takes two shifts in a row for an error, so the one back to ASCII must go.
        let shift = charset == ISO_2022_JP && octets.starts_with(b"\x1b");
        if let Some(kept) = self.0.strip_suffix(b"\x1b(B").filter(|_| shift) {
            self.0.truncate(kept.len());
        }
        self.0.extend_from_slice(&octets);
    }

    /// The decoded text, with a replacement character for octets that are no text of the charset.
    pub(super) fn decoded(&self, charset: &'static Encoding) -> Cow<'_, str> {
        charset.decode_without_bom_handling(&self.0).0
    }
}

/// The flaws of base64 decoded in these pieces: whether the octets are no text of the charset, and how many pieces are torn.
fn flaws(texts: &[EncodedText<'_>], charset: &'static Encoding) -> (bool, usize) {
    let mut octets = Octets::default();
    for text in texts {
        octets.push_decoded(text, charset);
    }
    let decoded = charset.decode_without_bom_handling_and_without_replacement(&octets.0);
    let is_text = decoded.is_some_and(|text| text.chars().all(|c| printable(c) == c));
    let torn = texts.iter().filter(|text| text.has_bits_left()).count();
    (!is_text, torn)
}

/// The octets that are in the alphabet of base64 (RFC 2045 6.8).
fn base64_letters(text: &[u8]) -> impl Iterator<Item = u8> {
    let in_alphabet = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    text.iter().copied().filter(in_alphabet)
}

/// The B encoding (RFC 2047 4.1). Padding may be missing or anywhere; octets outside of the alphabet are passed over.
fn decode_base64(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len() / 4 * 3 + 3);
    for part in text.split(|&b| b == b'=') {
        let mut letters: Vec<u8> = base64_letters(part).collect();
        if letters.len() % 4 == 1 {
            // Six bits are no octet.
            letters.pop();
        }
        octets.extend(base64_simd::forgiving_decode_to_vec(&letters).unwrap_or_default());
    }
    octets
}

/// The Q encoding (RFC 2047 4.2). An invalid escape stands for itself.
fn decode_q(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        octets.push(match (byte, after) {
            (b'_', _) => b' ',
            (b'=', &[high, low, ref after @ ..]) => match (hex_value(high), hex_value(low)) {
                (Some(high), Some(low)) => {
                    rest = after;
                    high << 4 | low
                }
                _ => b'=',
            },
            _ => byte,
        });
    }
    octets
}
