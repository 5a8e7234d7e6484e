//! Law L4 of the writer of a plan: whatever stands outside of the edits goes out as it came, in its order.

use readdress::rewrite::{Edit, Plan, PlanWriter, Replacement};

use super::chunks;

/// Octets of an input that say what one edit is: octets between it and the edit before it, octets that it replaces, and
/// octets that stand there instead.
const OCTETS_OF_AN_EDIT: usize = 3;

/// An input begins with the number of its edits and three octets for each; four octets that say how the message is cut;
/// the rest is the message.
pub fn edits(input: &[u8]) {
    let Some((&count, rest)) = input.split_first() else {
        return;
    };
    let Some((shapes, rest)) = rest.split_at_checked(usize::from(count) * OCTETS_OF_AN_EDIT) else {
        return;
    };
    let Some((cuts, message)) = rest.split_at_checked(4) else {
        return;
    };
    let mut at = 0;
    let shapes = shapes.chunks_exact(OCTETS_OF_AN_EDIT).map(|shape| {
        let start = at + u64::from(shape[0]);
        at = start + u64::from(shape[1]);
        (start..at, vec![b'+'; usize::from(shape[2])])
    });
    let shapes: Vec<_> = shapes.collect();
    let edits = shapes.iter().map(|(range, with)| Edit {
        range: range.clone(),
        with: Replacement::Octets(with.clone()),
    });
    let plan = Plan::new(edits.collect()).expect("edits in order and apart are a plan");

    let mut want = message.to_vec();
    for (range, with) in shapes.iter().rev() {
        let at = |offset: u64| {
            message
                .len()
                .min(usize::try_from(offset).expect("a small offset"))
        };
        want.splice(at(range.start)..at(range.end), with.iter().copied());
    }
    let size = plan.outgoing_octets(message.len() as u64);
    assert_eq!(size, want.len() as u64, "the size foretold");

    let from = usize::try_from(plan.skipped()).map_or(message.len(), |from| from.min(message.len()));
    for start in [0, from] {
        let mut out = Vec::with_capacity(want.len());
        let mut writer = PlanWriter::new(&plan, start as u64);
        for chunk in chunks(&message[start..], cuts) {
            writer.write(chunk, &mut |octets| out.extend_from_slice(octets));
        }
        writer.end(&mut |octets| out.extend_from_slice(octets));
        assert!(out == want, "a reading from {start}");
    }
}
