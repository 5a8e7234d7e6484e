//! Content without its transfer encoding (RFC 2045 6), as it streams.

use crate::header::hex_value;

/// The transfer encodings that change the octets of a content. Under every other one they are the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Identity,
    Base64,
    QuotedPrintable,
}

/// Decodes the body of a part while it passes, in chunks of any size.
///
/// It decodes `base64` and `quoted-printable`. Under every other encoding (`7bit`, `8bit`, `binary`, `x-uuencode`, an unknown
/// one) the octets pass unchanged; [`TransferDecoder::decodes`] tells which it is.
///
/// It accepts the flaws of real mail: octets that are no digit of base64 are skipped (RFC 2045 6.8), as is the padding between
/// one encoded piece and the next; a `=` in quoted-printable that begins no valid escape stays as it is.
///
/// Between calls it holds at most one run of trailing blanks, up to 998 octets. If the run is longer, the blanks before the
/// last 998 are passed on as content.
///
/// ```
/// use readdress::mime::TransferDecoder;
///
/// let mut decoder = TransferDecoder::new("quoted-printable");
/// let mut content = Vec::new();
/// for chunk in [&b"caf=C3"[..], b"=A9 =\r", b"\nau lait"] {
///     decoder.write(chunk, &mut |octets| content.extend_from_slice(octets));
/// }
/// decoder.end(&mut |octets| content.extend_from_slice(octets));
/// assert_eq!(content, "caf\u{e9} au lait".as_bytes());
/// ```
///
/// # Termination
/// [`TransferDecoder::end`] must be called: the end of a quoted-printable body is held back until it is known that nothing
/// follows.
#[derive(Clone, Debug)]
pub struct TransferDecoder {
    encoding: Encoding,
    /// Octets that have come and wait for those that follow.
    pending: Vec<u8>,
    /// The bits of base64 digits that make no octet yet, and how many they are.
    bits: u32,
    bit_count: u32,
}

/// The most blanks that are taken for the padding of a line of quoted-printable (RFC 2045 6.7, rule 3), which transports add. A
/// line of mail has no more octets than this.
const MAX_BLANKS: usize = 998;

impl Encoding {
    fn of(name: &str) -> Self {
        let name = name.trim();
        if name.eq_ignore_ascii_case("base64") {
            Encoding::Base64
        } else if name.eq_ignore_ascii_case("quoted-printable") {
            Encoding::QuotedPrintable
        } else {
            Encoding::Identity
        }
    }
}

impl TransferDecoder {
    /// A decoder for this transfer encoding: that of [`Part::encoding`](super::Part::encoding), or the body of a
    /// Content-Transfer-Encoding field without comments. Case and white space around it do not count.
    pub fn new(encoding: &str) -> Self {
        TransferDecoder {
            encoding: Encoding::of(encoding),
            pending: Vec::new(),
            bits: 0,
            bit_count: 0,
        }
    }

    /// Whether a decoder for this encoding decodes anything: the encoding is `base64` or `quoted-printable`. Under every other
    /// one the octets pass unchanged, and are the content only if the encoding is `7bit`, `8bit` or `binary` (RFC 2045 6.2).
    ///
    /// ```
    /// use readdress::mime::TransferDecoder;
    ///
    /// assert!(TransferDecoder::decodes(" BASE64\r\n"));
    /// assert!(!TransferDecoder::decodes("8bit") && !TransferDecoder::decodes("x-uuencode"));
    /// ```
    pub fn decodes(encoding: &str) -> bool {
        Encoding::of(encoding) != Encoding::Identity
    }

    /// Decodes these octets and passes the result to `sink`. An octet that needs those that follow waits for them.
    pub fn write(&mut self, chunk: &[u8], sink: &mut impl FnMut(&[u8])) {
        let decoded = match self.encoding {
            Encoding::Identity => {
                if !chunk.is_empty() {
                    sink(chunk);
                }
                return;
            }
            Encoding::Base64 => self.base64(chunk),
            Encoding::QuotedPrintable => self.quoted_printable(chunk, false),
        };
        if !decoded.is_empty() {
            sink(&decoded);
        }
    }

    /// Ends the body. Passes the octets that waited to `sink`; base64 that ends inside of an octet loses the bits of it.
    pub fn end(mut self, sink: &mut impl FnMut(&[u8])) {
        if self.encoding == Encoding::QuotedPrintable {
            let decoded = self.quoted_printable(&[], true);
            if !decoded.is_empty() {
                sink(&decoded);
            }
        }
    }

    fn base64(&mut self, chunk: &[u8]) -> Vec<u8> {
        let mut decoded = Vec::with_capacity(chunk.len() / 4 * 3 + 3);
        for &octet in chunk {
            if octet == b'=' {
                // The bits that are left are those that padding stands for.
                (self.bits, self.bit_count) = (0, 0);
            } else if let Some(digit) = base64_digit(octet) {
                self.bits = self.bits << 6 | u32::from(digit);
                self.bit_count += 6;
                if self.bit_count >= 8 {
                    self.bit_count -= 8;
                    decoded.push((self.bits >> self.bit_count).to_le_bytes()[0]);
                    self.bits &= (1 << self.bit_count) - 1;
                }
            }
        }
        decoded
    }

