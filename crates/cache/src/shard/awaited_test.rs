//! What a replacement pushes out counts as there for it, and for nobody else.

use base::kv::{Expiry, Outcome, Reservation, Store, StoreMode};

use crate::TenantCache;
use crate::testing::{
    MIB, START, after, bytes, cache, get, in_mode, is_stored, remove, see_at, set, store_at,
    store_of, upload, upload_as,
};

const LEN: usize = (1 << 20) - 100;

fn cas_of(cache: &TenantCache, key: &[u8]) -> u64 {
    let seen = see_at(cache, START, key).expect("an item");
    if let Some(pin) = seen.pin {
        cache.unpin(pin);
    }
    seen.cas
}

fn with_cas(key: &[u8], cas: u64) -> Store<'_> {
    Store {
        compare_cas: Some(cas),
        ..store_of(key, &[])
    }
}

#[test]
fn replacements_of_the_largest_value_work_in_the_least_quota() {
    let cache = cache(2 * MIB, 1 << 20);
    assert!(is_stored(upload(&cache, b"key", &bytes(LEN, 1))));
    for round in 2..6 {
        let value = bytes(LEN, round);
        let replace = in_mode(StoreMode::Replace, b"key", &[]);
        assert!(is_stored(upload_as(&cache, &replace, &value)));
        assert!(get(&cache, b"key") == Some(value));
        let value = bytes(LEN - 1, round);
        let cas = cas_of(&cache, b"key");
        assert!(is_stored(upload_as(&cache, &with_cas(b"key", cas), &value)));
        assert!(get(&cache, b"key").as_ref() == Some(&value));
        cache.check();
        // What is refused costs the item nothing, and nobody else either.
        let evictions = cache.stats().evictions;
        let other = with_cas(b"key", cas);
        assert_eq!(upload_as(&cache, &other, &bytes(LEN, 1)), Outcome::Exists);
        let add = in_mode(StoreMode::Add, b"key", &[]);
        assert_eq!(upload_as(&cache, &add, &bytes(LEN, 1)), Outcome::NotStored);
        assert_eq!(cache.stats().evictions, evictions);
        assert!(get(&cache, b"key") == Some(value));
    }
    let absent = in_mode(StoreMode::Replace, b"absent", &[]);
    assert_eq!(
        upload_as(&cache, &absent, &bytes(LEN, 1)),
        Outcome::NotStored
    );
    assert_eq!(
        upload_as(&cache, &with_cas(b"absent", 1), &bytes(LEN, 1)),
        Outcome::NotFound
    );
}

/// A replacement that has arrived but for its end, and pushed out what it replaces.
fn arrived(cache: &TenantCache, store: impl Fn(u64) -> Store<'static>) -> Reservation {
    assert!(is_stored(upload(cache, b"key", &bytes(LEN, 1))));
    let before = cache.stats().evictions;
    let store = store(cas_of(cache, b"key"));
    let reserved = cache.reserve(START, &store, LEN as u32).expect("room");
    assert!(cache.fill(reserved, &bytes(LEN, 2)));
    assert_eq!(cache.stats().evictions, before + 1, "it was pushed out");
    reserved
}

#[test]
fn who_has_been_told_otherwise_is_believed() {
    let ends: [&dyn Fn(&TenantCache); 5] = [
        &|cache| assert_eq!(get(cache, b"key"), None),
        &|cache| assert_eq!(remove(cache, b"key"), Outcome::NotFound),
        &|cache| cache.flush(START, START),
        &|cache| {
            let replace = in_mode(StoreMode::Replace, b"key", b"small");
            assert_eq!(store_at(cache, START, replace), Outcome::NotStored);
        },
        &|cache| {
            assert!(is_stored(set(cache, b"key", b"small")));
            assert_eq!(remove(cache, b"key"), Outcome::Deleted);
        },
    ];
    for end in ends {
        let cache = cache(2 * MIB, 1 << 20);
        let reserved = arrived(&cache, |_| in_mode(StoreMode::Replace, b"key", &[]));
        end(&cache);
        assert_eq!(cache.commit(START, reserved), Outcome::NotStored);
        let reserved = arrived(&cache, |cas| with_cas(b"key", cas));
        end(&cache);
        assert_eq!(cache.commit(START, reserved), Outcome::NotFound);
        cache.check();
    }
    let cache = cache(2 * MIB, 1 << 20);
    let reserved = arrived(&cache, |cas| with_cas(b"key", cas));
    assert!(is_stored(set(&cache, b"key", b"small")));
    assert_eq!(cache.commit(START, reserved), Outcome::Exists);
    assert_eq!(get(&cache, b"key").as_deref(), Some(&b"small"[..]));
}

#[test]
fn what_was_pushed_out_ends_when_it_would_have() {
    let cache = cache(2 * MIB, 1 << 20);
    let ends = Store {
        expiry: Expiry::at_unix_secs(after(10).unix_secs()),
        ..store_of(b"key", &[])
    };
    for (secs, is_there) in [(9, true), (10, false)] {
        assert!(is_stored(upload_as(&cache, &ends, &bytes(LEN, 1))));
        let replace = in_mode(StoreMode::Replace, b"key", &[]);
        let reserved = cache.reserve(START, &replace, LEN as u32).expect("room");
        assert!(cache.fill(reserved, &bytes(LEN, 2)));
        assert_eq!(is_stored(cache.commit(after(secs), reserved)), is_there);
        remove(&cache, b"key");
    }
}

#[test]
fn two_replacements_of_one_key_are_judged_one_after_the_other() {
    let cache = cache(4 * MIB, 2 << 20);
    assert!(is_stored(upload(&cache, b"rest", &bytes(180_000, 1))));
    assert!(is_stored(upload(&cache, b"key", &bytes(2 * LEN, 1))));
    let cas = cas_of(&cache, b"key");
    let len = 900_000;
    let first = cache
        .reserve(START, &with_cas(b"key", cas), len)
        .expect("room");
    let second = cache
        .reserve(START, &with_cas(b"key", cas), len)
        .expect("room");
    let replace = in_mode(StoreMode::Replace, b"key", &[]);
    let third = cache.reserve(START, &replace, 100_000).expect("room");
    assert!(cache.fill(third, &bytes(100_000, 4)));
    assert!(cache.fill(first, &[2; 900_000]) && cache.fill(second, &[3; 900_000]));
    assert_eq!(cache.stats().evictions, 1, "it was pushed out");
    assert!(is_stored(cache.commit(START, first)));
    assert_eq!(cache.commit(START, second), Outcome::Exists);
    assert!(is_stored(cache.commit(START, third)));
    assert!(get(&cache, b"key") == Some(bytes(100_000, 4)));
    cache.check();
}

#[test]
fn what_arrives_pushes_out_what_it_replaces_before_anything_else() {
    let cache = cache(2 * MIB, 1 << 20);
    for round in 0..8u64 {
        for key in [b"one", b"two"] {
            assert!(is_stored(upload(&cache, key, &bytes(1_000_000, round))));
        }
        assert!(get(&cache, b"one").is_some() && get(&cache, b"two").is_some());
    }
}
