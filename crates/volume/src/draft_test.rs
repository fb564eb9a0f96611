//! Drafts out of journals and segments that are whole, and of such as are not.

use super::*;
use crate::crcs::Crcs;
use crate::frame::open_frame;

/// A part of a record.
pub(crate) fn fresh(block: u64, blocks: u64, content: Content) -> Fresh {
    let seq = 1;
    Fresh {
        block,
        blocks,
        seq,
        content,
    }
}

/// A draft of blocks that lie one behind the other in the journal.
pub(crate) fn draft_of(volume: VolumeId, blocks: &[(u64, Vec<u8>)]) -> Draft {
    let positions = (0..).step_by(BLOCK_LEN);
    let written = blocks.iter().zip(positions).map(|((block, data), pos)| {
        let content = Content::Data {
            pos,
            crcs: Crcs::of(data),
            skip: 0,
        };
        fresh(*block, 1, content)
    });
    let run: Vec<u8> = blocks.iter().flat_map(|(_, data)| data.clone()).collect();
    Draft {
        volume,
        id: SegmentId {
            number: 4,
            epoch: 2,
        },
        through_seq: 77,
        size_blocks: 1 << 41,
        whole: true,
        born: 3,
        fresh: written.collect(),
        runs: vec![(0, Arc::new(run.into()))],
        moved: None,
        gone: Vec::new(),
    }
}

fn blocks() -> Vec<(u64, Vec<u8>)> {
    (1..5)
        .map(|block| (block, vec![block as u8; BLOCK_LEN]))
        .collect()
}

fn block_of(sealed: &Sealed, block: u64) -> Option<Vec<u8>> {
    let mut entries = sealed.summary.entries.iter();
    let entry = entries.find(|entry| entry.block == block)?;
    match entry.change {
        Change::Written { unit } | Change::Moved { unit, .. } => {
            open_frame(&sealed.bytes[unit as usize * UNIT_LEN..], block)
        }
        _ => None,
    }
}

#[test]
fn what_is_not_what_was_written_is_lost_and_named() {
    let mut draft = draft_of(VolumeId(3), &blocks());
    let mut rotten = draft.runs[0].1.to_vec();
    rotten[BLOCK_LEN + 9] ^= 1;
    rotten.truncate(4 * BLOCK_LEN - 1);
    draft.runs[0].1 = Arc::new(rotten.into());
    // This one recovery has told of.
    draft.fresh.push(fresh(9, 1, Content::Lost));
    let sealed = draft.seal();
    assert_eq!(sealed.lost, [2, 4]);
    for (block, data) in blocks() {
        let expected = [1, 3].contains(&block).then_some(data);
        assert_eq!(block_of(&sealed, block), expected);
    }
    assert_eq!(sealed.summary.frames(), 5);
    assert!(sealed.summary.vouches_for(&sealed.bytes));
}

#[test]
fn zeroes_take_no_room() {
    let mut blocks = blocks();
    blocks.push((7, vec![0; BLOCK_LEN]));
    let sealed = draft_of(VolumeId(3), &blocks).seal();
    let change = Change::Zero { blocks: 1 };
    let zero = Entry { block: 7, change };
    assert_eq!(sealed.summary.entries.last(), Some(&zero));
    assert_eq!(sealed.summary.frames(), 4);
}

#[test]
fn what_is_damaged_stays_and_the_rest_is_moved() {
    let victim = draft_of(VolumeId(3), &blocks()).seal();
    let live: Vec<(u64, u32)> = victim
        .summary
        .entries
        .iter()
        .filter_map(|entry| match entry.change {
            Change::Written { unit } => Some((entry.block, unit)),
            _ => None,
        })
        .collect();
    let mut object = victim.bytes.to_vec();
    object[live[2].1 as usize * UNIT_LEN + 20] ^= 1;
    let mut draft = draft_of(VolumeId(3), &[]);
    let from = SegmentId {
        number: 3,
        epoch: 2,
    };
    draft.moved = Some(Moved {
        from,
        object: Arc::new(object.into()),
        live,
    });
    let sealed = draft.seal();
    assert_eq!(sealed.damaged, Some(from));
    for (block, data) in blocks() {
        let expected = (block != 3).then_some(data);
        assert_eq!(block_of(&sealed, block), expected);
    }
    assert_eq!(sealed.summary.frames(), 3);
    assert!(sealed.summary.vouches_for(&sealed.bytes));
}
