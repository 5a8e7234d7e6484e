//! S3: the messages that SES has stored, and alias maps.

use std::fmt::Display;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::failure::{Request, chain};
use crate::cause::{Cause, StorageError};

/// How many times a reading that was cut off or stalls is resumed where it stopped.
const MAX_RESUMES: u32 = 4;

/// S3 sends something within milliseconds: a connection that is silent for this long is dead.
const STALL: Duration = Duration::from_secs(10);

/// The pause before a reading is resumed for the first time; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The metadata of S3's client-side encryption, which SES uses when its S3 action has a KMS key.
const ENCRYPTION: [&str; 4] = ["x-amz-key-v2", "x-amz-key", "x-amz-iv", "x-amz-cek-alg"];

/// A bucket in S3.
#[derive(Clone, Debug)]
pub struct S3Bucket {
    pub(super) client: Client,
    pub(super) name: String,
}

impl S3Bucket {
    /// A bucket with this name.
    pub fn new(client: Client, name: String) -> Self {
        S3Bucket { client, name }
    }

    /// The name of the bucket.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Opens a message, and begins to read it with the same request.
    ///
    /// # Errors
    /// If there is no such object, SES has encrypted it, or S3 does not hand it out.
    pub async fn open(&self, key: &str) -> io::Result<(Arc<S3Object>, S3Stream)> {
        let output = get(&self.client, &self.name, key, None, 0).await?;
        if let Some(metadata) = &output.metadata
            && ENCRYPTION.iter().any(|name| metadata.contains_key(*name))
        {
            let reason = "SES has encrypted it with the KMS key of the receipt rule's S3 action, so it cannot be read; take \
                 that key out of the rule, the bucket's own encryption protects mail as well";
            return Err(StorageError::new(Cause::Configuration, reason).into());
        }
        let (Some(octets), Some(etag)) = (octets(&output), output.e_tag.clone()) else {
            return Err(io::Error::other("S3 gives neither its size nor its ETag"));
        };
        let object = Arc::new(S3Object {
            client: self.client.clone(),
            bucket: self.name.clone(),
            key: key.to_owned(),
            etag,
            octets,
        });
        let mut stream = S3Stream::new(&object, 0);
        stream.body = Some(output.body);
        Ok((object, stream))
    }

    /// Reads a whole object of at most this many octets.
    ///
    /// # Errors
    /// If there is no such object, it is larger, or S3 does not hand it out.
    pub async fn read(&self, key: &str, at_most: u64) -> io::Result<Vec<u8>> {
        let output = get(&self.client, &self.name, key, None, 0).await?;
        match octets(&output) {
            Some(octets) if octets <= at_most => {}
            _ => return Err(io::Error::other(format!("it has more than {at_most} octets"))),
        }
        let all = output.body.collect().await.map_err(|error| cut(chain(&error)))?;
        Ok(all.into_bytes().into())
    }
}

/// One version of an object.
#[derive(Debug)]
pub struct S3Object {
    client: Client,
    bucket: String,
    key: String,
    etag: String,
    octets: u64,
}

impl S3Object {
    /// The size of the object.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    async fn get(&self, from: u64) -> io::Result<ByteStream> {
        let output = get(&self.client, &self.bucket, &self.key, Some(&self.etag), from).await?;
        if octets(&output) != Some(self.octets - from) {
            return Err(io::Error::other("S3 gave another part of it than was asked for"));
        }
        Ok(output.body)
    }
}

pub(super) fn octets(output: &GetObjectOutput) -> Option<u64> {
    u64::try_from(output.content_length?).ok()
}

async fn get(
    client: &Client,
    bucket: &str,
    key: &str,
    etag: Option<&str>,
    from: u64,
) -> io::Result<GetObjectOutput> {
    let get = client.get_object().bucket(bucket).key(key);
    let get = get.set_if_match(etag.map(str::to_owned));
    let get = get.set_range((from > 0).then(|| format!("bytes={from}-")));
    get.send().await.map_err(|error| explain(client, &error).into())
}

