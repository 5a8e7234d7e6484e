//! The error of a build without AWS.

/// A service of AWS is asked for in a build that has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this build has no AWS services (feature aws); write file:PATH for a place on this machine")]
pub struct NotBuilt;
