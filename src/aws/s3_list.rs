//! S3: the keys of a bucket. The function lists nothing, so its role need not be allowed to.

use std::io;

use super::s3::{S3Bucket, request};
use super::version::Keys;

/// What those are told who may not list a bucket.
const MAY_NOT_LIST: &str = "its keys may not be listed (s3:ListBucket)";

impl S3Bucket {
    /// The next keys that begin with a prefix, in their order: at most a thousand. `after` is [`Keys::next`] of those before.
    ///
    /// # Errors
    /// If S3 does not list them. The error holds a [`StorageError`](crate::cause::StorageError).
    pub async fn list(&self, prefix: &str, after: Option<&str>) -> io::Result<Keys> {
        let list = self.client.list_objects_v2().bucket(&self.name).prefix(prefix);
        let list = list.set_continuation_token(after.map(str::to_owned));
        let output = list
            .send()
            .await
            .map_err(|error| request(&self.client, MAY_NOT_LIST).explain(&error))?;
        let objects = output.contents.unwrap_or_default();
        Ok(Keys {
            keys: objects.into_iter().filter_map(|object| object.key).collect(),
            next: output.next_continuation_token,
        })
    }
}
