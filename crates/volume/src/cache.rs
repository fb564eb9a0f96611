//! Blocks of objects that are read again and again, opened and checked, for all volumes together.
//!
//! S3-FIFO (Yang et al., FIFO queues are all you need for cache eviction, SOSP 2023), whose small queue has
//! names instead of blocks: what was read once is at hand in the page cache of the system, or as near as the
//! store is, and is not copied for one read. Who is read again while the name is remembered comes into the
//! main queue; at its end those stay that were read meanwhile.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::BLOCK_LEN;
use crate::hasher::BuildNameHasher;
use crate::name::{ObjectName, VolumeId};

/// What of a volume's object: the frame at this unit of it. Names are never used again, and so nothing here
/// is ever out of date.
type Key = (ObjectName, u32);

/// Locks, so that volumes do not wait for each other.
const SHARDS: usize = 8;

/// As often as this a block may be spared at the end of the queue.
const HITS_MAX: u8 = 3;

/// A cache of blocks of bounded size.
#[derive(Debug)]
pub struct ReadCache {
    shards: Vec<Mutex<Shard>>,
    /// Blocks in each.
    room: usize,
}

#[derive(Debug, Default)]
struct Shard {
    index: HashMap<Key, usize, BuildNameHasher>,
    slots: Vec<Slot>,
    /// In the order in which they came.
    queue: VecDeque<usize>,
    /// Slots that are in no queue.
    free: Vec<usize>,
    /// Who was read once, as many names as there may be blocks.
    once: HashSet<Key, BuildNameHasher>,
    once_order: VecDeque<Key>,
}

#[derive(Debug)]
struct Slot {
    key: Key,
    hits: u8,
    data: Box<[u8]>,
}

impl ReadCache {
    /// Of so many bytes of blocks; names and the like come to some hundredth of that.
    pub fn new(len: u64) -> Self {
        let blocks = usize::try_from(len).unwrap_or(usize::MAX) / BLOCK_LEN;
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            room: blocks / SHARDS,
        }
    }

    /// Bytes of blocks that it holds.
    pub fn len(&self) -> u64 {
        let blocks = self.shards.iter().map(|shard| lock(shard).index.len());
        (blocks.sum::<usize>() * BLOCK_LEN) as u64
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets what a volume has stored, which is deleted.
    pub fn forget(&self, volume: VolumeId) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            let shard = &mut *shard;
            let gone = |key: &Key| key.0.volume == volume;
            shard.once.retain(|key| !gone(key));
            shard.once_order.retain(|key| !gone(key));
            let (index, slots) = (&mut shard.index, &shard.slots);
            index.retain(|key, _| !gone(key));
            let is_gone = |slot: &usize| slots.get(*slot).is_some_and(|slot| gone(&slot.key));
            let (left, kept) = shard.queue.iter().partition(|slot| is_gone(slot));
            shard.queue = kept;
            shard.free.extend::<VecDeque<usize>>(left);
        }
    }

    /// Copies a block out, if it is here.
    pub(crate) fn get(&self, name: ObjectName, unit: u32, block: &mut [u8]) -> bool {
        let mut shard = lock(self.shard(unit));
        let found = shard.index.get(&(name, unit)).copied();
        let Some(slot) = found.and_then(|slot| shard.slots.get_mut(slot)) else {
            return false;
        };
        if slot.data.len() != block.len() {
            return false;
        }
        slot.hits = slot.hits.saturating_add(1).min(HITS_MAX);
        block.copy_from_slice(&slot.data);
        true
    }

    /// A block that was not here has been read.
    pub(crate) fn offer(&self, name: ObjectName, unit: u32, block: &[u8]) {
        if self.room > 0 && block.len() == BLOCK_LEN {
            lock(self.shard(unit)).offer((name, unit), block, self.room);
        }
    }

    fn shard(&self, unit: u32) -> &Mutex<Shard> {
        // Frames begin at any unit, and there is at least one shard.
        &self.shards[usize::try_from(unit).unwrap_or_default() % SHARDS]
    }
}

impl Shard {
    fn offer(&mut self, key: Key, block: &[u8], room: usize) {
        if self.index.contains_key(&key) {
            return;
        }
        if !self.once.remove(&key) {
            self.once.insert(key);
            self.once_order.push_back(key);
            while self.once_order.len() > room {
                // One that was taken up since is gone already.
                if let Some(oldest) = self.once_order.pop_front() {
                    self.once.remove(&oldest);
                }
            }
            return;
        }
        let slot = self.free.pop().or_else(|| {
            let full = self.slots.len() >= room;
            full.then(|| self.evict())?
        });
        match slot.and_then(|slot| Some((slot, self.slots.get_mut(slot)?))) {
            Some((number, slot)) => {
                (slot.key, slot.hits) = (key, 0);
                slot.data.copy_from_slice(block);
                self.take_up(key, number);
            }
            None => {
                let (hits, data) = (0, block.into());
                self.slots.push(Slot { key, hits, data });
                self.take_up(key, self.slots.len() - 1);
            }
        }
    }

    fn take_up(&mut self, key: Key, slot: usize) {
        self.index.insert(key, slot);
        self.queue.push_back(slot);
    }

    /// The slot of the oldest block that nobody has read since it was looked at last.
    fn evict(&mut self) -> Option<usize> {
        loop {
            let number = self.queue.pop_front()?;
            let slot = self.slots.get_mut(number)?;
            if slot.hits == 0 {
                self.index.remove(&slot.key);
                return Some(number);
            }
            slot.hits -= 1;
            self.queue.push_back(number);
        }
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "cache_test.rs"]
mod tests;
