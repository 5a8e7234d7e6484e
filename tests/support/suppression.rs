//! The account's suppression list of SES v2: `GetSuppressedDestination` and `DeleteSuppressedDestination`.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::http::{Connection, Head, Server, Then, percent_decode};
use super::lock;
use super::sigv4::{Credentials, sha256_hex, verify};

const ADDRESSES: &str = "/v2/email/suppression/addresses/";

/// The reason by address.
type List = Mutex<BTreeMap<String, String>>;

/// The endpoint.
#[derive(Debug)]
pub struct Suppression {
    server: Server,
    list: Arc<List>,
}

impl Suppression {
    /// Starts it with these addresses on the list, each with its reason: `BOUNCE` or `COMPLAINT`.
    pub fn start(entries: &[(&str, &str)]) -> Self {
        let entries = entries
            .iter()
            .map(|(address, reason)| ((*address).to_owned(), (*reason).to_owned()));
        let list = Arc::new(Mutex::new(entries.collect()));
        let serving = Arc::clone(&list);
        Suppression {
            server: Server::start(move |head, connection| serve(&serving, head, connection)),
            list,
        }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The addresses on the list.
    pub fn addresses(&self) -> Vec<String> {
        lock(&self.list).keys().cloned().collect()
    }
}

fn serve(list: &List, head: &Head, connection: &mut Connection) -> io::Result<Then> {
    let body = connection.read_body(head)?;
    let signed = verify(head, &sha256_hex(&body), &Credentials::test(), "ses");
    let address = head.path().strip_prefix(ADDRESSES).map(percent_decode);
    let mut list = lock(list);
    let reason = address.as_ref().and_then(|address| list.get(address).cloned());
    let (status, kind, answer) = match (signed, head.method.as_str(), address, reason) {
        (Err(why), ..) => (403, Some("SignatureDoesNotMatch"), json!({"message": why})),
        (_, "GET", Some(address), Some(reason)) => {
            let entry = json!({"EmailAddress": address, "Reason": reason, "LastUpdateTime": 1_772_699_412.0});
            (200, None, json!({"SuppressedDestination": entry}))
        }
        (_, "DELETE", Some(address), Some(_)) => {
            list.remove(&address);
            (200, None, json!({}))
        }
        (_, "GET" | "DELETE", Some(_), None) => {
            let message = "Email address does not exist on your suppression list.";
            (404, Some("NotFoundException"), json!({"message": message}))
        }
        _ => (
            404,
            Some("UnknownOperationException"),
            json!({"message": "no such operation"}),
        ),
    };
    let mut fields = vec![("content-type", "application/json")];
    fields.extend(kind.map(|kind| ("x-amzn-errortype", kind)));
    connection.answer(status, &fields, answer.to_string().as_bytes())?;
    Ok(Then::Go)
}
