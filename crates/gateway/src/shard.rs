//! The sessions of one event loop, their tenants, and whose turn it is.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use admission::{FairQueue, FlowId};
use base::{TenantId, Timestamp};
use memcache_proto::{KeyBuf, Limits};
use slab::Slab;

use crate::directory::Directory;
use crate::gather::{ConnectionList, Gather};
use crate::session::{Admitted, Session, SessionId, Transfer};
use crate::{Backend, Figures, ServerInfo, TenantFigures};

/// What a tenant's first turn is taken to cost, in nanoseconds.
const FIRST_TURN_NS: u64 = 10_000;

/// How a shard works.
#[derive(Clone, Debug)]
pub struct ShardConfig {
    /// Which of the process's loops this is, from 0.
    pub loop_index: usize,
    /// Requests served at most before the next session has its turn.
    pub turn_requests_max: usize,
    /// Output in bytes beyond which a turn ends; with one value more it is all that a client that
    /// does not read can make us hold.
    pub turn_output_len_max: usize,
    /// What `stats` tells of the server.
    pub server: ServerInfo,
}

/// Owns the sessions of one loop.
///
/// A driver calls [`admit`](Self::admit) once, then [`make_ready`](Self::make_ready) whenever a
/// connection has input, room for output, or has ended. It takes the
/// [`next_session`](Self::next_session), or a batch of them, moves their bytes around
/// [`turn`](Self::turn), and [`settle`](Self::settle)s what that took.
#[derive(Debug)]
pub struct Shard<B: Backend> {
    pub(crate) config: ShardConfig,
    pub(crate) backend: B,
    pub(crate) directory: Arc<Directory>,
    pub(crate) sessions: Slab<Session>,
    pub(crate) tenants: Slab<Tenant<B::Tenant>>,
    pub(crate) key_buf: KeyBuf,
    /// A list that a session has just begun, until the driver takes it.
    pub(crate) gather: Option<Gather>,
    tenant_slots: HashMap<TenantId, u32>,
    /// Sessions by place and link: a place may be another's by the time of its turn.
    queue: FairQueue<(SessionId, u64)>,
    /// Fetches ahead that this batch has begun, by the tenant's place.
    pub(crate) prefetches: Vec<(u32, B::Prefetch)>,
    tenants_present: usize,
    figures: Arc<Figures>,
}

/// A tenant that has, or had, sessions here.
#[derive(Debug)]
pub(crate) struct Tenant<T> {
    pub(crate) id: TenantId,
    pub(crate) data: T,
    pub(crate) limits: Limits,
    pub(crate) figures: Arc<TenantFigures>,
    pub(crate) connections: ConnectionList,
    flow: FlowId,
    sessions: usize,
    /// What its turns took of late, each.
    turn_ns: u64,
    /// Turns given and not settled yet, and what they were charged.
    open_turns: u32,
    charged_ns: u64,
}

/// A tenant's place in a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TenantSlot(u32);

/// A session whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The session.
    pub session: SessionId,
    /// The driver's name for it.
    pub link: u64,
    /// Whose time its turn is on.
    pub tenant: TenantSlot,
    /// What its turn will take, to judge by its tenant's last ones.
    pub cost: Duration,
}

impl<T> Tenant<T> {
    /// Gives a turn; what it is charged for now.
    fn charge_turn(&mut self) -> u64 {
        self.open_turns += 1;
        self.charged_ns += self.turn_ns;
        self.turn_ns
    }

    /// Learns from the turns that are over; what was charged for them.
    fn settle_turns(&mut self, took_ns: u64) -> u64 {
        let turns = u64::from(std::mem::take(&mut self.open_turns));
        if let Some(each_ns) = took_ns.checked_div(turns) {
            self.turn_ns = (self.turn_ns * 3 + each_ns) / 4;
        }
        std::mem::take(&mut self.charged_ns)
    }
}

impl<B: Backend> Shard<B> {
    /// A shard without sessions.
    pub fn new(
        config: ShardConfig,
        backend: B,
        directory: Arc<Directory>,
        figures: Arc<Figures>,
    ) -> Self {
        Self {
            config,
            backend,
            directory,
            sessions: Slab::new(),
            tenants: Slab::new(),
            key_buf: KeyBuf::new(),
            gather: None,
            tenant_slots: HashMap::new(),
            queue: FairQueue::new(),
            prefetches: Vec::new(),
            tenants_present: 0,
            figures,
        }
    }

