//! What holds for values that come and go piece by piece.

use base::kv::{Expiry, Get, INLINE_VALUE_LEN_MAX, Op, Outcome, Pin, Reservation};
use base::rng::Rng;

use crate::model::Keep;
use crate::testing::{
    MIB, START, after, bytes, cache, get, is_stored, remove, see_at, set, settle, store_of, upload,
};

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
fn a_value_that_is_known_or_not_wanted_is_not_held() {
    let cache = cache(8 * MIB, 1 << 20);
    upload(&cache, b"large", &bytes(200_000, 2));
    let see = |get: Get<'_>| {
        let mut keep = Keep::default();
        let outcome = cache.execute(START, &Op::Get(get), &mut keep);
        assert_eq!(outcome, Outcome::Hit);
        keep.0.expect("an item")
    };
    let plain = Get::plain(b"large");
    let cas = see(Get {
        value: false,
        ..plain.clone()
    })
    .cas;
    for (value, known_cas, is_held) in [
        (true, Some(cas), false),
        (false, Some(cas + 1), false),
        (false, None, false),
        (true, Some(cas + 1), true),
        (true, Some(0), true),
        (true, None, true),
    ] {
        let seen = see(Get {
            value,
            known_cas,
            ..plain.clone()
        });
        let pin = seen.pin.expect("the length at least");
        assert_eq!((seen.cas, pin.len), (cas, 200_000));
        let read = cache.read_pinned(pin, 0, 1, &mut Vec::new());
        assert_eq!(read, is_held.then_some(1), "{value} {known_cas:?}");
        cache.unpin(pin);
        cache.check();
    }
}

#[test]
fn a_known_cas_leaves_all_else_of_a_retrieval_as_it_is() {
    let cache = cache(8 * MIB, 1 << 20);
    let end = Expiry::at_unix_secs(START.unix_secs() + 60);
    for value in [bytes(10, 1), bytes(INLINE_VALUE_LEN_MAX + 1, 1)] {
        upload(&cache, b"key", &value);
        let mut keep = Keep::default();
        let look = Get {
            peek: true,
            value: false,
            ..Get::plain(b"key")
        };
        cache.execute(START, &Op::Get(look.clone()), &mut keep);
        let before = keep.0.expect("an item");
        assert!(!before.fetched && before.expiry == Expiry::NEVER);
        let get = Get {
            known_cas: Some(before.cas),
            touch: Some(end),
            ..Get::plain(b"key")
        };
        cache.execute(START, &Op::Get(get), &mut Keep::default());
        let mut keep = Keep::default();
        cache.execute(START, &Op::Get(look), &mut keep);
        let seen = keep.0.expect("an item");
        assert!(seen.fetched && seen.expiry == end && seen.cas == before.cas);
    }
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
fn what_a_stalled_reader_leaves_takes_values_that_arrive() {
    let cache = cache(2 * MIB, 1 << 20);
    let value = bytes(1_000_000, 2);
    upload(&cache, b"large", &value);
    let pin = see_at(&cache, START, b"large").and_then(|seen| seen.pin);
    let pin = pin.expect("a pin");
    for len in [100_000, 300_000, 700_000] {
        assert!(is_stored(upload(&cache, b"other", &bytes(len, 3))), "{len}");
        assert!(is_stored(set(&cache, b"small", b"value")));
        assert!(cache.stats().held_bytes <= 2 * MIB);
        cache.check();
    }
    let mut read = Vec::new();
    cache.read_pinned(pin, 0, usize::MAX, &mut read);
    assert!(read == value);
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
fn every_length_at_a_boundary_comes_back_whole() {
    for (quota, item) in [
        (2 * MIB, 1 << 20),
        (64 * MIB, 1 << 20),
        (256 << 10, 128 << 10),
    ] {
        let cache = cache(quota, item);
        let chunk_len = crate::geometry::Geometry::new(quota).chunk_len as usize;
        let chunk_len = if quota == 64 * MIB {
            crate::geometry::Geometry::new(quota / 2).chunk_len as usize
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

/// How many of `count` values stay, at the least, while they are written again and again.
fn values_that_stay(quota: u64, item: u32, len: usize, count: u8, is_read: bool) -> usize {
    let cache = cache(quota, item);
    let mut least = usize::MAX;
    for round in 0..4 * count {
        let value = vec![round; len];
        assert!(is_stored(upload(&cache, &[b'k', round % count], &value)));
        cache.check();
        assert!(cache.stats().held_bytes <= quota);
        if is_read {
            assert!(get(&cache, &[b'k', round % count]).as_ref() == Some(&value));
        }
        if round >= count {
            least = least.min(cache.stats().curr_items as usize);
        }
    }
    least
}

#[test]
fn as_many_large_values_stay_as_the_quota_holds() {
    for (quota, item, len, count, stay) in [
        (2 * MIB, 1 << 20, 1_000_000, 3, 2),
        (2 * MIB, 1 << 20, 1_000_000, 2, 2),
        (2 * MIB, 1 << 20, (1 << 20) - 100, 2, 1),
        (2 * MIB, 1 << 20, 500_000, 6, 4),
        (64 * MIB, 16 << 20, (16 << 20) - 100, 3, 3),
        (64 * MIB, 16 << 20, (16 << 20) - 100, 5, 3),
        (40 * MIB, 16 << 20, (16 << 20) - 100, 4, 2),
        (128 * MIB, 32 << 20, (32 << 20) - 100, 4, 3),
        (24 * MIB, 1 << 20, (1 << 20) - 100, 30, 22),
    ] {
        for is_read in [false, true] {
            let least = values_that_stay(quota, item, len, count, is_read);
            assert!(
                least >= stay,
                "{least} of {count} with {len} bytes in {quota}, {is_read}"
            );
        }
    }
}

#[test]
#[ignore = "takes 6 GiB of memory"]
fn three_values_of_a_gibibyte_stay_in_four() {
    let len = (1 << 30) - 100;
    assert_eq!(values_that_stay(4 << 30, 1 << 30, len, 4, true), 3);
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

#[test]
fn the_reserve_lasts_where_large_and_small_values_mix() {
    let cache = cache(32 * MIB, 1 << 20);
    let mut rng = Rng::new(4);
    let value = bytes(1 << 20, 4);
    let mut hits = 0;
    for _ in 0..60_000 {
        let key = rng.below(20_000).min(rng.below(20_000)).to_le_bytes();
        if get(&cache, &key).is_some() {
            hits += 1;
            continue;
        }
        let len = match rng.below(50) {
            0 => rng.below(900_000),
            1..=5 => rng.below(60_000),
            _ => rng.below(1000),
        };
        assert!(is_stored(upload(&cache, &key, &value[..len as usize])));
    }
    let stats = cache.stats();
    assert!(stats.held_bytes <= stats.quota_bytes);
    assert!(stats.bytes > 26 * MIB, "{} live bytes", stats.bytes);
    println!("hits {hits} forced {} {stats:?}", cache.emptied_at_once());
    assert!(
        cache.emptied_at_once() < 20,
        "{} emptied whole",
        cache.emptied_at_once()
    );
    cache.check();
}
