//! The packer: the live part of the oldest records becomes a segment, and takes effect in order.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use super::gather::spans;
use super::{Engine, Stored, Task};

use crate::buffers::Buffer;
use crate::bytes::len32;
use crate::command::{Command, IoError, Reply, Stage};
use crate::draft::{Draft, Moved, Run, Sealed};
use crate::journal::file_offset;
use crate::name::{ObjectName, SegmentId};
use crate::overlay::{Content, Fresh};
use crate::segment::Summary;
use crate::table::apply;

/// Packing is pressed where writes have less room left than this part of the journal.
const PRESSED_PART: u64 = 8;

/// Segments on their way, in the order in which they take effect.
#[derive(Debug)]
pub(super) struct Packer {
    slots: VecDeque<Slot>,
    /// The last segment that has taken effect.
    head: SegmentId,
    applied_through: u64,
    /// The same at the end of the last layer that has taken effect whole: what the journal may forget.
    whole_through: u64,
    /// Whether the map is the volume as it was after that record, with no newer data in between.
    is_whole: bool,
    /// The last record that a segment on its way covers, and whether it ends its layer.
    pub(super) planned_through: u64,
    pub(super) planned_whole: bool,
    next_number: u64,
    /// Segments and their bytes that have taken effect since the attachment began.
    pub(super) stored: u64,
    pub(super) stored_len: u64,
}

#[derive(Debug)]
struct Slot {
    id: SegmentId,
    through_seq: u64,
    whole: bool,
    size_blocks: u64,
    fresh: Vec<Fresh>,
    state: SlotState,
}

#[derive(Debug)]
enum SlotState {
    /// Parts of the journal, and how many are still to come.
    Reading {
        missing: usize,
        runs: Vec<Run>,
    },
    Sealing,
    Putting(Summary, u32),
    Stored(Summary, u32),
}

impl Packer {
    pub(super) fn new(head: SegmentId, through_seq: u64, is_whole: bool) -> Self {
        Self {
            slots: VecDeque::new(),
            head,
            applied_through: through_seq,
            whole_through: through_seq,
            is_whole,
            planned_through: through_seq,
            planned_whole: is_whole,
            next_number: head.number + 1,
            stored: 0,
            stored_len: 0,
        }
    }

    pub(super) fn head(&self) -> SegmentId {
        self.head
    }

    pub(super) fn applied_through(&self) -> u64 {
        self.applied_through
    }

    pub(super) fn whole_through(&self) -> u64 {
        self.whole_through
    }

    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The number of the segment that was begun last.
    pub(super) fn last_number(&self) -> u64 {
        self.next_number - 1
    }

    fn slot(&mut self, number: u64) -> Option<&mut Slot> {
        self.slots.iter_mut().find(|slot| slot.id.number == number)
    }

    fn next_id(&mut self, epoch: u32) -> SegmentId {
        let number = self.next_number;
        self.next_number += 1;
        SegmentId { number, epoch }
    }
}

impl Engine {
    /// Packs all that there is; to be called before a volume is detached, or when it idles.
    pub fn settle(&mut self) {
        self.cut_layer();
        self.maybe_pack();
    }

    /// Ends the top layer here, if there is anything in it.
    fn cut_layer(&mut self) {
        let last = self.journal.last_seq();
        let before = self.layers.cuts().next_back();
        let before = before.map_or(self.packer.planned_through, |layer| layer.cut_seq);
        if last > before && self.stopped.is_none() {
            self.layers.cut(last, self.size_blocks, None);
        }
    }

    /// Packs what is cut; cuts if there is enough for that, or if somebody waits for room.
    pub(super) fn maybe_pack(&mut self) {
        while self.stopped.is_none() && self.packer.slots.len() < self.config.puts_max {
            if self.layers.after(self.packer.planned_through).is_none() {
                let enough = self.layer_len();
                if self.journal.used_len() + self.bulks.len() < enough && !self.writes.has_refused()
                {
                    return;
                }
                let pressed = self.writes.has_refused() && self.packer.slots.is_empty();
                if !pressed && self.unplanned_len() + self.bulks.unplanned_len() < enough {
                    return;
                }
                self.cut_layer();
            }
            if !self.table.has_room() || !self.plan() {
                return;
            }
        }
    }

