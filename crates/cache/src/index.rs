//! Finds an item by its key: chains through the items, behind a table that grows bit by bit.
//!
//! A link is a location and, in the bits above it, a tag of the hash of the item it points to, so
//! that a chain's other items are told apart without comparing keys. Its top bit says that the
//! item is the last of its chain, where that is known: most searches for what is not there then
//! end without touching an item. A table of twice or half the
//! length, or with another split of link bits, is moved to one unit of chains at a time; every
//! unit below `moved` is in the new table, every other in the old one.

use crate::hash::{KeyHash, KeyHasher};
use crate::item;
use crate::memory;
use crate::segment::Segments;

/// Chain heads of an empty index.
const HEADS_MIN: u32 = 256;
const HEADS_MAX: u32 = 1 << 28;

/// In a link: nothing follows the item that it points to. Never set wrongly, but it may be missing
/// where the item behind was removed.
const LAST: u32 = 1 << 31;

/// Heads of one block; a table is allocated and freed by the block.
const BLOCK_BITS: u32 = 14;

#[derive(Debug)]
struct Table {
    /// Empty where a block is not there yet, or no more.
    blocks: Vec<Box<[u32]>>,
    heads: u32,
    block_bits: u32,
    loc_bits: u32,
    loc_mask: u32,
    bytes: u64,
}

impl Table {
    fn new(heads: u32, loc_bits: u32) -> Option<Self> {
        let block_bits = heads.ilog2().min(BLOCK_BITS);
        let count = (heads >> block_bits) as usize;
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(count).ok()?;
        blocks.resize_with(count, Box::default);
        Some(Self {
            blocks,
            heads,
            block_bits,
            loc_bits,
            loc_mask: (1 << loc_bits) - 1,
            bytes: 0,
        })
    }

    fn block_len(&self) -> usize {
        1 << self.block_bits
    }

    fn whole_bytes(&self) -> u64 {
        u64::from(self.heads) * 4
    }

    fn ensure(&mut self, bucket: u32) -> bool {
        let len = self.block_len();
        let block = &mut self.blocks[(bucket >> self.block_bits) as usize];
        if block.is_empty() {
            let Some(words) = memory::zeroed_words(len) else {
                return false;
            };
            *block = words;
            self.bytes += 4 * len as u64;
        }
        true
    }

    fn drop_block(&mut self, block: usize) {
        let words = std::mem::take(&mut self.blocks[block]);
        self.bytes -= 4 * words.len() as u64;
    }

    #[inline]
    fn head(&self, bucket: u32) -> u32 {
        let within = bucket as usize & (self.block_len() - 1);
        let block = &self.blocks[(bucket >> self.block_bits) as usize];
        block.get(within).copied().unwrap_or(0)
    }

    fn set_head(&mut self, bucket: u32, link: u32) {
        let within = bucket as usize & (self.block_len() - 1);
        self.blocks[(bucket >> self.block_bits) as usize][within] = link;
    }

    #[inline]
    fn bucket(&self, hash: KeyHash) -> u32 {
        hash.chain() & (self.heads - 1)
    }

    /// The tag of a hash, in its place within a link.
    #[inline]
    fn tag(&self, hash: KeyHash) -> u32 {
        (hash.tag_bits() & !LAST) >> self.loc_bits << self.loc_bits
    }

    #[inline]
    fn link(&self, hash: KeyHash, loc: u32, next: u32) -> u32 {
        let last = if next == 0 { LAST } else { 0 };
        last | self.tag(hash) | loc
    }

    fn push(&mut self, segs: &mut Segments, hash: KeyHash, loc: u32) {
        let bucket = self.bucket(hash);
        let next = self.head(bucket);
        segs.set_next(loc, next);
        self.set_head(bucket, self.link(hash, loc, next));
    }

    /// The location whose link is this item's, if the chain has it.
    fn predecessor(&self, segs: &Segments, hash: KeyHash, loc: u32) -> Option<Predecessor> {
        let mut before = Predecessor::Head;
        let mut link = self.head(self.bucket(hash));
        while link != 0 {
            let here = link & self.loc_mask;
            if here == loc {
                return Some(before);
            }
            before = Predecessor::Item(here);
            link = item::next(segs.at(here));
        }
        None
    }

    fn relink(&mut self, segs: &mut Segments, hash: KeyHash, before: Predecessor, link: u32) {
        match before {
            Predecessor::Head => self.set_head(self.bucket(hash), link),
            Predecessor::Item(loc) => segs.set_next(loc, link),
        }
    }
}

#[derive(Clone, Copy)]
enum Predecessor {
    Head,
    Item(u32),
}

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
        } else if self.items > u64::from(heads) * 3 / 2 && heads < HEADS_MAX {
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

fn move_chain(
    from: &mut Table,
    to: &mut Table,
    segs: &mut Segments,
    hasher: KeyHasher,
    bucket: u32,
) {
    let mut link = from.head(bucket);
    if link == 0 {
        return;
    }
    from.set_head(bucket, 0);
    while link != 0 {
        let loc = link & from.loc_mask;
        let bytes = segs.at(loc);
        link = item::next(bytes);
        let hash = hasher.hash(item::Header::read(bytes).key(bytes));
        to.push(segs, hash, loc);
    }
}

/// Frees the old table's blocks whose chains have all moved.
fn drop_passed(old: &mut Table, moved: u32, all: u32) {
    let len = old.block_len() as u32;
    if all < len || !moved.is_multiple_of(len) {
        return;
    }
    let mut block = (moved / len - 1) as usize;
    while block < old.blocks.len() {
        old.drop_block(block);
        block += (all / len) as usize;
    }
}

#[cfg(test)]
#[path = "index_test.rs"]
mod tests;