/// What those are told who may not read an object.
const MAY_NOT_READ: &str = "it may not be read (s3:GetObject, and kms:Decrypt where the bucket has a key of its own), or there \
                            is no such object: without s3:ListBucket S3 says the same; has the mail expired?";

pub(super) fn explain(client: &Client, error: &SdkError<GetObjectError>) -> StorageError {
    let status = error.raw_response().map(|response| response.status().as_u16());
    if status == Some(412) {
        let reason = "it changed in the bucket while it was read";
        return StorageError::new(Cause::Unreadable, reason);
    }
    request(client, MAY_NOT_READ).explain(error)
}

pub(super) fn request(client: &Client, if_denied: &'static str) -> Request {
    Request {
        service: "S3",
        has_region: client.config().region().is_some(),
        if_denied,
    }
}

/// The connection was cut, once too often.
fn cut(why: impl Display) -> io::Error {
    StorageError::new(
        Cause::Unavailable,
        format!("it could be read only in part: {why}"),
    )
    .into()
}

/// One reading of an object. It survives a few cuts.
#[derive(Debug)]
pub struct S3Stream {
    object: Arc<S3Object>,
    /// The answer that is being received. `None`: a GET has yet to be made.
    body: Option<ByteStream>,
    /// The offset at which the chunk ends.
    at: u64,
    chunk: Bytes,
    resumes: u32,
}

impl S3Stream {
    /// A reading from this octet on. Nothing is requested before the first chunk is asked for.
    pub fn new(object: &Arc<S3Object>, from: u64) -> Self {
        S3Stream {
            object: Arc::clone(object),
            body: None,
            at: from,
            chunk: Bytes::new(),
            resumes: 0,
        }
    }

    /// The chunk that was received last.
    pub fn chunk(&self) -> &[u8] {
        &self.chunk
    }

    /// Receives the next chunk; an empty one is the end.
    ///
    /// # Errors
    /// If the object has changed, or cannot be read to its end after a few attempts.
    pub async fn advance(&mut self) -> io::Result<()> {
        self.chunk = Bytes::new();
        while self.body.is_some() || self.at < self.object.octets {
            let body = match &mut self.body {
                Some(body) => body,
                None => self.body.insert(self.object.get(self.at).await?),
            };
            let cut = match tokio::time::timeout(STALL, body.next()).await {
                Ok(Some(Ok(chunk))) => {
                    self.at += chunk.len() as u64;
                    self.chunk = chunk;
                    if self.chunk.is_empty() {
                        continue;
                    }
                    return Ok(());
                }
                // The end is asked for even where all has been received: only then the SDK checks the checksum.
                Ok(None) if self.at >= self.object.octets => {
                    self.body = None;
                    break;
                }
                Ok(Some(Err(error))) if self.at >= self.object.octets => return Err(cut(chain(&error))),
                Ok(None) => "the stream ended early".to_owned(),
                Ok(Some(Err(error))) => chain(&error),
                Err(_) => format!("nothing came for {} s", STALL.as_secs()),
            };
            self.body = None;
            if self.resumes == MAX_RESUMES {
                return Err(self::cut(format!(
                    "up to octet {} of {}, for the last time because: {cut}",
                    self.at, self.object.octets
                )));
            }
            tracing::debug!(at = self.at, cut, "a stream from S3 was cut");
            tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(self.resumes)).await;
            self.resumes += 1;
        }
        Ok(())
    }

    /// Receives all that is left.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
    pub async fn read_all(&mut self) -> io::Result<Vec<u8>> {
        let mut all = Vec::with_capacity(usize::try_from(self.object.octets).map_err(io::Error::other)?);
        loop {
            self.advance().await?;
            if self.chunk.is_empty() {
                return Ok(all);
            }
            all.extend_from_slice(&self.chunk);
        }
    }
}
