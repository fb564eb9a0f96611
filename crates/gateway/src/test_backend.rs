//! A backend for tests: a map per tenant, with large values by reservation and pin.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use base::kv::{
    Expiry, INLINE_VALUE_LEN_MAX, Item, Op, Outcome, Pin, Recache, Reservation, Sink, Stats, Store,
    Value,
};
use base::{TenantId, Timestamp};

use crate::{Backend, Chunk, Execution};

/// One tenant's data in a test, open to inspection.
#[derive(Debug, Default)]
pub(crate) struct Data {
    pub(crate) items: HashMap<Vec<u8>, (u32, Vec<u8>)>,
    pub(crate) reservations: HashMap<u64, (Vec<u8>, u32, Vec<u8>)>,
    pub(crate) pins: HashMap<u64, Vec<u8>>,
    pub(crate) flushed_at: Option<Timestamp>,
    tokens: u64,
}

/// Tenants by number; only those put in exist.
#[derive(Clone, Debug, Default)]
pub(crate) struct TestBackend(pub(crate) HashMap<TenantId, Rc<RefCell<Data>>>);

impl TestBackend {
    pub(crate) fn with_tenants(ids: impl IntoIterator<Item = u32>) -> Self {
        Self(
            ids.into_iter()
                .map(|id| (TenantId(id), Rc::default()))
                .collect(),
        )
    }
}

impl Data {
    fn next_token(&mut self) -> u64 {
        self.tokens += 1;
        self.tokens
    }

    fn get<S: Sink>(&mut self, key: &[u8], sink: &mut S) -> Outcome {
        let Some((flags, value)) = self.items.get(key).cloned() else {
            return Outcome::Miss;
        };
        let pin = Pin {
            token: self.next_token(),
            len: value.len() as u32,
        };
        let large = value.len() > INLINE_VALUE_LEN_MAX;
        if large {
            self.pins.insert(pin.token, value.clone());
        }
        sink.item(&Item {
            value: if large {
                Value::Pinned(pin)
            } else {
                Value::Inline(&value)
            },
            flags,
            cas: 1,
            expiry: Expiry::NEVER,
            idle_s: 0,
            fetched: false,
            stale: false,
            recache: Recache::No,
        });
        Outcome::Hit
    }

    fn put(&mut self, key: &[u8], flags: u32, value: Vec<u8>) -> Outcome {
        let value_len = value.len() as u32;
        self.items.insert(key.to_vec(), (flags, value));
        Outcome::Stored { cas: 1, value_len }
    }
}

impl Backend for TestBackend {
    type Tenant = Rc<RefCell<Data>>;
    type Prefetch = ();

    fn open(&self, tenant: TenantId) -> Option<Self::Tenant> {
        self.0.get(&tenant).cloned()
    }

    fn execute<S: Sink>(
        &self,
        tenant: &Self::Tenant,
        _now: Timestamp,
        op: &Op<'_>,
        sink: &mut S,
    ) -> Execution {
        let mut data = tenant.borrow_mut();
        Execution::Done(match op {
            Op::Get(get) => data.get(get.key, sink),
            Op::Store(store) => data.put(store.key, store.flags, store.value.to_vec()),
            Op::Delete(delete) => match data.items.remove(delete.key) {
                Some(_) => Outcome::Deleted,
                None => Outcome::NotFound,
            },
            Op::Arith(_) => Outcome::NonNumeric,
        })
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
        _now: Timestamp,
        store: &Store<'_>,
        _len: u32,
    ) -> Result<Reservation, Outcome> {
        let mut data = tenant.borrow_mut();
        let token = data.next_token();
        data.reservations
            .insert(token, (store.key.to_vec(), store.flags, Vec::new()));
        Ok(Reservation(token))
    }

    fn fill(&self, tenant: &Self::Tenant, reservation: Reservation, bytes: &[u8]) -> bool {
        match tenant.borrow_mut().reservations.get_mut(&reservation.0) {
            Some((_, _, value)) => {
                value.extend_from_slice(bytes);
                true
            }
            None => false,
        }
    }

    fn commit(
        &self,
        tenant: &Self::Tenant,
        _now: Timestamp,
        reservation: Reservation,
    ) -> Execution {
        let mut data = tenant.borrow_mut();
        Execution::Done(match data.reservations.remove(&reservation.0) {
            Some((key, flags, value)) => data.put(&key, flags, value),
            None => Outcome::OutOfMemory,
        })
    }

    fn abort(&self, tenant: &Self::Tenant, reservation: Reservation) {
        tenant.borrow_mut().reservations.remove(&reservation.0);
    }

    fn read_pinned(
        &self,
        tenant: &Self::Tenant,
        pin: Pin,
        offset: u32,
        max: usize,
        out: &mut Vec<u8>,
    ) -> Chunk {
        let data = tenant.borrow();
        let held = data.pins.get(&pin.token);
        let Some(rest) = held.and_then(|value| value.get(offset as usize..)) else {
            return Chunk::Lost;
        };
        let piece = &rest[..max.min(rest.len())];
        out.extend_from_slice(piece);
        Chunk::Copied(piece.len())
    }

    fn unpin(&self, tenant: &Self::Tenant, pin: Pin) {
        tenant.borrow_mut().pins.remove(&pin.token);
    }

    fn flush(&self, tenant: &Self::Tenant, _now: Timestamp, at: Timestamp) {
        let mut data = tenant.borrow_mut();
        data.items.clear();
        data.flushed_at = Some(at);
    }

    fn stats(&self, tenant: &Self::Tenant) -> Stats {
        Stats {
            curr_items: tenant.borrow().items.len() as u64,
            ..Stats::default()
        }
    }

    fn reset_stats(&self, _tenant: &Self::Tenant) {}

    fn maintain(&mut self, _now: Timestamp) -> bool {
        false
    }
}
