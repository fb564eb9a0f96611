//! What changes of quota and item size keep, and what many threads may do meanwhile.

use base::kv::Store;
use base::rng::Rng;

use crate::testing::{
    MIB, START, bytes, cache, get, is_stored, remove, set, settle, store_at, store_of, upload,
};

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
fn limits_that_need_another_cut_take_effect() {
    let cache = cache(1024 * MIB, 1 << 20);
    (0..1000u32).for_each(|number| {
        set(&cache, &number.to_le_bytes(), &[3; 5000]);
    });
    assert!(cache.set_quota(START, MIB).is_err());
    cache.set_quota(START, 2 * MIB).expect("it fits");
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
fn the_memory_of_a_shape_given_up_counts_until_it_is_back() {
    let cache = cache(40 * MIB, 1 << 20);
    let fill = || {
        (0..100u32).for_each(|number| {
            assert!(is_stored(set(&cache, &number.to_le_bytes(), &[3; 60_000])));
        });
    };
    fill();
    cache.set_quota(START, 2 * MIB).expect("it fits");
    fill();
    let stats = cache.stats();
    assert!(stats.held_bytes <= 2 * MIB, "{stats:?}");
    assert!(stats.curr_items > 20, "{stats:?}");
    cache.check();
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
fn an_item_takes_at_most_32_bytes_beside_key_and_value() {
    // The index has just doubled: it is as empty as it gets while items come.
    let count = (16_384 * 8 / 5) + 1;
    for (flags, most) in [(0, 30), (255, 31), (65_535, 32), (u32::MAX, 34)] {
        for value_len in 20..24 {
            let cache = cache(40 * MIB, 1 << 20);
            for number in 0..count as u32 {
                let key = number.to_le_bytes();
                let store = Store {
                    flags,
                    ..store_of(&key, &[3; 24][..value_len])
                };
                assert!(is_stored(store_at(&cache, START, store)));
            }
            settle(&cache, START);
            let stats = cache.stats();
            let all = stats.bytes + stats.index_bytes;
            let beside = all - count * (4 + value_len as u64);
            assert!(
                beside <= count * most,
                "{beside} bytes beside {count} items"
            );
        }
    }
}
