//! What can go wrong with the state, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why the state could not be opened, read or changed.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A file or folder could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
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
    /// SQLite refused.
    #[error("state database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The thread that owns the state has ended.
    #[error("the state is closed: restart the daemon and look at its log")]
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

    pub(super) fn unsound(path: &Path, detail: impl ToString) -> Self {
        Self::Unsound {
            path: path.to_owned(),
            detail: detail.to_string(),
        }
    }
}
