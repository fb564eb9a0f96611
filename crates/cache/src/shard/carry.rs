//! Carrying items over when memory is cut up anew.
//!
//! What was held under the earlier cut stays as a former shard, which takes in nothing. First it
//! is emptied, in S3-FIFO order, of what the new quota does not hold; then its items are carried
//! over, queue by queue and the oldest first, a few with every store and every slice of background
//! work. Whoever asks for one before its turn has it carried over at once. What does not come
//! along counts as evicted.

use super::bodies::End;
use super::log::Queue;
use super::reclaim::{PACE, PACE_LEAST};
use super::{Found, Shard};
use crate::STORED_KEY_LEN_MAX;
use crate::hash::KeyHash;
use crate::item::{self, Draft, Header};
use crate::slab::Slab;

/// Former shards that are kept; with more, the earliest go with all that is in them.
const FORMER_MAX: usize = 32;

/// A longer value is not carried over: it would hold the shard for too long.
const CARRIED_LEN_MAX: u32 = 8 << 20;

/// Segments that a former shard may have in any case.
const FORMER_SEGMENTS_LEAST: u64 = 3;

/// Segments that it may have above its share: one stays free, and its segments are longer.
const FORMER_SEGMENTS_MORE: u64 = 2;

/// What was held under an earlier cut.
#[derive(Debug)]
pub(crate) struct Former {
    shard: Box<Shard>,
    /// It holds no more than it may; from here on items are carried over in turn.
    is_shrunk: bool,
    /// The segment that is being emptied, and how far.
    segment: u32,
    cursor: u32,
}

impl Former {
    fn new(mut shard: Box<Shard>) -> Self {
        if let Some(walk) = shard.expiring.take() {
            shard.segs.get_mut(walk.segment).expiry_min = 0;
        }
        Self {
            shard,
            is_shrunk: false,
            segment: u32::MAX,
            cursor: 0,
        }
    }

    pub(super) fn shard(&self) -> &Shard {
        &self.shard
    }

    pub(super) fn shard_mut(&mut self) -> &mut Shard {
        &mut self.shard
    }

    /// Lets it hold a little more than this many bytes, so that the last choice of what does not
    /// fit is with the queues that take it over.
    fn set_quota(&mut self, quota_bytes: u64) {
        let segment_len = u64::from(self.shard.segs.geometry.segment_len);
        let least = self.shard.overhead_bytes() + FORMER_SEGMENTS_LEAST * segment_len;
        let more = FORMER_SEGMENTS_MORE * segment_len;
        self.shard.quota_bytes = (quota_bytes + more).max(least);
        self.is_shrunk = false;
        self.segment = u32::MAX;
    }

    /// Evicts for about `budget` bytes what is too much; whether nothing more is.
    fn shrink(&mut self, budget: u32) -> bool {
        let shard = &mut self.shard;
        if self.is_shrunk {
            return true;
        }
        if shard.segs.held > shard.segment_limit() && shard.reclaim(budget, 1) {
            return false;
        }
        if let Some(victim) = shard.victim.take() {
            shard.sealed[victim.queue as usize].push_front(victim.segment);
            shard.free_if_empty(victim.segment);
        }
        shard.seal(Queue::Main);
        shard.seal(Queue::Small);
        // Memory goes back as it comes free.
        shard.quota_bytes = 0;
        self.is_shrunk = true;
        true
    }

    fn oldest_segment(&self) -> Option<u32> {
        let [small, main] = &self.shard.sealed;
        main.front().or(small.front()).copied()
    }

    /// The next item in turn, and the bytes passed over to it.
    fn next(&mut self) -> Option<(Found, u32)> {
        let mut passed = 0;
        while let Some(number) = self.oldest_segment() {
            if number != self.segment {
                self.segment = number;
                self.cursor = self.shard.segs.geometry.log_start();
            }
            let loc = self.shard.segs.loc(number, self.cursor);
            let header = Header::read(self.shard.segs.at(loc));
            let len = header.footprint(self.shard.chunk_len());
            self.cursor += len;
            passed += len;
            if !header.has(item::DEAD) {
                return Some((Found { loc, header }, passed));
            }
        }
        None
    }

