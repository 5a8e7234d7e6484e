//! `readdress doctor` on an account that is set up right, and on one that is wrong in one way after the other.
#![cfg(feature = "doctor")]

#[path = "doctor/probe.rs"]
mod probe;
mod support;
#[path = "doctor/world.rs"]
mod world;
#[path = "doctor/wrong.rs"]
mod wrong;
#[path = "doctor/wrong_forwarding.rs"]
mod wrong_forwarding;
#[path = "doctor/wrong_receiving.rs"]
mod wrong_receiving;

use std::process::{Command, Output};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sesv2::config::{Credentials, SharedCredentialsProvider};
use serde_json::Value;

use readdress::doctor::checks::CHECKS;
use readdress::doctor::facts::Facts;
use readdress::doctor::finding::{Answer, Finding, Report, run};
use readdress::doctor::inputs::Inputs;
use readdress::doctor::look_with;
use readdress::executor::block_on;
use support::account::Account;
use support::dns::NameServer;
use support::moto::Moto;
use world::World;

/// The configuration of clients of this account.
fn config(account: &Account) -> SdkConfig {
    let credentials = Credentials::new("AKIDTEST", "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(account.url())
        .build()
}

/// The facts of a world, read over HTTP and DNS.
fn look(account: &Account, names: &NameServer) -> Facts {
    let config = config(account);
    let inputs = Inputs {
        function: Some("readdress".to_owned()),
        rule_set: Some("readdress".to_owned()),
        name_server: Some(names.address()),
        ..Inputs::default()
    };
    block_on(look_with(&config, &inputs, &mut |_| {})).unwrap()
}

fn examine(world: World) -> Report {
    let (account, names) = world.start();
    run(CHECKS, &look(&account, &names))
}

/// The names of the checks with this answer, each once.
fn answered(report: &Report, answer: Answer) -> Vec<&'static str> {
    let with = report.findings.iter().filter(|finding| finding.answer == answer);
    let mut names: Vec<_> = with.map(|finding| finding.check).collect();
    names.dedup();
    names
}

/// Catches a check that no right set-up passes, and one that is forgotten.
#[test]
fn a_right_set_up_is_right() {
    let (account, names) = World::right().start();
    let report = run(CHECKS, &look(&account, &names));
    let other: Vec<_> = report
        .findings
        .iter()
        .filter(|finding| finding.answer != Answer::Right)
        .collect();
    assert!(other.is_empty(), "{other:#?}");
    assert_eq!(
        answered(&report, Answer::Right),
        CHECKS.iter().map(|check| check.name).collect::<Vec<_>>()
    );
    let unanswered: Vec<_> = account
        .requests()
        .into_iter()
        .filter(|asked| asked.starts_with('?'))
        .collect();
    assert!(unanswered.is_empty(), "{unanswered:#?}");
}

