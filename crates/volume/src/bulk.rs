//! Bulks: objects of large writes, stored before the journal says so.
//!
//! A bulk is laid out as a segment is (see `segment`), its frames neither compressed nor padded, with one
//! entry for each block, and zeroes before the summary that make its length a multiple of a block's, so that
//! it can go past the page cache. Nothing of it counts until the journal has a record of it: that is why its bytes
//! need not go through the journal too. Its record is believed where the object is whole, or where the
//! record was durable; what was not durable and is torn ends the journal, as a torn record does. A flush is
//! answered when the bulks of all records that it covers are durable as well.

use crate::BLOCK_LEN;
use crate::bytes::{Put, Reader, crc, len32, usize_of};
use crate::frame::{PLAIN, head_of};
use crate::name::{ObjectName, SegmentId, VolumeId};
use crate::record::{Kind, Record};
use crate::segment::{
    Change, Entry, FOOTER_LEN, FRAME_HEADER_LEN, FRAME_LEN_MAX, FRAMES_MAX, Summary, UNIT_LEN,
    WRITTEN_LEN,
};
use crate::sums::joined;

/// The units of 16 bytes that a frame of a bulk takes.
#[expect(clippy::cast_possible_truncation, reason = "it is 257")]
pub(crate) const FRAME_UNITS: u32 = (FRAME_LEN_MAX / UNIT_LEN) as u32;

/// What the record of a bulk brings.
pub(crate) const BULK_NOTE_LEN: usize = 20;

/// The most blocks that a bulk has.
#[expect(clippy::cast_possible_truncation, reason = "it is some thousand")]
pub const BULK_BLOCKS_MAX: u32 = FRAMES_MAX as u32;

/// An object of blocks, as records and segments name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BulkRef {
    pub(crate) id: SegmentId,
    /// The object's length.
    pub(crate) len: u32,
    /// Blocks in it.
    pub(crate) frames: u32,
}

/// Blocks of a volume that lie one behind the other in a bulk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) block: u64,
    pub(crate) blocks: u32,
    /// Where the first one's frame begins.
    pub(crate) unit: u32,
}

/// A bulk that is being stored; made by [`crate::Engine::begin_bulk`].
///
/// Whoever stores it writes for each block the header that [`BulkDraft::push`] gives and the block, then
/// the end that [`BulkDraft::end`] gives, and hands the draft in.
#[derive(Debug)]
pub struct BulkDraft {
    volume: VolumeId,
    id: SegmentId,
    /// Bytes that it may take.
    pub(crate) room: u64,
    /// The checksum of what it has so far.
    sum: u32,
    pub(crate) stretches: Vec<Stretch>,
    entries: Vec<Entry>,
    /// The object, once its end is known.
    pub(crate) object: Option<BulkRef>,
}

/// The bytes that a bulk of so many blocks takes.
pub(crate) const fn bulk_len(blocks: u32) -> u64 {
    let len = blocks as u64 * (FRAME_LEN_MAX + WRITTEN_LEN) as u64 + FOOTER_LEN as u64;
    len.next_multiple_of(BLOCK_LEN as u64)
}

impl BulkDraft {
    pub(crate) fn new(volume: VolumeId, id: SegmentId, blocks: u32) -> Self {
        Self {
            volume,
            id,
            room: bulk_len(blocks),
            sum: 0,
            stretches: Vec::new(),
            entries: Vec::new(),
            object: None,
        }
    }

    /// The object to be stored.
    pub fn name(&self) -> ObjectName {
        ObjectName::segment(self.volume, self.id)
    }

    /// How long the object will be, if it takes all the blocks that it was made for.
    pub fn room_len(&self) -> u64 {
        self.room
    }

    /// How many blocks it has so far.
    pub fn blocks(&self) -> u32 {
        len32(self.entries.len())
    }

