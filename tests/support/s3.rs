//! S3: objects in memory; answers that can be cut, short, slow or about another object; conditional writes whose requests
//! and answers can be lost.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::http::{Connection, Head, Server, Then, Watch, percent_decode};
use super::sigv4::{CLOCK_IS_OFF, Credentials, civil, sha256_hex, verify_at};
use super::{Script, lock};

/// How long requests that go on are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What happens to a GET of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is served.
    None,
    /// The answer ends after this many octets, short of the length that it told.
    Cut { after: u64 },
    /// After this many octets nothing comes any more, and the connection stays.
    Stall { after: u64 },
    /// The object has this many octets fewer, and the answer says so; its `ETag` stays.
    Short { by: u64 },
    /// The object is another one before this request is answered.
    Change(Vec<u8>),
    /// An error: status, code.
    Refuse(u16, String),
}

/// What happens to a PUT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutFault {
    /// It is served.
    None,
    /// An error, and nothing is written: status, code.
    Refuse(u16, String),
    /// The object is written, and the connection cut before the answer.
    LoseAnswer,
    /// The connection is cut, and nothing is written.
    LoseRequest,
    /// Another has written these octets just before.
    Precede(Vec<u8>),
    /// Nothing is written or answered, and the connection stays.
    Hang,
}

impl PutFault {
    /// As S3 answers where two conditional writes of one object meet.
    pub fn conflict() -> Self {
        PutFault::Refuse(409, "ConditionalRequestConflict".to_owned())
    }
}

/// A stored object.
#[derive(Clone, Debug)]
pub struct Object {
    pub octets: Arc<Vec<u8>>,
    pub etag: String,
    /// Names without `x-amz-meta-`.
    pub metadata: Vec<(String, String)>,
    /// By the stand-in's own clock.
    pub modified: SystemTime,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub method: String,
    /// Bucket and key.
    pub path: String,
    pub range: Option<String>,
    pub if_match: Option<String>,
    pub if_none_match: Option<String>,
    pub status: u16,
    /// Octets of the body that the connection took: somewhat more than the client looked at.
    pub bytes_sent: u64,
}

#[derive(Debug)]
struct State {
    objects: Mutex<BTreeMap<String, Object>>,
    script: Script<Fault>,
    puts: Script<PutFault>,
    /// Objects under these keys do not take part in `script`.
    apart: &'static str,
    /// Seconds by which the stand-in's clock is ahead, or behind.
    ahead: AtomicI64,
    /// Each request of an object that is kept apart waits for up to so many microseconds, before and after.
    jitter: AtomicU64,
    /// In the order in which they came; `None`: it has not ended.
    attempts: Mutex<Vec<Option<Attempt>>>,
    /// Octets a second; 0: no limit.
    rate: AtomicU64,
    credentials: Mutex<Credentials>,
}

/// The endpoint.
#[derive(Debug)]
pub struct S3 {
    server: Server,
    state: Arc<State>,
}

