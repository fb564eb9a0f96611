//! Snapshots taken and deleted, and the volume's length: each a record of the journal, or a root.

use base::Timestamp;

use super::{Engine, Task};
use crate::buffers::Buffer;
use crate::command::{Command, IoError, Refused, Reply, Stage};
use crate::freeze::Deletion;
use crate::name::ObjectName;
use crate::record::{Kind, record_len};
use crate::root::Root;
use crate::snapshot::{SNAPSHOT_NAME_MAX, Snapshot, SnapshotId, note};

/// How many snapshots may be on their way to the store.
const ON_THEIR_WAY_MAX: usize = 16;

impl Engine {
    /// Takes a snapshot of everything that has been accepted so far; costs a record of the journal.
    /// Answered once it is durable. `name` has 1 to [`SNAPSHOT_NAME_MAX`] bytes, none of them a control
    /// character, and no other snapshot of the volume has it.
    pub fn snapshot(&mut self, id: u64, name: &str, now: Timestamp) -> Result<SnapshotId, Refused> {
        self.refuse_if_stopped()?;
        let fits = (1..=SNAPSHOT_NAME_MAX).contains(&name.len());
        if !fits || name.chars().any(char::is_control) {
            return Err(Refused::Range);
        }
        if self.snapshots().any(|other| other.name == name) {
            return Err(Refused::Exists);
        }
        let on_their_way = self.snapshots_on_their_way().count();
        let note = note(name, now);
        let len = crate::bytes::len32(note.len());
        self.make_room(record_len(Kind::Snapshot, len))?;
        if on_their_way >= ON_THEIR_WAY_MAX {
            return Err(Refused::Full);
        }
        let seq = self.journal.append(Kind::Snapshot, 0, len, &note).seq;
        let taken = SnapshotId {
            seq,
            epoch: self.epoch,
        };
        let snapshot = Snapshot {
            id: taken,
            name: name.to_owned(),
            taken: now,
            size_blocks: self.size_blocks,
        };
        self.layers.cut(seq, self.size_blocks, Some(snapshot));
        self.await_written(id, true);
        self.maybe_pack();
        Ok(taken)
    }

    /// The snapshots that there are, oldest first; those that are being deleted too.
    pub fn snapshots(&self) -> impl Iterator<Item = &Snapshot> {
        let stored = self.checkpoints.named.snapshots.iter();
        stored
            .map(|(snapshot, _)| snapshot)
            .chain(self.snapshots_on_their_way())
    }

    /// Whether a snapshot is in the store, so that it can be cloned. [`Engine::settle`] brings it there.
    pub fn is_stored(&self, snapshot: SnapshotId) -> bool {
        self.object_of(snapshot).is_some()
    }

    /// Deletes a snapshot; answered once it is gone for good. No clone may be left that was made of it, see
    /// [`crate::Catalogue::clones_of`].
    pub fn delete_snapshot(&mut self, id: u64, snapshot: SnapshotId) -> Result<(), Refused> {
        self.refuse_if_stopped()?;
        if !self.snapshots().any(|other| other.id == snapshot) {
            return Err(Refused::Unknown);
        }
        if !self.doomed.insert(snapshot) {
            return Err(Refused::Exists);
        }
        self.unwanted.push((id, snapshot));
        self.settle();
        self.begin_deletions();
        Ok(())
    }

    /// Gives the volume another length, answered once that is durable. What a shorter one cuts off has to
    /// be zero, unless `force` says that it may be lost.
    pub fn resize(&mut self, id: u64, size_blocks: u64, force: bool) -> Result<(), Refused> {
        let old = self.size_blocks;
        let cut = old.saturating_sub(size_blocks);
        if size_blocks == 0 || size_blocks > crate::SIZE_BLOCKS_MAX {
            return Err(Refused::Range);
        }
        self.refuse_if_stopped()?;
        if cut > 0 && !force && self.has_data(size_blocks, cut) {
            return Err(Refused::Data);
        }
        let zeroes = record_len(Kind::Zero, 0) * (1 + cut / u64::from(u32::MAX));
        self.make_room(zeroes + record_len(Kind::Size, 0))?;
        let mut from = size_blocks;
        while from < old {
            let blocks = u32::try_from(old - from).unwrap_or(u32::MAX);
            self.append_zero(from, blocks);
            from += u64::from(blocks);
        }
        self.journal.append(Kind::Size, size_blocks, 0, &[]);
        self.size_blocks = size_blocks;
        self.await_written(id, true);
        Ok(())
    }

    fn has_data(&self, block: u64, blocks: u64) -> bool {
        let fresh = self.layers.within(block, blocks);
        let mut from = block;
        for part in fresh {
            let shows = self.map.any(from, part.block - from);
            if shows || part.content != crate::overlay::Content::Zero {
                return true;
            }
            from = part.block + part.blocks;
        }
        self.map.any(from, block + blocks - from)
    }

    pub(super) fn snapshots_on_their_way(&self) -> impl Iterator<Item = &Snapshot> {
        let layers = self.layers.cuts();
        let cut = layers.filter_map(|layer| layer.snapshot.as_ref());
        self.checkpoints.on_their_way().chain(cut)
    }

    fn object_of(&self, snapshot: SnapshotId) -> Option<ObjectName> {
        let mut stored = self.checkpoints.named.snapshots.iter();
        let found = stored.find(|(other, _)| other.id == snapshot);
        found.map(|(_, name)| *name)
    }

    /// Reads what unwanted snapshots name, as soon as they are stored.
    pub(super) fn begin_deletions(&mut self) {
        let unwanted = std::mem::take(&mut self.unwanted);
        for (id, snapshot) in unwanted {
            let Some(name) = self.object_of(snapshot) else {
                self.unwanted.push((id, snapshot));
                continue;
            };
            let token = self.begin(Task::Unwanted { id, name });
            let (offset, len) = (0, u64::MAX);
            self.commands.push_back(Command::Get {
                token,
                name,
                offset,
                len,
            });
        }
    }

    pub(super) fn unwanted_read(
        &mut self,
        id: u64,
        object: ObjectName,
        result: Result<Buffer, IoError>,
    ) {
        let root = result.as_ref().ok().and_then(|bytes| Root::decode(bytes));
        let Some(root) = root else {
            if !matches!(result, Err(IoError::Failed)) {
                self.replies.push_back(Reply::Damaged(object));
            }
            let named = self.checkpoints.named.snapshots.iter();
            let spared = named.filter(|(_, name)| *name == object);
            for (snapshot, _) in spared {
                self.doomed.remove(&snapshot.id);
            }
            return self.replies.push_back(Reply::Failed(id, Stage::Get));
        };
        self.checkpoints
            .deletions
            .push(Deletion { id, object, root });
        self.checkpoint();
    }
}

#[cfg(test)]
#[path = "snapshots_test.rs"]
mod tests;
