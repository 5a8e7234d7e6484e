//! The error of a build without AWS.

/// The error of a build without AWS that is to use one of its services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this build has no AWS services (feature aws); write file:PATH for a place on this machine")]
pub struct NotBuilt;
