//! The types of [`aws`](super) in a build without it. None of them has a value.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use super::not_built::NotBuilt;
use super::suppressed::Suppressed;
use super::version::{Condition, Keys, Version, WriteError};
use crate::cause::StorageError;

/// Makes no client.
#[derive(Debug, Default)]
pub struct Clients(());

#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    clippy::unused_self,
    clippy::unused_async
)] // As with AWS.
impl Clients {
    pub async fn bucket(&self, _name: &str) -> Result<S3Bucket, NotBuilt> {
        Err(NotBuilt)
    }

    pub async fn parameters(&self, _name: &str) -> Result<Parameters, NotBuilt> {
        Err(NotBuilt)
    }

    pub async fn function(&self, _name: &str) -> Result<Function, String> {
        Err(NotBuilt.to_string())
    }

    pub async fn queue(&self, _url: &str) -> Result<Queue, String> {
        Err(NotBuilt.to_string())
    }

    pub async fn ses(&self) -> Result<SesConfig, NotBuilt> {
        Err(NotBuilt)
    }
}

/// A function of Lambda.
#[derive(Debug)]
pub struct Function(Infallible);

/// A queue of SQS.
#[derive(Debug)]
pub struct Queue(Infallible);

/// A message of a queue.
#[allow(missing_docs)] // As with AWS.
#[derive(Clone, Debug)]
pub struct QueueMessage {
    pub id: String,
    pub receipt: String,
    pub body: String,
}

/// A bucket in S3.
#[derive(Clone, Debug)]
pub struct S3Bucket(Infallible);

/// One version of an object.
#[derive(Debug)]
pub struct S3Object(Infallible);

/// One reading of an object.
#[derive(Debug)]
pub struct S3Stream(Infallible);

/// Parameters of SSM.
#[derive(Clone, Debug)]
pub struct Parameters(Infallible);

/// The suppression list of SES.
#[derive(Clone, Debug)]
pub struct SuppressionList(Infallible);

/// The settings of a client of SES.
#[derive(Debug)]
pub struct SesConfig(Infallible);

#[allow(missing_docs, clippy::missing_errors_doc, clippy::unused_async)] // As with AWS.
impl S3Bucket {
    pub fn name(&self) -> &str {
        match self.0 {}
    }

    pub async fn open(&self, _key: &str) -> io::Result<(Arc<S3Object>, S3Stream)> {
        match self.0 {}
    }

    pub async fn read(&self, _key: &str, _at_most: u64) -> io::Result<Vec<u8>> {
        match self.0 {}
    }

    pub async fn write(
        &self,
        _key: &str,
        _octets: Vec<u8>,
        _condition: Condition<'_>,
    ) -> Result<String, WriteError> {
        match self.0 {}
    }

    pub async fn list(&self, _prefix: &str, _after: Option<&str>) -> io::Result<Keys> {
        match self.0 {}
    }

    pub async fn version(&self, _key: &str, _at_most: u64) -> io::Result<Option<Version>> {
        match self.0 {}
    }
}

#[allow(missing_docs, clippy::missing_errors_doc, clippy::unused_async)] // As with AWS.
impl Function {
    pub async fn invoke(&self, _event: &serde_json::Value) -> Result<(), String> {
        match self.0 {}
    }
}

#[allow(missing_docs, clippy::missing_errors_doc, clippy::unused_async)] // As with AWS.
impl Queue {
    pub async fn receive(&self, _seconds: u32) -> Result<Vec<QueueMessage>, String> {
        match self.0 {}
    }

    pub async fn delete(&self, _message: &QueueMessage) -> Result<(), String> {
        match self.0 {}
    }

    pub async fn give_back(&self, _message: &QueueMessage) -> Result<(), String> {
        match self.0 {}
    }
}

#[allow(missing_docs)] // As with AWS.
impl S3Object {
    pub fn octets(&self) -> u64 {
        match self.0 {}
    }
}

#[allow(missing_docs, clippy::missing_errors_doc, clippy::unused_async)] // As with AWS.
impl S3Stream {
    pub fn new(object: &Arc<S3Object>, _from: u64) -> Self {
        match object.0 {}
    }

    pub fn chunk(&self) -> &[u8] {
        match self.0 {}
    }

    pub async fn advance(&mut self) -> io::Result<()> {
        match self.0 {}
    }

    pub async fn read_all(&mut self) -> io::Result<Vec<u8>> {
        match self.0 {}
    }
}

#[allow(missing_docs, clippy::missing_errors_doc, clippy::unused_async)] // As with AWS.
impl Parameters {
    pub fn name(&self) -> &str {
        match self.0 {}
    }

    pub async fn read(&self) -> Result<Vec<Vec<u8>>, StorageError> {
        match self.0 {}
    }
}

#[allow(missing_docs, clippy::missing_errors_doc, clippy::unused_async)] // As with AWS.
impl SuppressionList {
    pub fn new(config: SesConfig) -> Self {
        config.none()
    }

    pub async fn look_up(&self, _address: &str) -> Result<Option<Suppressed>, String> {
        match self.0 {}
    }

    pub async fn remove(&self, _address: &str) -> Result<(), String> {
        match self.0 {}
    }
}

impl SesConfig {
    /// Any value, since there is no configuration to make it of.
    pub(crate) fn none<T>(self) -> T {
        match self.0 {}
    }
}
