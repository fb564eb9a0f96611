//! One event loop: waits for the kernel, lets the shard say whose turn it is, and moves the bytes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use base::Timestamp;
use gateway::directory::Directory;
use gateway::{Admitted, Backend, Figures, SessionId, Shard};
use mio::event::Event;
use mio::{Events, Poll, Token};
use slab::Slab;

use super::accept::{Entrance, LoopHandle};
use super::connection::{Connection, Place, Stream};
use super::deadlines::Deadlines;
use super::errands::Errands;
use super::exchange::Batch;
use super::link::{find, link_of, slot_of};
use super::loops::{Limits, Mail};
use super::pulse::Pulse;
use super::upstream::{FIRST_NODE, Upstream};
use crate::{Clock, Published};

/// How often the backend's background work is looked after.
const MAINTENANCE_INTERVAL: Duration = Duration::from_millis(100);
/// How often it is looked whether a client that has closed its side still reads.
pub(super) const LINGER: Duration = Duration::from_millis(250);
/// How often silent connections are looked for.
const IDLE_LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The most that the reads of one batch bring, in bytes.
pub(super) const INPUT_LEN: usize = 256 * 1024;
const EVENTS_MAX: usize = 1024;
/// Deadlines of each kind that are looked at before sessions have their turn again.
const DUE_MAX: usize = 64;

pub(super) const WAKER: Token = Token(usize::MAX);
/// When it is looked again at one whose time is over while it waits for a turn.
const QUEUED_AGAIN: Duration = Duration::from_millis(250);
/// Tokens from here up to [`WAKER`] are listeners.
pub(super) const FIRST_LISTENER: usize = usize::MAX - 16;

/// What every loop of a process shares.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    pub(super) directory: Arc<Published<Directory>>,
    pub(super) figures: Arc<Figures>,
    pub(super) connections: AtomicUsize,
    pub(super) at_door: AtomicUsize,
    pub(super) refused: AtomicU64,
}

/// One loop and all that it owns.
pub(super) struct EventLoop<B: Backend> {
    pub(super) shared: Arc<Shared>,
    pub(super) poll: Poll,
    pub(super) shard: Shard<B>,
    pub(super) connections: Slab<Connection>,
    pub(super) deadlines: Deadlines,
    pub(super) errands: Errands,
    /// Listeners and door; only one loop has them.
    pub(super) entrance: Option<Entrance>,
    pub(super) draining: bool,
    /// Until when a loop that retires closes its connections, one after the other.
    pub(super) retires_until: Option<Timestamp>,
    /// When each of them is to go.
    pub(super) ends: Deadlines,
    /// All loops, this one among them.
    pub(super) loops: Vec<LoopHandle>,
    mail: Receiver<Mail>,
    directory_version: u64,
    generation: u32,
    stopped: bool,
    next_maintenance: Timestamp,
    next_idle_look: Timestamp,
    pub(super) batch: Batch,
    /// Connections to nodes, where the data is not in this process.
    pub(super) upstream: Option<Upstream>,
    /// Where reads go; what a session has not used of it by the end of its turn it keeps.
    pub(super) input: Box<[u8]>,
    pub(super) out: Vec<u8>,
}

impl<B: Backend> EventLoop<B> {
    pub(super) fn new(
        shared: Arc<Shared>,
        poll: Poll,
        mail: Receiver<Mail>,
        shard: Shard<B>,
        entrance: Option<Entrance>,
        loops: Vec<LoopHandle>,
    ) -> Self {
        Self {
            // Whatever was published before the first turn is taken over in it.
            directory_version: u64::MAX,
            shared,
            poll,
            shard,
            connections: Slab::new(),
            deadlines: Deadlines::default(),
            errands: Errands::default(),
            entrance,
            draining: false,
            retires_until: None,
            ends: Deadlines::default(),
            loops,
            mail,
            generation: 0,
            stopped: false,
            next_maintenance: Timestamp::ZERO,
            next_idle_look: Timestamp::ZERO,
            batch: Batch::default(),
            upstream: None,
            input: vec![0; INPUT_LEN].into(),
            out: Vec::new(),
        }
    }

