//! The same with mail in S3, a queue of SQS and the function, all on loopback.

use std::process::Command;

use serde_json::{Value, json};

use super::support::lambda::{Invocation, Lambda};
use super::support::moto::Moto;
use super::{Done, MESSAGE, readdress, run};

struct Account {
    moto: Moto,
    lambda: Lambda,
}

impl Account {
    fn start() -> Self {
        Account {
            moto: Moto::start(),
            lambda: Lambda::start(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Done {
        let mut command: Command = readdress(arguments);
        command
            .env("AWS_ENDPOINT_URL_S3", self.moto.url())
            .env("AWS_ENDPOINT_URL_LAMBDA", self.lambda.url())
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("EMAIL_BUCKET", "mail")
            .env("EMAIL_PREFIX", "inbound/");
        run(&mut command)
    }

    fn store(&self, id: &str, outcome: &str, reason: Option<&str>) {
        let page = json!({
            "message_id": id,
            "arrival": {"recipients": ["shop@example.com", "x@example.com"], "envelope_sender": "zoe@example.org"},
            "sent": [], "written_at": 1_790_000_000,
            "outcomes": {"shop@example.com": {"outcome": outcome, "reason": reason, "at": 1_790_000_000}},
        });
        self.moto
            .put_object("mail", &format!("inbound/{id}"), MESSAGE.as_bytes());
        self.moto
            .put_object("mail", &format!("ledger/{id}.json"), page.to_string().as_bytes());
    }
}

fn failure(id: &str) -> String {
    let event = json!({"Records": [{"eventSource": "aws:ses", "ses": {
        "mail": {"messageId": id, "source": "zoe@example.org"},
        "receipt": {"recipients": ["shop@example.com"]}}}]});
    json!({"version": "1.0", "requestPayload": event, "responsePayload": {"errorMessage": "no"}}).to_string()
}

fn recorded(event: &Value) -> (&Value, &Value, &Value) {
    let record = &event["Records"][0];
    (
        &record["messageId"],
        &record["order"],
        &record["arrival"]["recipients"],
    )
}

#[test]
fn the_function_is_invoked_with_what_is_left() {
    let account = Account::start();
    account.store("m1", "held", Some("spam"));
    account.store("m2", "failed", None);
    account.store("m3", "sent", None);
    let held = account.command(&["held", "--json"]);
    assert_eq!(held.json()[0]["bytes"], MESSAGE.len(), "{}", held.stderr);
    let nobody = account.command(&["redrive"]);
    assert!(
        nobody.code == 2 && nobody.stderr.contains("--function"),
        "{}",
        nobody.stderr
    );

    account.lambda.script([Invocation::Refused(500), Invocation::Ok]);
    let redriven = account.command(&["redrive", "--outcome", "failed", "--function", "readdress:live"]);
    assert_eq!(
        (redriven.code, &*redriven.stdout),
        (0, "m2  done\n"),
        "{}",
        redriven.stderr
    );
    let invoked = account.lambda.invoked();
    assert_eq!(invoked.len(), 2, "Lambda's own fault passes");
    assert_eq!(invoked[1].0, "/2015-03-31/functions/readdress%3Alive/invocations");
    let recipients = json!(["shop@example.com"]);
    assert_eq!(
        recorded(&invoked[1].1),
        (&json!("m2"), &json!("forward"), &recipients)
    );

    // The page says that it is held still, whatever the function's answer is.
    let released = account.command(&["release", "m1", "--function", "readdress"]);
    assert_eq!((released.code, &*released.stdout), (1, "m1  still held (spam)\n"));
    let invoked = account.lambda.invoked();
    assert_eq!(
        recorded(&invoked[2].1),
        (&json!("m1"), &json!("release"), &recipients)
    );

    account.lambda.script([Invocation::Failed(
        "1 of 1 recipients did not get their mail".to_owned(),
    )]);
    let failed = account.command(&["redrive", "--outcome", "failed", "--function", "readdress"]);
    assert_eq!(failed.code, 1);
    assert!(
        failed.stdout.contains("m2  not done: 1 of 1 recipients"),
        "{}",
        failed.stdout
    );
    let refused = account.command(&["show", "m9"]);
    assert!(
        refused.code == 1 && refused.stderr.contains("m9"),
        "{}",
        refused.stderr
    );
}

/// Catches a message that is deleted before its mail is settled, and one that the next run does not find.
#[test]
fn a_queue_is_worked_off() {
    let account = Account::start();
    // Only what is left of it is in the bucket.
    account.store("m0", "sent", None);
    let queue = account.moto.create_queue("readdress-failed");
    for body in [failure("m1"), failure("m2"), "rubbish".to_owned()] {
        account.moto.send_message(&queue, &body);
    }
    let redrive = |more: &[&str]| {
        account.command(&[&["redrive", "--function", "readdress", "--queue", &queue], more].concat())
    };
    let dry = redrive(&["--dry-run"]);
    assert_eq!(
        dry.stdout.matches("would be tried").count(),
        2,
        "{}{}",
        dry.stdout,
        dry.stderr
    );
    assert!(account.lambda.invoked().is_empty());

    // Which of the two fails, the queue decides.
    account.lambda.script([Invocation::Failed("not now".to_owned())]);
    let first = redrive(&[]);
    assert_eq!(first.code, 1);
    assert!(first.stderr.contains("1 done, 2 not done"), "{}", first.stderr);
    assert_eq!(account.moto.queued(&queue), 2);
    let second = redrive(&[]);
    assert!(
        second.stderr.contains("1 done, 1 not done"),
        "{}{}",
        second.stdout,
        second.stderr
    );
    assert!(second.stdout.contains("it is not JSON"), "{}", second.stdout);
    assert_eq!(
        (account.moto.queued(&queue), account.lambda.invoked().len()),
        (1, 3)
    );
}
