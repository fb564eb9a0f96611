//! Tenants of a fleet: what other gateways change comes into force here too.

use std::collections::HashSet;
use std::sync::Arc;

use base::TenantId;
use cache::least_quota_bytes;
use fleet::shares::Each;
use runtime::state::DEFAULT_TENANT;

use super::tenancy::Tenancy;
use super::{Control, ControlError, Inner, sold};
use crate::membership::FleetTenants;
use crate::wire::MoveRequest;

impl Control {
    /// Tenants are in a fleet's store; said once, before [`Control::restore`].
    pub(crate) fn join(&self, fleet: Arc<FleetTenants>) {
        let mut inner = self.inner();
        inner.state.join(fleet);
        inner.take_memory_of_nodes();
    }

    /// Brings into force what the store holds by now, whoever wrote it.
    pub(crate) fn refresh(&self) -> Result<(), ControlError> {
        let _resizing = self.resizing();
        let mut inner = self.inner();
        inner.take_memory_of_nodes();
        let contents = inner.contents()?;
        let present: HashSet<TenantId> = contents.tenants.iter().map(|t| t.id).collect();
        let (left, item_size_max) = (
            inner.left_or_least(&contents.tenants),
            inner.sizes.item_size_max,
        );
        self.plane
            .create_tenant(DEFAULT_TENANT, left, item_size_max)?;
        for tenant in &contents.tenants {
            let (quota_bytes, item_size_max) = (tenant.quota_bytes, tenant.item_size_max);
            let created = self
                .plane
                .create_tenant(tenant.id, quota_bytes, item_size_max);
            if let Err(error) = created {
                tracing::error!(tenant = tenant.name, %error, "a tenant is not brought into force");
            }
        }
        for id in inner.brought.drain().filter(|id| !present.contains(id)) {
            self.plane.remove(id);
        }
        inner.brought = present;
        self.plane.publish(contents.into_directory(item_size_max));
        Ok(())
    }

    /// Requests served to a tenant's clients, bytes read from them and written to them, since the start.
    pub(crate) fn counters(&self, id: TenantId) -> Each<u64> {
        let clients = self.plane.clients(id);
        let served = clients.reads_served.saturating_add(clients.writes_served);
        [served, clients.bytes_read, clients.bytes_written]
    }

    /// Learns what other gateways have changed by now, before a command goes by it.
    pub(super) fn catch_up(&self) {
        let fleet = self.inner().state.fleet().cloned();
        if let Some(fleet) = fleet {
            fleet.catch_up();
        }
    }

    /// Moves a tenant to other gateways, or ends its move; tells where its clients connect.
    pub(crate) fn relocate(
        &self,
        name: &str,
        request: &MoveRequest,
    ) -> Result<Vec<String>, ControlError> {
        self.catch_up();
        let inner = self.inner();
        let id = sold(&inner.state.tenants()?, name)?.id;
        let fleet = inner.state.fleet().ok_or(ControlError::NoFleet)?;
        let servers = fleet.relocate(id, &request.from, request.finish)?;
        tracing::info!(tenant = name, servers = servers.join(","), "tenant moved");
        let contents = inner.contents()?;
        self.plane
            .publish(contents.into_directory(inner.sizes.item_size_max));
        Ok(servers)
    }
}

impl Inner {
    /// What there is to sell is what the nodes offer together.
    fn take_memory_of_nodes(&mut self) {
        let fleet = self.state.fleet();
        if let Some(memory) = fleet.map(|fleet| fleet.latest().memory_bytes())
            && memory > 0
        {
            self.sizes.memory_bytes = memory;
        }
    }

    /// A fleet that has lost nodes may have sold more than it has: who has bought it keeps it.
    fn left_or_least(&self, tenants: &[runtime::state::TenantRecord]) -> u64 {
        let least = least_quota_bytes(self.sizes.item_size_max);
        let left = self.sizes.left_for_default(tenants);
        left.unwrap_or(least)
    }
}

impl Tenancy {
    /// Whether tenants are those of a fleet.
    pub(super) fn is_fleet(&self) -> bool {
        self.fleet().is_some()
    }
}
