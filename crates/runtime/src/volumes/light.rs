//! What a connection asks, where that is little at a time and it often flushes: served with others like it.

use std::sync::{Arc, MutexGuard};

use nbd_proto::wire::REQUEST_LEN;
use nbd_proto::{Command, Event};

use super::attached::Attached;
use super::connection::Connection;
use super::core::Core;
use super::input::Input;
use super::request::{WRITE_LEN_MAX, parts_of};

/// A client that has not flushed for so many requests does not flush.
const SINCE_FLUSH_MAX: u32 = 64;
/// One that is served alone again stays so for so many.
const ALONE_MIN: u32 = 256;
/// With more that come at once a connection makes batches of its own.
const AT_ONCE_MAX: usize = 8;
/// The longest write that is light,
const WRITE_LIGHT_MAX: u32 = 32 << 10;
/// and the longest read.
const READ_LIGHT_MAX: u32 = 64 << 10;

/// What is known of a connection's requests.
#[derive(Debug)]
pub(super) struct Habit {
    volume: Arc<Attached>,
    flushes: bool,
    since_flush: u32,
    /// Requests to go before it may be served with others.
    alone: u32,
}

impl Habit {
    pub(super) fn new(volume: &Arc<Attached>) -> Self {
        Self {
            volume: Arc::clone(volume),
            flushes: false,
            since_flush: 0,
            alone: ALONE_MIN,
        }
    }

    /// A request came.
    pub(super) fn note(&mut self, command: &Command) {
        self.alone = self.alone.saturating_sub(1);
        if matches!(command, Command::Flush | Command::Write { fua: true, .. }) {
            self.since_flush = 0;
            return self.set_flushes(true);
        }
        self.since_flush = self.since_flush.saturating_add(1);
        if self.since_flush > SINCE_FLUSH_MAX {
            self.set_flushes(false);
        }
    }

    fn set_flushes(&mut self, flushes: bool) {
        match (self.flushes, flushes) {
            (false, true) => self.volume.crowd.one_flushes(),
            (true, false) => self.volume.crowd.one_ceases(),
            _ => {}
        }
        self.flushes = flushes;
    }

    /// Whether it had better be served with others.
    pub(super) fn is_social(&self) -> bool {
        self.flushes && self.alone == 0 && self.volume.crowd.is_worth_it()
    }

    /// It goes home.
    pub(super) fn stay_alone(&mut self) {
        self.alone = ALONE_MIN;
    }
}

impl Drop for Habit {
    fn drop(&mut self) {
        self.set_flushes(false);
    }
}

impl Connection {
    /// Whether it may be served with others: nothing is half done, and nobody is to wait.
    pub(super) fn joins_crowd(&self, input: &Input) -> bool {
        self.habit.is_social()
            && self.write.is_none()
            && input.stream().secure().is_none()
            && !self.volume.limiter.is_bounded()
    }

    /// Hands in what has come, as far as it is light, which takes no waiting; whether it all was.
    pub(super) fn take_light<'a>(
        &mut self,
        volume: &'a Arc<Attached>,
        mut core: MutexGuard<'a, Core>,
        input: &mut Input,
    ) -> (MutexGuard<'a, Core>, bool) {
        if self.outbox.is_laden() || volume.limiter.is_bounded() {
            return (core, false);
        }
        self.transmission.resize(volume.size_bytes());
        self.now = volume.now();
        for _ in 0..AT_ONCE_MAX {
            let pending = input.pending();
            let Some((len, command)) = self.transmission.peek(pending) else {
                let is_less = pending.len() < REQUEST_LEN;
                return (core, is_less);
            };
            if !is_light(&command, &core) {
                return (core, false);
            }
            let Some(whole) = pending.get(..len) else {
                return (core, true);
            };
            core = self.take_whole(volume, core, whole);
            input.advance(len);
        }
        (core, false)
    }

    fn take_whole<'a>(
        &mut self,
        volume: &'a Arc<Attached>,
        mut core: MutexGuard<'a, Core>,
        request: &[u8],
    ) -> MutexGuard<'a, Core> {
        let mut used = 0;
        while let Some(rest) = request.get(used..).filter(|rest| !rest.is_empty()) {
            let (taken, event) = self.transmission.advance(rest);
            core = match event {
                Event::Request(request) => self.request(volume, core, request).1,
                Event::Piece { data, last, .. } => self.piece(volume, core, data, last),
                _ => return core,
            };
            used += taken;
        }
        core
    }
}

/// Whether a request is short and begins at once.
fn is_light(command: &Command, core: &Core) -> bool {
    match *command {
        Command::Flush => true,
        Command::Read { len, .. } => len <= READ_LIGHT_MAX,
        Command::Write { offset, len, .. } => {
            let is_short = (1..=WRITE_LIGHT_MAX).contains(&len);
            let is_one = parts_of(offset, u64::from(len), WRITE_LEN_MAX) == 1;
            is_short && is_one && core.device.takes_now(offset, u64::from(len))
        }
        _ => false,
    }
}
