//! What logins and sessions must know, made before anything changes so that publishing cannot fail.

use std::sync::Arc;

use base::{TenantId, TrafficLimits};
use gateway::directory::{Credential, Directory, Tenant};
use runtime::state::{CredentialRecord, DEFAULT_TENANT, TenantRecord};

use super::canary::Canary;
use super::{ControlError, Inner, OPEN_TENANT};
use crate::membership::FleetTenants;

/// What is on disk, as it was or as it is about to be.
pub(super) struct Contents {
    /// All tenants but `default`.
    pub(super) tenants: Vec<TenantRecord>,
    /// All credentials in force.
    pub(super) credentials: Vec<CredentialRecord>,
    /// What `default` may take beside memory.
    pub(super) traffic_of_default: TrafficLimits,
    /// The status page's own tenant, which is not on disk.
    pub(super) canary: Option<Canary>,
    /// The fleet, where only some of its tenants are served by this gateway.
    pub(super) fleet: Option<Arc<FleetTenants>>,
}

impl Inner {
    /// What is on disk, less what was ended and could not be saved.
    pub(super) fn contents(&self) -> Result<Contents, ControlError> {
        let mut credentials = self.state.credentials()?;
        credentials.retain(|credential| self.is_in_force(credential));
        Ok(Contents {
            tenants: self.state.tenants()?,
            credentials,
            traffic_of_default: self.state.traffic_of_default()?,
            canary: self.canary.clone(),
            fleet: self.state.fleet().cloned(),
        })
    }
}

impl Contents {
    /// The directory of these, and of `default` with its item size.
    pub(super) fn into_directory(self, default_item_size_max: u32) -> Directory {
        let fleet = self.fleet.as_deref();
        let is_here = |id: TenantId| fleet.is_none_or(|fleet| fleet.is_here(id));
        let share = |id: TenantId, limits| match fleet {
            Some(fleet) => fleet.share(id, limits),
            None => limits,
        };
        let default = Tenant {
            id: DEFAULT_TENANT,
            name: OPEN_TENANT.into(),
            item_size_max: default_item_size_max,
            traffic: share(DEFAULT_TENANT, self.traffic_of_default),
        };
        let sold = self.tenants.into_iter().filter(|t| is_here(t.id));
        let sold = sold.map(|t| Tenant {
            id: t.id,
            name: t.name.into(),
            item_size_max: t.item_size_max,
            traffic: share(t.id, t.traffic),
        });
        let credentials = self.credentials.into_iter();
        let credentials = credentials.filter(|c| is_here(c.tenant)).map(|c| {
            let credential = Credential {
                id: c.id,
                tenant: c.tenant,
                rights: c.rights,
                salt: c.salt,
                password_sha256: c.password_sha256,
            };
            (c.username, credential)
        });
        let (canary, its_own) = self.canary.map(Canary::into_parts).unzip();
        let tenants = std::iter::once(default).chain(sold).chain(canary);
        Directory::new(tenants, credentials.chain(its_own))
    }
}
