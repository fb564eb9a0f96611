//! What a gateway knows of the nodes that have its tenants' data.

mod allot;
mod reading;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use base::fleet::{Epoch, MemberId};
use base::kv::Stats;
use base::{TenantId, Timestamp};
use fleet::memory::Parts;
use fleet::registry::Registry;
use fleet::{Ring, SlotHasher, Weights};
use gateway::directory::Directory;
use gateway::remote::{
    Assurance, DeadlineBounds, FleetView, NodeAddress, RemoteBackend, RemoteBoard, RemoteConfig,
    Report, StatsBoard,
};
use runtime::Published;
use runtime::nodes::PeerTls;

use self::allot::Evictions;
use crate::config::Fleet;
use crate::failure::Failure;
use crate::fleet_parts::addresses;
use crate::judging::JudgingReport;
use crate::membership::{Seat, Sight};
use crate::observe::nodes::PeerView;

/// Nobody else serves as this member.
const ENDED: u64 = u64::MAX;

/// Nodes, ring and tenants as the loops see them.
pub(crate) struct FleetData {
    inner: Mutex<Inner>,
    published: Arc<Published<FleetView>>,
    stats: Arc<StatsBoard>,
    board: Arc<RemoteBoard>,
    name: String,
    instance: u64,
    deadlines: DeadlineBounds,
    tls: Option<PeerTls>,
    /// What the process that handed over to this one knows of the ring: the version and one, 0 as long
    /// as it has not said, [`ENDED`] once it serves nobody.
    predecessor: AtomicU64,
    /// What is known of judging; none before it has begun.
    judging: Published<Option<Arc<JudgingReport>>>,
    /// What this gateway sees of each node, beside its peers.
    beside: Published<BTreeMap<MemberId, PeerView>>,
    /// Has the loops look at what was published, once they run.
    waker: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

struct Inner {
    view: FleetView,
    held: BTreeMap<TenantId, Holdings>,
    /// Whose busy keys gateways keep.
    hot: BTreeMap<TenantId, HotKeys>,
    /// Parts that differ from the nodes' parts of the ring.
    parts: Parts,
    evictions: Evictions,
    /// Of the store, where there is one; else it grows with every change.
    revision: u64,
    has_store: bool,
    /// What each tenant may hold where is to be worked out anew.
    is_stale: bool,
    of_store: Option<OfStore>,
}

/// What was last known of the store.
#[derive(Clone, Debug, Default)]
struct OfStore {
    away: Option<(Timestamp, String)>,
    asked_at: Option<Timestamp>,
    waits_since: Option<Timestamp>,
    registry: Option<Arc<Registry>>,
}

/// What a tenant is to hold over all nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holdings {
    pub(crate) quota_bytes: u64,
    pub(crate) item_size_max: u32,
}

/// How the busy keys of a tenant are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HotKeys {
    /// How old an answer may be.
    pub(crate) age_max: Duration,
    /// Over how many gateways its clients are spread.
    pub(crate) gateways: usize,
}

impl FleetData {
    /// From a configuration that lists the nodes: the ring follows from it, and never changes.
    pub(crate) fn of_config(
        config: &Fleet,
        tls: Option<PeerTls>,
        loops: usize,
    ) -> Result<Self, Failure> {
        if config.nodes.is_empty() {
            return Err(Failure::new(
                "neither store.endpoints nor fleet.nodes is set: name the fleet's store, or list \
                 the cache nodes, each with member, name and addr",
            ));
        }
        let nodes = config.nodes.iter().map(|node| NodeAddress {
            member: MemberId(node.member),
            name: node.name.clone(),
            addr: node.addr.0,
        });
        let weights: Weights = (config.nodes.iter())
            .map(|node| (MemberId(node.member), node.weight))
            .collect();
        let view = FleetView {
            hasher: SlotHasher::new(config.secret().unwrap_or_default()),
            ring: Arc::new(first_ring(&weights)),
            assurance: Assurance::FOR_EVER,
            nodes: Arc::new(nodes.collect()),
            ..nothing_known()
        };
        Self::new(config, tls, loops, view, false)
    }