    /// Serves until it is told to stop, or to drain and has drained.
    pub(super) fn run(mut self, pulse: &Pulse) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        while !self.stopped {
            let wait = self.time_to_wait();
            match self.poll.poll(&mut events, wait) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            let now = self.shared.clock.now();
            pulse.beat(now);
            for event in &events {
                self.take_event(now, event);
            }
            self.take_mail(now);
            self.hear_nodes(now);
            let now = self.serve(now);
            self.tend_nodes(now);
            self.do_errands(now);
            self.expire(now);
            self.maintain(now);
            if self.draining && self.connections.is_empty() {
                self.stopped = true;
            }
        }
        pulse.rest();
        Ok(())
    }

    /// Takes a connection in from the entrance, this loop's or another's.
    pub(super) fn admit(&mut self, now: Timestamp, stream: Stream, admitted: Admitted) {
        // The shard is told the link before the connection has its place, so that one insertion
        // suffices.
        let generation = self.next_generation();
        let slot = self.connections.vacant_key();
        let link = link_of(slot, generation);
        let Some(id) = self.shard.admit(now, admitted, link) else {
            self.count_closed();
            return;
        };
        let connection = Connection::new(stream, Place::Session(id), generation);
        let registered = connection
            .stream
            .register(self.poll.registry(), Token(link as usize));
        self.connections.insert(connection);
        if registered.is_err() {
            self.close(link);
        }
        self.schedule_end(now, link);
    }

    pub(super) fn connection(&mut self, link: u64) -> Option<&mut Connection> {
        find(&mut self.connections, link)
    }

    pub(super) fn next_generation(&mut self) -> u32 {
        // 31 bits, so that no link is ever a listener's or the waker's token.
        self.generation = (self.generation + 1) & (u32::MAX >> 1);
        self.generation
    }

    /// Closes a connection wherever it stands; closing the descriptor ends its registration too.
    pub(super) fn close(&mut self, link: u64) {
        if self.connection(link).is_none() {
            return;
        }
        let connection = self.connections.remove(slot_of(link));
        match connection.place {
            Place::Session(id) => self.shard.close(id),
            Place::Door(id) => {
                if let Some(entrance) = &mut self.entrance {
                    entrance.door.leave(id);
                }
            }
            Place::Lobby(id) => {
                if let Some(entrance) = &mut self.entrance {
                    entrance.lobby.leave(id);
                }
            }
        }
        self.count_closed();
    }

    pub(super) fn count_closed(&self) {
        self.shared.connections.fetch_sub(1, Ordering::Relaxed);
    }

    fn time_to_wait(&mut self) -> Option<Duration> {
        if self.has_errands() || !self.shard.is_idle() {
            return Some(Duration::ZERO);
        }
        let entrance = self.entrance.as_ref().and_then(Entrance::deadline);
        let next = [
            Some(self.next_maintenance),
            entrance,
            self.deadlines.next(),
            self.ends.next(),
            // A paused tenant is to be served again when its rate allows, not when others speak.
            self.shard.poll_timeout(),
            self.upstream_deadline(),
        ];
        let next = next.into_iter().flatten().min()?;
        Some(next.since(self.shared.clock.now()))
    }

    fn take_event(&mut self, now: Timestamp, event: &Event) {
        let token = event.token();
        if token == WAKER {
            return;
        }
        if (FIRST_NODE..FIRST_LISTENER).contains(&token.0) {
            return self.take_node_event(now, event);
        }
        if token.0 >= FIRST_LISTENER {
            if let Some(entrance) = &mut self.entrance {
                entrance.announce(token.0 - FIRST_LISTENER);
            }
            return;
        }
        let link = token.0 as u64;
        let protections = self.shared.limits.protections;
        let Some(connection) = self.connection(link) else {
            return;
        };
        // A Unix peer that has gone reports both sides closed, and may have left something to read.
        let has_closed = event.is_read_closed() || event.is_write_closed();
        let closes_now = protections && has_closed && !connection.peer_closed;
        if closes_now {
            connection.peer_closed = true;
            connection.note_moved(now);
        }
        connection.readable |= event.is_readable() || has_closed || event.is_error();
        connection.writable |= event.is_writable();
        match connection.place {
            _ if event.is_error() && protections => self.doom(link),
            Place::Lobby(_) | Place::Door(_) => self.hear_later(link),
            Place::Session(id) => {
                self.shard.make_ready(now, id);
                if closes_now {
                    self.see_off(now, link, id);
                }
            }
        }
    }

    /// A client has sent its last byte: whatever else waits, its connection is not kept for long.
    fn see_off(&mut self, now: Timestamp, link: u64, id: SessionId) {
        if self.shard.is_paused(id) {
            self.shard.hurry(now, id);
        }
        self.close_after(now, link, LINGER);
    }

    fn take_mail(&mut self, now: Timestamp) {
        while let Ok(mail) = self.mail.try_recv() {
            // Who sent it may know a tenant that was published only now.
            self.refresh_directory();
            match mail {
                Mail::Admit { stream, admitted } => self.admit(now, stream, admitted),
                Mail::Secured {
                    stream,
                    peer,
                    tenant,
                } => self.place(now, Stream::Tls(stream), peer, tenant),
                Mail::Gather(gather) => self.pass_on(now, gather),
                Mail::Gathered(gather) => self.shard.answer(now, gather),
                Mail::Displace(tenant) => self.displace_here(tenant),
                Mail::Whose(question) => question.answer(&self.shard),
                Mail::Drain => self.drain(),
                Mail::Retire(over, _listens) => self.retire(now, over),
                Mail::Stop => self.stopped = true,
            }
        }
        self.refresh_directory();
    }

    fn refresh_directory(&mut self) {
        if self.shared.directory.version() != self.directory_version {
            self.directory_version = self.shared.directory.version();
            let directory = self.shared.directory.get();
            if let Some(entrance) = &mut self.entrance {
                entrance.door.apply(Arc::clone(&directory));
            }
            for link in self.shard.apply(directory) {
                self.doom(link);
            }
        }
    }

    fn expire(&mut self, now: Timestamp) {
        for _ in 0..DUE_MAX {
            let Some((at, link)) = self.deadlines.take_due(now) else {
                break;
            };
            let Some(connection) = find(&mut self.connections, link) else {
                continue;
            };
            // One whose place an earlier one has taken is passed over.
            if !connection.take_alarm(at) {
                continue;
            }
            if connection.peer_closed && connection.deadline <= now {
                if connection.has_drained() {
                    connection.note_moved(now);
                }
                connection.set_deadline(now + LINGER);
            }
            if connection.deadline <= now
                && !connection.peer_closed
                && let Place::Session(session) = connection.place
                && self.shard.is_queued(session)
            {
                // It is held up by us, for its tenant's limits, and not by its client.
                connection.set_deadline(now + QUEUED_AGAIN);
            }
            if connection.deadline <= now {
                self.doom(link);
            } else if let Some(at) = connection.set_alarm() {
                self.deadlines.add(at, link);
            }
        }
        for _ in 0..DUE_MAX {
            let Some(entrance) = &mut self.entrance else {
                break;
            };
            if let Some(link) = entrance.door.expire(now) {
                self.doom(link);
            } else if let Some(guest) = entrance.lobby.expire(now) {
                self.count_headless();
                self.doom(guest);
            } else {
                break;
            }
        }
        for _ in 0..DUE_MAX {
            let Some((_, link)) = self.ends.take_due(now) else {
                break;
            };
            self.let_go(link);
        }
        if let Some(idle_timeout) = self.shared.limits.idle_timeout
            && now >= self.next_idle_look
        {
            self.next_idle_look = now + IDLE_LOOK_INTERVAL;
            for link in self.shard.idle_since(now - idle_timeout) {
                self.doom(link);
            }
        }
    }

    fn maintain(&mut self, now: Timestamp) {
        let is_overdue = now.since(self.next_maintenance) >= MAINTENANCE_INTERVAL;
        if now < self.next_maintenance || !self.shard.is_idle() && !is_overdue {
            return;
        }
        if !self.shard.maintain(now) {
            self.next_maintenance = now + MAINTENANCE_INTERVAL;
        }
    }

    /// Lets nobody in any more, and every session go once it is served.
    fn drain(&mut self) {
        let now = self.shared.clock.now();
        self.draining = true;
        self.entrance = None;
        let links: Vec<(u64, Place)> = self
            .connections
            .iter()
            .map(|(slot, connection)| (link_of(slot, connection.generation), connection.place))
            .collect();
        for (link, place) in links {
            match place {
                Place::Door(_) | Place::Lobby(_) => self.close(link),
                Place::Session(id) => self.shard.make_ready(now, id),
            }
        }
    }
}