    /// The blocks from now on are those from `block` on; each such stretch is answered by itself.
    pub fn begin(&mut self, block: u64) {
        let unit = self.blocks() * FRAME_UNITS;
        let blocks = 0;
        self.stretches.push(Stretch {
            block,
            blocks,
            unit,
        });
    }

    /// Takes the next block up, and gives what is to be written before it.
    pub fn push(&mut self, data: &[u8]) -> [u8; FRAME_HEADER_LEN] {
        let unit = self.blocks() * FRAME_UNITS;
        let mut block = 0;
        if let Some(last) = self.stretches.last_mut() {
            block = last.block + u64::from(last.blocks);
            last.blocks += 1;
        }
        let change = Change::Written { unit };
        self.entries.push(Entry { block, change });
        let data_sum = crc(data);
        let head = head_of(block, PLAIN, (data.len(), data_sum));
        self.sum = joined(self.sum, crc(&head), head.len());
        self.sum = joined(self.sum, data_sum, data.len());
        head
    }

    /// The end of the object, which makes it as long as a number of whole blocks; nothing can be added
    /// after that.
    pub fn end(&mut self) -> Vec<u8> {
        let frames = self.blocks();
        let blocks_len = usize_of(u64::from(frames)) * FRAME_LEN_MAX;
        let lines_len = self.entries.len() * WRITTEN_LEN + FOOTER_LEN;
        let filled = blocks_len + lines_len;
        let mut end = vec![0; filled.next_multiple_of(BLOCK_LEN) - filled];
        self.sum = joined(self.sum, crc(&end), end.len());
        let summary = Summary {
            volume: self.volume,
            id: self.id,
            through_seq: 0,
            size_blocks: 0,
            whole: false,
            born: 0,
            frames_len: len32(blocks_len + end.len()),
            frames_crc: self.sum,
            entries: std::mem::take(&mut self.entries),
        };
        end.reserve_exact(lines_len);
        summary.put(&mut end);
        let len = len32(blocks_len + end.len());
        let id = self.id;
        self.object = Some(BulkRef { id, len, frames });
        end
    }
}

impl BulkRef {
    pub(crate) fn note(self, unit: u32) -> Vec<u8> {
        let mut note = Vec::with_capacity(BULK_NOTE_LEN);
        note.put_u64(self.id.number);
        note.put_u32(self.len);
        note.put_u32(self.frames);
        note.put_u32(unit);
        note
    }

    /// What the record of a bulk says: the object and the stretch of it that was written.
    pub(crate) fn of(record: &Record, note: &[u8]) -> Option<(Self, Stretch)> {
        if record.kind != Kind::Bulk {
            return None;
        }
        let mut reader = Reader::new(note);
        let (number, epoch) = (reader.u64()?, record.epoch);
        let object = Self {
            id: SegmentId { number, epoch },
            len: reader.u32()?,
            frames: reader.u32()?,
        };
        let stretch = Stretch {
            block: record.block,
            blocks: record.blocks,
            unit: reader.u32()?,
        };
        object.id.is_bulk().then_some((object, stretch))
    }

    /// Whether these are the bytes of the object, and it has the stretch.
    pub(crate) fn is_whole(self, volume: VolumeId, stretch: Stretch, bytes: &[u8]) -> bool {
        let ours = |summary: &Summary| (summary.volume, summary.id) == (volume, self.id);
        let Some(summary) = Summary::parse(bytes).filter(ours) else {
            return false;
        };
        let first = usize_of(u64::from(stretch.unit / FRAME_UNITS));
        let mut entries = summary.entries.iter().skip(first);
        let mut blocks = (0..stretch.blocks).map(|index| Entry {
            block: stretch.block + u64::from(index),
            change: Change::Written {
                unit: stretch.unit + index * FRAME_UNITS,
            },
        });
        summary.vouches_for(bytes) && blocks.all(|entry| entries.next() == Some(&entry))
    }
}

#[cfg(test)]
#[path = "bulk_test.rs"]
mod tests;
