//! A name server that knows a few records, over UDP.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

/// Octets of the header of a message (RFC 1035, 4.1.1).
const HEADER: usize = 12;

/// Records: a name, a type (`A`, `CNAME`, `MX`, `NS`, `TXT`) and a value.
pub type Zone = Vec<(String, &'static str, String)>;

/// The server. Stops when it is dropped.
#[derive(Debug)]
pub struct NameServer {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    serving: Option<thread::JoinHandle<()>>,
}

impl NameServer {
    /// Starts it on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If there is none.
    pub fn start(zone: Zone) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = socket.local_addr().expect("its address");
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        let serving = thread::spawn(move || {
            let mut query = [0; 1500];
            while let Ok((octets, from)) = socket.recv_from(&mut query) {
                if stop.load(Relaxed) {
                    break;
                }
                if let Some(answer) = answer(&query[..octets], &zone) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        NameServer {
            address,
            stopped,
            serving: Some(serving),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stopped.store(true, Relaxed);
        // Wakes the thread.
        if let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) {
            let _ = socket.send_to(b"stop", self.address);
        }
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
    }
}

/// The answer to a query for one name.
fn answer(query: &[u8], zone: &Zone) -> Option<Vec<u8>> {
    let mut labels = Vec::new();
    let mut at = HEADER;
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(query.get(at..at + length)?).to_ascii_lowercase());
        at += length;
    }
    let kind = u16::from_be_bytes([*query.get(at)?, *query.get(at + 1)?]);
    let question = query.get(HEADER..at + 4)?;
    let name = labels.join(".");
    let named: Vec<_> = zone.iter().filter(|(other, ..)| *other == name).collect();
    // A name exists also where only longer ones have records.
    let below = format!(".{name}");
    let exists = zone
        .iter()
        .any(|(other, ..)| *other == name || other.ends_with(&below));
    let records: Vec<_> = named.iter().filter(|(_, of, _)| code(of) == kind).collect();
    let mut answer = query[..2].to_vec();
    // An answer, recursion available; NXDOMAIN is 3.
    answer.extend([0x81, if exists { 0x80 } else { 0x83 }]);
    answer.extend([0, 1, 0, u8::try_from(records.len()).ok()?, 0, 0, 0, 0]);
    answer.extend(question);
    for (_, of, value) in records {
        let record = octets(of, value);
        // The name is that of the question; class IN, one minute.
        answer.extend([0xc0, 0x0c]);
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 60]);
        answer.extend(u16::try_from(record.len()).ok()?.to_be_bytes());
        answer.extend(record);
    }
    Some(answer)
}

fn code(kind: &str) -> u16 {
    match kind {
        "A" => 1,
        "NS" => 2,
        "CNAME" => 5,
        "MX" => 15,
        "TXT" => 16,
        other => panic!("no type {other}"),
    }
}

fn octets(kind: &str, value: &str) -> Vec<u8> {
    let short = |length: usize| u8::try_from(length).expect("a short text");
    let name = |name: &str| {
        let labels = name.split('.').flat_map(|label| {
            let mut octets = vec![short(label.len())];
            octets.extend(label.as_bytes());
            octets
        });
        labels.chain([0]).collect::<Vec<u8>>()
    };
    match kind {
        "A" => value.parse::<Ipv4Addr>().expect("an address").octets().to_vec(),
        "TXT" => [&[short(value.len())], value.as_bytes()].concat(),
        "MX" => {
            let (preference, host) = value.split_once(' ').expect("a preference and a host");
            let preference: u16 = preference.parse().expect("a preference");
            [&preference.to_be_bytes()[..], &name(host)].concat()
        }
        _ => name(value),
    }
}
