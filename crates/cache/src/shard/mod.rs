//! One shard of a tenant: a log of items in two queues, chunks of large values, and their index.

mod arith;
mod awaited;
mod bodies;
mod carry;
#[cfg(test)]
mod check;
mod chunks;
mod delete;
mod expire;
mod extents;
mod flush;
mod join;
mod judge;
mod limits;
mod log;
mod maintain;
mod pins;
mod read;
mod reclaim;
mod reservations;
mod store;

use std::collections::VecDeque;

use base::Timestamp;
use base::kv::{Op, Outcome, Sink, Stats};

use crate::geometry::Geometry;
use crate::ghost::Ghost;
use crate::hash::{KeyHash, KeyHasher};
use crate::index::Index;
use crate::item::{self, Header};
use crate::segment::{Kind, Segments};
use crate::slab::Slab;
#[cfg(test)]
pub(crate) use arith::NUMBER_LEN_MAX;
use awaited::Awaited;
use bodies::Bodies;
pub(crate) use carry::Former;
use log::Queue;
use pins::{Hold, PinRecord};
use reclaim::Victim;
use reservations::Arriving;

/// A shard; its methods are what [`TenantCache`](crate::TenantCache) does under the shard's lock.
#[derive(Debug)]
pub(crate) struct Shard {
    /// Set in every token given out, above the shard's own part.
    token_mark: u64,
    quota_bytes: u64,
    item_size_max: u32,
    hasher: KeyHasher,
    segs: Segments,
    index: Index,
    ghost: Ghost,
    /// Sealed segments of the queues, the oldest first.
    sealed: [VecDeque<u32>; 2],
    /// The segments that the queues are written to.
    open: [Option<u32>; 2],
    /// Bytes of the chunks whose items are in each queue.
    queue_chunk_bytes: [u64; 2],
    /// Chunk segments with an empty slot.
    roomy: Vec<u32>,
    slots_empty: u32,
    /// Tables of the chunks of each large value.
    bodies: Bodies,
    /// Segments that one store had to empty alone, since the reserve was used up.
    emptied_at_once: u64,
    /// The segment that is being emptied.
    victim: Option<Victim>,
    /// Segments whose items a flush ended.
    flushed: VecDeque<u32>,
    /// Their indexes, kept only to count who still asks; the latest last.
    given_up: Vec<Index>,
    /// Whether room was ever made, so that remembering evictions pays.
    has_evicted: bool,
    flush_at: Option<Timestamp>,
    /// What was held under earlier cuts of the memory, to be carried over.
    formers: Vec<Former>,
    /// Memory of a shape given up, to be returned bit by bit.
    graveyard: Vec<Box<[u8]>>,
    graveyard_bytes: u64,
    /// Ordered by location.
    holds: Vec<Hold>,
    pins: Slab<PinRecord>,
    arriving: Slab<Arriving>,
    /// What was evicted while its replacement arrives.
    awaited: Awaited,
    /// Bytes that pins and reservations keep from being reclaimed.
    client_bytes: u64,
    /// Those of them that reservations keep.
    arriving_bytes: u64,
    live_bytes: u64,
    cas_last: u64,
    now: Timestamp,
    stats: Stats,
    scratch: Vec<u8>,
    /// The next segment whose ends are looked at, and the one under way.
    expire_next: u32,
    expiring: Option<expire::Walk>,
    swept: Timestamp,
}

/// An item that was found: where it is and what its header says.
#[derive(Clone, Copy, Debug)]
struct Found {
    loc: u32,
    header: Header,
}

