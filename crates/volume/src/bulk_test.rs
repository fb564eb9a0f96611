//! Bulks as bytes: what is stored is a segment, and what is not whole is not believed.

use super::*;
use crate::BLOCK_LEN;
use crate::frame::open_frame;

fn draft() -> (BulkDraft, Vec<u8>) {
    let mut draft = BulkDraft::new(VolumeId(3), SegmentId::bulk(9, 2), 5);
    let mut bytes = Vec::new();
    for (first, count) in [(40, 2), (7, 3)] {
        draft.begin(first);
        for block in first..first + count {
            let data = [block as u8; BLOCK_LEN];
            bytes.extend(draft.push(&data));
            bytes.extend(data);
        }
    }
    bytes.extend(draft.end());
    (draft, bytes)
}

#[test]
fn a_bulk_is_laid_out_as_a_segment() {
    let (draft, bytes) = draft();
    let object = draft.object.expect("it has ended");
    assert_eq!((object.len as usize, object.frames), (bytes.len(), 5));
    assert_eq!(bytes.len() as u64, bulk_len(5));
    let summary = Summary::parse(&bytes).expect("it is whole");
    assert!(summary.vouches_for(&bytes));
    assert_eq!((summary.id, summary.frames()), (object.id, 5));
    for entry in &summary.entries {
        let Change::Written { unit } = entry.change else {
            panic!("{entry:?}");
        };
        let frame = &bytes[unit as usize * UNIT_LEN..];
        let data = open_frame(frame, entry.block).expect("it is whole");
        assert_eq!(data, [entry.block as u8; BLOCK_LEN]);
    }
}

#[test]
fn a_record_names_its_stretch_and_survives_its_encoding() {
    let (draft, bytes) = draft();
    let object = draft.object.expect("it has ended");
    let stretch = draft.stretches[1];
    let record = Record {
        volume: VolumeId(3),
        seq: 5,
        epoch: 2,
        kind: Kind::Bulk,
        block: stretch.block,
        blocks: stretch.blocks,
        durable_seq: 0,
    };
    let mut out = Vec::new();
    record.put(&object.note(stretch.unit), &[], &mut out);
    let found = Record::parse(&out).expect("it is whole");
    assert_eq!(found.record, record);
    assert_eq!(
        BulkRef::of(&found.record, &found.note),
        Some((object, stretch))
    );
    assert!(object.is_whole(VolumeId(3), stretch, &bytes));
}

#[test]
fn what_is_torn_or_of_another_is_not_believed() {
    let (draft, bytes) = draft();
    let object = draft.object.expect("it has ended");
    let stretch = draft.stretches[0];
    let whole = |volume, stretch, bytes: &[u8]| object.is_whole(VolumeId(volume), stretch, bytes);
    assert!(!whole(4, stretch, &bytes));
    assert!(!whole(3, stretch, &bytes[..bytes.len() - 1]));
    assert!(!whole(3, stretch, &[]));
    let shifted = Stretch {
        block: stretch.block + 1,
        ..stretch
    };
    assert!(!whole(3, shifted, &bytes));
    let longer = Stretch {
        blocks: 6,
        ..stretch
    };
    assert!(!whole(3, longer, &bytes));
    for at in (0..bytes.len()).step_by(97) {
        let mut rotten = bytes.clone();
        rotten[at] ^= 1;
        assert!(!whole(3, stretch, &rotten), "byte {at}");
    }
}
