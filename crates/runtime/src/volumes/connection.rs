//! One client's connection: the handshake, then requests in batches, on a thread of its own.

use std::io;
use std::sync::{Arc, MutexGuard};
use std::thread;

use base::Timestamp;
use nbd_proto::{Command, Errno, Event, Extent, Request, Transmission};

use super::ahead::Ahead;
use super::attached::Attached;
use super::core::Core;
use super::eager::{self, Eager};
use super::input::Input;
use super::light::Habit;
use super::limits::Owed;
use super::outbox::{Outbox, Sender};
use super::request::{Part, PartKind, READ_LEN_MAX, Whole, ZERO_LEN_MAX, part_len, parts_of};
use super::session::{Client, Session};
use super::stream::Stream;
use super::welcome::shake_hands;
use super::writing::Write;

/// What is received at once: as many requests as a deep queue has.
const BUFFER_LEN: usize = 256 << 10;
/// How much data reads may ask for before what was asked so far is done.
const READS_PER_TURN: u64 = 1 << 20;
/// How much is taken of what has come before that is done: half of a usual deep queue of short writes, so that the
/// client has answers to go on with while the other half is served.
const BYTES_PER_TURN: usize = 64 << 10;

/// Serves a client until it goes.
pub(super) fn serve(client: &mut Client, stream: Stream) {
    let mut buffer = vec![0; BUFFER_LEN];
    let Some((agreed, stream, rest)) = shake_hands(client, stream, &mut buffer) else {
        return;
    };
    let session = match client.join(&agreed.export.name) {
        Ok(session) => session,
        Err(error) => {
            tracing::warn!(volume = agreed.export.name, %error, "not attached");
            return;
        }
    };
    let outbox = Arc::new(Outbox::new(
        stream.clone(),
        agreed.structured,
        Arc::clone(&session.volume().meters),
    ));
    let connection = Connection {
        transmission: Transmission::new(&agreed),
        volume: Arc::clone(session.volume()),
        outbox,
        write: None,
        ahead: Ahead::default(),
        eager: Eager::default(),
        habit: Habit::new(session.volume()),
        now: session.volume().now(),
    };
    connection.run(Input::new(stream.clone(), buffer, rest), &session);
    // Whoever sees the end finds the volume free.
    drop(session);
    stream.shut_down();
}

/// A connection since transmission began.
pub(super) struct Connection {
    pub(super) transmission: Transmission,
    pub(super) volume: Arc<Attached>,
    pub(super) outbox: Arc<Outbox>,
    /// The WRITE whose data is coming.
    pub(super) write: Option<Write>,
    ahead: Ahead,
    eager: Eager,
    pub(super) habit: Habit,
    /// When the last batch was read.
    pub(super) now: Timestamp,
}

/// What a batch came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// All that had come is done.
    More,
    /// The client goes, or cannot be understood.
    Over,
}

impl Connection {
    fn run(mut self, mut input: Input, session: &Session) {
        loop {
            if session.drains() {
                self.transmission.drain();
            }
            self.transmission.resize(self.volume.size_bytes());
            let (used, turn) = self.turn(input.pending());
            input.advance(used);
            if turn == Turn::Over {
                break;
            }
            if self.joins_crowd(&input) {
                let volume = Arc::clone(&self.volume);
                (self, input) = volume.crowd.serve(&volume, self, input);
                self.habit.stay_alone();
                continue;
            }
            let received = input.receive(|stream, buffer| self.receive(stream, buffer));
            if !received.is_ok_and(|got| got > 0) {
                break;
            }
        }
        if let Some(write) = self.write.take() {
            // Its data will not come any more, and so no answer either.
            self.outbox.give_up(write.begun, self.volume.now());
        }
        self.outbox.await_calm();
    }

    /// Waits for bytes; 0 at the end.
    fn receive(&mut self, stream: &Stream, buffer: &mut [u8]) -> io::Result<usize> {
        if stream.secure().is_none() && self.eager.looks() {
            let until = self.volume.now() + eager::MOMENT;
            while self.volume.now() < until {
                match stream.receive_now(buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::yield_now(),
                    received => {
                        self.eager.found(true);
                        return received;
                    }
                }
            }
            self.eager.found(false);
        }
        stream.receive(buffer)
    }

    /// Serves what has come.
    fn turn(&mut self, input: &[u8]) -> (usize, Turn) {
        let volume = Arc::clone(&self.volume);
        let mut used = 0;
        loop {
            if self.outbox.is_laden() {
                self.outbox.await_unladen();
            }
            let (taken, turn) = self.take(&volume, input.get(used..).unwrap_or_default());
            used += taken;
            if turn == Some(Turn::Over) || taken == 0 || used == input.len() {
                self.outbox.send(Sender::Own);
                return (used, turn.unwrap_or(Turn::More));
            }
        }
    }

