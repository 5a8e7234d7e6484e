//! Whatever a reading tool asks of an account: recorded answers by service and operation, for signed requests alone.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use super::http::{Connection, Head, Server, Then, percent_decode};
use super::lock;
use super::sigv4::{Credentials, sha256_hex, verify};

/// Answers by what is asked: `ses GET /v2/email/account`, `sts GetCallerIdentity`, `ssm GetParameter`, and the last two with a
/// detail behind them where the same operation is asked for several things.
pub type Answers = BTreeMap<String, (u16, String)>;

/// The parameters that tell requests for the same operation apart.
const DETAILS: [&str; 2] = ["ActionNames.member.1", "MetricName"];

/// All endpoints in one.
#[derive(Debug)]
pub struct Account {
    server: Server,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Account {
    pub fn start(answers: Answers) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let server = Server::start(move |head, connection| serve(&answers, &seen, head, connection));
        Account { server, requests }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// What was asked, in its order; what there is no answer for begins with `?`.
    pub fn requests(&self) -> Vec<String> {
        lock(&self.requests).clone()
    }
}

fn serve(
    answers: &Answers,
    requests: &Mutex<Vec<String>>,
    head: &Head,
    connection: &mut Connection,
) -> io::Result<Then> {
    let body = connection.read_body(head)?;
    // Credential=AKID/20260305/eu-west-1/ses/aws4_request
    let scope = head.field("authorization").unwrap_or_default();
    let service = scope.split('/').nth(3).unwrap_or_default();
    if let Err(why) = verify(head, &sha256_hex(&body), &Credentials::test(), service) {
        let answer = format!(r#"{{"__type": "InvalidSignatureException", "message": "{why}"}}"#);
        connection.answer(403, &[], answer.as_bytes())?;
        return Ok(Then::Go);
    }
    let form = String::from_utf8_lossy(&body);
    let parameter = |name: &str| {
        let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
        let mut values = pairs.filter(|(other, _)| percent_decode(other) == name);
        values.next().map(|(_, value)| percent_decode(value))
    };
    let target = head
        .field("x-amz-target")
        .and_then(|target| target.split('.').next_back());
    let asked = match (target, parameter("Action")) {
        (Some(operation), _) => format!("{service} {operation}"),
        (None, Some(action)) => format!("{service} {action}"),
        (None, None) => format!("{service} {} {}", head.method, head.target),
    };
    let detail = probed(&body).or_else(|| DETAILS.iter().find_map(|name| parameter(name)));
    let detailed = detail.map(|detail| format!("{asked} {detail}"));
    let found = detailed.and_then(|detailed| answers.get(&detailed));
    let found = found.or_else(|| answers.get(&asked));
    lock(requests).push(format!("{}{asked}", if found.is_some() { "" } else { "?" }));
    match found {
        // The answer to a HEAD has fields and no body; what is recorded is the bucket's region.
        Some((status, region)) if head.method == "HEAD" => {
            connection.answer(*status, &[("x-amz-bucket-region", region)], b"")?;
        }
        Some((status, answer)) => connection.answer(*status, &[], answer.as_bytes())?,
        None => connection.answer(400, &[], br#"{"__type": "UnknownOperationException"}"#)?,
    }
    Ok(Then::Go)
}

/// The last word of the mark that `readdress probe` gives each of its mails, if the body is a SendEmail of one.
fn probed(body: &[u8]) -> Option<String> {
    let request: serde_json::Value = serde_json::from_slice(body).ok()?;
    let data = request.pointer("/Content/Raw/Data")?.as_str()?;
    let mail = base64_simd::STANDARD.decode_to_vec(data).ok()?;
    let mail = String::from_utf8_lossy(&mail).into_owned();
    let mark = mail
        .lines()
        .find(|line| line.starts_with("X-Readdress-Probe: "))?;
    mark.rsplit(' ').next().map(str::to_owned)
}