impl Shard {
    /// An empty shard whose tokens bear this mark; `None` if not even its index can be had.
    pub(crate) fn new(
        token_mark: u64,
        quota_bytes: u64,
        item_size_max: u32,
        hasher: KeyHasher,
        now: Timestamp,
    ) -> Option<Self> {
        let geometry = Geometry::new(quota_bytes);
        Some(Self {
            token_mark,
            quota_bytes,
            item_size_max,
            hasher,
            segs: Segments::new(geometry),
            index: Index::new(geometry.loc_bits(quota_bytes))?,
            ghost: Ghost::default(),
            sealed: [VecDeque::new(), VecDeque::new()],
            open: [None, None],
            queue_chunk_bytes: [0, 0],
            roomy: Vec::new(),
            slots_empty: 0,
            bodies: Bodies::default(),
            emptied_at_once: 0,
            victim: None,
            flushed: VecDeque::new(),
            given_up: Vec::new(),
            has_evicted: false,
            flush_at: None,
            formers: Vec::new(),
            graveyard: Vec::new(),
            graveyard_bytes: 0,
            holds: Vec::new(),
            pins: Slab::new(),
            arriving: Slab::new(),
            awaited: Awaited::default(),
            client_bytes: 0,
            arriving_bytes: 0,
            live_bytes: 0,
            // Tokens of an earlier life, at most 2²⁴ a second, are all below.
            cas_last: u64::from(now.unix_secs()) << 24,
            now,
            stats: Stats::default(),
            scratch: Vec::new(),
            expire_next: 0,
            expiring: None,
            swept: now,
        })
    }

    /// The last CAS token given.
    pub(crate) fn cas(&self) -> u64 {
        self.cas_last
    }

    /// Has all CAS tokens to come be above `cas`.
    pub(crate) fn set_cas(&mut self, cas: u64) {
        self.cas_last = cas;
    }

