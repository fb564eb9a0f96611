//! Items evicted while what is to replace them arrives: for that they still count as there.
//!
//! Where the quota does not hold an item and its replacement, the item goes while the other comes.
//! A `replace`, or a store with a CAS, is judged at its end by what it would have found; so what
//! was evicted is noted with it, until somebody is told that the item is not there, or writes the
//! key: from then on it is judged by what is there. So to no client does an item come back.

use base::Timestamp;
use base::kv::{Expiry, StoreMode};

use super::Shard;
use super::judge::Known;
use super::reservations::Arriving;
use crate::hash::KeyHash;
use crate::item::Header;

/// Of items with more than this share of the quota, one in so many, only a few fit.
const FEW: u64 = 8;

/// What arrives and is judged by what it replaces, and what of that was evicted.
#[derive(Debug, Default)]
pub(super) struct Awaited {
    /// Hash and token of each, ordered.
    watching: Vec<(u64, u64)>,
    /// How many have a note.
    noted: usize,
}

impl Known {
    /// What was known, if its end has not come.
    pub(super) fn unless_past(self, now: Timestamp) -> Option<Self> {
        let past = Expiry::at_unix_secs(self.expiry).is_past(now);
        (!past).then_some(self)
    }
}

impl Shard {
    /// From now on an eviction of the item that it is judged by is noted with it.
    pub(super) fn watch(&mut self, token: u64) {
        let Some(arriving) = self.arriving.get_mut(token) else {
            return;
        };
        // Without room for it, an item that is evicted is simply not there.
        if is_conditional(arriving) && self.awaited.watching.try_reserve(1).is_ok() {
            let entry = (arriving.hash.0, token);
            let at = self
                .awaited
                .watching
                .partition_point(|other| *other < entry);
            self.awaited.watching.insert(at, entry);
        }
    }

    pub(super) fn watch_no_more(&mut self, arriving: &Arriving, token: u64) {
        let entry = (arriving.hash.0, token);
        if let Ok(at) = self.awaited.watching.binary_search(&entry) {
            self.awaited.watching.remove(at);
        }
        self.awaited.noted -= usize::from(arriving.gone.is_some());
    }

    /// Where room must be made for one more chunk and only a few items fit, lets the one go first
    /// that is to be replaced by what arrives: any other would be missed for longer.
    pub(super) fn evict_replaced(&mut self, token: u64) {
        if self.has_empty_slot() || self.segments_to_spare() > self.reserve_segments() {
            return;
        }
        let Some(arriving) = self.arriving.get_mut(token) else {
            return;
        };
        let hash = arriving.hash;
        let Some(loc) = self.index.find(&self.segs, hash, &arriving.key) else {
            return;
        };
        let header = Header::read(self.segs.at(loc));
        let cas = header.cas(self.segs.at(loc));
        let replaces = match arriving.mode {
            StoreMode::Set | StoreMode::Replace => arriving.compare_cas.is_none_or(|c| c == cas),
            StoreMode::Add | StoreMode::Append | StoreMode::Prepend => false,
        };
        let few_fit = self.chunk_bytes_of(&header) > self.quota_bytes / FEW;
        // What readers hold would not come free.
        if replaces && few_fit && !self.is_held(loc) {
            self.evict(hash, loc, &header, false);
        }
    }

    /// Notes that an item is being evicted, with whatever waits for it.
    pub(super) fn note_gone(&mut self, hash: KeyHash, loc: u32, header: &Header) {
        let mut at = self.first_watching(hash);
        while let Some((other, token)) = self.awaited.watching.get(at).copied()
            && other == hash.0
        {
            let bytes = self.segs.at(loc);
            let known = Known::of(header, bytes);
            if let Some(arriving) = self.arriving.get_mut(token)
                && arriving.key == header.key(bytes)
            {
                self.awaited.noted += usize::from(arriving.gone.replace(known).is_none());
            }
            at += 1;
        }
    }

    /// Somebody is told that the key is not there, or writes it.
    #[inline]
    pub(super) fn forget_gone(&mut self, hash: KeyHash, key: &[u8]) {
        if self.awaited.noted == 0 {
            return;
        }
        let mut at = self.first_watching(hash);
        while let Some((other, token)) = self.awaited.watching.get(at).copied()
            && other == hash.0
        {
            if let Some(arriving) = self.arriving.get_mut(token)
                && arriving.key == key
            {
                self.awaited.noted -= usize::from(arriving.gone.take().is_some());
            }
            at += 1;
        }
    }

    /// Everything is flushed: nothing that was evicted counts any more.
    pub(super) fn forget_all_gone(&mut self) {
        if self.awaited.noted > 0 {
            for arriving in self.arriving.things_mut() {
                arriving.gone = None;
            }
            self.awaited.noted = 0;
        }
    }

    /// The note of what arrives, which is judged by it now.
    pub(super) fn take_gone(&mut self, token: u64) -> Option<Known> {
        let gone = self.arriving.get_mut(token)?.gone.take();
        self.awaited.noted -= usize::from(gone.is_some());
        gone
    }

    fn first_watching(&self, hash: KeyHash) -> usize {
        let watching = &self.awaited.watching;
        watching.partition_point(|(other, _)| *other < hash.0)
    }
}

/// Whether it matters what it replaces.
fn is_conditional(arriving: &Arriving) -> bool {
    match arriving.mode {
        StoreMode::Replace => true,
        StoreMode::Set => arriving.compare_cas.is_some(),
        StoreMode::Add | StoreMode::Append | StoreMode::Prepend => false,
    }
}

#[cfg(test)]
#[path = "awaited_test.rs"]
mod tests;
