//! SQS: the queue of what failed, read from the command line.

use std::time::Duration;

use serde_json::{Value, json};

use super::call::Caller;

/// SQS answers at once but where it waits for messages.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most messages that SQS hands out at once.
const MOST: u32 = 10;

/// How long SQS waits for a message, in seconds. Without it, it asks only some of its machines, and may say that there are none.
const WAIT: u32 = 2;

/// A queue of SQS.
#[derive(Debug)]
pub struct Queue {
    sqs: Caller,
    url: String,
}

/// A message of a queue.
#[derive(Clone, Debug)]
pub struct QueueMessage {
    /// Names the message.
    pub id: String,
    /// Names this receipt of it.
    pub receipt: String,
    /// The text.
    pub body: String,
}

impl Queue {
    pub(super) fn new(sqs: Caller, url: String) -> Self {
        Queue { sqs, url }
    }

    /// Receives some messages, which nobody else is handed for so many seconds. None: there are none to be had.
    ///
    /// # Errors
    /// If SQS does not hand them out.
    pub async fn receive(&self, seconds: u32) -> Result<Vec<QueueMessage>, String> {
        let request = json!({
            "QueueUrl": self.url, "MaxNumberOfMessages": MOST, "WaitTimeSeconds": WAIT, "VisibilityTimeout": seconds,
        });
        let fields = &[JSON, ("x-amz-target", "AmazonSQS.ReceiveMessage")];
        let answer = self.ask(fields, &request, "sqs:ReceiveMessage").await?;
        let mut messages = Vec::new();
        for message in answer["Messages"].as_array().into_iter().flatten() {
            let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
            messages.push(QueueMessage {
                id: text("MessageId"),
                receipt: text("ReceiptHandle"),
                body: text("Body"),
            });
        }
        Ok(messages)
    }

    /// Deletes a message that was received.
    ///
    /// # Errors
    /// If SQS does not delete it.
    pub async fn delete(&self, message: &QueueMessage) -> Result<(), String> {
        let request = json!({"QueueUrl": self.url, "ReceiptHandle": message.receipt});
        let fields = &[JSON, ("x-amz-target", "AmazonSQS.DeleteMessage")];
        self.ask(fields, &request, "sqs:DeleteMessage").await.map(|_| ())
    }

    /// Gives a message back: whoever asks next may be handed it.
    ///
    /// # Errors
    /// If SQS does not take it.
    pub async fn give_back(&self, message: &QueueMessage) -> Result<(), String> {
        let request = json!({"QueueUrl": self.url, "ReceiptHandle": message.receipt, "VisibilityTimeout": 0});
        let fields = &[JSON, ("x-amz-target", "AmazonSQS.ChangeMessageVisibility")];
        self.ask(fields, &request, "sqs:ChangeMessageVisibility")
            .await
            .map(|_| ())
    }

    async fn ask(
        &self,
        fields: &[(&'static str, &'static str)],
        request: &Value,
        permission: &str,
    ) -> Result<Value, String> {
        let answer = self.sqs.post("/", fields, request, PATIENCE).await;
        let answer = answer.map_err(|error| format!("the queue: {error} ({permission})"))?;
        // Some answers have no body.
        Ok(serde_json::from_slice(&answer.body).unwrap_or_default())
    }
}

const JSON: (&str, &str) = ("content-type", "application/x-amz-json-1.0");
