//! Roots and claims, read back and damaged.

use super::*;

const CLAIM: Claim = Claim {
    head_number: 41,
    root: (3, 17),
};

fn root() -> Root {
    let volume = VolumeId(9);
    let id = |number| SegmentId { number, epoch: 2 };
    let row = |volume, number| Row {
        volume,
        id: id(number),
        len: 4 << 20,
        frames: 1000,
        live: 10,
        pins: 2,
        born: 3,
    };
    let object = |volume, kind| ObjectName {
        volume,
        kind,
        number: 77,
        epoch: 1,
    };
    let (ours, theirs) = (
        object(volume, ObjectKind::Part),
        object(VolumeId(4), ObjectKind::Part),
    );
    let snapshot = Snapshot {
        id: SnapshotId { seq: 5, epoch: 1 },
        name: "before".to_owned(),
        taken: base::Timestamp::from_secs(1),
        size_blocks: 77,
    };
    Root {
        epoch: 3,
        head: id(12),
        through_seq: 1 << 40,
        parent: Some(Parent {
            volume: VolumeId(4),
            snapshot: SnapshotId { seq: 8, epoch: 1 },
        }),
        rows: vec![(0, row(volume, 4)), (7, row(VolumeId(4), 12))],
        parts: BTreeMap::from([(0, ours), (5, theirs)]),
        held: BTreeMap::from([(ours, 3)]),
        snapshots: vec![(snapshot, object(volume, ObjectKind::Snapshot))],
        ..Root::new(volume, "acme/data", 1 << 28)
    }
}

#[test]
fn they_are_read_back() {
    assert_eq!(Root::decode(&root().encode()), Some(root()));
    assert_eq!(Claim::decode(&CLAIM.encode()), Some(CLAIM));
    assert_eq!(Claim::decode(&root().encode()), None);
    assert_eq!(Root::decode(&CLAIM.encode()), None);
}

#[test]
fn damage_is_seen() {
    let bytes = root().encode();
    for at in 0..bytes.len() {
        let mut turned = bytes.clone();
        turned[at] ^= 1;
        assert_eq!(Root::decode(&turned), None);
        assert_eq!(Root::decode(&bytes[..at]), None);
    }
    assert_eq!(Claim::decode(&CLAIM.encode()[..15]), None);
}
