//! Which mail is not done, as the ledger has it.

use readdress::arrival::{Arrival, Order};
use readdress::forward::Ending;
use readdress::ledger::{ClaimState, Entry, RecordedEnding};

/// In place of an outcome: somebody began to send the message and ended without a record.
pub(super) const UNFINISHED: &str = "unfinished";

/// An outcome by its name, or [`UNFINISHED`].
pub(super) fn outcome(text: &str) -> Result<String, String> {
    let known = Ending::ALL.iter().map(|ending| ending.as_str());
    let mut known: Vec<&str> = known.collect();
    known.push(UNFINISHED);
    if known.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("write one of {}", known.join(", ")))
}

/// Whether somebody still has to do something: as with invocations, what somebody was told of is done.
pub(super) fn is_undone(ending: &RecordedEnding) -> bool {
    let named = |known: &&Ending| known.as_str() == ending.outcome;
    let is_settled = Ending::ALL
        .iter()
        .find(named)
        .is_some_and(|known| known.is_settled());
    !ending.told && !is_settled
}

/// Whether the message was claimed, and whoever claimed it is dead.
pub(super) fn is_unfinished(entry: &Entry) -> bool {
    entry.claim == Some(ClaimState::Dead)
}

/// The arrival of a message, with this order, for those recipients alone whose ending is chosen. Who they are is left to the
/// message, where the event did not say it.
pub(super) fn arrival_for(
    entry: &Entry,
    order: Order,
    is_chosen: impl Fn(&RecordedEnding) -> bool,
) -> Arrival {
    let mut arrival = entry.arrival.clone();
    if let Some(recipients) = &mut arrival.recipients {
        let chosen = |recipient: &String| entry.endings.get(recipient).is_some_and(&is_chosen);
        recipients.retain(chosen);
        if recipients.is_empty() {
            arrival.recipients.clone_from(&entry.arrival.recipients);
        }
    }
    arrival.into_arrival(entry.message_id.clone(), order)
}

/// An ending in a few words.
pub(super) fn described(ending: &RecordedEnding) -> String {
    let why = ending.reason.as_ref().or(ending.cause.as_ref());
    let why = why.map_or(String::new(), |why| format!(" ({why})"));
    let told = if ending.told { ", told" } else { "" };
    format!("{}{why}{told}", ending.outcome)
}
