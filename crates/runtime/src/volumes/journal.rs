//! The file of a volume's journal: written before it is used, so that a write to it changes no
//! metadata, and held by one process at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, ReadWriteFlags, pwritev2};
use volume::{Buffer, IoError, VolumeId};

use super::file::{ReadNow, io_error, read, read_now};
use super::store::sync_folder;
use super::twin::Twin;
use crate::state::create_private_dir;

/// How much is written at once when the file is made. The kernel keeps the file's pages in folios of this
/// length from then on, and a short write costs the more the longer those are.
const STRETCH_LEN: u64 = 32 << 10;

/// An open journal, locked for as long as it lives.
#[derive(Debug)]
pub(super) struct JournalFile {
    file: File,
    len: u64,
    /// The second copy, if there is one.
    twin: Option<Arc<Twin>>,
}

impl JournalFile {
    /// Where a volume's journal is.
    pub(super) fn path(dir: &Path, volume: VolumeId) -> PathBuf {
        dir.join(format!("{:016x}.journal", volume.0))
    }

    /// Makes the file of a new volume, all of it written.
    pub(super) fn create(path: &Path, len: u64) -> io::Result<Self> {
        if let Some(dir) = path.parent() {
            create_private_dir(dir)?;
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        let made = lock(&file).and_then(|()| {
            fill(&file, len)?;
            file.sync_all()?;
            path.parent().map_or(Ok(()), sync_folder)
        });
        if let Err(error) = made {
            // Half a journal is of no use to anybody.
            let _ = fs::remove_file(path);
            return Err(error);
        }
        let twin = None;
        Ok(Self { file, len, twin })
    }

    /// Opens the file of a volume; `WouldBlock` if another process has it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        lock(&file)?;
        let len = file.metadata()?.len();
        let twin = None;
        Ok(Self { file, len, twin })
    }

    /// The same with a second copy, which is as this one is.
    pub(super) fn with_twin(mut self, twin: Arc<Twin>) -> Self {
        self.twin = Some(twin);
        self
    }

    /// The second copy.
    pub(super) fn twin(&self) -> Option<&Arc<Twin>> {
        self.twin.as_ref()
    }

    /// Its length.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Writes.
    pub(super) fn write(&self, at: u64, bytes: &[u8]) -> Result<(), IoError> {
        let fits = at
            .checked_add(bytes.len() as u64)
            .is_some_and(|end| end <= self.len);
        if !fits {
            return Err(IoError::Failed);
        }
        self.file
            .write_all_at(bytes, at)
            .map_err(|error| io_error(&error))?;
        if let Some(twin) = &self.twin {
            twin.journal_write(at, bytes);
        }
        Ok(())
    }

    /// Writes, and makes that durable, whatever else was written.
    pub(super) fn write_durably(&self, at: u64, bytes: &[u8]) -> Result<(), IoError> {
        let mut done = 0;
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            let slices = [IoSlice::new(rest)];
            let at = at + done as u64;
            match pwritev2(&self.file, &slices, at, ReadWriteFlags::DSYNC) {
                Ok(0) => return Err(IoError::Failed),
                Ok(wrote) => done += wrote,
                Err(Errno::INTR) => {}
                Err(error) => return Err(io_error(&error.into())),
            }
        }
        if let Some(twin) = &self.twin {
            twin.journal_write(at, bytes);
            twin.journal_sync();
        }
        Ok(())
    }

    /// Makes durable what has been written.
    pub(super) fn sync(&self) -> Result<(), IoError> {
        self.file.sync_data().map_err(|error| io_error(&error))?;
        if let Some(twin) = &self.twin {
            twin.journal_sync();
        }
        Ok(())
    }

    /// Reads.
    pub(super) fn read(&self, at: u64, len: u64) -> Result<Buffer, IoError> {
        read(&self.file, at, len).or_else(|error| {
            let twin = self.twin.as_ref();
            let bytes = twin.and_then(|twin| twin.journal_read(at, len));
            bytes.ok_or_else(|| io_error(&error))
        })
    }

    /// Reads if that takes no waiting for the disk.
    pub(super) fn read_now(&self, at: u64, len: u64) -> ReadNow {
        match read_now(&self.file, at, len) {
            // There is another copy to look into.
            ReadNow::Done(Err(_)) if self.twin.is_some() => ReadNow::Later,
            read => read,
        }
    }
}

fn lock(file: &File) -> io::Result<()> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Err(io::ErrorKind::WouldBlock.into()),
        other => Ok(other?),
    }
}

/// Writes zeroes: blocks that are only reserved would cost a change of metadata with the first sync
/// after each.
fn fill(file: &File, len: u64) -> io::Result<()> {
    let zeroes = vec![0; usize::try_from(STRETCH_LEN.min(len)).unwrap_or_default()];
    let mut at = 0;
    while at < len {
        let left = usize::try_from(len - at).unwrap_or(usize::MAX);
        let stretch = zeroes.get(..left.min(zeroes.len())).unwrap_or_default();
        file.write_all_at(stretch, at)?;
        at += stretch.len() as u64;
    }
    Ok(())
}

#[cfg(test)]
#[path = "journal_test.rs"]
mod tests;
