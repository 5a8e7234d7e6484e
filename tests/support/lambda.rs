//! Lambda's Invoke: what it was invoked with, and the answers that it is told to give.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::http::{Connection, Head, Server, Then};
use super::sigv4::{Credentials, sha256_hex, verify};
use super::{Script, lock};

/// The answer to an invocation.
#[derive(Clone, Debug)]
pub enum Invocation {
    /// The function ends well.
    Ok,
    /// The function fails with this message.
    Failed(String),
    /// Lambda itself answers so.
    Refused(u16),
}

/// Who is invoked.
type Function = dyn Fn(&Value) -> Invocation + Send + Sync;

/// The endpoint, for signed requests alone.
pub struct Lambda {
    server: Server,
    state: Arc<State>,
}

struct State {
    script: Script<Invocation>,
    /// Answers in place of the script.
    function: Option<Box<Function>>,
    invoked: Mutex<Vec<(String, Value)>>,
}

impl Lambda {
    pub fn start() -> Self {
        Self::with(None)
    }

    /// With a function that is invoked.
    pub fn of(function: impl Fn(&Value) -> Invocation + Send + Sync + 'static) -> Self {
        Self::with(Some(Box::new(function)))
    }

    fn with(function: Option<Box<Function>>) -> Self {
        let state = Arc::new(State {
            script: Script::new(Invocation::Ok),
            function,
            invoked: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        Lambda {
            server: Server::start(move |head, connection| serve(&shared, head, connection)),
            state,
        }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    pub fn script(&self, answers: impl IntoIterator<Item = Invocation>) {
        self.state.script.push(answers);
    }

    /// The paths and the events, in their order.
    pub fn invoked(&self) -> Vec<(String, Value)> {
        lock(&self.state.invoked).clone()
    }
}

fn serve(state: &State, head: &Head, connection: &mut Connection) -> io::Result<Then> {
    let body = connection.read_body(head)?;
    if let Err(why) = verify(head, &sha256_hex(&body), &Credentials::test(), "lambda") {
        let answer = format!(r#"{{"Type": "User", "Message": "{why}"}}"#);
        connection.answer(403, &[], answer.as_bytes())?;
        return Ok(Then::Go);
    }
    if head.method != "POST" || head.field("x-amz-invocation-type") != Some("RequestResponse") {
        connection.answer(400, &[], b"{}")?;
        return Ok(Then::Go);
    }
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    lock(&state.invoked).push((head.path().to_owned(), event.clone()));
    let answer = match &state.function {
        Some(function) => function(&event),
        None => state.script.next(),
    };
    match answer {
        Invocation::Ok => connection.answer(200, &[], br#"{"batchItemFailures": []}"#)?,
        Invocation::Failed(message) => {
            let error = serde_json::json!({"errorType": "NotForwarded", "errorMessage": message});
            let failed = [("x-amz-function-error", "Unhandled")];
            connection.answer(200, &failed, error.to_string().as_bytes())?;
        }
        Invocation::Refused(status) => connection.answer(status, &[], br#"{"Message": "no"}"#)?,
    }
    Ok(Then::Go)
}
