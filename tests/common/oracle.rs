//! Real mail, and a judge who knows nothing of this crate: a corpus that is no part of the project, laid beside the
//! checkout or named by `READDRESS_CORPUS`. Its `oracle.py` compares what goes in with what comes out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The corpus, if there is one. One that was named must be there.
pub fn corpus() -> Option<PathBuf> {
    let named = std::env::var_os("READDRESS_CORPUS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if let Some(named) = named {
        assert!(
            named.join("index.tsv").is_file(),
            "READDRESS_CORPUS is no corpus: {}",
            named.display()
        );
        return Some(named);
    }
    let found = beside.join("index.tsv").is_file().then_some(beside);
    if found.is_none() {
        eprintln!("no corpus: nothing is tested here (docs/testing.md)");
    }
    found
}

/// The paths of all messages, from the index, below `messages`.
pub fn messages(corpus: &Path) -> Vec<String> {
    let index = fs::read_to_string(corpus.join("index.tsv")).unwrap();
    let paths: Vec<String> = index
        .lines()
        .skip(1)
        .map(|row| row.split('\t').nth(2).unwrap().to_owned())
        .collect();
    assert!(paths.len() > 3_000, "the index has {} messages", paths.len());
    paths
}

/// What the oracle is told of our rules.
#[allow(clippy::too_many_lines)] // Lists of names.
fn oracle_arguments(message_names: &BTreeSet<String>) -> Vec<String> {
    let mut arguments: Vec<String> = ["--junk-ends-header", "--ascii-new"].map(str::to_owned).to_vec();
    let mut say = |option: &str, names: &[&str]| {
        for name in names {
            arguments.extend([option.to_owned(), (*name).to_owned()]);
        }
    };
    say(
        "--changed",
        &[
            "From",
            "To",
            "Cc",
            "Reply-To",
            "Subject",
            "References",
            "Content-Type",
            "Content-Disposition",
        ],
    );
    say(
        "--removed",
        &[
            "Return-Path",
            "Sender",
            "DKIM-Signature",
            "DomainKey-Signature",
            "Message-ID",
            "Feedback-ID",
            "Bcc",
            "Delivered-To",
            "Errors-To",
            "From_",
            "?",
            "Resent-Bcc",
            "Disposition-Notification-To",
            "Return-Receipt-To",
            "X-Confirm-Reading-To",
            "Generate-Delivery-Report",
            "ARC-Seal",
            "ARC-Message-Signature",
            "ARC-Authentication-Results",
            // Those that come, that is; ours are named below.
            "X-Original-From",
            "X-Original-Message-ID",
            "X-Original-Date",
            "X-Original-Sender",
            "X-Original-To",
            "List-Unsubscribe",
            "X-Original-Reply-To",
            "X-Original-Recipients",
            "X-Original-Cc",
            "X-Original-List-Unsubscribe",
        ],
    );
    say(
        "--added",
        &[
            "List-Unsubscribe",
            "From",
            "To",
            "Reply-To",
            "References",
            "X-Original-From",
            "X-Original-To",
            "X-Original-Message-ID",
            "X-Original-Date",
            "X-Original-Sender",
            "X-Original-Reply-To",
            "X-Original-Recipients",
            "X-Original-Cc",
            "X-Original-List-Unsubscribe",
            "X-Original-Resent-From",
            "X-Original-Resent-To",
            "X-Original-Resent-Cc",
            "X-Original-Resent-Sender",
            "X-Forwarded-For",
            "X-Readdress-Route",
            "X-Readdress-Notes",
        ],
    );
    for name in message_names {
        say("--removed", &[name]);
    }
    arguments
}

/// A violation that the oracle reports and that is right as it is: path, how the report begins, why.
const EXPLAINED: &[(&str, &str, &str)] = &[
    (
        "mail-parser/resources__eml__malformed__019.eml",
        "TREE part 0",
        BLANK_COLON,
    ),
    (
        "mime4j/core__src__test__resources__testmsgs__obsolete.msg",
        "TREE part 0",
        BLANK_COLON,
    ),
    (
        "ruby-mail/spec__fixtures__emails__rfc2822__example13.eml",
        "TREE part 0",
        BLANK_COLON,
    ),
    (MARKED, "BODY differs", MARK),
    (MARKED, "HDR-EXTRA", MARK),
    (MARKED, "TREE", MARK),
    (
        "spamassassin-corpus/data__spam-2__00030.b360f27c098b3ab5cff96433e7963d4a.txt.eml",
        "HDR-MISSING reply-to",
        "Reply-To, From and Return-Path are all empty: there is nobody to reply to",
    ),
    (
        "spamassassin-corpus/data__spam-2__01264.52c303d4e65ae6c83bedb1dc8db0d0c7.txt.eml",
        "HDR-BYTES x-mailer",
        "a control character in X-Mailer does not go out",
    ),
];
const MARKED: &str = "mimekit/UnitTests__TestData__messages__feedback-report.txt.eml";
const MARK: &str = "a byte order mark before the first field: to the oracle and to Python all of the message is body, to us \
                    only the mark is not a field";
