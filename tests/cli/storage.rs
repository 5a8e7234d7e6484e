//! The true causes of what storage refuses: each names its place, and says nothing of the SDK's inside.

use std::fs;

use serde_json::json;

use super::{Trial, event, outcomes_of};

/// The cause and the error of a mail that is not sent.
fn failure(trial: &Trial, more: &[&str]) -> (String, String) {
    let (code, outcomes) = trial.forward(&event("m1", &["shop@example.com"]), more);
    assert_eq!((code, outcomes_of(&outcomes)), (1, vec!["failed"]));
    let text = |member: &str| outcomes[0][member].as_str().unwrap_or_default().to_owned();
    (text("cause"), text("error"))
}

fn trial() -> Trial {
    Trial::new(&json!({"shop@example.com": "a@example.net"}))
}

#[test]
fn a_directory_that_is_not_there_is_told_from_a_message_that_is_not() {
    let trial = trial();
    let none = format!("file:{}", trial.path("none").display());
    let (cause, error) = failure(&trial, &["--email-bucket", &none]);
    assert_eq!(cause, "configuration");
    assert!(
        error.contains(&none[5..]) && error.contains("EMAIL_BUCKET"),
        "{error}"
    );
    let (cause, error) = failure(&trial, &["--email-prefix", "outbound/"]);
    assert_eq!(cause, "not_found");
    assert!(error.contains("outbound/m1"), "{error}");
}

#[test]
fn an_outbox_that_cannot_be_written_is_named() {
    let trial = trial();
    fs::write(trial.path("file"), "").unwrap();
    let below = format!("file:{}", trial.path("file/outbox").display());
    let (cause, error) = failure(&trial, &["--outbox", &below]);
    assert_eq!(cause, "configuration");
    assert!(error.contains(&below[5..]) && error.contains("OUTBOX"), "{error}");
}

/// Catches drafts that pile up in the outbox.
#[test]
fn the_next_run_removes_the_draft_of_one_that_was_interrupted() {
    let trial = trial();
    fs::create_dir(trial.path("outbox")).unwrap();
    fs::write(trial.path("outbox/.m0.1.0.draft"), "half a mess").unwrap();
    let (code, _) = trial.forward(&event("m1", &["shop@example.com"]), &[]);
    assert_eq!(code, 0);
    assert_eq!(trial.outbox(), ["m1.0.eml", "m1.0.json"]);
}

#[cfg(feature = "aws")]
mod aws {
    use std::process::{Command, Output};

    use serde_json::Value;

    use super::super::support::s3::{Fault, S3};
    use super::super::support::ssm::{self, Ssm};
    use super::super::{MESSAGE, readdress, text};
    use super::*;

    const KEYS: [(&str, &str); 3] = [
        ("AWS_ACCESS_KEY_ID", "AKIDTEST"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "eu-west-1"),
    ];

    /// Without the variables whose names begin with `without`.
    fn keys(command: &mut Command, without: Option<&str>) {
        let is_kept = |name: &str| without.is_none_or(|without| !name.starts_with(without));
        command.envs(KEYS.into_iter().filter(|(name, _)| is_kept(name)));
    }

    fn assert_plain(said: &str) {
        for dump in [
            "DispatchFailure",
            "SdkBody",
            "ServiceError",
            "Response {",
            "Extensions",
        ] {
            assert!(!said.contains(dump), "{said}");
        }
    }

    /// A mail in this bucket that is not sent: cause and error.
    fn refused(s3: &str, without: Option<&str>) -> (String, String) {
        let trial = trial();
        fs::write(
            trial.path("event.json"),
            event("m1", &["shop@example.com"]).to_string(),
        )
        .unwrap();
        let mut command = trial.command(&["--email-bucket", "mail"]);
        keys(&mut command, without);
        command
            .env("AWS_ENDPOINT_URL_S3", s3)
            .arg(trial.path("event.json"));
        let output = command.output().unwrap();
        let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |member: &str| outcome[member].as_str().unwrap_or_default().to_owned();
        (text("cause"), text("error"))
    }

    #[test]
    fn each_fault_of_s3_has_its_cause_and_names_the_bucket() {
        let s3 = S3::start();
        let refuse = |status, code: &str| vec![Fault::Refuse(status, code.to_owned()); 3];
        for (faults, cause, says) in [
            (refuse(403, "AccessDenied"), "denied", "s3:GetObject"),
            (refuse(503, "ServiceUnavailable"), "unavailable", "S3 answers 503"),
            (refuse(503, "SlowDown"), "throttled", "SlowDown"),
            (
                refuse(404, "NoSuchBucket"),
                "configuration",
                "no bucket of this name",
            ),
            (refuse(403, "InvalidAccessKeyId"), "configuration", "AWS_PROFILE"),
            (Vec::new(), "not_found", "no such object"),
        ] {
            let s3 = S3::start();
            s3.put("mail", "inbound/other", MESSAGE);
            s3.script(faults);
            let (told, error) = refused(&s3.url(), None);
            assert_eq!(told, cause, "{error}");
            assert!(
                error.contains("the bucket mail") && error.contains(says),
                "{error}"
            );
            assert_plain(&error);
        }
        for (url, without, cause, says) in [
            (&*s3.url(), Some("AWS_REGION"), "configuration", "set AWS_REGION"),
            (&*s3.url(), Some("AWS_"), "configuration", "set AWS_REGION"),
            (&*s3.url(), Some("AWS_ACCESS"), "configuration", "AWS_PROFILE"),
            // Port 9 of loopback discards, if anybody listens there at all.
            ("http://127.0.0.1:9", None, "unavailable", "could not be reached"),
        ] {
            let (told, error) = refused(url, without);
            assert_eq!(told, cause, "{error}");
            assert!(
                error.contains("the bucket mail") && error.contains(says),
                "{error}"
            );
            assert_plain(&error);
        }
    }

    fn check(map: &str, s3: &S3, ssm: &Ssm) -> Output {
        let mut command = readdress(&["aliases", "check", map]);
        keys(&mut command, None);
        command
            .env("AWS_ENDPOINT_URL_S3", s3.url())
            .env("AWS_ENDPOINT_URL_SSM", ssm.url());
        command.output().unwrap()
    }

    #[test]
    fn a_map_is_checked_where_it_is_and_its_place_is_named() {
        let (s3, ssm) = (S3::start(), Ssm::start());
        let map = r#"{"shop@example.com": "a@example.net"}"#;
        s3.put("conf", "aliases.json", map);
        ssm.put("/readdress/aliases", map);
        for place in ["s3://conf/aliases.json", "/readdress/aliases"] {
            let output = check(place, &s3, &ssm);
            assert!(output.status.success(), "{}", text(&output.stderr));
            assert!(text(&output.stdout).contains(&format!("{place}: 1 alias, ")));
        }
        for (place, says) in [
            ("s3://conf/none.json", "no such object"),
            ("/readdress/none", "no such parameter"),
            ("aliases.jso", "no file has this name either"),
        ] {
            let output = check(place, &s3, &ssm);
            assert_eq!(output.status.code(), Some(1));
            let said = text(&output.stderr);
            assert!(said.contains(place) && said.contains(says), "{said}");
            assert_plain(&said);
        }
        ssm.stand(ssm::Fault::Refuse(400, "AccessDeniedException".to_owned()));
        let said = text(&check("/readdress/aliases", &s3, &ssm).stderr);
        assert!(said.contains("ssm:GetParameter"), "{said}");
        assert_plain(&said);
    }
}
