//! Fetching ahead what the sessions of a batch will need: memory takes longer than their requests.

use memcache_proto::peek_keys;

use crate::pause::Mode;
use crate::session::SessionId;
use crate::{Backend, Shard};

/// Keys that one batch fetches ahead at most; more would push out what has come.
const KEYS_MAX: usize = 128;

impl<B: Backend> Shard<B> {
    /// Begins to fetch what the first request of a session's input will need.
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
        for (slot, prefetch) in self.prefetches.drain(..) {
            if let Some(tenant) = self.tenants.get(slot as usize) {
                self.backend.prefetch_item(&tenant.data, prefetch);
            }
        }
    }
}
