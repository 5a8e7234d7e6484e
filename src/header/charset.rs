//! The encodings that charset labels mean: the labels of the WHATWG, and others that mail has.

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, ISO_8859_2, ISO_8859_3, ISO_8859_4,
    ISO_8859_5, ISO_8859_6, ISO_8859_7, ISO_8859_8, ISO_8859_8_I, ISO_8859_10, ISO_8859_13, ISO_8859_14,
    ISO_8859_15, ISO_8859_16, KOI8_R, KOI8_U, MACINTOSH, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_874,
    WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254, WINDOWS_1255, WINDOWS_1256,
    WINDOWS_1257, WINDOWS_1258, X_MAC_CYRILLIC,
};

/// Octets of a label that is looked up: IANA's have at most 45, an encoded-word has room for fewer than 75.
const MAX_LABEL: usize = 75;

/// Returns the encoding that a label means. `None`: the label is not known, or it means an encoding that the WHATWG does
/// not have, as `cp850` does.
///
/// A label that the WHATWG does not know is compared by its letters and digits alone (UTS #22, 1.4), also without the
/// `x-` of private names and the `cs` of IANA's aliases, and a code page also without `cp`, `windows-` and the like.
pub(crate) fn encoding(label: &[u8]) -> Option<&'static Encoding> {
    Encoding::for_label_no_replacement(label).or_else(|| by_letters(label))
}

#[cold]
fn by_letters(label: &[u8]) -> Option<&'static Encoding> {
    let mut letters = [0; MAX_LABEL];
    let mut len = 0;
    for letter in label.iter().filter(|octet| octet.is_ascii_alphanumeric()) {
        *letters.get_mut(len)? = letter.to_ascii_lowercase();
        len += 1;
    }
    let name = std::str::from_utf8(&letters[..len]).ok()?;
    let private = name.strip_prefix('x');
    let alias = private.unwrap_or(name).strip_prefix("cs");
    [Some(name), private, alias].into_iter().flatten().find_map(named)
}

fn named(name: &str) -> Option<&'static Encoding> {
    known(name)
        .or_else(|| known(code_page(name)))
        .or_else(|| known(iso_8859(name)?))
}

/// The number of a code page: `932` of `windows932`, `cp932`, `mscp932`.
fn code_page(name: &str) -> &str {
    const FAMILIES: [&str; 8] = ["ansi", "codepage", "cp", "dos", "ibm", "ms", "windows", "win"];
    let family = FAMILIES.iter().find_map(|family| name.strip_prefix(family));
    family.map_or(name, code_page)
}

/// `88592` of `iso88592` and of `iso885921987`, where the year of the standard stands behind the part.
fn iso_8859(name: &str) -> Option<&str> {
    let name = name.strip_prefix("iso").unwrap_or(name);
    let part = name.strip_prefix("8859")?;
    let digits = part.bytes().take_while(u8::is_ascii_digit).count();
    let year = "1987".len();
    let is_dated = digits > year && digits == part.len();
    Some(if is_dated {
        &name[..name.len() - year]
    } else {
        name
    })
}

fn known(name: &str) -> Option<&'static Encoding> {
    Encoding::for_label_no_replacement(name.as_bytes()).or_else(|| {
        let row = OTHERS.binary_search_by_key(&name, |&(label, _)| label).ok()?;
        Some(OTHERS[row].1)
    })
}

