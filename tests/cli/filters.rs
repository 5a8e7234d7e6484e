//! The commands that read a message and write what is asked for: `rewrite`, `preflight`, `inspect`.

use std::fs;

use serde_json::{Value, json};

use super::{MESSAGE, body, run, text};

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
