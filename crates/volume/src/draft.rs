//! Drafts: what a segment is to hold, and how it becomes one on a thread that may be busy.
//!
//! Every byte is gone over once and copied once: the checksum that shows that a block is what was written is the
//! one from which those of the frame and of all frames are made.

use std::sync::Arc;

use crate::BLOCK_LEN;
use crate::buffers::Buffer;
use crate::bytes::{crc, len32, usize_of};
use crate::frame::{Frames, Warmth, moved_out};
use crate::journal::ZERO_BLOCK;
use crate::name::{SegmentId, VolumeId};
use crate::overlay::{Content, Fresh, Overlay};
use crate::segment::{ADOPTED_LEN, Change, Entry, FOOTER_LEN, FRAME_LEN_MAX, Summary, UNIT_LEN};

/// What a segment is to hold; [`Draft::seal`] compresses and so belongs on a thread that may be busy.
#[derive(Clone, Debug)]
pub struct Draft {
    pub(crate) volume: VolumeId,
    pub(crate) id: SegmentId,
    pub(crate) through_seq: u64,
    pub(crate) size_blocks: u64,
    pub(crate) whole: bool,
    pub(crate) born: u64,
    /// What records wrote, and the stretches of the journal in which its data is.
    pub(crate) fresh: Vec<Fresh>,
    pub(crate) runs: Vec<Run>,
    pub(crate) moved: Option<Moved>,
    /// What has been packed and is not wanted any more, which takes a while to leave the memory.
    pub(crate) gone: Vec<Overlay>,
}

/// A stretch of the journal: its position and its bytes.
pub(crate) type Run = (u64, Arc<Buffer>);

/// What is live in another segment.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    pub(crate) from: SegmentId,
    pub(crate) object: Arc<Buffer>,
    /// Blocks and the units at which their frames begin.
    pub(crate) live: Vec<(u64, u32)>,
}

/// A segment ready to be stored.
#[derive(Debug)]
pub struct Sealed {
    pub(crate) summary: Summary,
    /// The object.
    pub bytes: Buffer,
    /// Blocks that are not in the journal as they were written, and are lost.
    pub(crate) lost: Vec<u64>,
    /// The segment in which some of what was to be moved is damaged, and stays.
    pub(crate) damaged: Option<SegmentId>,
}

impl Draft {
    /// The object. Costs a compression of each block.
    pub fn seal(mut self) -> Sealed {
        self.gone.clear();
        let mut sealing = Sealing::with_room(self.room_len());
        for part in &self.fresh {
            sealing.take(part, &self.runs);
        }
        if let Some(moved) = &self.moved {
            sealing.take_moved(moved);
        }
        sealing.end(&self)
    }

    /// The most that it takes.
    fn room_len(&self) -> usize {
        let frames = self.fresh.iter().map(Fresh::frames).sum();
        let moved = self.moved.as_ref().map_or(0, |moved| moved.live.len());
        let frames = usize_of(frames) + moved;
        frames * FRAME_LEN_MAX + (frames + self.fresh.len()) * ADOPTED_LEN + FOOTER_LEN
    }
}

/// A segment in the making.
struct Sealing {
    frames: Frames,
    written: Vec<Entry>,
    zeroes: Vec<Entry>,
    moved: Vec<Entry>,
    adopted: Vec<Entry>,
    lost: Vec<u64>,
    damaged: Option<SegmentId>,
}

impl Sealing {
    fn with_room(room: usize) -> Self {
        Self {
            frames: Frames::with_room(room),
            written: Vec::with_capacity(room / FRAME_LEN_MAX),
            zeroes: Vec::new(),
            moved: Vec::new(),
            adopted: Vec::new(),
            lost: Vec::new(),
            damaged: None,
        }
    }

    /// Takes up what a record wrote; blocks that the journal does not have as they were written are lost.
    fn take(&mut self, part: &Fresh, runs: &[Run]) {
        let (block, blocks) = (part.block, u32::try_from(part.blocks).unwrap_or(u32::MAX));
        match part.content {
            Content::Zero => {
                let change = Change::Zero { blocks };
                self.zeroes.push(Entry { block, change });
            }
            Content::Bulk { object, unit } => {
                let change = Change::Adopted {
                    unit,
                    blocks,
                    object,
                };
                self.adopted.push(Entry { block, change });
            }
            Content::Data { .. } | Content::Lost => {
                (0..part.blocks).for_each(|index| self.take_block(part, index, runs));
            }
        }
    }

    fn take_block(&mut self, part: &Fresh, index: u64, runs: &[Run]) {
        let block = part.block + index;
        let unit = match written(part, index, runs) {
            Some((data, _)) if *data == ZERO_BLOCK => {
                let change = Change::Zero { blocks: 1 };
                return self.zeroes.push(Entry { block, change });
            }
            Some(data) => self.frames.put(block, data, Warmth::Hot),
            None => {
                // Those that recovery found have been told.
                let is_news = part.content != Content::Lost;
                self.lost.extend(is_news.then_some(block));
                self.frames.put_lost(block)
            }
        };
        let change = Change::Written { unit };
        self.written.push(Entry { block, change });
    }

    fn take_moved(&mut self, moved: &Moved) {
        let from = moved.from;
        for (block, from_unit) in moved.live.iter().copied() {
            let frame = moved
                .object
                .get(usize_of(u64::from(from_unit)) * UNIT_LEN..);
            let Some((data, sum)) = frame.and_then(|frame| moved_out(frame, block)) else {
                self.damaged = Some(from);
                continue;
            };
            let unit = self.frames.put(block, (&data, sum), Warmth::Cold);
            let change = Change::Moved {
                unit,
                from,
                from_unit,
            };
            self.moved.push(Entry { block, change });
        }
    }

    fn end(mut self, draft: &Draft) -> Sealed {
        let mut entries = self.written;
        entries.append(&mut self.zeroes);
        entries.append(&mut self.moved);
        entries.append(&mut self.adopted);
        let mut bytes = self.frames.bytes;
        let summary = Summary {
            volume: draft.volume,
            id: draft.id,
            through_seq: draft.through_seq,
            size_blocks: draft.size_blocks,
            whole: draft.whole,
            born: draft.born,
            frames_len: len32(bytes.len()),
            frames_crc: self.frames.sum,
            entries,
        };
        let mut end = Vec::with_capacity(summary.entries.len() * ADOPTED_LEN + FOOTER_LEN);
        summary.put(&mut end);
        bytes.extend_from_slice(&end);
        bytes.fill_block();
        Sealed {
            summary,
            bytes,
            lost: self.lost,
            damaged: self.damaged,
        }
    }
}

/// What a record wrote to a block, and its checksum; `None` if it is not there any more.
fn written<'a>(part: &Fresh, index: u64, runs: &'a [Run]) -> Option<(&'a [u8], u32)> {
    let (pos, sum) = part.block_at(index)?;
    let data = runs.iter().find_map(|(at, bytes)| {
        let from = usize_of(pos.checked_sub(*at)?);
        bytes.get(from..from.checked_add(BLOCK_LEN)?)
    })?;
    (crc(data) == sum).then_some((data, sum))
}

#[cfg(test)]
#[path = "draft_test.rs"]
pub(crate) mod tests;
