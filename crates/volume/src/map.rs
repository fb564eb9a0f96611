//! The extent map: for each block that a segment holds, where; copied lazily, a part at a time.
//!
//! A part is 1 GiB of the volume and is what a checkpoint stores as one object: a CRC-32C of all that
//! follows, the number of leaves, then for each its number within the part and its bytes. Parts are
//! shared by reference count, so that a checkpoint is taken by copying a list of a thousand pointers
//! for a TiB, and only parts that have changed since are stored again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::bytes::{Put, Reader, crc, len32};
use crate::leaf::{LEAF_BLOCKS, Leaf, Place};

/// Blocks in a part.
pub(crate) const PART_BLOCKS: u64 = 512 * LEAF_BLOCKS;

type Part = BTreeMap<u16, Arc<Leaf>>;

/// The map, with the parts that have changed since they were last taken note of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Map {
    parts: BTreeMap<u32, Arc<Part>>,
    changed: BTreeSet<u32>,
    /// Leaves, and the bytes that they take beside their own size.
    leaves: u64,
    heap_len: u64,
}

/// Part, leaf within it, slot within that; `None` beyond what a volume can have.
fn split(block: u64) -> Option<(u32, u16, u16)> {
    let part = u32::try_from(block / PART_BLOCKS).ok()?;
    let leaf = u16::try_from(block % PART_BLOCKS / LEAF_BLOCKS).ok()?;
    let slot = u16::try_from(block % LEAF_BLOCKS).ok()?;
    Some((part, leaf, slot))
}

impl Map {
    pub(crate) fn get(&self, block: u64) -> Option<Place> {
        let (part, leaf, slot) = split(block)?;
        self.parts.get(&part)?.get(&leaf)?.get(slot)
    }

    /// Sets a block's place and returns the old one.
    pub(crate) fn set(&mut self, block: u64, place: Place) -> Option<Place> {
        let (part, leaf, slot) = split(block)?;
        self.changed.insert(part);
        let leaves = Arc::make_mut(self.parts.entry(part).or_default());
        let leaf = leaves.entry(leaf).or_insert_with(|| {
            self.leaves += 1;
            Arc::default()
        });
        let before = leaf.heap_len();
        let leaf = Arc::make_mut(leaf);
        let old = leaf.set(slot, place);
        self.heap_len = (self.heap_len + leaf.heap_len() as u64).saturating_sub(before as u64);
        old
    }

    /// Forgets the places of a range and tells each; costs what is there, not what is asked.
    pub(crate) fn clear(&mut self, block: u64, blocks: u64, gone: &mut dyn FnMut(Place)) {
        let end = block.saturating_add(blocks);
        let (first, last) = (block / PART_BLOCKS, end.div_ceil(PART_BLOCKS));
        let to32 = |part| u32::try_from(part).unwrap_or(u32::MAX);
        let touched = self.parts.range(to32(first)..to32(last));
        let touched: Vec<u32> = touched.map(|(part, _)| *part).collect();
        for part in touched {
            let start = u64::from(part) * PART_BLOCKS;
            if self.clear_part(part, block.saturating_sub(start), end - start, gone) {
                self.changed.insert(part);
            }
        }
    }

    /// Clears `from..to`, counted within the part; says whether anything was there.
    fn clear_part(&mut self, part: u32, from: u64, to: u64, gone: &mut dyn FnMut(Place)) -> bool {
        let Some(leaves) = self.parts.get_mut(&part) else {
            return false;
        };
        let (first, last) = (from / LEAF_BLOCKS, to.div_ceil(LEAF_BLOCKS));
        let to16 = |leaf| u16::try_from(leaf).unwrap_or(u16::MAX);
        let keys: Vec<u16> = leaves
            .range(to16(first)..to16(last))
            .map(|(key, _)| *key)
            .collect();
        let mut any = false;
        for key in keys {
            let start = u64::from(key) * LEAF_BLOCKS;
            let (head, tail) = (from.saturating_sub(start), (to - start).min(LEAF_BLOCKS));
            let leaves = Arc::make_mut(leaves);
            if (head, tail) == (0, LEAF_BLOCKS) {
                if let Some(leaf) = leaves.remove(&key) {
                    leaf.places().for_each(&mut *gone);
                    self.leaves -= 1;
                    self.heap_len = self.heap_len.saturating_sub(leaf.heap_len() as u64);
                }
                any = true;
                continue;
            }
            let Some(shared) = leaves.get_mut(&key) else {
                continue;
            };
            let before = shared.heap_len();
            let leaf = Arc::make_mut(shared);
            for slot in head..tail {
                let old = u16::try_from(slot).ok().and_then(|slot| leaf.clear(slot));
                any |= old.is_some();
                old.into_iter().for_each(&mut *gone);
            }
            let mut after = leaf.heap_len();
            if leaf.is_empty() {
                leaves.remove(&key);
                self.leaves -= 1;
                after = 0;
            }
            self.heap_len = (self.heap_len + after as u64).saturating_sub(before as u64);
        }
        any
    }

