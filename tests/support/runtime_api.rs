//! The Lambda Runtime API, version 2018-06-01, for one `bootstrap`.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::bootstrap::Bootstrap;
use super::http::{Connection, Head, Server, Then, Watch};
use super::lock;

const RUNTIME: &str = "/2018-06-01/runtime/";
/// How long an invocation may take if the test does not say.
const DEADLINE: Duration = Duration::from_mins(1);
/// How long an answer is waited for beyond the deadline: what overruns is then told apart from what hangs.
const GRACE: Duration = Duration::from_secs(10);

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    Ok(Value),
    /// The error object: `errorType`, `errorMessage`.
    Err(Value),
}

impl Reply {
    /// What the function returned; panics if it failed.
    pub fn unwrap(self) -> Value {
        match self {
            Reply::Ok(value) => value,
            Reply::Err(error) => panic!("the invocation failed: {error}"),
        }
    }

    /// How the function failed; panics if it did not.
    pub fn unwrap_err(self) -> Value {
        match self {
            Reply::Ok(value) => panic!("the invocation did not fail: {value}"),
            Reply::Err(error) => error,
        }
    }
}

#[derive(Debug)]
struct Invocation {
    id: String,
    payload: String,
    deadline: SystemTime,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Invocation>,
    waiting: HashMap<String, Sender<Reply>>,
    count: u64,
    first_poll: Option<Instant>,
    init_error: Option<Value>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// The API.
#[derive(Debug)]
pub struct RuntimeApi {
    server: Server,
    shared: Arc<Shared>,
}

impl RuntimeApi {
    pub fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        RuntimeApi {
            server: Server::start(move |head, connection| serve(&serving, head, connection)),
            shared,
        }
    }

    /// `AWS_LAMBDA_RUNTIME_API`: host and port.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Shows each request to this one.
    pub fn watch(&self, watch: Watch) {
        self.server.watch(watch);
    }

    /// Ends all invocations that have no answer, as Lambda does where the program has ended.
    pub fn exited(&self) {
        let waiting = std::mem::take(&mut lock(&self.shared.state).waiting);
        for sender in waiting.into_values() {
            let error = json!({"errorType": "Runtime.ExitError",
                "errorMessage": "Error: Runtime exited with error: signal: killed"});
            let _ = sender.send(Reply::Err(error));
        }
    }

