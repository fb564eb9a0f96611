//! Segments: immutable objects of blocks, byte by byte.
//!
//! First the frames, each at a multiple of 16 bytes: 0..4 CRC-32C of the frame's bytes 4.. to its end,
//! 4..6 length as stored, 6..8 how (0 as is, 1 LZ4 block, 2 lost: what the block held was damaged before
//! it came here, and is never served, 3 Zstandard frame), 8..16 the block's number, then the bytes. The number is in it so
//! that a frame read from a wrong place is noticed.
//!
//! Then the summary, in four lists. Written blocks, 12 bytes each: 0..8 block, 8..12 the unit of 16 bytes
//! at which its frame begins. Zeroes, 12 bytes each: 0..8 block, 8..12 how many. Moved blocks, 28 bytes
//! each: 0..12 as if written, 12..20, 20..24 and 24..28 number and epoch of the segment from which it was
//! moved and the unit there. Blocks that lie one behind the other in a bulk (see `bulk`), 36 bytes a stretch:
//! 0..12 as if written, with the unit in the bulk, 12..16 how many, 16..24 and 24..28 number and epoch of the
//! bulk, 28..32 its length, 32..36 its frames.
//!
//! Then the footer, 80 bytes: 0..4 magic `CFS2`, 4..8 CRC-32C of the summary and of bytes 8..80, 8..16
//! volume, 16..24 number, 24..28 epoch, 28..40 written, zeroes and moved in the summary, 68..72 stretches of bulks, 40..48 the last
//! journal record that has taken effect with it, 48..52 length of the frames, 52..56 CRC-32C of the
//! frames, 56..64 blocks of the volume, 64..68 whether the volume is what it was after that record, with
//! nothing missing, 72..80 the number of the segment in which its blocks were first, if they
//! were moved, else its own.

use crate::BLOCK_LEN;
use crate::bulk::BulkRef;
use crate::bytes::{Put, Reader, crc, len32, usize_of};
use crate::name::{SegmentId, VolumeId};

const MAGIC: u32 = u32::from_le_bytes(*b"CFS2");
/// The bytes before those of a block.
pub const FRAME_HEADER_LEN: usize = 16;
pub(crate) const WRITTEN_LEN: usize = 12;
const MOVED_LEN: usize = 28;
pub(crate) const ADOPTED_LEN: usize = 36;

/// The bytes of the footer.
pub(crate) const FOOTER_LEN: usize = 80;

/// The bytes before the end of a segment that are sure to hold its summary and footer: a segment has at
/// most [`FRAMES_MAX`] frames and as many entries for zeroes.
pub(crate) const SUMMARY_LEN_MAX: u64 = (2 * FRAMES_MAX * MOVED_LEN + FOOTER_LEN) as u64;

/// The most frames in a segment of 4 MiB.
pub(crate) const FRAMES_MAX: usize = (4 << 20) / FRAME_LEN_MAX;

/// What frames are aligned to.
pub(crate) const UNIT_LEN: usize = 16;

/// The most that a frame takes.
pub(crate) const FRAME_LEN_MAX: usize = (FRAME_HEADER_LEN + BLOCK_LEN).next_multiple_of(UNIT_LEN);

/// What a segment says about some blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Its frame is at this unit.
    Written { unit: u32 },
    /// They are zero.
    Zero { blocks: u32 },
    /// Its frame is at this unit, and holds what another segment held, unless it was rewritten since.
    Moved {
        unit: u32,
        from: SegmentId,
        from_unit: u32,
    },
    /// So many blocks are in a bulk, from this unit on.
    Adopted {
        unit: u32,
        blocks: u32,
        object: BulkRef,
    },
}

/// One line of the summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) block: u64,
    pub(crate) change: Change,
}

/// The end of a segment: what it is and what it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) volume: VolumeId,
    pub(crate) id: SegmentId,
    pub(crate) through_seq: u64,
    pub(crate) size_blocks: u64,
    /// The volume is then what it was after that record: data that newer records hide is here too.
    pub(crate) whole: bool,
    /// The segment in which its blocks were first: how old they are.
    pub(crate) born: u64,
    pub(crate) frames_len: u32,
    pub(crate) frames_crc: u32,
    /// Written blocks first, then zeroes, then moved ones, then those of bulks.
    pub(crate) entries: Vec<Entry>,
}

