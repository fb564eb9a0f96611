//! Writes into the journal, and flushes, all of which that wait share one sync.

use std::collections::VecDeque;

use super::{Engine, Task};
use crate::BLOCK_LEN;
use crate::buffers::Buffer;
use crate::command::{Command, IoError, Refused, Reply, Stage};
use crate::journal::room_for;
use crate::overlay::{Content, Fresh};
use crate::record::{Kind, blocks_in, record_len};

/// Operations that wait for the journal.
#[derive(Debug)]
pub(super) struct Writes {
    /// Not written yet: the record, the operation, and whether it is to be durable too.
    waiting: VecDeque<(u64, u64, bool)>,
    /// Written, or a flush: the last record to be covered, and the operation.
    flushing: VecDeque<(u64, u64)>,
    /// Everything up to this record is durable.
    synced_seq: u64,
    /// A sync is under way: what it covers, and whether the journal and the bulks are still to come.
    running: Option<(u64, u32)>,
    /// A header that moves the journal's tail is being written.
    moves_tail: bool,
    /// Somebody was refused for want of room.
    refused: bool,
    pub(super) syncs: u64,
}

impl Writes {
    pub(super) fn new(synced_seq: u64) -> Self {
        Self {
            waiting: VecDeque::new(),
            flushing: VecDeque::new(),
            synced_seq,
            running: None,
            moves_tail: false,
            refused: false,
            syncs: 0,
        }
    }

    pub(super) fn is_synced(&self, seq: u64) -> bool {
        self.synced_seq >= seq
    }

    pub(super) fn has_refused(&self) -> bool {
        self.refused
    }

    pub(super) fn take_all(&mut self) -> Vec<u64> {
        let waiting = self.waiting.drain(..).map(|(_, id, _)| id);
        let flushing = self.flushing.drain(..).map(|(_, id)| id);
        waiting.chain(flushing).collect()
    }
}

impl Engine {
    /// Writes whole blocks, at most [`crate::WRITE_BLOCKS_MAX`]; answered once the journal has them,
    /// and with `fua` once they are durable.
    pub fn write(&mut self, id: u64, block: u64, data: &[u8], fua: bool) -> Result<(), Refused> {
        let blocks = u64::from(blocks_in(data));
        let whole = data.len().is_multiple_of(BLOCK_LEN) && blocks <= crate::WRITE_BLOCKS_MAX;
        self.admit(block, blocks, whole, room_for(blocks))?;
        if blocks > 0 {
            let appended = self
                .journal
                .append(Kind::Data, block, blocks_in(data), data);
            self.lay(Fresh {
                block,
                blocks,
                seq: appended.seq,
                content: Content::Data {
                    pos: appended.data_pos,
                    crcs: appended.crcs,
                    skip: 0,
                },
            });
        }
        self.await_written(id, fua);
        Ok(())
    }

    /// Makes blocks zero and gives their space back; the same for TRIM and WRITE_ZEROES.
    pub fn zero(&mut self, id: u64, block: u64, blocks: u32, fua: bool) -> Result<(), Refused> {
        let room = record_len(Kind::Zero, blocks);
        self.admit(block, u64::from(blocks), true, room)?;
        if blocks > 0 {
            self.append_zero(block, blocks);
        }
        self.await_written(id, fua);
        Ok(())
    }

    pub(super) fn append_zero(&mut self, block: u64, blocks: u32) {
        let appended = self.journal.append(Kind::Zero, block, blocks, &[]);
        self.lay(Fresh {
            block,
            blocks: u64::from(blocks),
            seq: appended.seq,
            content: Content::Zero,
        });
    }

    /// Puts what a record wrote over what those before it did.
    pub(super) fn lay(&mut self, fresh: Fresh) {
        let journal = &mut self.journal;
        self.layers
            .insert(fresh, &mut |seq, blocks| journal.hide(seq, blocks));
    }

    /// Answered once everything that was answered before is durable.
    pub fn flush(&mut self, id: u64) -> Result<(), Refused> {
        self.refuse_if_stopped()?;
        let seq = self.journal.written_seq();
        if self.writes.is_synced(seq) {
            self.replies.push_back(Reply::Done(id));
        } else {
            self.writes.flushing.push_back((seq, id));
            self.maybe_sync();
        }
        Ok(())
    }

    fn admit(&mut self, block: u64, blocks: u64, whole: bool, room: u64) -> Result<(), Refused> {
        self.refuse_if_stopped()?;
        let end = block.checked_add(blocks);
        if !whole || end.is_none_or(|end| end > self.size_blocks) {
            return Err(Refused::Range);
        }
        self.make_room(room)
    }

    /// Whether the journal has room for a write of so many blocks.
    pub fn has_room(&self, blocks: u64) -> bool {
        self.journal.has_room(room_for(blocks) + self.bulks.len())
    }

