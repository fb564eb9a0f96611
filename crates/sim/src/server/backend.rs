//! The real caches as a shard's backend, with a count of what they were asked.

use std::cell::Cell;
use std::rc::Rc;

use base::kv::{Item, Op, Outcome, Pin, Reservation, Sink, Stats, Store, Value};
use base::{TenantId, Timestamp};
use cache::TenantCache;
use gateway::{Backend, Chunk, Execution};

/// Bytes of a cache that one slice of its background work looks at.
const MAINTENANCE_LEN: usize = 64 * 1024;

/// What the caches were asked, by all loops.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Operations on a key.
    pub(super) operations: Cell<u64>,
    /// Rooms and pins taken and not given back.
    pub(super) holds: Cell<i64>,
}

impl Asked {
    fn add_holds(&self, count: i64) {
        self.holds.set(self.holds.get() + count);
    }

    fn add_operations(&self, count: u64) {
        self.operations.set(self.operations.get() + count);
    }
}

/// One loop's way to the caches.
#[derive(Clone, Debug)]
pub(super) struct Caches {
    pub(super) tenants: Vec<(TenantId, Rc<TenantCache>)>,
    pub(super) asked: Rc<Asked>,
    pub(super) next_maintained: usize,
}

impl Backend for Caches {
    type Tenant = Rc<TenantCache>;
    type Prefetch = cache::Prefetch;

    fn open(&self, tenant: TenantId) -> Option<Self::Tenant> {
        let found = self.tenants.iter().find(|(id, _)| *id == tenant)?;
        Some(Rc::clone(&found.1))
    }

    fn execute<S: Sink>(
        &self,
        tenant: &Self::Tenant,
        now: Timestamp,
        op: &Op<'_>,
        sink: &mut S,
    ) -> Execution {
        self.asked.add_operations(1);
        let mut watched = PinCounting {
            sink,
            asked: &self.asked,
        };
        Execution::Done(tenant.execute(now, op, &mut watched))
    }

    fn prefetch(&self, tenant: &Self::Tenant, key: &[u8]) -> Option<cache::Prefetch> {
        Some(tenant.prefetch(key))
    }

    fn prefetch_item(
        &self,
        tenant: &Self::Tenant,
        prefetch: cache::Prefetch,
    ) -> Option<cache::Prefetch> {
        tenant.prefetch_item(prefetch)
    }

    fn reserve(
        &self,
        tenant: &Self::Tenant,
        now: Timestamp,
        store: &Store<'_>,
        len: u32,
    ) -> Result<Reservation, Outcome> {
        let reserved = tenant.reserve(now, store, len);
        self.asked.add_operations(1);
        self.asked.add_holds(i64::from(reserved.is_ok()));
        reserved
    }

    fn fill(&self, tenant: &Self::Tenant, reservation: Reservation, bytes: &[u8]) -> bool {
        let filled = tenant.fill(reservation, bytes);
        // Room that was taken back is not given back again.
        self.asked.add_holds(-i64::from(!filled));
        filled
    }

    fn commit(&self, tenant: &Self::Tenant, now: Timestamp, reservation: Reservation) -> Execution {
        self.asked.add_holds(-1);
        Execution::Done(tenant.commit(now, reservation))
    }

    fn abort(&self, tenant: &Self::Tenant, reservation: Reservation) {
        self.asked.add_holds(-1);
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
        let count = tenant.read_pinned(pin, offset, max, out);
        self.asked.add_holds(-i64::from(count.is_none()));
        count.map_or(Chunk::Lost, Chunk::Copied)
    }

    fn unpin(&self, tenant: &Self::Tenant, pin: Pin) {
        self.asked.add_holds(-1);
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

    fn maintain(&mut self, now: Timestamp) -> bool {
        let Some((_, cache)) = self.tenants.get(self.next_maintained) else {
            self.next_maintained = 0;
            return false;
        };
        if !cache.maintain(now, MAINTENANCE_LEN) {
            self.next_maintained += 1;
        }
        true
    }
}

/// Counts the pins that pass through.
struct PinCounting<'a, S> {
    sink: &'a mut S,
    asked: &'a Asked,
}

impl<S: Sink> Sink for PinCounting<'_, S> {
    fn item(&mut self, item: &Item<'_>) {
        if let Value::Pinned(_) = item.value {
            self.asked.add_holds(1);
        }
        self.sink.item(item);
    }
}