impl Summary {
    /// Appends the summary and the footer.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let (mut written, mut zeroes, mut moved, mut adopted) = (0, 0, 0, 0);
        for entry in &self.entries {
            out.put_u64(entry.block);
            match entry.change {
                Change::Written { unit } => {
                    written += 1;
                    out.put_u32(unit);
                }
                Change::Zero { blocks } => {
                    zeroes += 1;
                    out.put_u32(blocks);
                }
                Change::Moved {
                    unit,
                    from,
                    from_unit,
                } => {
                    moved += 1;
                    out.put_u32(unit);
                    out.put_u64(from.number);
                    out.put_u32(from.epoch);
                    out.put_u32(from_unit);
                }
                Change::Adopted {
                    unit,
                    blocks,
                    object,
                } => {
                    adopted += 1;
                    out.put_u32(unit);
                    out.put_u32(blocks);
                    out.put_u64(object.id.number);
                    out.put_u32(object.id.epoch);
                    out.put_u32(object.len);
                    out.put_u32(object.frames);
                }
            }
        }
        let entries_end = out.len();
        let mut foot = Vec::with_capacity(FOOTER_LEN);
        foot.put_u64(self.volume.0);
        foot.put_u64(self.id.number);
        foot.put_u32(self.id.epoch);
        foot.put_u32(written);
        foot.put_u32(zeroes);
        foot.put_u32(moved);
        foot.put_u64(self.through_seq);
        foot.put_u32(self.frames_len);
        foot.put_u32(self.frames_crc);
        foot.put_u64(self.size_blocks);
        foot.put_u32(u32::from(self.whole));
        foot.put_u32(adopted);
        foot.put_u64(self.born);
        let mut covered = out.get(start..entries_end).unwrap_or_default().to_vec();
        covered.extend_from_slice(&foot);
        out.put_u32(MAGIC);
        out.put_u32(crc(&covered));
        out.append(&mut foot);
    }

    /// The summary at the end of `bytes`, which end where the object ends.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let foot_at = bytes.len().checked_sub(FOOTER_LEN)?;
        let mut reader = Reader::new(bytes.get(foot_at..)?);
        let (magic, sum) = (reader.u32()?, reader.u32()?);
        let volume = VolumeId(reader.u64()?);
        let (number, epoch) = (reader.u64()?, reader.u32()?);
        let mut count = || reader.u32().map(|count| usize_of(u64::from(count)));
        let (written, zeroes, moved) = (count()?, count()?, count()?);
        let (through_seq, frames_len, frames_crc) = (reader.u64()?, reader.u32()?, reader.u32()?);
        let (size_blocks, whole) = (reader.u64()?, reader.u32()? == 1);
        let adopted = usize_of(u64::from(reader.u32()?));
        let born = reader.u64()?;
        let plain = written.checked_add(zeroes)?.checked_mul(WRITTEN_LEN)?;
        let moved_len = moved.checked_mul(MOVED_LEN)?;
        let adopted_len = adopted.checked_mul(ADOPTED_LEN)?;
        let lines_len = plain.checked_add(moved_len)?.checked_add(adopted_len)?;
        let start = foot_at.checked_sub(lines_len)?;
        let mut covered = bytes.get(start..foot_at)?.to_vec();
        covered.extend_from_slice(bytes.get(foot_at + 8..)?);
        if magic != MAGIC || sum != crc(&covered) {
            return None;
        }
        let mut lines = Reader::new(bytes.get(start..foot_at)?);
        let entries = (0..written + zeroes + moved + adopted).map(|index| {
            let (block, word) = (lines.u64()?, lines.u32()?);
            let change = if index < written {
                Change::Written { unit: word }
            } else if index < written + zeroes {
                Change::Zero { blocks: word }
            } else if index >= written + zeroes + moved {
                let blocks = lines.u32()?;
                let (number, epoch) = (lines.u64()?, lines.u32()?);
                let object = BulkRef {
                    id: SegmentId { number, epoch },
                    len: lines.u32()?,
                    frames: lines.u32()?,
                };
                Change::Adopted {
                    unit: word,
                    blocks,
                    object,
                }
            } else {
                let (number, epoch) = (lines.u64()?, lines.u32()?);
                Change::Moved {
                    unit: word,
                    from: SegmentId { number, epoch },
                    from_unit: lines.u32()?,
                }
            };
            Some(Entry { block, change })
        });
        Some(Self {
            volume,
            id: SegmentId { number, epoch },
            through_seq,
            size_blocks,
            whole,
            born,
            frames_len,
            frames_crc,
            entries: entries.collect::<Option<_>>()?,
        })
    }

    /// Whether the frames at the start of the whole object are the ones that were sealed.
    pub(crate) fn vouches_for(&self, object: &[u8]) -> bool {
        let frames = object.get(..usize_of(u64::from(self.frames_len)));
        frames.is_some_and(|frames| crc(frames) == self.frames_crc)
    }

    /// How many blocks have a frame.
    pub(crate) fn frames(&self) -> u32 {
        let framed =
            |entry: &&Entry| !matches!(entry.change, Change::Zero { .. } | Change::Adopted { .. });
        len32(self.entries.iter().filter(framed).count())
    }

    /// Stretches of bulks that it takes up.
    pub(crate) fn bulks(&self) -> impl Iterator<Item = BulkRef> {
        self.entries.iter().filter_map(|entry| match entry.change {
            Change::Adopted { object, .. } => Some(object),
            _ => None,
        })
    }
}

#[cfg(test)]
#[path = "segment_test.rs"]
mod tests;
