//! The body of a `SendEmail` request, written as it is sent.
//!
//! The body is JSON with the message in base64 in it, so a message of 40 MB would be held in memory three times over.
//! Instead the body is written twice from the stored message: once to hash and count it, which the signature and
//! `content-length` need ahead, and once for each attempt, straight into the connection.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use serde::Serialize;

use super::measure::{Encoder, HEAD, Measured};
use crate::bucket::Stream;
use crate::cause::StorageError;
use crate::config::Tag;
use crate::header::hexadecimal;
use crate::outbox::message::Content;
use crate::rewrite::{Plan, PlanWriter};

/// The members that follow the message: the envelope and the settings.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tail<'a> {
    pub(super) from_email_address: &'a str,
    pub(super) destination: Destination<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) feedback_forwarding_email_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) email_tags: Vec<EmailTag<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) configuration_set_name: Option<&'a str>,
}

/// The recipients of the envelope. The message's own To is what they see.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Destination<'a> {
    pub(super) to_addresses: &'a [String],
}

/// A tag that SES puts on the events of the message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EmailTag<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

impl<'a> From<&'a Tag> for EmailTag<'a> {
    fn from(tag: &'a Tag) -> Self {
        EmailTag {
            name: &tag.name,
            value: &tag.value,
        }
    }
}

impl Tail<'_> {
    /// The rest of the request: the end of `Content`, then these members.
    fn write(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).expect("strings are always JSON");
        let mut tail = br#""}},"#.to_vec();
        tail.extend_from_slice(json.strip_prefix(b"{").unwrap_or(&json));
        tail
    }
}

impl Measured {
    /// The request with this end.
    pub(super) fn request(&self, content: &Arc<Content>, tail: &Tail<'_>) -> Request {
        let tail = tail.write();
        let mut hash = self.hash.clone();
        hash.update(&tail);
        Request {
            content: Arc::clone(content),
            octets: self.octets + tail.len() as u64,
            tail: Bytes::from(tail),
            sha256: hexadecimal(hash.finish().as_ref()),
        }
    }
}

/// A request whose hash and size are known.
#[derive(Clone, Debug)]
pub(super) struct Request {
    content: Arc<Content>,
    tail: Bytes,
    /// The size of the body.
    pub(super) octets: u64,
    /// The SHA-256 of the body in hexadecimal digits.
    pub(super) sha256: String,
}

impl Request {
    /// The body for one attempt.
    pub(super) fn body(&self, progress: Arc<Progress>) -> Body {
        let writer = Writer {
            content: Arc::clone(&self.content),
            tail: self.tail.clone(),
            encoder: Encoder::default(),
            step: Step::Begin,
        };
        Body {
            state: Mutex::new(State::Idle(Box::new(writer))),
            octets: self.octets,
            sent: 0,
            progress,
        }
    }
}

/// How far an attempt has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    begun: AtomicBool,
    complete: AtomicBool,
    broken: Mutex<Option<StorageError>>,
}

impl Progress {
    /// Whether a connection has asked for the body.
    pub(super) fn is_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// Whether all of the body was handed to the connection. Then SES may have taken the message, whatever follows.
    pub(super) fn is_complete(&self) -> bool {
        self.complete.load(Ordering::Relaxed)
    }

    /// Why the body could not be written, if so. That is a failure of the bucket, not of SES.
    pub(super) fn broken(&self) -> Option<StorageError> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Writes a request, piece by piece.
#[derive(Debug)]
struct Writer {
    content: Arc<Content>,
    tail: Bytes,
    encoder: Encoder,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Begin,
    /// The stored message, and the writer that it passes through.
    Message(Box<Stream>, PlanWriter<Arc<Plan>>),
    Tail,
    End,
}

impl Writer {
    /// The next piece, which is not empty. `None`: the end.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let mut piece = Vec::new();
        loop {
            match std::mem::replace(&mut self.step, Step::End) {
                Step::Begin => {
                    piece.extend_from_slice(HEAD);
                    let Content { source, plan } = &*self.content;
                    let from = plan.skipped();
                    let stream = Box::new(source.stream(from));
                    self.step = Step::Message(stream, PlanWriter::new(Arc::clone(plan), from));
                    continue;
                }
                Step::Message(mut stream, mut writer) => {
                    let encoder = &mut self.encoder;
                    if let Some(chunk) = stream.next().await? {
                        piece.reserve(chunk.len() / 3 * 4 + 4);
                        writer.write(chunk, &mut |octets| encoder.write(octets, &mut piece));
                        self.step = Step::Message(stream, writer);
                    } else {
                        writer.end(&mut |octets| encoder.write(octets, &mut piece));
                        encoder.end(&mut piece);
                        self.step = Step::Tail;
                    }
                }
                Step::Tail => return Ok(Some(self.tail.clone())),
                Step::End => return Ok(None),
            }
            if !piece.is_empty() {
                return Ok(Some(Bytes::from(piece)));
            }
        }
    }
}

type Written = (Box<Writer>, io::Result<Option<Bytes>>);

enum State {
    Idle(Box<Writer>),
    Writing(Pin<Box<dyn Future<Output = Written> + Send>>),
    Ended,
}

