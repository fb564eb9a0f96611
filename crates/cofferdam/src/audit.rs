//! Who changed what: a line for each action of a person, in a journal of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use base::Timestamp;
use runtime::observe::{Journal, read_journal};
use serde::{Deserialize, Serialize};

/// Where it is, in the data directory.
pub(crate) const AUDIT: &str = "audit.jsonl";
/// Each of its two files.
const FILE_LEN_MAX: u64 = 8 << 20;

/// One action.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Entry {
    /// RFC 3339, in UTC.
    pub(crate) at: String,
    /// `operator`, or the user name that a tenant logged in with.
    pub(crate) who: String,
    /// His address.
    pub(crate) from: String,
    /// `limit`, `flush`, `rotate`, `drain` …
    pub(crate) action: String,
    #[serde(default)]
    pub(crate) tenant: Option<String>,
    /// To which node, where it was none to a tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) node: Option<String>,
    /// What exactly, in words; never a secret.
    pub(crate) detail: String,
    /// `done`, or why it was not.
    pub(crate) outcome: String,
}

/// The journal.
#[derive(Debug)]
pub(crate) struct Audit {
    path: PathBuf,
    journal: Mutex<Journal>,
}

impl Audit {
    /// In the data directory `dir`.
    pub(crate) fn open(dir: &Path) -> Self {
        let path = dir.join(AUDIT);
        let journal = Mutex::new(Journal::new(&path, FILE_LEN_MAX));
        Self { path, journal }
    }

    /// Writes an entry; the log tells it as well, and says if it could not be written.
    pub(crate) fn write(&self, entry: &Entry) {
        let Entry {
            who,
            from,
            action,
            tenant,
            node,
            detail,
            outcome,
            ..
        } = entry;
        tracing::info!(who, from, action, tenant, node, detail, outcome, "console");
        let line = serde_json::to_string(entry).map_err(io::Error::other);
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = line.and_then(|line| journal.append(&line)) {
            tracing::error!(%error, journal = %self.path.display(), "an action is not on record");
        }
    }

    /// The last `count` entries, the newest first.
    pub(crate) fn last(&self, count: usize) -> io::Result<Vec<Entry>> {
        let lines = read_journal(&self.path)?;
        let entries = lines.iter().rev();
        let entries = entries.filter_map(|line| serde_json::from_str(line).ok());
        Ok(entries.take(count).collect())
    }
}

/// A time as entries have it.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    let since_epoch = Duration::from_nanos(at.as_nanos());
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since_epoch).to_string()
}

#[cfg(test)]
#[path = "audit_test.rs"]
mod tests;
