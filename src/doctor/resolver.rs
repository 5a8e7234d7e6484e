//! DNS as the system's resolver sees it, or another name server.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};

use super::facts::{Kind, Look, Records};

/// How long one attempt may take; there are two.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks DNS.
pub(super) struct Dns(Result<TokioResolver, String>);

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
        Dns(builder.and_then(|mut builder| {
            builder.options_mut().timeout = PATIENCE;
            builder.build().map_err(|error| format!("DNS: {error}"))
        }))
    }

    /// The records of a type that a name has.
    pub(super) async fn records(&self, kind: Kind, name: &str) -> Look<Records> {
        let resolver = match &self.0 {
            Ok(resolver) => resolver,
            Err(reason) => return Look::Failed(reason.clone()),
        };
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
            Err(error) => Look::Failed(format!("DNS gives no answer about {name}: {error}")),
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
