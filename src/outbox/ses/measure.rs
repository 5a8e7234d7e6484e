//! The first writing of a request: the message in base64, hashed and counted. It uses nothing of the SDK, so that the
//! benches can compile it alone.

use std::fmt;

use base64_simd::STANDARD as BASE64;
use ring::digest::{Context, SHA256};

/// The beginning of a request. The message comes before the envelope, which differs between the batches of a message, so
/// that they share one hash of it.
pub(super) const HEAD: &[u8] = br#"{"Content":{"Raw":{"Data":""#;

/// Octets that are encoded at once: a multiple of 3, and the size of a chunk of the bucket.
const STEP: usize = 48 * 1024;

/// Base64 over chunks of any size.
#[derive(Clone, Debug, Default)]
pub(super) struct Encoder {
    /// Up to two octets, which wait for a group of three.
    rest: [u8; 2],
    held: usize,
}

impl Encoder {
    pub(super) fn write(&mut self, mut chunk: &[u8], out: &mut Vec<u8>) {
        if self.held > 0 {
            let missing = 3 - self.held;
            if chunk.len() < missing {
                self.hold(chunk);
                return;
            }
            let mut group = [0; 3];
            group[..self.held].copy_from_slice(&self.rest[..self.held]);
            group[self.held..].copy_from_slice(&chunk[..missing]);
            BASE64.encode_append(group, out);
            self.held = 0;
            chunk = &chunk[missing..];
        }
        let whole = chunk.len() / 3 * 3;
        BASE64.encode_append(&chunk[..whole], out);
        self.hold(&chunk[whole..]);
    }

    fn hold(&mut self, octets: &[u8]) {
        for &octet in octets {
            self.rest[self.held] = octet;
            self.held += 1;
        }
    }

    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        BASE64.encode_append(&self.rest[..self.held], out);
        self.held = 0;
    }
}

/// The first writing. It hashes and counts, and keeps nothing.
#[derive(Debug)]
pub(super) struct Measure {
    measured: Measured,
    encoder: Encoder,
    encoded: Vec<u8>,
}

impl Measure {
    pub(super) fn new() -> Self {
        Measure {
            measured: Measured::begin(),
            encoder: Encoder::default(),
            encoded: Vec::new(),
        }
    }

    fn count_encoded(&mut self) {
        self.measured.hash.update(&self.encoded);
        self.measured.octets += self.encoded.len() as u64;
        self.encoded.clear();
    }

    /// Takes the next octets of the message.
    pub(super) fn write(&mut self, chunk: &[u8]) {
        // Encoded and hashed while it is in the cache.
        for step in chunk.chunks(STEP) {
            self.encoder.write(step, &mut self.encoded);
            self.count_encoded();
        }
    }

    pub(super) fn end(mut self) -> Measured {
        self.encoder.end(&mut self.encoded);
        self.count_encoded();
        self.measured
    }
}

/// The hash and the size of a request up to the end of the message, which are the same for each batch.
pub(super) struct Measured {
    /// ring's, which is quick too on those of Lambda's processors that have no instructions for it.
    pub(super) hash: Context,
    pub(super) octets: u64,
}

impl Measured {
    fn begin() -> Self {
        let mut hash = Context::new(&SHA256);
        hash.update(HEAD);
        Measured {
            hash,
            octets: HEAD.len() as u64,
        }
    }
}

impl fmt::Debug for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Measured")
            .field("octets", &self.octets)
            .finish_non_exhaustive()
    }
}
