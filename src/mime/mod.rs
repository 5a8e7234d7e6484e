//! The MIME scanner: sans-IO, incremental, lossless.
//!
//! [`Scanner`] takes the bytes of a message in chunks of any size and names every one of them, in order:
//! header fields, delimiters, bodies, preambles and epilogues (RFC 5322, RFC 2045, RFC 2046). It decodes
//! nothing and changes nothing. [`PartTree`] follows the parts through its events, [`Parts`] collects them. [`TransferDecoder`]
//! takes the transfer encoding off the body of a part.

mod content_type;
mod delimiter;
mod event;
mod field_start;
mod limits;
mod parts;
mod scanner;
mod transfer;

pub use content_type::ContentType;
pub(crate) use content_type::{says_anything, transfer_encoding};
pub use event::{Event, Kind};
pub use limits::Limits;
pub use parts::{Part, PartChange, PartTree, Parts, Span};
pub use scanner::{Error, Scanner};
pub use transfer::TransferDecoder;
