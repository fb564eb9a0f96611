//! Objects as files of a folder: stored whole and durably or not at all, read by ranges.
//!
//! An object's name is its path. It is written beside its place, made durable, and then put there, so
//! that nobody ever lists half an object. Files that are read stay open, as many as fit a bound.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use volume::{IoError, ObjectKind, ObjectName, VolumeId};

use super::file::{ReadNow, io_error, read_now};
use super::spares::Spares;
use crate::state::create_private_dir;

/// How many objects are held open for reading, over all volumes of a store.
const OPEN_MAX: usize = 2048;

/// What a file is called until it is whole.
const PARTIAL: &str = ".partial";

/// A folder of objects.
#[derive(Debug)]
pub(super) struct ObjectStore {
    dir: PathBuf,
    open: Mutex<OpenFiles>,
    spares: Spares,
}

/// Open objects, and when each was last asked for.
#[derive(Debug, Default)]
struct OpenFiles {
    files: HashMap<ObjectName, (u64, Arc<File>)>,
    order: BTreeMap<u64, ObjectName>,
    clock: u64,
}

impl ObjectStore {
    /// Over a folder, which is made when the first object is stored.
    pub(super) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            open: Mutex::default(),
            spares: Spares::default(),
        }
    }

    /// Stores an object durably, over whatever is there.
    pub(super) fn put(&self, name: ObjectName, bytes: &[u8]) -> Result<(), IoError> {
        self.try_put(name, bytes).map_err(|error| io_error(&error))
    }

    fn try_put(&self, name: ObjectName, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        let folder = path.parent().unwrap_or(&self.dir);
        if !folder.is_dir() {
            self.make_folder(folder)?;
        }
        let partial = match name.kind {
            ObjectKind::Segment => self.spares.take(name),
            _ => None,
        };
        let partial = partial.unwrap_or_else(|| {
            let mut partial = path.clone().into_os_string();
            partial.push(PARTIAL);
            PathBuf::from(partial)
        });
        let stored = write_whole(&partial, bytes)
            .and_then(|()| fs::rename(&partial, &path))
            .and_then(|()| sync_folder(folder));
        if let Err(error) = &stored {
            // It takes room that is wanted; that it could not be stored is what is told.
            let _ = fs::remove_file(&partial);
            if io_error(error) == IoError::NoSpace {
                self.drop_spares(name.volume);
            }
        }
        self.forget(name);
        stored
    }

    /// Begins an object that is stored bit by bit: it is there from now on, and durable once it is synced.
    pub(super) fn begin(&self, name: ObjectName) -> Result<File, IoError> {
        let begun = self.try_begin(name);
        if begun
            .as_ref()
            .is_err_and(|error| io_error(error) == IoError::NoSpace)
        {
            self.drop_spares(name.volume);
        }
        begun.map_err(|error| io_error(&error))
    }

    fn try_begin(&self, name: ObjectName) -> io::Result<File> {
        let path = self.path(name);
        let folder = path.parent().unwrap_or(&self.dir);
        if !folder.is_dir() {
            self.make_folder(folder)?;
        }
        if let Some(spare) = self.spares.take(name) {
            fs::rename(spare, &path)?;
        }
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options.mode(0o600).open(&path)?;
        Ok(file)
    }

    /// Makes objects durable that were stored bit by bit.
    pub(super) fn sync(&self, names: &[ObjectName]) -> Result<(), IoError> {
        let sync = |name: &ObjectName| self.file(*name)?.sync_data();
        let synced = names.iter().try_for_each(sync);
        let folders: BTreeSet<PathBuf> = names
            .iter()
            .filter_map(|name| Some(self.path(*name).parent()?.to_owned()))
            .collect();
        let synced = synced.and_then(|()| folders.iter().try_for_each(|one| sync_folder(one)));
        synced.map_err(|error| io_error(&error))
    }

    fn drop_spares(&self, volume: VolumeId) {
        for path in self.spares.take_all(volume) {
            // What cannot be removed is when the volume is attached next.
            let _ = fs::remove_file(path);
        }
    }

    /// Reads a range if that takes no waiting for the disk.
    pub(super) fn get_now(&self, name: ObjectName, offset: u64, len: u64) -> ReadNow {
        match self.file(name) {
            Ok(file) => read_now(&file, offset, len),
            Err(error) => ReadNow::Done(Err(io_error(&error))),
        }
    }

    /// Has the system bring a range into memory; whoever reads it then need not wait.
    pub(super) fn bring(&self, name: ObjectName, offset: u64, len: u64) {
        // It is read all the same if that cannot be done.
        let _ = self.file(name).map(|file| {
            let len = std::num::NonZeroU64::new(len);
            rustix::fs::fadvise(&*file, offset, len, rustix::fs::Advice::WillNeed)
        });
    }

    /// Reads a range; fewer bytes where the object ends before.
    pub(super) fn get(&self, name: ObjectName, offset: u64, len: u64) -> Result<Vec<u8>, IoError> {
        let read = |file: Arc<File>| {
            let size = file.metadata()?.len();
            let len = len.min(size.saturating_sub(offset));
            super::file::read(&file, offset, len)
        };
        self.file(name)
            .and_then(read)
            .map_err(|error| io_error(&error))
    }

    /// Deletes an object; one that is not there is deleted already.
    pub(super) fn delete(&self, name: ObjectName) -> Result<(), IoError> {
        self.forget(name);
        let path = self.path(name);
        let place = match name.kind {
            ObjectKind::Segment => self.spares.place_for(name),
            _ => None,
        };
        if let Some(place) = place {
            let spare = self
                .folder(name.volume)
                .join(format!("spare-{place}{PARTIAL}"));
            if fs::rename(&path, &spare).is_ok() {
                self.spares.keep(name, spare);
                return Ok(());
            }
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(&error)),
            _ => Ok(()),
        }
    }

    /// A volume's objects and their lengths; what is not whole is removed, so that nobody may be storing.
    pub(super) fn list(&self, volume: VolumeId) -> Result<Vec<(ObjectName, u64)>, IoError> {
        self.spares.take_all(volume);
        let (mut found, mut partial) = (Vec::new(), Vec::new());
        let folder = self.folder(volume);
        let listed = collect(&self.dir, &folder, &mut found, &mut partial);
        let removed = listed.and_then(|()| partial.iter().try_for_each(fs::remove_file));
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(&error)),
            _ => Ok(found),
        }
    }

    /// The same where somebody may be storing: nothing is removed.
    pub(super) fn look(&self, volume: VolumeId) -> Result<Vec<(ObjectName, u64)>, IoError> {
        let mut objects = self.list_all()?;
        objects.retain(|(name, _)| name.volume == volume);
        Ok(objects)
    }

    /// The objects of all volumes and their lengths.
    pub(super) fn list_all(&self) -> Result<Vec<(ObjectName, u64)>, IoError> {
        let (mut found, mut partial) = (Vec::new(), Vec::new());
        match collect(
            &self.dir,
            &self.dir.join("volume"),
            &mut found,
            &mut partial,
        ) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(&error)),
            _ => Ok(found),
        }
    }

    /// Deletes everything that a volume has stored.
    pub(super) fn delete_all(&self, volume: VolumeId) -> io::Result<()> {
        let mut open = self.open();
        let names: Vec<ObjectName> = open.files.keys().copied().collect();
        for name in names.into_iter().filter(|name| name.volume == volume) {
            open.forget(name);
        }
        drop(open);
        self.spares.take_all(volume);
        match fs::remove_dir_all(self.folder(volume)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn folder(&self, volume: VolumeId) -> PathBuf {
        self.dir.join("volume").join(format!("{:016x}", volume.0))
    }

    fn path(&self, name: ObjectName) -> PathBuf {
        self.dir.join(name.to_string())
    }

    /// Makes a folder and those above it durably, as far as they are this store's.
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        let missing = folder
            .ancestors()
            .take_while(|above| above.starts_with(&self.dir) && !above.is_dir());
        let missing: Vec<&Path> = missing.collect();
        for above in missing.into_iter().rev() {
            create_private_dir(above)?;
            above.parent().map_or(Ok(()), sync_folder)?;
        }
        Ok(())
    }

    fn file(&self, name: ObjectName) -> io::Result<Arc<File>> {
        if let Some(file) = self.open().get(name) {
            return Ok(file);
        }
        let file = Arc::new(File::open(self.path(name))?);
        self.open().insert(name, &file);
        Ok(file)
    }

    fn forget(&self, name: ObjectName) {
        self.open().forget(name);
    }

    fn open(&self) -> MutexGuard<'_, OpenFiles> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenFiles {
    fn get(&mut self, name: ObjectName) -> Option<Arc<File>> {
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

    fn insert(&mut self, name: ObjectName, file: &Arc<File>) {
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

    fn forget(&mut self, name: ObjectName) {
        if let Some((used, _)) = self.files.remove(&name) {
            self.order.remove(&used);
        }
    }
}

/// Writes a file from its beginning, over what it held, and makes it durable.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false);
    let file = file.mode(0o600).open(path)?;
    file.write_all_at(bytes, 0)?;
    let len = bytes.len() as u64;
    if file.metadata()?.len() != len {
        file.set_len(len)?;
    }
    file.sync_data()
}

/// What is in a folder: objects, and files that are not whole or are spare.
fn collect(
    root: &Path,
    folder: &Path,
    found: &mut Vec<(ObjectName, u64)>,
    partial: &mut Vec<PathBuf>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            collect(root, &path, found, partial)?;
            continue;
        }
        let name = path.strip_prefix(root).ok().and_then(Path::to_str);
        match name.and_then(ObjectName::parse) {
            Some(name) => match entry.metadata() {
                Ok(metadata) => found.push((name, metadata.len())),
                // Deleted since, where somebody uses the volume.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            },
            None if path.to_string_lossy().ends_with(PARTIAL) => partial.push(path),
            None => tracing::warn!(path = %path.display(), "no object of a volume; left alone"),
        }
    }
    Ok(())
}

/// Makes what a folder lists durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
#[path = "store_test.rs"]
mod tests;
