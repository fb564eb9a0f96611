//! What a volume may take: operations and bytes a second, for which its clients wait.
//!
//! Both are buckets that hold a second's worth, shared by all connections of the volume. A request waits
//! where it was received, so that what is behind it stays in its client's socket. Reads, writes, zeroes
//! and trims count as operations, and the data that they bring as bytes; flushes are free.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use admission::{Bucket, Rate};
use base::Timestamp;
use nbd_proto::Command;

use crate::Clock;
use crate::state::VolumeLimits;

/// How long's worth may be saved up.
const BURST: Duration = Duration::from_secs(1);

/// The limits of one volume.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    /// Whether there are any, for a look without the lock.
    is_bounded: AtomicBool,
    limits: Mutex<VolumeLimits>,
    changed: Condvar,
    operations: Bucket,
    bytes: Bucket,
}

/// What of a volume's limits is saved up, in thousandths of what may be; nothing where there is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BurstBalance {
    /// Of its operations.
    pub operations_permille: Option<u64>,
    /// Of its bytes.
    pub bytes_permille: Option<u64>,
}

/// What a request still has to take before it may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owed {
    operations: u64,
    bytes: u64,
}

impl Owed {
    /// What a command costs; `None` if it is free.
    pub(super) fn by(command: &Command) -> Option<Self> {
        let bytes = match command {
            Command::Read { len, .. } | Command::Write { len, .. } => u64::from(*len),
            Command::Trim { .. } | Command::WriteZeroes { .. } => 0,
            Command::Flush | Command::Cache { .. } | Command::BlockStatus { .. } => return None,
        };
        let operations = 1;
        Some(Self { operations, bytes })
    }
}

impl Limiter {
    /// With these limits, and with full buckets.
    pub(super) fn new(limits: VolumeLimits) -> Self {
        let limiter = Self::default();
        limiter.set(limits);
        limiter
    }

    /// Other limits, for those who wait already too.
    pub(super) fn set(&self, limits: VolumeLimits) {
        let mut present = self.limits();
        *present = limits;
        let is_bounded = limits != VolumeLimits::default();
        self.is_bounded.store(is_bounded, Ordering::Release);
        drop(present);
        self.changed.notify_all();
    }

    /// Lets go whoever waits, since the server ends.
    pub(super) fn lift(&self) {
        self.set(VolumeLimits::default());
    }

    pub(super) fn is_bounded(&self) -> bool {
        self.is_bounded.load(Ordering::Acquire)
    }

    /// Takes what is owed, or says when to ask for the rest.
    pub(super) fn take(&self, now: Timestamp, owed: &mut Owed) -> Result<(), Timestamp> {
        let limits = *self.limits();
        take(&self.operations, limits.iops, now, &mut owed.operations)?;
        take(&self.bytes, limits.bytes_per_second, now, &mut owed.bytes)
    }

    /// Waits until all that is owed could be taken.
    pub(super) fn wait(&self, clock: Clock, mut owed: Owed) {
        loop {
            let now = clock.now();
            let Err(at) = self.take(now, &mut owed) else {
                return;
            };
            let limits = self.limits();
            // Set since: they may be others.
            if self.is_bounded() {
                drop(self.changed.wait_timeout(limits, at.since(now)));
            }
        }
    }

    /// How much may be taken at once.
    pub(super) fn balance(&self, now: Timestamp) -> BurstBalance {
        let limits = *self.limits();
        let permille = |bucket: &Bucket, limit| {
            let rate = rate(limit)?;
            let most = rate.units_in(rate.burst).max(1);
            Some(bucket.saved(now, rate).min(most).saturating_mul(1000) / most)
        };
        BurstBalance {
            operations_permille: permille(&self.operations, limits.iops),
            bytes_permille: permille(&self.bytes, limits.bytes_per_second),
        }
    }

    fn limits(&self) -> MutexGuard<'_, VolumeLimits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rate(limit: Option<u64>) -> Option<Rate> {
    let per_second = NonZeroU64::new(limit?).unwrap_or(NonZeroU64::MIN);
    let burst = BURST;
    Some(Rate { per_second, burst })
}

fn take(
    bucket: &Bucket,
    limit: Option<u64>,
    now: Timestamp,
    owed: &mut u64,
) -> Result<(), Timestamp> {
    if let Some(rate) = rate(limit) {
        bucket.take(now, rate, *owed)?;
    }
    // Taken: whoever then waits for the other does not pay again.
    *owed = 0;
    Ok(())
}

#[cfg(test)]
#[path = "limits_test.rs"]
mod tests;
