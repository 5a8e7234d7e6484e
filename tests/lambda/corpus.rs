//! Real mail, all the way from the bucket to SES.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::common::oracle::{self, corpus, messages};
use super::support::runtime_api::Reply;
use super::{SEND_ALL, Stands, ses_event};

/// Messages over this size are left out: there are few, and they take most of the time.
const MAX: usize = 1 << 20;

/// What SES says of a line over 998 octets.
const LONG_LINE: &str = "552 message line is too long";
/// Messages that have one in the body, at most. SES refuses them; here they are sent once more to where they land.
const LONG_LINES: usize = 30;

/// Why not every other message lands: bare CR, and what SES refuses of a message whose body and other fields go out as
/// they came. How many, at most.
const REFUSED: [(&str, usize); 8] = [
    ("bare CR", 74),
    (LONG_LINE, 7),
    ("Duplicate header", 12),
    ("Empty header names are illegal", 9),
    ("Local address contains control or whitespace", 1),
    ("Local address contains illegal character", 5),
    ("Missing '>'", 1),
    ("Missing final '@domain'", 6),
];

#[test]
#[allow(clippy::too_many_lines)] // One walk over all messages.
fn every_message_lands_sealed() {
    let Some(corpus) = corpus() else { return };
    let stands = Stands::start();
    let _running = stands.function(&[SEND_ALL]);
    let work = tempfile::tempdir().unwrap();
    let (inputs, outputs) = (work.path().join("in"), work.path().join("out"));
    let mut taken_orders = BTreeSet::new();
    let mut landed = BTreeSet::new();
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    let mut long_lines = 0;
    for (n, path) in messages(&corpus).into_iter().enumerate() {
        let message = fs::read(corpus.join("messages").join(&path)).unwrap();
        if message.len() > MAX {
            continue;
        }
        let id = format!("m{n}");
        stands.put(&id, &message);
        let invoke = |id: &str| stands.api.invoke(&ses_event(id, &["shop@example.com"]));
        let mut reply = invoke(&id);
        if let Reply::Err(error) = &reply
            && error.to_string().contains(LONG_LINE)
        {
            // Under another id: what SES has refused for good is remembered.
            let again = format!("{id}again");
            stands.put(&again, &message);
            stands.ses.rules(|rules| rules.body_lines = false);
            reply = invoke(&again);
            stands.s3.remove("mail", &format!("inbound/{again}"));
            stands.ses.rules(|rules| rules.body_lines = true);
            long_lines += usize::from(matches!(reply, Reply::Ok(_)));
        }
        stands.s3.remove("mail", &format!("inbound/{id}"));
        let sent = stands.ses.take_messages();
        if let Reply::Err(error) = reply {
            assert!(sent.is_empty(), "{path}: {error}");
            let text = error["errorMessage"].as_str().unwrap();
            let reason = text
                .split_once("failed: ")
                .unwrap_or_else(|| panic!("{path}: {text}"))
                .1;
            *refused.entry(reason.to_owned()).or_default() += 1;
            continue;
        }
        assert_eq!(sent.len(), 1, "{path}");
        assert_eq!(sent[0].kept, [""; 0], "{path}: fields that steer SES");
        oracle::note_orders(&message, &mut taken_orders);
        for (directory, bytes) in [(&inputs, &message), (&outputs, &sent[0].raw)] {
            let file = directory.join(&path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
        landed.insert(path);
    }
    stands.ses.assert_signed();
    println!(
        "{} messages landed, {long_lines} of them with a long line in the body; not sent:",
        landed.len()
    );
    for (reason, count) in &refused {
        println!("{count:5} {reason}");
    }
    let known = |reason: &str| REFUSED.iter().position(|(known, _)| reason.contains(known));
    let mut counts = [0; REFUSED.len()];
    for (reason, count) in &refused {
        counts[known(reason).unwrap_or_else(|| panic!("{reason}"))] += count;
    }
    for ((reason, most), count) in REFUSED.iter().zip(counts) {
        assert!(count <= *most, "{count} times: {reason}");
    }
    assert!(long_lines <= LONG_LINES, "{long_lines} times: {LONG_LINE}");
    assert!(landed.len() > 3_700, "{} landed", landed.len());
    // Explained where only the message itself can say whom to reply to; here the event has the envelope sender.
    let replies = "spamassassin-corpus/data__spam-2__00030";
    oracle::judge(&corpus, &inputs, &outputs, &taken_orders, landed.len(), |path| {
        landed.contains(path) && !path.starts_with(replies)
    });
}
