//! What is told of each tenant: one column for each figure.

use runtime::observe::exposition::Kind;

use crate::observe::reading::TenantReading;

/// A figure of every tenant.
pub(super) struct Column {
    /// The family's name without `cofferdam_tenant_`; columns of one family stand together.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) help: &'static str,
    /// What tells it from the family's other columns.
    pub(super) label: Option<(&'static str, &'static str)>,
    pub(super) value: fn(&TenantReading) -> u64,
}

impl Column {
    /// Whether its numbers are nanoseconds, which are told in seconds.
    pub(super) fn is_time(&self) -> bool {
        self.kind == Kind::Counter && self.name.contains("seconds")
    }
}

/// Columns of one family: name, kind, help, and the values by label, or a single one.
macro_rules! columns {
    ($($name:literal $kind:ident $help:literal
        { $($label:literal: { $($word:literal => $many:expr),+ $(,)? })? $(= $single:expr)? })*) => {
        &[$(
            $($(columns!(@column $name $kind $help Some(($label, $word)), $many),)+)?
            $(columns!(@column $name $kind $help None, $single),)?
        )*]
    };
    (@column $name:literal $kind:ident $help:literal $tells:expr, $value:expr) => {
        Column {
            name: $name,
            kind: Kind::$kind,
            help: $help,
            label: $tells,
            value: $value,
        }
    };
}

