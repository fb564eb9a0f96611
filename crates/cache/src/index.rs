//! Finds an item by its key: chains through the items, behind a table that grows bit by bit.
//!
//! A link is a location and, in the bits above it, a tag of the hash of the item it points to, so
//! that a chain's other items are told apart without comparing keys. Its top bit says that the
//! item is the last of its chain, where that is known: most searches for what is not there then
//! end without touching an item.
//!
//! A table of twice or half the length, or with another split of link bits, is moved to one unit
//! of chains at a time; every unit below `moved` is in the new table, every other in the old one.

use crate::chains::{LAST, Table, drop_passed, move_chain};
use crate::hash::{KeyHash, KeyHasher};
use crate::item;
use crate::prefetch::prefetch;
use crate::segment::Segments;

/// Chain heads of an empty index.
const HEADS_MIN: u32 = 256;
const HEADS_MAX: u32 = 1 << 28;
/// Bytes that memory moves in.
const CACHE_LINE_LEN: usize = 64;
/// Lines of an item that are fetched ahead; of a longer one the processor sees itself what is next.
const ITEM_LINES_FETCHED: usize = 3;

/// The index of one shard.
#[derive(Debug)]
pub(crate) struct Index {
    table: Table,
    /// Where it moves to, and how many units have moved.
    next: Option<(Table, u32)>,
    pub(crate) items: u64,
}

