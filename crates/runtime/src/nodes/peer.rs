//! A gateway's connection as a node's loop sees it.

use base::Timestamp;
use node::{Caller, LinkId};

use super::stream::PeerStream;

/// One connection.
pub(super) struct Peer {
    pub(super) stream: PeerStream,
    pub(super) link: LinkId,
    pub(super) name: String,
    /// Tells it from others that have had the same place.
    pub(super) serial: u64,
    /// As whose it has introduced itself.
    pub(super) caller: Option<Caller>,
    /// It is known whether it is a gateway or another node.
    pub(super) is_known: bool,
    /// It stands among those to be read.
    pub(super) is_ready: bool,
    /// Since when there may be something to read.
    pub(super) arrived: Timestamp,
}
