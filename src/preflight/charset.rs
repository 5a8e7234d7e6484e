//! The charsets that SES knows in encoded-words: those of a Java.

use super::address::unfold;

/// Charsets that mail uses, one a line, each by all labels that a Java of version 8 or later knows it by, and by those that
/// JavaMail adds. A label that is missing here counts as unknown: then its text is written in UTF-8, which is never wrong.
const LABELS: &[&str] = &[
    "big5 csbig5",
    "big5-hkscs big5_hkscs big5hk big5hkscs",
    "euc-jp cseucpkdfmtjapanese euc_jp eucjis eucjp extended_unix_code_packed_format_for_japanese x-euc-jp x-eucjp",
    "euc-kr 5601 cseuckr euc_kr euckr ks_c_5601-1987 ksc5601 ksc5601-1987 ksc5601_1987 ksc_5601",
    "gb18030 gb18030-2022",
    "gb2312 euc-cn euc_cn euccn gb2312-1980 gb2312-80 x-euc-cn",
    "gbk cp936 windows-936",
    "iso-2022-cn csiso2022cn iso2022cn",
    "iso-2022-jp csiso2022jp csjisencoding iso2022jp jis jis_encoding",
    "iso-2022-jp-2 csiso2022jp2 iso2022jp2",
    "iso-2022-kr csiso2022kr iso2022kr",
    "iso-8859-1 819 8859_1 cp819 csisolatin1 ibm-819 ibm819 iso-ir-100 iso8859-1 iso8859_1 iso_8859-1 iso_8859-1:1987 iso_8859_1 l1 latin1",
    "iso-8859-13 8859_13 iso8859-13 iso8859_13 iso_8859-13",
    "iso-8859-15 8859_15 923 cp923 csiso885915 csisolatin0 csisolatin9 ibm-923 ibm923 iso8859-15 iso8859_15 iso8859_15_fdis iso_8859-15 l9 latin-9 latin0 latin9",
    "iso-8859-2 8859_2 912 cp912 csisolatin2 ibm-912 ibm912 iso-ir-101 iso8859-2 iso8859_2 iso_8859-2 iso_8859-2:1987 l2 latin2",
    "iso-8859-3 8859_3 913 cp913 csisolatin3 ibm-913 ibm913 iso-ir-109 iso8859-3 iso8859_3 iso_8859-3 iso_8859-3:1988 l3 latin3",
    "iso-8859-4 8859_4 914 cp914 csisolatin4 ibm-914 ibm914 iso-ir-110 iso8859-4 iso8859_4 iso_8859-4 iso_8859-4:1988 l4 latin4",
    "iso-8859-5 8859_5 915 cp915 csisolatincyrillic cyrillic ibm-915 ibm915 iso-ir-144 iso8859-5 iso8859_5 iso_8859-5 iso_8859-5:1988",
    "iso-8859-6 1089 8859_6 arabic asmo-708 cp1089 csisolatinarabic ecma-114 ibm-1089 ibm1089 iso-ir-127 iso8859-6 iso8859_6 iso_8859-6 iso_8859-6:1987",
    "iso-8859-7 813 8859_7 cp813 csisolatingreek ecma-118 elot_928 greek greek8 ibm-813 ibm813 iso-ir-126 iso8859-7 iso8859_7 iso_8859-7 iso_8859-7:1987 sun_eu_greek",
    "iso-8859-8 8859_8 916 cp916 csisolatinhebrew hebrew ibm-916 ibm916 iso-ir-138 iso8859-8 iso8859_8 iso_8859-8 iso_8859-8:1988",
    "iso-8859-9 8859_9 920 cp920 csisolatin5 ibm-920 ibm920 iso-ir-148 iso8859-9 iso8859_9 iso_8859-9 iso_8859-9:1989 l5 latin5",
    "koi8-r cskoi8r koi8 koi8_r",
    "koi8-u koi8_u",
    "shift_jis csshiftjis ms_kanji shift-jis sjis x-sjis",
    "tis-620 tis620 tis620.2533",
    "us-ascii 646 ansi_x3.4-1968 ansi_x3.4-1986 ascii ascii7 cp367 csascii default ibm367 iso-ir-6 iso646-us iso_646.irv:1983 iso_646.irv:1991 us",
    "utf-16 unicode unicodebig utf16 utf_16",
    "utf-16be iso-10646-ucs-2 unicodebigunmarked utf_16be x-utf-16be",
    "utf-16le unicodelittleunmarked utf_16le x-utf-16le",
    "utf-8 unicode-1-1-utf-8 utf8",
    "windows-1250 cp1250 cp5346",
    "windows-1251 ansi-1251 cp1251 cp5347",
    "windows-1252 cp1252 cp5348 ibm-1252 ibm1252",
    "windows-1253 cp1253 cp5349",
    "windows-1254 cp1254 cp5350",
    "windows-1255 cp1255",
    "windows-1256 cp1256",
    "windows-1257 cp1257 cp5353",
    "windows-1258 cp1258",
    "windows-31j cswindows31j ms932 windows-932",
    "x-iso-8859-11 iso-8859-11 iso8859_11",
    "x-macarabic macarabic",
    "x-maccentraleurope maccentraleurope",
    "x-maccroatian maccroatian",
    "x-maccyrillic maccyrillic",
    "x-macgreek macgreek",
    "x-machebrew machebrew",
    "x-maciceland maciceland",
    "x-macroman macroman",
    "x-macromania macromania",
    "x-macthai macthai",
    "x-macturkish macturkish",
    "x-macukraine macukraine",
    "x-mswin-936 ms936 ms_936",
    "x-windows-874 ms-874 ms874 windows-874",
    "x-windows-949 ms949 ms_949 windows-949 windows949",
    "x-windows-950 ms950 windows-950",
    // Labels that JavaMail adds.
    "x-us-ascii",
    "ja_jp.iso2022-7 ja_jp.eucjp",
];

