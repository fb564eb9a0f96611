//! The keyed hash of a tenant's keys, and which of its bits serve what.

use siphasher::sip::SipHasher13;

/// SipHash-1-3 under a tenant's secret key: nobody outside can aim collisions, and no tenant's
/// timing tells about another's keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyHasher(SipHasher13);

impl KeyHasher {
    pub(crate) fn new(hash_key: &[u8; 16]) -> Self {
        Self(SipHasher13::new_with_key(hash_key))
    }

    pub(crate) fn hash(&self, key: &[u8]) -> KeyHash {
        KeyHash(self.0.hash(key))
    }
}

/// A key's 64 bits: the top five choose the shard, the low 28 the chain, those between the tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyHash(pub(crate) u64);

impl KeyHash {
    /// Which of `count` shards, a power of two up to 32.
    pub(crate) const fn shard(self, count: usize) -> usize {
        (self.0 >> 59) as usize & (count - 1)
    }

    /// Which chain of the index, before the mask.
    pub(crate) const fn chain(self) -> u32 {
        self.0 as u32
    }

    /// 32 bits, the highest ones first to be used as a tag.
    pub(crate) const fn tag_bits(self) -> u32 {
        (self.0 >> 28) as u32
    }

    /// 32 bits for the memory of evicted keys' bucket, and 16 for the entry.
    pub(crate) const fn ghost_bits(self) -> (u32, u16) {
        let mixed = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed >> 32) as u32, (mixed >> 16) as u16)
    }
}

#[cfg(test)]
#[path = "hash_test.rs"]
mod tests;
