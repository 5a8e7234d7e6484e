//! pending docs
pub mod alias;
pub mod event;
pub mod header;
pub mod mime;
pub mod rewrite;

#[cfg(feature = "cli")]
pub mod bucket;
#[cfg(feature = "cli")]
pub mod config;
#[cfg(feature = "cli")]
pub mod forward;
#[cfg(feature = "cli")]
pub mod outbox;
