//! Removals, and marking stale instead.

use base::kv::{Delete, Outcome};

use super::{Found, Shard};
use crate::hash::KeyHash;
use crate::item::{self, Draft, STALE, TOKEN_SENT};

impl Shard {
    pub(super) fn delete(&mut self, hash: KeyHash, op: &Delete<'_>) -> Outcome {
        let Some(found) = self.look_up(hash, op.key) else {
            self.stats.delete_misses += 1;
            return Outcome::NotFound;
        };
        let cas = found.header.cas(self.segs.at(found.loc));
        if op.compare_cas.is_some_and(|given| given != cas) {
            self.stats.delete_misses += 1;
            return Outcome::Exists;
        }
        if !op.invalidate {
            self.stats.delete_hits += 1;
        }
        if op.clear_value {
            self.clear(hash, op, found, cas)
        } else if op.invalidate {
            self.invalidate(hash, op, found)
        } else {
            self.bury(hash, found.loc, &found.header);
            Outcome::Deleted
        }
    }

    /// Leaves an empty item in the place of the old one. As in memcached it ends when the
    /// operation says, or never, and keeps the CAS unless it is given one or marked stale.
    fn clear(&mut self, hash: KeyHash, op: &Delete<'_>, found: Found, cas: u64) -> Outcome {
        let given = op.new_cas.filter(|cas| *cas != 0);
        let cas = match given {
            None if !op.invalidate => cas,
            given => self.fresh_cas(given),
        };
        let draft = Draft {
            key: op.key,
            flags: 0,
            expiry: op.touch.map_or(0, |expiry| expiry.unix_secs()),
            cas,
            state: if op.invalidate { STALE } else { 0 },
            value_len: 0,
            extent: None,
            tail: &[],
            now_s: self.now_s(),
        };
        if self.write(hash, Some(found), &draft).is_none() {
            self.stats.store_no_memory += 1;
            return Outcome::OutOfMemory;
        }
        Outcome::Deleted
    }

    /// Marks the item stale under a new CAS; the next client to fetch it wins its recache.
    fn invalidate(&mut self, hash: KeyHash, op: &Delete<'_>, found: Found) -> Outcome {
        let cas = self.fresh_cas(op.new_cas);
        let state = (found.header.state | STALE) & !TOKEN_SENT;
        item::set_state(self.segs.at_mut(found.loc), state);
        if let Some(expiry) = op.touch {
            self.set_expiry(found.loc, expiry);
        }
        if !found.header.set_cas(self.segs.at_mut(found.loc), cas) {
            let header = super::store::header_at(self, found.loc);
            let found = Found { header, ..found };
            if self.rewrite_with_cas(hash, found, cas).is_none() {
                // What cannot be marked must not be read either.
                self.drop_key(hash, op.key);
            }
        }
        Outcome::Deleted
    }

    /// Drops the item of this key if it is there.
    pub(super) fn drop_key(&mut self, hash: KeyHash, key: &[u8]) {
        if let Some(found) = self.look_up(hash, key) {
            self.bury(hash, found.loc, &found.header);
        }
    }
}
