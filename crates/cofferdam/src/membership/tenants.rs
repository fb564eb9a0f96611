//! The tenants of a fleet: what every gateway knows of them, and how one changes them for all.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use base::fleet::MemberId;
use base::{TenantId, TrafficLimits};
use fleet::membership::State as Standing;
use fleet::memory::Parts;
use fleet::registry::{Registry, Role};
use fleet::shares::Shares;
use fleet::shuffle::Capacities;
use runtime::Clock;
use runtime::state::{CredentialRecord, DEFAULT_TENANT, TenantRecord};
use runtime::store::{Detail, Revision, Snapshot, Store, StoreError};

use super::shares;
use super::tenant_record::StoredTenant;
use crate::fleet_data::{FleetData, HotKeys};

/// What the keys of tenants begin with.
pub(super) const PREFIX: &str = "tenants/";

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TenantsError {
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another tenant has the name.
    #[error("a tenant {0:?} exists: choose another name, or change it with `tenant limit`")]
    Taken(String),
    /// There is none with this number any more.
    #[error("there is no such tenant or credential any more")]
    Gone,
    /// No gateway is left to go to.
    #[error("{0}")]
    Nowhere(String),
    /// Others were first each time.
    #[error("too many others change tenants at the same time: try again")]
    Busy,
}

/// All tenants, as of one revision of the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tenants {
    pub(super) by_id: BTreeMap<TenantId, StoredTenant>,
    pub(super) gateways: BTreeMap<MemberId, Gateway>,
    memory_bytes: u64,
    /// What each gateway may use of their rates.
    pub(super) shares: Shares,
    /// How their memory is divided over the nodes, where the ring does not say it.
    parts: Parts,
    revision: Revision,
}

#[derive(Clone, Debug)]
pub(super) struct Gateway {
    pub(super) name: String,
    servers: String,
    capacity: u32,
}

/// The same, kept up to date.
pub(crate) struct FleetTenants {
    pub(super) store: Arc<dyn Store>,
    data: Arc<FleetData>,
    pub(super) me: MemberId,
    /// The store is away from this gateway, so that others may be given its shares.
    pub(super) is_cut_off: AtomicBool,
    pub(super) clock: Clock,
    latest: Mutex<Arc<Tenants>>,
}

impl Tenants {
    /// As the store holds them. What makes no sense is left out, and told.
    pub(crate) fn read(snapshot: &Snapshot, registry: &Registry) -> Self {
        let mut by_id = BTreeMap::new();
        for entry in &snapshot.entries {
            let Some(id) = entry.key.strip_prefix(PREFIX) else {
                continue;
            };
            match (id.parse(), serde_json::from_slice(&entry.value)) {
                (Ok(id), Ok(tenant)) => {
                    by_id.insert(TenantId(id), tenant);
                }
                _ => tracing::error!(key = entry.key, "the store holds what is no tenant"),
            }
        }
        let gateways = registry.members.iter();
        let gateways = gateways.filter(|(_, member)| member.role == Role::Gateway);
        let memory = registry.nodes().map(|(_, node)| node.memory_bytes);
        Self {
            by_id,
            gateways: gateways
                .map(|(id, member)| {
                    let serves = member.standing.state() != Standing::Drained;
                    let gateway = Gateway {
                        name: member.name.clone(),
                        servers: member.address.clone(),
                        capacity: if serves { member.weight } else { 0 },
                    };
                    (*id, gateway)
                })
                .collect(),
            memory_bytes: memory.fold(0, u64::saturating_add),
            shares: shares::read(snapshot),
            parts: shares::read_parts(snapshot),
            revision: snapshot.revision,
        }
    }

    /// All that were added.
    pub(crate) fn records(&self) -> Vec<TenantRecord> {
        let added = self.by_id.iter().filter(|(id, _)| **id != DEFAULT_TENANT);
        let mut all: Vec<TenantRecord> = added.map(|(id, tenant)| tenant.record(*id)).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// All credentials in force.
    pub(crate) fn credentials(&self) -> Vec<CredentialRecord> {
        let all = self.by_id.iter();
        all.flat_map(|(id, tenant)| tenant.credentials(*id))
            .collect()
    }

    /// User names in use or revoked.
    pub(crate) fn usernames(&self) -> Vec<String> {
        let names = self.by_id.values().flat_map(|tenant| {
            let own = tenant.credentials.iter().map(|c| c.username.clone());
            own.chain(tenant.revoked.iter().cloned())
        });
        names.collect()
    }

    /// What the open tenant may take.
    pub(crate) fn traffic_of_default(&self) -> TrafficLimits {
        let default = self.by_id.get(&DEFAULT_TENANT);
        default.map_or_else(TrafficLimits::default, |tenant| tenant.traffic.limits())
    }

    /// What all nodes offer together, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    fn flushes(&self) -> HashMap<TenantId, u64> {
        let counts = self.by_id.iter().map(|(id, tenant)| (*id, tenant.flushes));
        counts.collect()
    }

