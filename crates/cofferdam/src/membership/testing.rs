//! A store in a file of its own, for tests of what members write to it.

use std::sync::Arc;

use fleet::registry::{Registry, Role};
use runtime::Clock;
use runtime::state::State;
use runtime::store::{Detail, LocalStore, Store};
use tempfile::TempDir;

use super::join::{Candidate, Joined, join};

/// A folder for files, and a store in it.
pub(super) struct TestStore {
    pub(super) dir: TempDir,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Clock,
}

impl TestStore {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(&dir.path().join("store")).unwrap();
        let clock = Clock::new();
        let store = LocalStore::new(Arc::new(state), clock).unwrap();
        Self {
            dir,
            store: Arc::new(store),
            clock,
        }
    }

    pub(super) fn registry(&self) -> Registry {
        let snapshot = self.store.range("", Detail::Values).unwrap();
        let entries = snapshot.entries.iter();
        Registry::read(entries.map(|e| (e.key.as_str(), e.value.as_slice())))
    }

    pub(super) fn file(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(format!("{name}.json"))
    }

    pub(super) fn join(&self, name: &str, role: Role) -> Joined {
        let patience = std::time::Duration::ZERO;
        let file = self.file(name);
        join(
            &candidate(name, role),
            &self.store,
            &file,
            self.clock,
            patience,
        )
        .unwrap()
    }
}

pub(super) fn candidate(name: &str, role: Role) -> Candidate {
    Candidate {
        fleet: "main".to_owned(),
        name: name.to_owned(),
        role,
        address: "127.0.0.1:1".to_owned(),
        weight: 100,
        founding: std::time::Duration::from_secs(60),
        memory_bytes: 1 << 30,
    }
}
