//! Any bytes for an event or for a message's trace: total, a message id can never name another file, and what goes to
//! the log holds no address.

use readdress::arrival::{Event, EventError, MAX_REPORTED, MessageId, parse_event, trace};
use readdress::header::mailbox::Address;
use readdress::mime::Limits;
use readdress::rewrite::HeaderReader;

/// `input`: the payload, or a header section.
pub fn event(input: &[u8]) {
    payload(input);
    trace(input);
}

fn payload(payload: &[u8]) {
    let records = match parse_event(payload) {
        Ok(records) => records,
        Err(error) => return can_be_logged(&error),
    };
    for record in records {
        match record.event {
            Err(error) => can_be_logged(&error),
            Ok(Event::Report(report)) => {
                report.message_id.iter().for_each(is_a_file_name);
                assert!(report.recipients.len() <= MAX_REPORTED);
                let mut recipients = report.recipients.iter();
                assert!(recipients.all(|it| !it.diagnostic.contains(char::is_control)));
            }
            Ok(Event::Arrival(arrival)) => {
                is_a_file_name(&arrival.message_id);
                let recipients = arrival.recipients.known();
                assert!(recipients.is_none_or(|recipients| {
                    let mut written = recipients.iter();
                    !recipients.is_empty() && written.all(|it| !it.is_empty() && it.trim() == it)
                }));
                let sender = arrival.envelope_sender.as_deref();
                assert!(
                    sender.is_none_or(|sender| !["", "<>"].contains(&sender)),
                    "{sender:?}"
                );
                match arrival.stored {
                    None => assert!(recipients.is_some()),
                    Some(stored) => {
                        let mut steps = stored.key.split('/');
                        assert!(
                            !stored.key.starts_with('/') && steps.all(|step| step != ".."),
                            "{stored:?}"
                        );
                    }
                }
            }
        }
    }
}

/// No address of the payload, no line break, whatever it holds.
fn can_be_logged(error: &EventError) {
    let text = error.to_string();
    assert!(
        !text.contains('@') && !text.contains(char::is_control),
        "{text:?}"
    );
    error.message_id().map(is_a_file_name);
}

fn is_a_file_name(id: &MessageId) {
    let id = id.as_str();
    assert!(
        !id.is_empty() && id.len() <= 255 && !id.starts_with('.') && !id.contains(['/', '\\', '\0']),
        "{id:?}"
    );
}

fn trace(message: &[u8]) {
    let Ok(Some(head)) = HeaderReader::new(Limits::default()).read(&mut &*message, true) else {
        return;
    };
    let id = MessageId::parse(ID).expect("an id");
    if let Ok(recipient) = trace::recipient(&head.header, &id) {
        assert!(Address::parse(&recipient).is_ok(), "{recipient:?}");
        let received = head.header.first("received").expect("a trace").body();
        for word in [
            recipient.as_bytes(),
            ID.as_bytes(),
            b"inbound-smtp.",
            b".amazonaws.com",
        ] {
            assert!(
                received.windows(word.len()).any(|found| found == word),
                "{recipient:?}"
            );
        }
    }
}

/// That of the fixture with a trace.
const ID: &str = "q7v2m9c4x1b8n5k3t6z0h4j2l7p1r9s8d5f6gw01";
