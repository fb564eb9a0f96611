//! A volume under a random load on a disk and a store that lose what they may, with a checker beside.

use std::collections::BTreeMap;

use base::Timestamp;
use base::rng::Rng;

use super::bulks::BulkUnderWay;
use super::disk::{Disk, SyncBegun};
use super::past::Past;
use super::planted::Planted;
use super::sizes::Sizes;
use super::snapshots::Snapshots;
use super::store::Store;
use crate::checker::{Checker, Content, Violation, content_of, stamped};
use crate::command::{Command, Config, IoError, Reply};
use crate::create::create;
use crate::name::{ObjectName, VolumeId};
use crate::open::{Attach, OpenError, open_with};
use crate::snapshot::SnapshotId;
use crate::{Engine, Figures};

/// The volume's size where nothing else is said, and the most that it has.
pub(crate) const BLOCKS: u64 = 200;

pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) config: Config,
    pub(crate) disk: Disk,
    pub(crate) store: Store,
    pub(crate) checker: Checker,
    pub(super) planted: Planted,
    pub(super) sizes: Sizes,
    /// What each block is, all that was accepted counted; zero where the volume has ended.
    pub(super) model: Vec<Content>,
    pub(super) past: Past,
    pub(super) snapshots: Snapshots,
    /// The snapshot to go back to with the next attachment.
    pub(super) attach: Attach,
    /// The store has no space.
    pub(super) is_full: bool,
    /// The next attachment is one to an older state.
    pub(super) journal_lost: bool,
    pub(crate) pending: Vec<Command>,
    pub(super) bulks: Vec<BulkUnderWay>,
    /// Planted: bulks as they were stored, whatever became of them.
    pub(super) originals: BTreeMap<ObjectName, Vec<u8>>,
    pub(crate) bulks_written: u64,
    pub(crate) syncs: BTreeMap<u64, SyncBegun>,
    /// Operations under way: what they are.
    pub(super) ops: BTreeMap<u64, Op>,
    pub(super) next_op: u64,
    pub(super) now: Timestamp,
    /// After so many calls of the backing it fails, and the process with it.
    fuse: u64,
    /// What was done, over all lives.
    pub(crate) total: Figures,
}

#[derive(Clone, Copy)]
pub(super) enum Op {
    Write { fua: bool },
    Flush,
    Read { block: u64 },
    Resize,
    Snapshot(SnapshotId),
    Deletion(SnapshotId),
}

impl World {
    pub(crate) fn new(seed: u64, planted: Planted) -> Self {
        Self::sized(seed, planted, Sizes::fixed(BLOCKS))
    }

    /// A volume of another length, which may change.
    pub(super) fn sized(seed: u64, planted: Planted, sizes: Sizes) -> Self {
        let mut world = Self::empty(seed, planted, VolumeId(7));
        let config = world.config.clone();
        world.sizes = sizes;
        create(&config, "seven", world.sizes.now, &mut world).expect("nothing fails here");
        world.disk.lies_about_syncs = planted == Planted::NoFsync;
        world.store.reuses_names = planted == Planted::ReusedName;
        world
    }

    /// A disk and a store with nothing on them.
    pub(super) fn empty(seed: u64, planted: Planted, volume: VolumeId) -> Self {
        let mut config = Config::new(volume);
        config.journal_len = 8192 + (512 << 10);
        config.segment_len = 64 << 10;
        config.checkpoint_len = 200 << 10;
        config.puts_max = 1 + (seed % 3) as usize;
        Self {
            rng: Rng::new(seed),
            disk: Disk::new(config.journal_len),
            config,
            store: Store::default(),
            checker: Checker::new(),
            planted,
            sizes: Sizes::fixed(BLOCKS),
            model: vec![Content::Zero; BLOCKS as usize],
            past: Past::default(),
            snapshots: Snapshots::default(),
            attach: Attach::default(),
            is_full: false,
            journal_lost: false,
            pending: Vec::new(),
            bulks: Vec::new(),
            originals: BTreeMap::new(),
            bulks_written: 0,
            syncs: BTreeMap::new(),
            ops: BTreeMap::new(),
            next_op: 1,
            now: Timestamp::ZERO,
            fuse: u64::MAX,
            total: Figures::default(),
        }
    }

    /// Attaches, works, crashes; says what the checker found.
    pub(crate) fn live(&mut self, steps: u64) -> Vec<String> {
        let mut engine = match self.attach() {
            Ok(engine) => engine,
            Err(error) => return vec![format!("{error:?}")],
        };
        let mut found = self.settle(&mut engine);
        found.extend(self.check_list(&engine));
        for _ in 0..steps {
            found.extend(self.step(&mut engine));
        }
        let figures = engine.figures();
        self.total.segments += figures.segments;
        self.total.checkpoints += figures.checkpoints;
        self.total.collected += figures.collected;
        self.crash();
        found
    }

