//! What an operator does with a volume: snapshots, clones, going back, another size.

use std::sync::{Arc, PoisonError, mpsc};

use volume::{Attach, Catalogue, Device, Parent, Refused, Snapshot, SnapshotId, VolumeId};

use super::attached::Attached;
use super::core::told;
use super::error::VolumeError;
use super::journal::JournalFile;
use super::service::{SETTLE_PATIENCE, Shared, Volumes, config};
use super::spec::VolumeSpec;

impl Attached {
    /// Has the engine do something, and waits until that is durable.
    pub(super) fn operate<T>(
        self: &Arc<Self>,
        mut begin: impl FnMut(&mut Device, u64) -> Result<T, Refused>,
    ) -> Result<T, String> {
        let (answer, wait) = mpsc::channel();
        let mut core = self.lock();
        let begun = loop {
            core.last_operator += 1;
            let id = core.last_operator;
            match begin(&mut core.device, id) {
                Err(Refused::Full) => core = self.await_room(core, None),
                Err(refused) => return Err(told(refused).1.to_owned()),
                Ok(begun) => {
                    core.operators.insert(id, answer);
                    break begun;
                }
            }
        };
        self.pump(core, None);
        match wait.recv_timeout(SETTLE_PATIENCE) {
            Ok(Ok(())) => Ok(begun),
            Ok(Err(why)) => Err(why.to_owned()),
            Err(_) => Err("not done in time; it may still be".to_owned()),
        }
    }

    /// The snapshots, oldest first.
    fn snapshots(&self) -> Vec<Snapshot> {
        self.lock().device.engine.snapshots().cloned().collect()
    }

    fn is_stored(&self, snapshot: SnapshotId) -> bool {
        self.lock().device.engine.is_stored(snapshot)
    }
}

impl Volumes {
    /// Takes a snapshot of all that was acknowledged by now.
    pub fn snapshot(&self, export: &str, name: &str) -> Result<Snapshot, VolumeError> {
        let volume = self.attach(export)?;
        let now = volume.now();
        let taken = volume.operate(|device, id| device.snapshot(id, name, now));
        let taken = taken.map_err(|why| refused(export, why))?;
        let mut all = volume.snapshots().into_iter();
        let found = all.find(|snapshot| snapshot.id == taken);
        found.ok_or_else(|| no_snapshot(export, name))
    }

    /// A volume's snapshots, oldest first.
    pub fn snapshots(&self, export: &str) -> Result<Vec<Snapshot>, VolumeError> {
        Ok(self.attach(export)?.snapshots())
    }

    /// Deletes a snapshot; refused while there are clones of it.
    pub fn delete_snapshot(&self, export: &str, name: &str) -> Result<(), VolumeError> {
        let volume = self.attach(export)?;
        let snapshot = find(&volume, export, name)?;
        let id = self.status(export)?.spec.id;
        self.shared.refuse_with_clones(id, Some(snapshot))?;
        let deleted = volume.operate(|device, id| device.delete_snapshot(id, snapshot));
        deleted.map_err(|why| refused(export, why))
    }

    /// Makes a volume of a snapshot, with which it shares what neither has written since. The size
    /// of `new` is that of the snapshot, whatever it says; it is told.
    pub fn clone_volume(
        &self,
        export: &str,
        name: &str,
        mut new: VolumeSpec,
    ) -> Result<u64, VolumeError> {
        let volume = self.attach(export)?;
        let snapshot = find(&volume, export, name)?;
        self.shared.await_stored(export, &volume, snapshot)?;
        let parent = Parent {
            volume: self.status(export)?.spec.id,
            snapshot,
        };
        self.shared.create_clone(&new, parent)?;
        let all = volume.snapshots();
        let taken = all.iter().find(|one| one.id == snapshot);
        new.size_bytes = taken.map_or(0, |one| one.size_blocks * volume::BLOCK_LEN as u64);
        let size_bytes = new.size_bytes;
        self.shared.add(new);
        Ok(size_bytes)
    }

    /// Takes a volume back to a snapshot; no client may use it.
    pub fn restore(&self, export: &str, name: &str) -> Result<(), VolumeError> {
        let volume = self.attach(export)?;
        let snapshot = find(&volume, export, name)?;
        self.shared.await_stored(export, &volume, snapshot)?;
        drop(volume);
        self.shared.restore(export, snapshot)
    }

