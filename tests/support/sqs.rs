//! A queue of SQS: what is in it is received, deleted and given back by signed requests in JSON 1.0.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::http::{Connection, Head, Server, Then};
use super::lock;
use super::sigv4::{Credentials, sha256_hex, verify};

/// The most messages that are handed out at once.
const MOST: usize = 10;

#[derive(Clone, Debug)]
struct Message {
    id: String,
    body: String,
    is_hidden: bool,
}

/// The endpoint, with one queue.
#[derive(Debug)]
pub struct Sqs {
    server: Server,
    messages: Arc<Mutex<Vec<Message>>>,
}

impl Sqs {
    pub fn start() -> Self {
        let messages = Arc::new(Mutex::new(Vec::new()));
        let queue = Arc::clone(&messages);
        Sqs {
            server: Server::start(move |head, connection| serve(&queue, head, connection)),
            messages,
        }
    }

    /// The URL of the queue.
    pub fn url(&self) -> String {
        format!("{}/123456789012/readdress-failed", self.server.url())
    }

    /// Puts a message into the queue.
    pub fn send(&self, body: &Value) {
        let mut messages = lock(&self.messages);
        let id = format!("q{}", messages.len());
        messages.push(Message {
            id,
            body: body.to_string(),
            is_hidden: false,
        });
    }

    /// The bodies of all messages that are in the queue.
    pub fn queued(&self) -> Vec<String> {
        lock(&self.messages)
            .iter()
            .map(|message| message.body.clone())
            .collect()
    }
}

fn serve(queue: &Mutex<Vec<Message>>, head: &Head, connection: &mut Connection) -> io::Result<Then> {
    let body = connection.read_body(head)?;
    if let Err(why) = verify(head, &sha256_hex(&body), &Credentials::test(), "sqs") {
        let answer = json!({"__type": "InvalidSignatureException", "message": why});
        connection.answer(403, &[], answer.to_string().as_bytes())?;
        return Ok(Then::Go);
    }
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let receipt = request["ReceiptHandle"].as_str().unwrap_or_default();
    let mut messages = lock(queue);
    let (status, answer) = match head.field("x-amz-target") {
        Some("AmazonSQS.ReceiveMessage") => {
            let seen = messages
                .iter_mut()
                .filter(|message| !message.is_hidden)
                .take(MOST);
            let handed: Vec<Value> = seen
                .map(|message| {
                    message.is_hidden = true;
                    json!({"MessageId": message.id, "ReceiptHandle": message.id, "Body": message.body})
                })
                .collect();
            (200, json!({"Messages": handed}))
        }
        Some("AmazonSQS.DeleteMessage") => {
            messages.retain(|message| message.id != receipt);
            (200, json!({}))
        }
        Some("AmazonSQS.ChangeMessageVisibility") => {
            for message in messages.iter_mut().filter(|message| message.id == receipt) {
                message.is_hidden = false;
            }
            (200, json!({}))
        }
        _ => (400, json!({"__type": "UnknownOperationException"})),
    };
    drop(messages);
    connection.answer(status, &[], answer.to_string().as_bytes())?;
    Ok(Then::Go)
}