    /// Whether the segment that was being emptied is.
    fn has_emptied_one(&self) -> bool {
        self.oldest_segment() != Some(self.segment)
    }
}

impl Shard {
    /// Starts over, empty, with memory cut up for these limits, and hands out what was held, the
    /// earliest first. Figures and tokens go on; holds and arrivals end.
    pub(crate) fn renew(&mut self, quota_bytes: u64, item_size_max: u32) -> Vec<Former> {
        self.end_all_clients();
        let fresh = Self::new(
            self.token_mark,
            quota_bytes,
            item_size_max,
            self.hasher,
            self.now,
        );
        let mut formers = std::mem::take(&mut self.formers);
        let Some(fresh) = fresh else {
            // Not even a kilobyte can be had: the old cut must do.
            self.count_lost(self.index.items);
            self.flush_now();
            self.set_limits(quota_bytes, item_size_max);
            return formers;
        };
        let mut old = Box::new(std::mem::replace(self, fresh));
        self.stats = std::mem::take(&mut old.stats);
        self.pins = std::mem::replace(&mut old.pins, Slab::new());
        self.arriving = std::mem::replace(&mut old.arriving, Slab::new());
        self.cas_last = old.cas_last;
        self.flush_at = old.flush_at.take();
        self.swept = old.swept;
        self.emptied_at_once = old.emptied_at_once;
        formers.push(Former::new(old));
        formers
    }

    /// Takes over what shards held whose keys are now this one's.
    pub(crate) fn succeed(&mut self, formers: Vec<Former>) {
        for former in formers {
            if former.shard.index.items == 0 {
                self.inter(former);
            } else {
                self.formers.push(former);
            }
        }
        while self.formers.len() > FORMER_MAX {
            let former = self.formers.remove(0);
            self.lose(former);
        }
        let share = self.quota_bytes / self.formers.len().max(1) as u64;
        for former in &mut self.formers {
            former.set_quota(share);
        }
    }

    /// Gives up what a former shard held.
    pub(crate) fn lose(&mut self, former: Former) {
        self.count_lost(former.shard.index.items);
        self.inter(former);
    }

    /// Forgets everything that is still to be carried over.
    pub(super) fn forget_formers(&mut self) {
        for former in std::mem::take(&mut self.formers) {
            self.inter(former);
        }
    }

    /// Leaves a former shard's memory, unless it is little, to be returned bit by bit.
    fn inter(&mut self, former: Former) {
        let Shard {
            segs,
            graveyard,
            stats,
            ..
        } = *former.shard;
        self.stats.absorb(&stats);
        let is_little = u64::from(segs.held) <= FORMER_SEGMENTS_LEAST;
        let list = if is_little { Vec::new() } else { segs.list };
        let memory = list.into_iter().map(|segment| segment.bytes);
        let all = memory.filter(|bytes| !bytes.is_empty()).chain(graveyard);
        for bytes in all {
            // Without room for the list the memory goes at once.
            if self.graveyard.try_reserve(1).is_ok() {
                self.graveyard_bytes += bytes.len() as u64;
                self.graveyard.push(bytes);
            }
        }
    }

    fn count_lost(&mut self, items: u64) {
        self.stats.evictions += items;
        if items > 0 {
            self.stats.evicted_at_unix_s = u64::from(self.now_s());
        }
    }

    /// The carrying over that a store of `bytes` bytes pays for.
    #[inline]
    pub(super) fn carry_with(&mut self, bytes: usize) {
        if !self.formers.is_empty() {
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            self.carry(PACE.saturating_mul(bytes).saturating_add(PACE_LEAST));
        }
    }

    /// Carries about `budget` bytes over; whether there is more.
    #[cold]
    pub(super) fn carry(&mut self, budget: u32) -> bool {
        // Out of the way: room is made in this shard alone.
        let mut formers = std::mem::take(&mut self.formers);
        let share = budget / formers.len().max(1) as u32;
        let mut fit = true;
        for former in &mut formers {
            former.shard.now = self.now;
            fit &= former.shrink(share);
        }
        let mut left = if fit { budget } else { 0 };
        while left > 0 && !formers.is_empty() {
            let former = &mut formers[0];
            let Some((found, passed)) = former.next() else {
                let former = formers.remove(0);
                self.inter(former);
                continue;
            };
            left = left.saturating_sub(passed + found.header.value_len);
            self.carry_item(&mut former.shard, &found);
            if former.has_emptied_one() {
                formers.rotate_left(1);
            }
        }
        self.formers = formers;
        !(self.formers.is_empty() && self.graveyard.is_empty())
    }

