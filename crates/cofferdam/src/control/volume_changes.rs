//! Snapshots, clones, going back, and other sizes: carried out by whoever serves volumes, then kept.

use runtime::state::NewVolume;
use runtime::volumes::journal_len_for;

use super::volumes::{SIZE_MAX, SIZE_MIN, canonical, check_size, spec, split, tenant_id};
use super::{Control, ControlError, names};
use crate::api::volume_types::{CloneRequest, ResizeRequest, SnapshotView, VolumeView};

impl Control {
    /// Takes a snapshot of a volume.
    pub(crate) fn snapshot(&self, export: &str, name: &str) -> Result<SnapshotView, ControlError> {
        names::check_volume(name)?;
        let plane = self.volume_plane()?;
        let taken = plane.volumes.snapshot(canonical(export), name)?;
        tracing::info!(volume = export, snapshot = name, "snapshot taken");
        Ok(SnapshotView::from(&taken))
    }

    /// A volume's snapshots, oldest first.
    pub(crate) fn snapshots(&self, export: &str) -> Result<Vec<SnapshotView>, ControlError> {
        let plane = self.volume_plane()?;
        let all = plane.volumes.snapshots(canonical(export))?;
        Ok(all.iter().map(SnapshotView::from).collect())
    }

    /// Deletes a snapshot.
    pub(crate) fn remove_snapshot(&self, export: &str, name: &str) -> Result<(), ControlError> {
        let plane = self.volume_plane()?;
        Ok(plane.volumes.delete_snapshot(canonical(export), name)?)
    }

    /// Makes a volume of a snapshot.
    pub(crate) fn clone_volume(
        &self,
        export: &str,
        request: &CloneRequest,
    ) -> Result<VolumeView, ControlError> {
        let plane = self.volume_plane()?;
        let (tenant, name) = split(&request.name);
        names::check_volume(name)?;
        let size_bytes = plane.volumes.status(canonical(export))?.spec.size_bytes;
        let (record, new) = {
            let inner = self.inner();
            let tenants = inner.state.tenants()?;
            let new = NewVolume {
                tenant: tenant_id(&tenants, tenant)?,
                name: name.to_owned(),
                size_bytes,
                journal_bytes: journal_len_for(size_bytes),
                shared: false,
            };
            let record = inner.state.add_volume(new)?;
            let spec = spec(&record, &tenants);
            (record, spec)
        };
        let clone = new.export.clone();
        let made = plane
            .volumes
            .clone_volume(canonical(export), &request.snapshot, new);
        match made {
            Ok(size_bytes) => self.inner().state.set_volume_size(record.id, size_bytes)?,
            Err(error) => {
                self.inner().state.remove_volume(record.id)?;
                return Err(error.into());
            }
        }
        tracing::info!(
            volume = clone,
            of = export,
            snapshot = request.snapshot,
            "cloned"
        );
        self.show_volume(&clone)
    }

    /// Takes a volume back to a snapshot.
    pub(crate) fn restore_volume(
        &self,
        export: &str,
        name: &str,
    ) -> Result<VolumeView, ControlError> {
        let plane = self.volume_plane()?;
        plane.volumes.restore(canonical(export), name)?;
        tracing::info!(volume = export, snapshot = name, "restored");
        self.keep_size(export)
    }

    /// Gives a volume another size.
    pub(crate) fn resize_volume(
        &self,
        export: &str,
        request: &ResizeRequest,
    ) -> Result<VolumeView, ControlError> {
        check_size("size", request.size_bytes, SIZE_MIN, SIZE_MAX)?;
        let plane = self.volume_plane()?;
        let (size_bytes, force) = (request.size_bytes, request.force);
        plane.volumes.resize(canonical(export), size_bytes, force)?;
        tracing::info!(volume = export, size_bytes, "resized");
        self.keep_size(export)
    }

    /// The state follows what the volume says of itself.
    fn keep_size(&self, export: &str) -> Result<VolumeView, ControlError> {
        let view = self.show_volume(export)?;
        self.inner()
            .state
            .set_volume_size(view.id, view.size_bytes)?;
        Ok(view)
    }
}
