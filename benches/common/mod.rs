//! What the benches share.
#![allow(dead_code, reason = "each bench uses a part of it")]

pub mod engine;
pub mod fields;
pub mod messages;
pub mod ratios;
