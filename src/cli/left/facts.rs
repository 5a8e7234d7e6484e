//! The facts about a stored mail by which its owner knows it.

use serde::Serialize;

use readdress::arrival::Arrival;
use readdress::forward::{Inbox, read_head};
use readdress::header::encoded_word;
use readdress::header::mailbox::parse_address_list;
use readdress::rewrite::Head;

use super::neutral;

/// The most characters of a text that is shown.
const SHOWN: usize = 120;

/// The size of a mail, who wrote it, and its subject.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Facts {
    pub(super) bytes: u64,
    pub(super) from: String,
    pub(super) subject: String,
}

impl Facts {
    /// Reads them from the header section.
    pub(super) async fn read(inbox: &Inbox, arrival: &Arrival) -> Result<Self, String> {
        let (source, mut stream) = inbox.find(arrival).await.map_err(|error| error.to_string())?;
        let head = read_head(&mut stream).await.map_err(|error| error.to_string())?;
        Ok(Facts {
            bytes: source.octets(),
            from: from(&head),
            subject: decoded(&head, "subject"),
        })
    }
}

fn from(head: &Head) -> String {
    let Some(field) = head.header.first("from") else {
        return String::new();
    };
    let mailboxes = parse_address_list(field.body());
    let Some(mailbox) = mailboxes.first() else {
        return decoded(head, "from");
    };
    shown(&match &mailbox.name {
        Some(name) => format!("{name} <{}>", mailbox.address),
        None => mailbox.address.to_string(),
    })
}

fn decoded(head: &Head, name: &str) -> String {
    let field = head.header.first(name);
    shown(&field.map_or(String::new(), |field| encoded_word::decode(field.body())))
}

/// One line of bounded length, without anything that a terminal would obey.
fn shown(text: &str) -> String {
    let cut: String = text.trim().chars().take(SHOWN).collect();
    neutral::line(&cut)
}
