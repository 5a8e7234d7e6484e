//! S3, reading only: objects in memory, answers that can be cut, short, slow or about another object.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::http::{Connection, Head, Server, Then, percent_decode};
use super::sigv4::{Credentials, sha256_hex, verify};
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

/// A stored object.
#[derive(Clone, Debug)]
pub struct Object {
    pub octets: Arc<Vec<u8>>,
    pub etag: String,
    /// Names without `x-amz-meta-`.
    pub metadata: Vec<(String, String)>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub method: String,
    /// Bucket and key.
    pub path: String,
    pub range: Option<String>,
    pub if_match: Option<String>,
    pub status: u16,
    /// Octets of the body that the connection took: somewhat more than the client looked at.
    pub bytes_sent: u64,
}

#[derive(Debug)]
struct State {
    objects: Mutex<BTreeMap<String, Object>>,
    script: Script<Fault>,
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
        let mut object = Object::new(octets.into());
        for (name, value) in metadata {
            object.metadata.push(((*name).to_owned(), (*value).to_owned()));
        }
        let etag = object.etag.clone();
        lock(&self.state.objects).insert(format!("{bucket}/{key}"), object);
        etag
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
    fn new(octets: Vec<u8>) -> Self {
        Object {
            // S3 takes MD5; nobody may rely on that.
            etag: format!("\"{}\"", &sha256_hex(&octets)[..32]),
            octets: Arc::new(octets),
            metadata: Vec::new(),
        }
    }
}

fn serve(state: &State, head: &Head, connection: &mut Connection) -> io::Result<Then> {
    let body = connection.read_body(head)?;
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
        status: 0,
        bytes_sent: 0,
    };
    let is_get = head.method == "GET";
    let fault = if is_get { state.script.next() } else { Fault::None };
    let selected = verify(head, &sha256_hex(&body), &credentials, "s3")
        .map_err(|why| (403, "SignatureDoesNotMatch".to_owned(), why))
        .and_then(|_| select(state, head, &fault, &attempt));
    let then = match selected {
        Err((status, code, message)) => {
            attempt.status = status;
            refuse(connection, head, status, &code, &message)
        }
        Ok(selected) => {
            attempt.status = selected.status;
            let rate = state.rate.load(Relaxed);
            selected.send(&fault, rate, connection, &mut attempt.bytes_sent)
        }
    };
    // Also where the client was gone before the end.
    lock(&state.attempts)[place] = Some(attempt);
    then
}

fn refuse(
    connection: &mut Connection,
    head: &Head,
    status: u16,
    code: &str,
    message: &str,
) -> io::Result<Then> {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
         <RequestId>0</RequestId></Error>"
    );
    let body = if head.method == "HEAD" { "" } else { &xml };
    connection.answer(status, &[("content-type", "application/xml")], body.as_bytes())?;
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
        objects.insert(attempt.path.clone(), Object::new(octets.clone()));
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
        connection: &mut Connection,
        told: &mut u64,
    ) -> io::Result<Then> {
        let mut fields = vec![
            ("etag".to_owned(), self.object.etag.clone()),
            ("accept-ranges".to_owned(), "bytes".to_owned()),
            ("content-type".to_owned(), "application/octet-stream".to_owned()),
            (
                "last-modified".to_owned(),
                "Thu, 05 Mar 2026 08:30:12 GMT".to_owned(),
            ),
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