impl S3 {
    pub fn start() -> Self {
        let state = Arc::new(State {
            objects: Mutex::default(),
            script: Script::new(Fault::None),
            puts: Script::new(PutFault::None),
            apart: "/ledger/",
            ahead: AtomicI64::new(0),
            jitter: AtomicU64::new(0),
            attempts: Mutex::default(),
            rate: AtomicU64::new(0),
            credentials: Mutex::new(Credentials::test()),
        });
        let serving = Arc::clone(&state);
        S3 {
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

    /// Stores an object and returns its `ETag`.
    pub fn put(&self, bucket: &str, key: &str, octets: impl Into<Vec<u8>>) -> String {
        self.put_with(bucket, key, octets, &[])
    }

    /// Stores an object with metadata, named without `x-amz-meta-`.
    pub fn put_with(
        &self,
        bucket: &str,
        key: &str,
        octets: impl Into<Vec<u8>>,
        metadata: &[(&str, &str)],
    ) -> String {
        let mut object = Object::new(octets.into(), self.state.now());
        for (name, value) in metadata {
            object.metadata.push(((*name).to_owned(), (*value).to_owned()));
        }
        let etag = object.etag.clone();
        lock(&self.state.objects).insert(format!("{bucket}/{key}"), object);
        etag
    }

    /// The octets of an object.
    pub fn object(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let objects = lock(&self.state.objects);
        let object = objects.get(&format!("{bucket}/{key}"))?;
        Some(object.octets.to_vec())
    }

    /// Makes an object older.
    ///
    /// # Panics
    /// If there is no such object.
    pub fn age(&self, bucket: &str, key: &str, by: Duration) {
        let mut objects = lock(&self.state.objects);
        let object = objects.get_mut(&format!("{bucket}/{key}")).expect("the object");
        object.modified -= by;
    }

    /// Sets the stand-in's clock ahead of everybody's.
    pub fn set_ahead(&self, by: Duration) {
        self.state.ahead.store(seconds(by), Relaxed);
    }

    /// Sets the stand-in's clock behind everybody's.
    pub fn set_behind(&self, by: Duration) {
        self.state.ahead.store(-seconds(by), Relaxed);
    }

    /// Each request for the ledger waits for a random time of at most this, before and after it is served.
    pub fn jitter(&self, at_most: Duration) {
        let micros = u64::try_from(at_most.as_micros()).expect("a short time");
        self.state.jitter.store(micros, Relaxed);
    }

    /// What happens to the next PUTs, one fault each.
    pub fn script_puts(&self, faults: impl IntoIterator<Item = PutFault>) {
        self.state.puts.push(faults);
    }

    /// What happens to every PUT that [`script_puts`](Self::script_puts) says nothing about.
    pub fn stand_puts(&self, fault: PutFault) {
        self.state.puts.stand(fault);
    }

    /// The reading of mail, and of whatever else is not the ledger.
    ///
    /// # Panics
    /// If a request does not end.
    pub fn reads(&self) -> Vec<Attempt> {
        let attempts = self.attempts().into_iter();
        attempts
            .filter(|attempt| !attempt.path.contains(self.state.apart))
            .collect()
    }

    /// The methods and the statuses of all requests for the ledger.
    ///
    /// # Panics
    /// If a request does not end.
    pub fn of_ledger(&self) -> Vec<(String, u16)> {
        let attempts = self.attempts().into_iter();
        attempts
            .filter(|attempt| attempt.path.contains(self.state.apart))
            .map(|attempt| (attempt.method, attempt.status))
            .collect()
    }

    /// Removes an object.
    pub fn remove(&self, bucket: &str, key: &str) {
        lock(&self.state.objects).remove(&format!("{bucket}/{key}"));
    }

    /// What happens to the next GETs of objects, one fault each.
    pub fn script(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state.script.push(faults);
    }

    /// What happens to every GET that [`script`](Self::script) says nothing about.
    pub fn stand(&self, fault: Fault) {
        self.state.script.stand(fault);
    }

    /// How many scripted faults have not come up yet.
    pub fn script_left(&self) -> usize {
        self.state.script.left()
    }

    /// Octets a second from now on, for each answer; 0: as fast as it goes. Without a rate loopback takes some
    /// megabytes which nobody has read yet.
    pub fn pace(&self, rate: u64) {
        self.state.rate.store(rate, Relaxed);
    }

    /// The requests, in the order in which they came. Waits for those that are still going on: a client has the last
    /// octet, and may send the next request, before it is known here that the octet was sent.
    ///
    /// # Panics
    /// If one does not end.
    pub fn attempts(&self) -> Vec<Attempt> {
        let start = Instant::now();
        loop {
            let ended: Option<Vec<_>> = lock(&self.state.attempts).iter().cloned().collect();
            if let Some(attempts) = ended {
                return attempts;
            }
            assert!(start.elapsed() < PATIENCE, "a request goes on and on");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Octets of objects that were sent.
    pub fn bytes_sent(&self) -> u64 {
        self.attempts().iter().map(|attempt| attempt.bytes_sent).sum()
    }
}

impl Object {
    fn new(octets: Vec<u8>, modified: SystemTime) -> Self {
        Object {
            modified,
            // S3 takes MD5; nobody may rely on that.
            etag: format!("\"{}\"", &sha256_hex(&octets)[..32]),
            octets: Arc::new(octets),
            metadata: Vec::new(),
        }
    }
}

impl State {
    fn now(&self) -> SystemTime {
        let ahead = self.ahead.load(Relaxed);
        let by = Duration::from_secs(ahead.unsigned_abs());
        if ahead < 0 {
            SystemTime::now() - by
        } else {
            SystemTime::now() + by
        }
    }

    fn wait(&self, path: &str) {
        let jitter = self.jitter.load(Relaxed);
        if jitter > 0 && path.contains(self.apart) {
            let random = RandomState::new().hash_one(0);
            thread::sleep(Duration::from_micros(random % jitter));
        }
    }
}

fn serve(state: &State, head: &Head, connection: &mut Connection) -> io::Result<Then> {
    let body = connection.read_body(head)?;
    connection.arrived(&body)?;
    let place = {
        let mut attempts = lock(&state.attempts);
        attempts.push(None);
        attempts.len() - 1
    };
    let path = percent_decode(head.path().trim_start_matches('/'));
    let credentials = lock(&state.credentials).clone();
    let range = head.field("range").map(str::to_owned);
    let if_match = head.field("if-match").map(str::to_owned);
    let mut attempt = Attempt {
        method: head.method.clone(),
        path,
        range,
        if_match,
        if_none_match: head.field("if-none-match").map(str::to_owned),
        status: 0,
        bytes_sent: 0,
    };
    state.wait(&attempt.path);
    if head.method == "PUT" {
        let verified = verify_at(head, &sha256_hex(&body), &credentials, "s3", state.now());
        let then = put(state, head, connection, &mut attempt, verified.map(|_| body));
        lock(&state.attempts)[place] = Some(attempt);
        return then;
    }
    if head.query().contains("list-type=2") {
        let then = list(state, head, connection, &mut attempt);
        lock(&state.attempts)[place] = Some(attempt);
        return then;
    }
    let is_scripted = head.method == "GET" && !attempt.path.contains(state.apart);
    let fault = if is_scripted {
        state.script.next()
    } else {
        Fault::None
    };
    let selected = verify_at(head, &sha256_hex(&body), &credentials, "s3", state.now())
        .map_err(|why| (403, refusal(&why).to_owned(), why))
        .and_then(|_| select(state, head, &fault, &attempt));
    let then = match selected {
        Err((status, code, message)) => {
            attempt.status = status;
            refuse(connection, head, status, &code, &message, state.now())
        }
        Ok(selected) => {
            attempt.status = selected.status;
            let rate = state.rate.load(Relaxed);
            selected.send(&fault, rate, state.now(), connection, &mut attempt.bytes_sent)
        }
    };
    // Also where the client was gone before the end.
    lock(&state.attempts)[place] = Some(attempt);
    then
}

/// Lists the keys of a bucket that begin with a prefix, all at once: nobody here has more than a thousand.
fn list(state: &State, head: &Head, connection: &mut Connection, attempt: &mut Attempt) -> io::Result<Then> {
    let signed = verify_at(head, &sha256_hex(b""), &Credentials::test(), "s3", state.now());
    if let Err(why) = signed {
        attempt.status = 403;
        return refuse(connection, head, 403, refusal(&why), &why, state.now());
    }
    let prefix = head
        .query()
        .split('&')
        .find_map(|pair| pair.strip_prefix("prefix="));
    let prefix = percent_decode(prefix.unwrap_or_default());
    let bucket = format!("{}/", attempt.path.trim_end_matches('/'));
    let keys: String = lock(&state.objects)
        .keys()
        .filter_map(|path| path.strip_prefix(&bucket))
        .filter(|key| key.starts_with(&prefix))
        .map(|key| format!("<Contents><Key>{key}</Key></Contents>"))
        .collect();
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult \
         xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>false</IsTruncated>{keys}</ListBucketResult>"
    );
    attempt.status = 200;
    let fields = [
        ("content-type", "application/xml"),
        ("date", &http_date(state.now())),
    ];
    connection.answer(200, &fields, xml.as_bytes())?;
    Ok(Then::Go)
}

/// The code of S3 for a request that is not signed as it should be.
fn refusal(why: &str) -> &'static str {
    if why == CLOCK_IS_OFF {
        "RequestTimeTooSkewed"
    } else {
        "SignatureDoesNotMatch"
    }
}

/// Stores an object where the conditions of the request hold. Of two at once, one comes first.
fn put(
    state: &State,
    head: &Head,
    connection: &mut Connection,
    attempt: &mut Attempt,
    body: Result<Vec<u8>, String>,
) -> io::Result<Then> {
    let mut refused = |status: u16, code: &str, message: &str| {
        attempt.status = status;
        refuse(connection, head, status, code, message, state.now())
    };
    let body = match body {
        Ok(body) => body,
        Err(why) => return refused(403, refusal(&why), &why),
    };
    if let Some(source) = head.field("x-amz-copy-source") {
        let source = percent_decode(source.trim_start_matches('/'));
        let mut objects = lock(&state.objects);
        let Some(object) = objects.get(&source).cloned() else {
            return refused(404, "NoSuchKey", "The specified key does not exist.");
        };
        objects.insert(attempt.path.clone(), object);
        attempt.status = 200;
        let fields = [("content-type", "application/xml")];
        connection.answer(200, &fields, b"<CopyObjectResult></CopyObjectResult>")?;
        return Ok(Then::Go);
    }
    let fault = state.puts.next();
    match &fault {
        PutFault::Refuse(status, code) => return refused(*status, code, code),
        PutFault::LoseRequest => return Ok(Then::Close),
        PutFault::Hang => {
            connection.hold();
            return Ok(Then::Close);
        }
        PutFault::Precede(octets) => {
            let object = Object::new(octets.clone(), state.now());
            lock(&state.objects).insert(attempt.path.clone(), object);
        }
        PutFault::None | PutFault::LoseAnswer => {}
    }
    let etag = {
        let mut objects = lock(&state.objects);
        let there = objects.get(&attempt.path).map(|object| object.etag.as_str());
        match (&attempt.if_match, there) {
            (Some(_), None) => return refused(404, "NoSuchKey", "The specified key does not exist."),
            (Some(etag), Some(there)) if etag != there => {
                return refused(412, "PreconditionFailed", "If-Match");
            }
            (None, Some(_)) if attempt.if_none_match.as_deref() == Some("*") => {
                return refused(412, "PreconditionFailed", "If-None-Match");
            }
            _ => {}
        }
        let object = Object::new(body, state.now());
        let etag = object.etag.clone();
        objects.insert(attempt.path.clone(), object);
        etag
    };
    if fault == PutFault::LoseAnswer {
        return Ok(Then::Close);
    }
    state.wait(&attempt.path);
    attempt.status = 200;
    let date = http_date(state.now());
    connection.answer(200, &[("etag", &etag), ("date", &date)], b"")?;
    Ok(Then::Go)
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).expect("a time of this century")
}

/// As RFC 9110 5.6.7 has it.
fn http_date(at: SystemTime) -> String {
    let seconds = at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    // 1970 began with a Thursday.
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][to_usize(seconds / 86_400 % 7)];
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = months[to_usize(month - 1)];
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

fn refuse(
    connection: &mut Connection,
    head: &Head,
    status: u16,
    code: &str,
    message: &str,
    now: SystemTime,
) -> io::Result<Then> {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
         <RequestId>0</RequestId></Error>"
    );
    let body = if head.method == "HEAD" { "" } else { &xml };
    let fields = [("content-type", "application/xml"), ("date", &http_date(now))];
    connection.answer(status, &fields, body.as_bytes())?;
    Ok(Then::Go)
}

