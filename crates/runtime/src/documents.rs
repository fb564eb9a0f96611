//! Small texts by kind and key, kept durably in a SQLite file of bounded size of their own.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::{Connection, params};

const PAGE_BYTES: u32 = 4096;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DocumentsError {
    /// It cannot be made or opened.
    #[error("cannot open {path}: {source}")]
    Open {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite does not take it, or has no room left.
    #[error(
        "{path}: {source}: if another process has it, stop that; if it is damaged, move it away"
    )]
    Sqlite {
        /// The file.
        path: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

/// What is to be kept or forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// This text is kept under this kind and key.
    Put(&'static str, String, String),
    /// Nothing is kept under them any more.
    Remove(&'static str, String),
    /// Nothing of this kind is kept whose key comes before this one.
    RemoveBefore(&'static str, String),
}

/// An open file; no other process can open it as long as this value lives.
#[derive(Debug)]
pub struct Documents {
    connection: Connection,
    path: String,
}

impl Documents {
    /// Opens the file at `path`, for this user only, which never grows above `bytes_max`.
    pub fn open(path: &Path, bytes_max: u32) -> Result<Self, DocumentsError> {
        let shown = path.display().to_string();
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o600);
        options.open(path).map_err(|source| DocumentsError::Open {
            path: shown.clone(),
            source,
        })?;
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(path)?;
            connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.pragma_update(None, "max_page_count", bytes_max / PAGE_BYTES)?;
            connection.execute_batch(
                "CREATE TABLE IF NOT EXISTS document (
                    kind TEXT NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL,
                    PRIMARY KEY (kind, key)
                ) STRICT, WITHOUT ROWID",
            )?;
            Ok(connection)
        };
        match open() {
            Ok(connection) => Ok(Self {
                connection,
                path: shown,
            }),
            Err(source) => Err(DocumentsError::Sqlite {
                path: shown,
                source,
            }),
        }
    }

    /// Keys and texts of one kind, by key.
    pub fn all(&self, kind: &str) -> Result<Vec<(String, String)>, DocumentsError> {
        let read = || -> rusqlite::Result<Vec<(String, String)>> {
            let sql = "SELECT key, text FROM document WHERE kind = ?1 ORDER BY key";
            let mut query = self.connection.prepare_cached(sql)?;
            let rows = query.query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        };
        read().map_err(|source| self.failed(source))
    }

    /// Does all of this, or nothing.
    pub fn edit(&mut self, edits: &[Edit]) -> Result<(), DocumentsError> {
        let mut write = || -> rusqlite::Result<()> {
            let transaction = self.connection.transaction()?;
            for edit in edits {
                match edit {
                    Edit::Put(kind, key, text) => transaction.execute(
                        "INSERT INTO document (kind, key, text) VALUES (?1, ?2, ?3) \
                         ON CONFLICT (kind, key) DO UPDATE SET text = excluded.text",
                        params![kind, key, text],
                    )?,
                    Edit::Remove(kind, key) => transaction.execute(
                        "DELETE FROM document WHERE kind = ?1 AND key = ?2",
                        params![kind, key],
                    )?,
                    Edit::RemoveBefore(kind, key) => transaction.execute(
                        "DELETE FROM document WHERE kind = ?1 AND key < ?2",
                        params![kind, key],
                    )?,
                };
            }
            transaction.commit()
        };
        write().map_err(|source| DocumentsError::Sqlite {
            path: self.path.clone(),
            source,
        })
    }

    fn failed(&self, source: rusqlite::Error) -> DocumentsError {
        DocumentsError::Sqlite {
            path: self.path.clone(),
            source,
        }
    }
}

#[cfg(test)]
#[path = "documents_test.rs"]
mod tests;
