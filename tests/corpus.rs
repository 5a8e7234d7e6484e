//! Real mail through the rewrite, and its part offsets: a corpus that is no part of the project, laid beside the
//! checkout or named by `READDRESS_CORPUS`. Its `oracle.py` compares what goes in with what comes out and knows
//! nothing of this crate.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::oracle::{self, corpus, messages};
use common::{crlf, rewrite, rules, sealed};
use readdress::mime::{Part, Parts, Scanner};
use readdress::rewrite::Error;
use serde_json::Value;

#[test]
fn every_message_goes_out_sealed() {
    let Some(corpus) = corpus() else { return };
    for crlf_form in [false, true] {
        let work = tempfile::tempdir().unwrap();
        let (inputs, outputs) = (work.path().join("in"), work.path().join("out"));
        let mut taken_orders = BTreeSet::new();
        let mut count = 0;
        for path in messages(&corpus) {
            let mut message = fs::read(corpus.join("messages").join(&path)).unwrap();
            if crlf_form {
                message = crlf(&message);
            }
            let whole = rewrite(&rules(), [&message[..]]);
            assert!(
                whole == rewrite(&rules(), message.chunks(7)),
                "{path}: in chunks of 7"
            );
            let (out, _) = match whole {
                Ok(whole) => whole,
                Err(error) => {
                    let bare_cr = message.contains(&b'\r') && !message.contains(&b'\n');
                    assert!(error == Error::BareCr && bare_cr, "{path}: {error}");
                    continue;
                }
            };
            oracle::note_orders(&message, &mut taken_orders);
            for (directory, bytes) in [(&inputs, &message), (&outputs, &out)] {
                let file = directory.join(&path);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, bytes).unwrap();
            }
            count += 1;
        }
        assert!(count > 3_700, "{count} messages were rewritten");

        oracle::judge(&corpus, &inputs, &outputs, &taken_orders, count, |_| true);
    }
}

/// The octets of a part: where it begins, where its body begins, where it ends.
type Offsets = (u64, u64, u64);

fn parts(message: &[u8]) -> Vec<Part> {
    let mut scanner = Scanner::default();
    let mut parts = Parts::new();
    let mut rest = message;
    while let Some(event) = scanner.next(&mut rest, true).unwrap() {
        parts.push(&event);
    }
    parts.finish()
}

fn our_offsets(message: &[u8]) -> Vec<Offsets> {
    let offsets = |part: Part| (part.header.start, part.body.start, part.body.end);
    parts(message).into_iter().map(offsets).collect()
}

fn offset(part: &Value, name: &str) -> u64 {
    part[name].as_u64().unwrap()
}

/// mail-parser's parts in document order; a message inside is the body of its part.
fn mail_parser_offsets(message: &Value, index: u64, offsets: &mut Vec<Offsets>) {
    let part = &message["parts"][usize::try_from(index).unwrap()];
    offsets.push((
        offset(part, "offset_header"),
        offset(part, "offset_body"),
        offset(part, "offset_end"),
    ));
    if let Some(children) = part["body"]["Multipart"].as_array() {
        for child in children {
            mail_parser_offsets(message, child.as_u64().unwrap(), offsets);
        }
    }
    if part["body"]["Message"].is_object() {
        mail_parser_offsets(&part["body"]["Message"], 0, offsets);
    }
}

fn mimekit_offsets(part: &Value, offsets: &mut Vec<Offsets>) {
    offsets.push((
        offset(part, "beginOffset"),
        offset(part, "headersEndOffset"),
        offset(part, "endOffset"),
    ));
    for child in part["children"].as_array().into_iter().flatten() {
        mimekit_offsets(child, offsets);
    }
}

/// Messages of mail-parser's suite where its part offsets and ours differ, in both line endings, and why.
const OTHER_PARTS: &[(&str, &str)] = &[
    ("malformed__000", CUT_HEADER),
    (
        "malformed__001",
        "it takes `--ab` for the boundary `a` with text behind; RFC 2046 5.1.1 wants the whole line",
    ),
    (
        "malformed__004",
        "it takes `--ab` and `--ac` for the boundary `a`; they are no delimiters, so there is no part",
    ),
    ("malformed__007", CUT_HEADER),
    ("malformed__008", OUTER_CLOSES),
    ("malformed__009", OUTER_CLOSES),
    ("malformed__012", OUTER_CLOSES),
    ("malformed__013", LAST_IS_EMPTY),
    ("malformed__014", LAST_IS_EMPTY),
    ("malformed__016", OUTER_CLOSES),
    (
        "malformed__019",
        "it reads on past a line that is no field; ours ends the header section there",
    ),
    ("malformed__020", TWO_TYPES),
    ("malformed__021", TWO_TYPES),
    (
        "malformed__022",
        "it takes a message/rfc822 part without a field for text; ours for a message without a field",
    ),
    (
        "rfc__008",
        "it decodes a message in base64 and looks inside; ours is opaque, as its bytes are",
    ),
    (
        "thirdparty__005",
        "it takes a delimiter that is not at the start of a line (`invalid--1--`)",
    ),
    ("thirdparty__015", CUT_HEADER),
];
const OUTER_CLOSES: &str =
    "a delimiter of an outer multipart closes the inner one; mail-parser runs the inner on";
const CUT_HEADER: &str = "a delimiter ends a header section that has no empty line; mail-parser reads on";
const LAST_IS_EMPTY: &str =
    "the message was cut off after a delimiter: an empty part follows it; mail-parser has none";
