//! Objects as files of a folder: stored whole and durably or not at all, read by ranges.
//!
//! An object's name is its path. It is written beside its place, made durable, and then put there, so
//! that nobody ever lists half an object. Files that are read stay open, as many as fit a bound.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::Timestamp;
use volume::{Buffer, IoError, ObjectKind, ObjectName, VolumeId};

use super::bringing::Bringing;
use super::direct;
use super::file::{ReadNow, io_error, read_now};
use super::open_files::{OpenFiles, Opened};
use super::spares::Spares;
use crate::Clock;
use crate::state::create_private_dir;

/// So many reads of an object that had to wait for the disk show that it is wanted:
const WANTED_COUNT: u32 = 32;
/// then the system is told to bring all of it, which is at most this long.
const OBJECT_LEN_MAX: u64 = 8 << 20;

/// What a file is called until it is whole.
const PARTIAL: &str = ".partial";

/// A folder of objects.
#[derive(Debug)]
pub(super) struct ObjectStore {
    dir: PathBuf,
    open: Mutex<OpenFiles>,
    spares: Spares,
    clock: Clock,
    /// The file system has no way past the page cache.
    is_indirect: AtomicBool,
    bringing: Bringing,
}

impl ObjectStore {
    /// Over a folder, which is made when the first object is stored.
    pub(super) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            open: Mutex::default(),
            spares: Spares::default(),
            clock: Clock::new(),
            is_indirect: AtomicBool::new(false),
            bringing: Bringing::default(),
        }
    }

    /// Stores an object durably, over whatever is there.
    pub(super) fn put(&self, name: ObjectName, bytes: &Buffer) -> Result<(), IoError> {
        self.try_put(name, bytes).map_err(|error| io_error(&error))
    }

    fn try_put(&self, name: ObjectName, bytes: &Buffer) -> io::Result<()> {
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
        let stored = self
            .write_whole(&partial, bytes)
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

    /// Stores an object that is durable once it is synced.
    pub(super) fn put_bulk(&self, name: ObjectName, room: &Buffer) -> Result<(), IoError> {
        let stored = self.try_put_bulk(name, room);
        let stored = stored.map_err(|error| io_error(&error));
        if stored == Err(IoError::NoSpace) {
            self.drop_spares(name.volume);
        }
        stored
    }

    fn try_put_bulk(&self, name: ObjectName, room: &Buffer) -> io::Result<()> {
        let path = self.path(name);
        let folder = path.parent().unwrap_or(&self.dir);
        if !folder.is_dir() {
            self.make_folder(folder)?;
        }
        if let Some(spare) = self.spares.take(name) {
            fs::rename(spare, &path)?;
        }
        self.write(room.len(), || direct::write(&path, room))
            .unwrap_or_else(|| write_over(&path, room).map(drop))
    }

    /// Makes large writes' objects durable.
    pub(super) fn sync(&self, names: &[ObjectName]) -> Result<(), IoError> {
        let sync = |name: &ObjectName| self.opened(*name)?.file.sync_data();
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
        let opened = match self.opened(name) {
            Ok(opened) => opened,
            Err(error) => return ReadNow::Done(Err(io_error(&error))),
        };
        let read = read_now(&opened.file, offset, len);
        if matches!(read, ReadNow::Later) {
            self.note_miss(self.clock.now(), name, &opened);
        }
        read
    }

    /// A read has to wait for the disk: an object of which many do is brought into memory as a whole.
    fn note_miss(&self, now: Timestamp, name: ObjectName, opened: &Opened) {
        if opened.count_miss(now) < WANTED_COUNT {
            return;
        }
        if self.bringing.may_bring(now, opened.brought_at()) {
            opened.note_brought(now);
            self.bring(name, 0, OBJECT_LEN_MAX);
        }
    }

    /// Has the system bring a range into memory; whoever reads it then need not wait.
    pub(super) fn bring(&self, name: ObjectName, offset: u64, len: u64) {
        // It is read all the same if that cannot be done.
        let _ = self.opened(name).map(|opened| {
            let len = std::num::NonZeroU64::new(len);
            rustix::fs::fadvise(&opened.file, offset, len, rustix::fs::Advice::WillNeed)
        });
    }

    /// Reads a range; fewer bytes where the object ends before.
    pub(super) fn get(&self, name: ObjectName, offset: u64, len: u64) -> Result<Buffer, IoError> {
        let read = || {
            let opened = self.opened(name)?;
            let size = opened.file.metadata()?.len();
            let len = len.min(size.saturating_sub(offset));
            // Whole segments are wanted to be moved: nobody need have them in memory.
            if offset == 0 && !name.is_bulk() && self.goes_direct(len) {
                let read =
                    direct::read(&self.path(name), usize::try_from(len).unwrap_or(usize::MAX));
                if !read.as_ref().is_err_and(direct::is_unsupported) {
                    return read;
                }
                self.is_indirect.store(true, Ordering::Relaxed);
            }
            super::file::read(&opened.file, offset, len)
        };
        read().map_err(|error| io_error(&error))
    }

    fn goes_direct(&self, len: u64) -> bool {
        len >= direct::DIRECT_LEN_MIN as u64 && !self.is_indirect.load(Ordering::Relaxed)
    }

    /// Writes so many bytes past the page cache; `None` where that cannot be done.
    fn write(&self, len: usize, work: impl FnOnce() -> io::Result<()>) -> Option<io::Result<()>> {
        let wrote = self.goes_direct(len as u64).then(work)?;
        if wrote.as_ref().is_err_and(direct::is_unsupported) {
            self.is_indirect.store(true, Ordering::Relaxed);
            return None;
        }
        Some(wrote)
    }

    /// Writes a file from its beginning, over what it held, and makes it durable.
    fn write_whole(&self, path: &Path, bytes: &Buffer) -> io::Result<()> {
        self.write(bytes.len(), || direct::write_durably(path, bytes))
            .unwrap_or_else(|| write_over(path, bytes)?.sync_data())
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
        open.forget_all(volume);
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

    fn opened(&self, name: ObjectName) -> io::Result<Arc<Opened>> {
        if let Some(opened) = self.open().get(name) {
            return Ok(opened);
        }
        let opened = Arc::new(Opened::from(File::open(self.path(name))?));
        self.open().insert(name, &opened);
        Ok(opened)
    }

    fn forget(&self, name: ObjectName) {
        self.open().forget(name);
    }

    fn open(&self) -> MutexGuard<'_, OpenFiles> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes a file from its beginning, over what it held.
fn write_over(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false);
    let file = file.mode(0o600).open(path)?;
    file.write_all_at(bytes, 0)?;
    direct::cut(&file, bytes.len())?;
    Ok(file)
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