    /// Whether any block of a range has a place; costs what is there, not what is asked.
    pub(crate) fn any(&self, block: u64, blocks: u64) -> bool {
        let end = block.saturating_add(blocks);
        let to32 = |part| u32::try_from(part).unwrap_or(u32::MAX);
        let parts = to32(block / PART_BLOCKS)..to32(end.div_ceil(PART_BLOCKS));
        self.parts.range(parts).any(|(part, leaves)| {
            let start = u64::from(*part) * PART_BLOCKS;
            leaves.iter().any(|(leaf, places)| {
                let first = start + u64::from(*leaf) * LEAF_BLOCKS;
                let from = block.saturating_sub(first).min(LEAF_BLOCKS);
                let to = end.saturating_sub(first).min(LEAF_BLOCKS);
                (from..to)
                    .any(|slot| u16::try_from(slot).is_ok_and(|slot| places.get(slot).is_some()))
            })
        })
    }

    /// Every place that a block has.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        let leaves = self.parts.values().flat_map(|part| part.values());
        leaves.flat_map(|leaf| leaf.places())
    }

    /// The parts that have changed since the last call.
    pub(crate) fn take_changed(&mut self) -> BTreeSet<u32> {
        std::mem::take(&mut self.changed)
    }

    /// A part as an object; `None` if nothing is in it.
    pub(crate) fn encode_part(&self, part: u32) -> Option<Vec<u8>> {
        let leaves = self.parts.get(&part).filter(|leaves| !leaves.is_empty())?;
        let mut body = Vec::new();
        body.put_u32(len32(leaves.len()));
        for (key, leaf) in leaves.iter() {
            body.put_u16(*key);
            leaf.put(&mut body);
        }
        let mut out = crc(&body).to_le_bytes().to_vec();
        out.append(&mut body);
        Some(out)
    }

    /// Takes a part in from an object; `false` if it is damaged.
    pub(crate) fn load_part(&mut self, part: u32, bytes: &[u8]) -> bool {
        let Some(leaves) = decode_part(bytes) else {
            return false;
        };
        let heap_len: usize = leaves.values().map(|leaf| leaf.heap_len()).sum();
        self.leaves += leaves.len() as u64;
        self.heap_len += heap_len as u64;
        self.parts.insert(part, Arc::new(leaves));
        true
    }

    /// Roughly the bytes that the map takes in memory.
    pub(crate) fn memory_len(&self) -> u64 {
        // Two counts of a shared allocation, and what an allocator and a tree add to each leaf.
        const LEAF_EXTRA: usize = 16 + 16 + 16;
        self.leaves * (size_of::<Leaf>() + LEAF_EXTRA) as u64 + self.heap_len
    }
}

fn decode_part(bytes: &[u8]) -> Option<Part> {
    let mut reader = Reader::new(bytes);
    let sum = reader.u32()?;
    if sum != crc(bytes.get(4..)?) {
        return None;
    }
    let count = reader.u32()?;
    let mut leaves = Part::new();
    for _ in 0..count {
        leaves.insert(reader.u16()?, Arc::new(Leaf::read(&mut reader)?));
    }
    reader.is_empty().then_some(leaves)
}

#[cfg(test)]
#[path = "map_test.rs"]
mod tests;
