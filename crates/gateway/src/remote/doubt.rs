//! Keys of which nobody knows whether a node still holds what a client takes to be replaced or gone.

use std::collections::{BTreeSet, HashMap};

use base::TenantId;
use node_proto::RequestId;

/// Keys that are remembered for one node; beyond them whole tenants are emptied on it.
const KEYS_MAX: usize = 16 * 1024;

/// A key of a tenant.
pub(super) type Doomed = (TenantId, Vec<u8>);

/// What must be removed from one node before anything is read from it again, and what may have to be.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// To be removed as soon as the node is reached.
    doomed: BTreeSet<Doomed>,
    /// Tenants of which there were too many keys.
    emptied: BTreeSet<TenantId>,
    /// Changes that were answered for the node and that it has, as far as is known: if the
    /// connection holds it deals with them itself.
    unanswered: HashMap<RequestId, Doomed>,
}

impl Doubts {
    /// A change that never got to the node.
    pub(super) fn doom(&mut self, tenant: TenantId, key: &[u8]) {
        if self.emptied.contains(&tenant) {
            return;
        }
        if self.doomed.len() >= KEYS_MAX {
            self.empty(tenant);
            return;
        }
        self.doomed.insert((tenant, key.to_vec()));
    }

    /// All of a tenant is to go.
    pub(super) fn empty(&mut self, tenant: TenantId) {
        self.doomed.retain(|(other, _)| *other != tenant);
        self.emptied.insert(tenant);
    }

    /// A change that was sent and is not waited for any more.
    pub(super) fn wait_for(&mut self, id: RequestId, tenant: TenantId, key: Vec<u8>) {
        if self.unanswered.len() >= KEYS_MAX {
            // It is dealt with as if the connection were lost already.
            self.doom(tenant, &key);
            return;
        }
        self.unanswered.insert(id, (tenant, key));
    }

    /// The answer has come after all; of which change, if there was one.
    pub(super) fn answered(&mut self, id: RequestId) -> Option<Doomed> {
        match self.unanswered.is_empty() {
            true => None,
            false => self.unanswered.remove(&id),
        }
    }

    /// The connection is lost, and with it whatever was to answer on it.
    pub(super) fn lose(&mut self) {
        for (_, (tenant, key)) in std::mem::take(&mut self.unanswered) {
            self.doom(tenant, &key);
        }
    }

    /// What is to be removed now, tenants to be emptied first.
    pub(super) fn take(&mut self) -> (BTreeSet<TenantId>, BTreeSet<Doomed>) {
        (
            std::mem::take(&mut self.emptied),
            std::mem::take(&mut self.doomed),
        )
    }

    pub(super) fn has_doomed(&self) -> bool {
        !self.doomed.is_empty() || !self.emptied.is_empty()
    }

    /// Keys that are remembered.
    pub(super) fn len(&self) -> usize {
        self.doomed.len() + self.unanswered.len()
    }
}

#[cfg(test)]
#[path = "doubt_test.rs"]
mod tests;
