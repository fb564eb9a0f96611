//! What a tenant may rely on, one promise a test.

use std::time::Duration;

use base::Timestamp;
use base::kv::{
    Delete, Expiry, Get, INLINE_VALUE_LEN_MAX, Op, Outcome, Pin, Reservation, Store, StoreMode,
};
use base::rng::Rng;

use crate::model::{Keep, Seen};
use crate::{Config, TenantCache};

const MIB: u64 = 1 << 20;
const START: Timestamp = Timestamp::from_secs(1_800_000_000);

fn cache(quota_bytes: u64, item_size_max: u32) -> TenantCache {
    let config = Config {
        quota_bytes,
        item_size_max,
        hash_key: [1; 16],
    };
    TenantCache::new(config, START).expect("a quota that fits")
}

fn after(secs: u64) -> Timestamp {
    START + Duration::from_secs(secs)
}

fn store_of<'a>(key: &'a [u8], value: &'a [u8]) -> Store<'a> {
    Store {
        key,
        value,
        flags: 0,
        expiry: Expiry::NEVER,
        mode: StoreMode::Set,
        compare_cas: None,
        new_cas: None,
        invalidate: false,
        vivify: None,
    }
}

fn store_at(cache: &TenantCache, now: Timestamp, store: Store<'_>) -> Outcome {
    cache.execute(now, &Op::Store(store), &mut Keep::default())
}

fn set(cache: &TenantCache, key: &[u8], value: &[u8]) -> Outcome {
    store_at(cache, START, store_of(key, value))
}

fn is_stored(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Stored { .. })
}

fn see_at(cache: &TenantCache, now: Timestamp, key: &[u8]) -> Option<Seen> {
    let mut keep = Keep::default();
    let outcome = cache.execute(now, &Op::Get(Get::plain(key)), &mut keep);
    assert_eq!(outcome == Outcome::Hit, keep.0.is_some());
    keep.0
}

