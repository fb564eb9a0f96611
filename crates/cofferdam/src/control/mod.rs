//! The one place where tenants, credentials and limits are changed.
//!
//! A change is checked, made durable in the state, carried out by the data plane, and published to
//! logins and sessions, in this order; only then is it answered. What is revoked or removed is
//! published before the data plane drops it. Changes come one at a time.

mod canary;
mod credentials;
mod directory;
mod error;
mod fleet;
mod herald;
mod limit;
mod names;
mod offline;
mod remarks;
mod removal;
mod resize;
mod sale;
mod stat;
mod tenancy;
mod traffic;
mod volume_changes;
mod volumes;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use base::{CredentialId, TenantId};
use runtime::state::{CredentialRecord, DEFAULT_TENANT, NewTenant, State, TenantRecord};

pub(crate) use canary::{CANARY, CanaryLogin};
pub(crate) use error::ControlError;
pub(crate) use names::OPEN_TENANT;
pub(crate) use offline::NoPlane;
pub(crate) use remarks::last_in_force;
pub(crate) use sale::Sizes;
pub(crate) use volumes::{NbdPlaces, VolumePlane};

use crate::plane::DataPlane;
use crate::wire::{CredentialView, Grant, TenantRequest, TenantView, TrafficView};
use herald::Herald;
use resize::{Limits, Resize};
use tenancy::Tenancy;

/// Changes tenants and tells about them.
pub(crate) struct Control {
    plane: Arc<dyn DataPlane>,
    /// Held while memory moves from one tenant to another, for as long as that takes; before `inner`.
    resizing: Mutex<()>,
    inner: Mutex<Inner>,
    /// Who serves volumes, where somebody does.
    volumes: OnceLock<VolumePlane>,
    /// Who tells people of what a change has cost, where somebody does.
    herald: OnceLock<Herald>,
}

