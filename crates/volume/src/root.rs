//! Roots and claims, the two small objects that tell where a volume stands.
//!
//! A root is a checkpoint: 0..4 CRC-32C of the rest, 4..8 magic `CFR1`, 8..16 volume, 16..20 epoch of the
//! writer, 20..32 number and epoch of the last segment that has taken effect, 32..40 the last journal
//! record that has, 40..48 blocks of the volume; then the count of segments and for each row, number
//! (8), epoch, length, blocks, live blocks; then the count of parts and for each its place in the
//! map, number (8), epoch. Fields are four bytes where nothing is said.
//!
//! A claim is 0..4 CRC-32C of the rest, 4..8 magic `CFC1`, 8..16 the number of the last segment that the
//! attachment found, 16..24 and 24..28 number and epoch of the root from which it began. Segments with
//! a higher number and a lower epoch than a claim have lost, and so have roots of a lower epoch that
//! are newer than the claim's: what they name may be deleted.

use std::collections::BTreeMap;

use crate::bytes::{Put, Reader, crc, len32};
use crate::name::{ObjectKind, ObjectName, SegmentId, VolumeId};
use crate::table::Row;

const ROOT_MAGIC: u32 = u32::from_le_bytes(*b"CFR1");
const CLAIM_MAGIC: u32 = u32::from_le_bytes(*b"CFC1");

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    pub(crate) volume: VolumeId,
    pub(crate) epoch: u32,
    pub(crate) head: SegmentId,
    pub(crate) through_seq: u64,
    pub(crate) size_blocks: u64,
    pub(crate) rows: Vec<(u32, Row)>,
    pub(crate) parts: BTreeMap<u32, ObjectName>,
}

impl Root {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        body.put_u32(ROOT_MAGIC);
        body.put_u64(self.volume.0);
        body.put_u32(self.epoch);
        body.put_u64(self.head.number);
        body.put_u32(self.head.epoch);
        body.put_u64(self.through_seq);
        body.put_u64(self.size_blocks);
        body.put_u32(len32(self.rows.len()));
        for (number, row) in &self.rows {
            body.put_u32(*number);
            body.put_u64(row.id.number);
            body.put_u32(row.id.epoch);
            body.put_u32(row.len);
            body.put_u32(row.frames);
            body.put_u32(row.live);
        }
        body.put_u32(len32(self.parts.len()));
        for (part, name) in &self.parts {
            body.put_u32(*part);
            body.put_u64(name.number);
            body.put_u32(name.epoch);
        }
        sealed(body)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = opened(bytes, ROOT_MAGIC)?;
        let volume = VolumeId(reader.u64()?);
        let epoch = reader.u32()?;
        let (number, head_epoch) = (reader.u64()?, reader.u32()?);
        let (through_seq, size_blocks) = (reader.u64()?, reader.u64()?);
        let count = reader.u32()?;
        let rows = (0..count).map(|_| read_row(&mut reader));
        let rows = rows.collect::<Option<_>>()?;
        let count = reader.u32()?;
        let parts = (0..count).map(|_| {
            let part = reader.u32()?;
            let (number, epoch) = (reader.u64()?, reader.u32()?);
            let kind = ObjectKind::Part;
            let name = ObjectName {
                volume,
                kind,
                number,
                epoch,
            };
            Some((part, name))
        });
        Some(Self {
            volume,
            epoch,
            head: SegmentId {
                number,
                epoch: head_epoch,
            },
            through_seq,
            size_blocks,
            rows,
            parts: parts.collect::<Option<_>>()?,
        })
    }
}

fn read_row(reader: &mut Reader<'_>) -> Option<(u32, Row)> {
    let row = reader.u32()?;
    let (number, epoch) = (reader.u64()?, reader.u32()?);
    let (len, frames, live) = (reader.u32()?, reader.u32()?, reader.u32()?);
    let id = SegmentId { number, epoch };
    let data = Row {
        id,
        len,
        frames,
        live,
    };
    (row < 1 << 24).then_some((row, data))
}

/// What an attachment has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The number of the last segment.
    pub(crate) head_number: u64,
    /// The root's epoch and number.
    pub(crate) root: (u32, u64),
}

impl Claim {
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut body = Vec::new();
        body.put_u32(CLAIM_MAGIC);
        body.put_u64(self.head_number);
        body.put_u64(self.root.1);
        body.put_u32(self.root.0);
        sealed(body)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = opened(bytes, CLAIM_MAGIC)?;
        let (head_number, number) = (reader.u64()?, reader.u64()?);
        let root = (reader.u32()?, number);
        Some(Self { head_number, root })
    }
}

fn sealed(mut body: Vec<u8>) -> Vec<u8> {
    let mut out = crc(&body).to_le_bytes().to_vec();
    out.append(&mut body);
    out
}

fn opened(bytes: &[u8], magic: u32) -> Option<Reader<'_>> {
    let mut reader = Reader::new(bytes);
    let sum = reader.u32()?;
    let whole = sum == crc(bytes.get(4..)?) && reader.u32()? == magic;
    whole.then_some(reader)
}

#[cfg(test)]
#[path = "root_test.rs"]
mod tests;
