//! A volume in service: the engine behind a lock, and its I/O done by whoever asked for it.
//!
//! Whoever hands in operations also does the I/O that they need, with the lock let go: one write to
//! the journal for all that came together, one sync for all that wait for it, and the answers of
//! others that it brings. What would keep a client waiting for the disk goes to [`Workers`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::Timestamp;
use volume::{Buffer, Command, Device, Refused};

use super::bulk::WholeBulk;
use super::core::{Core, Ended, told};
use super::crowd::Crowd;
use super::file::ReadNow;
use super::journal::JournalFile;
use super::limits::{Limiter, Owed};
use super::meters::Meters;
use super::objects::Objects;
use super::outbox::{Outbox, Sender};
use super::request::{Outcome, Part};
use super::stages::{Stage, Stages};
use super::store::ObjectStore;
use super::twin::MirrorStatus;
use super::workers::{Urgency, Work, Workers};
use crate::Clock;

/// Reads of at least this length are a background's, not a client's.
const LONG_READ_LEN: u64 = 256 << 10;
/// While syncs take less than this, whoever wants one does it; beyond, a thread of its own does, so
/// that the other requests of the connection go on meanwhile.
const QUICK_SYNC: Duration = Duration::from_micros(500);

/// An attached volume.
#[derive(Debug)]
pub struct Attached {
    core: Mutex<Core>,
    pub(super) room: Condvar,
    journal: JournalFile,
    store: Objects,
    workers: Arc<Workers>,
    clock: Clock,
    /// How long syncs take, smoothed.
    sync_nanos: AtomicU64,
    size_bytes: AtomicU64,
    pub(super) stages: Stages,
    pub(super) crowd: Crowd,
    pub(super) limiter: Arc<Limiter>,
    pub(super) meters: Arc<Meters>,
}

impl Attached {
    /// Puts a volume into service that has been attached.
    pub(super) fn new(
        device: Device,
        journal: JournalFile,
        store: &Arc<ObjectStore>,
        workers: Arc<Workers>,
        clock: Clock,
        limiter: Arc<Limiter>,
    ) -> Self {
        let size_bytes = device.engine.size_blocks() * volume::BLOCK_LEN as u64;
        Self {
            size_bytes: AtomicU64::new(size_bytes),
            core: Mutex::new(Core::new(device)),
            room: Condvar::new(),
            store: Objects::new(store, journal.twin()),
            journal,
            workers,
            clock,
            sync_nanos: AtomicU64::new(0),
            stages: Stages::default(),
            crowd: Crowd::default(),
            limiter,
            meters: Arc::new(Meters::new(clock.now())),
        }
    }

    /// Its second copy, if it has one.
    pub fn mirror(&self) -> Option<MirrorStatus> {
        self.journal.twin().map(|twin| twin.status())
    }

