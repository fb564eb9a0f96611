//! A tenant's figures: their number, then each of them, in an order that only grows.

use base::kv::Stats;

use crate::Malformed;
use crate::wire::{Fields, Put};

/// Names every figure once, for both directions.
macro_rules! figures {
    ($($name:ident,)+) => {
        const COUNT: u16 = [$(stringify!($name)),+].len() as u16;

        fn numbers(stats: &Stats) -> [u64; COUNT as usize] {
            [$(stats.$name),+]
        }

        fn places(stats: &mut Stats) -> [&mut u64; COUNT as usize] {
            [$(&mut stats.$name),+]
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
}

pub(crate) fn encode(stats: &Stats, out: &mut Vec<u8>) {
    out.put_u16(COUNT);
    for number in numbers(stats) {
        out.put_u64(number);
    }
}

/// Reads as many figures as there are: an older side knows fewer, a newer one more.
pub(crate) fn decode(fields: &mut Fields<'_>) -> Result<Stats, Malformed> {
    let count = fields.u16()?;
    let mut stats = Stats::default();
    let mut places = places(&mut stats);
    for index in 0..usize::from(count) {
        let number = fields.u64()?;
        if let Some(place) = places.get_mut(index) {
            **place = number;
        }
    }
    Ok(stats)
}

#[cfg(test)]
#[path = "stats_test.rs"]
mod tests;
