//! When an item ends, from the number a client sends.

use std::time::Duration;

use base::Timestamp;
use base::kv::Expiry;

/// Up to this many seconds (30 days) the number counts from now, above it is a Unix time.
const RELATIVE_MAX_S: i64 = 60 * 60 * 24 * 30;

/// 0 is never, below 0 is over already, up to 30 days counts from now, above is a Unix time.
pub(crate) fn expiry(exptime: i64, now: Timestamp) -> Expiry {
    match exptime {
        0 => Expiry::NEVER,
        ..0 => Expiry::PAST,
        1..=RELATIVE_MAX_S => Expiry::at_unix_secs(now.unix_secs().saturating_add(exptime as u32)),
        _ => Expiry::at_unix_secs(u32::try_from(exptime).unwrap_or(u32::MAX)),
    }
}

/// The same number as a span from now until a flush: nothing for 0 and below.
///
/// A Unix time that is over already is never: memcached's rule, which takes it for a time before
/// its start, at which no item was there to be flushed.
pub(crate) fn delay(exptime: i64, now: Timestamp) -> Option<Duration> {
    if exptime <= 0 {
        return None;
    }
    let left = expiry(exptime, now).secs_left(now).filter(|secs| *secs > 0);
    Some(left.map_or(Duration::MAX, |secs| Duration::from_secs(u64::from(secs))))
}

/// The same number as the seconds left below which an item is to be refilled; 0 is for no item.
pub(crate) fn recache_below_s(exptime: i64, now: Timestamp) -> u32 {
    expiry(exptime, now).secs_left(now).unwrap_or(0)
}

#[cfg(test)]
#[path = "exptime_test.rs"]
mod tests;
