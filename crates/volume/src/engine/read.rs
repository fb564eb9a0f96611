//! Reads: from the journal, from segments, or nothing at all; checked, and tried again if overtaken.

use std::collections::BTreeMap;

use super::{Engine, Task};
use crate::BLOCK_LEN;
use crate::buffers::{Buffer, long_buffer};
use crate::bulk::FRAME_UNITS;
use crate::bytes::{crc, usize_of};
use crate::command::{Command, IoError, Refused, Reply, Stage};
use crate::frame::open_frame_into;
use crate::journal::file_offset;
use crate::leaf::Place;
use crate::name::{ObjectName, SegmentId};
use crate::overlay::{Content, Fresh};
use crate::segment::{FRAME_LEN_MAX, UNIT_LEN};

/// How often a piece may be overtaken before the read fails.
const TRIES_MAX: u8 = 8;

/// Longer reads pass by the cache: they cost little for each block, and would fill it.
const CACHED_LEN_MAX: usize = 4 * BLOCK_LEN;

/// Reads under way.
#[derive(Debug, Default)]
pub(super) struct Reads {
    reads: BTreeMap<u64, Read>,
    next: u64,
    /// Blocks that were looked for in the cache, there or not.
    pub(super) cache_hits: u64,
    pub(super) cache_misses: u64,
}

#[derive(Debug)]
struct Read {
    id: u64,
    block: u64,
    data: Vec<u8>,
    missing: usize,
    failed: Option<Stage>,
}

/// A part of a read that needs I/O.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    read: u64,
    tries: u8,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Journal(Fresh),
    /// Blocks and the units at which they begin, in order, of one segment: its row, or none for a bulk that
    /// the journal names.
    Segment(Option<u32>, ObjectName, Vec<(u64, u32)>),
}

impl Engine {
    /// Reads whole blocks; answered with [`Reply::Read`].
    pub fn read(&mut self, id: u64, block: u64, blocks: u32) -> Result<(), Refused> {
        let end = block.checked_add(u64::from(blocks));
        if end.is_none_or(|end| end > self.size_blocks) {
            return Err(Refused::Range);
        }
        let key = self.reads.next;
        self.reads.next += 1;
        let read = Read {
            id,
            block,
            // All of it is filled in before it is answered.
            data: long_buffer(usize_of(u64::from(blocks)) * BLOCK_LEN),
            missing: 0,
            failed: None,
        };
        self.reads.reads.insert(key, read);
        self.resolve(key, block, u64::from(blocks), 0);
        self.answer_read(key);
        Ok(())
    }

    /// Where in the store some blocks are, as far as they are there: objects and ranges of them, in order of
    /// blocks. For whoever wants to have them at hand.
    pub fn stored(&self, block: u64, blocks: u64) -> Vec<(ObjectName, u64, u64)> {
        let mut ranges: Vec<(ObjectName, u64, u64)> = Vec::new();
        let end = block.saturating_add(blocks).min(self.size_blocks);
        for place in (block..end).filter_map(|block| self.map.get(block)) {
            let Some(name) = self.segment_at(place.row) else {
                continue;
            };
            let (from, len) = (
                u64::from(place.unit) * UNIT_LEN as u64,
                FRAME_LEN_MAX as u64,
            );
            match ranges.last_mut() {
                Some((last, at, whole)) if *last == name && from == *at + *whole => *whole += len,
                _ => ranges.push((name, from, len)),
            }
        }
        ranges
    }

    /// Which of some blocks may hold something: lengths in blocks, in order, neighbours differ.
    pub fn status(&self, block: u64, blocks: u64) -> Vec<(u64, bool)> {
        let mut stretches: Vec<(u64, bool)> = Vec::new();
        let mut add = |len: u64, data: bool| match stretches.last_mut() {
            Some((last, same)) if *same == data => *last += len,
            _ if len > 0 => stretches.push((len, data)),
            _ => {}
        };
        let mut at = block;
        for fresh in self.layers.within(block, blocks) {
            (at..fresh.block).for_each(|block| add(1, self.map.get(block).is_some()));
            add(fresh.blocks, fresh.content != Content::Zero);
            at = fresh.block + fresh.blocks;
        }
        (at..block + blocks).for_each(|block| add(1, self.map.get(block).is_some()));
        stretches
    }

    /// Begins what I/O some blocks of a read need.
    fn resolve(&mut self, read: u64, block: u64, blocks: u64, tries: u8) {
        let mut at = block;
        for fresh in self.layers.within(block, blocks) {
            self.resolve_stored(read, at, fresh.block, tries);
            at = fresh.block + fresh.blocks;
            self.resolve_fresh(read, fresh, tries);
        }
        self.resolve_stored(read, at, block + blocks, tries);
    }

