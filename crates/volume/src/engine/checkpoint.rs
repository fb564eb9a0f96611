//! Checkpoints: the parts of the map that have changed, one after the other, then a root.
//!
//! A checkpoint at the end of a layer that was cut for a snapshot stores that too, before the root that
//! names it: so a snapshot is there from one moment to the next, and goes in the same way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Engine, Stored};
use crate::command::Reply;
use crate::freeze::{Deletion, Frozen, Standing};
use crate::name::{ObjectKind, ObjectName};
use crate::snapshot::Snapshot;

/// A checkpoint costs at most this fraction of what was written to segments since the last.
const MAP_LEN_FACTOR: u64 = 32;

/// The newest checkpoint and those being made.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// The newest durable root and what it names.
    root: ObjectName,
    /// The last segment that it knows of.
    root_head: u64,
    pub(super) named: Named,
    /// Bytes of segments since the last state was frozen.
    since_len: u64,
    /// Bytes of parts and root that the last one stored.
    stored_len: u64,
    /// The first is being stored.
    queue: VecDeque<Frozen>,
    making: bool,
    /// Somebody waits for one.
    wanted: bool,
    /// Snapshots that were read so that they can be forgotten.
    pub(super) deletions: Vec<Deletion>,
    pub(super) count: u64,
    pub(super) bytes: u64,
}

/// What the newest root names, beside segments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    pub(crate) parts: BTreeMap<u32, ObjectName>,
    pub(crate) held: BTreeMap<ObjectName, u32>,
    pub(crate) snapshots: Vec<(Snapshot, ObjectName)>,
}

impl Checkpoints {
    pub(super) fn new(
        (root, root_head): (ObjectName, u64),
        named: Named,
        frozen: VecDeque<Frozen>,
    ) -> Self {
        Self {
            root,
            root_head,
            named,
            since_len: 0,
            stored_len: 0,
            queue: frozen,
            making: false,
            wanted: false,
            deletions: Vec::new(),
            count: 0,
            bytes: 0,
        }
    }

    /// A segment of this length has taken effect.
    pub(super) fn add(&mut self, segment_len: u64) {
        self.since_len += segment_len;
    }

    /// Snapshots that are not stored yet, oldest first.
    pub(super) fn on_their_way(&self) -> impl Iterator<Item = &Snapshot> {
        self.queue
            .iter()
            .filter_map(|frozen| frozen.snapshot.as_ref())
    }
}

impl Engine {
    /// Makes a checkpoint as soon as there can be one; recovery is quicker after it.
    pub fn checkpoint(&mut self) {
        self.checkpoints.wanted = true;
        self.settle();
        self.maybe_checkpoint();
    }

    /// Takes the state as it is, which has to be whole.
    pub(super) fn freeze(&mut self, snapshot: Option<Snapshot>) {
        let standing = Standing {
            volume: self.config.volume,
            epoch: self.epoch,
            head: self.packer.head(),
            through_seq: self.packer.applied_through(),
            size_blocks: self.packed_size_blocks,
            parent: self.parent,
            label: &self.label,
        };
        let deletions = std::mem::take(&mut self.checkpoints.deletions);
        let state = (&mut self.map, &mut self.table);
        let frozen = Frozen::take(standing, state, snapshot, deletions);
        self.checkpoints.since_len = 0;
        self.checkpoints.wanted = false;
        self.checkpoints.queue.push_back(frozen);
        self.make_checkpoint();
    }

    pub(super) fn maybe_checkpoint(&mut self) {
        let checkpoints = &self.checkpoints;
        let idle = checkpoints.queue.is_empty() && self.packer.is_whole();
        let worth = MAP_LEN_FACTOR * checkpoints.stored_len;
        let due = checkpoints.since_len >= self.config.checkpoint_len.max(worth);
        if idle && self.stopped.is_none() && (due || checkpoints.wanted) {
            self.freeze(None);
        }
    }

    /// Begins to store the oldest state that is frozen.
    pub(super) fn make_checkpoint(&mut self) {
        if self.checkpoints.making {
            return;
        }
        let checkpoints = &mut self.checkpoints;
        let Some(frozen) = checkpoints.queue.front_mut() else {
            return;
        };
        checkpoints.making = true;
        checkpoints.stored_len = 0;
        let named = &checkpoints.named;
        frozen.root.parts.clone_from(&named.parts);
        frozen.root.held.clone_from(&named.held);
        frozen.root.snapshots.clone_from(&named.snapshots);
        for deletion in &frozen.deletions {
            let other = |(_, name): &(Snapshot, ObjectName)| *name != deletion.object;
            frozen.root.snapshots.retain(other);
            for part in deletion.root.parts.values() {
                if let Some(count) = frozen.root.held.get_mut(part) {
                    *count = count.saturating_sub(1);
                }
            }
        }
        frozen.root.held.retain(|_, count| *count > 0);
        self.next_of_checkpoint();
    }

