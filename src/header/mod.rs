//! The header section.
pub mod encoded_word;
pub mod mailbox;