/// Each mistake is named by its own check, with what to do; nothing else is red.
#[test]
fn each_mistake_is_named_and_nothing_else() {
    let mut missed = Vec::new();
    for case in wrong_receiving::CASES.iter().chain(wrong_forwarding::CASES) {
        let mut world = World::right();
        (case.breaks)(&mut world);
        let report = examine(world);
        let not_right = report
            .findings
            .iter()
            .filter(|finding| finding.answer != Answer::Right);
        let named = |finding: &&Finding| {
            finding.check == case.check
                && !finding.mend.is_empty()
                && format!("{} {}", finding.text, finding.mend).contains(case.says)
        };
        let (skipped, other): (Vec<_>, Vec<_>) =
            not_right.partition(|finding| finding.answer == Answer::Skipped);
        let is_named = !other.is_empty() && other.iter().all(named);
        if !is_named || other.iter().any(|finding| finding.answer != Answer::Wrong) {
            missed.push(format!("{}: {other:#?}, {} skipped", case.name, skipped.len()));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Catches a missing permission that is taken for a mistake, or that hides what can be seen.
#[test]
fn missing_permissions_are_named() {
    let right = World::right();
    for (asked, permission) in [
        ("ses GET /v2/email/account", "ses:GetAccount"),
        ("ses GET /v2/email/identities/example.com", "ses:GetEmailIdentity"),
        (
            "ses DescribeActiveReceiptRuleSet",
            "ses:DescribeActiveReceiptRuleSet",
        ),
        (
            "ses GET /v2/email/suppression/addresses?PageSize=1000",
            "ses:ListSuppressedDestinations",
        ),
        ("s3 HEAD /mail", "s3:ListBucket"),
        ("s3 GET /mail?policy=", "s3:GetBucketPolicy"),
        ("kms GetKeyPolicy", "kms:GetKeyPolicy"),
        ("ssm GetParameter", "ssm:GetParameter"),
        (
            "lambda GET /2015-03-31/functions/readdress/configuration",
            "lambda:GetFunctionConfiguration",
        ),
        (
            "lambda GET /2015-03-31/functions/readdress/policy",
            "lambda:GetPolicy",
        ),
        ("iam SimulatePrincipalPolicy", "iam:SimulatePrincipalPolicy"),
        ("sqs GetQueueAttributes", "sqs:GetQueueAttributes"),
        ("monitoring DescribeAlarms", "cloudwatch:DescribeAlarms"),
        ("sns GetTopicAttributes", "sns:GetTopicAttributes"),
    ] {
        assert!(right.answers.contains_key(asked), "{asked}");
        let mut world = World::right();
        world.answer(
            asked,
            403,
            r#"{"__type": "AccessDeniedException", "message": "not authorized"}"#,
        );
        let report = examine(world);
        assert!(!report.has(Answer::Wrong), "{asked}: {report:#?}");
        let unknown = report
            .findings
            .iter()
            .filter(|finding| finding.answer == Answer::Unknown);
        let said: Vec<_> = unknown.map(|finding| finding.text.as_str()).collect();
        assert!(
            !said.is_empty() && said.iter().all(|text| text.contains(permission)),
            "{asked}: {said:#?}"
        );
    }
}

/// Runs the command against a world, with the credentials that the stand-in knows.
fn command(url: &str, name_server: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_readdress"))
        .arg("doctor")
        .args(["--name-server", name_server])
        .args(arguments)
        .env_clear()
        .envs([
            ("AWS_ACCESS_KEY_ID", "AKIDTEST"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL", url),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ])
        .output()
        .unwrap()
}

/// The command line over a whole set-up: the outputs of Terraform, JSON, `--only`, and the exit codes.
#[test]
fn the_command() {
    let directory = tempfile::tempdir().unwrap();
    let outputs = directory.path().join("outputs.json");
    let module = r#"{"aliases": {"value": {"function_name": "readdress", "rule_set_name": "readdress"}}}"#;
    std::fs::write(&outputs, module).unwrap();
    let outputs = outputs.to_str().unwrap();
    let (account, names) = World::right().start();
    let names_at = names.address().to_string();

    let right = command(&account.url(), &names_at, &["--outputs", outputs]);
    let text = String::from_utf8(right.stdout).unwrap();
    assert_eq!(right.status.code(), Some(0), "{text}");
    assert!(text.contains("0 wrong, 0 unknown, 0 skipped"), "{text}");
    assert!(right.stderr.is_empty(), "no progress where there is no terminal");

    let mut world = World::right();
    world.edit(
        "sqs GetQueueAttributes",
        r#""ApproximateNumberOfMessages":"0""#,
        r#""ApproximateNumberOfMessages":"3""#,
    );
    world.answer(
        "sns GetTopicAttributes",
        403,
        r#"{"__type": "AuthorizationError"}"#,
    );
    let (account, names) = world.start();
    let names_at = names.address().to_string();
    let wrong = command(&account.url(), &names_at, &["--json"]);
    assert_eq!(wrong.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&wrong.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let queue = findings
        .iter()
        .find(|finding| finding["check"] == "queue")
        .unwrap();
    assert_eq!(queue["answer"], "wrong");
    assert!(queue["text"].as_str().unwrap().starts_with("3 events wait"));

    let one = command(&account.url(), &names_at, &["--only", "alarm-topics"]);
    assert_eq!(
        one.status.code(),
        Some(2),
        "{}",
        String::from_utf8_lossy(&one.stdout)
    );
    let one = command(&account.url(), &names_at, &["--only", "mx,dmarc"]);
    assert_eq!(one.status.code(), Some(0));
    assert_eq!(String::from_utf8(one.stdout).unwrap().lines().count(), 4);
    let none = command(&account.url(), &names_at, &["--only", "weather"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(
        String::from_utf8(none.stderr)
            .unwrap()
            .contains("there is no check \"weather\"")
    );
}

/// Catches a reading that works on our own stand-in only: moto answers in the services' own words.
#[test]
fn moto_is_read() {
    let moto = Moto::start();
    moto.put_object("mail", "inbound/AMAZON_SES_SETUP_NOTIFICATION", b"");
    moto.put_parameter("/readdress/aliases", world::MAP);
    moto.verify_identity("example.com");
    let names = NameServer::start(World::right().zone);
    let settings = [
        "EMAIL_BUCKET=mail",
        "EMAIL_PREFIX=inbound/",
        "ALIAS_MAP_PARAM=/readdress/aliases",
    ];
    let settings = settings.iter().flat_map(|setting| ["--set", setting]);
    let arguments: Vec<&str> = ["--json", "--no-function"].into_iter().chain(settings).collect();
    let looked = command(&moto.url(), &names.address().to_string(), &arguments);
    let report: Value = serde_json::from_slice(&looked.stdout).expect("a report");
    let answer = |check: &str| {
        let findings = report["findings"].as_array().unwrap();
        let finding = findings.iter().find(|finding| finding["check"] == check);
        finding.map(|finding| finding["answer"].as_str().unwrap().to_owned())
    };
    for (check, expected) in [
        ("credentials", "right"),
        ("map", "right"),
        ("map-size", "right"),
        ("bucket", "right"),
        ("bucket-policy", "skipped"),
        ("identity", "right"),
        ("rule-set", "wrong"),
        ("mx", "right"),
    ] {
        assert_eq!(answer(check).as_deref(), Some(expected), "{check}: {report:#}");
    }
}
