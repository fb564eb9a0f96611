//! The engine in service: operations in, commands and replies out.

mod bulks;
mod checkpoint;
mod collect;
mod gather;
mod pack;
mod plan;
mod read;
mod recovered;
mod snapshots;
mod write;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;

use crate::buffers::Buffer;
use crate::command::{Command, Config, IoError, Refused, Reply, Stage};
use crate::draft::Sealed;
use crate::journal::Journal;
use crate::map::Map;
use crate::name::{ObjectKind, ObjectName, SegmentId};
use crate::overlay::Layers;
use crate::snapshot::{Parent, SnapshotId};
use crate::table::Table;

pub(crate) use bulks::Bulks;
pub(crate) use checkpoint::Named;
pub(crate) use recovered::Recovered;

use checkpoint::Checkpoints;
use collect::Collector;
use pack::Packer;
use read::Reads;
use write::Writes;

/// How long a failed put waits before it is tried again, doubled each time up to a hundredfold.
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// One attached volume.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    epoch: u32,
    size_blocks: u64,
    /// How long the volume was when what the map has was written.
    packed_size_blocks: u64,
    parent: Option<Parent>,
    label: String,
    journal: Journal,
    layers: Layers,
    map: Map,
    table: Table,
    writes: Writes,
    reads: Reads,
    bulks: Bulks,
    packer: Packer,
    checkpoints: Checkpoints,
    collector: Collector,
    /// Snapshots to be deleted, and whom to tell.
    unwanted: Vec<(u64, SnapshotId)>,
    /// They, and those that are being deleted.
    doomed: BTreeSet<SnapshotId>,
    commands: VecDeque<Command>,
    replies: VecDeque<Reply>,
    tasks: BTreeMap<u64, Task>,
    next_token: u64,
    /// Objects of this epoch that are neither segments nor claims.
    objects: u64,
    retries: BTreeMap<(Timestamp, u64), Command>,
    store_full: bool,
    stopped: Option<Stage>,
}

/// What a token stands for.
#[derive(Debug)]
enum Task {
    JournalRun,
    Header {
        tail: u64,
    },
    Sync,
    /// Bulks, by their last records, that a flush covers or the segment of a number takes up.
    BulkSync {
        unsynced: Vec<(u64, SegmentId)>,
        slot: Option<u64>,
    },
    /// A part of the journal, for the segments of these numbers.
    PackRead {
        numbers: Range<u64>,
        pos: u64,
    },
    Seal {
        number: u64,
    },
    Put {
        put: Command,
        what: Stored,
        tries: u32,
    },
    Read(read::Piece),
    Victim(SegmentId),
    /// A snapshot to be deleted, once it is known what it needs.
    Unwanted {
        id: u64,
        name: ObjectName,
    },
    Delete,
}

/// What a put object is for.
#[derive(Clone, Copy, Debug)]
enum Stored {
    Segment(u64),
    Part,
    Root,
}

/// What the engine holds and has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Bytes of the journal that are in use.
    pub journal_used_len: u64,
    /// Extents that only the journal has.
    pub overlay_extents: u64,
    /// Bytes of memory that the map takes, roughly.
    pub map_memory_len: u64,
    /// Blocks that the map has, wherever they are.
    pub mapped_blocks: u64,
    /// Blocks stored in segments that collection may move: those that no snapshot needs.
    pub stored_blocks: u64,
    /// How many of them are live.
    pub live_blocks: u64,
    /// Bytes of parts, roots and snapshots stored since the attachment began.
    pub checkpoint_bytes: u64,
    /// Segments stored since the attachment began.
    pub segments: u64,
    /// Bytes of them.
    pub segment_bytes: u64,
    /// Checkpoints since the attachment began.
    pub checkpoints: u64,
    /// Segments whose live blocks were moved.
    pub collected: u64,
    /// Syncs of the journal.
    pub syncs: u64,
    /// Blocks of short reads that were in the read cache, and those that were not.
    pub cache_hits: u64,
    /// The latter.
    pub cache_misses: u64,
}

impl Engine {
    pub(crate) fn new(found: Recovered) -> Self {
        let synced_seq = found.journal.last_seq();
        let mut engine = Self {
            epoch: found.epoch,
            size_blocks: found.size_blocks,
            journal: found.journal,
            packed_size_blocks: found.packed_size_blocks,
            parent: found.parent,
            label: found.label,
            layers: found.layers,
            map: found.map,
            table: found.table,
            writes: Writes::new(synced_seq),
            reads: Reads::default(),
            bulks: found.bulks,
            packer: Packer::new(found.head, found.through_seq, found.whole),
            checkpoints: Checkpoints::new((found.root, found.root_head), found.named, found.frozen),
            collector: Collector::default(),
            unwanted: Vec::new(),
            doomed: BTreeSet::new(),
            config: found.config,
            commands: VecDeque::new(),
            replies: VecDeque::new(),
            tasks: BTreeMap::new(),
            next_token: 0,
            objects: 0,
            retries: BTreeMap::new(),
            store_full: false,
            stopped: None,
        };
        found
            .garbage
            .into_iter()
            .for_each(|name| engine.delete(name));
        // Snapshots that were taken before are still to be stored.
        engine.make_checkpoint();
        engine.maybe_pack();
        engine
    }

    /// The volume's size.
    pub fn size_blocks(&self) -> u64 {
        self.size_blocks
    }

