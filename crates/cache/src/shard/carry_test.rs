//! What is carried over when memory is cut up anew, and what of it is lost.

use std::time::Duration;

use base::kv::{Expiry, Store};

use crate::TenantCache;
use crate::testing::{
    MIB, START, after, bytes, cache, get, get_at, is_stored, see_at, set, settle, store_at,
    store_of, upload,
};

fn key(number: u32) -> [u8; 4] {
    number.to_le_bytes()
}

/// How many of these keys are there.
fn there(cache: &TenantCache, keys: impl IntoIterator<Item = u32>) -> usize {
    let keys = keys.into_iter();
    keys.filter(|number| get(cache, &key(*number)).is_some())
        .count()
}

#[test]
fn a_cut_keeps_as_many_items_as_fit_and_counts_the_rest() {
    let cache = cache(64 * MIB, 1 << 20);
    (0..5001).for_each(|number| {
        set(&cache, &key(number), &[3; 1000]);
    });
    cache.set_quota(START, 4 * MIB).expect("it fits");
    cache.check();
    settle(&cache, START);
    let stats = cache.stats();
    assert!(stats.held_bytes <= 4 * MIB, "{stats:?}");
    assert!(stats.curr_items > 3400, "{stats:?}");
    assert_eq!(stats.curr_items + stats.evictions, 5001);
    // Nothing of it was used: the latest ones stay.
    assert!(there(&cache, 4000..5001) > 900);
}

#[test]
fn a_cut_loses_nothing_that_fits() {
    let cache = cache(64 * MIB, 1 << 20);
    (0..2000).for_each(|number| {
        set(&cache, &key(number), &[3; 1000]);
    });
    cache.set_quota(START, 4 * MIB).expect("it fits");
    // Some are asked for before their turn, the others come in it.
    assert_eq!(there(&cache, 0..700), 700);
    cache.check();
    assert_eq!(cache.stats().curr_items, 2000);
    settle(&cache, START);
    assert_eq!(there(&cache, 0..2000), 2000);
    assert_eq!(cache.stats().evictions, 0);
}

#[test]
fn used_items_outlive_a_cut_to_fewer_shards() {
    let cache = cache(1024 * MIB, 1 << 20);
    (0..20_000).for_each(|number| {
        set(&cache, &key(number), &[3; 1000]);
    });
    let used = (0..20_000).step_by(40);
    for _ in 0..3 {
        assert_eq!(there(&cache, used.clone()), 500);
    }
    cache.set_quota(START, 2 * MIB).expect("it fits");
    cache.check();
    settle(&cache, START);
    let stats = cache.stats();
    assert!(stats.held_bytes <= 2 * MIB, "{stats:?}");
    assert!(stats.curr_items > 1300, "{stats:?}");
    assert_eq!(stats.curr_items + stats.evictions, 20_000);
    let kept = there(&cache, used);
    assert!(kept > 450, "{kept} of those that were used");
}

#[test]
fn an_item_comes_with_all_that_is_known_of_it() {
    let cache = cache(64 * MIB, 1 << 20);
    let store = |number: u32| Store {
        flags: number,
        expiry: Expiry::at_unix_secs(START.unix_secs() + 100 + number),
        new_cas: Some(if number == 1 { u64::MAX } else { 70 }),
        ..store_of(b"", b"value")
    };
    for number in 0..3 {
        let op = Store {
            key: &key(number),
            ..store(number)
        };
        assert!(is_stored(store_at(&cache, START, op)));
    }
    assert!(get_at(&cache, after(5), &key(1)).is_some());
    let large: Vec<_> = [5_000, 70_000, 900_000]
        .map(|len| bytes(len, len as u64))
        .into();
    for (number, value) in (10..).zip(&large) {
        assert!(is_stored(upload(&cache, &key(number), value)));
    }
    cache.set_quota(after(9), 4 * MIB).expect("it fits");
    settle(&cache, after(9));
    for number in 0..3 {
        let seen = see_at(&cache, after(9), &key(number)).expect("carried");
        let store = store(number);
        assert_eq!((seen.flags, seen.expiry), (number, store.expiry));
        assert_eq!(Some(seen.cas), store.new_cas);
        assert_eq!(seen.fetched, number == 1);
        assert_eq!(seen.idle_s, if number == 1 { 4 } else { 9 });
    }
    for (number, value) in (10..).zip(&large) {
        assert!(get_at(&cache, after(9), &key(number)).as_ref() == Some(value));
    }
    assert_eq!(get_at(&cache, after(101), &key(0)), None);
    assert_eq!(cache.stats().evictions, 0);
}

#[test]
fn a_flush_ends_what_was_not_carried_over_yet() {
    let cache = cache(64 * MIB, 1 << 20);
    (0..2000).for_each(|number| {
        set(&cache, &key(number), &[3; 1000]);
    });
    cache.set_quota(START, 4 * MIB).expect("it fits");
    cache.flush(START, START + Duration::from_secs(1));
    assert_eq!(there(&cache, 0..10), 10);
    assert_eq!(get_at(&cache, after(1), &key(11)), None);
    cache.flush(after(1), after(1));
    assert_eq!(there(&cache, 0..2000), 0);
    assert_eq!(cache.stats().curr_items, 0);
    settle(&cache, after(2));
    assert!(cache.stats().held_bytes <= 4 * MIB);
}

#[test]
fn cuts_upon_cuts_lose_no_item_uncounted() {
    let cache = cache(2048 * MIB, 1 << 20);
    (0..30_000).for_each(|number| {
        set(&cache, &key(number), &[3; 1000]);
    });
    for quota in [100, 16, 300, 3, 40, 2] {
        cache.set_quota(START, quota * MIB).expect("it fits");
        cache.maintain(START, 200 << 10);
        cache.check();
    }
    settle(&cache, START);
    let stats = cache.stats();
    assert!(stats.held_bytes <= 2 * MIB, "{stats:?}");
    assert!(stats.curr_items > 1000, "{stats:?}");
    assert_eq!(stats.curr_items + stats.evictions, 30_000);
}

#[test]
fn more_shards_start_over_and_say_so() {
    let cache = cache(64 * MIB, 1 << 20);
    (0..1000).for_each(|number| {
        set(&cache, &key(number), &[3; 1000]);
    });
    cache.set_quota(START, 64 << 30).expect("it fits");
    assert_eq!(there(&cache, 0..1000), 0);
    assert_eq!(cache.stats().evictions, 1000);
    settle(&cache, START);
}

#[test]
fn a_slice_of_carrying_over_is_bounded() {
    let cache = cache(256 * MIB, 1 << 20);
    (0..30_000).for_each(|number| {
        set(&cache, &key(number), &[3; 1000]);
    });
    cache.set_quota(START, 16 * MIB).expect("it fits");
    let mut last = cache.stats();
    while cache.maintain(START, 64 << 10) {
        let stats = cache.stats();
        let gone = stats.evictions - last.evictions;
        let copied = stats.copied_bytes - last.copied_bytes;
        assert!(
            gone < 400 && copied < 400 << 10,
            "{gone} items, {copied} bytes"
        );
        last = stats;
    }
    assert!(last.curr_items > 10_000);
}
