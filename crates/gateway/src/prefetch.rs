//! Fetching ahead what the sessions of a batch will need: memory takes longer than their requests.

use memcache_proto::peek_keys;

use crate::pause::Mode;
use crate::session::SessionId;
use crate::{Backend, Shard};

/// Keys that one batch fetches ahead at most; more would push out what has come.
const KEYS_MAX: usize = 512;
/// Items that are looked at for each key at most, its own among them as a rule.
const ITEMS_MAX: usize = 3;

impl<B: Backend> Shard<B> {
    /// Begins to fetch what the requests in a session's input will need.
    pub fn prefetch(&mut self, id: SessionId, input: &[u8]) {
        let Some(session) = self.sessions.get(id.0 as usize) else {
            return;
        };
        let is_refused = session.mode != Mode::Serve;
        if is_refused || session.decoder.is_mid_request() || !session.unread.is_empty() {
            return;
        }
        let Some(tenant) = self.tenants.get(session.tenant as usize) else {
            return;
        };
        let room = KEYS_MAX.saturating_sub(self.prefetches.len());
        for key in peek_keys(input).take(room) {
            if let Some(prefetch) = self.backend.prefetch(&tenant.data, key) {
                self.prefetches.push((session.tenant, prefetch));
            }
        }
    }

    /// Goes on with all that was begun, once the whole batch has begun.
    pub fn prefetch_items(&mut self) {
        let (backend, tenants) = (&self.backend, &self.tenants);
        for _ in 0..ITEMS_MAX {
            self.prefetches.retain_mut(|(slot, prefetch)| {
                let tenant = tenants.get(*slot as usize);
                let next = tenant.and_then(|it| backend.prefetch_item(&it.data, *prefetch));
                next.inspect(|next| *prefetch = *next).is_some()
            });
        }
        self.prefetches.clear();
    }
}
