//! One event loop in virtual time, step by step; mirrors `runtime`'s.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;
use gateway::directory::Directory;
use gateway::{Admitted, Figures, ServerInfo, SessionId, Shard, ShardConfig};

use super::backend::Caches;
use super::connection::{Connection, Place};
use super::entrance::Entrance;
use super::errands::Errands;
use super::{Kernel, Mail, ServerConfig, Shared};
use crate::network::{Network, Readiness, SocketId};

const MAINTENANCE_INTERVAL: Duration = Duration::from_millis(100);
const IDLE_LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// How often it is looked whether a client that has closed its side still reads.
pub(super) const LINGER: Duration = Duration::from_millis(250);
const SERVE_SLICE: Duration = Duration::from_micros(50);
const SERVE_SLICE_ALONE: Duration = Duration::from_micros(400);
/// Without protections whoever has come is served first.
pub(super) const SLICE_UNPROTECTED: Duration = Duration::from_millis(10);
const NEWS_MAX: usize = 1024;
/// Deadlines of each kind that are looked at before sessions have their turn again.
const DUE_MAX: usize = 64;
/// The most that the reads of one batch bring, in bytes.
pub(super) const INPUT_LEN: usize = 256 * 1024;
const TURN_REQUESTS_MAX: usize = 64;
const TURN_OUTPUT_LEN_MAX: usize = 64 * 1024;
const SEND_BUFFER_BYTES: usize = 256 * 1024;
const INFLIGHT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// One loop and all that it owns.
pub(super) struct EventLoop {
    index: usize,
    /// Up to when it has worked.
    pub(super) clock: Timestamp,
    phase: Phase,
    pub(super) shard: Shard<Caches>,
    pub(super) errands: Errands,
    /// Only the first loop has it.
    pub(super) entrance: Option<Entrance>,
    deadlines: BinaryHeap<Reverse<(Timestamp, SocketId)>>,
    inbox: VecDeque<Mail>,
    next_maintenance: Timestamp,
    next_idle_look: Timestamp,
    pub(super) input: Vec<u8>,
    pub(super) out: Vec<u8>,
}

/// What a loop does next.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Asks who has news, or waits for some.
    Poll,
    /// Serves sessions, since then.
    Serve(Timestamp),
    /// Does errands, since then.
    Errands(Timestamp),
}

impl EventLoop {
    pub(super) fn new(
        index: usize,
        config: &ServerConfig,
        now: Timestamp,
        caches: &Caches,
        directory: &Arc<Directory>,
        figures: &Arc<Figures>,
    ) -> Self {
        let shard_config = ShardConfig {
            loop_index: index,
            turn_requests_max: TURN_REQUESTS_MAX,
            turn_output_len_max: TURN_OUTPUT_LEN_MAX,
            send_buffer_bytes: SEND_BUFFER_BYTES,
            inflight_bytes_max: INFLIGHT_BYTES_MAX,
            protections: config.protections,
            server: ServerInfo {
                pid: 1,
                started: now,
                threads: config.loops,
                connections_max: config.connections_max,
                open_port: 0,
                auth_port: 0,
                tcp_backlog: 0,
                idle_timeout_s: 0,
            },
        };
        let (directory, figures) = (Arc::clone(directory), Arc::clone(figures));
        let entrance = (index == 0)
            .then(|| Entrance::new(config, Arc::clone(&directory), Arc::clone(&figures)));
        Self {
            index,
            clock: now,
            phase: Phase::Poll,
            shard: Shard::new(shard_config, caches.clone(), directory, figures),
            errands: Errands::default(),
            entrance,
            deadlines: BinaryHeap::new(),
            inbox: VecDeque::new(),
            next_maintenance: now,
            next_idle_look: now,
            input: vec![0; INPUT_LEN],
            out: Vec::new(),
        }
    }

    pub(super) fn index(&self) -> usize {
        self.index
    }

    pub(super) fn session_count(&self) -> usize {
        self.shard.session_count()
    }

    pub(super) fn tenants_present(&self) -> usize {
        self.shard.tenants_present()
    }

    pub(super) fn entrant_count(&self) -> usize {
        self.entrance.as_ref().map_or(0, Entrance::len)
    }

    /// Is told something by another loop.
    pub(super) fn receive(&mut self, mail: Mail) {
        self.inbox.push_back(mail);
    }

