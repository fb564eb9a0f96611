//! Every quota gets a cut of memory that serves it.

use super::*;
use crate::item::HEADER_LEN;

const MIB: u64 = 1 << 20;

#[test]
fn every_quota_gets_a_cut_that_serves_it() {
    for quota_kib in [256, 300, 512, 1024, 2048, 65_536, 1 << 20, 1 << 22] {
        let quota = quota_kib << 10;
        let geometry = Geometry::new(quota);
        assert!(geometry.serves(quota), "{quota} {geometry:?}");
        assert!(geometry.segment_len.is_power_of_two());
        assert!(geometry.chunk_len.is_multiple_of(8));
        let end = geometry.slot_at(geometry.slots - 1) + geometry.chunk_len as usize;
        assert!(end <= geometry.segment_len as usize);
        assert!(Geometry::owner_at(geometry.slots) <= geometry.slot_at(0));
        assert!(geometry.chunk_len as usize > crate::shard::NUMBER_LEN_MAX);
        // The longest head, key, flags, CAS and extent, with a chunk all but full behind it.
        let head = HEADER_LEN as u32 + 250 + 4 + 8 + 16 + geometry.chunk_len;
        // 16 bits hold the length of what lies with its item, and of what is stepped over.
        let stepped_over = geometry.chunk_len + 4 + 8 + UNIT - HEADER_LEN as u32;
        assert!(geometry.chunk_len.max(stepped_over) < u32::from(u16::MAX));
        assert!(2 * head <= geometry.segment_len - SEGMENT_HEADER_LEN);
    }
}

#[test]
fn locations_name_twice_the_quota() {
    for quota in [256 << 10, 2 * MIB, 64 * MIB, SHARD_QUOTA_MAX] {
        let geometry = Geometry::new(quota);
        let named = geometry.segments_named_by(geometry.loc_bits(quota));
        assert!(u64::from(named) * u64::from(geometry.segment_len) >= 2 * quota);
        assert!(geometry.loc_bits(quota) <= 31);
    }
}

#[test]
fn shards_follow_quota_and_item_size() {
    assert_eq!(shard_count(2 * MIB, 1 << 20), 1);
    assert_eq!(shard_count(63 * MIB, 1 << 20), 1);
    assert_eq!(shard_count(64 * MIB, 1 << 20), 2);
    assert_eq!(shard_count(100 * MIB, 1 << 20), 2);
    assert_eq!(shard_count(16 << 30, 1 << 20), 16);
    assert_eq!(shard_count(2 << 30, 1 << 30), 1);
    assert_eq!(shard_count(4 << 30, 1 << 30), 1);
    assert_eq!(shard_count(5 << 30, 1 << 30), 2);
    assert_eq!(shard_count(32 << 30, 1 << 30), 8);
    for quota in [2 * MIB, 64 * MIB, 1 << 30, 16 << 30, 200 << 30, 1 << 40] {
        assert!(shards_serve(shard_count(quota, 1 << 20), quota, 1 << 20));
    }
    assert!(!shards_serve(16, 2 << 30, 1 << 30));
    assert!(!shards_serve(1, 16 << 30, 1 << 20));
}

#[test]
fn a_quota_far_below_the_first_needs_another_cut() {
    let geometry = Geometry::new(64 * MIB);
    assert!(geometry.serves(32 * MIB));
    assert!(geometry.serves(640 * MIB));
    assert!(!geometry.serves(4 * MIB));
}
