//! Copies of requests, for a node that is to show how it does before it has any key.
//!
//! They are carried out in a cache of their own, which is no tenant's: nothing in it can ever be the
//! answer to a request, whatever the ring does, and nothing of it counts for a tenant. A key is stored
//! there under its tenant's number in the place of an epoch, so that tenants do not meet. The cache is
//! made when the first copy comes, and given back when none has come for a minute.

use std::time::Duration;

use base::fleet::Epoch;
use base::{TenantId, Timestamp};
use gateway::Backend;
use node_proto::{Request, TenantTerms, Verdict};

use crate::key::{StampedKey, with_key};
use crate::link::LinkId;
use crate::node::{Landlord, Node};
use crate::serve::Space;

/// Whose the cache of copies is: the state store numbers tenants from below and never comes here.
pub const COPIES: TenantId = TenantId(u32::MAX);

/// What it may hold, in bytes, and how long an item may be.
const QUOTA_LEN: u64 = 16 << 20;
const ITEM_LEN_MAX: u32 = 64 * 1024;
/// It is given back after so long without a copy.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// One loop's hold on the cache of copies.
#[derive(Debug)]
pub(crate) struct Copies<T> {
    pub(crate) data: T,
    /// When the last one came.
    last_at: Timestamp,
}

impl<B: Backend, L: Landlord> Node<B, L> {
    /// Carries a copy out, and answers it as any request; what it claims of the ring means nothing.
    pub(crate) fn copy(
        &mut self,
        now: Timestamp,
        arrived: Timestamp,
        id: LinkId,
        request: &Request<'_>,
    ) {
        // Only what fits one frame is copied.
        if request.large_len.is_some() || !self.has_copies(now) {
            return self.answer(id, request, Verdict::NoTenant);
        }
        if now.since(arrived) > request.budget {
            return self.answer(id, request, Verdict::Late);
        }
        self.figures.copies += 1;
        let stamp = Epoch(u64::from(request.tenant.0));
        let key = StampedKey::new(request.op.key(), stamp);
        let op = with_key(&request.op, key.as_bytes());
        self.execute(now, id, request, &op, Space::Copies);
    }

    fn has_copies(&mut self, now: Timestamp) -> bool {
        if let Some(copies) = &mut self.copies {
            copies.last_at = now;
            return true;
        }
        self.landlord.provide(now, &terms());
        let data = self.backend.open(COPIES);
        self.copies = data.map(|data| Copies { data, last_at: now });
        self.copies.is_some()
    }

    /// Gives the cache of copies back if none came for long.
    pub(crate) fn end_copies(&mut self, now: Timestamp) {
        let is_idle = |copies: &Copies<_>| now.since(copies.last_at) >= IDLE_MAX;
        if self.copies.as_ref().is_some_and(is_idle) {
            self.copies = None;
            self.landlord.forget(COPIES);
        }
    }
}

fn terms() -> TenantTerms {
    TenantTerms {
        tenant: COPIES,
        quota_bytes: QUOTA_LEN,
        item_size_max: ITEM_LEN_MAX,
        version: 1,
    }
}

#[cfg(test)]
#[path = "copies_test.rs"]
mod tests;
