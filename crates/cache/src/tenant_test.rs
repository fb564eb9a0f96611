//! What a tenant may rely on, one promise a test.

use std::time::Duration;

use base::kv::{Expiry, Get, Op, Outcome, Store};
use base::rng::Rng;

use crate::model::Keep;
use crate::testing::{
    MIB, START, after, bytes, cache, get, get_at, is_stored, remove, set, settle, store_at,
    store_of, upload,
};
use crate::{Config, TenantCache};

#[test]
fn an_item_costs_at_most_32_bytes_beside_key_and_value() {
    let cache = cache(60 * MIB, 1 << 20);
    for number in 0..300_000u64 {
        assert!(is_stored(set(
            &cache,
            format!("key-{number:08}").as_bytes(),
            &[7; 100]
        )));
        if number % 5000 == 4999 {
            let stats = cache.stats();
            let cost = (stats.bytes + stats.index_bytes) as f64 / stats.curr_items as f64;
            // While the index moves both tables are there, in parts.
            assert!(cost <= 112.0 + 32.0, "{cost} bytes at {number}");
        }
    }
    let stats = cache.stats();
    assert_eq!((stats.evictions, stats.curr_items), (0, 300_000));
    let held = stats.held_bytes as f64 / 300_000.0;
    assert!(held <= 112.0 + 34.0, "{held} bytes held for an item");
}

#[test]
fn a_store_copies_and_scans_a_bounded_amount_even_if_all_is_hot() {
    let cache = cache(8 * MIB, 1 << 16);
    let mut rng = Rng::new(5);
    for number in 0..200_000u64 {
        let key = format!("key-{number:08}");
        let before = cache.stats().copied_bytes;
        assert!(is_stored(set(&cache, key.as_bytes(), &[7; 100])));
        let copied = cache.stats().copied_bytes - before;
        assert!(
            copied <= 6 * 136 + 64 + 136,
            "{copied} bytes copied for one store"
        );
        for _ in 0..4 {
            let back = rng.below(30_000).min(number);
            get(&cache, format!("key-{:08}", number - back).as_bytes());
        }
    }
    assert!(cache.stats().copied_bytes > 4 * MIB, "hot items were kept");
    assert_eq!(cache.emptied_at_once(), 0, "the reserve never ran out");
    cache.check();
}

#[test]
fn what_a_tenant_writes_costs_no_other_an_item() {
    let (noisy, quiet) = (cache(4 * MIB, 1 << 16), cache(4 * MIB, 1 << 16));
    let value = bytes(500, 3);
    let key = |number: u64| format!("key-{number}").into_bytes();
    (0..5000).for_each(|number| assert!(is_stored(set(&quiet, &key(number), &value))));
    (0..100_000).for_each(|number| assert!(is_stored(set(&noisy, &key(number), b"mine"))));
    let stats = quiet.stats();
    assert_eq!((stats.evictions, stats.curr_items), (0, 5000));
    assert!((0..5000).all(|number| get(&quiet, &key(number)).as_ref() == Some(&value)));
    assert_eq!(get(&quiet, &key(70_000)), None);
}

#[test]
fn overwrites_and_deletes_evict_nothing_while_the_live_bytes_fit() {
    let cache = cache(8 * MIB, 1 << 16);
    let mut rng = Rng::new(9);
    for _ in 0..200_000 {
        let key = format!("key-{}", rng.below(10_000)).into_bytes();
        if rng.below(10) == 0 {
            remove(&cache, &key);
        } else {
            let len = rng.below(1000) as usize;
            assert!(is_stored(set(&cache, &key, &vec![1; len])));
        }
    }
    let stats = cache.stats();
    assert!(stats.bytes > 4 * MIB, "{} live bytes", stats.bytes);
    assert_eq!(stats.evictions, 0);
    cache.check();
}