    pub(super) fn apply(&mut self, directory: &Arc<Directory>) {
        if let Some(entrance) = &mut self.entrance {
            entrance.apply(Arc::clone(directory));
        }
        // No simulated tenant is ever removed, so nobody is to be closed.
        self.shard.apply(Arc::clone(directory));
    }

    /// When it acts next if nothing happens before.
    pub(super) fn next_step_at(&self, now: Timestamp, network: &Network) -> Timestamp {
        if !matches!(self.phase, Phase::Poll) {
            return self.clock;
        }
        let is_busy = network.has_news(self.index, self.entrance.is_some())
            || !self.inbox.is_empty()
            || !self.shard.is_idle()
            || self.has_errands();
        if is_busy {
            return self.clock.max(now);
        }
        let deadline = self.deadlines.peek().map(|Reverse((at, _))| *at);
        let entrance = self.entrance.as_ref().and_then(Entrance::deadline);
        let paused = self.shard.poll_timeout();
        let next = [Some(self.next_maintenance), deadline, paused, entrance];
        let next = next.into_iter().flatten().min();
        next.unwrap_or(Timestamp::MAX).max(self.clock)
    }

    /// Does the next piece of work: asks for news, serves a batch of sessions, or does one errand.
    pub(super) fn step(&mut self, now: Timestamp, kernel: &mut Kernel<'_>, shared: &mut Shared) {
        match self.phase {
            Phase::Poll => {
                self.clock = self.clock.max(now);
                self.poll(kernel, shared);
                self.phase = Phase::Serve(self.clock);
            }
            Phase::Serve(since) => {
                let slice = self.slice(shared);
                let left = slice.saturating_sub(self.clock.since(since));
                let served = self.serve_batch(left, kernel, shared);
                if !served || self.clock.since(since) >= slice {
                    self.phase = Phase::Errands(self.clock);
                }
            }
            Phase::Errands(since) => {
                if !self.do_errand(since, kernel, shared) {
                    self.expire(kernel, shared);
                    self.maintain(shared);
                    self.phase = Phase::Poll;
                }
            }
        }
    }

    /// Lets time pass for a piece of work that costs this many nanoseconds as a rule.
    pub(super) fn spend(&mut self, nanos: u64, shared: &Shared) {
        self.clock = self.clock + shared.pricing.of(nanos);
    }

    /// Takes a connection in from the entrance, this loop's or another's.
    pub(super) fn admit(
        &mut self,
        socket: SocketId,
        admitted: Admitted,
        kernel: &mut Kernel<'_>,
        shared: &mut Shared,
    ) {
        let Some(id) = self.shard.admit(self.clock, admitted, socket.0) else {
            shared.connection_count -= 1;
            kernel.network.close(self.clock, socket, kernel.events);
            return;
        };
        shared.put(Connection::new(socket, Place::Session(id)));
        kernel.network.watch(socket, self.index);
    }

    /// Closes a connection wherever it stands.
    pub(super) fn close(&mut self, socket: SocketId, kernel: &mut Kernel<'_>, shared: &mut Shared) {
        let Some(connection) = shared.remove(socket) else {
            return;
        };
        match connection.place {
            Place::Session(id) => self.shard.close(id),
            Place::Door(id) => {
                if let Some(entrance) = &mut self.entrance {
                    entrance.door.leave(id);
                }
            }
        }
        shared.connection_count -= 1;
        self.spend(shared.pricing.costs.close_ns, shared);
        kernel.network.close(self.clock, socket, kernel.events);
    }

    pub(super) fn close_after(
        &mut self,
        socket: SocketId,
        patience: Duration,
        shared: &mut Shared,
    ) {
        if !shared.config.protections {
            return;
        }
        let deadline = self.clock + patience;
        if let Some(connection) = shared.find(socket) {
            connection.set_deadline(deadline);
            let deadline = connection.deadline;
            let has_alarm = std::mem::replace(&mut connection.has_alarm, true);
            if !has_alarm || patience <= LINGER {
                self.deadlines.push(Reverse((deadline, socket)));
            }
        }
    }

    fn slice(&self, shared: &Shared) -> Duration {
        match self.shard.tenants_present() {
            _ if !shared.config.protections => SLICE_UNPROTECTED,
            0 | 1 if !self.has_errands() => SERVE_SLICE_ALONE,
            _ => SERVE_SLICE,
        }
    }

