//! Roots and claims, read back and damaged.

use super::*;

const CLAIM: Claim = Claim {
    head_number: 41,
    root: (3, 17),
};

fn root() -> Root {
    let volume = VolumeId(9);
    let id = |number| SegmentId { number, epoch: 2 };
    let row = |number| Row {
        id: id(number),
        len: 4 << 20,
        frames: 1000,
        live: 10,
    };
    let part = ObjectName {
        volume,
        kind: ObjectKind::Part,
        number: 77,
        epoch: 1,
    };
    Root {
        volume,
        epoch: 3,
        head: id(12),
        through_seq: 1 << 40,
        size_blocks: 1 << 28,
        rows: vec![(0, row(4)), (7, row(12))],
        parts: BTreeMap::from([(0, part), (5, part)]),
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
