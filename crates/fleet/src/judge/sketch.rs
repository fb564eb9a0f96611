//! How long requests took, in a histogram that is cheap to add to, to merge and to compare.

use std::time::Duration;

/// Four buckets to each doubling from 16.4 µs on, up to 0.94 s; the last one is for requests that
/// were not answered at all.
pub const BUCKETS: usize = 64;
const UNANSWERED: usize = BUCKETS - 1;
/// The binary logarithm of the nanoseconds at which the second octave begins.
const LEAST_LOG2: u32 = 14;

/// A histogram of latencies. A request without an answer took longer than any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sketch {
    counts: [u32; BUCKETS],
}

impl Default for Sketch {
    fn default() -> Self {
        Self {
            counts: [0; BUCKETS],
        }
    }
}

impl Sketch {
    /// Adds a request that took so long.
    #[inline]
    pub fn note(&mut self, took: Duration) {
        self.add(bucket_of(took), 1);
    }

    /// Adds requests that were not answered.
    #[inline]
    pub fn note_unanswered(&mut self, count: u32) {
        self.add(UNANSWERED, count);
    }

    #[inline]
    fn add(&mut self, bucket: usize, more: u32) {
        if let Some(count) = self.counts.get_mut(bucket) {
            *count = count.saturating_add(more);
        }
    }

    /// Adds all of another one.
    #[inline]
    pub fn absorb(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
    }

    /// How many requests it has seen.
    pub fn count(&self) -> u32 {
        self.counts
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// How many of them were not answered.
    pub fn unanswered(&self) -> u32 {
        self.counts[UNANSWERED]
    }

    /// What the part `part` of the requests took at most, in seconds, to about a tenth of its value;
    /// infinite if that many were not answered. `None` without any request.
    pub fn quantile_s(&self, part: f64) -> Option<f64> {
        let total = self.count();
        if total == 0 {
            return None;
        }
        let wanted = f64::from(total) * part.clamp(0.0, 1.0);
        let mut before = 0.0;
        for (bucket, count) in self.counts.iter().enumerate() {
            let count = f64::from(*count);
            if count > 0.0 && before + count >= wanted {
                return Some(within(bucket, ((wanted - before) / count).clamp(0.0, 1.0)));
            }
            before += count;
        }
        Some(f64::INFINITY)
    }

    /// Which part of the requests took longer than `limit_s` seconds, to a bucket's width; 0 without
    /// any request.
    pub fn share_above(&self, limit_s: f64) -> f64 {
        let total = self.count();
        if total == 0 {
            return 0.0;
        }
        let limit = Duration::try_from_secs_f64(limit_s).unwrap_or(Duration::MAX);
        let first = bucket_of(limit) + 1;
        let above = self.counts.iter().skip(first.min(UNANSWERED));
        let above = above.fold(0u32, |sum, count| sum.saturating_add(*count));
        f64::from(above) / f64::from(total)
    }
}

#[inline]
fn bucket_of(took: Duration) -> usize {
    let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
    let log2 = nanos.max(1).ilog2();
    if log2 < LEAST_LOG2 {
        return 0;
    }
    let quarter = (nanos >> (log2 - 2)) & 3;
    let bucket = (log2 - LEAST_LOG2) as usize * 4 + quarter as usize;
    bucket.min(UNANSWERED - 1)
}

/// So far into a bucket, in seconds.
fn within(bucket: usize, part: f64) -> f64 {
    if bucket >= UNANSWERED {
        return f64::INFINITY;
    }
    let lower = |bucket: usize| {
        let octave = (1u64 << (LEAST_LOG2 as usize + bucket / 4)) as f64;
        octave * (1.0 + (bucket % 4) as f64 / 4.0) * 1e-9
    };
    let begin = if bucket == 0 { 0.0 } else { lower(bucket) };
    begin + (lower(bucket + 1) - begin) * part
}

#[cfg(test)]
#[path = "sketch_test.rs"]
mod tests;
