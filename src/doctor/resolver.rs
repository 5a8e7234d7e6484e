//! DNS as the system's resolver sees it, or another name server.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};

use super::facts::{Kind, Look, Records};

/// How long one attempt may take; there are two.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks DNS.
pub(super) struct Dns {
    resolver: Result<TokioResolver, String>,
    /// A question was left without any answer: the next ones would be, too, and each would take the whole patience.
    is_silent: AtomicBool,
}

impl Dns {
    /// The system's resolver, or the name server at this address.
    pub(super) fn new(server: Option<SocketAddr>) -> Self {
        let builder = match server {
            None => Resolver::builder_tokio().map_err(|error| format!("the system's resolver: {error}")),
            Some(address) => {
                let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
                (udp.port, tcp.port) = (address.port(), address.port());
                let server = NameServerConfig::new(address.ip(), true, vec![udp, tcp]);
                let config = ResolverConfig::from_name_servers(vec![server]);
                Ok(Resolver::builder_with_config(
                    config,
                    TokioRuntimeProvider::default(),
                ))
            }
        };
        let resolver = builder.and_then(|mut builder| {
            builder.options_mut().timeout = PATIENCE;
            builder.build().map_err(|error| format!("DNS: {error}"))
        });
        Dns {
            resolver,
            is_silent: AtomicBool::new(false),
        }
    }

    /// The records of a type that a name has.
    pub(super) async fn records(&self, kind: Kind, name: &str) -> Look<Records> {
        let resolver = match &self.resolver {
            Ok(resolver) => resolver,
            Err(reason) => return Look::Failed(reason.clone()),
        };
        if self.is_silent.load(Ordering::Relaxed) {
            return Look::Failed(format!(
                "{name} was not looked up: the name server did not answer before"
            ));
        }
        let of = match kind {
            Kind::A => RecordType::A,
            Kind::Cname => RecordType::CNAME,
            Kind::Mx => RecordType::MX,
            Kind::Ns => RecordType::NS,
            Kind::Txt => RecordType::TXT,
        };
        // With the dot at the end it is the whole name, to which no domain of the system's is added.
        match resolver.lookup(format!("{name}."), of).await {
            Ok(found) => Look::Seen(Records {
                exists: true,
                values: found
                    .answers()
                    .iter()
                    .filter_map(|record| value(kind, &record.data))
                    .collect(),
            }),
            Err(error) if error.is_no_records_found() => Look::Seen(Records {
                exists: !error.is_nx_domain(),
                values: Vec::new(),
            }),
            Err(error) => {
                // A server that says that it failed has answered, however late.
                let is_silent = matches!(error, NetError::Timeout);
                self.is_silent.store(is_silent, Ordering::Relaxed);
                Look::Failed(format!("DNS gives no answer about {name}: {error}"))
            }
        }
    }
}

fn value(kind: Kind, record: &RData) -> Option<String> {
    let plain = |name: &dyn ToString| name.to_string().trim_end_matches('.').to_ascii_lowercase();
    Some(match (kind, record) {
        (Kind::A, RData::A(address)) => address.to_string(),
        (Kind::Cname, RData::CNAME(name)) => plain(&name.0),
        (Kind::Mx, RData::MX(mx)) => format!("{} {}", mx.preference, plain(&mx.exchange)),
        (Kind::Ns, RData::NS(name)) => plain(&name.0),
        // The strings of a record are one text (RFC 7208, 3.3).
        (Kind::Txt, RData::TXT(text)) => String::from_utf8_lossy(&text.txt_data.concat()).into_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    /// Catches a doctor who waits for a dead name server once for each of a dozen names.
    #[test]
    fn a_name_server_that_does_not_answer_is_waited_for_once() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_nonblocking(true).unwrap();
        let dns = Dns::new(Some(server.local_addr().unwrap()));
        let ask = |name: &'static str| crate::executor::block_on(dns.records(Kind::Mx, name));
        let questions = || std::iter::from_fn(|| server.recv(&mut [0; 512]).ok()).count();
        assert!(matches!(ask("example.com"), Look::Failed(_)));
        assert!(questions() > 0);
        assert!(matches!(ask("example.org"), Look::Failed(_)));
        assert_eq!(questions(), 0);
    }
}