/// All columns, in the order of the page.
pub(super) const COLUMNS: &[Column] = columns! {
    "connections" Gauge "Connections open." {= |t| t.clients.connections }
    "close_wait_connections" Gauge "Connections that their clients have closed and we have not, of \
        256 at most that are looked up." {= |t| t.close_waits }
    "connections_total" Counter "Connections admitted." {= |t| t.clients.connections_total }
    "connections_shed_total" Counter
        "Connections that claimed the tenant and had to leave a full door." {= |t| t.clients.shed }
    "logins_total" Counter "Passwords checked." { "result": {
        "accepted" => |t| t.clients.auth_attempts.saturating_sub(t.clients.auth_failures),
        "refused" => |t| t.clients.auth_failures,
    } }
    "received_bytes_total" Counter "Bytes read from clients." {= |t| t.clients.bytes_read }
    "sent_bytes_total" Counter "Bytes written to clients." {= |t| t.clients.bytes_written }
    "busy_seconds_total" Counter "Time that event loops spent serving the tenant."
        {= |t| t.clients.busy_ns }
    "hot_key_hits_total" Counter
        "Retrievals that this gateway answered out of its own memory, since their keys are busy."
        {= |t| t.cache.hot_hits }
    "hot_key_bytes" Gauge "Bytes that this gateway holds for that." {= |t| t.cache.hot_bytes }
    "turns_cut_short_total" Counter "Turns that ended with work left, so that others had theirs."
        {= |t| t.clients.turns_cut_short }
    "meta_requests_total" Counter "Requests in meta commands." {= |t| t.clients.meta_requests }
    "connections_unused_total" Counter "Connections that ended without a request."
        {= |t| t.clients.connections_unused }
    "connects_delayed_total" Counter
        "Connections that had to wait at the door for the tenant's limits on connections."
        {= |t| t.clients.connects_delayed }
    "connects_refused_total" Counter "Of these, connections that waited in vain and were closed."
        {= |t| t.clients.connects_refused }
    "connects_abandoned_total" Counter "Of these, connections whose clients gave up waiting."
        {= |t| t.clients.connects_abandoned }
    "connects_turned_away_total" Counter "Connections turned away since all places were taken, and \
        the tenant had its share of them." {= |t| t.clients.turned_away }
    "connections_displaced_total" Counter "Connections closed since all places were taken, the tenant \
        had more than its share of them and another less." {= |t| t.clients.displaced }
    "requests_total" Counter "Requests answered, each key of a multi-get one; refused are those that \
        had waited too long." { "kind": {
        "read_served" => |t| t.clients.reads_served,
        "write_served" => |t| t.clients.writes_served,
        "read_refused" => |t| t.clients.reads_refused,
        "write_refused" => |t| t.clients.writes_refused,
    } }
    "pauses_total" Counter "Times that the tenant was paused for its limits."
        {= |t| t.clients.pauses }
    "paused_seconds_total" Counter "Time that it was paused, added up over the event loops."
        {= |t| t.clients.paused_ns }
    "paused_loops" Gauge "Event loops on which it is paused now." {= |t| t.clients.paused }
    "inflight_bytes" Gauge "Bytes of requests and replies on their way, send buffers included."
        {= |t| t.clients.inflight_bytes }
    "weight" Gauge "The tenant's share beside the others'." {= |t| t.traffic.weight.into() }
    "gets_total" Counter "Keys retrieved." { "result": {
        "hit" => |t| t.cache.get_hits,
        "miss" => |t| t.cache.get_misses,
    } }
    "gets_ended_total" Counter "Keys looked up whose item was there and had ended." { "cause": {
        "expired" => |t| t.cache.get_expired,
        "flushed" => |t| t.cache.get_flushed,
    } }
    "sets_total" Counter "Values given to be stored." {= |t| t.cache.cmd_set }
    "sets_failed_total" Counter "Values that were not stored." { "cause": {
        "too_large" => |t| t.cache.store_too_large,
        "no_memory" => |t| t.cache.store_no_memory,
    } }
    "cas_total" Counter "Values with a CAS to compare." { "result": {
        "hit" => |t| t.cache.cas_hits,
        "miss" => |t| t.cache.cas_misses,
        "differs" => |t| t.cache.cas_badval,
    } }
    "touches_total" Counter "Keys touched." { "result": {
        "hit" => |t| t.cache.touch_hits,
        "miss" => |t| t.cache.touch_misses,
    } }
    "deletes_total" Counter "Keys deleted." { "result": {
        "hit" => |t| t.cache.delete_hits,
        "miss" => |t| t.cache.delete_misses,
    } }
    "increments_total" Counter "Additions to a number." { "result": {
        "hit" => |t| t.cache.incr_hits,
        "miss" => |t| t.cache.incr_misses,
    } }
    "decrements_total" Counter "Subtractions from a number." { "result": {
        "hit" => |t| t.cache.decr_hits,
        "miss" => |t| t.cache.decr_misses,
    } }
    "flushes_total" Counter "Times that everything was flushed." {= |t| t.cache.cmd_flush }
    "items" Gauge "Items held." {= |t| t.cache.curr_items }
    "items_bytes" Gauge "Bytes of live items, headers included." {= |t| t.cache.bytes }
    "items_stored_total" Counter "Items written." {= |t| t.cache.total_items }
    "items_evicted_total" Counter "Live items dropped to make room." { "fetched": {
        "yes" => |t| t.cache.evictions.saturating_sub(t.cache.evicted_unfetched),
        "no" => |t| t.cache.evicted_unfetched,
    } }
    "items_expired_total" Counter "Items whose end had come and whose room was taken back."
        { "fetched": {
            "yes" => |t| t.cache.reclaimed.saturating_sub(t.cache.expired_unfetched),
            "no" => |t| t.cache.expired_unfetched,
        } }
    "items_oldest_seconds" Gauge
        "Age of the oldest item that has yet to be used, and time since the oldest of those in use \
         was last found to be so." { "queue": {
            "new" => |t| t.cache.small_age_s,
            "used" => |t| t.cache.main_age_s,
        } }
    "items_evicted_idle_seconds" Gauge
        "How long the item evicted last had not been accessed." {= |t| t.cache.evicted_idle_s }
    "moved_bytes_total" Counter "Bytes of items moved to keep them." {= |t| t.cache.copied_bytes }
    "memory_bytes" Gauge "Bytes held." { "part": {
        "segments" => |t| t.cache.segment_bytes,
        "index" => |t| t.cache.index_bytes,
        "other" => |t| t.cache.held_bytes
            .saturating_sub(t.cache.segment_bytes)
            .saturating_sub(t.cache.index_bytes),
    } }
    "memory_quota_bytes" Gauge "Bytes that may be held." {= |t| t.cache.quota_bytes }
    "segments" Gauge "Segments held, free ones too." {= |t| t.cache.segments }
};