    /// Whether records of so many bytes may be appended.
    pub(super) fn make_room(&mut self, room: u64) -> Result<(), Refused> {
        if self.journal.has_room(room + self.bulks.len()) {
            return Ok(());
        }
        self.writes.refused = true;
        self.pack_under_pressure();
        match self.store_full {
            true => Err(Refused::NoSpace),
            false => Err(Refused::Full),
        }
    }

    pub(super) fn await_written(&mut self, id: u64, fua: bool) {
        let seq = self.journal.last_seq();
        self.writes.waiting.push_back((seq, id, fua));
        self.answer_written();
    }

    /// Gives out what has been appended, one command for each run of records.
    pub(super) fn emit_runs(&mut self) {
        loop {
            let token = self.next_token + 1;
            let Some((at, bytes)) = self.journal.take_run(token) else {
                return;
            };
            let token = self.begin(Task::JournalRun);
            self.commands
                .push_back(Command::JournalWrite { token, at, bytes });
        }
    }

    pub(super) fn run_ended(&mut self, token: u64, result: Result<Buffer, IoError>) {
        if result.is_err() {
            return self.stop(Stage::JournalWrite);
        }
        self.journal.run_written(token);
        self.answer_written();
        self.maybe_sync();
        self.maybe_pack();
    }

    fn answer_written(&mut self) {
        let written = self.journal.written_seq();
        while let Some((seq, id, fua)) = self.writes.waiting.front().copied() {
            if seq > written {
                break;
            }
            self.writes.waiting.pop_front();
            match fua && !self.writes.is_synced(seq) {
                true => self.writes.flushing.push_back((seq, id)),
                false => self.replies.push_back(Reply::Done(id)),
            }
        }
        self.maybe_sync();
    }

    /// Begins a sync if somebody waits for one that can be had now.
    fn maybe_sync(&mut self) {
        let written = self.journal.written_seq();
        let writes = &mut self.writes;
        if writes.flushing.is_empty() || writes.running.is_some() || self.stopped.is_some() {
            return;
        }
        // What is written from now on is not covered, whether it is answered before or after.
        writes.syncs += 1;
        let parts = 1 + u32::from(self.sync_bulks(written));
        self.writes.running = Some((written, parts));
        let token = self.begin(Task::Sync);
        self.commands.push_back(Command::JournalSync { token });
    }

    /// The sync that a [`Command::JournalSync`] asks for begins now: it covers what was answered as written
    /// up to here, and not only what was when it was asked for.
    pub fn sync_begins(&mut self, token: u64) {
        let is_sync = matches!(self.tasks.get(&token), Some(Task::Sync));
        let written = self.journal.written_seq();
        if let Some((covered, _)) = self.writes.running.as_mut().filter(|_| is_sync) {
            *covered = self.bulks.synced_through(*covered, written);
        }
    }

    pub(super) fn sync_ended(&mut self, result: Result<Buffer, IoError>) {
        if result.is_err() {
            return self.stop(Stage::JournalSync);
        }
        self.part_of_sync_ended();
    }

    /// The journal or the bulks are durable: if that was the last of it, so is all that is covered.
    pub(super) fn part_of_sync_ended(&mut self) {
        let Some((covered, parts)) = self.writes.running.take() else {
            return;
        };
        if parts > 1 {
            self.writes.running = Some((covered, parts - 1));
            return;
        }
        self.writes.synced_seq = self.writes.synced_seq.max(covered);
        self.journal.note_durable(covered);
        let ready = self
            .writes
            .flushing
            .partition_point(|(seq, _)| *seq <= covered);
        let ids = self.writes.flushing.drain(..ready);
        self.replies.extend(ids.map(|(_, id)| Reply::Done(id)));
        self.maybe_sync();
    }

    /// Disowns the layers that segments hold whole, if the last attempt at that is through.
    pub(super) fn maybe_move_tail(&mut self) {
        if self.writes.moves_tail || self.stopped.is_some() {
            return;
        }
        // Nor is the record of a snapshot disowned before that is stored.
        let named = self.snapshots_on_their_way().next();
        let named = named.map_or(u64::MAX, |snapshot| snapshot.id.seq - 1);
        let through = self.packer.whole_through().min(named);
        let Some((header, tail)) = self.journal.header_through(through) else {
            return;
        };
        self.writes.moves_tail = true;
        let token = self.begin(Task::Header { tail });
        let bytes = header.encode().into();
        self.commands
            .push_back(Command::JournalHeader { token, bytes });
    }

    /// Tells whoever was refused.
    pub(super) fn room_again(&mut self) {
        if std::mem::take(&mut self.writes.refused) {
            self.replies.push_back(Reply::Room);
        }
    }

    pub(super) fn header_ended(&mut self, tail: u64, result: Result<Buffer, IoError>) {
        if result.is_err() {
            return self.stop(Stage::JournalWrite);
        }
        self.writes.moves_tail = false;
        self.journal.free_before(tail);
        self.release_bulks();
        self.room_again();
        self.maybe_move_tail();
        self.maybe_pack();
    }
}
