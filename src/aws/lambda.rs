//! Lambda: the function, invoked from the command line.

use std::time::Duration;

use serde_json::Value;

use super::call::Caller;
use super::signed::encode;

/// An invocation takes 15 minutes at most.
const PATIENCE: Duration = Duration::from_secs(15 * 60 + 30);

/// A function of Lambda.
#[derive(Debug)]
pub struct Function {
    lambda: Caller,
    path: String,
}

impl Function {
    /// The function of this name or ARN, which may have a version or an alias.
    pub(super) fn new(lambda: Caller, name: &str) -> Self {
        let path = format!("/2015-03-31/functions/{}/invocations", encode(name));
        Function { lambda, path }
    }

    /// Invokes the function with an event, and waits for its end.
    ///
    /// # Errors
    /// Why the function failed, in its own words, or why it was not invoked.
    pub async fn invoke(&self, event: &Value) -> Result<(), String> {
        let fields = [
            ("content-type", "application/json"),
            ("x-amz-invocation-type", "RequestResponse"),
        ];
        let answer = self.lambda.post(&self.path, &fields, event, PATIENCE).await;
        let answer = answer.map_err(|error| format!("Lambda: {error} (lambda:InvokeFunction)"))?;
        if answer.field("x-amz-function-error").is_none() {
            return Ok(());
        }
        let error: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let message = error["errorMessage"].as_str();
        Err(message
            .unwrap_or("the function failed; its log says why")
            .to_owned())
    }
}
