//! Short extents by regions of the volume, so that one is found without looking at many others.

use std::collections::HashMap;
use std::ops::Range;

use crate::bytes::usize_of;
use crate::hasher::BuildNameHasher;
use crate::overlay::Fresh;

/// Blocks of a region: one bit of a word for each.
pub(crate) const REGION_BLOCKS: u64 = u64::BITS as u64;

/// Extents that do not overlap, none of which goes beyond its region's end: what does is cut there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Regions {
    /// By their first block as a multiple of their length.
    regions: HashMap<u64, Region, BuildNameHasher>,
    len: usize,
}

#[derive(Clone, Debug)]
struct Region {
    first_block: u64,
    /// A bit for each block with which an extent begins.
    starts: u64,
    /// As many, in order.
    extents: Vec<Fresh>,
}

impl Regions {
    /// As many again are expected.
    pub(crate) fn successor(&self) -> Self {
        Self {
            regions: HashMap::with_capacity_and_hasher(self.regions.len(), <_>::default()),
            len: 0,
        }
    }

    /// How many extents there are, with those that are cut counted once for each part.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Puts an extent over whatever is there; says of which records it hides how many blocks.
    pub(crate) fn insert(&mut self, fresh: Fresh, hidden: &mut dyn FnMut(u64, u64)) {
        let first_block = fresh.block - fresh.block % REGION_BLOCKS;
        let region_end = first_block.saturating_add(REGION_BLOCKS);
        if fresh.end() > region_end {
            self.insert(fresh.cut(fresh.block, region_end), hidden);
            return self.insert(fresh.cut(region_end, fresh.end()), hidden);
        }
        let region = self.regions.entry(first_block / REGION_BLOCKS);
        let region = region.or_insert_with(|| Region::at(first_block));
        let before = region.extents.len();
        region.insert(fresh, hidden);
        self.len = self.len - before + region.extents.len();
    }

    /// Takes away what is there; says of which records it hides how many blocks.
    pub(crate) fn clear(&mut self, from: u64, to: u64, hidden: &mut dyn FnMut(u64, u64)) {
        let numbers: Vec<u64> = self.numbers(from, to).collect();
        for number in numbers {
            let Some(region) = self.regions.get_mut(&number) else {
                continue;
            };
            let before = region.extents.len();
            region.clear(from, to, hidden);
            let left = region.extents.len();
            self.len = self.len - before + left;
            if left == 0 {
                self.regions.remove(&number);
            }
        }
    }

    /// The extents within `from..to`, cut to it, in order.
    pub(crate) fn within(&self, from: u64, to: u64) -> Vec<Fresh> {
        let mut found: Vec<Fresh> = Vec::new();
        for number in self.numbers(from, to) {
            let Some(region) = self.regions.get(&number) else {
                continue;
            };
            for fresh in region.touching(from, to) {
                let fresh = fresh.cut(from, to);
                match found.last_mut() {
                    Some(last) if last.goes_on_in(&fresh) => last.blocks += fresh.blocks,
                    _ => found.push(fresh),
                }
            }
        }
        found
    }

    /// Regions that may have something of a stretch, in order.
    fn numbers(&self, from: u64, to: u64) -> impl Iterator<Item = u64> + use<> {
        let all = from / REGION_BLOCKS..to.div_ceil(REGION_BLOCKS);
        // Of a long stretch most are not there.
        if all.end.saturating_sub(all.start) <= self.regions.len() as u64 + 1 {
            return all.chain(Vec::new());
        }
        let here = self.regions.keys().copied();
        let mut here: Vec<u64> = here.filter(|number| all.contains(number)).collect();
        here.sort_unstable();
        (0..0).chain(here)
    }
}

impl Region {
    fn at(first_block: u64) -> Self {
        Self {
            first_block,
            starts: 0,
            extents: Vec::new(),
        }
    }

    /// Puts an extent of this region over whatever is there.
    fn insert(&mut self, fresh: Fresh, hidden: &mut dyn FnMut(u64, u64)) {
        let place = self.place(fresh.block);
        // The usual case: it is written again as it was written before.
        let index = self.count_before(place);
        if let Some(old) = self.extents.get_mut(index)
            && (old.block, old.blocks) == (fresh.block, fresh.blocks)
        {
            hidden(old.seq, old.blocks);
            *old = fresh;
            return;
        }
        self.clear(fresh.block, fresh.end(), hidden);
        if self.extents.is_empty() {
            // Most regions of a large volume never have a second one.
            self.extents.reserve_exact(1);
        }
        self.extents.insert(self.count_before(place), fresh);
        self.starts |= 1 << place;
    }

    /// Takes away what is there; says of which records it hides how many blocks.
    fn clear(&mut self, from: u64, to: u64, hidden: &mut dyn FnMut(u64, u64)) {
        let which = self.which(from, to);
        let touched = self.extents.get(which.clone()).unwrap_or_default();
        let (Some(first), Some(last)) = (touched.first(), touched.last()) else {
            return;
        };
        for old in touched {
            hidden(old.seq, old.end().min(to) - old.block.max(from));
        }
        let left = (first.block < from).then(|| first.cut(first.block, from));
        let right = (last.end() > to).then(|| last.cut(to, last.end()));
        self.starts &= below(self.place(from)) | !below(self.place(to));
        if right.is_some() {
            self.starts |= 1 << self.place(to);
        }
        self.extents.splice(which, left.into_iter().chain(right));
    }

    /// The extents that have something of a stretch, in order.
    fn touching(&self, from: u64, to: u64) -> &[Fresh] {
        self.extents.get(self.which(from, to)).unwrap_or_default()
    }

    fn which(&self, from: u64, to: u64) -> Range<usize> {
        let end = self.count_before(self.place(to));
        let mut begin = self.count_before(self.place(from)).min(end);
        // One that begins before may reach into it.
        if let Some(before) = begin.checked_sub(1)
            && self.extents.get(before).is_some_and(|one| one.end() > from)
        {
            begin = before;
        }
        begin..end
    }

    /// Where in the region a block is, or its beginning or end where it is not in it.
    fn place(&self, block: u64) -> u64 {
        block.saturating_sub(self.first_block).min(REGION_BLOCKS)
    }

    /// How many extents begin before a place.
    fn count_before(&self, place: u64) -> usize {
        usize_of(u64::from((self.starts & below(place)).count_ones()))
    }
}

/// The bits of all places before this one.
fn below(place: u64) -> u64 {
    match place {
        REGION_BLOCKS.. => u64::MAX,
        _ => (1 << place) - 1,
    }
}

#[cfg(test)]
#[path = "regions_test.rs"]
mod tests;
