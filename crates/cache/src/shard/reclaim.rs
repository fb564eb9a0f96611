//! Making room: emptying segments in S3-FIFO order, a little with every store.
//!
//! S3-FIFO (Yang et al., SOSP 2023) with logs for queues. A victim segment is scanned from its
//! start: what was used is copied behind the main queue's end, the rest is dropped. While the
//! reserve is one segment short, a store of `n` bytes scans 2n, else at most [`PACE`]` * n`, and
//! [`PACE_LEAST`] bytes and one item more; of a victim at most three quarters survive, so that
//! each four bytes scanned gain at least one and the reserve never runs out. Segments of which a
//! quarter is dead are emptied first, whatever their turn, and all that lives in them is kept: no
//! item is evicted while dead ones fill the memory.

use super::Shard;
use super::log::Queue;
use crate::hash::KeyHash;
use crate::item::{self, FETCHED, FREQUENCY, Header};

/// Bytes scanned for each byte stored, while the reserve is short by one segment.
const PACE_EASY: u32 = 2;
/// Bytes scanned for each byte stored, while the reserve is shorter.
pub(super) const PACE: u32 = 6;
/// Bytes scanned with every store besides, while the reserve is short.
pub(super) const PACE_LEAST: u32 = 64;

/// Segments of the reserve that must be whole; empty slots may stand for the rest.
const RESERVE_WHOLE: i64 = 2;

/// Accesses that take an item from the small queue to the main one.
const PROMOTED_FROM: u8 = 2;

/// The share of all bytes, one in so many, above which the small queue is emptied first.
const SMALL_SHARE: u64 = 10;

/// Segments of each queue looked at in search of one with many dead bytes.
const SPARSE_WINDOW: usize = 512;

/// A segment that is being emptied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Victim {
    pub(super) segment: u32,
    cursor: u32,
    pub(super) queue: Queue,
    /// It has many dead bytes: all that lives is kept.
    sparse: bool,
    /// Bytes, chunks included, that may still survive.
    keep_left: u64,
}

impl Shard {
    /// Work that every store of `bytes` bytes pays for.
    pub(super) fn keep_pace(&mut self, bytes: u32) {
        self.follow_items();
        if self.index.is_moving() {
            self.index.advance(&mut self.segs, self.hasher, 2);
        }
        let (reserve, spare) = (self.reserve_segments(), self.segments_to_spare());
        if spare < reserve {
            let easy = spare > 0 && spare + 1 == reserve;
            let pace = if easy { PACE_EASY } else { PACE };
            let budget = pace.saturating_mul(bytes).saturating_add(PACE_LEAST);
            self.reclaim(budget, reserve);
        }
    }

    /// Scans about `budget` bytes towards having this many segments to spare; whether it stopped
    /// for the budget.
    pub(super) fn reclaim(&mut self, budget: u32, spare: i64) -> bool {
        let mut left = budget;
        while left > 0 {
            if self.has_to_spare(spare) {
                return false;
            }
            let enough = self.segments_to_spare() >= spare.min(RESERVE_WHOLE);
            if self.shed_graveyard()
                || self.shed_dying()
                || self.reap_flushed()
                || !enough && self.move_one_chunk()
            {
                left = left.saturating_sub(self.chunk_len());
                continue;
            }
            let Some(victim) = self.victim.or_else(|| self.choose_victim()) else {
                return false;
            };
            self.victim = Some(victim);
            left = left.saturating_sub(self.scan(left, false, spare).max(8));
        }
        true
    }

    /// Whether this many segments can be had, some of them perhaps as empty slots.
    fn has_to_spare(&self, spare: i64) -> bool {
        let whole = self.segments_to_spare();
        whole >= spare.min(RESERVE_WHOLE) && whole + self.loose_segments() >= spare
    }

    /// Makes the queue's open segment have `len` bytes left, whatever must go for it.
    pub(super) fn make_room(&mut self, queue: Queue, len: u32) -> bool {
        while !self.open_with(queue, len) {
            if !self.reclaim_at_once() {
                return false;
            }
        }
        true
    }

    /// Takes an empty slot, whatever must go for it.
    pub(super) fn make_slot(&mut self) -> Option<u32> {
        loop {
            if let Some(slot) = self.take_slot() {
                return Some(slot);
            }
            if !self.reclaim_at_once() {
                return None;
            }
        }
    }