    fn resolve_fresh(&mut self, read: u64, fresh: Fresh, tries: u8) {
        let len = fresh.blocks * BLOCK_LEN as u64;
        if fresh.content == Content::Lost {
            return self.fail_read(read, Stage::JournalRead);
        }
        if let Content::Bulk { object, unit } = fresh.content {
            let name = ObjectName::segment(self.config.volume, object.id);
            let units = (0..).map(|index| unit + index * FRAME_UNITS);
            let frames = (fresh.block..fresh.block + fresh.blocks).zip(units);
            return self.get(read, tries, (None, name, frames.collect()));
        }
        let Some((pos, _)) = fresh.block_at(0) else {
            return self.fill(read, fresh.block, &vec![0; usize_of(len)]);
        };
        if let Some(bytes) = self.journal.peek(pos, usize_of(len)) {
            let bytes = bytes.to_vec();
            return self.fill(read, fresh.block, &bytes);
        }
        let at = file_offset(pos, self.journal.lap_len());
        let source = Source::Journal(fresh);
        let token = self.begin_piece(read, tries, source);
        self.commands
            .push_back(Command::JournalRead { token, at, len });
    }

    /// Blocks that lie one behind the other in a segment are read at once.
    fn resolve_stored(&mut self, read: u64, from: u64, to: u64, tries: u8) {
        let mut group: Option<(u32, Vec<(u64, u32)>)> = None;
        for block in from..to {
            let Some(place) = self.map.get(block) else {
                self.fill(read, block, &crate::journal::ZERO_BLOCK);
                continue;
            };
            if self.fill_from_cache(read, block, place) {
                continue;
            }
            let next_to = |last: u32| {
                let units = u64::from(place.unit.saturating_sub(last));
                (1..=(FRAME_LEN_MAX / UNIT_LEN) as u64).contains(&units)
            };
            match &mut group {
                Some((row, frames))
                    if *row == place.row && frames.last().is_some_and(|last| next_to(last.1)) =>
                {
                    frames.push((block, place.unit));
                }
                _ => {
                    let full = group.replace((place.row, vec![(block, place.unit)]));
                    full.into_iter()
                        .for_each(|group| self.get_of_row(read, tries, group));
                }
            }
        }
        group
            .into_iter()
            .for_each(|group| self.get_of_row(read, tries, group));
    }

    fn get_of_row(&mut self, read: u64, tries: u8, (row, frames): (u32, Vec<(u64, u32)>)) {
        match self.segment_at(row) {
            Some(name) => self.get(read, tries, (Some(row), name, frames)),
            None => self.fail_read(read, Stage::Get),
        }
    }

    fn get(
        &mut self,
        read: u64,
        tries: u8,
        (row, name, frames): (Option<u32>, ObjectName, Vec<(u64, u32)>),
    ) {
        let units = |frame: Option<&(u64, u32)>| frame.map_or(0, |(_, unit)| u64::from(*unit));
        let offset = units(frames.first()) * UNIT_LEN as u64;
        let end = units(frames.last()) * UNIT_LEN as u64 + FRAME_LEN_MAX as u64;
        let source = Source::Segment(row, name, frames);
        let token = self.begin_piece(read, tries, source);
        self.commands.push_back(Command::Get {
            token,
            name,
            offset,
            len: end - offset,
        });
    }

    pub(super) fn segment_at(&self, row: u32) -> Option<ObjectName> {
        self.table.get(row).map(crate::table::Row::name)
    }

    fn begin_piece(&mut self, read: u64, tries: u8, source: Source) -> u64 {
        if let Some(read) = self.reads.reads.get_mut(&read) {
            read.missing += 1;
        }
        let piece = Piece {
            read,
            tries,
            source,
        };
        self.begin(Task::Read(piece))
    }

    pub(super) fn piece_ended(&mut self, piece: Piece, result: Result<Buffer, IoError>) {
        let key = piece.read;
        if let Some(read) = self.reads.reads.get_mut(&key) {
            read.missing -= 1;
        }
        let again = piece.tries < TRIES_MAX;
        match (&piece.source, result) {
            (Source::Journal(fresh), Ok(bytes)) if is_as_written(fresh, &bytes) => {
                self.fill(key, fresh.block, &bytes);
            }
            // Packed since, and the place in the journal used again.
            (Source::Journal(fresh), Ok(_)) if again && self.is_overtaken(fresh) => {
                self.resolve(key, fresh.block, fresh.blocks, piece.tries + 1);
            }
            (Source::Journal(_), _) => self.fail_read(key, Stage::JournalRead),
            (Source::Segment(row, name, frames), result) => {
                let bytes = result.as_ref().ok();
                let is_whole = bytes.is_some_and(|bytes| self.fill_frames(key, frames, bytes));
                // Its file may have been written over, by what has its number and checksum too.
                let is_there = match row {
                    Some(row) => self.segment_at(*row) == Some(*name),
                    None => self.has_bulk(name.segment_id()),
                };
                if is_whole && is_there {
                    self.offer_to_cache(key, *name, frames);
                } else if again && !is_there {
                    // Collected since, and deleted.
                    let tries = piece.tries + 1;
                    frames
                        .iter()
                        .for_each(|(block, _)| self.resolve(key, *block, 1, tries));
                } else {
                    if is_there && !matches!(result, Err(IoError::Failed)) {
                        self.replies.push_back(Reply::Damaged(*name));
                    }
                    self.fail_read(key, Stage::Get);
                }
            }
        }
        self.answer_read(key);
    }