/// The body of one attempt. It reads the stored message from the beginning, with a GET of its own, once the connection
/// asks for it.
pub(super) struct Body {
    /// Never locked: the SDK asks for a type that can be shared, and futures cannot.
    state: Mutex<State>,
    octets: u64,
    sent: u64,
    progress: Arc<Progress>,
}

impl Body {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        loop {
            match std::mem::replace(state, State::Ended) {
                State::Idle(mut writer) => {
                    *state = State::Writing(Box::pin(async move {
                        let piece = writer.next().await;
                        (writer, piece)
                    }));
                }
                State::Writing(mut writing) => {
                    let Poll::Ready((writer, piece)) = writing.as_mut().poll(context) else {
                        *state = State::Writing(writing);
                        return Poll::Pending;
                    };
                    if let Ok(Some(_)) = piece {
                        *state = State::Idle(writer);
                    }
                    return Poll::Ready(piece);
                }
                State::Ended => return Poll::Ready(Ok(None)),
            }
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.progress.begun.store(true, Ordering::Relaxed);
        let error = match ready!(self.poll_piece(context)) {
            Ok(Some(piece)) => {
                self.sent += piece.len() as u64;
                if self.sent <= self.octets {
                    if self.sent == self.octets {
                        self.progress.complete.store(true, Ordering::Relaxed);
                    }
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
                io::Error::other("the message has grown since it was measured")
            }
            Ok(None) if self.sent == self.octets => return Poll::Ready(None),
            Ok(None) => io::Error::other("the message has shrunk since it was measured"),
            Err(error) => error,
        };
        let error = StorageError::from(error);
        let broken = self.progress.broken.lock();
        *broken.unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
        Poll::Ready(Some(Err(error.into())))
    }

    /// True with the last octet, not after it: else the SDK takes a slow answer for a stalled upload and sends the
    /// message again.
    fn is_end_stream(&self) -> bool {
        self.sent == self.octets
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.octets - self.sent.min(self.octets))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use base64_simd::STANDARD as BASE64;
    use sha2::{Digest, Sha256};

    use super::super::measure::Measure;
    use super::*;
    use crate::bucket::{CHUNK, Source};
    use crate::executor::block_on;
    use crate::rewrite::{Edit, Plan, Replacement};

    fn tail(to_addresses: &[String]) -> Tail<'_> {
        Tail {
            from_email_address: "sales@example.com",
            destination: Destination { to_addresses },
            feedback_forwarding_email_address: None,
            email_tags: Vec::new(),
            configuration_set_name: Some("forward"),
        }
    }

    fn request(header: &[u8], stored: &[u8], body_at: usize, to: &[String]) -> Request {
        let header_section = Edit {
            range: 0..body_at as u64,
            with: Replacement::Octets(header.to_vec()),
        };
        let message = Arc::new(Content {
            source: Source::memory(stored.to_vec()),
            plan: Arc::new(Plan::new(vec![header_section]).unwrap()),
        });
        let mut measure = Measure::new();
        measure.write(header);
        for chunk in stored[body_at..].chunks(1000) {
            measure.write(chunk);
        }
        measure.end().request(&message, &tail(to))
    }

    fn sent(request: &Request) -> (Vec<u8>, Arc<Progress>) {
        let progress = Arc::new(Progress::default());
        let mut body = request.body(Arc::clone(&progress));
        let mut sent = Vec::new();
        while !http_body::Body::is_end_stream(&body) {
            assert!(!progress.is_complete());
            let frame = block_on(poll_fn(|context| {
                http_body::Body::poll_frame(Pin::new(&mut body), context)
            }));
            sent.extend_from_slice(&frame.unwrap().unwrap().into_data().unwrap());
        }
        (sent, progress)
    }

    /// Catches a body that is another than the one that was hashed, and base64 that depends on how the message was cut.
    #[test]
    fn what_is_sent_is_what_was_measured() {
        let to = [
            "jane@example.org".to_owned(),
            "\"o \\\" o\"@example.org".to_owned(),
        ];
        for octets in [0, 1, 2, 3, 4, 999, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 2] {
            let stored: Vec<u8> = (0..octets + 5).map(|n| u8::try_from(n % 253).unwrap()).collect();
            for header in ["A: b\r\n\r\n", "A: bc\r\n\r\n", "A: bcd\r\n\r\n"] {
                let request = request(header.as_bytes(), &stored, 5, &to);
                let (sent, progress) = sent(&request);
                assert!(progress.is_complete());
                assert_eq!(sent.len() as u64, request.octets);
                assert_eq!(hexadecimal(&Sha256::digest(&sent)), request.sha256);
                let json: serde_json::Value = serde_json::from_slice(&sent).unwrap();
                let raw = json["Content"]["Raw"]["Data"].as_str().unwrap();
                let raw = BASE64.decode_to_vec(raw).unwrap();
                assert!(raw == [header.as_bytes(), &stored[5..]].concat());
                assert_eq!(json["Destination"]["ToAddresses"][1], to[1]);
                assert_eq!(json["ConfigurationSetName"], "forward");
                assert_eq!(json["EmailTags"], serde_json::Value::Null);
            }
        }
    }
}
