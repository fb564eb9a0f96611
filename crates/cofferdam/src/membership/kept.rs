//! What a member keeps of the fleet on its own disk, so that it can start while the store is away.

use std::path::Path;

use base::fleet::MemberId;
use fleet::registry::USE_PREFIX;
use runtime::store::{Entry, Revision, Snapshot};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::files;

/// Who it is, and what the store held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The fleet's name.
    pub(crate) fleet: String,
    /// This member's name.
    pub(crate) name: String,
    member: u32,
    /// Numbers of runs that the store gave to this member and that none has had yet.
    pub(crate) runs: Vec<u32>,
    revision: u64,
    entries: Vec<(String, String, u64)>,
}

impl Kept {
    /// Of a member that has just joined.
    pub(crate) fn new(fleet: &str, name: &str, member: MemberId, runs: Vec<u32>) -> Self {
        Self {
            fleet: fleet.to_owned(),
            name: name.to_owned(),
            member: member.0,
            runs,
            ..Self::default()
        }
    }

    /// What lies in `path`; `None` if nothing does, or nothing that can be read, which the log tells.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let bytes = std::fs::read(path).ok()?;
        match serde_json::from_slice(&bytes) {
            Ok(kept) => Some(kept),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "what was kept of the fleet is lost");
                None
            }
        }
    }

    /// Puts it in `path`, whole or not at all, for this user alone: it holds what passwords are
    /// compared with, and the secret of the keys' places.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        files::write_private(path, &serde_json::to_vec(self)?)
    }

    /// This member.
    pub(crate) fn member(&self) -> MemberId {
        MemberId(self.member)
    }

    /// Keeps what the store holds. What is no text is of a later release, and is not kept.
    pub(crate) fn keep(&mut self, snapshot: &Snapshot) {
        self.revision = snapshot.revision.0;
        let lasting = (snapshot.entries.iter()).filter(|e| !e.key.starts_with(USE_PREFIX));
        let entries = lasting.filter_map(|entry| {
            let value = String::from_utf8(entry.value.clone()).ok()?;
            Some((entry.key.clone(), value, entry.revision.0))
        });
        self.entries = entries.collect();
    }

    /// What the store held.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let entries = self.entries.iter().map(|(key, value, revision)| Entry {
            key: key.clone(),
            value: value.clone().into_bytes(),
            revision: Revision(*revision),
        });
        Snapshot {
            revision: Revision(self.revision),
            entries: entries.collect(),
        }
    }
}

#[cfg(test)]
#[path = "kept_test.rs"]
mod tests;
