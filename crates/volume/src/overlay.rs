//! What the journal holds and no segment yet: the newest writes, as extents over the map.

use std::collections::{BTreeMap, VecDeque};

use crate::bulk::{BulkRef, FRAME_UNITS};
use crate::crcs::Crcs;
use crate::regions::{REGION_BLOCKS, Regions};
use crate::snapshot::Snapshot;

/// Where the newest content of some blocks is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// In the journal, from this position on; each block has its checksum from `skip` on.
    Data { pos: u64, crcs: Crcs, skip: u32 },
    /// In a bulk, each block a frame, from this unit on.
    Bulk { object: BulkRef, unit: u32 },
    /// Nowhere: they are zero.
    Zero,
    /// Nowhere: what the journal had of them is damaged.
    Lost,
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
    pub(crate) fn end(&self) -> u64 {
        self.block + self.blocks
    }

    /// How many frames of a segment it takes.
    pub(crate) fn frames(&self) -> u64 {
        match self.content {
            Content::Data { .. } | Content::Lost => self.blocks,
            Content::Bulk { .. } | Content::Zero => 0,
        }
    }

    /// Whether `next` is the rest of what was one extent.
    pub(crate) fn goes_on_in(&self, next: &Self) -> bool {
        let kind = std::mem::discriminant(&self.content);
        (self.seq, self.end(), kind)
            == (next.seq, next.block, std::mem::discriminant(&next.content))
    }

    /// The part of it within `from..to`, which must overlap it.
    pub(crate) fn cut(&self, from: u64, to: u64) -> Self {
        let block = self.block.max(from);
        let ahead = block - self.block;
        let content = match &self.content {
            Content::Zero => Content::Zero,
            Content::Lost => Content::Lost,
            Content::Bulk { object, unit } => Content::Bulk {
                object: *object,
                unit: unit + FRAME_UNITS * u32::try_from(ahead).unwrap_or_default(),
            },
            Content::Data { pos, crcs, skip } => Content::Data {
                pos: pos + ahead * crate::BLOCK_LEN as u64,
                crcs: crcs.clone(),
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

    /// The position and checksum of its `index`th block, if the journal has its data.
    pub(crate) fn block_at(&self, index: u64) -> Option<(u64, u32)> {
        let Content::Data { pos, crcs, skip } = &self.content else {
            return None;
        };
        let place = u64::from(*skip).checked_add(index)?;
        let sum = crcs.get(usize::try_from(place).ok()?)?;
        Some((pos + index * crate::BLOCK_LEN as u64, *sum))
    }
}

/// Longer extents are not cut into regions.
const SHORT_BLOCKS_MAX: u64 = REGION_BLOCKS;

/// Extents that do not overlap.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlay {
    /// Newer than what is long, and over it.
    short: Regions,
    /// By their first block.
    long: BTreeMap<u64, Fresh>,
}

impl Overlay {
    /// An empty one, in which about as much is expected.
    fn successor(&self) -> Self {
        Self {
            short: self.short.successor(),
            long: BTreeMap::new(),
        }
    }

    /// Puts an extent over whatever is there; says of which records it hides how many blocks. What something
    /// short hides of something long is not said: there is no data of a long one to be packed, and a trim of the
    /// whole volume would fall to pieces with every write after it.
    pub(crate) fn insert(&mut self, fresh: Fresh, hidden: &mut dyn FnMut(u64, u64)) {
        if fresh.blocks <= SHORT_BLOCKS_MAX {
            return self.short.insert(fresh, hidden);
        }
        self.short.clear(fresh.block, fresh.end(), hidden);
        self.clear_long(fresh.block, fresh.end(), hidden);
        self.long.insert(fresh.block, fresh);
    }

    fn clear_long(&mut self, from: u64, to: u64, hidden: &mut dyn FnMut(u64, u64)) {
        let touched: Vec<u64> = self.touching(from, to).map(|fresh| fresh.block).collect();
        for key in touched {
            let Some(old) = self.long.remove(&key) else {
                continue;
            };
            hidden(old.seq, old.end().min(to) - old.block.max(from));
            if old.block < from {
                self.long.insert(old.block, old.cut(old.block, from));
            }
            if old.end() > to {
                self.long.insert(to, old.cut(to, old.end()));
            }
        }
    }

    /// The long ones that have something of a stretch.
    fn touching(&self, from: u64, to: u64) -> impl Iterator<Item = &Fresh> {
        let before = self.long.range(..=from).next_back().map(|(_, fresh)| fresh);
        let before = before.filter(move |fresh| fresh.block < from && fresh.end() > from);
        let within = self.long.range(from..to.max(from)).map(|(_, fresh)| fresh);
        before.into_iter().chain(within)
    }

    /// The extents within `block..block + blocks`, cut to it, in order.
    pub(crate) fn within(&self, block: u64, blocks: u64) -> Vec<Fresh> {
        let end = block + blocks;
        let short = self.short.within(block, end);
        if self.long.is_empty() {
            return short;
        }
        let (mut found, mut at) = (Vec::new(), block);
        for fresh in short {
            self.add_long(at, fresh.block, &mut found);
            at = fresh.end();
            found.push(fresh);
        }
        self.add_long(at, end, &mut found);
        found
    }

    fn add_long(&self, from: u64, to: u64, found: &mut Vec<Fresh>) {
        if from < to {
            found.extend(self.touching(from, to).map(|fresh| fresh.cut(from, to)));
        }
    }

    /// How many extents there are.
    pub(crate) fn len(&self) -> usize {
        self.short.len() + self.long.len()
    }
}

/// The records up to some point, which nothing hides that came later.
#[derive(Debug)]
pub(crate) struct Layer {
    overlay: Overlay,
    /// The last record that belongs to it.
    pub(crate) cut_seq: u64,
    /// How long the volume was then.
    pub(crate) size_blocks: u64,
    /// What was taken then.
    pub(crate) snapshot: Option<Snapshot>,
}

/// The overlay, cut into layers: each is packed by itself and whole, so that the map comes past every
/// cut exactly as the volume was there.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    /// Oldest first.
    cut: VecDeque<Layer>,
    top: Overlay,
    /// Those of layers that are packed.
    gone: Vec<Overlay>,
}

