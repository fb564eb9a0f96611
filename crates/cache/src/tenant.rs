//! One tenant's cache: routes each operation to the shard that its key hashes to.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base::Timestamp;
use base::kv::{Op, Outcome, Pin, Reservation, Sink, Stats, Store};

use crate::STORED_KEY_LEN_MAX;
use crate::config::{Config, ConfigError};
use crate::geometry::{SHARD_QUOTA_MAX, SHARDS_MAX, shard_count, shards_serve};
use crate::hash::{KeyHash, KeyHasher};
use crate::shard::{Former, Shard};

/// What a shard that is out of use still takes.
const IDLE_SHARD_BYTES: u64 = 4 << 10;

/// Tokens of a shard are below; its number is above.
const TOKEN_BITS: u32 = 56;

/// A call of `maintain` does no more than this, whatever it is allowed.
const BUDGET_BYTES_MAX: usize = 1 << 30;

/// The cache of one tenant; nothing in it is visible to another.
///
/// It is cut into 1 to 32 shards, each behind a mutex that is held for one call. How many there
/// are follows from quota and item size at the start; it changes only when new limits do not fit.
#[derive(Debug)]
pub struct TenantCache {
    hasher: KeyHasher,
    cas_after: Option<u64>,
    shards: Vec<Mutex<Option<Box<Shard>>>>,
    /// How many of the shards are in use, a power of two; changed only with all of them locked.
    active: AtomicUsize,
    limits: Mutex<Limits>,
    flushes: AtomicU64,
}

/// Where a fetch ahead goes on.
#[derive(Clone, Copy, Debug)]
pub struct Prefetch {
    hash: KeyHash,
    /// The location of the item that has been fetched, if one has.
    after: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    quota_bytes: u64,
    item_size_max: u32,
}

impl TenantCache {
    /// An empty cache; memory is taken as items come.
    pub fn new(config: Config, now: Timestamp) -> Result<Self, ConfigError> {
        let Config {
            quota_bytes,
            item_size_max,
            hash_key,
            cas_after,
        } = config;
        Config::check(quota_bytes, item_size_max)?;
        let cache = Self {
            hasher: KeyHasher::new(&hash_key),
            cas_after,
            shards: (0..SHARDS_MAX).map(|_| Mutex::new(None)).collect(),
            active: AtomicUsize::new(1),
            limits: Mutex::new(Limits {
                quota_bytes,
                item_size_max,
            }),
            flushes: AtomicU64::new(0),
        };
        cache.apply(
            now,
            Limits {
                quota_bytes,
                item_size_max,
            },
            true,
        );
        Ok(cache)
    }

    /// Does one operation; a hit hands the item to `sink` before this returns. A key of no or too
    /// many bytes is never there and never stored.
    ///
    /// Values above [`INLINE_VALUE_LEN_MAX`](base::kv::INLINE_VALUE_LEN_MAX) may be stored with it
    /// too, at the price of holding the shard for as long as the copy takes.
    pub fn execute<S: Sink>(&self, now: Timestamp, op: &Op<'_>, sink: &mut S) -> Outcome {
        let absent = match op {
            Op::Get(_) => Outcome::Miss,
            Op::Store(_) => Outcome::OutOfMemory,
            Op::Delete(_) | Op::Arith(_) => Outcome::NotFound,
        };
        if !is_key(op.key()) {
            return absent;
        }
        let hash = self.hasher.hash(op.key());
        self.with_shard_of(hash, |shard| shard.execute(now, hash, op, sink))
            .unwrap_or(absent)
    }

    /// Asks the processor for what an operation on `key` will look at first. What comes back leads
    /// to the rest: hand it to [`prefetch_item`](Self::prefetch_item) a little later.
    pub fn prefetch(&self, key: &[u8]) -> Prefetch {
        let hash = self.hasher.hash(key);
        self.with_shard_of(hash, |shard| shard.prefetch_head(hash));
        Prefetch { hash, after: None }
    }

    /// Asks the processor for an item that a [`prefetch`](Self::prefetch) led to; if it is another
    /// one, what comes back leads on from there.
    pub fn prefetch_item(&self, prefetch: Prefetch) -> Option<Prefetch> {
        let Prefetch { hash, after } = prefetch;
        let after = self.with_shard_of(hash, |shard| shard.prefetch_item(hash, after))?;
        after.map(|loc| Prefetch {
            hash,
            after: Some(loc),
        })
    }

