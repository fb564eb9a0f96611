//! Names that are near each other fall far apart.

use std::collections::HashSet;
use std::hash::BuildHasher;

use super::*;
use crate::name::{ObjectKind, ObjectName, VolumeId};

#[test]
fn frames_of_objects_in_a_row_share_few_places() {
    let hasher = BuildNameHasher::default();
    let mut low = HashSet::new();
    let mut high = HashSet::new();
    for number in 0..64 {
        let name = ObjectName {
            volume: VolumeId(1),
            kind: ObjectKind::Segment,
            number,
            epoch: 3,
        };
        for frame in 0..64_u32 {
            let hash = hasher.hash_one((name, frame * 129));
            low.insert(hash & 0xffff);
            high.insert(hash >> 57);
        }
    }
    // Of 65,536 places 4,096 thrown at random take some 3,970.
    assert!(low.len() > 3_700, "{}", low.len());
    assert_eq!(high.len(), 128);
}