    /// Whether there is so little room left that writes may soon have to wait for packing.
    pub fn is_pressed(&self) -> bool {
        let soon = self.journal.lap_len() / PRESSED_PART;
        self.writes.has_refused() || !self.journal.has_room(self.bulks.len() + soon)
    }

    /// How much of the journal a layer takes: the more, the more of what is written again soon is never
    /// packed.
    fn layer_len(&self) -> u64 {
        self.journal.lap_len() / 2
    }

    pub(super) fn pack_under_pressure(&mut self) {
        self.maybe_move_tail();
        self.maybe_pack();
    }

    /// Bytes of written records that no segment covers.
    fn unplanned_len(&self) -> u64 {
        let written = self.journal.written_seq();
        let planned = self.packer.planned_through;
        let mut after = self
            .journal
            .after(planned)
            .take_while(|kept| kept.seq <= written);
        let first = after.next();
        let last = self.journal.after(written.saturating_sub(1)).next();
        match (first, last) {
            (Some(first), Some(last)) => last.end.saturating_sub(first.pos),
            _ => 0,
        }
    }

    /// Segments of what is planned, out of records behind `before`. What one is of lies between what the others
    /// are of, so that they share what is read.
    pub(super) fn start_slots(&mut self, before: u64, size_blocks: u64, parts: Vec<Vec<Fresh>>) {
        let lap_len = self.journal.lap_len();
        let spans = spans(parts.iter().flatten(), lap_len);
        let first = self.packer.next_number;
        let (last, whole) = (parts.len().saturating_sub(1), self.packer.planned_whole);
        for (index, part) in parts.into_iter().enumerate() {
            // A layer counts once its last segment is there; before, nobody asks how far the others come.
            let reach = match index == last {
                true => (self.packer.planned_through, whole),
                false => (before, false),
            };
            self.start_slot(reach, size_blocks, part, spans.len());
        }
        for (pos, len) in spans {
            let numbers = first..self.packer.next_number;
            let token = self.begin(Task::PackRead { numbers, pos });
            let at = file_offset(pos, lap_len);
            self.commands
                .push_back(Command::JournalRead { token, at, len });
        }
        self.advance_slots();
    }

    fn start_slot(
        &mut self,
        (through_seq, whole): (u64, bool),
        size_blocks: u64,
        fresh: Vec<Fresh>,
        reads: usize,
    ) {
        let id = self.packer.next_id(self.epoch);
        let bulks = fresh.iter().filter_map(|part| match part.content {
            Content::Bulk { object, .. } => Some(object.id),
            _ => None,
        });
        let unsynced = self.bulks.unsynced_of(&bulks.collect());
        let waits = usize::from(!unsynced.is_empty());
        if waits > 0 {
            self.begin_bulk_sync(unsynced, Some(id.number));
        }
        let state = SlotState::Reading {
            missing: reads + waits,
            runs: Vec::new(),
        };
        self.packer.slots.push_back(Slot {
            id,
            through_seq,
            whole,
            size_blocks,
            fresh,
            state,
        });
    }

    /// A segment of moved blocks; takes its place behind those on their way.
    pub(super) fn start_moving(&mut self, moved: Moved, born: u64) {
        let id = self.packer.next_id(self.epoch);
        let (through_seq, whole) = (self.packer.planned_through, self.packer.planned_whole);
        let planned = self.packer.slots.back();
        let size_blocks = planned.map_or(self.packed_size_blocks, |slot| slot.size_blocks);
        let draft = Box::new(Draft {
            volume: self.config.volume,
            id,
            through_seq,
            size_blocks,
            whole,
            born,
            fresh: Vec::new(),
            runs: Vec::new(),
            moved: Some(moved),
            gone: self.layers.take_gone(),
        });
        self.packer.slots.push_back(Slot {
            id,
            through_seq,
            whole,
            size_blocks,
            fresh: Vec::new(),
            state: SlotState::Sealing,
        });
        let token = self.begin(Task::Seal { number: id.number });
        self.commands.push_back(Command::Seal { token, draft });
    }

