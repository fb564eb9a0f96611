//! The journal in memory: where the next record goes, what is on its way, and what may be reused.
//!
//! Positions count on over all laps; a lap is the file without its headers.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::bytes::usize_of;
use crate::crcs::Crcs;
use crate::name::VolumeId;
use crate::overlay::{Content, Fresh};
use crate::record::{HEADERS_LEN, Header, Kind, Record, blocks_in, data_offset, record_len};
use crate::{BLOCK_LEN, SECTOR_LEN};

/// Room that only openings may use, so that a full journal can still be attached.
const RESERVE_LEN: u64 = 64 << 10;

/// The most room that is kept for the next run.
const SPENT_LEN_MAX: usize = 1 << 20;

/// A record that may still be needed.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) seq: u64,
    pub(crate) pos: u64,
    pub(crate) end: u64,
    pub(crate) kind: Kind,
    pub(crate) block: u64,
    pub(crate) blocks: u32,
    /// How many of its blocks no later record of its layer hides; not known of those that recovery found.
    pub(crate) shown: Option<u32>,
    /// Of its blocks, as far as it is known how many are hidden.
    pub(crate) crcs: Crcs,
}

impl Kept {
    /// What it wrote, where that is data of which nothing is hidden.
    pub(crate) fn whole(&self) -> Option<Fresh> {
        let is_whole = self.kind == Kind::Data && self.shown == Some(self.blocks);
        is_whole.then(|| Fresh {
            block: self.block,
            blocks: u64::from(self.blocks),
            seq: self.seq,
            content: Content::Data {
                pos: self.pos + data_offset(self.blocks),
                crcs: self.crcs.clone(),
                skip: 0,
            },
        })
    }
}

/// What a page of memory holds: a write of part of one has to read it first where it is not in memory.
const PAGE_LEN: u64 = 4096;

/// Records that are written together, one behind the other.
#[derive(Debug, Default)]
struct Run {
    /// Where the first record begins.
    first: u64,
    /// Where the bytes begin: where a page does, if what is before the first record there is known.
    pos: u64,
    bytes: Vec<u8>,
}

/// Bytes that are being written.
#[derive(Debug)]
struct Flight {
    token: u64,
    pos: u64,
    bytes: Arc<Vec<u8>>,
}

/// What appending came to.
pub(crate) struct Appended {
    pub(crate) seq: u64,
    pub(crate) data_pos: u64,
    pub(crate) crcs: Crcs,
}

#[derive(Debug)]
pub(crate) struct Journal {
    volume: VolumeId,
    epoch: u32,
    lap_len: u64,
    head: u64,
    /// Everything before is free, and durably known to be.
    tail: u64,
    next_seq: u64,
    /// Runs of records that nobody has been told to write yet.
    runs: VecDeque<Run>,
    /// The one that is being written. There is one at a time, since the next may begin in its last page, and
    /// what comes meanwhile goes together.
    flight: Option<Flight>,
    /// Where the last run that was given out ends, and its bytes in the page that it ends in.
    page: (u64, Vec<u8>),
    /// The room of a run that is written, for the next.
    spent: Vec<u8>,
    written_seq: u64,
    kept: VecDeque<Kept>,
    generation: u64,
    /// Everything up to this record is durable, as far as is known.
    durable_seq: u64,
}

/// Where a journal stands when it is opened.
pub(crate) struct Start {
    pub(crate) volume: VolumeId,
    pub(crate) epoch: u32,
    pub(crate) lap_len: u64,
    pub(crate) head: u64,
    pub(crate) tail: u64,
    pub(crate) next_seq: u64,
    pub(crate) kept: VecDeque<Kept>,
    pub(crate) generation: u64,
    pub(crate) durable_seq: u64,
}

/// Where in the file a position is.
pub(crate) fn file_offset(pos: u64, lap_len: u64) -> u64 {
    HEADERS_LEN + pos % lap_len
}

impl Journal {
    pub(crate) fn new(start: Start) -> Self {
        Self {
            volume: start.volume,
            epoch: start.epoch,
            lap_len: start.lap_len,
            head: start.head,
            tail: start.tail,
            next_seq: start.next_seq,
            runs: VecDeque::new(),
            flight: None,
            page: (u64::MAX, Vec::new()),
            spent: Vec::new(),
            written_seq: start.next_seq - 1,
            kept: start.kept,
            generation: start.generation,
            durable_seq: start.durable_seq,
        }
    }

    /// All records up to this one are durable; those from now on say so.
    pub(crate) fn note_durable(&mut self, seq: u64) {
        self.durable_seq = self.durable_seq.max(seq);
    }

