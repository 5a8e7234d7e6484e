//! The command line as its users meet it: files, standard streams, exit codes.
#![cfg(feature = "cli")]

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

fn readdress(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_readdress"));
    command.args(arguments).env_clear();
    command
}

fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = readdress(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that ends early closes its input.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// `printf 'body\xff\0\r\nno last line break' | sha256sum`
const BODY_SHA256: &str = "ac30580174cb08464a99b151f6281e1e8f492983d1eb1b52ba0f02782b9ce236";

/// A bucket, an alias map and an outbox in a directory of their own.
struct Trial {
    directory: TempDir,
}

const MESSAGE: &[u8] = b"Return-Path: <jane@example.org>\r\nFrom: Jane Example <jane@example.org>\r\n\
    To: shop@example.com\r\nSubject: Hello\r\nMessage-ID: <1@example.org>\r\n\r\nbody\xff\0\r\nno last line break";

impl Trial {
    fn new(aliases: &Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("bucket/inbound")).unwrap();
        let trial = Trial { directory };
        fs::write(trial.path("aliases.json"), aliases.to_string()).unwrap();
        trial.store("m1", MESSAGE);
        trial
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn store(&self, message_id: &str, message: &[u8]) {
        fs::write(self.path("bucket/inbound").join(message_id), message).unwrap();
    }

    fn command(&self, more: &[&str]) -> Command {
        let file = |name: &str| format!("file:{}", self.path(name).display());
        let mut command = readdress(&["forward"]);
        command.args([
            "--email-bucket",
            &file("bucket"),
            "--alias-map-param",
            &file("aliases.json"),
        ]);
        command.args(["--outbox", &file("outbox"), "--email-prefix", "inbound/"]);
        command.args(more);
        command
    }

    /// The exit code and the outcomes of an event.
    fn forward(&self, event: &Value, more: &[&str]) -> (i32, Vec<Value>) {
        fs::write(self.path("event.json"), event.to_string()).unwrap();
        let output = self.command(more).arg(self.path("event.json")).output().unwrap();
        let outcomes = text(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        (output.status.code().unwrap(), outcomes)
    }

    fn sent(&self, name: &str) -> Vec<u8> {
        fs::read(self.path("outbox").join(name)).unwrap()
    }

    /// The files of the outbox, without its ledger.
    fn outbox(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path("outbox")) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "ledger")
            .collect();
        names.sort();
        names
    }
}

fn record(message_id: &str, recipients: &[&str]) -> Value {
    json!({"eventSource": "aws:ses", "ses": {
        "mail": {"messageId": message_id, "source": "jane@example.org"},
        "receipt": {"recipients": recipients},
    }})
}

fn event(message_id: &str, recipients: &[&str]) -> Value {
    json!({"Records": [record(message_id, recipients)]})
}

fn outcomes_of(outcomes: &[Value]) -> Vec<&str> {
    outcomes
        .iter()
        .map(|outcome| outcome["outcome"].as_str().unwrap())
        .collect()
}

fn body(message: &[u8]) -> &[u8] {
    let at = message.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    &message[at + 4..]
}

#[test]
fn a_mail_is_forwarded_with_every_byte_of_its_body() {
    let trial = Trial::new(&json!({"shop@example.com": ["a@example.net", "A@example.net", "b@example.net"]}));
    let (code, outcomes) = trial.forward(&event("m1", &["shop@example.com"]), &[]);
    assert_eq!(code, 0);
    let message = trial.sent("m1.0.eml");
    assert_eq!(body(&message), body(MESSAGE));
    assert_eq!(
        outcomes,
        [json!({
            "message_id": "m1", "alias": "shop@example.com", "targets": ["a@example.net", "b@example.net"],
            "outcome": "sent", "bytes_in": MESSAGE.len(), "bytes_out": message.len(),
            "body_sha256": BODY_SHA256, "sent_id": "m1.0",
        })]
    );
    let envelope: Value = serde_json::from_slice(&trial.sent("m1.0.json")).unwrap();
    assert_eq!(
        envelope,
        json!({"from": "shop@example.com", "to": ["a@example.net", "b@example.net"]})
    );
    assert_eq!(trial.outbox(), ["m1.0.eml", "m1.0.json"]);
}

