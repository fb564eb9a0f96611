//! The nodes as a session's backend.

use std::cell::RefCell;
use std::time::Duration;

use base::kv::{Op, Outcome, Pin, Reservation, Sink, Stats, Store};
use base::{TenantId, Timestamp};
use fleet::TenantSlots;
use node_proto::RequestId;

use super::{Remote, RemoteConfig};
use crate::{Backend, Chunk, Execution};

/// One loop's way to the data on nodes.
#[derive(Debug)]
pub struct RemoteBackend {
    remote: RefCell<Remote>,
}

/// A tenant whose data is on nodes.
#[derive(Clone, Copy, Debug)]
pub struct RemoteTenant {
    pub(super) id: TenantId,
    /// Its place among the latencies.
    pub(super) place: u32,
    pub(super) slots: TenantSlots,
}

impl RemoteBackend {
    /// Knows of no node yet.
    pub fn new(config: RemoteConfig) -> Self {
        Self {
            remote: RefCell::new(Remote::new(config)),
        }
    }
}

impl Backend for RemoteBackend {
    type Tenant = RemoteTenant;
    type Prefetch = ();

    const IS_REMOTE: bool = true;

    fn open(&self, tenant: TenantId) -> Option<RemoteTenant> {
        let mut remote = self.remote.borrow_mut();
        Some(RemoteTenant {
            id: tenant,
            place: remote.place_of(tenant),
            slots: remote.hasher.tenant(tenant),
        })
    }

    fn execute<S: Sink>(
        &self,
        tenant: &RemoteTenant,
        now: Timestamp,
        op: &Op<'_>,
        sink: &mut S,
    ) -> Execution {
        let mut remote = self.remote.borrow_mut();
        let ticket = match remote.look_hot(now, tenant, op, sink) {
            Ok(ticket) => ticket,
            Err(outcome) => return Execution::Done(outcome),
        };
        match remote.submit(now, tenant, op, None, ticket) {
            Ok(id) => Execution::Pending(id),
            Err(outcome) => Execution::Done(outcome),
        }
    }

    fn prefetch(&self, _: &RemoteTenant, _: &[u8]) -> Option<()> {
        None
    }

    fn prefetch_item(&self, _: &RemoteTenant, (): ()) -> Option<()> {
        None
    }

    fn reserve(
        &self,
        tenant: &RemoteTenant,
        now: Timestamp,
        store: &Store<'_>,
        len: u32,
    ) -> Result<Reservation, Outcome> {
        let op = Op::Store(store.clone());
        let mut remote = self.remote.borrow_mut();
        let id = remote.submit(now, tenant, &op, Some(len), None)?;
        Ok(Reservation(id.to_bits()))
    }

    fn can_fill(&self, _: &RemoteTenant, reservation: Reservation) -> bool {
        let mut remote = self.remote.borrow_mut();
        remote.can_fill(RequestId::from_bits(reservation.0))
    }

    fn fill(&self, _: &RemoteTenant, reservation: Reservation, bytes: &[u8]) -> bool {
        let mut remote = self.remote.borrow_mut();
        remote.fill(RequestId::from_bits(reservation.0), bytes)
    }

    fn commit(&self, _: &RemoteTenant, now: Timestamp, reservation: Reservation) -> Execution {
        let mut remote = self.remote.borrow_mut();
        remote.commit(now, RequestId::from_bits(reservation.0))
    }

    fn abort(&self, _: &RemoteTenant, reservation: Reservation) {
        let mut remote = self.remote.borrow_mut();
        remote.abort(RequestId::from_bits(reservation.0));
    }

    fn read_pinned(
        &self,
        _: &RemoteTenant,
        pin: Pin,
        _: u32,
        max: usize,
        out: &mut Vec<u8>,
    ) -> Chunk {
        let mut remote = self.remote.borrow_mut();
        remote.read(RequestId::from_bits(pin.token), max, out)
    }

    fn unpin(&self, _: &RemoteTenant, pin: Pin) {
        let mut remote = self.remote.borrow_mut();
        remote.unpin(RequestId::from_bits(pin.token));
    }

    fn flush(&self, tenant: &RemoteTenant, now: Timestamp, at: Timestamp) {
        let delay: Duration = at.since(now);
        self.remote.borrow_mut().flush(now, tenant.id, delay);
    }

    fn stats(&self, tenant: &RemoteTenant) -> Stats {
        self.remote.borrow().config.stats.sum(tenant.id)
    }

    fn reset_stats(&self, tenant: &RemoteTenant) {
        self.remote.borrow_mut().reset_stats(tenant.id);
    }

    fn remote(&mut self) -> Option<&mut Remote> {
        Some(self.remote.get_mut())
    }

    fn is_reachable(&self, _: &RemoteTenant) -> bool {
        self.remote.borrow().is_reachable()
    }

    fn maintain(&mut self, _: Timestamp) -> bool {
        false
    }
}
