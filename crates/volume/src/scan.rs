//! Walking over the journal's records after a restart, to where the whole ones end.

use std::collections::VecDeque;

use crate::bytes::usize_of;
use crate::command::IoError;
use crate::journal::{Kept, file_offset};
use crate::name::VolumeId;
use crate::open::Backing;
use crate::overlay::{Content, Fresh, Overlay};
use crate::record::{Header, Kind, RECORD_LEN_MAX, Record, data_offset};

/// How much is read at once.
const WINDOW_LEN: u64 = 1 << 20;

/// What the journal holds.
pub(crate) struct Scanned {
    /// What records after the last packed one wrote.
    pub(crate) overlay: Overlay,
    /// Those records.
    pub(crate) kept: VecDeque<Kept>,
    /// The last whole record, or the one before the header's first if there is none.
    pub(crate) last_seq: u64,
    /// The position behind it.
    pub(crate) end: u64,
    /// The highest epoch met.
    pub(crate) epoch: u32,
}

/// Walks from the header's tail as far as each record is whole, next in sequence and of no older epoch.
pub(crate) fn scan(
    backing: &mut dyn Backing,
    volume: VolumeId,
    header: Header,
    lap_len: u64,
    through_seq: u64,
) -> Result<Scanned, IoError> {
    let mut window = Window::new(lap_len);
    let mut found = Scanned {
        overlay: Overlay::default(),
        kept: VecDeque::new(),
        last_seq: header.tail_seq.saturating_sub(1),
        end: header.tail,
        epoch: 0,
    };
    // Nothing may be walked over twice, however well it fits.
    while found.end - header.tail < lap_len {
        let bytes = window.at(backing, found.end)?;
        let Some((record, crcs)) = Record::parse(bytes) else {
            break;
        };
        let next = record.seq == found.last_seq.wrapping_add(1) && record.volume == volume;
        if !next || record.epoch < found.epoch {
            break;
        }
        let pos = found.end;
        found.epoch = record.epoch;
        found.last_seq = record.seq;
        found.end = match record.kind {
            Kind::Wrap => pos.next_multiple_of(lap_len).max(pos + record.len()),
            _ => pos + record.len(),
        };
        if record.seq > through_seq {
            take_up(&mut found, pos, record, crcs);
        }
    }
    Ok(found)
}

fn take_up(found: &mut Scanned, pos: u64, record: Record, crcs: Vec<u32>) {
    let content = match record.kind {
        Kind::Data => Some(Content::Data {
            pos: pos + data_offset(record.blocks),
            crcs: crcs.into(),
            skip: 0,
        }),
        Kind::Zero => Some(Content::Zero),
        Kind::Open | Kind::Wrap => None,
    };
    let fits = record.block.checked_add(u64::from(record.blocks)).is_some();
    if let Some(content) = content.filter(|_| fits && record.blocks > 0) {
        found.overlay.insert(Fresh {
            block: record.block,
            blocks: u64::from(record.blocks),
            seq: record.seq,
            content,
        });
    }
    found.kept.push_back(Kept {
        seq: record.seq,
        pos,
        end: pos + record.len(),
        kind: record.kind,
        block: record.block,
        blocks: record.blocks,
    });
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

    /// What is at a position: a record's longest length, unless the lap ends before.
    fn at(&mut self, backing: &mut dyn Backing, pos: u64) -> Result<&[u8], IoError> {
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
        Ok(self.bytes.get(from..).unwrap_or_default())
    }
}
