//! Live figures.

use std::time::Duration;

use base::kv::Stats;
use gateway::{ConnectionFigures, Delays};
use serde::{Deserialize, Serialize};

/// Live figures.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Stat {
    pub(crate) version: String,
    pub(crate) pid: u32,
    pub(crate) uptime_s: u64,
    pub(crate) memory: MemoryTotals,
    pub(crate) connections: ConnectionTotals,
    pub(crate) tenants: Vec<TenantStat>,
}

/// Where the memory is.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct MemoryTotals {
    pub(crate) bytes: u64,
    pub(crate) sold_bytes: u64,
    pub(crate) default_bytes: u64,
    pub(crate) held_bytes: u64,
}

/// Client connections of the whole process.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct ConnectionTotals {
    pub(crate) open: u64,
    pub(crate) unauthenticated: u64,
    pub(crate) max: u64,
    pub(crate) refused: u64,
}

/// Figures of one tenant.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct TenantStat {
    pub(crate) tenant: String,
    pub(crate) open: bool,
    pub(crate) memory_bytes: u64,
    pub(crate) item_size_bytes: u32,
    pub(crate) cache: CacheFigures,
    pub(crate) clients: ClientFigures,
    pub(crate) delay: DelayFigures,
}

/// How long requests waited from being there to being answered, since the start; to within a
/// quarter.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct DelayFigures {
    pub(crate) requests: u64,
    /// `null`, as the next, before the first request.
    pub(crate) p50_us: Option<u64>,
    pub(crate) p99_us: Option<u64>,
    /// All of it, shortest first, so that a reader can tell what came since he last asked.
    pub(crate) buckets: Vec<DelayBucket>,
}

/// Requests whose delay was at most this, and above the bucket before; empty ones are left out.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct DelayBucket {
    pub(crate) up_to_ns: u64,
    pub(crate) requests: u64,
}

impl From<&Delays> for DelayFigures {
    fn from(delays: &Delays) -> Self {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Self {
            requests: delays.count(),
            p50_us: delays.p50().map(micros),
            p99_us: delays.p99().map(micros),
            buckets: delays
                .buckets()
                .filter(|(_, requests)| *requests > 0)
                .map(|(up_to_ns, requests)| DelayBucket { up_to_ns, requests })
                .collect(),
        }
    }
}

/// A figures type of ours that mirrors, field by field, one that cannot be serialised itself.
macro_rules! mirror {
    ($(#[doc = $doc:literal])* $name:ident of $source:ident { $($field:ident),* $(,)? }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Default, Deserialize, Serialize)]
        pub(crate) struct $name {
            $(pub(crate) $field: u64,)*
        }

        impl From<&$source> for $name {
            fn from(source: &$source) -> Self {
                // Named whole, so that a new figure cannot be forgotten here.
                let $source { $($field),* } = source;
                Self { $($field: *$field),* }
            }
        }
    };
}

mirror! {
    /// A tenant's cache, under memcached's names.
    CacheFigures of Stats {
        curr_items, total_items, bytes, held_bytes, quota_bytes, cmd_get, cmd_set, cmd_touch,
        cmd_flush, get_hits, get_misses, get_expired, get_flushed, delete_hits,
        delete_misses, incr_hits, incr_misses, decr_hits, decr_misses, cas_hits, cas_misses,
        cas_badval, touch_hits, touch_misses, evictions, evicted_unfetched, expired_unfetched,
        reclaimed, store_too_large, store_no_memory, index_bytes, segment_bytes, segments,
        copied_bytes, small_age_s, main_age_s, evicted_at_unix_s, evicted_idle_s,
        hot_hits, hot_bytes,
    }
}

mirror! {
    /// A tenant's connections.
    ClientFigures of ConnectionFigures {
        connections, connections_total, connections_unused, bytes_read, bytes_written, busy_ns,
        turns_cut_short, auth_attempts, auth_failures, shed, meta_requests, reads_served,
        writes_served, reads_refused, writes_refused, pauses, paused_ns, paused, connects_delayed,
        connects_refused, connects_abandoned, turned_away, displaced, inflight_bytes,
    }
}