#[test]
fn a_flush_is_seen_at_once_and_gives_the_memory_back() {
    let cache = cache(16 * MIB, 1 << 20);
    (0..20_000u32).for_each(|number| {
        set(&cache, &number.to_le_bytes(), &[1; 300]);
    });
    upload(&cache, b"large", &bytes(900_000, 1));
    cache.flush(START, START);
    assert_eq!(get(&cache, &5u32.to_le_bytes()), None);
    assert_eq!(get(&cache, b"large"), None);
    let stats = cache.stats();
    assert_eq!((stats.curr_items, stats.bytes, stats.cmd_flush), (0, 0, 1));
    assert_eq!((stats.get_misses, stats.get_flushed), (2, 2));
    assert!(is_stored(set(&cache, b"new", b"value")));
    settle(&cache, START);
    settle(&cache, after(60));
    let stats = cache.stats();
    assert!(
        stats.held_bytes < MIB,
        "{} bytes still held",
        stats.held_bytes
    );
    assert_eq!(get(&cache, b"new").as_deref(), Some(&b"value"[..]));
}

#[test]
fn a_delayed_flush_takes_what_was_stored_before_it_came_due() {
    let cache = cache(4 * MIB, 1 << 20);
    set(&cache, b"before", b"1");
    cache.flush(START, after(10));
    store_at(&cache, after(5), store_of(b"meanwhile", b"2"));
    assert!(get_at(&cache, after(9), b"before").is_some());
    assert!(get_at(&cache, after(9), b"meanwhile").is_some());
    store_at(&cache, after(10), store_of(b"after", b"3"));
    assert_eq!(get_at(&cache, after(10), b"before"), None);
    assert_eq!(get_at(&cache, after(10), b"meanwhile"), None);
    assert!(get_at(&cache, after(11), b"after").is_some());
}

#[test]
fn what_has_ended_is_given_back_within_a_minute_unasked() {
    let cache = cache(16 * MIB, 1 << 20);
    let ends = |key: &'static [u8], secs: u32| Store {
        expiry: Expiry::at_unix_secs(START.unix_secs() + secs),
        ..store_of(key, b"")
    };
    let value = bytes(700, 8);
    for number in 0..15_000u32 {
        let key = number.to_le_bytes();
        let store = Store {
            key: &key,
            value: &value,
            ..ends(b"", 5 + number % 20)
        };
        assert!(is_stored(store_at(&cache, START, store)));
    }
    store_at(&cache, START, store_of(b"stays", b"1"));
    store_at(&cache, START, ends(b"touched", 10));
    let touch = Get {
        touch: Some(Expiry::at_unix_secs(START.unix_secs() + 1000)),
        ..Get::plain(b"touched")
    };
    cache.execute(START, &Op::Get(touch), &mut Keep::default());
    for tenth in 0..850 {
        cache.maintain(START + Duration::from_millis(100 * tenth), 1 << 20);
    }
    cache.check();
    let stats = cache.stats();
    assert_eq!(stats.curr_items, 2);
    assert_eq!(
        (stats.reclaimed, stats.expired_unfetched, stats.get_expired),
        (15_000, 15_000, 0)
    );
    assert!(
        stats.held_bytes < MIB,
        "{} bytes still held",
        stats.held_bytes
    );
    assert!(get_at(&cache, after(85), b"stays").is_some());
    assert!(get_at(&cache, after(85), b"touched").is_some());
}

#[test]
fn any_bytes_of_any_length_are_a_key() {
    let cache = cache(4 * MIB, 1 << 16);
    let keys: Vec<Vec<u8>> = (1..=255).map(|len| bytes(len, len as u64)).collect();
    for key in &keys {
        assert!(is_stored(set(&cache, key, key)));
    }
    for key in &keys {
        assert_eq!(get(&cache, key).as_ref(), Some(key));
        assert!(key.len() == 1 || get(&cache, &key[1..]).is_none());
    }
    for key in [vec![], vec![b'k'; 256], vec![b'k'; 70_000]] {
        assert_eq!(set(&cache, &key, b"value"), Outcome::OutOfMemory);
        assert_eq!(get(&cache, &key), None);
        assert_eq!(remove(&cache, &key), Outcome::NotFound);
    }
    cache.check();
}

