//! What is appended or prepended is there, whatever the lengths, and costs by what is added.

use base::kv::{Outcome, Store, StoreMode};

use crate::TenantCache;
use crate::testing::{
    MIB, START, bytes, cache, get, in_mode, is_stored, remove, see_at, set, settle, store_at,
    upload, upload_as,
};

const MODES: [StoreMode; 2] = [StoreMode::Append, StoreMode::Prepend];

fn joined(mode: StoreMode, old: &[u8], new: &[u8]) -> Vec<u8> {
    match mode {
        StoreMode::Append => [old, new].concat(),
        _ => [new, old].concat(),
    }
}

/// Appends or prepends at once, or piece by piece.
fn join(cache: &TenantCache, mode: StoreMode, value: &[u8], at_once: bool) -> Outcome {
    if at_once {
        store_at(cache, START, in_mode(mode, b"key", value))
    } else {
        upload_as(cache, &in_mode(mode, b"key", &[]), value)
    }
}

#[test]
fn every_pair_of_lengths_at_a_boundary_joins() {
    let quota = 2 * MIB;
    let chunk = crate::geometry::Geometry::new(quota).chunk_len as usize;
    let lens = [
        0,
        1,
        7,
        chunk - 1,
        chunk,
        chunk + 1,
        3 * chunk,
        5 * chunk - 9,
        70_000,
    ];
    let cache = cache(quota, 1 << 20);
    for (old_len, new_len) in lens.iter().flat_map(|old| lens.map(|new| (*old, new))) {
        let (old, new) = (bytes(old_len, 1), bytes(new_len, 2));
        for mode in MODES {
            for at_once in [false, true] {
                assert!(is_stored(upload(&cache, b"key", &old)));
                assert!(is_stored(join(&cache, mode, &new, at_once)));
                let both = joined(mode, &old, &new);
                let right = get(&cache, b"key").as_ref() == Some(&both);
                assert!(right, "{mode:?} {new_len} to {old_len}, at once {at_once}");
                // Once more, from where the first has left off, and from the other end.
                assert!(is_stored(join(&cache, StoreMode::Prepend, &new, !at_once)));
                assert!(is_stored(join(&cache, StoreMode::Append, &old, at_once)));
                let all = [&new[..], &both, &old].concat();
                assert!(
                    get(&cache, b"key") == Some(all),
                    "{mode:?} {new_len} to {old_len}"
                );
                cache.check();
            }
        }
    }
    remove(&cache, b"key");
    settle(&cache, START);
    assert_eq!((cache.stats().curr_items, cache.stats().evictions), (0, 0));
}

#[test]
fn few_bytes_join_many_without_a_second_copy() {
    let cache = cache(2 * MIB, 1 << 20);
    let mut value = bytes((1 << 20) - 20_000, 1);
    assert!(is_stored(upload(&cache, b"key", &value)));
    for number in 0..100u8 {
        let mode = MODES[usize::from(number % 2)];
        let before = cache.stats().held_bytes;
        assert!(is_stored(join(&cache, mode, &[number; 150], true)));
        value = joined(mode, &value, &[number; 150]);
        assert!(cache.stats().held_bytes < before + 64_000);
    }
    assert!(get(&cache, b"key") == Some(value));
    assert_eq!(cache.stats().evictions, 0);
    cache.check();
}

#[test]
fn what_is_too_large_together_leaves_the_old_value() {
    let cache = cache(2 * MIB, 1 << 20);
    let value = bytes(700_000, 1);
    assert!(is_stored(upload(&cache, b"key", &value)));
    for mode in MODES {
        assert_eq!(
            join(&cache, mode, &bytes(400_000, 2), false),
            Outcome::NotStored
        );
    }
    let fits = (1 << 20) - 59 - 3 - value.len();
    assert_eq!(
        join(&cache, StoreMode::Append, &vec![1; fits + 1], false),
        Outcome::NotStored
    );
    assert!(get(&cache, b"key").as_ref() == Some(&value));
    assert!(is_stored(join(
        &cache,
        StoreMode::Append,
        &vec![1; fits],
        false
    )));
    assert_eq!(cache.stats().evictions, 0);
}

