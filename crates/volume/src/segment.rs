//! Segments: immutable objects of blocks, byte by byte.
//!
//! First the frames, each at a multiple of 64 bytes: 0..4 CRC-32C of the frame's bytes 4.. to its end,
//! 4..6 length as stored, 6..8 how (0 as is, 1 LZ4 block), 8..16 the block's number, then the bytes. The
//! number is in it so that a frame read from a wrong place is noticed.
//!
//! Then the summary, 32 bytes an entry: 0..8 block, 8..16 and 16..20 number and epoch of the segment
//! it was moved from, 20..22 the unit of 64 bytes at which its frame begins, 22..24 the same in the
//! segment that it was moved from, 24..28 blocks (more than one only for zeroes), 28..32 kind: 1
//! written, 2 zeroes, 3 moved.
//!
//! Then the footer, 64 bytes: 0..4 magic `CFS1`, 4..8 CRC-32C of the summary and of bytes 8..64, 8..16
//! volume, 16..24 number, 24..28 epoch, 28..32 entries, 32..40 the last journal record that has taken
//! effect with it, 40..44 length of the frames, 44..48 CRC-32C of the frames, 48..64 zero.

use crate::BLOCK_LEN;
use crate::bytes::{Put, Reader, crc, len32, usize_of};
use crate::name::{SegmentId, VolumeId};

const MAGIC: u32 = u32::from_le_bytes(*b"CFS1");
const FRAME_HEADER_LEN: usize = 16;
const ENTRY_LEN: usize = 32;

/// The bytes of the footer.
pub(crate) const FOOTER_LEN: usize = 64;

/// The bytes before the end of a segment that are sure to hold its summary and footer: a segment has at
/// most [`FRAMES_MAX`] frames and as many entries for zeroes.
pub(crate) const SUMMARY_LEN_MAX: u64 = (2 * FRAMES_MAX * ENTRY_LEN + FOOTER_LEN) as u64;

/// The most frames in a segment of 4 MiB.
pub(crate) const FRAMES_MAX: usize = (4 << 20) / FRAME_LEN_MAX;

/// What frames are aligned to.
pub(crate) const UNIT_LEN: usize = 64;

/// The most that a frame takes.
pub(crate) const FRAME_LEN_MAX: usize = (FRAME_HEADER_LEN + BLOCK_LEN).next_multiple_of(UNIT_LEN);

/// What a segment says about some blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Its frame is at this unit.
    Written { unit: u16 },
    /// They are zero.
    Zero { blocks: u32 },
    /// Its frame is at this unit, and holds what another segment held, unless it was rewritten since.
    Moved {
        unit: u16,
        from: SegmentId,
        from_unit: u16,
    },
}

/// One line of the summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) block: u64,
    pub(crate) change: Change,
}

/// What a segment is to hold; [`Draft::seal`] compresses and so belongs on a thread that may be busy.
#[derive(Clone, Debug)]
pub struct Draft {
    pub(crate) volume: VolumeId,
    pub(crate) id: SegmentId,
    pub(crate) through_seq: u64,
    pub(crate) blocks: Vec<DraftBlock>,
    pub(crate) zeroes: Vec<(u64, u32)>,
}

/// A block, its data, and the segment and unit that it was moved from, if it was.
pub(crate) type DraftBlock = (u64, Vec<u8>, Option<(SegmentId, u16)>);

/// A segment ready to be stored.
#[derive(Clone, Debug)]
pub struct Sealed {
    pub(crate) summary: Summary,
    /// The object.
    pub bytes: Vec<u8>,
}

/// The end of a segment: what it is and what it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) volume: VolumeId,
    pub(crate) id: SegmentId,
    pub(crate) through_seq: u64,
    pub(crate) frames_len: u32,
    pub(crate) frames_crc: u32,
    pub(crate) entries: Vec<Entry>,
}

impl Draft {
    /// The object. Costs a compression of each block.
    pub fn seal(self) -> Sealed {
        let mut bytes = Vec::with_capacity(self.blocks.len() * FRAME_LEN_MAX);
        let mut entries = Vec::with_capacity(self.blocks.len() + self.zeroes.len());
        for (block, data, from) in &self.blocks {
            let unit = u16::try_from(bytes.len() / UNIT_LEN).unwrap_or(u16::MAX);
            put_frame(&mut bytes, *block, data);
            let change = match *from {
                None => Change::Written { unit },
                Some((from, from_unit)) => Change::Moved {
                    unit,
                    from,
                    from_unit,
                },
            };
            let block = *block;
            entries.push(Entry { block, change });
        }
        entries.extend(self.zeroes.iter().map(|(block, blocks)| Entry {
            block: *block,
            change: Change::Zero { blocks: *blocks },
        }));
        let summary = Summary {
            volume: self.volume,
            id: self.id,
            through_seq: self.through_seq,
            frames_len: len32(bytes.len()),
            frames_crc: crc(&bytes),
            entries,
        };
        summary.put(&mut bytes);
        Sealed { summary, bytes }
    }
}

