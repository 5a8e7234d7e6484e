//! What SES takes as a raw message. Written after its developer guide and the errors that people report; nothing in it
//! knows how this crate reads a header section.

use super::ses::Refusal;

/// Fields that may be there once at most: the developer guide's list.
const ONCE: &str = "Accept-Language acceptLanguage Archived-At Auto-Submitted Bounces-to Comments \
    Content-Alternative Content-Base Content-Class Content-Description Content-Disposition Content-Duration \
    Content-ID Content-Language Content-Length Content-Location Content-MD5 Content-Transfer-Encoding Content-Type \
    Date Delivered-To Disposition-Notification-Options Disposition-Notification-To DKIM-Signature \
    DomainKey-Signature Errors-To From Importance In-Reply-To Keywords List-Archive List-Help List-Id List-Owner \
    List-Post List-Subscribe List-Unsubscribe List-Unsubscribe-Post Message-Context Message-ID MIME-Version \
    Organization Original-From Original-Message-ID Original-Recipient Original-Subject Precedence Priority \
    References Reply-To Return-Path Return-Receipt-To Sender Solicitation Sensitivity Subject Thread-Index \
    Thread-Topic User-Agent VBR-Info";
/// Fields that hold addresses.
const ADDRESS_FIELDS: [&str; 7] = ["from", "sender", "return-path", "reply-to", "to", "cc", "bcc"];
/// RFC 5322 2.1.1, without the line end; SES: 1,000 octets with it.
const MAX_LINE: usize = 998;
/// Octets of a mailbox in encoded form.
const MAX_MAILBOX: usize = 320;

/// Which of the rules hold: those that no source settles can be switched.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // Each is an open question of its own.
pub struct Rules {
    /// Octets of the raw message.
    pub max_raw: usize,
    /// Domains, all of whose addresses may send; also single addresses.
    pub verified: Vec<String>,
    /// Are the lines of the body measured too?
    pub body_lines: bool,
    /// Is the syntax of the addresses in the header section looked at? From, Sender and Return-Path always are.
    pub address_syntax: bool,
    /// Are a second To, Cc and Bcc refused? RFC 5322 allows one of each; SES's list does not have them.
    pub destinations_once: bool,
    /// Do the addresses in To, Cc and Bcc count among the 50 recipients? Some people say so.
    pub count_header_recipients: bool,
    /// Configuration sets that exist; `None`: any.
    pub configuration_sets: Option<Vec<String>>,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            max_raw: 40 << 20,
            verified: vec!["example.com".to_owned()],
            body_lines: true,
            address_syntax: true,
            destinations_once: false,
            count_header_recipients: false,
            configuration_sets: None,
        }
    }
}

/// A field, unfolded: its line ends are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub body: Vec<u8>,
}

/// The header section and the body of a raw message.
///
/// # Errors
/// If there are lines in the header section that are no fields.
pub fn split(raw: &[u8]) -> Result<(Vec<Field>, &[u8]), Refusal> {
    let mut fields: Vec<Field> = Vec::new();
    let mut rest = raw;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, tail) = rest.split_at(end);
        rest = tail;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Ok((fields, rest));
        }
        if line.len() > MAX_LINE {
            return Err(Refusal::bad_request("552 message line is too long"));
        }
        if line[0] == b' ' || line[0] == b'\t' {
            let field = fields
                .last_mut()
                .ok_or_else(|| Refusal::bad_request("Empty header names are illegal"))?;
            field.body.extend_from_slice(line);
            continue;
        }
        // The wording is ours: what SES says here is not known.
        let colon = memchr::memchr(b':', line)
            .ok_or_else(|| Refusal::bad_request("Expected ':' in the header section"))?;
        let name = line[..colon].trim_ascii();
        if name.is_empty() {
            return Err(Refusal::bad_request("Empty header names are illegal"));
        }
        fields.push(Field {
            name: String::from_utf8_lossy(name).into_owned(),
            body: line[colon + 1..].to_vec(),
        });
    }
    Ok((fields, rest))
}

/// Checks a message.
///
/// # Errors
/// As SES would refuse it.
pub fn check(raw: &[u8], rules: &Rules) -> Result<Vec<Field>, Refusal> {
    if raw.len() > rules.max_raw {
        return Err(Refusal::too_long(rules.max_raw, raw.len()));
    }
    let (fields, body) = split(raw)?;
    if rules.body_lines {
        check_lines(body)?;
    }
    check_once(&fields, rules)?;
    let from = named(&fields, "From")
        .next()
        .ok_or_else(|| Refusal::bad_request("Missing required header 'From'."))?;
    let from = mailboxes(&from.body)?;
    if from.len() != 1 {
        return Err(Refusal::bad_request("From has to be exactly one address"));
    }
    let mut senders = from;
    for name in ["Sender", "Return-Path"] {
        for field in named(&fields, name) {
            senders.extend(mailboxes(&field.body)?);
        }
    }
    senders
        .iter()
        .try_for_each(|sender| check_verified(sender, rules))?;

    if rules.address_syntax {
        for name in ADDRESS_FIELDS {
            for field in named(&fields, name) {
                mailboxes(&field.body)?;
            }
        }
    }
    Ok(fields)
}

