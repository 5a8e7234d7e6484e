//! The moment at which work has to stop.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// An invocation is brought to its end this long before Lambda ends it: its outcomes have to be written, and its answer has
/// to reach Lambda, on the fourteenth of a processor that a function of 128 MB has.
const REPORTING_MARGIN: Duration = Duration::from_millis(750);

/// The moment at which work has to stop, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// No deadline.
    pub const NEVER: Self = Deadline(None);

    /// A deadline that is this far away.
    pub fn after(time: Duration) -> Self {
        Deadline(Instant::now().checked_add(time))
    }

    /// The deadline for the work of an invocation that Lambda ends at `end`, in milliseconds since 1970.
    ///
    /// An end that has passed counts as none. An invocation begins with time left, so such an end can only be in another
    /// unit, as some emulators of Lambda give it; all mail would fail there.
    pub fn of_invocation(end: u64) -> Self {
        match Duration::from_millis(end).checked_sub(since_1970()) {
            None | Some(Duration::ZERO) => Deadline::NEVER,
            Some(left) => Deadline::after(left.saturating_sub(REPORTING_MARGIN)),
        }
    }

    /// Whether the deadline is further away than this.
    pub fn leaves(self, time: Duration) -> bool {
        let enough = |at| Instant::now().checked_add(time).is_some_and(|then| then < at);
        self.0.is_none_or(enough)
    }

    /// The deadline that is earlier than this one by `time`.
    #[must_use]
    pub fn before(self, time: Duration) -> Self {
        // An instant cannot lie before the clock's own beginning.
        Deadline(self.0.map(|at| at.checked_sub(time).unwrap_or(at)))
    }

    /// The earlier of two deadlines.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Deadline(match (self.0, other.0) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        })
    }

    /// Waits for the future, but not beyond the deadline. `None`: the deadline came first, and the future is dropped where
    /// it stood.
    pub fn race<T>(self, future: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
        // Boxed: a future is as large as all that it may wait for.
        let future = Box::pin(future);
        async move {
            #[cfg(feature = "aws")]
            if let Some(at) = self.0 {
                return tokio::time::timeout_at(at.into(), future).await.ok();
            }
            // Without AWS nothing waits: files are read and written at once.
            Some(future.await)
        }
    }
}

/// Waits.
#[cfg_attr(not(feature = "aws"), allow(clippy::unused_async))] // Without AWS nothing else runs meanwhile.
pub async fn pause(time: Duration) {
    #[cfg(feature = "aws")]
    tokio::time::sleep(time).await;
    #[cfg(not(feature = "aws"))]
    std::thread::sleep(time);
}

/// The time since 1970. Zero on a clock that is set before.
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invocation_stops_before_lambda_ends_it() {
        let now = u64::try_from(since_1970().as_millis()).unwrap();
        let deadline = Deadline::of_invocation(now + 600_000);
        assert!(deadline.leaves(Duration::from_secs(500)));
        assert!(!deadline.leaves(Duration::from_millis(599_250)));
        assert!(!Deadline::of_invocation(now + 100).leaves(Duration::ZERO));
    }

    #[test]
    fn an_end_that_has_passed_is_no_deadline() {
        assert_eq!(Deadline::of_invocation(600_000), Deadline::NEVER);
        assert_eq!(Deadline::of_invocation(0), Deadline::NEVER);
    }

    #[test]
    fn a_deadline_leaves_what_is_before_it() {
        let deadline = Deadline::after(Duration::from_mins(1));
        assert!(deadline.leaves(Duration::from_secs(50)));
        assert!(!deadline.leaves(Duration::from_mins(1)));
        assert!(Deadline::NEVER.leaves(Duration::MAX));
    }

    #[test]
    fn of_two_deadlines_the_earlier_counts() {
        let (near, far) = (
            Deadline::after(Duration::from_secs(10)),
            Deadline::after(Duration::from_mins(1)),
        );
        assert_eq!(near.or(far), near);
        assert_eq!(far.or(near), near);
        assert_eq!(Deadline::NEVER.or(near), near);
        assert_eq!(near.or(Deadline::NEVER), near);
        assert!(!near.before(Duration::from_secs(3)).leaves(Duration::from_secs(8)));
        assert_eq!(Deadline::NEVER.before(Duration::from_secs(3)), Deadline::NEVER);
    }

    #[cfg(feature = "aws")]
    #[test]
    fn what_takes_longer_is_not_waited_for() {
        crate::executor::block_on(async {
            let deadline = Deadline::after(Duration::from_millis(5));
            assert_eq!(deadline.race(std::future::pending::<()>()).await, None);
            assert_eq!(deadline.race(async { 7 }).await, Some(7));
            assert_eq!(Deadline::NEVER.race(async { 7 }).await, Some(7));
        });
    }
}