#[test]
fn each_recipient_has_an_outcome_and_each_target_the_message_once() {
    let trial = Trial::new(&json!({
        "shop@example.com": "owner@example.net",
        "sales@example.com": ["OWNER@example.net"],
        "team@example.com": ["owner@example.net", "helper@example.net"],
        "off@example.com": {"to": "owner@example.net", "enabled": false},
        "broken@example.com": ["no address"],
    }));
    let recipients = [
        "shop@example.com",
        "sales@example.com",
        "team@example.com",
        "nobody@example.com",
        "off@example.com",
        "broken@example.com",
    ];
    let (code, outcomes) = trial.forward(&event("m1", &recipients), &[]);
    assert_eq!(
        outcomes_of(&outcomes),
        ["sent", "sent", "sent", "no_alias", "disabled", "failed"]
    );
    assert_eq!(code, 1);
    assert_eq!(
        outcomes[1]["sent_id"], "m1.0",
        "the first message has reached it already"
    );
    let envelope = |name| serde_json::from_slice::<Value>(&trial.sent(name)).unwrap()["to"].clone();
    assert_eq!(envelope("m1.0.json"), json!(["owner@example.net"]));
    assert_eq!(envelope("m1.1.json"), json!(["helper@example.net"]));
    assert_eq!(trial.outbox().len(), 4);
    assert!(outcomes[5]["error"].as_str().unwrap().contains("alias map"));

    let (code, outcomes) = trial.forward(&event("m1", &["nobody@example.com", "off@example.com"]), &[]);
    assert_eq!(
        (code, outcomes_of(&outcomes)),
        (0, vec!["no_alias", "disabled"]),
        "neither is a failure"
    );
}

#[test]
fn one_bad_record_does_not_stop_the_others() {
    let trial = Trial::new(&json!({"@": "owner@example.net"}));
    let event = json!({"Records": [
        record("../../etc/passwd", &["shop@example.com"]),
        record("missing", &["shop@example.com"]),
        {"ses": {"mail": {"messageId": "m1"}, "receipt": {}}},
        record("m1", &["shop@example.com"]),
    ]});
    let (code, outcomes) = trial.forward(&event, &[]);
    assert_eq!(code, 1);
    assert_eq!(outcomes_of(&outcomes), ["failed", "failed", "failed", "sent"]);
    assert_eq!(outcomes[0]["message_id"], Value::Null);
    assert_eq!(outcomes[1]["message_id"], "missing");
    assert!(outcomes[1]["error"].as_str().unwrap().contains("EMAIL_PREFIX"));
    assert_eq!(outcomes[2]["message_id"], "m1");
}

/// Catches mail that two systems send to each other for ever.
#[test]
fn what_would_go_in_a_circle_stays_in_the_bucket() {
    let trial =
        Trial::new(&json!({"shop@example.com": "jane@example.net", "other@example.com": "jane@example.net"}));
    trial.forward(&event("m1", &["shop@example.com"]), &[]);
    trial.store("m2", &trial.sent("m1.0.eml"));
    let (code, outcomes) = trial.forward(&event("m2", &["shop@example.com"]), &[]);
    assert_eq!(code, 1);
    assert_eq!(outcomes_of(&outcomes), ["failed"]);
    assert_eq!(outcomes[0]["cause"], "loop");
    assert!(!outcomes[0]["error"].as_str().unwrap().contains('@'));
    // One alias may lead to another.
    let (code, _) = trial.forward(&event("m2", &["other@example.com"]), &[]);
    assert_eq!(code, 0);
    assert_eq!(trial.outbox(), ["m1.0.eml", "m1.0.json", "m2.0.eml", "m2.0.json"]);
}

