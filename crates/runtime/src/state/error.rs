//! What can go wrong with the state, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{ErrorCode, ffi};

/// Why the state could not be opened, read or changed.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A file or folder could not be used.
    #[error("cannot {action} {}: {source}{}", path.display(), remedy(source))]
    Io {
        /// What was tried, as an infinitive.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the data directory.
    #[error(
        "data directory {} is in use by {}: stop that process, or give another --data-dir",
        dir.display(),
        pid.map_or("another process".into(), |pid| format!("process {pid}"))
    )]
    Locked {
        /// The data directory.
        dir: PathBuf,
        /// Who holds it, as far as known.
        pid: Option<u32>,
    },
    /// Written by a later release.
    #[error(
        "{} has state version {found}, this release knows versions up to {known}: \
         run the release that wrote it, or restore an older backup",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest that this release reads.
        known: u32,
    },
    /// Not a file of ours, or a damaged one.
    #[error("{} is not a sound cofferdam state: {detail}", path.display())]
    Unsound {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The tenant or credential is not (or no longer) there.
    #[error("it no longer exists: list the tenants and try again")]
    Gone,
    /// A name is in use.
    #[error("the name {0:?} is in use: choose another")]
    NameTaken(String),
    /// There is no room for a change.
    #[error("the disk of {} is full: free space there, and run it again", path.display())]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// A change of what can only be read.
    #[error("{} can only be read: have its folder writable, or give another --data-dir", path.display())]
    ReadOnly {
        /// The database.
        path: PathBuf,
    },
    /// Changes that were never taken into the database, in a folder that can only be read.
    #[error(
        "{} has changes that must be taken into the state first, and its folder can only be read: \
         copy the folder to where it is writable, and give that with --data-dir",
        path.display()
    )]
    UntakenLog {
        /// The log beside the database.
        path: PathBuf,
    },
    /// SQLite refused.
    #[error("state database {}: {source}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// SQLite refused; which database, is said by whoever knows.
    #[error("state database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The state was given to a successor, or the thread that owned it has ended.
    #[error(
        "the state is closed: ask again, and if that goes on, restart the daemon and look at its log"
    )]
    Closed,
}

impl StateError {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }

    /// What SQLite said of the database at `path`.
    pub(super) fn at(self, path: &Path) -> Self {
        let Self::Sqlite(source) = self else {
            return self;
        };
        let path = path.to_owned();
        let extended = source.sqlite_error().map(|e| e.extended_code);
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path },
            _ if extended == Some(ffi::SQLITE_IOERR_SHMSIZE) => Self::Full { path },
            _ => Self::Database { path, source },
        }
    }

    pub(super) fn unsound(path: &Path, detail: impl ToString) -> Self {
        Self::Unsound {
            path: path.to_owned(),
            detail: detail.to_string(),
        }
    }
}

/// What an error of the system does not say itself.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull => ": free space there, and run it again",
        io::ErrorKind::ReadOnlyFilesystem => ": give a folder that is writable",
        io::ErrorKind::PermissionDenied => ": run this as the user who owns it",
        _ => "",
    }
}
