//! States of a volume that are to be kept: taken in no time, stored at leisure.

use std::collections::BTreeSet;

use crate::map::Map;
use crate::name::{ObjectName, SegmentId, VolumeId};
use crate::root::Root;
use crate::snapshot::{Parent, Snapshot};
use crate::table::Table;

/// Where in its history a volume stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing<'a> {
    pub(crate) volume: VolumeId,
    /// The attachment whose state this is.
    pub(crate) epoch: u32,
    pub(crate) head: SegmentId,
    pub(crate) through_seq: u64,
    pub(crate) size_blocks: u64,
    pub(crate) parent: Option<Parent>,
    pub(crate) label: &'a str,
}

/// A state that does not change any more.
#[derive(Debug)]
pub(crate) struct Frozen {
    pub(crate) map: Map,
    /// The parts that have changed since the state before this one.
    pub(crate) changed: BTreeSet<u32>,
    /// Without parts and snapshots: those depend on what is stored before.
    pub(crate) root: Root,
    /// Segments that nothing needs, by their rows; which may be another's once they are forgotten, be it of
    /// the same number in another volume.
    pub(crate) dead: Vec<(u32, ObjectName)>,
    /// What it is to be kept as.
    pub(crate) snapshot: Option<Snapshot>,
    /// The snapshot's object is stored, or on its way.
    pub(crate) is_kept: bool,
    /// Snapshots that are not in it any more.
    pub(crate) deletions: Vec<Deletion>,
}

/// A snapshot on its way out.
#[derive(Debug)]
pub(crate) struct Deletion {
    /// To answer with.
    pub(crate) id: u64,
    pub(crate) object: ObjectName,
    /// What it says.
    pub(crate) root: Root,
}

impl Frozen {
    /// Takes the state as it is, without the snapshots that are to go.
    pub(crate) fn take(
        standing: Standing<'_>,
        (map, table): (&mut Map, &mut Table),
        snapshot: Option<Snapshot>,
        deletions: Vec<Deletion>,
    ) -> Self {
        for (number, _) in deletions.iter().flat_map(|deletion| &deletion.root.rows) {
            table.unpin(*number);
        }
        if snapshot.is_some() {
            table.pin_live();
        }
        let mut root = Root::new(standing.volume, standing.label, standing.size_blocks);
        root.epoch = standing.epoch;
        root.head = standing.head;
        root.through_seq = standing.through_seq;
        root.parent = standing.parent;
        root.rows = table.rows().filter(|(_, row)| !row.is_dead()).collect();
        Self {
            map: map.clone(),
            changed: map.take_changed(),
            root,
            dead: table
                .dead()
                .map(|(number, row)| (number, row.name()))
                .collect(),
            snapshot,
            is_kept: false,
            deletions,
        }
    }

    /// What is to be kept of it as a snapshot: what the volume itself needs, and nothing else.
    pub(crate) fn kept(&self) -> Root {
        let mut kept = self.root.clone();
        kept.held.clear();
        kept.snapshots.clear();
        kept.rows.retain(|(_, row)| row.live > 0);
        kept
    }
}