/// The whole value, through a pin if need be.
fn get_at(cache: &TenantCache, now: Timestamp, key: &[u8]) -> Option<Vec<u8>> {
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

fn get(cache: &TenantCache, key: &[u8]) -> Option<Vec<u8>> {
    get_at(cache, START, key)
}

fn remove(cache: &TenantCache, key: &[u8]) -> Outcome {
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

fn upload(cache: &TenantCache, key: &[u8], value: &[u8]) -> Outcome {
    let reservation = match cache.reserve(START, &store_of(key, &[]), value.len() as u32) {
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

fn bytes(len: usize, seed: u64) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    (0..len).map(|_| rng.next_u64() as u8).collect()
}

fn settle(cache: &TenantCache, now: Timestamp) {
    for _ in 0..1_000_000 {
        if !cache.maintain(now, 1 << 20) {
            cache.check();
            return;
        }
    }
    panic!("there is always more to do");
}

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
fn a_held_value_outlives_its_item() {
    let cache = cache(8 * MIB, 1 << 20);
    let value = bytes(800_000, 2);
    let ends: [&dyn Fn(); 4] = [
        &|| assert_eq!(remove(&cache, b"large"), Outcome::Deleted),
        &|| assert!(is_stored(set(&cache, b"large", b"small"))),
        &|| cache.flush(START, START),
        &|| {
            (0..40_000u32).for_each(|number| {
                set(&cache, &number.to_le_bytes(), &[0; 300]);
            })
        },
    ];
    for end in ends {
        assert!(is_stored(upload(&cache, b"large", &value)));
        let pin = see_at(&cache, START, b"large")
            .and_then(|seen| seen.pin)
            .expect("a pin");
        let mut read = Vec::new();
        assert_eq!(cache.read_pinned(pin, 0, 1000, &mut read), Some(1000));
        end();
        cache.maintain(START, 1 << 20);
        cache.check();
        assert_eq!(
            cache.read_pinned(pin, 1000, usize::MAX, &mut read),
            Some(799_000)
        );
        assert_eq!(read, value);
        cache.unpin(pin);
        assert_eq!(cache.read_pinned(pin, 0, 1, &mut read), None);
        cache.unpin(pin);
        cache.check();
    }
    remove(&cache, b"large");
    settle(&cache, START);
}

#[test]
fn a_hold_without_progress_ends_after_5_seconds() {
    let cache = cache(8 * MIB, 1 << 20);
    upload(&cache, b"large", &bytes(200_000, 2));
    let pin = see_at(&cache, START, b"large")
        .and_then(|seen| seen.pin)
        .expect("a pin");
    let slow = see_at(&cache, START, b"large")
        .and_then(|seen| seen.pin)
        .expect("a pin");
    for secs in 1..10 {
        cache.maintain(after(secs), 1000);
        let alive = cache.read_pinned(pin, 0, 10, &mut Vec::new());
        assert_eq!(alive, Some(10), "who reads keeps it");
    }
    assert_eq!(cache.read_pinned(slow, 0, 10, &mut Vec::new()), None);
    cache.unpin(pin);
    cache.check();
}

#[test]
fn holds_and_arrivals_stay_within_the_quota() {
    let cache = cache(16 * MIB, 1 << 20);
    let value = bytes(900_000, 2);
    let mut pins: Vec<Pin> = Vec::new();
    let mut refused = 0;
    for number in 0..40u32 {
        let key = number.to_le_bytes();
        upload(&cache, &key, &value);
        match see_at(&cache, START, &key) {
            Some(seen) => pins.extend(seen.pin),
            None => refused += 1,
        }
        let stats = cache.stats();
        assert!(stats.held_bytes <= stats.quota_bytes);
    }
    assert!(
        refused > 0 && pins.len() >= 8,
        "{} held, {refused} refused",
        pins.len()
    );
    assert!(is_stored(set(&cache, b"small", b"value")), "others go on");
    for pin in &pins {
        let mut read = Vec::new();
        cache.read_pinned(*pin, 0, usize::MAX, &mut read);
        assert_eq!(read, value);
    }
    cache.check();
    settle(&cache, after(1));
    settle(&cache, after(6));
    assert!(
        pins.iter()
            .all(|pin| cache.read_pinned(*pin, 0, 1, &mut Vec::new()).is_none())
    );
    assert!(is_stored(upload(&cache, b"again", &value)));
}

#[test]
fn an_arrival_without_progress_or_with_too_much_ends() {
    let cache = cache(8 * MIB, 1 << 20);
    set(&cache, b"key", b"old");
    let begin = || {
        cache
            .reserve(START, &store_of(b"key", &[]), 100_000)
            .expect("room")
    };
    let stalled = begin();
    assert!(cache.fill(stalled, &[0; 50_000]));
    cache.maintain(after(1), 1000);
    cache.maintain(after(6), 1000);
    assert!(!cache.fill(stalled, &[0; 50_000]));
    assert_eq!(cache.commit(after(6), stalled), Outcome::OutOfMemory);
    assert_eq!(
        get(&cache, b"key"),
        None,
        "nobody reads what was to be replaced"
    );
    set(&cache, b"key", b"old");
    let long = begin();
    assert!(!cache.fill(long, &[0; 100_001]));
    let short = begin();
    assert!(cache.fill(short, &[0; 99_999]));
    assert_eq!(cache.commit(START, short), Outcome::OutOfMemory);
    let aborted = begin();
    cache.fill(aborted, &[0; 10]);
    cache.abort(aborted);
    assert!(!cache.fill(aborted, &[0; 10]));
    let made_up = Reservation(u64::MAX);
    assert!(!cache.fill(made_up, b"x"));
    cache.abort(made_up);
    cache.check();
}

#[test]
fn a_smaller_quota_keeps_what_fits_and_a_larger_one_all() {
    let cache = cache(40 * MIB, 1 << 20);
    let key = |number: u32| number.to_le_bytes();
    (0..60_000).for_each(|number| {
        set(&cache, &key(number), &[3; 500]);
    });
    let before = cache.stats();
    assert_eq!(before.evictions, 0);
    cache.set_quota(START, 20 * MIB).expect("it fits");
    let mut slices = 0;
    while cache.maintain(START, 64 << 10) {
        slices += 1;
    }
    assert!(slices > 100, "it took {slices} slices");
    let stats = cache.stats();
    assert!(
        stats.held_bytes <= 20 * MIB && stats.held_bytes > 18 * MIB,
        "{stats:?}"
    );
    assert!(stats.curr_items > 30_000 && stats.quota_bytes == 20 * MIB);
    cache.check();
    cache.set_quota(START, 400 * MIB).expect("it fits");
    (0..300_000).for_each(|number| {
        set(&cache, &key(number), &[3; 500]);
    });
    assert_eq!(cache.stats().evictions, stats.evictions);
    assert!((0..300_000).all(|number| get(&cache, &key(number)).is_some()));
    cache.check();
}

#[test]
fn a_smaller_quota_is_reached_by_stores_alone() {
    let cache = cache(16 * MIB, 1 << 16);
    let write = |count: u32, from: u32| {
        (from..from + count).for_each(|number| {
            assert!(is_stored(set(&cache, &number.to_le_bytes(), &[3; 500])));
        });
    };
    write(40_000, 0);
    cache.set_quota(START, 8 * MIB).expect("it fits");
    write(40_000, 100_000);
    let stats = cache.stats();
    assert!(stats.held_bytes <= 8 * MIB, "{} held", stats.held_bytes);
    cache.check();
}

#[test]
fn limits_that_need_another_cut_start_over() {
    let cache = cache(1024 * MIB, 1 << 20);
    (0..1000u32).for_each(|number| {
        set(&cache, &number.to_le_bytes(), &[3; 5000]);
    });
    assert!(cache.set_quota(START, MIB).is_err());
    cache.set_quota(START, 2 * MIB).expect("it fits");
    assert_eq!(get(&cache, &1u32.to_le_bytes()), None);
    settle(&cache, START);
    let value = bytes((1 << 20) - 100, 4);
    for number in 0..10u32 {
        assert!(is_stored(upload(&cache, &number.to_le_bytes(), &value)));
        assert_eq!(get(&cache, &number.to_le_bytes()).as_ref(), Some(&value));
    }
    settle(&cache, START);
    assert!(cache.stats().held_bytes <= 2 * MIB);
    assert!(cache.set_item_size_max(2 << 20).is_err());
    cache.set_quota(START, 256 * MIB).expect("it fits");
    cache.set_item_size_max(100 << 20).expect("it fits");
    let value = bytes(99 << 20, 4);
    assert!(is_stored(upload(&cache, b"huge", &value)));
    assert!(get(&cache, b"huge") == Some(value));
    cache.check();
}

#[test]
fn every_length_at_a_boundary_comes_back_whole() {
    for (quota, item) in [
        (2 * MIB, 1 << 20),
        (64 * MIB, 1 << 20),
        (256 << 10, 128 << 10),
    ] {
        let cache = cache(quota, item);
        let chunk_len = crate::geometry::Geometry::new(quota, item).chunk_len as usize;
        let chunk_len = if quota == 64 * MIB {
            crate::geometry::Geometry::new(quota / 2, item).chunk_len as usize
        } else {
            chunk_len
        };
        let most = item as usize - 59 - 3;
        for around in [0, 1, chunk_len, 2 * chunk_len, INLINE_VALUE_LEN_MAX, most] {
            for len in around.saturating_sub(1)..=(around + 1).min(most) {
                let value = bytes(len, len as u64);
                assert!(
                    is_stored(upload(&cache, b"key", &value)),
                    "{len} of {quota}"
                );
                assert!(
                    get(&cache, b"key").as_ref() == Some(&value),
                    "{len} of {quota}"
                );
                if len <= INLINE_VALUE_LEN_MAX {
                    assert!(is_stored(set(&cache, b"kez", &value)), "{len} of {quota}");
                    assert!(get(&cache, b"kez").as_ref() == Some(&value));
                }
                cache.check();
            }
        }
        let value = bytes(most + 1, 1);
        assert_eq!(upload(&cache, b"key", &value), Outcome::TooLarge);
        assert_eq!(get(&cache, b"key"), None, "the old one is gone");
        assert_eq!(cache.stats().store_too_large, 1);
    }
}

#[test]
fn any_bytes_of_any_length_are_a_key() {
    let cache = cache(4 * MIB, 1 << 16);
    let keys: Vec<Vec<u8>> = (1..=250).map(|len| bytes(len, len as u64)).collect();
    for key in &keys {
        assert!(is_stored(set(&cache, key, key)));
    }
    for key in &keys {
        assert_eq!(get(&cache, key).as_ref(), Some(key));
        assert!(key.len() == 1 || get(&cache, &key[1..]).is_none());
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
    };
    let old = cache(4 * MIB, 1 << 20);
    let last = (0..1000).map(|_| cas(&old)).last().expect("a thousand");
    let new = TenantCache::new(config, after(1)).expect("it fits");
    assert!(cas(&new) > last);
}

#[test]
fn many_threads_and_changing_limits_get_along() {
    let cache = cache(128 * MIB, 1 << 20);
    std::thread::scope(|scope| {
        for thread in 0..3u64 {
            let cache = &cache;
            scope.spawn(move || {
                let mut rng = Rng::new(thread);
                for _ in 0..30_000 {
                    let number = rng.below(5000);
                    let key = number.to_le_bytes();
                    match rng.below(3) {
                        0 => assert!(is_stored(set(
                            cache,
                            &key,
                            &vec![number as u8; number as usize]
                        ))),
                        1 => {
                            if let Some(value) = get(cache, &key) {
                                assert_eq!(value.len() as u64, number);
                                assert!(value.iter().all(|byte| *byte == number as u8));
                            }
                        }
                        _ => {
                            remove(cache, &key);
                        }
                    }
                }
            });
        }
        for round in 0..40 {
            let quota = [128, 40, 8, 300][round % 4] * MIB;
            cache.set_quota(START, quota).expect("it fits");
            cache.maintain(START, 1 << 20);
        }
    });
    settle(&cache, START);
    let stats = cache.stats();
    assert!(stats.held_bytes <= stats.quota_bytes);
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
#[ignore = "takes 2 GiB of memory"]
fn a_value_of_a_gibibyte_works() {
    let cache = cache(5 << 29, 1 << 30);
    let value = bytes((1 << 30) - 100, 1);
    assert!(is_stored(upload(&cache, b"huge", &value)));
    assert!(get(&cache, b"huge") == Some(value));
    assert!(cache.stats().held_bytes <= 5 << 29);
}