#[test]
fn a_message_over_the_limit_is_decided_on_its_header_section() {
    let trial = Trial::new(&json!({"@": "owner@example.net"}));
    // 8 GiB of nothing: whoever reads the body, or the end of it, is not done in time.
    let file = fs::File::create(trial.path("bucket/inbound/huge")).unwrap();
    let mut head = MESSAGE.to_vec();
    head.truncate(MESSAGE.len() - body(MESSAGE).len());
    (&file).write_all(&head).unwrap();
    file.set_len(8 << 30).unwrap();
    let (code, outcomes) = trial.forward(&event("huge", &["shop@example.com"]), &[]);
    assert_eq!((code, outcomes_of(&outcomes)), (1, vec!["too_large"]));
    assert_eq!(outcomes[0]["bytes_in"], 8_u64 << 30);
    assert_eq!(outcomes[0]["body_sha256"], Value::Null);
    assert!(trial.outbox().is_empty());

    // The limit is on what goes out, to the octet.
    let sent = trial.forward(&event("m1", &["shop@example.com"]), &[]).1[0]["bytes_out"]
        .as_u64()
        .unwrap();
    for (limit, want) in [(sent, "sent"), (sent - 1, "too_large")] {
        let limit = limit.to_string();
        let more = ["--max-send-bytes", &limit, "--ledger", "off"];
        let (_, outcomes) = trial.forward(&event("m1", &["shop@example.com"]), &more);
        assert_eq!(outcomes_of(&outcomes), [want]);
    }
}

#[test]
fn settings_come_from_flags_the_environment_and_the_alias() {
    let trial = Trial::new(&json!({
        "shop@example.com": "owner@example.net",
        "via@example.com": {"to": "other@example.net", "from_format": "via", "subject_prefix": "[via] "},
    }));
    fs::write(
        trial.path("event.json"),
        event("m1", &["shop@example.com", "via@example.com"]).to_string(),
    )
    .unwrap();
    let mut command = trial.command(&["--from-format", "name"]);
    command
        .env("SUBJECT_PREFIX", "[all] ")
        .env("TO_HEADER", "alias")
        .arg(trial.path("event.json"));
    assert!(command.output().unwrap().status.success());
    let (shop, via) = (
        text(&trial.sent("m1.0.eml")[..200]),
        text(&trial.sent("m1.1.eml")[..200]),
    );
    assert!(
        shop.contains("From: Jane Example <shop@example.com>\r\n"),
        "{shop}"
    );
    assert!(shop.contains("To: shop@example.com\r\n"), "{shop}");
    assert!(shop.contains("Subject: [all] Hello\r\n"), "{shop}");
    assert!(
        via.contains("From: \"Jane Example via example.com\" <via@example.com>\r\n"),
        "{via}"
    );
    assert!(via.contains("Subject: [via] Hello\r\n"), "{via}");

    let mut command = readdress(&["forward", "-"]);
    for (name, value) in [
        ("EMAIL_BUCKET", "bucket"),
        ("ALIAS_MAP_PARAM", "aliases.json"),
        ("OUTBOX", "other"),
    ] {
        command.env(name, format!("file:{}", trial.path(value).display()));
    }
    command
        .env("EMAIL_PREFIX", "inbound/")
        .stdin(fs::File::open(trial.path("event.json")).unwrap());
    assert!(command.output().unwrap().status.success());
    assert!(trial.path("other/m1.1.eml").exists());
}

/// Catches a trial whose second run fills the outbox with copies.
#[test]
fn what_was_sent_is_not_sent_again_by_the_next_run() {
    let trial =
        Trial::new(&json!({"shop@example.com": "a@example.net", "team@example.com": "b@example.net"}));
    let first = trial.forward(&event("m1", &["shop@example.com"]), &[]);
    assert_eq!((first.0, outcomes_of(&first.1)), (0, vec!["sent"]));
    let again = trial.forward(&event("m1", &["shop@example.com"]), &[]);
    assert_eq!(again, first);
    // Another target is another matter.
    let both = trial.forward(&event("m1", &["shop@example.com", "team@example.com"]), &[]);
    assert_eq!(outcomes_of(&both.1), ["sent", "sent"]);
    assert_eq!(trial.outbox(), ["m1.0.eml", "m1.0.json", "m1.1.eml", "m1.1.json"]);

    let page = fs::read_to_string(trial.path("outbox/ledger/m1.json")).unwrap();
    assert!(!page.contains("@example.net"), "a target: {page}");
    let page: Value = serde_json::from_str(&page).unwrap();
    assert_eq!(
        page["arrival"]["recipients"],
        json!(["shop@example.com", "team@example.com"])
    );
    assert_eq!(page["sent"][1]["id"], "m1.1");
    assert_eq!(page["claim"], Value::Null);
    assert_eq!(page["outcomes"]["team@example.com"]["outcome"], "sent");

    let off = trial.forward(&event("m1", &["shop@example.com"]), &["--ledger", "off"]);
    assert_eq!(off.1[0]["sent_id"], "m1.2");
}

