//! Connections between gateways and nodes, and the loops of a node.

pub mod call;
mod callers;
pub mod certificates;
mod errands;
mod own;
pub mod pairing;
mod peer;
mod server;
mod server_loop;
pub mod stream;
mod tcp_info;
pub(crate) mod trust;
mod underway;

pub use own::OwnTrial;
pub use server::{NodeLoops, NodeLoopsConfig, NodeTotals, NodeView};
pub use stream::PeerTls;