impl Index {
    /// An empty index for locations of this many bits, if memory can be had.
    pub(crate) fn new(loc_bits: u32) -> Option<Self> {
        let mut table = Table::new(HEADS_MIN, loc_bits)?;
        table.ensure(0).then_some(Self {
            table,
            next: None,
            items: 0,
        })
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> u64 {
        self.table.bytes + self.next.as_ref().map_or(0, |(table, _)| table.bytes)
    }

    /// Bytes that a move under way will still take.
    pub(crate) fn pending_bytes(&self) -> u64 {
        let left = |(table, _): &(Table, u32)| table.whole_bytes() - table.bytes;
        self.next.as_ref().map_or(0, left)
    }

    /// Bits of location that every link can hold at present.
    pub(crate) fn loc_bits(&self) -> u32 {
        let next_bits = self.next.as_ref().map(|(table, _)| table.loc_bits);
        next_bits.map_or(self.table.loc_bits, |bits| bits.min(self.table.loc_bits))
    }

    pub(crate) const fn is_moving(&self) -> bool {
        self.next.is_some()
    }

    /// How many heads it should have, if not as many as now.
    pub(crate) fn heads_wanted(&self) -> Option<u32> {
        let heads = self.table.heads;
        if self.next.is_some() {
            None
        } else if self.items > u64::from(heads) * 8 / 5 && heads < HEADS_MAX {
            Some(heads * 2)
        } else if self.items < u64::from(heads) / 8 && heads > HEADS_MIN {
            Some(heads / 2)
        } else {
            None
        }
    }

    /// Heads at present.
    pub(crate) const fn heads(&self) -> u32 {
        self.table.heads
    }

    /// Begins to move to `heads` heads, as many, twice or half as many, and locations of
    /// `loc_bits`; false if a move is under way or memory is short.
    pub(crate) fn begin_move(&mut self, heads: u32, loc_bits: u32) -> bool {
        if self.next.is_some() {
            return false;
        }
        self.next = Table::new(heads, loc_bits).map(|table| (table, 0));
        self.next.is_some()
    }

    /// Moves up to `units` units of chains; each is one chain of the shorter table.
    pub(crate) fn advance(&mut self, segs: &mut Segments, hasher: KeyHasher, units: u32) {
        for _ in 0..units {
            let Some((next, moved)) = &mut self.next else {
                return;
            };
            let all = self.table.heads.min(next.heads);
            let unit = *moved;
            if !(next.ensure(unit) && next.ensure(unit | (next.heads - 1) & all)) {
                return;
            }
            let mut bucket = unit;
            while bucket < self.table.heads {
                move_chain(&mut self.table, next, segs, hasher, bucket);
                bucket += all;
            }
            *moved += 1;
            if *moved == all {
                if let Some((table, _)) = self.next.take() {
                    self.table = table;
                }
                return;
            }
            drop_passed(&mut self.table, *moved, all);
        }
    }

    /// Brings the head of a hash's chain near.
    #[inline]
    pub(crate) fn prefetch_head(&self, hash: KeyHash) {
        let table = self.table_of(hash);
        table.prefetch_head(table.bucket(hash));
    }

    /// Brings the next item of a hash's chain near, as far as a small one goes: the one behind the
    /// item at `after`, or the first. Tells where that is, if the one wanted is further on.
    #[inline]
    pub(crate) fn prefetch_item(
        &self,
        segs: &Segments,
        hash: KeyHash,
        after: Option<u32>,
    ) -> Option<u32> {
        let table = self.table_of(hash);
        let link = match after {
            None => table.head(table.bucket(hash)),
            // It may have gone meanwhile, its segment with it.
            Some(loc) => item::next(segs.get_at(loc).filter(|item| !item.is_empty())?),
        };
        if link == 0 {
            return None;
        }
        let loc = link & table.loc_mask;
        let bytes = segs.get_at(loc)?;
        for line in bytes.chunks(CACHE_LINE_LEN).take(ITEM_LINES_FETCHED) {
            prefetch(&line[0]);
        }
        let is_other = link & !LAST & !table.loc_mask != table.tag(hash);
        (is_other && link & LAST == 0).then_some(loc)
    }

    fn table_of(&self, hash: KeyHash) -> &Table {
        match &self.next {
            None => &self.table,
            Some((next, moved)) => {
                let unit = hash.chain() & (self.table.heads.min(next.heads) - 1);
                if unit < *moved { next } else { &self.table }
            }
        }
    }

    fn table_of_mut(&mut self, hash: KeyHash) -> &mut Table {
        match &mut self.next {
            None => &mut self.table,
            Some((next, moved)) => {
                let unit = hash.chain() & (self.table.heads.min(next.heads) - 1);
                if unit < *moved { next } else { &mut self.table }
            }
        }
    }

    /// Where the item of this key is.
    #[inline]
    pub(crate) fn find(&self, segs: &Segments, hash: KeyHash, key: &[u8]) -> Option<u32> {
        let table = self.table_of(hash);
        let tag = table.tag(hash);
        let tag_mask = !LAST & !table.loc_mask;
        let mut link = table.head(table.bucket(hash));
        while link != 0 {
            let loc = link & table.loc_mask;
            if link & tag_mask == tag {
                if item::has_key(segs.at(loc), key) {
                    return Some(loc);
                }
            } else if link & LAST != 0 {
                return None;
            }
            link = item::next(segs.at(loc));
        }
        None
    }

    /// As `find`, in an index given up by a flush: only segments opened before `flush_seq` still
    /// hold what the links say.
    pub(crate) fn knew(&self, segs: &Segments, flush_seq: u64, hash: KeyHash, key: &[u8]) -> bool {
        let table = self.table_of(hash);
        let mut link = table.head(table.bucket(hash));
        for _ in 0..16 {
            let loc = link & table.loc_mask;
            let there =
                |segment: &crate::segment::Segment| segment.seq != 0 && segment.seq < flush_seq;
            let segment = segs.list.get(segs.segment_of(loc) as usize);
            if link == 0 || !segment.is_some_and(there) {
                return false;
            }
            let bytes = segs.at(loc);
            if item::has_key(bytes, key) {
                return true;
            }
            link = item::next(bytes);
        }
        false
    }

    /// Frees one block of an index given up; false when none is left.
    pub(crate) fn shed(&mut self) -> bool {
        let next = self.next.as_mut().map(|(table, _)| table);
        for table in [Some(&mut self.table), next].into_iter().flatten() {
            if let Some(block) = table.blocks.iter().position(|block| !block.is_empty()) {
                table.drop_block(block);
                return true;
            }
        }
        false
    }

    /// Makes an item known whose key is not.
    pub(crate) fn insert(&mut self, segs: &mut Segments, hash: KeyHash, loc: u32) {
        self.table_of_mut(hash).push(segs, hash, loc);
        self.items += 1;
    }

    /// Forgets the item at `loc`; false if it was not known.
    pub(crate) fn remove(&mut self, segs: &mut Segments, hash: KeyHash, loc: u32) -> bool {
        let table = self.table_of_mut(hash);
        let Some(before) = table.predecessor(segs, hash, loc) else {
            return false;
        };
        let after = item::next(segs.at(loc));
        table.relink(segs, hash, before, after);
        self.items -= 1;
        true
    }

    /// Puts the item at `new` in the place of the one at `old`.
    pub(crate) fn replace(
        &mut self,
        segs: &mut Segments,
        hash: KeyHash,
        old: u32,
        new: u32,
    ) -> bool {
        let table = self.table_of_mut(hash);
        let Some(before) = table.predecessor(segs, hash, old) else {
            return false;
        };
        let after = item::next(segs.at(old));
        segs.set_next(new, after);
        let link = table.link(hash, new, after);
        table.relink(segs, hash, before, link);
        true
    }

    /// Every location reached, for checks.
    #[cfg(test)]
    pub(crate) fn locations(&self, segs: &Segments) -> Vec<u32> {
        let mut found = Vec::new();
        let next = self.next.as_ref().map(|(table, _)| table);
        for table in [Some(&self.table), next].into_iter().flatten() {
            for bucket in 0..table.heads {
                let mut link = table.head(bucket);
                while link != 0 {
                    found.push(link & table.loc_mask);
                    link = item::next(segs.at(link & table.loc_mask));
                }
            }
        }
        found
    }
}

#[cfg(test)]
#[path = "index_test.rs"]
mod tests;
