//! The tenant that the status page probes with: in this process alone, in nobody's list, of no
//! memory that is sold.

use std::sync::Arc;

use base::{CredentialId, Rights, TenantId, TrafficLimits};
use cache::least_quota_bytes;
use gateway::directory::{Credential, Tenant};
use runtime::secrets;

use super::{Control, ControlError, Inner};

/// Its number. Those of the state begin with 1.
pub(crate) const CANARY: TenantId = TenantId(0);
/// Its name and that of its user: no tenant can be called so.
const NAME: &str = "status.canary";
const ITEM_SIZE_MAX: u32 = 1024;
/// Plenty for some probes a second, and for nothing else.
const OPS_PER_SECOND: u64 = 200;
const CONNECTIONS: u32 = 64;

/// What a prober logs in with.
#[derive(Clone, Debug)]
pub(crate) struct CanaryLogin {
    pub(crate) username: String,
    pub(crate) password: String,
}

/// The canary as the directory has it.
#[derive(Clone, Debug)]
pub(super) struct Canary {
    tenant: Tenant,
    credential: Credential,
}

impl Control {
    /// Adds a canary, to be there from [`Control::restore`] on, with a password of its own that is
    /// kept nowhere.
    pub(crate) fn add_canary(&self) -> Result<CanaryLogin, ControlError> {
        let password = secrets::password()?;
        let salt = secrets::salt()?;
        let canary = Canary {
            tenant: Tenant {
                id: CANARY,
                name: Arc::from(NAME),
                item_size_max: ITEM_SIZE_MAX,
                traffic: TrafficLimits {
                    ops_per_second: Some(OPS_PER_SECOND),
                    connections: Some(CONNECTIONS),
                    ..TrafficLimits::default()
                },
            },
            credential: Credential {
                id: CredentialId(0),
                tenant: CANARY,
                rights: Rights::ALL,
                salt,
                password_sha256: Credential::hash_password(&salt, password.as_bytes()),
            },
        };
        self.inner().canary = Some(canary);
        Ok(CanaryLogin {
            username: NAME.to_owned(),
            password,
        })
    }

    /// Makes its cache, if there is one: the least that there can be, beside what is sold.
    pub(super) fn create_canary(&self, inner: &Inner) -> Result<(), ControlError> {
        if inner.canary.is_none() {
            return Ok(());
        }
        let quota_bytes = least_quota_bytes(ITEM_SIZE_MAX);
        let created = self.plane.create_tenant(CANARY, quota_bytes, ITEM_SIZE_MAX);
        created.map_err(|error| ControlError::NotRestored(NAME.to_owned(), error))
    }
}

impl Canary {
    pub(super) fn into_parts(self) -> (Tenant, (String, Credential)) {
        (self.tenant, (NAME.to_owned(), self.credential))
    }
}

#[cfg(test)]
#[path = "canary_test.rs"]
mod tests;
