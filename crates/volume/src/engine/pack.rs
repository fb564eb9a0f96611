//! The packer: the live part of the oldest records becomes a segment, and takes effect in order.

use std::collections::VecDeque;

use super::{Engine, Stored, Task};
use crate::BLOCK_LEN;
use crate::bytes::{crc, len32, usize_of};
use crate::command::{Command, IoError, Stage};
use crate::journal::{ZERO_BLOCK, file_offset};
use crate::name::{ObjectName, SegmentId};
use crate::overlay::{Content, Fresh};
use crate::record::Kind;
use crate::segment::{Draft, DraftBlock, FRAME_LEN_MAX, FRAMES_MAX, Sealed, Summary};
use crate::table::apply;

/// Data of records that is this near is read at once, with what is between.
const GAP_LEN_MAX: u64 = 16 << 10;
/// The longest such read.
const READ_LEN_MAX: u64 = 1 << 20;

/// Segments on their way, in the order in which they take effect.
#[derive(Debug)]
pub(super) struct Packer {
    slots: VecDeque<Slot>,
    /// The last segment that has taken effect.
    head: SegmentId,
    applied_through: u64,
    /// The last record that a segment on its way covers.
    planned_through: u64,
    next_number: u64,
    /// Segments and their bytes that have taken effect since the attachment began.
    pub(super) stored: u64,
    pub(super) stored_len: u64,
}

#[derive(Debug)]
struct Slot {
    id: SegmentId,
    through_seq: u64,
    fresh: Vec<Fresh>,
    /// Every record up to this one must be durable before the segment is stored: it may have hidden
    /// data from the plan, and if it were lost, that data would be needed.
    need_synced: u64,
    state: SlotState,
}

#[derive(Debug)]
enum SlotState {
    /// Parts of the journal, and how many are still to come.
    Reading {
        missing: usize,
        runs: Vec<(u64, Vec<u8>)>,
    },
    Unsynced(Box<Draft>),
    Sealing,
    Putting(Summary, u32),
    Stored(Summary, u32),
}

