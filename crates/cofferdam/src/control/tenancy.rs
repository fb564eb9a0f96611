//! Where tenants and credentials are kept: in this process's own state, or in the store of a fleet.
//!
//! Volumes and remarks are this process's own in both.

use std::sync::Arc;

use base::{CredentialId, TenantId, TrafficLimits};
use runtime::state::{
    CredentialRecord, NewCredential, NewTenant, NewVolume, State, TenantRecord, VolumeLimits,
    VolumeRecord,
};

use super::ControlError;
use crate::membership::FleetTenants;

/// Both of them.
pub(super) struct Tenancy {
    state: State,
    fleet: Option<Arc<FleetTenants>>,
}

impl Tenancy {
    pub(super) fn new(state: State) -> Self {
        Self { state, fleet: None }
    }

    /// The fleet, where there is one.
    pub(super) fn fleet(&self) -> Option<&Arc<FleetTenants>> {
        self.fleet.as_ref()
    }

    /// Tenants are in a fleet's store.
    pub(super) fn join(&mut self, fleet: Arc<FleetTenants>) {
        self.fleet = Some(fleet);
    }

    /// Goes on with a state that was taken back.
    pub(super) fn resume_with(&mut self, state: State) {
        self.state = state;
    }

    pub(super) fn tenants(&self) -> Result<Vec<TenantRecord>, ControlError> {
        match &self.fleet {
            Some(fleet) => Ok(fleet.latest().records()),
            None => Ok(self.state.tenants()?),
        }
    }

    pub(super) fn credentials(&self) -> Result<Vec<CredentialRecord>, ControlError> {
        match &self.fleet {
            Some(fleet) => Ok(fleet.latest().credentials()),
            None => Ok(self.state.credentials()?),
        }
    }

    pub(super) fn usernames(&self) -> Result<Vec<String>, ControlError> {
        match &self.fleet {
            Some(fleet) => Ok(fleet.latest().usernames()),
            None => Ok(self.state.usernames()?),
        }
    }

    /// Adds a tenant; in a fleet on so many gateways.
    pub(super) fn add_tenant(
        &self,
        tenant: NewTenant,
        credential: NewCredential,
        gateways: Option<usize>,
    ) -> Result<(TenantRecord, CredentialRecord), ControlError> {
        match &self.fleet {
            Some(fleet) => Ok(fleet.add(&tenant, &credential, gateways)?),
            None if gateways.is_some() => Err(ControlError::NoFleet),
            None => Ok(self.state.add_tenant(tenant, credential)?),
        }
    }

    pub(super) fn set_limits(
        &self,
        id: TenantId,
        quota_bytes: u64,
        item_size_max: u32,
        traffic: TrafficLimits,
    ) -> Result<(), ControlError> {
        match &self.fleet {
            Some(fleet) => Ok(fleet.set_limits(id, quota_bytes, item_size_max, &traffic)?),
            None => {
                let state = &self.state;
                Ok(state.set_limits(id, quota_bytes, item_size_max, traffic)?)
            }
        }
    }

    pub(super) fn traffic_of_default(&self) -> Result<TrafficLimits, ControlError> {
        match &self.fleet {
            Some(fleet) => Ok(fleet.latest().traffic_of_default()),
            None => Ok(self.state.traffic_of_default()?),
        }
    }

    pub(super) fn set_traffic_of_default(&self, limits: TrafficLimits) -> Result<(), ControlError> {
        match &self.fleet {
            Some(fleet) => Ok(fleet.set_traffic_of_default(&limits)?),
            None => Ok(self.state.set_traffic_of_default(limits)?),
        }
    }

    pub(super) fn remove_tenant(&self, id: TenantId) -> Result<(), ControlError> {
        match &self.fleet {
            Some(fleet) => Ok(fleet.remove(id)?),
            None => Ok(self.state.remove_tenant(id)?),
        }
    }

    pub(super) fn add_credential(
        &self,
        tenant: TenantId,
        credential: NewCredential,
    ) -> Result<CredentialRecord, ControlError> {
        match &self.fleet {
            Some(fleet) => Ok(fleet.add_credential(tenant, &credential)?),
            None => Ok(self.state.add_credential(tenant, credential)?),
        }
    }

    pub(super) fn promote(&self, id: CredentialId) -> Result<(), ControlError> {
        match &self.fleet {
            Some(fleet) => Ok(fleet.promote(id)?),
            None => Ok(self.state.promote(id)?),
        }
    }

    pub(super) fn revoke(&self, id: CredentialId) -> Result<(), ControlError> {
        match &self.fleet {
            Some(fleet) => Ok(fleet.revoke(id)?),
            None => Ok(self.state.revoke(id)?),
        }
    }

    pub(super) fn volumes(&self) -> Result<Vec<VolumeRecord>, ControlError> {
        Ok(self.state.volumes()?)
    }

    pub(super) fn add_volume(&self, new: NewVolume) -> Result<VolumeRecord, ControlError> {
        Ok(self.state.add_volume(new)?)
    }

    pub(super) fn remove_volume(&self, id: u64) -> Result<(), ControlError> {
        Ok(self.state.remove_volume(id)?)
    }

    pub(super) fn set_volume_size(&self, id: u64, size_bytes: u64) -> Result<(), ControlError> {
        Ok(self.state.set_volume_size(id, size_bytes)?)
    }

    pub(super) fn set_volume_limits(
        &self,
        id: u64,
        limits: VolumeLimits,
    ) -> Result<(), ControlError> {
        Ok(self.state.set_volume_limits(id, limits)?)
    }

    pub(super) fn set_remark(&self, key: &'static str, value: String) -> Result<(), ControlError> {
        Ok(self.state.set_remark(key, value)?)
    }

    #[cfg(test)]
    pub(super) fn remark(&self, key: &'static str) -> Result<Option<String>, ControlError> {
        Ok(self.state.remark(key)?)
    }

    pub(super) fn backup(&self) -> Result<Vec<u8>, ControlError> {
        Ok(self.state.backup()?)
    }

    pub(super) fn close(&mut self) {
        self.state.close();
    }
}