    /// Gives a volume another size; less is refused if that cuts off data, unless forced.
    pub fn resize(&self, export: &str, size_bytes: u64, force: bool) -> Result<(), VolumeError> {
        let volume = self.attach(export)?;
        let blocks = size_bytes / volume::BLOCK_LEN as u64;
        let resized = volume.operate(|device, id| device.resize(id, blocks, force));
        resized.map_err(|why| refused(export, why))?;
        volume.set_size_bytes(size_bytes);
        self.shared
            .entry(export, |entry| entry.spec.size_bytes = size_bytes)
    }
}

impl Shared {
    /// Which volumes the store has, told by the store alone.
    pub(super) fn catalogue(&self) -> Result<Catalogue, VolumeError> {
        let read = self.store.list_all().and_then(|objects| {
            Catalogue::read(&objects, &mut |name, offset, len| {
                self.store.get(name, offset, len).map(Vec::from)
            })
        });
        read.map_err(|error| VolumeError::open("", error.into()))
    }

    /// Nobody deletes what clones share.
    pub(super) fn refuse_with_clones(
        &self,
        volume: VolumeId,
        snapshot: Option<SnapshotId>,
    ) -> Result<(), VolumeError> {
        let count = self.catalogue()?.clones_of(volume, snapshot).len();
        match count {
            0 => Ok(()),
            count => Err(VolumeError::HasClones { count }),
        }
    }

    /// Packs until a snapshot is in the store.
    fn await_stored(
        &self,
        export: &str,
        volume: &Arc<Attached>,
        snapshot: SnapshotId,
    ) -> Result<(), VolumeError> {
        let deadline = self.clock.now() + SETTLE_PATIENCE;
        while !volume.is_stored(snapshot) {
            if self.clock.now() >= deadline {
                return Err(refused(export, "the snapshot is not stored yet".to_owned()));
            }
            volume.settle(self.clock.now());
            self.pause();
        }
        Ok(())
    }

    fn create_clone(&self, new: &VolumeSpec, parent: Parent) -> Result<(), VolumeError> {
        let catalogue = self.catalogue()?;
        let path = JournalFile::path(&self.journals, new.id);
        let made = JournalFile::create(&path, new.journal_len);
        let journal = made.map_err(|error| VolumeError::io(&new.export, error))?;
        let mut disk = self.disk(new.id, &journal);
        let config = config(new, &journal);
        let made = volume::create_clone(&config, &new.export, &catalogue, parent, &mut disk);
        made.map_err(|error| {
            // Half a volume is of no use to anybody.
            let _ = std::fs::remove_file(&path);
            VolumeError::open(&new.export, error)
        })
    }

    fn restore(&self, export: &str, snapshot: SnapshotId) -> Result<(), VolumeError> {
        let (spec, place, clients) = self.entry(export, |entry| {
            let place = Arc::clone(&entry.place);
            (entry.spec.clone(), place, entry.sessions.len())
        })?;
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        if clients > 0 {
            let name = export.to_owned();
            return Err(VolumeError::InUse { name, clients });
        }
        if let Some(volume) = place.take() {
            volume.settle(self.clock.now() + SETTLE_PATIENCE);
        }
        let how = Attach {
            restore: Some(snapshot),
            ..Attach::default()
        };
        self.attach_to(&mut place, &spec, how).map(drop)
    }
}

fn find(volume: &Attached, export: &str, name: &str) -> Result<SnapshotId, VolumeError> {
    let all = volume.snapshots();
    let found = all.iter().find(|snapshot| snapshot.name == name);
    found
        .map(|snapshot| snapshot.id)
        .ok_or_else(|| no_snapshot(export, name))
}

fn no_snapshot(volume: &str, snapshot: &str) -> VolumeError {
    VolumeError::NoSnapshot {
        volume: volume.to_owned(),
        snapshot: snapshot.to_owned(),
    }
}

fn refused(export: &str, why: String) -> VolumeError {
    VolumeError::Refused {
        name: export.to_owned(),
        why,
    }
}

#[cfg(test)]
#[path = "operate_test.rs"]
mod tests;
