//! Lambda: the function, invoked from the command line.

use std::time::Duration;

use serde_json::Value;

use super::signed::{Post, Signed};

/// An invocation takes 15 minutes at most.
const PATIENCE: Duration = Duration::from_secs(15 * 60 + 30);

/// A function of Lambda.
#[derive(Debug)]
pub struct Function {
    lambda: Signed,
    path: String,
}

impl Function {
    /// The function of this name or ARN, which may have a version or an alias.
    pub(super) fn new(lambda: Signed, name: &str) -> Self {
        let encoded: String = name
            .bytes()
            .map(|octet| match octet {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    char::from(octet).to_string()
                }
                _ => format!("%{octet:02X}"),
            })
            .collect();
        let path = format!("/2015-03-31/functions/{encoded}/invocations");
        Function { lambda, path }
    }

    /// Invokes the function with an event, and waits for its end.
    ///
    /// # Errors
    /// Why the function failed, in its own words, or why it was not invoked.
    pub async fn invoke(&self, event: &Value) -> Result<(), String> {
        let post = Post {
            path: &self.path,
            fields: &[
                ("content-type", "application/json"),
                ("x-amz-invocation-type", "RequestResponse"),
            ],
            body: event.to_string().into_bytes(),
            patience: PATIENCE,
        };
        let answer = self.lambda.post(&post).await;
        let answer = answer.map_err(|error| format!("Lambda: {error} (lambda:InvokeFunction)"))?;
        if !answer.is_of_failed_function {
            return Ok(());
        }
        let error: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let message = error["errorMessage"].as_str();
        Err(message
            .unwrap_or("the function failed; its log says why")
            .to_owned())
    }
}
