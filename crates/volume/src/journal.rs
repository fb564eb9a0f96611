//! The journal in memory: where the next record goes, what is on its way, and what may be reused.
//!
//! Positions count on over all laps; a lap is the file without its headers.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::bytes::usize_of;
use crate::crcs::Crcs;
use crate::name::VolumeId;
use crate::record::{HEADERS_LEN, Header, Kind, Record, blocks_in, data_offset, record_len};
use crate::{BLOCK_LEN, SECTOR_LEN};

/// Room that only openings may use, so that a full journal can still be attached.
const RESERVE_LEN: u64 = 64 << 10;

/// The most room that is kept for the next run.
const SPENT_LEN_MAX: usize = 1 << 20;

/// A record that may still be needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) seq: u64,
    pub(crate) pos: u64,
    pub(crate) end: u64,
    pub(crate) kind: Kind,
    pub(crate) block: u64,
    pub(crate) blocks: u32,
}

/// Bytes that are being written.
#[derive(Debug)]
struct Flight {
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
    runs: VecDeque<(u64, Vec<u8>)>,
    flights: BTreeMap<u64, Flight>,
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
            flights: BTreeMap::new(),
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
        let fits = self
            .runs
            .back()
            .is_some_and(|(at, run)| at + run.len() as u64 == pos);
        if !fits || pos % self.lap_len == 0 {
            self.runs.push_back((pos, std::mem::take(&mut self.spent)));
        }
        if let Some((_, run)) = self.runs.back_mut() {
            record.put(data, &crcs, run);
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
        });
        let data_pos = pos + data_offset(blocks);
        Appended {
            seq,
            data_pos,
            crcs,
        }
    }

    /// The next run to write: where in the file and what.
    pub(crate) fn take_run(&mut self, token: u64) -> Option<(u64, Arc<Vec<u8>>)> {
        let (pos, run) = self.runs.pop_front()?;
        let bytes = Arc::new(run);
        let flight = Flight {
            pos,
            bytes: Arc::clone(&bytes),
        };
        self.flights.insert(token, flight);
        Some((file_offset(pos, self.lap_len), bytes))
    }

    /// A run is written. What counts is that all before it are too.
    pub(crate) fn run_written(&mut self, token: u64) {
        let flight = self.flights.remove(&token);
        // Whoever wrote it may still have hold of it; then there is none to use again.
        let room = flight.and_then(|flight| Arc::try_unwrap(flight.bytes).ok());
        if let Some(mut room) = room.filter(|room| room.capacity() <= SPENT_LEN_MAX) {
            room.clear();
            self.spent = room;
        }
        let oldest = self.flights.values().map(|flight| flight.pos).min();
        let oldest = oldest.or(self.runs.front().map(|(pos, _)| *pos));
        let before = |kept: &&Kept| oldest.is_none_or(|pos| kept.pos < pos);
        if let Some(last) = self.kept.iter().rev().find(before) {
            self.written_seq = self.written_seq.max(last.seq);
        }
    }

    /// Bytes that are in memory since they are still on their way.
    pub(crate) fn peek(&self, pos: u64, len: usize) -> Option<&[u8]> {
        let runs = self.runs.iter().map(|(at, run)| (*at, &run[..]));
        let flights = self
            .flights
            .values()
            .map(|flight| (flight.pos, &flight.bytes[..]));
        runs.chain(flights).find_map(|(at, bytes)| {
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
        let from = self.kept.partition_point(|kept| kept.seq <= seq);
        self.kept.range(from..)
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
