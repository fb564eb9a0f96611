//! The cache of blocks: who comes in, who stays, and that nothing is mistaken for another.

use base::rng::Rng;

use super::*;
use crate::name::SegmentId;

fn name(volume: u64, number: u64) -> ObjectName {
    let epoch = 1;
    ObjectName::segment(VolumeId(volume), SegmentId { number, epoch })
}

fn block(byte: u8) -> Vec<u8> {
    vec![byte; BLOCK_LEN]
}

/// The first byte of a block, if it is here.
fn look(cache: &ReadCache, name: ObjectName, unit: u32) -> Option<u8> {
    let mut found = block(0xee);
    cache.get(name, unit, &mut found).then(|| found[0])
}

/// What a reader does: looks, and offers what was not there.
fn read(cache: &ReadCache, name: ObjectName, unit: u32) -> bool {
    let is_here = look(cache, name, unit).is_some();
    if !is_here {
        cache.offer(name, unit, &block(7));
    }
    is_here
}

#[test]
fn a_block_comes_in_with_its_second_read() {
    let cache = ReadCache::new(1 << 20);
    assert!(!read(&cache, name(1, 1), 5) && !read(&cache, name(1, 1), 5));
    assert!(read(&cache, name(1, 1), 5));
    assert_eq!(cache.len(), BLOCK_LEN as u64);
    for other in [(name(1, 2), 5), (name(2, 1), 5), (name(1, 1), 6)] {
        assert_eq!(look(&cache, other.0, other.1), None);
    }
}

#[test]
fn it_never_holds_more_than_it_may() {
    let cache = ReadCache::new(64 * BLOCK_LEN as u64);
    let mut rng = Rng::new(1);
    for _ in 0..20_000 {
        read(&cache, name(1, rng.below(4)), rng.below(100) as u32);
        assert!(cache.len() <= 64 * BLOCK_LEN as u64);
    }
    assert_eq!(cache.len(), 64 * BLOCK_LEN as u64);
    let names: usize = cache.shards.iter().map(|one| lock(one).once.len()).sum();
    assert!(names <= 64, "{names}");
}

#[test]
fn what_is_read_often_outlasts_what_passes_by() {
    let cache = ReadCache::new(64 * BLOCK_LEN as u64);
    let mut rng = Rng::new(2);
    let (mut hits, mut asked) = (0, 0);
    for turn in 0..40_000_u32 {
        // A scan, of which nothing is ever asked for again, beside 32 blocks that always are.
        read(&cache, name(2, u64::from(turn)), turn % 97);
        let unit = rng.below(32) as u32;
        let hit = read(&cache, name(1, 1), unit);
        if turn > 5_000 {
            asked += 1;
            hits += u32::from(hit);
        }
    }
    assert!(hits * 100 > asked * 99, "{hits} of {asked}");
}

#[test]
fn a_removed_volume_leaves_nothing_but_room() {
    let cache = ReadCache::new(64 * BLOCK_LEN as u64);
    for volume in [1, 2] {
        for unit in 0..32 {
            read(&cache, name(volume, 1), unit);
            read(&cache, name(volume, 1), unit);
        }
    }
    cache.forget(VolumeId(1));
    assert_eq!(cache.len(), 32 * BLOCK_LEN as u64);
    assert!((0..32).all(|unit| look(&cache, name(1, 1), unit).is_none()));
    assert!((0..32).all(|unit| look(&cache, name(2, 1), unit) == Some(7)));
    for unit in 0..32 {
        read(&cache, name(3, 1), unit);
        read(&cache, name(3, 1), unit);
    }
    assert_eq!(cache.len(), 64 * BLOCK_LEN as u64);
    let slots: usize = cache.shards.iter().map(|one| lock(one).slots.len()).sum();
    assert_eq!(slots, 64, "its room was used again");
}

#[test]
fn without_room_nothing_is_kept() {
    let cache = ReadCache::new(0);
    assert!((0..4).all(|_| !read(&cache, name(1, 1), 0)));
    assert!(cache.is_empty());
}
