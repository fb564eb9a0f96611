//! What a session asks of whatever holds the data.

use base::kv::{Op, Outcome, Pin, Reservation, Sink, Stats, Store};
use base::{TenantId, Timestamp};

/// Holds the tenants' data.
///
/// Values above [`base::kv::INLINE_VALUE_LEN_MAX`] come in by reserve, fill and commit, and go out
/// by pin (through the sink), read and unpin.
pub trait Backend {
    /// One tenant's data; cheap to copy.
    type Tenant: Clone;
    /// Where a fetch ahead goes on; cheap to copy.
    type Prefetch: Copy;

    /// The data of this tenant, or `None` if there is no such tenant.
    fn open(&self, tenant: TenantId) -> Option<Self::Tenant>;

    /// Does one operation; a hit hands the item to `sink` before this returns.
    fn execute<S: Sink>(
        &self,
        tenant: &Self::Tenant,
        now: Timestamp,
        op: &Op<'_>,
        sink: &mut S,
    ) -> Outcome;

    /// Begins to fetch ahead what an operation on `key` will need; `None` if there is nothing to it.
    fn prefetch(&self, tenant: &Self::Tenant, key: &[u8]) -> Option<Self::Prefetch>;

    /// Goes on with it, when what was begun has had time to arrive; tells where, if not at its end.
    fn prefetch_item(
        &self,
        tenant: &Self::Tenant,
        prefetch: Self::Prefetch,
    ) -> Option<Self::Prefetch>;

    /// Makes room for a value of `len` bytes that is still to arrive.
    fn reserve(
        &self,
        tenant: &Self::Tenant,
        now: Timestamp,
        store: &Store<'_>,
        len: u32,
    ) -> Result<Reservation, Outcome>;

    /// Adds the next bytes of a reserved value; false if the room was taken back.
    fn fill(&self, tenant: &Self::Tenant, reservation: Reservation, bytes: &[u8]) -> bool;

    /// Stores a reserved value that is complete.
    fn commit(&self, tenant: &Self::Tenant, now: Timestamp, reservation: Reservation) -> Outcome;

    /// Gives the room of a value back that will not be completed.
    fn abort(&self, tenant: &Self::Tenant, reservation: Reservation);

    /// Appends up to `max` bytes of a held value, from `offset` on; `None` if the hold has ended.
    fn read_pinned(
        &self,
        tenant: &Self::Tenant,
        pin: Pin,
        offset: u32,
        max: usize,
        out: &mut Vec<u8>,
    ) -> Option<usize>;

    /// Lets a held value go.
    fn unpin(&self, tenant: &Self::Tenant, pin: Pin);

    /// Empties the tenant as of `at`.
    fn flush(&self, tenant: &Self::Tenant, now: Timestamp, at: Timestamp);

    /// The tenant's figures.
    fn stats(&self, tenant: &Self::Tenant) -> Stats;

    /// Sets the tenant's counters to zero.
    fn reset_stats(&self, tenant: &Self::Tenant);

    /// A bounded slice of background work on this loop's part of the tenants; true if more waits.
    fn maintain(&mut self, now: Timestamp) -> bool;
}
