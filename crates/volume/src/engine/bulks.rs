//! Large writes: stored as objects first, then journalled by name.

use std::collections::{BTreeMap, BTreeSet};

use super::{Engine, Task};
use crate::buffers::Buffer;
use crate::bulk::{BulkDraft, BulkRef, bulk_len};
use crate::command::{Command, IoError, Refused, Stage};
use crate::name::{ObjectName, SegmentId};
use crate::overlay::{Content, Fresh};
use crate::record::{Kind, record_len};

/// Bulks of which the journal has records.
#[derive(Debug, Default)]
pub(crate) struct Bulks {
    by_id: BTreeMap<SegmentId, Known>,
    /// By the last record of each.
    by_seq: BTreeMap<u64, SegmentId>,
    unsynced: BTreeMap<u64, SegmentId>,
    /// Bytes of them all, and of those that are being stored.
    len: u64,
    /// Those of whose records no segment was begun.
    unplanned_len: u64,
    count: u64,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    len: u64,
    last_seq: u64,
    /// A segment has taken it up, so that it belongs to the table.
    adopted: bool,
}

impl Bulks {
    /// One whose record recovery has found, and whose object is durable. Where segments have gone past its
    /// record, they have taken it up or not.
    pub(crate) fn recovered(&mut self, object: BulkRef, seq: u64, past: Option<bool>) {
        let len = u64::from(object.len);
        match self.by_id.get(&object.id) {
            Some(known) => drop(self.by_seq.remove(&known.last_seq)),
            None => {
                self.len += len;
                self.unplanned_len += if past.is_some() { 0 } else { len };
            }
        }
        self.know(object.id, len, seq);
        if past == Some(true) {
            self.adopted(object.id);
        }
    }

    fn know(&mut self, id: SegmentId, len: u64, last_seq: u64) {
        let adopted = false;
        let known = Known {
            len,
            last_seq,
            adopted,
        };
        self.by_id.insert(id, known);
        self.by_seq.insert(last_seq, id);
    }

    pub(crate) fn has(&self, id: SegmentId) -> bool {
        self.by_id.contains_key(&id)
    }

    /// Bytes that count as if they were in the journal.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The same of those that no segment was begun for.
    pub(super) fn unplanned_len(&self) -> u64 {
        self.unplanned_len
    }

    /// A segment was begun that covers the records `after..=through`.
    pub(super) fn planned(&mut self, after: u64, through: u64) {
        let range = self.by_seq.range(after + 1..=through);
        let len = range.filter_map(|(_, id)| self.by_id.get(id));
        let len: u64 = len.map(|known| known.len).sum();
        self.unplanned_len = self.unplanned_len.saturating_sub(len);
    }

    pub(super) fn adopted(&mut self, id: SegmentId) {
        if let Some(known) = self.by_id.get_mut(&id) {
            known.adopted = true;
        }
    }

    /// The journal has no records before `seq` any more: gives those that nothing has taken up.
    fn released(&mut self, seq: u64) -> Vec<SegmentId> {
        let kept = self.by_seq.split_off(&seq);
        let gone = std::mem::replace(&mut self.by_seq, kept);
        let mut unwanted = Vec::new();
        for (last, id) in gone {
            self.unsynced.remove(&last);
            if let Some(known) = self.by_id.remove(&id) {
                self.len = self.len.saturating_sub(known.len);
                unwanted.extend((!known.adopted).then_some(id));
            }
        }
        unwanted
    }

    /// Those up to `seq` that are not durable.
    fn unsynced_through(&self, seq: u64) -> Vec<(u64, SegmentId)> {
        let range = self.unsynced.range(..=seq);
        range.map(|(seq, id)| (*seq, *id)).collect()
    }

    /// How far a sync may be extended beyond `covered`: to `written` where no bulk is in between that is not
    /// durable, else not at all, since a bulk may have several records before its last.
    pub(super) fn synced_through(&self, covered: u64, written: u64) -> u64 {
        let next = self.unsynced.range(covered + 1..).next();
        next.map_or(written.max(covered), |_| covered)
    }

    pub(super) fn synced(&mut self, ended: &[(u64, SegmentId)]) {
        for (seq, _) in ended {
            self.unsynced.remove(seq);
        }
    }

    /// Which of some are not durable.
    pub(super) fn unsynced_of(&self, wanted: &BTreeSet<SegmentId>) -> Vec<(u64, SegmentId)> {
        let known = wanted
            .iter()
            .filter_map(|id| Some((self.by_id.get(id)?.last_seq, *id)));
        known
            .filter(|(seq, _)| self.unsynced.contains_key(seq))
            .collect()
    }
}

