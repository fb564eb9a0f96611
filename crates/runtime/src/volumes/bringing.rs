//! How often objects are brought into memory as a whole, which pays only where they stay there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base::Timestamp;

/// One in this time at most where they stay, some gigabytes a second,
const PERIOD_MIN: Duration = Duration::from_millis(2);
/// and where they do not.
const PERIOD_MAX: Duration = Duration::from_millis(20);
/// One that is missed again so soon has not stayed.
const STAY: Duration = Duration::from_secs(10);

/// The pace of it, over all volumes of a store.
#[derive(Debug)]
pub(super) struct Bringing {
    last_at: AtomicU64,
    period_nanos: AtomicU64,
}

impl Default for Bringing {
    fn default() -> Self {
        Self {
            last_at: AtomicU64::new(0),
            period_nanos: AtomicU64::new(nanos(PERIOD_MIN)),
        }
    }
}

impl Bringing {
    /// Whether an object that is missed may be brought now; `before` is when that was done last, if it was.
    pub(super) fn may_bring(&self, now: Timestamp, before: Option<Timestamp>) -> bool {
        let last = Timestamp::from_nanos(self.last_at.load(Ordering::Relaxed));
        let period = self.period_nanos.load(Ordering::Relaxed);
        if now.since(last) < Duration::from_nanos(period) {
            return false;
        }
        self.last_at.store(now.as_nanos(), Ordering::Relaxed);
        let in_vain = before.is_some_and(|before| now.since(before) < STAY);
        let period = match in_vain {
            true => period.saturating_mul(2).min(nanos(PERIOD_MAX)),
            false => (period - period / 8).max(nanos(PERIOD_MIN)),
        };
        self.period_nanos.store(period, Ordering::Relaxed);
        true
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "bringing_test.rs"]
mod tests;
