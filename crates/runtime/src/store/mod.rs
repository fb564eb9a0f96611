//! Where a fleet keeps what all of its processes must agree on: the embedded file, or etcd.
//!
//! Keys and values under revisions, changed by transactions that compare first; leases, which take
//! their keys with them when they end; and waiting for a change. Every method here waits for an
//! answer, so none belongs in an event loop or before a request: processes serve by what a
//! [`Follower`] last handed on.

mod etcd;
mod follower;
mod local;
mod transport;
mod wire;

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod etcd_server;

use std::fmt::Debug;
use std::time::Duration;

pub use etcd::{EtcdStore, connect};
pub use follower::{Follower, Known, Source};
pub use local::LocalStore;
pub use transport::{EtcdConfig, EtcdTls};

use crate::state::StateError;

/// Grows by one with every change that the store takes; 0 for a key that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

/// A lease, by the store's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub u64);

/// A key, its value, and the change that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value; empty where only keys were asked for.
    pub value: Vec<u8>,
    /// The revision of its latest write.
    pub revision: Revision,
}

/// All keys with a prefix, as they were at one moment that was not before the question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The store's revision at that moment.
    pub revision: Revision,
    /// By key.
    pub entries: Vec<Entry>,
}

impl Snapshot {
    /// The entry of `key`, if it is there.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        let at = (self.entries).binary_search_by(|entry| entry.key.as_str().cmp(key));
        at.ok().map(|at| &self.entries[at])
    }
}

/// Which part of entries is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Keys and revisions alone.
    Keys,
    /// Values too.
    Values,
}

/// One write of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Give the key this value; it ends with the lease, if it has one.
    Put {
        /// The key.
        key: String,
        /// Its value.
        value: Vec<u8>,
        /// The lease that it ends with.
        lease: Option<LeaseId>,
    },
    /// Remove the key, if it is there.
    Delete {
        /// The key.
        key: String,
    },
}

/// A change that is made whole or not at all. No key is written twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Only if each of these keys was last written at this revision; 0: is not there.
    pub compares: Vec<(String, Revision)>,
    /// What to write then.
    pub writes: Vec<Write>,
}

impl Change {
    /// With one more condition.
    #[must_use]
    pub fn only_if(mut self, key: &str, revision: Revision) -> Self {
        self.compares.push((key.to_owned(), revision));
        self
    }

    /// With one more key to be written.
    #[must_use]
    pub fn put(mut self, key: &str, value: impl Into<Vec<u8>>) -> Self {
        self.writes.push(Write::Put {
            key: key.to_owned(),
            value: value.into(),
            lease: None,
        });
        self
    }

    /// With one more key to be written, that ends with `lease`.
    #[must_use]
    pub fn put_leased(mut self, key: &str, value: impl Into<Vec<u8>>, lease: LeaseId) -> Self {
        self.writes.push(Write::Put {
            key: key.to_owned(),
            value: value.into(),
            lease: Some(lease),
        });
        self
    }

    /// With one more key to be removed.
    #[must_use]
    pub fn delete(mut self, key: &str) -> Self {
        let key = key.to_owned();
        self.writes.push(Write::Delete { key });
        self
    }
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// Made, as this revision.
    Made(Revision),
    /// Somebody else was first: a comparison failed, and nothing was written.
    Lost,
}

/// Why a store did not answer as asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or did not answer in time. A change may have been made or not: read.
    #[error("the store cannot be reached: {0}")]
    Unavailable(String),
    /// It refused: a lease that has ended, a wrong certificate, no right.
    #[error("the store refused: {0}")]
    Refused(String),
    /// It answered what makes no sense.
    #[error("the store answered {0}: is it etcd 3.4 or later?")]
    Nonsense(String),
    /// How to reach it is misconfigured.
    #[error("{0}")]
    Config(String),
    /// The embedded state failed.
    #[error(transparent)]
    State(#[from] StateError),
}

/// A store. All implementations pass one suite (`conformance`).
pub trait Store: Debug + Send + Sync {
    /// All keys that begin with `prefix`, at one moment after the question.
    fn range(&self, prefix: &str, detail: Detail) -> Result<Snapshot, StoreError>;

    /// Makes a change, if what it compares is so.
    fn commit(&self, change: &Change) -> Result<Commit, StoreError>;

    /// Waits until a key with `prefix` was written or removed after the revision `after`, and says
    /// true; or false once `patience` has passed. It may say true for nothing.
    fn wait(&self, prefix: &str, after: Revision, patience: Duration) -> Result<bool, StoreError>;

    /// A new lease that ends `ttl` after its last sign of life, rounded up to seconds; a store may
    /// make it longer.
    fn grant(&self, ttl: Duration) -> Result<LeaseId, StoreError>;

    /// A sign of life; false if the lease has ended.
    fn keep_alive(&self, lease: LeaseId) -> Result<bool, StoreError>;

    /// Ends a lease, and removes its keys; one that has ended already is none.
    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError>;
}
