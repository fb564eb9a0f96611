//! Snapshots, clones, going back, and other sizes: carried out by whoever serves volumes, then kept.

use runtime::state::{NewVolume, VolumeLimits};
use runtime::volumes::journal_len_for;

use super::volumes::{SIZE_MAX, SIZE_MIN, canonical, check_size, spec, split, tenant_id};
use super::{Control, ControlError, names};
use crate::wire::{
    CheckView, CloneRequest, MirrorRequest, ResizeRequest, SnapshotView, VolumeLimitChange,
    VolumeView,
};

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

    /// Gives a volume other limits, from now on.
    pub(crate) fn limit_volume(
        &self,
        export: &str,
        change: VolumeLimitChange,
    ) -> Result<VolumeView, ControlError> {
        let plane = self.volume_plane()?;
        let spec = plane.volumes.status(canonical(export))?.spec;
        let limits = VolumeLimits {
            iops: change.iops.unwrap_or(spec.limits.iops),
            bytes_per_second: change
                .bytes_per_second
                .unwrap_or(spec.limits.bytes_per_second),
        };
        if [limits.iops, limits.bytes_per_second].contains(&Some(0)) {
            let why = "a limit of 0 would let nothing through: choose at least 1, or none";
            return Err(ControlError::Invalid(why.to_owned()));
        }
        self.inner().state.set_volume_limits(spec.id.0, limits)?;
        plane.volumes.set_limits(&spec.export, limits)?;
        tracing::info!(
            volume = export,
            iops = limits.iops,
            bytes_per_second = limits.bytes_per_second,
            "limited"
        );
        self.show_volume(export)
    }

    /// Looks over all that a volume has stored.
    pub(crate) fn check_volume(&self, export: &str) -> Result<CheckView, ControlError> {
        let plane = self.volume_plane()?;
        let checked = plane.volumes.check(canonical(export))?;
        for defect in &checked.defects {
            tracing::error!(volume = export, %defect, "a defect");
        }
        Ok(CheckView::from(&checked))
    }

    /// Gives a volume a second copy, or none any more.
    pub(crate) fn mirror_volume(
        &self,
        export: &str,
        request: &MirrorRequest,
    ) -> Result<VolumeView, ControlError> {
        let plane = self.volume_plane()?;
        let dir = request.dir.as_deref();
        if let Some(dir) = dir
            && !dir.is_absolute()
        {
            let why = format!("{} is no whole path: begin with /", dir.display());
            return Err(ControlError::Invalid(why));
        }
        plane.volumes.mirror(canonical(export), dir)?;
        tracing::info!(volume = export, dir = ?dir, "mirrored");
        self.show_volume(export)
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