    /// The sequence of the newest record.
    pub(crate) fn last_seq(&self) -> u64 {
        self.next_seq - 1
    }

    /// All records up to this one are written, though maybe not durably.
    pub(crate) fn written_seq(&self) -> u64 {
        self.written_seq
    }

    /// Bytes in use.
    pub(crate) fn used_len(&self) -> u64 {
        self.head - self.tail
    }

    pub(crate) fn lap_len(&self) -> u64 {
        self.lap_len
    }

    /// Whether records that take this much together still fit.
    pub(crate) fn has_room(&self, len: u64) -> bool {
        // Each lap may waste less than its longest record.
        let waste = crate::record::RECORD_LEN_MAX;
        self.used_len() + len + waste + RESERVE_LEN <= self.lap_len
    }

    /// Whether an opening still fits.
    pub(crate) fn has_room_to_open(&self) -> bool {
        self.used_len() + 2 * SECTOR_LEN <= self.lap_len
    }

    /// Appends a record; there has to be room.
    pub(crate) fn append(&mut self, kind: Kind, block: u64, blocks: u32, data: &[u8]) -> Appended {
        debug_assert!(kind != Kind::Data || blocks_in(data) == blocks);
        let len = record_len(kind, blocks);
        let left = self.lap_len - self.head % self.lap_len;
        if left < len {
            self.put(Kind::Wrap, 0, 0, &[]);
            self.head = self.head.next_multiple_of(self.lap_len);
        }
        self.put(kind, block, blocks, data)
    }

    fn put(&mut self, kind: Kind, block: u64, blocks: u32, data: &[u8]) -> Appended {
        let (seq, pos) = (self.next_seq, self.head);
        let record = Record {
            volume: self.volume,
            seq,
            epoch: self.epoch,
            kind,
            block,
            blocks,
            durable_seq: self.durable_seq,
        };
        let crcs = match kind {
            Kind::Data => Crcs::of(data),
            _ => Crcs::of(&[]),
        };
        let last = self.runs.back();
        let fits = last.is_some_and(|run| run.pos + run.bytes.len() as u64 == pos);
        if !fits || pos % self.lap_len == 0 {
            self.begin_run(pos);
        }
        if let Some(run) = self.runs.back_mut() {
            record.put(data, &crcs, &mut run.bytes);
        }
        self.next_seq += 1;
        self.head = pos + record.len();
        self.kept.push_back(Kept {
            seq,
            pos,
            end: self.head,
            kind,
            block,
            blocks,
            shown: Some(blocks),
            crcs: crcs.clone(),
        });
        let data_pos = pos + data_offset(blocks);
        Appended {
            seq,
            data_pos,
            crcs,
        }
    }

    fn begin_run(&mut self, first: u64) {
        let mut bytes = std::mem::take(&mut self.spent);
        if self.page.0 == first && !first.is_multiple_of(self.lap_len) {
            bytes.extend_from_slice(&self.page.1);
        }
        let pos = first - bytes.len() as u64;
        self.runs.push_back(Run { first, pos, bytes });
    }

    /// The next run to write: where in the file and what. Nothing while one is being written.
    pub(crate) fn take_run(&mut self, token: u64) -> Option<(u64, Arc<Vec<u8>>)> {
        if self.flight.is_some() {
            return None;
        }
        let Run { pos, mut bytes, .. } = self.runs.pop_front()?;
        let at = file_offset(pos, self.lap_len);
        self.fill_page(pos, &mut bytes);
        let bytes = Arc::new(bytes);
        self.flight = Some(Flight {
            token,
            pos,
            bytes: Arc::clone(&bytes),
        });
        Some((at, bytes))
    }

    /// Notes what the last page of a run holds, for the next to begin with, and makes it whole where what
    /// is behind the run is free.
    fn fill_page(&mut self, pos: u64, bytes: &mut Vec<u8>) {
        let end = pos + bytes.len() as u64;
        let within = file_offset(pos, self.lap_len) + bytes.len() as u64;
        let in_page = usize_of(within % PAGE_LEN);
        let whole_end = end + (within.next_multiple_of(PAGE_LEN) - within);
        self.page.1.clear();
        self.page.0 = u64::MAX;
        if let Some(from) = bytes.len().checked_sub(in_page) {
            self.page.0 = end;
            self.page
                .1
                .extend_from_slice(bytes.get(from..).unwrap_or_default());
        }
        let lap_end = (pos / self.lap_len + 1) * self.lap_len;
        let is_free = whole_end - self.tail <= self.lap_len;
        if is_free && whole_end <= lap_end {
            bytes.resize(bytes.len() + usize_of(whole_end - end), 0);
        }
    }

