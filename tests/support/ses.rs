//! The SES v2 endpoint: `SendEmail` with a raw message, its signature recomputed, its documented rules enforced.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::http::{Connection, Head, Server, Then, Watch};
use super::raw_message::{Field, Rules, check, check_verified, mailboxes};
use super::sigv4::{Credentials, hex, verify};
use super::{Script, lock};

const SEND: &str = "/v2/email/outbound-emails";
/// Recipients of a call, over To, Cc and Bcc.
const MAX_RECIPIENTS: usize = 50;
/// Octets of a request besides the base64 of its message: addresses and tags.
const MAX_AROUND: u64 = 1 << 16;

/// An error, as SES writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    /// `x-amzn-errortype`.
    pub kind: String,
    pub message: String,
}

impl Refusal {
    pub fn new(status: u16, kind: &str, message: &str) -> Self {
        Refusal {
            status,
            kind: kind.to_owned(),
            message: message.to_owned(),
        }
    }

    pub fn bad_request(message: &str) -> Self {
        Self::new(400, "BadRequestException", message)
    }

    pub fn rejected(message: &str) -> Self {
        Self::new(400, "MessageRejected", message)
    }

    pub fn too_long(limit: usize, octets: usize) -> Self {
        Self::bad_request(&format!(
            "Message length is more than {limit} bytes long: '{octets}'."
        ))
    }
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is served.
    None,
    /// 429 `TooManyRequestsException`, after the body.
    Throttle,
    /// 400 `LimitExceededException`, after the body.
    LimitExceeded,
    /// 503, and the body is not read.
    ErrorBeforeBody,
    /// 500 after the body; the message is not taken.
    ErrorAfterBody,
    /// 500, although the message was taken: the ambiguous case.
    ErrorAfterTaking,
    /// The connection is cut after this many octets of the body.
    Cut { after: u64 },
    /// The message is taken, and the connection cut before the answer.
    CutAfterTaking,
    /// The message is taken, and the answer's body is none that can be read.
    BrokenAnswer,
    /// The body is read at this many octets a second, then served.
    Slow { rate: u64 },
    /// Nothing is read beyond this many octets of the body, and nothing answered.
    Stall { after: u64 },
    /// 400 `MessageRejected`.
    Rejected,
    /// The real text for a message over 10 MiB.
    TooLong,
    /// Any other error, after the body.
    Refuse(Refusal),
}

/// A message that was taken.
#[derive(Clone, Debug)]
pub struct Message {
    pub id: String,
    pub raw: Vec<u8>,
    /// `FromEmailAddress`.
    pub from: Option<String>,
    /// To, Cc and Bcc of the request: the envelope.
    pub to: Vec<String>,
    pub configuration_set: Option<String>,
    pub tags: Vec<(String, String)>,
    /// `FeedbackForwardingEmailAddress`.
    pub feedback: Option<String>,
    /// The header section.
    pub fields: Vec<Field>,
    /// What steers or spoils what SES does, and should not have been kept: `X-SES-*`, Feedback-ID.
    pub kept: Vec<String>,
    /// The request, `Data` emptied.
    pub json: Value,
    /// The request up to the octets of `Data`, and what comes after them.
    pub around: (Vec<u8>, Vec<u8>),
}

impl Message {
    /// The octets after the header section.
    pub fn body(&self) -> &[u8] {
        super::raw_message::split(&self.raw).map_or(&[], |(_, body)| body)
    }
}

/// A request.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Number of the connection.
    pub connection: usize,
    pub started: Instant,
    pub ended: Instant,
    pub content_length: Option<u64>,
    /// Octets of the body.
    pub bytes_read: u64,
    /// `None`: the body did not arrive in full, so it cannot be told.
    pub signature: Option<Result<(), String>>,
    /// `None`: there was no answer.
    pub status: Option<u16>,
    /// `x-amzn-errortype` and message.
    pub error: Option<(String, String)>,
}

/// Says why a message is not taken that the rules would let pass.
type Judge = dyn Fn(&Message) -> Option<Refusal> + Send + Sync;

struct State {
    judge: Mutex<Option<Arc<Judge>>>,
    rules: Mutex<Rules>,
    credentials: Mutex<Credentials>,
    script: Script<Fault>,
    messages: Mutex<Vec<Message>>,
    taken: AtomicU64,
    attempts: Mutex<Vec<Attempt>>,
}

/// The endpoint.
pub struct SesEndpoint {
    server: Server,
    state: Arc<State>,
}

