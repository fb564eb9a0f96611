//! A data plane for tests: remembers what it was asked, and fails when told to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::kv::Stats;
use base::{TenantId, Timestamp};
use gateway::ConnectionFigures;
use gateway::directory::Directory;
use runtime::state::State;

use crate::control::{CanaryLogin, Control, Sizes};
use crate::observe::reading::FleetReading;
use crate::plane::{DataPlane, PlaneError, Totals};

pub(crate) const MIB: u64 = 1 << 20;

/// What a tenant's cache was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FakeCache {
    pub(crate) quota_bytes: u64,
    pub(crate) item_size_max: u32,
    pub(crate) flushes: u32,
}

/// Holds what it was told instead of data; checks that memory is never sold twice.
#[derive(Default)]
pub(crate) struct FakePlane {
    pub(crate) caches: Mutex<BTreeMap<u32, FakeCache>>,
    pub(crate) directory: Mutex<Directory>,
    pub(crate) refuse: AtomicBool,
    /// The so-manieth change from now fails, once; the first one is 1, and 0 is none.
    pub(crate) fail_at: AtomicU32,
    pub(crate) memory_bytes: u64,
    /// Whether the memory of a removed tenant stays in use.
    pub(crate) is_slow_to_give_back: AtomicBool,
    /// How long ago its loops are to have turned.
    pub(crate) loop_ages: Mutex<Vec<Duration>>,
    /// What it is to say of nodes.
    pub(crate) fleet: Mutex<Option<FleetReading>>,
}

impl FakePlane {
    /// A plane of 64 MiB, and control over it with the state in `dir`.
    pub(crate) fn with_control(dir: &std::path::Path) -> (Arc<Self>, Control) {
        let sizes = Sizes {
            memory_bytes: 64 * MIB,
            item_size_max: 1 << 20,
        };
        let plane = Arc::new(Self {
            memory_bytes: sizes.memory_bytes,
            ..Self::default()
        });
        let servers = vec!["127.0.0.1:11212".to_owned()];
        let state = State::open(dir).unwrap();
        let control = Control::new(
            state,
            Arc::clone(&plane) as Arc<dyn DataPlane>,
            sizes,
            servers,
        );
        control.restore().unwrap();
        (plane, control)
    }

    /// The same with the status page's own tenant, and the room beside the others' that it has.
    pub(crate) fn with_canary(dir: &std::path::Path) -> (Arc<Self>, Control, CanaryLogin) {
        let sizes = Sizes {
            memory_bytes: 64 * MIB,
            item_size_max: 1 << 20,
        };
        let plane = Arc::new(Self {
            memory_bytes: sizes.memory_bytes + MIB,
            ..Self::default()
        });
        let state = State::open(dir).unwrap();
        let servers = vec!["127.0.0.1:11212".to_owned()];
        let shared = Arc::clone(&plane) as Arc<dyn DataPlane>;
        let control = Control::new(state, shared, sizes, servers);
        let login = control.add_canary().unwrap();
        control.restore().unwrap();
        (plane, control, login)
    }

    pub(crate) fn cache(&self, id: u32) -> FakeCache {
        self.caches.lock().unwrap()[&id]
    }

    fn change(&self, id: TenantId, change: impl FnOnce(&mut FakeCache)) -> Result<(), PlaneError> {
        if self.refuse.load(Ordering::Relaxed) {
            return Err(PlaneError("told to fail".into()));
        }
        let steps_left = self.fail_at.load(Ordering::Relaxed);
        self.fail_at
            .store(steps_left.saturating_sub(1), Ordering::Relaxed);
        if steps_left == 1 {
            return Err(PlaneError("told to fail".into()));
        }
        let mut caches = self.caches.lock().unwrap();
        change(caches.get_mut(&id.0).unwrap());
        for held in caches.values() {
            assert!(
                held.quota_bytes >= cache::least_quota_bytes(held.item_size_max),
                "{caches:?}"
            );
        }
        let sum: u64 = caches.values().map(|cache| cache.quota_bytes).sum();
        assert!(sum <= self.memory_bytes, "{caches:?}");
        Ok(())
    }
}

impl DataPlane for FakePlane {
    fn is_running(&self) -> bool {
        true
    }

    fn create_tenant(
        &self,
        id: TenantId,
        quota_bytes: u64,
        item_size_max: u32,
    ) -> Result<(), PlaneError> {
        // Only the making of a cache fails, so that what was done before it must be undone.
        if self.refuse.swap(false, Ordering::Relaxed) {
            return Err(PlaneError("told to fail".into()));
        }
        let cache = FakeCache {
            quota_bytes,
            item_size_max,
            flushes: 0,
        };
        let previous = self.caches.lock().unwrap().insert(id.0, cache);
        assert_eq!(previous, None);
        self.change(id, |_| {})
    }

    fn set_quota(&self, id: TenantId, quota_bytes: u64) -> Result<(), PlaneError> {
        // `default` always follows: it is the tenant's own step that may fail.
        let refuse = self.refuse.load(Ordering::Relaxed);
        if id == runtime::state::DEFAULT_TENANT && refuse {
            self.refuse.store(false, Ordering::Relaxed);
            let done = self.change(id, |cache| cache.quota_bytes = quota_bytes);
            self.refuse.store(true, Ordering::Relaxed);
            return done;
        }
        self.change(id, |cache| cache.quota_bytes = quota_bytes)
    }

    fn set_item_size(&self, id: TenantId, item_size_max: u32) -> Result<(), PlaneError> {
        self.change(id, |cache| cache.item_size_max = item_size_max)
    }

    fn flush(&self, id: TenantId) -> Result<(), PlaneError> {
        self.change(id, |cache| cache.flushes += 1)
    }

    fn remove(&self, id: TenantId) -> bool {
        let directory = self.directory.lock().unwrap();
        assert!(
            directory.tenant(id).is_none(),
            "removed while logins still see it"
        );
        self.caches.lock().unwrap().remove(&id.0).unwrap();
        !self.is_slow_to_give_back.load(Ordering::Relaxed)
    }

    fn publish(&self, directory: Directory) {
        let caches = self.caches.lock().unwrap();
        for tenant in directory.tenants() {
            let known = caches.get(&tenant.id.0);
            assert_eq!(known.map(|c| c.item_size_max), Some(tenant.item_size_max));
        }
        *self.directory.lock().unwrap() = directory;
    }

    fn stats(&self, id: TenantId) -> Option<(Stats, ConnectionFigures)> {
        let caches = self.caches.lock().unwrap();
        let cache = caches.get(&id.0)?;
        let stats = Stats {
            held_bytes: 4096,
            quota_bytes: cache.quota_bytes,
            ..Stats::default()
        };
        Some((stats, ConnectionFigures::default()))
    }

    fn fleet(&self, _now: Timestamp) -> Option<FleetReading> {
        self.fleet.lock().unwrap().clone()
    }

    fn directory(&self) -> Arc<Directory> {
        Arc::new(self.directory.lock().unwrap().clone())
    }

    fn loop_ages(&self) -> Vec<Duration> {
        self.loop_ages.lock().unwrap().clone()
    }

    fn totals(&self) -> Totals {
        Totals {
            connections: 7,
            connections_max: 100,
            ..Totals::default()
        }
    }
}
