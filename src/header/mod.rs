//! The header section: raw fields, mailboxes, encoded-words, and the writing of new fields.

mod address;
pub mod encoded_word;
mod field;
pub mod mailbox;
mod write;

pub use field::{Field, Header};
pub(crate) use field::{body_if_named, line_ending, name_len};
pub use write::{FieldBody, write_field};
pub(crate) use write::{MAX_WORD, has_long_word, unfolded};