impl SesEndpoint {
    /// Starts it; example.com is verified, [`Credentials::test`] are known.
    pub fn start() -> Self {
        let state = Arc::new(State {
            judge: Mutex::default(),
            rules: Mutex::default(),
            credentials: Mutex::new(Credentials::test()),
            script: Script::new(Fault::None),
            messages: Mutex::default(),
            taken: AtomicU64::new(0),
            attempts: Mutex::default(),
        });
        let serving = Arc::clone(&state);
        SesEndpoint {
            server: Server::start(move |head, connection| serve(&serving, head, connection)),
            state,
        }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Shows each request to this one.
    pub fn watch(&self, watch: Watch) {
        self.server.watch(watch);
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Changes the rules.
    pub fn rules(&self, change: impl FnOnce(&mut Rules)) {
        change(&mut lock(&self.state.rules));
    }

    /// Refuses every message for which this gives a reason, though the rules would let it pass.
    pub fn refuse(&self, judge: impl Fn(&Message) -> Option<Refusal> + Send + Sync + 'static) {
        *lock(&self.state.judge) = Some(Arc::new(judge));
    }

    /// Other credentials.
    pub fn credentials(&self, credentials: Credentials) {
        *lock(&self.state.credentials) = credentials;
    }

    /// How many scripted faults have not come up yet.
    pub fn script_left(&self) -> usize {
        self.state.script.left()
    }

    /// What happens to the next requests.
    pub fn script(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state.script.push(faults);
    }

    /// What happens to every request that [`script`](Self::script) says nothing about.
    pub fn stand(&self, fault: Fault) {
        self.state.script.stand(fault);
    }

    /// The messages that were taken, in order.
    pub fn messages(&self) -> Vec<Message> {
        lock(&self.state.messages).clone()
    }

    /// The messages that were taken, which then are no longer kept.
    pub fn take_messages(&self) -> Vec<Message> {
        std::mem::take(&mut *lock(&self.state.messages))
    }

    /// The requests that ended, in order.
    pub fn attempts(&self) -> Vec<Attempt> {
        lock(&self.state.attempts).clone()
    }

    /// Checks that every request that arrived in full had a valid signature, and that there was one.
    pub fn assert_signed(&self) {
        let attempts = self.attempts();
        let known: Vec<_> = attempts.iter().filter_map(|a| a.signature.as_ref()).collect();
        assert!(!known.is_empty(), "no request has arrived in full");
        for signature in known {
            assert_eq!(signature, &Ok(()));
        }
    }
}

fn serve(state: &State, head: &Head, connection: &mut Connection) -> io::Result<Then> {
    let started = Instant::now();
    let mut attempt = Attempt {
        connection: head.connection,
        started,
        ended: started,
        content_length: head.content_length(),
        bytes_read: 0,
        signature: None,
        status: None,
        error: None,
    };
    let end = read(state, head, connection, &mut attempt);
    attempt.ended = Instant::now();
    (attempt.status, attempt.error) = match &end {
        Ok(End::Taken(_) | End::TakenUnreadably) => (Some(200), None),
        Ok(End::Refused(refusal) | End::RefusedEarly(refusal)) => {
            let error = (refusal.kind.clone(), refusal.message.clone());
            (Some(refusal.status), Some(error))
        }
        _ => (None, None),
    };
    // On the list before the client has the answer, and may look.
    lock(&state.attempts).push(attempt);
    match end? {
        End::Taken(id) => {
            let body = json!({"MessageId": id}).to_string();
            connection.answer(200, &[("content-type", "application/json")], body.as_bytes())?;
            return Ok(Then::Go);
        }
        End::TakenUnreadably => {
            connection.answer(200, &[("content-type", "application/json")], b"{\"MessageId\": ")?;
            return Ok(Then::Go);
        }
        End::Refused(refusal) => {
            refuse(connection, &refusal)?;
            return Ok(Then::Go);
        }
        End::RefusedEarly(refusal) => {
            refuse(connection, &refusal)?;
            connection.linger();
        }
        End::Stall => {
            // That the other end has gone cannot be seen behind the octets that are not read.
            while !connection.is_stopped() {
                thread::sleep(Duration::from_millis(20));
            }
        }
        End::Cut => connection.cut(),
    }
    Ok(Then::Close)
}

/// How a request ends.
enum End {
    Taken(String),
    TakenUnreadably,
    Refused(Refusal),
    /// Some of the body is not read.
    RefusedEarly(Refusal),
    Stall,
    Cut,
}

fn refuse(connection: &mut Connection, refusal: &Refusal) -> io::Result<()> {
    let kind = format!("{}:", refusal.kind);
    let fields = [
        ("content-type", "application/json"),
        ("x-amzn-errortype", kind.as_str()),
    ];
    let body = json!({"message": refusal.message}).to_string();
    connection.answer(refusal.status, &fields, body.as_bytes())
}

fn read(state: &State, head: &Head, connection: &mut Connection, attempt: &mut Attempt) -> io::Result<End> {
    let early = |status, kind, message| Ok(End::RefusedEarly(Refusal::new(status, kind, message)));
    if head.path() != SEND || head.method != "POST" {
        return early(404, "UnknownOperationException", "no such operation");
    }
    let fault = state.script.next();
    let Some(length) = framed(head) else {
        let message = "Content-Length alone has to tell the length; no Expect";
        return early(400, "BadRequestException", message);
    };
    let rules = lock(&state.rules).clone();
    if length > (rules.max_raw as u64).saturating_mul(4) / 3 + MAX_AROUND {
        // Where SES draws this line is not known.
        return early(413, "RequestEntityTooLargeException", "the request is too large");
    }
    let (until, rate) = match fault {
        Fault::ErrorBeforeBody => (0, None),
        Fault::Cut { after } | Fault::Stall { after } => (after.min(length), None),
        Fault::Slow { rate } => (length, Some(rate)),
        _ => (length, None),
    };
    let mut body = Vec::with_capacity(usize::try_from(until).map_err(io::Error::other)?);
    let mut hash = Sha256::new();
    attempt.bytes_read = connection.read_octets(until, rate, &mut |chunk| {
        hash.update(chunk);
        body.extend_from_slice(chunk);
        true
    })?;
    match fault {
        Fault::ErrorBeforeBody => return early(503, "ServiceUnavailable", "before the body"),
        Fault::Cut { .. } => return Ok(End::Cut),
        Fault::Stall { .. } => return Ok(End::Stall),
        _ if attempt.bytes_read < length => return Ok(End::Cut),
        _ => {}
    }
    connection.arrived(&[])?;

    let credentials = lock(&state.credentials).clone();
    let signature = verify(head, &hex(&hash.finalize()), &credentials, "ses").map(|_| ());
    attempt.signature = Some(signature.clone());
    let message = signature
        .map_err(|why| Refusal::new(403, "SignatureDoesNotMatch", &why))
        .and_then(|()| told_to_fail(&fault))
        .and_then(|()| read_request(body, &rules))
        .and_then(|message| state.judged(message));
    let taken = message.map(|message| state.take(message));
    Ok(match (taken, fault) {
        (_, Fault::CutAfterTaking) => End::Cut,
        (Ok(_), Fault::BrokenAnswer) => End::TakenUnreadably,
        (Ok(_), Fault::ErrorAfterTaking) => {
            End::Refused(Refusal::new(500, "InternalServiceErrorException", "taken"))
        }
        (Ok(id), _) => End::Taken(id),
        (Err(refusal), _) => End::Refused(refusal),
    })
}

impl State {
    fn judged(&self, message: Message) -> Result<Message, Refusal> {
        let judge = lock(&self.judge).clone();
        judge.and_then(|judge| judge(&message)).map_or(Ok(message), Err)
    }

    fn take(&self, mut message: Message) -> String {
        let count = self.taken.fetch_add(1, Relaxed);
        message.id = format!("0102019a{count:08x}-stand-in-000000");
        let id = message.id.clone();
        lock(&self.messages).push(message);
        id
    }
}

/// The length, if the request is framed as SES wants it.
fn framed(head: &Head) -> Option<u64> {
    let unwanted = head.field("transfer-encoding").is_some() || head.field("expect").is_some();
    head.content_length().filter(|_| !unwanted)
}

fn told_to_fail(fault: &Fault) -> Result<(), Refusal> {
    Err(match fault {
        Fault::Throttle => Refusal::new(429, "TooManyRequestsException", "Maximum sending rate exceeded."),
        Fault::LimitExceeded => Refusal::new(400, "LimitExceededException", "Limit exceeded"),
        Fault::ErrorAfterBody => Refusal::new(500, "InternalServiceErrorException", "after the body"),
        Fault::Rejected => Refusal::rejected("Email address is not verified."),
        Fault::TooLong => Refusal::too_long(10_485_760, 12_078_147),
        Fault::Refuse(refusal) => refusal.clone(),
        _ => return Ok(()),
    })
}

#[allow(clippy::too_many_lines)] // A list of what SES asks for.
fn read_request(body: Vec<u8>, rules: &Rules) -> Result<Message, Refusal> {
    let malformed = |what: &str| Refusal::new(400, "SerializationException", what);
    let mut json: Value = serde_json::from_slice(&body).map_err(|error| malformed(&error.to_string()))?;
    let encoded = json
        .pointer_mut("/Content/Raw/Data")
        .map(Value::take)
        .ok_or_else(|| Refusal::bad_request("Content.Raw.Data is missing"))?;
    let Value::String(encoded) = encoded else {
        return Err(malformed("Content.Raw.Data is no string"));
    };
    let around = around(&body, &encoded);
    drop(body);
    let mut raw = encoded.into_bytes();
    let decoded = base64_simd::STANDARD
        .decode_inplace(&mut raw)
        .map(|decoded| decoded.len());
    raw.truncate(decoded.map_err(|_| malformed("Content.Raw.Data is no base64"))?);
    json["Content"]["Raw"]["Data"] = "".into();

    let text = |name: &str| json[name].as_str().map(str::to_owned);
    let (from, feedback) = (text("FromEmailAddress"), text("FeedbackForwardingEmailAddress"));
    let configuration_set = text("ConfigurationSetName");
    for sender in [&from, &feedback].into_iter().flatten() {
        for address in mailboxes(sender.as_bytes())? {
            check_verified(&address, rules)?;
        }
    }
    let to = envelope(&json)?;
    let tags = tags(&json)?;
    if let (Some(set), Some(known)) = (&configuration_set, &rules.configuration_sets)
        && !known.contains(set)
    {
        let message = format!("Configuration set <{set}> does not exist.");
        return Err(Refusal::new(404, "NotFoundException", &message));
    }
    let fields = check(&raw, rules)?;
    let mut recipients = to.len();
    if rules.count_header_recipients {
        let destinations = fields
            .iter()
            .filter(|field| ["to", "cc", "bcc"].contains(&field.name.to_lowercase().as_str()));
        for field in destinations {
            recipients += mailboxes(&field.body)?.len();
        }
    }
    if recipients > MAX_RECIPIENTS {
        return Err(Refusal::bad_request(&format!(
            "Recipient count exceeds {MAX_RECIPIENTS}."
        )));
    }
    let steers = |name: &&str| name.to_lowercase().starts_with("x-ses-") || *name == "Feedback-ID";
    let kept = fields.iter().map(|field| field.name.as_str()).filter(steers);
    Ok(Message {
        id: String::new(),
        kept: kept.map(str::to_owned).collect(),
        raw,
        from,
        to,
        configuration_set,
        tags,
        feedback,
        fields,
        json,
        around,
    })
}

/// What is before and after the base64 in the request; nothing if that was written with escapes.
fn around(body: &[u8], encoded: &str) -> (Vec<u8>, Vec<u8>) {
    let at = memchr::memmem::find(body, encoded.as_bytes()).filter(|_| !encoded.is_empty());
    at.map_or_else(Default::default, |at| {
        (body[..at].to_vec(), body[at + encoded.len()..].to_vec())
    })
}

/// The recipients. SES would take them from the header section where they are missing; here that is an error, since
/// a forwarder that forgets the envelope sends the mail back to whom it was addressed to.
fn envelope(json: &Value) -> Result<Vec<String>, Refusal> {
    let mut to = Vec::new();
    for name in ["ToAddresses", "CcAddresses", "BccAddresses"] {
        for address in json["Destination"][name].as_array().into_iter().flatten() {
            let address = address.as_str().unwrap_or_default();
            if mailboxes(address.as_bytes())?.len() != 1 {
                return Err(Refusal::bad_request("Missing final '@domain'"));
            }
            to.push(address.to_owned());
        }
    }
    if to.is_empty() {
        return Err(Refusal::bad_request(
            "Destination is missing (SES itself would go by the header)",
        ));
    }
    Ok(to)
}

fn tags(json: &Value) -> Result<Vec<(String, String)>, Refusal> {
    let allowed = |text: &str| {
        let octet = |octet: u8| octet.is_ascii_alphanumeric() || b"_-".contains(&octet);
        (1..=256).contains(&text.len()) && text.bytes().all(octet)
    };
    let mut tags = Vec::new();
    for tag in json["EmailTags"].as_array().into_iter().flatten() {
        let text = |name: &str| tag[name].as_str().unwrap_or_default().to_owned();
        let (name, value) = (text("Name"), text("Value"));
        if !allowed(&name) || !allowed(&value) {
            let message = format!("Invalid tag <{name}>: <{value}>, only A-Z a-z 0-9 _ - and 256 of them");
            return Err(Refusal::bad_request(&message));
        }
        tags.push((name, value));
    }
    Ok(tags)
}
