//! Which node owns which keys and since when, who is a member, and who may serve: decided purely.
//!
//! # What a request and its reply say
//!
//! A gateway finds a key's [`Slot`](base::fleet::Slot) with [`SlotHasher`], the slot's owner and
//! epoch in its [`Routes`](routes::Routes), and sends a [`Claim`](base::fleet::Claim) with the
//! request, vouching for it if its [`Knowledge`](knowledge::Knowledge) is assured. The node asks its
//! [`SlotTable`](slot_table::SlotTable) and only then touches its cache. The reply carries the
//! node's own epoch of the slot, so that the older side of the two learns that it is. Once a second
//! and at the beginning, each side of a connection tells the other
//! [`Knowledge::announced`](knowledge::Knowledge::announced), and the gateway takes the node's, with
//! the time of its question, as evidence.
//!
//! # When a ring changes
//!
//! The change is announced in the store; every gateway and node brings its tables up to date *in all
//! its loops*, and then says in the store that it knows; when [`change::Patience`] says so the
//! change is made.
#![forbid(unsafe_code)]

mod assignment;
pub mod cap;
pub mod change;
pub mod deeds;
mod format;
pub mod gate;
mod hash;
pub mod judge;
pub mod knowledge;
pub mod membership;
pub mod memory;
pub mod operator;
pub mod registry;
mod ring;
pub mod routes;
pub mod shares;
pub mod shuffle;
pub mod slot_table;
pub mod split;
pub mod steward;
#[cfg(test)]
mod testing;

pub use assignment::Weights;
pub use format::RingFormatError;
pub use hash::{SlotHasher, TenantSlots};
pub use ring::{ChangeError, Holding, Move, Ring};
