//! Regions beside a tree of extents.

use std::collections::BTreeSet;

use super::*;
use crate::overlay::Content;

fn zero(block: u64, blocks: u64, seq: u64) -> Fresh {
    Fresh {
        block,
        blocks,
        seq,
        content: Content::Zero,
    }
}

fn ranges(regions: &Regions, from: u64, to: u64) -> Vec<(u64, u64, u64)> {
    let found = regions.within(from, to).into_iter();
    found.map(|one| (one.seq, one.block, one.blocks)).collect()
}

#[test]
fn what_was_cut_at_a_regions_end_is_told_whole() {
    let mut regions = Regions::default();
    regions.insert(zero(60, 8, 1), &mut |_, _| panic!("nothing is hidden"));
    assert_eq!(regions.len(), 2);
    assert_eq!(ranges(&regions, 0, 1000), [(1, 60, 8)]);
    assert_eq!(ranges(&regions, 62, 65), [(1, 62, 3)]);
    regions.insert(zero(64, 1, 2), &mut |seq, blocks| {
        assert_eq!((seq, blocks), (1, 1));
    });
    assert_eq!(
        ranges(&regions, 0, 1000),
        [(1, 60, 4), (2, 64, 1), (1, 65, 3)]
    );
}

#[test]
fn a_whole_region_and_the_last_blocks_that_can_be_named_are_no_exceptions() {
    let mut regions = Regions::default();
    let last = u64::MAX - 64;
    regions.insert(zero(last, 64, 1), &mut |_, _| {});
    regions.insert(zero(64, 64, 2), &mut |_, _| {});
    assert_eq!(ranges(&regions, 0, u64::MAX), [(2, 64, 64), (1, last, 64)]);
    let mut hidden = 0;
    regions.clear(0, u64::MAX, &mut |_, blocks| hidden += blocks);
    assert_eq!((hidden, regions.len()), (128, 0));
}

#[test]
fn few_in_a_long_stretch_are_found_without_looking_everywhere() {
    let mut regions = Regions::default();
    let blocks = BTreeSet::from([3, 1 << 20, 5 << 28, (5 << 28) + 7]);
    for (seq, block) in (1..).zip(blocks.iter().copied()) {
        regions.insert(zero(block, 1, seq), &mut |_, _| {});
    }
    let found = regions.within(0, 1 << 40).into_iter();
    assert!(found.map(|one| one.block).eq(blocks.iter().copied()));
    regions.clear(4, 1 << 40, &mut |_, _| {});
    assert_eq!(ranges(&regions, 0, 1 << 40), [(1, 3, 1)]);
    assert_eq!(regions.successor().len(), 0);
}