    /// Empties one segment without copying; false if there is none.
    pub(super) fn reclaim_at_once(&mut self) -> bool {
        if self.shed_graveyard()
            || self.shed_dying()
            || self.reap_flushed()
            || self.move_one_chunk()
        {
            return true;
        }
        let Some(victim) = self.victim.or_else(|| self.choose_victim()) else {
            return self.evict_beside_held();
        };
        self.victim = Some(victim);
        self.emptied_at_once += 1;
        self.scan(u32::MAX, true, 0);
        true
    }

    /// Drops one item that has chunks and that nobody holds, from a segment that stays because
    /// others in it are held; false if there is none.
    fn evict_beside_held(&mut self) -> bool {
        let sealed = self.sealed.iter().flatten();
        let mut segments = sealed.chain(self.open.iter().flatten()).copied();
        let found = segments.find_map(|number| self.large_beside_held(number));
        let Some((loc, header)) = found else {
            return false;
        };
        let hash = self.hasher.hash(header.key(self.segs.at(loc)));
        self.evict(hash, loc, &header, false);
        true
    }

    fn large_beside_held(&self, number: u32) -> Option<(u32, Header)> {
        let segment = self.segs.get(number);
        let mut at = self.segs.geometry.log_start();
        while segment.pins > 0 && segment.live_large > 0 && at < segment.used {
            let loc = self.segs.loc(number, at);
            let header = Header::read(self.segs.at(loc));
            let lives = header.is_in_chunks() && !header.has(item::DEAD);
            if lives && !self.is_held(loc) {
                return Some((loc, header));
            }
            at += header.footprint(self.chunk_len());
        }
        None
    }

    fn choose_victim(&mut self) -> Option<Victim> {
        if let Some(number) = self.choose_sparse(self.segs.geometry.segment_len / 4) {
            return self.victimise(number, true);
        }
        let small = self.queue_bytes(Queue::Small);
        let all = small + self.queue_bytes(Queue::Main);
        let order = if small * SMALL_SHARE >= all {
            [Queue::Small, Queue::Main]
        } else {
            [Queue::Main, Queue::Small]
        };
        // A few large values can make up a queue whose only segment is the open one.
        if let Some(number) = self.open[order[0] as usize]
            && self.sealed[order[0] as usize].is_empty()
            && self.segs.get(number).chunk_bytes > u64::from(self.segs.geometry.segment_len)
        {
            self.seal(order[0]);
        }
        let oldest = order.iter().find_map(|queue| self.oldest_movable(*queue));
        let number = oldest.or_else(|| {
            order.iter().find_map(|queue| {
                self.seal(*queue);
                self.oldest_movable(*queue)
            })
        })?;
        self.victimise(number, false)
    }

    fn queue_bytes(&self, queue: Queue) -> u64 {
        let open = usize::from(self.open[queue as usize].is_some());
        let segments = (self.sealed[queue as usize].len() + open) as u64;
        let chunks = self.queue_chunk_bytes[queue as usize];
        segments * u64::from(self.segs.geometry.segment_len) + chunks
    }

    fn oldest_movable(&self, queue: Queue) -> Option<u32> {
        let sealed = self.sealed[queue as usize].iter();
        sealed
            .copied()
            .find(|number| self.segs.get(*number).pins == 0)
    }

    /// The sealed segment with the most dead bytes of those next in turn, if it has this many.
    pub(super) fn choose_sparse(&self, dead_least: u32) -> Option<u32> {
        let start = self.segs.geometry.log_start();
        let sealed = self.sealed.iter();
        sealed
            .flat_map(|queue| queue.iter().take(SPARSE_WINDOW))
            .map(|number| (self.segs.get(*number), *number))
            .filter(|(segment, _)| segment.pins == 0)
            .map(|(segment, number)| (segment.used - start - segment.live_bytes, number))
            .filter(|(dead, _)| *dead >= dead_least)
            .max_by_key(|(dead, _)| *dead)
            .map(|(_, number)| number)
    }

    /// Takes a sealed segment out of its queue to be emptied.
    fn victimise(&mut self, number: u32, sparse: bool) -> Option<Victim> {
        let segment = self.segs.get(number);
        let queue = Queue::of(segment.kind)?;
        let all = u64::from(segment.used) + segment.chunk_bytes;
        let sealed = &mut self.sealed[queue as usize];
        let at = sealed.iter().position(|other| *other == number)?;
        sealed.remove(at);
        Some(Victim {
            segment: number,
            cursor: self.segs.geometry.log_start(),
            queue,
            sparse,
            keep_left: if sparse { all } else { all / 4 * 3 },
        })
    }

    /// Begins to empty a segment with this many dead bytes, if there is one and no other is being
    /// emptied.
    pub(super) fn begin_compaction(&mut self, dead_least: u32) -> bool {
        if self.victim.is_none()
            && let Some(number) = self.choose_sparse(dead_least)
        {
            self.victim = self.victimise(number, true);
        }
        self.victim.is_some_and(|victim| victim.sparse)
    }