impl Engine {
    /// Makes room for a large write of at most [`crate::BULK_BLOCKS_MAX`] blocks, which whoever asks
    /// stores as an object of its own; [`Engine::write_bulk`] or [`Engine::abandon_bulk`] has to follow.
    /// Refused where there are so many objects already that it has to go through the journal.
    pub fn begin_bulk(&mut self, blocks: u32) -> Result<BulkDraft, Refused> {
        self.refuse_if_stopped()?;
        if blocks == 0 || blocks > crate::BULK_BLOCKS_MAX || !self.table.takes_bulks() {
            return Err(Refused::Range);
        }
        let len = bulk_len(blocks);
        // Each stretch may have a record of its own.
        self.make_room(len + u64::from(blocks) * record_len(Kind::Bulk, 1))?;
        self.bulks.len += len;
        self.bulks.count += 1;
        let id = SegmentId::bulk(self.bulks.count, self.epoch);
        Ok(BulkDraft::new(self.config.volume, id, blocks))
    }

    /// The object is stored, though not durably: each stretch of it is a write, answered as such. On an
    /// error it is deleted.
    pub fn write_bulk(&mut self, draft: BulkDraft, writes: &[(u64, bool)]) -> Result<(), Refused> {
        let fits = draft.stretches.iter().all(|stretch| {
            let end = stretch.block.checked_add(u64::from(stretch.blocks));
            stretch.blocks > 0 && end.is_some_and(|end| end <= self.size_blocks)
        });
        let fits = fits && writes.len() == draft.stretches.len();
        let object = match self.refuse_if_stopped() {
            Ok(()) => draft.object.filter(|_| fits).ok_or(Refused::Range),
            Err(stopped) => Err(stopped),
        };
        let object = match object {
            Ok(object) => object,
            Err(refused) => {
                self.abandon_bulk(&draft);
                return Err(refused);
            }
        };
        self.bulks.len = self.bulks.len.saturating_sub(draft.room);
        for stretch in &draft.stretches {
            let note = object.note(stretch.unit);
            let appended = self
                .journal
                .append(Kind::Bulk, stretch.block, stretch.blocks, &note);
            self.lay(Fresh {
                block: stretch.block,
                blocks: u64::from(stretch.blocks),
                seq: appended.seq,
                content: Content::Bulk {
                    object,
                    unit: stretch.unit,
                },
            });
        }
        let (last, len) = (self.journal.last_seq(), u64::from(object.len));
        self.bulks.len += len;
        self.bulks.unplanned_len += len;
        self.bulks.know(object.id, len, last);
        self.bulks.unsynced.insert(last, object.id);
        for (id, fua) in writes {
            self.await_written(*id, *fua);
        }
        Ok(())
    }

    /// The object could not be stored whole, and no write of it is answered.
    pub fn abandon_bulk(&mut self, draft: &BulkDraft) {
        self.bulks.len = self.bulks.len.saturating_sub(draft.room);
        self.delete(draft.name());
        self.room_again();
    }

    /// Has the bulks up to a record made durable; says whether there are any that are not.
    pub(super) fn sync_bulks(&mut self, through: u64) -> bool {
        let unsynced = self.bulks.unsynced_through(through);
        let any = !unsynced.is_empty();
        if any {
            self.begin_bulk_sync(unsynced, None);
        }
        any
    }

    /// For a flush, or for the segment of a number that is to take them up.
    pub(super) fn begin_bulk_sync(&mut self, unsynced: Vec<(u64, SegmentId)>, slot: Option<u64>) {
        let named = |(_, id): &(u64, SegmentId)| ObjectName::segment(self.config.volume, *id);
        let names = unsynced.iter().map(named).collect();
        let token = self.begin(Task::BulkSync { unsynced, slot });
        self.commands.push_back(Command::BulkSync { token, names });
    }

    pub(super) fn bulk_sync_ended(
        &mut self,
        unsynced: &[(u64, SegmentId)],
        slot: Option<u64>,
        result: Result<Buffer, IoError>,
    ) {
        if result.is_err() {
            return self.stop(Stage::Put);
        }
        self.bulks.synced(unsynced);
        match slot {
            Some(number) => self.pack_bulks_synced(number),
            None => self.part_of_sync_ended(),
        }
    }

    /// The journal's tail has moved: objects that only records before it named are not needed.
    pub(super) fn release_bulks(&mut self) {
        let first = self.journal.after(0).next().map(|kept| kept.seq);
        let first = first.unwrap_or(self.journal.last_seq() + 1);
        for id in self.bulks.released(first) {
            self.delete(ObjectName::segment(self.config.volume, id));
        }
    }
}
