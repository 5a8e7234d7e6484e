//! What SES refuses although preflight found nothing: the message goes out once more, in its plainest form.

use readdress::alias_key::{KeyCache, KeyStore};
use readdress::preflight::Code;
use readdress::signed::AliasKey;

use super::support::ses::{Message, Refusal};
use super::*;

/// A rule that nobody has told of. SES's words repeat an address, as some do.
const WORDS: &str = "Octet not allowed in 'X-Campaign' of jane@example.org";

fn refuses_eight_bits_in_the_header_section(message: &Message) -> Option<Refusal> {
    let header = &message.raw[..message.raw.len() - message.body().len()];
    (!header.is_ascii()).then(|| Refusal::bad_request(WORDS))
}

fn refuses_eight_bits(message: &Message) -> Option<Refusal> {
    (!message.raw.is_ascii()).then(|| Refusal::rejected(WORDS))
}

/// A message with such an octet in its header section, and some in its body.
fn eight_bit() -> Vec<u8> {
    [&b"X-Campaign: M\xe4rz\r\n"[..], &message(2_000)].concat()
}

#[test]
fn a_refusal_that_nobody_foresaw_is_answered_with_the_plainest_form() {
    let edge = Edge::start();
    edge.ses.refuse(refuses_eight_bits_in_the_header_section);
    let recipients = ["shop@example.com", "many@example.com"].map(str::to_owned);
    let outcomes = edge.forward_to(&eight_bit(), &recipients);
    for outcome in &outcomes {
        assert_eq!(outcome.ending, Ending::Sent, "{outcome:?}");
        assert!(outcome.repairs.contains(&Code::Unforeseen), "{outcome:?}");
    }
    let refusal = outcomes[0].refusal.as_deref().unwrap();
    assert_eq!(
        refusal,
        "SES answers 400 BadRequestException: Octet not allowed in 'X-Campaign' of (an address)"
    );
    // The next recipient's mail goes out in the form that SES has taken.
    assert_eq!(outcomes[1].refusal, None);
    assert_eq!(edge.ses.attempts().len(), 1 + 1 + 3);
    let sent = edge.ses.messages();
    let notes = sent[0]
        .fields
        .iter()
        .find(|field| field.name == "X-Readdress-Notes");
    assert!(String::from_utf8_lossy(&notes.unwrap().body).contains("unforeseen"));
}

#[test]
fn a_body_is_written_in_ascii_where_it_may_be_and_stays_as_it_came_where_not() {
    for (repair, attempts, ending) in [
        ("parts", 2, Ending::Sent),
        ("header", 2, Ending::Failed),
        ("off", 1, Ending::Failed),
    ] {
        let edge = Edge::with(&[("REPAIR", repair), ("NOTIFY", "off")]);
        edge.ses.refuse(refuses_eight_bits);
        let outcome = edge.forward(&eight_bit(), "shop@example.com");
        assert_eq!(outcome.ending, ending, "{repair}: {outcome:?}");
        assert_eq!(edge.ses.attempts().len(), attempts, "{repair}");
        if ending == Ending::Failed {
            assert_eq!(outcome.cause, Some(Cause::Rejected), "{repair}");
            assert!(!outcome.error.unwrap().contains("jane"), "{repair}");
            continue;
        }
        let sent = edge.ses.messages();
        let body = String::from_utf8(sent[0].body().to_vec()).unwrap();
        let decoded = body.replace("=\r\n", "").replace("=F6", "\u{f6}");
        let came = eight_bit();
        let came: String = body_of(&came).iter().map(|&octet| char::from(octet)).collect();
        assert_eq!(decoded, came);
    }
}

