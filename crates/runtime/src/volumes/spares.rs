//! Files of deleted segments, kept to be written over.
//!
//! Their room on the disk is allocated and their pages are in memory, which a new file would have to wait
//! for: more than half of what storing a segment costs. Whoever still reads such a file reads what has no
//! part in the volume any more, which the engine looks at before it believes anything.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use volume::{ObjectName, VolumeId};

/// How many a volume has at most, each of some 4 MiB at most: about as many as die at once, when half of a journal
/// of 1 GiB is packed. The room of those that are not kept is wanted again by the time that the next half is, and
/// making files next to others that have just been deleted is what a file system is slowest at.
const SEGMENTS_MAX: usize = 256;
/// and of those of large writes, each of some 1 MiB. They die by the half of a journal, and new files in place
/// of just as many that were deleted keep a file system busy looking for room.
const BULKS_MAX: usize = 1024;

/// Whose files they are, and whether they are those of large writes, which have another length.
type Kind = (VolumeId, bool);

/// The spare files of each volume.
#[derive(Debug, Default)]
pub(super) struct Spares(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    paths: BTreeMap<Kind, Vec<PathBuf>>,
    /// Those that were ever kept, so that no two have one name.
    count: u64,
}

impl Spares {
    /// A number for the file of an object that is deleted; `None` if there are enough.
    pub(super) fn place_for(&self, name: ObjectName) -> Option<u64> {
        let mut shelf = self.shelf();
        let most = match name.is_bulk() {
            true => BULKS_MAX,
            false => SEGMENTS_MAX,
        };
        let kept = shelf.paths.get(&kind(name));
        let full = kept.is_some_and(|paths| paths.len() >= most);
        shelf.count += 1;
        (!full).then_some(shelf.count)
    }

    /// The file of an object that may be written over from now on.
    pub(super) fn keep(&self, name: ObjectName, path: PathBuf) {
        self.shelf().paths.entry(kind(name)).or_default().push(path);
    }

    /// One for such an object: that which was kept last, whose pages are most likely still in memory.
    pub(super) fn take(&self, name: ObjectName) -> Option<PathBuf> {
        self.shelf().paths.get_mut(&kind(name))?.pop()
    }

    /// All of a volume, which are not kept any more.
    pub(super) fn take_all(&self, volume: VolumeId) -> Vec<PathBuf> {
        let mut shelf = self.shelf();
        let mut all = Vec::new();
        for is_bulk in [false, true] {
            all.extend(shelf.paths.remove(&(volume, is_bulk)).unwrap_or_default());
        }
        all
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn kind(name: ObjectName) -> Kind {
    (name.volume, name.is_bulk())
}