/// Labels that the WHATWG does not have, as letters and digits, in order. Behind each is its source: "Windows code page" is
/// the list that Microsoft publishes; the names of a program are those that it writes or takes.
const OTHERS: &[(&str, &Encoding)] = &[
    ("10000", MACINTOSH),                                // Windows code page
    ("10001", SHIFT_JIS),                                // Windows code page
    ("10002", BIG5),                                     // Windows code page
    ("10003", EUC_KR),                                   // Windows code page
    ("10007", X_MAC_CYRILLIC),                           // Windows code page
    ("10008", GBK),                                      // Windows code page
    ("10017", X_MAC_CYRILLIC),                           // Windows code page
    ("1089", ISO_8859_6),                                // Java
    ("1200", UTF_16LE),                                  // Windows code page
    ("1201", UTF_16BE),                                  // Windows code page
    ("1250", WINDOWS_1250),                              // Windows code page
    ("1251", WINDOWS_1251),                              // Windows code page
    ("1252", WINDOWS_1252),                              // Windows code page
    ("1253", WINDOWS_1253),                              // Windows code page
    ("1254", WINDOWS_1254),                              // Windows code page
    ("1255", WINDOWS_1255),                              // Windows code page
    ("1256", WINDOWS_1256),                              // Windows code page
    ("1257", WINDOWS_1257),                              // Windows code page
    ("1258", WINDOWS_1258),                              // Windows code page
    ("1363", EUC_KR),                                    // ICU
    ("1383", GBK),                                       // ICU
    ("1386", GBK),                                       // ICU
    ("1392", GB18030),                                   // ICU
    ("20127", WINDOWS_1252),                             // Windows code page
    ("20866", KOI8_R),                                   // Windows code page
    ("20932", EUC_JP),                                   // Windows code page
    ("20936", GBK),                                      // Windows code page
    ("20949", EUC_KR),                                   // Windows code page
    ("21866", KOI8_U),                                   // Windows code page
    ("28591", WINDOWS_1252),                             // Windows code page
    ("28592", ISO_8859_2),                               // Windows code page
    ("28593", ISO_8859_3),                               // Windows code page
    ("28594", ISO_8859_4),                               // Windows code page
    ("28595", ISO_8859_5),                               // Windows code page
    ("28596", ISO_8859_6),                               // Windows code page
    ("28597", ISO_8859_7),                               // Windows code page
    ("28598", ISO_8859_8),                               // Windows code page
    ("28599", WINDOWS_1254),                             // Windows code page
    ("28603", ISO_8859_13),                              // Windows code page
    ("28605", ISO_8859_15),                              // Windows code page
    ("31j", SHIFT_JIS),                                  // IANA
    ("33722", EUC_JP),                                   // Java
    ("367", WINDOWS_1252),                               // IANA
    ("38598", ISO_8859_8_I),                             // Windows code page
    ("50220", ISO_2022_JP),                              // Windows code page
    ("50221", ISO_2022_JP),                              // Windows code page
    ("50222", ISO_2022_JP),                              // Windows code page
    ("51932", EUC_JP),                                   // Windows code page
    ("51936", GBK),                                      // Windows code page
    ("51949", EUC_KR),                                   // Windows code page
    ("54936", GB18030),                                  // Windows code page
    ("5601", EUC_KR),                                    // Java
    ("646", WINDOWS_1252),                               // Java
    ("65001", UTF_8),                                    // Windows code page
    ("708", ISO_8859_6),                                 // Windows code page
    ("813", ISO_8859_7),                                 // Java
    ("819", WINDOWS_1252),                               // Java
    ("874", WINDOWS_874),                                // Windows code page
    ("878", KOI8_R),                                     // ICU
    ("88591", WINDOWS_1252),                             // Java
    ("885910", ISO_8859_10),                             // Python
    ("885911", WINDOWS_874),                             // Java
    ("885913", ISO_8859_13),                             // Java
    ("885914", ISO_8859_14),                             // Python
    ("885915", ISO_8859_15),                             // Java
    ("885915fdis", ISO_8859_15),                         // Java
    ("885916", ISO_8859_16),                             // Java
    ("88592", ISO_8859_2),                               // Java
    ("88593", ISO_8859_3),                               // Java
    ("88594", ISO_8859_4),                               // Java
    ("88595", ISO_8859_5),                               // Java
    ("88596", ISO_8859_6),                               // Java
    ("88597", ISO_8859_7),                               // Java
    ("88598", ISO_8859_8),                               // Java
    ("88599", WINDOWS_1254),                             // Java
    ("912", ISO_8859_2),                                 // Java
    ("913", ISO_8859_3),                                 // Java
    ("914", ISO_8859_4),                                 // Java
    ("915", ISO_8859_5),                                 // Java
    ("916", ISO_8859_8),                                 // Java
    ("920", WINDOWS_1254),                               // Java
    ("921", ISO_8859_13),                                // Java
    ("923", ISO_8859_15),                                // Java
    ("932", SHIFT_JIS),                                  // Windows code page
    ("936", GBK),                                        // Windows code page
    ("943", SHIFT_JIS),                                  // ICU
    ("943c", SHIFT_JIS),                                 // ICU
    ("949", EUC_KR),                                     // Windows code page
    ("949c", EUC_KR),                                    // Java
    ("950", BIG5),                                       // Windows code page
    ("954", EUC_JP),                                     // ICU
    ("970", EUC_KR),                                     // ICU
    ("ansix31101983", WINDOWS_1252),                     // Ruby's mail, for what Outlook writes
    ("ansix34", WINDOWS_1252),                           // IANA, spelled otherwise
    ("ansix341968", WINDOWS_1252),                       // IANA, spelled otherwise
    ("ansix341986", WINDOWS_1252),                       // IANA
    ("ascii7", WINDOWS_1252),                            // Java
    ("big5eten", BIG5),                                  // Perl
    ("big5hk", BIG5),                                    // Java
    ("big5hkscs", BIG5),                                 // IANA, spelled otherwise
    ("big5hkscs1999", BIG5),                             // libiconv
    ("big5hkscs2001", BIG5),                             // Java
    ("big5hkscs2004", BIG5),                             // libiconv
    ("big5hkscs2008", BIG5),                             // libiconv
    ("big5tw", BIG5),                                    // Python
    ("cnbig5", BIG5),                                    // RFC 1922
    ("cngb", GBK),                                       // RFC 1922
    ("euccn", GBK),                                      // Java
    ("eucgb2312cn", GBK),                                // Python
    ("eucjis", EUC_JP),                                  // Java
    ("eucjp", EUC_JP),                                   // Java
    ("eucjpms", EUC_JP),                                 // glibc
    ("eucjpopen", EUC_JP),                               // Java
    ("eucjpwin", EUC_JP),                                // PHP
    ("euckr", EUC_KR),                                   // Java
    ("extendedunixcodepackedformatforjapanese", EUC_JP), // IANA
    ("gb180302000", GB18030),                            // Python
    ("gb180302022", GB18030),                            // Java
    ("gb23121980", GBK),                                 // Java
    ("gb231280", GBK),                                   // Java
    ("hkscs", BIG5),                                     // Python
    ("iso2022jp", ISO_2022_JP),                          // Java
    ("iso2022jpms", ISO_2022_JP),                        // PHP
    ("iso646irv1983", WINDOWS_1252),                     // Java
    ("iso646irv1991", WINDOWS_1252),                     // IANA
    ("iso646us", WINDOWS_1252),                          // IANA
    ("isoceltic", ISO_8859_14),                          // IANA
    ("isoir166", WINDOWS_874),                           // Python
    ("isoir179", ISO_8859_13),                           // libiconv
    ("isoir199", ISO_8859_14),                           // IANA
    ("isoir203", ISO_8859_15),                           // libiconv
    ("isoir226", ISO_8859_16),                           // IANA
    ("isoir6", WINDOWS_1252),                            // IANA
    ("jis", ISO_2022_JP),                                // Java
    ("jisencoding", ISO_2022_JP),                        // IANA
    ("koi8r", KOI8_R),                                   // IANA, spelled otherwise
    ("koi8ru", KOI8_U),                                  // libiconv
    ("koi8u", KOI8_U),                                   // IANA, spelled otherwise
    ("ksc56011987", EUC_KR),                             // Java
    ("ksc56011989", EUC_KR),                             // IANA, spelled otherwise
    ("ksx1001", EUC_KR),                                 // Python
    ("l10", ISO_8859_16),                                // IANA
    ("l7", ISO_8859_13),                                 // libiconv
    ("l8", ISO_8859_14),                                 // IANA
    ("latin0", ISO_8859_15),                             // Java
    ("latin10", ISO_8859_16),                            // IANA
    ("latin7", ISO_8859_13),                             // libiconv
    ("latin8", ISO_8859_14),                             // IANA
    ("latin9", ISO_8859_15),                             // IANA
    ("maccyrillic", X_MAC_CYRILLIC),                     // Java
    ("macjapanese", SHIFT_JIS),                          // Python
    ("mackorean", EUC_KR),                               // Python
    ("macroman", MACINTOSH),                             // Java
    ("macsimpchinese", GBK),                             // Python
    ("mactradchinese", BIG5),                            // Python
    ("macukraine", X_MAC_CYRILLIC),                      // Java
    ("macukrainian", X_MAC_CYRILLIC),                    // Perl
    ("msansi", WINDOWS_1252),                            // libiconv
    ("msarab", WINDOWS_1256),                            // libiconv
    ("mscyrl", WINDOWS_1251),                            // libiconv
    ("msee", WINDOWS_1250),                              // libiconv
    ("msgreek", WINDOWS_1253),                           // libiconv
    ("mshebr", WINDOWS_1255),                            // libiconv
    ("mskanji", SHIFT_JIS),                              // IANA, spelled otherwise
    ("msturk", WINDOWS_1254),                            // libiconv
    ("pck", SHIFT_JIS),                                  // Java
    ("shiftjis", SHIFT_JIS),                             // IANA, spelled otherwise
    ("sjiswin", SHIFT_JIS),                              // PHP
    ("tis620", WINDOWS_874),                             // IANA, spelled otherwise
    ("tis6200", WINDOWS_874),                            // libiconv
    ("tis6202533", WINDOWS_874),                         // Java
    ("tis62025330", WINDOWS_874),                        // libiconv
    ("uhc", EUC_KR),                                     // Python
    ("ujis", EUC_JP),                                    // Python
    ("us", WINDOWS_1252),                                // IANA
    ("usascii", WINDOWS_1252),                           // IANA, spelled otherwise
    ("utf16", UTF_16LE),                                 // IANA, spelled otherwise
    ("utf16be", UTF_16BE),                               // IANA, spelled otherwise
    ("utf16le", UTF_16LE),                               // IANA, spelled otherwise
    ("utf8mac", UTF_8),                                  // libiconv
    ("utf8mb3", UTF_8),                                  // MySQL
    ("utf8mb4", UTF_8),                                  // MySQL
    ("utf8sig", UTF_8),                                  // Python
    ("utf8strict", UTF_8),                               // Perl
    ("winbaltrim", WINDOWS_1257),                        // libiconv
    ("windowsiso2022jp", ISO_2022_JP),                   // Java
];

