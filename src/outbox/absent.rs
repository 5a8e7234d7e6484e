//! The outbox SES in a build without AWS. It has no value.

use std::convert::Infallible;
use std::marker::PhantomData;

use super::error::SendError;
use super::message::{BodyReader, Outgoing, Sent};
use crate::aws::SesConfig;
use crate::config::SesSettings;
use crate::deadline::Deadline;

/// SES, as a place to send to.
#[derive(Clone, Debug)]
pub struct SesOutbox(Infallible);

/// A message that is being sent to SES.
#[derive(Debug)]
pub struct Sending<'a>(Infallible, PhantomData<&'a SesOutbox>);

#[allow(missing_docs, clippy::unused_async)] // As with AWS.
impl SesOutbox {
    pub fn new(config: SesConfig, _settings: SesSettings) -> Self {
        SesOutbox(config.none())
    }

    pub(super) async fn begin<'a>(
        &'a self,
        _outgoing: &'a Outgoing,
        _body: &mut BodyReader,
        _deadline: Deadline,
    ) -> Result<Sending<'a>, SendError> {
        match self.0 {}
    }
}

#[allow(clippy::unused_async)] // As with AWS.
impl Sending<'_> {
    pub(super) fn message_octets(&self) -> u64 {
        match self.0 {}
    }

    pub(super) fn asked(&self) -> std::ops::Range<usize> {
        match self.0 {}
    }

    pub(super) async fn next(&mut self) -> Option<Result<Sent, SendError>> {
        match self.0 {}
    }
}