    /// Attaches, with crashes in the middle of that too.
    pub(crate) fn attach(&mut self) -> Result<Engine, OpenError> {
        let config = self.config.clone();
        loop {
            self.fuse = match self.rng.below(3) {
                0 => self.rng.below(30),
                _ => u64::MAX,
            };
            match open_with(&config, self.attach, self) {
                Err(OpenError::Io(IoError::Failed)) => self.crash(),
                result => {
                    self.fuse = u64::MAX;
                    self.attach = Attach::default();
                    return result;
                }
            }
        }
    }

    /// Reads everything, which settles it.
    pub(crate) fn settle(&mut self, engine: &mut Engine) -> Vec<String> {
        if !self.sizes.settle(engine.size_blocks(), self.journal_lost) {
            return vec![format!("{} blocks: {:?}", engine.size_blocks(), self.sizes)];
        }
        let size = self.sizes.now as u32;
        engine.read(0, 0, size).expect("within bounds");
        for _ in 0..10_000 {
            self.take_commands(engine);
            match engine.poll_reply() {
                Some(Reply::Read(0, mut data)) => {
                    data.resize(BLOCKS as usize * crate::BLOCK_LEN, 0);
                    let blocks = (0..).zip(data.chunks(crate::BLOCK_LEN));
                    self.model = blocks
                        .map(|(block, data)| content_of(block, data))
                        .collect();
                    return self.settled(&data);
                }
                Some(other) => return vec![format!("{other:?}")],
                None => {}
            }
            let index = self.rng.below(self.pending.len() as u64);
            self.complete(engine, index as usize);
        }
        panic!("the read never ends");
    }

    /// What was read is what the volume is from now on: some state that it once had.
    fn settled(&mut self, data: &[u8]) -> Vec<String> {
        let mut found = match self.past.goes_back_to(&self.model) {
            true => Vec::new(),
            false => vec!["the volume never was like this".to_owned()],
        };
        match std::mem::take(&mut self.journal_lost) {
            true => self.checker.reset(&self.model),
            false => found.extend(told(self.checker.settle(0, data))),
        }
        found
    }

    fn step(&mut self, engine: &mut Engine) -> Vec<String> {
        self.now = self.now + std::time::Duration::from_millis(1);
        engine.handle_timeout(self.now);
        match self.rng.below(100) {
            0..40 if self.ops.len() < 12 => self.begin(engine),
            98 => engine.settle(),
            99 => engine.checkpoint(),
            97 => self.store.late_arrives(),
            96 => self.take_snapshot(engine),
            // For some thousand steps nothing can be stored; or again for some thousand it can.
            94 if self.rng.below(20) == 0 => self.is_full = !self.is_full,
            95 if self.rng.below(2) == 0 => self.delete_snapshot(engine),
            93 if self.sizes.change => self.resize(engine),
            90..93 if self.ops.len() < 12 => self.begin_bulk(engine),
            85..90 => self.end_bulk(engine),
            _ => {}
        }
        self.take_commands(engine);
        if !self.pending.is_empty() {
            let index = self.rng.below(self.pending.len() as u64);
            self.complete(engine, index as usize);
        }
        self.take_replies(engine)
    }

    fn begin(&mut self, engine: &mut Engine) {
        let op = self.next_op;
        self.next_op += 1;
        let size = self.sizes.now;
        let hot = if self.rng.below(2) == 0 { 20 } else { size };
        let blocks = match self.rng.below(8) {
            0 => 1 + self.rng.below(16),
            _ => 1 + self.rng.below(3),
        };
        let block = self.rng.below(hot.min(size));
        let blocks = blocks.min(size - block);
        let fua = self.rng.below(10) == 0;
        let write = Op::Write { fua };
        let choice = self.rng.below(10);
        let content = match choice {
            6 => Content::Zero,
            _ => Content::Stamp(op),
        };
        let (kind, begun) = match choice {
            0..6 => {
                self.checker.write_begins(op, block, blocks, content);
                let data = (block..block + blocks).flat_map(|block| stamped(op, block));
                let data: Vec<u8> = data.collect();
                (write, engine.write(op, block, &data, fua))
            }
            6 => {
                self.checker.write_begins(op, block, blocks, content);
                (write, engine.zero(op, block, blocks as u32, fua))
            }
            7 => {
                self.checker.begins(op);
                if self.planted == Planted::EarlyAnswer {
                    self.checker.flush_answered(op);
                }
                (Op::Flush, engine.flush(op))
            }
            _ => {
                self.checker.begins(op);
                (Op::Read { block }, engine.read(op, block, blocks as u32))
            }
        };
        if begun.is_err() {
            return self.checker.write_refused(op);
        }
        if let Op::Write { .. } = kind {
            let from = block as usize;
            self.model[from..from + blocks as usize].fill(content);
            self.past.happened(from, blocks as usize, content);
        }
        self.ops.insert(op, kind);
    }