    /// Carries the item of this key over, if a former shard has it; where it is then.
    #[cold]
    pub(super) fn carry_key(&mut self, hash: KeyHash, key: &[u8]) -> Option<u32> {
        let mut formers = std::mem::take(&mut self.formers);
        for former in &mut formers {
            let shard = &mut former.shard;
            shard.now = self.now;
            if let Some(loc) = shard.index.find(&shard.segs, hash, key) {
                let header = Header::read(shard.segs.at(loc));
                self.carry_item(shard, &Found { loc, header });
                break;
            }
        }
        self.formers = formers;
        self.index.find(&self.segs, hash, key)
    }

    /// Takes an item out of a former shard and in here, if its end has not come and room is made.
    fn carry_item(&mut self, former: &mut Self, found: &Found) {
        let Found { loc, header } = *found;
        let mut key = [0; STORED_KEY_LEN_MAX];
        let bytes = former.segs.at(loc);
        let key = &mut key[..usize::from(header.key_len)];
        key.copy_from_slice(header.key(bytes));
        let hash = self.hasher.hash(key);
        if header.expiry != 0 && header.expiry <= self.now_s() {
            former.bury_expired(hash, loc, &header);
            return;
        }
        let queue = Queue::of(former.kind_of(loc)).unwrap_or(Queue::Small);
        let draft = Draft {
            key,
            flags: header.flags(bytes),
            expiry: header.expiry,
            cas: header.cas(bytes),
            state: header.state,
            value_len: header.value_len,
            extent: None,
            tail: &[],
            now_s: self.now_s().wrapping_sub(header.idle_s(self.now_s())),
        };
        let mut value = Vec::new();
        let fits = header.value_len <= CARRIED_LEN_MAX
            && u64::from(header.value_len) <= self.quota_bytes / 2
            && former
                .copy_value(loc, &header, 0, usize::MAX, &mut value)
                .is_some();
        former.bury(hash, loc, &header);
        if !(fits && self.take_over(queue, hash, &draft, &value)) {
            self.count_evicted(&header);
        }
    }

    /// Appends an item with this value to a queue; false if no room can be made.
    fn take_over(&mut self, queue: Queue, hash: KeyHash, draft: &Draft<'_>, value: &[u8]) -> bool {
        let whole = value.len() - value.len() % self.chunk_len() as usize;
        if whole == 0 || value.len() == whole && whole == self.chunk_len() as usize {
            let tail = value;
            return self.place(queue, hash, &Draft { tail, ..*draft });
        }
        let Some(body) = self.begin_body() else {
            return false;
        };
        let placed = self.fill_body(body, &value[..whole]) && {
            let draft = Draft {
                extent: Some(self.bodies.extent(body, 0)),
                tail: &value[whole..],
                ..*draft
            };
            self.place(queue, hash, &draft)
        };
        self.release_body(body);
        placed
    }

    fn fill_body(&mut self, body: u32, bytes: &[u8]) -> bool {
        let chunk_len = self.chunk_len();
        let total = bytes.len() as u32 / chunk_len;
        let mut at = 0;
        for chunk in bytes.chunks(chunk_len as usize) {
            if self.add_chunk(body, End::Back, total).is_none() {
                return false;
            }
            self.write_chunks(body, at, chunk);
            at += chunk_len;
            self.keep_pace(chunk_len);
        }
        true
    }

    fn place(&mut self, queue: Queue, hash: KeyHash, draft: &Draft<'_>) -> bool {
        let len = draft.footprint();
        let placed = self.make_room(queue, len) && self.append(queue, hash, draft, None).is_some();
        self.stats.copied_bytes += u64::from(len);
        // The item may move now: whoever wants it looks for it.
        self.keep_pace(len);
        placed
    }
}

#[cfg(test)]
#[path = "carry_test.rs"]
mod tests;
