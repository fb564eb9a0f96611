//! What the admin API takes and tells, the same for server and command line.

use std::time::Duration;

use base::kv::Stats;
use gateway::{ConnectionFigures, Delays};
use runtime::state::CredentialRecord;
use serde::{Deserialize, Serialize};

pub(crate) use super::traffic::{TrafficChange, TrafficView};

/// A tenant to add.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantRequest {
    pub(crate) name: String,
    pub(crate) memory_bytes: u64,
    /// The configured item size if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) item_size_bytes: Option<u64>,
    /// In a fleet: on how many gateways; two if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gateways: Option<usize>,
}

/// Where a tenant is to go.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MoveRequest {
    /// Away from the gateways of these names; none: to others than it is on.
    pub(crate) from: Vec<String>,
    /// To end the move: its clients know the new gateways.
    pub(crate) finish: bool,
}

/// Where its clients connect from now on.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct MoveReport {
    pub(crate) servers: Vec<String>,
}

/// What a tenant has after a credential was ended.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Revoked {
    pub(crate) credentials_left: usize,
}

/// New limits of a tenant; what is not given stays.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LimitChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) item_size_bytes: Option<u64>,
    pub(crate) traffic: TrafficChange,
}

/// A credential to add.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CredentialRequest {
    /// `read,write,flush` or less; those of the primary one if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rights: Option<String>,
    /// Whether it takes the primary one's place.
    pub(crate) primary: bool,
}

/// What a tenant's client needs to connect. The password is told this once.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Grant {
    pub(crate) tenant: String,
    pub(crate) servers: Vec<String>,
    pub(crate) username: String,
    pub(crate) password: String,
}

/// A tenant as shown.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct TenantView {
    pub(crate) tenant: String,
    pub(crate) memory_bytes: u64,
    pub(crate) item_size_bytes: u32,
    pub(crate) traffic: TrafficView,
    /// `null` for `default`, which was never added.
    pub(crate) created_unix_s: Option<i64>,
    /// `null`, as the next two, where no daemon runs.
    pub(crate) used_bytes: Option<u64>,
    pub(crate) items: Option<u64>,
    pub(crate) connections: Option<u64>,
    /// In a fleet: the gateways that serve it; empty for all.
    #[serde(default)]
    pub(crate) gateways: Vec<String>,
    pub(crate) credentials: Vec<CredentialView>,
}

/// A credential as shown.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct CredentialView {
    pub(crate) username: String,
    pub(crate) rights: String,
    pub(crate) primary: bool,
    pub(crate) created_unix_s: i64,
}

impl From<&CredentialRecord> for CredentialView {
    fn from(record: &CredentialRecord) -> Self {
        Self {
            username: record.username.clone(),
            rights: record.rights.to_string(),
            primary: record.primary,
            created_unix_s: record.created_unix_s,
        }
    }
}

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

/// What a reload did.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct ReloadReport {
    /// Keys whose new value is in force.
    pub(crate) changed: Vec<String>,
    /// Keys whose new value waits for the next start.
    pub(crate) needs_restart: Vec<String>,
}

/// Any error.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct ErrorBody {
    pub(crate) error: String,
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