/// What of an object is to be sent.
struct Selected {
    status: u16,
    object: Object,
    start: usize,
    end: usize,
    whole: usize,
    body: bool,
}

type Answer<T> = Result<T, (u16, String, String)>;

fn select(state: &State, head: &Head, fault: &Fault, attempt: &Attempt) -> Answer<Selected> {
    let refuse = |status: u16, code: &str| Err((status, code.to_owned(), code.to_owned()));
    if !matches!(head.method.as_str(), "GET" | "HEAD") {
        return refuse(405, "MethodNotAllowed");
    }
    if let Fault::Refuse(status, code) = fault {
        return refuse(*status, code);
    }
    let mut objects = lock(&state.objects);
    if let Fault::Change(octets) = fault {
        objects.insert(attempt.path.clone(), Object::new(octets.clone(), state.now()));
    }
    let Some(object) = objects.get(&attempt.path).cloned() else {
        return refuse(404, "NoSuchKey");
    };
    if attempt
        .if_match
        .as_deref()
        .is_some_and(|etag| etag.trim_matches('"') != object.etag.trim_matches('"'))
    {
        return refuse(412, "PreconditionFailed");
    }
    let whole = match fault {
        Fault::Short { by } => object.octets.len().saturating_sub(to_usize(*by)),
        _ => object.octets.len(),
    };
    let (mut status, mut start, mut end) = (200, 0, whole);
    if let Some(range) = &attempt.range {
        let Some((first, last)) = read_range(range, whole) else {
            return refuse(416, "InvalidRange");
        };
        (status, start, end) = (206, first, last);
    }
    Ok(Selected {
        status,
        object,
        start,
        end,
        whole,
        body: head.method == "GET",
    })
}

