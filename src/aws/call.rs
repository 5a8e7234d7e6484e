//! A service that the command line calls itself, and its errors in words.

use std::time::Duration;

use aws_config::SdkConfig;
use serde_json::Value;

use super::signed::{Place, Reply, Request, Signer, Unanswered};

/// One service, in one region.
#[derive(Debug)]
pub(super) struct Caller {
    signer: Signer,
    place: Place,
}

impl Caller {
    /// Nothing is asked yet.
    pub(super) fn new(config: &SdkConfig, place: Place) -> Self {
        Caller {
            signer: Signer::new(config),
            place,
        }
    }

    /// Posts a request, and posts it again where the service is throttling or has a fault. One that is late is not made again:
    /// it may still be worked on.
    ///
    /// # Errors
    /// The service's own words, or why there is no answer.
    pub(super) async fn post(
        &self,
        target: &str,
        fields: &[(&'static str, &str)],
        body: &Value,
        patience: Duration,
    ) -> Result<Reply, String> {
        let body = body.to_string();
        let request = Request {
            method: "POST",
            target,
            fields,
            body: body.as_bytes(),
            patience,
        };
        let is_passing = |reply: &Result<Reply, Unanswered>| match reply {
            Ok(reply) => reply.is_passing(),
            Err(Unanswered::Late(_)) => false,
            Err(Unanswered::Failed(_)) => true,
        };
        let reply = self.signer.ask(&self.place, &request, is_passing).await;
        let reply = reply.map_err(|error| error.to_string())?;
        match reply.status {
            200..300 => Ok(reply),
            status => Err(format!("it answers {status} {}", error_of(&reply.body))),
        }
    }
}

/// The code and the message of an error.
fn error_of(body: &[u8]) -> String {
    let error: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |names: [&str; 2]| names.iter().find_map(|name| error[*name].as_str());
    let code = text(["__type", "code"]).unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or_default();
    let message = text(["message", "Message"]).unwrap_or_default();
    format!("{code} {message}").trim().to_owned()
}