/// Catches mail that is kept back for want of a record of it.
#[test]
fn mail_goes_out_where_the_ledger_cannot_be_written() {
    let trial = Trial::new(&json!({"shop@example.com": "a@example.net"}));
    fs::create_dir(trial.path("outbox")).unwrap();
    fs::write(trial.path("outbox/ledger"), "in its place").unwrap();
    fs::write(
        trial.path("event.json"),
        event("m1", &["shop@example.com", "shop+a@example.com"]).to_string(),
    )
    .unwrap();
    let output = trial.command(&[]).arg(trial.path("event.json")).output().unwrap();
    assert!(output.status.success());
    let log = text(&output.stderr);
    assert!(
        log.contains("the ledger cannot be written") && !log.contains('@'),
        "{log}"
    );
    assert_eq!(trial.outbox(), ["m1.0.eml", "m1.0.json"]);
}

#[test]
fn the_trial_fixtures_work() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let outbox = tempfile::tempdir().unwrap();
    for (event, want) in [
        ("event.json", "sent sent"),
        ("event-minimal.json", "sent"),
        ("event-no-alias.json", "sent no_alias"),
        ("event-sns.json", "sent"),
    ] {
        let output = readdress(&[
            "forward",
            "--email-bucket",
            "file:fixtures/trial/bucket",
            "--email-prefix",
            "inbound/",
        ])
        .args(["--alias-map-param", "file:fixtures/trial/aliases.json"])
        .args(["--outbox", &format!("file:{}", outbox.path().display())])
        .arg(format!("fixtures/trial/{event}"))
        .current_dir(root)
        .output()
        .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let outcomes: Vec<Value> = text(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(outcomes_of(&outcomes).join(" "), want);
    }
}

#[test]
#[allow(clippy::too_many_lines)] // A table.
fn wrong_usage_is_exit_code_2_and_says_what_to_do() {
    for (arguments, says) in [
        (&["forward"][..], "--email-bucket"),
        (&["forward", "--email-bucket", "file:"], "is empty"),
        (
            &["rewrite", "--alias", "shop", "--target", "a@example.net"],
            "--alias",
        ),
        (&["rewrite", "--alias", "shop@example.com"], "--target"),
        (
            &[
                "rewrite",
                "--alias",
                "a@example.com",
                "--target",
                "b@example.net",
                "--from-format",
                "x",
            ],
            "full, name, via, alias",
        ),
        (
            &[
                "rewrite",
                "--alias",
                "a@example.com",
                "--target",
                "b@example.net",
                "--subject-prefix",
                "a\nBcc: x@example.net",
            ],
            "control",
        ),
        (&["unknown"], "unknown"),
        (&[], "Usage"),
    ] {
        let output = run(arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            text(&output.stderr).contains(says),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        assert!(output.stdout.is_empty());
    }
    for arguments in [
        &[
            "forward",
            "--email-bucket",
            "file:x",
            "--outbox",
            "file:y",
            "--alias-map-param",
            "file:/nonexistent",
        ][..],
        &[
            "rewrite",
            "--alias",
            "a@example.com",
            "--target",
            "b@example.net",
            "/nonexistent",
        ],
        &["inspect", "/nonexistent"],
        &["aliases", "check", "/nonexistent"],
    ] {
        let output = run(arguments, b"");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(
            text(&output.stderr).contains("/nonexistent"),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
    }
}

#[test]
fn rewrite_is_a_filter() {
    let arguments = [
        "rewrite",
        "--alias",
        "shop@example.com",
        "--target",
        "a@example.net",
        "--target",
        "b@example.net",
    ];
    let output = run(&arguments, MESSAGE);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(body(&output.stdout), body(MESSAGE));
    let header = text(&output.stdout[..output.stdout.len() - body(MESSAGE).len()]);
    assert!(header.contains("\r\nTo: shop@example.com\r\n"), "{header}");

    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), MESSAGE).unwrap();
    let named = run(&[&arguments[..], &[file.path().to_str().unwrap()]].concat(), b"");
    assert_eq!(named.stdout, output.stdout);

    let refused = run(&arguments, b"From: jane@example.org\rSubject: x\r\rbody\r");
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stdout.is_empty());
    assert!(text(&refused.stderr).contains("bare CR"));
}

