//! One volume's objects: in the store of all volumes, and in its second copy if it has one.

use std::sync::Arc;

use volume::{Buffer, IoError, ObjectName, VolumeId};

use super::file::ReadNow;
use super::store::ObjectStore;
use super::twin::Twin;

/// A store as one volume uses it.
#[derive(Clone, Debug)]
pub(super) struct Objects {
    store: Arc<ObjectStore>,
    twin: Option<Arc<Twin>>,
}

impl Objects {
    pub(super) fn new(store: &Arc<ObjectStore>, twin: Option<&Arc<Twin>>) -> Self {
        Self {
            store: Arc::clone(store),
            twin: twin.cloned(),
        }
    }

    /// Stores an object durably, in both copies.
    pub(super) fn put(&self, name: ObjectName, bytes: &Buffer) -> Result<(), IoError> {
        self.store.put(name, bytes)?;
        if let Some(twin) = &self.twin {
            twin.put(name, bytes);
        }
        Ok(())
    }

    /// Whether there is a second copy.
    pub(super) fn is_mirrored(&self) -> bool {
        self.twin.is_some()
    }

    /// Stores an object in both copies, durable only when it is synced.
    pub(super) fn put_bulk(&self, name: ObjectName, room: &Buffer) -> Result<(), IoError> {
        self.store.put_bulk(name, room)?;
        if let Some(twin) = &self.twin {
            twin.put_bulk(name, room);
        }
        Ok(())
    }

    /// Makes objects durable, in both copies.
    pub(super) fn sync(&self, names: &[ObjectName]) -> Result<(), IoError> {
        self.store.sync(names)?;
        if let Some(twin) = &self.twin {
            twin.sync(names);
        }
        Ok(())
    }

    /// Deletes an object; one that is not there is deleted already.
    pub(super) fn delete(&self, name: ObjectName) -> Result<(), IoError> {
        self.store.delete(name)?;
        if let Some(twin) = &self.twin {
            twin.delete(name);
        }
        Ok(())
    }

    /// Reads a range, of the second copy if the first cannot give it.
    pub(super) fn get(&self, name: ObjectName, offset: u64, len: u64) -> Result<Buffer, IoError> {
        let other = |error| {
            let twin = self.twin.as_ref();
            let bytes = twin.and_then(|twin| twin.get(name, offset, len));
            bytes.ok_or(error)
        };
        self.store.get(name, offset, len).or_else(other)
    }

    /// Has the system bring a range into memory.
    pub(super) fn bring(&self, name: ObjectName, offset: u64, len: u64) {
        self.store.bring(name, offset, len);
    }

    /// Reads a range if that takes no waiting for a disk.
    pub(super) fn get_now(&self, name: ObjectName, offset: u64, len: u64) -> ReadNow {
        match self.store.get_now(name, offset, len) {
            // There is another copy to look into.
            ReadNow::Done(Err(_)) if self.twin.is_some() => ReadNow::Later,
            read => read,
        }
    }

    /// A volume's objects and their lengths; nothing is removed.
    pub(super) fn look(&self, volume: VolumeId) -> Result<Vec<(ObjectName, u64)>, IoError> {
        self.store.look(volume)
    }

    /// A volume's objects and their lengths; what is not whole is removed.
    pub(super) fn list(&self, volume: VolumeId) -> Result<Vec<(ObjectName, u64)>, IoError> {
        self.store.list(volume)
    }
}
