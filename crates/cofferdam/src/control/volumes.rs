//! Volumes: made, told about and removed, in the state first and then by whoever serves them.

use std::sync::Arc;

use base::{ByteSize, TenantId};
use runtime::state::{DEFAULT_TENANT, NewVolume, TenantRecord, VolumeRecord};
use runtime::volumes::{VolumeId, VolumeSpec, VolumeStatus, Volumes, journal_len_for};

use super::{Control, ControlError, OPEN_TENANT, names};
use crate::wire::{AttachView, VolumeRequest, VolumeView};

/// A volume's size is whole blocks of this many bytes.
const BLOCK_LEN: u64 = 4096;
/// The smallest and the largest volume.
pub(super) const SIZE_MIN: u64 = 1 << 20;
pub(super) const SIZE_MAX: u64 = 16 << 40;
/// The shortest and the longest journal.
const JOURNAL_MIN: u64 = 1 << 20;
const JOURNAL_MAX: u64 = 64 << 30;

/// Where clients attach volumes.
#[derive(Clone, Debug, Default)]
pub(crate) struct NbdPlaces {
    /// The TCP address, if there is one.
    pub(crate) tcp: Option<std::net::SocketAddr>,
    /// Whether clients show certificates there.
    pub(crate) is_tls: bool,
    /// The Unix socket, if there is one.
    pub(crate) unix: Option<std::path::PathBuf>,
}

/// Whoever serves volumes, and where.
pub(crate) struct VolumePlane {
    pub(crate) volumes: Arc<Volumes>,
    pub(crate) places: NbdPlaces,
}

impl Control {
    /// Tells whoever serves volumes which there are.
    pub(crate) fn restore_volumes(&self) -> Result<(), ControlError> {
        let plane = self.volume_plane()?;
        let inner = self.inner();
        let tenants = inner.state.tenants()?;
        for record in inner.state.volumes()? {
            plane.volumes.add(spec(&record, &tenants));
        }
        Ok(())
    }

    /// Makes a volume.
    pub(crate) fn create_volume(
        &self,
        request: &VolumeRequest,
    ) -> Result<VolumeView, ControlError> {
        let plane = self.volume_plane()?;
        let (tenant, name) = split(&request.name);
        names::check_volume(name)?;
        check_size("size", request.size_bytes, SIZE_MIN, SIZE_MAX)?;
        let journal_bytes = request
            .journal_bytes
            .unwrap_or_else(|| journal_len_for(request.size_bytes));
        check_size("journal", journal_bytes, JOURNAL_MIN, JOURNAL_MAX)?;
        let (record, spec) = {
            let inner = self.inner();
            let tenants = inner.state.tenants()?;
            let new = NewVolume {
                tenant: tenant_id(&tenants, tenant)?,
                name: name.to_owned(),
                size_bytes: request.size_bytes,
                journal_bytes,
                shared: request.shared,
            };
            let record = inner.state.add_volume(new)?;
            let spec = spec(&record, &tenants);
            (record, spec)
        };
        // The journal is written in full, which takes its time: nothing is locked for that.
        let export = spec.export.clone();
        if let Err(error) = plane.volumes.create(spec) {
            self.inner().state.remove_volume(record.id)?;
            return Err(error.into());
        }
        tracing::info!(
            volume = export,
            size_bytes = record.size_bytes,
            "volume created"
        );
        self.show_volume(&export)
    }

    /// All volumes.
    pub(crate) fn volumes(&self) -> Result<Vec<VolumeView>, ControlError> {
        let plane = self.volume_plane()?;
        Ok(plane.volumes.statuses().iter().map(view).collect())
    }

    /// What all volumes are doing; none where nobody serves them.
    pub(crate) fn volume_statuses(&self) -> Vec<VolumeStatus> {
        let plane = self.volumes.get();
        plane.map_or_else(Vec::new, |plane| plane.volumes.statuses())
    }

    /// One volume.
    pub(crate) fn show_volume(&self, export: &str) -> Result<VolumeView, ControlError> {
        let plane = self.volume_plane()?;
        Ok(view(&plane.volumes.status(canonical(export))?))
    }

    /// Attaches a volume, so that its first client need not wait for that, and says where it is.
    pub(crate) fn attach_volume(&self, export: &str) -> Result<AttachView, ControlError> {
        let plane = self.volume_plane()?;
        let export = canonical(export);
        plane.volumes.attach(export)?;
        let (tenant, _) = split(export);
        // Whoever comes over loopback has shown nothing, and sees the open tenant's volumes alone.
        let places = &plane.places;
        let tcp = places
            .tcp
            .filter(|_| places.is_tls || tenant == OPEN_TENANT);
        Ok(AttachView {
            volume: export.to_owned(),
            tcp: tcp.map(|addr| addr.to_string()),
            tls: places.is_tls,
            unix: plane.places.unix.clone(),
        })
    }

    /// Removes a volume and what it holds.
    pub(crate) fn remove_volume(&self, export: &str) -> Result<(), ControlError> {
        let plane = self.volume_plane()?;
        let export = canonical(export);
        let status = plane.volumes.status(export)?;
        // Its files first: a row without files can be removed again, files without a row cannot.
        plane.volumes.remove(export)?;
        self.inner().state.remove_volume(status.spec.id.0)?;
        tracing::info!(volume = export, "volume removed");
        Ok(())
    }

    pub(super) fn volume_plane(&self) -> Result<&VolumePlane, ControlError> {
        self.volumes.get().ok_or(ControlError::NotRunning)
    }
}

/// The tenant and the name in `TENANT/NAME` or, for the open tenant, `NAME`.
pub(super) fn split(export: &str) -> (&str, &str) {
    export.split_once('/').unwrap_or((OPEN_TENANT, export))
}

/// The name by which clients ask: the open tenant is not named.
pub(super) fn canonical(export: &str) -> &str {
    match split(export) {
        (OPEN_TENANT, name) => name,
        _ => export,
    }
}

pub(super) fn tenant_id(tenants: &[TenantRecord], name: &str) -> Result<TenantId, ControlError> {
    match name {
        OPEN_TENANT => Ok(DEFAULT_TENANT),
        _ => Ok(super::sold(tenants, name)?.id),
    }
}

pub(super) fn spec(record: &VolumeRecord, tenants: &[TenantRecord]) -> VolumeSpec {
    let tenant = tenants.iter().find(|tenant| tenant.id == record.tenant);
    VolumeSpec {
        id: VolumeId(record.id),
        export: match tenant {
            Some(tenant) => format!("{}/{}", tenant.name, record.name),
            None => record.name.clone(),
        },
        tenant: record.tenant,
        size_bytes: record.size_bytes,
        journal_len: record.journal_bytes,
        shared: record.shared,
        limits: record.limits,
    }
}

pub(super) fn check_size(what: &str, bytes: u64, min: u64, max: u64) -> Result<(), ControlError> {
    let (size, least, most) = (ByteSize(bytes), ByteSize(min), ByteSize(max));
    if !(min..=max).contains(&bytes) || !bytes.is_multiple_of(BLOCK_LEN) {
        return Err(ControlError::Invalid(format!(
            "{what} is {size}: choose {least} to {most}, a multiple of 4KiB"
        )));
    }
    Ok(())
}

fn view(status: &VolumeStatus) -> VolumeView {
    VolumeView::from(status)
}

#[cfg(test)]
#[path = "volumes_test.rs"]
mod tests;