const BLANK_COLON: &str = "Python takes a field with blanks before its colon (RFC 5322 4.5) for the start of the body, \
                           so that the fields added behind it are in its body";

/// What a repair does to a header section and the oracle takes for a loss: how the report begins, and the kind that the
/// notes of the message then name.
const REPAIRS: &[(&str, &str)] = &[
    ("HDR-MISSING ", "duplicate-field"),
    ("HDR-MISSING ", "line-too-long"),
    ("HDR-BYTES ", "line-too-long"),
    ("HDR-MISSING resent-", "address-"),
    ("HDR-MISSING cc", "address-"),
    ("HDR-BYTES resent-", "address-"),
    ("TREE ", "content-type-syntax"),
    ("TREE ", "duplicate-field"),
];

/// Whether the message that went out says in its notes that it was repaired so.
fn is_repair(out: &Path, violation: &str) -> bool {
    let out = fs::read(out).unwrap();
    let notes = super::sealed::split(&out)
        .fields
        .into_iter()
        .find(|(name, _)| name == "x-readdress-notes");
    let notes = notes.map_or(String::new(), |(_, raw)| String::from_utf8(raw).unwrap());
    let mut kinds = REPAIRS.iter();
    kinds.any(|(start, kind)| violation.starts_with(start) && notes.contains(kind))
}

/// Notes the names of the fields that would give SES orders: the oracle has to be told what is removed.
pub fn note_orders(message: &[u8], names: &mut BTreeSet<String>) {
    for line in message.split(|&b| b == b'\n') {
        let name = line.split(|&b| b == b':').next().unwrap().trim_ascii_end();
        if name.to_ascii_lowercase().starts_with(b"x-ses-") {
            names.insert(String::from_utf8_lossy(name).into_owned());
        }
    }
}

/// Lets the oracle compare two trees of `count` messages. It must report what is [`EXPLAINED`] of those that `is_in`
/// says are there, and nothing else.
pub fn judge(
    corpus: &Path,
    inputs: &Path,
    outputs: &Path,
    taken_orders: &BTreeSet<String>,
    count: usize,
    is_in: impl Fn(&str) -> bool,
) {
    let oracle = Command::new("python3")
        .arg(corpus.join("oracle.py"))
        .arg("--batch")
        .args([inputs, outputs])
        .args(oracle_arguments(taken_orders))
        .output()
        .expect("python3 runs");
    let summary = String::from_utf8_lossy(&oracle.stderr);
    assert!(
        summary.starts_with(&format!("{count} checked, ")),
        "the oracle says: {summary}"
    );
    let mut unexplained = Vec::new();
    let mut repaired = 0;
    let mut used = BTreeSet::new();
    let report = String::from_utf8_lossy(&oracle.stdout);
    for line in report.lines() {
        let (path, violation) = line.split_once('\t').unwrap();
        match EXPLAINED
            .iter()
            .position(|(at, start, _)| path == *at && violation.starts_with(start))
        {
            Some(index) => _ = used.insert(index),
            None if is_repair(&outputs.join(path), violation) => repaired += 1,
            None => unexplained.push(line),
        }
    }
    assert!(
        unexplained.is_empty(),
        "{} violations:\n{}",
        unexplained.len(),
        unexplained.join("\n")
    );
    // Repairs are the exception.
    assert!(
        repaired * 50 < count,
        "{repaired} reports on repairs of {count} messages"
    );
    let unused: Vec<_> = (0..EXPLAINED.len())
        .filter(|index| !used.contains(index) && is_in(EXPLAINED[*index].0))
        .map(|index| EXPLAINED[index])
        .collect();
    assert!(unused.is_empty(), "explained, but not reported: {unused:?}");
}