    /// The run is written.
    pub(crate) fn run_written(&mut self, token: u64) {
        let Some(flight) = self.flight.take_if(|flight| flight.token == token) else {
            return;
        };
        // Whoever wrote it may still have hold of it; then there is none to use again.
        let room = Arc::try_unwrap(flight.bytes).ok();
        if let Some(mut room) = room.filter(|room| room.capacity() <= SPENT_LEN_MAX) {
            room.clear();
            self.spent = room;
        }
        let next = self.runs.front().map_or(self.head, |run| run.first);
        let last = self.kept.iter().rev().find(|kept| kept.pos < next);
        if let Some(last) = last {
            self.written_seq = self.written_seq.max(last.seq);
        }
    }

    /// Bytes that are in memory since they are still on their way.
    pub(crate) fn peek(&self, pos: u64, len: usize) -> Option<&[u8]> {
        let runs = self.runs.iter().map(|run| (run.pos, &run.bytes[..]));
        let flight = self.flight.iter();
        let flight = flight.map(|flight| (flight.pos, &flight.bytes[..]));
        runs.chain(flight).find_map(|(at, bytes)| {
            let from = usize_of(pos.checked_sub(at)?);
            bytes.get(from..from.checked_add(len)?)
        })
    }

    /// Whether a position may have been written over since.
    pub(crate) fn is_free(&self, pos: u64) -> bool {
        pos < self.tail
    }

    /// The records after `seq`, oldest first.
    pub(crate) fn after(&self, seq: u64) -> impl Iterator<Item = &Kept> {
        let from = self.index_of(seq.saturating_add(1));
        self.kept.range(from..)
    }

    /// Where the first record from `seq` on is among those that are kept.
    fn index_of(&self, seq: u64) -> usize {
        let first = self.kept.front().map_or(seq, |kept| kept.seq);
        let near = usize_of(seq.saturating_sub(first));
        // They follow each other, unless some are damaged.
        match self.kept.get(near) {
            Some(kept) if kept.seq == seq => near,
            _ => self.kept.partition_point(|kept| kept.seq < seq),
        }
    }

    /// So many more blocks of a record are hidden by a later one of its layer.
    pub(crate) fn hide(&mut self, seq: u64, blocks: u64) {
        let index = self.index_of(seq);
        if let Some(kept) = self.kept.get_mut(index).filter(|kept| kept.seq == seq)
            && let Some(shown) = &mut kept.shown
        {
            *shown = shown.saturating_sub(u32::try_from(blocks).unwrap_or(u32::MAX));
        }
    }

    /// The header that says that nothing up to `seq` is needed, and where the tail will be then;
    /// `None` if that frees nothing.
    pub(crate) fn header_through(&mut self, seq: u64) -> Option<(Header, u64)> {
        let next = self.after(seq).next();
        let (tail, tail_seq) = next.map_or((self.head, self.next_seq), |kept| (kept.pos, kept.seq));
        if tail <= self.tail {
            return None;
        }
        Some((self.header(tail, tail_seq), tail))
    }

    /// A new header.
    pub(crate) fn header(&mut self, tail: u64, tail_seq: u64) -> Header {
        self.generation += 1;
        Header {
            volume: self.volume,
            generation: self.generation,
            tail,
            tail_seq,
            epoch: self.epoch,
            durable_seq: self.durable_seq,
        }
    }

    /// A header that says so is durable: what is before may be written over.
    pub(crate) fn free_before(&mut self, tail: u64) {
        self.tail = self.tail.max(tail);
        while self.kept.front().is_some_and(|kept| kept.end <= tail) {
            self.kept.pop_front();
        }
    }

    pub(crate) fn tail(&self) -> u64 {
        self.tail
    }
}

/// The room that a write of so many blocks needs.
pub(crate) fn room_for(blocks: u64) -> u64 {
    let max = u64::from(crate::record::BLOCKS_MAX);
    let whole = blocks / max * record_len(Kind::Data, crate::record::BLOCKS_MAX);
    let rest = u32::try_from(blocks % max).unwrap_or_default();
    whole + record_len(Kind::Data, rest)
}

/// A whole block of zeroes.
pub(crate) const ZERO_BLOCK: [u8; BLOCK_LEN] = [0; BLOCK_LEN];

#[cfg(test)]
#[path = "journal_test.rs"]
mod tests;