    fn quoted_printable(&mut self, chunk: &[u8], last: bool) -> Vec<u8> {
        let mut input = std::mem::take(&mut self.pending);
        input.extend_from_slice(chunk);
        let mut decoded = Vec::with_capacity(input.len());
        let mut at = 0;
        while let Some(taken) = quoted_step(&input[at..], last, &mut decoded) {
            at += taken;
        }
        input.drain(..at);
        self.pending = input;
        decoded
    }
}

fn base64_digit(octet: u8) -> Option<u8> {
    Some(match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// Decodes the first item of the input and returns its length in octets. `None`: the decision needs octets that have not come,
/// or the input is empty.
fn quoted_step(input: &[u8], last: bool, decoded: &mut Vec<u8>) -> Option<usize> {
    match *input.first()? {
        b'=' => {
            if let [b'=', high, low, ..] = *input
                && let (Some(high), Some(low)) = (hex_value(high), hex_value(low))
            {
                decoded.push(high << 4 | low);
                return Some(3);
            }
            let blanks = blanks(&input[1..]);
            match &input[1 + blanks..] {
                _ if blanks > MAX_BLANKS => {
                    decoded.push(b'=');
                    Some(1)
                }
                [b'\n', ..] => Some(2 + blanks),
                [b'\r', b'\n', ..] => Some(3 + blanks),
                [] | [b'\r'] if !last => None,
                [digit] if !last && blanks == 0 && hex_value(*digit).is_some() => None,
                [] | [b'\r'] if last => Some(input.len()),
                _ => {
                    decoded.push(b'=');
                    Some(1)
                }
            }
        }
        b' ' | b'\t' => {
            let blanks = blanks(input);
            match &input[blanks..] {
                // Blanks before the last [`MAX_BLANKS`] of a long row are content, whatever follows.
                _ if blanks > MAX_BLANKS => {
                    decoded.extend_from_slice(&input[..blanks - MAX_BLANKS]);
                    Some(blanks - MAX_BLANKS)
                }
                [] | [b'\r'] if !last => None,
                [] | [b'\n', ..] | [b'\r', b'\n', ..] => Some(blanks),
                _ => {
                    decoded.extend_from_slice(&input[..blanks]);
                    Some(blanks)
                }
            }
        }
        _ => {
            let plain = memchr::memchr3(b'=', b' ', b'\t', input).unwrap_or(input.len());
            decoded.extend_from_slice(&input[..plain]);
            Some(plain)
        }
    }
}

fn blanks(input: &[u8]) -> usize {
    let is_blank = |octet: &u8| matches!(octet, b' ' | b'\t');
    input.iter().take_while(|octet| is_blank(octet)).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(encoding: &str, input: &[u8], chunk: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut decoder = TransferDecoder::new(encoding);
        for chunk in input.chunks(chunk) {
            decoder.write(chunk, &mut |octets| out.extend_from_slice(octets));
            assert!(decoder.pending.len() <= MAX_BLANKS + 4 + chunk.len());
        }
        decoder.end(&mut |octets| out.extend_from_slice(octets));
        out
    }

    #[test]
    fn content_as_it_was_before_it_was_encoded() {
        for (encoding, input, content) in [
            ("7bit", &b"a=3D\r\n"[..], &b"a=3D\r\n"[..]),
            ("x-unknown", b"YWJj", b"YWJj"),
            (" BASE64\r\n", b"YWJj", b"abc"),
            ("Quoted-Printable", b"a=3d", b"a="),
            ("base64", b"YW Jj\r\nZA==\r\n", b"abcd"),
            // Two pieces, one after the other, and no padding at the end.
            ("base64", b"YQ==\r\n-YmM=\r\nZGU", b"abcde"),
            (
                "quoted-printable",
                b"a=3db=\r\nc \t\r\nd=\ne=20\n",
                b"a=bc\r\nde \n",
            ),
            ("quoted-printable", b"=  \r\nx=", b"x"),
            ("quoted-printable", b"=zz=4 = b ", b"=zz=4 = b"),
            ("quoted-printable", b"a\rb \rc", b"a\rb \rc"),
        ] {
            for chunk in [1, 2, 3, 7, 64] {
                let text = String::from_utf8_lossy(input);
                assert_eq!(
                    decoded(encoding, input, chunk),
                    content,
                    "{text:?} in chunks of {chunk}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn content_does_not_depend_on_how_the_body_is_cut(
            pieces in proptest::collection::vec(
                prop_oneof![
                    Just(b"\r\n".to_vec()), Just(b"\r".to_vec()), Just(b"=".to_vec()), Just(b"=3D".to_vec()),
                    Just(b" \t".to_vec()), Just(vec![b' '; MAX_BLANKS]), Just(b"QUJD".to_vec()), any::<u8>().prop_map(|octet| vec![octet]),
                ],
                0..20,
            ),
            chunk in 1_usize..20,
        ) {
            let input = pieces.concat();
            for encoding in ["base64", "quoted-printable", "8bit"] {
                prop_assert_eq!(decoded(encoding, &input, chunk), decoded(encoding, &input, usize::MAX));
            }
        }

        #[test]
        fn base64_is_that_of_a_library(content in proptest::collection::vec(any::<u8>(), 0..200), chunk in 1_usize..20) {
            let text = base64_simd::STANDARD.encode_to_string(&content);
            prop_assert_eq!(decoded("base64", text.as_bytes(), chunk), content);
        }
    }
}
