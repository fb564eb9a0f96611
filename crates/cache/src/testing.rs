//! Short hands for tests that drive a tenant's cache.

use std::time::Duration;

use base::Timestamp;
use base::kv::{Delete, Get, Op, Outcome, Store, StoreMode};
use base::rng::Rng;

use crate::model::{Keep, Seen};
use crate::{Config, TenantCache};

pub(crate) const MIB: u64 = 1 << 20;
pub(crate) const START: Timestamp = Timestamp::from_secs(1_800_000_000);

pub(crate) fn cache(quota_bytes: u64, item_size_max: u32) -> TenantCache {
    let config = Config {
        quota_bytes,
        item_size_max,
        hash_key: [1; 16],
        cas_after: None,
    };
    TenantCache::new(config, START).expect("a quota that fits")
}

pub(crate) fn after(secs: u64) -> Timestamp {
    START + Duration::from_secs(secs)
}

pub(crate) fn store_of<'a>(key: &'a [u8], value: &'a [u8]) -> Store<'a> {
    Store::plain(key, value)
}

pub(crate) fn store_at(cache: &TenantCache, now: Timestamp, store: Store<'_>) -> Outcome {
    cache.execute(now, &Op::Store(store), &mut Keep::default())
}

pub(crate) fn set(cache: &TenantCache, key: &[u8], value: &[u8]) -> Outcome {
    store_at(cache, START, store_of(key, value))
}

/// As a store of a mode.
pub(crate) fn in_mode<'a>(mode: StoreMode, key: &'a [u8], value: &'a [u8]) -> Store<'a> {
    Store {
        mode,
        ..store_of(key, value)
    }
}

pub(crate) fn is_stored(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Stored { .. })
}

pub(crate) fn see_at(cache: &TenantCache, now: Timestamp, key: &[u8]) -> Option<Seen> {
    let mut keep = Keep::default();
    let outcome = cache.execute(now, &Op::Get(Get::plain(key)), &mut keep);
    assert_eq!(outcome == Outcome::Hit, keep.0.is_some());
    keep.0
}

/// The whole value, through a pin if need be.
pub(crate) fn get_at(cache: &TenantCache, now: Timestamp, key: &[u8]) -> Option<Vec<u8>> {
    let seen = see_at(cache, now, key)?;
    let Some(pin) = seen.pin else {
        return Some(seen.value);
    };
    let mut value = Vec::new();
    while let Some(count) = cache.read_pinned(pin, value.len() as u32, 100_000, &mut value)
        && count > 0
    {}
    cache.unpin(pin);
    Some(value)
}

pub(crate) fn get(cache: &TenantCache, key: &[u8]) -> Option<Vec<u8>> {
    get_at(cache, START, key)
}

pub(crate) fn remove(cache: &TenantCache, key: &[u8]) -> Outcome {
    let op = Delete {
        key,
        compare_cas: None,
        new_cas: None,
        invalidate: false,
        touch: None,
        clear_value: false,
    };
    cache.execute(START, &Op::Delete(op), &mut Keep::default())
}

pub(crate) fn upload(cache: &TenantCache, key: &[u8], value: &[u8]) -> Outcome {
    upload_as(cache, &store_of(key, &[]), value)
}

/// Stores a value piece by piece as is said.
pub(crate) fn upload_as(cache: &TenantCache, store: &Store<'_>, value: &[u8]) -> Outcome {
    let reservation = match cache.reserve(START, store, value.len() as u32) {
        Ok(reservation) => reservation,
        Err(outcome) => return outcome,
    };
    for piece in value.chunks(50_000) {
        if !cache.fill(reservation, piece) {
            return Outcome::OutOfMemory;
        }
    }
    cache.commit(START, reservation)
}

pub(crate) fn bytes(len: usize, seed: u64) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    (0..len).map(|_| rng.next_u64() as u8).collect()
}

pub(crate) fn settle(cache: &TenantCache, now: Timestamp) {
    for _ in 0..1_000_000 {
        if !cache.maintain(now, 1 << 20) {
            cache.check();
            return;
        }
    }
    panic!("there is always more to do");
}
