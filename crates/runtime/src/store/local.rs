//! The store in the embedded state file, for a fleet on one machine: one process has it open.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use base::Timestamp;

use super::{Change, Commit, Detail, LeaseId, Revision, Snapshot, Store, StoreError};
use crate::Clock;
use crate::state::{Changed, State};

/// Changes that are remembered for those who wait; who asks for older ones is told that something
/// has changed.
const REMEMBERED: usize = 1024;

/// A view of an open state as a store.
#[derive(Debug)]
pub struct LocalStore {
    state: Arc<State>,
    clock: Clock,
    log: Mutex<Log>,
    changed: Condvar,
}

/// Which keys changed at which revisions.
#[derive(Debug, Default)]
struct Log {
    /// What happened up to here is not known.
    from: Revision,
    changes: VecDeque<(Revision, Vec<String>)>,
}

impl LocalStore {
    /// The store in `state`, whose leases end by `clock`.
    pub fn new(state: Arc<State>, clock: Clock) -> Result<Self, StoreError> {
        let from = state.pairs_revision()?;
        let log = Log {
            from,
            ..Log::default()
        };
        Ok(Self {
            state,
            clock,
            log: Mutex::new(log),
            changed: Condvar::new(),
        })
    }

    /// Ends the leases whose time has come, as etcd does by itself. When the next one ends.
    fn sweep(&self) -> Result<Option<Timestamp>, StoreError> {
        for lease in self.state.pairs_ended(self.clock.now())? {
            self.revoke(lease)?;
        }
        Ok(self.state.pairs_next_end()?)
    }

    fn note(&self, revision: Revision, touched: Vec<String>) {
        if touched.is_empty() {
            return;
        }
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.changes.push_back((revision, touched));
        while log.changes.len() > REMEMBERED {
            if let Some((forgotten, _)) = log.changes.pop_front() {
                log.from = log.from.max(forgotten);
            }
        }
        self.changed.notify_all();
    }
}

impl Log {
    fn has(&self, prefix: &str, after: Revision) -> bool {
        let later = self
            .changes
            .iter()
            .filter(|(revision, _)| *revision > after);
        let mut keys = later.flat_map(|(_, keys)| keys);
        after < self.from || keys.any(|key| key.starts_with(prefix))
    }
}

impl Store for LocalStore {
    fn range(&self, prefix: &str, detail: Detail) -> Result<Snapshot, StoreError> {
        self.sweep()?;
        Ok(self.state.pairs_range(prefix, detail)?)
    }

    fn commit(&self, change: &Change) -> Result<Commit, StoreError> {
        self.sweep()?;
        match self.state.pairs_change(change)? {
            Changed::Lost => Ok(Commit::Lost),
            Changed::NoLease => Err(StoreError::Refused("lease not found".to_owned())),
            Changed::Made(revision, touched) => {
                self.note(revision, touched);
                Ok(Commit::Made(revision))
            }
        }
    }

    fn wait(&self, prefix: &str, after: Revision, patience: Duration) -> Result<bool, StoreError> {
        let end = self.clock.now() + patience;
        loop {
            let next_end = self.sweep()?.unwrap_or(end);
            let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            if log.has(prefix, after) {
                return Ok(true);
            }
            let now = self.clock.now();
            if now >= end {
                return Ok(false);
            }
            let pause = next_end.min(end).since(now).max(Duration::from_millis(1));
            drop(self.changed.wait_timeout(log, pause));
        }
    }

    fn grant(&self, ttl: Duration) -> Result<LeaseId, StoreError> {
        let ttl_s = ttl.as_millis().div_ceil(1000).max(1);
        let ttl_s = u32::try_from(ttl_s).unwrap_or(u32::MAX);
        let lease = self.state.pairs_grant(ttl_s, self.clock.now())?;
        // Who waits may have to wake earlier now.
        self.changed.notify_all();
        Ok(lease)
    }

    fn keep_alive(&self, lease: LeaseId) -> Result<bool, StoreError> {
        self.sweep()?;
        Ok(self.state.pairs_keep_alive(lease, self.clock.now())?)
    }

    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        let (revision, touched) = self.state.pairs_revoke(lease)?;
        self.note(revision, touched);
        Ok(())
    }
}

#[cfg(test)]
#[path = "local_test.rs"]
mod tests;
