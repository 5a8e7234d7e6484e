//! The header section: raw fields, mailboxes, encoded-words, and the writing of new fields.

mod address;
mod address_lexer;
mod address_list;
pub(crate) mod charset;
mod display;
mod encoded_text;
pub mod encoded_word;
mod field;
mod field_body;
mod name_table;
mod plain_mailbox;
#[cfg(feature = "forward")]
mod sole_mailbox;
mod text;

pub use field::{Field, Header};
pub(crate) use field::{after_mbox_mark, body_if_named, line_ending, name_len};
pub use field_body::{FieldBody, write_field};
pub(crate) use name_table::{NameTable, is_same, position};
pub(crate) use plain_mailbox::PlainMailbox;
pub(crate) use text::{
    FOLD_AT, FoldPlaces, MAX_LINE, MAX_WORD, MAX_WRITTEN_NAME, can_be_folded, has_long_word, hex_value,
    hexadecimal, is_invisible, unfolded, without_controls,
};

/// Addresses, mailboxes and lists of them (RFC 5322 3.4).
pub mod mailbox {
    pub use super::address::{Address, AddressError, MAX_MAILBOX};
    pub use super::address_list::{MAX_MAILBOXES, parse_address_list};
    pub use super::display::{Mailbox, format_mailbox};

    pub(crate) use super::address_list::parse_at_most;
    pub(crate) use super::display::whole_mailbox;
    #[cfg(feature = "forward")]
    pub(crate) use super::sole_mailbox::sole_mailbox;
}
