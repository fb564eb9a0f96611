//! The one place where tenants, credentials and limits are changed.
//!
//! A change is checked, made durable in the state, carried out by the data plane, and published to
//! logins and sessions, in this order; only then is it answered. What is revoked or removed is
//! published before the data plane drops it. Changes come one at a time.

mod credentials;
mod error;
mod names;
mod offline;
mod remarks;
mod sale;
mod stat;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway::directory::{Credential, Directory, Tenant};
use runtime::state::{DEFAULT_TENANT, NewTenant, State, TenantRecord};

pub(crate) use error::ControlError;
pub(crate) use names::OPEN_TENANT;
pub(crate) use offline::NoPlane;
pub(crate) use remarks::last_in_force;
pub(crate) use sale::Sizes;

use crate::api::types::{CredentialView, Grant, LimitChange, TenantRequest, TenantView};
use crate::plane::DataPlane;

/// Changes tenants and tells about them.
pub(crate) struct Control {
    plane: Arc<dyn DataPlane>,
    inner: Mutex<Inner>,
}

struct Inner {
    state: State,
    sizes: Sizes,
    /// Where tenants' clients connect.
    servers: Vec<String>,
}

impl Control {
    /// Over a data plane that holds no tenant yet.
    pub(crate) fn new(
        state: State,
        plane: Arc<dyn DataPlane>,
        sizes: Sizes,
        servers: Vec<String>,
    ) -> Self {
        Self {
            plane,
            inner: Mutex::new(Inner {
                state,
                sizes,
                servers,
            }),
        }
    }

    /// Gives the data plane all tenants and the directory, before it begins to serve.
    pub(crate) fn restore(&self) -> Result<(), ControlError> {
        let inner = self.inner();
        let tenants = inner.state.tenants()?;
        let left = inner.sizes.left_for_default(&tenants)?;
        self.plane
            .create_tenant(DEFAULT_TENANT, left, inner.sizes.item_size_max)?;
        for tenant in &tenants {
            self.plane
                .create_tenant(tenant.id, tenant.quota_bytes, tenant.item_size_max)?;
        }
        inner.remember()?;
        self.publish(&inner)
    }

    /// Puts a new configuration in force: the sizes of `default` and of what there is to sell, and
    /// where tenants are told to connect.
    pub(crate) fn configure(&self, sizes: Sizes, servers: Vec<String>) -> Result<(), ControlError> {
        let mut inner = self.inner();
        let left = sizes.left_for_default(&inner.state.tenants()?)?;
        // The quota must be at least twice the item size at every moment.
        if sizes.item_size_max <= inner.sizes.item_size_max {
            self.plane
                .set_item_size(DEFAULT_TENANT, sizes.item_size_max)?;
            self.plane.set_quota(DEFAULT_TENANT, left)?;
        } else {
            self.plane.set_quota(DEFAULT_TENANT, left)?;
            self.plane
                .set_item_size(DEFAULT_TENANT, sizes.item_size_max)?;
        }
        inner.sizes = sizes;
        inner.servers = servers;
        inner.remember()?;
        self.publish(&inner)
    }

    /// Adds a tenant with one credential that has every right.
    pub(crate) fn add(&self, request: &TenantRequest) -> Result<Grant, ControlError> {
        names::check(&request.name)?;
        let inner = self.inner();
        let tenants = inner.state.tenants()?;
        if tenants.iter().any(|t| t.name == request.name) {
            return Err(ControlError::Taken(request.name.clone()));
        }
        let new = NewTenant {
            name: request.name.clone(),
            quota_bytes: request.memory_bytes,
            item_size_max: sale::item_size(request.item_size_bytes, inner.sizes.item_size_max)?,
        };
        sale::check_quota(&new.name, new.quota_bytes, new.item_size_max)?;
        let left = inner
            .sizes
            .left_after_sale(&tenants, None, &new.name, new.quota_bytes)?;
        let (secret, credential) = inner.new_credential(&new.name, base::Rights::ALL, true)?;
        let (tenant, credential) = inner.state.add_tenant(new, credential)?;
        if let Err(error) = self.create(&tenant, left) {
            // Without its cache the tenant is not there; say so rather than keep half of it.
            inner.state.remove_tenant(tenant.id)?;
            return Err(error);
        }
        self.publish(&inner)?;
        tracing::info!(
            tenant = tenant.name,
            memory_bytes = tenant.quota_bytes,
            "tenant added"
        );
        Ok(inner.grant(&tenant.name, credential.username, secret))
    }

