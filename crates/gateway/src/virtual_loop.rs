//! A shard under a loop of virtual sockets and virtual time, for tests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::{Rights, TenantId, Timestamp, TrafficLimits};

use crate::directory::{Directory, Tenant};
use crate::test_backend::TestBackend;
use crate::testing::{NOW, server_info};
use crate::{Admitted, ConnectionFigures, Figures, Peer, SessionId, Shard, ShardConfig, TurnEnd};

/// One connection's bytes.
#[derive(Debug, Default)]
struct Socket {
    session: Option<SessionId>,
    input: Vec<u8>,
    output: Vec<u8>,
    /// How much more of its output the client takes.
    room: usize,
}

/// The loop: what a turn costs is up to the test.
pub(crate) struct VirtualLoop {
    pub(crate) shard: Shard<TestBackend>,
    pub(crate) now: Timestamp,
    /// A turn's own time, and each request's of it.
    pub(crate) turn_cost: Duration,
    pub(crate) request_cost: Duration,
    pub(crate) figures: Arc<Figures>,
    sockets: BTreeMap<u64, Socket>,
}

/// Tenants from 1 on with these limits.
pub(crate) fn directory(limits: &[TrafficLimits]) -> Arc<Directory> {
    let tenants = limits.iter().zip(1..).map(|(traffic, id)| Tenant {
        id: TenantId(id),
        name: format!("t{id}").into(),
        item_size_max: 4 << 20,
        traffic: *traffic,
    });
    Arc::new(Directory::new(tenants, []))
}

impl VirtualLoop {
    pub(crate) fn new(limits: &[TrafficLimits]) -> Self {
        Self::with_protections(limits, true)
    }

    pub(crate) fn with_protections(limits: &[TrafficLimits], protections: bool) -> Self {
        let figures = Arc::new(Figures::new(1));
        let config = ShardConfig {
            loop_index: 0,
            turn_requests_max: 64,
            turn_output_len_max: 64 * 1024,
            send_buffer_bytes: 10_000,
            inflight_bytes_max: 1 << 20,
            protections,
            server: server_info(),
        };
        let count = u32::try_from(limits.len()).unwrap();
        let backend = TestBackend::with_tenants(1..=count);
        Self {
            shard: Shard::new(config, backend, directory(limits), Arc::clone(&figures)),
            now: NOW,
            turn_cost: Duration::from_micros(4),
            request_cost: Duration::from_micros(1),
            figures,
            sockets: BTreeMap::new(),
        }
    }

    pub(crate) fn apply(&mut self, limits: &[TrafficLimits]) {
        self.shard.apply(directory(limits));
    }

    /// A new connection of a tenant.
    pub(crate) fn connect(&mut self, tenant: u32, link: u64) {
        let admitted = Admitted {
            tenant: TenantId(tenant),
            rights: Rights::ALL,
            credential: None,
            peer: Peer::Unix,
            unparsed: Vec::new(),
        };
        let session = self.shard.admit(self.now, admitted, link);
        let socket = Socket {
            session,
            room: usize::MAX,
            ..Socket::default()
        };
        self.sockets.insert(link, socket);
    }

    pub(crate) fn session(&self, link: u64) -> SessionId {
        self.sockets[&link].session.unwrap()
    }

    pub(crate) fn send(&mut self, link: u64, bytes: impl AsRef<[u8]>) {
        let socket = self.sockets.get_mut(&link).unwrap();
        socket.input.extend_from_slice(bytes.as_ref());
        let session = socket.session.unwrap();
        self.shard.make_ready(self.now, session);
    }

    /// Has a client take no more than `room` bytes from now on.
    pub(crate) fn set_room(&mut self, link: u64, room: usize) {
        let socket = self.sockets.get_mut(&link).unwrap();
        socket.room = room;
        let session = socket.session.unwrap();
        self.shard.make_ready(self.now, session);
    }

    pub(crate) fn close(&mut self, link: u64) {
        if let Some(socket) = self.sockets.remove(&link) {
            self.shard.close(socket.session.unwrap());
        }
    }

    /// What a client has been answered since it was asked last.
    pub(crate) fn received(&mut self, link: u64) -> String {
        let output = std::mem::take(&mut self.sockets.get_mut(&link).unwrap().output);
        String::from_utf8_lossy(&output).into_owned()
    }

    /// What has not been read of what a client has sent.
    pub(crate) fn pending(&self, link: u64) -> usize {
        self.sockets[&link].input.len()
    }

    pub(crate) fn sum(&self, tenant: u32) -> ConnectionFigures {
        self.figures.tenant(TenantId(tenant)).sum()
    }

    /// Serves whoever may be served until this time, which passes.
    pub(crate) fn run_until(&mut self, end: Timestamp) {
        while self.now < end {
            if self.step() {
                continue;
            }
            assert!(self.shard.is_idle(), "somebody has a turn and gets none");
            let next = self.shard.poll_timeout().unwrap_or(end);
            // What is due at once is looked at in the next step, or else holds no more.
            self.now = match next > self.now {
                true => next.min(end),
                false => self.now + Duration::from_nanos(1),
            };
        }
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    /// One turn, if there is one.
    pub(crate) fn step(&mut self) -> bool {
        let Some(due) = self.shard.next_session(self.now) else {
            return false;
        };
        let answered = self.answered();
        let (begin, link, session) = (self.now, due.link, due.session);
        if let Some(socket) = self.sockets.get_mut(&link) {
            let owed = self.shard.unsent(session).to_vec();
            let written = owed.len().min(socket.room);
            socket.room -= written;
            socket.output.extend_from_slice(&owed[..written]);
            if written > 0 {
                self.shard.sent(session, written);
            }
            if written == owed.len() {
                self.turn(link, session);
            }
        }
        let requests = u32::try_from(self.answered() - answered).unwrap();
        self.now = begin + self.turn_cost + self.request_cost * requests;
        self.shard
            .settle(self.now, due.tenant, self.now.since(begin));
        true
    }

    fn turn(&mut self, link: u64, session: SessionId) {
        let socket = self.sockets.get_mut(&link).unwrap();
        let wanted = self.shard.input_len_wanted(session).min(socket.input.len());
        let input: Vec<u8> = socket.input.drain(..wanted).collect();
        let mut out = Vec::new();
        let end = self.shard.turn(self.now, session, &input, &mut out);
        let written = out.len().min(socket.room);
        socket.room -= written;
        socket.output.extend_from_slice(&out[..written]);
        self.shard.keep_unsent(session, written, &out[written..]);
        let has_more = end == TurnEnd::MoreToDo || !socket.input.is_empty();
        if written == out.len() && has_more {
            let pending = socket.input.len();
            self.shard.make_ready_again(self.now, session, || pending);
        }
    }

    fn answered(&self) -> u64 {
        let tenants = (1..).map_while(|id| {
            let exists = self.shard.directory.tenant(TenantId(id)).is_some();
            exists.then(|| self.sum(id))
        });
        // Refusing is cheaper by far than serving.
        tenants
            .map(|sum| sum.reads_served + sum.writes_served)
            .sum()
    }
}