    /// The attachment's epoch, which is in the name of each object that it writes.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Where the volume stands.
    pub fn figures(&self) -> Figures {
        let usage = self.table.usage();
        Figures {
            journal_used_len: self.journal.used_len() + self.bulks.len(),
            overlay_extents: self.layers.len() as u64,
            map_memory_len: self.map.memory_len(),
            mapped_blocks: usage.mapped,
            stored_blocks: usage.frames,
            live_blocks: usage.live,
            segments: self.packer.stored,
            segment_bytes: self.packer.stored_len,
            checkpoints: self.checkpoints.count,
            checkpoint_bytes: self.checkpoints.bytes,
            collected: self.collector.count,
            syncs: self.writes.syncs,
            cache_hits: self.reads.cache_hits,
            cache_misses: self.reads.cache_misses,
        }
    }

    /// The next I/O to do.
    pub fn poll_command(&mut self) -> Option<Command> {
        if self.commands.is_empty() && self.stopped.is_none() {
            self.emit_runs();
        }
        self.commands.pop_front()
    }

    /// The next answer.
    pub fn poll_reply(&mut self) -> Option<Reply> {
        self.replies.pop_front()
    }

    /// When [`Engine::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.retries.keys().next().map(|(at, _)| *at)
    }

    /// Tries again what had failed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        while let Some(entry) = self.retries.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let command = entry.remove();
            self.commands.push_back(command);
        }
    }

    /// I/O has ended, with the bytes that were read if any were to be.
    pub fn handle_completion(
        &mut self,
        now: Timestamp,
        token: u64,
        result: Result<impl Into<Buffer>, IoError>,
    ) {
        if let Some(task) = self.tasks.remove(&token) {
            self.task_ended(now, token, task, result.map(Into::into));
        }
    }

    fn task_ended(
        &mut self,
        now: Timestamp,
        token: u64,
        task: Task,
        result: Result<Buffer, IoError>,
    ) {
        match task {
            Task::JournalRun => self.run_ended(token, result),
            Task::Header { tail } => self.header_ended(tail, result),
            Task::Sync => self.sync_ended(result),
            Task::BulkSync { unsynced, slot } => self.bulk_sync_ended(&unsynced, slot, result),
            Task::PackRead { numbers, pos } => self.pack_read_ended(&numbers, pos, result),
            Task::Put { put, what, tries } => match result {
                Ok(_) => self.put_ended(what, put),
                Err(error) => self.put_failed(now, put, what, (tries, error)),
            },
            Task::Read(piece) => self.piece_ended(piece, result),
            Task::Victim(id) => self.victim_ended(id, result),
            Task::Unwanted { id, name } => self.unwanted_read(id, name, result),
            // What could not be deleted is found and deleted when the volume is attached next.
            Task::Delete => {}
            // Answered by `handle_sealed` alone.
            Task::Seal { .. } => drop(self.tasks.insert(token, task)),
        }
    }

    /// A draft is sealed.
    pub fn handle_sealed(&mut self, token: u64, sealed: Sealed) {
        if let Some(Task::Seal { number }) = self.tasks.remove(&token) {
            self.sealed(number, sealed);
        }
    }

    fn put_ended(&mut self, what: Stored, put: Command) {
        self.store_full = false;
        match what {
            Stored::Segment(number) => self.segment_stored(number),
            Stored::Part => self.next_of_checkpoint(),
            Stored::Root => {
                if let Command::Put { name, .. } = put {
                    self.root_stored(name);
                }
            }
        }
    }

    /// The same bytes under the same name again, for as long as it takes: the journal holds on.
    fn put_failed(
        &mut self,
        now: Timestamp,
        put: Command,
        what: Stored,
        (tries, error): (u32, IoError),
    ) {
        self.store_full = error == IoError::NoSpace;
        let factor = 1 << tries.min(6);
        let at = now + RETRY_DELAY * factor;
        let Command::Put { token, .. } = put else {
            return;
        };
        self.retries.insert((at, token), put.clone());
        let tries = tries.saturating_add(1);
        self.tasks.insert(token, Task::Put { put, what, tries });
    }

    fn put(&mut self, name: ObjectName, bytes: impl Into<Buffer>, what: Stored) {
        let token = self.token();
        let bytes = Arc::new(bytes.into());
        let put = Command::Put { token, name, bytes };
        self.commands.push_back(put.clone());
        let tries = 0;
        self.tasks.insert(token, Task::Put { put, what, tries });
    }

    fn delete(&mut self, name: ObjectName) {
        let token = self.begin(Task::Delete);
        self.commands.push_back(Command::Delete { token, name });
    }

    fn token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token
    }

    fn begin(&mut self, task: Task) -> u64 {
        let token = self.token();
        self.tasks.insert(token, task);
        token
    }

    fn object_name(&mut self, kind: ObjectKind) -> ObjectName {
        self.objects += 1;
        ObjectName {
            volume: self.config.volume,
            kind,
            number: self.objects,
            epoch: self.epoch,
        }
    }

    fn refuse_if_stopped(&self) -> Result<(), Refused> {
        self.stopped
            .map_or(Ok(()), |stage| Err(Refused::Stopped(stage)))
    }

    /// Nothing more can be promised: everything that waits fails, and only reading goes on.
    fn stop(&mut self, stage: Stage) {
        if self.stopped.is_some() {
            return;
        }
        self.stopped = Some(stage);
        let waiting = self.writes.take_all();
        let failed = waiting.into_iter().map(|id| Reply::Failed(id, stage));
        self.replies.extend(failed);
        self.replies.push_back(Reply::Stopped(stage));
    }
}

#[cfg(test)]
mod cached_test;
#[cfg(test)]
mod engine_test;
