//! Stand-ins of the AWS services, on loopback: what they are told to fail at, and what they have seen.
//!
//! Plain threads, one for each connection. Each stand-in stops when it is dropped.
#![allow(dead_code)] // Every test program uses a part of it.

pub mod account;
pub mod bootstrap;
pub mod dns;
pub mod http;
pub mod lambda;
pub mod moto;
pub mod raw_message;
pub mod runtime_api;
pub mod s3;
pub mod ses;
pub mod sigv4;
pub mod sqs;
pub mod ssm;
pub mod suppression;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The lock, also when another thread has panicked: its panic is the failure to be seen.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What happens to the next requests, one fault each; then the standing one.
#[derive(Debug)]
pub struct Script<F>(Mutex<(VecDeque<F>, F)>);

impl<F: Clone> Script<F> {
    pub fn new(standing: F) -> Self {
        Script(Mutex::new((VecDeque::new(), standing)))
    }

    pub fn push(&self, faults: impl IntoIterator<Item = F>) {
        lock(&self.0).0.extend(faults);
    }

    /// What happens to every request for which nothing was pushed.
    pub fn stand(&self, fault: F) {
        lock(&self.0).1 = fault;
    }

    pub fn next(&self) -> F {
        let (next, standing) = &mut *lock(&self.0);
        next.pop_front().unwrap_or_else(|| standing.clone())
    }

    /// How many faults have not come up yet.
    pub fn left(&self) -> usize {
        lock(&self.0).0.len()
    }
}
