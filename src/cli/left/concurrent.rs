//! Several things at once, on one thread.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use super::super::Failure;

/// Something to be done.
pub(super) type Task<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

enum Slot<'a, T> {
    Running(Task<'a, T>),
    Done(T),
}

/// Does all tasks, at most `width` at once, and passes their results to `each` in the order of the tasks.
pub(super) async fn in_order<'a, T>(
    width: usize,
    tasks: impl IntoIterator<Item = Task<'a, T>>,
    mut each: impl FnMut(T) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut tasks = tasks.into_iter();
    let mut slots: VecDeque<Slot<'a, T>> = VecDeque::with_capacity(width);
    loop {
        while slots.len() < width
            && let Some(task) = tasks.next()
        {
            slots.push_back(Slot::Running(task));
        }
        poll_fn(|context| {
            for slot in &mut slots {
                if let Slot::Running(task) = slot
                    && let Poll::Ready(done) = task.as_mut().poll(context)
                {
                    *slot = Slot::Done(done);
                }
            }
            match slots.front() {
                Some(Slot::Running(_)) => Poll::Pending,
                Some(Slot::Done(_)) | None => Poll::Ready(()),
            }
        })
        .await;
        match slots.pop_front() {
            Some(Slot::Done(done)) => each(done)?,
            _ => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use readdress::executor::block_on;

    use super::*;

    /// Catches more at once than were allowed, and results that are out of order or missing.
    #[test]
    fn results_come_in_order_and_only_so_many_run_at_once() {
        let (running, most) = (Cell::new(0), Cell::new(0));
        let task = |n: usize| -> Task<'_, usize> {
            let (running, most) = (&running, &most);
            let mut turns = 5 - n % 5;
            let mut begun = false;
            Box::pin(poll_fn(move |context| {
                if !begun {
                    begun = true;
                    running.set(running.get() + 1);
                    most.set(most.get().max(running.get()));
                }
                turns -= 1;
                if turns > 0 && cfg!(feature = "aws") {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                running.set(running.get() - 1);
                Poll::Ready(n)
            }))
        };
        let mut done = Vec::new();
        let worked = block_on(in_order(3, (0..20).map(task), |n| {
            done.push(n);
            Ok(())
        }));
        assert!(worked.is_ok() && most.get() <= 3);
        assert_eq!(done, (0..20).collect::<Vec<_>>());
    }
}
