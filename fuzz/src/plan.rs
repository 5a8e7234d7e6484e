//! The plan of a whole message, parts included: edits in order, apart and inside of it, and nothing left that they cure.

use readdress::header::mailbox::Address;
use readdress::preflight::{Checker, Report, Rung, Source, Within};
use readdress::rewrite::{HeaderReader, MAX_EDITS, Plan, Rules};

use super::{chunks, sealed};

/// An input begins with four octets that say how the message is cut; the rest is the message. Planned twice: as it is at first,
/// and strictly, as for SES that has refused the first without a reason that is known.
pub fn plan(input: &[u8]) {
    let Some((cuts, message)) = input.split_at_checked(4) else {
        return;
    };
    let Ok(Some(head)) = HeaderReader::default().read(&mut &*message, true) else {
        return;
    };
    let address = |text| Address::parse(text).expect("an address");
    let rules = Rules::new(address("shop@example.com"), vec![address("owner@example.net")]);
    for strict in [false, true] {
        let report = checked(message, strict);
        let rules = Rules {
            strict,
            ..rules.clone()
        };
        let plan = rules.plan_with_parts(&head, &report, "It is kept.");
        let out = written(&plan, message, cuts);
        // A boundary with a control in it, or longer than a line, cannot go out as it came: then the parts are others.
        let mut fields = sealed::split(message).fields.into_iter();
        let is_odd = fields.any(|(name, raw)| {
            name.starts_with("content-") && (raw.len() > 900 || sealed::cleaned(&raw).as_ref() != Some(&raw))
        });
        if !is_odd && report.findings.len() < MAX_EDITS / 4 {
            nothing_is_left(&checked(&out, false));
        }
        if strict {
            header_section_is_plain(&out);
        }
    }
}

fn checked(message: &[u8], strict: bool) -> Report {
    let mut checker = Checker::default();
    if strict {
        checker = checker.strict();
    }
    checker.write(message);
    checker.finish()
}

/// What goes out, however the message is cut, and as large as the plan says.
fn written(plan: &Plan, message: &[u8], cuts: &[u8]) -> Vec<u8> {
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
    out
}

/// The output has no fault that an edit of a part cures.
fn nothing_is_left(report: &Report) {
    let mut left = report
        .findings
        .iter()
        .filter(|finding| finding.rung == Rung::Parts && finding.source > Source::Suspected);
    assert_eq!(left.next(), None);
}

/// The header section is in ASCII, and has nothing that SES is known to refuse, but for a Content-Type or
/// Content-Transfer-Encoding without which the body would be another.
fn header_section_is_plain(out: &[u8]) {
    let may_stay = |name: &str| matches!(name, "content-type" | "content-transfer-encoding");
    for (name, raw) in sealed::split(out).fields {
        assert!(raw.is_ascii() || may_stay(&name), "{name} in ASCII");
    }
    let report = checked(out, true);
    let mut left = report.findings.iter().filter(|finding| {
        let stays = matches!(&finding.within, Within::Field(name) if may_stay(name));
        finding.part == 0 && finding.rung == Rung::Header && finding.source > Source::Suspected && !stays
    });
    assert_eq!(left.next(), None);
}
