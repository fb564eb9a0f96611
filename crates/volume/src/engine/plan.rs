//! Which records the next segments take: what is written again soon apart from what is not.

use super::Engine;
use crate::bytes::usize_of;
use crate::overlay::Fresh;
use crate::record::Kind;
use crate::segment::{FRAME_LEN_MAX, FRAMES_MAX};

/// A plan is for about so many segments, so that each of its parts is about one.
const SEGMENTS: u64 = 2;
/// A block is often written if its last version came with the youngest segments, so many in a hundred of those
/// that there are.
const YOUNG_PERCENT: u64 = 50;

impl Engine {
    /// Chooses the records of the next segments, out of one layer; `false` if there are none.
    pub(super) fn plan(&mut self) -> bool {
        let written = self.journal.written_seq();
        let frames_max = usize_of(self.config.segment_len) / FRAME_LEN_MAX;
        let frames_max = frames_max.clamp(usize_of(crate::WRITE_BLOCKS_MAX), FRAMES_MAX) as u64;
        let (mut fresh, mut frames, mut zeroes) = (Vec::new(), 0, 0);
        let before = self.packer.planned_through;
        let mut through = before;
        let Some(layer) = self.layers.after(through) else {
            return false;
        };
        let until = layer.cut_seq.min(written);
        for kept in self
            .journal
            .after(through)
            .take_while(|kept| kept.seq <= until)
        {
            let blocks = u64::from(kept.blocks);
            let full = kept.kind == Kind::Data && frames + blocks > frames_max * SEGMENTS;
            if full || zeroes >= frames_max / 2 {
                break;
            }
            through = kept.seq;
            if !matches!(kept.kind, Kind::Data | Kind::Zero | Kind::Bulk) {
                continue;
            }
            // Whole or not at all, mostly: then nothing need be looked for.
            let live = match (kept.shown, kept.whole()) {
                (Some(0), _) => continue,
                (_, Some(whole)) => vec![whole],
                _ => layer.within(kept.block, blocks),
            };
            for part in live.into_iter().filter(|part| part.seq == kept.seq) {
                match part.frames() {
                    0 => zeroes += 1,
                    count => frames += count,
                }
                fresh.push(part);
            }
        }
        if through == before {
            return false;
        }
        self.packer.planned_whole = through == layer.cut_seq;
        let size_blocks = layer.size_blocks;
        self.bulks.planned(before, through);
        self.packer.planned_through = through;
        let parts = self.by_heat(fresh, frames_max);
        self.start_slots(before, size_blocks, parts);
        true
    }

    /// Parts of at most so many frames: first what is seldom written, then what is written often. Segments of
    /// either are dead at about the same time, so that collection finds little to move.
    fn by_heat(&self, fresh: Vec<Fresh>, frames_max: u64) -> Vec<Vec<Fresh>> {
        let (often, seldom): (Vec<_>, Vec<_>) = fresh
            .into_iter()
            .partition(|part| self.is_written_often(part));
        let mut parts = into_parts(seldom, frames_max);
        parts.extend(into_parts(often, frames_max));
        if parts.is_empty() {
            // How far the records have come is to be known all the same.
            parts.push(Vec::new());
        }
        parts
    }

    /// Whether what it takes the place of was not there for long.
    fn is_written_often(&self, part: &Fresh) -> bool {
        let before = self.map.get(part.block);
        let Some(row) = before.and_then(|place| self.table.get(place.row)) else {
            return false;
        };
        let age = self.packer.last_number().saturating_sub(row.born);
        age * 100 < self.table.movable_count() * YOUNG_PERCENT
    }
}

fn into_parts(fresh: Vec<Fresh>, frames_max: u64) -> Vec<Vec<Fresh>> {
    let mut parts: Vec<Vec<Fresh>> = Vec::new();
    let mut room = 0;
    for one in fresh {
        let frames = one.frames();
        match parts.last_mut().filter(|_| frames <= room) {
            Some(part) => {
                room -= frames;
                part.push(one);
            }
            None => {
                room = frames_max.saturating_sub(frames);
                parts.push(vec![one]);
            }
        }
    }
    parts
}
