//! Client sessions, the door and the scheduler of one event loop, without I/O.
//!
//! A [`Shard`] owns the sessions of one loop and decides whose turn it is; the [`Door`] holds
//! connections until they have said who they are. Whoever drives them (the runtime with sockets, the
//! simulator with virtual ones) moves bytes and tells the time. Which protocol a connection speaks,
//! and what stores the data, this crate does not know.
#![forbid(unsafe_code)]

mod backend;
mod busiest;
#[cfg(test)]
mod chaos_test;
mod delay;
mod delivery;
pub mod directory;
mod displace;
mod door;
mod figures;
mod gather;
mod ledger;
mod owners;
mod pause;
mod prefetch;
mod prefixes;
pub mod proxy_header;
pub mod remote;
mod schedule;
mod session;
mod shard;
mod stats;
mod tenant;
#[cfg(test)]
mod tenants_test;
#[cfg(test)]
mod test_backend;
#[cfg(test)]
mod testing;
mod turn;
#[cfg(test)]
mod virtual_loop;

pub use backend::{Backend, Chunk, Execution};
pub use busiest::BusiestKeys;
pub use delay::Delays;
pub use delivery::{Deliveries, Delivery};
pub use door::{
    ApproachFailure, Door, DoorConfig, DoorFigures, EntrantId, Entry, Passage, Source, TOO_MANY,
    Verdict,
};
pub use figures::{ConnectionFigures, Figures, TenantFigures};
pub use gather::Gather;
pub use session::{Admitted, Peer, SessionId};
pub use shard::{Shard, ShardConfig};
pub use stats::ServerInfo;
pub use tenant::{Due, TenantSlot};
pub use turn::TurnEnd;
