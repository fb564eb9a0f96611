//! Objects that stay open for reading: as many as fit a bound, those that were asked for last.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use base::Timestamp;
use volume::{BuildNameHasher, ObjectName, VolumeId};

/// How many objects are held open for reading, over all volumes of a store.
const OPEN_MAX: usize = 2048;

/// How long an object may take to come into memory as a whole, behind others that do.
const COMING: Duration = Duration::from_secs(1);

/// An object that is open for reading.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: File,
    /// Reads that had to wait for the disk.
    misses: AtomicU32,
    /// When it was brought into memory as a whole; 0 if never.
    brought_at: AtomicU64,
}

impl Opened {
    /// Counts a read that had to wait for the disk; how many there are. Those that do while it is on its way
    /// as a whole say nothing.
    pub(super) fn count_miss(&self, now: Timestamp) -> u32 {
        let is_coming = self.brought_at().is_some_and(|at| now.since(at) < COMING);
        let counted = u32::from(!is_coming);
        self.misses
            .fetch_add(counted, Ordering::Relaxed)
            .saturating_add(counted)
    }

    /// When it was last brought into memory as a whole.
    pub(super) fn brought_at(&self) -> Option<Timestamp> {
        let at = self.brought_at.load(Ordering::Relaxed);
        (at > 0).then(|| Timestamp::from_nanos(at))
    }

    /// It is brought, and its misses count from here on.
    pub(super) fn note_brought(&self, now: Timestamp) {
        self.brought_at.store(now.as_nanos(), Ordering::Relaxed);
        self.misses.store(0, Ordering::Relaxed);
    }
}

impl From<File> for Opened {
    fn from(file: File) -> Self {
        Self {
            file,
            misses: AtomicU32::new(0),
            brought_at: AtomicU64::new(0),
        }
    }
}

/// Open objects, and when each was last asked for.
#[derive(Debug, Default)]
pub(super) struct OpenFiles {
    files: HashMap<ObjectName, (u64, Arc<Opened>), BuildNameHasher>,
    order: BTreeMap<u64, ObjectName>,
    clock: u64,
}

impl OpenFiles {
    pub(super) fn get(&mut self, name: ObjectName) -> Option<Arc<Opened>> {
        let (used, file) = self.files.get_mut(&name)?;
        let file = Arc::clone(file);
        // To the nearest hundred is enough, and most of what is read often need not move then.
        if self.clock.saturating_sub(*used) > 100 {
            self.order.remove(used);
            self.clock += 1;
            *used = self.clock;
            self.order.insert(self.clock, name);
        } else {
            self.clock += 1;
        }
        Some(file)
    }

    pub(super) fn insert(&mut self, name: ObjectName, file: &Arc<Opened>) {
        self.forget(name);
        self.clock += 1;
        self.files.insert(name, (self.clock, Arc::clone(file)));
        self.order.insert(self.clock, name);
        if self.files.len() > OPEN_MAX
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.files.remove(&oldest);
        }
    }

    pub(super) fn forget(&mut self, name: ObjectName) {
        if let Some((used, _)) = self.files.remove(&name) {
            self.order.remove(&used);
        }
    }

    pub(super) fn forget_all(&mut self, volume: VolumeId) {
        let names: Vec<ObjectName> = self.files.keys().copied().collect();
        for name in names.into_iter().filter(|name| name.volume == volume) {
            self.forget(name);
        }
    }
}

#[cfg(test)]
#[path = "open_files_test.rs"]
mod tests;