    pub(super) fn pack_read_ended(
        &mut self,
        numbers: &Range<u64>,
        pos: u64,
        result: Result<Buffer, IoError>,
    ) {
        let Ok(bytes) = result else {
            return self.stop(Stage::JournalRead);
        };
        let bytes = Arc::new(bytes);
        for slot in &mut self.packer.slots {
            if let SlotState::Reading { missing, runs } = &mut slot.state
                && numbers.contains(&slot.id.number)
            {
                *missing -= 1;
                runs.push((pos, Arc::clone(&bytes)));
            }
        }
        self.advance_slots();
    }

    /// The bulks that a segment takes up are durable.
    pub(super) fn pack_bulks_synced(&mut self, number: u64) {
        if let Some(slot) = self.packer.slot(number)
            && let SlotState::Reading { missing, .. } = &mut slot.state
        {
            *missing -= 1;
        }
        self.advance_slots();
    }

    /// Has those segments sealed of which all has been read.
    fn advance_slots(&mut self) {
        if self.stopped.is_some() {
            return;
        }
        let volume = self.config.volume;
        let mut drafts = Vec::new();
        for slot in &mut self.packer.slots {
            if let SlotState::Reading { missing: 0, runs } = &mut slot.state {
                let draft = Box::new(Draft {
                    volume,
                    id: slot.id,
                    through_seq: slot.through_seq,
                    size_blocks: slot.size_blocks,
                    whole: slot.whole,
                    born: slot.id.number,
                    fresh: std::mem::take(&mut slot.fresh),
                    runs: std::mem::take(runs),
                    moved: None,
                    gone: self.layers.take_gone(),
                });
                slot.state = SlotState::Sealing;
                drafts.push((slot.id.number, draft));
            }
        }
        for (number, draft) in drafts {
            let token = self.begin(Task::Seal { number });
            self.commands.push_back(Command::Seal { token, draft });
        }
    }

    pub(super) fn sealed(&mut self, number: u64, sealed: Sealed) {
        let Some(slot) = self.packer.slot(number) else {
            return;
        };
        let name = ObjectName::segment(sealed.summary.volume, slot.id);
        slot.state = SlotState::Putting(sealed.summary, len32(sealed.bytes.len()));
        self.replies
            .extend(sealed.lost.into_iter().map(Reply::Lost));
        if let Some(damaged) = sealed.damaged {
            self.leave_alone(damaged);
        }
        self.put(name, sealed.bytes, Stored::Segment(number));
    }

    pub(super) fn segment_stored(&mut self, number: u64) {
        if let Some(slot) = self.packer.slot(number) {
            let state = std::mem::replace(&mut slot.state, SlotState::Sealing);
            if let SlotState::Putting(summary, len) = state {
                slot.state = SlotState::Stored(summary, len);
            }
        }
        while let Some(slot) = self.packer.slots.pop_front() {
            let SlotState::Stored(summary, len) = &slot.state else {
                self.packer.slots.push_front(slot);
                break;
            };
            apply(&mut self.map, &mut self.table, summary, *len);
            self.packer.head = slot.id;
            self.packer.applied_through = slot.through_seq;
            self.packer.is_whole = slot.whole;
            if slot.whole {
                self.packer.whole_through = slot.through_seq;
            }
            self.packed_size_blocks = slot.size_blocks;
            self.packer.stored += 1;
            let bulks: BTreeMap<_, _> = summary.bulks().map(|one| (one.id, one.len)).collect();
            bulks.keys().for_each(|id| self.bulks.adopted(*id));
            let len = u64::from(*len) + bulks.values().map(|len| u64::from(*len)).sum::<u64>();
            self.packer.stored_len += len;
            self.checkpoints.add(len);
            self.collector.moved(slot.id.number);
            self.came_past(slot.through_seq, slot.whole);
        }
        self.maybe_move_tail();
        self.maybe_collect();
        self.maybe_pack();
    }

    /// The map has come past the end of a layer: here it may be kept as a snapshot, or as a checkpoint.
    fn came_past(&mut self, seq: u64, whole: bool) {
        if !whole {
            return;
        }
        if let Some(snapshot) = self.layers.pop(seq) {
            self.freeze(Some(snapshot));
        }
        self.delete_dead();
        self.maybe_checkpoint();
    }
}
