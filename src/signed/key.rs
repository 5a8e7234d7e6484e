//! The key, and signatures made with it.

use std::fmt;

use base64_simd::STANDARD;
use ctutils::CtEq;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Octets of a key: as many as the hash has, more add nothing (RFC 2104 3).
pub const KEY_OCTETS: usize = 32;

/// Keys at most: one that signs, and older ones whose signatures are still accepted.
pub const MAX_KEYS: usize = 4;

/// Octets of a block of SHA-256 (FIPS 180-4).
const BLOCK: usize = 64;

/// The letters of a signature, each of them five bits: those of Crockford's base 32, which has no `i`, `l`, `o` and `u`, so
/// that nobody mistakes one for another when it is read out. Small, since some programs write addresses small.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The secret behind reply addresses, signed aliases and the loop marker ([`route_ids`](crate::rewrite::route_ids)): one key that
/// signs, and older ones whose signatures are still accepted.
///
/// Its text has one key on each line, the newest first, each of [`KEY_OCTETS`] random octets in base64. Empty lines are skipped.
///
/// ```
/// use readdress::signed::AliasKey;
///
/// let text = b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
/// let key = AliasKey::parse(text)?;
/// assert_eq!(key.to_text(), String::from_utf8_lossy(text));
/// assert_eq!(format!("{key:?}"), "AliasKey { .. }");
/// # Ok::<(), readdress::signed::KeyError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AliasKey {
    /// The newest first; there is at least one.
    keys: Vec<[u8; KEY_OCTETS]>,
}

/// A text that is not a key. Nothing of the text is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No line has a key.
    #[error("it holds no key; make one with: readdress key new")]
    Empty,
    /// A line that is not base64.
    #[error("line {0} is not base64; make a key with: readdress key new")]
    NotBase64(usize),
    /// A key that is too short or too long.
    #[error("the key in line {line} has {octets} octets, not {KEY_OCTETS}; make one with: readdress key new")]
    Length {
        /// The line, counted from 1.
        line: usize,
        /// The octets that it stands for.
        octets: usize,
    },
    /// One octet again and again: a placeholder that everybody can guess.
    #[error("the key in line {0} is not random; make one with: readdress key new")]
    NotRandom(usize),
    /// More than [`MAX_KEYS`].
    #[error("it holds more than {MAX_KEYS} keys: leave the oldest out")]
    TooMany,
}

/// The use of a signature. A signature for one use is not valid for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    ReplyAddress,
    SignedAlias,
    Route,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Purpose::ReplyAddress => b"readdress reply address",
            Purpose::SignedAlias => b"readdress signed alias",
            Purpose::Route => b"readdress route",
        }
    }
}

impl AliasKey {
    /// Reads a key from its text.
    ///
    /// # Errors
    /// If a line is not a key, there is none, or there are too many.
    pub fn parse(text: &[u8]) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        for (at, line) in text.split(|&octet| octet == b'\n').enumerate() {
            let (line, number) = (line.trim_ascii(), at + 1);
            if line.is_empty() {
                continue;
            }
            if keys.len() == MAX_KEYS {
                return Err(KeyError::TooMany);
            }
            let octets = STANDARD
                .decode_to_vec(line)
                .map_err(|_| KeyError::NotBase64(number))?;
            let length = octets.len();
            let key: [u8; KEY_OCTETS] = octets.try_into().map_err(|_| KeyError::Length {
                line: number,
                octets: length,
            })?;
            if key.iter().all(|&octet| octet == key[0]) {
                return Err(KeyError::NotRandom(number));
            }
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(KeyError::Empty);
        }
        Ok(AliasKey { keys })
    }

    /// A key of these octets, which have to be random, as from the system's generator.
    pub fn new(octets: [u8; KEY_OCTETS]) -> Self {
        AliasKey { keys: vec![octets] }
    }

    /// Rotates: signs with `self`, still accepts `older`. If there are more than [`MAX_KEYS`], the oldest are dropped.
    #[must_use]
    pub fn in_place_of(mut self, older: &AliasKey) -> Self {
        self.keys.extend(&older.keys);
        self.keys.truncate(MAX_KEYS);
        self
    }

    /// How many keys it holds, the one that signs among them.
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// The text from which [`parse`](Self::parse) reads it: the secret itself.
    pub fn to_text(&self) -> String {
        let lines = self.keys.iter().map(|key| STANDARD.encode_to_string(key) + "\n");
        lines.collect()
    }

    /// The signature of some texts for a purpose, in so many letters. None of the texts has a line break.
    pub(crate) fn sign(&self, purpose: Purpose, texts: &[&str], length: usize) -> String {
        let five_bits = letters_of(&mac(&self.keys[0], purpose, texts), length);
        let letters = five_bits
            .into_iter()
            .map(|bits| char::from(LETTERS[usize::from(bits)]));
        letters.collect()
    }

    /// Whether this is a signature of these texts by one of the keys, in so many letters. It takes the same time whichever
    /// letter is wrong.
    pub(crate) fn verifies(&self, purpose: Purpose, texts: &[&str], signature: &str, length: usize) -> bool {
        let given = read_letters(signature).filter(|given| given.len() == length && length > 0);
        let Some(given) = given else {
            return false;
        };
        let mut verified = false;
        for key in &self.keys {
            let expected = letters_of(&mac(key, purpose, texts), given.len());
            verified |= expected.ct_eq(&given).to_bool();
        }
        verified
    }

    /// All octets of the signatures of some texts, that of the newest key first.
    pub(crate) fn digests(&self, purpose: Purpose, texts: &[&str]) -> Vec<[u8; 32]> {
        self.keys.iter().map(|key| mac(key, purpose, texts)).collect()
    }
}

