//! The Parameter Store of SSM: `GetParameter` and `GetParametersByPath` in JSON 1.1.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::http::{Connection, Head, Server, Then, Watch};
use super::sigv4::{Credentials, sha256_hex, verify};
use super::{Script, lock};

/// Parameters on a page of `GetParametersByPath`, at most and by default.
const PAGE: usize = 10;

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is served.
    None,
    /// 400 `ThrottlingException`.
    Throttle,
    /// 500 `InternalServerError`.
    Error,
    /// The connection is cut.
    Cut,
    /// 200 with a body that is not JSON.
    Rubbish,
    /// An error: status, `__type`.
    Refuse(u16, String),
}

/// A request that was served, or not.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// `GetParameter`, `GetParametersByPath`.
    pub operation: String,
    pub request: Value,
    /// `None`: cut.
    pub status: Option<u16>,
}

#[derive(Clone, Debug)]
struct Parameter {
    secure: bool,
    value: String,
    version: u64,
}

#[derive(Debug)]
struct State {
    parameters: Mutex<BTreeMap<String, Parameter>>,
    script: Script<Fault>,
    attempts: Mutex<Vec<Attempt>>,
}

/// The endpoint.
#[derive(Debug)]
pub struct Ssm {
    server: Server,
    state: Arc<State>,
}

impl Ssm {
    pub fn start() -> Self {
        let state = Arc::new(State {
            parameters: Mutex::default(),
            script: Script::new(Fault::None),
            attempts: Mutex::default(),
        });
        let serving = Arc::clone(&state);
        Ssm {
            server: Server::start(move |head, connection| serve(&serving, head, connection)),
            state,
        }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Shows each request to this one.
    pub fn watch(&self, watch: Watch) {
        self.server.watch(watch);
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Stores a `SecureString`.
    pub fn put(&self, name: &str, value: &str) {
        self.put_as(name, value, true);
    }

    /// Stores a `String`.
    pub fn put_plain(&self, name: &str, value: &str) {
        self.put_as(name, value, false);
    }

    fn put_as(&self, name: &str, value: &str, secure: bool) {
        let mut parameters = lock(&self.state.parameters);
        let version = parameters.get(name).map_or(1, |before| before.version + 1);
        let parameter = Parameter {
            secure,
            value: value.to_owned(),
            version,
        };
        parameters.insert(name.to_owned(), parameter);
    }

    /// What happens to the next requests, one fault each.
    pub fn script(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state.script.push(faults);
    }

    /// What happens to every request that [`script`](Self::script) says nothing about.
    pub fn stand(&self, fault: Fault) {
        self.state.script.stand(fault);
    }

    pub fn attempts(&self) -> Vec<Attempt> {
        lock(&self.state.attempts).clone()
    }
}

fn serve(state: &State, head: &Head, connection: &mut Connection) -> io::Result<Then> {
    let body = connection.read_body(head)?;
    connection.arrived(&body)?;
    let target = head.field("x-amz-target").unwrap_or_default();
    let operation = target.strip_prefix("AmazonSSM.").unwrap_or_default().to_owned();
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let refuse = |status: u16, kind: &str, message: &str| Err((status, kind.to_owned(), message.to_owned()));
    let signed = verify(head, &sha256_hex(&body), &Credentials::test(), "ssm");
    let served = match (state.script.next(), signed) {
        (_, Err(why)) => refuse(400, "InvalidSignatureException", &why),
        (Fault::Cut, _) => {
            lock(&state.attempts).push(Attempt {
                operation,
                request,
                status: None,
            });
            connection.cut();
            return Ok(Then::Close);
        }
        (Fault::Rubbish, _) => {
            connection.answer(200, &[], b"<html>")?;
            return Ok(Then::Go);
        }
        (Fault::Throttle, _) => refuse(400, "ThrottlingException", "Rate exceeded"),
        (Fault::Error, _) => refuse(500, "InternalServerError", "on the server side"),
        (Fault::Refuse(status, kind), _) => refuse(status, &kind, &kind),
        (Fault::None, _) => match operation.as_str() {
            "GetParameter" => one(state, &request),
            "GetParametersByPath" => by_path(state, &request),
            _ => refuse(400, "UnknownOperationException", ""),
        },
    };
    let (status, answer) = match served {
        Ok(answer) => (200, answer),
        Err((status, kind, message)) => (status, json!({"__type": kind, "message": message})),
    };
    lock(&state.attempts).push(Attempt {
        operation,
        request,
        status: Some(status),
    });
    let fields = [("content-type", "application/x-amz-json-1.1")];
    connection.answer(status, &fields, answer.to_string().as_bytes())?;
    Ok(Then::Go)
}

type Answer = Result<Value, (u16, String, String)>;

fn one(state: &State, request: &Value) -> Answer {
    let name = request["Name"].as_str().unwrap_or_default();
    let parameters = lock(&state.parameters);
    let parameter = parameters.get(name).ok_or_else(|| {
        let message = format!("Parameter {name} not found.");
        (400, "ParameterNotFound".to_owned(), message)
    })?;
    Ok(json!({"Parameter": parameter.told(name, request)}))
}

fn by_path(state: &State, request: &Value) -> Answer {
    let path = request["Path"].as_str().unwrap_or_default();
    if !path.starts_with('/') {
        let message = "The parameter path has to start with /".to_owned();
        return Err((400, "ValidationException".to_owned(), message));
    }
    let below = format!("{}/", path.trim_end_matches('/'));
    let recursive = request["Recursive"] == true;
    let parameters = lock(&state.parameters);
    let found: Vec<_> = parameters
        .iter()
        .filter(|(name, _)| {
            let rest = name.strip_prefix(&below);
            rest.is_some_and(|rest| recursive || !rest.contains('/'))
        })
        .map(|(name, parameter)| parameter.told(name, request))
        .collect();
    let start = request["NextToken"].as_str().and_then(|token| token.parse().ok());
    let start = start.unwrap_or(0_usize).min(found.len());
    let page = request["MaxResults"].as_u64().map_or(PAGE, |most| {
        usize::try_from(most).map_or(PAGE, |most| most.clamp(1, PAGE))
    });
    let end = (start + page).min(found.len());
    let mut answer = json!({"Parameters": found[start..end]});
    if end < found.len() {
        answer["NextToken"] = end.to_string().into();
    }
    Ok(answer)
}

impl Parameter {
    fn told(&self, name: &str, request: &Value) -> Value {
        let decrypted = !self.secure || request["WithDecryption"] == true;
        let value = if decrypted {
            self.value.as_str()
        } else {
            "AQICAHgEncryptedTextNobodyCanRead=="
        };
        json!({
            "Name": name, "Type": if self.secure { "SecureString" } else { "String" }, "Value": value,
            "Version": self.version, "LastModifiedDate": 1_772_699_412.0, "DataType": "text",
            "ARN": format!("arn:aws:ssm:eu-west-1:123456789012:parameter{name}"),
        })
    }
}
