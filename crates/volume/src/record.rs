//! Records of the journal, byte by byte.
//!
//! All numbers are little-endian. A record begins at a multiple of 512 bytes and is padded to one, so
//! that no sector is shared by two records and appending never touches what a flush has covered.
//!
//! | bytes | what |
//! |---|---|
//! | 0..4 | magic `CFJ1` |
//! | 4..8 | CRC-32C of bytes 8..64 and of the table |
//! | 8..16 | the volume |
//! | 16..24 | sequence: one more than that of the record before |
//! | 24..32 | first block |
//! | 32..36 | blocks |
//! | 36..40 | epoch: never less than that of the record before |
//! | 40..44 | kind: 1 data, 2 zeroes, 3 opening, 4 the rest of the lap is unused, 5 snapshot, 6 size, 7 bulk |
//! | 44..52 | all records up to this sequence were known to be durable |
//! | 52..64 | zero |
//! | 64.. | data: the table, a CRC-32C for each block; then the blocks |
//! | 64.. | snapshot: its time (8) and its name, as many bytes as bytes 32..36 say |
//! | 64..84 | bulk: number (8), length (4) and frames (4) of the object that has the blocks, and the unit (4) at which they begin there |
//!
//! A size has the volume's new length as its first block. An opening may skip sequences: those of records
//! that were not durable, and whose layer segments have.
//!
//! What was known to be durable tells rot from the journal's end: where a record is not whole and a later
//! one says that it was durable, it has been damaged since.
//!
//! A journal is used in laps and its old bytes are never cleaned: what lies behind the end is told
//! apart by its sequence (an older lap) or by its epoch (a tail that an earlier attachment lost; were
//! it taken up once new records reach it, writes that had settled would change).

use crate::bulk::BULK_NOTE_LEN;
use crate::bytes::{Put, Reader, crc, len32, usize_of};
use crate::name::VolumeId;
use crate::segment::FRAMES_MAX;
use crate::{BLOCK_LEN, SECTOR_LEN};

const MAGIC: u32 = u32::from_le_bytes(*b"CFJ1");

/// The bytes before the table.
pub(crate) const HEADER_LEN: usize = 64;

/// The most blocks in one record.
pub(crate) const BLOCKS_MAX: u32 = 16;

/// The most bytes that a snapshot's record brings.
pub(crate) const NOTE_LEN_MAX: u32 = 256;

/// The length of the longest record.
pub(crate) const RECORD_LEN_MAX: u64 = record_len(Kind::Data, BLOCKS_MAX);

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Blocks follow.
    Data,
    /// The blocks became zero.
    Zero,
    /// An attachment begins.
    Open,
    /// The next record is at the start of the next lap.
    Wrap,
    /// What is before is a snapshot.
    Snapshot,
    /// The volume has another length.
    Size,
    /// The blocks are in an object, which was stored before the record was written.
    Bulk,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Data,
        Self::Zero,
        Self::Open,
        Self::Wrap,
        Self::Snapshot,
        Self::Size,
        Self::Bulk,
    ];

    const fn code(self) -> u32 {
        match self {
            Self::Data => 1,
            Self::Zero => 2,
            Self::Open => 3,
            Self::Wrap => 4,
            Self::Snapshot => 5,
            Self::Size => 6,
            Self::Bulk => 7,
        }
    }
}

/// The fields of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) volume: VolumeId,
    pub(crate) seq: u64,
    pub(crate) epoch: u32,
    pub(crate) kind: Kind,
    pub(crate) block: u64,
    pub(crate) blocks: u32,
    pub(crate) durable_seq: u64,
}

/// A record as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) record: Record,
    /// The checksum of each block of data.
    pub(crate) crcs: Vec<u32>,
    /// What the record of a snapshot or a bulk brings.
    pub(crate) note: Vec<u8>,
    /// Blocks whose bytes are not those that were written.
    pub(crate) damaged: Vec<u32>,
}

/// The length of a record, a multiple of the sector.
pub(crate) const fn record_len(kind: Kind, blocks: u32) -> u64 {
    let body = match kind {
        Kind::Data => blocks as u64 * (4 + BLOCK_LEN as u64),
        Kind::Snapshot => blocks as u64,
        Kind::Bulk => BULK_NOTE_LEN as u64,
        _ => 0,
    };
    (HEADER_LEN as u64 + body).next_multiple_of(SECTOR_LEN)
}

/// Where the data of a record begins, counted from the record.
pub(crate) fn data_offset(blocks: u32) -> u64 {
    HEADER_LEN as u64 + 4 * u64::from(blocks)
}

impl Record {
    /// Appends the record; `data` is whole blocks for [`Kind::Data`], a note for [`Kind::Snapshot`] and
    /// [`Kind::Bulk`], else empty.
    pub(crate) fn put(self, data: &[u8], crcs: &[u32], out: &mut Vec<u8>) {
        let start = out.len();
        let len = usize_of(record_len(self.kind, self.blocks));
        out.reserve(len);
        out.put_u32(MAGIC);
        out.put_u32(0);
        out.put_u64(self.volume.0);
        out.put_u64(self.seq);
        out.put_u64(self.block);
        out.put_u32(self.blocks);
        out.put_u32(self.epoch);
        out.put_u32(self.kind.code());
        out.put_u64(self.durable_seq);
        out.resize(start + HEADER_LEN, 0);
        crcs.iter().for_each(|crc| out.put_u32(*crc));
        let (note, data) = match self.kind {
            Kind::Snapshot | Kind::Bulk => (data, &[][..]),
            _ => (&[][..], data),
        };
        out.extend_from_slice(note);
        let sum = crc(out.get(start + 8..).unwrap_or_default());
        if let Some(place) = out.get_mut(start + 4..start + 8) {
            place.copy_from_slice(&sum.to_le_bytes());
        }
        out.extend_from_slice(data);
        out.resize(start + len, 0);
    }

