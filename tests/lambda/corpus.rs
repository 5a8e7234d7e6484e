//! Real mail, all the way from the bucket to SES.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::common::oracle::{self, corpus, messages};
use super::common::sealed;
use super::support::runtime_api::Reply;
use super::{SEND_ALL, Stands, ses_event};

/// Messages over this size are left out: there are few, and they take most of the time.
const MAX: usize = 1 << 20;

/// Why not every other message lands, and how many at most: bare CR and no LF, which is no lines; and a boundary that is
/// longer than a line may be, so that nothing can be mended.
const REFUSED: [(&str, usize); 2] = [("bare CR", 74), ("552 message line is too long", 1)];

/// As SES stores it.
fn in_crlf(message: &[u8]) -> Vec<u8> {
    let mut lines = message.split_inclusive(|&b| b == b'\n');
    let line = |line: &[u8]| match line.strip_suffix(b"\n") {
        Some(text) => [text.strip_suffix(b"\r").unwrap_or(text), b"\r\n"].concat(),
        None => line.to_vec(),
    };
    lines.by_ref().flat_map(line).collect()
}

/// Python's own parser must read the same of what came and what went out, part by part.
fn assert_same_parts(inputs: &Path, outputs: &Path, count: usize) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common/same_parts.py");
    let checked = Command::new("python3")
        .arg(script)
        .args([inputs, outputs])
        .output()
        .expect("python3 runs");
    let summary = String::from_utf8_lossy(&checked.stderr);
    let differ = String::from_utf8_lossy(&checked.stdout);
    assert_eq!(summary.trim(), format!("{count} checked, 0 differ"), "{differ}");
}

#[test]
#[allow(clippy::too_many_lines)] // One walk over all messages.
fn every_message_lands_sealed() {
    let Some(corpus) = corpus() else { return };
    let stands = Stands::start();
    let _running = stands.function(&[SEND_ALL, ("NOTIFY", "off")]);
    let work = tempfile::tempdir().unwrap();
    // What is sent is kept where the judges of other projects can look at it.
    let kept = std::env::var_os("READDRESS_KEEP_SENT").map(PathBuf::from);
    let kept = kept.unwrap_or_else(|| work.path().join("sent"));
    let (inputs, outputs) = (work.path().join("in"), kept.join("sealed"));
    let recoded = [work.path().join("recoded"), kept.join("recoded")];
    let mut taken_orders = BTreeSet::new();
    let mut landed = BTreeSet::new();
    let mut count_of_recoded = 0;
    let mut spared = Vec::new();
    let mut refused: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (n, path) in messages(&corpus).into_iter().enumerate() {
        let message = in_crlf(&fs::read(corpus.join("messages").join(&path)).unwrap());
        if message.len() > MAX {
            continue;
        }
        let id = format!("m{n}");
        stands.put(&id, &message);
        let reply = stands.api.invoke(&ses_event(&id, &["shop@example.com"]));
        stands.s3.remove("mail", &format!("inbound/{id}"));
        let sent = stands.ses.take_messages();
        if let Reply::Err(error) = reply {
            assert!(sent.is_empty(), "{path}: {error}");
            let text = error["errorMessage"].as_str().unwrap();
            if text.contains("it reports that a ") {
                spared.push(path);
                continue;
            }
            let reason = text
                .split_once("failed: ")
                .unwrap_or_else(|| panic!("{path}: {text}"))
                .1;
            refused.entry(reason.to_owned()).or_default().push(path);
            continue;
        }
        if sent.is_empty() {
            // Programs' answers that SES's daemon passes on.
            spared.push(path);
            continue;
        }
        assert_eq!(sent.len(), 1, "{path}");
        assert_eq!(sent[0].kept, [""; 0], "{path}: fields that steer SES");
        oracle::note_orders(&message, &mut taken_orders);
        let is_sealed = sealed::split(&message).body == sealed::split(&sent[0].raw).body;
        let [from, to] = if is_sealed {
            [&inputs, &outputs]
        } else {
            [&recoded[0], &recoded[1]]
        };
        for (directory, bytes) in [(from, &message), (to, &sent[0].raw)] {
            let file = directory.join(&path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
        if is_sealed {
            landed.insert(path);
        } else {
            count_of_recoded += 1;
        }
    }
    stands.ses.assert_signed();
    println!(
        "{} messages landed, {count_of_recoded} more with parts in another form; not sent:",
        landed.len()
    );
    println!(
        "{:5} reports and answers that SES's daemon passes on",
        spared.len()
    );
    assert!(spared.len() <= 30, "{} spared", spared.len());
    assert_known(&refused);
    assert!(
        count_of_recoded * 100 < landed.len(),
        "{count_of_recoded} bodies changed"
    );
    assert!(landed.len() > 3_680, "{} landed", landed.len());
    assert_same_parts(&recoded[0], &recoded[1], count_of_recoded);
    // Explained where only the message itself can say whom to reply to; here the event has the envelope sender.
    let replies = "spamassassin-corpus/data__spam-2__00030";
    oracle::judge(&corpus, &inputs, &outputs, &taken_orders, landed.len(), |path| {
        landed.contains(path) && !path.starts_with(replies)
    });
}

/// Every reason is a known one, and does not come more often than is known.
fn assert_known(refused: &BTreeMap<String, Vec<String>>) {
    let mut counts = [0; REFUSED.len()];
    for (reason, paths) in refused {
        println!("{:5} {reason}", paths.len());
        let known = REFUSED.iter().position(|(known, _)| reason.contains(known));
        counts[known.unwrap_or_else(|| panic!("{reason}: {paths:?}"))] += paths.len();
        if paths.len() < 20 {
            println!("      {}", paths.join("\n      "));
        }
    }
    for ((reason, most), count) in REFUSED.iter().zip(counts) {
        assert!(count <= *most, "{count} times: {reason}");
    }
}
