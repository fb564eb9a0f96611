//! A tenant's figures, which its cache counts and everybody else shows.

/// One tenant's figures, under memcached's names: counts since its start or the last reset, and
/// the present state. Sums over parts are sums, but for ages, where the oldest counts, and the
/// latest eviction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Items held now, with those whose end has come and that nobody has met since.
    pub curr_items: u64,
    /// Items written, whether new or over an old one.
    pub total_items: u64,
    /// Bytes of live items, headers included.
    pub bytes: u64,
    /// Bytes held: segments, indexes and tables; at most the quota, once a smaller one is reached.
    pub held_bytes: u64,
    /// Bytes that it may hold at most.
    pub quota_bytes: u64,
    /// Keys retrieved without a touch, found or not.
    pub cmd_get: u64,
    /// Values given to be stored, whether or not they were, without those too large.
    pub cmd_set: u64,
    /// Keys touched, with their value retrieved or not, found or not.
    pub cmd_touch: u64,
    /// Times that everything was flushed, or is to be at a time given.
    pub cmd_flush: u64,
    /// Retrievals, of those in `cmd_get`, that found an item.
    pub get_hits: u64,
    /// Retrievals, of those in `cmd_get`, that found none.
    pub get_misses: u64,
    /// Keys looked up, for whatever operation, whose item had ended.
    pub get_expired: u64,
    /// Keys retrieved whose item had been flushed.
    pub get_flushed: u64,
    /// Deletions that removed an item or cleared its value.
    pub delete_hits: u64,
    /// Deletions that found no item, or one with another CAS.
    pub delete_misses: u64,
    /// Additions to a number that was there.
    pub incr_hits: u64,
    /// Additions to a number that was not there.
    pub incr_misses: u64,
    /// Subtractions from a number that was there.
    pub decr_hits: u64,
    /// Subtractions from a number that was not there.
    pub decr_misses: u64,
    /// Values stored because the CAS given was the item's.
    pub cas_hits: u64,
    /// Values with a CAS to compare, but no item there.
    pub cas_misses: u64,
    /// Values refused because the CAS given was not the item's.
    pub cas_badval: u64,
    /// Touches that found an item.
    pub touch_hits: u64,
    /// Touches that found none.
    pub touch_misses: u64,
    /// Live items dropped to make room.
    pub evictions: u64,
    /// Of those, never fetched.
    pub evicted_unfetched: u64,
    /// Of those in `reclaimed`, never fetched.
    pub expired_unfetched: u64,
    /// Items whose end had come and whose room was taken back.
    pub reclaimed: u64,
    /// Values refused as longer than the item size.
    pub store_too_large: u64,
    /// Writes refused because no room could be made.
    pub store_no_memory: u64,
    /// Bytes held by indexes.
    pub index_bytes: u64,
    /// Bytes held by segments, free ones too.
    pub segment_bytes: u64,
    /// Segments held, free ones too.
    pub segments: u64,
    /// Bytes moved to keep items that are in use.
    pub copied_bytes: u64,
    /// Seconds for which the oldest of the new items, which have yet to be used, has been held;
    /// 0 without any.
    pub small_age_s: u64,
    /// Seconds since the oldest of the items in use was last found to be so; 0 without any.
    pub main_age_s: u64,
    /// The Unix second of the latest eviction, 0 for never.
    pub evicted_at_unix_s: u64,
    /// Seconds for which the item evicted last had not been accessed then.
    pub evicted_idle_s: u64,
    /// Of those in `get_hits`, answered by a gateway out of its own memory.
    pub hot_hits: u64,
    /// Bytes that a gateway holds of it; not among `held_bytes`.
    pub hot_bytes: u64,
}

/// Names every figure once, in an order that only grows: nodes tell each other figures by it.
macro_rules! figures {
    ($($name:ident,)+) => {
        impl Stats {
            /// How many figures there are.
            pub const COUNT: usize = [$(stringify!($name)),+].len();

            /// All figures, always in the same order.
            pub fn figures(&self) -> [u64; Self::COUNT] {
                // One that is left out of the list does not compile.
                let Self { $($name),+ } = self;
                [$(*$name),+]
            }

            /// The same, to be changed.
            pub fn figures_mut(&mut self) -> [&mut u64; Self::COUNT] {
                [$(&mut self.$name),+]
            }
        }
    };
}

figures! {
    curr_items,
    total_items,
    bytes,
    held_bytes,
    quota_bytes,
    cmd_get,
    cmd_set,
    cmd_touch,
    cmd_flush,
    get_hits,
    get_misses,
    get_expired,
    get_flushed,
    delete_hits,
    delete_misses,
    incr_hits,
    incr_misses,
    decr_hits,
    decr_misses,
    cas_hits,
    cas_misses,
    cas_badval,
    touch_hits,
    touch_misses,
    evictions,
    evicted_unfetched,
    expired_unfetched,
    reclaimed,
    store_too_large,
    store_no_memory,
    index_bytes,
    segment_bytes,
    segments,
    copied_bytes,
    small_age_s,
    main_age_s,
    evicted_at_unix_s,
    evicted_idle_s,
    hot_hits,
    hot_bytes,
}

impl Stats {
    /// Adds another part's figures, the quota too; of ages and evictions the greatest stays.
    pub fn absorb(&mut self, part: &Self) {
        let small_age_s = self.small_age_s.max(part.small_age_s);
        let main_age_s = self.main_age_s.max(part.main_age_s);
        let eviction = |stats: &Self| (stats.evicted_at_unix_s, stats.evicted_idle_s);
        let latest = eviction(self).max(eviction(part));
        for (total, more) in self.figures_mut().into_iter().zip(part.figures()) {
            *total += more;
        }
        self.small_age_s = small_age_s;
        self.main_age_s = main_age_s;
        (self.evicted_at_unix_s, self.evicted_idle_s) = latest;
    }
}

#[cfg(test)]
#[path = "stats_test.rs"]
mod tests;
