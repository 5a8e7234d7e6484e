//! Just enough HTTP/1.1, by hand: a server whose answers can be late, short and cut, and a client that can send
//! anything.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::lock;

/// Octets that the head of a request may have, as of hyper's server.
const MAX_HEAD: usize = 64 << 10;
/// Octets that are read or written at once, and between two looks at the clock where a rate is set.
pub const CHUNK: usize = 16 << 10;
/// How long a connection that is given up is read on, so that the answer is not lost to a reset.
const LINGER: Duration = Duration::from_secs(10);

/// The request line and the header section.
#[derive(Clone, Debug)]
pub struct Head {
    pub method: String,
    /// As it was sent, with the query.
    pub target: String,
    /// Names in lower case.
    pub fields: Vec<(String, String)>,
    /// Number of the connection, from 0.
    pub connection: usize,
}

impl Head {
    /// The first field of this name, written in lower case.
    pub fn field(&self, name: &str) -> Option<&str> {
        field(&self.fields, name)
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    pub fn content_length(&self) -> Option<u64> {
        self.field("content-length")?.parse().ok()
    }
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

/// Whether the connection takes another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Go,
    Close,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its head is there.
    Begun,
    /// All of it is there, and nothing is done about it yet.
    Arrived,
    /// It was carried out, and the answer is not sent yet.
    Done,
}

/// Somebody who looks at each request, with its body where that has just arrived. The request goes on when it returns; after an
/// error its connection ends.
pub type Watch = Arc<dyn Fn(Stage, &Head, &[u8]) -> io::Result<()> + Send + Sync>;

/// The one who watches a server, if anybody does.
#[derive(Clone, Default)]
struct Watched(Arc<Mutex<Option<Watch>>>);

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watched")
    }
}

/// One end of a connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    ahead: Vec<u8>,
    stopped: Arc<AtomicBool>,
    watched: Watched,
    /// The request that is being served.
    head: Option<Head>,
}