    /// The present time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The volume's length.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes.load(Ordering::Acquire)
    }

    pub(super) fn store(&self) -> &Objects {
        &self.store
    }

    pub(super) fn journal(&self) -> &JournalFile {
        &self.journal
    }

    pub(super) fn set_size_bytes(&self, size_bytes: u64) {
        self.size_bytes.store(size_bytes, Ordering::Release);
    }

    /// For handing in operations, followed by [`Attached::pump`].
    pub(super) fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands in a part, waiting for room in the journal if there is none.
    pub(super) fn submit<'a>(
        self: &'a Arc<Self>,
        mut core: MutexGuard<'a, Core>,
        part: Part,
        data: &[u8],
    ) -> MutexGuard<'a, Core> {
        let me = Arc::clone(&part.client);
        let mut waiting_since = None;
        let outcome = core.begin(part, data);
        let Err((mut part, mut refused)) = outcome else {
            return core;
        };
        while refused == Refused::Full {
            waiting_since.get_or_insert_with(|| {
                let now = self.now();
                self.stages.enter(Stage::Queue, now);
                now
            });
            // Each time: what was found to have time a moment ago may have been given to workers since.
            self.press();
            core = self.await_room(core, Some(&me));
            match core.begin(part, data) {
                Ok(()) => {
                    self.end_waiting(waiting_since);
                    return core;
                }
                Err(again) => (part, refused) = again,
            }
        }
        self.end_waiting(waiting_since);
        let (errno, why) = told(refused);
        me.answer(&part, Outcome::Failed(errno, why), self.now());
        core
    }

    /// Waits until the volume's limits let a request begin; what was handed in before goes on first.
    pub(super) fn await_turn<'a>(
        self: &'a Arc<Self>,
        core: MutexGuard<'a, Core>,
        mut owed: Owed,
        me: &Arc<Outbox>,
    ) -> MutexGuard<'a, Core> {
        let now = self.now();
        if self.limiter.take(now, &mut owed).is_ok() {
            return core;
        }
        self.pump(core, Some(me));
        me.send(Sender::Own);
        self.stages.enter(Stage::Queue, now);
        self.limiter.wait(self.clock, owed);
        self.stages.leave(Stage::Queue, now, self.now());
        self.lock()
    }

    fn end_waiting(&self, since: Option<Timestamp>) {
        if let Some(since) = since {
            self.stages.leave(Stage::Queue, since, self.now());
        }
    }

    /// Does what there is to do, then waits until the journal has room again or may have.
    pub(super) fn await_room<'a>(
        self: &'a Arc<Self>,
        core: MutexGuard<'a, Core>,
        me: Option<&Arc<Outbox>>,
    ) -> MutexGuard<'a, Core> {
        let rooms = core.rooms;
        self.pump(core, me);
        let core = self.lock();
        let full = |core: &mut Core| core.rooms == rooms && core.stopped.is_none();
        let waited = self
            .room
            .wait_timeout_while(core, Duration::from_millis(500), full);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Does all I/O that is to be done, or has it done, and gives out answers, until there are none. Only
    /// then it waits for a client that does not read: what is in hand may be what others wait for.
    pub(super) fn pump<'a>(
        self: &'a Arc<Self>,
        mut core: MutexGuard<'a, Core>,
        me: Option<&Arc<Outbox>>,
    ) {
        let mut commands = Vec::new();
        let mut answers = Vec::new();
        let (mut sync, mut mine) = (None, false);
        loop {
            let has_room = core.collect(&mut commands, &mut answers);
            drop(core);
            if has_room {
                self.room.notify_all();
            }
            let in_hand = !commands.is_empty() || sync.is_some();
            mine |= self.give_out(&mut answers, me);
            if let Some(me) = me.filter(|_| mine) {
                self.send_own(me, in_hand);
                mine = in_hand;
            }
            let mut ended = Vec::new();
            for command in commands.drain(..) {
                match command {
                    // The rest first: nobody else need wait for it.
                    Command::JournalSync { .. } => sync = Some(command),
                    command => ended.extend(self.do_or_give(command)),
                }
            }
            if ended.is_empty() {
                match sync.take() {
                    Some(sync) => ended.extend(self.do_or_give(sync)),
                    None => return,
                }
            }
            core = self.lock();
            core.complete(self.now(), ended);
        }
    }

    /// Has the system bring what will be read into memory.
    pub(super) fn bring<'a>(
        &'a self,
        core: MutexGuard<'a, Core>,
        from: u64,
        len: u64,
    ) -> MutexGuard<'a, Core> {
        let block = volume::BLOCK_LEN as u64;
        let ranges = core.device.engine.stored(from / block, len / block);
        drop(core);
        for (name, offset, len) in ranges {
            self.store.bring(name, offset, len);
        }
        self.lock()
    }

    /// A worker does a command that was given to it, and what follows from it.
    pub(super) fn carry_out(self: &Arc<Self>, command: Command) {
        let ended = self.perform(command);
        let mut core = self.lock();
        core.handed_out -= 1;
        core.complete(self.now(), [ended]);
        self.pump(core, None);
    }

    /// Whatever is due by now is tried again.
    pub(super) fn tick(self: &Arc<Self>) {
        let now = self.now();
        let mut core = self.lock();
        if core
            .device
            .engine
            .poll_timeout()
            .is_some_and(|at| at <= now)
        {
            core.device.engine.handle_timeout(now);
            self.pump(core, None);
        }
    }

    /// Does a command if that is quick, else has a worker do it.
    fn do_or_give(self: &Arc<Self>, command: Command) -> Option<Ended> {
        let urgency = match &command {
            Command::JournalWrite { .. } => return Some(self.perform(command)),
            Command::JournalSync { .. } if self.syncs_are_quick() => {
                return Some(self.perform(command));
            }
            Command::JournalRead { token, at, len } if *len < LONG_READ_LEN => {
                let now = self.journal.read_now(*at, *len);
                if let Some(ended) = self.read_at_once(Stage::JournalRead, *token, now) {
                    return Some(ended);
                }
                Urgency::Prompt
            }
            Command::Get {
                token,
                name,
                offset,
                len,
            } if *len < LONG_READ_LEN => {
                let now = self.store.get_now(*name, *offset, *len);
                if let Some(ended) = self.read_at_once(Stage::Get, *token, now) {
                    return Some(ended);
                }
                Urgency::Prompt
            }
            Command::JournalSync { .. } | Command::BulkSync { .. } => Urgency::Prompt,
            _ => Urgency::Patient,
        };
        let mut core = self.lock();
        core.handed_out += 1;
        let is_pressed = core.is_pressed();
        drop(core);
        let urgency = match urgency {
            Urgency::Patient if is_pressed => Urgency::Pressed,
            urgency => urgency,
        };
        let work = Work::Command(command);
        self.workers.give(urgency, (Arc::clone(self), work));
        None
    }

    /// Somebody waits for what was given to workers that have time.
    pub(super) fn press(self: &Arc<Self>) {
        self.workers.press(self);
    }

    /// Has a worker store a large write.
    pub(super) fn give_bulk(self: &Arc<Self>, bulk: Box<WholeBulk>) {
        self.lock().handed_out += 1;
        let work = Work::Bulk(bulk);
        self.workers.give(Urgency::Prompt, (Arc::clone(self), work));
    }

    fn read_at_once(&self, stage: Stage, token: u64, read: ReadNow) -> Option<Ended> {
        match read {
            ReadNow::Later => None,
            ReadNow::Done(result) => {
                self.stages.count(stage);
                Some(Ended::Done(token, result))
            }
        }
    }

    fn syncs_are_quick(&self) -> bool {
        Duration::from_nanos(self.sync_nanos.load(Ordering::Relaxed)) < QUICK_SYNC
    }

    fn perform(&self, command: Command) -> Ended {
        let stage = stage_of(&command);
        let is_sync = matches!(command, Command::JournalSync { .. });
        let begun = self.now();
        self.stages.enter(stage, begun);
        let ended = match command {
            Command::JournalWrite { token, at, bytes } => Ended::Done(
                token,
                self.journal.write(at, &bytes).map(|()| Buffer::default()),
            ),
            Command::JournalHeader { token, bytes } => {
                let written = self.journal.write_durably(0, &bytes);
                Ended::Done(token, written.map(|()| Buffer::default()))
            }
            Command::JournalSync { token } => {
                self.lock().device.engine.sync_begins(token);
                Ended::Done(token, self.journal.sync().map(|()| Buffer::default()))
            }
            Command::JournalRead { token, at, len } => {
                Ended::Done(token, self.journal.read(at, len))
            }
            Command::Seal { token, draft } => Ended::Sealed(token, draft.seal()),
            Command::Put { token, name, bytes } => Ended::Done(
                token,
                self.store.put(name, &bytes).map(|()| Buffer::default()),
            ),
            Command::Get {
                token,
                name,
                offset,
                len,
            } => Ended::Done(token, self.store.get(name, offset, len)),
            Command::BulkSync { token, names } => {
                Ended::Done(token, self.store.sync(&names).map(|()| Buffer::default()))
            }
            Command::Delete { token, name } => {
                Ended::Done(token, self.store.delete(name).map(|()| Buffer::default()))
            }
        };
        let now = self.now();
        self.stages.leave(stage, begun, now);
        if is_sync {
            let took = u64::try_from(now.since(begun).as_nanos()).unwrap_or(u64::MAX);
            let smoothed = self.sync_nanos.load(Ordering::Relaxed);
            let smoothed = smoothed - smoothed / 8 + took / 8;
            self.sync_nanos.store(smoothed, Ordering::Relaxed);
        }
        ended
    }
}

fn stage_of(command: &Command) -> Stage {
    match command {
        Command::JournalWrite { .. } => Stage::JournalWrite,
        Command::JournalHeader { .. } | Command::JournalSync { .. } => Stage::JournalSync,
        Command::JournalRead { .. } => Stage::JournalRead,
        Command::Seal { .. } => Stage::Pack,
        Command::Put { .. } | Command::Delete { .. } | Command::BulkSync { .. } => Stage::Put,
        Command::Get { .. } => Stage::Get,
    }
}
