//! The map beside a plain tree, its parts as objects, and its size.

use std::collections::BTreeMap;

use base::rng::Rng;

use super::*;

fn place(number: u64) -> Place {
    Place {
        row: (number >> 18) as u32 & 0x3f_ffff,
        unit: number as u32 & 0x3_ffff,
    }
}

#[test]
fn it_agrees_with_a_tree_and_copies_do_not_change() {
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let mut map = Map::default();
        let mut model = BTreeMap::new();
        let span = 3 * PART_BLOCKS;
        let mut kept = None;
        for step in 0..3000 {
            let block = rng.below(span);
            if rng.below(20) == 0 {
                let blocks = rng.below(2 * PART_BLOCKS).min(span - block);
                let mut gone = 0;
                map.clear(block, blocks, &mut |_| gone += 1);
                let before = model.len();
                model.retain(|at, _| !(block..block + blocks).contains(at));
                assert_eq!(gone, before - model.len());
            } else {
                let new = place(rng.next_u64());
                assert_eq!(map.set(block, new), model.insert(block, new));
            }
            if step == 1500 {
                kept = Some((map.clone(), model.clone()));
            }
        }
        let leaves = || map.parts.values().flat_map(|part| part.values());
        assert_eq!(map.leaves, leaves().count() as u64);
        let heap: usize = leaves().map(|leaf| leaf.heap_len()).sum();
        assert_eq!(map.heap_len, heap as u64, "seed {seed}");
        for (map, model) in kept.into_iter().chain([(map, model)]) {
            for block in model.keys().flat_map(|block| [*block, block + 1]) {
                assert_eq!(map.get(block), model.get(&block).copied(), "seed {seed}");
            }
        }
    }
}

#[test]
fn parts_are_read_back_and_damage_is_seen() {
    let mut map = Map::default();
    for number in 0..5000 {
        map.set(number * 97, place(number));
    }
    assert_eq!(map.take_changed().into_iter().collect::<Vec<_>>(), [0, 1]);
    assert!(map.take_changed().is_empty());
    let mut copy = Map::default();
    for part in [0, 1] {
        let mut bytes = map.encode_part(part).expect("not empty");
        assert!(copy.load_part(part, &bytes));
        bytes[1000] ^= 1;
        assert!(!Map::default().load_part(part, &bytes));
        assert!(!Map::default().load_part(part, &bytes[..500]));
    }
    (0..5000 * 97).for_each(|block| assert_eq!(map.get(block), copy.get(block)));
    assert_eq!(map.encode_part(7), None);
}

#[test]
fn a_gib_with_a_tenth_written_at_random_takes_a_thousandth_of_400_mib() {
    let mut rng = Rng::new(1);
    let mut map = Map::default();
    for number in 0..PART_BLOCKS / 10 {
        map.set(rng.below(PART_BLOCKS), place(number));
    }
    assert!(
        map.memory_len() < (400 << 20) / 1024,
        "{}",
        map.memory_len()
    );
}
