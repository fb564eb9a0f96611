//! How a shard's memory is cut up, chosen by its quota.

use base::kv::INLINE_VALUE_LEN_MAX;

use crate::item::UNIT;

/// Bytes at the start of every segment that describe it.
pub(crate) const SEGMENT_HEADER_LEN: u32 = 64;

/// Bytes per slot, in the header of a chunk segment, that name the slot's owner.
pub(crate) const OWNER_LEN: u32 = 8;

const SEGMENT_LEN_MIN: u32 = 4 << 10;
const SEGMENT_LEN_MAX: u32 = 1 << 20;

/// Segments that a shard is cut into, at least; fewer make the queues coarse and the reserve dear.
const SEGMENTS_AIM: u64 = 128;

/// With fewer segments than this the queues no longer work.
const SEGMENTS_LEAST: u64 = 24;

/// The most that 31 bits of location can name.
const SHARD_BYTES_MAX: u64 = (UNIT as u64) << 31;

/// What a shard's quota may be at most so that tags have some bits.
pub(crate) const SHARD_QUOTA_MAX: u64 = SHARD_BYTES_MAX / 2;

/// The most shards of a tenant.
pub(crate) const SHARDS_MAX: usize = 32;

/// The most that a tenant has while fewer can hold its quota.
const SHARDS_AIM_MAX: u64 = 16;

/// Largest items that each shard holds, at least, where a tenant has several: what the shards'
/// ends waste, and what they differ in, is then little.
const SHARD_ITEMS_LEAST: u64 = 16;

/// Below this a tenant is one shard.
const SHARDED_QUOTA_MIN: u64 = 64 << 20;

/// Lengths that stay as they are for the life of a shard's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// Bytes of a segment, a power of two.
    pub(crate) segment_len: u32,
    /// Slots of a chunk segment.
    pub(crate) slots: u32,
    /// Bytes of a slot; a longer value than this goes in chunks.
    pub(crate) chunk_len: u32,
}

impl Geometry {
    /// For this quota in bytes.
    pub(crate) fn new(quota_bytes: u64) -> Self {
        let aim = (quota_bytes / SEGMENTS_AIM)
            .clamp(u64::from(SEGMENT_LEN_MIN), u64::from(SEGMENT_LEN_MAX)) as u32;
        let segment_len: u32 = 1 << aim.ilog2();
        let slots = (segment_len / INLINE_VALUE_LEN_MAX as u32).max(4);
        let room = segment_len - SEGMENT_HEADER_LEN - slots * OWNER_LEN;
        Self {
            segment_len,
            slots,
            chunk_len: (room / slots) & !7,
        }
    }

    /// Whether a shard cut up like this can go on with this quota.
    pub(crate) fn serves(&self, quota_bytes: u64) -> bool {
        quota_bytes / u64::from(self.segment_len) >= SEGMENTS_LEAST
            && quota_bytes <= SHARD_QUOTA_MAX
    }

    /// Where the first item of a segment may lie.
    pub(crate) const fn log_start(&self) -> u32 {
        SEGMENT_HEADER_LEN
    }

    /// Bits of a location that name a place within a segment, in units of [`UNIT`] bytes.
    pub(crate) const fn unit_bits(&self) -> u32 {
        self.segment_len.ilog2() - UNIT.ilog2()
    }

    /// How many segments `loc_bits` can name.
    pub(crate) const fn segments_named_by(&self, loc_bits: u32) -> u32 {
        1 << (loc_bits - self.unit_bits())
    }

    /// Bits that a location needs where this much memory may be held.
    pub(crate) fn loc_bits(&self, quota_bytes: u64) -> u32 {
        // Twice the quota: a segment's number stays taken while a larger quota is given up.
        let segments = (2 * quota_bytes / u64::from(self.segment_len)).max(2);
        let bits = segments.next_power_of_two().ilog2() + self.unit_bits();
        bits.min(31)
    }

    /// Where a slot of a chunk segment begins.
    pub(crate) const fn slot_at(&self, slot: u32) -> usize {
        (SEGMENT_HEADER_LEN + self.slots * OWNER_LEN + slot * self.chunk_len) as usize
    }

    /// Where the owner of a slot is named.
    pub(crate) const fn owner_at(slot: u32) -> usize {
        (SEGMENT_HEADER_LEN + slot * OWNER_LEN) as usize
    }
}

/// How many shards a tenant of this quota and largest item has: 1 to 32, a power of two.
pub(crate) fn shard_count(quota_bytes: u64, item_size_max: u32) -> usize {
    let by_quota = (quota_bytes * 2 / SHARDED_QUOTA_MIN).clamp(1, SHARDS_AIM_MAX);
    let by_item = (quota_bytes / (SHARD_ITEMS_LEAST * u64::from(item_size_max))).max(1);
    let needed = quota_bytes.div_ceil(SHARD_QUOTA_MAX).next_power_of_two();
    let count = by_quota.min(by_item);
    (1 << count.ilog2()).max(needed).min(SHARDS_MAX as u64) as usize
}

/// Whether `count` shards can serve this quota and largest item.
pub(crate) fn shards_serve(count: usize, quota_bytes: u64, item_size_max: u32) -> bool {
    let each = quota_bytes / count as u64;
    (each <= SHARD_QUOTA_MAX || count == SHARDS_MAX)
        && (count == 1 || each >= 2 * u64::from(item_size_max))
}

#[cfg(test)]
#[path = "geometry_test.rs"]
mod tests;
