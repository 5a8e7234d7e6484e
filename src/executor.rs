//! Runs the forward pipeline in a program that is not asynchronous itself.

/// Runs a future on this thread until it is done.
///
/// # Panics
/// If the system has no more timers or sockets to give.
#[cfg(feature = "aws")]
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a timer and a poller").block_on(future)
}

/// Runs a future that never waits for anything but the machine's own files: without AWS there is nothing else.
///
/// # Panics
/// If the future waits for something that would have to wake it.
#[cfg(not(feature = "aws"))]
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("files are read and written without waiting"),
    }
}
