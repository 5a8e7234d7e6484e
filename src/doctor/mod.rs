//! `readdress doctor`: says whether a set-up is right, and if not, how to mend it.
//!
//! It works in three separate steps. [`gather`](look) reads [`Facts`] from AWS and DNS, and changes nothing. The
//! [checks](checks::CHECKS) look at these facts alone, one after the other, so that each can be tested without a network. The
//! [report](finding::Report) says for each whether it is right, wrong and how to mend it, unknown and for want of which
//! permission, or skipped until something else is mended.

mod answer;
pub mod checks;
pub mod facts;
pub mod finding;
mod gather;
pub mod inputs;
pub mod policy;
pub mod probe;
mod request;
mod resolver;

use aws_config::SdkConfig;

use crate::aws::shared_config;
use facts::Facts;
use inputs::Inputs;

/// Reads the facts with the credentials and the region of the environment or the profile. `tell` hears what is looked at.
///
/// # Errors
/// If nothing can be looked at, since no region is set.
pub async fn look(inputs: &Inputs, tell: &mut dyn FnMut(&str)) -> Result<Facts, String> {
    let config = shared_config().await;
    look_with(&config, inputs, tell).await
}

/// As [`look`], with other credentials, region or endpoint.
///
/// # Errors
/// As [`look`].
pub async fn look_with(
    config: &SdkConfig,
    inputs: &Inputs,
    tell: &mut dyn FnMut(&str),
) -> Result<Facts, String> {
    gather::facts(config, inputs, tell).await
}