    /// Hands in requests until enough is under way, does their I/O, and answers.
    fn take(&mut self, volume: &Arc<Attached>, input: &[u8]) -> (usize, Option<Turn>) {
        self.now = volume.now();
        let mut core = volume.lock();
        let (mut used, mut reads_len) = (0, 0);
        let turn = loop {
            let (taken, event) = self
                .transmission
                .advance(input.get(used..).unwrap_or_default());
            used += taken;
            core = match event {
                Event::More => break None,
                Event::Disconnect => break Some(Turn::Over),
                Event::Broken(why) => {
                    tracing::debug!(why, "an NBD client is not understood");
                    break Some(Turn::Over);
                }
                Event::Refused(refused) => {
                    self.outbox
                        .refuse(refused.cookie, refused.errno, refused.why);
                    core
                }
                Event::Piece { data, last, .. } => self.piece(volume, core, data, last),
                Event::Request(request) => {
                    let core = self.await_turn(volume, core, &request.command);
                    let (len, core) = self.request(volume, core, request);
                    reads_len += len;
                    core
                }
            };
            if reads_len >= READS_PER_TURN || used >= BYTES_PER_TURN {
                break None;
            }
        };
        volume.pump(core, Some(&self.outbox));
        (used, turn)
    }

    fn await_turn<'a>(
        &self,
        volume: &'a Arc<Attached>,
        core: MutexGuard<'a, Core>,
        command: &Command,
    ) -> MutexGuard<'a, Core> {
        match Owed::by(command) {
            Some(owed) if volume.limiter.is_bounded() => {
                volume.await_turn(core, owed, &self.outbox)
            }
            _ => core,
        }
    }

    /// Begins a request; says how much data it will bring.
    pub(super) fn request<'a>(
        &mut self,
        volume: &'a Arc<Attached>,
        core: MutexGuard<'a, Core>,
        request: Request,
    ) -> (u64, MutexGuard<'a, Core>) {
        self.habit.note(&request.command);
        let cookie = request.cookie;
        match request.command {
            Command::Read { offset, len, whole } => {
                let core = self.read(volume, core, (cookie, offset, len, whole));
                return (u64::from(len), core);
            }
            Command::Write { offset, len, fua } => {
                self.begin_write((cookie, offset, len, fua));
                return (0, core);
            }
            Command::Flush => {
                self.outbox.begins(0, self.now);
                let part = self.part((cookie, PartKind::Flush), (0, 0), false, None);
                return (0, volume.submit(core, part, &[]));
            }
            Command::Trim { offset, len, fua }
            | Command::WriteZeroes {
                offset, len, fua, ..
            } => {
                return (0, self.zero(volume, core, (cookie, offset, len, fua)));
            }
            Command::Cache { .. } => self.outbox.done(cookie),
            Command::BlockStatus { offset, len, one } => {
                drop(core);
                self.status(volume, (cookie, offset, len, one));
                return (0, volume.lock());
            }
        }
        (0, core)
    }

    pub(super) fn part(
        &self,
        (cookie, kind): (u64, PartKind),
        (offset, len): (u64, u64),
        fua: bool,
        whole: Option<Arc<Whole>>,
    ) -> Part {
        Part {
            client: Arc::clone(&self.outbox),
            cookie,
            kind,
            begun: self.now,
            offset,
            len: u32::try_from(len).unwrap_or(u32::MAX),
            fua,
            whole,
        }
    }

    fn read<'a>(
        &mut self,
        volume: &'a Arc<Attached>,
        mut core: MutexGuard<'a, Core>,
        (cookie, offset, len, in_one): (u64, u64, u32, bool),
    ) -> MutexGuard<'a, Core> {
        let parts = parts_of(offset, u64::from(len), READ_LEN_MAX);
        self.outbox.begins(u64::from(len), self.now);
        if let Some((from, len)) = self.ahead.note(offset, u64::from(len)) {
            core = volume.bring(core, from, len);
        }
        let is_gathered = in_one || !self.outbox.is_structured();
        let whole = (parts > 1).then(|| Whole::read(offset, len, parts, is_gathered));
        let (mut at, mut left) = (offset, u64::from(len));
        let mut since_pumped = 0;
        for _ in 0..parts {
            let part_len = part_len(at, left, READ_LEN_MAX);
            let what = (cookie, PartKind::Read);
            let part = self.part(what, (at, part_len), false, whole.clone());
            core = volume.submit(core, part, &[]);
            (at, left) = (at + part_len, left - part_len);
            since_pumped += part_len;
            if since_pumped >= READS_PER_TURN {
                volume.pump(core, Some(&self.outbox));
                core = volume.lock();
                since_pumped = 0;
            }
        }
        core
    }

    fn zero<'a>(
        &mut self,
        volume: &'a Arc<Attached>,
        core: MutexGuard<'a, Core>,
        (cookie, offset, len, fua): (u64, u64, u32, bool),
    ) -> MutexGuard<'a, Core> {
        // All lengths of the protocol are less.
        const _: () = assert!(ZERO_LEN_MAX > u32::MAX as u64);
        self.outbox.begins(0, self.now);
        let part = self.part(
            (cookie, PartKind::Zero),
            (offset, u64::from(len)),
            fua,
            None,
        );
        volume.submit(core, part, &[])
    }

    fn status(&self, volume: &Attached, (cookie, offset, len, one): (u64, u64, u32, bool)) {
        let mut extents: Vec<Extent> = volume
            .status(offset, u64::from(len))
            .into_iter()
            .filter(|(len, _)| *len > 0)
            .map(|(len, data)| Extent {
                len: u32::try_from(len).unwrap_or(u32::MAX),
                hole: !data,
                zero: !data,
            })
            .collect();
        if one {
            extents.truncate(1);
        }
        match extents.is_empty() {
            true => self.outbox.refuse(cookie, Errno::Inval, "beyond the end"),
            false => self.outbox.status(cookie, &extents),
        }
    }
}
