//! A second copy of a volume's journal and objects, in a folder of another disk.
//!
//! Whatever changes is changed in both copies before it is answered. The folder is laid out as the one of
//! all volumes is, so that it can take its place. A copy that fails is left behind: the volume goes on
//! with the first, says so, and the second is made anew when the volume is attached again.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use volume::{Buffer, IoError, ObjectName, VolumeId};

use super::file::read;
use super::journal::JournalFile;
use super::store::{ObjectStore, sync_folder};
use crate::state::create_private_dir;

/// How much of a journal is compared at once.
const STRETCH_LEN: u64 = 1 << 20;

/// The second copy of one volume.
#[derive(Debug)]
pub(super) struct Twin {
    dir: PathBuf,
    volume: VolumeId,
    store: ObjectStore,
    journal: Option<File>,
    is_behind: AtomicBool,
    why: Mutex<String>,
}

/// A second copy, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorStatus {
    /// Its folder.
    pub dir: PathBuf,
    /// Why it is behind, if it is.
    pub behind: Option<String>,
}

/// Where it is written down that a volume has a second copy.
fn note_path(journals: &Path, volume: VolumeId) -> PathBuf {
    JournalFile::path(journals, volume).with_extension("mirror")
}

/// The folder of a volume's second copy, if it is to have one.
pub(super) fn noted(journals: &Path, volume: VolumeId) -> io::Result<Option<PathBuf>> {
    match fs::read_to_string(note_path(journals, volume)) {
        Ok(text) => Ok(Some(PathBuf::from(text.trim_end_matches('\n')))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes down, durably, where a volume's second copy is to be, or that it has none.
pub(super) fn note(journals: &Path, volume: VolumeId, dir: Option<&Path>) -> io::Result<()> {
    let path = note_path(journals, volume);
    match dir {
        Some(dir) => {
            let partial = path.with_extension("mirror.partial");
            let mut file = File::create(&partial)?;
            io::Write::write_all(&mut file, format!("{}\n", dir.display()).as_bytes())?;
            file.sync_all()?;
            fs::rename(&partial, &path)?;
        }
        None => match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        },
    }
    sync_folder(journals)
}

impl Twin {
    /// Makes the copy in a folder like the first one, whatever was there; where that cannot be it is
    /// behind from the start. `owners` are the volumes whose objects the volume needs, itself included.
    pub(super) fn made(
        dir: &Path,
        (volume, owners): (VolumeId, &[VolumeId]),
        first: (&JournalFile, &ObjectStore),
    ) -> Self {
        let mut twin = Self {
            dir: dir.to_owned(),
            volume,
            store: ObjectStore::new(&dir.join("store")),
            journal: None,
            is_behind: AtomicBool::new(false),
            why: Mutex::default(),
        };
        match twin.catch_up(owners, first) {
            Ok(journal) => twin.journal = Some(journal),
            Err(error) => twin.falls_behind(&error),
        }
        twin
    }

    fn catch_up(
        &self,
        owners: &[VolumeId],
        (journal, store): (&JournalFile, &ObjectStore),
    ) -> io::Result<File> {
        let journals = self.dir.join("journals");
        let path = JournalFile::path(&journals, self.volume);
        // One that was left behind has no journal. What one has that is current the first has lost, or
        // is about to delete: in both cases it does no harm there, for no name is used twice.
        let is_current = path.exists();
        let told = |error: IoError| io::Error::other(format!("its objects: {error:?}"));
        // Others may be storing what is not whole yet, which a list of one volume would sweep away.
        let of_owners = |all: Vec<(ObjectName, u64)>| {
            let objects = all.into_iter();
            let objects = objects.filter(|(name, _)| owners.contains(&name.volume));
            objects.collect::<BTreeMap<ObjectName, u64>>()
        };
        let theirs = of_owners(store.list_all().map_err(told)?);
        let ours = of_owners(self.store.list_all().map_err(told)?);
        for (name, len) in &theirs {
            // A large write's, unlike all others, is under its name before it is whole.
            let may_be_torn = name.is_bulk() && !is_current;
            if may_be_torn || ours.get(name) != Some(len) {
                copy(*name, store, &self.store).map_err(told)?;
            }
        }
        for name in ours.keys().filter(|name| !theirs.contains_key(name)) {
            match is_current {
                true => copy(*name, &self.store, store).map_err(told)?,
                false => self.store.delete(*name).map_err(told)?,
            }
        }
        create_private_dir(&journals)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)?;
        file.set_len(journal.len())?;
        let mut at = 0;
        while at < journal.len() {
            let len = STRETCH_LEN.min(journal.len() - at);
            let first = journal.read(at, len);
            let first =
                first.map_err(|error| io::Error::other(format!("its journal: {error:?}")))?;
            if *read(&file, at, len)? != *first {
                file.write_all_at(&first, at)?;
            }
            at += len;
        }
        file.sync_all()?;
        // One that was left behind before.
        let _ = fs::remove_file(path.with_extension("behind"));
        sync_folder(&journals)?;
        Ok(file)
    }

    pub(super) fn status(&self) -> MirrorStatus {
        let why = || {
            self.why
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        };
        MirrorStatus {
            dir: self.dir.clone(),
            behind: self.is_behind().then(why),
        }
    }

    pub(super) fn is_behind(&self) -> bool {
        self.is_behind.load(Ordering::Acquire)
    }

    pub(super) fn journal_write(&self, at: u64, bytes: &[u8]) {
        self.change(|journal| journal.write_all_at(bytes, at));
    }

    pub(super) fn journal_sync(&self) {
        self.change(File::sync_data);
    }

    pub(super) fn journal_read(&self, at: u64, len: u64) -> Option<Buffer> {
        let journal = self.journal.as_ref().filter(|_| !self.is_behind())?;
        let bytes = read(journal, at, len).ok()?;
        (bytes.len() as u64 == len).then_some(bytes)
    }

    pub(super) fn put(&self, name: ObjectName, bytes: &Buffer) {
        self.change(|_| told(self.store.put(name, bytes)));
    }

    pub(super) fn put_bulk(&self, name: ObjectName, room: &Buffer) {
        self.change(|_| told(self.store.put_bulk(name, room)));
    }

    pub(super) fn sync(&self, names: &[ObjectName]) {
        self.change(|_| told(self.store.sync(names)));
    }

    pub(super) fn delete(&self, name: ObjectName) {
        self.change(|_| told(self.store.delete(name)));
    }

    pub(super) fn get(&self, name: ObjectName, offset: u64, len: u64) -> Option<Buffer> {
        let is_there = !self.is_behind();
        is_there.then(|| self.store.get(name, offset, len).ok())?
    }

    fn change(&self, work: impl FnOnce(&File) -> io::Result<()>) {
        if let Some(journal) = self.journal.as_ref().filter(|_| !self.is_behind())
            && let Err(error) = work(journal)
        {
            self.falls_behind(&error);
        }
    }

    fn falls_behind(&self, error: &io::Error) {
        tracing::error!(
            dir = %self.dir.display(),
            %error,
            "a volume's second copy is behind: mend its disk, then attach the volume again"
        );
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = error.to_string();
        self.is_behind.store(true, Ordering::Release);
        // So that nobody takes it for the volume, if its disk still takes anything.
        let stale = JournalFile::path(&self.dir.join("journals"), self.volume);
        let _ = fs::rename(&stale, stale.with_extension("behind"));
    }
}

/// Copies an object, unless its owner has deleted it meanwhile.
fn copy(name: ObjectName, from: &ObjectStore, to: &ObjectStore) -> Result<(), IoError> {
    match from.get(name, 0, u64::MAX) {
        Err(IoError::NotFound) => Ok(()),
        bytes => to.put(name, &bytes?),
    }
}

fn told<T>(result: Result<T, IoError>) -> io::Result<T> {
    result.map_err(|error| match error {
        IoError::NoSpace => io::ErrorKind::StorageFull.into(),
        other => io::Error::other(format!("{other:?}")),
    })
}

#[cfg(test)]
#[path = "twin_test.rs"]
mod tests;
