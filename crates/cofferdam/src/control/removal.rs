//! Tenants that go: out of the state and the directory first, and then their data.

use base::TenantId;
use runtime::state::DEFAULT_TENANT;

use super::{Control, ControlError, sold, told_if_failed};
use crate::plane::PlaneError;

impl Control {
    /// Removes a tenant: its credentials, its connections, its data. Its memory is back when this
    /// returns, and only then does `default` have it.
    pub(crate) fn remove(&self, name: &str) -> Result<(), ControlError> {
        let _resizing = self.resizing();
        let (id, left) = self.take_out(name)?;
        // Sessions let go of it within a second; whoever only asks need not wait for that.
        let is_back = self.plane.remove(id);
        let given = match is_back {
            true => self.plane.set_quota(DEFAULT_TENANT, left),
            false => Err(PlaneError("the tenant's memory is still in use".into())),
        };
        // The tenant is gone all the same; what it had comes to `default` with the next change.
        told_if_failed(given, "\"default\" did not take the memory back");
        tracing::info!(tenant = name, "tenant removed");
        Ok(())
    }

    /// Takes a tenant out of the state and the directory; tells what that leaves to `default`.
    fn take_out(&self, name: &str) -> Result<(TenantId, u64), ControlError> {
        self.catch_up();
        let inner = self.inner();
        let mut contents = inner.contents()?;
        let id = sold(&contents.tenants, name)?.id;
        let volumes = inner.state.volumes()?;
        let count = volumes.iter().filter(|volume| volume.tenant == id).count();
        if count > 0 {
            let tenant = name.to_owned();
            return Err(ControlError::HasVolumes { tenant, count });
        }
        contents.tenants.retain(|tenant| tenant.id != id);
        contents.credentials.retain(|c| c.tenant != id);
        let left = inner.sizes.left_for_default(&contents.tenants)?;
        let directory = contents.into_directory(inner.sizes.item_size_max);
        inner.state.remove_tenant(id)?;
        self.plane.publish(directory);
        Ok((id, left))
    }
}