#[cfg(test)]
mod tests {
    use encoding_rs::IBM866;

    use super::*;

    #[test]
    fn the_table_is_sorted_and_has_what_is_searched_for() {
        assert!(OTHERS.is_sorted_by(|(a, _), (b, _)| a < b));
        for (label, encoding) in OTHERS {
            assert!(
                label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9')),
                "{label}"
            );
            assert_eq!(super::encoding(label.as_bytes()), Some(*encoding), "{label}");
            assert_eq!(
                Encoding::for_label(label.as_bytes()),
                None,
                "{label} is the WHATWG's"
            );
        }
    }

    #[test]
    fn labels_of_mail_are_known() {
        for (encoding, labels) in [
            (
                UTF_8,
                "utf-8 UTF8 utf_8 x-utf-8 csUTF8 utf-8-mac UTF8mb4 cp65001 'utf-8' unicode-1-1-utf-8",
            ),
            (
                WINDOWS_1252,
                "us-ascii ansi_x3.110-1983 ansi_x3.4_1968 ANSI_X3.4-1986 ansi-x3.4 646 ISO_646.irv:1991",
            ),
            (
                WINDOWS_1252,
                "csASCII ibm367 iso8859_1 8859_1 iso8859-1:1987 latin-1 cp-1252 win-1252 windows1252",
            ),
            (WINDOWS_1252, "x-windows-1252 windows-cp1252 IBM-819"),
            (
                ISO_8859_2,
                "iso8859_2 8859_2 ISO-8859-2:1987 latin-2 cp912 cp28592",
            ),
            (WINDOWS_1254, "iso8859_9 iso-8859-9:1989 ms-turk ms1254"),
            (
                ISO_8859_15,
                "latin9 Latin-9 latin0 csISO885915 iso8859_15_fdis ISO_8859-15:1998 cp923",
            ),
            (ISO_8859_16, "ISO_8859-16:2001 iso-ir-226 csISO885916 iso8859_16"),
            (
                WINDOWS_874,
                "tis620 csTIS620 TIS620.2533 cp874 ms874 x-windows-874 ISO_8859-11:2001",
            ),
            (WINDOWS_1251, "win1251 cp-1251 ansi-1251 MS-CYRL"),
            (IBM866, "cp-866 IBM-866 x-ibm866 dos-866"),
            (
                SHIFT_JIS,
                "cp932 CP-932 ms932 windows-932 x-ms-cp932 windows31j csWindows31J shiftjis SJIS-win",
            ),
            (SHIFT_JIS, "ibm943C x-mac-japanese"),
            (EUC_JP, "eucjp x-eucjp eucJP-win eucJP-ms ujis cp51932"),
            (ISO_2022_JP, "iso2022jp JIS cp50220 x-windows-50221 ms50220"),
            (
                GBK,
                "cp936 ms936 windows-936 x-mswin-936 csGBK gb2312-80 euc-cn CN-GB",
            ),
            (GB18030, "gb18030-2000 csGB18030 cp54936"),
            (
                EUC_KR,
                "cp949 ms949 x-windows-949 uhc euckr x-euc-kr cp51949 KS_C_5601",
            ),
            (BIG5, "cp950 ms950 x-big5 Big5_HKSCS csBig5HKSCS big5-eten"),
        ] {
            for label in labels.split_whitespace() {
                assert_eq!(super::encoding(label.as_bytes()), Some(encoding), "{label}");
            }
        }
    }

    /// Catches guesses: text of an encoding that is not here would be decoded to other characters.
    #[test]
    fn other_labels_stay_unknown() {
        let unknown = "cp850 cp-850 ibm850 cp437 cp852 cp1361 cp037 utf-7 utf-32 iso2022kr csISO2022KR hz x-unknown \
                       unknown-8bit x 8bit none cp iso 8859 iso-8859 iso8859-12 iso-8859-17 viscii johab koi8-t replacement";
        for label in unknown.split_whitespace() {
            assert_eq!(encoding(label.as_bytes()), None, "{label}");
        }
        assert_eq!(encoding(b""), None);
        assert_eq!(encoding(&b"cp".repeat(500_000)), None);
    }
}
