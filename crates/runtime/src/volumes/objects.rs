//! One volume's objects: in the store of all volumes, and in its second copy if it has one.

use std::fs::File;
use std::io::{self, IoSlice};
use std::sync::Arc;

use rustix::io::{Errno, pwritev};

use volume::{IoError, ObjectName, VolumeId};

use super::file::{ReadNow, io_error};
use super::store::ObjectStore;
use super::twin::Twin;
use super::writeback;

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
    pub(super) fn put(&self, name: ObjectName, bytes: &[u8]) -> Result<(), IoError> {
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

    /// Begins an object that is stored bit by bit, in both copies, and durable only when it is synced.
    pub(super) fn begin(&self, name: ObjectName) -> Result<Growing, IoError> {
        let file = self.store.begin(name)?;
        let twin = self.twin.as_ref();
        let second = twin.and_then(|twin| Some((twin.begin(name)?, Arc::clone(twin))));
        Ok(Growing {
            file,
            second,
            len: 0,
        })
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
    pub(super) fn get(&self, name: ObjectName, offset: u64, len: u64) -> Result<Vec<u8>, IoError> {
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

/// An object that is being stored bit by bit.
#[derive(Debug)]
pub(super) struct Growing {
    file: File,
    /// The second copy, as long as it keeps up.
    second: Option<(File, Arc<Twin>)>,
    len: u64,
}

impl Growing {
    /// Appends.
    pub(super) fn add(&mut self, slices: &[IoSlice<'_>]) -> Result<(), IoError> {
        let at = self.len;
        let len = write_all(&self.file, slices, at).map_err(|error| io_error(&error))?;
        self.on_second(|file| write_all(file, slices, at).map(drop));
        self.len += len;
        Ok(())
    }

    /// It ends here, whatever the file held before; it is on its way to the disk from now on.
    pub(super) fn end(&mut self) -> Result<(), IoError> {
        let len = self.len;
        cut(&self.file, len).map_err(|error| io_error(&error))?;
        writeback::begin(&self.file, len);
        self.on_second(|file| {
            cut(file, len)?;
            writeback::begin(file, len);
            Ok(())
        });
        Ok(())
    }

    fn on_second(&mut self, work: impl FnOnce(&File) -> io::Result<()>) {
        if let Some((file, twin)) = &self.second
            && let Err(error) = work(file)
        {
            twin.falls_behind(&error);
            self.second = None;
        }
    }
}

/// Gives an older, longer file its length.
fn cut(file: &File, len: u64) -> io::Result<()> {
    match file.metadata()?.len() == len {
        true => Ok(()),
        false => file.set_len(len),
    }
}

fn write_all(file: &File, slices: &[IoSlice<'_>], at: u64) -> io::Result<u64> {
    let mut slices = slices.to_vec();
    let (mut slices, mut done) = (&mut slices[..], 0);
    while !slices.is_empty() {
        match pwritev(file, slices, at + done) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(len) => {
                done += len as u64;
                IoSlice::advance_slices(&mut slices, len);
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(done)
}
