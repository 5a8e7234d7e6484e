//! The rewrite: bytes in, bytes out. The output is the stored message with a short list of edits: nearly always one, of the
//! top-level header section; sometimes others, of parts that SES would refuse.

mod addresses;
mod apply;
mod content_changes;
mod content_fields;
mod controls;
mod edit;
mod error;
mod fields;
mod forward;
mod line_breaks;
mod long_lines;
mod notes;
mod notice;
mod options;
mod original;
mod owners;
mod parts;
mod reader;
mod recode;
mod references;
mod reply;
mod reply_addresses;
mod rewriter;
mod route;
mod sender;
mod strict;
mod subject;
mod unsubscribe;

pub use edit::{Edit, MAX_EDITS, Plan, PlanError, PlanWriter, Replacement};
pub use error::Error;
pub use forward::Rules;
#[cfg(feature = "forward")]
pub(crate) use line_breaks::LineBreakWatch;
pub use notes::Notes;
pub use notice::Notice;
pub use options::{
    FromFormat, MAX_SUBJECT_PREFIX, Mark, Repair, Replies, Style, ToHeader, UnknownSetting, subject_prefix,
};
pub use owners::Owners;
#[cfg(feature = "forward")]
pub(crate) use parts::needs_edits_of_parts;
pub use reader::{Head, HeaderReader};
pub use recode::{Form, Recoding};
pub use reply::ReplyRules;
pub use reply_addresses::{MAX_REPLY_ADDRESSES, correspondents};
pub use rewriter::{HeaderOctets, Rewriter};
pub use route::{NOTICE, ROUTE, route_id, route_ids};