/// IBM's code pages, which Java knows as `850`, `cp850`, `ibm850` and `ibm-850`, and not as `cp-850`.
const CODE_PAGES: &[&str] = &[
    "437", "737", "775", "850", "852", "855", "857", "858", "860", "861", "862", "863", "864", "865", "866",
    "869", "874", "932", "943", "949", "950",
];

/// Whether SES can read an encoded-word of this charset. Case does not count.
///
/// ```
/// use readdress::preflight::is_known_charset;
///
/// assert!(is_known_charset(b"UTF-8") && is_known_charset(b"cp850"));
/// assert!(!is_known_charset(b"cp-850") && !is_known_charset(b"utf-7"));
/// ```
pub fn is_known_charset(label: &[u8]) -> bool {
    let is = |known: &str| label.eq_ignore_ascii_case(known.as_bytes());
    if ["utf-8", "iso-8859-1", "windows-1252", "us-ascii"]
        .into_iter()
        .any(is)
    {
        return true;
    }
    let mut known = LABELS.iter().flat_map(|labels| labels.split(' '));
    if known.any(is) {
        return true;
    }
    let label = label.to_ascii_lowercase();
    let prefixes = [&b"cp"[..], b"ibm-", b"ibm"];
    let number = prefixes.into_iter().find_map(|prefix| label.strip_prefix(prefix));
    let number = number.unwrap_or(&label);
    CODE_PAGES.iter().any(|page| page.as_bytes() == number)
}

/// Whether a field body holds an encoded-word whose charset SES does not know.
///
/// Encoded-words are looked for where SES does, between white space and the specials of an address list, and are not decoded:
/// an unknown charset counts even where the text is broken.
pub fn has_unknown_charset(body: &[u8]) -> bool {
    if memchr::memmem::find(body, b"=?").is_none() {
        return false;
    }
    let text = unfold(body);
    let apart = |b: &u8| {
        matches!(
            b,
            b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | b'"' | b'(' | b')' | b',' | b'<' | b'>'
        )
    };
    let mut words = text.split(apart);
    words.any(|word| word.ends_with(b"?=") && charset_of(word).is_some_and(|label| !is_known_charset(label)))
}

/// The charset of an encoded-word that has a text. An encoding other than B and Q is as bad as an unknown charset, and is
/// returned as one.
fn charset_of(word: &[u8]) -> Option<&[u8]> {
    let word = word.strip_prefix(b"=?")?;
    let (label, rest) = split_at_octet(word, b'?')?;
    let (encoding, rest) = split_at_octet(rest, b'?')?;
    let text = memchr::memmem::find(rest, b"?=")?;
    if text == 0 {
        return None;
    }
    if !encoding.eq_ignore_ascii_case(b"b") && !encoding.eq_ignore_ascii_case(b"q") {
        return Some(b"");
    }
    // The text after the asterisk is a language (RFC 2231 5).
    label.split(|&b| b == b'*').next()
}

fn split_at_octet(text: &[u8], octet: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(octet, text)?;
    Some((&text[..at], &text[at + 1..]))
}