impl fmt::Debug for AliasKey {
    /// Shows nothing of the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AliasKey").finish_non_exhaustive()
    }
}

/// HMAC-SHA-256 (RFC 2104) over the purpose and the texts, a line each, so that no two lists of texts are the same.
fn mac(key: &[u8; KEY_OCTETS], purpose: Purpose, texts: &[&str]) -> [u8; 32] {
    debug_assert!(texts.iter().all(|text| !text.contains('\n')));
    // A key shorter than a block is one with zeros behind it (RFC 2104 2).
    let mut block = [0; BLOCK];
    block[..KEY_OCTETS].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(purpose.label());
    for text in texts {
        mac.update(b"\n");
        mac.update(text.as_bytes());
    }
    mac.finalize().into_bytes().into()
}

/// The first bits of a digest, five at a time.
fn letters_of(digest: &[u8; 32], length: usize) -> Vec<u8> {
    let bit = |at: usize| digest[at / 8] >> (7 - at % 8) & 1;
    let letter = |at: usize| (at * 5..at * 5 + 5).fold(0, |bits, at| bits << 1 | bit(at));
    (0..length.min(digest.len() * 8 / 5)).map(letter).collect()
}

/// The five bits of each letter, whatever its case. A letter that looks like a digit is read as that digit. `None`: another
/// character.
fn read_letters(signature: &str) -> Option<Vec<u8>> {
    let letter = |octet: u8| {
        let octet = match octet.to_ascii_lowercase() {
            b'o' => b'0',
            b'i' | b'l' => b'1',
            octet => octet,
        };
        let at = LETTERS.iter().position(|&letter| letter == octet)?;
        u8::try_from(at).ok()
    };
    signature.bytes().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::hexadecimal;

    const LINE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn key(first: u8) -> AliasKey {
        let mut octets = [7; KEY_OCTETS];
        octets[0] = first;
        AliasKey::new(octets)
    }

    #[test]
    fn a_key_is_read_from_its_lines() {
        let older = "/".repeat(21) + "/////////////////////w==";
        assert_eq!(AliasKey::parse(LINE.as_bytes()).unwrap().count(), 1);
        for (text, error) in [
            (String::new(), KeyError::Empty),
            (" \r\n\n".to_owned(), KeyError::Empty),
            ("not base64!".to_owned(), KeyError::NotBase64(1)),
            (
                format!("{LINE}\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
                KeyError::NotBase64(2),
            ),
            (LINE.replace('=', "/"), KeyError::Length { line: 1, octets: 33 }),
            ("AAEC".to_owned(), KeyError::Length { line: 1, octets: 3 }),
            (format!("\n{}=", "A".repeat(43)), KeyError::NotRandom(2)),
            (format!("{LINE}\n").repeat(5), KeyError::TooMany),
            (older, KeyError::NotBase64(1)),
        ] {
            assert_eq!(AliasKey::parse(text.as_bytes()), Err(error), "{text}");
        }
    }

    #[test]
    fn nothing_of_a_key_is_shown() {
        let shown = format!("{:?}", AliasKey::parse(LINE.as_bytes()).unwrap());
        assert_eq!(shown, "AliasKey { .. }");
        assert!(!format!("{:?}", AliasKey::parse(b"secret!")).contains("secret"));
    }

    /// Catches a rotation that breaks mail in flight, or an alias already given away.
    #[test]
    fn what_an_older_key_signed_holds() {
        let (first, texts) = (key(1), ["a@example.com", "b"]);
        let signature = first.sign(Purpose::ReplyAddress, &texts, 8);
        let rotated = key(2).in_place_of(&first);
        assert_ne!(rotated.sign(Purpose::ReplyAddress, &texts, 8), signature);
        let reread = AliasKey::parse(rotated.to_text().replace('\n', "\r\n").as_bytes()).unwrap();
        assert_eq!(reread, rotated);
        assert!(reread.verifies(Purpose::ReplyAddress, &texts, &signature, 8));
        assert!(!key(2).verifies(Purpose::ReplyAddress, &texts, &signature, 8));
        let much_later = (3..8).fold(rotated, |older, first| key(first).in_place_of(&older));
        assert_eq!(much_later.count(), MAX_KEYS);
        assert!(!much_later.verifies(Purpose::ReplyAddress, &texts, &signature, 8));
    }

    /// Catches two uses, or two lists of texts, with one signature.
    #[test]
    fn a_signature_is_of_its_purpose_and_texts_alone() {
        let key = key(1);
        let signature = key.sign(Purpose::ReplyAddress, &["ab", "c"], 8);
        assert!(key.verifies(Purpose::ReplyAddress, &["ab", "c"], &signature, 8));
        assert!(key.verifies(Purpose::ReplyAddress, &["ab", "c"], &signature.to_uppercase(), 8));
        for (purpose, texts) in [
            (Purpose::SignedAlias, &["ab", "c"][..]),
            (Purpose::Route, &["ab", "c"]),
            (Purpose::ReplyAddress, &["a", "bc"]),
            (Purpose::ReplyAddress, &["abc"]),
            (Purpose::ReplyAddress, &["ab", "c", ""]),
        ] {
            assert!(
                !key.verifies(purpose, texts, &signature, 8),
                "{purpose:?} {texts:?}"
            );
        }
        for (other, length) in [
            ("", 0),
            ("", 8),
            (&signature[1..], 8),
            (&*signature, 7),
            ("uuuuuuuu", 8),
            ("éééé", 8),
        ] {
            assert!(
                !key.verifies(Purpose::ReplyAddress, &["ab", "c"], other, length),
                "{other}"
            );
        }
    }

    #[test]
    fn letters_that_look_like_digits_are_digits() {
        assert_eq!(read_letters("0O1iILl"), Some(vec![0, 0, 1, 1, 1, 1, 1]));
        assert_eq!(read_letters("Zz9"), Some(vec![31, 31, 9]));
        for other in ["u", "a.", "a b", "ä"] {
            assert_eq!(read_letters(other), None, "{other}");
        }
        assert_eq!(
            letters_of(&[0b1000_0100; 32], 4),
            [0b10000, 0b10010, 0b00010, 0b01000]
        );
    }

    /// The test vectors of RFC 4231 have no purpose before their text, so this compares our signatures with HMAC by hand.
    #[test]
    fn signatures_are_hmac() {
        use sha2::Digest;
        let key = key(1);
        let pad = |octet: u8| {
            let mut block = [octet; 64];
            for (at, bits) in key.keys[0].iter().enumerate() {
                block[at] ^= bits;
            }
            block
        };
        let inner = Sha256::new()
            .chain_update(pad(0x36))
            .chain_update(b"readdress route\na@example.com");
        let outer = Sha256::new()
            .chain_update(pad(0x5c))
            .chain_update(inner.finalize());
        let digest = key.digests(Purpose::Route, &["a@example.com"])[0];
        assert_eq!(hexadecimal(&digest), hexadecimal(&outer.finalize()));
    }
}
