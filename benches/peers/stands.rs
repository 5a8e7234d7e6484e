//! The stand-ins of AWS that the tests have, for a function that another program starts: `benches/peers/function` does.
//!
//! The program prints the addresses of the stand-ins, then reads commands from standard input, one a line, and answers each with
//! a line of JSON:
//! - `put ID FILE`: a mail arrives in the bucket;
//! - `invoke ID SECONDS`: the function is invoked with the event of that mail, and has so long to answer;
//! - `told`: what was asked of each service since the last time, and what SES has taken.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::io::{self, BufRead};

use serde_json::{Value, json};
use support::runtime_api::{Reply, RuntimeApi};
use support::s3::S3;
use support::ses::SesEndpoint;
use support::ssm::Ssm;

const BUCKET: &str = "mail";
const PREFIX: &str = "inbound/";
const MAP: &str = "/readdress/aliases";
const ALIAS: &str = "shop@example.com";
const TARGET: &str = "owner@example.net";

struct Stands {
    api: RuntimeApi,
    s3: S3,
    ses: SesEndpoint,
    ssm: Ssm,
    /// Requests of S3, SES and SSM that were told of.
    seen: [usize; 3],
}

fn main() {
    let mut stands = Stands {
        api: RuntimeApi::start(),
        s3: S3::start(),
        ses: SesEndpoint::start(),
        ssm: Ssm::start(),
        seen: [0; 3],
    };
    stands.ssm.put(MAP, &json!({ALIAS: [TARGET]}).to_string());
    println!(
        "{}",
        json!({
            "runtime": stands.api.address().to_string(), "s3": stands.s3.url(), "ses": stands.ses.url(),
            "ssm": stands.ssm.url(), "bucket": BUCKET, "prefix": PREFIX, "map": MAP, "alias": ALIAS, "target": TARGET,
        })
    );
    for line in io::stdin().lock().lines() {
        let line = line.expect("lines of text");
        let words: Vec<&str> = line.split(' ').collect();
        println!("{}", stands.answer(&words));
    }
}

impl Stands {
    fn answer(&mut self, words: &[&str]) -> Value {
        match words {
            ["put", id, file] => {
                let message = std::fs::read(file).expect("the file of a mail");
                self.s3.put(BUCKET, &format!("{PREFIX}{id}"), message);
                json!({})
            }
            ["invoke", id, seconds] => {
                let seconds = seconds.parse().expect("a number of seconds");
                let time = std::time::Duration::from_secs(seconds);
                match self.api.invoke_within(&event(id), time) {
                    Reply::Ok(answer) => json!({"answer": answer}),
                    Reply::Err(error) => json!({"error": error}),
                }
            }
            ["told"] => self.told(),
            _ => panic!("put, invoke or told: {words:?}"),
        }
    }

    fn told(&mut self) -> Value {
        let (s3, ses, ssm) = (self.s3.attempts(), self.ses.attempts(), self.ssm.attempts());
        let [s3_seen, ses_seen, ssm_seen] = self.seen;
        self.seen = [s3.len(), ses.len(), ssm.len()];
        let of = |method: &str| s3[s3_seen..].iter().filter(|a| a.method == method).count();
        let errors: Vec<_> = ses[ses_seen..].iter().filter_map(|a| a.error.clone()).collect();
        let sent: Vec<_> = self.ses.take_messages().iter().map(|m| m.raw.len()).collect();
        json!({
            "GET": of("GET"), "PUT": of("PUT"), "SendEmail": ses.len() - ses_seen, "GetParameter": ssm.len() - ssm_seen,
            "sent": sent, "errors": errors,
        })
    }
}

/// SES's event of a mail that has arrived for one recipient, with all verdicts good.
fn event(id: &str) -> Value {
    let pass = json!({"status": "PASS"});
    json!({"Records": [{"eventSource": "aws:ses", "eventVersion": "1.0", "ses": {
        "mail": {"messageId": id, "source": "jane@example.org", "destination": [ALIAS]},
        "receipt": {"recipients": [ALIAS], "spamVerdict": pass, "virusVerdict": pass, "spfVerdict": pass,
            "dkimVerdict": pass, "dmarcVerdict": pass,
            "action": {"type": "Lambda", "functionArn": "arn:aws:lambda:x", "invocationType": "Event"}}}}]})
}
