//! Emptying the whole shard at once: its items are forgotten now, their memory comes back later.

use base::Timestamp;

use super::Shard;
use crate::hash::KeyHash;
use crate::index::Index;
use crate::item::{self, Header};

/// An index given up of at most this many bytes is freed at once.
const SMALL_INDEX_BYTES: u64 = 64 << 10;

impl Shard {
    /// Flushes now, or once `at` has come; the latest call is the one that counts.
    pub(crate) fn flush(&mut self, at: Timestamp) {
        if at <= self.now {
            self.flush_at = None;
            self.flush_now();
        } else {
            self.flush_at = Some(at);
        }
    }

    /// Gives up the index, and with it every item: no item is touched.
    pub(super) fn flush_now(&mut self) {
        self.forget_all_gone();
        self.forget_formers();
        let Some(fresh) = Index::new(self.index.loc_bits()) else {
            // Not even a kilobyte can be had: the slow way needs none.
            while self.index.items > 0 && self.reclaim_at_once() {}
            self.forget_all_gone();
            return;
        };
        let old = std::mem::replace(&mut self.index, fresh);
        if self
            .given_up
            .last()
            .is_some_and(|index| index.bytes() <= SMALL_INDEX_BYTES)
        {
            self.given_up.pop();
        }
        if self.given_up.try_reserve(1).is_ok() {
            self.given_up.push(old);
        }
        self.segs.flush();
        let victim = self.victim.take().map(|victim| victim.segment);
        let open = self.open.iter_mut().filter_map(Option::take);
        self.flushed.extend(victim.into_iter().chain(open));
        for queue in &mut self.sealed {
            self.flushed.append(queue);
        }
        self.queue_chunk_bytes = [0, 0];
        self.live_bytes = 0;
        self.expiring = None;
        // The fresh index may be more than the quota had left.
        if self.held_bytes() > self.quota_bytes && !self.segs.release() {
            self.shed_given_up();
        }
    }

    /// Takes one flushed segment back; false if none is left that can be.
    pub(super) fn reap_flushed(&mut self) -> bool {
        for _ in 0..self.flushed.len() {
            let Some(number) = self.flushed.pop_front() else {
                return false;
            };
            if self.segs.get(number).pins > 0 {
                self.flushed.push_back(number);
                continue;
            }
            self.free_flushed_chunks(number);
            self.give_up(number);
            return true;
        }
        false
    }

    fn free_flushed_chunks(&mut self, number: u32) {
        let mut large = self.segs.get(number).live_large;
        let used = self.segs.get(number).used;
        let mut at = self.segs.geometry.log_start();
        while large > 0 && at < used {
            let loc = self.segs.loc(number, at);
            let header = Header::read(self.segs.at(loc));
            if header.is_in_chunks() && !header.has(item::DEAD) {
                self.forgo_chunks_later(loc, &header);
                large -= 1;
            }
            at += header.footprint(self.chunk_len());
        }
    }

    /// Frees a block of an index given up, once the memory of its items is back.
    pub(super) fn shed_given_up(&mut self) -> bool {
        let Some(index) = self.given_up.first_mut() else {
            return false;
        };
        if !index.shed() {
            self.given_up.remove(0);
        }
        true
    }

    /// Counts a miss for a key that was there before the last flush.
    pub(super) fn note_flushed(&mut self, hash: KeyHash, key: &[u8]) {
        if let Some(index) = self.given_up.last()
            && index.knew(&self.segs, self.segs.flush_seq, hash, key)
        {
            self.stats.get_flushed += 1;
        }
    }
}
