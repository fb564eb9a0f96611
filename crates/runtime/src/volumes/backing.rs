//! Store and journal as recovery wants them: done at once, in order.

use volume::{Backing, IoError, ObjectName, VolumeId};

use super::journal::JournalFile;
use super::objects::Objects;

/// One volume's store and journal while it is created or attached.
#[derive(Debug)]
pub(super) struct Disk<'a> {
    pub(super) volume: VolumeId,
    pub(super) store: Objects,
    pub(super) journal: &'a JournalFile,
}

impl Backing for Disk<'_> {
    fn list(&mut self) -> Result<Vec<(ObjectName, u64)>, IoError> {
        self.store.list(self.volume)
    }

    fn get(&mut self, name: ObjectName, offset: u64, len: u64) -> Result<Vec<u8>, IoError> {
        self.store.get(name, offset, len).map(Vec::from)
    }

    fn settle(&mut self, name: ObjectName) -> Result<(), IoError> {
        match self.store.is_mirrored() {
            // The second copy may hold something else.
            true => {
                let bytes = self.store.get(name, 0, u64::MAX)?;
                self.store.put(name, &bytes)
            }
            false => self.store.sync(&[name]),
        }
    }

    fn put(&mut self, name: ObjectName, bytes: &[u8]) -> Result<(), IoError> {
        self.store.put(name, &bytes.to_vec().into())
    }

    fn journal_read(&mut self, at: u64, len: u64) -> Result<Vec<u8>, IoError> {
        self.journal.read(at, len).map(Vec::from)
    }

    fn journal_write(&mut self, at: u64, bytes: &[u8]) -> Result<(), IoError> {
        self.journal.write(at, bytes)
    }

    fn journal_sync(&mut self) -> Result<(), IoError> {
        self.journal.sync()
    }
}