/// An answer is written as plainly as any mail, and tells no more than before.
#[test]
fn an_answer_goes_out_in_the_plainest_form_too() {
    let edge = Edge::start();
    edge.ses.refuse(refuses_eight_bits);
    let key = AliasKey::new(std::array::from_fn(|at| u8::try_from(at * 7).unwrap()));
    let path = edge.directory.path().join("key");
    std::fs::write(&path, key.to_text()).unwrap();
    let cache = KeyCache::new(KeyStore::File(path), Duration::from_hours(1));
    let addr = |text: &str| Address::parse(text).unwrap();
    let to = key
        .reply_address(&addr("shop@example.com"), &addr("ann@example.org"))
        .unwrap();
    let octets = [
        format!(
            "X-Host: laptop\r\nFrom: jane@example.net\r\nTo: {to}\r\nMessage-ID: <1@laptop>\r\n\
             MIME-Version: 1.0 (laptop)\r\nContent-Type: text/plain; charset=iso-8859-1; x=laptop\r\n"
        )
        .as_bytes(),
        b"Subject: M\xe4rz\r\n\r\nGr\xfc\xdfe\r\n",
    ]
    .concat();
    edge.s3.put("mail", "inbound/m1", octets);
    let event = json!({"Records": [{"eventSource": "aws:ses", "ses": {
        "mail": {"messageId": "m1", "source": "jane@example.net"},
        "receipt": {"recipients": [to.to_string()], "dmarcVerdict": {"status": "PASS"}}}}]});
    let mut records = parse_event(event.to_string().as_bytes()).unwrap();
    let arrival = records.remove(0).arrival().unwrap().unwrap();
    let forwarder = edge.process(&[]).with_key(cache);
    let outcomes = block_on(forwarder.forward(&arrival, Deadline::NEVER));
    assert_eq!(outcomes[0].ending, Ending::Sent, "{outcomes:?}");
    assert!(outcomes[0].repairs.contains(&Code::Unforeseen), "{outcomes:?}");
    let sent = edge.ses.messages();
    assert_eq!(sent.len(), 1);
    let text = String::from_utf8(sent[0].raw.clone()).unwrap();
    assert!(text.is_ascii() && text.contains("Gr=FC=DFe"), "{text}");
    for secret in ["laptop", "example.net", "unforeseen"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

/// Catches a message that is tried for ever, and a last refusal that is not told.
#[test]
fn the_plainest_form_is_the_last() {
    let edge = Edge::with(&[("NOTIFY", "off")]);
    edge.ses.refuse(|message| {
        let words = if message.raw.is_ascii() { "No." } else { "Octets." };
        Some(Refusal::rejected(words))
    });
    let recipients = ["shop+a@example.com", "shop+b@example.com"].map(str::to_owned);
    let outcomes = edge.forward_to(&eight_bit(), &recipients);
    for outcome in &outcomes {
        assert_eq!(outcome.cause, Some(Cause::Rejected), "{outcome:?}");
        assert!(outcome.error.as_deref().unwrap().ends_with("No."), "{outcome:?}");
    }
    assert!(outcomes[0].refusal.as_deref().unwrap().ends_with("Octets."));
    // The second recipient leads to the same targets.
    assert_eq!(edge.ses.attempts().len(), 2);
}

/// Catches a fault that is known and beyond repair, for which the message would be read and sent once more in vain.
#[test]
fn a_fault_that_is_known_is_not_tried_again() {
    let edge = Edge::with(&[("NOTIFY", "off")]);
    edge.ses.refuse(|_| Some(Refusal::rejected("Illegal filename")));
    let message = b"From: jane@example.org\r\nContent-Type: text/javascript; name=a.js\r\n\r\nalert(1)\r\n";
    let outcome = edge.forward(message, "shop@example.com");
    assert_eq!(outcome.cause, Some(Cause::Rejected), "{outcome:?}");
    assert!(edge.ses.attempts().len() < 2);
}

/// Catches a target that gets the message twice, in both forms.
#[test]
fn batches_that_were_taken_are_not_sent_again() {
    let edge = Edge::start();
    edge.ses.refuse(|message| {
        let is_second = message.to.iter().any(|target| target == "target60@example.net");
        is_second.then(|| refuses_eight_bits(message)).flatten()
    });
    let outcome = edge.forward(&eight_bit(), "many@example.com");
    assert_eq!(outcome.ending, Ending::Sent, "{outcome:?}");
    let sent = edge.ses.messages();
    let sizes: Vec<usize> = sent.iter().map(|message| message.to.len()).collect();
    assert_eq!(sizes, [50, 20, 50]);
    let mut reached: Vec<&String> = sent.iter().flat_map(|message| &message.to).collect();
    reached.sort_unstable();
    reached.dedup();
    assert_eq!(reached.len(), 120);
    let ids: Vec<&str> = sent.iter().map(|message| &*message.id).collect();
    assert_eq!(outcome.sent_id.unwrap(), ids.join(","));
    assert_eq!(edge.ses.attempts().len(), 4);
}
