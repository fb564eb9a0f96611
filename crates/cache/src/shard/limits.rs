//! How much memory the shard holds, may hold, and what it does with the difference.

use super::Shard;
use crate::ghost::Ghost;
use crate::index::Index;

/// Segments kept in reserve, so that a queue can always be given the next one without waiting for
/// a whole segment to be emptied: one for each queue, one for chunks.
const RESERVE_SEGMENTS: i64 = 3;

/// The reserve where items are larger than segments: the queues hold little but their heads, and
/// an eviction gives back segments at once, but much of what is live for the sake of little.
const RESERVE_OF_LARGE: i64 = 1;

impl Shard {
    pub(super) fn segment_bytes(&self) -> u64 {
        let len = u64::from(self.segs.geometry.segment_len);
        u64::from(self.segs.held) * len
    }

    /// Frees one piece of memory of a shape given up; false if there is none.
    pub(super) fn shed_graveyard(&mut self) -> bool {
        let Some(bytes) = self.graveyard.pop() else {
            return false;
        };
        self.graveyard_bytes -= bytes.len() as u64;
        true
    }

    pub(super) fn index_bytes(&self) -> u64 {
        let given_up: u64 = self.given_up.iter().map(Index::bytes).sum();
        self.index.bytes() + given_up
    }

    /// Bytes held in all; at most the quota, once a smaller quota has been reached.
    pub(super) fn held_bytes(&self) -> u64 {
        let tables = self.index_bytes() + self.ghost.bytes() + self.segs.table_bytes();
        let tables = tables + self.bodies.bytes();
        self.segment_bytes() + tables + self.graveyard_bytes
    }

    /// Bytes that are not, or soon will not be, there for segments.
    pub(super) fn overhead_bytes(&self) -> u64 {
        let wanted = self.index_growth_bytes() + self.ghost_growth_bytes();
        // The list of segments may double with the next one.
        let table = self.segs.table_bytes().max(512);
        let tables = self.index_bytes() + self.ghost.bytes() + self.bodies.bytes() + table;
        tables + self.index.pending_bytes() + wanted
    }

    fn index_growth_bytes(&self) -> u64 {
        let heads = self.index.heads();
        let grows = self
            .index
            .heads_wanted()
            .is_some_and(|wanted| wanted > heads);
        if grows { 8 * u64::from(heads) } else { 0 }
    }

    fn ghost_growth_bytes(&self) -> u64 {
        if self.has_evicted && self.ghost.is_unfit_for(self.index.items) {
            Ghost::bytes_for(self.index.items).saturating_sub(self.ghost.bytes())
        } else {
            0
        }
    }

    /// How many segments may be held.
    pub(super) fn segment_limit(&self) -> u32 {
        let taken = self.overhead_bytes() + self.graveyard_bytes;
        let left = self.quota_bytes.saturating_sub(taken);
        let len = u64::from(self.segs.geometry.segment_len);
        u32::try_from(left / len).unwrap_or(u32::MAX)
    }

    /// How many segments are kept in reserve.
    pub(super) fn reserve_segments(&self) -> i64 {
        let segment_len = u64::from(self.segs.geometry.segment_len);
        if self.live_bytes > self.index.items.saturating_mul(segment_len) {
            RESERVE_OF_LARGE
        } else {
            RESERVE_SEGMENTS
        }
    }

    /// Segments' worth of empty slots.
    pub(super) fn loose_segments(&self) -> i64 {
        i64::from(self.slots_empty / self.segs.geometry.slots)
    }

    /// Segments that can be had without emptying any; below 0 if too many are held.
    pub(super) fn segments_to_spare(&self) -> i64 {
        let free = self.segs.free.len() as i64;
        free + i64::from(self.segment_limit()) - i64::from(self.segs.held)
    }

    /// Whether a segment is free, taking memory for one if that may be.
    pub(super) fn have_free_segment(&mut self) -> bool {
        if !self.segs.free.is_empty() {
            return true;
        }
        let limit = self.segment_limit();
        if self.segs.held >= limit {
            return false;
        }
        let numbers = self.segs.geometry.segments_named_by(self.index.loc_bits());
        self.lists_have_room() && self.segs.grow(numbers)
    }

    /// Whether every list of segments has room for one segment more than there are, so that none
    /// of them allocates later, when a refusal could not be answered.
    fn lists_have_room(&mut self) -> bool {
        let all = self.segs.held as usize + 1;
        let [small, main] = &mut self.sealed;
        [small, main, &mut self.flushed]
            .into_iter()
            .all(|list| list.try_reserve(all.saturating_sub(list.len())).is_ok())
    }

    /// Lets the tables follow the number of items, where memory is there for it.
    pub(super) fn follow_items(&mut self) {
        let bits = self.segs.geometry.loc_bits(self.quota_bytes);
        let narrow = bits > self.index.loc_bits() && !self.index.is_moving();
        if let Some(heads) = self
            .index
            .heads_wanted()
            .or(narrow.then(|| self.index.heads()))
        {
            let more = 4 * u64::from(heads);
            let shrinks = heads < self.index.heads();
            if shrinks || self.held_bytes() + more <= self.quota_bytes {
                let bits = self.segs.geometry.loc_bits(self.quota_bytes);
                self.index
                    .begin_move(heads, bits.max(self.index.loc_bits()));
            }
        }
        if self.ghost_growth_bytes() > 0 {
            let more = Ghost::bytes_for(self.index.items);
            if self.held_bytes() - self.ghost.bytes() + more <= self.quota_bytes {
                self.ghost.resize(self.index.items);
            }
        }
    }

    /// Whether this shard's memory can go on serving with this quota.
    pub(crate) fn serves(&self, quota_bytes: u64) -> bool {
        self.segs.geometry.serves(quota_bytes)
    }

    /// Changes the limits; a smaller quota is reached step by step.
    pub(crate) fn set_limits(&mut self, quota_bytes: u64, item_size_max: u32) {
        self.quota_bytes = quota_bytes;
        self.item_size_max = item_size_max;
        self.follow_items();
    }
}
