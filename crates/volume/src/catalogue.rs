//! Which volumes a store has, with their snapshots and clones: told by the store alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::command::IoError;
use crate::history::{Get, History};
use crate::name::{ObjectName, VolumeId};
use crate::open::OpenError;
use crate::snapshot::{Parent, Snapshot, SnapshotId};

/// A volume as its newest checkpoint has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What people call it, as it was given to [`crate::create`].
    pub label: String,
    /// Its length; what the journal knows of a newer one is not in it.
    pub size_blocks: u64,
    /// The snapshot of which it is a clone.
    pub parent: Option<Parent>,
    /// The snapshots that are stored, oldest first.
    pub snapshots: Vec<Snapshot>,
    pub(crate) objects: Vec<ObjectName>,
}

/// What a store has.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// The volumes.
    pub volumes: BTreeMap<VolumeId, Listed>,
    /// Volumes of which no checkpoint can be read, with the newest one that should be.
    pub damaged: BTreeMap<VolumeId, ObjectName>,
}

impl Catalogue {
    /// Reads the roots of all volumes whose objects are in a list; `get` reads a range of an object, fewer
    /// bytes where it ends before. An object that goes while this is read is not missed.
    pub fn read(objects: &[(ObjectName, u64)], get: &mut Get<'_>) -> Result<Self, IoError> {
        let mut get = |name, offset, len| match get(name, offset, len) {
            Err(IoError::NotFound) => Ok(Vec::new()),
            other => other,
        };
        let volumes: BTreeSet<VolumeId> = objects.iter().map(|(name, _)| name.volume).collect();
        let mut catalogue = Self::default();
        for volume in volumes {
            let history = History::read(volume, objects.iter().copied(), &mut get)?;
            match history.newest_root(&mut get) {
                Ok((_, root)) => {
                    let (snapshots, objects) = root.snapshots.into_iter().unzip();
                    let listed = Listed {
                        label: root.label,
                        size_blocks: root.size_blocks,
                        parent: root.parent,
                        snapshots,
                        objects,
                    };
                    catalogue.volumes.insert(volume, listed);
                }
                Err(OpenError::Io(error)) => return Err(error),
                Err(OpenError::Damaged(name)) => {
                    catalogue.damaged.insert(volume, name);
                }
                // What is left of one that was deleted.
                Err(_) => {}
            }
        }
        Ok(catalogue)
    }

    /// The clones that were made of a volume, or of one of its snapshots: as long as there are any, neither
    /// may be deleted.
    pub fn clones_of(&self, volume: VolumeId, snapshot: Option<SnapshotId>) -> Vec<VolumeId> {
        let made_of_it = |parent: Parent| {
            parent.volume == volume && snapshot.is_none_or(|snapshot| parent.snapshot == snapshot)
        };
        let clones = self.volumes.iter();
        let clones = clones.filter(|(_, listed)| listed.parent.is_some_and(made_of_it));
        clones.map(|(clone, _)| *clone).collect()
    }

    /// The snapshot of this name.
    pub fn find(&self, volume: VolumeId, name: &str) -> Option<&Snapshot> {
        let listed = self.volumes.get(&volume)?;
        listed
            .snapshots
            .iter()
            .find(|snapshot| snapshot.name == name)
    }

    pub(crate) fn object_of(&self, parent: Parent) -> Option<ObjectName> {
        let listed = self.volumes.get(&parent.volume)?;
        let mut snapshots = listed.snapshots.iter().zip(&listed.objects);
        let found = snapshots.find(|(snapshot, _)| snapshot.id == parent.snapshot);
        found.map(|(_, name)| *name)
    }
}

#[cfg(test)]
#[path = "catalogue_test.rs"]
mod tests;
