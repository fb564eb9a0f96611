//! What all volumes are doing, for those who look from outside.

use std::sync::Arc;

use super::error::VolumeError;
use super::service::{Entry, Shared, Volumes};
use super::spec::{AttachedStatus, Identity, VolumePulse, VolumeStatus};

impl Volumes {
    /// What a volume is doing.
    pub fn status(&self, export: &str) -> Result<VolumeStatus, VolumeError> {
        self.shared.status(export)
    }

    /// What all volumes are doing.
    pub fn statuses(&self) -> Vec<VolumeStatus> {
        let names: Vec<String> = self.shared.entries().keys().cloned().collect();
        // One that was removed meanwhile has none.
        let statuses = names.iter().filter_map(|name| self.status(name).ok());
        statuses.collect()
    }

    /// Whether all attached volumes move: what can be told without holding anything that their
    /// clients wait for.
    pub fn pulses(&self) -> Vec<VolumePulse> {
        self.shared.pulses()
    }
}

impl Shared {
    fn status(&self, export: &str) -> Result<VolumeStatus, VolumeError> {
        let (spec, place, clients) = self.entry(export, |entry| {
            let clients: Vec<Identity> = entry.sessions.values().copied().collect();
            (entry.spec.clone(), Arc::clone(&entry.place), clients)
        })?;
        // While it is being attached it is not.
        let attached = place.try_lock().ok().and_then(|place| place.clone());
        let now = self.clock.now();
        Ok(VolumeStatus {
            spec,
            clients,
            attached: attached.map(|volume| AttachedStatus {
                epoch: volume.epoch(),
                figures: volume.figures(),
                meters: volume.meters().figures(now),
                stages: volume.stages().figures(now),
                mirror: volume.mirror(),
                balance: volume.limiter.balance(now),
                stopped: volume.stopped(),
                damaged: volume.damaged(),
            }),
        })
    }

    fn pulses(&self) -> Vec<VolumePulse> {
        let now = self.clock.now();
        let entries = self.entries();
        let pulse = |entry: &Entry| {
            let volume = entry.place.try_lock().ok()?.clone()?;
            Some(VolumePulse {
                export: entry.spec.export.clone(),
                tenant: entry.spec.tenant,
                mirror: volume.mirror(),
                is_limited: volume.limiter.is_bounded(),
                meters: volume.meters().figures(now),
                stages: volume.stages().figures(now),
            })
        };
        entries.values().filter_map(pulse).collect()
    }
}
