//! Where a process's tenants have their data: in its own caches, or on nodes.

use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use base::kv::Stats;
use base::{TenantId, Timestamp};
use runtime::secrets;

use crate::fleet_data::{FleetData, Holdings};
use crate::local_backend::Caches;
use crate::plane::PlaneError;

/// How long the memory of a removed tenant may take to come back: its sessions end within a second,
/// and the kernel takes some milliseconds for each GiB.
const REMOVAL_TIMEOUT: Duration = Duration::from_secs(20);

/// The data of all tenants.
#[derive(Clone)]
pub(crate) enum Data {
    /// In this process.
    Here(Arc<Caches>),
    /// On nodes.
    Nodes(Arc<FleetData>),
}

impl Data {
    pub(crate) fn create(
        &self,
        now: Timestamp,
        id: TenantId,
        quota_bytes: u64,
        item_size_max: u32,
    ) -> Result<(), PlaneError> {
        match self {
            Self::Here(caches) => {
                let hash_key = secrets::salt().map_err(refused)?;
                caches
                    .create(now, id, quota_bytes, item_size_max, hash_key, None)
                    .map_err(refused)
            }
            Self::Nodes(_) => {
                self.change(id, |held| {
                    *held = Holdings {
                        quota_bytes,
                        item_size_max,
                    };
                });
                Ok(())
            }
        }
    }

    pub(crate) fn set_quota(
        &self,
        now: Timestamp,
        id: TenantId,
        quota_bytes: u64,
    ) -> Result<(), PlaneError> {
        match self {
            Self::Here(caches) => {
                let cache = cache_of(caches, id)?;
                cache.set_quota(now, quota_bytes).map_err(refused)
            }
            Self::Nodes(_) => {
                self.change(id, |held| held.quota_bytes = quota_bytes);
                Ok(())
            }
        }
    }

    pub(crate) fn set_item_size(&self, id: TenantId, item_size_max: u32) -> Result<(), PlaneError> {
        match self {
            Self::Here(caches) => {
                let cache = cache_of(caches, id)?;
                cache.set_item_size_max(item_size_max).map_err(refused)
            }
            Self::Nodes(_) => {
                self.change(id, |held| held.item_size_max = item_size_max);
                Ok(())
            }
        }
    }

    pub(crate) fn flush(&self, now: Timestamp, id: TenantId) -> Result<(), PlaneError> {
        match self {
            Self::Here(caches) => cache_of(caches, id)?.flush(now, now),
            Self::Nodes(fleet) => fleet.flush(id),
        }
        Ok(())
    }

    /// Gives a tenant's memory back; false where that takes too long to be waited for.
    pub(crate) fn remove(&self, id: TenantId) -> bool {
        match self {
            Self::Here(caches) => {
                let is_back = caches.remove(id);
                // Without a sender it was dropped at once, or there was none.
                !matches!(
                    is_back.recv_timeout(REMOVAL_TIMEOUT),
                    Err(RecvTimeoutError::Timeout)
                )
            }
            Self::Nodes(fleet) => {
                fleet.remove(id);
                true
            }
        }
    }

    pub(crate) fn stats(&self, id: TenantId) -> Option<Stats> {
        match self {
            Self::Here(caches) => Some(caches.get(id)?.stats()),
            Self::Nodes(fleet) => Some(fleet.stats(id)),
        }
    }

    fn change(&self, id: TenantId, change: impl FnOnce(&mut Holdings)) {
        let Self::Nodes(fleet) = self else {
            return;
        };
        let mut holdings = fleet.held(id).unwrap_or(Holdings {
            quota_bytes: 0,
            item_size_max: 0,
        });
        change(&mut holdings);
        fleet.set(id, holdings);
    }
}

fn cache_of(caches: &Caches, id: TenantId) -> Result<Arc<cache::TenantCache>, PlaneError> {
    caches
        .get(id)
        .ok_or_else(|| PlaneError(format!("{id} has no cache in this process")))
}

fn refused(error: impl std::fmt::Display) -> PlaneError {
    PlaneError(error.to_string())
}
