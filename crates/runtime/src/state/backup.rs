//! Copies of the state out of a running store, and back into a stopped one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::store::{Store, unsound_or_sqlite};
use super::{DirLock, STATE_FILE, StateError, create_private_dir};

/// A database whose changes go into the file itself.
const ROLLBACK_JOURNAL: u8 = 1;

/// Puts the backup in `file` in the place of the state of `dir`; nothing may be using `dir`.
///
/// `file` is checked whole, and brought up to date, before anything is replaced. Returns where the
/// state that was there before is kept (`state.db.bak`), if there was one.
pub fn restore(dir: &Path, file: &Path) -> Result<Option<PathBuf>, StateError> {
    create_private_dir(dir).map_err(|e| StateError::io("create data directory", dir, e))?;
    let _lock = DirLock::take(dir)?;
    let incoming = dir.join("state.db.incoming");
    let checked = check(file).and_then(|()| prepare(file, &incoming));
    if let Err(error) = checked {
        remove_database(&incoming).map_err(|e| StateError::io("remove", &incoming, e))?;
        return Err(error);
    }
    let current = dir.join(STATE_FILE);
    let kept = keep_old(&current, &dir.join("state.db.bak"))?;
    fs::rename(&incoming, &current).map_err(|e| StateError::io("replace", &current, e))?;
    sync(dir)?;
    Ok(kept)
}

/// The bytes of a consistent copy of `store`, made in memory: the disk may be full.
pub(super) fn snapshot(store: &mut Store) -> Result<Vec<u8>, StateError> {
    let mut bytes = store.connection_mut().serialize("main")?.to_vec();
    // Marked as in WAL mode it could not be opened from a read-only place. The bytes are the versions
    // of the format for writers and for readers: https://www.sqlite.org/fileformat2.html#file_format_version_numbers
    if let Some(versions) = bytes.get_mut(18..20) {
        versions.fill(ROLLBACK_JOURNAL);
    }
    Ok(bytes)
}

/// Whether every page, index and reference of the database holds.
fn check(file: &Path) -> Result<(), StateError> {
    File::open(file).map_err(|e| StateError::io("read backup", file, e))?;
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let verdict: String = connection
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .map_err(|e| unsound_or_sqlite(file, e))?;
    if verdict != "ok" {
        return Err(StateError::unsound(file, verdict));
    }
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == 0 {
        return Err(StateError::unsound(file, "it is empty"));
    }
    Ok(())
}

/// Copies `file` to `incoming`, brings the copy up to date and reads all of it once.
fn prepare(file: &Path, incoming: &Path) -> Result<(), StateError> {
    remove_database(incoming).map_err(|e| StateError::io("remove", incoming, e))?;
    let bytes = fs::read(file).map_err(|e| StateError::io("read backup", file, e))?;
    write_private(incoming, &bytes).map_err(|e| StateError::io("write", incoming, e))?;
    let store = Store::open(incoming).map_err(|e| about(file, e))?;
    store.tenants().map_err(|e| about(file, e))?;
    store.credentials().map_err(|e| about(file, e))?;
    checkpoint(store.connection())?;
    drop(store);
    sync(incoming)
}

/// The user knows the file that he gave, not the copy.
fn about(file: &Path, error: StateError) -> StateError {
    let path = file.to_owned();
    match error {
        StateError::Newer { found, known, .. } => StateError::Newer { path, found, known },
        StateError::Unsound { detail, .. } => StateError::Unsound { path, detail },
        StateError::Sqlite(source) | StateError::Database { source, .. } => {
            StateError::unsound(file, source)
        }
        other => other,
    }
}

/// Moves the present state aside, with what its log still holds folded in.
fn keep_old(current: &Path, kept: &Path) -> Result<Option<PathBuf>, StateError> {
    if !current.exists() {
        return Ok(None);
    }
    // A state too damaged to open is no reason to refuse its replacement: its files are kept as is.
    if let Ok(connection) = Connection::open(current) {
        let _ = checkpoint(&connection);
    }
    remove_database(kept).map_err(|e| StateError::io("remove", kept, e))?;
    for suffix in ["-wal", "-shm", ""] {
        let (from, to) = (with_suffix(current, suffix), with_suffix(kept, suffix));
        match fs::rename(&from, &to) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(StateError::io("move aside", &from, e));
            }
            _ => {}
        }
    }
    Ok(Some(kept.to_owned()))
}

fn checkpoint(connection: &Connection) -> Result<(), StateError> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync(path: &Path) -> Result<(), StateError> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|e| StateError::io("write", path, e))
}

fn remove_database(path: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        match fs::remove_file(with_suffix(path, suffix)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
#[path = "backup_test.rs"]
mod tests;