    /// The record at the start of `bytes`, whole or with damaged blocks; `None` if its header or table is
    /// not there. `bytes` has to reach to the record's end, or what is there is not believed.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Found> {
        let mut reader = Reader::new(bytes);
        if reader.u32()? != MAGIC {
            return None;
        }
        let sum = reader.u32()?;
        let record = Self::fields(&mut Reader::new(bytes.get(8..HEADER_LEN)?))?;
        let table_len = match record.kind {
            Kind::Data if record.blocks > BLOCKS_MAX => return None,
            Kind::Data => 4 * usize_of(u64::from(record.blocks)),
            Kind::Snapshot if record.blocks > NOTE_LEN_MAX => return None,
            Kind::Snapshot => usize_of(u64::from(record.blocks)),
            Kind::Bulk if usize_of(u64::from(record.blocks)) > FRAMES_MAX => return None,
            Kind::Bulk => BULK_NOTE_LEN,
            _ => 0,
        };
        if sum != crc(bytes.get(8..HEADER_LEN + table_len)?) {
            return None;
        }
        let table = bytes.get(HEADER_LEN..HEADER_LEN + table_len)?;
        if record.kind != Kind::Data {
            let (note, crcs, damaged) = (table.to_vec(), Vec::new(), Vec::new());
            return Some(Found {
                record,
                crcs,
                note,
                damaged,
            });
        }
        let mut reader = Reader::new(table);
        let crcs: Vec<u32> = std::iter::from_fn(|| reader.u32()).collect();
        let data = bytes.get(HEADER_LEN + table_len..usize_of(record.len()))?;
        let blocks = (0..).zip(data.chunks_exact(BLOCK_LEN).zip(&crcs));
        let damaged = blocks.filter(|(_, (block, sum))| crc(block) != **sum);
        let damaged = damaged.map(|(index, _)| index).collect();
        Some(Found {
            record,
            crcs,
            note: Vec::new(),
            damaged,
        })
    }

    fn fields(reader: &mut Reader<'_>) -> Option<Self> {
        let volume = VolumeId(reader.u64()?);
        let (seq, block) = (reader.u64()?, reader.u64()?);
        let (blocks, epoch, code) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let kind = Kind::ALL.into_iter().find(|kind| kind.code() == code)?;
        let durable_seq = reader.u64()?;
        Some(Self {
            volume,
            seq,
            epoch,
            kind,
            block,
            blocks,
            durable_seq,
        })
    }

    pub(crate) fn len(self) -> u64 {
        record_len(self.kind, self.blocks)
    }
}

/// The journal's header: where its oldest record is.
///
/// There are two, at bytes 0 and 4096 of the journal and each time both written, in one go: a disk tears
/// no sector, and when one rots the other still knows where the records begin. 0..4 magic `CFH2`, 4..8
/// CRC-32C of bytes 8..56, 8..16 the volume, 16..24 generation, 24..32 position of the oldest record,
/// 32..40 its sequence, 40..44 epoch, 44..48 zero, 48..56 the record up to which all were known to be
/// durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) volume: VolumeId,
    pub(crate) generation: u64,
    /// Counted on over all laps, without the headers.
    pub(crate) tail: u64,
    pub(crate) tail_seq: u64,
    pub(crate) epoch: u32,
    pub(crate) durable_seq: u64,
}

const HEADER_MAGIC: u32 = u32::from_le_bytes(*b"CFH2");
const HEADER_BODY_LEN: usize = 48;
/// Where the second of the two is.
const SECOND_AT: usize = 4096;

/// The bytes before the first lap.
pub(crate) const HEADERS_LEN: u64 = 8192;

impl Header {
    /// Both copies, to be written to the start of the journal.
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut body = Vec::with_capacity(HEADER_BODY_LEN);
        body.put_u64(self.volume.0);
        body.put_u64(self.generation);
        body.put_u64(self.tail);
        body.put_u64(self.tail_seq);
        body.put_u32(self.epoch);
        body.put_u32(0);
        body.put_u64(self.durable_seq);
        let mut out = Vec::with_capacity(SECOND_AT + usize_of(SECTOR_LEN));
        out.put_u32(HEADER_MAGIC);
        out.put_u32(crc(&body));
        out.append(&mut body);
        out.resize(SECOND_AT, 0);
        let first = out.get(..usize_of(SECTOR_LEN)).unwrap_or_default().to_vec();
        out.extend_from_slice(&first);
        out
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let (magic, sum) = (reader.u32()?, reader.u32()?);
        let body = reader.bytes(HEADER_BODY_LEN)?;
        let mut fields = Reader::new(body);
        let header = Self {
            volume: VolumeId(fields.u64()?),
            generation: fields.u64()?,
            tail: fields.u64()?,
            tail_seq: fields.u64()?,
            epoch: fields.u32()?,
            durable_seq: {
                fields.u32()?;
                fields.u64()?
            },
        };
        (magic == HEADER_MAGIC && sum == crc(body)).then_some(header)
    }

    /// The newer of the two headers in the first bytes of a journal.
    pub(crate) fn newest(bytes: &[u8], volume: VolumeId) -> Option<Self> {
        let slots = [bytes, bytes.get(SECOND_AT..).unwrap_or_default()];
        let found = slots.into_iter().filter_map(Self::parse);
        let ours = found.filter(|header| header.volume == volume);
        ours.max_by_key(|header| header.generation)
    }
}

/// A record's length for the caller that has only what was counted.
pub(crate) fn blocks_in(data: &[u8]) -> u32 {
    len32(data.len() / BLOCK_LEN)
}

#[cfg(test)]
#[path = "record_test.rs"]
mod tests;