    /// Whose busy keys gateways keep, and how.
    fn hot_keys(&self) -> BTreeMap<TenantId, HotKeys> {
        let all = self.by_id.iter().filter_map(|(id, tenant)| {
            let age_max = tenant.traffic.limits().hot_keys?;
            let gateways = self.spread(*id).len();
            Some((*id, HotKeys { age_max, gateways }))
        });
        all.collect()
    }

    /// The gateways over which its clients are spread: all that serve, if it is on none in particular.
    pub(super) fn spread(&self, id: TenantId) -> Vec<MemberId> {
        match self.gateways_of(id) {
            none if none.is_empty() => {
                let serving = self.gateways.iter().filter(|(_, g)| g.capacity > 0);
                serving.map(|(id, _)| *id).collect()
            }
            some => some,
        }
    }

    pub(super) fn gateways_of(&self, id: TenantId) -> Vec<MemberId> {
        let own = self.by_id.get(&id).map(|tenant| &tenant.gateways);
        let own = own.into_iter().flatten().map(|id| MemberId(*id));
        own.collect()
    }

    pub(super) fn capacities(&self) -> Capacities {
        let gateways = self.gateways.iter();
        gateways
            .map(|(id, gateway)| (*id, gateway.capacity))
            .collect()
    }

    pub(super) fn servers(&self, gateways: &[MemberId]) -> Vec<String> {
        let known = gateways.iter().filter_map(|id| self.gateways.get(id));
        known
            .flat_map(|gateway| gateway.servers.split(',').map(str::to_owned))
            .collect()
    }
}

impl FleetTenants {
    /// As `snapshot` has them, for the gateway `me`.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        data: Arc<FleetData>,
        me: MemberId,
        clock: Clock,
        tenants: Tenants,
    ) -> Self {
        Self {
            store,
            data,
            me,
            is_cut_off: AtomicBool::new(false),
            clock,
            latest: Mutex::new(Arc::new(tenants)),
        }
    }

    /// What is known of them.
    pub(crate) fn latest(&self) -> Arc<Tenants> {
        Arc::clone(&self.latest.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over what the store holds, if that is newer.
    pub(crate) fn learn(&self, tenants: Tenants) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if tenants.revision >= latest.revision {
            self.data.note_revision(tenants.revision.0);
            self.data.set_flushes(tenants.flushes());
            self.data.set_hot_keys(tenants.hot_keys());
            self.data.set_parts(&tenants.parts);
            *latest = Arc::new(tenants);
        }
    }

    /// Asks the store, so that what another gateway has just answered is known here; with the store
    /// away what is known stays.
    pub(crate) fn catch_up(&self) {
        match self.store.range("", Detail::Values) {
            Ok(snapshot) => self.learn(read(&snapshot)),
            Err(error) => tracing::debug!(%error, "tenants are as they were last known"),
        }
    }

    /// Whether clients of a tenant are served by this gateway.
    pub(crate) fn is_here(&self, id: TenantId) -> bool {
        let gateways = self.latest().gateways_of(id);
        gateways.is_empty() || gateways.contains(&self.me)
    }

    /// Where its clients connect.
    pub(crate) fn servers(&self, id: TenantId) -> Vec<String> {
        let latest = self.latest();
        let told = latest.by_id.get(&id).map(StoredTenant::told);
        latest.servers(&told.unwrap_or_default())
    }

    /// The names of its gateways.
    pub(crate) fn gateway_names(&self, id: TenantId) -> Vec<String> {
        let latest = self.latest();
        let gateways = latest.gateways_of(id);
        let known = gateways.iter().filter_map(|id| latest.gateways.get(id));
        known.map(|gateway| gateway.name.clone()).collect()
    }
}

impl StoredTenant {
    /// The gateways that its clients are told.
    pub(super) fn told(&self) -> Vec<MemberId> {
        let told = match self.moving_to.is_empty() {
            true => &self.gateways,
            false => &self.moving_to,
        };
        told.iter().map(|id| MemberId(*id)).collect()
    }
}

/// What a snapshot holds of them.
pub(super) fn read(snapshot: &Snapshot) -> Tenants {
    let entries = snapshot.entries.iter();
    let registry = Registry::read(entries.map(|e| (e.key.as_str(), e.value.as_slice())));
    Tenants::read(snapshot, &registry)
}

#[cfg(test)]
#[path = "tenants_test.rs"]
mod tests;
