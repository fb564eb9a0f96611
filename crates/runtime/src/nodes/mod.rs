//! Connections between gateways and nodes, and the loops of a node.

mod callers;
pub mod certificates;
mod peer;
mod server;
mod server_loop;
pub mod stream;
pub(crate) mod trust;

pub use server::{NodeLoops, NodeLoopsConfig, NodeTotals, NodeView};
pub use stream::PeerTls;
