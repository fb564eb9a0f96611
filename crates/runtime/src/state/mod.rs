//! Tenants and credentials, kept durably in one SQLite file that one process opens.
//!
//! [`State::open`] takes the data directory's lock and starts a thread that owns the file; every
//! method here asks that thread and waits for the answer, so none of them belongs in an event loop.
//! A change that has returned is on disk.

mod backup;
mod error;
mod lock;
mod pairs;
mod record;
mod schema;
mod store;
mod traffic;
mod volume;

use std::path::Path;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use base::{CredentialId, TenantId, Timestamp, TrafficLimits};

pub use backup::restore;
pub use error::StateError;
pub use lock::{DirLock, create_private_dir};
pub use record::{CredentialRecord, NewCredential, NewTenant, TenantRecord};
pub use volume::{NewVolume, VolumeLimits, VolumeRecord};

pub(crate) use pairs::Changed;
use store::Store;

use crate::store::{Change, Detail, LeaseId, Revision, Snapshot};

/// The open tenant `default`: it has no record and no credential, and no other gets its number.
pub const DEFAULT_TENANT: TenantId = TenantId(1);

/// Name of the database within the data directory.
pub const STATE_FILE: &str = "state.db";

type Job = Box<dyn FnOnce(&mut Store) + Send>;

