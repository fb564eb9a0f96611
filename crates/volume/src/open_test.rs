//! Segments as attaching finds them.

use super::*;
use crate::crash::planted::Planted;
use crate::crash::world::World;
use crate::draft::tests::{draft_of, fresh};
use crate::name::SegmentId;
use crate::overlay::Content;

/// Zeroes in more pieces than the usual end of a segment has room for.
const PIECES: u64 = 9_000;

#[test]
fn a_summary_longer_than_usual_is_read_too() {
    let mut world = World::new(1, Planted::Nothing);
    let volume = world.config.volume;
    let (number, epoch) = (1, 1);
    let id = SegmentId { number, epoch };
    let blocks = (0..200).map(|block| (block, vec![7; BLOCK_LEN]));
    let mut draft = draft_of(volume, &blocks.collect::<Vec<_>>());
    draft.id = id;
    let pieces = (0..PIECES).map(|piece| fresh(1_000 + 2 * piece, 1, Content::Zero));
    draft.fresh.extend(pieces);
    let sealed = draft.seal();
    let len = sealed.bytes.len() as u64;
    assert!(PIECES * 12 > SUMMARY_LEN_MAX && len > SUMMARY_LEN_MAX);
    let name = ObjectName::segment(volume, id);
    world.store.put(name, &sealed.bytes);
    for proven in [true, false] {
        let found = read_segment(name, len, proven, &mut world).expect("nothing fails here");
        assert_eq!(found, Some(sealed.summary.clone()), "proven: {proven}");
    }
}
