//! The caches of one node, as its backend and its landlord.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use base::kv::{Op, Outcome, Pin, Reservation, Sink, Stats, Store};
use base::{TenantId, Timestamp};
use cache::{Config, TenantCache};
use gateway::{Backend, Chunk, Execution};
use node::Landlord;
use node_proto::TenantTerms;

#[derive(Clone, Debug, Default)]
pub(crate) struct Caches(Rc<RefCell<HashMap<TenantId, Rc<TenantCache>>>>);

impl Landlord for Caches {
    fn provide(&self, now: Timestamp, terms: &TenantTerms) {
        let config = Config {
            quota_bytes: terms.quota_bytes,
            item_size_max: terms.item_size_max,
            hash_key: [7; 16],
            cas_after: None,
        };
        let mut all = self.0.borrow_mut();
        let new = || Rc::new(TenantCache::new(config, now).unwrap());
        all.entry(terms.tenant).or_insert_with(new);
    }

    fn forget(&self, tenant: TenantId) {
        self.0.borrow_mut().remove(&tenant);
    }
}

impl Backend for Caches {
    type Tenant = Rc<TenantCache>;
    type Prefetch = ();

    fn open(&self, tenant: TenantId) -> Option<Self::Tenant> {
        self.0.borrow().get(&tenant).cloned()
    }

    fn execute<S: Sink>(
        &self,
        tenant: &Self::Tenant,
        now: Timestamp,
        op: &Op<'_>,
        sink: &mut S,
    ) -> Execution {
        Execution::Done(tenant.execute(now, op, sink))
    }

    fn prefetch(&self, _: &Self::Tenant, _: &[u8]) -> Option<()> {
        None
    }

    fn prefetch_item(&self, _: &Self::Tenant, (): ()) -> Option<()> {
        None
    }

    fn reserve(
        &self,
        tenant: &Self::Tenant,
        now: Timestamp,
        store: &Store<'_>,
        len: u32,
    ) -> Result<Reservation, Outcome> {
        tenant.reserve(now, store, len)
    }

    fn fill(&self, tenant: &Self::Tenant, reservation: Reservation, bytes: &[u8]) -> bool {
        tenant.fill(reservation, bytes)
    }

    fn commit(&self, tenant: &Self::Tenant, now: Timestamp, reservation: Reservation) -> Execution {
        Execution::Done(tenant.commit(now, reservation))
    }

    fn abort(&self, tenant: &Self::Tenant, reservation: Reservation) {
        tenant.abort(reservation);
    }

    fn read_pinned(
        &self,
        tenant: &Self::Tenant,
        pin: Pin,
        offset: u32,
        max: usize,
        out: &mut Vec<u8>,
    ) -> Chunk {
        let copied = tenant.read_pinned(pin, offset, max, out);
        copied.map_or(Chunk::Lost, Chunk::Copied)
    }

    fn unpin(&self, tenant: &Self::Tenant, pin: Pin) {
        tenant.unpin(pin);
    }

    fn flush(&self, tenant: &Self::Tenant, now: Timestamp, at: Timestamp) {
        tenant.flush(now, at);
    }

    fn stats(&self, tenant: &Self::Tenant) -> Stats {
        tenant.stats()
    }

    fn reset_stats(&self, tenant: &Self::Tenant) {
        tenant.reset_stats();
    }

    fn maintain(&mut self, _: Timestamp) -> bool {
        false
    }
}
