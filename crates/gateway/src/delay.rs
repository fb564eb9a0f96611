//! How long requests waited from being there to being answered: a histogram of fixed size.
//!
//! Four buckets to each doubling, so that a quantile is right to within a quarter.

use std::time::Duration;

use crate::figures::Counter;

/// Delays below this many nanoseconds share the first bucket.
const FIRST_LOG2: u32 = 10;
/// Delays from 2 to this many nanoseconds (17 s) on share the last bucket.
const LAST_LOG2: u32 = 34;
const PER_DOUBLING: usize = 4;
/// Buckets of every histogram.
const BUCKETS: usize = (LAST_LOG2 - FIRST_LOG2) as usize * PER_DOUBLING + 2;

/// One loop's counts.
#[derive(Debug)]
pub(crate) struct DelayCounts {
    buckets: [Counter; BUCKETS],
    sum_ns: Counter,
}

impl DelayCounts {
    /// Counts `requests` that were answered after `delay`.
    #[inline]
    pub(crate) fn add(&self, delay: Duration, requests: u64) {
        let nanos = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(bucket_of(nanos)) {
            bucket.add(requests);
        }
        self.sum_ns.add(nanos.saturating_mul(requests));
    }
}

impl Default for DelayCounts {
    fn default() -> Self {
        Self {
            buckets: std::array::from_fn(|_| Counter::default()),
            sum_ns: Counter::default(),
        }
    }
}

/// Requests by their delay, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delays {
    buckets: [u64; BUCKETS],
    sum_ns: u64,
}

impl Delays {
    pub(crate) fn absorb(&mut self, counts: &DelayCounts) {
        for (sum, bucket) in self.buckets.iter_mut().zip(&counts.buckets) {
            *sum = sum.wrapping_add(bucket.get());
        }
        self.sum_ns = self.sum_ns.wrapping_add(counts.sum_ns.get());
    }

    /// Counts `requests` that were answered after `delay`.
    pub fn add(&mut self, delay: Duration, requests: u64) {
        let nanos = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get_mut(bucket_of(nanos)) {
            *bucket = bucket.wrapping_add(requests);
        }
        self.sum_ns = self.sum_ns.wrapping_add(nanos.saturating_mul(requests));
    }

    /// Adds those of another tenant.
    pub fn merge(&mut self, other: &Self) {
        for (sum, bucket) in self.buckets.iter_mut().zip(&other.buckets) {
            *sum = sum.wrapping_add(*bucket);
        }
        self.sum_ns = self.sum_ns.wrapping_add(other.sum_ns);
    }

    /// What came since `earlier`, an older reading of the same tenant.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            buckets: std::array::from_fn(|index| {
                self.buckets[index].wrapping_sub(earlier.buckets[index])
            }),
            sum_ns: self.sum_ns.wrapping_sub(earlier.sum_ns),
        }
    }

    /// How many requests there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// All delays added up, in nanoseconds.
    pub fn sum_ns(&self) -> u64 {
        self.sum_ns
    }

    /// The delay that the given part of all requests did not exceed, 0.99 for the 99th percentile;
    /// `None` if there were no requests. It errs to the longer side, by a quarter at most.
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        let count = self.count();
        let rank = (count as f64 * part.clamp(0.0, 1.0)).ceil().max(1.0);
        let mut below = 0u64;
        let index = self.buckets.iter().position(|bucket| {
            below += bucket;
            count > 0 && below as f64 >= rank
        })?;
        Some(Duration::from_nanos(upper_end(index)))
    }

    /// The median; see [`quantile`](Self::quantile).
    pub fn p50(&self) -> Option<Duration> {
        self.quantile(0.5)
    }

    /// The 99th percentile; see [`quantile`](Self::quantile).
    pub fn p99(&self) -> Option<Duration> {
        self.quantile(0.99)
    }

    /// The upper end of each bucket in nanoseconds, the last one's `u64::MAX`, and how many requests
    /// it has: shortest delays first.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        let ends = (0..BUCKETS).map(upper_end);
        ends.zip(self.buckets.iter().copied())
    }
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            buckets: [0; BUCKETS],
            sum_ns: 0,
        }
    }
}

#[inline]
fn bucket_of(nanos: u64) -> usize {
    let Some(log2) = nanos.checked_ilog2().filter(|log2| *log2 >= FIRST_LOG2) else {
        return 0;
    };
    if log2 >= LAST_LOG2 {
        return BUCKETS - 1;
    }
    let quarter = (nanos >> (log2 - 2)) as usize % PER_DOUBLING;
    1 + (log2 - FIRST_LOG2) as usize * PER_DOUBLING + quarter
}

/// The first delay in nanoseconds that is too long for the bucket.
fn upper_end(index: usize) -> u64 {
    if index >= BUCKETS - 1 {
        return u64::MAX;
    }
    let (doubling, quarter) = (index / PER_DOUBLING, index % PER_DOUBLING);
    let quarters = (PER_DOUBLING + quarter) as u64;
    quarters << (FIRST_LOG2 as usize - 2 + doubling)
}

#[cfg(test)]
#[path = "delay_test.rs"]
mod tests;
