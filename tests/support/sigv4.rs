//! AWS Signature Version 4, both ways, after "Create a signed AWS API request" of the IAM user guide. Nothing in it is
//! taken from the SDK that it checks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::http::{Answer, Client, Head};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Why a request is refused that was signed by another clock.
pub const CLOCK_IS_OFF: &str = "the clock is off";
/// How far the clock of a request may be off.
const MAX_SKEW: Duration = Duration::from_mins(5);

/// Who signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub access_key: String,
    pub secret: String,
    pub session_token: Option<String>,
}

impl Credentials {
    /// Those that every stand-in knows.
    pub fn test() -> Self {
        Credentials {
            access_key: "AKIDTEST".to_owned(),
            secret: "secret".to_owned(),
            session_token: None,
        }
    }
}

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// RFC 2104, over SHA-256 (blocks of 64 octets).
pub fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let pad = |octet: u8| block.map(|b| b ^ octet);
    let inner = Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner)
        .finalize()
        .into()
}

/// Where and when a signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// `YYYYMMDD`.
    pub date: String,
    pub region: String,
    pub service: String,
}

impl Scope {
    fn text(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }

    pub fn key(&self, secret: &str) -> [u8; 32] {
        let key = hmac(format!("AWS4{secret}").as_bytes(), self.date.as_bytes());
        let key = hmac(&key, self.region.as_bytes());
        let key = hmac(&key, self.service.as_bytes());
        hmac(&key, b"aws4_request")
    }
}

/// The canonical request of a head, over the fields named in `signed`, in their order.
///
/// # Errors
/// If one of them is missing.
pub fn canonical_request(
    head: &Head,
    signed: &[&str],
    payload_sha256: &str,
    service: &str,
) -> Result<String, String> {
    // The path arrives encoded; every service but S3 signs it encoded once more.
    let path = if service == "s3" {
        head.path().to_owned()
    } else {
        encode(head.path(), true)
    };
    let mut query: Vec<String> = head
        .query()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            if pair.contains('=') {
                pair.to_owned()
            } else {
                format!("{pair}=")
            }
        })
        .collect();
    query.sort();
    let mut fields = String::new();
    for name in signed {
        let values: Vec<String> = head
            .fields
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        if values.is_empty() {
            return Err(format!("the signed field {name} is missing"));
        }
        fields.extend([name, ":", &values.join(","), "\n"]);
    }
    Ok(format!(
        "{}\n{path}\n{}\n{fields}\n{}\n{payload_sha256}",
        head.method,
        query.join("&"),
        signed.join(";"),
    ))
}

fn encode(text: &str, keep_slash: bool) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (byte == b'/' && keep_slash) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// The signature of a canonical request.
pub fn signature(canonical: &str, amz_date: &str, scope: &Scope, secret: &str) -> String {
    let to_sign = format!(
        "{ALGORITHM}\n{amz_date}\n{}\n{}",
        scope.text(),
        sha256_hex(canonical.as_bytes())
    );
    hex(&hmac(&scope.key(secret), to_sign.as_bytes()))
}

/// Checks the signature of a request against the SHA-256 of the body that arrived.
///
/// # Errors
/// In what it is not signed as it should be.
pub fn verify(
    head: &Head,
    body_sha256: &str,
    credentials: &Credentials,
    service: &str,
) -> Result<Scope, String> {
    verify_at(head, body_sha256, credentials, service, SystemTime::now())
}

