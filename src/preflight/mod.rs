//! Preflight: why SES would refuse a message, found before it is sent.
//!
//! [`Preflight`] takes the events of a [`Scanner`](crate::mime::Scanner) over the whole message and gives a [`Report`]:
//! [`Finding`]s with a stable [`Code`], the part and the octets that they are in, how the rule is known ([`Source`]), and the
//! lowest [`Rung`] of the ladder that cures them. It changes nothing, and does not decide where a field or a part is: that is
//! the scanner's task.
//!
//! SES documents its refusals only in part. Their texts are JavaMail's, word for word. We assume that SES refuses what JavaMail
//! refuses in strict mode: [`check_address_list`], [`check_content_type`], [`check_content_disposition`] and
//! [`is_known_charset`] follow it.
//!
//! [`Checker`] is a preflight with a scanner of its own, and [`check`] takes a message in memory.

mod address;
mod address_fault;
mod attachment;
mod charset;
mod collector;
mod content_type;
mod fields;
mod finding;
mod lines;
mod part_rules;
mod section;
mod section_rules;
mod stream;

pub use address::{AddressList, check_address_list};
pub use address_fault::AddressFault;
pub use charset::{has_unknown_charset, is_known_charset};
pub use content_type::{ContentTypeFault, check_content_disposition, check_content_type};
pub(crate) use fields::ONCE_ONLY;
pub use finding::{
    AffectedPart, Code, EncodingFields, Finding, MAX_FINDINGS, Report, Rung, Seal, Source, Within,
};
pub use stream::{Checker, Preflight, SES_MAX_OCTETS, check};
