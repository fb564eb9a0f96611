//! Introduces the gateway's sessions to the caches in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use base::kv::{Op, Outcome, Pin, Reservation, Sink, Stats, Store};
use base::{TenantId, Timestamp};
use cache::{Config, ConfigError, Prefetch, TenantCache};
use gateway::{Backend, Chunk, Execution};
use runtime::Published;

/// How often it is looked whether a removed cache is still in use.
const REAPER_INTERVAL: Duration = Duration::from_millis(10);
/// Bytes of a cache that one slice of its background work looks at.
const MAINTENANCE_LEN: usize = 64 * 1024;

type ById = HashMap<TenantId, Arc<TenantCache>>;

/// The caches of all tenants of this process.
#[derive(Debug, Default)]
pub(crate) struct Caches {
    by_id: Published<ById>,
    /// Held while the map is changed, so that no change is lost to another.
    changing: Mutex<()>,
}

impl Caches {
    /// Begins an empty cache for a tenant that has none; `hash_key` is random and kept secret, and all
    /// CAS tokens are above `cas_after`, if that is said.
    pub(crate) fn create(
        &self,
        now: Timestamp,
        id: TenantId,
        quota_bytes: u64,
        item_size_max: u32,
        hash_key: [u8; 16],
        cas_after: Option<u64>,
    ) -> Result<(), ConfigError> {
        let config = Config {
            quota_bytes,
            item_size_max,
            hash_key,
            cas_after,
        };
        let cache = Arc::new(TenantCache::new(config, now)?);
        self.change(|caches| {
            caches.insert(id, cache);
        });
        Ok(())
    }

    /// Forgets a tenant's cache. Its memory, which takes long to give back, goes on a thread of its
    /// own once the last session has let go of it, and never on a loop; what is returned closes then.
    pub(crate) fn remove(&self, id: TenantId) -> mpsc::Receiver<()> {
        let removed = self.get(id);
        self.change(|caches| {
            caches.remove(&id);
        });
        let (in_use, is_back) = mpsc::channel();
        let Some(cache) = removed else {
            return is_back;
        };
        let reaper = thread::Builder::new().name("cache-reaper".into());
        let reaped = reaper.spawn(move || {
            while Arc::strong_count(&cache) > 1 {
                thread::park_timeout(REAPER_INTERVAL);
            }
            drop(cache);
            drop(in_use);
        });
        if let Err(error) = reaped {
            tracing::warn!(%error, "a removed cache is given back by whoever lets go of it last");
        }
        is_back
    }

    /// A tenant's cache.
    pub(crate) fn get(&self, id: TenantId) -> Option<Arc<TenantCache>> {
        self.by_id.get().get(&id).cloned()
    }

    fn change(&self, change: impl FnOnce(&mut ById)) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut caches = ById::clone(&self.by_id.get());
        change(&mut caches);
        self.by_id.publish(caches);
    }
}

/// One loop's way to the caches.
#[derive(Debug)]
pub(crate) struct LocalBackend {
    caches: Arc<Caches>,
    /// The caches whose background work is this loop's, and the version that they are of.
    maintained: (u64, Vec<Arc<TenantCache>>),
    next_maintained: usize,
    loop_index: usize,
    loops: usize,
}

impl LocalBackend {
    /// The way of loop `loop_index` of `loops`.
    pub(crate) fn new(caches: Arc<Caches>, loop_index: usize, loops: usize) -> Self {
        Self {
            caches,
            maintained: (u64::MAX, Vec::new()),
            next_maintained: 0,
            loop_index,
            loops,
        }
    }

    fn refresh_maintained(&mut self) {
        let version = self.caches.by_id.version();
        if self.maintained.0 != version {
            let caches = self.caches.by_id.get();
            let mine = caches
                .iter()
                .filter(|(id, _)| id.0 as usize % self.loops == self.loop_index)
                .map(|(_, cache)| Arc::clone(cache))
                .collect();
            self.maintained = (version, mine);
        }
    }
}

impl Backend for LocalBackend {
    type Tenant = Arc<TenantCache>;
    type Prefetch = Prefetch;

    fn open(&self, tenant: TenantId) -> Option<Self::Tenant> {
        self.caches.get(tenant)
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

    fn prefetch(&self, tenant: &Self::Tenant, key: &[u8]) -> Option<Prefetch> {
        Some(tenant.prefetch(key))
    }

    fn prefetch_item(&self, tenant: &Self::Tenant, prefetch: Prefetch) -> Option<Prefetch> {
        tenant.prefetch_item(prefetch)
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
        match tenant.read_pinned(pin, offset, max, out) {
            // A hold that gives nothing any more has ended as well.
            None | Some(0) => Chunk::Lost,
            Some(count) => Chunk::Copied(count),
        }
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

    fn maintain(&mut self, now: Timestamp) -> bool {
        self.refresh_maintained();
        let caches = &self.maintained.1;
        let Some(cache) = caches.get(self.next_maintained) else {
            self.next_maintained = 0;
            return false;
        };
        if !cache.maintain(now, MAINTENANCE_LEN) {
            self.next_maintained += 1;
        }
        true
    }
}