const TWO_TYPES: &str = "a part with two Content-Type fields: ours takes the first, mail-parser the last";

#[test]
fn part_offsets_are_those_of_other_parsers() {
    let Some(corpus) = corpus() else { return };
    let mut different = BTreeSet::new();
    let mut compared = 0;
    for entry in fs::read_dir(corpus.join("expected/mail-parser")).unwrap() {
        let path = entry.unwrap().path();
        let name = path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .strip_suffix(".json")
            .unwrap();
        let crlf_form = name.strip_suffix(".crlf");
        let base = crlf_form.unwrap_or(name);
        let message = fs::read(corpus.join(format!("messages/mail-parser/{base}.eml"))).unwrap();
        let message: Vec<u8> = if crlf_form.is_some() {
            crlf(&message)
        } else {
            message.into_iter().filter(|&b| b != b'\r').collect()
        };
        let mut expected = Vec::new();
        mail_parser_offsets(
            &serde_json::from_slice(&fs::read(&path).unwrap()).unwrap(),
            0,
            &mut expected,
        );
        compared += 1;
        if our_offsets(&message) != expected {
            different.insert(base.trim_start_matches("resources__eml__").to_owned());
        }
    }
    assert!(compared > 200, "{compared} expectations of mail-parser");
    let explained: BTreeSet<String> = OTHER_PARTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(different, explained);

    let mut compared = 0;
    for number in 1..=4 {
        let message =
            format!("messages/mimekit-mbox/UnitTests__TestData__mbox__issue1189.mbox.txt#{number}.eml");
        let message = fs::read(corpus.join(message)).unwrap();
        let expected =
            fs::read(corpus.join(format!("expected/mimekit-mbox/issue1189-{number}.json"))).unwrap();
        let expected: Value = serde_json::from_slice(&expected).unwrap();
        let mut offsets = Vec::new();
        mimekit_offsets(&expected["body"], &mut offsets);
        if number == 2 {
            // Base64 lines follow the fields without an empty line: to MimeKit they are of the header section,
            // to ours of the body.
            assert_eq!(offsets[4], (663, 5823, 5823));
            offsets[4].1 = 822;
        }
        assert_eq!(our_offsets(&message), offsets, "MimeKit's issue1189-{number}");
        compared += offsets.len();
    }
    assert!(compared > 10);
}

/// Every message in CRLF, and what goes out of it, below two directories: for judges that compare them.
fn written(corpus: &Path, work: &Path) -> (PathBuf, PathBuf) {
    let (inputs, outputs) = (work.join("in"), work.join("out"));
    for path in messages(corpus) {
        let message = crlf(&fs::read(corpus.join("messages").join(&path)).unwrap());
        let Ok((out, _)) = rewrite(&rules(), [&message[..]]) else {
            continue;
        };
        for (directory, bytes) in [(&inputs, &message), (&outputs, &out)] {
            let file = directory.join(&path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
    }
    (inputs, outputs)
}

/// What one of Python's judges prints, and its last word.
fn judged(script: &str, directories: &[&Path]) -> (String, String) {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common");
    let judge = Command::new("python3")
        .arg(scripts.join(script))
        .args(directories)
        .output()
        .expect("python3 runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&judge.stdout), text(&judge.stderr))
}

/// Catches a repair that is bought by leaving somebody out.
#[test]
fn no_address_is_lost() {
    let Some(corpus) = corpus() else { return };
    let work = tempfile::tempdir().unwrap();
    let (inputs, outputs) = written(&corpus, work.path());
    let (missing, summary) = judged("same_addresses.py", &[&inputs, &outputs]);
    assert!(
        summary.trim().ends_with(" addresses, 0 missing"),
        "{summary}{missing}"
    );
    let count: usize = summary.split(' ').next().unwrap().parse().unwrap();
    assert!(count > 5_000, "{summary}");
}

/// A Content-Type that was written anew must say the same to every reader.
#[test]
fn other_parsers_see_our_parts_where_a_type_was_repaired() {
    /// Python takes a field with blanks before its colon for the start of the body.
    const BLANK_COLON: &str = "mail-parser/resources__eml__malformed__019.eml";
    let Some(corpus) = corpus() else { return };
    let work = tempfile::tempdir().unwrap();
    let mut ours = BTreeMap::new();
    for path in messages(&corpus) {
        let message = crlf(&fs::read(corpus.join("messages").join(&path)).unwrap());
        let Ok((out, _)) = rewrite(&rules(), [&message[..]]) else {
            continue;
        };
        let is_note = |name: &str| name == "x-readdress-notes";
        let notes = sealed::split(&out)
            .fields
            .into_iter()
            .find(|(name, _)| is_note(name));
        let notes = notes.map_or(String::new(), |(_, raw)| String::from_utf8(raw).unwrap());
        let is_repaired = notes.contains("content-type-syntax") || notes.contains("duplicate-field");
        if is_repaired && path != BLANK_COLON {
            let file = work.path().join(&path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, &out).unwrap();
            let types: Vec<String> = parts(&out).into_iter().map(|part| part.content_type).collect();
            ours.insert(path, types.join(", "));
        }
    }
    assert!(ours.len() > 40, "{} with a repair of their type", ours.len());
    let (told, _) = judged("part_types.py", &[work.path()]);
    let theirs: BTreeMap<String, String> = told
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(path, types)| (path.to_owned(), types.to_owned()))
        .collect();
    assert_eq!(theirs, ours);
}
