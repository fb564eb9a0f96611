//! Segments sealed, read back, and damaged.

use base::rng::Rng;

use std::sync::Arc;

use super::*;
use crate::BLOCK_LEN;
use crate::bulk::Stretch;
use crate::draft::tests::{draft_of, fresh};
use crate::draft::{Moved, Sealed};
use crate::frame::{Frames, Warmth, open_frame, open_frame_into};
use crate::overlay::Content;

fn random_block(seed: u64) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    (0..BLOCK_LEN).map(|_| rng.next_u64() as u8).collect()
}

/// Two blocks out of the journal, and one that was in another segment, behind whatever that begins with.
fn sealed() -> (Sealed, Vec<(u64, Vec<u8>)>) {
    let written = vec![(9, random_block(1)), (1 << 40, random_block(2))];
    let moved = (5, vec![7; BLOCK_LEN]);
    let mut frames = Frames::default();
    frames.put(moved.0, (&moved.1, crc(&moved.1)), Warmth::Hot);
    let object = [&vec![0; 65 * UNIT_LEN], &frames.bytes[..]].concat();
    let mut draft = draft_of(VolumeId(3), &written);
    draft.fresh.push(fresh(100, 1 << 30, Content::Zero));
    let (object_ref, stretch) = (object_ref(), stretch());
    let adopted = Content::Bulk {
        object: object_ref,
        unit: stretch.unit,
    };
    draft
        .fresh
        .push(fresh(stretch.block, u64::from(stretch.blocks), adopted));
    draft.moved = Some(Moved {
        from: SegmentId {
            number: 2,
            epoch: 1,
        },
        object: Arc::new(object.into()),
        live: vec![(moved.0, 65)],
    });
    let plain = written.into_iter().chain([moved]).collect();
    (draft.seal(), plain)
}

fn stretch() -> Stretch {
    Stretch {
        block: 1 << 30,
        blocks: 200,
        unit: 514,
    }
}

fn object_ref() -> BulkRef {
    BulkRef {
        id: SegmentId::bulk(8, 2),
        len: 1 << 20,
        frames: 250,
    }
}

#[test]
fn what_it_takes_up_of_bulks_is_read_back() {
    let (sealed, _) = sealed();
    let summary = Summary::parse(&sealed.bytes).expect("whole");
    assert_eq!(summary.bulks().collect::<Vec<_>>(), [object_ref()]);
    let last = summary.entries.last().expect("there are some");
    let Stretch {
        block,
        blocks,
        unit,
    } = stretch();
    let change = Change::Adopted {
        unit,
        blocks,
        object: object_ref(),
    };
    assert_eq!(*last, Entry { block, change });
}

#[test]
fn a_sealed_segment_is_read_back_from_its_end() {
    let (sealed, plain) = sealed();
    let summary = Summary::parse(&sealed.bytes).expect("whole");
    assert_eq!(summary, sealed.summary);
    assert_eq!(summary.frames(), 3);
    assert!(summary.vouches_for(&sealed.bytes));
    let zeroes = Change::Zero { blocks: 1 << 30 };
    assert_eq!(
        summary.entries[2],
        Entry {
            block: 100,
            change: zeroes
        }
    );
    for (block, data) in plain {
        let entry = summary.entries.iter().find(|entry| entry.block == block);
        let entry = entry.expect("it is listed");
        let unit = match entry.change {
            Change::Written { unit } => unit,
            Change::Moved { unit, .. } => unit,
            other => panic!("{other:?} has no frame"),
        };
        let frame = &sealed.bytes[usize_of(u64::from(unit)) * UNIT_LEN..];
        let mut opened = vec![1; BLOCK_LEN];
        assert!(open_frame_into(frame, block, &mut opened));
        assert_eq!(opened, data);
        assert!(!open_frame_into(frame, block + 1, &mut opened));
        assert_eq!(open_frame(frame, block), Some(data));
        assert_eq!(open_frame(frame, block + 1), None);
    }
    // What can be compressed is, and what cannot takes 64 bytes more.
    assert!(sealed.summary.frames_len < 2 * FRAME_LEN_MAX as u32 + 256);
}

#[test]
fn damage_is_seen() {
    let (sealed, _) = sealed();
    let frames_len = sealed.summary.frames_len as usize;
    for at in (0..sealed.bytes.len()).step_by(13) {
        let mut bytes = sealed.bytes.to_vec();
        bytes[at] ^= 32;
        match Summary::parse(&bytes) {
            Some(summary) => {
                assert!(at < frames_len);
                assert!(!summary.vouches_for(&bytes));
            }
            None => assert!(at >= frames_len),
        }
    }
    for len in [0, 63, 64, 500, sealed.bytes.len() - 1] {
        assert_eq!(Summary::parse(&sealed.bytes[..len]), None);
    }
    let first = random_block(1);
    let mut bytes = sealed.bytes.to_vec();
    assert_eq!(open_frame(&bytes, 9), Some(first));
    bytes[2000] ^= 1;
    assert_eq!(open_frame(&bytes, 9), None);
}
