//! Adds up the figures of shards.

use base::kv::Stats;

/// Adds `part`'s figures to `sum`'s, the quota too; of ages and evictions the greatest stays.
pub(crate) fn add(sum: &mut Stats, part: &Stats) {
    let Stats {
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
    } = part;
    let pairs = [
        (&mut sum.curr_items, curr_items),
        (&mut sum.total_items, total_items),
        (&mut sum.bytes, bytes),
        (&mut sum.held_bytes, held_bytes),
        (&mut sum.quota_bytes, quota_bytes),
        (&mut sum.cmd_get, cmd_get),
        (&mut sum.cmd_set, cmd_set),
        (&mut sum.cmd_touch, cmd_touch),
        (&mut sum.cmd_flush, cmd_flush),
        (&mut sum.get_hits, get_hits),
        (&mut sum.get_misses, get_misses),
        (&mut sum.get_expired, get_expired),
        (&mut sum.get_flushed, get_flushed),
        (&mut sum.delete_hits, delete_hits),
        (&mut sum.delete_misses, delete_misses),
        (&mut sum.incr_hits, incr_hits),
        (&mut sum.incr_misses, incr_misses),
        (&mut sum.decr_hits, decr_hits),
        (&mut sum.decr_misses, decr_misses),
        (&mut sum.cas_hits, cas_hits),
        (&mut sum.cas_misses, cas_misses),
        (&mut sum.cas_badval, cas_badval),
        (&mut sum.touch_hits, touch_hits),
        (&mut sum.touch_misses, touch_misses),
        (&mut sum.evictions, evictions),
        (&mut sum.evicted_unfetched, evicted_unfetched),
        (&mut sum.expired_unfetched, expired_unfetched),
        (&mut sum.reclaimed, reclaimed),
        (&mut sum.store_too_large, store_too_large),
        (&mut sum.store_no_memory, store_no_memory),
        (&mut sum.index_bytes, index_bytes),
        (&mut sum.segment_bytes, segment_bytes),
        (&mut sum.segments, segments),
        (&mut sum.copied_bytes, copied_bytes),
    ];
    for (total, more) in pairs {
        *total += more;
    }
    sum.small_age_s = sum.small_age_s.max(*small_age_s);
    sum.main_age_s = sum.main_age_s.max(*main_age_s);
    let latest = (sum.evicted_at_unix_s, sum.evicted_idle_s);
    (sum.evicted_at_unix_s, sum.evicted_idle_s) = latest.max((*evicted_at_unix_s, *evicted_idle_s));
}

#[cfg(test)]
#[path = "sum_test.rs"]
mod tests;