/// The same by another clock.
///
/// # Errors
/// In what it is not signed as it should be.
pub fn verify_at(
    head: &Head,
    body_sha256: &str,
    credentials: &Credentials,
    service: &str,
    now: SystemTime,
) -> Result<Scope, String> {
    let authorization = head.field("authorization").ok_or("no Authorization")?;
    let parts = authorization.strip_prefix(ALGORITHM).ok_or("another algorithm")?;
    let part = |name: &str| {
        let mut parts = parts.split(',').map(str::trim);
        parts
            .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
            .ok_or(format!("no {name} in Authorization"))
    };
    let credential: Vec<&str> = part("Credential")?.split('/').collect();
    let [access_key, date, region, of, "aws4_request"] = credential[..] else {
        return Err("the Credential is not of five parts".to_owned());
    };
    if access_key != credentials.access_key {
        return Err("an unknown access key".to_owned());
    }
    if of != service {
        return Err(format!("signed for {of}, this is {service}"));
    }
    if head.field("x-amz-security-token") != credentials.session_token.as_deref() {
        return Err("the session token is not the one of the credentials".to_owned());
    }
    let amz_date = head.field("x-amz-date").ok_or("no X-Amz-Date")?;
    let at = parse_amz_date(amz_date).ok_or("X-Amz-Date is no date")?;
    if !amz_date.starts_with(date) {
        return Err("the date of the Credential is another than X-Amz-Date".to_owned());
    }
    let skew = now.duration_since(at).unwrap_or_else(|ahead| ahead.duration());
    if skew > MAX_SKEW {
        return Err(CLOCK_IS_OFF.to_owned());
    }
    // Over HTTPS S3 takes UNSIGNED-PAYLOAD; no stand-in does.
    if let Some(stated) = head.field("x-amz-content-sha256")
        && stated != body_sha256
    {
        return Err(format!(
            "X-Amz-Content-Sha256 is {stated}, the body's is {body_sha256}"
        ));
    }
    let signed: Vec<&str> = part("SignedHeaders")?.split(';').collect();
    if !signed.is_sorted() {
        return Err("SignedHeaders are not sorted".to_owned());
    }
    let needed = |name: &str| matches!(name, "host" | "content-type") || name.starts_with("x-amz-");
    let mut needed = head.fields.iter().filter(|(name, _)| needed(name));
    if let Some((name, _)) = needed.find(|(name, _)| !signed.contains(&name.as_str())) {
        return Err(format!("{name} is not signed"));
    }
    let scope = Scope {
        date: date.to_owned(),
        region: region.to_owned(),
        service: of.to_owned(),
    };
    let canonical = canonical_request(head, &signed, body_sha256, service)?;
    if part("Signature")? != signature(&canonical, amz_date, &scope, &credentials.secret) {
        return Err(format!("the signature is not the one of\n{canonical}"));
    }
    Ok(scope)
}

/// Signs a request made by hand: all of its fields, and sets `x-amz-date`, `x-amz-security-token` and `authorization`.
pub fn sign(head: &mut Head, body_sha256: &str, credentials: &Credentials, service: &str, at: SystemTime) {
    let amz_date = format_amz_date(at);
    let mut set = |name: &str, value: &str| head.fields.push((name.to_owned(), value.to_owned()));
    set("x-amz-date", &amz_date);
    if let Some(token) = &credentials.session_token {
        set("x-amz-security-token", token);
    }
    let mut signed: Vec<String> = head.fields.iter().map(|(name, _)| name.clone()).collect();
    signed.sort();
    signed.dedup();
    let signed: Vec<&str> = signed.iter().map(String::as_str).collect();
    let scope = Scope {
        date: amz_date[..8].to_owned(),
        region: "eu-west-1".to_owned(),
        service: service.to_owned(),
    };
    let canonical = canonical_request(head, &signed, body_sha256, service).expect("every field is there");
    let authorization = format!(
        "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={}",
        credentials.access_key,
        scope.text(),
        signed.join(";"),
        signature(&canonical, &amz_date, &scope, &credentials.secret)
    );
    head.fields.push(("authorization".to_owned(), authorization));
}

/// Signs a request with the test credentials and sends it.
///
/// # Errors
/// If no whole answer comes.
pub fn signed_request(
    client: &mut Client,
    service: &str,
    method: &str,
    target: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<Answer> {
    let mut head = Head {
        method: method.to_owned(),
        target: target.to_owned(),
        fields: vec![
            ("host".to_owned(), "127.0.0.1".to_owned()),
            ("content-length".to_owned(), body.len().to_string()),
        ],
        connection: 0,
    };
    let given = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    head.fields.extend(given);
    sign(
        &mut head,
        &sha256_hex(body),
        &Credentials::test(),
        service,
        SystemTime::now(),
    );
    client.send(method, target, &head.fields, body)
}

/// `YYYYMMDD'T'HHMMSS'Z'`.
pub fn format_amz_date(at: SystemTime) -> String {
    let seconds = at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

fn parse_amz_date(text: &str) -> Option<SystemTime> {
    let at = |start: usize, end: usize| text.get(start..end)?.parse::<u64>().ok();
    if text.len() != 16 || &text[8..9] != "T" || !text.ends_with('Z') {
        return None;
    }
    let (year, month, day) = (at(0, 4)?, at(4, 6)?, at(6, 8)?);
    let days = (0..40_000).find(|&days| civil(days) == (year, month, day))?;
    let seconds = days * 86_400 + at(9, 11)? * 3_600 + at(11, 13)? * 60 + at(13, 15)?;
    Some(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Year, month and day of a number of days since 1970, as far as leap years are regular (to 2099).
pub fn civil(days: u64) -> (u64, u64, u64) {
    let (cycle, rest) = (days / 1_461, days % 1_461);
    // Of four years from 1970 the third is the leap year.
    let (in_cycle, mut day) = match rest {
        0..365 => (0, rest),
        365..730 => (1, rest - 365),
        730..1_096 => (2, rest - 730),
        _ => (3, rest - 1_096),
    };
    let february = if in_cycle == 2 { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in months {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    (1_970 + 4 * cycle + in_cycle, month, day + 1)
}
