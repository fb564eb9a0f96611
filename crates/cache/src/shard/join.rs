//! Appending and prepending: the joined value is built beside the old one and takes its place.

use base::kv::{Outcome, Store, StoreMode};

use super::reservations::Arriving;
use super::store::Terms;
use super::{Found, Shard};
use crate::hash::KeyHash;

impl Shard {
    /// Appends or prepends.
    pub(super) fn join(&mut self, hash: KeyHash, op: &Store<'_>, found: Found) -> Outcome {
        let header = found.header;
        let len = u64::from(header.value_len) + op.value.len() as u64;
        let flags = header.flags(self.segs.at(found.loc));
        if self.is_too_large(op.key.len(), flags, len) {
            return Outcome::NotStored;
        }
        if len > u64::from(self.chunk_len()) {
            return self.join_in_chunks(hash, op, found);
        }
        let mut joined = std::mem::take(&mut self.scratch);
        joined.clear();
        if joined.try_reserve(len as usize).is_err() {
            self.stats.store_no_memory += 1;
            return Outcome::OutOfMemory;
        }
        if op.mode == StoreMode::Prepend {
            joined.extend_from_slice(op.value);
        }
        let whole = header.value_len as usize;
        self.copy_value(found.loc, &header, 0, whole, &mut joined);
        if op.mode == StoreMode::Append {
            joined.extend_from_slice(op.value);
        }
        let terms = Terms {
            flags,
            expiry: header.expiry,
            state: 0,
        };
        let outcome = self.write_value(hash, op, Some(found), terms, &joined);
        self.scratch = joined;
        outcome
    }

    /// Appends or prepends a value given whole, where the sum does not lie with its item.
    fn join_in_chunks(&mut self, hash: KeyHash, op: &Store<'_>, found: Found) -> Outcome {
        self.join_with(hash, op, found, op.value.len() as u32, |shard, joined| {
            shard.fill(joined, op.value)
        })
    }

    pub(super) fn join_arrived(
        &mut self,
        hash: KeyHash,
        op: &Store<'_>,
        token: u64,
        found: Found,
    ) -> Outcome {
        let Some(len) = self.arriving.get_mut(token).map(|arriving| arriving.len) else {
            return Outcome::OutOfMemory;
        };
        let flags = found.header.flags(self.segs.at(found.loc));
        let sum = u64::from(len) + u64::from(found.header.value_len);
        if self.is_too_large(op.key.len(), flags, sum) {
            return Outcome::NotStored;
        }
        self.join_with(hash, op, found, len, |shard, joined| {
            shard.fill_from(joined, token)
        })
    }

    /// Builds the joined value beside the old one, then stores it in its place.
    fn join_with(
        &mut self,
        hash: KeyHash,
        op: &Store<'_>,
        found: Found,
        more: u32,
        add: impl Fn(&mut Self, u64) -> bool,
    ) -> Outcome {
        let len = found.header.value_len + more;
        let set = Store {
            mode: StoreMode::Set,
            compare_cas: Some(1),
            ..op.clone()
        };
        let Some(joined) = self.begin(op.key, Arriving::new(hash, &set, len, true)) else {
            self.stats.store_no_memory += 1;
            return Outcome::OutOfMemory;
        };
        let terms = Terms {
            flags: found.header.flags(self.segs.at(found.loc)),
            expiry: found.header.expiry,
            state: 0,
        };
        // The old item stays where it is meanwhile.
        self.segs.around(found.loc).pins += 1;
        let first = op.mode == StoreMode::Append && self.fill_from_item(joined, &found);
        let built = (first || op.mode == StoreMode::Prepend)
            && add(self, joined)
            && (first || self.fill_from_item(joined, &found));
        self.segs.around(found.loc).pins -= 1;
        if !built {
            return Outcome::OutOfMemory;
        }
        self.write_arrived(hash, &set, joined, terms)
    }

    fn fill_from_item(&mut self, joined: u64, found: &Found) -> bool {
        let mut piece = Vec::new();
        let mut offset = 0;
        while offset < found.header.value_len {
            piece.clear();
            let max = self.chunk_len() as usize;
            let copied = self.copy_value(found.loc, &found.header, offset, max, &mut piece);
            if copied.is_none() || !self.fill(joined, &piece) {
                self.abort(joined);
                return false;
            }
            offset += piece.len() as u32;
        }
        true
    }

    fn fill_from(&mut self, joined: u64, token: u64) -> bool {
        let chunk_len = self.chunk_len();
        let mut piece = Vec::new();
        if piece.try_reserve_exact(chunk_len as usize).is_err() {
            self.abort(joined);
            return false;
        }
        let mut offset = 0;
        while let Some(arriving) = self.arriving.get_mut(token)
            && offset < arriving.len
        {
            let slot = arriving.slots[(offset / chunk_len) as usize];
            let len = chunk_len.min(arriving.len - offset);
            piece.clear();
            piece.extend_from_slice(&self.slot_bytes(slot)[..len as usize]);
            if !self.fill(joined, &piece) {
                return false;
            }
            offset += len;
        }
        true
    }
}
