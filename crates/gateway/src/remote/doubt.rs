//! Keys of which nobody knows whether a node still holds what a client takes to be replaced or gone.

use std::collections::BTreeSet;

use base::TenantId;

/// Keys that are remembered for one node; beyond them whole tenants are emptied on it.
const KEYS_MAX: usize = 16 * 1024;

/// A key of a tenant.
pub(super) type Doomed = (TenantId, Vec<u8>);

/// What must be removed from one node before anything is read from it again.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// To be removed as soon as the node is reached.
    doomed: BTreeSet<Doomed>,
    /// Tenants of which there were too many keys.
    emptied: BTreeSet<TenantId>,
}

impl Doubts {
    /// A change that was answered for the node, whether it got there or not.
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

    /// Keys that are remembered, and tenants of which there were too many.
    pub(super) fn len(&self) -> usize {
        self.doomed.len() + self.emptied.len()
    }
}

#[cfg(test)]
#[path = "doubt_test.rs"]
mod tests;
