//! A search for a secret in every decoding that a reader, or a curious one, may try.

use mailparse::ParsedMail;

/// Where the secret stands, if it does: as it is, or decoded from percent-octets, quoted-printable, encoded-words or base64, in
/// any case. Base64 is searched for whatever it stands in: in its three alignments.
pub fn find(octets: &[u8], secret: &str) -> Option<&'static str> {
    let secret = secret.to_ascii_lowercase();
    let has = |octets: &[u8]| contains(&octets.to_ascii_lowercase(), secret.as_bytes());
    if has(octets) {
        return Some("as it is");
    }
    let unfolded: Vec<u8> = octets
        .iter()
        .copied()
        .filter(|b| !matches!(b, b'\r' | b'\n'))
        .collect();
    let joined = soft_breaks_taken_out(octets);
    let bare: Vec<u8> = unfolded
        .iter()
        .copied()
        .filter(|b| !b.is_ascii_whitespace())
        .collect();
    if has(&bare) {
        return Some("folded");
    }
    for (mark, name) in [(b'%', "percent-octets"), (b'=', "quoted-printable or Q")] {
        let decoded = hexadecimal(&unfolded, mark);
        if has(&decoded) || has(&hexadecimal(&joined, mark)) || has(&hexadecimal(&decoded, mark)) {
            return Some(name);
        }
    }
    if in_base64(&bare, &secret) {
        return Some("base64");
    }
    decoded_by_others(octets)
        .iter()
        .any(|text| has(text.as_bytes()))
        .then_some("decoded by mailparse")
}

fn contains(octets: &[u8], secret: &[u8]) -> bool {
    octets.windows(secret.len()).any(|window| window == secret)
}

/// Without the line breaks that quoted-printable adds.
fn soft_breaks_taken_out(octets: &[u8]) -> Vec<u8> {
    let lines = octets.split_inclusive(|&b| b == b'\n');
    let joined = lines.map(|line| line.strip_suffix(b"=\r\n").unwrap_or(line));
    joined.collect::<Vec<_>>().concat()
}

/// `mark` and two digits become an octet.
fn hexadecimal(octets: &[u8], mark: u8) -> Vec<u8> {
    let digit = |at: usize| octets.get(at).and_then(|b| char::from(*b).to_digit(16));
    let (mut decoded, mut at) = (Vec::new(), 0);
    while at < octets.len() {
        if octets[at] == mark
            && let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2))
        {
            decoded.push(u8::try_from(high << 4 | low).unwrap());
            at += 3;
        } else {
            decoded.push(octets[at]);
            at += 1;
        }
    }
    decoded
}

/// Every run of base64's letters, decoded from each of its first four.
fn in_base64(octets: &[u8], secret: &str) -> bool {
    let is_letter = |b: &u8| b.is_ascii_alphanumeric() || b"+/".contains(b);
    let runs = octets.split(|b| !is_letter(b)).filter(|run| run.len() > 7);
    let mut cut = runs.flat_map(|run| (0..4).map(move |start| &run[start..]));
    cut.any(|run| {
        let whole = &run[..run.len() - run.len() % 4];
        let decoded = base64_simd::STANDARD.decode_to_vec(whole).unwrap_or_default();
        contains(&decoded.to_ascii_lowercase(), secret.as_bytes())
    })
}

/// All fields and bodies, as an independent reader decodes them.
fn decoded_by_others(octets: &[u8]) -> Vec<String> {
    fn all(part: &ParsedMail<'_>, found: &mut Vec<String>) {
        for header in &part.headers {
            found.push(header.get_value());
        }
        found.extend(part.get_body());
        for below in &part.subparts {
            all(below, found);
        }
    }
    let mut found = Vec::new();
    if let Ok(parsed) = mailparse::parse_mail(octets) {
        all(&parsed, &mut found);
    }
    found
}

/// Catches a search that finds nothing because it looks at nothing.
#[test]
fn a_secret_is_found_in_every_decoding() {
    let secret = "zoe.private@home.example";
    let base64 = base64_simd::STANDARD.encode_to_string(format!("x{secret} and more"));
    for hidden in [
        format!("To: {}", secret.to_uppercase()),
        "X: zoe.private@ho\r\n me.example".to_owned(),
        "X: <mailto:zoe%2eprivate%40home.example>".to_owned(),
        "X: zoe%252eprivate%2540home.example".to_owned(),
        "X: =?utf-8?q?zoe=2Eprivate=40home.example?=".to_owned(),
        format!("X: =?utf-8?b?{base64}?="),
        format!("A: b\r\n\r\n{}\r\n{}", &base64[..20], &base64[20..]),
        "A: b\r\n\r\nzoe=2Eprivate=40home=\r\n.example".to_owned(),
    ] {
        assert!(find(hidden.as_bytes(), secret).is_some(), "{hidden}");
    }
    assert_eq!(
        find(b"To: jane@example.org\r\n\r\nSGVsbG8gSmFuZQ==", secret),
        None
    );
}