    fn fill_from_cache(&mut self, read: u64, block: u64, place: Place) -> bool {
        let (Some(cache), Some(name)) = (&self.config.read_cache, self.segment_at(place.row))
        else {
            return false;
        };
        let Some(read) = self
            .reads
            .reads
            .get_mut(&read)
            .filter(|one| one.is_cached())
        else {
            return false;
        };
        let target = read.target(block);
        let is_here = target.is_some_and(|target| cache.get(name, place.unit, target));
        match is_here {
            true => self.reads.cache_hits += 1,
            false => self.reads.cache_misses += 1,
        }
        is_here
    }

    fn offer_to_cache(&mut self, read: u64, name: ObjectName, frames: &[(u64, u32)]) {
        let read = self.reads.reads.get_mut(&read);
        if let (Some(cache), Some(read)) = (&self.config.read_cache, read)
            && read.is_cached()
        {
            for (block, unit) in frames {
                if let Some(data) = read.target(*block) {
                    cache.offer(name, *unit, data);
                }
            }
        }
    }

    fn has_bulk(&self, id: SegmentId) -> bool {
        self.bulks.has(id) || self.table.number_of(id).is_some()
    }

    fn is_overtaken(&self, fresh: &Fresh) -> bool {
        fresh
            .block_at(0)
            .is_some_and(|(pos, _)| self.journal.is_free(pos))
    }

    fn fail_read(&mut self, read: u64, stage: Stage) {
        if let Some(read) = self.reads.reads.get_mut(&read) {
            read.failed = Some(stage);
        }
    }

    fn fill(&mut self, read: u64, block: u64, bytes: &[u8]) {
        let Some(read) = self.reads.reads.get_mut(&read) else {
            return;
        };
        let from = usize_of(block - read.block) * BLOCK_LEN;
        if let Some(target) = read.data.get_mut(from..from + bytes.len()) {
            target.copy_from_slice(bytes);
        }
    }

    /// Fills in the blocks of frames that were read; `false` if one of them is not what was stored.
    fn fill_frames(&mut self, read: u64, frames: &[(u64, u32)], bytes: &[u8]) -> bool {
        let Some(read) = self.reads.reads.get_mut(&read) else {
            return true;
        };
        let first = frames.first().map_or(0, |(_, unit)| *unit);
        frames.iter().all(|(block, unit)| {
            let from = usize_of(u64::from(unit.saturating_sub(first))) * UNIT_LEN;
            let to = usize_of(block - read.block) * BLOCK_LEN;
            let frame = bytes.get(from..);
            let target = read.data.get_mut(to..to + BLOCK_LEN);
            frame
                .zip(target)
                .is_some_and(|(frame, target)| open_frame_into(frame, *block, target))
        })
    }

    fn answer_read(&mut self, key: u64) {
        let complete = |read: &Read| read.missing == 0;
        if !self.reads.reads.get(&key).is_some_and(complete) {
            return;
        }
        let Some(read) = self.reads.reads.remove(&key) else {
            return;
        };
        self.replies.push_back(match read.failed {
            None => Reply::Read(read.id, read.data),
            Some(stage) => Reply::Failed(read.id, stage),
        });
    }
}

impl Read {
    fn is_cached(&self) -> bool {
        self.data.len() <= CACHED_LEN_MAX
    }

    /// Where a block of it goes.
    fn target(&mut self, block: u64) -> Option<&mut [u8]> {
        let from = usize_of(block.checked_sub(self.block)?).checked_mul(BLOCK_LEN)?;
        self.data.get_mut(from..from.checked_add(BLOCK_LEN)?)
    }
}

fn is_as_written(fresh: &Fresh, bytes: &[u8]) -> bool {
    let mut blocks = (0..).zip(bytes.chunks_exact(BLOCK_LEN));
    bytes.len() as u64 == fresh.blocks * BLOCK_LEN as u64
        && blocks.all(|(index, data)| {
            fresh
                .block_at(index)
                .is_some_and(|(_, sum)| crc(data) == sum)
        })
}
