//! What a session asks of whatever holds the data.

use base::kv::{Op, Outcome, Pin, Reservation, Sink, Stats, Store};
use base::{TenantId, Timestamp};
use node_proto::RequestId;

use crate::remote::Remote;

/// What became of an operation, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// It is over; a hit has handed the item to the sink.
    Done(Outcome),
    /// It is under way; the answer will name it.
    Pending(RequestId),
}

/// What of a held value could be given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// So many bytes; none if the next are still on their way: the session is woken then.
    Copied(usize),
    /// The hold has ended, and the rest with it.
    Lost,
}

/// Holds the tenants' data, or knows who does.
///
/// Values above [`base::kv::INLINE_VALUE_LEN_MAX`] come in by reserve, fill and commit, and go out
/// by pin (through the sink), read and unpin.
pub trait Backend {
    /// One tenant's data; cheap to copy.
    type Tenant: Clone;
    /// Where a fetch ahead goes on; cheap to copy.
    type Prefetch: Copy;

    /// Whether the data is on other machines: operations may be pending, and nothing can be fetched
    /// ahead.
    const IS_REMOTE: bool = false;

    /// The data of this tenant, or `None` if there is no such tenant.
    fn open(&self, tenant: TenantId) -> Option<Self::Tenant>;

    /// Does one operation, or begins it; a hit that is done hands the item to `sink` before this
    /// returns.
    fn execute<S: Sink>(
        &self,
        tenant: &Self::Tenant,
        now: Timestamp,
        op: &Op<'_>,
        sink: &mut S,
    ) -> Execution;

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

    /// Whether a reserved value can take more bytes now; if not, the session is woken once it can.
    fn can_fill(&self, _tenant: &Self::Tenant, _reservation: Reservation) -> bool {
        true
    }

    /// Adds the next bytes of a reserved value; false if the room was taken back.
    fn fill(&self, tenant: &Self::Tenant, reservation: Reservation, bytes: &[u8]) -> bool;

    /// Stores a reserved value that is complete, or begins to.
    fn commit(&self, tenant: &Self::Tenant, now: Timestamp, reservation: Reservation) -> Execution;

    /// Gives the room of a value back that will not be completed.
    fn abort(&self, tenant: &Self::Tenant, reservation: Reservation);

    /// Appends up to `max` bytes of a held value, from `offset` on.
    fn read_pinned(
        &self,
        tenant: &Self::Tenant,
        pin: Pin,
        offset: u32,
        max: usize,
        out: &mut Vec<u8>,
    ) -> Chunk;

    /// Lets a held value go.
    fn unpin(&self, tenant: &Self::Tenant, pin: Pin);

    /// Empties the tenant as of `at`.
    fn flush(&self, tenant: &Self::Tenant, now: Timestamp, at: Timestamp);

    /// The tenant's figures.
    fn stats(&self, tenant: &Self::Tenant) -> Stats;

    /// Sets the tenant's counters to zero.
    fn reset_stats(&self, tenant: &Self::Tenant);

    /// The connections to the nodes that have the data, where it is not here.
    fn remote(&mut self) -> Option<&mut Remote> {
        None
    }

    /// Whether any of the tenant's data can be reached.
    fn is_reachable(&self, _tenant: &Self::Tenant) -> bool {
        true
    }

    /// A bounded slice of background work on this loop's part of the tenants; true if more waits.
    fn maintain(&mut self, now: Timestamp) -> bool;
}
