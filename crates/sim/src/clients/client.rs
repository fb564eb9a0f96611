//! What is kept of one client between events.

use base::Timestamp;

use super::reply::Own;
use crate::network::SocketId;

/// What a client is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Not there yet, or gone.
    Away,
    Connecting,
    Authenticating,
    /// Nothing is to be asked before its deadline.
    Idle,
    /// For the replies to a batch.
    Waiting,
    /// Connected without ever reading or asking, as its conduct has it.
    Obstinate,
    /// Before it connects anew.
    Pausing,
}

/// One client; what it asked follows from the numbers.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(super) socket: SocketId,
    /// When something is due in its state.
    pub(super) deadline: Timestamp,
    /// The earliest alarm that is set, if any; others that come are stale.
    pub(super) alarm: Timestamp,
    /// When the batch under way should have been asked.
    pub(super) intended: Timestamp,
    /// When it began to connect.
    pub(super) connecting_since: Timestamp,
    /// Connections begun.
    pub(super) epoch: u32,
    /// Requests written on this connection.
    pub(super) sent: u32,
    /// Of those, answered.
    pub(super) answered: u32,
    /// Batches begun by an open loop.
    pub(super) arrivals: u32,
    pub(super) own: Own,
    pub(super) group: u8,
    pub(super) state: State,
    pub(super) failures: u8,
    /// A batch waits for its replies, or for a connection.
    pub(super) has_batch: bool,
}

impl Client {
    pub(super) fn new(group: u8) -> Self {
        Self {
            socket: SocketId::NONE,
            deadline: Timestamp::MAX,
            alarm: Timestamp::MAX,
            intended: Timestamp::ZERO,
            connecting_since: Timestamp::ZERO,
            epoch: 0,
            sent: 0,
            answered: 0,
            arrivals: 0,
            own: None,
            group,
            state: State::Away,
            failures: 0,
            has_batch: false,
        }
    }
}
