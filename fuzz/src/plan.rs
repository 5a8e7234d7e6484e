//! The plan of a whole message, parts included: edits in order, apart and inside of it, and nothing left that they cure.

use readdress::header::mailbox::Address;
use readdress::preflight::{Report, Rung, Source, check};
use readdress::rewrite::{HeaderReader, MAX_EDITS, Rules};

use super::{chunks, sealed};

/// An input begins with four octets that say how the message is cut; the rest is the message.
pub fn plan(input: &[u8]) {
    let Some((cuts, message)) = input.split_at_checked(4) else {
        return;
    };
    let address = |text| Address::parse(text).expect("an address");
    let rules = Rules::new(address("shop@example.com"), vec![address("owner@example.net")]);
    let Ok(Some(head)) = HeaderReader::default().read(&mut &*message, true) else {
        return;
    };
    let report = check(message);
    let plan = rules.plan_with_parts(&head, &report, "It is kept.");
    let mut end = 0;
    for edit in plan.edits() {
        assert!(
            end <= edit.range.start && edit.range.start <= edit.range.end,
            "in order and apart"
        );
        end = edit.range.end;
    }
    assert!(end <= message.len() as u64, "inside of the message");

    let written = |chunks: &mut dyn Iterator<Item = &[u8]>| {
        let mut out = Vec::new();
        let mut writer = plan.writer();
        for chunk in chunks {
            writer.write(chunk, &mut |octets| out.extend_from_slice(octets));
        }
        writer.end(&mut |octets| out.extend_from_slice(octets));
        out
    };
    let out = written(&mut std::iter::once(message));
    assert!(written(&mut chunks(message, cuts)) == out, "however it is cut");
    assert!(
        plan.outgoing_octets(message.len() as u64) <= out.len() as u64,
        "the least that it can be"
    );
    if plan.is_measured() {
        assert_eq!(plan.outgoing_octets(message.len() as u64), out.len() as u64);
    }
    // A boundary with a control in it, or longer than a line, cannot go out as it came: then the parts are others.
    let mut fields = sealed::split(message).fields.into_iter();
    let is_odd = fields.any(|(name, raw)| {
        name.starts_with("content-") && (raw.len() > 900 || sealed::cleaned(&raw).as_ref() != Some(&raw))
    });
    if !is_odd && report.findings.len() < MAX_EDITS / 4 {
        nothing_is_left(&check(&out));
    }
}

/// The output has no fault that an edit of a part cures.
fn nothing_is_left(report: &Report) {
    let mut left = report
        .findings
        .iter()
        .filter(|finding| finding.rung == Rung::Parts && finding.source > Source::Suspected);
    assert_eq!(left.next(), None);
}