/// The open state of one data directory, for as long as this value lives.
#[derive(Debug)]
pub struct State {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl State {
    /// Creates `dir` if it is missing, locks it, opens its state and brings an older one up to date.
    ///
    /// [`StateError::Locked`] says that another process serves this directory.
    pub fn open(dir: &Path) -> Result<Self, StateError> {
        let lock = DirLock::take(dir)?;
        let store = Store::open(&dir.join(STATE_FILE))?;
        let (jobs, inbox) = mpsc::channel::<Job>();
        let thread = thread::Builder::new()
            .name("state".into())
            .spawn(move || serve(store, lock, &inbox))
            .map_err(|source| StateError::io("start a thread for", dir, source))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// All tenants but `default`, by name.
    pub fn tenants(&self) -> Result<Vec<TenantRecord>, StateError> {
        self.ask(|store| store.tenants())
    }

    /// All credentials that are not revoked, oldest first.
    pub fn credentials(&self) -> Result<Vec<CredentialRecord>, StateError> {
        self.ask(|store| store.credentials())
    }

    /// User names of all credentials, the revoked ones of tenants that are there included.
    pub fn usernames(&self) -> Result<Vec<String>, StateError> {
        self.ask(|store| store.usernames())
    }

    /// Adds a tenant with its first credential, both or neither.
    pub fn add_tenant(
        &self,
        tenant: NewTenant,
        credential: NewCredential,
    ) -> Result<(TenantRecord, CredentialRecord), StateError> {
        self.ask(move |store| store.add_tenant(&tenant, &credential))
    }

    /// Changes what a tenant may hold and take, all of it or nothing.
    pub fn set_limits(
        &self,
        id: TenantId,
        quota_bytes: u64,
        item_size_max: u32,
        traffic: TrafficLimits,
    ) -> Result<(), StateError> {
        self.ask(move |store| store.set_limits(id, quota_bytes, item_size_max, &traffic))
    }

    /// What [`DEFAULT_TENANT`] may take beside memory.
    pub fn traffic_of_default(&self) -> Result<TrafficLimits, StateError> {
        self.ask(|store| {
            let all = traffic::read(store.connection())?;
            Ok(all.get(&DEFAULT_TENANT).copied().unwrap_or_default())
        })
    }

    /// Changes what [`DEFAULT_TENANT`] may take beside memory.
    pub fn set_traffic_of_default(&self, limits: TrafficLimits) -> Result<(), StateError> {
        self.ask(move |store| {
            let transaction = store.transaction()?;
            traffic::write(&transaction, DEFAULT_TENANT, &limits)?;
            Ok(transaction.commit()?)
        })
    }

    /// Removes a tenant and its credentials; their numbers are not used again.
    pub fn remove_tenant(&self, id: TenantId) -> Result<(), StateError> {
        self.ask(move |store| store.remove_tenant(id))
    }

    /// Adds a credential; a primary one takes that place from the one that had it.
    pub fn add_credential(
        &self,
        tenant: TenantId,
        credential: NewCredential,
    ) -> Result<CredentialRecord, StateError> {
        self.ask(move |store| store.add_credential(tenant, &credential))
    }

    /// Makes a credential the primary one of its tenant.
    pub fn promote(&self, id: CredentialId) -> Result<(), StateError> {
        self.ask(move |store| store.promote(id))
    }

    /// Ends a credential; its record stays, with the time of its end.
    pub fn revoke(&self, id: CredentialId) -> Result<(), StateError> {
        self.ask(move |store| store.revoke(id))
    }

    /// All volumes, by tenant and name.
    pub fn volumes(&self) -> Result<Vec<VolumeRecord>, StateError> {
        self.ask(|store| volume::all(store.connection()))
    }

    /// Adds a volume.
    pub fn add_volume(&self, new: NewVolume) -> Result<VolumeRecord, StateError> {
        self.ask(move |store| volume::add(store.connection(), &new))
    }

    /// Removes a volume; its number is not used again.
    pub fn remove_volume(&self, id: u64) -> Result<(), StateError> {
        self.ask(move |store| volume::remove(store.connection(), id))
    }

    /// Changes what is known of a volume's size.
    pub fn set_volume_size(&self, id: u64, size_bytes: u64) -> Result<(), StateError> {
        self.ask(move |store| volume::set_size(store.connection(), id, size_bytes))
    }

    /// Changes what a volume may take.
    pub fn set_volume_limits(&self, id: u64, limits: VolumeLimits) -> Result<(), StateError> {
        self.ask(move |store| volume::set_limits(store.connection(), id, &limits))
    }

    /// A remark kept under `key`, for instance what the daemon last ran with.
    pub fn remark(&self, key: &'static str) -> Result<Option<String>, StateError> {
        self.ask(move |store| store.remark(key))
    }

    /// Keeps `value` under `key`.
    pub fn set_remark(&self, key: &'static str, value: String) -> Result<(), StateError> {
        self.ask(move |store| store.set_remark(key, &value))
    }

    /// What [`LocalStore`](crate::store::LocalStore) offers as `range`, without ending leases.
    pub(crate) fn pairs_range(&self, prefix: &str, detail: Detail) -> Result<Snapshot, StateError> {
        let prefix = prefix.to_owned();
        self.ask(move |store| pairs::range(store.connection(), &prefix, detail))
    }

    pub(crate) fn pairs_change(&self, change: &Change) -> Result<Changed, StateError> {
        let change = change.clone();
        self.ask(move |store| {
            let transaction = store.transaction()?;
            let changed = pairs::change(&transaction, &change)?;
            // Dropped, it takes back what was written.
            if matches!(changed, Changed::Made(..)) {
                transaction.commit()?;
            }
            Ok(changed)
        })
    }

    pub(crate) fn pairs_revision(&self) -> Result<Revision, StateError> {
        self.ask(|store| pairs::revision(store.connection()))
    }

    pub(crate) fn pairs_grant(&self, ttl_s: u32, now: Timestamp) -> Result<LeaseId, StateError> {
        self.ask(move |store| {
            let transaction = store.transaction()?;
            let lease = pairs::grant(&transaction, ttl_s, now)?;
            transaction.commit()?;
            Ok(lease)
        })
    }

    pub(crate) fn pairs_keep_alive(
        &self,
        lease: LeaseId,
        now: Timestamp,
    ) -> Result<bool, StateError> {
        self.ask(move |store| {
            let transaction = store.transaction()?;
            let kept = pairs::keep_alive(&transaction, lease, now)?;
            transaction.commit()?;
            Ok(kept)
        })
    }

    pub(crate) fn pairs_revoke(
        &self,
        lease: LeaseId,
    ) -> Result<(Revision, Vec<String>), StateError> {
        self.ask(move |store| {
            let transaction = store.transaction()?;
            let revoked = pairs::revoke(&transaction, lease)?;
            transaction.commit()?;
            Ok(revoked)
        })
    }

    pub(crate) fn pairs_ended(&self, now: Timestamp) -> Result<Vec<LeaseId>, StateError> {
        self.ask(move |store| pairs::ended(store.connection(), now))
    }

    pub(crate) fn pairs_next_end(&self) -> Result<Option<Timestamp>, StateError> {
        self.ask(|store| pairs::next_end(store.connection()))
    }

    /// The whole state as the bytes of a SQLite file, consistent at one moment; serving goes on.
    pub fn backup(&self) -> Result<Vec<u8>, StateError> {
        self.ask(backup::snapshot)
    }

    /// Closes the file, lets go of the lock, and waits until that is done; whoever asks afterwards is
    /// told [`StateError::Closed`].
    pub fn close(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
    }

    fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, StateError> {
        let (answer, wait) = mpsc::sync_channel(1);
        let job: Job = Box::new(move |store| {
            // Nobody waits any more only if the asking thread has died.
            let done = job(store).map_err(|e| e.at(store.path()));
            let _ = answer.send(done);
        });
        let jobs = self.jobs.as_ref().ok_or(StateError::Closed)?;
        jobs.send(job).map_err(|_| StateError::Closed)?;
        wait.recv().map_err(|_| StateError::Closed)?
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.close();
    }
}

fn serve(mut store: Store, lock: DirLock, inbox: &mpsc::Receiver<Job>) {
    for job in inbox {
        job(&mut store);
    }
    drop(store);
    drop(lock);
}

#[cfg(test)]
#[path = "state_test.rs"]
mod tests;