#[test]
fn a_large_value_joins_another_in_the_least_quota() {
    for mode in MODES {
        for (old_len, new_len) in [(500_000, 500_000), (900_000, 100_000), (100_000, 900_000)] {
            let cache = cache(2 * MIB, 1 << 20);
            let (old, new) = (bytes(old_len, 1), bytes(new_len, 2));
            // Others fill the rest of the quota, many or one that lies beside.
            for len in [100_000, 1_000_000] {
                for number in 0..2_000_000 / len {
                    assert!(is_stored(upload(
                        &cache,
                        &[b'x', number as u8],
                        &bytes(len, 3)
                    )));
                }
                assert!(is_stored(upload(&cache, b"key", &old)));
                assert!(
                    is_stored(join(&cache, mode, &new, false)),
                    "{mode:?} {old_len}"
                );
                assert!(get(&cache, b"key") == Some(joined(mode, &old, &new)));
                cache.check();
            }
        }
    }
}

#[test]
fn what_it_joins_may_change_while_it_arrives() {
    let values = [1, 5000, 20_000, 300_001].map(|len| bytes(len, len as u64));
    let new = bytes(150_000, 9);
    for (mode, old, other) in MODES.iter().flat_map(|mode| {
        let pairs = values
            .iter()
            .flat_map(|old| values.iter().map(move |other| (old, other)));
        pairs.map(move |(old, other)| (*mode, old, other))
    }) {
        let cache = cache(4 * MIB, 1 << 20);
        assert!(is_stored(upload(&cache, b"key", old)));
        let store = in_mode(mode, b"key", &[]);
        let reserved = cache
            .reserve(START, &store, new.len() as u32)
            .expect("room");
        assert!(cache.fill(reserved, &new[..100_000]));
        assert!(is_stored(upload(&cache, b"key", other)));
        assert!(cache.fill(reserved, &new[100_000..]));
        assert!(is_stored(cache.commit(START, reserved)));
        assert!(get(&cache, b"key") == Some(joined(mode, other, &new)));
        cache.check();
        let reserved = cache
            .reserve(START, &store, new.len() as u32)
            .expect("room");
        assert!(cache.fill(reserved, &new));
        remove(&cache, b"key");
        assert_eq!(cache.commit(START, reserved), Outcome::NotStored);
        let vivify = Store {
            vivify: Some(base::kv::Expiry::NEVER),
            ..store
        };
        assert!(is_stored(upload(&cache, b"key", old)));
        let reserved = cache
            .reserve(START, &vivify, new.len() as u32)
            .expect("room");
        assert!(cache.fill(reserved, &new));
        remove(&cache, b"key");
        assert!(is_stored(cache.commit(START, reserved)));
        assert!(get(&cache, b"key").as_ref() == Some(&new));
        cache.check();
        settle(&cache, START);
    }
}

#[test]
fn readers_of_an_older_value_keep_it_while_it_grows_at_both_ends() {
    let cache = cache(16 * MIB, 1 << 20);
    let mut value = bytes(400_000, 1);
    assert!(is_stored(upload(&cache, b"key", &value)));
    let mut readers = Vec::new();
    for number in 0..12u8 {
        let pin = see_at(&cache, START, b"key")
            .and_then(|seen| seen.pin)
            .expect("a pin");
        readers.push((pin, value.clone()));
        let more = bytes(1 + 7_000 * usize::from(number), u64::from(number));
        let mode = MODES[usize::from(number / 2 % 2)];
        assert!(is_stored(join(&cache, mode, &more, number % 2 == 0)));
        value = joined(mode, &value, &more);
        cache.check();
    }
    // Nothing is held twice but the ends of values.
    assert!(cache.stats().held_bytes < 5 * MIB, "{:?}", cache.stats());
    for (number, (pin, value)) in readers.iter().enumerate() {
        if number == 6 {
            assert!(is_stored(set(&cache, b"key", b"gone")));
        }
        let mut read = Vec::new();
        cache.read_pinned(*pin, 0, usize::MAX, &mut read);
        assert!(read == *value, "reader {number}");
        cache.unpin(*pin);
        cache.check();
    }
    settle(&cache, START);
}
