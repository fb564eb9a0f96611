//! The data plane where no daemon runs: nobody is served, so every change is in force at once.

use base::TenantId;
use base::kv::Stats;
use gateway::ConnectionFigures;
use gateway::directory::Directory;

use crate::plane::{DataPlane, PlaneError, Totals};

/// Holds nothing and refuses nothing.
pub(crate) struct NoPlane;

impl DataPlane for NoPlane {
    fn is_running(&self) -> bool {
        false
    }

    fn create_tenant(&self, _: TenantId, _: u64, _: u32) -> Result<(), PlaneError> {
        Ok(())
    }

    fn set_quota(&self, _: TenantId, _: u64) -> Result<(), PlaneError> {
        Ok(())
    }

    fn set_item_size(&self, _: TenantId, _: u32) -> Result<(), PlaneError> {
        Ok(())
    }

    fn flush(&self, _: TenantId) -> Result<(), PlaneError> {
        Ok(())
    }

    fn remove(&self, _: TenantId) -> bool {
        true
    }

    fn publish(&self, _: Directory) {}

    fn stats(&self, _: TenantId) -> Option<(Stats, ConnectionFigures)> {
        None
    }

    fn totals(&self) -> Totals {
        Totals::default()
    }
}
