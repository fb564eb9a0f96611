//! Whose a connection is, by its client's address.

use std::collections::HashSet;

use base::TenantId;

use crate::session::Peer;
use crate::{Backend, Shard};

impl<B: Backend> Shard<B> {
    /// The tenants of this shard's connections from these clients; looks through all of them.
    pub fn owners(&self, clients: &HashSet<Peer>) -> Vec<(Peer, TenantId)> {
        let wanted = self
            .sessions
            .iter()
            .filter(|(_, session)| clients.contains(&session.peer));
        wanted
            .filter_map(|(_, session)| {
                let tenant = self.tenants.get(session.tenant as usize)?;
                Some((session.peer, tenant.id))
            })
            .collect()
    }
}

#[cfg(test)]
#[path = "owners_test.rs"]
mod tests;