    fn poll(&mut self, kernel: &mut Kernel<'_>, shared: &mut Shared) {
        self.spend(shared.pricing.costs.poll_ns, shared);
        for _ in 0..NEWS_MAX {
            let Some((socket, news)) = kernel.network.take_news(self.index) else {
                break;
            };
            self.spend(shared.pricing.costs.news_ns, shared);
            self.take_news(socket, news, shared);
        }
        if let Some(entrance) = &mut self.entrance {
            entrance.announce(kernel.network);
        }
        while let Some(mail) = self.inbox.pop_front() {
            match mail {
                Mail::Admit(socket, admitted) => self.admit(socket, admitted, kernel, shared),
                Mail::Displace(tenant) => self.displace_here(tenant, kernel, shared),
            }
        }
    }

    fn take_news(&mut self, socket: SocketId, news: Readiness, shared: &mut Shared) {
        let (now, protections) = (self.clock, shared.config.protections);
        let Some(connection) = shared.find(socket) else {
            return;
        };
        let closes_now = protections && news.read_closed && !connection.peer_closed;
        if closes_now {
            connection.peer_closed = true;
            connection.note_moved(now);
        }
        connection.readable |= news.readable || news.read_closed || news.error;
        connection.writable |= news.writable;
        match connection.place {
            _ if news.error && protections => self.doom(socket, shared),
            Place::Door(_) => self.hear_later(socket, shared),
            Place::Session(id) => {
                self.shard.make_ready(now, id);
                if closes_now {
                    self.see_off(socket, id, shared);
                }
            }
        }
    }

    /// A client has sent its last byte: whatever else waits, its connection is not kept for long.
    fn see_off(&mut self, socket: SocketId, id: SessionId, shared: &mut Shared) {
        if self.shard.is_paused(id) {
            self.shard.hurry(self.clock, id);
        }
        self.close_after(socket, LINGER, shared);
    }

    fn expire(&mut self, kernel: &Kernel<'_>, shared: &mut Shared) {
        let now = self.clock;
        for _ in 0..DUE_MAX {
            let Some(Reverse((at, socket))) = self.deadlines.peek().copied() else {
                break;
            };
            if at > now {
                break;
            }
            self.deadlines.pop();
            let Some(connection) = shared.find(socket) else {
                continue;
            };
            if connection.peer_closed && connection.deadline <= now {
                if connection.has_drained(kernel) {
                    connection.note_moved(now);
                }
                connection.set_deadline(now + LINGER);
            }
            let deadline = connection.deadline;
            connection.has_alarm = deadline > now && deadline < Timestamp::MAX;
            if deadline <= now {
                self.doom(socket, shared);
            } else if deadline < Timestamp::MAX {
                self.deadlines.push(Reverse((deadline, socket)));
            }
        }
        for _ in 0..DUE_MAX {
            let entrance = self.entrance.as_mut();
            let Some(link) = entrance.and_then(|entrance| entrance.door.expire(now)) else {
                break;
            };
            self.doom(SocketId(link), shared);
        }
        if let Some(idle_timeout) = shared.config.idle_timeout
            && now >= self.next_idle_look
        {
            self.next_idle_look = now + IDLE_LOOK_INTERVAL;
            for link in self.shard.idle_since(now - idle_timeout) {
                self.doom(SocketId(link), shared);
            }
        }
    }

    fn maintain(&mut self, shared: &Shared) {
        let overdue = self.clock.since(self.next_maintenance) >= MAINTENANCE_INTERVAL;
        if self.clock < self.next_maintenance || !self.shard.is_idle() && !overdue {
            return;
        }
        if self.shard.maintain(self.clock) {
            self.spend(shared.pricing.costs.maintain_ns, shared);
        } else {
            self.next_maintenance = self.clock + MAINTENANCE_INTERVAL;
        }
    }
}

impl Shared {
    /// The connection of this socket, unless its slot is another's by now.
    pub(super) fn find(&mut self, socket: SocketId) -> Option<&mut Connection> {
        self.connections
            .get_mut(socket.slot())?
            .as_mut()
            .filter(|connection| connection.id == socket)
    }

    pub(super) fn put(&mut self, connection: Connection) {
        let slot = connection.id.slot();
        if slot >= self.connections.len() {
            self.connections.resize(slot + 1, None);
        }
        self.connections[slot] = Some(connection);
    }

    pub(super) fn remove(&mut self, socket: SocketId) -> Option<Connection> {
        self.find(socket)?;
        self.connections[socket.slot()].take()
    }
}
