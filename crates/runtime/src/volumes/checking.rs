//! Checking a volume, whether it is in use or not.

use std::sync::PoisonError;

use volume::{Backing, Checked, IoError, ObjectName, OpenError};

use super::backing::Disk;
use super::error::VolumeError;
use super::journal::JournalFile;
use super::service::{Shared, Volumes, config};
use super::spec::VolumeSpec;

/// How often a volume in use is looked at again before what is always found counts.
const TRIES: u32 = 3;

impl Volumes {
    /// Reads all that a volume needs and names what is not as it should be. It may be in use meanwhile: what
    /// changes while it is looked at is looked at again.
    pub fn check(&self, export: &str) -> Result<Checked, VolumeError> {
        self.shared.check(export)
    }
}

impl Shared {
    fn check(&self, export: &str) -> Result<Checked, VolumeError> {
        let (spec, place) = self.entry(export, |entry| {
            (entry.spec.clone(), std::sync::Arc::clone(&entry.place))
        })?;
        let place = place.lock().unwrap_or_else(PoisonError::into_inner);
        match place.clone() {
            Some(attached) => {
                // Others may attach, and use, what is attached already.
                drop(place);
                self.check_in_use(&spec, attached.journal())
            }
            None => {
                let path = JournalFile::path(&self.journals, spec.id);
                let journal = JournalFile::open(&path);
                let journal = journal.map_err(|error| VolumeError::io(export, error))?;
                self.check_once(&spec, &journal)
            }
        }
    }

    fn check_in_use(
        &self,
        spec: &VolumeSpec,
        journal: &JournalFile,
    ) -> Result<Checked, VolumeError> {
        let mut checked = self.check_once(spec, journal)?;
        for _ in 1..TRIES {
            if checked.defects.is_empty() {
                break;
            }
            let again = self.check_once(spec, journal)?;
            checked
                .defects
                .retain(|defect| again.defects.contains(defect));
        }
        Ok(checked)
    }

    fn check_once(&self, spec: &VolumeSpec, journal: &JournalFile) -> Result<Checked, VolumeError> {
        let mut looking = Looking(self.disk(spec.id, journal));
        let checked = volume::check(&config(spec, journal), &mut looking);
        checked.map_err(|error| VolumeError::open(&spec.export, OpenError::Io(error)))
    }
}

/// Store and journal, of which nothing is changed.
struct Looking<'a>(Disk<'a>);

impl Backing for Looking<'_> {
    fn list(&mut self) -> Result<Vec<(ObjectName, u64)>, IoError> {
        self.0.store.look(self.0.volume)
    }

    fn get(&mut self, name: ObjectName, offset: u64, len: u64) -> Result<Vec<u8>, IoError> {
        self.0.get(name, offset, len)
    }

    fn put(&mut self, _: ObjectName, _: &[u8]) -> Result<(), IoError> {
        Err(IoError::Failed)
    }

    fn journal_read(&mut self, at: u64, len: u64) -> Result<Vec<u8>, IoError> {
        self.0.journal_read(at, len)
    }

    fn journal_write(&mut self, _: u64, _: &[u8]) -> Result<(), IoError> {
        Err(IoError::Failed)
    }

    fn journal_sync(&mut self) -> Result<(), IoError> {
        Err(IoError::Failed)
    }
}

#[cfg(test)]
#[path = "checking_test.rs"]
mod tests;
