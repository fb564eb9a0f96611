//! What a gateway knows of the nodes that have its tenants' data.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base::TenantId;
use base::fleet::MemberId;
use base::kv::Stats;
use cache::least_quota_bytes;
use fleet::{Ring, SlotHasher, Weights};
use gateway::remote::{
    Assurance, DeadlineBounds, FleetView, NodeAddress, RemoteBackend, RemoteConfig, StatsBoard,
};
use runtime::Published;
use runtime::nodes::PeerTls;

use crate::config::Fleet;
use crate::failure::Failure;

/// Nodes, ring and tenants as the loops see them.
#[derive(Debug)]
pub(crate) struct FleetData {
    view: Mutex<FleetView>,
    published: Arc<Published<FleetView>>,
    stats: Arc<StatsBoard>,
    name: String,
    instance: u64,
    deadlines: DeadlineBounds,
    tls: Option<PeerTls>,
}

/// What a tenant is to hold over all nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holdings {
    pub(crate) quota_bytes: u64,
    pub(crate) item_size_max: u32,
}

impl FleetData {
    /// From a configuration that lists the nodes: the ring follows from it, and never changes.
    pub(crate) fn of_config(config: &Fleet, tls: Option<PeerTls>) -> Result<Self, Failure> {
        if config.nodes.is_empty() {
            return Err(Failure::new(
                "fleet.nodes is empty: list the cache nodes, each with member, name and addr",
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
            nodes: nodes.collect(),
            tenants: Vec::new(),
            flushes: HashMap::new(),
        };
        Ok(Self {
            published: Arc::new(Published::new(view.clone())),
            view: Mutex::new(view),
            stats: Arc::default(),
            name: config.name.clone(),
            instance: runtime::secrets::number()?,
            deadlines: DeadlineBounds {
                min: config.deadline_min.0,
                max: config.deadline_max.0,
            },
            tls,
        })
    }

    /// What the loops look at.
    pub(crate) fn published(&self) -> Arc<Published<FleetView>> {
        Arc::clone(&self.published)
    }

    /// What connections to nodes show.
    pub(crate) fn tls(&self) -> Option<PeerTls> {
        self.tls.clone()
    }

    /// One loop's way to the nodes.
    pub(crate) fn backend(&self, loop_index: usize) -> RemoteBackend {
        RemoteBackend::new(RemoteConfig {
            name: self.name.clone(),
            instance: self.instance,
            loop_index: u32::try_from(loop_index).unwrap_or(u32::MAX),
            deadlines: self.deadlines,
            stats: Arc::clone(&self.stats),
        })
    }

    /// A tenant's figures over all nodes, about a second old.
    pub(crate) fn stats(&self, tenant: TenantId) -> Stats {
        self.stats.sum(tenant)
    }

    /// What a tenant may hold from now on.
    pub(crate) fn set(&self, tenant: TenantId, holdings: Holdings) {
        self.change(|view| {
            let nodes = view.nodes.len().max(1) as u64;
            let least = least_quota_bytes(holdings.item_size_max);
            let before = view.tenants.iter().find(|terms| terms.tenant == tenant);
            let version = before.map_or(1, |terms| terms.version + 1);
            view.tenants.retain(|terms| terms.tenant != tenant);
            view.tenants.push(node_proto::TenantTerms {
                tenant,
                quota_bytes: (holdings.quota_bytes / nodes).max(least),
                item_size_max: holdings.item_size_max,
                version,
            });
        });
    }

    /// Empties a tenant on all nodes.
    pub(crate) fn flush(&self, tenant: TenantId) {
        self.change(|view| *view.flushes.entry(tenant).or_default() += 1);
    }

    /// Has the nodes give a tenant's memory back.
    pub(crate) fn remove(&self, tenant: TenantId) {
        self.change(|view| {
            view.tenants.retain(|terms| terms.tenant != tenant);
            view.flushes.remove(&tenant);
        });
        self.stats.forget(tenant);
    }

    fn change(&self, change: impl FnOnce(&mut FleetView)) {
        let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut view);
        self.published.publish(view.clone());
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
