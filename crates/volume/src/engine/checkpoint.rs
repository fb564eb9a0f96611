//! Checkpoints: the parts of the map that have changed, one after the other, then a root.

use std::collections::{BTreeMap, BTreeSet};

use super::{Engine, Stored};
use crate::map::Map;
use crate::name::{ObjectKind, ObjectName};
use crate::root::Root;

/// A checkpoint costs at most this fraction of what was written to segments since the last.
const MAP_LEN_FACTOR: u64 = 8;

/// The newest checkpoint and the one being made.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// The newest durable root and what it names.
    root: ObjectName,
    parts: BTreeMap<u32, ObjectName>,
    /// Bytes of segments since it was begun.
    since_len: u64,
    /// Bytes of parts that the last one stored.
    stored_len: u64,
    making: Option<Making>,
    pub(super) count: u64,
}

/// A checkpoint being made, of a map that does not change any more.
#[derive(Debug)]
struct Making {
    map: Map,
    left: BTreeSet<u32>,
    root: Root,
    /// Segments that nothing pointed into when it was begun.
    dead: Vec<u32>,
    stored_len: u64,
}

impl Checkpoints {
    pub(super) fn new(root: ObjectName, parts: BTreeMap<u32, ObjectName>) -> Self {
        Self {
            root,
            parts,
            since_len: 0,
            stored_len: 0,
            making: None,
            count: 0,
        }
    }

    /// A segment of this length has taken effect.
    pub(super) fn add(&mut self, segment_len: u64) {
        self.since_len += segment_len;
    }
}

impl Engine {
    /// Begins a checkpoint now, unless one is under way; recovery is quicker after it.
    pub fn checkpoint(&mut self) {
        if self.checkpoints.making.is_some() || self.stopped.is_some() {
            return;
        }
        let rows = self.table.rows();
        let (live, dead): (Vec<_>, Vec<_>) = rows.partition(|(_, row)| row.live > 0);
        let root = Root {
            volume: self.config.volume,
            epoch: self.epoch,
            head: self.packer.head(),
            through_seq: self.packer.applied_through(),
            size_blocks: self.size_blocks,
            rows: live,
            parts: self.checkpoints.parts.clone(),
        };
        let left = self.map.take_changed();
        self.checkpoints.since_len = 0;
        self.checkpoints.making = Some(Making {
            map: self.map.clone(),
            left,
            root,
            dead: dead.into_iter().map(|(number, _)| number).collect(),
            stored_len: 0,
        });
        self.next_of_checkpoint();
    }

    pub(super) fn maybe_checkpoint(&mut self) {
        let worth = MAP_LEN_FACTOR * self.checkpoints.stored_len;
        if self.checkpoints.since_len >= self.config.checkpoint_len.max(worth) {
            self.checkpoint();
        }
    }

    /// Stores the next part, or the root if there is none.
    pub(super) fn next_of_checkpoint(&mut self) {
        loop {
            let Some(making) = &mut self.checkpoints.making else {
                return;
            };
            let Some(part) = making.left.pop_first() else {
                let bytes = making.root.encode();
                let name = self.object_name(ObjectKind::Root);
                return self.put(name, bytes, Stored::Root);
            };
            let Some(bytes) = making.map.encode_part(part) else {
                making.root.parts.remove(&part);
                continue;
            };
            making.stored_len += bytes.len() as u64;
            let name = self.object_name(ObjectKind::Part);
            if let Some(making) = &mut self.checkpoints.making {
                making.root.parts.insert(part, name);
            }
            return self.put(name, bytes, Stored::Part);
        }
    }

    /// The root is durable: what only older ones need may go, the old root first, so that none is
    /// ever left that names what is gone.
    pub(super) fn root_stored(&mut self, name: ObjectName) {
        let Some(making) = self.checkpoints.making.take() else {
            return;
        };
        let old_root = std::mem::replace(&mut self.checkpoints.root, name);
        let kept: BTreeSet<ObjectName> = making.root.parts.values().copied().collect();
        let old_parts = std::mem::replace(&mut self.checkpoints.parts, making.root.parts);
        self.checkpoints.stored_len = making.stored_len;
        self.checkpoints.count += 1;
        self.delete(old_root);
        for part in old_parts.into_values().filter(|part| !kept.contains(part)) {
            self.delete(part);
        }
        for number in making.dead {
            if let Some(row) = self.table.get(number) {
                let segment = ObjectName::segment(self.config.volume, row.id);
                self.delete(segment);
                self.table.remove(number);
            }
        }
        self.maybe_collect();
        self.maybe_checkpoint();
    }
}