    /// Makes room, then the cache that fills it.
    fn create(&self, tenant: &TenantRecord, left_for_default: u64) -> Result<(), ControlError> {
        self.plane.set_quota(DEFAULT_TENANT, left_for_default)?;
        let created = self
            .plane
            .create_tenant(tenant.id, tenant.quota_bytes, tenant.item_size_max);
        if created.is_err() {
            let before = left_for_default.saturating_add(tenant.quota_bytes);
            self.plane.set_quota(DEFAULT_TENANT, before)?;
        }
        Ok(created?)
    }

    /// All tenants, `default` first, then by name.
    pub(crate) fn list(&self) -> Result<Vec<TenantView>, ControlError> {
        let inner = self.inner();
        let tenants = inner.state.tenants()?;
        let credentials = inner.state.credentials()?;
        let default = inner.default_record(&tenants)?;
        let all = std::iter::once(&default).chain(&tenants);
        Ok(all
            .map(|tenant| {
                let own = credentials.iter().filter(|c| c.tenant == tenant.id);
                self.view(tenant, own.map(CredentialView::from).collect())
            })
            .collect())
    }

    /// One tenant.
    pub(crate) fn show(&self, name: &str) -> Result<TenantView, ControlError> {
        let found = self
            .list()?
            .into_iter()
            .find(|tenant| tenant.tenant == name);
        found.ok_or_else(|| ControlError::NoTenant(name.to_owned()))
    }

    /// Changes a tenant's memory, item size, or both.
    pub(crate) fn limit(
        &self,
        name: &str,
        change: &LimitChange,
    ) -> Result<TenantView, ControlError> {
        let inner = self.inner();
        let tenants = inner.state.tenants()?;
        let tenant = sold(&tenants, name)?;
        let quota = change.memory_bytes.unwrap_or(tenant.quota_bytes);
        let item_size = sale::item_size(change.item_size_bytes, tenant.item_size_max)?;
        sale::check_quota(name, quota, item_size)?;
        let left = inner
            .sizes
            .left_after_sale(&tenants, Some(tenant.id), name, quota)?;
        inner.state.set_limits(tenant.id, quota, item_size)?;
        if let Err(error) = self.resize(tenant, quota, item_size, left) {
            let left = inner.sizes.left_for_default(&tenants)?;
            self.plane.set_quota(DEFAULT_TENANT, left)?;
            inner
                .state
                .set_limits(tenant.id, tenant.quota_bytes, tenant.item_size_max)?;
            return Err(error);
        }
        self.publish(&inner)?;
        tracing::info!(
            tenant = name,
            memory_bytes = quota,
            item_size_bytes = item_size,
            "tenant limited"
        );
        drop(inner);
        self.show(name)
    }

    /// Takes before it gives, so that the sum never exceeds the memory; and keeps every quota at
    /// least twice the item size on the way.
    fn resize(
        &self,
        tenant: &TenantRecord,
        quota: u64,
        item_size: u32,
        left_for_default: u64,
    ) -> Result<(), ControlError> {
        if item_size < tenant.item_size_max {
            self.plane.set_item_size(tenant.id, item_size)?;
        }
        if quota >= tenant.quota_bytes {
            self.plane.set_quota(DEFAULT_TENANT, left_for_default)?;
            self.plane.set_quota(tenant.id, quota)?;
        } else {
            self.plane.set_quota(tenant.id, quota)?;
            self.plane.set_quota(DEFAULT_TENANT, left_for_default)?;
        }
        if item_size > tenant.item_size_max {
            self.plane.set_item_size(tenant.id, item_size)?;
        }
        Ok(())
    }