    /// Empties the victim for about `budget` bytes, or until chunks were given up, if those are all
    /// that was needed to have this many segments to spare; how many bytes were scanned.
    pub(super) fn scan(&mut self, budget: u32, at_once: bool, spare: i64) -> u32 {
        let mut spent = 0;
        while spent < budget {
            let Some(victim) = self.victim else {
                return spent;
            };
            let segment = self.segs.get(victim.segment);
            if segment.pins > 0 {
                // A reader came to hold a value in it.
                self.victim = None;
                self.sealed[victim.queue as usize].push_back(victim.segment);
                return spent;
            }
            if victim.cursor >= segment.used || segment.live == 0 {
                // Nothing of it lives: what is left need not be looked at.
                self.victim = None;
                self.give_up(victim.segment);
                return spent;
            }
            let loc = self.segs.loc(victim.segment, victim.cursor);
            let header = Header::read(self.segs.at(loc));
            let len = header.footprint(self.chunk_len());
            self.victim = Some(Victim {
                cursor: victim.cursor + len,
                ..victim
            });
            spent += len;
            let is_dropped =
                !header.has(item::DEAD) && !self.pass_judgement(victim, loc, &header, at_once);
            // What a long body gives back comes step by step, so that it is waited for.
            if is_dropped
                && header.is_in_chunks()
                && (at_once || !self.bodies.dying.is_empty() || self.has_to_spare(spare))
            {
                self.reopen_victim();
                return spent;
            }
        }
        spent
    }

    /// Frees the victim if nothing of it lives any more; no store may come to go on with it.
    pub(super) fn give_up_dead_victim(&mut self) {
        let live = |victim: Victim| self.segs.get(victim.segment).live;
        if self.victim.is_some_and(|victim| live(victim) == 0) {
            self.scan(1, false, 0);
        }
    }

    /// Lets the victim be written on if it was sealed early, only so that it could be emptied.
    fn reopen_victim(&mut self) {
        let half = self.segs.geometry.segment_len / 2;
        if let Some(Victim { segment, queue, .. }) = self.victim
            && self.open[queue as usize].is_none()
            && self.segs.get(segment).used < half
        {
            self.open[queue as usize] = Some(segment);
            self.victim = None;
        }
    }

    /// Keeps or drops one live item of the victim; whether it was kept.
    fn pass_judgement(&mut self, victim: Victim, loc: u32, header: &Header, at_once: bool) -> bool {
        let bytes = self.segs.at(loc);
        let hash = self.hasher.hash(header.key(bytes));
        if header.expiry != 0 && header.expiry <= self.now_s() {
            self.bury_expired(hash, loc, header);
            return false;
        }
        let len = u64::from(header.footprint(self.chunk_len())) + self.chunk_bytes_of(header);
        let survives = self.survives(victim, header);
        if let Some((queue, state)) = survives
            && !at_once
            && len <= victim.keep_left
            && self.move_item(queue, hash, loc, state)
        {
            if let Some(victim) = &mut self.victim {
                victim.keep_left -= len;
            }
            return true;
        }
        let remember = victim.queue == Queue::Small || survives.is_some();
        self.evict(hash, loc, header, remember);
        false
    }

    /// To which queue, and in which state, an item is to be copied.
    fn survives(&self, victim: Victim, header: &Header) -> Option<(Queue, u8)> {
        let frequency = header.state & FREQUENCY;
        if victim.sparse {
            return Some((victim.queue, header.state));
        }
        match victim.queue {
            Queue::Small if frequency >= PROMOTED_FROM => {
                Some((Queue::Main, header.state & !FREQUENCY))
            }
            Queue::Main if frequency > 0 => Some((Queue::Main, header.state - 1)),
            Queue::Small | Queue::Main => None,
        }
    }

    pub(super) fn evict(&mut self, hash: KeyHash, loc: u32, header: &Header, remember: bool) {
        self.note_gone(hash, loc, header);
        self.has_evicted = true;
        self.count_evicted(header);
        if remember {
            self.ghost.insert(hash.ghost_bits());
        }
        self.bury(hash, loc, header);
    }

    pub(super) fn count_evicted(&mut self, header: &Header) {
        self.stats.evictions += 1;
        self.stats.evicted_at_unix_s = u64::from(self.now_s());
        self.stats.evicted_idle_s = u64::from(header.idle_s(self.now_s()));
        if !header.has(FETCHED) {
            self.stats.evicted_unfetched += 1;
        }
    }
}