    /// Starts the program with the environment that Lambda gives it, and `env`; nothing else is set.
    pub fn spawn_bootstrap(&self, program: &Path, env: &[(&str, &str)]) -> Bootstrap {
        let lambda = [
            ("AWS_LAMBDA_RUNTIME_API", self.address().to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", "readdress".to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/readdress".to_owned()),
            (
                "AWS_LAMBDA_LOG_STREAM_NAME",
                "2026/03/05/[$LATEST]0123456789abcdef".to_owned(),
            ),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("AWS_REGION", "eu-west-1".to_owned()),
            ("AWS_DEFAULT_REGION", "eu-west-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIDTEST".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ("TZ", ":UTC".to_owned()),
            ("LANG", "en_US.UTF-8".to_owned()),
        ];
        let given = env.iter().map(|(name, value)| (*name, (*value).to_owned()));
        Bootstrap::spawn(program, lambda.into_iter().chain(given))
    }

    /// Waits for the first poll, the end of the init phase.
    ///
    /// # Panics
    /// If it does not come in time, or the init phase ends with an error.
    pub fn wait_for_poll(&self, patience: Duration) -> Instant {
        let state = lock(&self.shared.state);
        let waiting = |state: &mut State| state.first_poll.is_none() && state.init_error.is_none();
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, patience, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        assert_eq!(state.init_error, None, "the init phase failed");
        state.first_poll.expect("a poll in time")
    }

    /// What was told to `init/error`.
    pub fn init_error(&self, patience: Duration) -> Option<Value> {
        let state = lock(&self.shared.state);
        let waiting = |state: &mut State| state.init_error.is_none();
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, patience, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        state.init_error.clone()
    }

    /// Invokes the function and waits for its answer.
    ///
    /// # Panics
    /// If none comes.
    pub fn invoke(&self, payload: &Value) -> Reply {
        self.invoke_within(payload, DEADLINE)
    }

    /// The same, with this much time on the clock.
    ///
    /// # Panics
    /// If no answer comes.
    pub fn invoke_within(&self, payload: &Value, time: Duration) -> Reply {
        let (sender, receiver) = mpsc::channel();
        {
            let mut state = lock(&self.shared.state);
            state.count += 1;
            let id = format!("8476a536-e9f4-11e8-9739-{:012x}", state.count);
            state.waiting.insert(id.clone(), sender);
            state.queue.push_back(Invocation {
                id,
                payload: payload.to_string(),
                deadline: SystemTime::now() + time,
            });
        }
        self.shared.changed.notify_all();
        receiver
            .recv_timeout(time + GRACE)
            .expect("an answer of the function in time")
    }
}

fn serve(shared: &Shared, head: &Head, connection: &mut Connection) -> io::Result<Then> {
    let body = connection.read_body(head)?;
    connection.arrived(&body)?;
    let path = head.path().strip_prefix(RUNTIME).unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    match (head.method.as_str(), &parts[..]) {
        ("GET", ["invocation", "next"]) => return next(shared, connection),
        ("POST", ["invocation", id, how @ ("response" | "error")]) => {
            let value = json_or_text(&body);
            let reply = if *how == "error" {
                Reply::Err(value)
            } else {
                Reply::Ok(value)
            };
            let Some(sender) = lock(&shared.state).waiting.remove(*id) else {
                let error = br#"{"errorMessage":"no such invocation","errorType":"InvalidRequestID"}"#;
                connection.answer(400, &[], error)?;
                return Ok(Then::Go);
            };
            // Answered first: the test may stop everything as soon as it has the reply. The function may have been killed meanwhile.
            let answered = connection.answer(202, &[], br#"{"status":"OK"}"#);
            let _ = sender.send(reply);
            answered?;
        }
        ("POST", ["init", "error"]) => {
            lock(&shared.state).init_error = Some(json_or_text(&body));
            shared.changed.notify_all();
            connection.answer(202, &[], br#"{"status":"OK"}"#)?;
        }
        _ => connection.answer(404, &[], b"{}")?,
    }
    Ok(Then::Go)
}

fn json_or_text(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| String::from_utf8_lossy(body).into())
}

/// Waits for an invocation; Lambda lets the poll hang just so.
fn next(shared: &Shared, connection: &mut Connection) -> io::Result<Then> {
    let mut state = lock(&shared.state);
    state.first_poll.get_or_insert_with(Instant::now);
    shared.changed.notify_all();
    let invocation = loop {
        if connection.is_stopped() {
            return Ok(Then::Close);
        }
        if let Some(invocation) = state.queue.pop_front() {
            break invocation;
        }
        // The stop is seen at the next look.
        let look = Duration::from_millis(50);
        let woken = shared.changed.wait_timeout(state, look);
        state = woken.unwrap_or_else(PoisonError::into_inner).0;
    };
    drop(state);
    let deadline = invocation.deadline.duration_since(UNIX_EPOCH);
    let deadline = deadline.map_err(io::Error::other)?.as_millis().to_string();
    let fields = [
        ("content-type", "application/json"),
        ("lambda-runtime-aws-request-id", invocation.id.as_str()),
        ("lambda-runtime-deadline-ms", deadline.as_str()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-west-1:123456789012:function:readdress",
        ),
        (
            "lambda-runtime-trace-id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
        ),
    ];
    connection.answer(200, &fields, invocation.payload.as_bytes())?;
    Ok(Then::Go)
}
