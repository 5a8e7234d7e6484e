//! Wrong usage, and settings.

use std::fs;

use serde_json::json;

use super::{MESSAGE, Trial, body, event, readdress, run, text};

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

/// Catches a hint that leads to a page without settings, and a flag that the command does not have.
#[test]
fn a_wrong_setting_is_named_with_its_flag_and_the_page_that_lists_it() {
    let rewrite = ["rewrite", "--alias", "a@example.com", "--target", "b@example.net"];
    for (arguments, says) in [
        (
            &["forward"][..],
            "--email-bucket or EMAIL_BUCKET: it is not set; see: readdress help forward",
        ),
        (
            &[&rewrite[..], &["--from-format", "x"]].concat(),
            "see: readdress help rewrite",
        ),
        (
            &[
                "forward",
                "--email-bucket",
                "file:~/mail",
                "--alias-map",
                "file:x",
            ],
            "$HOME",
        ),
        (
            &[
                "forward",
                "--email-bucket",
                "file:x",
                "--alias-map",
                "file:x",
                "--max-send-bytes",
                "10M",
            ],
            "10MiB",
        ),
        (
            &[
                "rewrite",
                "--alias",
                "a@example.com",
                "--target",
                "Jane <b@example.net>",
            ],
            "write the address alone",
        ),
    ] {
        let output = run(arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
    let help = text(&run(&["help", "forward"], b"").stdout);
    assert!(
        help.contains("EMAIL_BUCKET") && help.contains("FROM_FORMAT"),
        "{help}"
    );
    let help = text(&run(&["--help"], b"").stdout);
    assert!(help.contains("readdress help forward"), "{help}");
}

/// Whoever copies the function's environment copies all of it.
#[test]
fn a_setting_of_the_function_alone_stops_no_command() {
    let trial = Trial::new(&json!({"shop@example.com": "a@example.net"}));
    fs::write(
        trial.path("event.json"),
        event("m1", &["shop@example.com"]).to_string(),
    )
    .unwrap();
    let mut command = trial.command(&["--max-send-bytes", "10MB"]);
    command
        .env("ALIAS_MAP_TTL", "soon")
        .env("METRICS_NAMESPACE", "AWS/mine")
        .arg(trial.path("event.json"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));

    let mut rewrite = readdress(&["rewrite", "--alias", "a@example.com", "--target", "b@example.net"]);
    let file = trial.path("bucket/inbound/m1");
    let output = rewrite.arg(file).env("REPAIR", "").output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(output.stdout.ends_with(body(MESSAGE)));
}

/// Catches a command that reads for ever, or all of a device into memory.
#[test]
#[cfg(target_os = "linux")]
fn maps_and_events_are_read_within_a_bound() {
    let trial = Trial::new(&json!({"shop@example.com": "a@example.net"}));
    let endless = trial.command(&[]).arg("/dev/zero").output().unwrap();
    let check = run(&["aliases", "check", "/dev/zero"], b"");
    let piped = readdress(&["aliases", "check", "-"])
        .stdin(fs::File::open("/dev/zero").unwrap())
        .output()
        .unwrap();
    for (output, limit) in [(endless, "8388608"), (check, "1048576"), (piped, "1048576")] {
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stderr);
        assert!(said.contains(&format!("more than {limit} octets")), "{said}");
    }
}