    /// Stores the next part, or the snapshot if there is none, or else the root.
    pub(super) fn next_of_checkpoint(&mut self) {
        loop {
            let Some(frozen) = self.checkpoints.queue.front_mut() else {
                return;
            };
            let Some(part) = frozen.changed.pop_first() else {
                let unkept = frozen.snapshot.clone().filter(|_| !frozen.is_kept);
                return match unkept {
                    Some(snapshot) => self.put_snapshot(snapshot),
                    None => self.put_root(),
                };
            };
            let Some(bytes) = frozen.map.encode_part(part) else {
                frozen.root.parts.remove(&part);
                continue;
            };
            let name = self.object_name(ObjectKind::Part);
            if let Some(frozen) = self.checkpoints.queue.front_mut() {
                frozen.root.parts.insert(part, name);
            }
            return self.put_counted(name, bytes, Stored::Part);
        }
    }

    fn put_snapshot(&mut self, snapshot: Snapshot) {
        let name = self.object_name(ObjectKind::Snapshot);
        let Some(frozen) = self.checkpoints.queue.front_mut() else {
            return;
        };
        let bytes = frozen.kept().encode();
        for part in frozen.root.parts.values() {
            *frozen.root.held.entry(*part).or_default() += 1;
        }
        frozen.root.snapshots.push((snapshot, name));
        frozen.is_kept = true;
        self.put_counted(name, bytes, Stored::Part);
    }

    fn put_root(&mut self) {
        let Some(frozen) = self.checkpoints.queue.front() else {
            return;
        };
        let bytes = frozen.root.encode();
        let name = self.object_name(ObjectKind::Root);
        self.put_counted(name, bytes, Stored::Root);
    }

    fn put_counted(&mut self, name: ObjectName, bytes: Vec<u8>, what: Stored) {
        self.checkpoints.stored_len += bytes.len() as u64;
        self.checkpoints.bytes += bytes.len() as u64;
        self.put(name, bytes, what);
    }

    /// The root is durable: what only older ones need may go, the old root first, so that none is
    /// ever left that names what is gone.
    pub(super) fn root_stored(&mut self, name: ObjectName) {
        let Some(frozen) = self.checkpoints.queue.pop_front() else {
            return;
        };
        let root = frozen.root;
        let new = Named {
            parts: root.parts,
            held: root.held,
            snapshots: root.snapshots,
        };
        let old = std::mem::replace(&mut self.checkpoints.named, new.clone());
        let old_root = std::mem::replace(&mut self.checkpoints.root, name);
        self.checkpoints.root_head = root.head.number;
        self.checkpoints.count += 1;
        self.checkpoints.making = false;
        self.delete(old_root);
        let kept: BTreeSet<&ObjectName> = new.parts.values().chain(new.held.keys()).collect();
        let mut gone: BTreeSet<ObjectName> = old.parts.into_values().collect();
        for deletion in frozen.deletions {
            self.delete(deletion.object);
            gone.extend(deletion.root.parts.into_values());
            self.replies.push_back(Reply::Done(deletion.id));
        }
        let own = |part: &&ObjectName| part.volume == self.config.volume && !kept.contains(part);
        let gone: Vec<ObjectName> = gone.iter().filter(own).copied().collect();
        gone.into_iter().for_each(|part| self.delete(part));
        for (number, name) in frozen.dead {
            self.forget(number, name);
        }
        self.make_checkpoint();
        self.begin_deletions();
        self.maybe_move_tail();
        self.maybe_collect();
        self.maybe_checkpoint();
        self.maybe_pack();
    }

    /// Deletes what is dead and older than the newest root, where the map is whole: whoever starts from that
    /// root comes by the segments that took its place. What is newer has to stay, since no number may be
    /// missing behind the root.
    pub(super) fn delete_dead(&mut self) {
        let head = self.checkpoints.root_head;
        let mut queue = self.checkpoints.queue.iter();
        // The newest root still names the snapshots that these no longer have.
        if queue.any(|frozen| !frozen.deletions.is_empty()) {
            return;
        }
        let dead = self.table.dead();
        let old = dead.filter(|(_, row)| row.volume == self.config.volume && row.since() <= head);
        let old: Vec<_> = old.map(|(number, row)| (number, row.name())).collect();
        for (number, name) in old {
            self.forget(number, name);
        }
    }

    /// Forgets a row and deletes its segment, unless the row is another's by now.
    fn forget(&mut self, number: u32, name: ObjectName) {
        // While the journal names it, recovery looks for it.
        let is_named = self.bulks.has(name.segment_id()) && name.volume == self.config.volume;
        if self.segment_at(number) == Some(name) && !is_named {
            if name.volume == self.config.volume {
                self.delete(name);
            }
            self.table.remove(number);
        }
    }
}
