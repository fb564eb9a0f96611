//! The sessions of one event loop, their tenants, and whose turn it is.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use admission::{Contention, FairQueue, FlowId};
use base::{TenantId, Timestamp};
use memcache_proto::{KeyBuf, Limits};
use slab::Slab;

use crate::delivery::{Awaited, Deliveries};
use crate::directory::Directory;
use crate::displace::IdleSearch;
use crate::gather::{ConnectionList, Gather};
use crate::ledger::Ledgers;
use crate::pause::{Pace, PaceConfig};
use crate::remote::Remote;
use crate::session::{Admitted, Session, SessionId, Transfer};
use crate::tenant::{FIRST_TURN_NS, Tenant, Waiting};
use crate::{Backend, Figures, ServerInfo};

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
    /// What the kernel may hold of one connection's replies, in bytes.
    pub send_buffer_bytes: usize,
    /// Bytes of requests and replies that a tenant without a limit of its own may have on their way.
    pub inflight_bytes_max: u64,
    /// Whether tenants take turns and have limits. Off only in the control of a drill.
    pub protections: bool,
    /// What `stats` tells of the server.
    pub server: ServerInfo,
}

/// Owns the sessions of one loop.
///
/// A driver calls [`admit`](Self::admit) once, then [`make_ready`](Self::make_ready) whenever a
/// connection has input, room for output, or has ended. It takes the
/// [`next_session`](Self::next_session), or a batch of them, moves their bytes around
/// [`turn`](Self::turn), puts those that have more input back with
/// [`make_ready_again`](Self::make_ready_again), and [`settle`](Self::settle)s what that took. It
/// comes back at [`poll_timeout`](Self::poll_timeout) at the latest.
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
    pub(crate) tenant_slots: HashMap<TenantId, u32>,
    pub(crate) queue: FairQueue<Waiting>,
    pub(crate) contention: Contention,
    /// When tenants that are held are to be looked at again, by their place. One that no longer
    /// holds is passed over.
    pub(crate) alarms: BinaryHeap<Reverse<(Timestamp, u32)>>,
    /// The flow that all tenants share where there are no protections.
    shared_flow: Option<FlowId>,
    /// Fetches ahead that this batch has begun, by the tenant's place.
    pub(crate) prefetches: Vec<(u32, B::Prefetch)>,
    pub(crate) idle_search: IdleSearch,
    tenants_present: usize,
    pub(crate) figures: Arc<Figures>,
    /// Who waits for the nodes' answers, by the requests' places.
    pub(crate) awaited: Vec<Awaited>,
    pub(crate) ledgers: Ledgers,
    pub(crate) deliveries: Deliveries,
    /// Sessions that can go on; empty between calls.
    pub(crate) woken: Vec<SessionId>,
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
            contention: Contention::default(),
            alarms: BinaryHeap::new(),
            shared_flow: None,
            prefetches: Vec::new(),
            idle_search: IdleSearch::default(),
            tenants_present: 0,
            figures,
            awaited: Vec::new(),
            ledgers: Ledgers::default(),
            deliveries: Deliveries::default(),
            woken: Vec::new(),
        }
    }

    /// Takes a connection in; `link` is the driver's own name for it. `None` if its tenant or its
    /// credential has gone meanwhile: the connection is to be closed.
    pub fn admit(&mut self, now: Timestamp, admitted: Admitted, link: u64) -> Option<SessionId> {
        if admitted
            .credential
            .is_some_and(|credential| !self.directory.is_live(credential))
        {
            self.count_never_begun(admitted.tenant);
            return None;
        }
        let Some(slot) = self.tenant_slot(admitted.tenant) else {
            self.count_never_begun(admitted.tenant);
            return None;
        };
        let tenant = &mut self.tenants[slot as usize];
        self.tenants_present += usize::from(tenant.sessions == 0);
        tenant.sessions += 1;
        let figures = tenant.figures.of_loop(self.config.loop_index);
        figures.connections.add(1);
        figures.connections_total.add(1);
        let session = Session::new(now, link, slot, admitted);
        let key = self.sessions.insert(session);
        let id = SessionId(u32::try_from(key).unwrap_or(u32::MAX));
        self.make_ready(now, id);
        Some(id)
    }

    /// The connections to nodes, where the data is not here.
    pub fn remote(&mut self) -> Option<&mut Remote> {
        self.backend.remote()
    }

    /// A slice of the backend's background work; true if more waits.
    pub fn maintain(&mut self, now: Timestamp) -> bool {
        let more = self.backend.maintain(now);
        if !more {
            self.queue.give_back();
        }
        more
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

    /// Whether a session stands in the queue for a turn: what moves next is ours to do.
    pub fn is_queued(&self, id: SessionId) -> bool {
        self.sessions
            .get(id.0 as usize)
            .is_some_and(|session| session.queued)
    }

    /// Whether a session's client was ever answered anything.
    pub fn was_answered(&self, id: SessionId) -> bool {
        self.sessions
            .get(id.0 as usize)
            .is_some_and(|session| session.was_answered)
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
            self.count_inflight(id);
        }
    }

    /// Keeps the rest of a turn's output, of which the connection took `written` bytes.
    pub fn keep_unsent(&mut self, id: SessionId, written: usize, rest: &[u8]) {
        if let Some(session) = self.sessions.get_mut(id.0 as usize) {
            session.unsent.append(rest);
            self.count_written(id, written);
            if !rest.is_empty() {
                self.count_inflight(id);
            }
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
        let figures = tenant.figures.of_loop(self.config.loop_index);
        figures.connections.subtract(1);
        figures.ended.add(1);
        figures
            .connections_unused
            .add(u64::from(!session.has_asked));
        match session.transfer.as_deref() {
            Some(Transfer::Upload {
                room: Ok(reservation),
                ..
            }) => self.backend.abort(&tenant.data, *reservation),
            Some(Transfer::Download { pin, .. }) => self.backend.unpin(&tenant.data, *pin),
            _ => {}
        }
        if let Some(ledger) = self.ledgers.of(session.ledger) {
            for pin in ledger.held() {
                self.backend.unpin(&tenant.data, pin);
            }
        }
        if let Some(id) = session.ledger {
            self.ledgers.end(id);
        }
        if session.inflight_bytes > 0 {
            self.change_inflight(session.tenant, session.inflight_bytes, 0);
        }
        self.forget_if_removed(session.tenant);
    }

    /// Takes over a newer directory. The connections named by the links returned have lost their
    /// credential or their tenant and are to be closed.
    pub fn apply(&mut self, directory: Arc<Directory>) -> Vec<u64> {
        let before = std::mem::replace(&mut self.directory, directory);
        let pace_config = self.pace_config();
        let mut limited_anew = Vec::new();
        for (slot, tenant) in &mut self.tenants {
            let Some(entry) = self.directory.tenant(tenant.id) else {
                continue;
            };
            tenant.limits.item_size_max = entry.item_size_max;
            if before.tenant(tenant.id).map(|entry| entry.traffic) != Some(entry.traffic) {
                tenant.pace.apply(&entry.traffic, pace_config);
                self.queue.set_weight(tenant.flow, entry.traffic.weight);
                // Whoever has to wait by the new limits is found out in its turn.
                tenant.pace.held_until = None;
                self.queue.release(tenant.flow);
                limited_anew.push(u32::try_from(slot).unwrap_or(u32::MAX));
            }
        }
        for slot in limited_anew {
            self.end_inflight_pause(slot);
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
            if self.shared_flow.is_none() {
                self.queue.remove_flow(tenant.flow);
            }
        }
    }

    fn tenant_slot(&mut self, id: TenantId) -> Option<u32> {
        let entry = self.directory.tenant(id)?;
        if let Some(slot) = self.tenant_slots.get(&id) {
            return Some(*slot);
        }
        let data = self.backend.open(id)?;
        let flow = match (self.config.protections, self.shared_flow) {
            (true, _) => self.queue.add_flow(),
            (false, flow) => *self
                .shared_flow
                .insert(flow.unwrap_or_else(|| self.queue.add_flow())),
        };
        if self.config.protections {
            self.queue.set_weight(flow, entry.traffic.weight);
        }
        let tenant = Tenant {
            id,
            data,
            limits: Limits {
                item_size_max: entry.item_size_max,
            },
            figures: self.figures.tenant(id),
            pace: Pace::new(&entry.traffic, self.pace_config()),
            flow,
            connections: ConnectionList::default(),
            sessions: 0,
            turn_ns: FIRST_TURN_NS,
            open_turns: 0,
            charged_ns: 0,
            answered: Vec::new(),
        };
        let slot = u32::try_from(self.tenants.insert(tenant)).unwrap_or(u32::MAX);
        self.tenant_slots.insert(id, slot);
        Some(slot)
    }

    fn pace_config(&self) -> PaceConfig {
        PaceConfig {
            loops: self.config.server.threads,
            turn_requests_max: self.config.turn_requests_max,
            turn_output_len_max: self.config.turn_output_len_max,
            inflight_bytes_max: self.config.inflight_bytes_max,
        }
    }

    /// The door has counted a connection of a tenant that there still is.
    fn count_never_begun(&self, id: TenantId) {
        if self.directory.tenant(id).is_some() {
            let figures = self.figures.tenant(id);
            figures.of_loop(self.config.loop_index).ended.add(1);
        }
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
