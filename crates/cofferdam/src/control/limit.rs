//! Changes of what one tenant may hold and take.

use runtime::state::{DEFAULT_TENANT, TenantRecord};

use super::directory::Contents;
use super::resize::{self, Limits, Resize};
use super::{Control, ControlError, Inner, OPEN_TENANT, sale, sold, traffic};
use crate::wire::{LimitChange, TenantView};

impl Control {
    /// Changes a tenant's memory, item size and traffic, or some of them: all that is asked for, or
    /// nothing.
    pub(crate) fn limit(
        &self,
        name: &str,
        change: &LimitChange,
    ) -> Result<TenantView, ControlError> {
        self.check_hot_keys(name, change)?;
        self.catch_up();
        let resizing = self.resizing();
        let inner = self.inner();
        let contents = inner.contents()?;
        match name {
            OPEN_TENANT => self.limit_default(&inner, contents, change)?,
            _ => self.limit_sold(&inner, contents, name, change)?,
        }
        drop(inner);
        drop(resizing);
        self.show(name)
    }

    /// Where the data is in the same process, there is no way to it that could be saved.
    fn check_hot_keys(&self, tenant: &str, change: &LimitChange) -> Result<(), ControlError> {
        let is_asked = change.traffic.hot_keys_ms.flatten().is_some();
        if is_asked && self.plane.is_running() && !self.plane.has_nodes() {
            return Err(ControlError::Invalid(format!(
                "hot_keys_ms of tenant {tenant:?} cannot be set: it is for gateways of a fleet, and here \
                 the data is in this process, which answers as fast for every key; leave --hot-keys out"
            )));
        }
        Ok(())
    }

    /// The memory of `default` is what others leave, so only its traffic can be limited.
    fn limit_default(
        &self,
        inner: &Inner,
        mut contents: Contents,
        change: &LimitChange,
    ) -> Result<(), ControlError> {
        if change.memory_bytes.is_some() || change.item_size_bytes.is_some() {
            return Err(ControlError::OpenTenant);
        }
        let before = contents.traffic_of_default;
        let limits = traffic::changed(OPEN_TENANT, before, &change.traffic)?;
        contents.traffic_of_default = limits;
        let directory = contents.into_directory(inner.sizes.item_size_max);
        inner.state.set_traffic_of_default(limits)?;
        self.plane.publish(directory);
        let limits = traffic::in_words(&limits);
        tracing::info!(tenant = OPEN_TENANT, limits, "tenant limited");
        Ok(())
    }

    fn limit_sold(
        &self,
        inner: &Inner,
        mut contents: Contents,
        name: &str,
        change: &LimitChange,
    ) -> Result<(), ControlError> {
        let tenant = sold(&contents.tenants, name)?.clone();
        let quota = change.memory_bytes.unwrap_or(tenant.quota_bytes);
        let item_size = sale::item_size(change.item_size_bytes, tenant.item_size_max)?;
        let traffic = traffic::changed(name, tenant.traffic, &change.traffic)?;
        sale::check_quota(name, quota, item_size)?;
        let left = inner
            .sizes
            .left_after_sale(&contents.tenants, Some(tenant.id), name, quota)?;
        let changes = inner.resizes(&contents.tenants, &tenant, quota, item_size, left)?;
        for record in contents.tenants.iter_mut().filter(|t| t.id == tenant.id) {
            record.item_size_max = item_size;
            record.traffic = traffic;
        }
        let directory = contents.into_directory(inner.sizes.item_size_max);
        let state = &inner.state;
        state.set_limits(tenant.id, quota, item_size, traffic)?;
        match resize::apply(&*self.plane, &changes) {
            Ok(cuts) => self.tell(cuts),
            Err(error) => {
                let (quota, item_size) = (tenant.quota_bytes, tenant.item_size_max);
                state.set_limits(tenant.id, quota, item_size, tenant.traffic)?;
                return Err(error.into());
            }
        }
        self.plane.publish(directory);
        tracing::info!(
            tenant = name,
            memory_bytes = quota,
            item_size_bytes = item_size,
            limits = traffic::in_words(&traffic),
            "tenant limited"
        );
        Ok(())
    }
}

impl Inner {
    /// Raises limits that no cache would take to the least that one does, and says so.
    pub(super) fn mend_limits(&self) -> Result<(), ControlError> {
        for tenant in self.state.tenants()? {
            let Limits {
                quota_bytes,
                item_size_max,
            } = sale::mended(&tenant);
            if (quota_bytes, item_size_max) == (tenant.quota_bytes, tenant.item_size_max) {
                continue;
            }
            tracing::error!(
                tenant = tenant.name,
                memory_bytes = tenant.quota_bytes,
                item_size_bytes = tenant.item_size_max,
                new_memory_bytes = quota_bytes,
                new_item_size_bytes = item_size_max,
                "the limits in the state are out of bounds and were changed to the nearest ones"
            );
            self.state
                .set_limits(tenant.id, quota_bytes, item_size_max, tenant.traffic)?;
        }
        Ok(())
    }

    /// What a change of one tenant's limits is for it and for `default`.
    fn resizes(
        &self,
        tenants: &[TenantRecord],
        tenant: &TenantRecord,
        quota_bytes: u64,
        item_size_max: u32,
        left_for_default: u64,
    ) -> Result<[Resize; 2], ControlError> {
        let default = self.sizes.of_default(tenants)?;
        let own = Resize {
            id: tenant.id,
            from: Limits {
                quota_bytes: tenant.quota_bytes,
                item_size_max: tenant.item_size_max,
            },
            to: Limits {
                quota_bytes,
                item_size_max,
            },
        };
        let rest = Resize {
            id: DEFAULT_TENANT,
            from: default,
            to: Limits {
                quota_bytes: left_for_default,
                ..default
            },
        };
        Ok([own, rest])
    }
}

#[cfg(test)]
#[path = "limit_test.rs"]
mod tests;