    /// Makes room for a value of `len` bytes that is still to arrive; `store.value` is not used.
    ///
    /// # Errors
    /// `TooLarge`, or `OutOfMemory`; a plain `set` that fails drops the old item. Whatever else
    /// the store would be refused for now, by what is there.
    pub fn reserve(
        &self,
        now: Timestamp,
        store: &Store<'_>,
        len: u32,
    ) -> Result<Reservation, Outcome> {
        if !is_key(store.key) {
            return Err(Outcome::OutOfMemory);
        }
        let hash = self.hasher.hash(store.key);
        self.with_shard_of(hash, |shard| {
            shard.tick(now);
            shard.reserve(hash, store, len).map(Reservation)
        })
        .unwrap_or(Err(Outcome::OutOfMemory))
    }

    /// Adds the next bytes of a reserved value.
    ///
    /// False if the reservation is gone: more bytes than announced, no room to be made, or no
    /// progress for 5 s. What it was to replace is gone then too if it was a plain `set`.
    pub fn fill(&self, reservation: Reservation, bytes: &[u8]) -> bool {
        self.with_shard(reservation.0, |shard, token| shard.fill(token, bytes))
            .unwrap_or(false)
    }

    /// Ends a reservation whose value is complete: judges the conditions and stores.
    ///
    /// `OutOfMemory` if the reservation is gone or the value is not complete.
    pub fn commit(&self, now: Timestamp, reservation: Reservation) -> Outcome {
        self.with_shard(reservation.0, |shard, token| {
            shard.tick(now);
            shard.commit(token)
        })
        .unwrap_or(Outcome::OutOfMemory)
    }

    /// Gives a reservation's room back.
    pub fn abort(&self, reservation: Reservation) {
        self.with_shard(reservation.0, Shard::abort);
    }

    /// Appends up to `max` bytes of a held value from `offset` on; how many, 0 at its end.
    ///
    /// `None` if the hold has ended, which a delete, an overwrite or a flush does not do, but
    /// 5 s without a read, or a change of limits that cuts the memory up anew.
    pub fn read_pinned(
        &self,
        pin: Pin,
        offset: u32,
        max: usize,
        out: &mut Vec<u8>,
    ) -> Option<usize> {
        self.with_shard(pin.token, |shard, token| {
            shard.read_pinned(token, offset, max, out)
        })
        .flatten()
    }

    /// Lets a held value go.
    pub fn unpin(&self, pin: Pin) {
        self.with_shard(pin.token, Shard::unpin);
    }

    /// Makes everything stored before `at` invisible once `at` has come; at most one flush waits.
    pub fn flush(&self, now: Timestamp, at: Timestamp) {
        self.flushes.fetch_add(1, Ordering::Relaxed);
        self.for_each(|shard| {
            shard.tick(now);
            shard.flush(at);
        });
    }

    /// Changes the quota while serving; a smaller one is reached in bounded steps, by
    /// [`maintain`](Self::maintain) and stores.
    ///
    /// A quota under about a fifth of the one at the start has the memory cut up anew: holds and
    /// arrivals end, and items of up to 8 MiB are carried over in bounded steps, as many as fit.
    /// One above 4 GiB a shard takes more shards and starts the cache over. In either case what is
    /// lost counts as evicted.
    ///
    /// # Errors
    /// If it does not hold two items of the item size.
    pub fn set_quota(&self, now: Timestamp, bytes: u64) -> Result<(), ConfigError> {
        let mut limits = lock(&self.limits);
        Config::check(bytes, limits.item_size_max)?;
        limits.quota_bytes = bytes;
        self.apply(now, *limits, false);
        Ok(())
    }

    /// Changes the largest item size for stores to come; items that are there stay.
    ///
    /// One so large that a shard cannot hold two has the items carried over to fewer shards, as a
    /// smaller quota may.
    ///
    /// # Errors
    /// If it is out of range, or the quota does not hold two such items.
    pub fn set_item_size_max(&self, item_size_max: u32) -> Result<(), ConfigError> {
        let mut limits = lock(&self.limits);
        Config::check(limits.quota_bytes, item_size_max)?;
        limits.item_size_max = item_size_max;
        self.apply(Timestamp::ZERO, *limits, false);
        Ok(())
    }

    /// Figures since the start, or the last reset, beside the present state.
    pub fn stats(&self) -> Stats {
        let mut sum = Stats {
            cmd_flush: self.flushes.load(Ordering::Relaxed),
            ..Stats::default()
        };
        self.for_each(|shard| sum.absorb(&shard.stats()));
        sum.quota_bytes = lock(&self.limits).quota_bytes;
        sum
    }

    /// Zeroes the counters; the figures of the present state stay.
    pub fn reset_stats(&self) {
        self.flushes.store(0, Ordering::Relaxed);
        self.for_each(Shard::reset_stats);
    }