#[test]
fn preflight_says_why_a_message_would_be_refused() {
    let bad = b"From: Jane <jane@example.org>\r\nReply-To: Example, Jane <jane@example.org>\r\n\
        MIME-Version: 1.0\r\nMime-version: 1.0\r\n\r\nHello.\r\n";
    let output = run(&["preflight"], bad);
    assert_eq!(output.status.code(), Some(1));
    let table = text(&output.stdout);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(
        lines[0].contains("reported") && lines[0].contains("address-syntax") && lines[0].contains("reply-to")
    );
    assert!(lines[0].contains("Missing final '@domain'"), "{table}");
    assert!(
        lines[1].contains("documented") && lines[1].contains("duplicate-field"),
        "{table}"
    );
    assert_eq!(lines[2], "1 message, 1 would be refused");

    let directory = tempfile::tempdir().unwrap();
    let paths = [
        ("bad.eml", &bad[..]),
        ("good.eml", b"From: jane@example.org\r\n\r\nHello.\r\n"),
    ];
    let paths = paths.map(|(name, message)| {
        let path = directory.path().join(name);
        fs::write(&path, message).unwrap();
        path.to_str().unwrap().to_owned()
    });
    let output = run(&["preflight", "--json", &paths[0], &paths[1]], b"");
    assert_eq!(output.status.code(), Some(1));
    let reports: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(reports[0]["findings"][1]["code"], "duplicate-field");
    assert_eq!(reports[0]["findings"][1]["offset"], 94);
    assert_eq!(
        reports[0]["findings"][1]["within"],
        json!({"field": "mime-version"})
    );
    assert_eq!(reports[1]["findings"], json!([]));
    assert_eq!(run(&["preflight", &paths[1]], b"").status.code(), Some(0));
}

/// Catches a body that is changed in one pass, and one that goes out although SES refuses it, without a word.
#[test]
fn rewrite_tells_what_is_wrong_with_a_body_and_mends_it_with_two_readings() {
    let long = "word ".repeat(300);
    let message = format!("From: jane@example.org\r\nTo: shop@example.com\r\n\r\n{long}\r\n");
    let arguments = [
        "rewrite",
        "--alias",
        "shop@example.com",
        "--target",
        "a@example.net",
    ];
    let one_pass = run(&arguments, message.as_bytes());
    assert_eq!(one_pass.status.code(), Some(1));
    assert_eq!(body(&one_pass.stdout), body(message.as_bytes()));
    let told = text(&one_pass.stderr);
    assert!(
        told.contains("line-too-long") && told.contains("--parts FILE"),
        "{told}"
    );

    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), &message).unwrap();
    let with_parts = [&arguments[..], &["--parts", file.path().to_str().unwrap()]].concat();
    let mended = run(&with_parts, b"");
    assert_eq!(mended.status.code(), Some(0), "{}", text(&mended.stderr));
    let out = text(&mended.stdout);
    assert!(
        out.contains("\r\nContent-Transfer-Encoding: quoted-printable\r\n"),
        "{out}"
    );
    assert!(out.lines().all(|line| line.len() <= 998), "{out}");
    let standard_input = [&arguments[..], &["--parts"]].concat();
    assert_eq!(run(&standard_input, message.as_bytes()).status.code(), Some(2));
}

#[test]
fn inspect_shows_the_parts() {
    let message = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\nhello\r\n--a\r\n\
        Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ninner\r\n--a\r\nContent-Type: text/x; name=\"a\x1b[31m.txt\"\r\n\
        Content-Transfer-Encoding: BASE64\r\n\r\nQQ==\r\n--a--\r\n";
    let output = run(&["inspect", "--json"], message);
    assert_eq!(output.status.code(), Some(0));
    let tree: Value = serde_json::from_slice(&output.stdout).unwrap();
    let part = |path: &str,
                depth,
                content_type: &str,
                encoding: &str,
                filename: Option<&str>,
                header: [u64; 2],
                body: [u64; 2]| {
        json!({
            "path": path, "depth": depth, "content_type": content_type, "encoding": encoding, "filename": filename,
            "header": {"start": header[0], "end": header[1]}, "body": {"start": body[0], "end": body[1]},
        })
    };
    let size = message.len() as u64;
    assert_eq!(
        tree,
        json!({"size": size, "parts": [
            part("0", 0, "multipart/mixed", "7bit", None, [0, 43], [45, size]),
            part("1", 1, "text/plain", "7bit", None, [50, 50], [52, 57]),
            part("2", 1, "message/rfc822", "7bit", None, [64, 94], [96, 115]),
            part("2.1", 2, "text/plain", "7bit", None, [96, 108], [110, 115]),
            part("3", 1, "text/x", "base64", Some("a [31m.txt"), [122, 198], [200, 204]),
        ]})
    );
    let tree = text(&run(&["inspect"], message).stdout);
    assert!(tree.contains("    2.1  text/plain"), "{tree}");
    assert!(!tree.contains('\x1b'));
}

