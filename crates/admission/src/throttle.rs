//! What one tenant may take of one loop: its rates of requests, of bytes in and of bytes out.

use std::num::NonZeroU64;
use std::time::Duration;

use base::{Timestamp, TrafficLimits};

use crate::{Bucket, Lease, Rate};

/// A tenant's turn has no more requests than come in this long, so that a low rate is not overdrawn
/// by one deep pipeline.
const TURN: Duration = Duration::from_millis(10);

/// The buckets of one tenant, shared by the loops of a process.
#[derive(Debug, Default)]
pub struct Buckets {
    ops: Bucket,
    bytes_in: Bucket,
    bytes_out: Bucket,
}

/// What a turn took of a tenant's rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Requests; each key of a list is one.
    pub ops: u64,
    /// Bytes that its clients sent.
    pub bytes_in: u64,
    /// Bytes that its clients are sent.
    pub bytes_out: u64,
}

/// A tenant's rates on one loop.
#[derive(Debug)]
pub struct Throttle {
    ops: Option<Lease>,
    bytes_in: Option<Lease>,
    bytes_out: Option<Lease>,
}

impl Throttle {
    /// For one of `loops`; `None` if no rate is set. A rate of 0 counts as 1.
    pub fn new(limits: &TrafficLimits, loops: usize) -> Option<Self> {
        let lease = |per_second: Option<u64>| {
            per_second.map(|per_second| {
                let per_second = NonZeroU64::new(per_second).unwrap_or(NonZeroU64::MIN);
                let burst = limits.burst;
                Lease::new(Rate { per_second, burst }, loops)
            })
        };
        let throttle = Self {
            ops: lease(limits.ops_per_second),
            bytes_in: lease(limits.bytes_in_per_second),
            bytes_out: lease(limits.bytes_out_per_second),
        };
        let is_set =
            throttle.ops.is_some() || throttle.bytes_in.is_some() || throttle.bytes_out.is_some();
        is_set.then_some(throttle)
    }

    /// Notes what a turn took.
    pub fn charge(&mut self, cost: Cost) {
        for (lease, count) in [
            (&mut self.ops, cost.ops),
            (&mut self.bytes_in, cost.bytes_in),
            (&mut self.bytes_out, cost.bytes_out),
        ] {
            if let Some(lease) = lease {
                lease.charge(count);
            }
        }
    }

    /// Whether the tenant may have another turn; if not, when to ask again.
    pub fn settle(&mut self, now: Timestamp, buckets: &Buckets) -> Result<(), Timestamp> {
        let mut again_at = None;
        for (lease, bucket) in [
            (&mut self.ops, &buckets.ops),
            (&mut self.bytes_in, &buckets.bytes_in),
            (&mut self.bytes_out, &buckets.bytes_out),
        ] {
            if let Some(Err(at)) = lease.as_mut().map(|lease| lease.settle(now, bucket)) {
                again_at = again_at.max(Some(at));
            }
        }
        again_at.map_or(Ok(()), Err)
    }

    /// How many requests a turn may have, of at most `max`.
    pub fn turn_requests_max(&self, max: usize) -> usize {
        parts(&self.ops, 1, max)
    }

    /// How many turns of at most `requests` and `bytes` may be under way at once, of at most `max`.
    pub fn turns_max(&self, requests: usize, bytes: usize, max: usize) -> usize {
        parts(&self.ops, requests, max)
            .min(parts(&self.bytes_in, bytes, max))
            .min(parts(&self.bytes_out, bytes, max))
    }
}

/// How many times `units` come in a turn's time, 1 to `max`.
fn parts(lease: &Option<Lease>, units: usize, max: usize) -> usize {
    let Some(lease) = lease else {
        return max;
    };
    let units = u64::try_from(units.max(1)).unwrap_or(u64::MAX);
    let parts = lease.units_in(TURN) / units;
    usize::try_from(parts).unwrap_or(max).clamp(1, max.max(1))
}

#[cfg(test)]
#[path = "throttle_test.rs"]
mod tests;
