//! The memory engine of one tenant: log segments, eviction by S3-FIFO, exact expiry and CAS.
//!
//! ```text
//! TenantCache ── 1 to 32 Shards, each behind a mutex for the length of one call
//!
//! Shard   index ──► chains through the items of the logs
//!         small queue   [sealed][sealed][open ►]      a tenth of the bytes: new items
//!         main queue    [sealed][sealed]...[open ►]   items that were used, or came back
//!         chunks        [slot|slot|    |slot] ...     of values too long to lie with their item
//!         bodies        which chunks are whose, shared by an item and readers of what it was
//!         ghost         fingerprints of keys evicted of late
//! ```
//!
//! A tenant's bytes are the segments that it holds, its index and its ghost: together never more
//! than its quota, and nobody else's. Segments are 4 KiB to 1 MiB, about a hundred and fifty of
//! them to a shard. There is no background thread: stores pay for the room they take, and
//! [`TenantCache::maintain`] does the rest when it is called.
//!
//! This crate has never heard of a protocol, a socket or a clock.
#![deny(unsafe_code)]

mod chains;
mod config;
mod geometry;
mod ghost;
mod hash;
mod index;
mod item;
mod memory;
mod prefetch;
mod segment;
mod shard;
mod slab;
mod tenant;

/// The longest key that is stored, in bytes: what its one byte of length can tell. A client's is
/// shorter ([`base::kv::KEY_LEN_MAX`]), but a node puts behind it what keeps old items apart.
pub const STORED_KEY_LEN_MAX: usize = u8::MAX as usize;

pub use config::{Config, ConfigError, least_quota_bytes};
pub use tenant::{Prefetch, TenantCache};

#[cfg(test)]
mod history;
#[cfg(test)]
mod history_large;
#[cfg(test)]
mod history_ops;
#[cfg(test)]
mod large_test;
#[cfg(test)]
mod limits_test;
#[cfg(test)]
mod model;
#[cfg(test)]
mod model_test;
#[cfg(test)]
mod testing;