    pub(crate) fn take_commands(&mut self, engine: &mut Engine) {
        while let Some(command) = engine.poll_command() {
            if let Command::JournalSync { token } = command
                && self.rng.below(2) == 0
            {
                self.syncs.insert(token, self.disk.begin_sync());
            }
            self.pending.push(command);
        }
    }

    pub(crate) fn complete(&mut self, engine: &mut Engine, index: usize) {
        let now = self.now;
        match self.pending.swap_remove(index) {
            Command::JournalWrite { token, at, bytes } => {
                self.disk.write(at, &bytes);
                engine.handle_completion(now, token, Ok(Vec::new()));
            }
            Command::JournalHeader { token, bytes } => {
                self.disk.write_durably(&bytes);
                engine.handle_completion(now, token, Ok(Vec::new()));
            }
            Command::JournalSync { token } => self.go_on_with_sync(engine, token),
            Command::BulkSync { token, names } => {
                self.sync_bulks(names);
                engine.handle_completion(now, token, Ok(Vec::new()));
            }
            Command::JournalRead { token, at, len } => {
                let bytes = self.disk.read(at, len);
                engine.handle_completion(now, token, Ok(bytes));
            }
            Command::Seal { token, draft } => engine.handle_sealed(token, draft.seal()),
            Command::Put { token, name, bytes } => {
                let bytes = self.tampered(name, &bytes);
                let result = self.put_maybe(name, &bytes);
                engine.handle_completion(now, token, result);
            }
            Command::Get {
                token,
                name,
                offset,
                len,
            } => engine.handle_completion(now, token, self.store.get(name, offset, len)),
            Command::Delete { token, name } => {
                self.store.delete(name);
                engine.handle_completion(now, token, Ok(Vec::new()));
            }
        }
    }

    fn take_replies(&mut self, engine: &mut Engine) -> Vec<String> {
        let mut found = Vec::new();
        while let Some(reply) = engine.poll_reply() {
            match reply {
                Reply::Done(op) => match self.ops.remove(&op) {
                    Some(Op::Write { fua }) => self.checker.write_answered(op, fua),
                    Some(Op::Resize) => {
                        self.checker.write_answered(op, true);
                        self.sizes.is_durable(op);
                    }
                    Some(Op::Snapshot(id)) => self.snapshots.is_durable(id),
                    Some(Op::Deletion(id)) => self.snapshots.is_gone(id),
                    _ => self.checker.flush_answered(op),
                },
                Reply::Read(op, data) => {
                    if let Some(Op::Read { block }) = self.ops.remove(&op) {
                        found.extend(told(self.checker.read_answered(op, block, &data)));
                    }
                }
                Reply::Room => {}
                other => found.push(format!("{other:?}")),
            }
        }
        found
    }

    /// The process dies, and half the time the power goes too.
    pub(crate) fn crash(&mut self) {
        for command in std::mem::take(&mut self.pending) {
            match command {
                Command::JournalWrite { at, bytes, .. } => {
                    self.disk.write_torn(at, &bytes, &mut self.rng);
                }
                Command::JournalHeader { bytes, .. } => {
                    self.disk.write_torn(0, &bytes, &mut self.rng);
                }
                Command::Put { name, bytes, .. } => {
                    self.store.put_unanswered(name, &bytes, &mut self.rng);
                }
                Command::Delete { name, .. } if self.rng.below(2) == 0 => self.store.delete(name),
                _ => {}
            }
        }
        for bulk in std::mem::take(&mut self.bulks) {
            self.store
                .put_unanswered(bulk.draft.name(), &bulk.bytes, &mut self.rng);
        }
        self.syncs.clear();
        self.ops.clear();
        self.checker.crash();
        if self.rng.below(2) == 0 {
            self.disk.lose_power(&mut self.rng);
            self.store.lose_power(&mut self.rng);
        }
    }

    pub(super) fn burn(&mut self) -> Result<(), IoError> {
        self.fuse = self.fuse.checked_sub(1).ok_or(IoError::Failed)?;
        Ok(())
    }
}

fn told(violations: Vec<Violation>) -> Vec<String> {
    violations
        .iter()
        .map(|found| format!("{found:?}"))
        .collect()
}