#[test]
fn tokens_are_never_those_of_an_earlier_life() {
    let cas = |cache: &TenantCache| match set(cache, b"key", b"value") {
        Outcome::Stored { cas, .. } => cas,
        other => panic!("{other:?}"),
    };
    let config = Config {
        quota_bytes: 4 * MIB,
        item_size_max: 1 << 20,
        hash_key: [1; 16],
        cas_after: None,
    };
    let old = cache(4 * MIB, 1 << 20);
    let last = (0..1000).map(|_| cas(&old)).last().expect("a thousand");
    let new = TenantCache::new(config, after(1)).expect("it fits");
    assert!(cas(&new) > last);
}

#[test]
fn counters_can_be_zeroed_and_the_state_stays() {
    let cache = cache(128 * MIB, 1 << 20);
    (0..100u32).for_each(|number| {
        set(&cache, &number.to_le_bytes(), b"value");
        get(&cache, &number.to_le_bytes());
    });
    let stats = cache.stats();
    assert_eq!(
        (stats.cmd_set, stats.get_hits, stats.total_items),
        (100, 100, 100)
    );
    cache.reset_stats();
    let stats = cache.stats();
    assert_eq!(
        (stats.cmd_set, stats.get_hits, stats.curr_items),
        (0, 0, 100)
    );
    assert!(stats.held_bytes > 0 && stats.quota_bytes == 128 * MIB);
}

#[test]
fn ages_are_those_of_the_oldest_segments_and_of_the_latest_eviction() {
    let cache = cache(256 << 10, 1 << 14);
    let ages = |secs| {
        get_at(&cache, after(secs), b"absent");
        let stats = cache.stats();
        (stats.small_age_s, stats.main_age_s)
    };
    assert_eq!(ages(1), (0, 0));
    store_at(&cache, after(2), store_of(b"key", b"value"));
    assert_eq!(ages(7), (5, 0));
    for _ in 0..3 {
        get_at(&cache, after(8), b"key");
    }
    assert_eq!(cache.stats().evicted_at_unix_s, 0);
    let mut number = 0u32;
    while cache.stats().main_age_s == 0 {
        let key = number.to_le_bytes();
        assert!(is_stored(store_at(
            &cache,
            after(10 + u64::from(number) / 10),
            store_of(&key, &[0; 100])
        )));
        number += 1;
    }
    let stats = cache.stats();
    assert_eq!(
        stats.evicted_at_unix_s,
        u64::from(after(10 + u64::from(number - 1) / 10).unix_secs())
    );
    assert!(stats.evicted_idle_s > 60 && stats.evicted_idle_s <= 10 + u64::from(number) / 10);
    assert!(stats.small_age_s < u64::from(number) / 10);
}

#[test]
fn what_has_ended_is_given_back_unasked_even_where_room_was_being_made() {
    let cache = cache(MIB, 1 << 14);
    for number in 0..20_000u32 {
        let key = number.to_le_bytes();
        let store = Store {
            expiry: Expiry::at_unix_secs(START.unix_secs() + 10),
            ..store_of(&key, &[1; 100])
        };
        assert!(is_stored(store_at(&cache, START, store)));
    }
    assert!(cache.stats().evictions > 0);
    (0..60).for_each(|secs| while cache.maintain(after(secs), 1 << 20) {});
    let stats = cache.stats();
    assert_eq!(stats.curr_items, 0);
    assert!(stats.held_bytes < MIB / 8, "{} bytes", stats.held_bytes);
    cache.check();
}

#[test]
fn tokens_begin_where_they_are_told_to_and_never_come_again_in_other_shards() {
    let config = Config {
        quota_bytes: 4 * MIB,
        item_size_max: 1 << 20,
        hash_key: [1; 16],
        cas_after: Some(9 << 40),
    };
    let cache = TenantCache::new(config, START).expect("it fits");
    let mut last = 9 << 40;
    let mut change_all = |cache: &TenantCache| {
        let before = last;
        for number in 0..200 {
            let key = format!("key{number}");
            match set(cache, key.as_bytes(), b"value") {
                Outcome::Stored { cas, .. } => {
                    assert!(cas > before);
                    last = last.max(cas);
                }
                other => panic!("{other:?}"),
            }
        }
    };
    change_all(&cache);
    for quota in [2048 * MIB, 4 * MIB, 2048 * MIB] {
        cache.set_quota(after(1), quota).expect("it fits");
        change_all(&cache);
    }
}