struct Inner {
    state: Tenancy,
    sizes: Sizes,
    /// Where tenants' clients connect.
    servers: Vec<String>,
    /// The status page's own tenant, where one is wanted.
    canary: Option<canary::Canary>,
    /// Of a fleet: the tenants that the data plane has.
    brought: HashSet<TenantId>,
    /// Credentials whose end could not be saved: the state has them, nobody is let in with them.
    cut_off: HashSet<CredentialId>,
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
            resizing: Mutex::default(),
            inner: Mutex::new(Inner {
                state: Tenancy::new(state),
                sizes,
                servers,
                canary: None,
                brought: HashSet::new(),
                cut_off: HashSet::new(),
            }),
            volumes: OnceLock::new(),
            herald: OnceLock::new(),
        }
    }

    /// Says who serves volumes; once, before anybody asks for any.
    pub(crate) fn serve_volumes(&self, plane: VolumePlane) {
        // Nobody says so twice.
        let _ = self.volumes.set(plane);
    }

    /// Gives the data plane all tenants and the directory, before it begins to serve.
    ///
    /// One row that is out of bounds does not keep all others down: it is raised to the least that
    /// a cache takes, in the state too, and the log names the tenant.
    pub(crate) fn restore(&self) -> Result<(), ControlError> {
        let inner = self.inner();
        if inner.state.is_fleet() {
            self.create_canary(&inner)?;
            drop(inner);
            return self.refresh();
        }
        inner.mend_limits()?;
        let contents = inner.contents()?;
        let left = inner.sizes.left_for_default(&contents.tenants)?;
        let item_size_max = inner.sizes.item_size_max;
        self.plane
            .create_tenant(DEFAULT_TENANT, left, item_size_max)
            .map_err(|error| ControlError::NotRestored(OPEN_TENANT.to_owned(), error))?;
        for tenant in &contents.tenants {
            self.plane
                .create_tenant(tenant.id, tenant.quota_bytes, tenant.item_size_max)
                .map_err(|error| ControlError::NotRestored(tenant.name.clone(), error))?;
        }
        self.create_canary(&inner)?;
        // What is remembered serves commands while no daemon runs; a full disk stops nobody's service.
        told_if_failed(
            inner.remember(),
            "serving the state as it is; changes cannot be saved",
        );
        self.plane.publish(contents.into_directory(item_size_max));
        Ok(())
    }

    /// Puts a new configuration in force, all of it or nothing: the sizes of `default` and of what
    /// there is to sell, and where tenants are told to connect.
    pub(crate) fn configure(
        &self,
        mut sizes: Sizes,
        servers: Vec<String>,
    ) -> Result<(), ControlError> {
        let _resizing = self.resizing();
        let mut inner = self.inner();
        if inner.state.is_fleet() {
            sizes.memory_bytes = inner.sizes.memory_bytes;
        }
        let contents = inner.contents()?;
        let change = Resize {
            id: DEFAULT_TENANT,
            from: inner.sizes.of_default(&contents.tenants)?,
            to: sizes.of_default(&contents.tenants)?,
        };
        let directory = contents.into_directory(sizes.item_size_max);
        let before = (inner.sizes, std::mem::replace(&mut inner.servers, servers));
        inner.sizes = sizes;
        let done = inner
            .remember()
            .and_then(|()| Ok(resize::apply(&*self.plane, &[change])?));
        match done {
            Ok(cuts) => self.tell(cuts),
            Err(error) => {
                (inner.sizes, inner.servers) = before;
                told_if_failed(inner.remember(), "the sizes in force are not kept");
                return Err(error);
            }
        }
        self.plane.publish(directory);
        Ok(())
    }

    /// Adds a tenant with one credential that has every right.
    pub(crate) fn add(&self, request: &TenantRequest) -> Result<Grant, ControlError> {
        names::check(&request.name)?;
        self.catch_up();
        let _resizing = self.resizing();
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
        let mut contents = inner.contents()?;
        let (tenant, credential) = inner.state.add_tenant(new, credential, request.gateways)?;
        contents.tenants.push(tenant.clone());
        contents.credentials.push(credential.clone());
        let default = inner.sizes.of_default(&tenants)?;
        if let Err(error) = self.create(&tenant, default, left) {
            // Without its cache the tenant is not there; say so rather than keep half of it.
            inner.state.remove_tenant(tenant.id)?;
            return Err(error);
        }
        self.plane
            .publish(contents.into_directory(inner.sizes.item_size_max));
        tracing::info!(
            tenant = tenant.name,
            memory_bytes = tenant.quota_bytes,
            "tenant added"
        );
        Ok(inner.grant(&tenant, credential.username, secret))
    }

    /// Makes room, then the cache that fills it.
    fn create(
        &self,
        tenant: &TenantRecord,
        default: Limits,
        left_for_default: u64,
    ) -> Result<(), ControlError> {
        let change = Resize {
            id: DEFAULT_TENANT,
            from: default,
            to: Limits {
                quota_bytes: left_for_default,
                ..default
            },
        };
        let cuts = resize::apply(&*self.plane, &[change])?;
        let created = self
            .plane
            .create_tenant(tenant.id, tenant.quota_bytes, tenant.item_size_max);
        match created {
            Ok(()) => self.tell(cuts),
            Err(_) => self.plane.set_quota(DEFAULT_TENANT, default.quota_bytes)?,
        }
        Ok(created?)
    }

    /// All tenants, `default` first, then by name.
    pub(crate) fn list(&self) -> Result<Vec<TenantView>, ControlError> {
        self.catch_up();
        let inner = self.inner();
        let tenants = inner.state.tenants()?;
        let credentials = inner.state.credentials()?;
        let default = inner.default_record(&tenants)?;
        let all = std::iter::once(&default).chain(&tenants);
        Ok(all
            .map(|tenant| {
                let is_own = |c: &&CredentialRecord| c.tenant == tenant.id && inner.is_in_force(c);
                let own = credentials.iter().filter(is_own);
                let fleet = inner.state.fleet();
                let gateways = fleet.map(|fleet| fleet.gateway_names(tenant.id));
                let own = own.map(CredentialView::from).collect();
                self.view(tenant, own, gateways.unwrap_or_default())
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

    /// Where tenants' clients are told to connect.
    pub(crate) fn servers(&self) -> Vec<String> {
        self.inner().servers.clone()
    }

    /// Empties a tenant's cache.
    pub(crate) fn flush(&self, name: &str) -> Result<(), ControlError> {
        if !self.plane.is_running() {
            return Err(ControlError::NotRunning);
        }
        self.catch_up();
        let inner = self.inner();
        let id = match name {
            OPEN_TENANT => DEFAULT_TENANT,
            _ => sold(&inner.state.tenants()?, name)?.id,
        };
        match inner.state.fleet() {
            Some(fleet) => fleet.flush(id)?,
            None => self.plane.flush(id)?,
        }
        tracing::info!(tenant = name, "tenant flushed");
        Ok(())
    }

    /// Closes the state for another process to take; until [`Control::resume_with`] every question
    /// and change fails. Tells which credentials it was asked to end and could not: whoever takes the
    /// state is to be told of them.
    pub(crate) fn release_state(&self) -> Vec<CredentialId> {
        let mut inner = self.inner();
        inner.save_ends();
        inner.state.close();
        inner.cut_off.iter().copied().collect()
    }

    /// Ends credentials here that whoever has the state now has ended there.
    pub(crate) fn end(&self, ended: &[CredentialId]) {
        let _one_at_a_time = self.inner();
        self.plane.publish(self.plane.directory().without(ended));
    }

    /// Goes on with the state that was taken back.
    pub(crate) fn resume_with(&self, state: State) {
        self.inner().state.resume_with(state);
    }

    /// The whole state as the bytes of a file that `state restore` takes.
    pub(crate) fn backup(&self) -> Result<Vec<u8>, ControlError> {
        self.inner().state.backup()
    }

    fn view(
        &self,
        tenant: &TenantRecord,
        credentials: Vec<CredentialView>,
        gateways: Vec<String>,
    ) -> TenantView {
        let stats = self.plane.stats(tenant.id);
        TenantView {
            tenant: tenant.name.clone(),
            memory_bytes: tenant.quota_bytes,
            item_size_bytes: tenant.item_size_max,
            traffic: TrafficView::from(&tenant.traffic),
            created_unix_s: (tenant.id != DEFAULT_TENANT).then_some(tenant.created_unix_s),
            used_bytes: stats.as_ref().map(|(cache, _)| cache.held_bytes),
            items: stats.as_ref().map(|(cache, _)| cache.curr_items),
            connections: stats.as_ref().map(|(_, clients)| clients.connections),
            gateways,
            credentials,
        }
    }

    fn resizing(&self) -> MutexGuard<'_, ()> {
        self.resizing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // The state on disk is the truth; nothing here is left half changed by a panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The open tenant, which has what is not sold.
    fn default_record(&self, tenants: &[TenantRecord]) -> Result<TenantRecord, ControlError> {
        Ok(TenantRecord {
            id: DEFAULT_TENANT,
            name: OPEN_TENANT.to_owned(),
            quota_bytes: self.sizes.left_for_default(tenants)?,
            item_size_max: self.sizes.item_size_max,
            traffic: self.state.traffic_of_default()?,
            created_unix_s: 0,
        })
    }

    fn grant(&self, tenant: &TenantRecord, username: String, password: String) -> Grant {
        let fleet = self.state.fleet();
        let own = fleet.map(|fleet| fleet.servers(tenant.id));
        Grant {
            tenant: tenant.name.clone(),
            servers: own
                .filter(|own| !own.is_empty())
                .unwrap_or_else(|| self.servers.clone()),
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

/// For what can no longer be answered with a failure.
fn told_if_failed<E: std::fmt::Display>(done: Result<(), E>, what: &str) {
    if let Err(error) = done {
        tracing::error!(%error, "{what}");
    }
}

#[cfg(test)]
#[path = "limits_test.rs"]
mod limits_test;
#[cfg(test)]
#[path = "control_test.rs"]
mod tests;