    /// Takes a connection in; `link` is the driver's own name for it. `None` if its tenant or its
    /// credential has gone meanwhile: the connection is to be closed.
    pub fn admit(&mut self, now: Timestamp, admitted: Admitted, link: u64) -> Option<SessionId> {
        if admitted
            .credential
            .is_some_and(|credential| !self.directory.is_live(credential))
        {
            return None;
        }
        let slot = self.tenant_slot(admitted.tenant)?;
        let tenant = &mut self.tenants[slot as usize];
        self.tenants_present += usize::from(tenant.sessions == 0);
        tenant.sessions += 1;
        let figures = tenant.figures.of_loop(self.config.loop_index);
        figures.connections.add(1);
        figures.connections_total.add(1);
        let session = Session::new(now, link, slot, admitted);
        let key = self.sessions.insert(session);
        let id = SessionId(u32::try_from(key).unwrap_or(u32::MAX));
        self.make_ready(id);
        Some(id)
    }

    /// Puts a session in the queue for a turn, if it does not stand there already.
    pub fn make_ready(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id.0 as usize) else {
            return;
        };
        if session.queued {
            return;
        }
        if let Some(tenant) = self.tenants.get(session.tenant as usize) {
            session.queued = self.queue.push(tenant.flow, (id, session.link)).is_ok();
        }
    }

    /// The session whose turn it is. Its tenant is charged what a turn of it took of late, so that
    /// several turns may be given before any is over; [`settle`](Self::settle) puts it right.
    pub fn next_session(&mut self) -> Option<Due> {
        while let Some((_, (id, link))) = self.queue.pop() {
            // One that was closed while it waited is passed over.
            let Some(session) = self.sessions.get_mut(id.0 as usize) else {
                continue;
            };
            if !session.queued || session.link != link {
                continue;
            }
            session.queued = false;
            let slot = session.tenant;
            let cost_ns = match self.tenants.get_mut(slot as usize) {
                Some(tenant) => tenant.charge_turn(),
                None => 0,
            };
            let cost = Duration::from_nanos(cost_ns);
            self.queue.charge(cost);
            return Some(Due {
                session: id,
                link,
                tenant: TenantSlot(slot),
                cost,
            });
        }
        None
    }

    /// Charges a tenant what its turns since the last time took, all together.
    pub fn settle(&mut self, slot: TenantSlot, took: Duration) {
        let Some(tenant) = self.tenants.get_mut(slot.0 as usize) else {
            return;
        };
        let took_ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let charged = Duration::from_nanos(tenant.settle_turns(took_ns));
        self.queue.correct(tenant.flow, charged, took);
        let figures = tenant.figures.of_loop(self.config.loop_index);
        figures.busy_ns.add(took_ns);
    }

    /// A slice of the backend's background work; true if more waits.
    pub fn maintain(&mut self, now: Timestamp) -> bool {
        self.backend.maintain(now)
    }

    /// Whether nobody waits for a turn.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Which of the process's loops this is.
    pub fn loop_index(&self) -> usize {
        self.config.loop_index
    }

    /// How many tenants have sessions here.
    pub fn tenants_present(&self) -> usize {
        self.tenants_present
    }

    /// How many sessions there are.
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// Whether a session's client has begun a request that it has not sent whole.
    pub fn is_mid_request(&self, id: SessionId) -> bool {
        self.sessions
            .get(id.0 as usize)
            .is_some_and(|session| session.decoder.is_mid_request() || !session.unread.is_empty())
    }

    /// Output that a session's connection has not taken yet; it goes before anything else.
    pub fn unsent(&self, id: SessionId) -> &[u8] {
        self.sessions
            .get(id.0 as usize)
            .map(|session| session.unsent.as_slice())
            .unwrap_or_default()
    }

    /// Tells that the connection took `count` bytes of [`unsent`](Self::unsent).
    pub fn sent(&mut self, id: SessionId, count: usize) {
        if let Some(session) = self.sessions.get_mut(id.0 as usize) {
            session.unsent.consume(count);
            self.count_written(id, count);
        }
    }

    /// Keeps the rest of a turn's output, of which the connection took `written` bytes.
    pub fn keep_unsent(&mut self, id: SessionId, written: usize, rest: &[u8]) {
        if let Some(session) = self.sessions.get_mut(id.0 as usize) {
            session.unsent.append(rest);
            self.count_written(id, written);
        }
    }

    /// Ends a session; the driver closes the connection.
    pub fn close(&mut self, id: SessionId) {
        let Some(session) = self.sessions.try_remove(id.0 as usize) else {
            return;
        };
        let Some(tenant) = self.tenants.get_mut(session.tenant as usize) else {
            return;
        };
        tenant.sessions -= 1;
        self.tenants_present -= usize::from(tenant.sessions == 0);
        tenant
            .figures
            .of_loop(self.config.loop_index)
            .connections
            .subtract(1);
        match session.transfer.as_deref() {
            Some(Transfer::Upload {
                room: Ok(reservation),
                ..
            }) => self.backend.abort(&tenant.data, *reservation),
            Some(Transfer::Download { pin, .. }) => self.backend.unpin(&tenant.data, *pin),
            _ => {}
        }
        self.forget_if_removed(session.tenant);
    }

    /// Takes over a newer directory. The connections named by the links returned have lost their
    /// credential or their tenant and are to be closed.
    pub fn apply(&mut self, directory: Arc<Directory>) -> Vec<u64> {
        self.directory = directory;
        for (_, tenant) in &mut self.tenants {
            if let Some(entry) = self.directory.tenant(tenant.id) {
                tenant.limits.item_size_max = entry.item_size_max;
            }
        }
        let orphans = self
            .sessions
            .iter()
            .filter(|(_, session)| !self.is_entitled(session))
            .map(|(_, session)| session.link)
            .collect();
        let slots: Vec<u32> = self.tenant_slots.values().copied().collect();
        slots
            .into_iter()
            .for_each(|slot| self.forget_if_removed(slot));
        orphans
    }

    /// The links of sessions that have not been served since `then`.
    pub fn idle_since(&self, then: Timestamp) -> Vec<u64> {
        self.sessions
            .iter()
            .filter(|(_, session)| !session.queued && session.active_s < then.unix_secs())
            .map(|(_, session)| session.link)
            .collect()
    }

    fn is_entitled(&self, session: &Session) -> bool {
        let tenant_exists = self
            .tenants
            .get(session.tenant as usize)
            .is_some_and(|tenant| self.directory.tenant(tenant.id).is_some());
        let credential_lives = session
            .credential
            .is_none_or(|credential| self.directory.is_live(credential));
        tenant_exists && credential_lives
    }

    /// A removed tenant's slot stays until its last session has closed, so that its data is let go
    /// at once and its number never stands for another.
    fn forget_if_removed(&mut self, slot: u32) {
        let is_over = self.tenants.get(slot as usize).is_some_and(|tenant| {
            tenant.sessions == 0 && self.directory.tenant(tenant.id).is_none()
        });
        if is_over && let Some(tenant) = self.tenants.try_remove(slot as usize) {
            self.tenant_slots.remove(&tenant.id);
            self.queue.remove_flow(tenant.flow);
        }
    }

    fn tenant_slot(&mut self, id: TenantId) -> Option<u32> {
        let entry = self.directory.tenant(id)?;
        if let Some(slot) = self.tenant_slots.get(&id) {
            return Some(*slot);
        }
        let tenant = Tenant {
            id,
            data: self.backend.open(id)?,
            limits: Limits {
                item_size_max: entry.item_size_max,
            },
            figures: self.figures.tenant(id),
            flow: self.queue.add_flow(),
            connections: ConnectionList::default(),
            sessions: 0,
            turn_ns: FIRST_TURN_NS,
            open_turns: 0,
            charged_ns: 0,
        };
        let slot = u32::try_from(self.tenants.insert(tenant)).unwrap_or(u32::MAX);
        self.tenant_slots.insert(id, slot);
        Some(slot)
    }

    fn count_written(&self, id: SessionId, count: usize) {
        if let Some(tenant) = self
            .sessions
            .get(id.0 as usize)
            .and_then(|session| self.tenants.get(session.tenant as usize))
        {
            let figures = tenant.figures.of_loop(self.config.loop_index);
            figures.bytes_written.add(count as u64);
        }
    }
}

#[cfg(test)]
#[path = "shard_test.rs"]
mod shard_test;