fn named<'a>(fields: &'a [Field], name: &'a str) -> impl Iterator<Item = &'a Field> {
    fields
        .iter()
        .filter(move |field| field.name.eq_ignore_ascii_case(name))
}

fn check_lines(mut body: &[u8]) -> Result<(), Refusal> {
    while !body.is_empty() {
        let end = memchr::memchr(b'\n', body).map_or(body.len(), |at| at + 1);
        let line = body[..end].strip_suffix(b"\n").unwrap_or(&body[..end]);
        if line.strip_suffix(b"\r").unwrap_or(line).len() > MAX_LINE {
            return Err(Refusal::bad_request("552 message line is too long"));
        }
        body = &body[end..];
    }
    Ok(())
}

fn check_once(fields: &[Field], rules: &Rules) -> Result<(), Refusal> {
    let destinations: &[&str] = if rules.destinations_once {
        &["To", "Cc", "Bcc"]
    } else {
        &[]
    };
    for name in ONCE.split(' ').chain(destinations.iter().copied()) {
        // SES adds a DKIM-Signature of its own, so that one is already too many.
        let most = usize::from(name != "DKIM-Signature");
        if named(fields, name).count() > most {
            return Err(Refusal::bad_request(&format!("Duplicate header '{name}'.")));
        }
    }
    Ok(())
}

/// May this address send?
///
/// # Errors
/// If neither it nor its domain is a verified identity.
pub fn check_verified(address: &str, rules: &Rules) -> Result<(), Refusal> {
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let known =
        |identity: &String| identity.eq_ignore_ascii_case(address) || domain.eq_ignore_ascii_case(identity);
    if rules.verified.iter().any(known) {
        return Ok(());
    }
    Err(Refusal::rejected(&format!(
        "Email address is not verified. The following identities failed the check in region EU-WEST-1: {address}"
    )))
}

/// The addresses of a field body, or of one of the strings of a request.
///
/// # Errors
/// If one is none, not in ASCII, or longer than SES takes.
pub fn mailboxes(body: &[u8]) -> Result<Vec<String>, Refusal> {
    let mut addresses = Vec::new();
    for text in cut_at_commas(body)? {
        let text = text.trim_ascii();
        if text.is_empty() {
            continue;
        }
        if text.len() > MAX_MAILBOX {
            return Err(Refusal::bad_request("Address length is more than 320 bytes long"));
        }
        let address = match memchr::memrchr(b'<', text) {
            None => text,
            Some(open) => text[open + 1..]
                .strip_suffix(b">")
                .ok_or_else(|| Refusal::bad_request("Missing '>'"))?,
        };
        // A null return path.
        if !(address.is_empty() && text.starts_with(b"<")) {
            addresses.push(check_address(address)?);
        }
    }
    Ok(addresses)
}

fn check_address(address: &[u8]) -> Result<String, Refusal> {
    let refuse = |what: &str| Err(Refusal::bad_request(what));
    let Some(at) = memchr::memrchr(b'@', address) else {
        return refuse("Missing final '@domain'");
    };
    let (local, domain) = (&address[..at], &address[at + 1..]);
    if local.is_empty() || domain.is_empty() {
        return refuse("Missing final '@domain'");
    }
    let quoted = local.len() > 2 && local.starts_with(b"\"") && local.ends_with(b"\"");
    let blank = |octet: &u8| octet.is_ascii_control() || *octet == b' ';
    if !quoted && local.iter().any(blank) {
        return refuse("Local address contains control or whitespace");
    }
    if domain.iter().any(blank) {
        return refuse("Domain contains control or whitespace");
    }
    let special = |octet: &u8| b"()<>[]:;@\\,\"".contains(octet);
    if !local.is_ascii() || !quoted && local.iter().any(special) {
        return refuse("Local address contains illegal character");
    }
    let in_domain = |octet: &u8| octet.is_ascii_alphanumeric() || b".-_[]:".contains(octet);
    if !domain.iter().all(in_domain) {
        return refuse("Domain contains illegal character");
    }
    Ok(String::from_utf8_lossy(address).into_owned())
}

/// A list cut at its commas, without its comments and the names of its groups.
fn cut_at_commas(body: &[u8]) -> Result<Vec<Vec<u8>>, Refusal> {
    let mut out = vec![Vec::new()];
    let (mut quoted, mut escaped, mut comment, mut angle) = (false, false, 0, false);
    for &octet in body {
        let text = out.last_mut().expect("there is always one");
        let verbatim = escaped || quoted && octet != b'"' && octet != b'\\';
        match octet {
            _ if verbatim => escaped = false,
            b'\\' if quoted || comment > 0 => escaped = true,
            b'"' if comment == 0 => quoted = !quoted,
            b'(' => comment += 1,
            b')' if comment > 0 => {
                comment -= 1;
                continue;
            }
            _ if comment > 0 => {}
            b'<' => angle = true,
            b'>' => angle = false,
            b',' | b';' if !angle => {
                out.push(Vec::new());
                continue;
            }
            b':' if !angle => {
                text.clear();
                continue;
            }
            _ => {}
        }
        if comment == 0 {
            text.push(octet);
        }
    }
    if quoted || comment > 0 {
        return Err(Refusal::bad_request("Missing '\"' or ')'"));
    }
    Ok(out)
}
