//! What strangers may try, and how it ends: one file for each kind of attack. SECURITY.md has the table of all attacks,
//! with the tests elsewhere that hold against some of them.
//!
//! Each attack goes through the whole pipeline, from the event to the files of a directory outbox, and all that goes out is
//! read by others' readers: see `attack/world.rs`.
#![cfg(feature = "forward")]

mod common;

#[path = "attack/claims.rs"]
mod claims;
#[path = "attack/events.rs"]
mod events;
#[path = "attack/everywhere.rs"]
mod everywhere;
#[path = "attack/privacy.rs"]
mod privacy;
#[path = "attack/recipients.rs"]
mod recipients;
#[path = "attack/replies.rs"]
mod replies;
#[path = "attack/smuggling.rs"]
mod smuggling;
#[path = "attack/table.rs"]
mod table;
#[path = "attack/third_party.rs"]
mod third_party;
#[path = "attack/world.rs"]
mod world;
