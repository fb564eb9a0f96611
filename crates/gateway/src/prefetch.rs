//! Fetching ahead what the sessions of a batch will need: memory takes longer than their requests.

use crate::pause::Mode;
use crate::session::SessionId;
use crate::{Backend, Shard};

/// Keys that one batch fetches ahead at most; more would push out what has come.
const KEYS_MAX: usize = 512;
/// Items that are looked at for each key at most, its own among them as a rule.
const ITEMS_MAX: usize = 3;

impl<B: Backend> Shard<B> {
    /// Begins to fetch what a session's turn will need: of what it has kept, or else of its input.
    pub fn prefetch(&mut self, id: SessionId, input: &[u8]) {
        let Some(session) = self.sessions.get(id.0 as usize).filter(|_| !B::IS_REMOTE) else {
            return;
        };
        let next = match (session.unread.is_empty(), input.is_empty()) {
            (true, _) => input,
            (false, true) => session.unread.as_slice(),
            // Whatever is split between the two is not looked at.
            (false, false) => return,
        };
        if session.mode != Mode::Serve {
            return;
        }
        let Some(tenant) = self.tenants.get(session.tenant as usize) else {
            return;
        };
        let room = KEYS_MAX.saturating_sub(self.prefetches.len());
        let turn = self.config.turn_requests_max;
        for key in session.decoder.peek_keys(next).take(room.min(turn)) {
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
