//! The node's side of the internal protocol: requests of gateways to a cache, without I/O.
//!
//! A [`Node`] is one loop of a node. It owns the connections of gateways to that loop, asks the
//! fleet's rules which claims to honour, and a [`Backend`](gateway::Backend) for the data. What it
//! stores it stores under the key *and* the epoch of the slot, so that what was there before the
//! slot changed hands is never found again. A driver accepts, hands over what comes with
//! [`Node::receive`], and writes [`Node::outgoing`] of every connection that
//! [`Node::poll_transmit`] names.
#![forbid(unsafe_code)]

mod copies;
mod gate;
mod key;
mod link;
mod node;
mod serve;
mod values;

pub use copies::COPIES;
pub use gate::{Errand, Task};
pub use link::LinkId;
pub use node::{Caller, Landlord, Node, NodeConfig, NodeFigures, RingState};

/// Why a connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// What came is nothing of the protocol.
    Malformed(node_proto::Malformed),
    /// The gateway and this node have no version in common.
    Mismatch(node_proto::Mismatch),
    /// It came before the greeting, or is what only nodes say.
    OutOfPlace,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed(error) => error.fmt(f),
            Self::Mismatch(error) => error.fmt(f),
            Self::OutOfPlace => f.write_str("a message out of its place"),
        }
    }
}

impl std::error::Error for Broken {}
