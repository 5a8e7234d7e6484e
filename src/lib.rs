//! readdress
pub mod header;
