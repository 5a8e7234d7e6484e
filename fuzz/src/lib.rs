//! What the fuzz targets assert, one file a target. `tests/regressions.rs` includes this file, so that `cargo test`
//! asserts the same of what the fuzzers have found, without a fuzzer.
//!
//! An input begins with a few octets that say how to treat it (limits, cuts, rules); the rest of it is what is
//! parsed, as it is. So a seed is a fixture behind a few octets, and a regression can be read.

mod alias_map;
mod allocated;
mod chunking;
mod edits;
mod encoded_word;
mod event;
mod hostile;
#[path = "../../tests/common/lax.rs"]
mod lax;
mod mailbox;
#[path = "../../tests/common/naive.rs"]
mod naive;
mod plan;
mod reply_address;
mod rewrite;
#[path = "../../tests/common/sealed.rs"]
mod sealed;
mod structure;
#[path = "../../tests/common/told.rs"]
mod told;

pub use alias_map::alias_map;
pub use chunking::chunking;
pub use edits::edits;
pub use encoded_word::encoded_word;
pub use event::event;
pub use hostile::hostile;
pub use mailbox::mailbox;
pub use plan::plan;
pub use reply_address::reply_address;
pub use rewrite::rewrite;
pub use structure::structure;

use told::{Told, tell};

/// `message` in chunks of the sizes that `cuts` names, over and over; empty ones too.
fn chunks<'a>(message: &'a [u8], cuts: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    // The last one is not empty, so that there is an end.
    let mut sizes = cuts.iter().copied().chain([7]).map(usize::from).cycle();
    let mut rest = message;
    std::iter::from_fn(move || {
        let size = sizes.next()?.min(rest.len());
        let (chunk, after) = rest.split_at(size);
        let more = !rest.is_empty();
        rest = after;
        more.then_some(chunk)
    })
}
