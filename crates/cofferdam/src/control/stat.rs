//! Live figures of the whole and of each tenant.

use runtime::state::DEFAULT_TENANT;

use super::{Control, ControlError};
use crate::wire::{
    CacheFigures, ClientFigures, ConnectionTotals, DelayFigures, MemoryTotals, Stat, TenantStat,
};

impl Control {
    /// Figures of all tenants, or of one.
    pub(crate) fn stat(&self, only: Option<&str>, uptime_s: u64) -> Result<Stat, ControlError> {
        if !self.plane.is_running() {
            return Err(ControlError::NotRunning);
        }
        let inner = self.inner();
        let tenants = inner.state.tenants()?;
        let default = inner.default_record(&tenants)?;
        let sizes = inner.sizes;
        drop(inner);
        let default_bytes = default.quota_bytes;
        let mut held_bytes = 0u64;
        let mut figures = Vec::new();
        for tenant in std::iter::once(default).chain(tenants) {
            let (cache, clients) = self.plane.stats(tenant.id).unwrap_or_default();
            held_bytes = held_bytes.saturating_add(cache.held_bytes);
            figures.push(TenantStat {
                tenant: tenant.name,
                open: tenant.id == DEFAULT_TENANT,
                memory_bytes: tenant.quota_bytes,
                item_size_bytes: tenant.item_size_max,
                cache: CacheFigures::from(&cache),
                clients: ClientFigures::from(&clients),
                delay: DelayFigures::from(&self.plane.delays(tenant.id)),
            });
        }
        if let Some(name) = only {
            figures.retain(|figures| figures.tenant == name);
            if figures.is_empty() {
                return Err(ControlError::NoTenant(name.to_owned()));
            }
        }
        let totals = self.plane.totals();
        Ok(Stat {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_s,
            memory: MemoryTotals {
                bytes: sizes.memory_bytes,
                sold_bytes: sizes.memory_bytes.saturating_sub(default_bytes),
                default_bytes,
                held_bytes,
            },
            connections: ConnectionTotals {
                open: totals.connections,
                unauthenticated: totals.at_door,
                max: totals.connections_max,
                refused: totals.refused,
            },
            tenants: figures,
        })
    }
}