fn to_usize(octets: u64) -> usize {
    usize::try_from(octets).unwrap_or(usize::MAX)
}

/// `bytes=a-b`, `bytes=a-` and `bytes=-n`, as start and end.
fn read_range(range: &str, whole: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = if first.is_empty() {
        (whole.saturating_sub(last.parse().ok()?), whole)
    } else {
        let end = match last {
            "" => whole,
            last => last.parse::<usize>().ok()?.saturating_add(1).min(whole),
        };
        (first.parse().ok()?, end)
    };
    (start < end).then_some((start, end))
}

impl Selected {
    fn send(
        &self,
        fault: &Fault,
        rate: u64,
        now: SystemTime,
        connection: &mut Connection,
        told: &mut u64,
    ) -> io::Result<Then> {
        let mut fields = vec![
            ("etag".to_owned(), self.object.etag.clone()),
            ("accept-ranges".to_owned(), "bytes".to_owned()),
            ("content-type".to_owned(), "application/octet-stream".to_owned()),
            ("last-modified".to_owned(), http_date(self.object.modified)),
            ("date".to_owned(), http_date(now)),
            ("x-amz-request-id".to_owned(), "0".to_owned()),
        ];
        if self.status == 206 {
            let range = format!("bytes {}-{}/{}", self.start, self.end - 1, self.whole);
            fields.push(("content-range".to_owned(), range));
        }
        for (name, value) in &self.object.metadata {
            fields.push((format!("x-amz-meta-{name}"), value.clone()));
        }
        let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let octets = &self.object.octets[self.start..self.end];
        connection.answer_head(self.status, octets.len() as u64, &fields)?;
        if !self.body {
            return Ok(Then::Go);
        }
        let rate = (rate > 0).then_some(rate);
        let until = match fault {
            Fault::Cut { after } | Fault::Stall { after } => to_usize(*after).min(octets.len()),
            _ => octets.len(),
        };
        let sent = connection.write_octets(&octets[..until], rate);
        *told = sent;
        if matches!(fault, Fault::Stall { .. }) {
            connection.hold();
        }
        let whole = sent == octets.len() as u64;
        Ok(if whole { Then::Go } else { Then::Close })
    }
}
