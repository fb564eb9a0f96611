//! What the journal holds and no segment yet: the newest writes, as extents over the map.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the newest content of some blocks is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// In the journal, from this position on; each block has its checksum from `skip` on.
    Data {
        pos: u64,
        crcs: Arc<[u32]>,
        skip: u32,
    },
    /// Nowhere: they are zero.
    Zero,
}

/// Blocks that one record wrote and none after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fresh {
    pub(crate) block: u64,
    pub(crate) blocks: u64,
    pub(crate) seq: u64,
    pub(crate) content: Content,
}

impl Fresh {
    fn end(&self) -> u64 {
        self.block + self.blocks
    }

    /// The part of it within `from..to`, which must overlap it.
    fn cut(&self, from: u64, to: u64) -> Self {
        let block = self.block.max(from);
        let ahead = block - self.block;
        let content = match &self.content {
            Content::Zero => Content::Zero,
            Content::Data { pos, crcs, skip } => Content::Data {
                pos: pos + ahead * crate::BLOCK_LEN as u64,
                crcs: Arc::clone(crcs),
                skip: skip + u32::try_from(ahead).unwrap_or_default(),
            },
        };
        Self {
            block,
            blocks: self.end().min(to) - block,
            seq: self.seq,
            content,
        }
    }

    /// The position and checksum of its `index`th block, if it has data.
    pub(crate) fn block_at(&self, index: u64) -> Option<(u64, u32)> {
        let Content::Data { pos, crcs, skip } = &self.content else {
            return None;
        };
        let place = u64::from(*skip).checked_add(index)?;
        let sum = crcs.get(usize::try_from(place).ok()?)?;
        Some((pos + index * crate::BLOCK_LEN as u64, *sum))
    }
}

/// Extents that do not overlap, by their first block.
#[derive(Debug, Default)]
pub(crate) struct Overlay(BTreeMap<u64, Fresh>);

impl Overlay {
    /// Puts an extent over whatever is there.
    pub(crate) fn insert(&mut self, fresh: Fresh) {
        self.clear(fresh.block, fresh.end(), |_| true);
        self.0.insert(fresh.block, fresh);
    }

    /// Takes away what the record `seq` wrote within a range and nobody after it.
    pub(crate) fn settle(&mut self, block: u64, blocks: u64, seq: u64) {
        self.clear(block, block + blocks, |fresh| fresh.seq == seq);
    }

    fn clear(&mut self, from: u64, to: u64, takes: impl Fn(&Fresh) -> bool) {
        let touched: Vec<u64> = self.touching(from, to).map(|fresh| fresh.block).collect();
        for key in touched {
            let Some(old) = self.0.remove(&key) else {
                continue;
            };
            if !takes(&old) {
                self.0.insert(key, old);
                continue;
            }
            if old.block < from {
                self.0.insert(old.block, old.cut(old.block, from));
            }
            if old.end() > to {
                self.0.insert(to, old.cut(to, old.end()));
            }
        }
    }

    fn touching(&self, from: u64, to: u64) -> impl Iterator<Item = &Fresh> {
        let before = self.0.range(..=from).next_back().map(|(_, fresh)| fresh);
        let before = before.filter(move |fresh| fresh.block < from && fresh.end() > from);
        let within = self.0.range(from..to.max(from)).map(|(_, fresh)| fresh);
        before.into_iter().chain(within)
    }

    /// The extents within `block..block + blocks`, cut to it, in order.
    pub(crate) fn within(&self, block: u64, blocks: u64) -> Vec<Fresh> {
        let end = block + blocks;
        let cut = |fresh: &Fresh| fresh.cut(block, end);
        self.touching(block, end).map(cut).collect()
    }

    /// How many extents there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
#[path = "overlay_test.rs"]
mod tests;
