//! Giving volumes second copies, and taking them away.

use std::fs;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use volume::{Attach, VolumeId};

use super::error::VolumeError;
use super::journal::JournalFile;
use super::service::{SETTLE_PATIENCE, Shared, Volumes};
use super::spec::VolumeSpec;
use super::twin::{self, Twin};

impl Volumes {
    /// Keeps a second copy of a volume in a folder of another disk from now on, or none any more; no
    /// client may use it meanwhile. A copy that there was stays where it is.
    pub fn mirror(&self, export: &str, dir: Option<&Path>) -> Result<(), VolumeError> {
        self.shared.mirror(export, dir)
    }
}

impl Shared {
    fn mirror(&self, export: &str, dir: Option<&Path>) -> Result<(), VolumeError> {
        let (spec, place, clients) = self.entry(export, |entry| {
            let place = Arc::clone(&entry.place);
            (entry.spec.clone(), place, entry.sessions.len())
        })?;
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        if clients > 0 {
            let name = export.to_owned();
            return Err(VolumeError::InUse { name, clients });
        }
        let io = |error| VolumeError::io(export, error);
        if let Some(dir) = dir {
            fs::create_dir_all(dir).map_err(io)?;
        }
        if let Some(volume) = place.take() {
            volume.settle(self.clock.now() + SETTLE_PATIENCE);
        }
        twin::note(&self.journals, spec.id, dir).map_err(io)?;
        let attached = self.attach_to(&mut place, &spec, Attach::default())?;
        let behind = attached.mirror().and_then(|mirror| mirror.behind);
        match behind {
            None => Ok(()),
            Some(why) => {
                twin::note(&self.journals, spec.id, None).map_err(io)?;
                *place = None;
                let name = export.to_owned();
                let why = format!("there can be no second copy: {why}");
                Err(VolumeError::Refused { name, why })
            }
        }
    }

    /// The journal with the volume's second copy, if it has one, which is made like the first.
    pub(super) fn with_twin(
        &self,
        spec: &VolumeSpec,
        journal: JournalFile,
    ) -> Result<JournalFile, VolumeError> {
        let dir = twin::noted(&self.journals, spec.id);
        let Some(dir) = dir.map_err(|error| VolumeError::io(&spec.export, error))? else {
            return Ok(journal);
        };
        let owners = self.owners(spec.id)?;
        let twin = Twin::made(&dir, (spec.id, &owners), (&journal, &self.store));
        Ok(journal.with_twin(Arc::new(twin)))
    }

    /// The volumes whose objects a volume needs: itself, what it is a clone of, and so on.
    fn owners(&self, volume: VolumeId) -> Result<Vec<VolumeId>, VolumeError> {
        let catalogue = self.catalogue()?;
        let mut owners = vec![volume];
        while let Some(parent) = owners
            .last()
            .and_then(|last| catalogue.volumes.get(last)?.parent)
            .filter(|parent| !owners.contains(&parent.volume))
        {
            owners.push(parent.volume);
        }
        Ok(owners)
    }
}

#[cfg(test)]
#[path = "mirroring_test.rs"]
mod tests;