impl Packer {
    pub(super) fn new(head: SegmentId, through_seq: u64) -> Self {
        Self {
            slots: VecDeque::new(),
            head,
            applied_through: through_seq,
            planned_through: through_seq,
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
    /// Packs all that is written by now; to be called before a volume is detached, or when it idles.
    pub fn settle(&mut self) {
        self.pack_while(|_| true);
    }

    /// Packs if there is enough for a whole segment, or whatever there is if somebody waits for room.
    pub(super) fn maybe_pack(&mut self) {
        let enough = self.config.segment_len.min(self.journal.lap_len() / 4);
        self.pack_while(|engine| {
            let pressed = engine.writes.has_refused() && engine.packer.slots.is_empty();
            pressed || engine.unplanned_len() >= enough
        });
    }

    pub(super) fn pack_under_pressure(&mut self) {
        self.maybe_move_tail();
        self.maybe_pack();
    }

    fn pack_while(&mut self, wanted: impl Fn(&Self) -> bool) {
        let room = |engine: &Self| engine.packer.slots.len() < engine.config.puts_max;
        while self.stopped.is_none() && room(self) && wanted(self) {
            if !self.plan() {
                return;
            }
        }
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

    /// Chooses the records of the next segment; `false` if there are none.
    fn plan(&mut self) -> bool {
        let written = self.journal.written_seq();
        let frames_max = usize_of(self.config.segment_len) / FRAME_LEN_MAX;
        let frames_max = frames_max.clamp(usize_of(crate::WRITE_BLOCKS_MAX), FRAMES_MAX) as u64;
        let (mut fresh, mut frames, mut zeroes) = (Vec::new(), 0, 0);
        let mut through = self.packer.planned_through;
        for kept in self
            .journal
            .after(through)
            .take_while(|kept| kept.seq <= written)
        {
            let blocks = u64::from(kept.blocks);
            let full = kept.kind == Kind::Data && frames + blocks > frames_max;
            if full || zeroes >= frames_max / 2 {
                break;
            }
            through = kept.seq;
            if !matches!(kept.kind, Kind::Data | Kind::Zero) {
                continue;
            }
            let live = self.overlay.within(kept.block, blocks);
            for part in live.into_iter().filter(|part| part.seq == kept.seq) {
                match part.content {
                    Content::Data { .. } => frames += part.blocks,
                    Content::Zero => zeroes += 1,
                }
                fresh.push(part);
            }
        }
        if through == self.packer.planned_through {
            return false;
        }
        self.packer.planned_through = through;
        self.start_slot(through, fresh);
        true
    }

    fn start_slot(&mut self, through_seq: u64, fresh: Vec<Fresh>) {
        let id = self.packer.next_id(self.epoch);
        let spans = spans(&fresh, self.journal.lap_len());
        for (pos, len) in &spans {
            let (number, pos) = (id.number, *pos);
            let token = self.begin(Task::PackRead { number, pos });
            let at = file_offset(pos, self.journal.lap_len());
            let len = *len;
            self.commands
                .push_back(Command::JournalRead { token, at, len });
        }
        let need_synced = self.journal.last_seq();
        let state = SlotState::Reading {
            missing: spans.len(),
            runs: Vec::new(),
        };
        self.packer.slots.push_back(Slot {
            id,
            through_seq,
            fresh,
            need_synced,
            state,
        });
        self.want_synced(need_synced);
        self.advance_slots();
    }

    /// A segment of moved blocks; takes its place behind those on their way.
    pub(super) fn start_moving(&mut self, blocks: Vec<DraftBlock>) {
        let id = self.packer.next_id(self.epoch);
        let through_seq = self.packer.planned_through;
        let draft = Box::new(Draft {
            volume: self.config.volume,
            id,
            through_seq,
            blocks,
            zeroes: Vec::new(),
        });
        self.packer.slots.push_back(Slot {
            id,
            through_seq,
            fresh: Vec::new(),
            need_synced: 0,
            state: SlotState::Unsynced(draft),
        });
        self.advance_slots();
    }

    pub(super) fn pack_read_ended(
        &mut self,
        number: u64,
        pos: u64,
        result: Result<Vec<u8>, IoError>,
    ) {
        let Ok(bytes) = result else {
            return self.stop(Stage::JournalRead);
        };
        if let Some(slot) = self.packer.slot(number)
            && let SlotState::Reading { missing, runs } = &mut slot.state
        {
            *missing -= 1;
            runs.push((pos, bytes));
        }
        self.advance_slots();
    }

    /// Brings each segment on its way as far as it can go.
    pub(super) fn advance_slots(&mut self) {
        if self.stopped.is_some() {
            return;
        }
        let volume = self.config.volume;
        let mut drafts = Vec::new();
        let mut damaged = false;
        for slot in &mut self.packer.slots {
            if let SlotState::Reading { missing: 0, runs } = &slot.state {
                let Some((blocks, zeroes)) = collect(&slot.fresh, runs) else {
                    damaged = true;
                    break;
                };
                slot.state = SlotState::Unsynced(Box::new(Draft {
                    volume,
                    id: slot.id,
                    through_seq: slot.through_seq,
                    blocks,
                    zeroes,
                }));
            }
            let synced = self.writes.is_synced(slot.need_synced);
            if synced && matches!(slot.state, SlotState::Unsynced(_)) {
                let state = std::mem::replace(&mut slot.state, SlotState::Sealing);
                if let SlotState::Unsynced(draft) = state {
                    drafts.push((slot.id.number, draft));
                }
            }
        }
        if damaged {
            return self.stop(Stage::JournalRead);
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
            for part in &slot.fresh {
                self.overlay.settle(part.block, part.blocks, part.seq);
            }
            self.packer.head = slot.id;
            self.packer.applied_through = slot.through_seq;
            self.packer.stored += 1;
            self.packer.stored_len += u64::from(*len);
            self.checkpoints.add(u64::from(*len));
            self.collector.moved(slot.id.number);
        }
        self.maybe_move_tail();
        self.maybe_checkpoint();
        self.maybe_collect();
        self.maybe_pack();
    }
}

/// The stretches of the journal in which the data of `fresh` is.
fn spans(fresh: &[Fresh], lap_len: u64) -> Vec<(u64, u64)> {
    let mut spans: Vec<(u64, u64)> = Vec::new();
    let mut wanted: Vec<(u64, u64)> = fresh
        .iter()
        .filter_map(|part| {
            part.block_at(0)
                .map(|(pos, _)| (pos, part.blocks * BLOCK_LEN as u64))
        })
        .collect();
    wanted.sort_unstable();
    for (pos, len) in wanted {
        match spans.last_mut() {
            Some((at, whole))
                if pos - (*at + *whole) <= GAP_LEN_MAX
                    && pos + len - *at <= READ_LEN_MAX
                    && *at / lap_len == pos / lap_len =>
            {
                *whole = pos + len - *at;
            }
            _ => spans.push((pos, len)),
        }
    }
    spans
}

/// Blocks with their data, and stretches of zeroes.
type Collected = (
    Vec<(u64, Vec<u8>, Option<(SegmentId, u16)>)>,
    Vec<(u64, u32)>,
);

/// The data of `fresh` out of what was read; `None` if it is not what was written.
fn collect(fresh: &[Fresh], runs: &[(u64, Vec<u8>)]) -> Option<Collected> {
    let (mut blocks, mut zeroes) = (Vec::new(), Vec::new());
    for part in fresh {
        if part.content == Content::Zero {
            zeroes.push((part.block, u32::try_from(part.blocks).ok()?));
            continue;
        }
        for index in 0..part.blocks {
            let (pos, sum) = part.block_at(index)?;
            let data = runs.iter().find_map(|(at, bytes)| {
                let from = usize_of(pos.checked_sub(*at)?);
                bytes.get(from..from + BLOCK_LEN)
            })?;
            if crc(data) != sum {
                return None;
            }
            match data == ZERO_BLOCK {
                true => zeroes.push((part.block + index, 1)),
                false => blocks.push((part.block + index, data.to_vec(), None)),
            }
        }
    }
    Some((blocks, zeroes))
}
