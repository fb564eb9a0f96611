//! A table of chain heads, and the chains that run from it through the items.

use crate::hash::{KeyHash, KeyHasher};
use crate::item;
use crate::memory;
use crate::prefetch::prefetch;
use crate::segment::Segments;

/// In a link: nothing follows the item that it points to. Never set wrongly, but it may be missing
/// where the item behind was removed.
pub(crate) const LAST: u32 = 1 << 31;

/// Heads of one block; a table is allocated and freed by the block.
const BLOCK_BITS: u32 = 14;

#[derive(Debug)]
pub(crate) struct Table {
    /// Empty where a block is not there yet, or no more.
    pub(crate) blocks: Vec<Box<[u32]>>,
    pub(crate) heads: u32,
    block_bits: u32,
    pub(crate) loc_bits: u32,
    pub(crate) loc_mask: u32,
    pub(crate) bytes: u64,
}

impl Table {
    pub(crate) fn new(heads: u32, loc_bits: u32) -> Option<Self> {
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

    pub(crate) fn block_len(&self) -> usize {
        1 << self.block_bits
    }

    pub(crate) fn whole_bytes(&self) -> u64 {
        u64::from(self.heads) * 4
    }

    pub(crate) fn ensure(&mut self, bucket: u32) -> bool {
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

    pub(crate) fn drop_block(&mut self, block: usize) {
        let words = std::mem::take(&mut self.blocks[block]);
        self.bytes -= 4 * words.len() as u64;
    }

    #[inline]
    pub(crate) fn head(&self, bucket: u32) -> u32 {
        let within = bucket as usize & (self.block_len() - 1);
        let block = &self.blocks[(bucket >> self.block_bits) as usize];
        block.get(within).copied().unwrap_or(0)
    }

    #[inline]
    pub(crate) fn prefetch_head(&self, bucket: u32) {
        let within = bucket as usize & (self.block_len() - 1);
        let block = &self.blocks[(bucket >> self.block_bits) as usize];
        if let Some(head) = block.get(within) {
            prefetch(head);
        }
    }

    pub(crate) fn set_head(&mut self, bucket: u32, link: u32) {
        let within = bucket as usize & (self.block_len() - 1);
        self.blocks[(bucket >> self.block_bits) as usize][within] = link;
    }

    #[inline]
    pub(crate) fn bucket(&self, hash: KeyHash) -> u32 {
        hash.chain() & (self.heads - 1)
    }

    /// The tag of a hash, in its place within a link.
    #[inline]
    pub(crate) fn tag(&self, hash: KeyHash) -> u32 {
        (hash.tag_bits() & !LAST) >> self.loc_bits << self.loc_bits
    }

    #[inline]
    pub(crate) fn link(&self, hash: KeyHash, loc: u32, next: u32) -> u32 {
        let last = if next == 0 { LAST } else { 0 };
        last | self.tag(hash) | loc
    }

    pub(crate) fn push(&mut self, segs: &mut Segments, hash: KeyHash, loc: u32) {
        let bucket = self.bucket(hash);
        let next = self.head(bucket);
        segs.set_next(loc, next);
        self.set_head(bucket, self.link(hash, loc, next));
    }

    /// The location whose link is this item's, if the chain has it.
    pub(crate) fn predecessor(
        &self,
        segs: &Segments,
        hash: KeyHash,
        loc: u32,
    ) -> Option<Predecessor> {
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

    pub(crate) fn relink(
        &mut self,
        segs: &mut Segments,
        hash: KeyHash,
        before: Predecessor,
        link: u32,
    ) {
        match before {
            Predecessor::Head => self.set_head(self.bucket(hash), link),
            Predecessor::Item(loc) => segs.set_next(loc, link),
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Predecessor {
    Head,
    Item(u32),
}

pub(crate) fn move_chain(
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
pub(crate) fn drop_passed(old: &mut Table, moved: u32, all: u32) {
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
