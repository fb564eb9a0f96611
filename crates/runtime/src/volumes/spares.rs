//! Files of deleted segments, kept to be written over.
//!
//! Their room on the disk is allocated and their pages are in memory, which a new file would have to wait
//! for: more than half of what storing a segment costs. Whoever still reads such a file reads what has no
//! part in the volume any more, which the engine looks at before it believes anything.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use volume::VolumeId;

/// How many a volume has at most, each of some 4 MiB.
const SPARES_MAX: usize = 64;

/// The spare files of each volume.
#[derive(Debug, Default)]
pub(super) struct Spares(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    paths: BTreeMap<VolumeId, Vec<PathBuf>>,
    /// Those that were ever kept, so that no two have one name.
    count: u64,
}

impl Spares {
    /// A number for another file of a volume; `None` if it has enough.
    pub(super) fn place_for(&self, volume: VolumeId) -> Option<u64> {
        let mut shelf = self.shelf();
        let full = shelf
            .paths
            .get(&volume)
            .is_some_and(|paths| paths.len() >= SPARES_MAX);
        shelf.count += 1;
        (!full).then_some(shelf.count)
    }

    /// A file that may be written over from now on.
    pub(super) fn keep(&self, volume: VolumeId, path: PathBuf) {
        self.shelf().paths.entry(volume).or_default().push(path);
    }

    /// The one that was kept last, whose pages are most likely still in memory.
    pub(super) fn take(&self, volume: VolumeId) -> Option<PathBuf> {
        self.shelf().paths.get_mut(&volume)?.pop()
    }

    /// All of a volume, which are not kept any more.
    pub(super) fn take_all(&self, volume: VolumeId) -> Vec<PathBuf> {
        self.shelf().paths.remove(&volume).unwrap_or_default()
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