#[test]
fn aliases_are_checked_and_resolved() {
    let trial =
        Trial::new(&json!({"shop@example.com": ["a@example.net"], "@example.com": "all@example.net"}));
    let map = trial.path("aliases.json");
    let map = map.to_str().unwrap();
    let check = run(&["aliases", "check", map], b"");
    assert_eq!(check.status.code(), Some(0), "{}", text(&check.stdout));
    let bad = run(
        &["aliases", "check", "-"],
        b"{\"shop@example.com\": [\"nobody\"]}",
    );
    assert_eq!(bad.status.code(), Some(1));
    assert!(text(&bad.stdout).contains("shop@example.com"));

    let resolve = |address: &str| {
        run(
            &[
                "aliases",
                "resolve",
                "--alias-map",
                &format!("file:{map}"),
                address,
            ],
            b"",
        )
    };
    let tagged = text(&resolve("Shop+x@Example.com").stdout);
    assert!(tagged.contains("-> a@example.net"), "{tagged}");
    assert!(text(&resolve("other@example.com").stdout).contains("-> all@example.net"));
    let nothing = resolve("other@example.org");
    assert_eq!(nothing.status.code(), Some(1));
    assert!(text(&nothing.stdout).contains("no_alias"));
}

/// A permission to send as `*@example.com` is compared with case.
#[test]
fn the_new_from_has_the_domain_in_small_letters() {
    let trial = Trial::new(&json!({"shop@example.com": "a@example.net"}));
    let (code, _) = trial.forward(&event("m1", &["Shop@EXAMPLE.com"]), &[]);
    assert_eq!(code, 0);
    let envelope: Value = serde_json::from_slice(&trial.sent("m1.0.json")).unwrap();
    assert_eq!(envelope["from"], "Shop@example.com");
    assert!(text(&trial.sent("m1.0.eml")[..200]).contains("<Shop@example.com>"));
}

