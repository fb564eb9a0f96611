//! Which node owns which keys and since when, who is a member, and who may serve: decided purely.
//!
//! # What a request and its reply say
//!
//! A gateway finds a key's [`Slot`](base::fleet::Slot) with [`SlotHasher`], the slot's owner and
//! epoch in its copy of the ring, and sends a [`Claim`](base::fleet::Claim) with the request. The
//! node compares the claim with what it knows itself, and only then touches its cache; the reply
//! carries its own epoch of the slot, so that the older side of the two learns that it is.
#![forbid(unsafe_code)]

mod hash;

pub use hash::{SlotHasher, TenantSlots};
