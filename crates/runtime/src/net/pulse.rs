//! When a loop turned last, so that one that stands still is noticed from outside.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base::Timestamp;

/// One loop's; aligned so that loops do not share a cache line.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Pulse(AtomicU64);

/// What stands for a loop that has ended in order.
const AT_REST: u64 = u64::MAX;

impl Pulse {
    /// Of a loop that is about to turn.
    pub(super) fn new(now: Timestamp) -> Self {
        Self(AtomicU64::new(now.as_nanos()))
    }

    /// It turns now.
    #[inline]
    pub(super) fn beat(&self, now: Timestamp) {
        self.0.store(now.as_nanos(), Ordering::Relaxed);
    }

    /// It has nothing left to do, and is not missed.
    pub(super) fn rest(&self) {
        self.0.store(AT_REST, Ordering::Relaxed);
    }

    /// How long ago it turned.
    pub(super) fn age(&self, now: Timestamp) -> Duration {
        now.since(Timestamp::from_nanos(self.0.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
#[path = "pulse_test.rs"]
mod tests;
