//! Token buckets that the event loops of a process share, and the slices that they lease.
//!
//! The generic cell rate algorithm (ITU-T I.371): a bucket is one point in time, that at which it
//! will be full again, so that it fits one atomic.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base::Timestamp;

const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// What a loop takes ahead at a time, so that loops meet at the bucket seldom.
const SLICE: Duration = Duration::from_millis(1);

/// How much a second, and how much of it may be saved up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Units a second.
    pub per_second: NonZeroU64,
    /// The units of this long may be saved up.
    pub burst: Duration,
}

impl Rate {
    /// How long `count` units take to come, rounded up.
    fn time_of(self, count: u64) -> u64 {
        let nanos = (u128::from(count) * u128::from(NANOS_PER_SECOND))
            .div_ceil(u128::from(self.per_second.get()));
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }

    /// The whole units that come in `time`, rounded down.
    pub fn units_in(self, time: Duration) -> u64 {
        let units = time.as_nanos().saturating_mul(self.per_second.get().into())
            / u128::from(NANOS_PER_SECOND);
        u64::try_from(units).unwrap_or(u64::MAX)
    }
}

/// A bucket, full at first. Its rate is handed in, so that it can change at any time.
#[derive(Debug, Default)]
pub struct Bucket {
    /// In nanoseconds since the Unix epoch; a point in the past stands for a full bucket.
    full_at: AtomicU64,
    /// The units a second by which that was worked out for those who lease; 0 before the first.
    per_second: AtomicU64,
}

impl Bucket {
    /// Goes by this rate from now on: what is saved up or owed stays as many units, so that a rate that
    /// changes again and again gives no more than one that does not.
    fn go_by(&self, now: Timestamp, rate: Rate) {
        let new = rate.per_second.get();
        let old = self.per_second.load(Ordering::Relaxed);
        let is_first = |old| {
            let swapped =
                self.per_second
                    .compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed);
            swapped.is_ok()
        };
        // Of several loops that see it at once one works it out.
        if old == new || !is_first(old) || old == 0 {
            return;
        }
        let (now, burst) = (
            i128::from(now.as_nanos()),
            i128::from(duration_nanos(rate.burst)),
        );
        let _ = self
            .full_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
                let to_come = (i128::from(full_at) - now).max(0);
                let saved = (burst - to_come).saturating_mul(old.into()) / i128::from(new);
                u64::try_from(now + (burst - saved).max(0)).ok()
            });
    }

    /// Takes `count` units whether they are there or not; until they are, it has none.
    fn overdraw(&self, now: Timestamp, rate: Rate, count: u64) {
        let cost = rate.time_of(count);
        let _ = self
            .full_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
                Some(full_at.max(now.as_nanos()).saturating_add(cost))
            });
    }

    /// How many units are saved up; none while it owes some.
    pub fn saved(&self, now: Timestamp, rate: Rate) -> u64 {
        let full_at = Timestamp::from_nanos(self.full_at.load(Ordering::Relaxed));
        rate.units_in(rate.burst.saturating_sub(full_at.since(now)))
    }

    /// Takes `count` units, or tells when they will be there. What exceeds a full bucket is given
    /// when it is full, and paid for by what comes after.
    ///
    /// Over any stretch of time it gives at most the rate times its length and the burst, as long
    /// as no single `count` exceeds the burst.
    pub fn take(&self, now: Timestamp, rate: Rate, count: u64) -> Result<(), Timestamp> {
        let now = now.as_nanos();
        let (cost, burst) = (rate.time_of(count), duration_nanos(rate.burst));
        let needed = cost.min(burst);
        let taken = self
            .full_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
                let begin = full_at.max(now);
                let fits = begin.saturating_add(needed) <= now.saturating_add(burst);
                fits.then(|| begin.saturating_add(cost))
            });
        taken.map(drop).map_err(|full_at| {
            let at = full_at.saturating_add(needed).saturating_sub(burst);
            Timestamp::from_nanos(at)
        })
    }
}

/// One loop's part of a bucket. What a turn costs is known only after it: so it is paid for then,
/// and what the bucket does not have is owed by all loops together. Were each to wait for its own
/// debt, the one with the smallest would get every drop.
#[derive(Debug)]
pub struct Lease {
    rate: Rate,
    slice: i64,
    /// Units in hand; below zero, units not paid for yet.
    balance: i64,
    /// Whether the bucket was overdrawn when it was last looked at.
    waits: bool,
}

impl Lease {
    /// A part of a bucket of this rate that `loops` share.
    ///
    /// What they have in hand counts as saved up, so that all of them together never spend more
    /// than rate times time, the burst, and for each the turn that it had not paid for yet.
    pub fn new(rate: Rate, loops: usize) -> Self {
        let loops = u32::try_from(loops.max(1)).unwrap_or(u32::MAX);
        let slice = SLICE.min(rate.burst / loops.saturating_mul(4));
        let in_hand = slice.saturating_mul(loops);
        Self {
            slice: i64::try_from(rate.units_in(slice)).unwrap_or(i64::MAX),
            rate: Rate {
                burst: rate.burst.saturating_sub(in_hand),
                ..rate
            },
            balance: 0,
            waits: false,
        }
    }

    /// Notes what a turn took.
    pub fn charge(&mut self, count: u64) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.balance = self.balance.saturating_sub(count);
    }

    /// Whether another turn may be had; if not, when to ask again.
    pub fn settle(&mut self, now: Timestamp, bucket: &Bucket) -> Result<(), Timestamp> {
        if self.balance < 0 {
            bucket.go_by(now, self.rate);
            let debt = self.balance.unsigned_abs();
            let ahead = debt.saturating_add(self.slice.unsigned_abs());
            if bucket.take(now, self.rate, ahead).is_ok() {
                self.balance = self.slice;
                self.waits = false;
                return Ok(());
            }
            bucket.overdraw(now, self.rate, debt);
            self.balance = 0;
            self.waits = true;
        }
        if self.waits {
            bucket.take(now, self.rate, 0)?;
            self.waits = false;
        }
        Ok(())
    }

    /// Units that come in `time`.
    pub fn units_in(&self, time: Duration) -> u64 {
        self.rate.units_in(time)
    }
}

fn duration_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "bucket_test.rs"]
mod tests;
