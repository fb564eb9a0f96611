//! Tests that the busiest are found, with errors as bounded as the algorithm promises.

use super::*;
use crate::rng::Rng;
use std::collections::BTreeMap;

fn noted(sketch: &mut TopKeys, key: &str, times: usize) {
    (0..times).for_each(|_| sketch.note(key.as_bytes()));
}

fn keys(top: &[Counted]) -> Vec<String> {
    let keys = top.iter().map(|one| String::from_utf8_lossy(&one.key));
    keys.map(String::from).collect()
}

#[test]
fn few_keys_are_counted_exactly() {
    let mut sketch = TopKeys::new(4);
    noted(&mut sketch, "b", 3);
    noted(&mut sketch, "a", 3);
    noted(&mut sketch, "c", 7);
    let top = sketch.top(10);
    assert_eq!(keys(&top), ["c", "a", "b"]);
    assert!(top.iter().all(|one| one.error == 0));
    assert_eq!((top[0].count, sketch.total()), (7, 13));
    assert_eq!(keys(&sketch.top(1)), ["c"]);
}

#[test]
fn a_stranger_takes_the_place_of_the_rarest_and_its_count() {
    let mut sketch = TopKeys::new(2);
    noted(&mut sketch, "often", 5);
    noted(&mut sketch, "seldom", 2);
    noted(&mut sketch, "new", 1);
    let top = sketch.top(2);
    assert_eq!(keys(&top), ["often", "new"]);
    assert_eq!((top[1].count, top[1].error), (3, 2));
    // One that comes back is a stranger.
    noted(&mut sketch, "seldom", 1);
    assert_eq!(keys(&sketch.top(2)), ["often", "seldom"]);
}

#[test]
fn the_past_counts_half() {
    let mut sketch = TopKeys::new(8);
    noted(&mut sketch, "old", 10);
    noted(&mut sketch, "once", 1);
    sketch.halve();
    assert_eq!(keys(&sketch.top(8)), ["old"]);
    noted(&mut sketch, "new", 6);
    noted(&mut sketch, "old", 1);
    let top = sketch.top(8);
    assert_eq!(
        (keys(&top), top[0].count, top[1].count),
        (vec!["new".into(), "old".into()], 6, 6)
    );
    assert_eq!(sketch.total(), 12);
}

/// What the paper promises, over streams of every skew.
#[test]
fn no_count_is_too_low_and_no_frequent_key_is_missing() {
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let capacity = 8 + (seed as usize * 7) % 60;
        let mut sketch = TopKeys::new(capacity);
        let mut exact: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        for _ in 0..20_000 {
            // The smaller of some draws: the more of them, the more skewed.
            let draws = 1 + seed % 5;
            let key = (0..draws).map(|_| rng.below(500)).min().unwrap_or(0);
            let key = format!("key:{key}").into_bytes();
            sketch.note(&key);
            *exact.entry(key).or_default() += 1;
        }
        let top = sketch.top(capacity);
        for one in &top {
            let true_count = exact[&one.key.to_vec()];
            assert!(
                one.count >= true_count,
                "seed {seed}: {one:?} was {true_count}"
            );
            assert!(one.count - one.error <= true_count, "seed {seed}: {one:?}");
        }
        let bound = sketch.total() / capacity as u64;
        for (key, count) in exact.iter().filter(|(_, count)| **count > bound) {
            let is_there = top.iter().any(|one| *one.key == **key);
            assert!(is_there, "seed {seed}: {key:?} came {count} times");
        }
        assert_eq!(top.iter().map(|one| one.count).sum::<u64>(), sketch.total());
    }
}

#[test]
fn memory_is_bounded_whatever_comes() {
    let mut sketch = TopKeys::new(16);
    for key in 0..100_000u32 {
        sketch.note(&key.to_le_bytes());
    }
    assert_eq!((sketch.entries.len(), sketch.places.len()), (16, 16));
}
