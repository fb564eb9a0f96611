//! Connections of a volume that flush, served together by one of their threads.
//!
//! Such clients wait for each other's syncs anyway. With a thread for each, every answer and every request costs
//! a wake-up of its own; one thread for all receives, writes and answers what many of them have at a time. What
//! may take long, or has to wait, goes back to the connection's own thread.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use slab::Slab;

use super::attached::Attached;
use super::connection::Connection;
use super::input::Input;

/// So many connections that flush are worth it,
const FLUSHING_MIN: usize = 4;
/// and so many are served at once.
const ROUND_MAX: usize = 128;

/// The crowd of one volume.
#[derive(Default)]
pub(super) struct Crowd {
    /// Nothing where the system gives none.
    epoll: OnceLock<Option<OwnedFd>>,
    flushing: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    members: Slab<Member>,
    /// One of the members' threads serves them all.
    is_led: bool,
}

struct Member {
    connection: Connection,
    input: Input,
    seat: Arc<Seat>,
}

/// Where a member's own thread waits.
#[derive(Default)]
struct Seat {
    call: Mutex<Option<Call>>,
    called: Condvar,
}

/// What it is woken for.
enum Call {
    /// It serves the crowd from now on.
    Lead,
    /// Its connection is its own again.
    Home(Box<(Connection, Input)>),
}

impl Crowd {
    /// One connection more that flushes.
    pub(super) fn one_flushes(&self) {
        self.flushing.fetch_add(1, Ordering::Relaxed);
    }

    /// One less.
    pub(super) fn one_ceases(&self) {
        self.flushing.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether enough of them flush.
    pub(super) fn is_worth_it(&self) -> bool {
        self.flushing.load(Ordering::Relaxed) >= FLUSHING_MIN
    }

    /// Serves a connection together with others, until it needs its own thread, which is the caller's.
    pub(super) fn serve(
        &self,
        volume: &Arc<Attached>,
        connection: Connection,
        input: Input,
    ) -> (Connection, Input) {
        let Some(epoll) = self.epoll() else {
            return (connection, input);
        };
        let seat = Arc::new(Seat::default());
        let mut state = self.state();
        let entry = state.members.vacant_entry();
        let key = EventData::new_u64(entry.key() as u64);
        if epoll::add(epoll, input.stream(), key, EventFlags::IN).is_err() {
            return (connection, input);
        }
        entry.insert(Member {
            connection,
            input,
            seat: Arc::clone(&seat),
        });
        let leads = !std::mem::replace(&mut state.is_led, true);
        drop(state);
        if leads {
            self.lead(epoll, volume, &seat);
        }
        loop {
            match seat.wait() {
                Call::Lead => self.lead(epoll, volume, &seat),
                Call::Home(own) => return *own,
            }
        }
    }

    fn epoll(&self) -> Option<&OwnedFd> {
        let made = self
            .epoll
            .get_or_init(|| epoll::create(CreateFlags::CLOEXEC).ok());
        made.as_ref()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves the crowd until the thread's own connection goes home; then another thread does.
    fn lead(&self, epoll: &OwnedFd, volume: &Arc<Attached>, me: &Seat) {
        let mut events = Vec::with_capacity(ROUND_MAX);
        loop {
            events.clear();
            let waited = epoll::wait(epoll, spare_capacity(&mut events), None);
            let keys = events.iter().map(|event| event.data.u64());
            let keys: Vec<usize> = keys.filter_map(|key| usize::try_from(key).ok()).collect();
            let mut state = self.state();
            let leaving = state.round(volume, &keys);
            let is_over = waited.is_err_and(|error| error != rustix::io::Errno::INTR);
            match is_over || !self.is_worth_it() {
                true => state.send_all_home(epoll),
                false => leaving
                    .into_iter()
                    .for_each(|key| state.send_home(epoll, key)),
            }
            if me.is_called() {
                state.appoint();
                return;
            }
        }
    }
}

impl State {
    /// Serves those who have sent something; says who goes home.
    fn round(&mut self, volume: &Arc<Attached>, ready: &[usize]) -> Vec<usize> {
        let mut leaving = Vec::new();
        for key in ready {
            let member = self.members.get_mut(*key);
            if member.is_some_and(|member| member.receive().is_err()) {
                leaving.push(*key);
            }
        }
        let mut core = volume.lock();
        for key in ready {
            let Some(member) = self.members.get_mut(*key) else {
                continue;
            };
            let (guard, stays) = member
                .connection
                .take_light(volume, core, &mut member.input);
            core = guard;
            if !stays {
                leaving.push(*key);
            }
        }
        volume.pump(core, None);
        leaving
    }

    fn send_home(&mut self, epoll: &OwnedFd, key: usize) {
        if let Some(member) = self.members.try_remove(key) {
            // Whether it still was there does not matter.
            let _ = epoll::delete(epoll, member.input.stream());
            let own = Box::new((member.connection, member.input));
            member.seat.call(Call::Home(own));
        }
    }

    fn send_all_home(&mut self, epoll: &OwnedFd) {
        let keys: Vec<usize> = self.members.iter().map(|(key, _)| key).collect();
        keys.into_iter().for_each(|key| self.send_home(epoll, key));
    }

    /// Has another thread lead, if there is one.
    fn appoint(&mut self) {
        let next = self.members.iter().next();
        self.is_led = next.is_some();
        if let Some((_, next)) = next {
            next.seat.call(Call::Lead);
        }
    }
}

impl Member {
    /// Takes what has come; an error at the end of it too.
    fn receive(&mut self) -> io::Result<()> {
        let received = self
            .input
            .receive(|stream, buffer| stream.receive_now(buffer));
        match received {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            received => received.map(drop),
        }
    }
}

impl Seat {
    fn call(&self, call: Call) {
        *self.slot() = Some(call);
        self.called.notify_one();
    }

    fn is_called(&self) -> bool {
        self.slot().is_some()
    }

    fn wait(&self) -> Call {
        let mut slot = self.slot();
        loop {
            if let Some(call) = slot.take() {
                return call;
            }
            let waited = self.called.wait(slot);
            slot = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn slot(&self) -> MutexGuard<'_, Option<Call>> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Crowd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crowd")
            .field("flushing", &self.flushing)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "crowd_test.rs"]
mod tests;