    /// Of a fleet whose store tells everything.
    pub(crate) fn of_store(
        config: &Fleet,
        tls: Option<PeerTls>,
        loops: usize,
    ) -> Result<Self, Failure> {
        Self::new(config, tls, loops, nothing_known(), true)
    }

    fn new(
        config: &Fleet,
        tls: Option<PeerTls>,
        loops: usize,
        view: FleetView,
        has_store: bool,
    ) -> Result<Self, Failure> {
        Ok(Self {
            published: Arc::new(Published::new(view.clone())),
            inner: Mutex::new(Inner {
                view,
                held: BTreeMap::new(),
                hot: BTreeMap::new(),
                parts: Parts::default(),
                evictions: Evictions::default(),
                revision: 0,
                has_store,
                is_stale: true,
                of_store: None,
            }),
            stats: Arc::default(),
            board: Arc::new(RemoteBoard::new(loops)),
            name: config.name.clone(),
            instance: runtime::secrets::number()?,
            deadlines: DeadlineBounds {
                min: config.deadline_min.0,
                max: config.deadline_max.0,
            },
            tls,
            predecessor: AtomicU64::new(ENDED),
            judging: Published::default(),
            beside: Published::default(),
            waker: OnceLock::new(),
        })
    }

    /// Another process serves as this member, too: nothing is known here that it does not know.
    pub(crate) fn expect_predecessor(&self) {
        self.predecessor.store(0, Ordering::Release);
    }

    /// It goes by this version of the ring; by none any more, once it serves nobody.
    pub(crate) fn note_predecessor(&self, known: Option<Epoch>) {
        let known = known.map_or(ENDED, |version| version.0 + 1);
        self.predecessor.store(known, Ordering::Release);
    }

    /// What the loops look at.
    pub(crate) fn published(&self) -> Arc<Published<FleetView>> {
        Arc::clone(&self.published)
    }

    /// What connections to nodes show.
    pub(crate) fn tls(&self) -> Option<PeerTls> {
        self.tls.clone()
    }

    /// What to call when something was published; once.
    pub(crate) fn wake_with(&self, waker: impl Fn() + Send + Sync + 'static) {
        // The loops are started once.
        let _ = self.waker.set(Box::new(waker));
    }

    /// Where the loops tell how requests fare.
    pub(crate) fn board(&self) -> &StatsBoard {
        &self.stats
    }

    /// The nodes.
    pub(crate) fn nodes(&self) -> Arc<Vec<NodeAddress>> {
        Arc::clone(&self.inner().view.nodes)
    }

