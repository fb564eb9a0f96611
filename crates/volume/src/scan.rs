//! Walking over the journal's records after a restart, to where the whole ones end.
//!
//! Where a record is not whole, either the journal ends, or the record has rotted. It has if anything says
//! that it was durable: the header, or a record behind it, which is looked for up to [`AHEAD_LEN`] on.

use std::collections::{BTreeSet, VecDeque};

use crate::SECTOR_LEN;
use crate::bulk::{BulkRef, Stretch};
use crate::bytes::usize_of;
use crate::command::IoError;
use crate::crcs::Crcs;
use crate::journal::{Kept, file_offset};
use crate::name::{ObjectName, VolumeId};
use crate::open::{Backing, OpenError};
use crate::record::{Found, Header, Kind, RECORD_LEN_MAX, Record};
use crate::snapshot::{Snapshot, SnapshotId, from_note};

/// How much is read at once.
const WINDOW_LEN: u64 = 1 << 20;

/// How far behind the end is looked for records that know of more.
const AHEAD_LEN: u64 = 16 << 20;

/// What the journal holds.
pub(crate) struct Scanned {
    /// Its records and their positions, in order.
    pub(crate) records: Vec<(u64, Found)>,
    /// The last whole record, or the one before the header's first if there is none.
    pub(crate) last_seq: u64,
    /// The position behind it.
    pub(crate) end: u64,
    /// The highest epoch met.
    pub(crate) epoch: u32,
    /// Bulks that nothing says to have been durable, and that are whole.
    pub(crate) bulks: BTreeSet<ObjectName>,
}

impl Scanned {
    /// A journal without records.
    pub(crate) fn nothing(header: Header) -> Self {
        Self {
            records: Vec::new(),
            last_seq: header.tail_seq.saturating_sub(1),
            end: header.tail,
            epoch: 0,
            bulks: BTreeSet::new(),
        }
    }

    /// Whether a record right behind the last is of an attachment that found the journal to end there and
    /// segments that went further. It counts on from those.
    fn is_passed_by(&self, record: &Record) -> bool {
        let behind = !self.records.is_empty() && record.seq > self.last_seq;
        behind && record.kind == Kind::Open && record.epoch > self.epoch
    }

    /// Whether a bulk is whole, of which nobody knows whether it was ever durable.
    fn has_bulk(
        &mut self,
        backing: &mut dyn Backing,
        volume: VolumeId,
        (object, stretch): (BulkRef, Stretch),
    ) -> Result<bool, IoError> {
        let name = ObjectName::segment(volume, object.id);
        let bytes = match backing.get(name, 0, u64::MAX) {
            Err(IoError::NotFound) => Vec::new(),
            other => other?,
        };
        let is_whole = object.is_whole(volume, stretch, &bytes);
        if is_whole {
            self.bulks.insert(name);
        }
        Ok(is_whole)
    }

    /// The snapshots among its records.
    pub(crate) fn cuts(&self) -> Vec<Snapshot> {
        let cuts = self.records.iter();
        cuts.filter_map(|(_, found)| snapshot_of(found)).collect()
    }

    /// The records from `seq` on.
    pub(crate) fn keep(&self, seq: u64) -> VecDeque<Kept> {
        let from = self
            .records
            .partition_point(|(_, found)| found.record.seq < seq);
        let records = self.records.iter().skip(from);
        let kept = records.map(|(pos, Found { record, .. })| Kept {
            seq: record.seq,
            pos: *pos,
            end: pos + record.len(),
            kind: record.kind,
            block: record.block,
            blocks: record.blocks,
            shown: None,
            crcs: Crcs::of(&[]),
        });
        kept.collect()
    }
}

/// The snapshot that a record takes; its length is not in it.
pub(crate) fn snapshot_of(found: &Found) -> Option<Snapshot> {
    let record = found.record;
    let (name, taken) = match record.kind {
        Kind::Snapshot => from_note(&found.note)?,
        _ => return None,
    };
    let (seq, epoch) = (record.seq, record.epoch);
    Some(Snapshot {
        id: SnapshotId { seq, epoch },
        name,
        taken,
        size_blocks: 0,
    })
}