fn put_frame(out: &mut Vec<u8>, block: u64, data: &[u8]) {
    let packed = lz4_flex::block::compress(data);
    let pays = packed.len() + UNIT_LEN * 8 <= data.len();
    let (how, stored) = if pays { (1, &packed[..]) } else { (0, data) };
    let mut body = Vec::with_capacity(FRAME_HEADER_LEN + stored.len());
    body.put_u16(u16::try_from(stored.len()).unwrap_or(u16::MAX));
    body.put_u16(how);
    body.put_u64(block);
    body.extend_from_slice(stored);
    out.put_u32(crc(&body));
    out.append(&mut body);
    out.resize(out.len().next_multiple_of(UNIT_LEN), 0);
}

/// The block that a frame holds; `None` if it is damaged or another one's.
pub(crate) fn open_frame(bytes: &[u8], block: u64) -> Option<Vec<u8>> {
    let mut reader = Reader::new(bytes);
    let sum = reader.u32()?;
    let (stored_len, how, number) = (reader.u16()?, reader.u16()?, reader.u64()?);
    let stored = reader.bytes(usize::from(stored_len))?;
    let covered = bytes.get(4..FRAME_HEADER_LEN + stored.len())?;
    if sum != crc(covered) || number != block {
        return None;
    }
    let data = match how {
        0 => stored.to_vec(),
        1 => lz4_flex::block::decompress(stored, BLOCK_LEN).ok()?,
        _ => return None,
    };
    (data.len() == BLOCK_LEN).then_some(data)
}

impl Summary {
    fn put(&self, out: &mut Vec<u8>) {
        let start = out.len();
        self.entries.iter().for_each(|entry| entry.put(out));
        let entries_end = out.len();
        let mut foot = Vec::with_capacity(FOOTER_LEN);
        foot.put_u64(self.volume.0);
        foot.put_u64(self.id.number);
        foot.put_u32(self.id.epoch);
        foot.put_u32(len32(self.entries.len()));
        foot.put_u64(self.through_seq);
        foot.put_u32(self.frames_len);
        foot.put_u32(self.frames_crc);
        foot.resize(FOOTER_LEN - 8, 0);
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
        let count = usize_of(u64::from(reader.u32()?));
        let (through_seq, frames_len, frames_crc) = (reader.u64()?, reader.u32()?, reader.u32()?);
        let start = foot_at.checked_sub(count.checked_mul(ENTRY_LEN)?)?;
        let mut covered = bytes.get(start..foot_at)?.to_vec();
        covered.extend_from_slice(bytes.get(foot_at + 8..)?);
        if magic != MAGIC || sum != crc(&covered) {
            return None;
        }
        let lines = bytes.get(start..foot_at)?.chunks_exact(ENTRY_LEN);
        let entries = lines.map(Entry::parse).collect::<Option<_>>()?;
        Some(Self {
            volume,
            id: SegmentId { number, epoch },
            through_seq,
            frames_len,
            frames_crc,
            entries,
        })
    }

    /// Whether the frames at the start of the whole object are the ones that were sealed.
    pub(crate) fn vouches_for(&self, object: &[u8]) -> bool {
        let frames = object.get(..usize_of(u64::from(self.frames_len)));
        frames.is_some_and(|frames| crc(frames) == self.frames_crc)
    }

    /// How many blocks have a frame.
    pub(crate) fn frames(&self) -> u32 {
        let framed = |entry: &&Entry| !matches!(entry.change, Change::Zero { .. });
        len32(self.entries.iter().filter(framed).count())
    }
}

impl Entry {
    fn put(&self, out: &mut Vec<u8>) {
        let none = SegmentId::default();
        let (kind, unit, from, from_unit, blocks) = match self.change {
            Change::Written { unit } => (1, unit, none, 0, 1),
            Change::Zero { blocks } => (2, 0, none, 0, blocks),
            Change::Moved {
                unit,
                from,
                from_unit,
            } => (3, unit, from, from_unit, 1),
        };
        out.put_u64(self.block);
        out.put_u64(from.number);
        out.put_u32(from.epoch);
        out.put_u16(unit);
        out.put_u16(from_unit);
        out.put_u32(blocks);
        out.put_u32(kind);
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let block = reader.u64()?;
        let (number, epoch) = (reader.u64()?, reader.u32()?);
        let (unit, from_unit) = (reader.u16()?, reader.u16()?);
        let (blocks, kind) = (reader.u32()?, reader.u32()?);
        let change = match kind {
            1 => Change::Written { unit },
            2 => Change::Zero { blocks },
            3 => Change::Moved {
                unit,
                from: SegmentId { number, epoch },
                from_unit,
            },
            _ => return None,
        };
        Some(Self { block, change })
    }
}

#[cfg(test)]
#[path = "segment_test.rs"]
mod tests;
