//! Which of a tenant's connections has been idle for longest, found without looking at all of them.
//!
//! Sessions are looked at a few hundred at a time, round and round, and the best of those seen are
//! kept, as Redis does for its keys (its "eviction pool"): with few sessions the answer is exact, with
//! many it is one of the longest idle.

use base::TenantId;

use crate::session::SessionId;
use crate::{Backend, Shard};

/// Sessions looked at in one go.
const LOOK_LEN: usize = 256;
/// How often it is looked before one in the middle of a request has to do.
const LOOKS_FOR_IDLE: usize = 4;
/// Sessions kept of those that were looked at.
const POOL_LEN: usize = 16;

/// Where the look around stands, and what it has found.
#[derive(Debug, Default)]
pub(crate) struct IdleSearch {
    /// The tenant's place in the shard.
    tenant: u32,
    /// The session to be looked at next.
    next: usize,
    /// Longest idle last.
    pool: Vec<Candidate>,
}

/// A session and how it was when it was seen: between requests or not, active last when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    is_busy: bool,
    active_s: u32,
    id: SessionId,
    link: u64,
}

impl<B: Backend> Shard<B> {
    /// The link of the tenant's connection that has been idle for longest, to be closed in favour of
    /// another tenant's; `None` if it has none here. Either way this answers one
    /// [`next_displaced`](crate::Door::next_displaced).
    pub fn displace(&mut self, tenant: TenantId) -> Option<u64> {
        let figures = self.figures.tenant(tenant);
        let figures = figures.of_loop(self.config.loop_index);
        figures.displacements.add(1);
        let longest_idle = self.longest_idle(tenant)?;
        figures.displaced.add(1);
        Some(longest_idle)
    }

    fn longest_idle(&mut self, tenant: TenantId) -> Option<u64> {
        let slot = *self.tenant_slots.get(&tenant)?;
        if self.tenants.get(slot as usize)?.sessions == 0 {
            return None;
        }
        let mut search = std::mem::take(&mut self.idle_search);
        if search.tenant != slot {
            search.pool.clear();
            search.tenant = slot;
        }
        search
            .pool
            .retain(|seen| self.look_at(slot, seen.id.0 as usize) == Some(*seen));
        let all = self.sessions.capacity();
        let mut looked = 0;
        while looked < all {
            self.look_around(&mut search);
            looked += LOOK_LEN;
            match search.pool.last() {
                // One that is between requests is worth some more looks.
                Some(best) if !best.is_busy || looked >= LOOKS_FOR_IDLE * LOOK_LEN => break,
                _ => {}
            }
        }
        let found = search.pool.pop();
        self.idle_search = search;
        found.map(|candidate| candidate.link)
    }

    /// Looks at the next few sessions.
    fn look_around(&self, search: &mut IdleSearch) {
        for _ in 0..LOOK_LEN.min(self.sessions.capacity()) {
            let key = search.next;
            search.next = (key + 1) % self.sessions.capacity();
            let Some(seen) = self.look_at(search.tenant, key) else {
                continue;
            };
            let place = search.pool.partition_point(|other| *other > seen);
            if search.pool.get(place) != Some(&seen) {
                search.pool.insert(place, seen);
            }
            if search.pool.len() > POOL_LEN {
                search.pool.remove(0);
            }
        }
    }

    fn look_at(&self, slot: u32, key: usize) -> Option<Candidate> {
        let session = self
            .sessions
            .get(key)
            .filter(|session| session.tenant == slot)?;
        let id = SessionId(u32::try_from(key).ok()?);
        Some(Candidate {
            is_busy: session.queued
                || session.transfer.is_some()
                || !session.unsent.is_empty()
                || self.is_mid_request(id),
            active_s: session.active_s,
            id,
            link: session.link,
        })
    }
}

#[cfg(test)]
#[path = "displace_test.rs"]
mod tests;