/// Walks from the header's tail as far as each record is whole, next in sequence and of no older epoch.
pub(crate) fn scan(
    backing: &mut dyn Backing,
    volume: VolumeId,
    header: Header,
    lap_len: u64,
) -> Result<Scanned, OpenError> {
    let mut window = Window::new(lap_len);
    let mut found = Scanned::nothing(header);
    let mut durable = header.durable_seq;
    let (mut looked, mut looked_for_bulks) = (false, false);
    // Nothing may be walked over twice, however well it fits.
    while found.end - header.tail < lap_len {
        let next = window.record(backing, found.end)?;
        let next = next.filter(|next| {
            let record = next.record;
            let follows = record.seq == found.last_seq.wrapping_add(1);
            (follows || found.is_passed_by(&record))
                && record.volume == volume
                && record.epoch >= found.epoch
        });
        let bulk = next
            .as_ref()
            .and_then(|next| BulkRef::of(&next.record, &next.note));
        if bulk.is_some() && durable <= found.last_seq && !looked_for_bulks {
            looked_for_bulks = true;
            durable = durable.max(look_ahead(backing, &mut window, volume, header, &found)?);
        }
        let mut is_whole = next.as_ref().is_some_and(|next| next.damaged.is_empty());
        if let Some(bulk) = bulk.filter(|_| durable <= found.last_seq) {
            is_whole = is_whole && found.has_bulk(backing, volume, bulk)?;
        }
        if !is_whole {
            if !looked {
                looked = true;
                durable = durable.max(look_ahead(backing, &mut window, volume, header, &found)?);
            }
            if durable <= found.last_seq {
                break;
            }
        }
        let Some(next) = next else {
            return Err(OpenError::Rotten(found.last_seq + 1));
        };
        let (pos, record) = (found.end, next.record);
        durable = durable.max(record.durable_seq);
        found.epoch = record.epoch;
        found.last_seq = record.seq;
        found.end = match record.kind {
            Kind::Wrap => pos.next_multiple_of(lap_len).max(pos + record.len()),
            _ => pos + record.len(),
        };
        found.records.push((pos, next));
    }
    if durable > found.last_seq {
        return Err(OpenError::Rotten(found.last_seq + 1));
    }
    Ok(found)
}

/// The newest record that those behind the end know to have been durable.
fn look_ahead(
    backing: &mut dyn Backing,
    window: &mut Window,
    volume: VolumeId,
    header: Header,
    found: &Scanned,
) -> Result<u64, IoError> {
    let until = (header.tail + window.lap_len).min(found.end + AHEAD_LEN);
    let (mut pos, mut durable) = (found.end + SECTOR_LEN, 0);
    while pos < until {
        let next = window.record(backing, pos)?.map(|found| found.record);
        let newer = |record: &Record| {
            record.volume == volume && record.epoch >= found.epoch && record.seq > found.last_seq
        };
        pos += match next.filter(newer) {
            Some(record) => {
                durable = durable.max(record.durable_seq);
                record.len()
            }
            None => SECTOR_LEN,
        };
    }
    Ok(durable)
}

/// A stretch of the journal in memory.
struct Window {
    lap_len: u64,
    pos: u64,
    bytes: Vec<u8>,
}

impl Window {
    fn new(lap_len: u64) -> Self {
        Self {
            lap_len,
            pos: 0,
            bytes: Vec::new(),
        }
    }

    /// The record at a position.
    fn record(&mut self, backing: &mut dyn Backing, pos: u64) -> Result<Option<Found>, IoError> {
        let left = self.lap_len - pos % self.lap_len;
        let wanted = left.min(RECORD_LEN_MAX);
        let here = pos.checked_sub(self.pos).map(usize_of);
        let enough =
            here.and_then(|from| self.bytes.get(from..from.checked_add(usize_of(wanted))?));
        if enough.is_none() {
            let len = left.min(WINDOW_LEN);
            self.bytes = backing.journal_read(file_offset(pos, self.lap_len), len)?;
            self.pos = pos;
        }
        let from = usize_of(pos - self.pos);
        Ok(Record::parse(self.bytes.get(from..).unwrap_or_default()))
    }
}
