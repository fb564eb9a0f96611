//! One process per data directory: a lock that the system takes back when the process ends.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::StateError;

const LOCK_FILE: &str = "lock";

/// Held while a process uses a data directory.
#[derive(Debug)]
pub struct DirLock {
    /// The lock lasts as long as this descriptor; the file itself stays.
    _file: File,
}

impl DirLock {
    /// Creates `dir` (mode 0700) if it is missing and locks it, or says who has it.
    pub fn take(dir: &Path) -> Result<Self, StateError> {
        create_private_dir(dir).map_err(|e| StateError::io("create data directory", dir, e))?;
        let path = dir.join(LOCK_FILE);
        let mut file = open(&path).map_err(|e| StateError::io("open", &path, e))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(locked_by(dir, &mut file)),
            Err(e) => return Err(StateError::io("lock", &path, e.into())),
        }
        // Only for the message of others: it may be that nothing can be written here.
        let _ = write_pid(&mut file);
        Ok(Self { _file: file })
    }
}

/// Creates `dir` and what is missing above it; a new one is for this user only.
pub fn create_private_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        Err(e) => Err(e),
        // The umask may have taken bits away from the owner.
        Ok(()) => fs::set_permissions(dir, Permissions::from_mode(0o700)),
    }
}

/// To be written where that can be; a lock is had on what can only be read, too.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    match options.mode(0o600).open(path) {
        Err(e) if e.kind() == io::ErrorKind::ReadOnlyFilesystem => File::open(path),
        done => done,
    }
}

fn locked_by(dir: &Path, file: &mut File) -> StateError {
    let mut pid = String::new();
    // Only for the message: whatever cannot be read is not told.
    let _ = file.take(16).read_to_string(&mut pid);
    StateError::Locked {
        dir: dir.to_owned(),
        pid: pid.trim().parse().ok(),
    }
}

fn write_pid(file: &mut File) -> io::Result<()> {
    let line = format!("{}\n", std::process::id());
    file.rewind()?;
    // Over the last one, which needs no room on a full disk.
    file.write_all(line.as_bytes())?;
    file.set_len(line.len() as u64)
}