impl Connection {
    fn new(stream: TcpStream, stopped: Arc<AtomicBool>) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Connection {
            stream,
            ahead: Vec::new(),
            stopped,
            watched: Watched::default(),
            head: None,
        })
    }

    /// Says to whoever watches the server that all of the request is there.
    pub fn arrived(&self, body: &[u8]) -> io::Result<()> {
        self.report(Stage::Arrived, body)
    }

    fn report(&self, stage: Stage, body: &[u8]) -> io::Result<()> {
        // Not under the lock: a watch may hold a request for long.
        let watch = lock(&self.watched.0).clone();
        match (watch, &self.head) {
            (Some(watch), Some(head)) => watch(stage, head, body),
            _ => Ok(()),
        }
    }

    /// Has the server been dropped?
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Relaxed)
    }

    /// The next octets; none at the end.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ahead.is_empty() {
            return self.stream.read(into);
        }
        let taken = self.ahead.len().min(into.len());
        into[..taken].copy_from_slice(&self.ahead[..taken]);
        self.ahead.drain(..taken);
        Ok(taken)
    }

    /// A head up to its empty line; `None` if the connection ends before it starts.
    fn read_lines(&mut self) -> io::Result<Option<Vec<String>>> {
        let mut chunk = [0; 4096];
        loop {
            if let Some(end) = memchr::memmem::find(&self.ahead, b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.ahead[..end]).into_owned();
                self.ahead.drain(..end + 4);
                return Ok(Some(head.split("\r\n").map(str::to_owned).collect()));
            }
            if self.ahead.len() > MAX_HEAD {
                return Err(io::Error::other("the head is too long"));
            }
            match self.stream.read(&mut chunk)? {
                0 if self.ahead.is_empty() => return Ok(None),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => self.ahead.extend_from_slice(&chunk[..read]),
            }
        }
    }

    fn read_head(&mut self, connection: usize) -> io::Result<Option<Head>> {
        let Some(lines) = self.read_lines()? else {
            return Ok(None);
        };
        let mut first = lines[0].split(' ');
        let (Some(method), Some(target), Some("HTTP/1.1"), None) =
            (first.next(), first.next(), first.next(), first.next())
        else {
            return Err(io::Error::other(format!("no request line: {}", lines[0])));
        };
        Ok(Some(Head {
            method: method.to_owned(),
            target: target.to_owned(),
            fields: split_fields(&lines[1..])?,
            connection,
        }))
    }

    /// Exactly `octets` of the body, each chunk to `each` until it says `false`; not faster than `rate` octets a
    /// second. Returns how many were read, which are fewer if the connection ends.
    pub fn read_octets(
        &mut self,
        octets: u64,
        rate: Option<u64>,
        each: &mut dyn FnMut(&[u8]) -> bool,
    ) -> io::Result<u64> {
        let mut pace = Pace::new(rate);
        let mut chunk = [0; CHUNK];
        let mut done = 0;
        while done < octets {
            let want = usize::try_from(octets - done).unwrap_or(CHUNK).min(CHUNK);
            let read = self.read(&mut chunk[..want])?;
            done += read as u64;
            if read == 0 || !each(&chunk[..read]) {
                break;
            }
            pace.wait(done, &self.stopped);
        }
        Ok(done)
    }

    /// The whole body, whichever way its length is told.
    pub fn read_body(&mut self, head: &Head) -> io::Result<Vec<u8>> {
        self.body(&head.fields, false)
    }

    fn body(&mut self, fields: &[(String, String)], to_the_end: bool) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        let chunked = field(fields, "transfer-encoding").is_some_and(|coding| coding == "chunked");
        if chunked {
            loop {
                let size = self.read_line()?;
                let size = size.split(';').next().unwrap_or_default().trim();
                let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
                self.exactly(size, &mut body)?;
                if size == 0 {
                    while !self.read_line()?.is_empty() {}
                    return Ok(body);
                }
                self.read_line()?;
            }
        }
        match field(fields, "content-length").map(str::parse) {
            Some(length) => self.exactly(length.map_err(io::Error::other)?, &mut body)?,
            None if to_the_end => {
                body.append(&mut self.ahead);
                self.stream.read_to_end(&mut body)?;
            }
            None => {}
        }
        Ok(body)
    }

    fn exactly(&mut self, octets: u64, body: &mut Vec<u8>) -> io::Result<()> {
        let mut each = |chunk: &[u8]| {
            body.extend_from_slice(chunk);
            true
        };
        if self.read_octets(octets, None, &mut each)? == octets {
            return Ok(());
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    fn read_line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut octet = [0];
            if self.read(&mut octet)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            line.push(octet[0]);
        }
        Ok(String::from_utf8_lossy(&line[..line.len() - 2]).into_owned())
    }

    /// Sends an answer with a body.
    pub fn answer(&mut self, status: u16, fields: &[(&str, &str)], body: &[u8]) -> io::Result<()> {
        self.answer_head(status, body.len() as u64, fields)?;
        self.stream.write_all(body)
    }

    /// Sends the head of an answer whose body follows, or is missing.
    pub fn answer_head(&mut self, status: u16, length: u64, fields: &[(&str, &str)]) -> io::Result<()> {
        self.report(Stage::Done, &[])?;
        let mut head = format!("HTTP/1.1 {status} Status\r\ncontent-length: {length}\r\n");
        for (name, value) in fields {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        self.stream.write_all(head.as_bytes())
    }

    /// Sends octets of a body, not faster than `rate` octets a second. Returns how many it took until the other end
    /// was gone.
    pub fn write_octets(&mut self, octets: &[u8], rate: Option<u64>) -> u64 {
        let mut pace = Pace::new(rate);
        let mut done = 0;
        for chunk in octets.chunks(CHUNK) {
            if self.stream.write_all(chunk).is_err() {
                break;
            }
            done += chunk.len() as u64;
            pace.wait(done, &self.stopped);
        }
        done
    }

    /// Holds the connection open without a word until the other end closes it or the server stops.
    pub fn hold(&mut self) {
        let _ = self.stream.set_read_timeout(Some(Duration::from_millis(50)));
        let mut chunk = [0; CHUNK];
        while !self.is_stopped() {
            match self.stream.read(&mut chunk) {
                Ok(0) => return,
                Err(error) if !is_timeout(&error) => return,
                _ => {}
            }
        }
    }

    /// Ends a connection on which the other end may still be sending: reads on for a while, since closing over unread
    /// octets is a reset, and a reset takes the answer with it.
    pub fn linger(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
        let _ = self.stream.set_read_timeout(Some(LINGER));
        let start = Instant::now();
        let mut chunk = [0; CHUNK];
        while start.elapsed() < LINGER && self.stream.read(&mut chunk).is_ok_and(|read| read > 0) {}
    }

    /// Ends a connection at once; a reset where octets are unread.
    pub fn cut(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

fn split_fields(lines: &[String]) -> io::Result<Vec<(String, String)>> {
    let split = |line: &String| {
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| io::Error::other(format!("no field: {line}")))?;
        Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    lines.iter().map(split).collect()
}

/// Keeps to a rate.
struct Pace {
    start: Instant,
    rate: Option<u64>,
}

impl Pace {
    fn new(rate: Option<u64>) -> Self {
        Pace {
            start: Instant::now(),
            rate,
        }
    }

    /// Waits until `done` octets are due.
    fn wait(&mut self, done: u64, stopped: &AtomicBool) {
        let Some(rate) = self.rate else { return };
        let due = Duration::from_micros(done * 1_000_000 / rate.max(1));
        while !stopped.load(Relaxed) {
            let Some(rest) = due.checked_sub(self.start.elapsed()) else {
                return;
            };
            thread::sleep(rest.min(Duration::from_millis(50)));
        }
    }
}

/// A server on a free port of 127.0.0.1.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    watched: Watched,
    open: Arc<Mutex<Vec<TcpStream>>>,
    listening: Option<thread::JoinHandle<()>>,
}

impl Server {
    /// Starts it. `each` reads the body of a request and answers; an error of it ends the connection.
    pub fn start<F>(each: F) -> Self
    where
        F: Fn(&Head, &mut Connection) -> io::Result<Then> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let stopped = Arc::new(AtomicBool::new(false));
        let open = Arc::new(Mutex::new(Vec::new()));
        let watched = Watched::default();
        let each = Arc::new(each);
        let listening = {
            let (stopped, open, watched) = (Arc::clone(&stopped), Arc::clone(&open), watched.clone());
            thread::spawn(move || {
                let count = AtomicUsize::new(0);
                for stream in listener.incoming() {
                    if stopped.load(Relaxed) {
                        break;
                    }
                    let Ok(stream) = stream else { continue };
                    if let Ok(clone) = stream.try_clone() {
                        lock(&open).push(clone);
                    }
                    let (each, stopped, open) = (Arc::clone(&each), Arc::clone(&stopped), Arc::clone(&open));
                    let (number, watched) = (count.fetch_add(1, Relaxed), watched.clone());
                    thread::spawn(move || {
                        let peer = stream.peer_addr().ok();
                        if let Ok(mut connection) = Connection::new(stream, stopped) {
                            connection.watched = watched;
                            serve(&mut connection, number, &*each);
                            connection.cut();
                        }
                        lock(&open).retain(|stream| stream.peer_addr().ok() != peer);
                    });
                }
            })
        };
        Server {
            address,
            stopped,
            watched,
            open,
            listening: Some(listening),
        }
    }

    /// Shows each request from now on to this one.
    pub fn watch(&self, watch: Watch) {
        *lock(&self.watched.0) = Some(watch);
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Relaxed);
        // Wakes the listening thread.
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
        for stream in lock(&self.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn serve(
    connection: &mut Connection,
    number: usize,
    each: &dyn Fn(&Head, &mut Connection) -> io::Result<Then>,
) {
    while let Ok(Some(head)) = connection.read_head(number) {
        let last = head.field("connection").is_some_and(|value| value == "close");
        if lock(&connection.watched.0).is_some() {
            connection.head = Some(head.clone());
        }
        if connection.report(Stage::Begun, &[]).is_err() {
            return;
        }
        if !matches!(each(&head, connection), Ok(Then::Go)) || last {
            return;
        }
    }
}

/// What a server said.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The first field of this name, written in lower case.
    pub fn field(&self, name: &str) -> Option<&str> {
        field(&self.fields, name)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `Null` if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A client that keeps its connection.
#[derive(Debug)]
pub struct Client {
    connection: Connection,
}

impl Client {
    /// # Errors
    /// If nobody listens.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let connection = Connection::new(TcpStream::connect(address)?, Arc::default())?;
        Ok(Client { connection })
    }

    /// Sends a request, and reads the answer even if the body could not be sent. The fields are sent as they are, so
    /// `content-length` and `host` are among them, or missing.
    ///
    /// # Errors
    /// If no whole answer comes.
    pub fn send(
        &mut self,
        method: &str,
        target: &str,
        fields: &[(String, String)],
        body: &[u8],
    ) -> io::Result<Answer> {
        let mut head = format!("{method} {target} HTTP/1.1\r\n");
        for (name, value) in fields {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        let sent = self.connection.stream.write_all(head.as_bytes());
        let sent = sent.and_then(|()| self.connection.stream.write_all(body));
        match (self.read_answer(method), sent) {
            (Err(_), Err(error)) => Err(error),
            (answer, _) => answer,
        }
    }

    fn read_answer(&mut self, method: &str) -> io::Result<Answer> {
        let lines = self.connection.read_lines()?;
        let lines = lines.ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = lines[0].split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(format!("no status line: {}", lines[0])))?;
        let fields = split_fields(&lines[1..])?;
        let body = if method == "HEAD" {
            Vec::new()
        } else {
            self.connection.body(&fields, true)?
        };
        Ok(Answer { status, fields, body })
    }
}

/// One request on a connection of its own, with `host` and `content-length`.
///
/// # Errors
/// If no whole answer comes.
pub fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let own = [
        ("host", address.to_string()),
        ("content-length", body.len().to_string()),
        ("connection", "close".to_owned()),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value));
    let given = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let fields: Vec<_> = own.into_iter().chain(given).collect();
    Client::connect(address)?.send(method, target, &fields, body)
}

/// `%XX` read; what is no such thing stays.
pub fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let octet = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(octet.unwrap_or(bytes[at]));
        at += if octet.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}
