//! Runs the forward pipeline where it never waits: on directories.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Runs a future that never waits for anything but the machine's own files.
///
/// # Panics
/// If the future waits for something that would have to wake it.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("files are read and written without waiting"),
    }
}