/// Whoever reads the output may go at any time: no panic, no endless reading, and no mail is left behind.
#[test]
fn a_closed_output_ends_a_command_and_stops_no_mail() {
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    let trial = Trial::new(&json!({"shop@example.com": "a@example.net"}));
    trial.store("m2", MESSAGE);
    fs::write(
        trial.path("event.json"),
        json!({"Records": [record("m1", &["shop@example.com"]), record("m2", &["shop@example.com"])]})
            .to_string(),
    )
    .unwrap();
    let output = trial
        .command(&[])
        .arg(trial.path("event.json"))
        .stdout(closed())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("outcome"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(trial.outbox(), ["m1.0.eml", "m1.0.json", "m2.0.eml", "m2.0.json"]);

    let map = format!("file:{}", trial.path("aliases.json").display());
    let endless = fs::File::open("/dev/zero").unwrap();
    for (arguments, input) in [
        (
            &["aliases", "resolve", "--alias-map", &map, "shop@example.com"][..],
            None,
        ),
        (&["aliases", "check", &map[5..]], None),
        (&["inspect", &map[5..]], None),
        (
            &["rewrite", "--alias", "a@example.com", "--target", "b@example.net"],
            Some(endless),
        ),
    ] {
        let mut command = readdress(arguments);
        command
            .stdin(input.map_or_else(Stdio::null, Stdio::from))
            .stdout(closed());
        let output = command.output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(1),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        assert!(!text(&output.stderr).contains("panicked"), "{arguments:?}");
    }
}

#[test]
fn a_file_that_is_no_alias_map_is_not_taken_for_an_empty_one() {
    let trial = Trial::new(&json!({"Records": [{"ses": {}}]}));
    fs::write(
        trial.path("event.json"),
        event("m1", &["shop@example.com"]).to_string(),
    )
    .unwrap();
    let output = trial.command(&[]).arg(trial.path("event.json")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("another file"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(run(&["aliases", "check", "-"], b"{}").status.code(), Some(1));
}

/// Peak memory of the process: a claim of the README. On Linux only, where /proc tells.
#[test]
#[cfg(target_os = "linux")]
fn a_40_mb_mail_goes_through_in_8_mb() {
    let mut message = b"From: jane@example.org\r\nContent-Type: application/x-big\r\n\r\n".to_vec();
    while message.len() < 40_000_000 {
        message.extend_from_slice(&[b'x'; 76]);
        message.extend_from_slice(b"\r\n");
    }
    let arguments = [
        "rewrite",
        "--alias",
        "shop@example.com",
        "--target",
        "a@example.net",
    ];
    let mut child = readdress(&arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let feeder = std::thread::spawn(move || {
        input.write_all(&message).unwrap();
        input // Kept open, so that the process is still there when it is looked at.
    });
    let mut octets = 0;
    let mut chunk = vec![0; 1 << 16];
    while octets < 39_000_000 {
        octets += output.read(&mut chunk).unwrap();
    }
    let peak = peak_kibibytes(&child);
    let drain = std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()).unwrap());
    drop(feeder.join().unwrap());
    drain.join().unwrap();
    assert!(child.wait().unwrap().success());
    eprintln!("peak memory of the process for 40 MB: {peak} kB");
    assert_small(peak);
}

/// Catches a part tree in memory: of these parts it takes some 150 MB.
#[test]
#[cfg(target_os = "linux")]
fn a_million_parts_are_shown_in_the_same_memory() {
    let mut message = b"Content-Type: multipart/mixed; boundary=b\n\n".to_vec();
    message.extend_from_slice(&b"--b\n\n\n".repeat(600_000));
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), message).unwrap();
    let mut child = readdress(&["inspect", "--json", file.path().to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    // The first octet comes when all has been read; the pipe is full long before all has been written.
    output.read_exact(&mut [0]).unwrap();
    let peak = peak_kibibytes(&child);
    std::io::copy(&mut output, &mut std::io::sink()).unwrap();
    assert!(child.wait().unwrap().success());
    assert_small(peak);
}

#[cfg(target_os = "linux")]
fn peak_kibibytes(child: &std::process::Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
fn assert_small(kibibytes: u64) {
    // A debug build with the AWS SDK is a program of 200 MB, whose tables alone are more than all that a command needs.
    let most = if cfg!(all(feature = "aws", debug_assertions)) {
        16
    } else if cfg!(debug_assertions) {
        9
    } else {
        8
    };
    assert!(kibibytes <= most * 1024, "peak memory {kibibytes} kB");
}

/// Catches an event that makes the program read, and forward, what is not mail.
#[test]
fn a_key_outside_of_the_prefix_is_not_read() {
    let trial = Trial::new(&json!({"shop@example.com": "a@example.net"}));
    fs::create_dir_all(trial.path("bucket/backup")).unwrap();
    fs::write(trial.path("bucket/backup/m1"), MESSAGE).unwrap();
    let created = |key: &str| {
        json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": "mail"}, "object": {"key": key}}}]})
    };
    let stored = |key: &str| {
        let notification = json!({"notificationType": "Received", "mail": {"messageId": "m1"}, "receipt": {
            "recipients": ["shop@example.com"], "action": {"bucketName": "mail", "objectKey": key}}});
        json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": notification.to_string()}}]})
    };
    for event in [
        created("backup/m1"),
        stored("backup/m1"),
        created("m1"),
        created("inboundm1"),
    ] {
        let (code, outcomes) = trial.forward(&event, &[]);
        assert_eq!((code, outcomes_of(&outcomes)), (1, vec!["failed"]));
        let error = outcomes[0]["error"].as_str().unwrap();
        assert!(error.contains("EMAIL_PREFIX"), "{error}");
    }
    assert!(trial.outbox().is_empty());
    let (code, _) = trial.forward(&stored("inbound/m1"), &[]);
    assert_eq!(code, 0);
}
