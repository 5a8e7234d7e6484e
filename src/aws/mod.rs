//! Access to AWS: S3 and SSM by the SDK's clients; Lambda and SQS, which only the command line uses.
//!
//! A build without the feature `aws` has the same types without a value, so that nobody above has to tell the builds apart.

mod not_built;
mod suppressed;
mod version;

#[cfg(feature = "aws")]
mod call;
#[cfg(feature = "aws")]
mod clients;
#[cfg(feature = "aws")]
mod failure;
#[cfg(feature = "aws")]
mod https;
#[cfg(feature = "aws")]
mod lambda;
#[cfg(feature = "aws")]
mod of_function;
#[cfg(feature = "aws")]
mod one_bucket;
#[cfg(feature = "aws")]
mod s3;
#[cfg(feature = "aws")]
mod s3_list;
#[cfg(feature = "aws")]
mod s3_write;
#[cfg(feature = "aws")]
pub(crate) mod signed;
#[cfg(feature = "aws")]
mod sqs;
#[cfg(feature = "aws")]
mod ssm;
#[cfg(feature = "aws")]
mod suppression;

pub use not_built::NotBuilt;
pub use suppressed::Suppressed;
pub use version::{Condition, Keys, Version, WriteError};

#[cfg(feature = "aws")]
pub use aws_sdk_sesv2::config::Builder as SesConfig;
#[cfg(feature = "aws")]
pub use clients::Clients;
#[cfg(feature = "doctor")]
pub(crate) use clients::shared_config;
#[cfg(feature = "aws")]
pub(crate) use failure::chain;
#[cfg(feature = "aws")]
pub use lambda::Function;
#[cfg(feature = "aws")]
pub use s3::{S3Bucket, S3Object, S3Stream};
#[cfg(feature = "aws")]
pub use sqs::{Queue, QueueMessage};
#[cfg(feature = "aws")]
pub use ssm::Parameters;
#[cfg(feature = "aws")]
pub use suppression::SuppressionList;

#[cfg(not(feature = "aws"))]
mod absent;
#[cfg(not(feature = "aws"))]
pub use absent::{
    Clients, Function, Parameters, Queue, QueueMessage, S3Bucket, S3Object, S3Stream, SesConfig,
    SuppressionList,
};
