//! The MIME scanner: sans-IO, incremental, lossless.
//!
//! [`Scanner`] takes the bytes of a message in chunks of any size and names every one of them, in order:
//! header fields, delimiters, bodies, preambles and epilogues (RFC 5322, RFC 2045, RFC 2046). It decodes
//! nothing and changes nothing. [`PartTree`] follows the parts through its events, [`Parts`] collects them. [`TransferDecoder`]
//! takes the transfer encoding off the body of a part.
//!
//! All attachments of a message, decoded as they come (the [`guide`](crate::guide) has whole programs):
//!
//! ```
//! use readdress::mime::{Kind, PartChange, PartTree, Scanner, TransferDecoder};
//!
//! let message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee below.\r\n--b\r\n\
//!     Content-Disposition: attachment; filename=a.txt\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--b--\r\n";
//! let (mut scanner, mut tree) = (Scanner::default(), PartTree::default());
//! let (mut files, mut is_file) = (Vec::new(), false);
//! let (first, second) = message.as_bytes().split_at(150);
//! for (mut chunk, last) in [(first, false), (second, true)] {
//!     while let Some(event) = scanner.next(&mut chunk, last)? {
//!         tree.push(&event, &mut |change| {
//!             if let PartChange::Begun { part, .. } = change {
//!                 is_file = part.filename.is_some();
//!                 if let Some(name) = &part.filename {
//!                     files.push((name.clone(), TransferDecoder::new(&part.encoding), Vec::new()));
//!                 }
//!             }
//!         });
//!         // A piece of the body of the part that has begun last.
//!         if event.kind == Kind::Body && is_file && let Some((_, decoder, content)) = files.last_mut() {
//!             decoder.write(event.bytes, &mut |octets| content.extend_from_slice(octets));
//!         }
//!     }
//! }
//! for (name, decoder, mut content) in files {
//!     decoder.end(&mut |octets| content.extend_from_slice(octets));
//!     assert_eq!((&*name, &*content), ("a.txt", &b"Hello"[..]));
//! }
//! # Ok::<(), readdress::mime::Error>(())
//! ```

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
