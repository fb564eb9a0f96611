//! Segments as attaching finds them.

use super::*;
use crate::crash::planted::Planted;
use crate::crash::world::World;
use crate::name::SegmentId;
use crate::segment::Draft;

/// Zeroes in more pieces than the usual end of a segment has room for.
const PIECES: u64 = 9_000;

#[test]
fn a_summary_longer_than_usual_is_read_too() {
    let mut world = World::new(1, Planted::Nothing);
    let volume = world.config.volume;
    let (number, epoch) = (1, 1);
    let id = SegmentId { number, epoch };
    let blocks = (0..200).map(|block| (block, vec![7; BLOCK_LEN].into(), None));
    let sealed = Draft {
        volume,
        id,
        through_seq: 1,
        size_blocks: 1 << 20,
        whole: true,
        born: 1,
        blocks: blocks.collect(),
        zeroes: (0..PIECES).map(|piece| (1_000 + 2 * piece, 1)).collect(),
        adopted: Vec::new(),
    }
    .seal();
    let len = sealed.bytes.len() as u64;
    assert!(PIECES * 12 > SUMMARY_LEN_MAX && len > SUMMARY_LEN_MAX);
    let name = ObjectName::segment(volume, id);
    world.store.put(name, &sealed.bytes);
    for proven in [true, false] {
        let found = read_segment(name, len, proven, &mut world).expect("nothing fails here");
        assert_eq!(found, Some(sealed.summary.clone()), "proven: {proven}");
    }
}