    /// A slice of background work, about `budget_bytes` looked at in all; true if more waits.
    ///
    /// Takes back items whose end has come, returns free memory, ends holds and arrivals without
    /// progress, and brings a smaller quota about.
    pub fn maintain(&self, now: Timestamp, budget_bytes: usize) -> bool {
        let share = budget_bytes.min(BUDGET_BYTES_MAX) / self.active.load(Ordering::Acquire);
        let mut more = false;
        self.for_each(|shard| more |= shard.maintain(now, share));
        more
    }

    /// Brings new limits about: in place where the memory's cut allows it, else with another cut.
    fn apply(&self, now: Timestamp, limits: Limits, first: bool) {
        let Limits {
            quota_bytes,
            item_size_max,
        } = limits;
        let mut shards: Vec<_> = self.shards.iter().map(lock).collect();
        let before = self.active.load(Ordering::Acquire);
        let stay = !first && shards_serve(before, quota_bytes, item_size_max);
        let count = if stay {
            before
        } else {
            shard_count(quota_bytes, item_size_max)
        };
        let idle = shards
            .iter()
            .skip(count)
            .filter(|place| place.is_some())
            .count();
        let each = (quota_bytes - idle as u64 * IDLE_SHARD_BYTES) / count as u64;
        let each = each.min(SHARD_QUOTA_MAX);
        // What was held goes to the shard that its keys are now in, from the last shard on.
        let mut held: Vec<Vec<Former>> = (0..count).map(|_| Vec::new()).collect();
        for (number, place) in shards.iter_mut().enumerate().rev() {
            let heir = number & (count - 1);
            match place.as_mut() {
                Some(shard) if number < count && stay && shard.serves(each) => {
                    shard.tick(now);
                    shard.set_limits(each, item_size_max);
                }
                Some(shard) => {
                    shard.tick(now);
                    // One that is out of use keeps its figures.
                    let quota = if number < count { each } else { 0 };
                    held[heir].extend(shard.renew(quota, item_size_max));
                }
                None if number < count => {
                    let mark = (number as u64) << TOKEN_BITS;
                    let shard = Shard::new(mark, each, item_size_max, self.hasher, now);
                    **place = shard.map(Box::new);
                    if let (Some(shard), Some(cas)) = (place.as_mut(), self.cas_after) {
                        shard.set_cas(cas);
                    }
                }
                None => {}
            }
            if let Some(shard) = place.as_mut().filter(|_| number < count) {
                let formers = std::mem::take(&mut held[heir]);
                if count > before {
                    // Its keys are in several shards now.
                    formers.into_iter().for_each(|former| shard.lose(former));
                } else {
                    shard.succeed(formers);
                }
            }
        }
        if !stay {
            // A key may be in another shard now: none gives a token again that another has given.
            let all = shards.iter().flat_map(|place| place.as_ref());
            let last = all.map(|shard| shard.cas()).max().unwrap_or(0);
            let all = shards.iter_mut().flat_map(|place| place.as_mut());
            all.for_each(|shard| shard.set_cas(last));
        }
        self.active.store(count, Ordering::Release);
    }

    /// Runs `work` on the shard of a key.
    fn with_shard_of<T>(&self, hash: KeyHash, work: impl FnOnce(&mut Shard) -> T) -> Option<T> {
        loop {
            let active = self.active.load(Ordering::Acquire);
            let number = hash.shard(active);
            let mut shard = lock(&self.shards[number]);
            // A change of their number holds all locks: seen unchanged under one, it stays.
            if active == self.active.load(Ordering::Acquire) {
                return shard.as_deref_mut().map(work);
            }
        }
    }

    /// Runs `work` on the shard that a token is from, with the shard's own part of it.
    fn with_shard<T>(&self, token: u64, work: impl FnOnce(&mut Shard, u64) -> T) -> Option<T> {
        let place = self.shards.get((token >> TOKEN_BITS) as usize)?;
        let inner = token & ((1 << TOKEN_BITS) - 1);
        lock(place).as_deref_mut().map(|shard| work(shard, inner))
    }

    /// Panics where a shard's books do not agree.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        self.for_each(|shard| shard.check());
    }

    #[cfg(test)]
    pub(crate) fn emptied_at_once(&self) -> u64 {
        let mut sum = 0;
        self.for_each(|shard| sum += shard.emptied_at_once());
        sum
    }

    fn for_each(&self, mut work: impl FnMut(&mut Shard)) {
        for place in &self.shards {
            if let Some(shard) = lock(place).as_deref_mut() {
                work(shard);
            }
        }
    }
}

fn is_key(key: &[u8]) -> bool {
    (1..=STORED_KEY_LEN_MAX).contains(&key.len())
}

/// A panic elsewhere under the lock is a fault of ours; serving on is better than ending with it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "tenant_test.rs"]
mod tests;