    /// Empties a tenant's cache.
    pub(crate) fn flush(&self, name: &str) -> Result<(), ControlError> {
        if !self.plane.is_running() {
            return Err(ControlError::NotRunning);
        }
        let inner = self.inner();
        let id = match name {
            OPEN_TENANT => DEFAULT_TENANT,
            _ => sold(&inner.state.tenants()?, name)?.id,
        };
        self.plane.flush(id)?;
        tracing::info!(tenant = name, "tenant flushed");
        Ok(())
    }

    /// Removes a tenant: its credentials, its connections, its data.
    pub(crate) fn remove(&self, name: &str) -> Result<(), ControlError> {
        let inner = self.inner();
        let id = sold(&inner.state.tenants()?, name)?.id;
        inner.state.remove_tenant(id)?;
        self.publish(&inner)?;
        self.plane.remove(id);
        let left = inner.sizes.left_for_default(&inner.state.tenants()?)?;
        self.plane.set_quota(DEFAULT_TENANT, left)?;
        tracing::info!(tenant = name, "tenant removed");
        Ok(())
    }

    /// The whole state as the bytes of a file that `state restore` takes.
    pub(crate) fn backup(&self) -> Result<Vec<u8>, ControlError> {
        Ok(self.inner().state.backup()?)
    }

    fn view(&self, tenant: &TenantRecord, credentials: Vec<CredentialView>) -> TenantView {
        let stats = self.plane.stats(tenant.id);
        TenantView {
            tenant: tenant.name.clone(),
            memory_bytes: tenant.quota_bytes,
            item_size_bytes: tenant.item_size_max,
            created_unix_s: (tenant.id != DEFAULT_TENANT).then_some(tenant.created_unix_s),
            used_bytes: stats.as_ref().map(|(cache, _)| cache.held_bytes),
            items: stats.as_ref().map(|(cache, _)| cache.curr_items),
            connections: stats.as_ref().map(|(_, clients)| clients.connections),
            credentials,
        }
    }

    fn publish(&self, inner: &Inner) -> Result<(), ControlError> {
        self.plane.publish(inner.directory()?);
        Ok(())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // The state on disk is the truth; nothing here is left half changed by a panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// What logins and sessions must know, from what is on disk.
    fn directory(&self) -> Result<Directory, ControlError> {
        let tenants = self.state.tenants()?;
        let default = self.default_record(&tenants)?;
        let tenants = std::iter::once(default).chain(tenants).map(|t| Tenant {
            id: t.id,
            name: t.name.into(),
            item_size_max: t.item_size_max,
        });
        let credentials = self.state.credentials()?.into_iter().map(|c| {
            let credential = Credential {
                id: c.id,
                tenant: c.tenant,
                rights: c.rights,
                salt: c.salt,
                password_sha256: c.password_sha256,
            };
            (c.username, credential)
        });
        Ok(Directory::new(tenants, credentials))
    }

    /// The open tenant, which has what is not sold.
    fn default_record(&self, tenants: &[TenantRecord]) -> Result<TenantRecord, ControlError> {
        Ok(TenantRecord {
            id: DEFAULT_TENANT,
            name: OPEN_TENANT.to_owned(),
            quota_bytes: self.sizes.left_for_default(tenants)?,
            item_size_max: self.sizes.item_size_max,
            created_unix_s: 0,
        })
    }

    fn grant(&self, tenant: &str, username: String, password: String) -> Grant {
        Grant {
            tenant: tenant.to_owned(),
            servers: self.servers.clone(),
            username,
            password,
        }
    }
}

/// A tenant that was sold; `default` is not one.
fn sold<'a>(tenants: &'a [TenantRecord], name: &str) -> Result<&'a TenantRecord, ControlError> {
    if name == OPEN_TENANT {
        return Err(ControlError::OpenTenant);
    }
    tenants
        .iter()
        .find(|tenant| tenant.name == name)
        .ok_or_else(|| ControlError::NoTenant(name.to_owned()))
}

#[cfg(test)]
#[path = "control_test.rs"]
mod tests;