impl Layers {
    /// Puts an extent over whatever is there; says of which records of its layer it hides how many blocks.
    pub(crate) fn insert(&mut self, fresh: Fresh, hidden: &mut dyn FnMut(u64, u64)) {
        self.top.insert(fresh, hidden);
    }

    /// Layers that are packed, to be dropped where nobody waits: that takes milliseconds.
    pub(crate) fn take_gone(&mut self) -> Vec<Overlay> {
        std::mem::take(&mut self.gone)
    }

    /// What is there now is the layer that ends with the record `cut_seq`.
    pub(crate) fn cut(&mut self, cut_seq: u64, size_blocks: u64, snapshot: Option<Snapshot>) {
        let successor = self.top.successor();
        let overlay = std::mem::replace(&mut self.top, successor);
        self.cut.push_back(Layer {
            overlay,
            cut_seq,
            size_blocks,
            snapshot,
        });
    }

    /// The oldest layer that is cut and ends behind `seq`.
    pub(crate) fn after(&self, seq: u64) -> Option<&Layer> {
        self.cut.iter().find(|layer| layer.cut_seq > seq)
    }

    /// The layers that are cut, oldest first.
    pub(crate) fn cuts(&self) -> impl DoubleEndedIterator<Item = &Layer> {
        self.cut.iter()
    }

    /// The oldest layer is packed, if that is the one that ends with `seq`; gives what was taken then.
    pub(crate) fn pop(&mut self, seq: u64) -> Option<Snapshot> {
        let first = self.cut.front().filter(|layer| layer.cut_seq == seq);
        first?;
        let layer = self.cut.pop_front()?;
        self.gone.push(layer.overlay);
        layer.snapshot
    }

    /// The newest extents within `block..block + blocks`, cut to it, in order.
    pub(crate) fn within(&self, block: u64, blocks: u64) -> Vec<Fresh> {
        let mut found = self.top.within(block, blocks);
        for layer in self
            .cut
            .iter()
            .rev()
            .filter(|layer| layer.overlay.len() > 0)
        {
            let below = layer.overlay.within(block, blocks);
            found = match (found.is_empty(), below.is_empty()) {
                (true, _) => below,
                (_, true) => found,
                _ => merge(found, below, (block, blocks)),
            };
        }
        found
    }

    /// How many extents there are in all layers.
    pub(crate) fn len(&self) -> usize {
        let cut = self.cut.iter().map(|layer| layer.overlay.len());
        cut.sum::<usize>() + self.top.len()
    }
}

impl Layer {
    /// Its extents within `block..block + blocks`.
    pub(crate) fn within(&self, block: u64, blocks: u64) -> Vec<Fresh> {
        self.overlay.within(block, blocks)
    }
}

/// What is above, and of what is below that which shows between; all of it in one stretch.
fn merge(above: Vec<Fresh>, below: Vec<Fresh>, (block, blocks): (u64, u64)) -> Vec<Fresh> {
    let mut shown = Overlay::default();
    for fresh in below.into_iter().chain(above) {
        shown.insert(fresh, &mut |_, _| {});
    }
    shown.within(block, blocks)
}

#[cfg(test)]
#[path = "overlay_test.rs"]
mod tests;
