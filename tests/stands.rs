//! The stand-ins of AWS, tested themselves: a stand-in that takes what AWS refuses hides a defect, one that refuses
//! what AWS takes invents one.

#[path = "stands/services.rs"]
mod services;
#[path = "stands/ses.rs"]
mod ses;
#[path = "stands/signature.rs"]
mod signature;
mod support;

use serde_json::{Value, json};
use support::http::{Answer, Client, Head};
use support::ses::SesEndpoint;
use support::sigv4;

const SEND: &str = "/v2/email/outbound-emails";
const MAIL: &str = "From: Shop <shop@example.com>\r\nTo: jane@example.net\r\nSubject: hi\r\n\r\nbody\r\n";

fn request_of(raw: &[u8], to: &[&str]) -> Value {
    json!({
        "FromEmailAddress": "shop@example.com", "Destination": {"ToAddresses": to},
        "Content": {"Raw": {"Data": base64_simd::STANDARD.encode_to_string(raw)}},
    })
}

fn ask(ses: &SesEndpoint, request: &Value) -> Answer {
    ask_on(&mut Client::connect(ses.address()).unwrap(), request).unwrap()
}

fn ask_on(client: &mut Client, request: &Value) -> std::io::Result<Answer> {
    let fields = [("content-type", "application/json")];
    let body = request.to_string();
    sigv4::signed_request(client, "ses", "POST", SEND, &fields, body.as_bytes())
}

/// The answer to a mail: 200, or status, errortype and message.
fn outcome(ses: &SesEndpoint, mail: &str) -> String {
    told(&ask(ses, &request_of(mail.as_bytes(), &["jane@example.net"])))
}

fn told(answer: &Answer) -> String {
    if answer.status == 200 {
        return "200".to_owned();
    }
    let kind = answer.field("x-amzn-errortype").unwrap_or_default();
    let message = answer.json()["message"].as_str().unwrap_or_default().to_owned();
    format!("{} {kind} {message}", answer.status)
}

fn head(method: &str, target: &str, fields: &[(&str, &str)]) -> Head {
    let fields = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    Head {
        method: method.to_owned(),
        target: target.to_owned(),
        fields: fields.collect(),
        connection: 0,
    }
}