    /// Takes note of the time and lets a delayed flush happen that has become due.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        if now > self.now {
            self.now = now;
        }
        if self.flush_at.is_some_and(|at| at <= self.now) {
            self.flush_at = None;
            self.flush_now();
        }
    }

    /// Brings near what the search for a key with this hash begins with.
    pub(crate) fn prefetch_head(&self, hash: KeyHash) {
        self.index.prefetch_head(hash);
    }

    /// Brings near what it goes on with; see [`Index::prefetch_item`].
    pub(crate) fn prefetch_item(&self, hash: KeyHash, after: Option<u32>) -> Option<u32> {
        self.index.prefetch_item(&self.segs, hash, after)
    }

    /// Does one operation whose key has this hash.
    pub(crate) fn execute<S: Sink>(
        &mut self,
        now: Timestamp,
        hash: KeyHash,
        op: &Op<'_>,
        sink: &mut S,
    ) -> Outcome {
        self.tick(now);
        match op {
            Op::Get(get) => self.get(hash, get, sink),
            Op::Store(store) => {
                self.carry_with(store.value.len());
                self.store(hash, store)
            }
            Op::Delete(delete) => self.delete(hash, delete),
            Op::Arith(arith) => self.arith(hash, arith, sink),
        }
    }

    fn now_s(&self) -> u32 {
        self.now.unix_secs()
    }

    fn chunk_len(&self) -> u32 {
        self.segs.geometry.chunk_len
    }

    /// The next CAS, or the one that the client gives; never 0.
    fn fresh_cas(&mut self, given: Option<u64>) -> u64 {
        match given {
            Some(cas) if cas != 0 => cas,
            _ => {
                self.cas_last += 1;
                self.cas_last
            }
        }
    }

    /// The item of this key, if it is there and has not ended; one that has ended is dropped.
    #[inline]
    fn look_up(&mut self, hash: KeyHash, key: &[u8]) -> Option<Found> {
        let Some(loc) = self.find(hash, key) else {
            self.forget_gone(hash, key);
            return None;
        };
        let header = Header::read(self.segs.at(loc));
        if header.expiry != 0 && header.expiry <= self.now_s() {
            self.stats.get_expired += 1;
            self.bury_expired(hash, loc, &header);
            return None;
        }
        Some(Found { loc, header })
    }

    /// Where the item of this key is, after it was carried over if need be.
    #[inline]
    fn find(&mut self, hash: KeyHash, key: &[u8]) -> Option<u32> {
        let loc = self.index.find(&self.segs, hash, key);
        if loc.is_none() && !self.formers.is_empty() {
            return self.carry_key(hash, key);
        }
        loc
    }

    fn bury_expired(&mut self, hash: KeyHash, loc: u32, header: &Header) {
        self.stats.reclaimed += 1;
        if !header.has(item::FETCHED) {
            self.stats.expired_unfetched += 1;
        }
        self.bury(hash, loc, header);
    }

    /// Takes an item out of the index and gives up its bytes.
    fn bury(&mut self, hash: KeyHash, loc: u32, header: &Header) {
        self.index.remove(&mut self.segs, hash, loc);
        self.mark_dead(loc, header);
    }

    /// Gives up the bytes of an item that is no longer in the index.
    fn mark_dead(&mut self, loc: u32, header: &Header) {
        let footprint = header.footprint(self.chunk_len());
        let chunk_bytes = self.chunk_bytes_of(header);
        item::set_state(self.segs.at_mut(loc), header.state | item::DEAD);
        let number = self.segs.segment_of(loc);
        let segment = self.segs.get_mut(number);
        segment.live -= 1;
        segment.live_bytes -= footprint;
        segment.chunk_bytes -= chunk_bytes;
        self.live_bytes -= u64::from(footprint) + chunk_bytes;
        if header.is_in_chunks() {
            segment.live_large -= 1;
            if let Some(queue) = Queue::of(segment.kind) {
                self.queue_chunk_bytes[queue as usize] -= chunk_bytes;
            }
            self.forgo_chunks(loc, header);
        }
        self.free_if_empty(number);
    }

    fn chunk_bytes_of(&self, header: &Header) -> u64 {
        u64::from(header.chunks(self.chunk_len())) * u64::from(self.chunk_len())
    }

    /// Frees a sealed segment in which nothing lives.
    fn free_if_empty(&mut self, number: u32) {
        let segment = self.segs.get(number);
        let open = self.open.contains(&Some(number));
        let busy = self
            .victim
            .as_ref()
            .is_some_and(|victim| victim.segment == number);
        if segment.live > 0 || segment.pins > 0 || open || busy {
            return;
        }
        if let Some(queue) = Queue::of(segment.kind) {
            let sealed = &mut self.sealed[queue as usize];
            // Those that die as a whole are old or young: look from both ends.
            if sealed.front() == Some(&number) {
                sealed.pop_front();
            } else if let Some(at) = sealed.iter().rposition(|other| *other == number) {
                sealed.remove(at);
            } else {
                return;
            }
            self.give_up(number);
        }
    }

    /// Frees a segment that is in no list, and its memory if less may be held.
    fn give_up(&mut self, number: u32) {
        if self
            .expiring
            .as_ref()
            .is_some_and(|walk| walk.segment == number)
        {
            self.expiring = None;
        }
        let now_s = self.now_s();
        self.segs.free(number, now_s);
        // One stays, so that writing goes on while a smaller quota is being reached.
        if self.segs.held > self.segment_limit() && self.segs.free.len() > 1 {
            self.segs.release();
        }
    }

    /// Counts an access and, for a fetch, notes it.
    fn note_access(&mut self, found: &Found, fetched: bool) {
        let now_s = self.now_s();
        let bytes = self.segs.at_mut(found.loc);
        let fetched = if fetched { item::FETCHED } else { 0 };
        item::set_state(bytes, item::counted(found.header.state) | fetched);
        item::set_last_access(bytes, now_s);
    }

    fn kind_of(&self, loc: u32) -> Kind {
        self.segs.get(self.segs.segment_of(loc)).kind
    }

    /// Figures of the work done and of the present state.
    pub(crate) fn stats(&self) -> Stats {
        let mut stats = self.stats.clone();
        stats.curr_items = self.index.items;
        stats.bytes = self.live_bytes;
        stats.held_bytes = self.held_bytes();
        stats.index_bytes = self.index_bytes();
        stats.segments = u64::from(self.segs.held);
        stats.segment_bytes = self.segment_bytes();
        stats.small_age_s = self.queue_age_s(Queue::Small);
        stats.main_age_s = self.queue_age_s(Queue::Main);
        for former in &self.formers {
            stats.absorb(&former.shard().stats());
        }
        stats.quota_bytes = self.quota_bytes;
        stats
    }

    pub(crate) fn reset_stats(&mut self) {
        self.stats = Stats::default();
        for former in &mut self.formers {
            former.shard_mut().reset_stats();
        }
    }
}