    /// The ring that requests go by.
    pub(crate) fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.inner().view.ring)
    }

    /// What is known of judging from now on.
    pub(crate) fn show_judging(&self, report: JudgingReport) {
        self.judging.publish(Some(Arc::new(report)));
    }

    /// One loop's way to the nodes.
    pub(crate) fn backend(&self, loop_index: usize) -> RemoteBackend {
        RemoteBackend::new(RemoteConfig {
            name: self.name.clone(),
            instance: self.instance,
            loop_index: u32::try_from(loop_index).unwrap_or(u32::MAX),
            deadlines: self.deadlines,
            stats: Arc::clone(&self.stats),
            board: Arc::clone(&self.board),
        })
    }

    /// A tenant's figures over all nodes, about a second old.
    pub(crate) fn stats(&self, tenant: TenantId) -> Stats {
        self.stats.sum(tenant)
    }

    /// What a tenant may hold from now on.
    pub(crate) fn set(&self, tenant: TenantId, holdings: Holdings) {
        self.change(|inner| {
            let before = inner.held.insert(tenant, holdings);
            inner.is_stale |= before != Some(holdings);
        });
    }

    /// What a tenant may hold.
    pub(crate) fn held(&self, tenant: TenantId) -> Option<Holdings> {
        self.inner().held.get(&tenant).copied()
    }

    /// Whose busy keys gateways keep from now on.
    pub(crate) fn set_hot_keys(&self, hot: BTreeMap<TenantId, HotKeys>) {
        self.change(|inner| {
            inner.is_stale |= inner.hot != hot;
            inner.hot = hot;
        });
    }

    /// How memory is divided over the nodes from now on, where the ring does not say it.
    pub(crate) fn set_parts(&self, parts: &Parts) {
        self.change(|inner| {
            if inner.parts != *parts {
                inner.parts = parts.clone();
                inner.is_stale = true;
            }
        });
    }

    /// Where there is no store, the tenants in force say it, all of which are this gateway's alone.
    pub(crate) fn note_directory(&self, directory: &Directory) {
        if self.inner().has_store {
            return;
        }
        let hot = directory.tenants().filter_map(|tenant| {
            let hot = HotKeys {
                age_max: tenant.traffic.hot_keys?,
                gateways: 1,
            };
            Some((tenant.id, hot))
        });
        self.set_hot_keys(hot.collect());
    }

    /// The store has got this far by a change of this process's own.
    pub(crate) fn note_revision(&self, revision: u64) {
        let mut inner = self.inner();
        inner.revision = inner.revision.max(revision);
    }

    /// Empties a tenant on all nodes.
    pub(crate) fn flush(&self, tenant: TenantId) {
        self.change(|inner| {
            *Arc::make_mut(&mut inner.view.flushes)
                .entry(tenant)
                .or_default() += 1;
        });
    }

    /// How often each tenant was emptied, as all gateways know; whoever's number has grown is emptied.
    pub(crate) fn set_flushes(&self, counts: HashMap<TenantId, u64>) {
        self.change(|inner| {
            if *inner.view.flushes != counts {
                inner.view.flushes = Arc::new(counts);
            }
        });
    }

    /// Has the nodes give a tenant's memory back.
    pub(crate) fn remove(&self, tenant: TenantId) {
        self.change(|inner| {
            inner.held.remove(&tenant);
            inner.is_stale = true;
            if inner.view.flushes.contains_key(&tenant) {
                Arc::make_mut(&mut inner.view.flushes).remove(&tenant);
            }
        });
        self.stats.forget(tenant);
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.inner();
        change(&mut inner);
        if std::mem::take(&mut inner.is_stale) {
            inner.allot();
        }
        self.published.publish(inner.view.clone());
        drop(inner);
        if let Some(wake) = self.waker.get() {
            wake();
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing is left half changed: what panics has not begun to change anything.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat for FleetData {
    fn show(&self, sight: &Sight) {
        self.change(|inner| {
            inner.revision = inner.revision.max(sight.snapshot.revision.0);
            inner.view.assurance = sight.assurance;
            inner.of_store = Some(OfStore {
                away: sight.trouble.clone(),
                asked_at: sight.asked_at,
                waits_since: sight.waits_since,
                registry: Some(Arc::clone(&sight.registry)),
            });
            inner.is_stale |= !Arc::ptr_eq(&inner.view.ring, &sight.ring);
            inner.view.ring = Arc::clone(&sight.ring);
            if let Some(secret) = sight.registry.secret {
                inner.view.hasher = SlotHasher::new(secret);
            }
            let nodes = addresses(&sight.registry);
            if *inner.view.nodes != nodes {
                inner.view.nodes = Arc::new(nodes);
            }
        });
    }

    fn announced(&self) -> Option<Epoch> {
        let own = self.board.announced();
        match self.predecessor.load(Ordering::Acquire) {
            ENDED => own,
            known => own.min(known.checked_sub(1).map(Epoch)),
        }
    }

    fn divide(&self, before: &Parts, now: Timestamp) -> Option<Parts> {
        Some(self.inner().divide(before, &self.stats, now))
    }

    fn reports(&self) -> Vec<Report> {
        self.board.reports()
    }
}

fn nothing_known() -> FleetView {
    FleetView {
        hasher: SlotHasher::new([0; 16]),
        ring: Arc::new(Ring::empty()),
        assurance: Assurance::NONE,
        nodes: Arc::default(),
        tenants: Arc::default(),
        flushes: Arc::default(),
    }
}

/// The ring that a fleet with these weights begins with: the same wherever it is worked out.
fn first_ring(weights: &Weights) -> Ring {
    let empty = Ring::empty();
    let proposed = empty.propose(weights).ok().flatten();
    let ring = proposed.and_then(|ring| ring.commit().ok());
    ring.unwrap_or(empty)
}

#[cfg(test)]
#[path = "fleet_data_test.rs"]
mod tests;
