//! How long a tenant's requests may take, by how long its last ones took.

use std::time::Duration;

/// The least and the most that a request is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadlineBounds {
    /// Even if all requests are quicker.
    pub min: Duration,
    /// Even if all requests are slower.
    pub max: Duration,
}

impl Default for DeadlineBounds {
    /// Well above a scheduler's stalls, and under the 500 ms after which common clients give up.
    fn default() -> Self {
        Self {
            min: Duration::from_millis(20),
            max: Duration::from_millis(250),
        }
    }
}

/// Requests are waited for this many times as long as the slowest hundredth of the last ones took.
const FACTOR: u32 = 4;
/// Answers after which the deadline is chosen anew and the old ones count half.
const WINDOW: u32 = 1024;
/// So do so many that were late, beyond those in time: what all nodes share is slow, and until the deadline is
/// chosen anew every read is a miss.
const LATE_MAX: u32 = 128;
/// Two buckets to each doubling from 1 µs on.
const BUCKETS: usize = 48;

/// A tenant's recent latencies, in a histogram that forgets.
#[derive(Clone, Debug)]
pub(super) struct Latency {
    counts: [u32; BUCKETS],
    since_chosen: u32,
    /// How many more have lately taken as long as the deadline than have not.
    late: u32,
    deadline: Duration,
    bounds: DeadlineBounds,
}

impl Latency {
    /// Nothing is known yet: the longest deadline.
    pub(super) fn new(bounds: DeadlineBounds) -> Self {
        Self {
            counts: [0; BUCKETS],
            since_chosen: 0,
            late: 0,
            deadline: bounds.max,
            bounds,
        }
    }

    /// How long to wait for the next request.
    #[inline]
    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Takes note of an answer, or of one that did not come within this time.
    #[inline]
    pub(super) fn note(&mut self, took: Duration) {
        if let Some(count) = self.counts.get_mut(bucket_of(took)) {
            *count += 1;
        }
        self.since_chosen += 1;
        self.late = match took >= self.deadline {
            true => self.late + 1,
            false => self.late.saturating_sub(1),
        };
        if self.since_chosen >= WINDOW || self.late >= LATE_MAX {
            self.choose();
        }
    }

    fn choose(&mut self) {
        self.since_chosen = 0;
        self.late = 0;
        let total: u32 = self.counts.iter().sum();
        let mut above = total / 100;
        let slow = self.counts.iter().rposition(|count| {
            let is_it = *count > above;
            above = above.saturating_sub(*count);
            is_it
        });
        let p99 = slow.map_or(self.bounds.max, upper_end);
        self.deadline = (p99 * FACTOR).clamp(self.bounds.min, self.bounds.max);
        self.counts.iter_mut().for_each(|count| *count /= 2);
    }
}

#[inline]
fn bucket_of(took: Duration) -> usize {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
    let log2 = micros.ilog2() as usize;
    let half = usize::from(log2 > 0 && micros >> (log2 - 1) & 1 == 1);
    (2 * log2 + half).min(BUCKETS - 1)
}

/// What all of a bucket are below.
fn upper_end(bucket: usize) -> Duration {
    let (log2, half) = (bucket / 2, bucket % 2);
    let micros = if half == 1 {
        4u64 << log2
    } else {
        3u64 << log2
    };
    Duration::from_micros(micros / 2 + 1)
}

#[cfg(test)]
#[path = "latency_test.rs"]
mod tests;
