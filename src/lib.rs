//! **readdress** forwards mail for the aliases of a domain without opening it.
//!
//! It rewrites the top-level header section of a message (From, To, Reply-To and what else a mail service insists
//! on) and passes every byte after it through unchanged, as it streams:
//!
//! ```text
//!   Return-Path: …            ─┐
//!   From: jane@example.org     │ header section ──► Rules ──► new header section
//!   Subject: Hello             │
//!                             ─┘
//!   body, attachments, …      ────────────────────────────► the same bytes
//! ```
//!
//! This library is the engine: it is sans-IO, has no clock and no randomness.
//!
//! - [`Rewriter`] rewrites a message that comes in chunks of any size, by [`Rules`].
//! - [`Scanner`] names every byte of a message. From its events [`Parts`] makes the part tree, [`mime::PartTree`] the same while
//!   the message streams; [`mime::TransferDecoder`] decodes the content of a part.
//! - [`preflight`] says why SES would refuse a message.
//! - [`AliasMap`] knows who forwards where, and [`arrival`] reads the events that say what arrived.
//!
//! The [`guide`], `docs/library.md` in the repository, shows in small programs how they are used together.
//!
//! The features `forward`, `cli`, `aws` and `doctor` add the pipeline around it, for the two programs of this repository: the
//! command line and the Lambda function. It is not part of the library's interface, and its modules are not documented here.
//!
//! The words are those of RFC 5322 (header section, field, folding, mailbox), RFC 2045 and RFC 2046 (entity,
//! body part, boundary, delimiter, preamble, epilogue) and RFC 2047 (encoded-word). Some are our own: an *alias* is
//! an address that receives, a *target* where its mail goes, an *arrival* one message for some recipients; an *edit* is a stretch
//! of a message and what stands in its place, a *plan* all edits of one; a *finding* is a reason for which SES would refuse it.
//!
//! # Example
//! The second chunk begins in the middle of a field name.
//!
//! ```
//! use readdress::{Address, Rewriter, Rules};
//!
//! let rules = Rules::new(Address::parse("shop@example.com")?, vec![Address::parse("owner@example.net")?]);
//! let mut rewriter = Rewriter::new(rules);
//! let mut out = Vec::new();
//! let mut sink = |bytes: &[u8]| out.extend_from_slice(bytes);
//! for chunk in ["From: Jane <jane@example.org>\r\nSubj", "ect: Hello\r\n\r\nThe bo", "dy."] {
//!     rewriter.write(chunk.as_bytes(), &mut sink)?;
//! }
//! let octets = rewriter.end(&mut sink)?;
//!
//! let out = String::from_utf8(out)?;
//! assert!(out.starts_with("From: \"Jane (jane at example.org)\" <shop@example.com>\r\nSubject: Hello\r\n"));
//! assert!(out.ends_with("\r\n\r\nThe body."));
//! assert_eq!(octets.before, "From: Jane <jane@example.org>\r\nSubject: Hello\r\n\r\n".len() as u64);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The scanner borrows its events from the chunk wherever it can, so that a body comes in pieces:
//!
//! ```
//! use readdress::Scanner;
//! use readdress::mime::Kind;
//!
//! let mut scanner = Scanner::default();
//! let mut bodies: Vec<Vec<u8>> = Vec::new();
//! let chunks = ["Content-Type: multipart/mixed; boundary=a\r\n\r\n--", "a\r\n\r\no", "ne\r\n--a", "\r\n\r\ntwo\r\n--a--"];
//! for (at, chunk) in chunks.iter().enumerate() {
//!     let (mut input, last) = (chunk.as_bytes(), at + 1 == chunks.len());
//!     while let Some(event) = scanner.next(&mut input, last)? {
//!         match event.kind {
//!             Kind::HeaderEnd => bodies.push(Vec::new()),
//!             Kind::Body => bodies.last_mut().expect("a header section comes first").extend(event.bytes),
//!             _ => {}
//!         }
//!     }
//! }
//! // The multipart itself has no body of its own.
//! assert_eq!(bodies, [&b""[..], b"one", b"two"]);
//! # Ok::<(), readdress::mime::Error>(())
//! ```
//!
//! # Laws
//! Each is asserted by tests.
//! - **L1 lossless**: the bytes of all scanner events, one after the other, are the input.
//! - **L2 chunk-invariant**: events, findings and output do not depend on how the input was cut into chunks, except for the
//!   number of pieces in which a body, preamble or epilogue comes.
//! - **L3 bounded**: the memory held is at most a constant plus the named limits, whatever the message; work is
//!   linear in the bytes, for every input.
//! - **L4 sealed**: every body byte of the output equals the input's; every field that no rule names keeps its
//!   bytes and its order.
//! - **L5 total**: below the top-level header section parsing never fails. A malformed part may be taken for an
//!   opaque body, but no byte is lost or moved.
//! - **L6 nothing lost**: a mail is sent, or knowingly refused with its sender or owner told, or it is still in the
//!   bucket with a failure that the operator sees.

#![forbid(unsafe_code)]

// The guide for programs that use the crate: a page of its documentation, whose examples are tests.
#[cfg(any(doc, doctest))]
#[doc = include_str!("../docs/library.md")]
pub mod guide {}

pub mod alias;
pub mod arrival;
pub mod header;
pub mod mime;
pub mod preflight;
pub mod rewrite;
pub mod signed;

pub use alias::AliasMap;
pub use header::mailbox::Address;
pub use mime::{Parts, Scanner};
pub use rewrite::{Rewriter, Rules};

// The edge. It is public for the two programs and the tests alone.
#[doc(hidden)]
#[cfg(feature = "forward")]
pub mod alias_key;
#[doc(hidden)]
#[cfg(feature = "forward")]
pub mod alias_store;
#[doc(hidden)]
#[cfg(feature = "forward")]
pub mod aws;
#[doc(hidden)]
#[cfg(feature = "forward")]
pub mod bucket;
#[doc(hidden)]
#[cfg(feature = "forward")]
pub mod cause;
#[doc(hidden)]
#[cfg(feature = "forward")]
pub mod config;
#[doc(hidden)]
#[cfg(feature = "forward")]
pub mod connect;
#[doc(hidden)]
#[cfg(feature = "forward")]
pub mod deadline;
#[doc(hidden)]
#[cfg(feature = "doctor")]
pub mod doctor;
#[doc(hidden)]
#[cfg(feature = "forward")]
pub mod executor;
#[doc(hidden)]
#[cfg(feature = "forward")]
pub mod forward;
#[doc(hidden)]
#[cfg(feature = "aws")]
pub mod function;
#[doc(hidden)]
#[cfg(feature = "forward")]
pub mod ledger;
#[doc(hidden)]
#[cfg(feature = "forward")]
pub mod outbox;
