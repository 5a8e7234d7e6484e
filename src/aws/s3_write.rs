//! S3: small objects that several processes write, each under a condition.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::put_object::PutObjectError;
use aws_sdk_s3::primitives::{ByteStream, DateTime, DateTimeFormat};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::s3::{S3Bucket, explain, octets, request};
use super::version::{Condition, Version, WriteError};

impl S3Bucket {
    /// Writes an object if the condition holds, and returns the name of the new version.
    ///
    /// # Errors
    /// If the condition does not hold, or S3 does not take the object.
    pub async fn write(
        &self,
        key: &str,
        octets: Vec<u8>,
        condition: Condition<'_>,
    ) -> Result<String, WriteError> {
        let put = self.client.put_object().bucket(&self.name).key(key);
        let put = match condition {
            Condition::Absent => put.if_none_match("*"),
            Condition::Unchanged(etag) => put.if_match(etag),
        };
        let put = put
            .content_type("application/json")
            .body(ByteStream::from(octets));
        let output = put.send().await.map_err(|error| refused(&self.client, &error))?;
        let etag = output.e_tag;
        etag.ok_or_else(|| io::Error::other("S3 gives no ETag of what it has written").into())
    }

    /// Reads an object of at most this many octets with the name of its version. `None`: there is no such object.
    ///
    /// # Errors
    /// If it is larger, or S3 does not hand it out.
    pub async fn version(&self, key: &str, at_most: u64) -> io::Result<Option<Version>> {
        let clock = Clock::default();
        let get = self.client.get_object().bucket(&self.name).key(key);
        let output = match get.customize().interceptor(clock.clone()).send().await {
            Ok(output) => output,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(explain(&self.client, &error).into()),
        };
        let (Some(octets), Some(etag), Some(written)) =
            (octets(&output), output.e_tag.clone(), output.last_modified)
        else {
            return Err(io::Error::other("S3 gives neither its size nor its version"));
        };
        if octets > at_most {
            return Err(io::Error::other(format!("it has more than {at_most} octets")));
        }
        let age = clock.now().secs().saturating_sub(written.secs());
        let all = output.body.collect().await.map_err(io::Error::other)?;
        Ok(Some(Version {
            octets: all.into_bytes().into(),
            etag,
            age: Duration::from_secs(u64::try_from(age).unwrap_or_default()),
        }))
    }
}

/// What those are told who may not write an object.
const MAY_NOT_WRITE: &str =
    "it may not be written (s3:PutObject, and kms:GenerateDataKey where the bucket has a key of its own)";

fn refused(client: &Client, error: &SdkError<PutObjectError>) -> WriteError {
    let status = error.raw_response().map(|response| response.status().as_u16());
    match (status, error.code()) {
        // 404: what was to be unchanged is gone.
        (Some(404), Some("NoSuchKey")) | (Some(412), _) => WriteError::Changed,
        (Some(409), _) => WriteError::Conflict,
        _ => WriteError::Other(request(client, MAY_NOT_WRITE).explain(error).into()),
    }
}

/// The clock of S3: the field Date of its answer.
#[derive(Clone, Debug, Default)]
struct Clock(Arc<Mutex<Option<DateTime>>>);

impl Clock {
    /// The time of the answer. The local clock counts where the answer does not say.
    fn now(&self) -> DateTime {
        let told = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.unwrap_or_else(|| SystemTime::now().into())
    }
}

impl Intercept for Clock {
    fn name(&self) -> &'static str {
        "Clock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}
