//! Readers of one value cost one hold; those of many leave room for the rest.

use base::kv::Pin;

use crate::TenantCache;
use crate::testing::{MIB, START, after, bytes, cache, is_stored, see_at, settle, upload};

fn pin(cache: &TenantCache, key: &[u8]) -> Option<Pin> {
    see_at(cache, START, key).and_then(|seen| seen.pin)
}

#[test]
fn any_number_of_readers_of_one_value_cost_one_hold() {
    let cache = cache(2 * MIB, 1 << 20);
    let value = bytes((1 << 20) - 100, 1);
    assert!(is_stored(upload(&cache, b"key", &value)));
    let before = cache.stats().held_bytes;
    let pins: Vec<Pin> = (0..500).filter_map(|_| pin(&cache, b"key")).collect();
    assert_eq!((pins.len(), cache.stats().held_bytes), (500, before));
    cache.check();
    assert!(is_stored(upload(&cache, b"other", &bytes(500_000, 2))));
    for pin in pins {
        let mut read = Vec::new();
        cache.read_pinned(pin, 0, usize::MAX, &mut read);
        assert!(read == value);
        cache.unpin(pin);
    }
    settle(&cache, START);
}

#[test]
fn a_reader_of_the_new_value_is_served_beside_one_of_the_old() {
    let cache = cache(64 * MIB, 16 << 20);
    let len = (16 << 20) - 100;
    assert!(is_stored(upload(&cache, b"key", &bytes(len, 1))));
    let old = pin(&cache, b"key").expect("a hold");
    assert!(is_stored(upload(&cache, b"key", &bytes(len, 2))));
    let new = pin(&cache, b"key").expect("a second hold");
    let mut read = Vec::new();
    cache.read_pinned(old, 0, usize::MAX, &mut read);
    assert!(read == bytes(len, 1));
    assert!(
        is_stored(upload(&cache, b"key", &bytes(len, 3))),
        "writers go on"
    );
    read.clear();
    cache.read_pinned(new, 0, usize::MAX, &mut read);
    assert!(read == bytes(len, 2));
    cache.check();
}

#[test]
fn what_lies_beside_a_held_value_can_go() {
    let cache = cache(2 * MIB, 1 << 20);
    for (key, len) in [(b"a", 500_000), (b"b", 900_000), (b"c", 500_000)] {
        assert!(is_stored(upload(&cache, key, &bytes(len, 1))));
    }
    let held = pin(&cache, b"a").expect("a hold");
    assert!(is_stored(upload(&cache, b"d", &bytes(900_000, 2))));
    assert!(is_stored(upload(&cache, b"e", &bytes(1_000_000, 2))));
    let mut read = Vec::new();
    cache.read_pinned(held, 0, usize::MAX, &mut read);
    assert!(read == bytes(500_000, 1));
    cache.check();
}

#[test]
fn a_long_value_given_up_comes_back_in_slices() {
    let cache = cache(64 * MIB, 32 << 20);
    assert!(is_stored(upload(&cache, b"key", &bytes(30 << 20, 1))));
    let held = cache.stats().held_bytes;
    crate::testing::remove(&cache, b"key");
    assert!(cache.stats().held_bytes > held - MIB, "not all at once");
    settle(&cache, START);
    settle(&cache, after(20));
    assert!(cache.stats().held_bytes < MIB);
    assert!(is_stored(upload(&cache, b"key", &bytes(30 << 20, 1))));
    crate::testing::remove(&cache, b"key");
    assert!(
        is_stored(upload(&cache, b"new", &bytes(31 << 20, 1))),
        "it makes room"
    );
    cache.check();
}
